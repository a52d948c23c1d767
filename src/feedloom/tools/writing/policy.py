"""The policy: what may be changed while nobody is there to approve, by rules of tool, fields, values and budgets.

``.dlt/policy.toml`` holds them. They count only after a person accepted that very file at a terminal, so that who can
write files cannot approve. Nothing blanket: each field that a tool sets has to be named, with the values it may take.

    [[rules]]
    tool = "refiner_update_contact"
    values = {churn_risk = ["low", "medium", "high"], seats = {min = 1, max = 500}}
    per_day = 50
    per_run = 10
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from feedloom.config import WORK_FOLDER
from feedloom.errors import InputError
from feedloom.tools.vault import corner, is_marked, mark
from feedloom.tools.writing.plans import Plan

FILE: Final = Path(".dlt/policy.toml")
MOST_A_DAY: Final = 10_000

_KEYS: Final = ("tool", "values", "per_day", "per_run")
_BOUNDS: Final = {"min", "max"}

Values: TypeAlias = "tuple[Any, ...] | Mapping[str, float]"
"""The values that a field may take: these, or numbers from ``min`` to ``max``."""


def _traits(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """The traits that an update sets; None for one that moves accounts or may create a contact."""
    if "account" in arguments or arguments.get("create_if_missing"):
        return None
    return dict(arguments.get("attributes", {}))


def _only(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda arguments: {name: arguments[name] for name in names}


_FIELDS: Final[Mapping[str, tuple[str, tuple[str, ...], Callable[[Mapping[str, Any]], dict[str, Any] | None]]]] = {
    "refiner_update_contact": ("update_contact", (), _traits),
    "refiner_track_event": ("track_event", ("event",), _only("event")),
    "refiner_tag_response": ("tag_response", ("tags",), _only("tags")),
    "refiner_set_segment": ("set_segment", ("segment_uuid", "member"), _only("segment_uuid", "member")),
}
"""Tool -> its action, the fields that a rule has to name (none: any traits), and what a call sets of them.

Deleting is missing on purpose: it cannot be undone, and always needs a person. So does undoing.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: calls of ``tool`` that set nothing but ``values``, so often a day (UTC) and a run."""

    tool: str
    values: Mapping[str, Values]
    per_day: int
    per_run: int

    @property
    def use(self) -> str:
        """What its uses are counted under."""
        said = f"{corner(Path(WORK_FOLDER).parent)} {self.tool} {sorted(self.values.items())!r}"
        return f"policy {sha256(said.encode()).hexdigest()[:16]}"

    def allows(self, plan: Plan) -> bool:
        """Whether *plan* is one of its calls, budgets aside."""
        action, _, fields = _FIELDS[self.tool]
        if plan.action != action or plan.undoes:
            return False
        given = fields(plan.arguments)
        return bool(given) and all(
            name in self.values and all(_may_be(self.values[name], one) for one in _each(value))
            for name, value in (given or {}).items()
        )


def read_policy(folder: Path | None = None) -> tuple[Rule, ...]:
    """The rules of the policy here, none without a file; raises InputError where it is wrong or not accepted."""
    file = (folder or Path()) / FILE
    if not file.exists():
        return ()
    rules = parse_policy(file.read_bytes())
    if not is_accepted(file):
        raise InputError(
            f"nobody accepted {FILE} as it is now",
            hint="a person runs `feedloom approve policy` at a terminal",
            code="FL242",
        )
    return rules


def parse_policy(content: bytes) -> tuple[Rule, ...]:
    """The rules in *content*; raises InputError that names what is wrong."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"it is no valid TOML: {error}", "correct that line") from None
    _check_keys("the file", document, ("rules",))
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise _wrong("it holds no rules", "write at least one [[rules]], or remove the file")
    return tuple(_rule(number, rule) for number, rule in enumerate(rules, start=1))


def accept_policy(file: Path = FILE) -> None:
    """Note that a person accepted the policy in *file* as it is."""
    seal = corner(file.parent.parent) / "policy.mark"
    seal.write_text(mark("policy", _digest(file)), encoding="ascii")
    seal.chmod(0o600)


def is_accepted(file: Path = FILE) -> bool:
    """Whether a person accepted the policy in *file* as it is now."""
    seal = corner(file.parent.parent) / "policy.mark"
    return seal.exists() and is_marked("policy", _digest(file), seal.read_text(encoding="ascii"))


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _rule(number: int, rule: Mapping[str, Any]) -> Rule:
    name = f"rule {number}"
    _check_keys(name, rule, _KEYS)
    missing = [key for key in _KEYS if key not in rule]
    if missing:
        raise _wrong(f"{name} has no {missing[0]}", f"give {' and '.join(missing)}; nothing is allowed without")
    tool, values = rule["tool"], rule["values"]
    if tool not in _FIELDS:
        near = get_close_matches(str(tool), _FIELDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(_FIELDS)}; others always need a person"
        raise _wrong(f"{name} is for {tool!r}, which no rule can allow", hint)
    if not isinstance(values, dict) or not values:
        raise _wrong(f"{name} names no values", "name each field that may be set, with the values it may take")
    fields = _FIELDS[tool][1]
    if fields:
        _check_keys(f"values of {name}", values, fields)
        if absent := [field for field in fields if field not in values]:
            raise _wrong(f"{name} says nothing of {absent[0]}", f"name its values: {tool} sets it")
    return Rule(
        tool=tool,
        values={field: _values(f"{field} in {name}", allowed) for field, allowed in values.items()},
        per_day=_budget(name, "per_day", rule["per_day"]),
        per_run=_budget(name, "per_run", rule["per_run"]),
    )


def _values(where: str, allowed: Any) -> Values:
    if isinstance(allowed, dict):
        _check_keys(where, allowed, sorted(_BOUNDS))
        if set(allowed) == _BOUNDS and all(_is_number(bound) for bound in allowed.values()):
            return {name: allowed[name] for name in sorted(_BOUNDS)}
        raise _wrong(f"{where} has no two bounds", "write {min = 1, max = 10}")
    items = allowed if isinstance(allowed, list) else []
    if not items or not all(isinstance(item, str | bool | int | float) for item in items):
        raise _wrong(f"{where} lists no values", 'list them: ["low", "high"], or give {min = 1, max = 10}')
    if any(isinstance(item, str) and ("*" in item or not item) for item in items):
        raise _wrong(f"{where} holds a wildcard", "list each value")
    return tuple(items)


def _budget(name: str, key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_A_DAY:
        raise _wrong(f"{key} of {name} is {value!r}", f"give a whole number from 1 to {MOST_A_DAY:,}")
    return value


def _check_keys(where: str, found: Mapping[str, Any], known: Iterable[str]) -> None:
    names = list(known)
    for key in found:
        if key not in names:
            near = get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(names)}"
            raise _wrong(f"{where} has an unknown key {key!r}", hint)


def _may_be(allowed: Values, value: Any) -> bool:
    if isinstance(allowed, Mapping):
        return _is_number(value) and allowed["min"] <= value <= allowed["max"]
    return any(value == one and isinstance(value, bool) is isinstance(one, bool) for one in allowed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _wrong(what: str, hint: str) -> InputError:
    return InputError(f"the policy can't be used: {what}", hint=hint, where=str(FILE), code="FL241")
