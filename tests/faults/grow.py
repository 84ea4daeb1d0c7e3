"""A program that meets what has no end, and prints how much memory each took beyond what the process had, in KiB.

It is told where the servers are: `grow.py '{"openai": "http://127.0.0.1:1234", …}' fault …`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

import g4f

PROVIDERS = {"openai": ("OpenaiChat", "/v1"), "anthropic": ("Anthropic", ""), "gemini": ("Gemini", "")}
_SELF = Path("/proc/self")
_RESET_PEAK = "5"


async def main(servers: dict[str, str], faults: list[str]) -> None:
    """Meet each in each dialect, whole and streamed."""
    grown = {}
    for dialect, url in servers.items():
        provider, path = PROVIDERS[dialect]
        async with g4f.AsyncClient(provider=provider, api_key="sk-1", base_url=url + path, max_retries=0) as client:
            for fault in ["", *faults]:  # the first one is for what is loaded once
                for stream in (False, True):
                    (_SELF / "clear_refs").write_text(_RESET_PEAK)
                    before = read_memory("VmRSS")
                    with suppress(g4f.G4FError):
                        await ask(client, fault or None, stream=stream)
                    grown[f"{dialect} {fault} {stream}"] = read_memory("VmHWM") - before
    print(json.dumps(grown))  # noqa: T201 - for who started it


async def ask(client: g4f.AsyncClient, fault: str | None, *, stream: bool) -> None:
    """Ask for a fault: its name is the model's."""
    if not stream:
        await client.chat.completions.create("Hi", fault, timeout=40)
        return
    async for _ in client.chat.completions.stream("Hi", fault, timeout=40):
        pass


def read_memory(name: str) -> int:
    """Read how much memory the process has, or had at most."""
    lines = (_SELF / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2:]))
