"""Rate limits, kept in a sliding window by a clock that the test moves."""

from __future__ import annotations

from emulator.asking import asking


class Seconds:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds it stands at."""
        return self.now


def test_a_key_is_refused_beyond_its_limit_until_the_window_has_moved_on() -> None:
    seconds = Seconds()
    with asking(limited=True, clock_s=seconds, quirks={"limit_key": "3"}) as api:
        for moment in (0.0, 10.0, 20.0):
            seconds.now = moment
            assert api.send("GET", "segments").status_code == 200
        seconds.now = 30.5
        refused = api.send("GET", "segments")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        assert refused.json() == {"error": "Too many requests"}
        seconds.now = 60.0
        assert api.send("GET", "segments").status_code == 200
        assert api.send("GET", "segments").status_code == 429


def test_waiting_as_told_is_enough() -> None:
    seconds = Seconds()
    with asking(limited=True, clock_s=seconds, quirks={"limit_key": "2"}) as api:
        for _ in range(10):
            response = api.send("GET", "segments")
            seconds.now += int(response.headers.get("retry-after", 0))
            if response.status_code == 429:
                assert api.send("GET", "segments").status_code == 200


def test_each_user_has_a_limit_apart_from_the_key() -> None:
    with asking(limited=True) as api:
        for _ in range(100):
            assert api.send("GET", "contact", {"id": "u-000001"}).status_code == 200
        assert api.send("GET", "contact", {"id": "u-000001"}).status_code == 429
        assert api.send("POST", "track-event", json={"id": "u-000001", "event": "seen"}).status_code == 429
        assert api.send("GET", "contact", {"id": "u-000002"}).status_code == 200
        assert api.send("GET", "segments").status_code == 200


def test_the_limit_per_user_can_be_the_older_one() -> None:
    with asking(limited=True, quirks={"limit_user": "80"}) as api:
        answers = [api.send("GET", "contact", {"id": "u-000001"}).status_code for _ in range(81)]
        assert answers == [200] * 80 + [429]


def test_a_bad_key_does_not_use_up_the_limit() -> None:
    with asking(limited=True, quirks={"limit_key": "1"}) as api:
        for _ in range(3):
            assert api.send("GET", "segments", headers={"Authorization": "Bearer x"}).status_code == 401
        assert api.send("GET", "segments").status_code == 200


def test_without_limits_nothing_is_refused() -> None:
    with asking(limited=False) as api:
        assert {api.send("GET", "contact", {"id": "u-000001"}).status_code for _ in range(150)} == {200}
