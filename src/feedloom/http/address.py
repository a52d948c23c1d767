"""Where calls go: the base URL of a vendor, and the URL of an endpoint below it."""

from __future__ import annotations

import re
from typing import Final

import httpx2

from feedloom.catalogue import Vendor
from feedloom.errors import InputError

_VERSION: Final = re.compile(r"v\d+")


def server_url(vendor: Vendor, server: str | None) -> str:
    """The base URL of the vendor's server called *server*, of its first one for None; raises InputError."""
    if server is None:
        return next(iter(vendor.servers.values()))
    if server not in vendor.servers:
        known = ", ".join(vendor.servers)
        raise InputError(f"{vendor.title} has no server called {server!r}", hint=f"Choose one of: {known}.")
    return vendor.servers[server]


def checked_base_url(base_url: str) -> str:
    """*base_url* when calls can go there: http or https, a host, no password, query or fragment; raises InputError."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.userinfo:
        problem = "The base URL holds a user name or password"
    elif url.scheme not in {"http", "https"} or not url.host or url.query or url.fragment:
        problem = f"The base URL {base_url!r} is not an address that calls can go to"
    else:
        return base_url
    raise InputError(problem, hint="Write it like https://api.example.com/v1, with nothing after the path.")


def host_of(base_url: str) -> str:
    """The host and port of *base_url*, in small letters."""
    return httpx2.URL(base_url).netloc.decode().lower()


def join(base_url: str, path: str, *, template: str) -> str:
    """The URL of *path* below *base_url*.

    A slash at the end of the base is tolerated. Where the base ends in a version (``/v1``) and *template*, the path
    before its parameters were filled in, names a version of its own (``/v1/users``, ``/v2/features``), the base's
    version gives way, so that none is doubled.
    """
    base = base_url.rstrip("/")
    above, _, last = base.rpartition("/")
    if _VERSION.fullmatch(last) and any(_VERSION.fullmatch(part) for part in template.split("/")):
        base = above
    return base + path
