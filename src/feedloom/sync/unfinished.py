"""Finishes what an earlier run left half loaded, or takes it back where finishing could load rows twice."""

from __future__ import annotations

from dlt.common.schema.utils import get_root_table
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.sync.ledger import LEDGER


def take_back_unsure_appends(pipeline: Pipeline, vendor: Vendor) -> None:
    """Abort a pending load that was cut off while it appended to a merged table, with its cursor, or to the ledger.

    dlt sends a job again whose end it did not see, although its rows may be committed; merges do not mind, appends
    would double them. The journal has the pages, and the rows that did arrive are merged with them in the next load.
    The ledger keeps its entries, and loads those that are not there.
    """
    merged = {table.name for table in vendor.tables if table.write == "merge" and table.primary_key} | set(LEDGER)
    if pipeline.default_schema_name is None:
        return
    tables = pipeline.default_schema.tables
    for load_id in pipeline.list_normalized_load_packages():
        for job in pipeline.get_load_package_info(load_id).jobs["started_jobs"]:
            name = job.job_file_info.table_name
            root = get_root_table(tables, name)
            if root.get("write_disposition") == "append" and root.get("name") in merged:
                pipeline.abort_packages()
                return
