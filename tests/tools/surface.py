"""The whole surface of the tools as data, and how a change of it would strike those who use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Change = Literal["none", "compatible", "breaking"]


def classify(before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """What a change from *before* to *after*, tools by name, is to callers that know only *before*.

    Words may change, tools and optional arguments be added, choices and bounds widened, results gain keys. A tool,
    argument, choice or key of a result that goes, a new duty, or a tool that does more than it did is breaking.
    """
    if before == after:
        return "none"
    return "breaking" if any(_breaks(tool, after.get(name)) for name, tool in before.items()) else "compatible"


def _breaks(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> bool:
    if after is None or before["effect"] != after["effect"]:
        return True
    old, new = before["input"], after["input"]
    if set(new.get("required", ())) - set(old.get("required", ())):
        return True
    if any(_narrows(schema, new["properties"].get(name)) for name, schema in old["properties"].items()):
        return True
    promised = set(before["output"].get("required", ())) - set(after["output"].get("required", ()))
    gone = set(before["output"]["properties"]) - set(after["output"]["properties"])
    return bool(promised or gone)


def _narrows(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> bool:
    """Whether a value that was taken would be refused, or a default mean something else."""
    if after is None or before["type"] != after["type"] or before.get("default") != after.get("default"):
        return True
    if "enum" in after and ("enum" not in before or set(before["enum"]) - set(after["enum"])):
        return True
    lowest, highest = (
        before.get(word, outside) != after.get(word, outside)
        and (after.get(word, outside) > before.get(word, outside)) is is_low
        for word, outside, is_low in (("minimum", float("-inf"), True), ("maximum", float("inf"), False))
    )
    return lowest or highest
