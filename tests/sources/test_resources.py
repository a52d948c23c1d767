"""What dlt gets: rows, dispositions and hints, and state that moves only with what was read to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dlt.extract import DltSource
from dlt.extract.exceptions import ResourceExtractionError
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from feedloom.errors import CredentialError, FeedloomError, InputError
from feedloom.http import Page
from feedloom.http.observe import Silent
from feedloom.sources import Session, active, refiner_source
from feedloom.sources.journal.records import read_records
from feedloom.sync.failures import explain
from sources.fakes import KEY, NOW, FakeRefiner, Row, ask, contact, new_pipeline, response

DAY = timedelta(days=1)
LISTS: dict[str, list[Row]] = {
    path: [] for path in ("/contacts", "/forms", "/responses", "/segments", "/forms/config-history")
}


def refiner(**lists: list[Row]) -> FakeRefiner:
    """A Refiner with these *lists*, the others empty."""
    return FakeRefiner(lists={**LISTS, **{f"/{name}": rows for name, rows in lists.items()}})


def source(*tables: str, **settings: Any) -> DltSource:
    made: DltSource = refiner_source(api_key=KEY, **settings)
    return made.with_resources(*tables)


def load(pipeline: Pipeline, session: Session, *tables: str, **settings: Any) -> None:
    """Load *tables* as a user of dlt does."""
    with active(session):
        pipeline.run(source(*tables, **settings))


def extract(pipeline: Pipeline, session: Session, *tables: str, **settings: Any) -> None:
    """The part of a load that moves the state."""
    with active(session):
        pipeline.extract(source(*tables, **settings))


def rows_of(session: Session, *tables: str, **settings: Any) -> list[Row]:
    """The rows that the resources yield, without a pipeline."""
    with active(session):
        return list(source(*tables, **settings))


class StopAfter(Silent):
    """Stops a session when so many pages came."""

    def __init__(self, session: Session, pages: int) -> None:
        self._session = session
        self._left = pages

    def on_page(self, page: Page) -> None:  # noqa: ARG002 - which page it is does not matter
        """Count it."""
        self._left -= 1
        if self._left == 0:
            self._session.stop.set()


def stopping(session: Session, *, after_pages: int) -> Session:
    """*session*, stopped after so many pages."""
    session.observer = StopAfter(session, after_pages)
    return session


def error_of(call: Callable[[], object]) -> FeedloomError:
    """The feedloom error that ends *call*, inside of dlt's own."""
    with pytest.raises(PipelineStepFailed) as caught:
        call()
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, FeedloomError):
        cause = cause.__cause__ or cause.__context__
    assert cause is not None
    return cause


def cursor(pipeline: Pipeline) -> Mapping[str, Any] | None:
    """The cursor of the responses read without filters."""
    resources = pipeline.state.get("sources", {}).get("refiner_source", {}).get("resources", {})
    kept: Mapping[str, Any] | None = resources.get("responses", {}).get("cursors", {}).get("all")
    return kept


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return new_pipeline(tmp_path)


def test_every_table_is_a_resource_with_its_own_way_of_writing() -> None:
    with active(refiner().session()):
        made: DltSource = refiner_source(api_key=KEY)
    written = {name: resource.write_disposition for name, resource in made.resources.items()}
    assert written == {
        "contacts": "replace",
        "forms": "replace",
        "responses": "merge",
        "segments": "replace",
        "account": "append",
        "form_history": "merge",
        "reporting": "merge",
        "contact": "merge",
        "feedloom_columns": "merge",
    }
    assert set(made.selected_resources) == set(written) - {"contact"}


def test_a_full_load_replaces_a_windowed_table_and_a_lookup_merges_into_a_whole_list() -> None:
    with active(refiner().session()):
        made: DltSource = refiner_source(api_key=KEY, full=True, lookups={"contacts": [{"search": "a"}]})
    assert made.resources["responses"].write_disposition == "replace"
    assert made.resources["contacts"].write_disposition == "merge"


def test_columns_that_the_catalogue_vouches_for_have_their_types_before_any_value_came(pipeline: Pipeline) -> None:
    extract(pipeline, refiner(contacts=[contact("c1")]).session(), "contacts")
    columns = pipeline.default_schema.get_table_columns("contacts")
    assert columns["first_seen_at"]["data_type"] == "timestamp"
    assert columns["account__domain"]["data_type"] == "text"
    assert columns["uuid"]["primary_key"]


def test_texts_that_look_like_dates_stay_text(pipeline: Pipeline) -> None:
    rows = [contact("c1", note="2026-01-01T00:00:00Z"), contact("c2", note="soon")]
    load(pipeline, refiner(contacts=rows).session(), "contacts")
    assert ask(pipeline, "select attributes__note from contacts order by uuid") == [
        ("2026-01-01T00:00:00Z",),
        ("soon",),
    ]


def test_a_whole_list_leaves_nothing_of_the_one_before(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact("c1"), contact("c2")])
    load(pipeline, api.session(), "contacts")
    api.lists["/contacts"] = [contact("c2"), contact("c3")]
    load(pipeline, api.session(), "contacts")
    assert ask(pipeline, "select uuid from contacts order by 1") == [("c2",), ("c3",)]


def test_a_row_that_a_whole_list_repeats_is_loaded_once(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact("c1", n=1), contact("c2"), contact("c1", n=2), contact("c3")])
    api.page_rows = 2
    session = api.session()
    load(pipeline, session, "contacts")
    assert ask(pipeline, "select uuid, attributes__n from contacts order by 1") == [
        ("c1", 1),
        ("c2", None),
        ("c3", None),
    ]
    assert session.readings["contacts"].rows == 4


def test_a_whole_list_that_is_stopped_loads_nothing(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact("c1")])
    load(pipeline, api.session(), "contacts")
    api.lists["/contacts"] = [contact(f"n{number}") for number in range(4)]
    api.page_rows = 2
    session = stopping(api.session(), after_pages=1)
    with pytest.raises(PipelineStepFailed):
        load(pipeline, session, "contacts")
    assert not session.readings["contacts"].complete
    pipeline.abort_packages()
    assert ask(pipeline, "select uuid from contacts") == [("c1",)]


def days(count: int) -> list[Row]:
    """A response of each of the last *count* days, newest first."""
    return [
        response(f"r{day}", (NOW - (day + 1) * DAY).strftime("%Y-%m-%d %H:%M:%S"), data={"nps": day})
        for day in range(count)
    ]


def test_the_cursor_moves_when_the_last_page_came(pipeline: Pipeline) -> None:
    api = refiner(responses=days(5))
    api.page_rows = 2
    extract(pipeline, api.session(), "responses")
    assert cursor(pipeline) == {"through": NOW.isoformat()}
    api.seen.clear()
    extract(pipeline, api.session(now=NOW + DAY), "responses")
    assert {
        (asked["include"], asked["date_range_start"], asked["date_range_end"]) for asked in api.asked("/responses")
    } == {
        ("all", "2026-02-28T12:00:00Z", "2026-03-02T12:00:00Z"),
        ("partials", "2026-02-28T12:00:00Z", "2026-03-02T12:00:00Z"),
    }


def test_a_long_first_load_is_cut_where_the_list_begins(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedloom.sources.extent.LONG_LIST", 50)
    api = refiner(responses=[*days(50), response("old", "2020-01-01 00:00:00")])
    load(pipeline, api.session(), "responses")
    assert ask(pipeline, "select count(*) from responses") == [(51,)]
    count, last, *windows = api.asked("/responses")
    assert (count["page_length"], "page" in count, last["page"]) == ("1", False, "51")
    starts = sorted(asked.get("date_range_start", "") for asked in windows)
    ends = sorted(asked["date_range_end"] for asked in windows)
    assert len(windows) == 24
    assert (starts[0], starts[1:]) == ("", ends[:-1])


def test_a_short_first_load_is_one_list(pipeline: Pipeline) -> None:
    api = refiner(responses=days(50))
    load(pipeline, api.session(), "responses")
    assert [asked["page_length"] for asked in api.asked("/responses")] == ["1", "1000"]


def test_a_windowed_table_that_is_stopped_keeps_its_rows_and_its_cursor(pipeline: Pipeline) -> None:
    api = refiner(responses=days(5))
    api.page_rows = 2
    session = stopping(api.session(), after_pages=2)
    load(pipeline, session, "responses")
    assert not session.readings["responses"].complete
    [(rows,)] = ask(pipeline, "select count(*) from responses")
    assert 0 < rows < 5
    assert not cursor(pipeline)
    load(pipeline, api.session(), "responses")
    assert ask(pipeline, "select count(*) from responses") == [(5,)]
    assert cursor(pipeline) == {"through": NOW.isoformat()}


def test_a_list_that_fails_leaves_cursor_and_table_alone(pipeline: Pipeline) -> None:
    api = refiner(responses=days(5))
    api.page_rows = 2
    api.answer = lambda _path, params: httpx2.Response(400, json={"message": "no"}) if "page_cursor" in params else None
    error = error_of(lambda: extract(pipeline, api.session(), "responses"))
    assert "list_responses" in error.message
    pipeline.abort_packages()
    assert not cursor(pipeline)
    assert pipeline.default_schema_name is None


def test_a_refused_key_comes_out_as_such(pipeline: Pipeline) -> None:
    api = refiner()
    api.answer = lambda _path, _params: httpx2.Response(401, json={"error": "No API key found"})
    error = error_of(lambda: extract(pipeline, api.session(), "contacts"))
    assert isinstance(error, CredentialError)
    assert KEY not in str(error)


def test_reading_with_filters_moves_no_cursor_but_its_own(pipeline: Pipeline) -> None:
    api = refiner(responses=days(3))
    extract(pipeline, api.session(), "responses", form_uuids=["f1"])
    assert cursor(pipeline) is None
    extract(pipeline, api.session(), "responses")
    assert cursor(pipeline) == {"through": NOW.isoformat()}
    assert "date_range_start" not in api.asked("/responses")[-1]


def test_a_start_beyond_the_end_reads_nothing_and_moves_no_cursor(pipeline: Pipeline) -> None:
    api = refiner(responses=days(3))
    extract(pipeline, api.session(), "responses", start=NOW + DAY)
    assert api.asked("/responses") == []
    extract(pipeline, api.session(), "responses")
    assert "date_range_start" not in api.asked("/responses")[0]
    assert cursor(pipeline) == {"through": NOW.isoformat()}


def test_a_full_load_forgets_rows_that_are_gone_and_keeps_the_cursor(pipeline: Pipeline) -> None:
    api = refiner(responses=days(3))
    load(pipeline, api.session(), "responses")
    api.lists["/responses"] = days(2)
    load(pipeline, api.session(), "responses")
    assert ask(pipeline, "select count(*) from responses") == [(3,)]
    load(pipeline, api.session(), "responses", full=True)
    assert ask(pipeline, "select uuid from responses order by 1") == [("r0",), ("r1",)]
    assert cursor(pipeline) == {"through": NOW.isoformat()}


def test_lookups_read_what_they_name_and_move_no_cursor(pipeline: Pipeline) -> None:
    api = refiner(responses=days(3))
    load(pipeline, api.session(), "responses", lookups={"responses": [{"form_uuid": "f1"}, {"search": "nobody"}]})
    assert [(asked.get("form_uuid"), asked.get("search")) for asked in api.asked("/responses")] == [
        ("f1", None),
        (None, "nobody"),
    ]
    assert ask(pipeline, "select count(*) from responses") == [(3,)]
    assert cursor(pipeline) is None


def test_a_contact_is_looked_up_by_each_of_its_names() -> None:
    api = refiner()
    api.singles["/contact"] = contact("c1", plan="pro")
    rows = rows_of(api.session(), "contact", contact_email="c1@example.com", contact_id=["7", "8"])
    assert api.asked("/contact") == [{"id": "7"}, {"id": "8"}, {"email": "c1@example.com"}]
    assert [row["attributes"] for row in rows if "uuid" in row] == [{"plan": "pro"}] * 3


@pytest.mark.parametrize("lookups", [None, {"contact": []}])
def test_a_table_of_lookups_for_which_none_is_named_is_refused(lookups: Any) -> None:
    api = refiner()
    with pytest.raises(ResourceExtractionError) as caught:
        rows_of(api.session(), "contact", lookups=lookups)
    error = explain(caught.value)
    assert isinstance(error, InputError)
    assert "looked up by id or email or uuid, and none was named" in error.message
    assert '{"contact": [{"id": "..."}]}' in error.hint
    assert "[sources.refiner_source.lookups]" in error.hint
    assert api.seen == []


def test_a_lookup_into_a_table_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="Refiner has no table 'reponses'") as caught:
        source("responses", lookups={"reponses": [{}]})
    assert "responses" in caught.value.hint


def test_a_history_gains_a_row_a_run_with_the_moment_of_reading(pipeline: Pipeline) -> None:
    api = refiner()
    api.singles["/account"] = {"subscription": {"plan": "pro"}}
    for _ in range(2):
        load(pipeline, api.session(), "account")
    rows = ask(pipeline, "select subscription__plan, read_at from account")
    assert [plan for plan, _ in rows] == ["pro", "pro"]
    assert len({read_at for _, read_at in rows}) == 2
    assert all(timedelta(0) <= datetime.now(UTC) - read_at < timedelta(minutes=2) for _, read_at in rows)


def test_answers_come_out_long_too_with_types_of_their_own(pipeline: Pipeline) -> None:
    rows = [response("r1", "2026-02-01 10:00:00", data={"nps": 9, "why": ["fast", "cheap"]})]
    load(pipeline, refiner(responses=rows).session(), "responses")
    assert ask(
        pipeline,
        "select response_uuid, question, position, value_text, value_number, value_json"
        " from responses__answers order by question, position",
    ) == [
        ("r1", "nps", 0, "9", 9.0, "9"),
        ("r1", "why", 0, "fast", None, '"fast"'),
        ("r1", "why", 1, "cheap", None, '"cheap"'),
    ]


TRAITS: list[dict[str, Any]] = [
    {"userName": "a", "user_name": "b", "User Name": "c"},
    {"имя": 1, "名前": 2, "": 3, "  ": 4, "_": 5},
    {"nested": {"x": 1, "X": 2}, "list": [{"y": 1, "Y": 2}], "feedloom_more_keys": "mine"},
]


def test_the_table_of_names_says_which_key_every_column_of_an_open_map_holds(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact(f"c{number}", **traits) for number, traits in enumerate(TRAITS)])
    load(pipeline, api.session(), "contacts", "feedloom_columns")
    assert_named(pipeline, TRAITS)
    api.lists["/contacts"].append(contact("c9", **{"user name": "d", "feedloomMoreKeys": "also mine"}))
    load(pipeline, api.session(), "contacts", "feedloom_columns")
    assert_named(pipeline, [*TRAITS, {"user name": "d", "feedloomMoreKeys": "also mine"}])


def assert_named(pipeline: Pipeline, traits: Sequence[Mapping[str, Any]]) -> None:
    named = {
        (path, key): column
        for table, path, key, column in ask(
            pipeline, "select table_name, map_path, key, column_name from feedloom_columns"
        )
        if table == "contacts"
    }
    columns = {
        name for name in pipeline.default_schema.get_table_columns("contacts") if name.startswith("attributes__")
    }
    nested = {f"nested__{column}" for (path, _), column in named.items() if path == "attributes.nested"}
    top = {column for (path, _), column in named.items() if path == "attributes"}
    assert columns == {f"attributes__{column}" for column in (top | nested) - {"nested", "list"}}
    for row in traits:
        for key, value in row.items():
            if not isinstance(value, dict | list):
                column = named["attributes", key]
                assert (value,) in ask(pipeline, f"select attributes__{column} from contacts")
    assert len(set(named.items())) == len({(path, column) for (path, _), column in named.items()})


def test_names_of_all_tables_are_written_down_once_every_table_has_chosen_its_own(pipeline: Pipeline) -> None:
    api = refiner(
        contacts=[contact(f"c{number}", **{f"trait {number}": 1}) for number in range(6)],
        responses=[response(f"r{number}", "2026-02-01 10:00:00", data={f"Q{number}": 1}) for number in range(6)],
    )
    api.page_rows = 1
    load(pipeline, api.session(), "feedloom_columns", "contacts", "responses")
    found = ask(pipeline, "select table_name, key from feedloom_columns order by all")
    assert found == [("contacts", f"trait {n}") for n in range(6)] + [("responses", f"Q{n}") for n in range(6)]


def test_names_that_were_not_written_down_are_with_the_next_load_that_does(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact("c1", a=1)])
    load(pipeline, api.session(), "contacts")
    load(pipeline, api.session(), "segments", "feedloom_columns")
    assert ask(pipeline, "select table_name, key from feedloom_columns") == [("contacts", "a")]


def test_a_key_keeps_its_column_from_run_to_run(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact("c1", userName="a")])
    load(pipeline, api.session(), "contacts")
    api.lists["/contacts"] = [contact("c1", user_name="b", userName="a")]
    load(pipeline, api.session(), "contacts")
    ((plain, suffixed),) = ask(
        pipeline, "select attributes__user_name, columns('attributes__user_name_.*') from contacts"
    )
    assert (plain, suffixed) == ("a", "b")


def test_keys_past_the_cap_go_to_one_json_column_in_every_run(pipeline: Pipeline) -> None:
    traits = {"a": 1, "b": {"c": 2, "d": 3, "D": 4}, "e": {"f": 5}, "g": [6]}
    api = refiner(contacts=[contact("c1", **traits)])
    for run in range(2):
        session = api.session()
        load(pipeline, session, "contacts", column_cap=3)
        ((a, c, more, inner),) = ask(
            pipeline,
            "select attributes__a, attributes__b__c, attributes__feedloom_more_keys, attributes__b__feedloom_more_keys"
            " from contacts",
        )
        assert (run, a, c, json.loads(more), json.loads(inner)) == (
            run,
            1,
            2,
            {"e": {"f": 5}, "g": [6]},
            {"d": 3, "D": 4},
        )
        assert len(session.readings["contacts"].keys_past_cap) == 4
    columns = pipeline.default_schema.get_table_columns("contacts")
    assert columns["attributes__feedloom_more_keys"]["data_type"] == "json"


def test_a_value_of_another_kind_goes_to_the_variant_column(pipeline: Pipeline) -> None:
    rows = [contact("c1", n="9"), contact("c2", n=9), contact("c3", n=True)]
    load(pipeline, refiner(contacts=rows).session(), "contacts")
    found = ask(
        pipeline, "select attributes__n, attributes__n__v_bigint, attributes__n__v_bool from contacts order by uuid"
    )
    assert found == [("9", None, None), (None, 9, None), (None, None, True)]


def test_integers_beyond_64_bits_are_loaded_as_text(pipeline: Pipeline) -> None:
    api = refiner(contacts=[])
    body = {"items": [contact("c1", big=2**70, deep=[[2**64]])], "pagination": {"items_count": 1, "last_page": 1}}
    api.answer = lambda _path, _params: httpx2.Response(200, content=json.dumps(body).encode())
    load(pipeline, api.session(), "contacts")
    assert ask(pipeline, "select attributes__big from contacts") == [(str(2**70),)]
    assert ask(pipeline, "select value from contacts__attributes__deep__list") == [(str(2**64),)]


def journalled(tmp_path: Path, api: FakeRefiner, **more: Any) -> Session:
    folder = tmp_path / "journals"
    folder.mkdir(exist_ok=True)
    return api.session(journals=folder, **more)


def test_a_run_that_failed_goes_on_with_what_it_had_finished(pipeline: Pipeline, tmp_path: Path) -> None:
    received = (NOW - DAY / 2).strftime("%Y-%m-%d %H:%M:%S")
    old = [response(f"old{number}", "2025-01-01 00:00:00", received=received) for number in range(3)]
    api = refiner(responses=[response("new", received), *old])
    api.page_rows = 2
    extract(pipeline, api.session(now=NOW - DAY), "responses")
    api.answer = lambda _path, params: httpx2.Response(400, json={"message": "no"}) if "page_cursor" in params else None
    error_of(lambda: extract(pipeline, journalled(tmp_path, api), "responses"))
    api.answer = FakeRefiner().answer
    api.seen.clear()
    extract(pipeline, journalled(tmp_path, api, now=NOW + DAY), "responses")
    assert [(asked["include"], asked["page_cursor"]) for asked in api.asked("/responses")] == [("partials", "2")]
    assert cursor(pipeline) == {"through": NOW.isoformat()}


def test_the_journal_of_one_key_is_not_read_with_another(pipeline: Pipeline, tmp_path: Path) -> None:
    api = refiner(contacts=[contact("c1")])
    extract(pipeline, journalled(tmp_path, api), "contacts")
    for key, requests in ((KEY, 0), ("another-key-0123456789", 1)):
        api.seen.clear()
        with active(journalled(tmp_path, api)):
            pipeline.extract(refiner_source(api_key=key).with_resources("contacts"))
        assert len(api.asked("/contacts")) == requests


@pytest.mark.parametrize("auth", ["bearer", "api_key", "basic"])
def test_no_key_stands_in_a_journal(tmp_path: Path, auth: str) -> None:
    api = refiner(contacts=[contact("c1")])
    rows_of(journalled(tmp_path, api), "contacts", auth=auth)
    (file,) = (tmp_path / "journals").rglob("*.journal")
    records = list(read_records(file.parent))
    assert [record.header["kind"] for record in records] == ["opening", "list", "page"]
    assert KEY not in str([(record.header, record.body) for record in records])


def test_dlts_own_tools_work_on_the_resources(pipeline: Pipeline) -> None:
    api = refiner(contacts=[contact(f"c{number}") for number in range(4)])
    with active(api.session()):
        made = source("contacts")
        made.contacts.apply_hints(table_name="people")
        pipeline.run(made)
    assert ask(pipeline, "select count(*) from people") == [(4,)]


def test_sources_of_two_sessions_keep_apart() -> None:
    one, two = refiner(contacts=[contact("c1")]), refiner(contacts=[contact("c2"), contact("c3")])
    sessions = [one.session(), two.session()]
    made = []
    for session in sessions:
        with active(session):
            made.append(source("contacts"))
    for each in made:
        assert list(each)
    assert [session.readings["contacts"].rows for session in sessions] == [1, 2]


def test_a_look_back_that_is_asked_for_counts(pipeline: Pipeline) -> None:
    api = refiner(responses=days(3))
    extract(pipeline, api.session(), "responses")
    api.seen.clear()
    extract(pipeline, api.session(), "responses", look_back_hours=48)
    assert api.asked("/responses")[0]["date_range_start"] == "2026-02-27T12:00:00Z"
    with pytest.raises(InputError, match="look_back_hours is negative"):
        source("responses", look_back_hours=-1)


@pytest.mark.parametrize(("include", "asked"), [("partials", "partials"), ("completed", "completed")])
def test_a_choice_of_responses_is_read_by_when_they_came_in(include: str, asked: str) -> None:
    api = refiner(responses=[response("r1", "2026-01-01 00:00:00", received="2026-02-01 00:00:00")])
    rows = rows_of(api.session(), "responses", include=include, start="2026-01-15T00:00:00Z")
    assert {params["include"] for params in api.asked("/responses")} == {asked}
    assert [row["uuid"] for row in rows if "uuid" in row] == ["r1"]
