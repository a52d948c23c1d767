"""Holds the key of a vendor as dlt's providers gave it, so that one that was rotated since can be found there."""

from __future__ import annotations

from feedloom.catalogue import Vendor
from feedloom.config import Setting, find_setting, forget_settings, need_key
from feedloom.http import Key, KeyHolder
from feedloom.sources.session import current_session


def hold_key(section: str, value: str) -> KeyHolder:
    """*value*, the key of the source whose section is *section*.

    Where a provider of dlt's gives the same, it is asked again once the vendor refuses the key; else the key is an
    argument, and there is no other.
    """
    found = find_setting(section, "api_key")
    if found is None or found.value != value:
        return KeyHolder(Key(value, "argument api_key"))
    return _held(section, found)


def key_of_run(section: str, value: str) -> KeyHolder:
    """As ``hold_key``, but shared by all sources of the run under way, which found the key for them."""
    return current_session().key or hold_key(section, value)


def hold_needed_key(vendor: Vendor, given: Setting | None = None) -> KeyHolder:
    """The key of *vendor*: the one *given*, or else from dlt's providers; raises CredentialError when none is there."""
    if given is not None:
        return KeyHolder(_key(given))
    return _held(vendor.source_name, need_key(vendor.source_name, vendor.title, vendor.key_page))


def _held(section: str, found: Setting) -> KeyHolder:
    return KeyHolder(_key(found), fetch=lambda: _fetch(section))


def _fetch(section: str) -> Key | None:
    forget_settings()
    found = find_setting(section, "api_key")
    return None if found is None else _key(found)


def _key(found: Setting) -> Key:
    return Key(str(found.value), found.origin)
