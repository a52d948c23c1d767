"""Refiner as one value: its server, its key, its limits, its operations and its tables."""

from __future__ import annotations

from feedloom.catalogue import Auth, KeyRefusal, Limit, Vendor
from feedloom.vendors.refiner.endpoints import ENDPOINTS
from feedloom.vendors.refiner.endpoints_shared import documented
from feedloom.vendors.refiner.tables import TABLES

_AUTHENTICATION = documented("https://refiner.io/docs/api (authentication section)", "segevsh/w6w-apps apps/refiner/")

_REFUSALS = (
    KeyRefusal(
        status=401, words="No API key found", reason="Refiner found no key in the call, or one too short to be a key"
    ),
    KeyRefusal(status=401, words="does not look valid", reason="it is not written like a key of Refiner"),
    KeyRefusal(status=401, reason="Refiner does not accept it"),
    KeyRefusal(
        status=400, words="API key not valid", reason="no environment of Refiner has it, so it may have been revoked"
    ),
    KeyRefusal(
        status=404, words="API key not valid", reason="no environment of Refiner has it, so it may have been revoked"
    ),
)
"""Answers to a bad key, measured on the live API by one source.

A 404 (or the 400 of an older test double) stands for an unknown key only when its body says so; else the object was not
found. A 403 is about the plan or the account and not about the key. Source: refiner-notes, Transport, auth, limits.
"""

REFINER = Vendor(
    slug="refiner",
    title="Refiner",
    source_name="refiner_source",
    dataset="refiner_data",
    servers={"default": "https://api.refiner.io/v1"},
    auth=(
        Auth(name="bearer", kind="bearer", source=_AUTHENTICATION),
        Auth(name="api_key", kind="param", field="api_key", source=_AUTHENTICATION),
        Auth(name="basic", kind="basic", source=_AUTHENTICATION),
    ),
    key_page="Integrations > Rest API in Refiner",
    probe="get_project",
    limits=(
        Limit(
            name="key",
            requests=4000,
            seconds=60,
            per="key",
            source=documented(
                "dlthub.com/workspace/source/refiner",
                "segevsh/w6w-apps apps/refiner/README.md",
                note="A 429 carries Retry-After; no header tells how much is left.",
            ),
        ),
        Limit(
            name="user",
            requests=80,
            seconds=60,
            per="user",
            user_params=("id", "email", "uuid"),
            source=documented(
                "dlthub.com/workspace/source/refiner (80)",
                "segevsh/w6w-apps apps/refiner/README.md (100)",
                note="The newer source gives 100; the lower figure is safe under both.",
            ),
        ),
    ),
    refusals=_REFUSALS,
    error_paths=("error", "message"),
    endpoints=ENDPOINTS,
    tables=TABLES,
)
