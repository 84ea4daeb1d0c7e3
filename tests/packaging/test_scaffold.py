"""What `g4f new-provider` writes, installed beside the core and the conformance kit: its tests pass as they are."""

from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize(("name", "dialect"), [("BigCloud", "openai"), ("Talker", "custom")])
def test_a_new_package_passes_its_tests_before_a_line_is_changed(
    environment: Environment, tmp_path: Path, name: str, dialect: str
) -> None:
    """It installs, and the kit gives it gold."""
    environment.run("g4f", "new-provider", name, "--dialect", dialect, "--directory", tmp_path)
    folder = next(tmp_path.glob("g4f-provider-*"))
    environment.install_source(folder)
    verdict = tmp_path / "grades.json"
    environment.run("python", "-m", "pytest", "-q", "--rootdir", folder, f"--g4f-json={verdict}", folder)
    grades = json.loads(verdict.read_text(encoding="utf-8")).values()
    assert [(grade["grade"], grade["missing"]) for grade in grades] == [("gold", [])]


def test_the_new_provider_answers_by_its_name(environment: Environment, tmp_path: Path) -> None:
    """With the key that it was given."""
    if "BigCloud" not in environment.run("g4f", "providers"):
        environment.run("g4f", "new-provider", "BigCloud", "--directory", tmp_path)
        environment.install_source(tmp_path / "g4f-provider-big-cloud")
    with Loopback(reply_json(make_completion("It is one"))) as server:
        assert environment.run("python", "-W", "error", "-c", ASK, server.url) == "It is one" + os.linesep
        assert server.requests[0].key == "canary"
