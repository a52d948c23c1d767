"""Writes the files of a user's project: dlt's configuration, its secrets, and what git must not keep."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import tomlkit
from tomlkit.items import Table as TomlTable

from feedloom.catalogue import Vendor
from feedloom.sync.warehouse import WORK_FOLDER

_OWNER_ONLY = 0o600
_EVERYBODY_READS = 0o644


def write_project(vendor: Vendor, *, key: str, to: str, base_url: str | None) -> list[Path]:
    """Write ``.dlt/config.toml``, ``.dlt/secrets.toml`` (mode 0600) and lines of ``.gitignore``; returns their paths.

    What the files already hold is kept, comments too. Each file is replaced whole or not at all; the secrets come last.
    """
    folder = Path(".dlt")
    folder.mkdir(exist_ok=True)
    config, secrets, ignore = folder / "config.toml", folder / "secrets.toml", Path(".gitignore")
    settings: dict[tuple[str, ...], str] = {("feedloom", "to"): to}
    if base_url is not None:
        settings["sources", vendor.source_name, "base_url"] = base_url
    _replace(ignore, _with_lines(ignore, [".dlt/secrets.toml", f"{WORK_FOLDER}/"]), _EVERYBODY_READS)
    _replace(config, _with_settings(config, settings), _EVERYBODY_READS)
    _replace(secrets, _with_settings(secrets, {("sources", vendor.source_name, "api_key"): key}), _OWNER_ONLY)
    return [config, secrets, ignore]


def _with_settings(file: Path, settings: dict[tuple[str, ...], str]) -> str:
    document = tomlkit.parse(file.read_text(encoding="utf-8")) if file.exists() else tomlkit.document()
    for (*sections, name), value in settings.items():
        place: tomlkit.TOMLDocument | TomlTable = document
        for section in sections:
            if section not in place:
                place[section] = tomlkit.table(is_super_table=section != sections[-1])
            inner = place[section]
            if not isinstance(inner, TomlTable):
                inner = tomlkit.table()
                place[section] = inner
            place = inner
        place[name] = value
    return tomlkit.dumps(document)


def _with_lines(file: Path, lines: list[str]) -> str:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if text and not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"{line}\n" for line in missing)


def _replace(file: Path, text: str, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
