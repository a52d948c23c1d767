"""A table that keeps its columns gets no other, loses no row that fits, and accounts for every row that does not."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from columnar.made_up import ENDPOINT, TABLE, Loads, Page, loads
from columnar.reference import BOOKKEEPING, make_names, make_schema
from feedloom.columnar.arrow import ArrowShaper, Guard, Naming, Shaped, TableContract
from feedloom.columnar.arrow.column_types import KINDS
from feedloom.columnar.arrow.dlt_seam import stored_types
from feedloom.http.cutting import cut

FAST = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Types = dict[str, dict[str, str]]
IN_MAPS = ("answers", "person__traits")


def shape(pages: list[Page], stored: Types, contract: TableContract | None) -> Shaped:
    """What becomes of *pages* in a table that holds *stored*."""
    schema = make_schema(TABLE, ENDPOINT)
    naming = Naming.of(schema)
    guard = Guard(contract, table=TABLE, endpoint=ENDPOINT, naming=naming, stored=stored) if contract else None
    shaper = ArrowShaper(
        table=TABLE,
        endpoint=ENDPOINT,
        names=make_names({}, schema, 300),
        naming=naming,
        stored=stored,
        load_id="1",
        guard=guard,
    )
    return shaper.shape([cut(ENDPOINT, body) for body, _ in pages], [added for _, added in pages])


def fields(shaped: Shaped) -> set[tuple[str, str]]:
    """Table and column of every field with a value, and each table; ``form`` and ``month`` are added here."""
    return {(table.name, "") for table in shaped.tables if table.name != "things__replies"} | {
        (table.name, column)
        for table in shaped.tables
        for column in table.rows.column_names
        if column not in (*BOOKKEEPING, "form", "month") and table.name != "things__replies"
    }


def of_the_vendor(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {
        (table, column)
        for table, column in found
        if not column.startswith(IN_MAPS) and not table.startswith(tuple(f"things__{name}" for name in IN_MAPS))
    }


def raws(pages: list[Page]) -> Counter[bytes]:
    return Counter(
        orjson.dumps(orjson.loads(bytes(row)), option=orjson.OPT_SORT_KEYS)
        for body, _ in pages
        for row in cut(ENDPOINT, body).rows
    )


def hold(given_loads: Loads) -> None:
    """Shape the loads with and without a contract; whatever is lost or comes in fails here."""
    first, *later = [[page for batch in batches for page in batch] for batches in given_loads]
    before = stored_types(make_schema(TABLE, ENDPOINT), "things")
    for table in shape(first, before, None).tables:
        types = before.setdefault(table.name, {})
        kinds = {name: KINDS[table.rows.schema.field(name).type] for name in table.rows.column_names}
        before[table.name] = {**kinds, **table.types, **types}
    for pages in [first, *later]:
        free = shape(pages, before, None)
        kept = shape(pages, before, TableContract(fields="quarantine", maps={"person.traits": "freeze"}))
        assert kept.read == sum(raws(pages).values())
        loaded = kept.keys.num_rows if kept.keys is not None else 0
        assert loaded + len(kept.breaches) + len(kept.quarantined) == kept.read
        allowed = {(table, column) for table, columns in before.items() for column in ["", *columns]}
        described = {
            ("things__visits", ""),
            ("things__visits", "at"),
            ("things", "person__born_at"),
            ("things", "guessed_at"),
        }
        assert of_the_vendor(fields(kept)) <= allowed | described
        assert not [one for one in fields(kept) - allowed if one[1].startswith("person__traits__")]
        if of_the_vendor(fields(free)) <= allowed | described:
            assert not [one for one in kept.breaches if not one.path]


@FAST
@given(given_loads=loads)
def test_rows_loaded_and_rows_put_aside_are_the_rows_read_and_no_column_is_new(given_loads: Loads) -> None:
    hold(given_loads)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@settings(FAST, max_examples=200)
@given(given_loads=loads)
def test_any_rows_under_a_contract_at_length(given_loads: Loads) -> None:
    hold(given_loads)
