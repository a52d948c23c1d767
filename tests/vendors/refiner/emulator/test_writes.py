"""What is written shows up in what is read."""

from __future__ import annotations

from typing import Any

from emulator.asking import NOW, Asking, asking

TODAY = NOW.strftime("%Y-%m-%d")


def nps_form(api: Asking) -> str:
    return next(str(form["uuid"]) for form in api.rows("forms") if form["name"] == "Quarterly NPS")


def manual_segment(api: Asking) -> str:
    return next(str(segment["uuid"]) for segment in api.rows("segments") if segment["name"] == "VIP (empty)")


def history_of(api: Asking, form: str) -> list[dict[str, Any]]:
    return list(api.get("forms/history", {"form_uuid": form})["items"])


def test_an_unknown_user_is_created_with_traits_and_account() -> None:
    with asking() as api:
        count = api.get("contacts")["pagination"]["items_count"]
        body = {
            "id": "new-1",
            "email": "new@post.example",
            "name": "New One",
            "seats": 25,
            "beta": True,
            "account": {"id": "acct-new", "name": "New Ltd", "size": 3},
        }
        uuid = api.post("identify-user", body)["contact_uuid"]
        contact = api.get("contact", {"id": "new-1"})
        assert (contact["uuid"], contact["email"], contact["display_name"]) == (uuid, "new@post.example", "New One")
        assert (contact["attributes"]["seats"], contact["attributes"]["beta"]) == ("25", "true")
        assert (contact["account"]["remote_id"], contact["account"]["display_name"]) == ("acct-new", "New Ltd")
        assert contact["account"]["attributes"] == {"size": "3"}
        assert contact["first_seen_at"].startswith(TODAY)
        assert api.get("contacts")["items"][0] == contact
        assert api.get("contacts")["pagination"]["items_count"] == count + 1
        assert api.get("contact", {"uuid": uuid}) == api.get("contact", {"email": "NEW@post.example"}) == contact


def test_a_known_user_is_updated_by_id_and_keeps_other_traits() -> None:
    with asking() as api:
        before = api.get("contact", {"id": "u-000002"})
        assert (
            api.post("identify-user", {"id": "u-000002", "plan": "gold", "name": "Renamed"})["contact_uuid"]
            == before["uuid"]
        )
        after = api.get("contact", {"id": "u-000002"})
        assert (after["display_name"], after["attributes"]["plan"]) == ("Renamed", "gold")
        assert after["attributes"]["job_title"] == before["attributes"]["job_title"]
        assert after["last_seen_at"] > before["last_seen_at"]
        assert after["first_seen_at"] == before["first_seen_at"]
        assert api.get("contacts", {"order_by": "last_seen_at"})["items"][0]["uuid"] == before["uuid"]
        in_responses = {
            row["contact"]["display_name"]
            for row in api.rows("responses", {"include": "all"})
            if row["contact"]["uuid"] == before["uuid"]
        }
        assert in_responses == {"Renamed"}


def test_without_an_id_the_email_names_the_user() -> None:
    with asking() as api:
        known = api.get("contact", {"id": "u-000002"})
        assert api.post("identify-user", {"email": known["email"].upper()})["contact_uuid"] == known["uuid"]
        assert api.post("identify-user", {"email": "other@post.example"})["contact_uuid"] != known["uuid"]


def test_a_changed_email_is_found_and_the_old_one_is_not() -> None:
    with asking() as api:
        old = api.get("contact", {"id": "u-000002"})["email"]
        api.post("identify-user", {"id": "u-000002", "email": "moved@post.example"})
        assert api.get("contact", {"email": "moved@post.example"})["remote_id"] == "u-000002"
        assert api.send("GET", "contact", {"email": old}).json().get("remote_id") != "u-000002"


def test_nested_traits_are_kept_as_json_text() -> None:
    with asking() as api:
        api.post("identify-user", {"id": "u-000002", "nested": {"a": [1]}, "flat": ["x", "y"], "nothing": None})
        attributes = api.get("contact", {"id": "u-000002"})["attributes"]
        assert (attributes["nested"], attributes["flat"], attributes["nothing"]) == ('{"a":[1]}', ["x", "y"], None)


def test_an_event_creates_its_user_and_counts() -> None:
    with asking() as api:
        assert api.post("track-event", {"id": "eventful", "event": "Exported report"}) == {"message": "ok"}
        assert api.send("POST", "track", data={"id": "eventful", "event": "Again"}).json() == {"message": "ok"}
        assert api.get("contact", {"id": "eventful"})["remote_id"] == "eventful"
        assert api.get("account")["subscription"]["mte_count"] == 2


def test_a_stored_response_is_the_newest() -> None:
    with asking() as api:
        body = {"id": "u-000002", "form_uuid": nps_form(api), "nps": 8, "nps_reason": "Good", "tags": ["imported"]}
        uuid = api.post("responses", body)["uuid"]
        for include in ("completed", "partials", "all"):
            newest = api.get("responses", {"include": include})["items"][0]
            assert newest["uuid"] == uuid
        assert newest["data"] == {"nps": "8", "nps_reason": "Good"}
        assert newest["contact"]["remote_id"] == "u-000002"
        assert newest["completed_at"] == newest["last_shown_at"] == newest["received_at"]
        assert newest["completed_at"].startswith(TODAY)
        tag = api.emulator.control.tag_uuid("imported")
        assert api.uuids("responses", {"tag_uuid": tag}) == [uuid]
        attributes = api.get("contact", {"id": "u-000002"})["attributes"]
        assert (attributes["nps"], attributes["nps_reason"]) == ("8", "Good")
        assert api.get("contacts", {"order_by": "last_form_submission_at"})["items"][0]["remote_id"] == "u-000002"


def test_a_stored_response_with_a_past_date_stands_at_that_date() -> None:
    with asking(rows=200) as api:
        body = {"id": "u-000002", "form_uuid": nps_form(api), "nps": 8, "date": "2025-06-30 18:00:00"}
        uuid = api.post("responses", body)["uuid"]
        window = {"date_range_start": "2025-06-30 18:00:00", "date_range_end": "2025-06-30 18:00:01"}
        assert api.uuids("responses", window) == [uuid]
        assert api.get("responses")["items"][0]["uuid"] != uuid


def test_an_identical_response_is_stored_once_unless_duplicates_are_wanted() -> None:
    with asking() as api:
        body = {"id": "u-000002", "form_uuid": nps_form(api), "nps": 8}
        count = len(api.rows("responses"))
        first = api.post("responses", body)["uuid"]
        assert api.post("responses", body)["uuid"] == first
        assert api.post("responses", {**body, "nps": 7})["uuid"] != first
        assert api.post("responses", {**body, "prevent_duplicates": False})["uuid"] != first
        assert len(api.rows("responses")) == count + 3


def test_a_response_of_the_base_data_is_recognised_as_a_duplicate() -> None:
    with asking(rows=100) as api:
        row = next(row for row in api.rows("responses") if row["contact"]["remote_id"])
        body = {"id": row["contact"]["remote_id"], "form_uuid": row["form"]["uuid"], **row["data"]}
        assert api.post("responses", body)["uuid"] == row["uuid"]


def test_a_response_of_an_unknown_user_creates_the_user() -> None:
    with asking() as api:
        body = {"email": "first@post.example", "form_uuid": nps_form(api), "nps": 8, "account": {"id": "acct-0001"}}
        api.post("responses", body)
        contact = api.get("contact", {"email": "first@post.example"})
        assert contact["remote_id"] is None
        assert contact["account"]["remote_id"] == "acct-0001"


def test_tags_are_added_by_name_to_base_and_stored_responses() -> None:
    with asking() as api:
        base = api.uuids("responses")[3]
        stored = api.post("responses", {"id": "u-000002", "form_uuid": nps_form(api), "nps": 8})["uuid"]
        order = api.uuids("responses")
        for uuid in (base, stored):
            assert api.post("responses/tags", {"uuid": uuid, "tags": ["fresh", "fresh"]}) == {"message": "ok"}
        tag = api.emulator.control.tag_uuid("fresh")
        assert set(api.uuids("responses", {"tag_uuid": tag})) == {base, stored}
        assert api.uuids("responses") == order


def test_members_of_a_manual_segment_come_and_go() -> None:
    with asking() as api:
        segment = manual_segment(api)
        assert api.uuids("contacts", {"segment_uuid": segment}) == []
        known = api.post("sync-segment", {"id": "u-000002", "segment_uuid": segment})
        assert known["segment_uuid"] == segment
        fresh = api.post("sync-segment", {"email": "fresh@post.example", "segment_uuid": segment})
        members = {known["contact_uuid"], fresh["contact_uuid"]}
        assert set(api.uuids("contacts", {"segment_uuid": segment})) == members
        shown = api.get("contact", {"id": "u-000002"})["segments"]
        assert segment in {one["uuid"] for one in shown}
        assert set(api.uuids("responses", {"segment_uuid": segment, "include": "all"})) == set(
            api.uuids("responses", {"search": "u-000002", "include": "all"})
        )
        api.delete("sync-segment", {"id": "u-000002", "segment_uuid": segment})
        assert api.uuids("contacts", {"segment_uuid": segment}) == [fresh["contact_uuid"]]


def test_a_base_member_can_be_taken_out_of_a_manual_segment() -> None:
    with asking(rows=2000) as api:
        segment = next(segment["uuid"] for segment in api.rows("segments") if segment["name"] == "Beta group")
        members = [row for row in api.rows("contacts", {"segment_uuid": segment}) if row["remote_id"]]
        api.delete("sync-segment", {"id": members[0]["remote_id"], "segment_uuid": segment})
        assert members[0]["uuid"] not in api.uuids("contacts", {"segment_uuid": segment})


def test_a_segment_that_is_not_manual_takes_nobody() -> None:
    with asking() as api:
        segment = next(segment["uuid"] for segment in api.rows("segments") if not segment["is_manual"])
        refused = api.send("POST", "sync-segment", json={"id": "u-000002", "segment_uuid": segment})
        assert refused.status_code == 400


def test_a_form_is_published_taken_back_copied_and_archived_with_history() -> None:
    with asking() as api:
        form = nps_form(api)
        steps = len(history_of(api, form))
        assert api.post("forms/publish", {"form_uuid": form, "published": 0}) == {
            "message": "The survey is now unpublished."
        }
        assert form in api.uuids("forms", {"list": "drafts"})
        assert api.post("forms/publish", {"form_uuid": form}) == {"message": "The survey is now published."}
        assert form in api.uuids("forms", {"list": "published"})
        copied = api.post("forms/duplicate", {"form_uuid": form, "name": "Second"})
        assert copied["source_form_uuid"] == form
        drafts = api.rows("forms", {"list": "drafts", "include_config": 1})
        copy = next(draft for draft in drafts if draft["uuid"] == copied["new_form_uuid"])
        assert copy["name"] == "Second"
        assert copy["config"]["form_elements"][0]["id"] == "nps"
        assert api.delete("forms", {"form_uuid": form}) == {"message": "ok"}
        assert form not in api.uuids("forms")
        assert form in api.uuids("forms", {"list": "archived"})
        history = history_of(api, form)
        assert [entry["action"] for entry in history[:3]] == ["archive", "publish", "unpublish"]
        assert len(history) == steps + 3
        assert history_of(api, copied["new_form_uuid"]) == []


def test_responses_can_be_stored_for_a_copied_form() -> None:
    with asking() as api:
        copy = api.post("forms/duplicate", {"form_uuid": nps_form(api), "name": "Second"})["new_form_uuid"]
        uuid = api.post("responses", {"id": "u-000002", "form_uuid": copy, "nps": 10})["uuid"]
        assert api.uuids("responses", {"form_uuid": copy}) == [uuid]
        info = next(form for form in api.rows("forms", {"include_info": 1}) if form["uuid"] == copy)
        assert (info["responses_count"], info["views_count"]) == (1, 1)


def test_a_deleted_contact_takes_all_its_responses_along() -> None:
    with asking(rows=200) as api:
        api.post("responses", {"id": "u-000002", "form_uuid": nps_form(api), "nps": 10})
        contact = api.get("contact", {"id": "u-000002"})
        before = api.rows("responses", {"include": "all"})
        kept = [row["uuid"] for row in before if row["contact"]["uuid"] != contact["uuid"]]
        assert api.delete("contact", {"id": "u-000002"}) == {"message": "ok"}
        assert api.uuids("responses", {"include": "all"}) == kept
        assert len(kept) < len(before)
        assert contact["uuid"] not in api.uuids("contacts")
        for name, value in (("id", "u-000002"), ("uuid", contact["uuid"])):
            assert api.send("GET", "contact", {name: value}).status_code == 404
        gone = next(row["uuid"] for row in before if row["contact"]["uuid"] == contact["uuid"])
        assert api.send("POST", "responses/tags", json={"uuid": gone, "tags": ["x"]}).status_code == 404
        again = api.post("identify-user", {"id": "u-000002"})["contact_uuid"]
        assert again != contact["uuid"]


def test_of_several_contacts_with_one_email_the_oldest_is_found() -> None:
    with asking(rows=1000) as api:
        emails: dict[str, list[dict[str, Any]]] = {}
        for contact in api.rows("contacts"):
            emails.setdefault(contact["email"], []).append(contact)
        shared = [contacts for email, contacts in emails.items() if email and len(contacts) > 1]
        assert shared
        for contacts in shared:
            oldest = min(contacts, key=lambda contact: contact["first_seen_at"])
            assert api.get("contact", {"email": oldest["email"]})["uuid"] == oldest["uuid"]
