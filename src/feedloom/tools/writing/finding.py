"""Finds the contact or the response that a change is about at Refiner: exactly one, or an error that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from feedloom.catalogue import Vendor
from feedloom.errors import RefusedError, VendorError
from feedloom.tools.calls import Calls
from feedloom.tools.failures import ToolError
from feedloom.vendors import VENDORS

REFINER: Final[Vendor] = VENDORS["refiner"]
MOST_RESPONSES: Final = 1_000
_MOST_NAMESAKES: Final = 200
_NOT_FOUND: Final = 404


async def find_contact(calls: Calls, by: Mapping[str, Any]) -> dict[str, Any] | None:
    """The contact that *by* names with one of ``id``, ``email`` and ``uuid``; None when Refiner knows none.

    Raises ToolError when several share the email. Source: refiner-notes, Contacts ("Several contacts may share an
    email").
    """
    if email := by.get("email"):
        await _refuse_shared(calls, str(email))
    try:
        answer = await calls.call(REFINER, REFINER.endpoint("get_contact"), dict(by))
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise
    contact = answer.content
    if not isinstance(contact, dict) or not isinstance(contact.get("uuid"), str):
        raise VendorError("get_contact sent no contact", hint="Run it again later.", where="get_contact")
    return contact


async def need_contact(calls: Calls, by: Mapping[str, Any]) -> dict[str, Any]:
    """The same; raises ToolError when there is none, since a write would make one."""
    contact = await find_contact(calls, by)
    if contact is None:
        raise unknown_contact(by)
    return contact


def unknown_contact(by: Mapping[str, Any]) -> ToolError:
    """The error for a contact that Refiner does not know."""
    return ToolError(
        "NOT_FOUND",
        f"Refiner knows no contact with that {next(iter(by))}",
        next_step="check it with refiner_list_contacts; writing to an unknown one would create it",
    )


def pinned(contact: Mapping[str, Any]) -> dict[str, Any]:
    """The one identifier that says most surely who *contact* is, of those that writes take."""
    if contact.get("remote_id"):
        return {"id": contact["remote_id"]}
    return {"email": contact["email"]} if contact.get("email") else {"uuid": contact["uuid"]}


def identity(contact: Mapping[str, Any]) -> dict[str, Any]:
    """Who *contact* is, as a state holds it."""
    return {"exists": True} | {name: contact.get(name) for name in ("uuid", "remote_id", "email")}


async def responses_of(calls: Calls, contact: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """Every response and view of *contact*, at most ``MOST_RESPONSES``, and whether that is all of them.

    They are searched by id or email where there is one, which every source says can be searched. Source: refiner-notes,
    Lists; refiner.openapi.yaml, search.
    """
    (search,) = pinned(contact).values()
    pages, is_whole = await calls.rows(
        REFINER,
        REFINER.endpoint("list_responses"),
        {"search": search, "include": "all"},
        count=MOST_RESPONSES,
        page_size=MOST_RESPONSES,
    )
    rows = [row for page in pages for row in page.rows if (row.get("contact") or {}).get("uuid") == contact["uuid"]]
    return rows, is_whole


async def find_response(calls: Calls, *, uuid: str, contact_uuid: str | None) -> dict[str, Any]:
    """The response *uuid*, looked for among those of its contact, else by its own uuid, which one source shows.

    No call gives one response. Source: refiner-notes, Responses; Composio toolkit types, REFINER_GET_RESPONSES
    (``search`` takes a response uuid).
    """
    if contact_uuid is not None:
        rows, _ = await responses_of(calls, await need_contact(calls, {"uuid": contact_uuid}))
    else:
        pages, _ = await calls.rows(
            REFINER,
            REFINER.endpoint("list_responses"),
            {"search": uuid, "include": "all"},
            count=MOST_RESPONSES,
            page_size=MOST_RESPONSES,
        )
        rows = [row for page in pages for row in page.rows]
    for row in rows:
        if row.get("uuid") == uuid:
            return row
    raise ToolError(
        "NOT_FOUND",
        "no such response was found",
        next_step="give contact_uuid too: refiner_list_responses shows it as contact.uuid",
    )


async def _refuse_shared(calls: Calls, email: str) -> None:
    pages, _ = await calls.rows(
        REFINER,
        REFINER.endpoint("list_contacts"),
        {"search": email},
        count=_MOST_NAMESAKES,
        page_size=_MOST_NAMESAKES,
    )
    sharing = sum(str(row.get("email") or "").casefold() == email.casefold() for page in pages for row in page.rows)
    if sharing > 1:
        raise ToolError(
            "AMBIGUOUS",
            f"{sharing} contacts share that email",
            next_step="give the id of the one that is meant; refiner_list_contacts with search shows them",
        )
