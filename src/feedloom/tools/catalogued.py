"""Makes the tools of the vendors runnable: names and words are theirs, everything else follows from the endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any, Final

from feedloom.catalogue import Argument, Choice, Endpoint, Tool, Vendor
from feedloom.errors import VendorError
from feedloom.tools import cursors
from feedloom.tools.cursors import Owner, Place
from feedloom.tools.drift import check_rows
from feedloom.tools.failures import refused_input
from feedloom.tools.lists import read_page, read_rows
from feedloom.tools.outputs import LIST_OUTPUT, ONE_OUTPUT, PUBLISHED_OUTPUT, flat_output
from feedloom.tools.selecting import check_paths
from feedloom.tools.spec import Budget, Result, ToolSpec
from feedloom.tools.verification import Verification
from feedloom.tools.workspace import Workspace
from feedloom.vendors import VENDORS
from feedloom.vendors.aptrinsic.filters import F, parse_filter

PUBLISHED_MAX_CHARS: Final = 100_000
"""Published tools give a page whole or not at all, since their envelope has no place for "cut here"."""

_FIELDS = Argument(name="fields", type="texts", summary="Dot paths to show", maximum=50)
_LIMIT = Argument(name="limit", type="integer", default=20, minimum=1, maximum=200)
_CURSOR = Argument(name="cursor", summary="From the result before")
_MODULES: Final = {
    "refiner": (("refiner", "tools"), ("composio", "published_tools")),
    "aptrinsic": (("aptrinsic", "tools"),),
}
"""Vendor -> toolset and module in its folder."""


def vendor_tools() -> Iterator[ToolSpec]:
    """Every tool of every vendor, in the order of the catalogue."""
    for slug, modules in _MODULES.items():
        for toolset, module in modules:
            for tool in import_module(f"feedloom.vendors.{slug}.{module}").TOOLS:
                yield _spec(VENDORS[slug], tool, toolset)


def _spec(vendor: Vendor, tool: Tool, toolset: str) -> ToolSpec:
    is_list = vendor.endpoint(next(iter(tool.choices.values())).endpoint).is_list
    common = {
        "name": tool.name,
        "toolset": toolset,
        "effect": "read",
        "title": tool.title,
        "description": tool.description,
        "exactly_one": tool.exactly_one,
    }
    if tool.style != "own":
        return ToolSpec(
            **common,  # type: ignore[arg-type]  # one literal among texts
            arguments=tool.arguments,
            output=PUBLISHED_OUTPUT if tool.style == "published" else flat_output(tool.null_fields),
            handler=partial(_run_published, vendor, tool),
            budget=Budget(max_chars=PUBLISHED_MAX_CHARS),
            style=tool.style,
        )
    return ToolSpec(
        **common,  # type: ignore[arg-type]  # the same
        arguments=(*tool.arguments, _FIELDS, *((_LIMIT, _CURSOR) if is_list else ())),
        output=LIST_OUTPUT if is_list else ONE_OUTPUT,
        handler=partial(_run_list if is_list else _run_one, vendor, tool),
    )


async def _run_list(
    vendor: Vendor, tool: Tool, workspace: Workspace, given: Mapping[str, Any], verification: Verification
) -> Result:
    choice, endpoint = _chosen(vendor, tool, given)
    shown = _shown(choice, endpoint, given)
    owner = Owner(tool=tool.name, arguments=given)
    found = await read_rows(
        workspace.calls,
        vendor,
        endpoint,
        _params(tool, choice, endpoint, given),
        limit=given["limit"],
        place=cursors.read(given.get("cursor"), owner),
        verification=verification,
    )
    check_rows(endpoint, found.rows, optional=choice.optional, into=verification)
    rows, added = _added(choice, found.rows, given, verification)

    def cursor_after(count: int) -> str | None:
        place = found.after(count)
        return None if place is None else cursors.write(place)

    return Result(
        body={"items": rows, "total": found.total},
        items="items",
        cursor_after=cursor_after,
        shown=(*shown, *added) if shown else (),
        strangers=choice.strangers,
        verification=verification,
    )


def _added(
    choice: Choice, rows: list[dict[str, Any]], given: Mapping[str, Any], verification: Verification
) -> tuple[list[dict[str, Any]], list[str]]:
    """*rows* with the further fields that were asked for, and the names of these."""
    asked = {name: make for name, make in choice.adds.items() if given.get(name)}
    made = [row | {name: make(row) for name, make in asked.items()} for row in rows]
    for name in asked:
        unknown = sum(1 for row in made if row[name] is None)
        if unknown:
            verification.doubt(f"{name}: {unknown} of {len(made)} rows have a shape that is not known")
    return made, list(asked)


async def _run_one(
    vendor: Vendor, tool: Tool, workspace: Workspace, given: Mapping[str, Any], verification: Verification
) -> Result:
    choice, endpoint = _chosen(vendor, tool, given)
    shown = _shown(choice, endpoint, given)
    answer = await workspace.calls.call(vendor, endpoint, _params(tool, choice, endpoint, given))
    item = _object(endpoint, answer.content)
    check_rows(endpoint, [item], optional=choice.optional, into=verification)
    return Result(body={"item": item}, shown=shown, strangers=choice.strangers, verification=verification)


async def _run_published(
    vendor: Vendor, tool: Tool, workspace: Workspace, given: Mapping[str, Any], verification: Verification
) -> Result:
    choice, endpoint = _chosen(vendor, tool, given)
    params = _params(tool, choice, endpoint, given)
    if endpoint.is_list:
        limit = 0 if given.get("page_cursor") else given["page_length"]
        place = Place(passed=(given["page"] - 1) * limit)
        page = await read_page(
            workspace.calls, vendor, endpoint, params, limit=limit, place=place, verification=verification
        )
        content, rows = page.content, page.rows
    else:
        content = _object(endpoint, (await workspace.calls.call(vendor, endpoint, params)).content)
        rows = [content]
    check_rows(endpoint, rows, optional=choice.optional, into=verification)
    body = dict.fromkeys(tool.null_fields) | content if tool.style == "published_flat" else {"data": content}
    above = "" if tool.style == "published_flat" else f"data.{endpoint.records}." if endpoint.is_list else "data."
    strangers = tuple(f"{above}{path}" for path in choice.strangers)
    return Result(body=body, strangers=strangers, verification=verification)


def _chosen(vendor: Vendor, tool: Tool, given: Mapping[str, Any]) -> tuple[Choice, Endpoint]:
    choice = tool.choices[given[tool.chooser] if tool.chooser else ""]
    return choice, vendor.endpoint(choice.endpoint)


def _shown(choice: Choice, endpoint: Endpoint, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths to show; raises ToolError for one that rows cannot have."""
    wanted = given.get("fields")
    if not wanted:
        return choice.shown
    check_paths(wanted, endpoint)
    return tuple(wanted)


def _params(tool: Tool, choice: Choice, endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent: the caller's values under the vendor's names, ranges and filters in the vendor's way."""
    _check_range(tool, given)
    params: dict[str, Any] = dict(choice.fixed)
    terms = []
    for argument in tool.arguments:
        value = given.get(argument.name)
        if value is None or argument.name == tool.chooser:
            continue
        if argument.filter_field:
            terms += (F(argument.filter_field) == value).render(endpoint)
        elif argument.name == tool.id_argument:
            params[next(param.name for param in endpoint.params if param.place == "path")] = value
        elif argument.name not in ("start", "end") or argument.param:
            params[argument.param or argument.name] = value
    if tool.longest_days is not None:
        return _with_range(endpoint, params, terms, given["start"], given["end"])
    if "filter" in params:
        params["filter"] = parse_filter(params["filter"]).render(endpoint)
    return params


def _check_range(tool: Tool, given: Mapping[str, Any]) -> None:
    start, end = (given.get(name, given.get(f"date_range_{name}")) for name in ("start", "end"))
    if start is not None and end is not None and start >= end:
        raise refused_input("start is not before end", "give an earlier start or a later end")
    if start and end and tool.longest_days is not None and end - start > timedelta(days=tool.longest_days):
        raise refused_input(
            f"the range is longer than {tool.longest_days} days",
            f"give at most {tool.longest_days} days, or query the warehouse",
        )


def _with_range(
    endpoint: Endpoint, params: dict[str, Any], terms: list[str], start: datetime, end: datetime
) -> dict[str, Any]:
    """*params* with the range and *terms* in every group of the filter, oldest first.

    Events are read by their date whichever other range the endpoint takes, as the sync does.
    """
    within = ((F("date") >= start) & (F("date") < end)).render(endpoint)[0]
    own = parse_filter(params["filter"]).render(endpoint) if params.get("filter") else []
    all_terms = ";".join([*terms, within])
    return params | {"filter": [f"{group};{all_terms}" for group in own] or [all_terms], "sort": "date"}


def _object(endpoint: Endpoint, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise VendorError(f"{endpoint.name} sent no object", hint="Run it again later.", where=endpoint.name)
    return content
