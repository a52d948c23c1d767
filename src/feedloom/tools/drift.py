"""Compares rows with the vendor's description of them, and puts right what has only one meaning.

Added, missing and re-typed fields are noted, never hidden. A value of another type is read as the described one where
nothing is lost (``"9"`` as 9); all else stays as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from feedloom.catalogue import Endpoint, Field, Known
from feedloom.tools.verification import Verification

MOST_NOTES: Final = 20
"""A row that differs everywhere needs no longer list to be recognised."""

_NOT_THIS: Final = object()
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "map": (dict,),
    "list": (list,),
}


@dataclass(slots=True)
class _Node:
    """One described field, and those inside it; the root has no field."""

    described: Field | None = None
    inside: dict[str, _Node] = field(default_factory=dict)


def check_rows(endpoint: Endpoint, rows: Iterable[Any], *, optional: Collection[str], into: Verification) -> None:
    """Compare *rows* with the fields of *endpoint*, put right in place what can be, and note all of it.

    A field is missing when no row has it, though it is described as always there; *optional* ones never are.
    """
    if not endpoint.fields:
        return
    notes = _Notes(optional=optional)
    root = _tree(endpoint.fields)
    listed = list(rows)
    for row in listed:
        notes.check_object(row, root, "")
    notes.close(root, "")
    into.drift += notes.as_list()
    into.checks.append("fields" if not notes.unhealed else f"fields: {notes.unhealed} differ from the description")
    if notes.unhealed:
        into.status = "unverified"
    if notes.healed:
        into.heal("types")


@dataclass(slots=True, kw_only=True)
class _Notes:
    """What differs, by path and kind."""

    optional: Collection[str]
    found: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)
    healed: int = 0

    @property
    def unhealed(self) -> int:
        """How many differences put the answer in doubt: added fields do not."""
        return sum(note["kind"] in ("missing", "type") and not note.get("healed") for note in self.found.values())

    def check_object(self, value: Mapping[str, Any], node: _Node, path: str) -> None:
        self.seen[path] = self.seen.get(path, 0) + 1
        for name in value:
            if name not in node.inside:
                self._note(f"{path}{name}", "added", seen=_kind(value[name]))
        for name, inner in node.inside.items():
            if name in value:
                place = f"{path}{name}"
                self.present[place] = self.present.get(place, 0) + 1
                value[name] = self._checked(value[name], inner, place)  # type: ignore[index]  # parsed JSON is a dict

    def close(self, node: _Node, path: str) -> None:
        """Note the fields that no object had."""
        for name, inner in node.inside.items():
            place = f"{path}{name}"
            if inner.described is not None and self._is_missed(inner.described, place, self.seen.get(path, 0)):
                self._note(place, "missing", expected=inner.described.type, times=self.seen[path])
            step = "[]." if inner.described is not None and inner.described.type == "list" else "."
            self.close(inner, f"{place}{step}")

    def _is_missed(self, described: Field, place: str, objects: int) -> bool:
        is_always_there = not described.nullable and described.known is not Known.ASSUMED
        is_optional = any(place == path or place.startswith(f"{path}.") for path in self.optional)
        return objects > 0 and place not in self.present and is_always_there and not is_optional

    def _checked(self, value: Any, node: _Node, place: str) -> Any:
        described = node.described
        if value is None or described is None:
            return value
        fitting = _fitted(described, value)
        if fitting is _NOT_THIS:
            self._note(place, "type", expected=described.type, seen=_kind(value))
            return value
        if fitting is not value and not (described.type == "map" and value == []):
            self._note(place, "type", expected=described.type, seen=_kind(value), healed=True)
            self.healed += 1
        if node.inside and isinstance(fitting, dict) and described.type != "map":
            self.check_object(fitting, node, f"{place}.")
        if node.inside and isinstance(fitting, list):
            for item in fitting:
                if isinstance(item, dict):
                    self.check_object(item, node, f"{place}[].")
        return fitting

    def _note(self, path: str, kind: str, *, times: int = 1, **facts: Any) -> None:
        note = self.found.setdefault((path, kind), {"path": path, "kind": kind, **facts, "count": 0})
        note["count"] += times

    def as_list(self) -> list[dict[str, Any]]:
        """The notes by path, the first of very many."""
        return [self.found[key] for key in sorted(self.found)][:MOST_NOTES]


@lru_cache(maxsize=128)
def _tree(fields: tuple[Field, ...]) -> _Node:
    root = _Node()
    for one in fields:
        node = root
        *parents, name = one.name.replace("[]", "").split(".")
        for parent in parents:
            node = node.inside.setdefault(parent, _Node())
        node.inside.setdefault(name, _Node()).described = one
    return root


def _fitted(described: Field, value: Any) -> Any:
    """*value*, or what it stands for where it has another type with one meaning; ``_NOT_THIS`` when it has none."""
    kind = described.type
    if kind == "timestamp":
        kind = "integer" if described.time == "epoch_ms" else "text"
    if kind == "any" or (isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))):
        return value
    match kind:
        case "text":
            return _read(str, value, (int, float, bool))
        case "integer" | "number":
            return _read(int if kind == "integer" else float, value, (str,))
        case "boolean":
            return _boolean(value)
        case "map" if value == []:
            return {}
    return _NOT_THIS


def _read(into: Callable[[Any], Any], value: Any, kinds: tuple[type, ...]) -> Any:
    if not isinstance(value, kinds):
        return _NOT_THIS
    try:
        return into(value)
    except ValueError:
        return _NOT_THIS


def _boolean(value: Any) -> Any:
    words = {"true": True, "false": False, "1": True, "0": False}
    return words.get(str(value).lower(), _NOT_THIS) if isinstance(value, str | int) else _NOT_THIS


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "null")
