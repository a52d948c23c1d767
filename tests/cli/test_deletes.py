"""A whole list that suddenly lost much of its rows is not believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import duckdb
import httpx2
import pytest

from cli.stage import BASE_URL, Here, Served, Stage
from feedloom.emulator import create_emulator, serve


@pytest.fixture
def own_refiner() -> Iterator[Served]:
    """A small Refiner that a test may change."""
    with closing(create_emulator("refiner", rows=400, seed=3)) as emulator, serve(emulator) as url:
        yield Served(emulator=emulator, url=url)


def delete(served: Served, uuids: Sequence[str]) -> None:
    headers = {"Authorization": f"Bearer {served.emulator.key}"}
    with httpx2.Client(base_url=served.url, headers=headers) as client:
        for uuid in uuids:
            client.delete("contact", params={"uuid": uuid}).raise_for_status()


def contacts(stage: Stage) -> list[str]:
    with duckdb.connect(str(stage.database), read_only=True) as database:
        found = "select uuid from refiner_data.contacts where _feedloom_deleted_at is null order by 1"
        return [uuid for (uuid,) in database.execute(found).fetchall()]


def test_a_list_that_lost_much_is_not_loaded_until_it_is_allowed(here: Here, bare: Stage, own_refiner: Served) -> None:
    bare.environment[BASE_URL] = own_refiner.url
    bare.keep_key(own_refiner.emulator.key)
    sync = ("sync", "refiner", "--only", "contacts", "--json")
    assert here(bare, *sync).code == 0
    before = contacts(bare)
    delete(own_refiner, before[::2])

    refused = here(bare, *sync)
    assert refused.code == 3
    [table] = refused.document["tables"]
    assert (table["verdict"], table["withheld"], table["rows"]) == ("withheld", len(before[::2]), len(before))
    assert "--allow-deletes" in refused.document["findings"][0]
    assert contacts(bare) == before

    allowed = here(bare, *sync, "--allow-deletes")
    assert allowed.code == 0
    assert allowed.document["tables"][0]["gone"] == len(before[::2])
    assert len(contacts(bare)) == len(before) - len(before[::2])
