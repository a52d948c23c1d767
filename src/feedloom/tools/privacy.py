"""Keeps personal values out of results, by the name of a field and by the look of a text.

One rule for rows of a vendor and for columns of the warehouse. What a person wrote in free text can name anybody; only
what looks like an email address is taken out of it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from feedloom.config import find_text
from feedloom.errors import InputError

MASK: Final = "[masked]"
SETTING: Final = ("feedloom", "tools", "personal")
_VALUES: Final = ("mask", "show")
_NAMES: Final = frozenset(
    {
        "address",
        "displayname",
        "email",
        "emailaddress",
        "firstname",
        "fullname",
        "ip",
        "ipaddress",
        "lastname",
        "mobile",
        "phone",
        "phonenumber",
        "postalcode",
        "rawuseragent",
        "remotehost",
        "street",
        "username",
    }
)
_COMPANIES: Final = frozenset({"account", "form", "segments"})
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:]{1,64}@[^\s@<>\"'(),;:]{1,255}\.[^\W\d_]{2,24}")
_PARTS: Final = re.compile(r"\.|__")


def shows_personal() -> bool:
    """Whether the policy (``[feedloom.tools] personal``) shows personal values; raises InputError for another word."""
    found = find_text(*SETTING)
    if found is None:
        return False
    if found.value not in _VALUES:
        raise InputError(
            f"the setting personal of [feedloom.tools] cannot be {found.value!r}",
            hint=f"write {' or '.join(_VALUES)}",
            where=found.origin,
            code="FL216",
        )
    return bool(found.value == "show")


def is_personal(path: str) -> bool:
    """Whether the field or column at *path* (``contact.email``, ``contact__email``) is personal by its name."""
    *parents, name = _PARTS.split(path.replace("[]", ""))
    is_company = bool(parents) and parents[-1].lower() in _COMPANIES
    return not is_company and name.replace("_", "").replace("-", "").lower() in _NAMES


def masked(value: Any, path: str = "") -> Any:
    """A copy of *value*, which stands at *path*, without its personal values; nulls and empty texts stay."""
    if isinstance(value, dict):
        return {clean(str(key)): masked(inner, f"{path}.{key}" if path else str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, path) for inner in value]
    if value not in (None, "") and is_personal(path):
        return MASK
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    """*text* without what looks like an email address."""
    return _EMAIL.sub(MASK, text) if "@" in text else text
