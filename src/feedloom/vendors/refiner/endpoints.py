"""Every operation of Refiner's REST API v1, in the order of the reference.

The facts are those of ``openapi.yaml`` beside this file, which the tests hold against this catalogue in both
directions. The pieces stand in ``endpoints_responses``, ``endpoints_contacts`` and ``endpoints_forms``; what several
of them share is in ``endpoints_shared``. Webhooks are calls by Refiner, not to it, and so are no operations.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint
from feedloom.vendors.refiner.endpoints_contacts import CONTACT_ENDPOINTS, EVENT_ENDPOINTS, SEGMENT_ENDPOINTS
from feedloom.vendors.refiner.endpoints_forms import ENVIRONMENT_ENDPOINTS, FORM_ENDPOINTS
from feedloom.vendors.refiner.endpoints_responses import REPORTING_ENDPOINTS, RESPONSE_ENDPOINTS

ENDPOINTS: tuple[Endpoint, ...] = (
    *RESPONSE_ENDPOINTS,
    *CONTACT_ENDPOINTS,
    *EVENT_ENDPOINTS,
    *FORM_ENDPOINTS,
    *SEGMENT_ENDPOINTS,
    *REPORTING_ENDPOINTS,
    *ENVIRONMENT_ENDPOINTS,
)
