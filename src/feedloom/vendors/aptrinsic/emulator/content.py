"""What the customer of Gainsight PX made there: features, engagements, segments, articles, bots, all that is set up.

Short lists, held whole. Source: openapi.yaml; aptrinsic-notes, sections 1, 5, 6 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedloom.emulator.dice import Dice
from feedloom.emulator.people import People
from feedloom.vendors.aptrinsic.emulator import attributes
from feedloom.vendors.aptrinsic.emulator.engagements import Engagements, article_rows, bot_rows, segment_rows
from feedloom.vendors.aptrinsic.emulator.event_kinds import HOST
from feedloom.vendors.aptrinsic.emulator.features import ROOT, FeatureTree
from feedloom.vendors.aptrinsic.emulator.ledger import Ledger
from feedloom.vendors.aptrinsic.emulator.population import APP_KEY, WEB_KEY
from feedloom.vendors.aptrinsic.emulator.refusal import RefusalError, bad_request, not_found
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS, END_MS

_STATES = {"START": "STARTED", "PAUSE": "PAUSED"}
_ENVIRONMENTS = {"PRODUCTION": "Production", "STAGE": "Stage", "QA": "QA", "INTEGRATION": "Integration"}
_CONSOLE_USERS = 14
_CONSOLE_FROM = 90_000_000
"""The console's users are people whom no list of tracked users reaches."""

Row = dict[str, Any]


class Content:
    """The short lists, and the changes that can be made to them."""

    def __init__(self, *, seed: int, features: FeatureTree, engagements: Engagements, ledger: Ledger) -> None:
        self._ledger = ledger
        self._dice = Dice(seed=seed, kind="px external segment", size=6)
        self.features = features.rows()
        self.engagements = engagements.rows()
        self.segments = segment_rows(seed=seed)
        self.bots = bot_rows(seed=seed)
        self.articles = article_rows(seed=seed, bots=self.bots)
        self.external_segments: list[Row] = []
        self.attributes = {
            "user": attributes.metadata(model="user", seed=seed),
            "account": attributes.metadata(model="account", seed=seed),
        }
        self.console_users = _console_users(seed=seed)
        self.subscription = _subscription()

    def feature(self, feature_id: str) -> Row:
        """The feature with that id; refused when there is none."""
        return _found(self.features, feature_id, thing="Feature")

    def engagement(self, engagement_id: str) -> Row:
        """The engagement with that id; refused when there is none."""
        return _found(self.engagements, engagement_id, thing="Engagement")

    def article(self, article_id: str) -> Row:
        """The article with that id; refused when there is none."""
        return _found(self.articles, article_id, thing="Article")

    def bot(self, bot_id: str) -> Row:
        """The knowledge-center bot with that id; refused when there is none."""
        return _found(self.bots, bot_id, thing="KnowledgeCenterBot")

    def segment(self, segment_id: str) -> Row:
        """The segment with that id, one that is fed from outside too; refused when there is none."""
        return _found(self.all_segments(), segment_id, thing="Segment")

    def all_segments(self) -> list[Row]:
        """The segments with id and name, those that are fed from outside last."""
        return [*self.segments, *({"id": row["id"], "name": row["name"]} for row in self.external_segments)]

    def update_feature(self, feature_id: str, changes: Mapping[str, Any]) -> None:
        """Rename or move a feature; refused below itself, or below what does not exist."""
        feature = self.feature(feature_id)
        parent = changes.get("parentFeatureId", ROOT)
        while parent != ROOT:
            if parent == feature_id:
                raise bad_request("A feature cannot be its own parent")
            parent = self.feature(parent)["parentFeatureId"]
        self._ledger.advance()
        feature |= changes

    def set_engagement_state(self, engagement_id: str, *, state: str, environments: list[str]) -> None:
        """Start an engagement in *environments*, or pause it."""
        engagement = self.engagement(engagement_id)
        self._ledger.advance()
        engagement["state"] = _STATES[state]
        if state == "START":
            engagement["envs"] = [_ENVIRONMENTS[name] for name in environments]

    def set_engagement_environments(self, engagement_id: str, environments: list[str]) -> None:
        """Move an engagement to *environments*, whose names are matched without case."""
        engagement = self.engagement(engagement_id)
        self._ledger.advance()
        engagement["envs"] = [_ENVIRONMENTS[name.upper()] for name in environments]

    def delete_engagement(self, engagement_id: str) -> None:
        """Delete an engagement. That a missing one is a bad request follows from the statuses that are documented."""
        try:
            self.engagements.remove(self.engagement(engagement_id))
        except RefusalError as refusal:
            raise bad_request(refusal.message) from None
        self._ledger.advance()

    def set_bot_state(self, bot_id: str, *, state: str, environments: list[str]) -> None:
        """Start a bot in *environments*, or pause it."""
        bot = self.bot(bot_id)
        self._ledger.advance()
        bot |= {"status": _STATES[state], "modifiedDate": self._ledger.now_ms()}
        if state == "START":
            bot["environments"] = [_ENVIRONMENTS[name] for name in environments]

    def create_external_segment(self, fields: Mapping[str, Any], *, fails_if_exists: bool) -> Row:
        """Make a segment that is fed from outside, or return the one that exists when that is no failure."""
        known = self._external_segment(fields)
        if known is not None:
            if fails_if_exists:
                raise bad_request("Record already exists")
            return known
        segment_id = self._dice.roll(len(self.external_segments)).hex()
        row = {"id": segment_id, "externalId": "", "name": "", "description": "", **fields}
        self._ledger.advance()
        self.external_segments.append(row)
        return row

    def update_external_segment(self, fields: Mapping[str, Any]) -> Row:
        """Change a segment that is fed from outside; refused when there is none."""
        row = self._external_segment(fields)
        if row is None:
            raise bad_request("External segment was not found")
        self._ledger.advance()
        row |= {name: value for name, value in fields.items() if name != "id"}
        return row

    def _external_segment(self, fields: Mapping[str, Any]) -> Row | None:
        """The segment that *fields* name by id, else by external id."""
        name = "id" if fields.get("id") else "externalId"
        wanted = fields.get(name)
        return next((row for row in self.external_segments if wanted and row[name] == wanted), None)


def _found(rows: list[Row], row_id: str, *, thing: str) -> Row:
    for row in rows:
        if row["id"] == row_id:
            return row
    raise not_found(thing, id=row_id)


def _subscription() -> Row:
    """Source of the shape: openapi.yaml, schema SubscriptionDetail."""
    keys = ((WEB_KEY, "WEB", f"https://{HOST}"), (APP_KEY, "MOBILE", ""))
    return {
        "id": "sub-loomdemo",
        "name": "Loom Demo",
        "iconUrl": "",
        "timeZone": "UTC",
        "website": "www.loomdemo.example",
        "description": "",
        "products": [
            {
                "name": "Loom App",
                "description": "",
                "productKeys": [{"channel": channel, "productKey": key, "url": url} for key, channel, url in keys],
            }
        ],
    }


def _console_users(*, seed: int) -> list[Row]:
    """Source of the shape: openapi.yaml, schema SubscriptionUser."""
    people = People(seed=seed)
    everybody = [people.person(_CONSOLE_FROM + place) for place in range(_CONSOLE_USERS)]
    return [
        {
            "id": f"c-{place}",
            "firstName": person.first_name,
            "lastName": person.last_name,
            "email": person.email,
            "lastSuccessfulLoginTimestamp": END_MS - place * place * DAY_MS if place % 5 else 0,
        }
        for place, person in enumerate(everybody)
    ]
