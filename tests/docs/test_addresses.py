"""The public addresses of the project come from one place, and from there into every package."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

import g4f
from docs.addresses import read_addresses, write_addresses
from docs.pages import ROOT, make_page

ADDRESSES = {
    "repository": "https://code.example/g4f",
    "documentation": "https://docs.example",
    "files": "https://code.example/g4f/blob/v{version}/{path}",
}
PACKAGES = [Path(), *(path.parent.relative_to(ROOT) for path in ROOT.glob("plugins/*/pyproject.toml"))]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What the addresses are written into, of every package."""
    for package in PACKAGES:
        (tmp_path / package).mkdir(parents=True, exist_ok=True)
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / package / name, tmp_path / package)
    return tmp_path


def test_every_package_gets_the_addresses_and_no_link_of_its_readme_is_lost(sources: Path) -> None:
    """The index shows the README far from the files that it links to."""
    write_addresses(sources, ADDRESSES)
    version = g4f.__version__
    for package in PACKAGES:
        project = tomllib.loads((sources / package / "pyproject.toml").read_text("utf-8"))["project"]
        assert project["urls"] == {
            "Repository": "https://code.example/g4f",
            "Documentation": "https://docs.example",
            "Changelog": f"https://code.example/g4f/blob/v{version}/CHANGELOG.md",
        }
        links = make_page("README.md", (sources / package / "README.md").read_text("utf-8")).links
        assert [link for link in links if not re.match(r"https?://|#", link)] == []
    readme = (sources / "plugins" / "g4f-testkit" / "README.md").read_text("utf-8")
    assert f"(https://code.example/g4f/blob/v{version}/docs/how-to/test-a-provider.md)" in readme
    assert f"(https://code.example/g4f/blob/v{version}/README.md)" in readme


def test_without_addresses_nothing_is_changed(sources: Path) -> None:
    """None is made up."""
    write_addresses(sources, dict.fromkeys(ADDRESSES, ""))
    for package in PACKAGES:
        for name in ("pyproject.toml", "README.md"):
            assert (sources / package / name).read_text("utf-8") == (ROOT / package / name).read_text("utf-8")


def test_the_project_names_each_address_once_and_tells_who_releases_it() -> None:
    """The page about a release says what to write there."""
    assert read_addresses(ROOT).keys() == ADDRESSES.keys()
    page = (ROOT / "docs" / "how-to" / "release.md").read_text("utf-8")
    assert [name for name in ADDRESSES if f"| `{name}` |" not in page] == []
