"""What `g4f new-provider` writes, installed beside the core and the conformance kit: its tests pass as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from environments import Environment
from loopback import Loopback, make_completion, reply_json

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

ASK = """
import sys
from g4f import Client

with Client(provider="BigCloud", base_url=sys.argv[1], api_key="canary") as client:
    print(client.chat.completions.create("Say this is a test").choices[0].message.content)
"""


@pytest.fixture(scope="module")
def environment(artefacts: Path, requirements: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The core, the command line and the kit, from their wheels."""
    made = Environment.with_uv(tmp_path_factory.mktemp("scaffold"))
    names = ("g4f_core", "g4f_cli", "g4f_testkit")
    made.install(*(next(artefacts.glob(f"{name}-*.whl")) for name in names), "hatchling", requirements=requirements)
    return made


def test_a_new_package_passes_its_tests_before_a_line_is_changed(environment: Environment, tmp_path: Path) -> None:
    """It installs, and the kit gives it gold."""
    environment.run("g4f", "new-provider", "Talker", "--dialect", "custom", "--directory", tmp_path)
    folder = tmp_path / "g4f-provider-talker"
    environment.install_source(folder)
    verdict = tmp_path / "grades.json"
    environment.run("python", "-m", "pytest", "-q", "--rootdir", folder, f"--g4f-json={verdict}", folder)
    grades = json.loads(verdict.read_text(encoding="utf-8")).values()
    assert [(grade["grade"], grade["missing"]) for grade in grades] == [("gold", [])]


def test_the_new_provider_answers_by_its_name(environment: Environment, tmp_path: Path) -> None:
    """With the key that it was given."""
    environment.run("g4f", "new-provider", "BigCloud", "--directory", tmp_path)
    environment.install_source(tmp_path / "g4f-provider-big-cloud")
    with Loopback(reply_json(make_completion("It is one"))) as server:
        assert environment.run("python", "-W", "error", "-c", ASK, server.url) == "It is one" + os.linesep
        assert server.requests[0].key == "canary"


def test_its_ci_needs_no_checkout_of_g4f(
    environment: Environment, artefacts: Path, requirements: Path, tmp_path: Path
) -> None:
    """The workflow's own lines give gold in a new environment, with the two wheels that the README has one commit."""
    environment.run("g4f", "new-provider", "Elsewhere", "--directory", tmp_path)
    folder = tmp_path / "g4f-provider-elsewhere"
    (folder / "wheels").mkdir()
    for name in ("g4f_core", "g4f_testkit"):
        shutil.copy2(next(artefacts.glob(f"{name}-*.whl")), folder / "wheels")
    workflow = (folder / ".github/workflows/test.yml").read_text(encoding="utf-8")
    lines = re.findall(r"- run: (.+)", workflow)
    other = Environment.with_pip(tmp_path)
    other.variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(requirements)}
    said = other.run_shell("\n".join(["set -e", f"cd '{folder}'", *lines]))
    assert len(lines) == 2
    assert "TestElsewhere: gold (" in said
