"""Nested values of a body, held against the description of the record they are meant for.

Only their outermost keys are parameters, which the engine checks; what lies below is checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from feedloom.catalogue import Field
from feedloom.vendors.aptrinsic.emulator.refusal import invalid

_MOST = 2**63
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and -_MOST <= value < _MOST,
    "timestamp": lambda value: isinstance(value, int) and not isinstance(value, bool) and -_MOST <= value < _MOST,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
}


class Shapes:
    """The fields of a record, by their names with dots."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._types = {field.name.replace("[]", ""): field.type for field in fields}

    def check(self, *, name: str, value: Any) -> None:
        """Refuse *value* when anything in it is not as the field *name* has it."""
        if isinstance(value, list) and self._types.get(name) == "list":
            for item in value:
                self._check_parts(name=name, value=item)
        elif isinstance(value, dict):
            self._check_parts(name=name, value=value)
        else:
            fits = _FITS.get(self._types.get(name, ""))
            if fits is None or not fits(value):
                raise invalid(field=name, rejected=value, message="has the wrong type")

    def _check_parts(self, *, name: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise invalid(field=name, rejected=value, message="must be an object")
        for key, part in value.items():
            if f"{name}.{key}" not in self._types:
                raise invalid(field=f"{name}.{key}", rejected=part, message="is not known")
            self.check(name=f"{name}.{key}", value=part)
