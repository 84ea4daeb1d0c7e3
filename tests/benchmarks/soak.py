"""Many streams at once for long: nothing may be lost, doubled, altered or left over. `scripts/bench soak` starts this.

The service (`counting.py`) runs in a process of its own and numbers every chunk; here all are checked, and memory,
descriptors and tasks are watched. Of the streams of a faulty part one in five ends with a fault, whose error must come.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

if __name__ == "__main__":  # as pytest has it
    sys.path.insert(0, str(Path(__file__).parents[1]))

import g4f
from counting import FAULTS, Manner, allow_many_files, make_word, read_state, run_service, write_question
from g4f.context import Middleware
from holding import Holding

PROVIDERS = {"OpenaiChat": "/v1", "Anthropic": "", "Gemini": ""}
ERRORS = {
    "cut": g4f.StreamTruncatedError,
    "reset": g4f.StreamTruncatedError,
    "stall": g4f.APITimeoutError,
    "broken": g4f.APIResponseError,
    "unended": g4f.StreamTruncatedError,
    "error": g4f.InternalServerError,
}
GAP = 20.0  # seconds that a faulty part waits for what stalled
WRITES = 500  # of the service in a second, by all streams: two cores must not be busy with them
LONGEST = 150  # chunks in a stream
FEWEST = 8  # samples of memory, where the machine lets this process hardly run
SETTLING = 2  # MiB that memory may grow by where a part is too short to tell a slope from the beginning
MIB = 2**20
MAX_TOLD = 5  # of each kind of surprise


@attrs.frozen
class Part:
    """So many streams at a time for so many minutes, `faulty` or not; `spoil` is what the service does wrong."""

    streams: int
    minutes: float
    faulty: bool = False
    spoil: str = ""

    @property
    def manner(self) -> Manner:
        """How the service serves."""
        return Manner(pause=self.streams / WRITES, spoil=self.spoil)

    @property
    def longest(self) -> int:
        """Chunks in the longest stream: it takes an eighth of the part at most, so that memory can settle."""
        a_second = (self.manner.burst + 1) / 2 / self.manner.pause
        return max(5, min(LONGEST, int(self.minutes * 60 * a_second / 8)))

    @property
    def may_grow(self) -> float:
        """MiB that memory may grow by in the second half: one a minute."""
        return self.minutes / 2 if self.minutes >= 1 else SETTLING


FULL = (Part(500, 1), Part(200, 10), Part(100, 5, faulty=True))
SHORT = (Part(500, 0.15), Part(200, 0.35), Part(100, 0.3, faulty=True))


@attrs.define
class Tally:
    """What was received in a part, compared with what was sent.

    Attributes:
        met: How many streams ended with each fault's own error, after all that came before it.
        surprises: What else happened, in words; the first of them.
    """

    streams: int = 0
    chunks: int = 0
    lost: int = 0
    doubled: int = 0
    altered: int = 0
    sent: Counter[str] = attrs.field(factory=Counter)
    met: Counter[str] = attrs.field(factory=Counter)
    surprises: list[str] = attrs.field(factory=list)
    unexpected: int = 0

    def take(self, stream: int, index: int, word: str) -> int:
        """Judge a chunk that should be the one of this index, and return the next one's."""
        self.chunks += 1
        if word == make_word(stream, index):
            return index + 1
        number = word.split(":")[1] if word.count(":") > 1 else ""
        if not number.isdigit() or word != make_word(stream, int(number)):
            self.altered += 1
            return index + 1
        if int(number) < index:
            self.doubled += 1
            return index
        self.lost += int(number) - index
        return int(number) + 1

    def end(self, fault: str, error: Exception | None, *, heard: str) -> None:
        """Judge how a stream ended."""
        self.streams += 1
        self.sent[fault] += fault != "none"
        if fault == "none" and error is None:
            return
        if type(error) is ERRORS.get(fault) and getattr(error, "partial", None) == heard:
            self.met[fault] += 1
            return
        self.unexpected += 1
        if len(self.surprises) < MAX_TOLD:
            self.surprises.append(f"after the fault {fault!r} came {error!r}")


@attrs.frozen
class Findings:
    """What came of a part.

    Attributes:
        memory: Seconds and bytes, sampled while all streams ran.
        left: What was held in the end and not in the beginning.
        connections: How many the service saw open in the end.
        asked: How many streams the service was asked for.
    """

    part: Part
    tally: Tally
    memory: Sequence[tuple[float, int]]
    left: Holding
    connections: int
    asked: int

    @property
    def half(self) -> Sequence[tuple[float, int]]:
        """The second half of the samples."""
        return self.memory[len(self.memory) // 2 :]

    @property
    def slope(self) -> float:
        """By how many MiB a minute memory grew in the second half (linear regression)."""
        return statistics.linear_regression(*zip(*self.half, strict=True)).slope * 60 / MIB

    @property
    def growth(self) -> float:
        """By how many MiB it grew there."""
        return self.slope * (self.half[-1][0] - self.half[0][0]) / 60

    def list_defects(self) -> Iterator[str]:
        """Say what is not as it must be."""
        tally = self.tally
        for name in ("lost", "doubled", "altered"):
            if count := getattr(tally, name):
                yield f"{count} chunks {name}"
        if tally.unexpected:
            yield f"{tally.unexpected} streams ended otherwise than they should: {'; '.join(tally.surprises)}"
        if not tally.chunks or tally.streams != self.asked:
            yield f"{tally.streams} streams were read and {self.asked} were asked for"
        if self.growth > self.part.may_grow:
            yield f"memory grew by {self.growth:.1f} MiB, {self.slope:.1f} a minute"
        if self.left != Holding() or self.connections:
            yield f"left open: {self.left}, {self.connections} connections"


class Run:
    """One part under way."""

    def __init__(self, part: Part, origin: str, middleware: Sequence[Middleware] = ()) -> None:
        self._part = part
        self._origin = origin
        self._middleware = middleware
        self._dice = random.Random(4)
        self._numbers = itertools.count(1)
        self._tally = Tally()

    async def run(self) -> Findings:
        """Keep the streams going until the time is over, and let them end."""
        before = Holding.look()
        self._end = time.monotonic() + self._part.minutes * 60
        async with self._make_client() as client, asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch_memory())
            for _ in range(self._part.streams):
                group.create_task(self._keep_one(client))
        left = await before.wait_to_return()
        state = await asyncio.to_thread(read_state, self._origin)
        return Findings(self._part, self._tally, watch.result(), left, state["connections"], state["streams"])

    def _make_client(self) -> g4f.AsyncClient:
        return g4f.AsyncClient(
            base_url={name: self._origin + path for name, path in PROVIDERS.items()},
            api_key=dict.fromkeys(PROVIDERS, "none"),
            proxies={},
            max_retries=0,  # so that whatever goes wrong is seen
            middleware=self._middleware,
            timeout=g4f.Timeout(connect=60, gap=GAP if self._part.faulty else 60),
        )

    async def _watch_memory(self) -> list[tuple[float, int]]:
        samples = []
        while time.monotonic() < self._end or len(samples) < FEWEST:
            samples.append((time.monotonic(), read_memory()))
            await asyncio.sleep(self._part.minutes * 60 / 300)
        return samples

    async def _keep_one(self, client: g4f.AsyncClient) -> None:
        """Read one stream after the other; the first begins somewhen in the first tenth of the time."""
        await asyncio.sleep(self._dice.random() * min(self._part.minutes * 6, 5))
        while time.monotonic() < self._end:
            number = next(self._numbers)
            fault = self._dice.choice(FAULTS) if self._part.faulty and number % 5 == 0 else "none"
            await self._read_one(client, number, self._dice.randint(5, self._part.longest), fault)

    async def _read_one(self, client: g4f.AsyncClient, number: int, chunks: int, fault: str) -> None:
        take, index, heard = self._tally.take, 0, []
        error: Exception | None = None
        provider = list(PROVIDERS)[number % len(PROVIDERS)]
        question = write_question(number, chunks, fault)
        try:
            async for chunk in client.chat.completions.stream(question, "gpt-4o-mini", provider):
                word = chunk.choices[0].delta.content if chunk.choices else None
                if word:
                    index = take(number, index, word)
                    heard.append(word)
        except Exception as caught:  # noqa: BLE001 - whatever it is, it is judged
            error = caught
        self._tally.lost += chunks - index
        self._tally.end(fault, error, heard="".join(heard))


def read_memory() -> int:
    """Return the bytes that this process holds now; where the system does not tell, the most that it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 2**10)


def run_part(part: Part, middleware: Sequence[Middleware] = ()) -> Findings:
    """Run a part against a service of its own."""
    with run_service(part.manner) as origin:
        return asyncio.run(Run(part, origin, middleware).run())


COLUMNS = (
    "streams at once", "minutes", "streams", "chunks", "lost", "doubled", "altered", "faults met",
    "MiB a minute", "MiB", "left: files", "tasks", "threads", "connections",
)  # fmt: skip


def write_row(findings: Findings) -> str:
    """Return a part as a row of the table."""
    part, tally, left = findings.part, findings.tally, findings.left
    cells = (
        part.streams, f"{part.minutes:g}", f"{tally.streams:,}", f"{tally.chunks:,}",
        tally.lost, tally.doubled, tally.altered,
        f"{tally.met.total():,} of {tally.sent.total():,}",
        f"{findings.slope:+.2f}", f"{findings.memory[-1][1] / MIB:.0f}",
        left.files, left.tasks, left.threads, findings.connections,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |\n"


def run_parts(parts: Sequence[Part]) -> list[str]:
    """Run all, print the table, and return what is wrong.

    The largest runs before, for twice its time or two minutes, so that the heap is as large as it will be.
    """
    largest = max(parts, key=lambda part: part.streams)
    run_part(attrs.evolve(largest, minutes=min(2, 2 * largest.minutes)))
    sys.stdout.write(f"| {' | '.join(COLUMNS)} |\n{'|--:' * len(COLUMNS)}|\n")
    defects = []
    for part in parts:
        sys.stdout.flush()
        findings = run_part(part)
        sys.stdout.write(write_row(findings))
        defects += [f"{part.streams} streams: {defect}" for defect in findings.list_defects()]
    return defects


def main() -> int:
    """Run what the arguments say; the status is 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/bench soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="all three parts in two minutes")
    parser.add_argument("--streams", type=int, default=200, help="of the one part that --minutes wants, at once")
    parser.add_argument("--minutes", type=float, help="one part of so many minutes, in place of the three")
    parser.add_argument("--faulty", action="store_true", help="in that part one stream in five ends with a fault")
    options = parser.parse_args()
    parts: Sequence[Part] = SHORT if options.short else FULL
    if options.minutes is not None:
        parts = (Part(options.streams, options.minutes, options.faulty),)
    allow_many_files()
    defects = run_parts(parts)
    sys.stdout.write("\n".join(defects or ["All is well."]) + "\n")
    return 1 if defects else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
