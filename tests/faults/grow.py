"""A program that meets what has no end, and prints how much memory each took beyond what the process had, in KiB.

It is told what to try: `grow.py '[["openai", "http://127.0.0.1:1234", "endless-json", "streamed"], …]'`. It prints
for each how much that was, in KiB, and the name of the error that came. Each is tried in a process of its own, for
memory that was taken once may be taken again unseen.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
from pathlib import Path

import g4f
import g4f.transport  # before anything is measured

PROVIDERS = {
    "openai": ("OpenaiChat", "/v1"),
    "anthropic": ("Anthropic", ""),
    "gemini": ("Gemini", ""),
    "picture": ("OpenaiChat", "/v1"),
}
_SELF = Path("/proc/self")
_RESET_PEAK = "5"


def main(tries: list[list[str]]) -> None:
    """Try each."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(measure, tries, chunksize=1)))  # noqa: T201 - for who started it


def measure(attempt: list[str]) -> tuple[int, str]:
    """Try one, and return how much memory it took and what error came."""
    return asyncio.run(grow(*attempt))


async def grow(dialect: str, url: str, fault: str, way: str) -> tuple[int, str]:
    """Ask for a fault after an answer without one, which is for what is loaded once."""
    provider, path = PROVIDERS[dialect]
    async with g4f.AsyncClient(provider=provider, api_key="sk-1", base_url=url + path, max_retries=0) as client:
        await ask(client, None, way)
        (_SELF / "clear_refs").write_text(_RESET_PEAK)
        before = read_memory("VmRSS")
        error = await ask(client, fault or None, way)
        return read_memory("VmHWM") - before, error


async def ask(client: g4f.AsyncClient, fault: str | None, way: str) -> str:
    """Ask for a fault, whose name is the model's, and return the name of the error that comes."""
    try:
        if way == "streamed":
            async for _ in client.chat.completions.stream("Hi", fault, timeout=40):
                pass
        elif way == "pictures":
            await client.images.generate("A cat", fault, response_format="b64_json", timeout=40)
        else:
            await client.chat.completions.create("Hi", fault, timeout=40)
    except g4f.G4FError as error:
        return type(error).__name__
    return ""


def read_memory(name: str) -> int:
    """Read how much memory the process has, or had at most."""
    lines = (_SELF / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
