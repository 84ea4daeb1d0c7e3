"""What importing costs: counted in modules, since times differ from machine to machine."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import ForwardRef

import pytest

import g4f
from loopback import Loopback, reply_json

HEAVY = {"aiohttp", "asyncio", "importlib_metadata", "tomllib", "ssl", "email.utils", "urllib.request"}

NEEDLESS = {
    "click",
    "concurrent.futures.process",
    "g4f.embeddings",
    "g4f.images",
    "g4f.media",
    "importlib_metadata",
    "multiprocessing",
    "prompt_toolkit",
    "pydantic",
    "rich",
    "sqlite3",
    "zipfile",
}
FIRST_REQUEST = """
from asyncio import run
from g4f.client import AsyncClient
async def ask():
    client = AsyncClient(api_key={{"OpenaiChat": "k"}}, base_url={{"OpenaiChat": "{url}"}})
    answer = await client.chat.completions.create("Hi", "gpt-4o-mini")
    assert answer.provider == "OpenaiChat", answer
run(ask())
"""
OF_PYTHON = 6 if sys.version_info >= (3, 14) else 0  # what its own modules import more of each other
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}


def list_imported(statement: str) -> set[str]:
    """Return the modules that a statement imports in a new process."""
    program = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    env = {"PYTHONPATH": str(Path(g4f.__file__).parents[1]), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "most"),
    [("import g4f", 32), ("from g4f.client import AsyncClient", 139), ("from g4f.client import Client", 141)],
)
def test_a_client_is_imported_without_what_only_requests_need(statement: str, most: int) -> None:
    """The bounds stand a little above the figures of the day on which they were set."""
    imported = list_imported(statement)
    assert not imported & HEAVY
    assert len(imported) <= most + OF_PYTHON


def test_few_fields_of_what_a_client_imports_have_a_type_that_is_a_text() -> None:
    """Python compiles such a text of a typed dict or a named tuple: files that have many declare them without."""
    modules = [import_module(name) for name in sorted(list_imported("import g4f.client")) if name.startswith("g4f")]
    texts = {
        (kind.__qualname__, field)
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and issubclass(kind, (dict, tuple))
        for field, hint in kind.__annotations__.items()
        if isinstance(hint, ForwardRef)
    }
    assert len(texts) <= 40, sorted(texts)


def test_the_first_request_imports_the_chosen_provider_and_no_other() -> None:
    """Where only a model is named, too; with the network, and nothing that a program with a terminal would need."""
    with Loopback(reply_json(ANSWER)) as server:
        imported = list_imported(FIRST_REQUEST.format(url=server.url))

    packages = {name.partition(".")[0] for name in imported}
    assert {name for name in packages if name.startswith("g4f_")} == {"g4f_provider_openai"}
    assert not imported & NEEDLESS
    assert "aiohttp" in imported
    assert len(imported) <= 348
