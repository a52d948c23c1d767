"""One operation of a vendor's API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from feedloom.catalogue.facts import Source
from feedloom.catalogue.paging import NoPaging, Paging
from feedloom.catalogue.parameters import Field, FilterField, Param

_WHOLE = NoPaging()

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
Effect: TypeAlias = Literal["read", "write", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation, described so that a client, an emulator, a tool and a page of the reference can be made from it.

    Attributes:
        name: Verb and noun, unique in the vendor: ``list_responses``.
        operation_id: Its name in the vendor's OpenAPI file here.
        method: HTTP verb.
        path: Below the vendor's base URL, starting with ``/``; path parameters in braces.
        summary: One sentence.
        source: The evidence for it.
        effect: What a call does to the vendor's data. A POST that only reads is ``read``.
        repeatable: Sending the same call twice has the same effect as once, so that it may be retried after its body
            was sent.
        params: Everything it accepts.
        one_of: Sets of parameters of which at least one member must be given.
        open_body: Further keys of the body are accepted (traits, answers).
        records: Path of the list of rows in the answer; empty for an answer that is itself the row or the list.
        is_list: The answer holds many rows.
        paging: How the list is cut.
        filter_param, filter_fields, sort_param, sort_fields: The filter and sort grammar of the list, where it has one;
            ``*`` stands for any field.
        window: The names of the start (inclusive) and end (exclusive) parameter of the date range, where it has one.
        per_user: Counts against the vendor's limit per user.
        fields: The fields of a row (or of the answer, when it is no list).
        success: The statuses of success, the usual one first.
        answer: ``json`` or ``binary`` (file downloads).
        server: Key of another server of the vendor, empty for the usual one.
        deprecated: Kept for completeness; nothing of ours calls it.
    """

    name: str
    operation_id: str
    method: Method
    path: str
    summary: str
    source: Source
    effect: Effect = "read"
    repeatable: bool = True
    params: tuple[Param, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    open_body: bool = False
    records: str = ""
    is_list: bool = False
    paging: Paging = _WHOLE
    filter_param: str = ""
    filter_fields: tuple[FilterField, ...] = ()
    sort_param: str = ""
    sort_fields: tuple[str, ...] = ()
    window: tuple[str, str] | None = None
    per_user: bool = False
    fields: tuple[Field, ...] = ()
    success: tuple[int, ...] = (200,)
    answer: Literal["json", "binary"] = "json"
    server: str = ""
    deprecated: bool = False

    def param(self, name: str) -> Param:
        """The parameter called *name*; raises KeyError when the endpoint has none."""
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)

    def has_param(self, name: str) -> bool:
        """Whether the endpoint takes a parameter called *name*."""
        return any(param.name == name for param in self.params)
