"""Where settings and keys come from: dlt's own providers (environment, ``.dlt/*.toml``, vaults), asked by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from feedloom.errors import CredentialError, InputError

WORK_FOLDER = ".feedloom"
"""What feedloom keeps in the folder it is run in; git is told to ignore it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that a provider gave, and where it stood; the value never shows in its repr."""

    value: Any
    origin: str

    def __repr__(self) -> str:
        return f"Setting(origin={self.origin!r})"


def find_setting(section: str, name: str) -> Setting | None:
    """The text *name* in ``[sources.<section>]``, as ``find_text`` finds it."""
    return find_text("sources", section, name)


def find_text(*path: str) -> Setting | None:
    """The first text at *path* (``feedloom``, ``to``) that dlt's providers hold; None when none does.

    Raises InputError when what stands there is no text; of a file that cannot be read, dlt raises what
    ``failures.explain`` knows.
    """
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - dlt takes a second to import
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext  # noqa: PLC0415 - the same

    *sections, name = path
    for provider in Container()[PluggableRunContext].providers.providers:
        value, key = provider.get_value(name, str, "", *sections)
        if value is None or value == "":
            continue
        origin = _origin(provider.name, key, sections, name)
        if not isinstance(value, str):
            raise InputError(
                f"{name} has to be a text, not {_kind(value)}",
                hint="write it in double quotes",
                where=origin,
                code="FL216",
            )
        return Setting(value, origin)
    return None


def find_flag(*path: str) -> Setting | None:
    """The truth value at *path*, written ``true`` or ``"true"``; None when no provider holds one.

    Raises InputError when something else stands there.
    """
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - dlt takes a second to import
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext  # noqa: PLC0415 - the same

    *sections, name = path
    for provider in Container()[PluggableRunContext].providers.providers:
        value, key = provider.get_value(name, str, "", *sections)
        if value is None or value == "":
            continue
        origin = _origin(provider.name, key, sections, name)
        if str(value).lower() not in ("true", "false"):
            raise InputError(f"{name} has to be true or false", hint="write true or false", where=origin, code="FL216")
        return Setting(str(value).lower() == "true", origin)
    return None


def variable(*path: str) -> str:
    """The environment variable in which dlt looks for the setting at *path*."""
    return "__".join(path).upper()


def need_key(section: str, title: str, key_page: str) -> Setting:
    """The key of the vendor whose section is *section*; raises CredentialError saying where it may be put."""
    found = find_setting(section, "api_key")
    if found is None:
        raise CredentialError(
            f"no {title} key was found",
            hint=f"set {variable('sources', section, 'api_key')}, or put api_key under [sources.{section}] in "
            f".dlt/secrets.toml, or run `feedloom init`; the key is in {key_page}",
            code="FL401",
        )
    return found


def forget_settings() -> None:
    """Make dlt read its files again when a setting is next asked for."""
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - dlt takes a second to import
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext  # noqa: PLC0415 - the same

    Container()[PluggableRunContext].reload_providers()


def moment(value: str | datetime | None, name: str) -> datetime | None:
    """*value* as an aware datetime; raises InputError for text that is no ISO date, or has no zone."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(
                f"{name} is no date: {value!r}", hint="write it as 2026-01-31T00:00:00Z", code="FL212"
            ) from None
    else:
        parsed = value
    if parsed.tzinfo is None:
        raise InputError(f"{name} has no time zone: {value}", hint=f"write {parsed.isoformat()}Z for UTC", code="FL210")
    return parsed


def duration(value: str | None, name: str) -> timedelta | None:
    """*value* (``7d``, ``36h``, ``90min``) as a length of time; raises InputError for anything else."""
    if value is None:
        return None
    for unit, size in _UNITS.items():
        number = value.strip().removesuffix(unit)
        if number != value.strip() and number.isascii() and number.isdecimal() and len(number) < _MOST_DIGITS:
            return int(number) * size
    raise InputError(
        f"{name} is no length of time: {value!r}", hint="write a whole number and d, h or min, such as 7d", code="FL212"
    )


_UNITS = {"min": timedelta(minutes=1), "d": timedelta(days=1), "h": timedelta(hours=1)}
_MOST_DIGITS = 6


def past_moment(value: str | None, name: str, *, now: datetime | None = None) -> datetime | None:
    """*value* as ``moment`` reads it; raises InputError also for one after *now*, where no rows can be yet."""
    parsed = moment(value, name)
    if parsed is not None and parsed > (now or datetime.now(UTC)):
        raise InputError(
            f"{name} lies in the future: {value}", hint="give a moment that has passed, or leave it out", code="FL217"
        )
    return parsed


def _origin(provider: str, key: str, sections: list[str], name: str) -> str:
    if provider == "Environment Variables":
        return f"environment variable {key}"
    if provider.endswith(".toml"):
        return f".dlt/{provider}, section [{'.'.join(sections)}], {name}"
    return f"{provider}, {key}"


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a section"}
    return kinds.get(type(value), f"a {type(value).__name__}")
