"""What a resource yields: the pages of its table, shaped by one of two engines into what dlt loads.

``by_columns`` shapes many pages at once and hands Arrow tables to dlt. ``row_by_row`` shapes single rows and leaves
nested lists and types to dlt's own normaliser: slower, and the measure of the other.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from copy import deepcopy
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract.state import get_current_pipe

from feedloom.catalogue import Table
from feedloom.columnar import MORE_KEYS, ROW_HASH, KeyNames, RowShaper
from feedloom.columnar.arrow import ArrowShaper, Naming, Quarantined, Shaped
from feedloom.columnar.arrow.dlt_seam import (
    Handover,
    needs_root_ids,
    row_id_kind,
    stored_types,
    takes_nul,
    takes_parquet,
)
from feedloom.columnar.arrow.seen import SeenKeys
from feedloom.errors import VendorError
from feedloom.sources.absences import note_absences
from feedloom.sources.ahead import run_ahead
from feedloom.sources.bridge import iterate
from feedloom.sources.contracts import guard_of, leaves_contract_to_dlt, refuse
from feedloom.sources.journal import Journal
from feedloom.sources.keeping import kept_while_read
from feedloom.sources.listing import read_table
from feedloom.sources.naming import kept_names
from feedloom.sources.planning import Read
from feedloom.sources.quarantine import (
    QUARANTINE_TABLE,
    check_names,
    exact_rows,
    note_whole_reading,
    put_aside,
    readable_keys,
)
from feedloom.sources.reading import Reader, Rows
from feedloom.sources.replaying import kept_rows
from feedloom.sources.session import Reading
from feedloom.sources.table_plan import TablePlan

_EXACT, _INFLATED = "counts_exact", "counts_inflated"


class StoppedError(Exception):
    """The reading of a list that replaces its table was stopped before its end; nothing of it may be loaded."""


def rows_of(plan: TablePlan) -> Callable[[], Iterator[Any]]:
    """The generator function of a resource, by the engine that was chosen.

    Where there is no load (a loop over the resource), or where the user's own steps are put behind the resource
    (``add_map``, ``add_filter``, ``add_limit``, an incremental), single rows come, as dlt's documentation has it; so
    they do where the destination does not take Parquet, and where the user set a contract of dlt's own that discards.
    """

    def rows() -> Iterator[Any]:
        is_fast = plan.options.engine == "arrow" and _is_load() and not _has_steps()
        is_fast = is_fast and takes_parquet(dlt.current.pipeline().destination)
        is_fast = is_fast and not leaves_contract_to_dlt(dlt.current.source_schema(), plan.table)
        yield from (by_columns(plan) if is_fast else row_by_row(plan))

    return rows


def _has_steps() -> bool:
    pipe: Any = get_current_pipe()
    return len(pipe.steps) > 1


def _is_load() -> bool:
    try:
        dlt.current.load_package_state()
    except CurrentLoadPackageStateNotAvailable:
        return False
    return True


def by_columns(plan: TablePlan) -> Iterator[Any]:
    """Pages shaped into Arrow tables, one batch ahead of dlt."""
    state = dlt.current.resource_state()
    load_id = dlt.current.load_package_state()["load_id"]
    with _counts_remembered(plan), kept_while_read(plan, state, load_id) as journal:
        yield from _by_columns(plan, state, journal)


def _by_columns(plan: TablePlan, state: dict[str, Any], journal: Journal | None) -> Iterator[Any]:
    table, reading = plan.table, plan.session.reading(plan.table.name)
    schema = dlt.current.source_schema()
    naming = Naming.of(schema)
    stored = stored_types(schema, naming.table(table.name))
    names = _key_names(plan, schema.naming.normalize_identifier, journal)
    shaper = ArrowShaper(
        table=table,
        endpoint=plan.endpoint,
        names=names,
        naming=naming,
        stored=stored,
        load_id=dlt.current.load_package_state()["load_id"],
        root_ids=needs_root_ids(stored, plan.write),
        row_ids=row_id_kind(plan.write),
        unique=plan.replaces or plan.only_appends,
        takes_nul=takes_nul(dlt.current.pipeline().destination),
        guard=guard_of(plan, schema, naming),
    )
    handover = Handover(write_disposition="append" if plan.only_appends else None)

    def shaped() -> Generator[Shaped, None, None]:
        for pages in _gathered(read_table(plan, state, reading, journal), reading, plan.session.batch_bytes):
            yield shaper.shape([page.cut for page in pages], [_extra(table, page) for page in pages])
            reading.pages += len(pages)

    for batch in run_ahead(shaped()):
        refuse(plan, batch.breaches, aside=True)
        aside = [*batch.quarantined, *(Quarantined(raw=one.raw, reason=one.reason) for one in batch.breaches)]
        reading.rows += batch.read
        reading.quarantined += len(aside)
        reading.refused += len(batch.breaches)
        reading.keys_past_cap |= names.refused
        reading.keys_renamed |= names.renamed
        if batch.keys is not None:
            plan.session.on_keys(table, batch.keys)
        yield from handover.items(batch)
        if aside:
            reading.keys_put_aside |= readable_keys(table, aside)
            yield put_aside(table, plan.endpoint, aside)
    _check_whole(plan, reading)
    note_absences(plan, reading)


@contextmanager
def _counts_remembered(plan: TablePlan) -> Iterator[None]:
    """Keeps with the source, from run to run, what is known of the vendor's counts of scrolls."""
    state, counts = dlt.current.source_state(), plan.session.counts
    counts.exact |= state.get(_EXACT, False)
    counts.inflated |= state.get(_INFLATED, False)
    yield
    if counts.exact:
        state[_EXACT] = True
    if counts.inflated:
        state[_INFLATED] = True


def row_by_row(plan: TablePlan) -> Iterator[Any]:
    """Rows shaped one by one, as plain Python values, a list for each page."""
    state = dlt.current.resource_state()
    load_id = dlt.current.load_package_state()["load_id"] if _is_load() else None
    with _counts_remembered(plan), kept_while_read(plan, state, load_id) as journal:
        yield from _row_by_row(plan, state, journal)


def _row_by_row(plan: TablePlan, state: dict[str, Any], journal: Journal | None) -> Iterator[Any]:
    table, reading = plan.table, plan.session.reading(plan.table.name)
    naming, spelling = dlt.current.source_schema().naming, Naming.of(dlt.current.source_schema())
    names = _key_names(plan, naming.normalize_identifier, journal)
    shaper = RowShaper(table, plan.endpoint, names)
    with_nul = not _is_load() or takes_nul(dlt.current.pipeline().destination)
    check = _contract_check(plan, spelling)
    seen = SeenKeys() if plan.replaces else None
    for page in _without_notes(read_table(plan, state, reading, journal), reading):
        reading.pages += 1
        reading.rows += len(page)
        check(page)
        shaped = shaper.shape(exact_rows(table, page, with_nul=with_nul), _extra(table, page))
        check_names(table, spelling, shaped)
        plan.session.on_keys(table, _keys(table, shaped))
        if seen is not None:
            shaped = _first_ones(table, shaped, seen)
        more = bool(names.refused) and not reading.keys_past_cap
        reading.keys_past_cap |= names.refused
        reading.keys_renamed |= names.renamed
        yield _with_more_keys(shaped, table, naming.make_path) if more else shaped
    _check_whole(plan, reading)
    if _is_load():
        note_absences(plan, reading)


def _contract_check(plan: TablePlan, naming: Naming) -> Callable[[Rows], None]:
    """Raises ContractError for a page with a row that breaks the table's contract, since here none is put aside.

    The other engine finds such rows, with names and types of its own, of which nothing is kept.
    """
    schema = dlt.current.source_schema()
    guard = guard_of(plan, schema, naming) if _is_load() else None
    if guard is None:
        return lambda _page: None
    kept = deepcopy(kept_names(plan.table.name))
    shaper = ArrowShaper(
        table=plan.table,
        endpoint=plan.endpoint,
        names=KeyNames(
            kept.get("columns", {}),
            schema.naming.normalize_identifier,
            cap=plan.options.column_cap,
            items=kept.get("items"),
        ),
        naming=naming,
        stored=stored_types(schema, naming.table(plan.table.name)),
        load_id="",
        guard=guard,
    )
    return lambda page: refuse(plan, shaper.shape([page.cut], [_extra(plan.table, page)]).breaches, aside=False)


def _check_whole(plan: TablePlan, reading: Reading) -> None:
    if not plan.replaces:
        return
    if reading.short:
        raise VendorError(
            f"the list is not whole: {reading.short[:1].lower()}{reading.short[1:]}",
            hint="nothing of it was loaded; run the command again",
            where=plan.table.name,
        )
    if not reading.complete:
        raise StoppedError(plan.table.name)
    if _is_load() and (reading.quarantined or QUARANTINE_TABLE in dlt.current.source_schema().tables):
        note_whole_reading(plan.table.name, dlt.current.load_package_state()["load_id"])


def _key_names(plan: TablePlan, normalize: Callable[[str], str], journal: Journal | None) -> KeyNames:
    kept = kept_names(plan.table.name)
    return KeyNames(
        kept.setdefault("columns", {}),
        normalize,
        cap=plan.options.column_cap,
        declared=_declared_kinds(plan, journal),
        items=kept.setdefault("items", {}),
    )


def _declared_kinds(plan: TablePlan, journal: Journal | None) -> dict[tuple[str, str], str]:
    """The kinds of the values of an open map, as the vendor lists them."""
    types = plan.table.map_types
    if types is None:
        return {}
    endpoint, read = plan.vendor.endpoint(types.endpoint), Read(params=types.params)
    if journal is not None:
        journal.begin(endpoint, read)  # what an earlier run kept may be old

    async def pages() -> AsyncGenerator[list[dict[str, Any]], None]:
        async with plan.client() as client, aclosing(Reader(client, endpoint, journal).read_list(read)) as found:
            async for page in found:
                yield page.rows

    kept = plan.session.kept
    return {
        (types.path, str(row[types.key])): types.kinds[row[types.type]]
        for rows in (iterate(pages) if kept is None else kept_rows(kept, endpoint))
        for row in rows
        if row.get(types.type) in types.kinds and types.key in row
    }


def _extra(table: Table, page: Rows) -> dict[str, Any]:
    return {**page.read.extra, table.read_at: page.read_at} if table.read_at else dict(page.read.extra)


def _without_notes(pages: Iterator[Rows], reading: Reading) -> Iterator[Rows]:
    """The pages that have rows to tell of; notes go to *reading*, as does when the last page came."""
    for page in pages:
        if page.is_short:
            reading.short = reading.short or page.note
        elif page.note:
            reading.notes.append(page.note)
        else:
            reading.read_at = page.read_at if reading.read_at is None else max(reading.read_at, page.read_at)
            reading.other_lists.update(page.other_lists)
            yield page


def _gathered(pages: Iterator[Rows], reading: Reading, batch_bytes: int) -> Iterator[list[Rows]]:
    """Pages in batches of about *batch_bytes*."""
    waiting: list[Rows] = []
    size_bytes = 0
    for page in _without_notes(pages, reading):
        waiting.append(page)
        size_bytes += page.cut.size_bytes
        if size_bytes >= batch_bytes:
            yield waiting
            waiting, size_bytes = [], 0
    if waiting:
        yield waiting


def _keys(table: Table, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The primary key and the fingerprint of each row, under the vendor's names."""
    names = (*table.primary_key, ROW_HASH)
    return pa.table({name: pa.array([row[name] for row in rows]) for name in names})


def _first_ones(table: Table, rows: list[dict[str, Any]], seen: SeenKeys) -> list[dict[str, Any]]:
    """The rows whose key did not come before: a list may repeat one while it is paged, and nothing here merges it."""
    keys = ["\x1f".join(str(row.get(name)) for name in table.primary_key) for row in rows]
    repeated = seen.add(pa.array(keys, pa.string())).tolist()
    return [row for row, is_repeated in zip(rows, repeated, strict=True) if not is_repeated]


def _with_more_keys(rows: list[dict[str, Any]], table: Table, make_path: Callable[..., str]) -> Any:
    columns: Any = {
        (name := make_path(*path.split("."), MORE_KEYS)): {"name": name, "data_type": "json"}
        for path in table.open_maps
    }
    return dlt.mark.with_hints(rows, dlt.mark.make_hints(columns=columns))
