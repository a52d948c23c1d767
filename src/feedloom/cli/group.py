"""Groups of commands, names from a list, and what to say when somebody gets one almost right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import click

from feedloom.errors import InputError


class Commands(click.Group):
    """A group that suggests a command for a name that is almost one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; raises InputError when there is none."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            raise InputError(f"{ctx.command_path} has no command {name!r}", hint=suggest(name, known), code="FL202")
        return super().resolve_command(ctx, args)


class Named(click.Choice[str]):
    """One of *names*; *what* they are called in the message for another."""

    def __init__(self, what: str, names: Sequence[str]) -> None:
        super().__init__(names)
        self._what = what
        self._names = list(names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """*value* if it is one of the names; raises InputError."""
        if value not in self._names:
            raise InputError(f"there is no {self._what} {value!r}", hint=suggest(value, self._names), code="FL202")
        return super().convert(value, param, ctx)


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of *known*, or all of them."""
    names = list(known)
    nearest = get_close_matches(name, names, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"choose from {', '.join(names)}"
