"""How much a feature was used, counted over the feature matches of a range.

Source: openapi.yaml, getFeatureAdoption.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from feedloom.vendors.aptrinsic.emulator.environment import Environment
from feedloom.vendors.aptrinsic.emulator.event_kinds import FEATURE_MATCHES
from feedloom.vendors.aptrinsic.emulator.shelves import Query
from feedloom.vendors.aptrinsic.emulator.windows import ADOPTION_DAYS, Group, Span, ranged

_SPANS_KEPT = 8

_Uses = Mapping[str, list[tuple[str, str, str]]]
"""Feature -> product key, user and account of each use."""


class Adoption:
    """Counts uses; all features of a range are counted at once."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._uses = lru_cache(maxsize=_SPANS_KEPT)(self._counted)

    def of_feature(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The uses of one feature in at most seven days, the last seven when no range is given.

        That uses of all product keys count when none is asked for, while the answer names the feature's own, is an
        assumption.
        """
        feature = self._environment.content.feature(arguments["featureId"])
        ledger = self._environment.ledger
        span = ranged(arguments=arguments, now_ms=ledger.now_ms(), most_days=ADOPTION_DAYS)
        wanted = arguments.get("propertyKey")
        uses = [use for use in self._uses(span, ledger.version).get(feature["id"], ()) if wanted in (None, use[0])]
        return {
            "featureId": feature["id"],
            "featureName": feature["name"],
            "dateRangeStart": span.start_ms,
            "dateRangeEnd": span.end_ms,
            "propertyKey": wanted or feature["propertyKey"],
            "totalEventCount": len(uses),
            "uniqueUserCount": len({user for _, user, _ in uses}),
            "uniqueAccountCount": len({account for _, _, account in uses if account}),
        }

    def _counted(self, span: Span, version: int) -> _Uses:
        shelf = self._environment.events.shelves[FEATURE_MATCHES]
        query = Query(groups=(Group(span=span, terms=()),))
        uses: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for row in shelf.rows(query, shelf.select(query, version=version)):
            uses[row["featureId"]].append((row["propertyKey"], row["identifyId"], row["accountId"]))
        return uses
