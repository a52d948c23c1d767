"""The pages of the reference are those that the catalogue makes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from feedloom.vendors import VENDORS

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not part of an installed package")


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DOCS / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our script


def test_the_committed_pages_are_up_to_date() -> None:
    result = generate("--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_stale_or_missing_page_is_reported_and_then_written(tmp_path: Path) -> None:
    missing = generate("--check", "--folder", str(tmp_path))
    assert (missing.returncode, list(tmp_path.iterdir())) == (1, [])

    assert generate("--folder", str(tmp_path)).returncode == 0
    assert generate("--check", "--folder", str(tmp_path)).returncode == 0

    page = tmp_path / "refiner.md"
    page.write_text(page.read_text(encoding="utf-8") + "An edit by hand.\n", encoding="utf-8")
    stale = generate("--check", "--folder", str(tmp_path))
    assert stale.returncode == 1
    assert "refiner.md is stale" in stale.stdout


@pytest.mark.parametrize("slug", VENDORS)
def test_every_operation_table_parameter_and_field_is_on_the_page(slug: str) -> None:
    vendor = VENDORS[slug]
    text = (DOCS / "reference" / f"{slug}.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r'<a id="([^"]+)"></a>\n(.*?)(?=<a id=|\Z)', text, re.DOTALL))
    for endpoint in vendor.endpoints:
        section = sections[f"{slug}-{endpoint.name.replace('_', '-')}"]
        assert f"`{endpoint.method} {endpoint.path}`" in section
        assert all(f"| `{part.name}` |" in section for part in endpoint.params), endpoint.name
        assert all(f"| `{part.name}` |" in section for part in endpoint.fields), endpoint.name
    assert all(f"{slug}-table-{table.name.replace('_', '-')}" in sections for table in vendor.tables)


@pytest.mark.parametrize("slug", VENDORS)
def test_every_link_inside_a_page_leads_somewhere(slug: str) -> None:
    text = (DOCS / "reference" / f"{slug}.md").read_text(encoding="utf-8")
    anchors = re.findall(r'<a id="([^"]+)"></a>', text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)
