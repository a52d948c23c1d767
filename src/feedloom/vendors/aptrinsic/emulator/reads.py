"""The calls that only read, lists that scroll left to ``lists``.

Source: openapi.yaml; aptrinsic-notes, sections 1, 5, 6, 9 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from feedloom.emulator.behaviour import Answer, Call, json_answer
from feedloom.vendors.aptrinsic.emulator.adoption import Adoption
from feedloom.vendors.aptrinsic.emulator.environment import Environment
from feedloom.vendors.aptrinsic.emulator.lists import Lists, shown
from feedloom.vendors.aptrinsic.emulator.localization import exported
from feedloom.vendors.aptrinsic.emulator.monitoring import integrations
from feedloom.vendors.aptrinsic.emulator.refusal import not_found
from feedloom.vendors.aptrinsic.emulator.values import checked_moment_ms
from feedloom.vendors.aptrinsic.emulator.windows import given_range

Row: TypeAlias = dict[str, Any]
Read: TypeAlias = Callable[[Call], Answer]

_DEFAULT_LANGUAGE = "en"


class Reader:
    """Answers the calls that only read; ``operations`` holds them by the name of the endpoint."""

    def __init__(self, *, environment: Environment, lists: Lists) -> None:
        self._environment = environment
        self._content = environment.content
        self._lists = lists
        self._adoption = Adoption(environment)
        self.operations: Mapping[str, Read] = {
            **dict.fromkeys(environment.shelves, lists.scrolled),
            **self._listings(),
            **self._singles(),
            **self._exports(),
        }

    def _listings(self) -> Mapping[str, Read]:
        content = self._content
        return {
            "list_articles": self._numbered(lambda call: _of_product(content.articles, call, field="productId")),
            "list_knowledge_center_bots": self._numbered(
                lambda call: _of_product(content.bots, call, field="productId")
            ),
            "list_engagements": self._numbered(self._engagements),
            "list_engagements_extended": self._numbered(self._engagements),
            "list_features": self._numbered(lambda call: _of_product(content.features, call, field="propertyKey")),
            "list_features_extended": self._numbered(
                lambda call: _of_product(content.features, call, field="propertyKey")
            ),
            "list_segments": self._numbered(lambda _: content.all_segments()),
            "list_subscription_users_not_seen_after": self._numbered(self._not_seen),
            "list_attributes": lambda call: _settled(content.attributes[call.arguments["type"]]),
            "list_integration_statuses": lambda call: _settled({call.endpoint.records: integrations()}),
            "list_engagement_error_details": self._error_details,
            "list_engagement_rule_events": self._rule_events,
        }

    def _singles(self) -> Mapping[str, Read]:
        content = self._content
        return {
            "get_user": lambda call: _settled(self._user(call)),
            "get_account": self._account,
            "get_user_denylist": self._denylist,
            "get_user_preferences": self._preferences,
            "read_user_preferences_by_body": self._preferences,
            "get_user_preferences_v2": self._preferences,
            "read_user_preferences_by_body_v2": self._preferences,
            "get_article": lambda call: _row(content.article(call.arguments["articleId"]), call),
            "get_knowledge_center_bot": lambda call: _row(content.bot(call.arguments["kcId"]), call),
            "get_engagement": lambda call: _row(content.engagement(call.arguments["engagementId"]), call),
            "get_survey_metadata": lambda _: _settled({}),
            "get_feature": lambda call: _row(content.feature(call.arguments["featureId"]), call),
            "get_feature_adoption": lambda call: json_answer(self._adoption.of_feature(call.arguments)),
            "get_segment": lambda call: _row(content.segment(call.arguments["segmentId"]), call),
            "get_subscription": lambda _: _settled(content.subscription),
        }

    def _exports(self) -> Mapping[str, Read]:
        content = self._content
        anything = (*content.articles, *content.engagements, *content.bots)
        return {
            "export_articles": lambda call: _export(content.articles, call),
            "export_content": lambda call: _export(anything, call),
            "export_engagement": lambda call: _export(content.engagements, call),
            "export_kcbot": lambda call: _export(content.bots, call),
        }

    def _numbered(self, rows: Callable[[Call], list[Row]]) -> Read:
        return lambda call: self._lists.numbered(call, rows(call))

    def _engagements(self, call: Call) -> list[Row]:
        types, maker = call.arguments.get("contentTypes"), call.arguments.get("createdById")
        return [
            row
            for row in self._content.engagements
            if (not types or row["type"] in types) and (not maker or row["createdById"] == maker)
        ]

    def _not_seen(self, call: Call) -> list[Row]:
        after_ms = checked_moment_ms(call.arguments["notSeenAfterTimestamp"], field="notSeenAfterTimestamp")
        return [row for row in self._content.console_users if row["lastSuccessfulLoginTimestamp"] <= after_ms]

    def _error_details(self, call: Call) -> Answer:
        rows = self._environment.errors.details(
            engagement_id=call.arguments["engagementId"],
            span=given_range(call.arguments),
            by_browser=call.arguments.get("groupByBrowser", False),
        )
        return _settled({call.endpoint.records: rows})

    def _rule_events(self, call: Call) -> Answer:
        """The custom events of running engagements of a product, each once."""
        running = (
            row
            for row in self._content.engagements
            if row["state"] == "STARTED" and call.arguments["p"] in row["propertyKeys"]
        )
        events = {event["name"]: event for row in running for event in row["customEvents"]}
        return _settled({call.endpoint.records: list(events.values())})

    def _user(self, call: Call) -> Row:
        identify_id = call.arguments["identifyId"]
        user = self._environment.registry.users.find(identify_id)
        if user is None:
            raise not_found("User", id=identify_id)
        return user

    def _account(self, call: Call) -> Answer:
        account_id = call.arguments["accountId"]
        account = self._environment.registry.accounts.find(account_id)
        if account is None:
            raise not_found("Account", id=account_id)
        return _settled(account)

    def _denylist(self, call: Call) -> Answer:
        identify_id = self._user(call)["identifyId"]
        return _settled({"denied": self._environment.is_denied(identify_id), "identifyId": identify_id})

    def _preferences(self, call: Call) -> Answer:
        return _row(self._environment.preferences(call.arguments["identifyId"]), call)


def _settled(value: object) -> Answer:
    """An answer that stays the same until something is written."""
    return json_answer(value, cacheable=True)


def _row(row: Mapping[str, Any], call: Call) -> Answer:
    return _settled(shown(row, endpoint=call.endpoint))


def _of_product(rows: list[Row], call: Call, *, field: str) -> list[Row]:
    """The rows of the product that the call asks for, all when it asks for none."""
    wanted = call.arguments.get(field)
    return [row for row in rows if not wanted or row[field] == wanted]


def _export(rows: Sequence[Row], call: Call) -> Answer:
    thing_id = call.arguments.get("id") or call.arguments.get("contentId", "")
    found = next((row for row in rows if row["id"] == thing_id), None)
    name = None if found is None else found.get("name") or found.get("articleName", "")
    return exported(thing_id=thing_id, name=name, language=call.arguments.get("trgLang", _DEFAULT_LANGUAGE))
