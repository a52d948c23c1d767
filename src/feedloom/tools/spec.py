"""A tool as every surface sees it: what it is called, takes, gives and does, and how it is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from feedloom.catalogue import Argument
from feedloom.tools.arguments import input_schema
from feedloom.tools.selecting import MAX_CHARS
from feedloom.tools.verification import Verification

if TYPE_CHECKING:
    from feedloom.tools.workspace import Workspace

Effect: TypeAlias = Literal["read", "local", "load", "write"]
"""``read`` asks a vendor, ``local`` reads what is here, ``load`` reads a vendor into the database here, ``write``
changes something at a vendor."""

LONGEST_DESCRIPTION: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one call may use: characters of its result, seconds in all."""

    max_chars: int = MAX_CHARS
    deadline_s: float = 60.0


@dataclass(slots=True, kw_only=True)
class Result:
    """What a handler gives.

    Attributes:
        body: The answer, JSON types and moments.
        items: The key of ``body`` that holds a list to be cut at whole items; empty for none.
        cursor_after: The cursor with which to go on after that many of the items, None at the end.
        cut_hint: Which argument to change when the list was cut.
        shown: Paths of items to show; empty for all.
        strangers: Paths of text that a stranger may have written.
        is_masked: Personal values were taken out already.
        verification: How sure it is.
    """

    body: dict[str, Any]
    items: str = ""
    cursor_after: Callable[[int], str | None] | None = None
    cut_hint: str = "ask for fewer fields, or go on with the cursor"
    shown: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    is_masked: bool = False
    verification: Verification = field(default_factory=Verification)


Handler: TypeAlias = "Callable[[Workspace, Mapping[str, Any], Verification], Awaitable[Result]]"
"""Runs a tool on checked arguments; notes in the verification as it goes, so that a failure too can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """One tool.

    Attributes:
        name: Unique.
        toolset: The set it is switched on with.
        effect: What a call does.
        title: For people.
        description: For callers, at most 400 characters.
        arguments: What it takes.
        exactly_one: Arguments of which one has to be given, and no second.
        output: JSON Schema of its result.
        handler: Runs it.
        budget: What a call may use.
        style: How results are enveloped: see ``catalogue.Tool``.
        is_destructive: It may overwrite or remove what is there.
    """

    name: str
    toolset: str
    effect: Effect
    title: str
    description: str
    arguments: tuple[Argument, ...]
    output: Mapping[str, Any]
    handler: Handler
    exactly_one: tuple[str, ...] = ()
    budget: Budget = Budget()
    style: Literal["own", "published", "published_flat"] = "own"
    is_destructive: bool = False

    @property
    def input(self) -> dict[str, Any]:
        """JSON Schema of what it takes."""
        return input_schema(self.arguments)

    @property
    def annotations(self) -> dict[str, bool]:
        """The hints of the Model Context Protocol about what a call does."""
        return {
            "readOnlyHint": self.effect in ("read", "local"),
            "destructiveHint": self.is_destructive,
            "idempotentHint": self.effect != "write",
            "openWorldHint": self.effect != "local",
        }

    def as_dict(self) -> dict[str, Any]:
        """All of it but the handler."""
        return {
            "name": self.name,
            "toolset": self.toolset,
            "effect": self.effect,
            "title": self.title,
            "description": self.description,
            "input": self.input,
            "output": dict(self.output),
            "annotations": self.annotations,
        }
