"""Which column each key of an open map goes to, so that no two keys ever share one.

dlt names columns in snake_case: ``userName``, ``user_name`` and ``User Name`` become one column, and every key
without a Latin letter becomes ``x``; the last value wins and the others are lost. Here a key whose plain name is taken,
or whose letters the naming drops, gets a suffix made from the key itself; so does one that would take a name that dlt
or feedloom uses beside the keys (``_dlt_id``, the variant ``v_text``). The choice is kept in the source's state, so
that a key keeps its column for ever, and is written to the table ``feedloom_columns``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from hashlib import blake2b
from typing import Any

MORE_KEYS = "feedloom_more_keys"
"""Name of the JSON column, below each open map, that takes the keys past the cap; text in maps inside the map."""

ROW_HASH = "_feedloom_hash"
"""Name of the column that holds a row's fingerprint."""

DELETED_AT = "_feedloom_deleted_at"
"""Name of the column that holds when a row was noticed to be gone at the source; null while it is there."""

_SUFFIX_BYTES = 3
_ROW_IDS = ("_dlt_id", "_dlt_load_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx")
_VARIANTS = ("v_text", "v_bigint", "v_double", "v_bool")
_RESERVED = frozenset({MORE_KEYS, *_ROW_IDS, *_VARIANTS})
_NOTHING: Mapping[str, Sequence[str]] = {}


class KeyNames:
    """The columns of the open maps of one table.

    Args:
        state: Where the choices are kept between runs: path of the map -> key -> ``[column, kind]``. Changed in place.
        normalize: The destination's naming, for one identifier.
        cap: How many keys of the table's open maps become columns; further ones have no column.
        declared: The kinds that the vendor declares, by path and key; others are known by their first value.
        items: Where the kinds of the items of lists are kept between runs, by path. Changed in place.

    Attributes:
        refused: Keys past the cap that came, as ``(path, key)``.
        renamed: Keys that were given a suffix in this run, as ``(path, key)``.
    """

    def __init__(
        self,
        state: MutableMapping[str, Any],
        normalize: Callable[[str], str],
        *,
        cap: int,
        declared: Mapping[tuple[str, str], str] | None = None,
        items: MutableMapping[str, str] | None = None,
    ) -> None:
        self._state = state
        self._normalize = normalize
        self._cap = cap
        self._declared = declared or {}
        self._items = {} if items is None else items
        self._count = sum(len(keys) for keys in state.values())
        self._taken = {path: {*_RESERVED, *(entry[0] for entry in keys.values())} for path, keys in state.items()}
        self.refused: set[tuple[str, str]] = set()
        self.renamed: set[tuple[str, str]] = set()

    @property
    def count(self) -> int:
        """How many keys have a column."""
        return self._count

    def entries(self) -> Iterator[tuple[str, str, str]]:
        """Every key that has a column, as (path of its map, key, column)."""
        for path, keys in self._state.items():
            for key, entry in keys.items():
                yield path, key, str(entry[0])

    def known(self, path: str) -> Mapping[str, Sequence[str]]:
        """The keys of the map at *path* that have a column: key -> column and, once a value came, its kind."""
        return self._state.get(path) or _NOTHING

    def column(self, path: str, key: str) -> str | None:
        """The column of *key* in the map at *path*, chosen now if it is new; None once the cap is reached."""
        keys = self._state.get(path)
        if keys is not None and (entry := keys.get(key)) is not None:
            return str(entry[0])
        if self._count >= self._cap:
            self.refused.add((path, key))
            return None
        return self._choose(path, key)

    def kind(self, path: str, key: str, kind: str) -> str:
        """The kind of value that the column of *key* holds: as declared, or that of its first value, now *kind*."""
        entry = self._state[path][key]
        if len(entry) == 1:
            entry.append(self._declared.get((path, key), kind))
        return str(entry[1])

    def item_kind(self, path: str, kind: str) -> str:
        """The kind of the plain items of the lists at *path*: that of the first one, now *kind*."""
        return self._items.setdefault(path, kind)

    def _choose(self, path: str, key: str) -> str:
        taken = self._taken.setdefault(path, set(_RESERVED))
        plain = self._normalize(key) if key.strip() else "x"
        column = plain
        digits = _SUFFIX_BYTES
        while column in taken or (column == plain and _loses_letters(key)):
            suffix = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=digits).hexdigest()
            column = f"{plain.rstrip('_')}_{suffix}"
            digits += 1
        if column != plain:
            self.renamed.add((path, key))
        taken.add(column)
        self._state.setdefault(path, {})[key] = [column]
        self._count += 1
        return column


def _loses_letters(key: str) -> bool:
    return not key.isascii() or not any(character.isalnum() for character in key)
