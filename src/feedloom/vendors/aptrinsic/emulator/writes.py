"""The calls that change something, from their arguments to the change.

Source: openapi.yaml; aptrinsic-notes, sections 5 and 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from feedloom.vendors.aptrinsic.accounts import ACCOUNT_FIELDS
from feedloom.vendors.aptrinsic.emulator.attributes import Model, read_values
from feedloom.vendors.aptrinsic.emulator.environment import Environment
from feedloom.vendors.aptrinsic.emulator.event_kinds import CUSTOM_EVENTS, SEGMENT_MATCHES
from feedloom.vendors.aptrinsic.emulator.places import NOWHERE
from feedloom.vendors.aptrinsic.emulator.refusal import bad_request, invalid
from feedloom.vendors.aptrinsic.emulator.shapes import Shapes
from feedloom.vendors.aptrinsic.emulator.values import checked_moment_ms, read_moment_ms
from feedloom.vendors.aptrinsic.users import USER_FIELDS

Arguments: TypeAlias = Mapping[str, Any]
Write: TypeAlias = Callable[[Arguments], dict[str, Any] | None]

_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_SHAPES: Mapping[Model, Shapes] = {"user": Shapes(USER_FIELDS), "account": Shapes(ACCOUNT_FIELDS)}
_NESTED = ("location", "channelMetricList", "lastVisitedUserAgentData")
_MOMENTS = ("signUpDate", "firstVisitDate", "createDate", "lastSeenDate", "renewalDate")
_ENVIRONMENTS_TO_START_IN = ["PRODUCTION"]
_NO_CONTEXT: Mapping[str, Any] = {"object": {}, "array": [], "null": None}


class Writer:
    """Makes the changes that calls ask for; each method takes a call's arguments and refuses what cannot be done.

    ``operations`` holds the methods by the name of the endpoint. What they return is the body of the answer.
    """

    def __init__(self, *, environment: Environment, context_shape: str) -> None:
        self._environment = environment
        self._no_context = _NO_CONTEXT[context_shape]
        self.operations: Mapping[str, Write] = self._operations()

    def _operations(self) -> Mapping[str, Write]:
        return {
            "create_user": self.create_user,
            "update_user": self.update_user,
            "update_user_by_body": self.update_user,
            "delete_user": self.delete_user,
            "delete_user_by_body": self.delete_user,
            "set_user_denylist": self.deny,
            "update_user_preferences": self.set_preferences,
            "update_user_preferences_by_body": self.set_preferences,
            "update_user_preferences_v2": self.set_preferences,
            "update_user_preferences_by_body_v2": self.set_preferences,
            "create_account": self.create_account,
            "update_account": self.update_account,
            "update_account_by_body": self.update_account,
            "delete_account": self.delete_account,
            "create_custom_event": self.create_custom_event,
            "update_feature": self.update_feature,
            "backfill_feature": self.backfill_feature,
            "set_engagement_state": self.set_engagement_state,
            "set_engagement_env": self.set_engagement_env,
            "set_engagement_envs": self.set_engagement_envs,
            "delete_engagement": self.delete_engagement,
            "set_knowledge_center_bot_state": self.set_bot_state,
            "create_external_segment": self.create_external_segment,
            "update_external_segment": self.update_external_segment,
            "update_external_segment_membership": self.update_membership,
        }

    def create_user(self, arguments: Arguments) -> None:
        """Make or revive a user."""
        self._environment.registry.create_user(_record(arguments, model="user"))

    def update_user(self, arguments: Arguments) -> None:
        """Change or revive a user."""
        changes = _record(arguments, model="user")
        self._environment.registry.update_user(changes.pop("identifyId"), changes)

    def delete_user(self, arguments: Arguments) -> None:
        """Delete a user."""
        is_final = arguments.get("hardDelete", False)
        self._environment.registry.delete_user(arguments["identifyId"], is_final=is_final)

    def deny(self, arguments: Arguments) -> None:
        """Put a user on or off the denylist."""
        self._environment.deny(arguments["identifyId"], denied=arguments["denied"])

    def set_preferences(self, arguments: Arguments) -> None:
        """Change preferences of a user."""
        changes = dict(arguments)
        self._environment.set_preferences(changes.pop("identifyId"), changes)

    def create_account(self, arguments: Arguments) -> None:
        """Make an account."""
        self._environment.registry.create_account(_record(arguments, model="account"))

    def update_account(self, arguments: Arguments) -> None:
        """Change an account; the id in the path counts before that in the body."""
        changes = _record(arguments, model="account")
        body_id = changes.pop("id", "")
        self._environment.registry.update_account(changes.pop("accountId", body_id), changes)

    def delete_account(self, arguments: Arguments) -> None:
        """Delete an account and its users."""
        self._environment.registry.delete_account(arguments["accountId"])

    def create_custom_event(self, arguments: Arguments) -> None:
        """Record a custom event, unless its user is on the denylist, which no answer tells."""
        context = arguments.get("globalContext", self._no_context)
        if not isinstance(context, (dict, list, type(None))):
            raise invalid(field="globalContext", rejected=context, message="must be an object")
        session = arguments.get("sessionId", "")
        if not isinstance(session, (str, int)):
            raise invalid(field="sessionId", rejected=session, message="must be text")
        identify_id = arguments["identifyId"]
        user = self._environment.registry.users.find(identify_id) or {}
        date = arguments.get("date", self._environment.ledger.now_ms())
        row = {
            "identifyId": identify_id,
            "propertyKey": arguments["propertyKey"],
            "date": checked_moment_ms(date, field="date"),
            "eventType": arguments.get("eventType", "CUSTOM"),
            "sessionId": str(session),
            "userType": arguments["userType"],
            "accountId": arguments.get("accountId", user.get("accountId", "")),
            "globalContext": context,
            "eventName": arguments["eventName"],
            "attributes": {name: _flat(value) for name, value in arguments.get("attributes", {}).items()},
            "url": arguments.get("url", ""),
            "referrer": arguments.get("referrer", ""),
            "remoteHost": arguments.get("remoteHost", ""),
        }
        if not self._environment.is_denied(identify_id):
            self._environment.events.record(list_name=CUSTOM_EVENTS, row=row)

    def update_feature(self, arguments: Arguments) -> None:
        """Rename or move a feature."""
        changes = dict(arguments)
        self._environment.content.update_feature(changes.pop("featureId"), changes)

    def backfill_feature(self, arguments: Arguments) -> None:
        """Check that the feature exists; a backfill finds nothing that was not there."""
        self._environment.content.feature(arguments["featureId"])

    def set_engagement_state(self, arguments: Arguments) -> None:
        """Start or pause an engagement."""
        environments = arguments.get("envs", _ENVIRONMENTS_TO_START_IN)
        self._environment.content.set_engagement_state(
            arguments["engagementId"], state=arguments["state"], environments=environments
        )

    def set_engagement_env(self, arguments: Arguments) -> dict[str, Any]:
        """Move an engagement to one environment."""
        self._environment.content.set_engagement_environments(arguments["engagementId"], [arguments["env"]])
        return {"errors": [], "status": 200}

    def set_engagement_envs(self, arguments: Arguments) -> dict[str, Any]:
        """Move an engagement to several environments."""
        self._environment.content.set_engagement_environments(arguments["engagementId"], arguments["envs"])
        return {"errors": [], "status": 200}

    def delete_engagement(self, arguments: Arguments) -> None:
        """Delete an engagement."""
        self._environment.content.delete_engagement(arguments["engagementId"])

    def set_bot_state(self, arguments: Arguments) -> None:
        """Start or pause a bot."""
        environments = arguments.get("envs", _ENVIRONMENTS_TO_START_IN)
        self._environment.content.set_bot_state(arguments["kcId"], state=arguments["state"], environments=environments)

    def create_external_segment(self, arguments: Arguments) -> dict[str, Any]:
        """Make a segment that is fed from outside."""
        fields = dict(arguments)
        fails_if_exists = fields.pop("failIfExists", False)
        return self._environment.content.create_external_segment(fields, fails_if_exists=fails_if_exists)

    def update_external_segment(self, arguments: Arguments) -> dict[str, Any]:
        """Change a segment that is fed from outside."""
        return self._environment.content.update_external_segment(arguments)

    def update_membership(self, arguments: Arguments) -> None:
        """Put users into segments that are fed from outside, which matches them, and take some out.

        That the match is dated by the qualification is an assumption; nothing shows who was taken out.
        """
        known = {row["id"] for row in self._environment.content.external_segments}
        actions = [_action(action, field=name, known=known) for name in ("add", "remove") for action in arguments[name]]
        for segment_id, identities, moment_ms in actions[: len(arguments["add"])]:
            for identify_id in identities:
                if not self._environment.is_denied(identify_id):
                    self._environment.events.make_up(
                        list_name=SEGMENT_MATCHES,
                        identify_id=identify_id,
                        date_ms=moment_ms,
                        fields={"segmentId": segment_id},
                    )


def _record(arguments: Arguments, *, model: Model) -> dict[str, Any]:
    """The fields of a user or account as they are stored; refuses those that cannot be."""
    fields = dict(arguments)
    for name in _NESTED:
        if name in fields:
            _SHAPES[model].check(name=name, value=fields[name])
    if "location" in fields:
        fields["location"] = {**NOWHERE, **fields["location"]}
    for name in _MOMENTS:
        if name in fields:
            fields[name] = checked_moment_ms(fields[name], field=name)
    if "propertyKeys" in fields and not any(fields["propertyKeys"]):
        raise invalid(field="propertyKeys", rejected=fields["propertyKeys"], message="must not be empty")
    if "customAttributes" in fields:
        fields["customAttributes"] = read_values(model=model, given=fields["customAttributes"])
    return fields


def _flat(value: Any) -> Any:
    """An attribute of an event as it comes back: nested values as text, ISO moments as epoch milliseconds."""
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    if isinstance(value, str) and _ISO_MOMENT.fullmatch(value):
        try:
            return read_moment_ms(value)
        except ValueError:
            return value
    return value


def _action(action: Any, *, field: str, known: set[str]) -> tuple[str, list[str], int]:
    """Segment, users and moment of one change of membership."""
    if not isinstance(action, dict) or set(action) != {"segmentId", "identities", "lastQualificationTime"}:
        raise invalid(field=field, rejected=action, message="must hold segmentId, identities, lastQualificationTime")
    segment_id, identities = action["segmentId"], action["identities"]
    if not isinstance(identities, list) or not all(isinstance(one, str) and one for one in identities):
        raise invalid(field=f"{field}.identities", rejected=identities, message="must be a list of ids")
    if not isinstance(segment_id, str) or segment_id not in known:
        raise bad_request(f"External segment was not found: {segment_id}")
    moment = action["lastQualificationTime"]
    if not isinstance(moment, str) or moment.isdigit():
        raise invalid(field=f"{field}.lastQualificationTime", rejected=moment, message="must be ISO 8601")
    return segment_id, identities, checked_moment_ms(moment, field=f"{field}.lastQualificationTime")
