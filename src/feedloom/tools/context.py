"""The tools that tell where one stands: what is set up, what is loaded, and whether the keys work."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from feedloom import __version__
from feedloom.catalogue import Argument, Vendor
from feedloom.config import find_setting
from feedloom.errors import CredentialError, DestinationError
from feedloom.tools.failures import ToolError, explained
from feedloom.tools.outputs import output
from feedloom.tools.privacy import shows_personal
from feedloom.tools.spec import Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS

SOURCE = Argument(name="source", required=True, enum=tuple(VENDORS))

_PLACEHOLDER: Final = re.compile(r"your[_-]|<.*>|\.\.\.|x{6,}|change.?me|placeholder|example", re.IGNORECASE)
_OBJECT: Final = {"type": "object"}
_TEXT: Final = {"type": "string"}


def context_tools() -> Iterator[ToolSpec]:
    """The tools of the toolset ``context``."""
    yield ToolSpec(
        name="workspace_status",
        toolset="context",
        effect="local",
        title="Workspace status",
        description="Begin here: which sources have a key, what the database holds and how fresh it is, and whether "
        "personal values are shown.",
        arguments=(),
        output=output(
            {
                "version": _TEXT,
                "personal": _TEXT,
                "sources": {"type": "array", "items": _OBJECT},
                "database": _OBJECT,
            }
        ),
        handler=_status,
    )
    yield ToolSpec(
        name="credentials_check",
        toolset="context",
        effect="read",
        title="Key check",
        description="State of a source's key: ok, found, missing, placeholder or refused; where it stands, and a "
        "fingerprint that changes when it does, never the key. live=true asks the vendor. To set a key, ask a person.",
        arguments=(SOURCE, Argument(name="live", type="boolean", default=False)),
        output=output({"source": _TEXT, "state": _TEXT, "origin": _TEXT, "fingerprint": _TEXT}, required=("state",)),
        handler=_check,
    )


async def _status(workspace: Workspace, _given: Mapping[str, Any], verification: Verification) -> Result:
    body = {
        "version": __version__,
        "personal": "shown" if shows_personal() else "masked",
        "sources": [{"source": slug, **_key_state(vendor)} for slug, vendor in VENDORS.items()],
        "database": await asyncio.to_thread(_database, workspace.to),
    }
    return Result(body=body, is_masked=True, verification=verification)


async def _check(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    vendor = VENDORS[given["source"]]
    body = {"source": vendor.slug, **_key_state(vendor)}
    if given["live"] and body["state"] == "found":
        try:
            await workspace.calls.check_key(vendor)
            body["state"] = "ok"
            verification.checks.append("the vendor accepts the key")
        except CredentialError as error:
            body |= {"state": "refused", "reason": explained(error, vendor).happened}
        body |= {name: value for name, value in _key_state(vendor).items() if name != "state"}
    return Result(body=body, is_masked=True, verification=verification)


def _key_state(vendor: Vendor) -> dict[str, str]:
    """What can be said of the key of *vendor* without asking: nothing that helps to guess it."""
    found = find_setting(vendor.source_name, "api_key")
    if found is None:
        return {"state": "missing", "next_step": f"a person runs `feedloom init`; the key is in {vendor.key_page}"}
    state = "placeholder" if _PLACEHOLDER.search(str(found.value)) else "found"
    return {"state": state, "origin": found.origin, "fingerprint": fingerprint(vendor, str(found.value))}


def fingerprint(vendor: Vendor, key: str) -> str:
    """Eight characters that change with the key; too few to check a guess of it against."""
    return blake2b(key.encode(), key=f"feedloom {vendor.slug}".encode(), digest_size=4).hexdigest()


def _database(to: str | None) -> dict[str, Any]:
    from feedloom.sync.status import table_states  # noqa: PLC0415 - dlt and duckdb are imported on use
    from feedloom.sync.warehouse import choose_target, is_demo  # noqa: PLC0415 - the same
    from feedloom.tools.database import ALONE, name_of, open_place  # noqa: PLC0415 - the same

    target = choose_target(next(iter(VENDORS.values())), to, None)
    try:
        here = name_of(open_place(to))
        with ALONE:
            tables = table_states(here)
    except DestinationError as error:
        return {"to": target.to, "state": f"{error.message}; {error.hint}"}
    except ToolError as error:
        return {"to": target.to, "state": error.happened}
    return {
        "to": target.to,
        "state": "demo data" if is_demo(target) else "ready",
        "tables": [
            {"table": f"{row['dataset']}.{row['table']}", "rows": row["rows"], "loaded_at": row["loaded_at"]}
            for row in tables
        ],
    }
