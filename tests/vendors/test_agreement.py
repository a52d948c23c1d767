"""Every vendor's catalogue and its OpenAPI file say the same, and a disagreement is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from feedloom.catalogue import Endpoint, Field, Known, NoPaging, NumberPaging, Param, Vendor
from feedloom.vendors import VENDORS
from support.agreement import differences

SETTLED = {
    "refiner": {
        # The file describes one answer and names the other statuses in its description.
        "POST /identify-user: operation: success is (200, 201, 202) in the catalogue and (200) in the YAML",
    },
}
"""Differences that are meant, by vendor."""


@cache
def document(slug: str) -> dict[str, Any]:
    text = files("feedloom.vendors").joinpath(slug, "openapi.yaml").read_text(encoding="utf-8")
    loaded = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are safe
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("slug", VENDORS)
def test_the_catalogue_and_the_openapi_file_agree(slug: str) -> None:
    found = differences(VENDORS[slug], document(slug))
    unsettled = [line for line in found if line not in SETTLED.get(slug, ())]
    assert not unsettled, "\n".join(["", *unsettled])


@pytest.mark.parametrize("slug", VENDORS)
def test_every_settled_difference_still_exists(slug: str) -> None:
    assert SETTLED.get(slug, set()) <= set(differences(VENDORS[slug], document(slug)))


REFINER = VENDORS["refiner"]
Change = Callable[[Endpoint], Endpoint]


def with_endpoint(name: str, change: Change) -> Vendor:
    endpoints = (change(endpoint) if endpoint.name == name else endpoint for endpoint in REFINER.endpoints)
    return replace(REFINER, endpoints=tuple(endpoints))


def with_param(name: str, /, **changes: Any) -> Change:
    def change(endpoint: Endpoint) -> Endpoint:
        params = (replace(param, **changes) if param.name == name else param for param in endpoint.params)
        return replace(endpoint, params=tuple(params))

    return change


def with_field(name: str, /, **changes: Any) -> Change:
    def change(endpoint: Endpoint) -> Endpoint:
        fields = (replace(field, **changes) if field.name == name else field for field in endpoint.fields)
        return replace(endpoint, fields=tuple(fields))

    return change


def with_paging(**changes: Any) -> Change:
    return lambda endpoint: replace(endpoint, paging=replace(endpoint.paging, **changes))


MISTAKES_IN_THE_CATALOGUE: list[tuple[str, Change, str]] = [
    (
        "list_responses",
        with_param("page_length", maximum=500),
        "GET /responses: parameter page_length: maximum is 500 in the catalogue and 1000 in the YAML",
    ),
    ("list_responses", with_param("include", default="all"), "GET /responses: parameter include: default is"),
    ("list_responses", with_param("include", enum=("all",)), "GET /responses: parameter include: enum is"),
    ("list_responses", with_param("form_uuids", encoding="repeat"), "GET /responses: parameter form_uuids: shape is"),
    ("list_responses", with_param("page", type="text"), "GET /responses: parameter page: shape is"),
    ("list_responses", with_param("page", minimum=0), "GET /responses: parameter page: minimum is"),
    ("list_responses", with_param("form_uuid", format=""), "GET /responses: parameter form_uuid: format is"),
    ("list_responses", with_param("with_attributes", default=0), "GET /responses: parameter with_attributes: default"),
    ("list_responses", with_param("date_start", deprecated=False), "GET /responses: parameter date_start: deprecated"),
    ("list_responses", with_param("search", name="q"), "GET /responses: parameter search: in the YAML only"),
    ("list_responses", with_param("search", name="q"), "GET /responses: parameter q: in the catalogue only"),
    ("tag_response", with_param("tags", required=False), "POST /responses/tags: parameter tags: required is"),
    ("tag_response", with_param("uuid", place="query"), "POST /responses/tags: parameter uuid: place is"),
    ("tag_response", with_param("tags", maximum=None), "POST /responses/tags: parameter tags: maximum is nothing"),
    ("list_segments", with_param("page_cursor", known=Known.DOCUMENTED), "GET /segments: parameter page_cursor: known"),
    ("list_contacts", with_field("email", nullable=False), "GET /contacts: field email: nullable is False"),
    ("list_contacts", with_field("segments[].uuid", type="integer"), "GET /contacts: field segments[].uuid: type is"),
    ("list_contacts", with_field("last_seen_at", type="text"), "GET /contacts: field last_seen_at: type is text"),
    ("list_contacts", with_field("last_seen_at", time="epoch_ms"), "GET /contacts: field last_seen_at: time is"),
    ("list_contacts", with_field("account.domain", name="x"), "GET /contacts: field account.domain: in the YAML only"),
    ("get_reporting", with_field("nps", nullable=False), "GET /reporting: field nps: nullable is False"),
    ("list_forms", with_paging(size_default=50), "GET /forms: paging: default size is 50"),
    ("list_forms", with_paging(first_number=0), "GET /forms: paging: first page is 0"),
    ("list_forms", with_paging(last="pagination.final"), "GET /forms: paging: last reads pagination.final, which"),
    ("list_contacts", with_paging(next="pagination.cursor"), "GET /contacts: paging: next reads pagination.cursor"),
    ("list_forms", lambda endpoint: replace(endpoint, paging=NoPaging()), "GET /forms: paging: style is none"),
    ("list_forms", lambda endpoint: replace(endpoint, records="forms"), "GET /forms: operation: list key is forms"),
    ("list_forms", lambda endpoint: replace(endpoint, is_list=False), "GET /forms: operation: is a list is False"),
    ("list_forms", lambda endpoint: replace(endpoint, operation_id="x"), "GET /forms: operation: operation id is x"),
    ("list_forms", lambda endpoint: replace(endpoint, success=(201,)), "GET /forms: operation: success is (201)"),
    ("list_forms", lambda endpoint: replace(endpoint, answer="binary"), "GET /forms: operation: answer is binary"),
    ("list_forms", lambda endpoint: replace(endpoint, deprecated=True), "GET /forms: operation: deprecated is True"),
    ("list_forms", lambda endpoint: replace(endpoint, path="/form"), "GET /forms: in the YAML only"),
    ("list_forms", lambda endpoint: replace(endpoint, path="/form"), "GET /form: in the catalogue only"),
    ("list_forms", lambda endpoint: replace(endpoint, sort_param="sort"), "GET /forms: operation: sort parameter is"),
    ("list_responses", lambda endpoint: replace(endpoint, window=None), "GET /responses: operation: window is nothing"),
    ("get_contact", lambda endpoint: replace(endpoint, per_user=False), "GET /contact: operation: per user is False"),
    ("track_event", lambda endpoint: replace(endpoint, one_of=()), "POST /track-event: operation: one of is ()"),
    ("store_response", lambda endpoint: replace(endpoint, open_body=False), "POST /responses: operation: open body is"),
    (
        "track_event_legacy",
        lambda endpoint: replace(endpoint, source=replace(endpoint.source, known=Known.DOCUMENTED)),
        "POST /track: operation: confidence is documented in the catalogue and seen in code in the YAML",
    ),
]


@pytest.mark.parametrize(("name", "mistake", "line"), MISTAKES_IN_THE_CATALOGUE)
def test_a_mistake_in_the_catalogue_is_named(name: str, mistake: Change, line: str) -> None:
    found = differences(with_endpoint(name, mistake), document("refiner"))
    assert any(each.startswith(line) for each in found), found


PARTS = [
    (endpoint, part)
    for endpoint in REFINER.endpoints
    for part in (
        *(f"parameter {param.name}" for param in endpoint.params),
        *(f"field {f.name}" for f in endpoint.fields),
    )
]


@given(st.sampled_from(PARTS))
def test_a_parameter_or_field_that_is_left_out_is_named(chosen: tuple[Endpoint, str]) -> None:
    endpoint, part = chosen
    kind, _, name = part.partition(" ")

    def without(whole: Endpoint) -> Endpoint:
        if kind == "parameter":
            return replace(whole, params=tuple(param for param in whole.params if param.name != name))
        return replace(whole, fields=tuple(field for field in whole.fields if field.name != name))

    found = differences(with_endpoint(endpoint.name, without), document("refiner"))
    assert f"{endpoint.method} {endpoint.path}: {part}: in the YAML only" in found


@given(st.sampled_from(PARTS))
def test_a_parameter_or_field_of_the_wrong_kind_is_named(chosen: tuple[Endpoint, str]) -> None:
    endpoint, part = chosen
    kind, _, name = part.partition(" ")

    def flipped(whole: Endpoint) -> Endpoint:
        if kind == "parameter":
            return with_param(name, required=not whole.param(name).required)(whole)
        (field,) = (field for field in whole.fields if field.name == name)
        return with_field(name, nullable=not field.nullable)(whole)

    found = differences(with_endpoint(endpoint.name, flipped), document("refiner"))
    aspect = "required" if kind == "parameter" else "nullable"
    assert any(line.startswith(f"{endpoint.method} {endpoint.path}: {part}: {aspect} is") for line in found)


def test_an_operation_that_the_catalogue_leaves_out_is_named() -> None:
    vendor = replace(REFINER, endpoints=REFINER.endpoints[1:])
    assert "GET /responses: in the YAML only" in differences(vendor, document("refiner"))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"servers": {"default": "https://api.refiner.example"}}, "the vendor: servers: addresses is"),
        ({"auth": REFINER.auth[:1]}, "the vendor: auth: ways is (bearer) in the catalogue"),
        ({"limits": (replace(REFINER.limits[0], requests=1),)}, "the vendor: limits: per key is (1, 60)"),
        ({"limits": REFINER.limits[:1]}, "the vendor: limits: per user is nothing"),
    ],
)
def test_a_mistake_about_the_vendor_is_named(changes: dict[str, Any], line: str) -> None:
    found = differences(replace(REFINER, **changes), document("refiner"))
    assert any(each.startswith(line) for each in found), found


def test_what_only_the_openapi_file_knows_is_named() -> None:
    changed = deepcopy(document("refiner"))
    changed["paths"]["/forms"]["get"]["parameters"].append({"name": "folder[]", "in": "query", "schema": {}})
    changed["components"]["schemas"]["Form"]["properties"]["colour"] = {"type": "string"}
    changed["paths"]["/tags"] = {"get": changed["paths"]["/segments"]["get"]}
    assert {
        "GET /forms: parameter folder: in the YAML only",
        "GET /forms: field colour: in the YAML only",
        "GET /tags: in the YAML only",
    } <= set(differences(REFINER, changed))


MARKED_LIST: dict[str, Any] = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://api.example"}],
    "components": {
        "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "X-KEY"}},
        "schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}},
    },
    "paths": {
        "/things": {
            "servers": [{"url": "https://events.example"}],
            "get": {
                "operationId": "listThings",
                "x-confidence": "documented",
                "x-pagination": {
                    "style": "scroll",
                    "listKey": "things",
                    "cursorParam": "scrollId",
                    "cursorKey": "scrollId",
                    "totalKey": "totalHits",
                    "pageSizeDefault": 25,
                    "pageSizeMax": 1000,
                    "lastPage": "rows on page < pageSize",
                },
                "x-filter-fields": [{"field": "date", "operators": ["<", ">="]}],
                "x-sort-fields": ["date"],
                "parameters": [
                    {"name": "filter", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {
                                        "things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
                                    },
                                }
                            }
                        }
                    }
                },
            },
        }
    },
}


def test_marks_of_paging_filters_and_servers_are_compared() -> None:
    endpoint = replace(
        REFINER.endpoint("list_forms"),
        operation_id="listThings",
        path="/things",
        records="results",
        params=(Param(name="filter", encoding="list"),),
        paging=NumberPaging(number_param="page", first_number=0, size_param="size", size_default=10, size_max=20),
        fields=(Field(name="id"),),
    )
    vendor = replace(REFINER, servers={"default": "https://api.example"}, endpoints=(endpoint,))
    found = [re.sub(r" is .*", "", line) for line in differences(vendor, MARKED_LIST)]
    assert set(found) == {
        "the vendor: servers: addresses",
        "the vendor: auth: ways",
        "GET /things: operation: server",
        "GET /things: operation: list key",
        "GET /things: operation: filter parameter",
        "GET /things: operation: filter fields",
        "GET /things: operation: sort fields",
        "GET /things: parameter filter: shape",
        "GET /things: paging: style",
        "GET /things: paging: default size",
        "GET /things: paging: maximum size",
        "GET /things: paging: cursor parameter",
        "GET /things: paging: next cursor",
        "GET /things: paging: total",
        "GET /things: paging: ends only on null",
    }
