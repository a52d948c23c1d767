"""Gainsight PX localization: export of texts as XLIFF for translation, and import of the translations.

Exports answer with a zip file; imports take one as the part ``file`` of a multipart form.

Source: openapi.yaml, paths below /v1/localization.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Param
from feedloom.vendors.aptrinsic.builders import in_body, source

_CONTENT_TYPES = (
    "GUIDE",
    "ANNOUNCEMENT",
    "SLIDER",
    "LINK",
    "BOOLEAN_SURVEY",
    "RATING_SURVEY",
    "NPS_SURVEY",
    "CES_SURVEY",
    "MULTIPLE_QUESTION_SURVEY",
    "ARTICLE",
    "KNOWLEDGE_BASE_ARTICLE",
    "CUSTOM_LINK",
    "FUNC_CALL",
    "COMMUNITY",
)

_ID = Param(name="id", required=True, summary="Id of the thing to export.")
_CONTENT_ID = Param(name="contentId", required=True, summary="Content id.")
_BOT_VERSION = Param(name="kcVersion", default="v1", summary="Version of the bot.")
_EXPORT_PARAMS = (
    Param(name="strategy", summary="Strategy, whose values are not documented."),
    Param(name="translated", type="boolean", default=True, summary="Include translations."),
    Param(name="trgLang", summary="Target language."),
    Param(name="version", summary="Version of XLIFF."),
)
_FILE = in_body(
    (Param(name="file", summary="Zip of XLIFF files, as a part of a multipart form."),),
    required=("file",),
)

_MULTIPART_NOTE = "The body is multipart/form-data, not JSON."


def _export(*, name: str, operation_id: str, path: str, summary: str, params: tuple[Param, ...]) -> Endpoint:
    """An export, with the parameters that all of them take."""
    return Endpoint(
        name=name,
        operation_id=operation_id,
        method="GET",
        path=path,
        summary=summary,
        source=source("vendor-swagger"),
        params=(*params, *_EXPORT_PARAMS),
        answer="binary",
    )


def _import(*, name: str, operation_id: str, path: str, summary: str, params: tuple[Param, ...] = ()) -> Endpoint:
    """An import of one file."""
    return Endpoint(
        name=name,
        operation_id=operation_id,
        method="POST",
        path=path,
        summary=summary,
        source=source("vendor-swagger", note=_MULTIPART_NOTE),
        effect="write",
        repeatable=False,
        params=(*params, *_FILE),
        success=(200, 201),
    )


LOCALIZATION_ENDPOINTS = (
    _export(
        name="export_articles",
        operation_id="exportArticles",
        path="/v1/localization/export/articles",
        summary="Export articles for translation.",
        params=(_ID,),
    ),
    _export(
        name="export_content",
        operation_id="exportContent",
        path="/v1/localization/export/content",
        summary="Export any content for translation.",
        params=(_CONTENT_ID, Param(name="type", required=True, enum=_CONTENT_TYPES, summary="Content type.")),
    ),
    _export(
        name="export_engagement",
        operation_id="exportEngagement",
        path="/v1/localization/export/engagement",
        summary="Export an engagement for translation.",
        params=(
            Param(
                name="draft", type="boolean", default=False, summary="The draft instead of the published engagement."
            ),
            _ID,
        ),
    ),
    _export(
        name="export_kcbot",
        operation_id="exportKcbot",
        path="/v1/localization/export/kcbot",
        summary="Export a knowledge-center bot for translation.",
        params=(_ID, _BOT_VERSION),
    ),
    _import(
        name="import_articles",
        operation_id="importArticles",
        path="/v1/localization/import/articles",
        summary="Import translated articles.",
    ),
    _import(
        name="import_content",
        operation_id="importContent",
        path="/v1/localization/import/content",
        summary="Import any translated content.",
        params=(_CONTENT_ID,),
    ),
    _import(
        name="import_engagement",
        operation_id="importEngagement",
        path="/v1/localization/import/engagement",
        summary="Import a translated engagement.",
    ),
    _import(
        name="import_kcbot",
        operation_id="importKcbot",
        path="/v1/localization/import/kcbot",
        summary="Import a translated knowledge-center bot.",
        params=(_BOT_VERSION,),
    ),
)
