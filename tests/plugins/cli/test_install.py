from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import attrs
import pytest

from g4f.known import read_known_providers
from g4f_cli.installing import find_installed
from g4f_cli.sources import Source, find_named, find_source
from g4f_cli.terminal import InputError
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

    @property
    def path(self) -> str:
        """Where its programs look for others, as uv."""
        return os.pathsep.join([str(self.tools), str(Path(sys.executable).parent), os.environ["PATH"]])

    def run(self, *arguments: str | Path, **variables: str) -> Done:
        """Run the program of that environment; nothing comes from an index."""
        offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
        done = subprocess.run(
            [self.tools / "python", "-m", "g4f_cli", *arguments],
            cwd=self.program.folder,
            env={**self.program.make_environment(), "PYTHONPATH": "", "PATH": self.path, **offline, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=110,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def find(self, pattern: str) -> list[Path]:
        """Return what is installed by its name."""
        return sorted(self.tools.parent.glob(f"lib/python*/site-packages/{pattern}"))


def make_machine(program: Program, *, without: str = "") -> Machine:
    venv.create(program.home / "env", with_pip=False)
    (site,) = (program.home / "env").glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if without and entry.name.startswith(without):
            continue
        if entry.match("g4f_*.dist-info"):
            shutil.copytree(entry, site / entry.name)  # uv passes over links
        else:
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


def write_wheel(folder: Path, distribution: str, version: str = "1.0", *requires: str) -> Path:
    """Write a wheel into a folder, the parrot's with the parrot, and return the folder."""
    folder.mkdir(exist_ok=True)
    stem = f"{distribution.replace('-', '_')}-{version}"
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        info = f"{stem}.dist-info"
        head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", head + needs)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
        if distribution == "g4f-provider-parrot":
            wheel.writestr("g4f_provider_parrot/__init__.py", PARROT)
            wheel.writestr("g4f_provider_parrot/Parrot.toml", MANIFEST)
            wheel.writestr(f"{info}/entry_points.txt", "[g4f.providers]\nParrot = g4f_provider_parrot:Parrot\n")
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
    assert "Parrot" in {row["name"] for row in json.loads(machine.run("providers", "--json").out)}
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


def test_the_checkout_that_we_are_from_comes_first() -> None:
    """As pip wrote it down."""
    place = ROOT / "plugins/g4f-provider-gemini"
    assert find_named("gemini") == Source("g4f-provider-gemini", place)


def list_names() -> list[tuple[str, str]]:
    """What people may call each package of this checkout, and the package."""
    rows = [row for row in read_known_providers() if "package" in row]
    named = [(name, row["package"]) for row in rows for name in (row["name"], *row.get("aliases", ()))]
    folders = [path.parent for path in ROOT.glob("plugins/*/pyproject.toml") if path.parent.name != "g4f-cli"]
    others = [
        (name, folder.name)
        for folder in folders
        for name in (
            folder.name,
            folder.name.replace("-", "_"),
            folder.name.removeprefix("g4f-").removeprefix("provider-"),
            f"plugins/{folder.name}",
            str(folder),
        )
    ]
    return [*named, *((name.lower(), package) for name, package in named), *others]


def test_what_one_installs_by_a_name_goes_by_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every provider, alias, package, end of a package's name and folder means the same to both commands."""
    monkeypatch.chdir(ROOT)
    for name, package in list_names():
        assert find_named(name) == Source(package, ROOT / "plugins" / package), name
        assert find_installed(name) == package, name
    monkeypatch.chdir(ROOT / "plugins/g4f-provider-gemini")
    assert find_named(".") == Source("g4f-provider-gemini", Path.cwd())
    assert find_installed(".") == "g4f-provider-gemini"


@pytest.mark.parametrize("name", ["gemeni", "g4f-cli", "core", str(ROOT), "./nowhere", ".", "what.whl", "a b", ""])
def test_both_refuse_the_same_in_the_same_words(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no provider, what g4f itself is made of, and folders and files without a package."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "what.whl").touch()
    with pytest.raises(InputError) as refused:
        find_named(name)
    with pytest.raises(InputError, match=f"^{re.escape(str(refused.value))}$"):
        find_installed(name)


def test_a_package_of_somebody_else_is_named_by_its_path(program: Program, checkout: Path) -> None:
    """Whatever it is called; once it is there, by its name and its provider's too."""
    place = checkout / "plugins/g4f-provider-parrot"
    (place / "pyproject.toml").write_text(
        PYPROJECT.replace("g4f-provider-parrot", "parrot")
        + '[tool.hatch.build.targets.wheel]\npackages = ["g4f_provider_parrot"]\n'
    )
    machine = make_machine(program, without="pip")
    assert machine.run("install", place).code == 0
    assert machine.run("-p", "Parrot", "hi").out == "Hello!\n"
    for name in (str(place), "parrot", "Parrot"):
        done = machine.run("uninstall", name)
        assert done.err == "Error: parrot goes with all that is in it: Parrot. Agree with --yes.\n"
    assert machine.run("uninstall", place, "--yes").code == 0
    assert machine.run("uninstall", place, "--yes").err == "Error: parrot is not installed.\n"


def test_the_index_is_not_asked_unless_the_user_agrees(program: Program) -> None:
    """Anybody may have taken the name there."""
    done = program.run("install", "g4f-provider-unheard-of")
    assert (done.code, done.out) == (2, "")
    assert "at the package index anybody may have taken its name" in done.err
    assert "--from" in done.err
    terminal = program.open("install", "g4f-provider-unheard-of")
    terminal.wait_for("Install it from there? [y/N]:")
    terminal.type("\r")
    assert terminal.wait() == 0
    assert "Nothing was installed." in terminal.text
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
    terminal.type("n\r")
    assert terminal.wait() == 0
    assert terminal.text.endswith("Note: Nothing was removed.")


@pytest.fixture
def index(program: Program) -> dict[str, str]:
    """What sends pip and uv to a package index in a folder (PEP 503), where somebody else has taken our names."""
    folder = program.home / "index"
    folder.mkdir()
    needs = {"g4f-provider-parrot": ("g4f-core", "g4f-provider-perch", "seeds")}
    for name in ("g4f-core", "g4f-provider-perch", "g4f-provider-parrot", "seeds"):
        (wheel,) = write_wheel(folder / name, name, "99.0", *needs.get(name, ())).iterdir()
        (folder / name / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": folder.as_uri(), "UV_OFFLINE": "0", "UV_INDEX_URL": folder.as_uri()}


@pytest.mark.parametrize("missing", ["", "pip"])
def test_what_is_ours_comes_from_the_folder_alone(program: Program, index: dict[str, str], missing: str) -> None:
    """By pip and by uv; what is required of others comes from the index if the user agrees."""
    machine = make_machine(program, without=missing)
    needs = ("g4f-core", "G4F_provider.perch", "seeds")
    wheels = write_wheel(program.folder / "wheels", "g4f-provider-parrot", "1.0", *needs)
    done = machine.run("install", "g4f-provider-parrot", "--from", wheels, "--index", **index)
    assert (done.code, done.out) == (2, "")
    assert f"There is no g4f-provider-perch, which g4f-provider-parrot requires, in {wheels}" in done.err
    write_wheel(wheels, "g4f-provider-perch", "2.0", "g4f-provider-parrot")
    done = machine.run("install", "g4f-provider-parrot", "--from", wheels)
    assert done.code == 2
    assert "What g4f-provider-parrot and g4f-provider-perch need is not all here: seeds. Put it into" in done.err
    assert machine.run("install", "g4f-provider-parrot", "--from", wheels, "--index", **index).code == 0
    assert {path.name.partition(".dist-info")[0] for path in machine.find("*.dist-info")} >= {
        "g4f_provider_parrot-1.0",
        "g4f_provider_perch-2.0",
        "seeds-99.0",
    }


def test_what_is_installed_of_ours_is_never_replaced_from_the_index(program: Program, index: dict[str, str]) -> None:
    """Where a package wants another version of it, that is told."""
    machine = make_machine(program, without="pip")
    wheels = write_wheel(program.folder / "wheels", "g4f-provider-parrot", "1.0", "g4f-core>=2")
    done = machine.run("install", "g4f-provider-parrot", "--from", wheels, "--index", **index)
    assert done.code == 1
    assert "Error: g4f-provider-parrot is installed, and does not fit: " in done.err
    assert "g4f-core>=2" in done.err
    assert machine.find("g4f_core-99*") == []


def test_what_a_package_of_the_index_requires_of_ours_is_asked_for_too(program: Program, index: dict[str, str]) -> None:
    """Its name may be taken by anybody as well; what is installed of ours stays."""
    machine = make_machine(program, without="pip")
    own = [str(machine.tools / "python"), "-m", "g4f_cli", "install", "g4f-provider-parrot"]
    terminal = program.open_other(own, columns=200, PATH=machine.path, PYTHONPATH="", TERM="xterm", **index)
    for package in ("g4f-provider-parrot", "g4f-provider-perch"):
        terminal.wait_for(
            f"{package} is in no checkout here, and at the package index anybody may have taken its name."
        )
        terminal.wait_for(lambda text: text.endswith("Install it from there? [y/N]:"))
        terminal.type("y\r")
    assert terminal.wait() == 0, terminal.text
    assert [path.name for path in machine.find("g4f_provider_p*-99.0.dist-info")] == [
        "g4f_provider_parrot-99.0.dist-info",
        "g4f_provider_perch-99.0.dist-info",
    ]
    assert machine.find("seeds-99*") != []
    assert machine.find("g4f_core-99*") == []


def test_the_newest_wheel_is_taken(tmp_path: Path) -> None:
    """10 follows 9; nobody gets a pre-release unasked, or what another system can use."""
    for version in ("9.0", "10.0", "10.0.post1", "11.0rc1"):
        write_wheel(tmp_path, "g4f-provider-parrot", version)
    (tmp_path / "g4f_provider_parrot-12.0-cp27-cp27m-win32.whl").touch()
    (tmp_path / "g4f_provider_parrot-what.whl").touch()
    place = find_source("g4f-provider-parrot", tmp_path).place
    assert place == tmp_path / "g4f_provider_parrot-10.0.post1-py3-none-any.whl"


@pytest.mark.parametrize("name", ["g4f-foo @ https://host.example/x.whl", "./here", "g4f-foo==1", "", "-r", "a\nb"])
def test_what_is_no_name_is_told(name: str) -> None:
    """Installers would take it for an address, a path or an option."""
    with pytest.raises(InputError, match=r"is no name: write a provider's, as gemini, and say where|is no package: "):
        find_named(name)


def test_what_is_used_as_it_stands_is_not_replaced_silently(program: Program) -> None:
    """Its folder may be worked on."""
    machine = make_machine(program)
    done = machine.run("install", "gemini")
    assert done.code == 0
    assert done.err.startswith("Note: g4f-provider-gemini is installed already, as it stands in ")
    wheels = write_wheel(program.folder / "wheels", "g4f-provider-gemini")
    done = machine.run("install", "gemini", "--from", wheels)
    assert done.code == 2
    assert done.err.endswith("may be worked on. Remove it first: g4f uninstall g4f-provider-gemini.\n")


def test_what_is_no_wheel_is_told(program: Program) -> None:
    """Before an installer sees it."""
    folder = program.folder / "wheels"
    folder.mkdir()
    (folder / "g4f_provider_parrot-1.0-py3-none-any.whl").write_text("nothing")
    done = program.run("install", "g4f-provider-parrot", "--from", folder)
    assert done.code == 2
    assert "g4f_provider_parrot-1.0-py3-none-any.whl is no wheel: File is not a zip file." in done.err
