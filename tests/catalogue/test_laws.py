"""Laws that the description of every vendor keeps, so that clients, emulators and pages can be made from it blindly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from feedloom.catalogue import (
    CursorPaging,
    Endpoint,
    Limit,
    LongAnswers,
    NoPaging,
    NumberPaging,
    ScrollPaging,
    Source,
    Table,
    Vendor,
    Window,
)
from feedloom.vendors import VENDORS

over_vendors = pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)

PATH_PARAM = re.compile(r"\{(\w+)\}")
MONTH = "month"
"""Column that a table made of slices gets beside the one named by its slices."""


def twice(names: Iterable[object]) -> list[object]:
    """The names that come more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def is_one_sentence(text: str) -> bool:
    return bool(re.fullmatch(r"\S.*\S\.", text)) and not re.search(r"[.!?]\s", text)


def field_names(endpoint: Endpoint) -> set[str]:
    return {field.name for field in endpoint.fields}


def sources(vendor: Vendor) -> Iterator[tuple[str, Source]]:
    for endpoint in vendor.endpoints:
        yield endpoint.name, endpoint.source
    for limit in vendor.limits:
        yield f"limit {limit.name}", limit.source
    for auth in vendor.auth:
        yield f"auth {auth.name}", auth.source


def summaries(vendor: Vendor) -> Iterator[tuple[str, str]]:
    """Every summary with its place; those of parameters and fields may be left out."""
    for endpoint in vendor.endpoints:
        yield endpoint.name, endpoint.summary
        yield from ((f"{endpoint.name} {param.name}", param.summary) for param in endpoint.params if param.summary)
        yield from ((f"{endpoint.name} {field.name}", field.summary) for field in endpoint.fields if field.summary)
    for table in vendor.tables:
        yield f"table {table.name}", table.summary


# Names


@over_vendors
def test_endpoint_names_operation_ids_and_routes_are_unique(vendor: Vendor) -> None:
    assert not twice(endpoint.name for endpoint in vendor.endpoints)
    assert not twice(endpoint.operation_id for endpoint in vendor.endpoints)
    assert not twice((endpoint.server, endpoint.method, endpoint.path) for endpoint in vendor.endpoints)


@over_vendors
def test_parameters_and_fields_are_unique_in_their_endpoint(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        assert not twice(param.name for param in endpoint.params), endpoint.name
        assert not twice(field.name for field in endpoint.fields), endpoint.name


@over_vendors
def test_endpoint_names_are_lower_case_words(vendor: Vendor) -> None:
    assert not [endpoint.name for endpoint in vendor.endpoints if not re.fullmatch(r"[a-z0-9_]+", endpoint.name)]


@over_vendors
def test_every_summary_is_one_sentence(vendor: Vendor) -> None:
    assert not [place for place, text in summaries(vendor) if not is_one_sentence(text)]


@over_vendors
def test_every_source_names_a_place_and_a_month(vendor: Vendor) -> None:
    assert not [
        place
        for place, source in sources(vendor)
        if not source.where or not all(source.where) or not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", source.checked)
    ]


# Calls


@over_vendors
def test_paths_hold_exactly_their_required_path_parameters(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        assert endpoint.path.startswith("/"), endpoint.name
        in_path = {param.name for param in endpoint.params if param.place == "path"}
        assert set(PATH_PARAM.findall(endpoint.path)) == in_path, endpoint.name
        assert all(param.required for param in endpoint.params if param.place == "path"), endpoint.name


@over_vendors
def test_parameters_named_elsewhere_in_the_endpoint_exist(vendor: Vendor) -> None:
    missing = [
        (endpoint.name, name)
        for endpoint in vendor.endpoints
        for name in (*paging_params(endpoint), *named_params(endpoint))
        if not endpoint.has_param(name)
    ]
    assert not missing


def named_params(endpoint: Endpoint) -> list[str]:
    alternatives = [name for names in endpoint.one_of for name in names]
    return [*alternatives, *(endpoint.window or ()), *filter(None, (endpoint.filter_param, endpoint.sort_param))]


def paging_params(endpoint: Endpoint) -> list[str]:
    match endpoint.paging:
        case NoPaging():
            return []
        case NumberPaging() as paging:
            return [paging.number_param, paging.size_param]
        case CursorPaging() as paging:
            return [paging.cursor_param, paging.size_param, *filter(None, [paging.number_param])]
        case ScrollPaging() as paging:
            return [paging.scroll_param, paging.size_param]


@over_vendors
def test_page_sizes_are_those_of_their_parameter(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        paging = endpoint.paging
        if isinstance(paging, NoPaging):
            continue
        size = endpoint.param(paging.size_param)
        assert (size.default, size.maximum) == (paging.size_default, paging.size_max), endpoint.name
        assert 1 <= paging.size_default <= paging.size_max, endpoint.name


@over_vendors
def test_only_lists_are_cut_into_pages_and_only_they_have_a_filter(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        if not endpoint.is_list:
            assert isinstance(endpoint.paging, NoPaging), endpoint.name
            assert not endpoint.filter_fields, endpoint.name
        assert not endpoint.filter_fields or endpoint.filter_param, endpoint.name
        assert not endpoint.sort_fields or endpoint.sort_param, endpoint.name


@over_vendors
def test_defaults_lie_within_their_bounds(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        for param in endpoint.params:
            place = f"{endpoint.name} {param.name}"
            if param.enum and param.default is not None:
                assert param.default in param.enum, place
            if isinstance(param.default, int) and not isinstance(param.default, bool):
                assert param.minimum is None or param.minimum <= param.default, place
                assert param.maximum is None or param.default <= param.maximum, place


@over_vendors
def test_calls_that_change_something_are_never_marked_as_reading(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        assert endpoint.effect == "read" or endpoint.method != "GET", endpoint.name
        assert endpoint.effect != "read" or endpoint.method in {"GET", "POST"}, endpoint.name
        assert endpoint.effect == "delete" or not endpoint.name.startswith("delete_"), endpoint.name
        assert endpoint.repeatable or endpoint.effect != "read", endpoint.name


@over_vendors
def test_successes_are_statuses_of_success(vendor: Vendor) -> None:
    assert all(endpoint.success for endpoint in vendor.endpoints)
    assert all(200 <= status < 300 for endpoint in vendor.endpoints for status in endpoint.success)


@over_vendors
def test_timestamps_say_how_they_are_written_and_other_fields_do_not(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        for field in endpoint.fields:
            assert (field.time is not None) == (field.type == "timestamp"), f"{endpoint.name} {field.name}"


@over_vendors
def test_fields_stand_below_objects_maps_and_lists_that_are_described(vendor: Vendor) -> None:
    for endpoint in vendor.endpoints:
        types = {field.name: field.type for field in endpoint.fields}
        for name in types:
            parent = name.rpartition(".")[0]
            if parent:
                wanted = {"list"} if parent.endswith("[]") else {"object", "map"}
                assert types.get(parent.removesuffix("[]")) in wanted, f"{endpoint.name} {name}"


# The vendor


@over_vendors
def test_the_vendor_refers_only_to_what_it_has(vendor: Vendor) -> None:
    assert vendor.endpoint(vendor.probe).effect == "read"
    assert {endpoint.server for endpoint in vendor.endpoints} <= {"", *vendor.servers}
    assert all(auth.field for auth in vendor.auth if auth.kind in {"header", "param"})
    assert all(400 <= refusal.status < 500 for refusal in vendor.refusals)
    assert vendor.error_paths


@over_vendors
def test_calls_counted_per_user_carry_a_user(vendor: Vendor) -> None:
    limits = [limit for limit in vendor.limits if limit.per == "user"]
    for endpoint in vendor.endpoints:
        if endpoint.per_user:
            assert any(endpoint.has_param(name) for limit in limits for name in limit.user_params), endpoint.name


@over_vendors
def test_limits_and_ways_to_send_the_key_are_unique(vendor: Vendor) -> None:
    assert not twice(limit.name for limit in vendor.limits)
    assert not twice(auth.name for auth in vendor.auth)
    assert all(has_room(limit) for limit in vendor.limits)


def has_room(limit: Limit) -> bool:
    return limit.requests > 0 and limit.seconds > 0 and bool(limit.user_params) == (limit.per == "user")


# Tables


@over_vendors
def test_tables_name_existing_endpoints_that_only_read(vendor: Vendor) -> None:
    assert not twice(name for table in vendor.tables for name in (table.name, *table.aliases))
    assert all(vendor.endpoint(table.endpoint).effect == "read" for table in vendor.tables)


@over_vendors
def test_tables_send_parameters_that_their_endpoint_takes(vendor: Vendor) -> None:
    missing = [
        (table.name, name)
        for table in vendor.tables
        for name in sent_params(table)
        if not vendor.endpoint(table.endpoint).has_param(name)
    ]
    assert not missing


def sent_params(table: Table) -> list[str]:
    passes = table.window.passes if table.window else ()
    return [
        *table.params,
        *table.arguments,
        *(name for one in passes for name in one.params),
        *(table.fan_out.params if table.fan_out else ()),
        *([table.slices.param] if table.slices else ()),
        *(embedded.param for embedded in table.embedded),
    ]


@over_vendors
def test_a_single_row_is_asked_for_by_its_own_field_and_a_parameter_or_filter_of_the_endpoint(vendor: Vendor) -> None:
    for table in vendor.tables:
        if table.single is None:
            continue
        endpoint, own = vendor.endpoint(table.single.endpoint), vendor.endpoint(table.endpoint)
        assert table.single.column in field_names(own), table.name
        assert set(table.primary_key) <= field_names(endpoint), table.name
        assert all(endpoint.has_param(name) for name in table.single.params), table.name
        if table.single.param:
            assert endpoint.has_param(table.single.param), table.name
        else:
            assert table.single.column in {field.name for field in endpoint.filter_fields}, table.name
            assert own.fields[[field.name for field in own.fields].index(table.single.column)].time == "epoch_ms"


@over_vendors
def test_counts_in_parts_are_of_windowed_lists_that_give_a_total(vendor: Vendor) -> None:
    for table in vendor.tables:
        if table.parts is None:
            continue
        endpoint = vendor.endpoint(table.endpoint)
        assert table.window is not None, table.name
        assert not table.window.disputed, table.name
        assert getattr(endpoint.paging, "total", ""), table.name
        assert bool(table.parts.column) == bool(table.parts.param), table.name
        if table.parts.param:
            assert endpoint.has_param(table.parts.param), table.name
            assert table.parts.column in field_names(endpoint), table.name


@over_vendors
def test_primary_keys_name_fields_or_columns_that_are_added(vendor: Vendor) -> None:
    for table in vendor.tables:
        fields = field_names(vendor.endpoint(table.endpoint))
        assert set(table.primary_key) <= fields | added_columns(table), table.name
        assert bool(table.primary_key) == (table.write != "append"), table.name


def added_columns(table: Table) -> set[str]:
    return made_columns(table) | set(table.fan_out.carry if table.fan_out else ())


def made_columns(table: Table) -> set[str]:
    """The columns that no answer holds; a carried one may repeat what the row says itself."""
    read_at = {table.read_at} if table.read_at else set()
    return read_at | ({table.slices.column, MONTH} if table.slices else set())


@over_vendors
def test_columns_made_while_reading_hide_no_field(vendor: Vendor) -> None:
    for table in vendor.tables:
        assert not made_columns(table) & field_names(vendor.endpoint(table.endpoint)), table.name


@over_vendors
def test_fan_out_walks_an_existing_table_by_its_own_fields(vendor: Vendor) -> None:
    for table in vendor.tables:
        if table.fan_out is None:
            assert table.slices is None, table.name
            continue
        walked = field_names(vendor.endpoint(vendor.table(table.fan_out.table).endpoint))
        bounds = {table.slices.since, table.slices.until} if table.slices else set()
        assert {*table.fan_out.params.values(), *table.fan_out.carry.values(), *bounds} <= walked, table.name


@over_vendors
def test_slices_take_values_that_the_vendor_knows(vendor: Vendor) -> None:
    for table in vendor.tables:
        if table.slices:
            endpoint = vendor.endpoint(table.endpoint)
            known = endpoint.param(table.slices.param).enum
            assert not known or set(table.slices.values) <= set(known), table.name
            assert endpoint.window, table.name


@over_vendors
def test_windows_can_be_asked_for_and_compare_a_timestamp(vendor: Vendor) -> None:
    for table in vendor.tables:
        if table.window:
            assert can_be_asked_for(table.window, vendor.endpoint(table.endpoint)), table.name
            assert {one.column for one in table.window.passes} <= moments(vendor, table), table.name
            assert not twice(one.name for one in table.window.passes), table.name
            assert any(one.first for one in table.window.passes), table.name
            assert any(one.later for one in table.window.passes), table.name


def moments(vendor: Vendor, table: Table) -> set[str]:
    """The timestamps of the table's rows and of the rows that it is read for."""
    walked = [vendor.table(table.fan_out.table).endpoint] if table.fan_out else []
    fields = (field for name in (table.endpoint, *walked) for field in vendor.endpoint(name).fields)
    return {field.name for field in fields if field.type == "timestamp"}


def can_be_asked_for(window: Window, endpoint: Endpoint) -> bool:
    """Whether the endpoint takes the window's bounds the way the window writes them."""
    if window.style == "params":
        return endpoint.window is not None
    filterable = {field.name for field in endpoint.filter_fields}
    return bool(endpoint.filter_param) and all("*" in filterable or one.column in filterable for one in window.passes)


@over_vendors
def test_paths_that_a_table_treats_specially_are_fields_of_its_rows(vendor: Vendor) -> None:
    for table in vendor.tables:
        types = {field.name: field.type for field in vendor.endpoint(table.endpoint).fields}
        maps = [*table.open_maps, *([table.long_answers.path] if table.long_answers else [])]
        assert {types.get(path) for path in maps} <= {"map", "any"}, table.name
        assert set(table.json_columns) <= set(types), table.name
        if (where := table.questions) is not None:
            own = {where.form, where.moment or where.form} - added_columns(table)
            assert own <= set(types), table.name
            assert where.path.partition(".")[0] in table.json_columns, table.name
        if table.long_answers:
            assert parent_keys(table.long_answers) <= set(types) | added_columns(table), table.name


def parent_keys(long: LongAnswers) -> set[str]:
    return set(long.keys.values())


@over_vendors
def test_embedded_copies_hold_the_same_fields_as_the_table_they_copy(vendor: Vendor) -> None:
    for table in vendor.tables:
        rows = field_names(vendor.endpoint(table.endpoint))
        for copy in table.embedded:
            copied = field_names(vendor.endpoint(vendor.table(copy.table).endpoint))
            names = {copy.key, *copy.fields}
            assert names <= copied, f"{table.name} {copy.path}"
            assert {f"{copy.path}.{name}" for name in names} <= rows, f"{table.name} {copy.path}"
