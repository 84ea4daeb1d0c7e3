"""What a process holds open: counted before and after, it tells what was left behind."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import attrs

_LISTING = Path("/proc/self/fd") if Path("/proc/self/fd").is_dir() else Path("/dev/fd")


@attrs.frozen
class Holding:
    """How many there are; tasks are those of the running loop."""

    files: int = 0
    tasks: int = 0
    threads: int = 0

    @classmethod
    def look(cls) -> Holding:
        """Count."""
        return cls(len(os.listdir(_LISTING)), _count_tasks(), threading.active_count())  # noqa: PTH208 - closes it

    def __sub__(self, other: Holding) -> Holding:
        """Return what is held besides."""
        return Holding(self.files - other.files, self.tasks - other.tasks, self.threads - other.threads)

    async def wait_to_return(self, seconds: float = 5) -> Holding:
        """Return what is held besides this: wait until it is nothing, but no longer than so many seconds."""
        for _ in range(int(seconds * 100)):
            if Holding.look() == self:
                break
            await asyncio.sleep(0.01)
        return Holding.look() - self


def _count_tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs
        return 0
