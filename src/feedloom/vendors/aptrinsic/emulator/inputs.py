"""The inputs of a call as Gainsight PX reads them, which is less strictly than they are described.

Source: aptrinsic-notes, sections 6 (null in a write) and 10 (numbers sent as text); openapi.yaml, setEngagementEnv and
contentTypes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from feedloom.catalogue import Endpoint, Param
from feedloom.emulator.arguments import Given
from feedloom.vendors.aptrinsic.emulator.values import as_text

_JOINED = "contentTypes"
_CASELESS = "env"


def as_read(*, endpoint: Endpoint, given: Mapping[str, Given], takes_numbers: bool) -> dict[str, Given]:
    """*given* without the nulls of a body, which change nothing, and each value as its parameter asks for it.

    Content types may be joined by commas, an environment is matched without case, and with *takes_numbers* a number or
    a truth value may stand for a text.
    """
    read = {name: one for name, one in given.items() if not (one.shape == "json" and one.value is None)}
    for param in endpoint.params:
        if param.name in read:
            read[param.name] = _as_read(param=param, given=read[param.name], takes_numbers=takes_numbers)
    return read


def _as_read(*, param: Param, given: Given, takes_numbers: bool) -> Given:
    value = given.value
    if param.name == _JOINED and given.shape == "plain":
        return replace(given, value=[part for text in value for part in text.split(",")])
    if param.name == _CASELESS and isinstance(value, str):
        known = {str(choice).lower(): choice for choice in param.enum}
        return replace(given, value=known.get(value.lower(), value))
    if takes_numbers and param.type == "text" and given.shape == "json" and isinstance(value, (int, float)):
        return replace(given, value=as_text(value))
    return given
