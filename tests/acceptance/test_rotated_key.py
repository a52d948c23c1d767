"""A key that is rotated while a sync runs costs the requests that are under way; the sync goes on with the new one."""

from __future__ import annotations

from pathlib import Path

from support.aptrinsic_stage import COMMAND, LATEST, Stage, playing

TABLES = ("accounts", "segments", "feature_flags", "events_custom")
SYNC = ("sync", "aptrinsic", "--json", "--only", ",".join(TABLES), "--end", LATEST.isoformat())
UNDER_WAY = 24
"""Requests that a client has under way at most; those that left with the old key are refused together."""

NEW = "emulator-key-that-was-made-today"


def keep_key(stage: Stage, key: str) -> None:
    """Put *key* where a person has it, in the project's secrets."""
    file = stage.folder / ".dlt" / "secrets.toml"
    file.parent.mkdir(exist_ok=True)
    address = f'base_url = "{stage.url}"'
    file.write_text(f'[sources.aptrinsic_source]\napi_key = "{key}"\n{address}\n', encoding="utf-8")


def test_a_sync_goes_on_when_its_key_is_rotated(tmp_path: Path) -> None:
    with playing(tmp_path, rows=120, faults=["slow=40"]) as stage:
        keep_key(stage, stage.emulator.key)
        old = stage.emulator.key
        program = stage.start(COMMAND, *SYNC, knows_key=False)
        stage.wait_for_requests(program, 4)
        keep_key(stage, NEW)
        stage.emulator.key = NEW
        ended = stage.finish(program)
        assert ended.code == 0, ended
        assert "was refused, and another one stood in .dlt/secrets.toml" in ended.out
        assert 1 <= sum(request.status == 401 for request in stage.emulator.requests) <= UNDER_WAY
        assert old not in ended.out + ended.errors
        assert NEW not in ended.out + ended.errors
        stage.has_loaded(TABLES, now=LATEST)
        assert stage.differences(TABLES) == []


def test_a_key_that_was_withdrawn_ends_the_sync(tmp_path: Path) -> None:
    with playing(tmp_path, rows=120, faults=["slow=40"]) as stage:
        keep_key(stage, stage.emulator.key)
        program = stage.start(COMMAND, *SYNC, knows_key=False)
        stage.wait_for_requests(program, 4)
        stage.emulator.key = NEW
        ended = stage.finish(program)
        assert ended.code == 4, ended
        assert "refused the key from .dlt/secrets.toml" in ended.out
