"""The actions on a contact of Refiner: update, delete, track an event, put into a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from feedloom.catalogue import Scalar
from feedloom.tools.calls import Calls
from feedloom.tools.failures import ToolError, refused_input
from feedloom.tools.writing.action import Action, Draft, State, no_way_back, refuse_no_change
from feedloom.tools.writing.finding import (
    REFINER,
    find_contact,
    identity,
    need_contact,
    pinned,
    responses_of,
    unknown_contact,
)
from feedloom.tools.writing.plans import Plan
from feedloom.tools.writing.values import check_traits

ABSENT: State = {"exists": False}
_NAME: Final = "name"


def _named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The one identifier that a caller gave."""
    return {name: arguments[name] for name in ("id", "email", "uuid") if name in arguments}


def _who(contact: Mapping[str, Any]) -> str:
    known = f"id {contact['remote_id']}" if contact.get("remote_id") else "no id of its own"
    return f"one contact: {contact['uuid']} ({known})"


# Update


async def _prepare_update(calls: Calls, arguments: Mapping[str, Any]) -> Draft:
    traits, account = arguments.get("attributes") or {}, arguments.get("account") or {}
    if not traits and not account:
        raise refused_input("there is nothing to set", "give attributes, account or both")
    check_traits(traits, argument="attributes")
    if account:
        _check_account(account)
    by = _named(arguments)
    contact = await find_contact(calls, by)
    if contact is None and not arguments.get("create_if_missing"):
        raise unknown_contact(by)
    by = by if contact is None else pinned(contact)
    target = {"by": by, "traits": sorted(traits), "account": sorted(account)}
    touches = ["one new contact"] if contact is None else [_who(contact)]
    if account:
        touches.append(f"the account {account['id']}: all its contacts show its name and traits")
    after: State = {"exists": True} | _as_shown(traits)
    if account:
        after["account"] = dict(account)
    return refuse_no_change(
        Draft(
            target=target,
            endpoint="identify_user",
            params={**by, **traits, **({"account": dict(account)} if account else {})},
            before=_updated_state(contact, target),
            after=after,
            touches=touches,
        )
    )


async def _look_at_update(calls: Calls, target: Mapping[str, Any]) -> State:
    return _updated_state(await find_contact(calls, target["by"]), target)


def _updated_state(contact: Mapping[str, Any] | None, target: Mapping[str, Any]) -> State:
    """What an update of *target* may change of *contact*; a trait that it does not have is null."""
    if contact is None:
        return dict(ABSENT)
    state: State = identity(contact)
    traits = _map(contact.get("attributes")) | {_NAME: contact.get("display_name")}
    state |= _as_shown({name: traits.get(name) for name in target["traits"]})
    if target["account"]:
        account = contact.get("account") or {}
        own = {"id": account.get("remote_id"), "name": account.get("display_name")}
        values = _map(account.get("attributes")) | own
        state["account"] = {name: values.get(name) for name in target["account"]}
    return state


def _as_shown(traits: Mapping[str, Any]) -> State:
    """*traits* as a state holds them: one of them is the name by which Refiner shows the contact.

    Source: refiner.openapi.yaml, identifyUser.
    """
    shown: State = {"display_name": traits[_NAME]} if _NAME in traits else {}
    own = {name: value for name, value in traits.items() if name != _NAME}
    return shown | ({"attributes": own} if own else {})


def _reverse_update(plan: Plan, seen: State) -> Draft:
    """Sets back what was set; what was not there is set to null, of which reading back tells what Refiner makes."""
    if not plan.before["exists"]:
        raise no_way_back("the change created the contact", "delete it with refiner_delete_contact")
    account: dict[str, Any] = plan.before.get("account", {})
    if account and account["id"] is None:
        raise no_way_back("the contact had no account, and no call takes one away", "do it at Refiner")
    if account and len(account) > 1 and account["id"] != seen["account"]["id"]:
        raise no_way_back(
            "the account's traits before it had this contact were not known", "set them with refiner_update_contact"
        )
    traits: dict[str, Any] = dict(plan.before.get("attributes", {}))
    if "display_name" in plan.before:
        traits[_NAME] = plan.before["display_name"]
    return Draft(
        target=plan.target,
        endpoint=plan.endpoint,
        params={**plan.target["by"], **traits, **({"account": account} if account else {})},
        before=seen,
        after={name: plan.before[name] for name in plan.after},
        touches=plan.touches,
    )


def _check_account(account: Mapping[str, Scalar]) -> None:
    if not isinstance(account.get("id"), str) or not account["id"]:
        raise refused_input("account has no id", "give its id as a text, beside its traits")
    check_traits({name: value for name, value in account.items() if name != "id"}, argument="account")


def _map(value: Any) -> dict[str, Any]:
    """*value*, where an empty map may be written as a list. Source: refiner-notes, Responses."""
    return value if isinstance(value, dict) else {}


# Delete


async def _prepare_delete(calls: Calls, arguments: Mapping[str, Any]) -> Draft:
    contact = await need_contact(calls, _named(arguments))
    before = await _state_with_responses(calls, contact)
    count = before["responses"]
    return Draft(
        target={"by": {"uuid": contact["uuid"]}},
        endpoint="delete_contact",
        params=pinned(contact),
        before=before,
        after=dict(ABSENT),
        touches=[_who(contact), f"{count} responses and survey views of it, which are deleted with it"],
    )


async def _look_at_deleted(calls: Calls, target: Mapping[str, Any]) -> State:
    contact = await find_contact(calls, target["by"])
    return dict(ABSENT) if contact is None else await _state_with_responses(calls, contact)


async def _state_with_responses(calls: Calls, contact: Mapping[str, Any]) -> State:
    rows, is_whole = await responses_of(calls, contact)
    return identity(contact) | {"responses": len(rows) if is_whole else f"at least {len(rows):,}"}


def _reverse_delete(_plan: Plan, _seen: State) -> Draft:
    raise no_way_back("a deleted contact cannot be brought back", "load what the database here still holds of it")


# Event


async def _prepare_event(calls: Calls, arguments: Mapping[str, Any]) -> Draft:
    contact = await need_contact(calls, _named(arguments))
    by = pinned(contact)
    return Draft(
        target={"by": by},
        endpoint="track_event",
        params={**by, "event": arguments["event"]},
        before=identity(contact),
        after={"exists": True},
        touches=[_who(contact), "surveys that this event triggers may be shown to it"],
    )


async def _look_at_contact(calls: Calls, target: Mapping[str, Any]) -> State:
    contact = await find_contact(calls, target["by"])
    return dict(ABSENT) if contact is None else identity(contact)


def _reverse_event(_plan: Plan, _seen: State) -> Draft:
    raise no_way_back("an event that was recorded cannot be taken back", "tell a person")


# Segment


async def _prepare_segment(calls: Calls, arguments: Mapping[str, Any]) -> Draft:
    segment = await _manual_segment(calls, arguments["segment_uuid"])
    contact = await need_contact(calls, _named(arguments))
    by = pinned(contact)
    target = {"by": by, "segment": segment["uuid"]}
    return refuse_no_change(
        Draft(
            target=target,
            endpoint=_endpoint_for(member=arguments["member"]),
            params={**by, "segment_uuid": segment["uuid"]},
            before=_member_state(contact, target),
            after={"exists": True, "member": arguments["member"]},
            touches=[_who(contact), f"the segment {segment['uuid']}, and surveys that are shown to it"],
        )
    )


async def _look_at_membership(calls: Calls, target: Mapping[str, Any]) -> State:
    contact = await find_contact(calls, target["by"])
    return dict(ABSENT) if contact is None else _member_state(contact, target)


def _member_state(contact: Mapping[str, Any], target: Mapping[str, Any]) -> State:
    uuids = {segment.get("uuid") for segment in contact.get("segments") or ()}
    return identity(contact) | {"member": target["segment"] in uuids}


def _reverse_segment(plan: Plan, seen: State) -> Draft:
    was_member = plan.before["member"]
    return Draft(
        target=plan.target,
        endpoint=_endpoint_for(member=was_member),
        params=plan.params,
        before=seen,
        after={"exists": True, "member": was_member},
        touches=plan.touches,
    )


def _endpoint_for(*, member: bool) -> str:
    return "add_user_to_segment" if member else "remove_user_from_segment"


async def _manual_segment(calls: Calls, uuid: str) -> dict[str, Any]:
    """The segment *uuid*; raises ToolError when there is none, or when Refiner fills it by itself.

    Source: refiner-notes, Contacts ("sync-segment only for manual ones").
    """
    pages, _ = await calls.rows(REFINER, REFINER.endpoint("list_segments"), {}, count=1_000, page_size=1_000)
    for segment in (row for page in pages for row in page.rows):
        if segment.get("uuid") != uuid:
            continue
        if segment.get("is_manual") is False:
            raise ToolError(
                "INPUT", "Refiner fills that segment by its own rule", next_step="choose one with is_manual=true"
            )
        return segment
    raise ToolError("NOT_FOUND", "there is no such segment", next_step="list them with refiner_list_segments")


UPDATE = Action(vendor="refiner", prepare=_prepare_update, look=_look_at_update, reverse=_reverse_update)
DELETE = Action(vendor="refiner", prepare=_prepare_delete, look=_look_at_deleted, reverse=_reverse_delete)
EVENT = Action(
    vendor="refiner", prepare=_prepare_event, look=_look_at_contact, reverse=_reverse_event, is_readable=False
)
SEGMENT = Action(vendor="refiner", prepare=_prepare_segment, look=_look_at_membership, reverse=_reverse_segment)
