"""`g4f.Provider` and the lazy names of `g4f`: what can be imported, and what an unknown name says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import g4f
from distributions import write_distribution

PROGRAM = """
import sys
import g4f
from g4f.Provider import ThisOne
from g4f.client import AsyncClient
assert repr(ThisOne) == "<provider ThisOne>", ThisOne
assert g4f.Provider.ThisOne == ThisOne
assert "ThisOne" in dir(g4f.Provider)
assert not hasattr(g4f.Provider, "__wrapped__") and not hasattr(g4f.Provider, "Nobody")
assert getattr(g4f.Provider, "Nobody", None) is None
assert "g4f_provider_thisone" not in sys.modules and "aiohttp" not in sys.modules
try:
    from g4f.Provider import ThisOneToo
except g4f.ProviderNotFoundError as error:
    assert isinstance(error, ImportError)
    print(error)
try:
    g4f.Provider.ThisOneToo
except AttributeError as error:
    print(error)
import asyncio
async def main():
    async with AsyncClient(provider=ThisOne) as client:
        print((await client.chat.completions.create("hi")).choices[0].message.content)
        print((await client.chat.completions.create("hi", "thisone/m-1")).model)
asyncio.run(main())
assert "aiohttp" not in sys.modules
"""


def test_names_are_light_references_and_unknown_ones_say_what_is_installed(tmp_path: Path) -> None:
    """Importing a provider's name imports neither the provider nor aiohttp; `hasattr` answers, `import` explains."""
    write_distribution(tmp_path, "ThisOne")
    core = str(Path(g4f.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM],
        env={"PYTHONPATH": f"{tmp_path}:{core}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    not_imported, no_attribute, answer, model = run.stdout.splitlines()
    assert not_imported.startswith("There is no provider 'ThisOneToo'. Did you mean ThisOne")
    assert no_attribute == not_imported
    assert (answer, model) == ("ThisOne: hi", "m-1")


def test_a_name_that_two_distributions_claim_harms_nobody_who_looks_around(tmp_path: Path) -> None:
    """`dir` has it, `hasattr` has not, and an import says why."""
    for distribution in ("one", "two"):
        write_distribution(tmp_path, "Same", distribution=distribution)
    program = (
        "import inspect, g4f.Provider\n"
        "assert 'Same' in dir(g4f.Provider) and not hasattr(g4f.Provider, 'Same')\n"
        "inspect.getmembers(g4f.Provider)\n"
        "from g4f.Provider import Same"
    )
    core = str(Path(g4f.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{tmp_path}:{core}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ProviderConflictError: one 1.0 and two 1.0 both register the provider Same" in run.stderr


def test_everything_public_can_be_imported_from_g4f() -> None:
    """And nothing else."""
    for name in g4f._HOMES:
        assert getattr(g4f, name) is not None
    assert g4f.models.default == ""
    with pytest.raises(
        AttributeError, match=r"no attribute 'gpt_4': write the model's name as a text, as model='gpt-4'"
    ):
        _ = g4f.models.gpt_4
    assert set(g4f._HOMES) <= set(dir(g4f))
    names: dict[str, object] = {}
    exec("from g4f import *", names)  # noqa: S102 - within a function it cannot be written
    assert set(g4f._HOMES) | {"models", "Provider"} == names.keys() - {"__builtins__"}
    with pytest.raises(AttributeError, match="has no attribute 'nonesuch'"):
        _ = g4f.nonesuch
