"""Tells whether a key works and a database can be written, without changing either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import duckdb
from dlt.pipeline.pipeline import Pipeline

from feedloom.catalogue import Vendor
from feedloom.config import Setting, find_setting
from feedloom.http import SILENT, Client, Observer
from feedloom.sources.keys import hold_needed_key
from feedloom.sync.failures import explain
from feedloom.sync.warehouse import Target, check_file, choose_target, open_pipeline, work_folder_kept_on_success

_ATTEMPTS = 4
"""Enough to outlast a hiccup; a host that is away is reported within seven seconds."""


def check_key(
    vendor: Vendor, *, base_url: str | None = None, key: Setting | None = None, observer: Observer = SILENT
) -> dict[str, Any]:
    """Ask the vendor's cheapest endpoint with the key; says where the key came from (``origin``) and what was asked.

    Raises:
        CredentialError: The key is missing or was refused.
        RefusedError: The key works, and that endpoint is not open to it or not there.
        RetryLaterError: The vendor can't be reached, or keeps failing.
        InputError: The address is none.
    """
    holder = hold_needed_key(vendor, key)
    address = base_url or _setting(vendor, "base_url")
    region = _setting(vendor, "region")

    async def ask() -> str:
        client = Client(
            vendor,
            holder,
            base_url=address,
            server=region if region in vendor.servers else None,
            observer=observer,
            attempts=_ATTEMPTS,
        )
        async with client:
            return (await client.check_key()).url

    return {"url": asyncio.run(ask()), "origin": holder.key.origin}


def check_database(vendor: Vendor, to: str | None) -> dict[str, Any]:
    """Whether the destination can be written, and in which ``state`` it is; raises what ``check_target`` raises."""
    target = choose_target(vendor, to, None)
    with work_folder_kept_on_success(keep=False):
        return {"to": target.to, "state": check_target(target, lambda: open_pipeline(vendor, target))}


def check_target(target: Target, pipeline: Callable[[], Pipeline]) -> str:
    """The state of *target*, in words: a DuckDB file is opened, another is asked through its *pipeline*.

    Raises DestinationError when it can't be written, InputError when its settings are missing, and what dlt raises of
    it, which ``failures.explain`` knows.
    """
    if target.file is None:
        with pipeline().destination_client() as client:
            client.is_storage_initialized()
        return "reachable"
    check_file(target.file)
    if not target.file.exists():
        return "will be made"
    try:
        duckdb.connect(str(target.file)).close()
    except duckdb.Error as error:
        raise explain(error) or error from None
    return "can be written"


def _setting(vendor: Vendor, name: str) -> str | None:
    found = find_setting(vendor.source_name, name)
    return str(found.value) if found is not None else None
