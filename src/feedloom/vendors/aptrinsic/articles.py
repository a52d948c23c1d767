"""Gainsight PX articles and the knowledge-center bots that show them.

Source: openapi.yaml, paths below /v1/articles and /v1/kcbot; aptrinsic-notes, sections 1 and 5.
"""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.aptrinsic.builders import (
    ENVELOPE_NOTE,
    LANGUAGE_PARTS,
    NAMED_PARTS,
    WRITE_ENVELOPE,
    in_body,
    moment,
    nested,
    number_paging,
    number_params,
    path_param,
    source,
)
from feedloom.vendors.aptrinsic.engagements import ENVIRONMENTS, STATE_CHANGES

_ARTICLE_FIELDS = (
    Field(name="id"),
    Field(name="articleName"),
    Field(name="author"),
    *nested(
        Field(name="articleKCs", type="list", summary="The bots that show it."),
        (Field(name="kcId"), Field(name="kcName")),
    ),
    moment(name="createdDate"),
    moment(name="modifiedDate"),
    *nested(Field(name="modifiedBy", type="object"), NAMED_PARTS),
    Field(name="defaultLanguage"),
    *nested(Field(name="languages", type="list"), LANGUAGE_PARTS),
    Field(name="productId"),
    Field(name="productName"),
    Field(
        name="releaseDate",
        type="timestamp",
        time="iso",
        nullable=True,
        summary="ISO 8601 text, unlike every other date.",
    ),
    Field(name="translationState"),
    Field(name="viewType"),
)

_BOT_FIELDS = (
    Field(name="id"),
    Field(name="name"),
    Field(name="description"),
    *nested(Field(name="createdBy", type="object"), NAMED_PARTS),
    moment(name="createdDate"),
    *nested(Field(name="modifiedBy", type="object"), NAMED_PARTS),
    moment(name="modifiedDate"),
    Field(name="defaultLanguage"),
    *nested(Field(name="languages", type="list"), LANGUAGE_PARTS),
    Field(name="environments", type="list"),
    Field(name="priority", type="integer"),
    Field(name="productId"),
    Field(name="productName"),
    Field(name="status"),
)

_PAGING = number_paging(size_default=200, size_max=500)
_LIST_PARAMS = (
    *number_params(size_default=200, size_max=500),
    Param(name="productId", summary="Only this product (property group)."),
)
_EVIDENCE = ("vendor-swagger", "posthog", "airbyte", "fivetran")
_RANGE_NOTE = "The vendor states the range of the page size in prose only."

ARTICLE_ENDPOINTS = (
    Endpoint(
        name="list_articles",
        operation_id="listArticles",
        method="GET",
        path="/v1/articles",
        summary="List articles, without their text.",
        source=source(*_EVIDENCE, note=_RANGE_NOTE),
        params=_LIST_PARAMS,
        records="articleExternalViewList",
        is_list=True,
        paging=_PAGING,
        fields=_ARTICLE_FIELDS,
    ),
    Endpoint(
        name="get_article",
        operation_id="getArticle",
        method="GET",
        path="/v1/articles/{articleId}",
        summary="Get one article, without its text.",
        source=source("vendor-swagger"),
        params=(path_param(name="articleId", summary="Article id."),),
        fields=_ARTICLE_FIELDS,
    ),
    Endpoint(
        name="list_knowledge_center_bots",
        operation_id="listKnowledgeCenterBots",
        method="GET",
        path="/v1/kcbot",
        summary="List knowledge-center bots.",
        source=source(*_EVIDENCE, note=_RANGE_NOTE),
        params=_LIST_PARAMS,
        records="kcList",
        is_list=True,
        paging=_PAGING,
        fields=_BOT_FIELDS,
    ),
    Endpoint(
        name="get_knowledge_center_bot",
        operation_id="getKnowledgeCenterBot",
        method="GET",
        path="/v1/kcbot/{kcId}",
        summary="Get one knowledge-center bot.",
        source=source("vendor-swagger"),
        params=(path_param(name="kcId", summary="Knowledge-center bot id."),),
        fields=_BOT_FIELDS,
    ),
    Endpoint(
        name="set_knowledge_center_bot_state",
        operation_id="setKnowledgeCenterBotState",
        method="PUT",
        path="/v1/kcbot/state",
        summary="Start or pause a knowledge-center bot.",
        source=source("vendor-swagger", note=ENVELOPE_NOTE),
        effect="write",
        params=in_body(
            (
                Param(name="kcId", summary="Knowledge-center bot id."),
                Param(name="state", enum=STATE_CHANGES),
                Param(
                    name="envs",
                    encoding="list",
                    default="PRODUCTION",
                    enum=ENVIRONMENTS,
                    summary="Environments.",
                ),
            ),
            required=("kcId", "state"),
        ),
        fields=WRITE_ENVELOPE,
    ),
)
