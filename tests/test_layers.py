"""Which part of feedloom may import which other, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import feedloom

ROOT = Path(feedloom.__file__).parent

EVERYTHING = frozenset({"*"})
LAYERS: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "catalogue": frozenset(),
    "vendors": frozenset({"catalogue", "errors"}),
    "vendors/*/emulator": frozenset({"catalogue", "vendors", "errors", "emulator"}),
    "http": frozenset({"catalogue", "errors"}),
    "columnar": frozenset({"catalogue", "errors"}),
    "emulator": frozenset({"catalogue", "errors"}),
    "sources": frozenset({"catalogue", "vendors", "http", "columnar", "errors", "config"}),
    "sync": frozenset({"catalogue", "vendors", "http", "columnar", "errors", "config", "sources"}),
    "feedback": frozenset({"columnar", "errors"}),
    "audit": frozenset({"catalogue", "vendors", "http", "columnar", "errors", "config", "sources", "sync", "feedback"}),
    "tools": frozenset({"catalogue", "vendors", "http", "columnar", "errors", "config", "sources", "sync", "feedback"}),
    "cli": EVERYTHING,
}
"""Part of the package -> the parts it may import besides itself; parts that are not listed are free."""


def layer_of(file: Path, root: Path) -> str:
    """The part of the package that *file* belongs to; one vendor's emulator is a part of its own."""
    parts = file.relative_to(root).with_suffix("").parts
    return "vendors/*/emulator" if parts[0] == "vendors" and parts[2:3] == ("emulator",) else parts[0]


def imported(file: Path, root: Path) -> Iterator[str]:
    """The parts of the package that *file* imports, wherever in it."""
    package = (root.name, *file.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            modules = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for module in modules:
            head, _, rest = module.partition(".")
            if head == root.name and rest:
                yield rest.split(".")[0]


def breaches(root: Path) -> list[str]:
    """One line for each import across a border, in the order of the files."""
    found = []
    for file in sorted(root.rglob("*.py")):
        layer = layer_of(file, root)
        allowed = LAYERS.get(layer, EVERYTHING)
        for part in imported(file, root):
            is_module = (root / part).exists() or (root / f"{part}.py").exists()
            if is_module and part != layer and not allowed & {part, *EVERYTHING}:
                found.append(f"{file.relative_to(root)} imports {part}")
    return found


def test_every_part_imports_only_the_parts_below_it() -> None:
    assert not breaches(ROOT)


def test_an_import_across_a_border_is_named(tmp_path: Path) -> None:
    root = tmp_path / "loom"
    sources = {
        "errors.py": "from loom import __version__\n",
        "catalogue/words.py": "def late():\n    from loom.http import client\n",
        "http/client.py": "import json\nfrom loom.catalogue.words import late\nfrom ..vendors import VENDORS\n",
        "http/near.py": "from . import client\nfrom .client import late\n",
        "vendors/__init__.py": "import loom.emulator\n",
        "vendors/one/emulator/app.py": "from loom.emulator import app\nfrom loom import http\n",
        "emulator/app.py": "from loom.errors import FeedloomError\n",
        "cli/main.py": "import loom.emulator\nimport loom.http.client\n",
    }
    for name, text in sources.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert breaches(root) == [
        "catalogue/words.py imports http",
        "http/client.py imports vendors",
        "vendors/__init__.py imports emulator",
        "vendors/one/emulator/app.py imports http",
    ]
