from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from plugins.cli.program import Program

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(g4f completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u; eval "$(g4f completion zsh)"'),
    "fish": (["fish", "--no-config", "--private", "-i"], "g4f completion fish | source"),
}
ZEBRA = 'contract = 1\ntitle = "Zebra"\nmodels = [{id = "zebra-1"}]\n[capabilities]\nchat = "yes"\n'


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("name", SHELLS)
def test_the_tab_key_completes_in_a_real_shell(program: Program, name: str) -> None:
    """Commands, options, models, providers, files, and the commands of other packages."""
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name}")
    program.install("Zebra", manifest=ZEBRA)
    (program.folder / "picture.png").touch()
    tools = program.home / "bin"
    tools.mkdir()
    (tools / "g4f").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m g4f_cli \"$@\"\n")
    (tools / "g4f").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    command, setting = SHELLS[name]
    shell = program.open_other(command, PATH=path, PS1="$ ", TERM="xterm")
    shell.wait_for(re.compile(r"[$#>]$").search)
    shell.type(f'{setting}; echo rea""dy\r')
    shell.wait_for("ready")
    for typed, completed in {
        "g4f provid\t": "g4f providers ",
        "g4f models def\t": "g4f models default ",
        "g4f --sche\t": "g4f --schema ",
        "g4f -p Zeb\t": "g4f -p Zebra ",
        "g4f image -m zebr\t": "g4f image -m zebra-1 ",
        "g4f -a pict\t": "g4f -a picture.png ",
        "g4f download smol\t": "g4f download smollm2-135m-instruct ",
    }.items():
        shell.type(typed)
        shell.wait_for(completed.strip())
        shell.type("end")
        shell.wait_for(f"{completed}end")  # the word is complete, not proposed
        shell.type("\x15")


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
        ("g4f download qwen", "qwen2.5-coder-0.5b-instruct"),
        ("g4f download remove smol", "smollm2-135m-instruct"),
    ],
)
def test_what_follows_a_command_is_completed(program: Program, words: str, found: str) -> None:
    """Whatever the shell; ID stands for the beginning of a conversation's, or for all of it."""
    program.install("Zebra", manifest=ZEBRA)
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
