"""The vendor's OpenAPI description, served by the emulator as its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _document(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        document: dict[str, Any] = yaml.load(stream, Loader=_LOADER)  # noqa: S506 - both loaders are the safe one
    return document


def openapi_json(*, file: Path, server_url: str) -> bytes:
    """The description in *file* as JSON, its servers replaced by *server_url*."""
    return orjson.dumps({**_document(file), "servers": [{"url": server_url, "description": "The emulator."}]})
