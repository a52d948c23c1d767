"""Plans: one exact request each, with what it meets and what it leaves, kept until it is applied or has expired.

A plan is a folder ``.feedloom/changes/<id>`` of files (mode 0600): ``plan.json``, then ``approval.json``, then
``outcome.json``. Each carries a mark that only the user's key makes, so that one written or altered by anybody else is
refused. A plan that was applied is called a change, by the same id.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
import orjson

from feedloom.catalogue import Endpoint
from feedloom.config import WORK_FOLDER
from feedloom.http.encode import encode
from feedloom.tools.failures import NEVER, ToolError, refused_input
from feedloom.tools.vault import corner, is_marked, mark
from feedloom.vendors import VENDORS

LIFETIME: Final = timedelta(minutes=30)
"""How long a plan may wait for its approval and be applied."""

KEPT: Final = timedelta(days=90)
"""How long what became of a plan is kept, and can be undone."""

State: TypeAlias = Literal["applied", "failed", "unknown", "rejected", "void"]
"""``failed``: the vendor refused it; ``unknown``: it may have been carried out; ``void``: what it was made for changed;
``rejected``: a person said no."""

_UNUSED: Final = timedelta(days=1)
_ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"
_ID_CHARS: Final = 8
_FOLDER: Final = "changes"
_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One change as it would be made.

    Attributes:
        id: Eight characters that a person can type.
        tool: The tool that was called.
        arguments: What it was called with.
        vendor: Slug of the vendor.
        action: What is done: see ``catalogue.WriteTool``.
        target: What the action looks at, to see the state.
        endpoint: Name of the endpoint.
        params: Exactly what is sent to it.
        before: The state as it was read.
        after: The part of the state that the change is to leave.
        touches: Who and how many are touched, in sentences.
        undoes: The change that it takes back; empty for none.
        made_at, expires_at: UTC.
    """

    id: str
    tool: str
    arguments: dict[str, Any]
    vendor: str
    action: str
    target: dict[str, Any]
    endpoint: str
    params: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    touches: list[str]
    undoes: str = ""
    made_at: datetime
    expires_at: datetime

    @property
    def content(self) -> dict[str, Any]:
        """All of it in JSON types: what an approval is for."""
        found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))
        return found

    @property
    def called(self) -> Endpoint:
        """The endpoint."""
        return VENDORS[self.vendor].endpoint(self.endpoint)

    @property
    def request(self) -> dict[str, Any]:
        """The request as it will leave, without the key; raises InputError when the parameters cannot be sent."""
        call = encode(self.called, self.params)
        path = f"{call.path}?{call.query}" if call.query else call.path
        return {"method": self.called.method, "path": path} | (
            {"body": orjson.loads(call.body)} if call.body is not None else {}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a plan.

    Attributes:
        state: How it ended.
        channel: How it was approved: ``dialog``, ``terminal``, ``policy``; empty when it was not.
        seen: The state as it was read afterwards; None where it was not read.
        verification: What is known of it.
        at: When, UTC.
    """

    state: State
    at: datetime
    channel: str = ""
    seen: dict[str, Any] | None = None
    verification: dict[str, Any] = field(default_factory=dict)


def new_id() -> str:
    """An id for a plan."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARS))


def save_plan(plan: Plan) -> None:
    """Keep *plan*, and forget what is too old to be of use."""
    _forget(datetime.now(UTC))
    place(plan.id).mkdir(parents=True, mode=0o700)
    write_marked(place(plan.id) / "plan.json", "plan", plan.content)


def load_plan(name: str) -> Plan:
    """The plan called *name*; raises ToolError when there is none, or another hand wrote it."""
    if len(name) != _ID_CHARS or set(name) - set(_ALPHABET) or not place(name).is_dir():
        raise refused_input(f"there is no plan {name[:20]!r} here", "make one with a tool that writes, and use its id")
    content = read_marked(place(name) / "plan.json", "plan")
    if content is None:
        raise ToolError(
            "FORGED", f"the plan {name} was not made here, or was altered", next_step="make it anew", retry=NEVER
        )
    return msgspec.convert(content, Plan)


def save_outcome(plan: Plan, outcome: Outcome) -> None:
    """Keep what became of *plan*."""
    content = orjson.loads(orjson.dumps(asdict(outcome)))
    write_marked(place(plan.id) / "outcome.json", f"outcome {plan.id}", content)


def load_outcome(plan: Plan) -> Outcome | None:
    """What became of *plan*; None while nothing did."""
    content = read_marked(place(plan.id) / "outcome.json", f"outcome {plan.id}")
    return None if content is None else msgspec.convert(content, Outcome)


def all_plans() -> Iterator[Plan]:
    """Every plan here that can be read, oldest first."""
    found = []
    for folder in _root().glob("*"):
        try:
            found.append(load_plan(folder.name))
        except ToolError:
            continue
    return iter(sorted(found, key=lambda plan: plan.made_at))


def place(name: str) -> Path:
    """The folder of the plan called *name*."""
    return _root() / name


def write_marked(file: Path, kind: str, content: Mapping[str, Any]) -> None:
    """Write *content* with its mark, good in this folder, for the owner's eyes only, whole or not at all."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(orjson.dumps({"mark": mark(_here(kind), content), "content": content}, option=orjson.OPT_INDENT_2))
    draft.replace(file)


def read_marked(file: Path, kind: str) -> dict[str, Any] | None:
    """What *file* holds, when the mark on it is right."""
    try:
        found = orjson.loads(file.read_bytes())
        content: dict[str, Any] = found["content"]
        return content if is_marked(_here(kind), content, found["mark"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _here(kind: str) -> str:
    """*kind* in this folder: what was planned in one is worth nothing in another, which may have another key."""
    return f"{kind} in {corner(Path(WORK_FOLDER).parent).name}"


def _root() -> Path:
    return Path(WORK_FOLDER) / _FOLDER


def _forget(now: datetime) -> None:
    """Remove plans that became nothing in a day, and all that is older than ``KEPT``."""
    for folder in _root().glob("*"):
        age = now - datetime.fromtimestamp(folder.stat().st_mtime, UTC)
        if age > KEPT or (age > _UNUSED and not (folder / "outcome.json").exists()):
            shutil.rmtree(folder, ignore_errors=True)
