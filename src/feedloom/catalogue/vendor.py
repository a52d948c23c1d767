"""A vendor: its servers, its key, its limits, its endpoints and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from feedloom.catalogue.endpoint import Endpoint
from feedloom.catalogue.facts import Source
from feedloom.catalogue.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A number of requests allowed in a time.

    Attributes:
        name: Unique in the vendor.
        requests: How many.
        seconds: In how long a sliding window.
        per: ``key`` counts every call; ``user`` counts the calls of endpoints marked ``per_user``, each user id apart.
        user_params: The parameters that name the user.
        source: The evidence.
    """

    name: str
    requests: int
    seconds: int
    per: Literal["key", "user"]
    source: Source
    user_params: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """One way to send the key.

    Attributes:
        name: Unique in the vendor; the first of a vendor is the default.
        kind: ``bearer`` is an Authorization header, ``header`` one called ``field``, ``param`` a URL parameter called
            ``field``, ``basic`` the key as user name with an empty password.
        field: Name of the header or parameter.
        source: The evidence.
    """

    name: str
    kind: Literal["bearer", "header", "param", "basic"]
    source: Source
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefusal:
    """An answer that means the key is bad: a status and, where the status alone is not enough, words of its body.

    ``words`` are compared without case; ``reason`` ends the sentence "The key was refused: ...".
    """

    status: int
    reason: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """All that is true of one vendor's API.

    Attributes:
        slug: Its name in commands, modules and tables.
        title: Its name for people.
        source_name: Name of its dlt source and of its section in dlt's config (``[sources.<source_name>]``).
        dataset: Name of its dataset.
        servers: Name -> base URL; the first is the default.
        auth: The ways to send the key, default first.
        key_page: Where a person finds the key.
        probe: Endpoint that tells most cheaply whether a key works.
        limits: The limits on calls.
        refusals: Answers that mean the key is bad; the first that fits counts.
        error_paths: Paths in an error body where its message stands, best first.
        endpoints: Every operation.
        tables: Every table made from them, in loading order.
    """

    slug: str
    title: str
    source_name: str
    dataset: str
    servers: Mapping[str, str]
    auth: tuple[Auth, ...]
    key_page: str
    probe: str
    limits: tuple[Limit, ...]
    refusals: tuple[KeyRefusal, ...]
    error_paths: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    tables: tuple[Table, ...] = field(default=())

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint called *name*; raises KeyError when there is none."""
        for endpoint in self.endpoints:
            if endpoint.name == name:
                return endpoint
        raise KeyError(name)

    def table(self, name: str) -> Table:
        """The table called *name*, or known by that alias; raises KeyError when there is none."""
        for table in self.tables:
            if name == table.name or name in table.aliases:
                return table
        raise KeyError(name)
