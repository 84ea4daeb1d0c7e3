"""Each package, installed alone beside the core in a new environment: whole, and its providers answer by their names.

Dependencies come from the package index, at the versions of requirements.lock.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import dialects
from environments import ROOT, Environment
from loopback import Loopback

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

PROVIDERS = {
    path.parent.name: list(tomllib.loads(path.read_text(encoding="utf-8"))["project"]["entry-points"]["g4f.providers"])
    for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
    if '"g4f.providers"' in path.read_text(encoding="utf-8")
}
# What those say that no server on loopback stands behind.
SPECIAL: dict[str, Callable[[str], bool]] = {
    "Local": bool,  # a model's words, whatever they are
    "CopilotAccount": lambda said: "g4f-provider-copilot[account]" in said,
}
OTHERS = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")} - set(PROVIDERS)
# A provider without a base URL is its own service: it is asked for little, with the smallest model that it has.
# What one has to say that needs more than its package brings is an answer too.
ASK = """
import asyncio, json, sys
from g4f import G4FError
from g4f.client import AsyncClient
from g4f.registry import share_registry

async def ask(name, url):
    manifest = share_registry().read_manifest(share_registry().find(name))
    service = {"base_url": url} if manifest.base_url else {}
    secret = f"key-of-{name.encode().hex()}"  # no words, which errors would lack
    key = {} if manifest.auth.kind == "none" else {"api_key": secret}
    async with AsyncClient(provider=name, **service, **key) as client:
        if manifest.capabilities["chat"] == "yes":
            model = None if key else manifest.models[-1].id
            answer = await client.chat.completions.create("Say this is a test", model, max_tokens=4)
            return answer.provider, answer.choices[0].message.content
        answer = await client.images.generate("a white siamese cat", response_format="b64_json")
        return answer.provider, answer.data[0].b64_json

async def try_to_ask(name, url):
    try:
        return await ask(name, url)
    except G4FError as error:
        return name, str(error)

url, *names = sys.argv[1:]
print(json.dumps({name: asyncio.run(try_to_ask(name, url)) for name in names}))
"""


@pytest.fixture
def install(artefacts: Path, requirements: Path, tmp_path: Path) -> Callable[[str], Environment]:
    """Make a new environment that holds the core and a package."""

    def install(name: str) -> Environment:
        environment = Environment.with_uv(tmp_path)
        wheels = (next(artefacts.glob(f"{each}-*.whl")) for each in ("g4f_core", name.replace("-", "_")))
        environment.install(*wheels, requirements=requirements)
        return environment

    return install


def examine(environment: Environment) -> set[str]:
    """Let the doctor import all that there is, and return the names of the providers."""
    report = json.loads(environment.run("python", "-m", "g4f_doctor", "--import", "--json"))
    assert [finding for finding in report["findings"] if finding["level"] == "broken"] == []
    return {provider["name"] for provider in report["providers"]}


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_providers_of_a_package_answer(name: str, install: Callable[[str], Environment]) -> None:
    """Each by its name, from a server on loopback that its key went to; the doctor finds nothing broken."""
    environment = install(name)
    with Loopback(dialects.answer) as server:
        answers = json.loads(environment.run("python", "-W", "error", "-c", ASK, server.url, *PROVIDERS[name]))
    assert list(answers) == PROVIDERS[name]
    for provider, content in answers.values():
        assert SPECIAL[provider](content) if provider in SPECIAL else content in dialects.ANSWERS, content
    for request in server.requests:
        assert request.method == "GET" or any("key-of-" in text for text in request.headers.values())
    assert set() < examine(environment) <= set(PROVIDERS[name])  # it does not list aliases


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_a_package_without_providers_imports(name: str, install: Callable[[str], Environment]) -> None:
    """It brings all that it needs; the doctor finds nothing broken."""
    environment = install(name)
    environment.run("python", "-W", "error", "-c", f"import {name.replace('-', '_')}")
    assert examine(environment) == set()
