"""Asks a dlt dataset with ibis expressions, so that a metric is written once for every destination."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeAlias

import ibis
import sqlglot
from dlt.dataset import Dataset
from ibis.expr import types as ir
from sqlglot.optimizer.merge_subqueries import merge_subqueries
from sqlglot.optimizer.pushdown_projections import pushdown_projections

from feedloom.columnar import DELETED_AT
from feedloom.errors import InputError

Table: TypeAlias = ir.Table


def table(dataset: Dataset, name: str, *columns: str) -> Table:
    """The *columns* of the table called *name*, for an expression; raises InputError when it is not loaded.

    Rows that are marked as gone at the source are left out. A column that is not there, because no row ever had a value
    in it, is text and null.
    """
    if name not in dataset.tables:
        raise InputError(
            f"the table {name} is not loaded yet", hint="run `feedloom sync` for its source", where=name, code="FL232"
        )
    found = dataset.table(name).to_ibis()
    if DELETED_AT in found.columns:
        found = found.filter(found[DELETED_AT].isnull())
    chosen = {
        column: found[column] if column in found.columns else ibis.null().cast("string").name(column)
        for column in columns
    }
    return found.select(**chosen)


def moment(value: datetime) -> ir.TimestampScalar:
    """*value* as a literal that knows its zone, whatever the zone of the database's session."""
    return ibis.literal(value.astimezone(UTC), type="timestamp('UTC')")


def read_rows(dataset: Dataset, expression: Table) -> list[dict[str, Any]]:
    """The rows of *expression* as the destination gives them."""
    names = expression.columns
    return [dict(zip(names, row, strict=True)) for row in dataset(expression).fetchall()]


def text_of(dataset: Dataset, expression: Table) -> str:
    """The SQL of *expression* in the destination's dialect, with as few levels as it can do with, to be read."""
    dialect = dataset.destination_dialect
    query = sqlglot.parse_one(dataset(expression).to_sql(), dialect=dialect)
    return merge_subqueries(pushdown_projections(query)).sql(dialect=dialect)
