"""Quirks: the ways a vendor may behave where sources disagree, each switched by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from feedloom.catalogue import Limit
from feedloom.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """One switch.

    Attributes:
        name: Unique in the vendor.
        summary: One sentence.
        default: Its value when nobody sets it.
        choices: The values it takes; empty for a whole number.
        maximum: Largest number it takes; None for no bound. The smallest is 0.
    """

    name: str
    summary: str
    default: str
    choices: tuple[str, ...] = ()
    maximum: int | None = None

    @property
    def values(self) -> str:
        """The values it takes, in words."""
        if self.choices:
            return " or ".join(self.choices)
        return "a whole number" if self.maximum is None else f"a whole number from 0 to {self.maximum}"

    def takes(self, value: str) -> bool:
        """Whether *value* is one of its values."""
        if self.choices:
            return value in self.choices
        return value.isascii() and value.isdigit() and (self.maximum is None or int(value) <= self.maximum)


LENIENT = Quirk(
    name="lenient",
    summary="Ignore unknown parameters and wrong values, as the vendor may, in place of refusing them.",
    default="0",
    choices=("0", "1"),
)


def limit_quirk(limit: Limit) -> Quirk:
    """The switch that moves one limit; 0 takes it away."""
    return Quirk(
        name=f"limit_{limit.name}",
        summary=f"Requests allowed per {limit.per} in {limit.seconds} seconds; 0 for no limit.",
        default=str(limit.requests),
    )


class Quirks(Mapping[str, str]):
    """The value of every quirk of one emulator, by name."""

    def __init__(self, *, known: Iterable[Quirk], chosen: Mapping[str, str]) -> None:
        """Raises InputError for a name or a value that does not exist."""
        by_name = {quirk.name: quirk for quirk in known}
        for name, value in chosen.items():
            if name not in by_name:
                raise InputError(f"There is no quirk called {name!r}.", hint=f"Choose from: {', '.join(by_name)}.")
            if not by_name[name].takes(value):
                raise InputError(
                    f"The quirk {name!r} does not take {value!r}.", hint=f"It takes {by_name[name].values}."
                )
        self._values = {name: chosen.get(name, quirk.default) for name, quirk in by_name.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def number(self, name: str) -> int:
        """The value of a quirk that is a number, or is 0 or 1."""
        return int(self._values[name])
