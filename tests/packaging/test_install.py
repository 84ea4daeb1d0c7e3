"""The packages as users get them: built, installed by plain pip, and run far from their sources.

Dependencies come from the package index, at the versions of requirements.lock.
"""

import json
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

import dialects
from environments import ROOT, UV, Environment
from loopback import Loopback

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

PLUGINS = {path.parent.name: path for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))}
ENTRIES = {
    name: entry
    for path in PLUGINS.values()
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    .get("entry-points", {})
    .get("g4f.providers", {})
    .items()
}
# Without aliases, which lead to the provider of another name and stand in no list.
PROVIDERS = {
    name: entry.partition(":")[0].partition(".")[0]
    for name, entry in ENTRIES.items()
    if entry.partition(":")[2] == name or entry.partition(":")[2] not in ENTRIES
}


def test_plain_pip_installs_the_readmes_three_folders(checkout: Path, tmp_path: Path) -> None:
    """The core, the command line and the local model need nothing but pip."""
    environment = Environment.with_pip(tmp_path)
    names = ("g4f-cli", "g4f-provider-local")
    environment.run("pip", "install", checkout, *(checkout / "plugins" / name for name in names))

    assert "0.1.0" in environment.run("g4f", "--version")
    assert "Local" in environment.run("g4f", "providers")


FIND = """
import importlib, json, pathlib, sys
places = {name: importlib.import_module(name).__file__ for name in sys.argv[1:]}
print(json.dumps({name: str(pathlib.Path(place).parent) for name, place in places.items()}))
"""
CHOOSE = """
import sys
from g4f.registry import share_registry
share_registry().load(share_registry().find(sys.argv[1]))
print(*sorted({name.partition(".")[0] for name in sys.modules if name.startswith("g4f_")}))
"""


def test_wheels_work_together_without_their_sources(artefacts: Path, requirements: Path, tmp_path: Path) -> None:
    """Every package imports, every provider is listed, every manifest lies beside its code; one alone is imported."""
    environment = Environment.with_uv(tmp_path)
    environment.install(*artefacts.glob("*.whl"), requirements=requirements)

    listing = environment.run("g4f", "providers")
    assert [name for name in PROVIDERS if name not in listing] == []
    places = json.loads(environment.run("python", "-c", FIND, *set(PROVIDERS.values())))
    for name, module in PROVIDERS.items():
        assert environment.folder in Path(places[module]).parents
        assert (Path(places[module]) / f"{name}.toml").is_file()
    for module, name in {module: name for name, module in PROVIDERS.items()}.items():
        assert environment.run("python", "-c", CHOOSE, name).split() == [module]
    environment.run("python", "-m", "g4f_doctor")


def test_the_core_ships_its_code_types_and_data_and_nothing_else(artefacts: Path) -> None:
    """The sdist holds what the wheel is made of; the wheel, the package and the doctor's."""
    (sdist,) = artefacts.glob("g4f_core-*.tar.gz")
    with tarfile.open(sdist) as archive:
        shipped = {Path(name).parts[1] for name in archive.getnames()}
    metadata = {"PKG-INFO", "pyproject.toml", "LICENSE", "README.md", ".gitignore"}
    assert shipped - metadata == {"core"}

    (wheel,) = artefacts.glob("g4f_core-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "g4f",
        "g4f_doctor",
    }
    data = {str(path.relative_to(ROOT / "core")) for path in ROOT.glob("core/g4f/**/*.toml")}
    assert data | {"g4f/py.typed"} <= names


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_ships_types_and_requires_the_core_by_its_own_name(name: str, artefacts: Path) -> None:
    """Each plugin is typed and asks for g4f-core: the index's g4f is another project."""
    (wheel,) = artefacts.glob(f"{name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (n for n in names if n.endswith("METADATA"))
        requires = re.findall(r"^Requires-Dist: ([\w.-]+)", archive.read(metadata).decode(), re.M)
    assert any(n.endswith("/py.typed") for n in names)
    assert "g4f-core" in requires
    assert "g4f" not in requires


def test_the_metadata_keeps_the_specification_and_tells_readers_what_it_is(artefacts: Path) -> None:
    """As the index checks it at an upload; an sdist and its wheel say the same, and show a README."""
    for wheel in artefacts.glob("*.whl"):
        name = wheel.name.partition("-py3")[0]
        with zipfile.ZipFile(wheel) as archive, tarfile.open(artefacts / f"{name}.tar.gz") as source:
            told = archive.read(f"{name}.dist-info/METADATA")
            in_source = source.extractfile(f"{name}/PKG-INFO")
            assert in_source is not None
            assert in_source.read() == told
        metadata = Metadata.from_email(told, validate=True)
        assert (metadata.description_content_type, metadata.license_expression) == ("text/markdown", "MIT")
        assert (metadata.description or "").startswith("# g4f")
        assert metadata.summary


def test_the_command_installs_a_provider_of_its_checkout_and_removes_it(
    checkout: Path, artefacts: Path, requirements: Path, tmp_path: Path
) -> None:
    """Found beside the command, built with what is here, without an index; in between it answers."""
    environment = Environment.with_uv(tmp_path)
    core, command = (next(artefacts.glob(f"{name}-*.whl")) for name in ("g4f_core", "g4f_cli"))
    environment.install(core, command, "hatchling", requirements=requirements)
    environment.install_source(checkout / "plugins/g4f-cli")
    environment.variables |= {"PATH": str(Path(UV).parent), "HOME": str(tmp_path), "OPENAI_API_KEY": "sk-of-a-test"}

    environment.run("g4f", "install", "openai")
    with Loopback(dialects.answer) as server:
        environment.variables["OPENAI_BASE_URL"] = f"{server.url}/v1"
        assert environment.run("g4f", "-p", "openai", "--no-stream", "Say this is a test") == f"{dialects.TEXT}\n"
    environment.run("g4f", "uninstall", "openai", "--yes")
    assert json.loads(environment.run("g4f", "providers", "--json")) == []
