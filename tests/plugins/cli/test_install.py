from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import attrs
import pytest

from plugins.cli.program import ROOT, Done, Program

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is made of symbolic links")
PARROT = """
from g4f import Completion, hookimpl

class Parrot:
    @hookimpl
    async def chat(self, request):
        return Completion.from_text("Hello!")
"""
MANIFEST = 'contract = 1\nmodels = "open"\n[capabilities]\nchat = "yes"\n'
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "g4f-provider-parrot"
version = "1.0"

[project.entry-points."g4f.providers"]
Parrot = "g4f_provider_parrot:Parrot"
"""


@attrs.frozen
class Machine:
    """An environment of its own that has what ours has, in links, with or without pip."""

    tools: Path
    program: Program

    def run(self, *arguments: str | Path, **variables: str) -> Done:
        """Run the program of that environment; nothing comes from an index."""
        offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "UV_OFFLINE": "1", "UV_NO_BUILD_ISOLATION": "1"}
        path = os.pathsep.join([str(self.tools), str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [self.tools / "python", "-m", "g4f_cli", *arguments],
            cwd=self.program.folder,
            env={**self.program.make_environment(), "PYTHONPATH": "", "PATH": path, **offline, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=110,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def make_machine(program: Program, *, without: str = "") -> Machine:
    venv.create(program.home / "env", with_pip=False)
    (site,) = (program.home / "env").glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not (without and entry.name.startswith(without)):
            (site / entry.name).symlink_to(entry)
    return Machine(program.home / "env" / "bin", program)


@pytest.fixture
def checkout(program: Program) -> Path:
    """A checkout with one provider in it."""
    package = program.folder / "checkout/plugins/g4f-provider-parrot/g4f_provider_parrot"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PARROT)
    (package / "Parrot.toml").write_text(MANIFEST)
    (package.parent / "pyproject.toml").write_text(PYPROJECT)
    return program.folder / "checkout"


def write_wheel(folder: Path, distribution: str, version: str = "1.0") -> Path:
    """Write a wheel with the parrot into a folder, and return the folder."""
    folder.mkdir(exist_ok=True)
    stem = f"{distribution.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("g4f_provider_parrot/__init__.py", PARROT)
        wheel.writestr("g4f_provider_parrot/Parrot.toml", MANIFEST)
        info = f"{stem}.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[g4f.providers]\nParrot = g4f_provider_parrot:Parrot\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.fixture
def wheels(program: Program) -> Path:
    """A folder with a wheel."""
    return write_wheel(program.folder / "wheels", "g4f-provider-parrot")


def test_a_provider_of_a_checkout_is_installed_and_removed(program: Program, checkout: Path) -> None:
    """With pip; where it comes from is said."""
    machine = make_machine(program)
    done = machine.run("install", "g4f-provider-parrot", "--from", checkout)
    assert (done.code, done.out) == (0, ""), done.err
    assert done.err.startswith(f"Note: Installing g4f-provider-parrot from {checkout}/plugins/g4f-provider-parrot.\n")
    assert machine.run("-p", "Parrot", "hi").out == "Hello!\n"
    assert done.err.endswith("Note: g4f-provider-parrot is installed.\n")
    done = machine.run("uninstall", "parrot")
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: g4f-provider-parrot goes with all that is in it: Parrot. Agree with --yes.\n"
    done = machine.run("uninstall", "parrot", "--yes")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Note: Removing g4f-provider-parrot.\nNote: Parrot is removed.\n"
    assert machine.run("-p", "Parrot", "hi").code == 2


def test_a_wheel_is_installed_where_there_is_no_pip(program: Program, wheels: Path) -> None:
    """With uv."""
    machine = make_machine(program, without="pip")
    done = machine.run("install", "g4f-provider-parrot", "--from", wheels)
    assert (done.code, done.out) == (0, ""), done.err
    assert machine.run("-p", "Parrot", "hi").out == "Hello!\n"
    assert machine.run("uninstall", "Parrot", "-y").code == 0
    assert machine.run("-p", "Parrot", "hi").code == 2


def test_without_pip_and_uv_the_remedy_is_told(program: Program, wheels: Path) -> None:
    """One sentence."""
    machine = make_machine(program, without="pip")
    done = machine.run("install", "g4f-provider-parrot", "--from", wheels, PATH="/nowhere")
    assert (done.code, done.out) == (1, "")
    assert "There is neither pip in this environment nor uv: run " in done.err


def test_the_checkout_that_we_are_from_comes_first(program: Program) -> None:
    """As pip wrote it down; a name may be a provider's, a nickname, or the end of the package's."""
    from g4f_cli.installing import find_package, find_source

    for name in ("gemini", "Gemini", "google", "g4f-provider-gemini"):
        assert find_package(name) == "g4f-provider-gemini"
    assert find_package("compatible") == "g4f-provider-compatible"
    source = find_source("g4f-provider-gemini", None)
    assert (Path(source.requirement), source.is_local) == (ROOT / "plugins/g4f-provider-gemini", True)


def test_the_index_is_not_asked_unless_the_user_agrees(program: Program) -> None:
    """Anybody may have taken the name there."""
    done = program.run("install", "g4f-provider-unheard-of")
    assert (done.code, done.out) == (2, "")
    assert "at the package index anybody may have taken its name" in done.err
    assert "--from" in done.err
    terminal = program.open("install", "g4f-provider-unheard-of")
    terminal.wait_for("Install it from there? [y/N]:")
    terminal.type("\r")
    assert terminal.wait() == 130
    machine = make_machine(program)
    done = machine.run("install", "g4f-provider-unheard-of", "--index")
    assert done.code == 1
    assert "Note: Installing g4f-provider-unheard-of from the package index.\n" in done.err
    assert done.err.endswith("Error: g4f-provider-unheard-of could not be installed: see above.\n")


def test_unknown_names_are_bad_input(program: Program, tmp_path: Path) -> None:
    """They say what there is."""
    done = program.run("install", "gemeni")
    assert done.code == 2
    assert "Did you mean Gemini?" in done.err
    done = program.run("install", "gemini", "--from", tmp_path)
    assert done.code == 2
    assert f"There is no g4f-provider-gemini in {tmp_path}" in done.err
    for name, sentence in {"g4f-cli": "is no package that g4f installs", "g4f-nothing": "is not installed"}.items():
        done = program.run("uninstall", name)
        assert done.code == 2
        assert sentence in done.err


def test_what_a_new_provider_needs_is_told(program: Program) -> None:
    """So that the next step is known."""
    wheels = write_wheel(program.folder / "wheels", "g4f-provider-openai", "9.0")
    done = make_machine(program, without="g4f_provider_openai").run("install", "openai", "--from", wheels)
    assert done.code == 0, done.err
    assert done.err.endswith("Note: OpenaiChat needs a key: set OPENAI_API_KEY, or run g4f keys set OpenaiChat.\n")


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_all_that_goes_with_a_provider_is_named_before_it_goes(program: Program) -> None:
    """One package may bring many; nothing but a yes removes it."""
    terminal = program.open("uninstall", "ollama", columns=1000)
    shown = terminal.wait_for("Remove it? [y/N]:")
    assert "g4f-provider-compatible goes with all that is in it: " in shown
    assert ", Ollama," in shown
    terminal.type("\r")
    assert terminal.wait() == 130
    assert "Removing" not in terminal.text


def test_completed_installs_are_listed(program: Program, checkout: Path) -> None:
    """As any provider."""
    machine = make_machine(program)
    assert machine.run("install", "g4f-provider-parrot", "--from", checkout).code == 0
    assert "Parrot" in {row["name"] for row in json.loads(machine.run("providers", "--json").out)}
