"""A hundred installed providers, five of them bad: choosing one imports one, and the bad ones disturb nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import g4f
from distributions import write_distribution

CORE = str(Path(g4f.__file__).parents[1])
GOOD = 95
MANIFEST = """
contract = 1
title = "{name}"
base_url = "https://{name}.invalid/v1"
base_url_variable = "{name}_BASE_URL"
[capabilities]
chat = "yes"
[[models]]
id = "{name}-large"
aliases = ["{name} large", "{name}-latest"]
context_tokens = 128000
[[models]]
id = "{name}-small"
[[models]]
pattern = "{name}-preview-*"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the distributions."""
    folder = tmp_path_factory.mktemp("site")
    for number in range(GOOD):
        write_distribution(folder, f"Good{number}", manifest=MANIFEST)
    write_distribution(folder, "Raises", code="raise RuntimeError('boom')")
    write_distribution(folder, "Future", manifest="contract = 2")
    write_distribution(folder, "Twin", distribution="twin-a")
    write_distribution(folder, "Twin", distribution="twin-b")
    write_distribution(folder, "NoToml", manifest="contract = = 1")
    write_distribution(folder, "NoHook", code="class {name}: pass")
    return folder


def run(site: Path, program: str) -> str:
    """Run a program beside the distributions, with warnings as errors, and return what it prints."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(
        command, env={"PYTHONPATH": f"{site}:{CORE}", "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


CHOOSE = """
import asyncio, sys
from g4f.client import AsyncClient

async def main():
    async with AsyncClient() as client:
        answer = await client.chat.completions.create("hi", {arguments})
        print(answer.provider, answer.choices[0].message.content, answer.model)
        print(sorted(name for name in sys.modules if name.startswith(("g4f_provider_good", "twin", "g4f_provider_r"))))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        ("provider='good7'", "Good7 Good7: hi"),
        ("'Good7 Large'", "Good7 Good7: hi Good7-large"),
        ("'good7-preview-2027'", "Good7 Good7: hi good7-preview-2027"),
    ],
)
def test_choosing_by_name_or_by_model_imports_exactly_one_provider(site: Path, arguments: str, first: str) -> None:
    """However many are installed, and however many of them are broken."""
    lines = run(site, CHOOSE.replace("{arguments}", arguments)).splitlines()
    assert lines[0].strip() == first
    assert lines[1] == "['g4f_provider_good7']"


ASK_ALL = """
import asyncio
from g4f.client import AsyncClient
from g4f.errors import G4FError

async def main():
    async with AsyncClient() as client:
        for name in ("Raises", "Future", "Twin", "NoToml", "NoHook", "Good3"):
            try:
                print(name, (await client.chat.completions.create("hi", provider=name)).provider)
            except G4FError as error:
                print(name, type(error).__name__, error)

asyncio.run(main())
"""


def test_each_bad_provider_gives_its_own_error_and_disturbs_nobody(site: Path) -> None:
    """The error names the distribution, its version and what is wrong."""
    raises, future, twin, no_toml, no_hook, good = run(site, ASK_ALL).splitlines()
    assert raises.startswith("Raises ProviderBrokenError The provider Raises of g4f-provider-raises 1.0 cannot be imp")
    assert raises.endswith("RuntimeError: boom.")
    assert "needs contract 2, and this g4f-core speaks 1" in future
    assert "twin-a 1.0 and twin-b 1.0 both register the provider Twin: uninstall one of them." in twin
    assert "has a manifest NoToml.toml that cannot be used: it is not valid TOML" in no_toml
    assert "implements no hook: write a method as chat, with @hookimpl above it" in no_hook
    assert good == "Good3 Good3"
