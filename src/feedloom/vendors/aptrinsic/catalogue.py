"""Gainsight PX as a whole: servers, key, limits, errors, operations and tables."""

from __future__ import annotations

from feedloom.catalogue import Auth, KeyRefusal, Limit, Vendor
from feedloom.vendors.aptrinsic.accounts import ACCOUNT_ENDPOINTS
from feedloom.vendors.aptrinsic.administration import ADMINISTRATION_ENDPOINTS
from feedloom.vendors.aptrinsic.articles import ARTICLE_ENDPOINTS
from feedloom.vendors.aptrinsic.builders import source
from feedloom.vendors.aptrinsic.engagements import ENGAGEMENT_ENDPOINTS
from feedloom.vendors.aptrinsic.events import EVENT_ENDPOINTS
from feedloom.vendors.aptrinsic.features import (
    EXTERNAL_SEGMENT_ENDPOINTS,
    FEATURE_ENDPOINTS,
    SEGMENT_ENDPOINTS,
)
from feedloom.vendors.aptrinsic.localization import LOCALIZATION_ENDPOINTS
from feedloom.vendors.aptrinsic.preferences import PREFERENCE_ENDPOINTS
from feedloom.vendors.aptrinsic.tables import TABLES
from feedloom.vendors.aptrinsic.users import USER_ENDPOINTS

_LIMITS_SOURCE = source("vendor-swagger", "vendor-support", note="An older support text says there is no limit.")

APTRINSIC = Vendor(
    slug="aptrinsic",
    title="Gainsight PX",
    source_name="aptrinsic_source",
    dataset="aptrinsic_data",
    servers={
        "us": "https://api.aptrinsic.com",
        "eu": "https://api-eu.aptrinsic.com",
        "us2": "https://api-us2.aptrinsic.com",
        "esp": "https://esp.aptrinsic.com",
    },
    auth=(
        Auth(
            name="header",
            kind="header",
            field="X-APTRINSIC-API-KEY",
            source=source(
                "vendor-swagger",
                "vendor-support",
                note="The security section of the vendor's file names the header wrongly; its text and every client "
                "agree on this one.",
            ),
        ),
    ),
    key_page="Administration > REST API in Gainsight PX",
    probe="list_accounts",
    limits=(
        Limit(name="per_second", requests=200, seconds=1, per="key", source=_LIMITS_SOURCE),
        Limit(name="per_day", requests=1_000_000, seconds=86_400, per="key", source=_LIMITS_SOURCE),
    ),
    refusals=(
        KeyRefusal(status=401, reason="it is missing or wrong, or belongs to another region (us, eu, us2)"),
        KeyRefusal(
            status=403,
            reason="it lacks the right that this call needs (Read to load, Write to change, Production Launch to "
            "start engagements)",
        ),
    ),
    error_paths=(
        "externalapierror.subErrors.0.message",
        "externalapierror.message",
        "externalapierror.status",
        "errorMessage",
    ),
    endpoints=(
        *ACCOUNT_ENDPOINTS,
        *USER_ENDPOINTS,
        *PREFERENCE_ENDPOINTS,
        *EVENT_ENDPOINTS,
        *ARTICLE_ENDPOINTS,
        *ENGAGEMENT_ENDPOINTS,
        *FEATURE_ENDPOINTS,
        *SEGMENT_ENDPOINTS,
        *EXTERNAL_SEGMENT_ENDPOINTS,
        *ADMINISTRATION_ENDPOINTS,
        *LOCALIZATION_ENDPOINTS,
    ),
    tables=TABLES,
)
