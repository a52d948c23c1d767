"""The action on a response of Refiner: tag it.

Sources say that tagging adds, one that it updates, and most show no tags on reading. So all tags are sent that the
response is known to have and the new ones, which is right either way, and where tags are hidden the change is only
acknowledged. No call takes a tag away. Source: refiner-notes, Responses; refiner.openapi.yaml, tagResponse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedloom.tools.calls import Calls
from feedloom.tools.failures import refused_input
from feedloom.tools.writing.action import Action, Draft, State, no_way_back, refuse_no_change
from feedloom.tools.writing.finding import find_response
from feedloom.tools.writing.plans import Plan
from feedloom.vendors.refiner.write_tools import MOST_TAGS


async def _prepare(calls: Calls, arguments: Mapping[str, Any]) -> Draft:
    target = {"uuid": arguments["response_uuid"], "contact_uuid": arguments.get("contact_uuid")}
    before = await _look(calls, target)
    tags = list(dict.fromkeys([*(before["tags"] or ()), *arguments["tags"]]))
    if len(tags) > MOST_TAGS:
        raise refused_input(
            f"the response would have {len(tags)} tags, and a call sends {MOST_TAGS} at most", "give fewer tags"
        )
    return refuse_no_change(
        Draft(
            target=target,
            endpoint="tag_response",
            params={"uuid": target["uuid"], "tags": tags},
            before=before,
            after={"uuid": target["uuid"], "tags": tags},
            touches=["one response; tags that do not exist yet are made"],
        )
    )


async def _look(calls: Calls, target: Mapping[str, Any]) -> State:
    row = await find_response(calls, uuid=target["uuid"], contact_uuid=target["contact_uuid"])
    return {"uuid": row["uuid"], "tags": _names(row.get("tags"))}


def _names(tags: Any) -> list[str] | None:
    """The names of tags, which two weak sources show as texts or objects; None where they are hidden."""
    if not isinstance(tags, list):
        return None
    return [str(tag.get("name") if isinstance(tag, dict) else tag) for tag in tags]


def _reverse(plan: Plan, seen: State) -> Draft:
    """Sends the tags of before, which takes the others away where tagging replaces; reading back tells."""
    if not plan.before["tags"]:
        was = "Refiner shows no tags" if plan.before["tags"] is None else "the response had none"
        raise no_way_back(f"no call takes a tag away, and {was}", "remove the tags at Refiner")
    return Draft(
        target=plan.target,
        endpoint=plan.endpoint,
        params=plan.params | {"tags": plan.before["tags"]},
        before=seen,
        after={"uuid": plan.target["uuid"], "tags": plan.before["tags"]},
        touches=["one response; where Refiner only adds tags, this takes none away, and says so"],
    )


TAG = Action(vendor="refiner", prepare=_prepare, look=_look, reverse=_reverse, unread=("tags",))
