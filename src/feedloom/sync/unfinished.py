"""Finishes what an earlier run left half loaded, or takes it back where finishing could load rows twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.schema.utils import get_nested_tables, get_root_table
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.sync.ledger import LEDGER


def take_back_unsure_appends(pipeline: Pipeline, vendor: Vendor) -> None:
    """Abort a pending load that was cut off while it appended, with its cursor, and remove what arrived of it.

    dlt sends a job again whose end it did not see, although its rows may be committed; merges do not mind, appends
    would double them. A merged table is appended to while it is empty alone, so that all it holds came with this load:
    it is emptied with the tables below it, whose rows may have arrived without their parents. The journal has the
    pages for the next load. A history keeps the row that may have arrived, and gains another now. Files are left to
    dlt, which writes them again under their own names. The ledger keeps its entries, and loads what is
    not there.
    """
    if pipeline.default_schema_name is None or _writes_files(pipeline):
        return
    normalize = pipeline.default_schema.naming.normalize_table_identifier
    is_merged = {normalize(table.name): table.write != "append" for table in vendor.tables}
    unsure = set(_unsure_appends(pipeline)) & (is_merged.keys() | set(LEDGER))
    for table in unsure:
        if is_merged.get(table):
            _empty(pipeline, table)
    if unsure:
        pipeline.abort_packages()


def clear_away_normalised(pipeline: Pipeline) -> None:
    """Delete what is left of extracted packages whose normalised form is there.

    dlt puts that in its place and then deletes the extracted one, file by file. Cut off in between, it would normalise
    what is left once more, and fail since the place is taken.
    """
    storage = pipeline._get_normalize_storage()  # noqa: SLF001 - dlt has no public way
    for load_id in {*pipeline.list_extracted_load_packages()} & {*pipeline.list_normalized_load_packages()}:
        storage.extracted_packages.delete_package(load_id)


def _writes_files(pipeline: Pipeline) -> bool:
    destination = pipeline.destination
    return destination is not None and destination.destination_type.rpartition(".")[2] == "filesystem"


def _unsure_appends(pipeline: Pipeline) -> Iterator[str]:
    """The root tables to which a pending load was appending when it was cut off."""
    tables = pipeline.default_schema.tables
    for load_id in pipeline.list_normalized_load_packages():
        for job in pipeline.get_load_package_info(load_id).jobs["started_jobs"]:
            root = get_root_table(tables, job.job_file_info.table_name)
            if root.get("write_disposition") == "append":
                yield str(root["name"])


def _empty(pipeline: Pipeline, root: str) -> None:
    """Delete all rows of a root table and of the tables below it, the lowest first."""
    tables = [str(table["name"]) for table in get_nested_tables(pipeline.default_schema.tables, root)]
    for table in reversed(tables):
        with pipeline.sql_client() as client, suppress(DestinationUndefinedEntity):
            client.execute_sql(f"DELETE FROM {client.make_qualified_table_name(table)}")  # noqa: S608 - dlt quotes it
