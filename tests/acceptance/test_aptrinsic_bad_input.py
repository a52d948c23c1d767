"""What a person may get wrong with Gainsight PX: one clear message each, the right exit code, and no traceback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from feedloom import aptrinsic_source
from feedloom.errors import InputError
from feedloom.vendors.aptrinsic.filters import F
from support.aptrinsic_stage import COMMAND, Stage, playing
from support.outcome import Outcome

SETTING = "SOURCES__APTRINSIC_SOURCE__"

WRONG_ARGUMENTS: Mapping[str, tuple[Sequence[str], str, str]] = {
    "dates the wrong way round": (
        ("--start", "2026-02-01T00:00:00Z", "--end", "2026-01-01T00:00:00Z"),
        "FL211",
        "is not before end",
    ),
    "a window in the future": (
        ("--start", "2099-01-01T00:00:00Z", "--end", "2099-02-01T00:00:00Z"),
        "FL217",
        "lies in the future",
    ),
    "a date without a zone": (("--start", "2026-01-01"), "FL210", "has no time zone"),
    "a date that is none": (("--end", "yesterday"), "FL212", "is no date"),
    "a table that does not exist": (("--only", "users,surveys"), "FL230", "has no table 'surveys'"),
}

WRONG_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "a region that does not exist": ("REGION", "mars", "has no region 'mars'"),
    "a look-back into the future": ("LOOK_BACK_HOURS", "-1", "look_back_hours is negative"),
    "a look-back that is no number": ("LOOK_BACK_HOURS", "many", "look_back_hours has a value of the wrong kind"),
}

WRONG_FILTERS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an unknown field": ({"events_custom": ["colour==red"]}, "does not know the field 'colour'"),
    "a field spelt nearly right": ({"users": ["lastSeenDat>1"]}, "did you mean 'lastSeenDate'?"),
    "an operator that the field does not take": (
        {"events_feature_match": ["identifyId~u*"]},
        "does not take ~ on 'identifyId'",
    ),
    "no comparison at all": ({"users": ["paying"]}, "is no comparison"),
    "a table without a filter": ({"articles": ["id==1"]}, "articles takes no filter"),
    "a table that does not exist": ({"surveys": ["id==1"]}, "has no table 'surveys'"),
}

REFUSED_KEYS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a key of another region": ({"region": "401"}, "belongs to another region"),
    "a key without the Read right": ({"rights": "no-read"}, "lacks the right that this call needs (Read to load"),
    "the same, told by a page for people": ({"rights": "no-read", "forbidden_body": "html"}, "lacks the right"),
}


def sync(stage: Stage, *arguments: str) -> Outcome:
    """Run ``feedloom sync aptrinsic`` as a person at a terminal does."""
    return stage.finish(stage.start(COMMAND, "sync", "aptrinsic", *arguments))


def assert_refused(outcome: Outcome, *, code: int, words: str, stage: Stage) -> None:
    """The command said what is wrong and what to do, and no more."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.errors.startswith("error[FL")
    assert words in outcome.errors
    assert "\nhelp: " in outcome.errors
    assert "Traceback" not in outcome.errors
    assert stage.emulator.key not in outcome.errors
    assert not stage.database.exists()


@pytest.mark.parametrize("mistake", WRONG_ARGUMENTS)
def test_a_wrong_argument_is_refused_before_anything_is_asked(mistake: str, tmp_path: Path) -> None:
    arguments, error_code, words = WRONG_ARGUMENTS[mistake]
    with playing(tmp_path, rows=1) as stage:
        outcome = sync(stage, *arguments)
        assert_refused(outcome, code=2, words=words, stage=stage)
        assert f"error[{error_code}]" in outcome.errors
        assert stage.emulator.requests.total == 0


@pytest.mark.parametrize("mistake", WRONG_SETTINGS)
def test_a_wrong_setting_is_refused_before_anything_is_asked(mistake: str, tmp_path: Path) -> None:
    name, value, words = WRONG_SETTINGS[mistake]
    with playing(tmp_path, rows=1) as stage:
        stage.environment[SETTING + name] = value
        assert_refused(sync(stage), code=2, words=words, stage=stage)
        assert stage.emulator.requests.total == 0


@pytest.mark.parametrize("mistake", REFUSED_KEYS)
def test_a_key_that_is_refused_is_named_with_where_it_stood(mistake: str, tmp_path: Path) -> None:
    quirks, words = REFUSED_KEYS[mistake]
    with playing(tmp_path, rows=1, quirks=quirks) as stage:
        outcome = sync(stage)
        assert_refused(outcome, code=4, words=words, stage=stage)
        assert f"environment variable {SETTING}API_KEY" in outcome.errors
        assert stage.emulator.requests.total == 1


def test_a_wrong_key_is_never_repeated_to_its_owner(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1) as stage:
        stage.environment[SETTING + "API_KEY"] = "wrong-key-0123456789"
        outcome = stage.command()
        assert outcome.code == 4, outcome
        assert outcome.document["error"]["code"] == "FL400"
        assert "wrong-key" not in outcome.out + outcome.errors


def test_an_address_at_which_nothing_is_found_is_an_error(tmp_path: Path) -> None:
    with playing(tmp_path, rows=1, quirks={"region": "404"}) as stage:
        assert_refused(sync(stage), code=1, words="status 404", stage=stage)


@pytest.mark.parametrize("mistake", WRONG_FILTERS)
def test_a_wrong_filter_is_refused_before_anything_is_asked(mistake: str) -> None:
    filters, words = WRONG_FILTERS[mistake]
    with pytest.raises(InputError) as caught:
        aptrinsic_source(api_key="key-0123456789abcdef", filters=filters)
    assert words in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_filter_by_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="names no time zone"):
        aptrinsic_source(
            api_key="key-0123456789abcdef",
            filters={"users": F("lastSeenDate") > datetime(2026, 1, 31)},  # noqa: DTZ001 - the mistake
        )


def test_ids_that_a_path_has_to_spell_are_spelt(tmp_path: Path) -> None:
    tables = ("users", "user_preferences")
    with playing(tmp_path, rows=3) as stage:
        for identify_id in ("a/b", "ü ö", "100%", "%2F", "?x=1#y", "a+b", "a;b", "a\\b", "=1+1"):
            make_user(stage, identify_id)
        stage.clock.forward(minutes=1)
        stage.sync(only=tables)
        assert stage.differences(tables) == []


def test_an_id_that_no_path_can_hold_is_named(tmp_path: Path) -> None:
    with playing(tmp_path, rows=3) as stage:
        make_user(stage, "..")
        outcome = sync(stage, "--only", "user_preferences")
        assert outcome.code == 2, outcome
        assert "cannot put '..' into its path as 'identifyId'" in outcome.errors
        assert "Traceback" not in outcome.errors


def make_user(stage: Stage, identify_id: str) -> None:
    """Make a user through the API of the emulator and of its twin."""
    for url in (stage.url, stage.twin_url):
        with httpx2.Client(base_url=url, headers={"X-APTRINSIC-API-KEY": stage.emulator.key}) as http:
            user = {"identifyId": identify_id, "propertyKeys": ["AP-LOOMDEMOWEB1-2"]}
            http.post("/users", json=user).raise_for_status()
