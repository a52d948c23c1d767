"""Where settings and keys come from: dlt's own providers (environment, ``.dlt/*.toml``, vaults), asked by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedloom.errors import CredentialError, InputError


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that a provider gave, and where it stood; the value never shows in its repr."""

    value: Any
    origin: str

    def __repr__(self) -> str:
        return f"Setting(origin={self.origin!r})"


def find_setting(section: str, name: str) -> Setting | None:
    """The first value of *name* in ``[sources.<section>]`` that dlt's providers hold; None when none does."""
    from dlt.common.configuration.container import Container  # noqa: PLC0415 - dlt takes a second to import
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext  # noqa: PLC0415 - the same

    for provider in Container()[PluggableRunContext].providers.providers:
        value, key = provider.get_value(name, str, "", "sources", section)
        if value not in (None, ""):
            return Setting(value, _origin(provider.name, key, section, name))
    return None


def _origin(provider: str, key: str, section: str, name: str) -> str:
    if provider == "Environment Variables":
        return f"environment variable {key}"
    if provider.endswith(".toml"):
        return f".dlt/{provider}, section [sources.{section}], {name}"
    return f"{provider}, {key}"


def key_origin(section: str, value: str) -> str:
    """Where the key *value* came from, in words; nothing of the value is in them."""
    found = find_setting(section, "api_key")
    if found is not None and found.value == value:
        return found.origin
    return "argument api_key"


def need_key(section: str, title: str, key_page: str) -> Setting:
    """The key of the vendor whose section is *section*; raises CredentialError saying where it may be put."""
    found = find_setting(section, "api_key")
    if found is None:
        variable = f"SOURCES__{section.upper()}__API_KEY"
        raise CredentialError(
            f"no {title} key was found",
            hint=f"set {variable}, or put api_key under [sources.{section}] in .dlt/secrets.toml, or run "
            f"`feedloom init`; the key is in {key_page}",
            code="FL401",
        )
    return found


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
