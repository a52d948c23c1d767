"""The changes of fields and questions that the ledger keeps, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedloom.catalogue import Vendor
from feedloom.errors import InputError
from feedloom.sync.ledger import LEDGER, QUESTION_CHANGES, SCHEMA_CHANGES
from feedloom.sync.reading import Database, read_only
from feedloom.sync.warehouse import choose_target
from feedloom.vendors import VENDORS


def schema_changes(
    source: str | None, *, to: str | None, dataset: str | None, table: str | None = None, since: datetime | None = None
) -> list[dict[str, Any]]:
    """The changes of fields: ``source``, and the columns of ``feedloom_schema_changes``; ``seen_at`` is aware.

    *table* keeps those of one table and the tables below it, *since* those seen from then on.

    Raises:
        InputError: No vendor asked for has such a table, or nothing was loaded from *source*.
        DestinationError: There is no database yet, or it can't be opened.
    """
    name = _known_table(_vendors(source), table) if table is not None else ""
    found = _kept(source, SCHEMA_CHANGES, to=to, dataset=dataset, since=since)
    return [row for row in found if not name or f"{row['table_name']}__".startswith(f"{name}__")]


def question_changes(
    source: str | None, *, to: str | None, dataset: str | None, since: datetime | None = None
) -> list[dict[str, Any]]:
    """The changes of questions, with the columns of ``feedloom_question_changes``; else as :func:`schema_changes`."""
    return _kept(source, QUESTION_CHANGES, to=to, dataset=dataset, since=since)


def _kept(
    source: str | None, ledger_table: str, *, to: str | None, dataset: str | None, since: datetime | None
) -> list[dict[str, Any]]:
    with read_only(to) as database:
        found = [
            {"source": vendor.slug, **row}
            for vendor in _vendors(source)
            for row in _rows(database, vendor, ledger_table, to=to, dataset=dataset, is_asked_for=source is not None)
        ]
    wanted = [row for row in found if since is None or row["seen_at"] >= since]
    return sorted(wanted, key=lambda row: (row["seen_at"], row["run_id"]), reverse=True)


def _rows(
    database: Database, vendor: Vendor, ledger_table: str, *, to: str | None, dataset: str | None, is_asked_for: bool
) -> list[dict[str, Any]]:
    target = choose_target(vendor, to, dataset)
    tables = database.tables.get(target.dataset, {})
    if is_asked_for and not tables:
        raise InputError(
            f"nothing was loaded from {vendor.title} into {target.to}, {target.dataset}",
            hint=f"run `feedloom sync {vendor.slug}`",
            code="FL253",
        )
    if ledger_table not in tables:
        return []
    columns = ", ".join(LEDGER[ledger_table])
    return database.ask(f"select {columns} from {target.dataset}.{ledger_table}").records()  # noqa: S608 - own names


def _vendors(source: str | None) -> Sequence[Vendor]:
    return [VENDORS[source]] if source is not None else list(VENDORS.values())


def _known_table(vendors: Sequence[Vendor], name: str) -> str:
    """*name*, where it is that of a table, an alias of one, or of a table below one."""
    tables = [table for vendor in vendors for table in vendor.tables]
    for table in tables:
        if name in table.aliases:
            return table.name
        if name == table.name or name.startswith(f"{table.name}__"):
            return name
    raise InputError(
        f"there is no table {name!r}",
        hint=f"choose from {', '.join(table.name for table in tables)}, or a table below one of them",
        code="FL230",
    )
