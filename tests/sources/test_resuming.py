"""A list that broke off goes on at the page after the last one kept, where that is safe, and else starts over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx2
import pytest

from feedloom.errors import CredentialError
from feedloom.sources import Session, active, refiner_source
from feedloom.sync.failures import explain
from sources.fakes import KEY, NOW, FakeRefiner, contact, new_pipeline

HOUR = timedelta(hours=1)


@pytest.fixture
def api() -> FakeRefiner:
    rows = [contact(f"c{number}") for number in range(7)]
    made = FakeRefiner(lists={"/contacts": rows, "/forms": [{"uuid": row["uuid"]} for row in rows]})
    made.page_rows = 2
    return made


def read(api: FakeRefiner, folder: Path, table: str, **more: object) -> None:
    """One run that reads a table whole."""
    folder.mkdir(exist_ok=True)
    session: Session = api.session(journals=folder, **more)
    with active(session):
        new_pipeline(folder.parent).extract(refiner_source(api_key=KEY).with_resources(table))
    assert session.reading(table).complete


def refused_from(position: str, name: str) -> Callable[[str, Mapping[str, str]], httpx2.Response | None]:
    """An answer that refuses the page at *position*, as if the run had broken off there."""
    return lambda _path, params: httpx2.Response(400, json={"message": "no"}) if params.get(name) == position else None


def broken_off(api: FakeRefiner, folder: Path, table: str, position: str, name: str) -> None:
    """A run that ends at that page."""
    api.answer = refused_from(position, name)
    with pytest.raises(Exception):  # noqa: B017, PT011 - dlt wraps the refusal
        read(api, folder, table)
    api.answer = FakeRefiner().answer
    api.seen.clear()


def asked(api: FakeRefiner, path: str, name: str) -> list[str | None]:
    return [params.get(name) for params in api.asked(path)]


def test_by_number_while_the_vendors_count_holds(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "forms", "3", "page")
    read(api, tmp_path / "journals", "forms")
    assert asked(api, "/forms", "page") == ["3", "4"]


@pytest.mark.parametrize("change", ["deleted", "added"])
def test_by_number_the_list_starts_over_when_the_count_has_changed(
    change: str, api: FakeRefiner, tmp_path: Path
) -> None:
    broken_off(api, tmp_path / "journals", "forms", "3", "page")
    rows = api.lists["/forms"]
    api.lists["/forms"] = rows[1:] if change == "deleted" else [{"uuid": "new"}, *rows]
    read(api, tmp_path / "journals", "forms")
    assert asked(api, "/forms", "page") == ["3", "1", "2", "3", *(["4"] if change == "added" else [])]


def test_by_number_the_list_starts_over_after_an_hour_of_the_vendors_time(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "forms", "3", "page")
    real = FakeRefiner(lists=api.lists, page_rows=2)
    later = format_datetime(datetime.now(NOW.tzinfo) + 2 * HOUR)

    def dated(path: str, params: Mapping[str, str]) -> httpx2.Response:
        request = httpx2.Request("GET", f"https://api.refiner.io/v1{path}", params=dict(params))
        answer = real.transport().handler(request)
        assert isinstance(answer, httpx2.Response)
        return httpx2.Response(200, content=answer.content, headers={"date": later})

    api.answer = dated
    read(api, tmp_path / "journals", "forms")
    assert asked(api, "/forms", "page") == ["3", "1", "2", "3", "4"]


def test_by_cursor_whatever_was_added(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    api.lists["/contacts"].append(contact("new"))
    read(api, tmp_path / "journals", "contacts")
    assert asked(api, "/contacts", "page_cursor") == ["4", "6"]


def test_a_cursor_that_is_refused_makes_the_list_start_over(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    answers = iter([httpx2.Response(400, json={"message": "unknown cursor"})])
    api.answer = lambda _path, _params: next(answers, None)
    read(api, tmp_path / "journals", "contacts")
    assert asked(api, "/contacts", "page_cursor") == ["4", None, "2", "4", "6"]


def test_a_cursor_that_is_ignored_makes_the_list_start_over(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    first = (
        FakeRefiner(lists=api.lists, page_rows=2)
        .transport()
        .handler(httpx2.Request("GET", "https://api.refiner.io/v1/contacts?page_length=1000"))
    )
    assert isinstance(first, httpx2.Response)
    answers = iter([httpx2.Response(200, content=first.content)])
    api.answer = lambda _path, _params: next(answers, None)
    read(api, tmp_path / "journals", "contacts")
    assert asked(api, "/contacts", "page_cursor") == ["4", None, "2", "4", "6"]


def test_pages_that_are_an_hour_old_are_not_used_for_lists_without_a_window(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    read(api, tmp_path / "journals", "contacts", now=NOW + 1.1 * HOUR)
    assert asked(api, "/contacts", "page_cursor") == [None, "2", "4", "6"]


def test_a_list_that_never_ends_well_is_not_gone_on_with_for_ever(api: FakeRefiner, tmp_path: Path) -> None:
    """A list that ends with fewer rows than are counted is an error at first, and starts over in the next run."""
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    api.lists["/contacts"] = api.lists["/contacts"][:5]
    api.answer = lambda _path, params: (
        httpx2.Response(200, json={"items": [], "pagination": {"items_count": 7, "next_page_cursor": None}})
        if params.get("page_cursor") == "4" and len(api.seen) == 1
        else None
    )
    read(api, tmp_path / "journals", "contacts")
    assert asked(api, "/contacts", "page_cursor") == ["4", None, "2", "4"]


def test_a_failure_that_would_befall_any_list_is_told_as_such(api: FakeRefiner, tmp_path: Path) -> None:
    broken_off(api, tmp_path / "journals", "contacts", "4", "page_cursor")
    api.answer = lambda _path, _params: httpx2.Response(401, json={"message": "Unauthenticated."})
    with pytest.raises(Exception) as told:  # noqa: PT011 - dlt wraps it
        read(api, tmp_path / "journals", "contacts")
    assert isinstance(explain(told.value), CredentialError)
    api.answer = FakeRefiner().answer
    api.seen.clear()
    read(api, tmp_path / "journals", "contacts")
    assert asked(api, "/contacts", "page_cursor") == ["4", "6"]
