from __future__ import annotations

import ast
import tomllib
from functools import reduce
from pathlib import Path

import pytest

from g4f.manifest import parse_manifest
from plugins.cli.program import Program

DIALECTS = pytest.mark.parametrize("dialect", ["openai", "custom"])


def list_files(folder: Path) -> set[str]:
    """The files in a folder and all below it."""
    return {str(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file()}


@DIALECTS
def test_a_package_is_written_with_all_that_one_needs(program: Program, dialect: str) -> None:
    """Manifest, code, tests, README, license, a file for CI; and what to do next is told."""
    done = program.run("new-provider", "BigCloud", "--dialect", dialect)
    assert (done.code, done.err) == (0, "")
    folder = program.folder / "g4f-provider-big-cloud"
    assert 'python -m pip install -e ".[test]"' in done.out
    assert list_files(folder) >= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".gitignore",
        ".github/workflows/test.yml",
        "g4f_provider_big_cloud/__init__.py",
        "g4f_provider_big_cloud/BigCloud.toml",
        "g4f_provider_big_cloud/py.typed",
        "tests/test_big_cloud.py",
    }
    assert "g4f keys set BigCloud" in (folder / "README.md").read_text()


@DIALECTS
def test_names_are_filled_in_everywhere(program: Program, dialect: str) -> None:
    """No placeholder is left, the code is Python, and the manifest can be read."""
    program.run("new-provider", "BigCloud", "--dialect", dialect, "--base-url", "https://big.example.org/v2/")
    folder = program.folder / "g4f-provider-big-cloud"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["g4f.providers"] == {"BigCloud": "g4f_provider_big_cloud:BigCloud"}
    manifest = parse_manifest((folder / "g4f_provider_big_cloud/BigCloud.toml").read_text())
    assert manifest.base_url == "https://big.example.org/v2"
    assert manifest.auth.variables == ("BIG_CLOUD_API_KEY",)
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text())
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    of_others = ("${{ matrix.python }}", "$G4F")  # CI's and the shell's
    assert not any("$" in reduce(lambda left, word: left.replace(word, ""), of_others, text) for text in texts)


def test_a_service_like_openais_takes_a_few_lines(program: Program) -> None:
    """At most forty of Python, and of the module at most ten."""
    program.run("new-provider", "Acme")
    lines = {path.name: len(path.read_text().splitlines()) for path in program.folder.rglob("*.py")}
    assert lines["__init__.py"] <= 10
    assert sum(lines.values()) <= 40


def test_it_can_be_written_elsewhere(program: Program) -> None:
    """Into a folder that is made if it is not there."""
    done = program.run("new-provider", "Acme", "--directory", "deep/down")
    assert done.code == 0
    assert (program.folder / "deep/down/g4f-provider-acme/pyproject.toml").is_file()


@pytest.mark.parametrize("name", ["big cloud", "big-cloud", "9lives", "../evil", "Wölkchen", "", "a" * 51])
def test_a_name_that_can_be_none_is_refused(program: Program, name: str) -> None:
    """With what one may be; nothing is written."""
    done = program.run("new-provider", "--", name)
    assert done.code == 2
    assert "letters and digits, as BigCloud" in done.err
    assert list_files(program.folder) == set()


@pytest.mark.parametrize("name", ["g4f", "none", "Provider"])
def test_a_word_of_g4fs_is_refused(program: Program, name: str) -> None:
    """As that by which no distribution is let load."""
    done = program.run("new-provider", name)
    assert (done.code, list_files(program.folder)) == (2, set())
    assert f"{name!r} cannot be a provider's name: g4f has a meaning for it." in done.err


@pytest.mark.parametrize("name", ["class", "None"])
def test_a_word_of_pythons_is_refused(program: Program, name: str) -> None:
    """The provider's class is called like the provider."""
    done = program.run("new-provider", name)
    assert (done.code, list_files(program.folder)) == (2, set())
    assert done.err == (
        f"Error: {name!r} cannot be a provider's name: Python has a meaning for it. Write one as BigCloud.\n"
    )


def test_who_wants_another_dialect_is_told_where_to_begin(program: Program) -> None:
    """With the provider that speaks it."""
    done = program.run("new-provider", "BigCloud", "--dialect", "anthropic")
    assert done.code == 2
    assert "begin with custom, and look at wire.py of g4f-provider-anthropic." in done.err


@pytest.mark.parametrize(
    ("name", "why"), [("taken", "is installed already"), ("google", "g4f has itself"), ("OpenAI", "g4f has itself")]
)
def test_a_name_that_another_has_is_refused(program: Program, name: str, why: str) -> None:
    """Whether it is installed here, or one of g4f's own."""
    program.install("Taken")
    done = program.run("new-provider", name, G4F_PLUGINS="g4f-provider-taken")
    assert done.code == 2
    assert f"{why}: choose another name." in done.err


def test_what_is_there_already_is_kept(program: Program) -> None:
    """A second time changes nothing."""
    program.run("new-provider", "Acme")
    readme = program.folder / "g4f-provider-acme/README.md"
    readme.write_text("mine")
    done = program.run("new-provider", "Acme")
    assert done.code == 2
    assert "is there already" in done.err
    assert readme.read_text() == "mine"


def test_an_address_that_is_none_is_refused(program: Program) -> None:
    """Before anything is written."""
    done = program.run("new-provider", "Acme", "--base-url", "ftp://example.org")
    assert done.code == 2
    assert "no http:// or https:// address" in done.err
    assert list_files(program.folder) == set()
