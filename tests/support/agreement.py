"""Holds a vendor's catalogue against its OpenAPI file, fact by fact and in both directions.

Both sides become the same plain shape: operation -> subject (``parameter page``, ``field uuid``, ``paging``) -> aspect
-> value. What stands on one side only, or differs, is a difference. ``support.openapi`` makes the shape from the file;
where the file is silent about an aspect, the catalogue is free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from feedloom.catalogue import (
    CursorPaging,
    Endpoint,
    Field,
    FilterField,
    NoPaging,
    NumberPaging,
    Paging,
    Param,
    ScrollPaging,
    Vendor,
)
from support.openapi import ANY_FIELD, VENDOR, Either, Facts, Subjects, answer_paths, openapi_facts


def differences(vendor: Vendor, document: Mapping[str, Any]) -> list[str]:
    """One line for each fact on which *vendor* and its OpenAPI *document* disagree, in the order of the operations."""
    records = {_label(endpoint): endpoint.records for endpoint in vendor.endpoints}
    ours = catalogue_facts(vendor)
    theirs = openapi_facts(document, records=records)
    return [*_compared(ours, theirs), *_paths_not_answered(vendor, document)]


def catalogue_facts(vendor: Vendor) -> Facts:
    """What the catalogue says, in the shape shared with the OpenAPI file."""
    default_server = next(iter(vendor.servers.values()))
    facts: Facts = {VENDOR: _vendor_subjects(vendor)}
    for endpoint in vendor.endpoints:
        server = vendor.servers[endpoint.server] if endpoint.server else default_server
        facts[_label(endpoint)] = {
            "operation": _operation_aspects(endpoint, server=server),
            "paging": _paging_aspects(endpoint.paging),
            **{f"parameter {param.name}": _param_aspects(param) for param in endpoint.params},
            **{f"field {field.name}": _field_aspects(field) for field in endpoint.fields},
        }
    return facts


def _label(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _vendor_subjects(vendor: Vendor) -> Subjects:
    return {
        "servers": {"addresses": frozenset(vendor.servers.values())},
        "auth": {"ways": frozenset(f"{auth.kind} {auth.field}".strip() for auth in vendor.auth)},
        "limits": {f"per {limit.per}": (limit.requests, limit.seconds) for limit in vendor.limits},
    }


def _operation_aspects(endpoint: Endpoint, *, server: str) -> dict[str, object]:
    return {
        "operation id": endpoint.operation_id,
        "deprecated": endpoint.deprecated,
        "success": frozenset(endpoint.success),
        "server": server,
        "answer": endpoint.answer,
        "confidence": endpoint.source.known,
        "is a list": endpoint.is_list,
        "list key": endpoint.records,
        "open body": endpoint.open_body,
        "one of": frozenset(frozenset(names) for names in endpoint.one_of),
        "per user": endpoint.per_user,
        "window": endpoint.window,
        "filter parameter": endpoint.filter_param,
        "filter fields": _filters(endpoint.filter_fields),
        "sort parameter": endpoint.sort_param,
        "sort fields": ANY_FIELD if "*" in endpoint.sort_fields else frozenset(endpoint.sort_fields),
    }


def _filters(fields: tuple[FilterField, ...]) -> object:
    if any(field.name == "*" for field in fields):
        return ANY_FIELD
    return frozenset((field.name, frozenset(field.operators)) for field in fields)


def _paging_aspects(paging: Paging) -> dict[str, object]:
    if isinstance(paging, NoPaging):
        return {"style": "none"}
    sizes = {"default size": paging.size_default, "maximum size": paging.size_max, "total": paging.total}
    match paging:
        case NumberPaging():
            own = {"style": "number", "page parameter": paging.number_param, "first page": paging.first_number}
            ends = {"last page flag": paging.last}
        case CursorPaging():
            own = {"style": "cursor", "cursor parameter": paging.cursor_param, "page parameter": paging.number_param}
            ends = {"next cursor": paging.next}
        case ScrollPaging():
            own = {"style": "scroll", "cursor parameter": paging.scroll_param, "next cursor": paging.next}
            return sizes | own | {"ends only on null": paging.only_null_ends}
    return sizes | own | ends


def _param_aspects(param: Param) -> dict[str, object]:
    return {
        "place": param.place,
        "shape": f"{param.encoding} {param.type}",
        "required": param.required,
        "default": param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "enum": param.enum,
        "format": param.format,
        "deprecated": param.deprecated,
        "known": param.known,
    }


def _field_aspects(field: Field) -> dict[str, object]:
    return {"type": field.type, "nullable": field.nullable, "time": field.time, "known": field.known}


def _compared(ours: Facts, theirs: Facts) -> Iterator[str]:
    for operation in dict.fromkeys([*theirs, *ours]):
        if operation not in ours:
            yield f"{operation}: in the YAML only"
        elif operation not in theirs:
            yield f"{operation}: in the catalogue only"
        else:
            yield from _compared_subjects(operation, ours[operation], theirs[operation])


def _compared_subjects(operation: str, ours: Subjects, theirs: Subjects) -> Iterator[str]:
    for subject in dict.fromkeys([*theirs, *ours]):
        if subject not in ours:
            yield f"{operation}: {subject}: in the YAML only"
        elif subject not in theirs:
            yield f"{operation}: {subject}: in the catalogue only"
        else:
            for aspect, wanted in theirs[subject].items():
                found = ours[subject].get(aspect)
                if not _agree(found, wanted):
                    yield (
                        f"{operation}: {subject}: {aspect} is {_text(found)} in the catalogue "
                        f"and {_text(wanted)} in the YAML"
                    )


def _agree(found: object, wanted: object) -> bool:
    if isinstance(wanted, Either):
        return found in wanted.values
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _text(value: object) -> str:
    if isinstance(value, Either):
        return " or ".join(sorted(map(_text, value.values)))
    if isinstance(value, frozenset | tuple):
        parts = [_text(part) for part in value]
        return f"({', '.join(sorted(parts) if isinstance(value, frozenset) else parts)})"
    return "nothing" if value in (None, "") else str(value)


def _paths_not_answered(vendor: Vendor, document: Mapping[str, Any]) -> Iterator[str]:
    """Paths that the paging of a list reads from answers in which the file shows no such field."""
    answered = answer_paths(document)
    for endpoint in vendor.endpoints:
        for aspect in ("next", "last", "last_number", "total"):
            path = getattr(endpoint.paging, aspect, "")
            if path and path not in answered.get(_label(endpoint), ()):
                yield f"{_label(endpoint)}: paging: {aspect} reads {path}, which the YAML's answer does not hold"
