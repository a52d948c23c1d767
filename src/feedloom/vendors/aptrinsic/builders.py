"""The turns of phrase that recur in the description of Gainsight PX: evidence, parameters, paging, nested fields.

Source: the ``x-evidence`` marks of openapi.yaml, and aptrinsic-notes sections 1 (page sizes) and 2 (paging behaviour).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from feedloom.catalogue import Field, FilterField, Known, NumberPaging, Param, ScrollPaging, Source

CHECKED = "2026-10"

EVIDENCE = {
    "vendor-swagger": "api-evangelist/gainsight openapi/gainsight-px-rest-api-openapi.yml (vendor's Swagger, 0.1.6)",
    "vendor-support": "support.gainsight.com/PX",
    "vendor-java-sdk": "Gainsight PX Java SDK documentation",
    "px-data-loader": "aptrinsic/px-data-loader (vendor's tool, 1.3.5)",
    "posthog": "PostHog warehouse source gainsight_px, its tests and pull requests 67831 and 103677",
    "airbyte": "Airbyte source-gainsight-px",
    "widen-tap": "Widen/tap-gainsightpx code and commit history",
    "fivetran": "Fivetran documentation of Gainsight Product Experience (Lite)",
    "rudderstack": "rudderlabs/rudder-transformer gainsight_px destination, source and test fixtures",
    "c8y-sync": "a public NestJS service that syncs PX for Cumulocity",
    "manifest-proxy": "public MCP-style proxies of PX",
    "airflow-hook": "a public Airflow hook for PX",
    "polymetrics": "a public Go connector",
    "slack-bot": "a public Slack bot using PX",
    "rterakedis-gist": "GitHub gist rterakedis/437614bb",
    "celigo": "Celigo integrator connection definition",
    "hightouch": "Hightouch destination documentation",
    "pipedream": "Pipedream component",
    "adobe-aep": "Adobe Experience Platform destination documentation",
}

USER_TYPES = ("LEAD", "USER", "VISITOR", "EMPTY_USER_TYPE")

FILTER = Param(
    name="filter",
    encoding="repeat",
    summary="Conditions joined by `;` must all hold; of repeated parameters one is enough.",
)
SORT = Param(name="sort", summary="Fields joined by `;`; a leading `-` sorts downwards.")
SCROLL_ID = Param(name="scrollId", summary="Cursor from the last answer.")
PAGE_NUMBER = Param(name="pageNumber", type="integer", default=0, minimum=0, summary="Number of the page, from zero.")
PROPERTY_KEY = Param(name="propertyKey", summary="Only this product key.")
DATE_RANGE = ("dateRangeStart", "dateRangeEnd")
DATE_RANGE_PARAMS = (
    Param(name="dateRangeStart", type="integer", summary="Start, epoch milliseconds."),
    Param(name="dateRangeEnd", type="integer", summary="End, epoch milliseconds."),
)

LOCATION_PARTS = (
    Field(name="countryName"),
    Field(name="countryCode"),
    Field(name="stateName"),
    Field(name="stateCode"),
    Field(name="city"),
    Field(name="street"),
    Field(name="postalCode"),
    Field(name="continent"),
    Field(name="regionName"),
    Field(name="timeZone"),
    Field(name="coordinates", type="object", summary="Zero and zero when unknown."),
    Field(name="coordinates.latitude", type="number"),
    Field(name="coordinates.longitude", type="number"),
)
NAMED_PARTS = (Field(name="id"), Field(name="name"))
LANGUAGE_PARTS = (Field(name="languageCode"), Field(name="translated", type="boolean"))

WRITE_ENVELOPE = (
    Field(name="body", type="object", nullable=True, known=Known.ASSUMED),
    Field(name="statusCode", known=Known.ASSUMED),
    Field(name="statusCodeValue", type="integer", known=Known.ASSUMED),
)
ENVELOPE_NOTE = "The body is documented as a framework's wrapper that no client reads; it may be empty."


def source(*evidence: str, note: str = "") -> Source:
    """The evidence for one operation, given the names its sources have in ``EVIDENCE``, strongest first.

    Every operation is in the vendor's own file, so all are documented; *note* says where answers are not.
    """
    return Source(where=tuple(EVIDENCE[name] for name in evidence), checked=CHECKED, known=Known.DOCUMENTED, note=note)


def scroll_paging(*, only_null_ends: bool = False) -> ScrollPaging:
    """Scrolling, 25 rows a page by default and 1,000 at most.

    Source: aptrinsic-notes, section 1.
    """
    return ScrollPaging(
        scroll_param="scrollId",
        next="scrollId",
        size_param="pageSize",
        size_default=25,
        size_max=1000,
        total="totalHits",
        only_null_ends=only_null_ends,
    )


def number_paging(*, size_default: int, size_max: int) -> NumberPaging:
    """Pages numbered from zero, the last of them flagged.

    Source: aptrinsic-notes, sections 1 and 2.
    """
    return NumberPaging(
        number_param="pageNumber",
        first_number=0,
        size_param="pageSize",
        size_default=size_default,
        size_max=size_max,
        last="isLastPage",
    )


def page_size(*, default: int, maximum: int) -> Param:
    """The page size parameter; above *maximum* the vendor answers 400."""
    return Param(
        name="pageSize", type="integer", default=default, minimum=1, maximum=maximum, summary="Rows on a page."
    )


SCROLL_PARAMS = (FILTER, page_size(default=25, maximum=1000), SCROLL_ID, SORT)


def number_params(*, size_default: int, size_max: int) -> tuple[Param, ...]:
    """The parameters of a list that is cut by page number."""
    return (PAGE_NUMBER, page_size(default=size_default, maximum=size_max))


def path_param(*, name: str, summary: str) -> Param:
    """A text that stands in the path."""
    return Param(name=name, place="path", required=True, summary=summary)


def in_body(params: Iterable[Param], *, required: tuple[str, ...] = ()) -> tuple[Param, ...]:
    """*params* as keys of the JSON body, those named in *required* needed."""
    return tuple(replace(param, place="body", required=param.name in required) for param in params)


def moment(*, name: str, summary: str = "", zero_is_null: bool = True, known: Known = Known.DOCUMENTED) -> Field:
    """A point in time as the vendor writes it: whole epoch milliseconds in UTC, where 0 means not set.

    Moments that are part of a key keep their 0, since a key cannot be null: *zero_is_null* is False for them.

    Source: openapi.yaml, "Dates"; aptrinsic-notes, section 5.
    """
    return Field(name=name, type="timestamp", time="epoch_ms", zero_is_null=zero_is_null, summary=summary, known=known)


def nested(outer: Field, parts: Iterable[Field]) -> tuple[Field, ...]:
    """*outer* followed by its *parts*, their names put below it; a list's parts stand below ``outer[]``."""
    prefix = f"{outer.name}[]." if outer.type == "list" else f"{outer.name}."
    return (outer, *(replace(part, name=prefix + part.name) for part in parts))


def location(*, name: str, summary: str, nullable: bool = False) -> tuple[Field, ...]:
    """A place and its parts."""
    return nested(Field(name=name, type="object", nullable=nullable, summary=summary), LOCATION_PARTS)


def assumed(fields: Iterable[Field]) -> tuple[Field, ...]:
    """*fields*, marked as taken from a definition that the vendor does not connect with the operation."""
    return tuple(replace(field, known=Known.ASSUMED) for field in fields)


def filterable(*names: str) -> tuple[FilterField, ...]:
    """Fields that a filter takes with every operator."""
    return tuple(FilterField(name=name) for name in names)
