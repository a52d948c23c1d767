"""Tells whether a key works and a database can be written, without changing either."""

from __future__ import annotations

import asyncio
from typing import Any

import duckdb

from feedloom.catalogue import Vendor
from feedloom.config import Setting, find_setting, need_key
from feedloom.http import Answer, Client, Key
from feedloom.sync.failures import explain
from feedloom.sync.warehouse import check_folder, choose_target, open_pipeline


def check_key(vendor: Vendor, *, base_url: str | None = None, key: Setting | None = None) -> dict[str, Any]:
    """Ask the vendor's cheapest endpoint with the key; says where the key came from and what was asked.

    Raises CredentialError when it is missing or refused, RetryLaterError when the vendor can't be reached.
    """
    key = key or need_key(vendor.source_name, vendor.title, vendor.key_page)
    configured = find_setting(vendor.source_name, "base_url")
    address = base_url or (str(configured.value) if configured is not None else None)

    async def ask() -> Answer:
        async with Client(vendor, Key(key.value, key.origin), base_url=address) as client:
            return await client.check_key()

    answer = asyncio.run(ask())
    return {"url": answer.url, "status": answer.status, "origin": key.origin}


def check_database(vendor: Vendor, to: str | None) -> dict[str, Any]:
    """Whether the destination can be written: a DuckDB file is opened, another destination is asked for its state.

    Raises DestinationError when it can't, InputError when its settings are missing.
    """
    target = choose_target(vendor, to, None)
    if target.file is None:
        pipeline = open_pipeline(vendor, target)
        with pipeline.destination_client() as client:
            client.is_storage_initialized()
        return {"to": target.to, "state": "reachable"}
    check_folder(target.file)
    if not target.file.exists():
        return {"to": target.to, "state": "will be made"}
    try:
        duckdb.connect(str(target.file)).close()
    except duckdb.Error as error:
        raise explain(error) or error from None
    return {"to": target.to, "state": "can be written"}
