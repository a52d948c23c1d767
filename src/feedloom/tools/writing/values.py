"""What may be written, and whether what is read back is what was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from feedloom.tools.failures import refused_input

LARGEST_INTEGER: Final = 2_147_483_647
LONGEST_VALUE: Final = 10_000
LONGEST_NAME: Final = 255
"""Source: refiner-notes, Contacts (trait rules); names have no documented limit, and this is that of older values."""

_IDENTIFIERS: Final = frozenset({"id", "email", "uuid", "account", "accountid", "remoteid", "contactuuid", "apikey"})
"""Names that say whom a call is about, or with which key, without case and punctuation: Refiner reads them wherever
they stand. Source: refiner-notes, Transport."""

_TRUTHS: Final = {True: frozenset({"true", "1"}), False: frozenset({"false", "0"})}


def check_traits(traits: Mapping[str, Any], *, argument: str) -> None:
    """Raise ToolError for a trait that names whom it is about, or that Refiner cannot hold."""
    for name, value in traits.items():
        folded = unicodedata.normalize("NFKC", name).casefold()
        if "".join(filter(str.isalnum, folded)) in _IDENTIFIERS:
            raise refused_input(
                f"{argument} cannot set {name!r}, which says whom a call is about", "give identifiers as arguments"
            )
        if len(name) > LONGEST_NAME or set(name) & set("[]") or not name.isprintable():
            raise refused_input(f"{argument} cannot hold the name {name[:60]!r}", "use letters, digits and _")
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INTEGER:
            raise refused_input(f"{name} is beyond {LARGEST_INTEGER:,}", "give a smaller number, or a text")
        if isinstance(value, str) and len(value) > LONGEST_VALUE:
            raise refused_input(f"{name} is longer than {LONGEST_VALUE:,} characters", "shorten it")


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each place, with both values, where *found* is not what *wanted* says; what *wanted* leaves out is not compared.

    Lists of texts are compared as sets.
    """
    if isinstance(wanted, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        for name, value in wanted.items():
            yield from differences(value, inner.get(name), f"{path}.{name}" if path else name)
    elif isinstance(wanted, list):
        if not isinstance(found, list) or set(wanted) != set(found):
            yield path, wanted, found
    elif not same(wanted, found):
        yield path, wanted, found


def same(written: Any, read: Any) -> bool:
    """Whether *read* is *written*, as a vendor may spell it: numbers and truth values as text, moments in another form.

    Source: refiner-notes, Contacts ("Values look like strings even for numbers") and Dates.
    """
    if written is None or read is None or isinstance(read, list | dict):
        return bool(written == read)
    if isinstance(written, bool):
        return str(read).lower() in _TRUTHS[written]
    if isinstance(read, bool):
        return str(written).lower() in _TRUTHS[read]
    if str(written) == str(read):
        return True
    if isinstance(written, int | float):
        return _number(written) == _number(read)
    return _moment(written) is not None and _moment(written) == _moment(read)


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        return None


def _moment(value: Any) -> datetime | None:
    """*value* as a moment, UTC where it names no zone; None for what is none, or a bare number."""
    text = str(value)
    if text.isdecimal():
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
