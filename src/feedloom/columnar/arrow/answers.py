"""The long form of a map of answers: a table with a row for each answer, made a column of answers at a time.

The order of a row's answers is that of its keys, which columns do not keep; so the keys of each row, and nothing else
of it, are read from its bytes. Forms of answers: see ``RowShaper``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from feedloom.catalogue import LongAnswers
from feedloom.columnar.rows import _forms, _number, _positions  # the exact way's own functions, a value at a time

_NUMBER = r"^-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
HASHED = "\0answers"
"""Stands among a block's arrays for what ``hashed_answers`` gives."""

_TEXT = pa.string()


@dataclass(slots=True)
class Answers:
    """Answers in the order of the rows and of the keys in each.

    Attributes:
        parent_rows: For each answer, the position of its row.
        columns: ``map_column``, ``position``, ``value_text``, ``value_number``, ``value_json``.
        hashed: For each row, what counts for its fingerprint and stands in no other column: see ``hashed_answers``.
    """

    parent_rows: Any
    columns: dict[str, Any]
    hashed: Any


def hashed_answers(long: LongAnswers, answers: Any) -> str | None:
    """What of a map of answers counts for a row's fingerprint besides its columns.

    Where the map has columns of its own these are only the keys with null, which come out long but have no column;
    where it has none, all of it.
    """
    if long.instead:
        return json.dumps(answers, sort_keys=True, ensure_ascii=False) if answers else None
    nulls = sorted(key for key, value in answers.items() if value is None) if isinstance(answers, dict) else []
    return json.dumps(nulls, ensure_ascii=False) if nulls else None


class AnswerReader:
    """Makes the long form of one table's answers.

    Args:
        long: The map, and the names of the columns.
    """

    def __init__(self, long: LongAnswers) -> None:
        self._long = long
        answers = dict[str, msgspec.Raw] | list[msgspec.Raw] | None
        shape: Any = msgspec.defstruct("AnswersOfRow", [("answers", answers, None)], rename={"answers": long.path})
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[shape])

    def read(self, raws: Sequence[msgspec.Raw], column: Any) -> Answers:
        """The answers of rows that were read together into *column*, the map as an Arrow struct."""
        maps = [_map(row.answers) for row in self._decoder.decode(b"[" + b",".join(raws) + b"]")]
        slots = _slots(maps)
        parts = [_Part.nothing()]
        with_nulls: set[int] = set()
        for key, chosen in zip(slots.keys, slots.by_key(), strict=True):
            values = column.field(key).take(pa.array(slots.row_of[chosen]))
            if values.null_count:
                with_nulls.update(slots.row_of[chosen[np.asarray(values.is_null())]].tolist())
            if _is_odd(values.type):
                parts.append(_each([maps[row][key] for row in slots.row_of[chosen].tolist()], chosen))
            elif pa.types.is_list(values.type):
                parts.append(_list(values, chosen))
            else:
                parts.append(_plain(values, chosen))
        answers = _joined(parts)
        keys = pa.array(slots.keys, _TEXT).take(pa.array(slots.key_of[answers.ordinals]))
        return Answers(
            parent_rows=slots.row_of[answers.ordinals],
            columns={
                self._long.map_column: keys,
                "position": answers.positions,
                "value_text": answers.texts,
                "value_number": answers.numbers,
                "value_json": answers.json,
            },
            hashed=self._hashed(maps, with_nulls),
        )

    def _hashed(self, maps: Sequence[Mapping[str, msgspec.Raw]], with_nulls: set[int]) -> Any:
        rows = range(len(maps)) if self._long.instead else with_nulls
        hashed: list[str | None] = [None] * len(maps)
        for row in rows:
            hashed[row] = hashed_answers(self._long, {key: json.loads(bytes(raw)) for key, raw in maps[row].items()})
        return pa.array(hashed, _TEXT)


def _map(answers: Any) -> dict[str, msgspec.Raw]:
    return answers if isinstance(answers, dict) else {}


@dataclass(slots=True)
class _Slots:
    """The keys of all rows, one after the other: the key and the row of each."""

    keys: list[str]
    key_of: Any
    row_of: Any

    def by_key(self) -> list[Any]:
        """The slots of each key, in order."""
        order = np.argsort(self.key_of, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.key_of, minlength=len(self.keys)))[:-1]) if self.keys else []


def _slots(maps: Sequence[Mapping[str, Any]]) -> _Slots:
    """Rows that have the same keys in the same order share one entry, of which there are few."""
    numbers: dict[str, int] = {}
    shapes: dict[tuple[str, ...], int] = {}
    shape_of = np.fromiter((shapes.setdefault(tuple(answers), len(shapes)) for answers in maps), np.int64, len(maps))
    members = [[numbers.setdefault(key, len(numbers)) for key in shape] for shape in shapes]
    lengths = np.array([len(shape) for shape in members], np.int64)
    starts = np.cumsum(lengths) - lengths
    flat = np.array([number for shape in members for number in shape], np.min_scalar_type(len(numbers)))
    counts = lengths[shape_of]
    row_of = np.repeat(np.arange(len(maps)), counts)
    within = np.arange(len(row_of)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _Slots(list(numbers), flat[np.repeat(starts[shape_of], counts) + within], row_of)


@dataclass(slots=True)
class _Part:
    """Answers: the slot of each, its position, and what it is in words, as a number and as JSON.

    Where ``json`` is null, the answer is text, and its number and JSON are made for all such answers together.
    """

    ordinals: Any
    positions: Any
    texts: Any
    numbers: Any
    json: Any

    @classmethod
    def nothing(cls) -> _Part:
        """A part without answers, which gives columns their types."""
        kinds = (pa.int64(), _TEXT, pa.float64(), _TEXT)
        return cls(np.array([], np.int64), *(pa.array([], kind) for kind in kinds))


def _joined(parts: Sequence[_Part]) -> _Part:
    """All answers, in the order of their slots."""
    ordinals = np.concatenate([part.ordinals for part in parts])
    order = np.argsort(ordinals, kind="stable")
    ordered = pa.array(order)
    texts = pa.concat_arrays([part.texts for part in parts]).take(ordered)
    written = pa.concat_arrays([part.json for part in parts]).take(ordered)
    numbers = pa.concat_arrays([part.numbers for part in parts]).take(ordered)
    plain = pc.if_else(written.is_null(), texts, pa.scalar(None, _TEXT))
    return _Part(
        ordinals[order],
        pa.concat_arrays([part.positions for part in parts]).take(ordered),
        texts,
        pc.coalesce(numbers, _numbers(plain)),
        pc.coalesce(written, _quoted(plain)),
    )


def _is_odd(kind: Any) -> bool:
    """Whether answers of this type are written one by one; doubles because their spelling matters."""
    if pa.types.is_list(kind):
        return not pa.types.is_string(kind.value_type)
    return not (
        pa.types.is_string(kind) or pa.types.is_int64(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    )


def _each(raw_values: Sequence[msgspec.Raw], ordinals: Any) -> _Part:
    answers = [
        (ordinal, position, _forms(value))
        for ordinal, raw in zip(ordinals, raw_values, strict=True)
        for position, value in _positions(orjson.loads(bytes(raw)))
    ]
    return _Part(
        np.array([ordinal for ordinal, _, _ in answers], np.int64),
        pa.array([position for _, position, _ in answers], pa.int64()),
        pa.array([forms["value_text"] for *_, forms in answers], _TEXT),
        pa.array([forms["value_number"] for *_, forms in answers], pa.float64()),
        pa.array([forms["value_json"] for *_, forms in answers], _TEXT),
    )


def _list(values: Any, ordinals: Any) -> _Part:
    """Lists of text: a row for each item, one for an empty list, one for null."""
    lengths = np.asarray(pc.fill_null(pc.list_value_length(values), 1)).astype(np.int64)
    rows = np.repeat(np.arange(len(values)), np.maximum(lengths, 1))
    starts = np.cumsum(np.maximum(lengths, 1)) - np.maximum(lengths, 1)
    is_empty = lengths[rows] == 0
    has_item = ~(np.asarray(values.is_null()) | (lengths == 0))[rows]
    items = values.flatten()
    index = pa.array(np.where(has_item, np.cumsum(has_item) - 1, 0), mask=~has_item)
    part = _plain(items.take(index) if len(items) else pa.nulls(len(rows), _TEXT), ordinals[rows])
    part.positions = pa.array(np.arange(len(rows)) - starts[rows], mask=is_empty)
    part.texts = pc.if_else(pa.array(is_empty), "[]", part.texts)
    part.json = pc.if_else(pa.array(is_empty), "[]", part.json)
    return part


def _plain(values: Any, ordinals: Any) -> _Part:
    count = len(values)
    numbers = pa.nulls(count, pa.float64())
    if pa.types.is_string(values.type):
        texts, written = values, pc.if_else(values.is_null(), "null", pa.scalar(None, _TEXT))
    elif pa.types.is_integer(values.type):
        texts = values.cast(_TEXT)
        numbers, written = values.cast(pa.float64(), safe=False), pc.fill_null(texts, "null")
    elif pa.types.is_boolean(values.type):
        texts = pc.if_else(values, "true", "false")
        written = pc.fill_null(texts, "null")
    else:
        texts, written = pa.nulls(count, _TEXT), pa.repeat("null", count)
    return _Part(ordinals, pa.array(np.zeros(count, np.int64)), texts, numbers, written)


def _numbers(texts: Any) -> Any:
    """The numbers that *texts* spell, null for other texts."""
    candidates = _looks_numeric(texts)
    if not candidates.any():
        return pa.nulls(len(texts), pa.float64())
    chosen = pc.if_else(pa.array(candidates), texts, pa.scalar(None, _TEXT))
    chosen = pc.if_else(pc.match_substring_regex(chosen, _NUMBER), chosen, pa.scalar(None, _TEXT))
    encoded = chosen.dictionary_encode()
    return pa.array([_number(text) for text in encoded.dictionary.to_pylist()], pa.float64()).take(encoded.indices)


def _looks_numeric(texts: Any) -> Any:
    """Mask of the texts that start with a digit or a minus and end with a digit."""
    ends, letters = _letters(texts)
    lengths = np.diff(ends)
    has_letters = lengths > 0
    if not len(letters):
        return has_letters
    last = len(letters) - 1
    first_letters = letters[np.minimum(ends[:-1], last)]
    last_letters = letters[np.clip(ends[1:] - 1, 0, last)]
    return has_letters & (_is_digit(first_letters) | (first_letters == _MINUS)) & _is_digit(last_letters)


def _quoted(texts: Any) -> Any:
    """*texts* as JSON strings; null stays null."""
    quoted = pc.binary_join_element_wise('"', texts, '"', "")
    ends, letters = _letters(texts)
    special = np.flatnonzero(_SPECIAL[letters[ends[0] : ends[-1]]]) + ends[0]
    if not len(special):
        return quoted
    rows = np.unique(np.searchsorted(ends, special, side="right") - 1)
    mask = np.zeros(len(texts), dtype=bool)
    mask[rows] = True
    written = [orjson.dumps(text).decode() for text in texts.take(pa.array(rows)).to_pylist()]
    return pc.replace_with_mask(quoted, pa.array(mask), pa.array(written, _TEXT))


_MINUS = ord("-")
_SPECIAL = np.zeros(256, dtype=bool)
_SPECIAL[:32] = True
_SPECIAL[[ord('"'), ord("\\")]] = True
"""The bytes that stand escaped in a JSON string."""


def _is_digit(letters: Any) -> Any:
    return (letters >= ord("0")) & (letters <= ord("9"))


def _letters(texts: Any) -> tuple[Any, Any]:
    """Where each text ends, with the start of the first before, and all their bytes; no copy is made."""
    _, ends, letters = texts.buffers()
    offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return offsets, np.frombuffer(letters, np.uint8) if letters is not None else np.array([], np.uint8)
