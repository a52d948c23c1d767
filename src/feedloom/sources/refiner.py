"""The Refiner source: what users import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import dlt
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from feedloom.catalogue import Table
from feedloom.config import moment
from feedloom.errors import InputError
from feedloom.sources.contracts import checked_contracts
from feedloom.sources.keys import key_of_run
from feedloom.sources.naming import NamingSource
from feedloom.sources.planning import Range
from feedloom.sources.resources import make_resources
from feedloom.sources.table_plan import COLUMN_CAP, Connection, Options, checked_engine
from feedloom.vendors.refiner.catalogue import REFINER

Include = Literal["all", "partials", "completed"]


@dlt.source(name="refiner_source", section="refiner_source", _impl_cls=NamingSource)
def refiner_source(
    api_key: TSecretStrValue = dlt.secrets.value,
    base_url: str | None = None,
    auth: Literal["bearer", "api_key", "basic"] = "bearer",
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    include: Include = "all",
    form_uuids: Sequence[str] | None = None,
    segment_uuids: Sequence[str] | None = None,
    with_attributes: bool = False,  # noqa: FBT001, FBT002 - dlt fills arguments by name
    look_back_hours: float = 24.0,
    contact_id: str | Sequence[str] | None = None,
    contact_email: str | Sequence[str] | None = None,
    contact_uuid: str | Sequence[str] | None = None,
    full: bool = False,  # noqa: FBT001, FBT002 - the same
    column_cap: int = COLUMN_CAP,
    engine: str = "arrow",
    lookups: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    contracts: Mapping[str, Any] | None = None,
) -> Sequence[DltResource]:
    """All of a Refiner environment as dlt resources.

    Resources: ``contacts``, ``forms``, ``responses``, ``segments``, ``account``, ``form_history``, ``reporting``, and
    ``contact`` once a contact is named. Every argument can also come from dlt's configuration, section
    ``[sources.refiner_source]``.

    Args:
        api_key: The key of one environment; Integrations > Rest API in Refiner.
        base_url: Another address of the API, ending in ``/v1``.
        auth: How the key is sent: as bearer token, as URL parameter or as user name.
        start: First moment of ``responses`` wanted, with time zone; without it the whole history is loaded at first,
            and later what came since.
        end: First moment no longer wanted, with time zone; now when left out.
        include: ``completed`` loads finished surveys only, ``partials`` those with any answer, ``all`` views as well.
        form_uuids: Load the responses of these surveys only.
        segment_uuids: Load the responses of contacts in these segments only.
        with_attributes: Add each contact's attributes of today to its responses.
        look_back_hours: How far before the last load's end the next one starts, for responses that arrive late.
        contact_id: Your own ids of contacts to look up into the table ``contact``.
        contact_email: The same by email; when several share one, Refiner picks.
        contact_uuid: The same by Refiner's uuid.
        full: Read ``responses`` whole again and replace the table.
        column_cap: How many keys of a table's open maps become columns; the rest go to one JSON column.
        engine: How rows become tables: ``arrow`` many at once; ``json`` one by one, through dlt's own normaliser, which
            gives the same tables more slowly.
        lookups: Calls to make instead of the planned ones, by table, as the parameters of each; no cursor moves.
        contracts: What becomes of fields that are new or of another type, by table: ``evolve`` (the default) takes
            them, ``freeze`` stops the table before anything is loaded, ``quarantine`` puts their rows aside. Keys of
            an open map are always taken, unless ``responses.data`` has a contract of its own.

    Raises:
        InputError: A date has no zone, or the start is not before the end.
        CredentialError: Refiner refused the key (raised while it is read).

    Source: refiner-notes, "Incremental sync".
    """
    changed = _responses_table(include, timedelta(hours=look_back_hours))
    params: dict[str, Any] = {}
    if form_uuids:
        params["form_uuids"] = list(form_uuids)
    if segment_uuids:
        params["segment_uuids"] = list(segment_uuids)
    if with_attributes:
        params["with_attributes"] = 1
    if include != "all":
        params["include"] = include
    contacts = [
        {name: one}
        for name, values in (("id", contact_id), ("email", contact_email), ("uuid", contact_uuid))
        for one in ([values] if isinstance(values, str) else values or ())
    ]
    options = Options(
        wanted=Range(start=moment(start, "start"), end=moment(end, "end")),
        params={"responses": params},
        lookups={**(lookups or {}), **({"contact": contacts} if contacts else {})},
        full=full,
        column_cap=column_cap,
        engine=checked_engine(engine),
        contracts=checked_contracts(REFINER, contracts or {}),
        tables={"responses": changed},
    )
    connection = Connection(holder=key_of_run("refiner_source", api_key), base_url=base_url, auth=auth)
    return make_resources(REFINER, connection, options)


def _responses_table(include: Include, look_back: timedelta) -> Table:
    table = REFINER.table("responses")
    window = table.window
    if window is None:
        raise ValueError("the responses table has lost its window")
    if look_back < timedelta(0):
        raise InputError("look_back_hours is negative", hint="give 0 or more hours", code="FL213")
    passes = window.passes
    if include != "all":
        passes = tuple(replace(step, first=True) for step in passes if step.name == "partials")
        passes = tuple(replace(step, params={"include": include}) for step in passes)
    return replace(table, window=replace(window, look_back=look_back, passes=passes))
