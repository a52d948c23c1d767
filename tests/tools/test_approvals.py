"""An approval is for one plan, for a while, once, and for the state that the plan was made for."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from feedloom.errors import InputError
from feedloom.tools.every import every_tool
from feedloom.tools.failures import ToolError
from feedloom.tools.writing.approvals import approve, reject, spend
from feedloom.tools.writing.plans import load_plan, place
from feedloom.tools.writing.policy import FILE, accept_policy, parse_policy
from feedloom.tools.writing.specs import RESUMED
from tools.write_bench import WriteBench

UPDATE = {"id": "u-000010", "attributes": {"churn_risk": "high"}}


def edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the content of a file of a plan, as somebody would who can write files and has no key."""
    found = json.loads(file.read_text(encoding="utf-8"))
    change(found["content"])
    file.write_text(json.dumps(found), encoding="utf-8")


def test_a_plan_is_applied_by_nothing_but_its_own_approval(writing: WriteBench) -> None:
    name = writing.plan("refiner_update_contact", UPDATE)["plan_id"]
    assert writing.refusal("change_apply", plan_id=name).code == "APPROVAL_NEEDED"
    other = writing.approved("refiner_track_event", id="u-000010", event="x")
    shutil.copy(place(other) / "approval.json", place(name) / "approval.json")
    assert writing.refusal("change_apply", plan_id=name).code == "APPROVAL_NEEDED"
    (place(name) / "approval.json").write_text('{"mark": "00", "content": {"plan": "x"}}', encoding="utf-8")
    assert writing.refusal("change_apply", plan_id=name).code == "APPROVAL_NEEDED"
    assert writing.refusal("change_apply", plan_id="22222222").code == "INPUT"
    assert writing.refusal("change_apply", plan_id="../../etc").code == "INPUT"


def test_a_plan_that_another_hand_altered_is_refused(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    edit(place(name) / "plan.json", lambda content: content["params"].update(id="u-000011"))
    assert writing.refusal("change_apply", plan_id=name).code == "FORGED"
    with pytest.raises(ToolError, match="FORGED"):
        load_plan(name)


def test_nobody_else_can_read_what_plans_hold_and_tools_keep(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    files = [*place(name).iterdir(), *(writing.folder.parent / "state").rglob("*")]
    assert (writing.folder.parent / "state" / "tools.key") in files
    for file in files:
        if file.is_file() and not file.name.startswith("budgets"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(place(name).stat().st_mode) == 0o700


def test_an_approval_that_expired_is_void(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    writing.ahead = timedelta(minutes=31)
    assert writing.refusal("change_apply", plan_id=name).code == "EXPIRED"
    with pytest.raises(ToolError, match="EXPIRED"):
        approve(load_plan(name), "terminal", now=writing.now())


def test_a_plan_is_void_when_what_it_changes_has_changed(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", id="u-000012", attributes={"churn_risk": "high"})
    writing.identify(id="u-000012", churn_risk="low")
    refused = writing.refusal("change_apply", plan_id=name)
    assert (refused.code, refused.details["changed"]) == ("STATE_CHANGED", ["attributes"])
    writing.identify(id="u-000012", churn_risk="")
    assert writing.refusal("change_apply", plan_id=name).code == "USED"
    other = writing.approved("refiner_update_contact", id="u-000013", attributes={"churn_risk": "high"})
    writing.identify(id="u-000013", hobby="chess")
    assert writing.call("change_apply", plan_id=other)["verification"]["status"] == "verified"


def test_a_plan_that_was_rejected_stays_so(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    reject(load_plan(name), now=writing.now())
    assert writing.refusal("change_apply", plan_id=name).code == "DECLINED"


def test_an_approval_serves_no_call_with_other_arguments(writing: WriteBench) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    token = RESUMED.set(name)
    try:
        other = UPDATE | {"id": "u-000011"}
        assert writing.refusal("refiner_update_contact", other).code == "OTHER_ARGUMENTS"
        assert writing.refusal("refiner_delete_contact", id="u-000010").code == "OTHER_ARGUMENTS"
    finally:
        RESUMED.reset(token)


def test_of_many_who_apply_a_plan_at_once_one_does(writing: WriteBench) -> None:
    name = writing.approved("refiner_track_event", id="u-000014", event="once")
    before = writing.writes

    def apply(_: int) -> str:
        try:
            writing.call("change_apply", plan_id=name)
        except ToolError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(apply, range(4)))
    assert sorted(ended) == ["USED", "USED", "USED", "done"]
    assert writing.writes == before + 1


@pytest.mark.parametrize(("came", "expected"), [(True, "verified"), (False, "UNKNOWN_OUTCOME")])
def test_what_became_of_a_plan_whose_process_died_is_read(writing: WriteBench, came: bool, expected: str) -> None:  # noqa: FBT001 - a case
    name = writing.approved("refiner_update_contact", id="u-000019", attributes={"mark": str(came)})
    spend(load_plan(name), "terminal", now=writing.now())
    assert writing.refusal("change_apply", plan_id=name).code == "USED"
    if came:
        writing.identify(id="u-000019", mark=str(came))
    writing.ahead = timedelta(minutes=6)
    try:
        ended = writing.call("change_apply", plan_id=name)["verification"]["status"]
    except ToolError as error:
        ended = error.code
    assert ended == expected


def test_a_plan_of_another_folder_is_worth_nothing_here(writing: WriteBench, monkeypatch: pytest.MonkeyPatch) -> None:
    name = writing.approved("refiner_update_contact", UPDATE)
    other = writing.folder.parent / "other"
    shutil.copytree(writing.folder, other)
    monkeypatch.chdir(other)
    assert writing.refusal("change_apply", plan_id=name).code == "FORGED"


RULES = """
[[rules]]
tool = "refiner_update_contact"
values = {churn_risk = ["low", "high"], seats = {min = 1, max = 9}}
per_day = 3
per_run = 2
"""


def write_policy(text: str) -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text, encoding="utf-8")


def test_a_policy_allows_what_it_names_within_its_budgets_and_nothing_else(writing: WriteBench) -> None:
    write_policy(RULES)
    with pytest.raises(InputError, match="nobody accepted"):
        writing.call("refiner_update_contact", UPDATE)
    accept_policy()
    ids = ("u-000015", "u-000016", "u-000017", "u-000018")

    async def run(wanted: list[tuple[str, dict[str, Any]]]) -> list[str]:
        ended = []
        async with writing.workspace() as workspace:
            for name, arguments in wanted:
                try:
                    result = await every_tool().call(workspace, name, arguments)
                except ToolError as error:
                    ended.append(error.code)
                else:
                    ended.append(result.get("approval") or str(result["successful"]))
        return ended

    def update(name: str, **attributes: Any) -> tuple[str, dict[str, Any]]:
        return "refiner_update_contact", {"id": name, "attributes": attributes}

    needed = "APPROVAL_NEEDED"
    others = [
        update(ids[0], churn_risk="medium"),
        update(ids[0], churn_risk="high", plan="pro"),
        update(ids[0], seats=10),
        update(ids[0], seats=True),
        ("refiner_update_contact", {"id": ids[0], "attributes": {"seats": 2}, "account": {"id": "acme"}}),
        ("refiner_update_contact", {"id": "new", "attributes": {"seats": 2}, "create_if_missing": True}),
        ("refiner_delete_contact", {"id": ids[0]}),
        ("refiner_track_event", {"id": ids[0], "event": "x"}),
    ]
    assert asyncio.run(run(others)) == [needed] * len(others)
    own = [update(name, churn_risk="high", seats=7) for name in ids]
    assert asyncio.run(run(own[:3])) == ["policy", "policy", needed]
    published = ("REFINER_UPDATE_CONTACT", own[2][1])
    assert asyncio.run(run([published, own[3]])) == ["True", needed]
    writing.ahead = timedelta(days=1)
    assert asyncio.run(run(own[3:])) == ["policy"]
    write_policy(RULES.replace("per_day = 3", "per_day = 300"))
    with pytest.raises(InputError, match="nobody accepted"):
        writing.call("refiner_update_contact", UPDATE)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("per_day", "per_dya", "unknown key 'per_dya'"),
        ("[[rules]]", "[[rule]]", "unknown key 'rule'"),
        ("min = 1", "mim = 1", "unknown key 'mim'"),
        ("per_run = 2", "", "has no per_run"),
        ("per_run = 2", "per_run = 0", "per_run of rule 1 is 0"),
        ("refiner_update_contact", "refiner_delete_contact", "which no rule can allow"),
        ("refiner_update_contact", "*", "which no rule can allow"),
        ("refiner_update_contact", "refiner_track_event", "unknown key 'churn_risk'"),
        ('["low", "high"]', '["*"]', "holds a wildcard"),
        ('["low", "high"]', "[]", "lists no values"),
        ('["low", "high"]', "true", "lists no values"),
        ('{churn_risk = ["low", "high"], seats = {min = 1, max = 9}}', "{}", "names no values"),
        ("[[rules]]", "[[rules", "no valid TOML"),
    ],
)
def test_a_policy_with_a_slip_in_it_is_refused_by_name(old: str, new: str, words: str) -> None:
    assert parse_policy(RULES.encode())
    with pytest.raises(InputError) as refused:
        parse_policy(RULES.replace(old, new).encode())
    assert words in refused.value.message
    assert refused.value.hint
