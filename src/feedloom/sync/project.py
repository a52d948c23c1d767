"""Writes the files of a user's project: dlt's configuration, its secrets, and what git must not keep."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from feedloom.catalogue import Vendor
from feedloom.config import WORK_FOLDER
from feedloom.errors import InputError

_OWNER_ONLY = 0o600
_EVERYBODY_READS = 0o644

CONFIG = Path(".dlt/config.toml")
SECRETS = Path(".dlt/secrets.toml")
IGNORED = Path(".gitignore")


def write_project(vendor: Vendor, *, key: str, to: str, base_url: str | None) -> list[Path]:
    """Write ``.dlt/config.toml``, ``.dlt/secrets.toml`` (mode 0600) and lines of ``.gitignore``; returns their paths.

    What the files already hold is kept, comments and order too. All are written beside their places first and then
    moved there, so that a full disk changes none of them. Raises InputError when a file is no TOML, or holds something
    else where a section has to be.
    """
    settings: dict[tuple[str, ...], str] = {("feedloom", "to"): to}
    if base_url is not None:
        settings["sources", vendor.source_name, "base_url"] = base_url
    texts = {
        CONFIG: (_with_settings(CONFIG, settings), _EVERYBODY_READS),
        SECRETS: (_with_settings(SECRETS, {("sources", vendor.source_name, "api_key"): key}), _OWNER_ONLY),
        IGNORED: (_with_lines(IGNORED, [str(SECRETS), f"{WORK_FOLDER}/"]), _EVERYBODY_READS),
    }
    CONFIG.parent.mkdir(exist_ok=True)
    _replace(texts)
    return list(texts)


def _with_settings(file: Path, settings: Mapping[tuple[str, ...], str]) -> str:
    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
    except TOMLKitError as error:
        raise InputError(
            f"{file} is no valid TOML: {error}", hint="correct that line, or remove the file", code="FL218"
        ) from None
    for (*sections, name), value in settings.items():
        place: MutableMapping[str, Any] = document
        for section in sections:
            if section not in place:
                is_inline = isinstance(place, InlineTable)
                place[section] = (
                    tomlkit.inline_table() if is_inline else tomlkit.table(is_super_table=section != sections[-1])
                )
            place = place[section]
            if not isinstance(place, MutableMapping):
                raise InputError(
                    f"{file} has a value where the section [{'.'.join(sections)}] has to be",
                    hint=f"remove the line that sets {section}",
                    code="FL216",
                )
        place[name] = value
    return tomlkit.dumps(document)


def _with_lines(file: Path, lines: list[str]) -> str:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{line}\n" for line in missing)


def _replace(texts: Mapping[Path, tuple[str, int]]) -> None:
    """Put each text into its file, following links, once all of them are written."""
    with ExitStack() as stack:
        written: list[tuple[Path, Path]] = []
        for file, (text, mode) in texts.items():
            place = Path(os.path.realpath(file))
            descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
            draft = Path(name)
            stack.callback(draft.unlink, missing_ok=True)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            draft.chmod(mode)
            written.append((draft, place))
        for draft, place in written:
            draft.replace(place)
