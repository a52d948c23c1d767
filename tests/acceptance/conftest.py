"""What the acceptance tests share: an emulator on a port, a folder to sync in, and the comparison of the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pytest

from support.refiner_stage import Clock, Stage, playing


class Play(Protocol):
    """Starts emulators of Refiner."""

    def __call__(
        self,
        *,
        rows: int,
        seed: int = 1,
        faults: Collection[str] = (),
        quirks: Mapping[str, str] | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> Stage:
        """One emulator with a folder of its own; what is left out has the emulator's default."""


KEPT_CASES = {
    "test_a_fault_that_stays_ends_in_one_named_error_and_no_half_truth": 2,
    "test_a_sync_gets_over_a_fault_that_passes": 1,
    "test_what_passes_by_itself_leaves_no_trace": 1,
    "test_what_does_not_pass_is_one_named_error_and_the_next_sync_makes_all_equal": 1,
    "test_tables_that_were_loaded_stay_as_they_were_when_everything_fails": 1,
    "test_rows_that_are_added_while_lists_are_read_come_with_the_next_sync": 0,
    "test_all_tables_come_whole_with_all_quirks_together": 0,
    "test_every_table_comes_whole_with_the_preferences_of_every_user": 0,
    "test_quirks_in_pairs": 1,
    "test_lists_that_scroll_come_whole": 4,
    "test_nobody_is_passed_over_when_somebody_changes_while_changes_are_read": 1,
    "test_nobody_is_passed_over_when_somebody_changes_while_all_are_read": 1,
    "test_events_come_whole": 0,
    "test_every_row_and_value_comes_from_120_responses": 1,
    "test_every_row_and_value_comes_from_1500_responses": 1,
    "test_the_command_loads_every_row_and_value_of_every_table": 1,
    "test_an_environment_with_one_response_comes_whole": 1,
    "test_any_behaviour_that_sources_disagree_on_gives_an_equal_database": 0,
    "test_a_sync_without_writes_finds_nothing_new_and_nothing_changed": 0,
    "test_many_short_syncs_come_to_the_same_as_one": 0,
    "test_an_import_with_a_date_long_past_is_found": 1,
    "test_values_that_change_their_kind_between_syncs_keep_both_kinds": 1,
    "test_a_run_that_is_interrupted_keeps_what_came_and_the_next_goes_on": 0,
    "test_a_sync_that_is_killed_goes_on_and_ends_equal": 0,
    "test_every_engine_leaves_the_same_database": 0,
    "test_refiner_goes_on_after_a_kill": 2,
    "test_gainsight_px_goes_on_after_a_kill": 2,
    "test_the_key_stands_nowhere_whatever_was_run": 1,
    "test_a_whole_list_that_comes_empty_is_not_believed": 0,
    "test_later_syncs_bring_what_is_new_and_nothing_else": 1,
    "test_events_that_come_late_are_found_within_the_look_back": 0,
    "test_a_start_that_is_given_each_time_sums_nothing_up_twice": 0,
    "test_a_tight_limit_only_takes_longer": 0,
    "test_nobody_is_passed_over_who_changes_before_a_broken_run_goes_on": 0,
    "test_what_changes_at_the_source_is_late_or_deleted_and_old_events_are_a_mismatch": 0,
    "test_a_later_sync_reads_fewer_rows_than_the_first": 0,
    "test_a_sync_after_a_long_pause_misses_nothing": 0,
    "test_a_fault_in_a_later_sync_leaves_what_was_loaded_and_moves_no_cursor": 0,
    "test_rows_that_are_added_while_pages_are_read_come_with_the_next_sync": 0,
    "test_the_command_waits_out_a_rate_limit": 0,
    "test_a_dismissal_long_after_the_showing_is_seen_by_a_full_sync": 0,
    "test_an_old_view_that_is_answered_later_gets_its_answers": 0,
    "test_a_survey_that_is_shown_again_moves": 0,
    "test_an_import_that_makes_up_for_a_deletion_is_found": 0,
    "test_figures_that_are_counted_by_another_rule_say_so": 1,
    "test_as_a_script_it_exits_1_when_something_differs": 1,
}
"""How many cases of the slowest tests ``make test`` runs; ``make nightly`` runs them all."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "big: takes several seconds; leave out with -m 'not big'")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    seen: Counter[str] = Counter()
    for item in items:
        name = item.name.partition("[")[0]
        seen[name] += 1
        if seen[name] > KEPT_CASES.get(name, seen[name]):
            item.add_marker(pytest.mark.nightly)


@pytest.fixture(autouse=True, scope="module")
def _dlt_by_itself(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep dlt away from the network and from the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        patch.setenv("RUNTIME__LOG_LEVEL", "ERROR")
        patch.setenv("DLT_DATA_DIR", str(tmp_path_factory.mktemp("dlt")))
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _playing(folder: Path) -> Iterator[Play]:
    with ExitStack() as stack:

        def start(
            *,
            rows: int,
            seed: int = 1,
            faults: Collection[str] = (),
            quirks: Mapping[str, str] | None = None,
            now: Callable[[], datetime] | None = None,
        ) -> Stage:
            stage = playing(folder, rows=rows, seed=seed, faults=faults, quirks=quirks, now=now)
            return stack.enter_context(stage)

        yield start


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    yield from _playing(tmp_path)


@pytest.fixture(scope="module")
def play_for_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    yield from _playing(tmp_path_factory.mktemp("stages"))
