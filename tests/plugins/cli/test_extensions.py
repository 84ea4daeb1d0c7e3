from __future__ import annotations

import json
from textwrap import dedent

import pytest

from plugins.cli.program import Program

COMMAND = """
import click
import pathlib
pathlib.Path("imported").touch()

@click.command("hello")
@click.argument("name")
def command(name):
    click.echo(f"Hello {name}.")
"""


def bring(program: Program, distribution: str, entry_points: dict[str, str], code: str = COMMAND) -> None:
    """Install a distribution with commands; its package is called like it."""
    package = program.site / distribution.replace("-", "_")
    package.mkdir()
    (package / "__init__.py").write_text(dedent(code))
    info = program.site / f"{package.name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {home}" for name, home in entry_points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[other]", "x = y:z", "[g4f.commands]", *lines, ""]))


def test_another_package_brings_a_command(program: Program) -> None:
    """Listed by help with whose it is, and not imported for that."""
    bring(program, "g4f-hello", {"hello": "g4f_hello:command"})
    assert ["hello", "Of", "g4f-hello."] in [line.split() for line in program.run("--help").out.splitlines()]
    assert not (program.folder / "imported").exists()
    assert program.run("hello", "Ada").out == "Hello Ada.\n"
    assert "Usage: g4f hello" in program.run("hello", "--help").out


def test_a_name_with_a_dot_is_in_a_group(program: Program) -> None:
    """Of several packages."""
    bring(program, "g4f-one", {"greet.one": "g4f_one:command"})
    bring(program, "g4f-two", {"greet.two": "g4f_two:command"})
    assert program.run("greet", "two", "Ada").out == "Hello Ada.\n"
    assert "With one, two." in program.run("--help").out
    assert "Of g4f-one." in program.run("greet", "--help").out


@pytest.mark.parametrize("code", ["raise SystemExit(5)", "import absent_library", "command = 1", "def"])
def test_a_broken_one_disturbs_nobody(program: Program, code: str) -> None:
    """It is told when it is asked for, and by the doctor."""
    program.install("Echo")
    bring(program, "g4f-broken", {"broken": "g4f_broken:command", "group.broken": "g4f_broken:command"}, code)
    assert program.run("--help").code == 0
    assert program.run("-p", "Echo", "hi").out == "Echo: hi\n"
    for name, words in {"broken": ["broken", "--any", "thing"], "group.broken": ["group", "broken"]}.items():
        done = program.run(*words)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"Error: The command {name} of g4f-broken cannot be used: ")
        assert done.err.count("\n") == 1
    examined = program.run("doctor", "--import", "--json", G4F_PLUGINS="g4f-provider-echo")
    texts = [finding["text"] for finding in json.loads(examined.out)["findings"]]
    assert len([text for text in texts if "g4f-broken cannot be used" in text]) == 2


def test_the_doctor_tells_of_names_that_are_taken(program: Program) -> None:
    """Without importing anything; ours stay what they are."""
    program.install("Echo")
    bring(program, "g4f-first", {"same": "g4f_first:command", "same.below": "g4f_first:command", "Bad": "g4f_first:c"})
    bring(program, "g4f-second", {"same": "g4f_second:command", "ask": "g4f_second:command", "gone": "g4f_gone:c"})
    done = program.run("doctor")
    assert done.code == 1
    for sentence in (
        "g4f-second brings a command 'same', which g4f-first has already",
        "g4f-first brings a command 'same.below', and g4f-first one called 'same'",
        "g4f-second brings a command 'ask', which g4f has itself",
        "g4f-first brings a command 'Bad', which is no name of one",
        "g4f-second brings a command 'gone' in the package g4f_gone, which is not there",
    ):
        assert sentence in done.out
    assert not (program.folder / "imported").exists()
    assert program.run("ask", "-p", "Echo", "hi").out == "Echo: hi\n"
    assert program.run("same", "Ada").out == "Hello Ada.\n"


def test_a_prompt_of_one_word_is_a_prompt_all_the_same(program: Program) -> None:
    """Unless it is a command."""
    program.install("Echo")
    assert program.run("hello", G4F_PROVIDERS="Echo").out == "Echo: hello\n"
