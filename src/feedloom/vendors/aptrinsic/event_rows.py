"""The rows of Gainsight PX's event lists: what all events share, and what each kind adds.

Source: openapi.yaml, the event schemas; aptrinsic-notes, section 5.
"""

from __future__ import annotations

from feedloom.catalogue import Field, Known
from feedloom.vendors.aptrinsic.builders import location, moment

_ID_PARTS = (
    Field(name="eventId", summary="Unique key of the event."),
    Field(name="identifyId", summary="The user, by the id the application gave."),
    Field(name="propertyKey", summary="Product key, whose last number marks the environment."),
    moment(name="date", summary="When it happened."),
    Field(name="eventType"),
)
_USER_TYPE = Field(name="userType", summary="LEAD, USER, VISITOR or, when unset, EMPTY_USER_TYPE.")
_GLOBAL_CONTEXT = Field(
    name="globalContext",
    type="any",
    nullable=True,
    summary="What the application attached; documented as an object, seen as a list of objects and as null too.",
)
_EMAIL = Field(name="email")

_COMMON = (
    *_ID_PARTS,
    Field(name="sessionId"),
    _USER_TYPE,
    Field(name="accountId"),
    _GLOBAL_CONTEXT,
)

CUSTOM_FIELDS = (
    *_COMMON,
    Field(name="eventName"),
    Field(
        name="attributes",
        type="map",
        summary="Flat; objects and lists are stored as text, and ISO dates come back as epoch milliseconds.",
    ),
    Field(name="url"),
    Field(name="referrer"),
    Field(name="remoteHost"),
)

EMAIL_FIELDS = (
    *_ID_PARTS,
    _USER_TYPE,
    _GLOBAL_CONTEXT,
    Field(name="engagementId"),
    _EMAIL,
    Field(
        name="emailTrackType",
        summary="EMPTY_EMAIL_TRACK_TYPE, or EMAIL_TRACK_ with BOUNCE, DEFERRED, DELIVERED, DROPPED, PROCESSED, OPEN, "
        "CLICK or UNSUBSCRIBE.",
    ),
    Field(name="status"),
    Field(name="reason"),
    Field(
        name="bounceType",
        summary="EMPTY_BOUNCE_TYPE, DELIVER_BOUNCE, DELIVER_BLOCKED or, spelt so by the vendor, DELIVER_EXIPERED.",
    ),
    Field(name="mtaResponse"),
    Field(name="attempt"),
    Field(name="linkIndex", type="integer"),
    Field(name="linkType", summary="EMPTY_LINK_TYPE, HTML_LINK_TYPE, HEADER_LINK_TYPE or TEXT_LINK_TYPE."),
    Field(name="linkUrl"),
    *location(name="inferredLocation", summary="Place found from the IP address."),
    moment(name="executionDate", summary="Known as a field of the filter only.", known=Known.ASSUMED),
)

ENGAGEMENT_VIEW_FIELDS = (
    *_COMMON,
    Field(name="engagementId"),
    Field(name="engagementTrackType", summary="ENGAGEMENT_VIEW or ENGAGEMENT_CLICK."),
    Field(name="contentId"),
    Field(
        name="contentType",
        summary="IN_APP_ with DIALOG, GUIDE, CAROUSEL, SURVEY_NPS, SURVEY_CES, SURVEY_BOOLEAN, SURVEY_RATING or "
        "MULTIPLE_QUESTION_SURVEY, other words than the engagement's own type.",
    ),
    moment(name="executionDate", summary="The same on all rows of one view."),
    Field(name="executionId", summary="Ties the rows of one view, such as the answers to several questions."),
    Field(name="viewEventId"),
    Field(name="carouselState", summary="VIEWED or COMPLETED."),
    Field(name="slideId"),
    Field(name="sequenceNumber", type="integer"),
    Field(name="linkUrl"),
    Field(name="guideState", summary="VIEWED or COMPLETED."),
    Field(name="stepId"),
    Field(name="surveyState", summary="VIEWED or COMPLETED."),
    Field(name="contactMeAllowed", type="boolean"),
    Field(name="score", type="integer"),
    Field(name="comment"),
    Field(name="questionType"),
    Field(name="selectionIds", type="list", summary="Ids of the chosen answers."),
    Field(name="path"),
)

PAGE_VIEW_FIELDS = (
    *_COMMON,
    Field(name="scheme"),
    Field(name="host"),
    Field(name="path"),
    Field(name="queryString"),
    Field(name="hash"),
    Field(name="queryParams", type="map", summary="Values of each name in the query string."),
    Field(name="remoteHost"),
    Field(name="referrer"),
    Field(name="screenHeight", type="integer"),
    Field(name="screenWidth", type="integer"),
    Field(name="languages", type="list"),
    Field(name="pageTitle"),
)

FORM_SUBMIT_FIELDS = (*PAGE_VIEW_FIELDS, Field(name="formData", type="map", summary="Value of each form field."))

FEATURE_MATCH_FIELDS = (*_COMMON, Field(name="featureId"))

SEGMENT_MATCH_FIELDS = (*_COMMON, Field(name="segmentId"))

IDENTIFY_FIELDS = (*_COMMON, _EMAIL)

LEAD_FIELDS = (*_COMMON, _EMAIL)

SESSION_FIELDS = (
    *_COMMON,
    Field(name="remoteHost"),
    *location(name="inferredLocation", summary="Place found from the IP address."),
)
