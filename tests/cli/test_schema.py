"""A vendor that changes its answers, as a person sees it: the report, the contract that stops a table, the lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cli.stage import BASE_URL, Here, Stage
from cli.test_golden import check
from feedloom.emulator import Emulator, create_emulator, serve

SYNC = ("sync", "refiner", "--quiet", "--only")
CHANGED = {"unverified_fields": "present", "folder": "text"}


@contextmanager
def vendor(**settings: Any) -> Iterator[tuple[Emulator, str]]:
    """A small Refiner of these tests' own, and its address."""
    emulator = create_emulator("refiner", rows=100, seed=3, key="emulator-key-of-the-drift-tests", **settings)
    with closing(emulator), serve(emulator) as url:
        yield emulator, url


@contextmanager
def at(stage: Stage, **settings: Any) -> Iterator[Emulator]:
    """The same, where the commands of *stage* find it."""
    with vendor(**settings) as (emulator, url):
        stage.environment[BASE_URL] = url
        stage.keep_key(emulator.key)
        yield emulator


def survey(emulator: Emulator, url: str) -> str:
    answer = httpx2.get(f"{url}/forms", headers={"Authorization": f"Bearer {emulator.key}"})
    return str(next(form["uuid"] for form in answer.json()["items"] if form["name"] == "Quarterly NPS"))


def configure(stage: Stage, text: str) -> None:
    settings = Path(stage.folder) / ".dlt" / "config.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(text, encoding="utf-8")


def test_what_the_vendor_changed_is_shown_and_a_frozen_table_waits_for_a_word(bare: Stage, here: Here) -> None:
    configure(bare, '[sources.refiner_source.contracts]\nforms = "freeze"\n')
    with at(bare):
        first = here(bare, *SYNC, "contacts,forms,segments")
        assert (first.code, "schema change" in first.out) == (0, False)
    with at(bare, quirks=CHANGED) as emulator:
        url = bare.environment[BASE_URL]
        emulator.control.edit_question(survey(emulator, url), "nps", {"text": "Would you recommend us?"})
        stopped = here(bare, *SYNC, "contacts,forms,segments")
        assert stopped.code == 1
        check("drift-frozen.txt", stopped.out + stopped.errors)
        taken = here(bare, *SYNC, "forms", "--contract", "forms=evolve")
        assert taken.code == 0
        check("drift-taken.txt", taken.out)
    shown = here(bare, "schema", "changes")
    assert shown.code == 0
    told = here(bare, "schema", "changes", "refiner", "--json").document["changes"]
    assert len(shown.out.splitlines()) == 1 + len(told)
    only = here(bare, "schema", "changes", "--table", "forms", "--json").document["changes"]
    assert [(row["table_name"], row["column_name"], row["kind"], row["new_type"]) for row in only] == [
        ("forms", "folder", "new column", "text")
    ]
    assert {row["table_name"] for row in told} == {"contacts", "contacts__segments", "forms", "segments"}
    [question] = here(bare, "schema", "questions", "refiner", "--json").document["changes"]
    assert (question["question"], question["aspect"], question["new_value"]) == (
        "nps",
        "text",
        "Would you recommend us?",
    )
    assert "Would you recommend us?" in here(bare, "schema", "questions").out
    none = here(bare, "schema", "changes", "--since", told[0]["seen_at"].replace("2026", "2027"))
    assert (none.code, none.errors.count("lies in the future")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("schema", "changes", "--table", "nothing"), 2, "there is no table 'nothing'"),
        (("schema", "changes", "aptrinsic"), 2, "nothing was loaded from Gainsight PX"),
        (("schema", "changes", "refiner", "--table", "responses"), 0, "nothing changed"),
        (("schema", "questions", "--since", "soon"), 2, "since is no date"),
    ],
)
def test_lists_of_nothing_and_wrong_names_say_so(
    arguments: tuple[str, ...], code: int, says: str, loaded: Stage, here: Here
) -> None:
    ended = here(loaded, *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.errors


@pytest.mark.nightly
def test_what_changed_more_than_once_between_syncs_is_found_in_the_history(bare: Stage, here: Here) -> None:
    with at(bare) as emulator:
        form = survey(emulator, bare.environment[BASE_URL])
        edit = emulator.control.edit_question
        here(bare, *SYNC, "forms,form_history")
        edit(form, "nps", {"text": "B?"})
        here(bare, *SYNC, "forms,form_history")
        for changes in ({"text": "C?", "scale": (1, 5)}, {"text": "D?"}):
            edit(form, "nps", changes)
        edit(form, "wanted_features", {"options": (("Exports", 1), ("Audit", 2))})
        edit(form, "nps_reason", {"kind": "single"})
        for _ in range(2):
            assert here(bare, *SYNC, "forms,form_history").code == 0
    told = here(bare, "schema", "questions", "--json").document["changes"]
    texts = [(row["old_value"], row["new_value"], row["seen_in"]) for row in told if row["aspect"] == "text"]
    assert sorted(texts) == [
        ("B?", "C?", "history"),
        ("B?", "D?", "config"),
        ("C?", "D?", "history"),
        ("How likely are you to recommend us to a friend or colleague?", "B?", "config"),
    ]
    others = {(row["question"], row["aspect"], row["new_value"]) for row in told if row["aspect"] != "text"}
    assert others == {
        ("nps", "scale", '{"max":5,"min":1}'),
        ("nps_reason", "type", "single"),
        ("wanted_features", "options", '["Exports","Audit"]'),
    }
