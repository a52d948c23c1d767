"""Surveys, which Refiner calls forms, and the environment the key opens. Source: refiner-notes, Forms."""

from __future__ import annotations

from feedloom.catalogue import Endpoint, Field, Param
from feedloom.vendors.refiner.endpoints_shared import (
    BY_NUMBER,
    FORM_UUID,
    MESSAGE,
    PAGE,
    PAGE_LENGTH,
    documented,
    in_body,
    moment,
    must,
    seen_in_code,
)

FORM_FIELDS = (
    Field(name="uuid"),
    Field(name="name"),
    Field(name="channels", type="list", nullable=True, summary="Where it is shown, such as web, mobile or link."),
    moment("created_at"),
    moment("updated_at"),
    moment("published_at", summary="Null for drafts."),
    moment("archived_at"),
    moment("first_form_view_at"),
    moment("last_form_view_at"),
    Field(name="responses_count", type="integer", nullable=True),
    Field(name="views_count", type="integer", nullable=True),
    Field(name="folder", type="any", nullable=True, summary="An object or a text, depending on the source."),
    Field(name="page_url", nullable=True),
    Field(
        name="config",
        type="object",
        nullable=True,
        summary="The whole configuration, present only with include_config=1, in a format the vendor may change.",
    ),
)

FORM_ENDPOINTS = (
    Endpoint(
        name="list_forms",
        operation_id="listForms",
        method="GET",
        path="/forms",
        summary="List surveys by name.",
        source=documented(
            "https://refiner.io/docs/api/#get-forms (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/form-list.ts",
            "Composio toolkit types, REFINER_GET_FORMS",
            "metorial/integrations integrations/refiner/src/tools/list-surveys.ts",
            "archiewood/fivetran-erds ddl/refiner.sql (table form)",
            note="Without include_info a row holds uuid and name only.",
        ),
        params=(
            Param(
                name="list",
                default="all",
                enum=("all", "published", "drafts", "archived", "all_with_archived"),
                summary="Which surveys, where all leaves the archived ones out.",
            ),
            Param(
                name="include_info",
                type="boolean",
                encoding="flag",
                default=False,
                summary="Adds dates, counters, channels, folder and link.",
            ),
            Param(
                name="include_config",
                type="boolean",
                encoding="flag",
                default=False,
                summary="Adds the whole configuration.",
            ),
            PAGE,
            PAGE_LENGTH,
        ),
        records="items",
        is_list=True,
        paging=BY_NUMBER,
        fields=FORM_FIELDS,
    ),
    Endpoint(
        name="archive_form",
        operation_id="archiveForm",
        method="DELETE",
        path="/forms",
        summary="Archive a survey, which stays listable and which no call brings back.",
        source=documented(
            "https://refiner.io/docs/api/#delete-form (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/form-archive.ts",
            "metorial/integrations integrations/refiner/src/lib/client.ts (sends form_uuid in the body)",
        ),
        effect="write",
        params=(must(FORM_UUID),),
        fields=MESSAGE,
    ),
    Endpoint(
        name="publish_form",
        operation_id="publishForm",
        method="POST",
        path="/forms/publish",
        summary="Publish or unpublish a survey.",
        source=documented(
            "https://refiner.io/docs/api/#publish-form (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/form-publish.ts",
            "metorial/integrations integrations/refiner/src/tools/manage-survey.ts",
        ),
        effect="write",
        params=in_body(
            must(FORM_UUID),
            Param(
                name="published", type="boolean", encoding="flag", default=True, summary="False unpublishes the survey."
            ),
        ),
        fields=MESSAGE,
    ),
    Endpoint(
        name="duplicate_form",
        operation_id="duplicateForm",
        method="POST",
        path="/forms/duplicate",
        summary="Copy a survey into a new draft.",
        source=documented(
            "https://refiner.io/docs/api/#duplicate-form (anchor cited by MindCloud)",
            "segevsh/w6w-apps apps/refiner/actions/form-duplicate.ts",
            "metorial/integrations integrations/refiner/src/tools/manage-survey.ts",
        ),
        effect="write",
        repeatable=False,
        params=in_body(must(FORM_UUID), must(Param(name="name", summary="Name of the copy."))),
        fields=(*MESSAGE, Field(name="source_form_uuid"), Field(name="new_form_uuid")),
    ),
    Endpoint(
        name="list_form_history",
        operation_id="listFormHistory",
        method="GET",
        path="/forms/history",
        summary="List the earlier versions of one survey.",
        source=seen_in_code(
            "segevsh/w6w-apps apps/refiner/actions/form-history.ts",
            "segevsh/w6w-apps apps/refiner/README.md",
            note="One source, which says it read this in the vendor's reference; the order is not known.",
        ),
        params=(must(FORM_UUID), PAGE, PAGE_LENGTH),
        records="items",
        is_list=True,
        paging=BY_NUMBER,
        fields=(
            Field(name="uuid"),
            Field(name="action", summary="What was done, such as update."),
            Field(
                name="snapshot", type="object", nullable=True, summary="Configuration and questions of that version."
            ),
            moment("created_at"),
        ),
    ),
)

_COUNTERS = (
    ("mtu", "Tracked users of the month.", True),
    ("mte", "Tracked events of the month, which have no limit.", False),
    ("mpv", "Page views of the month.", True),
    ("msr", "Survey responses of the month.", True),
)
"""Counter, meaning, and whether it has a limit. Source: refiner openapi.yaml, getAccount."""


def _counter_fields(counter: str, summary: str, *, limited: bool) -> tuple[Field, ...]:
    """The fields of one usage counter of the account."""
    return (
        Field(name=f"subscription.{counter}_count", type="integer", summary=summary),
        *([Field(name=f"subscription.{counter}_limit", type="integer")] if limited else []),
        moment(f"subscription.{counter}_count_updated_at"),
    )


ENVIRONMENT_ENDPOINTS = (
    Endpoint(
        name="get_account",
        operation_id="getAccount",
        method="GET",
        path="/account",
        summary="Read the plan, the usage counters of the month and the environments of the whole account.",
        source=documented(
            "https://refiner.io/docs/api/#get-account-info (anchor cited by mindcloud-inc/universal-api-reference)",
            "Composio toolkit types, REFINER_GET_ACCOUNT_INFO",
            "metorial/integrations integrations/refiner/src/tools/get-account.ts",
            "segevsh/w6w-apps apps/refiner/health/quota.ts",
        ),
        fields=(
            Field(name="subscription", type="object"),
            Field(name="subscription.plan"),
            *(
                field
                for counter, summary, limited in _COUNTERS
                for field in _counter_fields(counter, summary, limited=limited)
            ),
            Field(name="environments", type="list"),
            Field(name="environments[].uuid"),
            Field(name="environments[].name"),
            *(
                Field(name=f"environments[].{counter}", type="integer", summary=summary)
                for counter, summary, _limited in _COUNTERS
            ),
        ),
    ),
    Endpoint(
        name="get_project",
        operation_id="getProject",
        method="GET",
        path="/",
        summary="Tell which environment the key opens.",
        source=documented(
            "https://refiner.io/docs/api (authentication section)",
            "segevsh/w6w-apps apps/refiner/actions/project-get.ts",
            "segevsh/w6w-apps apps/refiner/auth/api-key.ts",
        ),
        fields=(Field(name="project_uuid"), Field(name="project_name"), *MESSAGE),
    ),
)
