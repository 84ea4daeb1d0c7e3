"""Many streams at once: two minutes of what `scripts/bench soak` does for longer; and that it can fail."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from benchmarks import soak
from counting import SPOILS, Manner, make_word, run_service
from g4f.context import Answered, Call, CallNext
from holding import Holding
from life.program import run_program

SOAK = Path(soak.__file__)
BRIEF = soak.Part(10, 0.05)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_minute_of_load_loses_and_leaves_nothing() -> None:
    """Hundreds of streams in three dialects, a part of them with one fault in five."""
    done = subprocess.run([sys.executable, SOAK, "--short"], capture_output=True, text=True, timeout=560, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(re.findall(r"^\| \d+ \|", done.stdout, re.MULTILINE)) == len(soak.SHORT)


def test_a_brief_part_is_well() -> None:
    """So that the tests below fail for their own reason."""
    assert list(soak.run_part(BRIEF).list_defects()) == []


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_chunk_that_is_lost_doubled_or_altered_is_seen(spoil: str) -> None:
    """The service spoils one chunk of each stream, and so many are counted."""
    findings = soak.run_part(attrs.evolve(BRIEF, spoil=spoil))
    assert findings.tally.streams > 0
    assert list(findings.list_defects()) == [f"{findings.tally.streams} chunks {spoil}"]


async def leak(call: Call, call_next: CallNext) -> Answered:
    """Keep something of every call."""
    LEAKED.append((asyncio.create_task(asyncio.Event().wait()), os.open(SOAK, os.O_RDONLY)))
    return await call_next(call)


LEAKED: list[Any] = []


def test_what_leaks_is_seen() -> None:
    """Tasks and descriptors that a middleware keeps."""
    try:
        findings = soak.run_part(BRIEF, [leak])
        (left,) = findings.list_defects()
        assert left.startswith("left open: ")
        assert findings.left.files == findings.left.tasks == findings.tally.streams
    finally:
        for _, file in LEAKED:
            os.close(file)
        LEAKED.clear()


@pytest.mark.parametrize(("slope", "defects"), [(0.9, 0), (1.1, 1)])
def test_memory_that_grows_is_seen(slope: float, defects: int) -> None:
    """By more than a MiB a minute in the second half; what the first half adds is no matter."""
    memory = [(second, int((min(second, 300) / 10 + slope * second / 60) * 2**20)) for second in range(600)]
    findings = soak.Findings(soak.FULL[1], soak.Tally(streams=1, chunks=1), memory, Holding(), 0, 1)
    assert findings.slope == pytest.approx(slope, abs=0.01)
    assert len(list(findings.list_defects())) == defects


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((0, 1, 2), (0, 0, 0)),
        ((0, 2, 3), (1, 0, 0)),
        ((0, 1, 1, 2), (0, 1, 0)),
        ((0, 2, 1, 3), (1, 1, 0)),
        ((0, "1:1:something else ", 2), (0, 0, 1)),
        ((0, make_word(2, 1), 2), (0, 0, 1)),
        ((0, "", 2), (0, 0, 1)),
    ],
)
def test_each_chunk_is_judged_by_its_number(words: tuple[int | str, ...], found: tuple[int, int, int]) -> None:
    """In its turn, too late, again, of another stream, or nothing that was sent."""
    tally, index = soak.Tally(), 0
    for word in words:
        index = tally.take(1, index, word if isinstance(word, str) else make_word(1, word))
    assert (tally.lost, tally.doubled, tally.altered) == found


def test_a_thousand_streams_can_be_open_at_once() -> None:
    """Each gets its own chunks, and closing them leaves nothing."""
    with run_service(Manner(pause=2.0, burst=2)) as origin:
        assert run_program("crowd.py", origin, "1000") == "1000 streams, 1000 connections\n"
