"""A program that has many streams open at once: `python crowd.py ORIGIN COUNT`. `test_load.py` runs it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

import g4f
from counting import ENDLESS, allow_many_files, read_state, write_question
from holding import Holding
from life.leaving import Reader, make_arguments, overlook_slowness


class Crowd:
    """Those who have a chunk each, and wait for all others."""

    def __init__(self, count: int) -> None:
        self.complete, self.over = asyncio.Event(), asyncio.Event()
        self._missing = count

    async def read(self, client: g4f.AsyncClient, number: int) -> None:
        """Read a chunk, and leave the stream once all are there."""
        reader = Reader(number)
        async for chunk in client.chat.completions.stream(write_question(number, ENDLESS)):
            if reader.take(chunk):
                self._missing -= 1
                if not self._missing:
                    self.complete.set()
                await self.over.wait()
                break


async def gather(origin: str, count: int) -> None:
    """Open them, and tell how many connections the service sees then."""
    before, crowd = Holding.look(), Crowd(count)
    async with g4f.AsyncClient(**make_arguments(origin)) as client, asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(crowd.read(client, number))
        await crowd.complete.wait()
        sys.stdout.write(f"{count} streams, {read_state(origin)['connections']} connections\n")
        crowd.over.set()
    assert await before.wait_to_return() == Holding()


if __name__ == "__main__":
    overlook_slowness()
    allow_many_files()
    asyncio.run(gather(sys.argv[1], int(sys.argv[2])))
