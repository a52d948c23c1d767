"""The Gainsight PX (Aptrinsic) source: what users import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from feedloom.catalogue import Table
from feedloom.config import moment
from feedloom.errors import InputError
from feedloom.sources.contracts import checked_contracts
from feedloom.sources.keys import key_of_run
from feedloom.sources.naming import NamingSource
from feedloom.sources.planning import Range, with_look_back
from feedloom.sources.resources import make_resources
from feedloom.sources.table_plan import COLUMN_CAP, Connection, Options, checked_engine
from feedloom.vendors.aptrinsic.catalogue import APTRINSIC
from feedloom.vendors.aptrinsic.filters import Filter, parse_filter


@dlt.source(name="aptrinsic_source", section="aptrinsic_source", _impl_cls=NamingSource)
def aptrinsic_source(
    api_key: TSecretStrValue = dlt.secrets.value,
    base_url: str | None = None,
    region: str = "us",
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    filters: Mapping[str, Filter | Sequence[str]] | None = None,
    look_back_hours: float | None = None,
    full: bool = False,  # noqa: FBT001, FBT002 - dlt fills arguments by name
    column_cap: int = COLUMN_CAP,
    engine: str = "arrow",
    lookups: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    contracts: Mapping[str, Any] | None = None,
) -> Sequence[DltResource]:
    """All of a Gainsight PX subscription as dlt resources.

    Resources: ``users``, ``accounts``, ten event lists (``events_custom``, ``events_page_view``, ...),
    ``survey_responses``, ``engagements``, ``feature_flags`` and the others of the reference; ``user_preferences`` asks
    once for each user and is read only when it is selected; ``external_segments``, of which the vendor has no list,
    holds those whose ids are named in ``lookups``. Every argument can also come from dlt's configuration, section
    ``[sources.aptrinsic_source]``.

    Args:
        api_key: A key with the Read right; Administration > REST API in Gainsight PX. It belongs to one region.
        base_url: Another address of the API, ending in ``/v1`` or not.
        region: Where the subscription is kept: ``us``, ``eu`` or ``us2``.
        start: First moment of events and survey responses wanted, with time zone; two years back when left out, and
            later what came since.
        end: First moment no longer wanted, with time zone; now when left out.
        filters: Table -> filter, built with ``feedloom.vendors.aptrinsic.filters`` or written in the vendor's grammar;
            added to the date range where the table has one.
        look_back_hours: How far before the last load's end the next one starts; one day when left out.
        full: Read windowed tables whole again and replace them.
        column_cap: How many keys of a table's open maps become columns; the rest go to one JSON column.
        engine: How rows become tables: ``arrow`` many at once; ``json`` one by one, through dlt's own normaliser, which
            gives the same tables more slowly.
        lookups: Calls to make instead of the planned ones, by table, as the parameters of each; no cursor moves. They
            name external segments: ``{"external_segments": [{"segmentId": "9c1e"}]}``.
        contracts: What becomes of fields that are new or of another type, by table: ``evolve`` (the default) takes
            them, ``freeze`` stops the table before anything is loaded, ``quarantine`` puts their rows aside. Keys of
            an open map are always taken, unless ``users.customAttributes`` has a contract of its own.

    Raises:
        InputError: A date has no zone, the start is not before the end, the region or a filter's field is unknown, or
            no external segment is named (raised while they are read).
        CredentialError: Gainsight PX refused the key (raised while it is read).

    Source: aptrinsic-notes, sections 1 to 4 and 7.
    """
    if region not in ("us", "eu", "us2"):
        raise InputError(f"Gainsight PX has no region {region!r}", hint="choose us, eu or us2", code="FL214")
    options = Options(
        wanted=Range(start=moment(start, "start"), end=moment(end, "end")),
        params={name: _filter_params(name, given) for name, given in (filters or {}).items()},
        lookups=lookups or {},
        full=full,
        column_cap=column_cap,
        engine=checked_engine(engine),
        contracts=checked_contracts(APTRINSIC, contracts or {}),
        tables=_with_look_back(look_back_hours),
    )
    connection = Connection(holder=key_of_run("aptrinsic_source", api_key), base_url=base_url, server=region)
    return make_resources(APTRINSIC, connection, options)


def _filter_params(name: str, given: Filter | Sequence[str]) -> dict[str, Any]:
    try:
        table = APTRINSIC.table(name)
    except KeyError:
        raise InputError(f"Gainsight PX has no table {name!r}", hint="see the reference for its tables") from None
    endpoint = APTRINSIC.endpoint(table.endpoint)
    if not endpoint.filter_param:
        raise InputError(f"{name} takes no filter", hint="leave it out, and filter the table in SQL", code="FL215")
    built = given if isinstance(given, Filter) else parse_filter([given] if isinstance(given, str) else list(given))
    return {endpoint.filter_param: built.render(endpoint)}


def _with_look_back(hours: float | None) -> dict[str, Table]:
    if hours is None:
        return {}
    if hours < 0:
        raise InputError("look_back_hours is negative", hint="give 0 or more hours", code="FL213")
    return {table.name: with_look_back(table, timedelta(hours=hours)) for table in APTRINSIC.tables}
