"""An emulator in a process of its own that does what it is told: faults come and go, people answer and visit.

The parent writes one JSON line a wish to its standard input and reads one line back. ``feedloom emulator start`` cannot
be told anything while it runs, and an emulator in the parent's own process could not be measured.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from feedloom.emulator import Emulator, create_emulator, serve
from feedloom.errors import InputError

_EVENTS = ("page_view", "feature_match", "custom", "session")
_STOP_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A running player.

    Attributes:
        url: Where the API is.
        key: The key it takes.
        process: Its process.
    """

    url: str
    key: str
    process: subprocess.Popen[str]

    def set_faults(self, faults: Sequence[str]) -> None:
        """Let these faults happen from now on, and no others."""
        self._told(faults=list(faults))

    def change(self, number: int, *, seed: int) -> None:
        """Let *number* things happen to the data, the same for the same seed and state."""
        self._told(changes=number, seed=seed)

    def requests(self) -> int:
        """How many requests came in all."""
        total: int = self._told()["requests"]
        return total

    def _told(self, **wish: Any) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 - a pipe was asked for
        assert self.process.stdout is not None  # noqa: S101 - the same
        self.process.stdin.write(f"{json.dumps(wish)}\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def playing(slug: str, *, rows: int, environment: Mapping[str, str]) -> Iterator[Player]:
    """A player of the vendor *slug* with *rows*; it ends with the block."""
    with subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "breaking.player", slug, str(rows)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment),
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            said = json.loads(process.stdout.readline())
            yield Player(url=said["url"], key=said["key"], process=process)
        finally:
            assert process.stdin is not None  # noqa: S101 - a pipe was asked for
            process.stdin.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def main(slug: str, rows: int) -> None:
    """Play until the standard input ends."""
    emulator = create_emulator(slug, rows=rows)
    with serve(emulator) as url:
        _say(url=url, key=emulator.key)
        for line in sys.stdin:
            _do(json.loads(line), emulator, _CHANGES[slug])
            _say(requests=emulator.requests.total)


def _do(wish: Mapping[str, Any], emulator: Emulator, change: Callable[[Any, int, int], None]) -> None:
    if "faults" in wish:
        emulator.faults.clear()
        for fault in wish["faults"]:
            emulator.faults.add(fault)
    if "changes" in wish:
        change(emulator.control, wish["changes"], wish["seed"])


def _change_refiner(control: Any, number: int, seed: int) -> None:
    """Answers, imports, views, renamed people and surveys; nobody is deleted."""
    control.random_writes(number, seed)


def _change_aptrinsic(control: Any, number: int, seed: int) -> None:
    """Visits and events of now: what happened long ago and is told today is found by no incremental load."""
    dice = random.Random(seed)  # noqa: S311 - invented data
    for _ in range(number):
        with suppress(InputError):
            identify_id = f"u-{dice.randrange(100):06d}"
            control.touch_user(identify_id)
            control.add_event(dice.choice(_EVENTS), identify_id)


_CHANGES: Mapping[str, Callable[[Any, int, int], None]] = {"refiner": _change_refiner, "aptrinsic": _change_aptrinsic}


def _say(**answer: Any) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
