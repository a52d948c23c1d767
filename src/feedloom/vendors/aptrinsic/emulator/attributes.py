"""The attributes that users and accounts can have, and the way their values are read.

Source: openapi.yaml, schema AttributeMetadata; aptrinsic-notes, section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from feedloom.emulator.dice import Dice
from feedloom.vendors.aptrinsic.emulator.refusal import invalid
from feedloom.vendors.aptrinsic.emulator.values import as_text, read_moment_ms, read_number, read_truth
from feedloom.vendors.aptrinsic.emulator.visits import DAY_MS, START_MS

AttributeType: TypeAlias = Literal["STRING", "NUMBER", "BOOLEAN", "DATE_TIME"]
Model: TypeAlias = Literal["user", "account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute; ``name`` is what people see, ``api_name`` its key."""

    api_name: str
    name: str
    type: AttributeType = "STRING"
    is_custom: bool = True
    state: Literal["ENABLED", "DISABLED", "DELETED"] = "ENABLED"


def _default(type_: AttributeType, *names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(api_name=name, name=name, type=type_, is_custom=False) for name in names)


_PLACE = ("countryName", "countryCode", "stateName", "stateCode", "city", "street", "postalCode", "continent")

ATTRIBUTES: Mapping[Model, tuple[Attribute, ...]] = {
    "user": (
        *_default(
            "STRING", "id", "type", "gender", "email", "firstName", "lastName", "title", "phone", "role", "accountId"
        ),
        *_default("NUMBER", "score", "numberOfVisits"),
        *_default("DATE_TIME", "signUpDate", "firstVisitDate", "lastSeenDate", "createDate"),
        *_default("STRING", *_PLACE),
        Attribute(api_name="plan", name="Plan"),
        Attribute(api_name="seats", name="Seats", type="NUMBER"),
        Attribute(api_name="beta", name="Beta tester", type="BOOLEAN"),
        Attribute(api_name="trialEnd", name="End of trial", type="DATE_TIME"),
        Attribute(api_name="mrr_eur", name="MRR, €", type="NUMBER"),
        Attribute(api_name="userTier", name="Tier (new)"),
        Attribute(api_name="user_tier", name="Tier (old)"),
        Attribute(api_name="is champion?", name="Champion", type="BOOLEAN"),
        Attribute(api_name="Größe", name="Größe"),
        Attribute(api_name="любимый_модуль", name="Любимый модуль"),
        Attribute(api_name="🎯 goal", name="🎯 Goal"),
        Attribute(api_name="notes", name="Notes"),
        Attribute(api_name="legacy_score", name="Score until 2023", type="NUMBER", state="DISABLED"),
    ),
    "account": (
        *_default("STRING", "id", "name", "trackedSubscriptionId", "sfdcId", "dunsNumber", "industry", "sicCode"),
        *_default("STRING", "website", "naicsCode", "plan", "parentGroupId"),
        *_default("NUMBER", "numberOfEmployees", "numberOfUsers"),
        *_default("DATE_TIME", "lastSeenDate", "createDate"),
        *_default("STRING", *_PLACE),
        Attribute(api_name="tier", name="Tier"),
        Attribute(api_name="arr_usd", name="ARR, $", type="NUMBER"),
        Attribute(api_name="isPartner", name="Partner", type="BOOLEAN"),
        Attribute(api_name="contractEnd", name="End of contract", type="DATE_TIME"),
        Attribute(api_name="Регион", name="Регион"),
    ),
}

ODDITIES = (
    "=1+1",
    "@everyone, see below",
    "+49 30 1234567",
    "-",
    "First line\nsecond line",
    'Said "later"; and left',
    "null",
    "tab\there",
    "x" * 2_000,
)

_TIERS = ("bronze", "silver", "gold")
_SIZES = ("klein", "groß", "sehr groß")
_MODULES = ("Отчёты", "Проекты", "Задачи")
_REGIONS = ("Юг", "Север")

_Habit: TypeAlias = tuple[str, int, Callable[[int], Any]]
"""An attribute, how many of 256 records have it, and its value by a random byte."""

_HABITS: Mapping[Model, tuple[_Habit, ...]] = {
    "user": (
        ("beta", 80, lambda byte: byte % 2 == 0),
        ("trialEnd", 50, lambda byte: START_MS + byte * 2 * DAY_MS),
        ("mrr_eur", 90, lambda byte: byte * 11 + 0.5 if byte & 1 else byte * 11),
        ("userTier", 40, lambda byte: _TIERS[byte % len(_TIERS)]),
        ("user_tier", 40, lambda byte: _TIERS[byte % len(_TIERS)]),
        ("is champion?", 25, lambda _: True),
        ("Größe", 40, lambda byte: _SIZES[byte % len(_SIZES)]),
        ("любимый_модуль", 30, lambda byte: _MODULES[byte % len(_MODULES)]),
        ("🎯 goal", 20, lambda byte: "grow 📈" if byte & 3 else None),
        ("notes", 12, lambda byte: ODDITIES[byte % len(ODDITIES)]),
    ),
    "account": (
        ("tier", 200, lambda byte: _TIERS[byte % len(_TIERS)]),
        ("isPartner", 60, lambda byte: byte % 3 == 0),
        ("contractEnd", 120, lambda byte: START_MS + (400 + byte * 3) * DAY_MS),
        ("Регион", 30, lambda byte: _REGIONS[byte & 1]),
    ),
}
_BARE_BELOW = 36
"""Of 256, so many records have no custom attributes at all."""

ROLL_BYTES = 1 + 2 * max(len(habits) for habits in _HABITS.values())


def metadata(*, model: Model, seed: int) -> list[dict[str, Any]]:
    """The attributes of users or accounts as the API lists them."""
    dice = Dice(seed=seed, kind=f"attribute of {model}", size=8)
    rows = []
    for place, attribute in enumerate(ATTRIBUTES[model]):
        made_ms = START_MS - (500 - place) * DAY_MS
        rows.append(
            {
                "id": dice.roll(place).hex(),
                "name": attribute.name,
                "apiName": attribute.api_name,
                "internalName": attribute.api_name,
                "description": "",
                "type": attribute.type,
                "state": attribute.state,
                "origin": "CUSTOM" if attribute.is_custom else "DEFAULT",
                "createdDate": made_ms,
                "modifiedDate": made_ms + place * DAY_MS,
                "defaultValue": "",
            }
        )
    return rows


def made_up(*, model: Model, roll: bytes, known: Mapping[str, Any]) -> dict[str, Any] | None:
    """The custom attributes of a record of the base data, *known* ones among them; None for one that has none.

    *roll* holds ``ROLL_BYTES`` random bytes.
    """
    if roll[0] < _BARE_BELOW:
        return None
    values = dict(known)
    for place, (name, share, value) in enumerate(_HABITS[model]):
        if roll[1 + 2 * place] < share:
            values[name] = value(roll[2 + 2 * place])
    return values


def read_values(*, model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Custom attributes as a write gives them, each brought to the type of its attribute.

    Numbers and truth values may come as text. Refused are attributes that do not exist, and dates that are null or
    empty.
    Source: aptrinsic-notes, sections 5 and 10.
    """
    known = {attribute.api_name: attribute for attribute in ATTRIBUTES[model] if attribute.is_custom}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise invalid(field=f"customAttributes.{name}", rejected=value, message="attribute does not exist")
        try:
            values[name] = _read(type_=known[name].type, value=value)
        except ValueError:
            message = f"must be a value of type {known[name].type}"
            raise invalid(field=f"customAttributes.{name}", rejected=value, message=message) from None
    return values


def _read(*, type_: AttributeType, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        raise ValueError(value)  # noqa: TRY004 - the caller tells wrong values alike, whatever is wrong
    if type_ == "DATE_TIME":
        return read_moment_ms(value)
    if value is None:
        return None
    if type_ == "STRING":
        return as_text(value)
    return read_truth(value) if type_ == "BOOLEAN" else read_number(value)
