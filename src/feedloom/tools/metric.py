"""The tool that measures: a score from the database here, by group, with how sure it is and the SQL that made it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from feedloom.catalogue import Argument
from feedloom.tools.failures import ToolError, refused_input
from feedloom.tools.outputs import TRUST, output
from feedloom.tools.privacy import clean, is_personal, shows_personal
from feedloom.tools.spec import Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS

if TYPE_CHECKING:
    from feedloom.feedback.tally import Grouping
    from feedloom.tools.database import Place

_NUMBER: Final = {"type": ["number", "null"]}
_TEXT: Final = {"type": "string"}
_VENDOR: Final = "refiner"
_MOST_GROUPS: Final = 200
_ACCOUNT: Final = "account."
"""What stands before the name of a trait that a person's account has."""


def metric_tool() -> ToolSpec:
    """``warehouse_metric``."""
    return ToolSpec(
        name="warehouse_metric",
        toolset="warehouse",
        effect="local",
        title="Warehouse metric",
        description="A score of Refiner's answers in the database here: value, n, 95 % interval, the rule in words and "
        "the SQL. Intervals that overlap widely are no difference; under 5 persons a value is held back. Groups are "
        "never to be averaged: `value` is the total.",
        arguments=(
            Argument(name="name", required=True, enum=("nps", "csat", "ces", "response_rate", "counts")),
            Argument(name="group_by", enum=("form", "segment", "trait", "month"), summary="Segment, trait: as of now"),
            Argument(name="trait", summary="For group_by=trait: `plan`, `account.industry`"),
            Argument(name="start", type="moment", summary="Inclusive"),
            Argument(name="end", type="moment", summary="Exclusive"),
            Argument(name="form_uuids", type="texts"),
            Argument(name="questions", type="texts", summary="Identifiers; else the one called like the score"),
            Argument(name="repeats", enum=("latest", "all"), summary="Answers of one person; scores default to latest"),
            Argument(name="include", default="completed", enum=("completed", "partials")),
            Argument(name="scale", type="integer", minimum=5, maximum=7, summary="Highest answer of csat, ces: 5 or 7"),
        ),
        output=output(
            {
                "name": _TEXT,
                "value": _NUMBER,
                "interval": {"type": ["array", "null"], "items": {"type": "number"}},
                "n": {"type": "integer"},
                "rule": _TEXT,
                "groups": {"type": "array", "items": {"type": "object"}},
                "sql": _TEXT,
                "as_of": _TEXT,
                **TRUST,
            },
            required=("name", "value", "interval", "n", "rule", "sql"),
        ),
        handler=_measure,
    )


async def _measure(workspace: Workspace, given: Mapping[str, Any], verification: Verification) -> Result:
    from feedloom.feedback.measures import estimate  # noqa: PLC0415 - ibis is imported on use
    from feedloom.tools.database import open_place  # noqa: PLC0415 - dlt and duckdb are imported on use

    _check(given)
    place = await asyncio.to_thread(open_place, workspace.to)
    columns = await _trait_columns(place, given, workspace) if given.get("group_by") == "trait" else ()
    total_sql, group_sql, rule = await asyncio.to_thread(_written, place, given, columns)
    total = (await _asked(place, total_sql, workspace))["rows"][0]
    verification.checks.append("snapshot")
    if not any(total[name] for name in ("answers", "unfinished", "outside")):
        await _check_question(place, given, workspace)
    body = {"name": given["name"], **estimate(given["name"], total), "rule": rule, "as_of": place.as_of}
    _doubt_scale(given, total, verification)
    if group_sql is None:
        return Result(body=body | {"sql": total_sql}, is_masked=True, verification=verification)
    found = await _asked(place, group_sql, workspace)
    is_month = given["group_by"] == "month"
    groups = [_named(row, is_month=is_month) | estimate(given["name"], row) for row in found["rows"]]
    return Result(
        body=body | {"groups": groups, "sql": group_sql, "truncated": found["truncated"]},
        items="groups",
        cut_hint="choose surveys or a shorter range",
        strangers=() if is_month else ("group", "label"),
        is_masked=True,
        verification=verification,
    )


def _check(given: Mapping[str, Any]) -> None:
    """Raise ToolError for arguments that do not go together."""
    start, end = given.get("start"), given.get("end")
    if start is not None and end is not None and start >= end:
        raise refused_input("start is not before end", "give an earlier start or a later end")
    if ("trait" in given) != (given.get("group_by") == "trait"):
        raise refused_input("trait and group_by=trait go together", "give both or neither")
    if given["name"] in ("response_rate", "counts"):
        unfit = [name for name in ("questions", "repeats", "scale") if name in given]
        if unfit:
            raise refused_input(f"{given['name']} takes no {unfit[0]}", "it counts whole responses; leave that out")


def _written(place: Place, given: Mapping[str, Any], columns: tuple[str, ...]) -> tuple[str, str | None, str]:
    """The SQL of the total and of the groups, and the rule in words."""
    from feedloom.feedback import Selection, text_of  # noqa: PLC0415 - ibis is imported on use
    from feedloom.feedback.measures import SCORES, rule_of, scale_of, tally  # noqa: PLC0415 - the same
    from feedloom.feedback.tally import Grouping  # noqa: PLC0415 - the same
    from feedloom.tools.database import ALONE, dataset_of  # noqa: PLC0415 - dlt is imported on use

    name = given["name"]
    is_score = name in SCORES
    scale = scale_of(name, given.get("scale")) if is_score else None
    repeats = given.get("repeats", "latest" if is_score else "all")
    selection = Selection(
        forms=tuple(given.get("form_uuids", ())),
        questions=tuple(given.get("questions", (name,))) if is_score else (),
        start=given.get("start"),
        end=given.get("end"),
        include=given["include"],
    )

    def sql(grouping: Grouping | None) -> str:
        counted = tally(dataset, name, selection, scale=scale, grouping=grouping, repeats=repeats)
        return text_of(dataset, counted)

    by = given.get("group_by")
    with ALONE:
        dataset = dataset_of(place, VENDORS[_VENDOR])
        total = sql(None)
        groups = None if by is None else sql(Grouping(by=by, columns=columns))
    return total, groups, rule_of(name, scale=scale, include=given["include"], repeats=repeats)


async def _asked(place: Place, sql: str, workspace: Workspace) -> dict[str, Any]:
    """The rows of *sql*, which is ours, by column."""
    from feedloom.tools import database  # noqa: PLC0415 - dlt and duckdb are imported on use

    async with workspace.queries:
        found = await database.ask(
            place, sql, limit=_MOST_GROUPS, max_chars=200_000, shows_personal=True, longest_s=workspace.query_s
        )
    names = [column["name"] for column in found["columns"]]
    return {"rows": [dict(zip(names, row, strict=True)) for row in found["rows"]], "truncated": found["truncated"]}


def _doubt_scale(given: Mapping[str, Any], total: Mapping[str, Any], verification: Verification) -> None:
    """Note where the answers look as if the question had another scale."""
    from feedloom.feedback.tally import CES_SCALES  # noqa: PLC0415 - ibis is imported on use

    if total["outside"]:
        verification.doubt(f"scale: {total['outside']} answers are no whole numbers of the scale and do not count")
    shortest = min(CES_SCALES)
    if given["name"] == "ces" and "scale" not in given and total["answers"] and total["highest"] <= shortest:
        verification.doubt(f"scale: no answer is above {shortest}; if the question ends there, give scale={shortest}")


def _named(row: Mapping[str, Any], *, is_month: bool) -> dict[str, Any]:
    """What a group is called; null for those who have no such thing."""
    group, label = row["group"], row["label"]
    if group is None:
        return {"group": None}
    if is_month:
        return {"group": str(group)[: len("2026-01")]}
    shows = shows_personal()
    texts = {"group": str(group)} | ({} if label is None or label == group else {"label": str(label)})
    return {name: text if shows else clean(text) for name, text in texts.items()}


async def _trait_columns(place: Place, given: Mapping[str, Any], workspace: Workspace) -> tuple[str, ...]:
    """The columns of contacts that hold a trait: one, and one more for each other kind of value it had."""
    from feedloom.tools.database import literal, tables_of  # noqa: PLC0415 - dlt and duckdb are imported on use

    dataset = _dataset_name(place)
    tables = tables_of(place).get(dataset, {})
    is_account = given["trait"].startswith(_ACCOUNT)
    path, name = ("account.attributes" if is_account else "attributes"), given["trait"].removeprefix(_ACCOUNT)
    if is_personal(f"{path}.{name}") and not shows_personal():
        raise refused_input(f"the trait {name[:60]!r} is personal and masked here", "choose another trait")
    sql = (
        f'select column_name from "{dataset}"."feedloom_columns" where table_name = \'contacts\' '  # noqa: S608 - quoted
        f"and map_path = {literal(path)} and key = {literal(name)}"
    )
    found = (await _asked(place, sql, workspace))["rows"] if "feedloom_columns" in tables else []
    columns = tables.get("contacts", {})
    known = f"{path.replace('.', '__')}__{found[0]['column_name'] if found else name}"
    chosen = tuple(column for column in columns if column == known or column.startswith(f"{known}__v_"))
    if not chosen:
        raise refused_input(
            f"no contact has a trait {name[:60]!r}", "warehouse_describe table=contacts shows them under attributes__"
        )
    return chosen


async def _check_question(place: Place, given: Mapping[str, Any], workspace: Workspace) -> None:
    """Raise ToolError when nobody ever answered a question of that name, and name those that could be meant."""
    from feedloom.feedback import Selection, answered_questions, text_of  # noqa: PLC0415 - ibis is imported on use
    from feedloom.feedback.measures import SCORES, scale_of  # noqa: PLC0415 - the same
    from feedloom.tools.database import ALONE, dataset_of  # noqa: PLC0415 - dlt is imported on use

    def sql() -> str:
        with ALONE:
            dataset = dataset_of(place, VENDORS[_VENDOR])
            return text_of(dataset, answered_questions(dataset, Selection()))

    if given["name"] not in SCORES:
        return
    wanted = given.get("questions", [given["name"]])
    rows = (await _asked(place, await asyncio.to_thread(sql), workspace))["rows"]
    if any(row["question"] in wanted for row in rows):
        return
    scale = scale_of(given["name"], given.get("scale"))
    fitting = sorted(
        {
            str(row["question"])
            for row in rows
            if row["scores"] and row["lowest"] >= scale.lowest and row["highest"] <= scale.highest
        }
    )
    raise ToolError(
        "INPUT",
        "nobody answered a question of that name",
        next_step="give `questions`; details.questions lists those whose answers are numbers of the scale",
        details={"questions": fitting[:20], "untrusted": ["questions"]},
    )


def _dataset_name(place: Place) -> str:
    from feedloom.sync.warehouse import choose_target  # noqa: PLC0415 - dlt is imported on use
    from feedloom.tools.database import name_of  # noqa: PLC0415 - the same

    return choose_target(VENDORS[_VENDOR], name_of(place), None).dataset
