"""What an OpenAPI file of ours says about a vendor, in the shape that ``support.agreement`` compares.

Two habits of marking lists are read: ``x-pagination``, ``x-filter-fields`` and ``x-sort-fields`` on the operation, or
an answer with ``items`` and ``pagination`` beside parameters ``page``, ``page_length`` and ``page_cursor``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from feedloom.catalogue import Known

Node: TypeAlias = Mapping[str, Any]
Aspects: TypeAlias = dict[str, object]
Subjects: TypeAlias = dict[str, Aspects]
Facts: TypeAlias = dict[str, Subjects]

VENDOR = "the vendor"
ANY_FIELD = "any field"

_VERBS = ("get", "post", "put", "delete", "patch")
_KNOWN = {"documented": Known.DOCUMENTED, "seen-in-code": Known.SEEN_IN_CODE, "inferred": Known.ASSUMED}
_VALUE_TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "list",
}
_FORMATS = ("uuid", "email", "date-time")
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Either:
    """Values of which any will do, because the file does not decide between them."""

    values: frozenset[object]


def openapi_facts(document: Node, *, records: Mapping[str, str]) -> Facts:
    """What *document* says of the vendor and of each operation, keyed by verb and path.

    *records* gives the list key of operations for which the file names none.
    """
    facts: Facts = {VENDOR: _vendor_subjects(document)}
    for label, item, operation in _operations(document):
        answer = _answer(document, operation)
        declared = _declared_list_key(operation, answer)
        rows, list_key = _rows(document, answer, records.get(label, "") if declared is None else declared)
        facts[label] = {
            "operation": _operation_aspects(document, item, operation)
            | {"list key": list_key}
            | ({} if declared is None else {"is a list": True}),
            "paging": _paging(document, operation, answer),
            **_parameters(document, operation),
            **_fields(document, "", rows),
        }
    return facts


def answer_paths(document: Node) -> dict[str, set[str]]:
    """The paths of all fields in the whole answer of each operation, list envelope included."""
    return {
        label: {subject.removeprefix("field ") for subject in _fields(document, "", _answer(document, operation))}
        for label, _item, operation in _operations(document)
    }


def _operations(document: Node) -> Iterable[tuple[str, Node, Node]]:
    for path, item in document["paths"].items():
        for verb in _VERBS:
            if verb in item:
                yield f"{verb.upper()} {path}", item, item[verb]


# The vendor


def _vendor_subjects(document: Node) -> Subjects:
    limits = document.get("x-rate-limits", {})
    return {
        "servers": {"addresses": frozenset(_addresses(document))},
        "auth": {"ways": frozenset(map(_auth_way, document["components"]["securitySchemes"].values()))},
        "limits": {
            f"per {per}": Either(frozenset((requests, limit["window_seconds"]) for requests in _requests(limit)))
            for per, limit in (("key", limits.get("per_api_key")), ("user", limits.get("per_user_id")))
            if limit is not None
        },
    }


def _addresses(document: Node) -> Iterable[str]:
    for holder in (document, *document["paths"].values(), *(operation for _, _, operation in _operations(document))):
        for server in holder.get("servers", ()):
            yield server["url"]


def _auth_way(scheme: Node) -> str:
    if scheme["type"] == "http":
        return str(scheme["scheme"])
    return f"{'param' if scheme['in'] == 'query' else 'header'} {scheme['name']}"


def _requests(limit: Node) -> list[int]:
    return [limit[key] for key in ("requests", "older_value") if key in limit]


# One operation


def _operation_aspects(document: Node, item: Node, operation: Node) -> Aspects:
    servers = operation.get("servers") or item.get("servers") or document["servers"]
    confidences = {operation[key] for key in ("x-confidence", "x-response-confidence") if key in operation}
    names = set(_parameters(document, operation))
    aspects: Aspects = {
        "operation id": operation["operationId"],
        "deprecated": operation.get("deprecated", False),
        "success": frozenset(int(status) for status in operation["responses"] if status.startswith("2")),
        "server": servers[0]["url"],
        "answer": "binary" if any(_BINARY in content for content in _contents(document, operation)) else "json",
        "confidence": Either(frozenset(_KNOWN[confidence] for confidence in confidences)),
        "open body": any(body.get("additionalProperties") for body in _bodies(document, operation)),
        "filter parameter": "filter" if "parameter filter" in names else "",
        "sort parameter": "sort" if "parameter sort" in names else "",
    }
    if "per_user_id" in document.get("x-rate-limits", {}):
        aspects["per user"] = bool(names & {"parameter id", "parameter email"})
    if "lower_bound_param" in (incremental := operation.get("x-incremental", {})):
        aspects["window"] = (incremental["lower_bound_param"], incremental["upper_bound_param"])
    if groups := [body["anyOf"] for body in _bodies(document, operation) if "anyOf" in body]:
        aspects["one of"] = frozenset(
            frozenset(name for part in group for name in part["required"]) for group in groups
        )
    return aspects | _filter_and_sort(operation)


def _filter_and_sort(operation: Node) -> Aspects:
    aspects: Aspects = {}
    if isinstance(filters := operation.get("x-filter-fields"), list):
        terms = [term for term in filters if "field" in term]
        aspects["filter fields"] = frozenset((term["field"], frozenset(term["operators"])) for term in terms)
    elif filters is not None:
        aspects["filter fields"] = ANY_FIELD
    if isinstance(sorts := operation.get("x-sort-fields"), list):
        aspects["sort fields"] = frozenset(sorts)
    elif sorts is not None:
        aspects["sort fields"] = ANY_FIELD
    return aspects


def _contents(document: Node, operation: Node) -> list[Node]:
    """The content of each answer of success, by media type."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return [_resolved(document, answer).get("content", {}) for answer in answers]


def _answer(document: Node, operation: Node) -> list[Node]:
    """The schemas of the first JSON answer of success; none where it has no body or an undescribed one."""
    for content in _contents(document, operation):
        if "application/json" in content:
            return _alternatives(document, content["application/json"].get("schema", {}))
    return []


def _bodies(document: Node, operation: Node) -> list[Node]:
    """The schema of the request body, JSON before forms; empty without a body."""
    content = operation.get("requestBody", {}).get("content", {})
    for media in ("application/json", *content):
        if media in content:
            return [_merged(document, content[media]["schema"])]
    return []


# Lists


def _declared_list_key(operation: Node, answer: Sequence[Node]) -> str | None:
    if "x-pagination" in operation:
        return str(operation["x-pagination"]["listKey"])
    return "items" if any({"items", "pagination"} <= set(schema.get("properties", ())) for schema in answer) else None


def _rows(document: Node, answer: list[Node], list_key: str) -> tuple[list[Node], str]:
    """The schemas of a row and the list key; the whole answer and an empty key when *list_key* leads nowhere."""
    if list_key:
        lists = [schema["properties"][list_key] for schema in answer if list_key in schema.get("properties", ())]
        if not lists:
            return answer, ""
        answer = [schema for node in lists for schema in _alternatives(document, node)]
    items = _items(document, answer)
    return items or answer, list_key


def _paging(document: Node, operation: Node, answer: Sequence[Node]) -> Aspects:
    if "x-pagination" in operation:
        return _explicit_paging(operation["x-pagination"])
    if _declared_list_key(operation, answer) is None:
        return {"style": "none"}
    parameters = _parameters(document, operation)
    size, page = parameters["parameter page_length"], parameters["parameter page"]
    sizes: Aspects = {"default size": size["default"], "maximum size": size["maximum"], "page parameter": "page"}
    if parameters.get("parameter page_cursor", {"deprecated": True})["deprecated"]:
        return {"style": "number", "first page": page["minimum"]} | sizes
    return {"style": "cursor", "cursor parameter": "page_cursor"} | sizes


def _explicit_paging(marks: Node) -> Aspects:
    if marks["style"] == "none":
        return {"style": "none"}
    sizes: Aspects = {"default size": marks["pageSizeDefault"], "maximum size": marks["pageSizeMax"]}
    if "cursorParam" not in marks:
        return sizes | {
            "style": "number",
            "page parameter": marks["pageParam"],
            "first page": marks["firstPage"],
            "last page flag": marks["lastKey"],
        }
    return sizes | {
        "style": "scroll",
        "cursor parameter": marks["cursorParam"],
        "next cursor": marks["cursorKey"],
        "total": marks["totalKey"],
        "ends only on null": "pageSize" not in marks["lastPage"],
    }


# Parameters


def _parameters(document: Node, operation: Node) -> Subjects:
    """Every input by name; one that stands in the path or the URL comes before a key of the body with its name."""
    facts: Subjects = {}
    for reference in operation.get("parameters", ()):
        node = _resolved(document, reference)
        name, brackets, _ = node["name"].partition("[]")
        style = "list" if brackets else "map" if node.get("style") == "deepObject" else "repeat"
        facts[f"parameter {name}"] = _parameter(document, node, node["schema"], place=node["in"], style=style)
    for body in _bodies(document, operation):
        for name, node in body.get("properties", {}).items():
            parameter = _parameter(document, node, node, place="body", style="list")
            facts.setdefault(f"parameter {name}", parameter | {"required": name in body.get("required", ())})
    return facts


def _parameter(document: Node, node: Node, schema: Node, *, place: str, style: str) -> Aspects:
    alternatives = _alternatives(document, schema)
    types = [name for alternative in alternatives for name in _types(alternative) if name != "null"]
    whole = alternatives[0]
    value = _resolved(document, whole["items"]) if types == ["array"] else whole
    flag = types == ["integer", "boolean"] or (types == ["integer"] and whole.get("enum") == [0, 1])
    default = whole.get("default")
    if isinstance(default, list):
        (default,) = default
    unverified = node.get("x-unverified", False)
    return {
        "place": place,
        "shape": _shape(types, value, flag=flag, style=style),
        "required": node.get("required", False),
        "default": bool(default) if flag and default is not None else default,
        "minimum": whole.get("minimum", whole.get("minItems")),
        "maximum": whole.get("maximum", whole.get("maxItems")),
        "enum": () if flag else tuple(value.get("enum", ())),
        "format": value["format"] if value.get("format") in _FORMATS else "",
        "deprecated": node.get("deprecated", False) or unverified,
    } | ({"known": Known.ASSUMED} if unverified else {})


def _shape(types: list[str], value: Node, *, flag: bool, style: str) -> str:
    """Encoding and type of a parameter, as ``list text``."""
    if flag:
        return "flag boolean"
    if types == ["array"]:
        return f"{style} {_value_type(_types(value))}"
    if types == ["object"]:
        return "map object" if style == "map" else "plain object"
    return f"plain {'boolean' if set(types) == {'boolean', 'integer'} else _value_type(types)}"


def _value_type(types: Sequence[str]) -> str:
    return _VALUE_TYPES[types[0]] if len(types) == 1 else "any"


# Fields of an answer


def _fields(document: Node, prefix: str, schemas: Sequence[Node]) -> Subjects:
    """The fields below *prefix*; one that some of the *schemas* lack counts as nullable."""
    objects = [schema["properties"] for schema in schemas if "properties" in schema]
    facts: Subjects = {}
    for name in dict.fromkeys(name for properties in objects for name in properties):
        nodes = [properties[name] for properties in objects if name in properties]
        path = f"{prefix}{name}"
        alternatives = [schema for node in nodes for schema in _alternatives(document, node)]
        field = _field(path, nodes[0], alternatives)
        field["nullable"] = field["nullable"] or len(nodes) < len(objects)
        facts[f"field {path}"] = field
        if field["type"] != "any":
            facts |= _fields(document, f"{path}.", alternatives)
            facts |= _fields(document, f"{path}[].", _items(document, alternatives))
    return facts


def _field(path: str, node: Node, alternatives: Sequence[Node]) -> Aspects:
    kinds = {kind for schema in alternatives for kind in _kinds(schema)}
    kind = _one_kind(kinds - {"null"})
    time: object = None
    if kind == "integer" and "epoch milliseconds" in node.get("description", "").lower():
        kind, time = "timestamp", "epoch_ms"
    elif kind == "text" and _names_a_moment(path.rpartition(".")[2], node):
        kind, time = "timestamp", Either(frozenset({"iso", "space", "iso_or_space"}))
    known = {"known": Known.ASSUMED} if node.get("x-unverified") else {}
    return {"type": kind, "nullable": "null" in kinds, "time": time} | known


def _names_a_moment(name: str, node: Node) -> bool:
    return name.endswith("_at") or name.startswith("date_range_") or node.get("format") == "date-time"


def _kinds(schema: Node) -> Iterable[str]:
    for name in _types(schema):
        if name == "object" and "properties" not in schema and (keys := schema.get("additionalProperties")):
            yield "open" if keys is True else "map"
        else:
            yield _VALUE_TYPES.get(name, name)


def _one_kind(kinds: set[str]) -> object:
    """The type of a field that may hold *kinds*: keys the vendor chose beside keys the customer chose make a map."""
    if kinds == {"open"}:
        return Either(frozenset({"map", "object"}))
    if kinds == {"map", "object"}:
        return "map"
    return kinds.copy().pop() if len(kinds) == 1 else "any"


# Schemas


def _resolved(document: Node, node: Node) -> Node:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _types(schema: Node) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _alternatives(document: Node, node: Node) -> list[Node]:
    """The plain schemas that *node* allows: references followed, ``allOf`` merged, ``anyOf`` and ``oneOf`` spread."""
    merged = _merged(document, node)
    choices = [*merged.get("anyOf", ()), *merged.get("oneOf", ())]
    shapes = [choice for choice in choices if set(choice) != {"required"}]
    return [schema for shape in shapes for schema in _alternatives(document, shape)] or [merged]


def _merged(document: Node, node: Node) -> Node:
    """*node* with its reference followed and the parts of ``allOf`` made one object."""
    node = _resolved(document, node)
    if "allOf" not in node:
        return node
    parts = [_merged(document, part) for part in node["allOf"]]
    return {
        "type": "object",
        "properties": {name: prop for part in parts for name, prop in part.get("properties", {}).items()},
        "required": [name for part in parts for name in part.get("required", ())],
        "additionalProperties": any(part.get("additionalProperties") for part in parts),
    }


def _items(document: Node, schemas: Sequence[Node]) -> list[Node]:
    return [item for schema in schemas if "items" in schema for item in _alternatives(document, schema["items"])]
