from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from distributions import MANIFEST, write_distribution
from plugins.cli.program import Program

# Leaves a mark in the current folder when it is imported.
LOUD = "import pathlib\npathlib.Path('imported').touch()\n"
KEYED = """
contract = 1
title = "Keyed Service"
grade = "silver"
auth = {variables = ["KEYED_KEY", "OTHER_KEY"]}
models = [{id = "m-1"}, {id = "m-2", capabilities = {image = "yes"}}, {pattern = "m-*"}]
[capabilities]
chat = "yes"
"""


@pytest.fixture
def listed(program: Program) -> Program:
    """One provider in each state."""
    program.install("Ready", code=LOUD)
    program.install("Keyed", code=LOUD, manifest=KEYED, version="2.5")
    program.install("Broken", code=LOUD, manifest="contract = 99\n")
    program.install("Unnamed", code=LOUD, manifest=None)
    program.install("Blocked", code=LOUD)
    for owner in ("one", "two"):
        write_distribution(program.site, "Twice", distribution=f"g4f-provider-{owner}", code=LOUD)
    return program


def list_by_name(program: Program, **variables: str) -> dict[str, dict[str, Any]]:
    """The providers that `--json` lists."""
    done = program.run("providers", "--json", G4F_BLOCK="g4f-provider-blocked", **variables)
    assert (done.code, done.err) == (0, "")
    return {provider["name"]: provider for provider in json.loads(done.out)}


def test_every_provider_is_listed_with_its_state(listed: Program) -> None:
    """What is broken disturbs nothing else."""
    found = list_by_name(listed)
    states = {"Ready": "ready", "Keyed": "needs", "Broken": "broken", "Unnamed": "broken", "Blocked": "blocked"}
    assert {name: found[name]["state"] for name in (*states, "Twice")} == {**states, "Twice": "conflict"}


def test_each_state_says_why(listed: Program) -> None:
    """Which variable to set, what is wrong, who is in conflict."""
    found = list_by_name(listed)
    assert found["Keyed"]["reason"] == "KEYED_KEY or OTHER_KEY"
    assert "contract 99" in found["Broken"]["reason"]
    assert "Unnamed.toml" in found["Unnamed"]["reason"]
    assert "G4F_BLOCK" in found["Blocked"]["reason"]
    assert "g4f-provider-one 1.0 and g4f-provider-two 1.0" in found["Twice"]["reason"]


def test_a_manifest_says_what_a_provider_can(listed: Program) -> None:
    """What one of its models can counts as well."""
    assert list_by_name(listed, OTHER_KEY="sk-1234")["Keyed"] == {
        "name": "Keyed",
        "state": "ready",
        "reason": "",
        "distribution": "g4f-provider-keyed",
        "version": "2.5",
        "title": "Keyed Service",
        "capabilities": ["chat", "image"],
        "models": 2,
        "more_models": True,
        "auth": "header",
        "needs_key": True,
        "key": "OTHER_KEY",
        "grade": "silver",
    }


def test_the_table_has_a_line_for_each(listed: Program) -> None:
    """For people."""
    done = listed.run("providers", G4F_BLOCK="g4f-provider-blocked")
    assert (done.code, done.err) == (0, "")
    header, *lines = done.out.splitlines()
    assert header.split() == ["PROVIDER", "STATE", "KEY", "GRADE", "MODELS", "DISTRIBUTION", "TITLE", "CAN"]
    rows = {line.split("  ")[0]: line for line in lines}
    keyed = [cell.strip() for cell in re.split("  +", rows["Keyed"])]
    state, owner = "needs KEYED_KEY or OTHER_KEY", "g4f-provider-keyed 2.5"
    assert keyed == ["Keyed", state, "no", "silver", "2+", owner, "Keyed Service", "chat, image"]
    assert rows["Ready"].split()[:4] == ["Ready", "ready", "not", "needed"]
    assert lines[lines.index(rows["Twice"]) + 1].startswith("    g4f-provider-one 1.0 and g4f-provider-two 1.0 both")


def test_a_narrow_terminal_gets_paragraphs(listed: Program) -> None:
    """Nothing is cut off, and no line is longer than the terminal is wide."""
    terminal = listed.open("providers", rows=60, columns=40)
    assert terminal.wait() == 0
    assert "Keyed  needs KEYED_KEY or OTHER_KEY\n    key: no; grade: silver; models: 2+;\n" in terminal.text
    assert max(map(len, terminal.raw.splitlines())) <= 40, terminal.text


def test_a_provider_that_depends_on_what_nobody_looks_at_says_so(program: Program) -> None:
    """A server of the user's own, or a sign-in, which is not asked for."""
    server = """
    contract = 1
    title = "Own"
    base_url = "http://127.0.0.1:1/v1"
    base_url_variable = "OWN_URL"
    base_url_path = "/v1"
    models = "open"
    """
    program.install("Own", manifest=server)
    account = 'contract = 1\nauth = {kind = "own", variables = ["TOKEN"], required = false, sign_in = "g4f auth it"}\n'
    program.install("Account", manifest=account)
    found = list_by_name(program)
    assert (found["Own"]["state"], found["Own"]["reason"]) == ("ready", "if a server runs at http://127.0.0.1:1/v1")
    assert (found["Account"]["state"], found["Account"]["reason"]) == ("ready", "if signed in by g4f auth it")
    found = list_by_name(program, OWN_URL="gpu.example:8000", TOKEN="sk-1234")
    assert (found["Own"]["reason"], found["Account"]["reason"]) == ("", "")


def test_no_provider_is_imported(listed: Program) -> None:
    """Neither to list them nor to examine them."""
    assert listed.run("providers").code == 0
    listed.run("doctor")
    listed.run("--help")
    assert not (listed.folder / "imported").exists()
    assert listed.run("-p", "Ready", "hi").code == 1  # the mark is made when one is used
    assert (listed.folder / "imported").exists()


def test_an_address_may_be_what_a_provider_needs(program: Program) -> None:
    """A service that everyone runs for themselves."""
    manifest = """
    contract = 1
    title = "Own"
    base_url = "http://localhost:1"
    base_url_variable = "OWN_URL"
    base_url_required = true
    models = "open"
    """
    program.install("Own", manifest=manifest)
    assert (list_by_name(program)["Own"]["state"], list_by_name(program)["Own"]["reason"]) == ("needs", "OWN_URL")
    assert list_by_name(program, OWN_URL="http://localhost:2")["Own"]["state"] == "ready"
    program.install("Other", manifest=f'{manifest}\nauth = {{variables = ["OWN_KEY"]}}')
    assert list_by_name(program)["Other"]["reason"] == "OWN_URL and OWN_KEY"


def test_a_key_that_no_header_can_carry_is_told(program: Program) -> None:
    """It was copied badly."""
    program.install("Keyed", manifest=KEYED)
    found = list_by_name(program, KEYED_KEY="sk-1234\u2026")["Keyed"]
    assert found["state"] == "broken"
    assert found["reason"].startswith("KEYED_KEY has characters that a key cannot have")


def test_metadata_without_a_name_breaks_only_itself(program: Program) -> None:
    """What an interrupted pip leaves behind."""
    program.install("Ready", manifest=MANIFEST)
    program.install("Nameless")
    (program.site / "g4f_provider_nameless-1.0.dist-info/METADATA").unlink()
    assert list_by_name(program)["Ready"]["state"] == "ready"


def test_without_any_provider_the_table_says_what_to_install(tmp_path: Path) -> None:
    """For a fresh installation."""
    from g4f_doctor.text import format_providers

    assert "(from a checkout: pip install ./plugins/g4f-provider-local)" in format_providers([])


def test_the_default_is_told_to_programs(program: Program) -> None:
    """`null` where there is none."""
    program.install("Echo")
    assert json.loads(program.run("providers", "default", "--json").out) == {"provider": None}
    assert program.run("providers", "default", "echo").code == 0
    assert json.loads(program.run("providers", "default", "--json").out) == {"provider": "Echo"}
