"""What an action is: how it looks at the state, drafts a change of it, and drafts the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from feedloom.tools.calls import Calls
from feedloom.tools.failures import NEVER, ToolError
from feedloom.tools.writing.plans import Plan
from feedloom.tools.writing.values import differences

State: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change before it has a name: see ``Plan`` for the words."""

    target: dict[str, Any]
    endpoint: str
    params: dict[str, Any]
    before: State
    after: State
    touches: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One kind of change.

    Attributes:
        vendor: Slug of the vendor.
        prepare: Drafts the change that checked arguments ask for; raises ToolError where they cannot be carried out.
        look: Reads the state of a target.
        reverse: Drafts the way back from a change and the state it left, as it is still; raises ToolError where there
            is none.
        is_readable: Whether the state shows the change.
        unread: Keys of the state that a vendor may hide; a change is then only acknowledged.
    """

    vendor: str
    prepare: Callable[[Calls, Mapping[str, Any]], Awaitable[Draft]]
    look: Callable[[Calls, Mapping[str, Any]], Awaitable[State]]
    reverse: Callable[[Plan, State], Draft]
    is_readable: bool = True
    unread: tuple[str, ...] = ()

    def shows(self, seen: State) -> bool:
        """Whether the state *seen* can tell if the change is there."""
        return self.is_readable and all(seen.get(name) is not None for name in self.unread)


def no_way_back(why: str, next_step: str) -> ToolError:
    """The error for a change that cannot be undone."""
    return ToolError("NO_UNDO", why, next_step=next_step, retry=NEVER)


def refuse_no_change(draft: Draft) -> Draft:
    """*draft*; raises ToolError when all is already as it would be left."""
    if not any(differences(draft.after, draft.before)):
        raise ToolError("NO_CHANGE", "everything is already as asked", next_step="there is nothing to do", retry=NEVER)
    return draft
