"""What is written shows in what is read, and nothing else changes."""

from __future__ import annotations

import io
import zipfile
from typing import Any
from urllib.parse import quote

import pytest

from vendors.aptrinsic_emulator.stage import DAY_MS, END_MS, Px, playing

KEY = "AP-LOOMDEMOWEB1-2"
USER: dict[str, Any] = {"identifyId": "kari-204", "propertyKeys": [KEY]}
EVENT: dict[str, Any] = {
    "eventName": "Report Exported",
    "identifyId": "u-000001",
    "propertyKey": KEY,
    "userType": "USER",
}


def of_today(px: Px, path: str = "/v1/events/custom") -> list[dict[str, Any]]:
    return px.rows(path, {"filter": f"date>={px.clock.ms - DAY_MS}"})


def test_a_user_is_created_once() -> None:
    with playing(rows=5) as px:
        fields = {
            "type": "LEAD",
            "email": "kari@example.com",
            "accountId": "acct-0000",
            "score": "12",
            "signUpDate": 1704067200000,
            "location": {"city": "Bergen"},
            "customAttributes": {"plan": "pro", "seats": "12", "beta": "true", "trialEnd": 1706659200000},
        }
        assert px.write("POST", "/v1/users", {**USER, **fields}).status_code == 201
        user = px.get("/v1/users/kari-204")
        assert user["id"] == user["identifyId"] == "kari-204"
        assert (user["type"], user["score"], user["gender"]) == ("LEAD", 12, "EMPTY_GENDER")
        assert (user["location"]["city"], user["location"]["countryName"]) == ("Bergen", "")
        assert user["customAttributes"] == {"plan": "pro", "seats": 12, "beta": True, "trialEnd": 1706659200000}
        assert user["createDate"] == user["lastModifiedDate"] == px.clock.ms
        assert px.rows("/v1/users")[-1] == user
        assert set(user) == set(px.rows("/v1/users")[0])
        assert px.refusal("POST", "/v1/users", json=USER, status=400)["message"] == "Record already exists"


def test_an_update_changes_what_it_names_and_moves_the_moment_of_change() -> None:
    with playing() as px:
        before = px.rows("/v1/users")
        number = next(at for at, user in enumerate(before) if user["customAttributes"])
        old = before[number]
        changes = {"role": "owner", "customAttributes": {"seats": 99}, "location": {"city": "Bergen"}, "phone": None}
        assert px.write("PUT", f"/v1/users/{old['id']}", changes).status_code == 204
        new = px.get(f"/v1/users/{old['id']}")
        assert new == {
            **old,
            "role": "owner",
            "customAttributes": {**old["customAttributes"], "seats": 99},
            "location": {**old["location"], "city": "Bergen"},
            "lastModifiedDate": px.clock.ms,
        }
        assert px.rows("/v1/users") == [*before[:number], new, *before[number + 1 :]]
        assert px.rows("/v1/users", {"filter": f"lastModifiedDate>={px.clock.ms}"}) == [new]
        assert px.rows("/v1/users", {"sort": "-lastModifiedDate"})[0] == new


@pytest.mark.parametrize("user_id", ["kari/204", "Kåre & co?", "update", "..", "a%2Fb"])
def test_ids_that_do_not_fit_a_path_go_into_the_body(user_id: str) -> None:
    with playing(rows=5) as px:
        px.write("POST", "/v1/users", {**USER, "identifyId": user_id})
        assert px.write("PUT", "/v1/users/update", {"identifyId": user_id, "role": "owner"}).status_code == 204
        filtered = px.rows("/v1/users", {"filter": f"identifyId=={user_id}"})
        assert [user["role"] for user in filtered] == ["owner"]
        if user_id != "..":
            assert px.get(f"/v1/users/{quote(user_id, safe='')}") == filtered[0]
        px.write("PUT", "/v1/user/preferences", {"identifyId": user_id, "surveys": False})
        assert px.write("POST", "/v2/user/preferences", {"identifyId": user_id}).json()["surveys"] is False
        px.write("DELETE", "/v1/users/delete", {"identifyId": user_id}, {"hardDelete": "true"})
        px.refusal("PUT", "/v1/users/update", json={"identifyId": user_id, "role": "x"}, status=404)


def test_what_does_not_exist_cannot_be_changed() -> None:
    with playing(rows=5) as px:
        error = px.refusal("PUT", "/v1/users/nobody", json={"role": "x"}, status=404)
        assert error["message"] == "User was not found for parameters {id=nobody}"
        for method, path, body in (
            ("DELETE", "/v1/users/nobody", None),
            ("PUT", "/v1/accounts/nothing", {"plan": "pro"}),
            ("DELETE", "/v1/accounts/nothing", None),
            ("GET", "/v1/users/denylist/nobody", None),
            ("PUT", "/v1/users/denylist/nobody", {"denied": True}),
            ("GET", "/v1/user/preferences/nobody", None),
            ("PUT", "/v2/user/preferences/nobody", {"surveys": True}),
            ("PUT", "/v1/feature/nothing", {"name": "x"}),
            ("POST", "/v1/feature/backfill/nothing", None),
            ("PUT", "/v1/engagement/state", {"engagementId": "nothing", "state": "PAUSE"}),
            ("PUT", "/v1/engagement/env", {"engagementId": "nothing", "env": "QA"}),
            ("PUT", "/v1/kcbot/state", {"kcId": "nothing", "state": "PAUSE"}),
        ):
            assert px.refusal(method, path, json=body, status=404)["status"] == "NOT_FOUND"
        px.refusal("DELETE", "/v1/engagement/nothing", status=400)


def test_a_deleted_user_is_gone_and_the_events_stay() -> None:
    with playing() as px:
        known = px.history("/v1/events/session")[0]["identifyId"]
        sessions = px.history("/v1/events/session")
        px.write("DELETE", f"/v1/users/{known}")
        px.refusal("GET", f"/v1/users/{known}", status=404)
        assert known not in [user["id"] for user in px.rows("/v1/users")]
        assert px.history("/v1/events/session") == sessions
        px.refusal("DELETE", f"/v1/users/{known}", status=404)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_deleted_user_is_revived_in_place_by_a_write_within_a_week(method: str) -> None:
    with playing(rows=20) as px:
        before = px.rows("/v1/users")
        px.write("DELETE", f"/v1/users/{before[3]['id']}")
        px.clock.forward(days=7)
        path = "/v1/users" if method == "POST" else f"/v1/users/{before[3]['id']}"
        body = {"role": "back"} if method == "PUT" else {**USER, "identifyId": before[3]["id"], "role": "back"}
        px.write(method, path, body)
        after = px.rows("/v1/users")
        assert [user["aptrinsicId"] for user in after] == [user["aptrinsicId"] for user in before]
        assert (after[3]["role"], after[3]["email"]) == ("back", before[3]["email"])


def test_a_user_deleted_for_good_or_long_ago_comes_back_as_a_stranger() -> None:
    with playing(rows=20) as px:
        before = px.rows("/v1/users")
        px.write("DELETE", f"/v1/users/{before[3]['id']}", params={"hardDelete": "true"})
        px.refusal("PUT", f"/v1/users/{before[3]['id']}", json={"role": "x"}, status=404)
        px.write("POST", "/v1/users", {**USER, "identifyId": before[3]["id"]})
        px.write("DELETE", f"/v1/users/{before[4]['id']}")
        px.clock.forward(days=7, seconds=1)
        px.refusal("PUT", f"/v1/users/{before[4]['id']}", json={"role": "x"}, status=404)
        px.write("POST", "/v1/users", {**USER, "identifyId": before[4]["id"]})
        after = px.rows("/v1/users")
        assert [user["id"] for user in after[-2:]] == [before[3]["id"], before[4]["id"]]
        assert not {user["aptrinsicId"] for user in after[-2:]} & {user["aptrinsicId"] for user in before}


def test_an_account_counts_the_users_who_come_and_go() -> None:
    with playing() as px:

        def count(account_id: str) -> int:
            found: int = px.get(f"/v1/accounts/{account_id}")["numberOfUsers"]
            return found

        one, other = (account["id"] for account in px.rows("/v1/accounts", {"filter": "numberOfUsers>2"})[:2])
        before = count(one), count(other)
        px.write("POST", "/v1/users", {**USER, "accountId": one})
        assert (count(one), count(other)) == (before[0] + 1, before[1])
        px.write("PUT", "/v1/users/kari-204", {"accountId": other})
        assert (count(one), count(other)) == (before[0], before[1] + 1)
        assert px.get(f"/v1/accounts/{other}")["lastModifiedDate"] == px.clock.ms
        px.write("DELETE", "/v1/users/kari-204")
        assert (count(one), count(other)) == before
        px.write("PUT", "/v1/users/kari-204", {"role": "back"})
        assert (count(one), count(other)) == (before[0], before[1] + 1)


def test_an_account_is_deleted_with_all_its_users() -> None:
    with playing() as px:
        account = px.rows("/v1/accounts", {"filter": "numberOfUsers>3"})[0]
        members = [user["id"] for user in px.rows("/v1/users", {"filter": f"accountId=={account['id']}"})]
        px.write("PUT", f"/v1/users/{members[0]}", {"role": "x"})
        px.write("POST", "/v1/users", {**USER, "accountId": account["id"]})
        others = len(px.rows("/v1/users")) - len(members) - 1
        px.write("DELETE", f"/v1/accounts/{account['id']}")
        px.refusal("GET", f"/v1/accounts/{account['id']}", status=404)
        assert len(px.rows("/v1/users")) == others
        for user_id in (*members, "kari-204"):
            px.refusal("GET", f"/v1/users/{user_id}", status=404)


def test_an_account_is_created_once_and_updated_in_part() -> None:
    with playing(rows=20) as px:
        body = {"id": "acme/7 & co", "name": "Acme AS", "propertyKeys": [KEY], "customAttributes": {"tier": "gold"}}
        assert px.write("POST", "/v1/accounts", body).status_code == 201
        px.refusal("POST", "/v1/accounts", json=body, status=400)
        px.write("PUT", "/v1/accounts/update", {"id": "acme/7 & co", "plan": "pro", "renewalDate": 1800000000000})
        account = px.get(f"/v1/accounts/{quote('acme/7 & co', safe='')}")
        assert (account["name"], account["plan"], account["renewalDate"]) == ("Acme AS", "pro", 1800000000000)
        assert set(account) == set(px.get("/v1/accounts/acct-0000"))
        assert px.rows("/v1/accounts")[-1] == account
        known = px.rows("/v1/accounts")[0]
        assert px.write("PUT", f"/v1/accounts/{known['id']}", {"csm": "Kari"}).status_code == 204
        assert px.rows("/v1/accounts")[0] == {**known, "csm": "Kari", "lastModifiedDate": px.clock.ms}


@pytest.mark.parametrize(
    "wrong",
    [
        {"propertyKeys": []},
        {"propertyKeys": KEY},
        {"customAttributes": {"nothing like it": 1}},
        {"customAttributes": {"seats": "many"}},
        {"customAttributes": {"beta": "perhaps"}},
        {"customAttributes": {"trialEnd": ""}},
        {"customAttributes": {"trialEnd": None}},
        {"customAttributes": {"plan": {"a": 1}}},
        {"location": {"cityName": "Bergen"}},
        {"location": {"city": 5}},
        {"location": {"coordinates": {"latitude": "north"}}},
        {"channelMetricList": [{"channel": "web"}]},
        {"lastVisitedUserAgentData": ["firefox"]},
        {"signUpDate": 10**17},
        {"type": "ROBOT"},
        {"nothing": 1},
    ],
)
def test_values_that_cannot_be_are_refused_and_change_nothing(px: Px, wrong: dict[str, Any]) -> None:
    error = px.refusal("POST", "/v1/users", json={**USER, **wrong}, status=400)
    assert error["subErrors"][0]["message"]
    px.refusal("GET", "/v1/users/kari-204", status=404)


def test_a_custom_event_comes_back_flat_and_dated() -> None:
    with playing() as px:
        attributes = {
            "format": "csv",
            "rows": 250,
            "nested": {"a": [1, None]},
            "list": [1, 2],
            "at": "2026-06-01T10:00:00Z",
            "day": "2026-06-01",
            "none": None,
            "Größe": True,
        }
        assert (
            px.write("POST", "/v1/events/custom", {**EVENT, "attributes": attributes, "sessionId": 17}).status_code
            == 201
        )
        (row,) = of_today(px)
        assert row["attributes"] == {
            "format": "csv",
            "rows": 250,
            "nested": '{"a":[1,null]}',
            "list": "[1,2]",
            "at": 1780308000000,
            "day": "2026-06-01",
            "none": None,
            "Größe": True,
        }
        assert (row["date"], row["sessionId"], row["eventType"]) == (px.clock.ms, "17", "CUSTOM")
        assert row["accountId"] == px.get("/v1/users/u-000001")["accountId"]
        assert set(row) == set(px.history("/v1/events/custom")[0])


def test_a_repeated_custom_event_is_a_second_event() -> None:
    with playing() as px:
        for _ in range(2):
            px.write("POST", "/v1/events/custom", {**EVENT, "date": px.clock.ms - 5})
        rows = of_today(px)
        assert len({row["eventId"] for row in rows}) == len(rows) == 2


def test_an_event_moves_when_its_user_was_seen_unless_it_is_old() -> None:
    with playing() as px:
        before = px.get("/v1/users/u-000001")
        px.write("POST", "/v1/events/custom", {**EVENT, "date": END_MS - 700 * DAY_MS})
        assert px.get("/v1/users/u-000001") == before or before["lastSeenDate"] < END_MS - 700 * DAY_MS
        px.write("POST", "/v1/events/custom", EVENT)
        after = px.get("/v1/users/u-000001")
        assert after["lastSeenDate"] == after["lastModifiedDate"] == px.clock.ms
        account = px.get(f"/v1/accounts/{after['accountId']}")
        assert account["lastSeenDate"] == account["lastModifiedDate"] == px.clock.ms


def test_events_of_somebody_on_the_denylist_are_dropped_without_a_word() -> None:
    with playing() as px:
        assert px.get("/v1/users/denylist/u-000001") == {"denied": False, "identifyId": "u-000001"}
        px.write("PUT", "/v1/users/denylist/u-000001", {"denied": True})
        assert px.get("/v1/users/denylist/u-000001")["denied"] is True
        assert px.write("POST", "/v1/events/custom", EVENT).status_code == 201
        assert not of_today(px)
        px.write("PUT", "/v1/users/denylist/u-000001", {"denied": False})
        px.write("POST", "/v1/events/custom", EVENT)
        assert len(of_today(px)) == 1


def test_an_event_of_a_stranger_is_taken() -> None:
    with playing() as px:
        px.write("POST", "/v1/events/custom", {**EVENT, "identifyId": "nobody"})
        assert [row["identifyId"] for row in of_today(px)] == ["nobody"]
        px.refusal("GET", "/v1/users/nobody", status=404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"eventName": ""},
        {"userType": "ROBOT"},
        {"globalContext": "text"},
        {"sessionId": []},
        {"date": "soon"},
        {"x": 1},
    ],
)
def test_a_custom_event_that_cannot_be_is_refused(px: Px, wrong: dict[str, Any]) -> None:
    px.refusal("POST", "/v1/events/custom", json={**EVENT, **wrong}, status=400)
    assert not of_today(px)


def test_preferences_keep_what_a_write_leaves_out_or_null() -> None:
    with playing() as px:
        before = px.get("/v2/user/preferences/u-000001")
        changes = {"surveys": False, "guidedTours": None, "trackEmailAnalytics": True}
        assert px.write("PUT", "/v2/user/preferences/u-000001", changes).status_code == 204
        after = {**before, "surveys": False, "trackEmailAnalytics": True}
        assert px.get("/v2/user/preferences/u-000001") == after
        first_version = {name: value for name, value in after.items() if name != "trackEmailAnalytics"}
        assert px.get("/v1/user/preferences/u-000001") == first_version
        assert px.write("POST", "/v1/user/preferences", {"identifyId": "u-000001"}).json() == first_version
        px.refusal("PUT", "/v1/user/preferences/u-000001", json={"trackEmailAnalytics": True}, status=400)


def test_engagements_are_started_paused_moved_and_deleted() -> None:
    with playing(rows=5) as px:
        first, second = px.get("/v1/engagement")["engagements"][:2]
        path = f"/v1/engagement/{first['id']}"
        px.write(
            "PUT", "/v1/engagement/state", {"engagementId": first["id"], "state": "START", "envs": ["QA", "STAGE"]}
        )
        assert (px.get(path)["state"], px.get(path)["envs"]) == ("STARTED", ["QA", "Stage"])
        px.write("PUT", "/v1/engagement/state", {"engagementId": first["id"], "state": "PAUSE"})
        assert (px.get(path)["state"], px.get(path)["envs"]) == ("PAUSED", ["QA", "Stage"])
        moved = px.write("PUT", "/v1/engagement/env", {"engagementId": first["id"], "env": "PRODUCTION"})
        assert moved.json() == {"errors": [], "status": 200}
        assert px.get(path)["envs"] == ["Production"]
        px.write("PUT", "/v1/engagement/envs", {"engagementId": first["id"], "envs": ["INTEGRATION"]})
        assert px.get("/v1/engagement/extended")["engagements"][0]["envs"] == ["Integration"]
        px.write("DELETE", path)
        assert px.get("/v1/engagement")["engagements"][0] == second
        px.refusal("GET", path, status=404)


def test_engagements_are_listed_by_type_joined_or_repeated_and_by_maker(px: Px) -> None:
    everything = px.get("/v1/engagement")["engagements"]
    types = ["IN_APP_GUIDE", "IN_APP_NPS_SURVEY"]
    expected = [row for row in everything if row["type"] in types]
    assert px.get("/v1/engagement", {"contentTypes": types})["engagements"] == expected
    assert px.get("/v1/engagement", {"contentTypes": ",".join(types)})["engagements"] == expected
    made = [px.get("/v1/engagement", {"createdById": one})["engagements"] for one in ("c-ola", "c-kari", "c-wei", "x")]
    assert sorted(row["id"] for rows in made for row in rows) == sorted(row["id"] for row in everything)
    assert made[-1] == []
    px.refusal("GET", "/v1/engagement", {"contentTypes": "IN_APP_TOAST"}, status=400)


def test_features_are_renamed_and_moved_but_never_below_themselves() -> None:
    with playing(rows=5) as px:
        features = px.get("/v1/feature", {"pageSize": 200})["features"]
        module = features[0]
        child = next(row for row in features if row["parentFeatureId"] == module["id"])
        px.write("PUT", f"/v1/feature/{child['id']}", {"name": "Reporting", "parentFeatureId": "ROOT"})
        assert px.get(f"/v1/feature/{child['id']}") == {**child, "name": "Reporting", "parentFeatureId": "ROOT"}
        assert "Reporting" in [row["name"] for row in px.get("/v2/feature_ext", {"pageSize": 200})["features"]]
        px.write("PUT", f"/v1/feature/{module['id']}", {"parentFeatureId": child["id"]})
        px.refusal("PUT", f"/v1/feature/{child['id']}", json={"parentFeatureId": module["id"]}, status=400)
        assert px.write("POST", f"/v1/feature/backfill/{child['id']}").status_code == 200


def test_bots_are_started_and_paused() -> None:
    with playing(rows=5) as px:
        bot = px.get("/v1/kcbot")["kcList"][0]
        px.write("PUT", "/v1/kcbot/state", {"kcId": bot["id"], "state": "PAUSE"})
        assert px.get(f"/v1/kcbot/{bot['id']}")["status"] == "PAUSED"
        px.write("PUT", "/v1/kcbot/state", {"kcId": bot["id"], "state": "START"})
        started = px.get("/v1/kcbot")["kcList"][0]
        assert (started["status"], started["environments"]) == ("STARTED", ["Production"])
        assert started["modifiedDate"] == px.clock.ms


def test_segments_fed_from_outside_are_listed_and_match_those_put_into_them() -> None:
    with playing() as px:
        before = px.get("/v1/segment", {"pageSize": 200})["segments"]
        body = {"externalId": "aud-5", "name": "Churn risk", "description": ""}
        made = px.write("POST", "/v1/external_segment/metadata", body).json()
        assert px.write("POST", "/v1/external_segment/metadata", body).json() == made
        px.refusal("POST", "/v1/external_segment/metadata", {"failIfExists": True}, json=body, status=400)
        px.write("PUT", "/v1/external_segment/metadata", {"externalId": "aud-5", "name": "At risk"})
        assert px.get("/v1/segment", {"pageSize": 200})["segments"] == [*before, {"id": made["id"], "name": "At risk"}]
        assert px.get(f"/v1/segment/{made['id']}")["name"] == "At risk"
        change = {"segmentId": made["id"], "lastQualificationTime": "2026-11-05T10:00:00Z", "identities": ["u-000001"]}
        membership = {"identityType": "IDENTIFY_ID", "add": [change], "remove": []}
        px.write("POST", "/v1/external_segment/update_membership", membership)
        (row,) = of_today(px, "/v1/events/segment_match")
        assert (row["segmentId"], row["identifyId"]) == (made["id"], "u-000001")
        for wrong in ({"segmentId": "x"}, {"lastQualificationTime": "1718006400123"}, {"identities": [1]}, {"more": 1}):
            refused = {"add": [{**change, **wrong}], "remove": []}
            px.refusal("POST", "/v1/external_segment/update_membership", json=refused, status=400)


def test_texts_are_exported_as_a_zip_and_imported_from_one() -> None:
    with playing(rows=5) as px:
        article = px.get("/v1/articles")["articleExternalViewList"][0]
        exported = px.send("GET", "/v1/localization/export/articles", {"id": article["id"], "trgLang": "de"})
        assert exported.headers["content-type"] == "application/octet-stream"
        with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
            text = archive.read("texts.xliff").decode()
        assert article["articleName"] in text
        assert f'original="{article["id"]}"' in text
        assert px.send("GET", "/v1/localization/export/articles", {"id": "nothing"}).status_code == 435
        path = "/v1/localization/import/articles"
        for content, status in ((exported.content, 200), (b"no zip\r\n--at all", 432), (zipped("<xliff/>"), 433)):
            assert px.send("POST", path, files={"file": ("texts.zip", content)}).status_code == status
        px.refusal("POST", path, json={"x": 1}, status=400)


def zipped(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("texts.xliff", text)
    return stream.getvalue()
