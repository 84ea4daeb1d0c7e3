"""What all packages of the workspace share, so that a new plugin is under the same rules."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = [path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def read_project(folder: Path) -> dict[str, Any]:
    """The metadata and tool settings of one package."""
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_has_one_name_everywhere(folder: Path) -> None:
    """Folder, distribution and import package are called the same, and entry points lead there."""
    project = read_project(folder)["project"]
    package = folder.name.replace("-", "_")

    assert project["name"] == folder.name
    assert (folder / package / "__init__.py").is_file()
    for entry in project.get("entry-points", {}).get("g4f.providers", {}).values():
        assert entry.partition(":")[0].partition(".")[0] == package


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_carries_the_projects_license(folder: Path) -> None:
    """Its wheel goes out alone, and the license asks for its text in all copies."""
    project = read_project(folder)["project"]

    assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_plugin_stands_under_the_import_contracts() -> None:
    """A plugin that the contracts do not name would be free to import anything."""
    settings = read_project(ROOT)["tool"]["importlinter"]
    names = {"g4f_doctor", *(folder.name.replace("-", "_") for folder in PLUGINS)}  # which knows no provider, too
    (floors,) = (
        contract["layers"]
        for contract in settings["contracts"]
        if contract["name"] == "The core knows no plugin, and a provider no other plugin"
    )
    users, providers, core = floors

    assert set(settings["root_packages"]) == {core} | names
    assert {*users.split(" | "), *providers.split(" | ")} == names
