"""Each fault does what its sentence says, and lets a client that retries succeed in the end."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import orjson
import pytest

from emulator.asking import Asking, asking
from feedloom.emulator import create_emulator, describe, serve
from feedloom.errors import InputError


def statuses(api: Asking, times: int, path: str = "forms") -> list[int]:
    return [api.send("GET", path).status_code for _ in range(times)]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_comes_with_every_nth_request_and_the_error_of_the_vendor(status: int) -> None:
    with asking(faults=(f"{status}=2",)) as api:
        assert statuses(api, 4) == [200, status, 200, status]
        assert api.send("GET", "forms").status_code == 200
        assert set(api.send("GET", "forms").json()) == {"error"}


def test_a_fault_strikes_every_third_request_when_nothing_is_said() -> None:
    with asking(faults=("500",)) as api:
        assert statuses(api, 6) == [200, 200, 500, 200, 200, 500]


def test_429_says_how_long_to_wait_and_429_bare_does_not() -> None:
    with asking(faults=("429=2@list_forms", "429-bare=2@list_segments")) as api:
        polite = [api.send("GET", "forms") for _ in range(2)][-1]
        bare = [api.send("GET", "segments") for _ in range(2)][-1]
        assert (polite.status_code, polite.headers["retry-after"]) == (429, "1")
        assert (bare.status_code, "retry-after" in bare.headers) == (429, False)


def test_a_fault_can_be_kept_to_one_endpoint() -> None:
    with asking(faults=("500=2@list_forms",)) as api:
        assert statuses(api, 4, "segments") == [200] * 4
        assert statuses(api, 2, "forms") == [200, 500]


def test_always_strikes_every_request() -> None:
    with asking(faults=("503=always",)) as api:
        assert statuses(api, 5) == [503] * 5


def test_slow_requests_wait_that_many_milliseconds() -> None:
    with asking(faults=("slow=40",)) as api:
        started = time.monotonic()
        assert statuses(api, 1) == [200]
        assert time.monotonic() - started >= 0.04


def test_pages_above_a_size_fail_each_time_and_smaller_ones_never() -> None:
    with asking(faults=("too-large=50",)) as api:
        for path, status in (("responses?page_length=51", 500), ("responses?page_length=50", 200), ("account", 200)):
            assert statuses(api, 3, path) == [status] * 3


def test_html_comes_with_status_200() -> None:
    with asking(faults=("html=2",)) as api:
        _, page = (api.send("GET", "forms") for _ in range(2))
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert page.text.startswith("<!DOCTYPE html>")


def test_truncated_json_is_announced_with_its_own_length() -> None:
    with asking(faults=("truncated=2",)) as api:
        whole, cut = (api.send("GET", "forms") for _ in range(2))
        assert cut.status_code == 200
        assert int(cut.headers["content-length"]) == len(cut.content) == len(whole.content) // 2
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(cut.content)


def test_an_empty_page_claims_that_there_is_more() -> None:
    with asking(faults=("empty-page=2",)) as api:
        whole, empty = (api.get("responses", {"page_length": 5}) for _ in range(2))
        assert empty["items"] == []
        assert empty["pagination"] == whole["pagination"]


def test_a_page_may_lack_the_key_of_its_rows() -> None:
    with asking(faults=("missing-list-key=2",)) as api:
        whole, lacking = (api.get("responses", {"page_length": 5}) for _ in range(2))
        assert lacking == {"pagination": whole["pagination"]}


def test_a_further_page_may_hand_out_the_cursor_it_was_asked_with() -> None:
    with asking(faults=("repeated-cursor=2",)) as api:
        first = api.get("responses", {"page_length": 5})["pagination"]["next_page_cursor"]
        asked = {"page_length": 5, "page_cursor": first}
        right, repeated, right_again = (api.get("responses", asked) for _ in range(3))
        assert repeated["items"] == right["items"]
        assert repeated["pagination"]["next_page_cursor"] == first
        assert right_again == right


def test_a_refused_key_stays_refused_until_the_fault_is_taken_away() -> None:
    with asking(faults=("key-refused=2",)) as api:
        assert statuses(api, 4) == [200, 200, 404, 404]
        assert api.send("GET", "forms").json() == {"message": "API key not valid or does not exist"}
        api.emulator.faults.clear()
        assert statuses(api, 1) == [200]


def test_rows_added_while_a_list_is_paged_neither_repeat_nor_hide_others() -> None:
    with asking(rows=60) as api:
        before = api.uuids("responses", {"include": "all"})
        api.emulator.faults.add("rows-added")
        assert api.uuids("responses", {"include": "all", "page_length": 7}) == before
        api.emulator.faults.clear()
        after = api.uuids("responses", {"include": "all"})
        assert after[-60:] == before
        assert len(after) == 60 + 8


def test_a_dropped_connection_ends_in_the_middle_of_the_body() -> None:
    emulator = create_emulator("refiner", rows=20, faults=("drop=2",))
    with serve(emulator) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        headers = {"Authorization": f"Bearer {emulator.key}"}
        connection.request("GET", "/v1/forms", headers=headers)
        whole = connection.getresponse().read()
        connection.request("GET", "/v1/forms", headers=headers)
        response = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead) as dropped:
            response.read()
        assert dropped.value.partial == whole[: len(whole) // 2]
        connection.close()


def test_a_request_that_was_struck_is_spared_when_it_comes_again_among_others() -> None:
    with asking(faults=("500=2",)) as api:
        answered = [api.send("GET", f"segments?page={1 + number % 2}").status_code for number in range(12)]
        assert answered == [200, 500, 200, 200] * 3


def test_faults_change_while_the_emulator_runs() -> None:
    with asking() as api:
        api.emulator.faults.add("500=always")
        assert statuses(api, 1) == [500]
        api.emulator.faults.clear()
        assert statuses(api, 1) == [200]


def test_a_damaged_page_is_right_when_asked_for_again() -> None:
    with asking(faults=("truncated=2", "empty-page=3", "missing-list-key=5")) as api:
        answers = [api.send("GET", "responses?page_length=9").content for _ in range(30)]
        assert answers.count(answers[0]) == 30 - sum(1 for n in range(1, 31) if n % 2 == 0 or n % 3 == 0 or n % 5 == 0)


@pytest.mark.parametrize(
    "spec", ["501", "500=1", "500=x", "500=-2", "slow=always", "too-large=always", "500@nothing", "500=2@", ""]
)
def test_faults_that_do_not_exist_are_refused_with_those_that_do(spec: str) -> None:
    with pytest.raises(InputError) as refused:
        create_emulator("refiner", rows=5, faults=(spec,))
    assert refused.value.hint


def test_every_fault_is_described_in_a_sentence() -> None:
    faults = dict(describe("refiner").faults)
    assert set(faults) == {
        "429", "429-bare", "500", "503", "slow", "drop", "truncated", "html", "empty-page", "repeated-cursor",
        "missing-list-key", "key-refused", "rows-added", "too-large",
    }  # fmt: skip
    assert all(sentence.endswith(".") for sentence in faults.values())
