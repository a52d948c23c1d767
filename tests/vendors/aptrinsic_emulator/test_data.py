"""What the made-up data are like: the same for a seed, in agreement with each other, and worth a chart."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.asking import asking
from vendors.aptrinsic_emulator.stage import (
    END_MS,
    EVENT_PATHS,
    LIST_KEYS,
    START_MS,
    TEN_KINDS,
    Px,
    playing,
)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    def told(seed: int) -> list[bytes]:
        with playing(rows=40, seed=seed) as px:
            window = {"filter": f"date>={START_MS};date<{START_MS + 180 * 86_400_000}", "pageSize": 50}
            return [px.send("GET", path, window if path in EVENT_PATHS else None).content for path in LIST_KEYS]

    assert told(3) == told(3)
    assert not set(told(3)) & set(told(4))


@pytest.mark.parametrize("rows", [0, 1, 2, 19, 20, 21, 150])
def test_there_are_as_many_users_as_rows_and_ten_times_as_many_events(rows: int) -> None:
    with playing(rows=rows) as px:
        assert len(px.rows("/v1/users")) == rows
        assert sum(len(px.history(path)) for path in TEN_KINDS) == 10 * rows


def test_ids_are_unique(px: Px) -> None:
    assert len({user["aptrinsicId"] for user in px.rows("/v1/users")}) == 200
    assert len({user["identifyId"] for user in px.rows("/v1/users")}) == 200
    events = [row["eventId"] for path in EVENT_PATHS for row in px.history(path)]
    assert len(events) == len(set(events))


@pytest.mark.parametrize("path", EVENT_PATHS)
def test_events_come_in_the_order_of_their_dates_within_the_history(px: Px, path: str) -> None:
    keys = [(row["date"], row["eventId"]) for row in px.history(path)]
    assert keys == sorted(keys)
    assert all(START_MS <= date < END_MS for date, _ in keys)


def test_a_user_is_seen_as_often_and_as_lately_as_the_sessions_say(px: Px) -> None:
    sessions = defaultdict(list)
    for row in px.history("/v1/events/session"):
        sessions[row["identifyId"]].append(row["date"])
    latest: defaultdict[str, int] = defaultdict(int)
    for path in set(TEN_KINDS) - {"/v1/events/email"}:
        for row in px.history(path):
            latest[row["identifyId"]] = max(latest[row["identifyId"]], row["date"])
    for user in px.rows("/v1/users"):
        dates = sessions[user["identifyId"]]
        assert user["numberOfVisits"] == len(dates)
        assert user["firstVisitDate"] == min(dates, default=0)
        assert user["lastSeenDate"] >= latest[user["identifyId"]]
        assert (user["lastSeenDate"] == 0) == (not dates)
        assert user["lastModifiedDate"] >= max(user["lastSeenDate"], user["createDate"])


def test_events_name_sessions_users_and_accounts_that_exist(px: Px) -> None:
    users = {user["identifyId"]: user for user in px.rows("/v1/users")}
    sessions = {row["sessionId"] for row in px.history("/v1/events/session")}
    for path in EVENT_PATHS:
        for row in px.history(path):
            user = users[row["identifyId"]]
            assert row["userType"] == user["type"]
            if path == "/v1/events/email":
                assert not {"sessionId", "accountId"} & set(row)
            else:
                assert row["accountId"] == user["accountId"]
                assert row["sessionId"] in sessions


def test_accounts_count_their_users_and_know_when_the_last_was_seen(px: Px) -> None:
    members = defaultdict(list)
    for user in px.rows("/v1/users"):
        members[user["accountId"]].append(user["lastSeenDate"])
    accounts = px.rows("/v1/accounts")
    assert {account["id"] for account in accounts} >= set(members) - {""}
    for account in accounts:
        assert account["numberOfUsers"] == len(members[account["id"]])
        assert account["lastSeenDate"] == max(members[account["id"]], default=0)
    assert members[""], "some users have no account"


def test_most_users_are_people_whom_refiner_knows_too(px: Px) -> None:
    with asking(rows=2000) as refiner:
        contacts = {contact["remote_id"]: contact for contact in refiner.rows("contacts")}
    users = px.rows("/v1/users")
    shared = [user for user in users if user["identifyId"] in contacts]
    assert 0.6 < len(shared) / len(users) < 0.78
    same_address = 0
    for user in shared:
        contact = contacts[user["identifyId"]]
        same_address += user["email"] == contact["email"]
        assert user["accountId"] == (contact["account"] or {"remote_id": ""})["remote_id"]
    assert same_address / len(shared) > 0.95, "Refiner lets a few contacts share an address"


def test_one_action_makes_a_row_for_each_feature_it_matches(px: Px) -> None:
    features = {row["id"] for row in px.get("/v1/feature", {"pageSize": 200})["features"]}
    actions = defaultdict(list)
    for row in px.history("/v1/events/feature_match"):
        action, _, feature_id = row["eventId"].rpartition("-")
        assert feature_id == row["featureId"]
        assert feature_id in features
        actions[action].append(row)
    sizes = Counter(len(rows) for rows in actions.values())
    assert set(sizes) >= {1, 2, 3}
    for rows in actions.values():
        assert len({(row["date"], row["identifyId"]) for row in rows}) == 1


def test_an_execution_of_a_survey_has_a_row_for_each_answered_question(px: Px) -> None:
    executions = defaultdict(list)
    for row in px.history("/v1/survey/responses"):
        executions[row["executionId"]].append(row)
    assert {len(rows) for rows in executions.values()} >= {1, 2, 3}
    for rows in executions.values():
        assert len({(row["engagementId"], row["executionDate"], row["identifyId"]) for row in rows}) == 1
        is_long = rows[0]["contentType"] == "IN_APP_MULTIPLE_QUESTION_SURVEY"
        assert is_long == (rows[0]["questionType"] != "")


def test_events_name_engagements_whose_type_is_spelt_otherwise(px: Px) -> None:
    types = {row["id"]: row["type"] for row in px.get("/v1/engagement")["engagements"]}
    pairs = {
        (types[row["engagementId"]], row["contentType"])
        for path in ("/v1/events/engagementView", "/v1/survey/responses")
        for row in px.history(path)
    }
    assert ("IN_APP_NPS_SURVEY", "IN_APP_SURVEY_NPS") in pairs
    assert {types[row["engagementId"]] for row in px.history("/v1/events/email")} <= {"EMAIL", "OUT_BOUND_EMAIL"}


def test_single_records_are_as_in_the_list(px: Px) -> None:
    for user in px.rows("/v1/users")[:40]:
        assert px.get(f"/v1/users/{user['identifyId']}") == user
    for account in px.rows("/v1/accounts"):
        assert px.get(f"/v1/accounts/{account['id']}") == account


def test_custom_attributes_have_odd_names_every_type_and_are_described() -> None:
    with playing(rows=1500) as px:
        kinds: dict[str, set[type]] = defaultdict(set)
        bare = 0
        for user in px.rows("/v1/users"):
            bare += user["customAttributes"] is None
            for name, value in (user["customAttributes"] or {}).items():
                kinds[name].add(type(value))
        types = {row["apiName"]: row["type"] for row in px.get("/v1/admin/model/user/attributes")}
    python: dict[str, set[type]] = {"STRING": {str}, "NUMBER": {int, float}, "BOOLEAN": {bool}, "DATE_TIME": {int}}
    assert bare
    assert {"Größe", "любимый_модуль", "🎯 goal", "userTier", "user_tier", "is champion?"} <= set(kinds)
    assert {types[name] for name in kinds} == set(python)
    for name, found in kinds.items():
        assert found <= python[types[name]] | {type(None)}


def test_unset_values_are_written_as_the_vendor_does(px: Px) -> None:
    users = px.rows("/v1/users")
    assert "EMPTY_GENDER" in {user["gender"] for user in users}
    assert "EMPTY_USER_TYPE" in {user["type"] for user in users}
    never = next(user for user in users if not user["lastSeenDate"])
    assert never["lastVisitedUserAgentData"] is None
    assert never["lastInferredLocation"]["coordinates"] == {"latitude": 0.0, "longitude": 0.0}
    assert any(user["location"]["city"] == "" for user in users)


def test_use_follows_the_week_and_grows(px: Px) -> None:
    dates = [datetime.fromtimestamp(row["date"] / 1000, tz=UTC) for row in px.history("/v1/events/pageView")]
    weekend = sum(date.weekday() >= 5 for date in dates) / 2
    working = sum(date.weekday() < 5 for date in dates) / 5
    assert weekend < working / 2
    middle = datetime.fromtimestamp((START_MS + END_MS) / 2000, tz=UTC)
    assert sum(date < middle for date in dates) < sum(date >= middle for date in dates)


def test_the_contented_export_more_and_give_better_scores() -> None:
    with playing(rows=3000) as px:
        plans = {account["id"]: account["plan"] for account in px.rows("/v1/accounts")}
        exports = next(row["id"] for row in _features(px) if row["name"] == "Exports")
        used: dict[str, list[bool]] = defaultdict(list)
        for row in px.history("/v1/events/feature_match"):
            used[plans.get(row["accountId"], "free")].append(row["featureId"] == exports)
        scores: dict[str, list[int]] = defaultdict(list)
        for row in px.history("/v1/survey/responses", groups=["contentType==IN_APP_SURVEY_NPS"]):
            scores[plans.get(row["accountId"], "free")].append(row["score"])
    assert _mean(used["enterprise"]) > _mean(used["free"])
    assert _mean(scores["enterprise"]) > _mean(scores["free"])


def _features(px: Px) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = px.get("/v1/feature", {"pageSize": 200})["features"]
    return rows


def _mean(values: list[Any]) -> float:
    return float(sum(values)) / len(values)


def test_adoption_counts_the_feature_matches_of_a_week(px: Px) -> None:
    end_ms = END_MS - 40 * 86_400_000
    start_ms = end_ms - 7 * 86_400_000
    rows = px.rows("/v1/events/feature_match", {"filter": f"date>={start_ms};date<{end_ms}"})
    feature_id, count = Counter(row["featureId"] for row in rows).most_common(1)[0]
    asked = {"dateRangeStart": start_ms, "dateRangeEnd": end_ms}
    found = px.get(f"/v1/feature/adoption/{feature_id}", asked)
    matched = [row for row in rows if row["featureId"] == feature_id]
    assert found["totalEventCount"] == count
    assert found["uniqueUserCount"] == len({row["identifyId"] for row in matched})
    assert found["uniqueAccountCount"] == len({row["accountId"] for row in matched} - {""})
    assert (found["dateRangeStart"], found["dateRangeEnd"]) == (start_ms, end_ms)


def test_sums_of_errors_agree_with_their_details(px: Px) -> None:
    asked = {"dateRangeStart": END_MS - 180 * 86_400_000, "dateRangeEnd": END_MS}
    sums = px.rows("/v1/admin/monitoring/engagement_errors", asked)
    assert sums
    for row in sums:
        assert row["ratio"] == row["errorCount"] / row["views"]
        for by_browser in (True, False):
            details = px.get(
                f"/v1/admin/monitoring/engagement_error_details/{row['engagementId']}",
                {**asked, "groupByBrowser": by_browser},
            )["engagementErrorDetails"]
            assert sum(one["errorCount"] for one in details) == row["errorCount"]
            assert all(bool(one["browser"]) == by_browser for one in details)
