"""Which endpoint a request means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from feedloom.catalogue import Endpoint

_PARAMETER = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a path leads to.

    ``endpoint`` is None when no operation has this path and method; ``methods`` then holds those that the path takes.
    """

    endpoint: Endpoint | None
    parts: Mapping[str, str]
    methods: tuple[str, ...] = ()


class Routes:
    """The paths of a vendor; one without parameters goes before one with, else the order of the endpoints counts."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._fixed: dict[tuple[str, str], Endpoint] = {}
        self._open: list[tuple[re.Pattern[str], Endpoint]] = []
        for endpoint in endpoints:
            if "{" in endpoint.path:
                self._open.append((_pattern(endpoint.path), endpoint))
            else:
                self._fixed[endpoint.method, endpoint.path] = endpoint

    def match(self, *, method: str, path: str) -> Match:
        """The endpoint for *method* and *path*, which starts below the base path and is still percent-encoded."""
        path = path or "/"
        endpoint = self._fixed.get((method, path))
        if endpoint is not None:
            return Match(endpoint=endpoint, parts={})
        methods = [fixed_method for fixed_method, fixed_path in self._fixed if fixed_path == path]
        for pattern, candidate in self._open:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if candidate.method == method:
                parts = {name: unquote(part) for name, part in found.groupdict().items()}
                return Match(endpoint=candidate, parts=parts)
            methods.append(candidate.method)
        return Match(endpoint=None, parts={}, methods=tuple(sorted(set(methods))))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(path)))
