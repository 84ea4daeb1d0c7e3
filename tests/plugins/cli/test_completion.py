from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from plugins.cli.program import Program
from plugins.cli.terminal import Terminal

needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="there is no bash")


@pytest.fixture
def shell(program: Program) -> Terminal:
    """A bash with our completion, and one provider."""
    manifest = 'contract = 1\ntitle = "Zebra"\nmodels = [{id = "zebra-1"}]\n[capabilities]\nchat = "yes"\n'
    program.install("Zebra", manifest=manifest)
    (program.folder / "picture.png").touch()
    tools = program.home / "bin"
    tools.mkdir()
    (tools / "g4f").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m g4f_cli \"$@\"\n")
    (tools / "g4f").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    return program.open_other(["bash", "--norc", "--noprofile", "-i"], PATH=path, PS1="$ ", TERM="xterm")


@needs_bash
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("g4f provid\t", "g4f providers"),
        ("g4f models def\t", "g4f models default"),
        ("g4f --sche\t", "g4f --schema"),
        ("g4f -p Zeb\t", "g4f -p Zebra"),
        ("g4f image -m zebr\t", "g4f image -m zebra-1"),
        ("g4f -a pict\t", "g4f -a picture.png"),
    ],
)
def test_the_tab_key_completes_in_a_real_bash(shell: Terminal, typed: str, completed: str) -> None:
    """Commands, options, models, providers and files."""
    shell.wait_for("$")
    shell.type('eval "$(g4f completion bash)"; echo rea""dy\r')
    shell.wait_for("ready")
    shell.type(typed)
    shell.wait_for(completed)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("g4f models -p Zeb", "Zebra"),
        ("g4f models list -p Zeb", "Zebra"),
        ("g4f models default zeb", "zebra-1"),
        ("g4f keys set Zeb", "Zebra"),
        ("g4f install gem", "Gemini"),
        ("g4f uninstall zeb", "Zebra"),
        ("g4f providers default zeb", "Zebra"),
        ("g4f ask -o temp", "temperature"),
        ("g4f -o temp", "temperature"),
        ("g4f ask --cid ID", "ID"),
        ("g4f logs show ID", "ID"),
    ],
)
def test_what_follows_a_command_is_completed(program: Program, words: str, found: str) -> None:
    """Whatever the shell; ID stands for the beginning of a conversation's, or for all of it."""
    manifest = 'contract = 1\ntitle = "Zebra"\nmodels = [{id = "zebra-1"}]\n[capabilities]\nchat = "yes"\n'
    program.install("Zebra", manifest=manifest)
    if found == "ID":
        program.install("Echo")
        program.run("-p", "Echo", "hi")
        found = json.loads(program.run("logs", "--json").out)[0]["id"]
        words = words.replace("ID", found[:3])
    line = {"_G4F_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert f"plain,{found}" in program.run(**line).out.splitlines()


@pytest.mark.parametrize(
    ("shell_name", "words"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef g4f"), ("fish", "complete --no-files --command g4f")],
)
def test_each_shell_gets_its_own(program: Program, shell_name: str, words: str) -> None:
    """To be evaluated."""
    if shutil.which(shell_name) is None and shell_name == "bash":
        pytest.skip("click asks bash for its version")
    done = program.run("completion", shell_name)
    assert done.code == 0
    assert words in done.out
    assert "_G4F_COMPLETE" in done.out


def test_an_unknown_shell_is_bad_input(program: Program) -> None:
    """The error says which ones are known."""
    done = program.run("completion", "csh")
    assert done.code == 2
    assert "'bash', 'zsh', 'fish'" in done.err
