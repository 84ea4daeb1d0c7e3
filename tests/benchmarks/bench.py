"""The run of all benchmarks: `scripts/bench` starts this.

Each figure is the median of several repetitions. In each repetition the clients take turns, the plain aiohttp client
first, so that what else the machine does falls on all of them; a ratio is the median of the ratios within repetitions.
What the items are is left to `worker.py`, what becomes of the figures to `report.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import ProxyHandler, build_opener

import attrs
from report import AGAIN, write_report

from environments import FAST, LLM, OTHERS, PLAIN, RAW, Peer, SkippedError, prepare, quote_last_line, read_version

HERE = Path(__file__).parent
SECONDS = 40  # that one measurement may take: some clients wait for ever for a connection of their pool
MINUTES = 24  # after which nothing of the others is begun any more
STEADY = 1.25  # how far the machine's speed may change meanwhile: a rented one may be twice as fast a second later
OURS = (RAW, FAST, PLAIN)


@attrs.frozen
class Item:
    """One row of a table: what is measured, how large, how often, of whom alone, and without whom.

    `quick` is how often `--quick` measures it: figures that differ little from time to time need few repetitions.
    """

    name: str
    size: int = 0
    repetitions: int = 3
    quick: int = 3
    peers: tuple[Peer, ...] = ()
    without: tuple[Peer, ...] = ()

    @property
    def key(self) -> str:
        """What the report calls it."""
        return f"{self.name} {self.size}" if self.size else self.name

    def choose(self, peers: Sequence[Peer]) -> list[Peer]:
        """Return those of whom it is measured."""
        return [peer for peer in peers if peer in (self.peers or peers) and peer not in self.without]


TABLE = (
    Item("import", repetitions=7, peers=OURS),
    Item("cold", repetitions=7),
    Item("requests", 64, 5),
    Item("requests", 512, 5, without=(LLM,)),  # it would take half of the whole time
    Item("stream", 5000, 5),
    Item("streams", 200, 5),
    Item("memory", 1000, quick=1, without=(LLM,)),
    Item("image"),
    Item("vision", quick=2),
    Item("sync", quick=2, peers=(FAST, PLAIN)),
    Item("calls", repetitions=1, quick=1, peers=OURS),
)
GROWTH = (
    *(Item("stream", size, peers=OURS) for size in (10, 100, 1000, 10_000)),
    *(Item("history", size, peers=OURS) for size in (1, 10, 100, 1000)),
    *(Item("memory", size, peers=OURS) for size in (100, 500, 2000)),  # fewer fit into what the process has already
    *(Item("providers", size, peers=(FAST,)) for size in (1, 10, 100, 300)),
)
KEYS = tuple(dict.fromkeys(key for item in (*TABLE, *GROWTH) for key in (item.name, item.key)))


@contextmanager
def run_upstream(python: Path) -> Iterator[str]:
    """Run the service in a process of its own, which Ctrl-C does not reach, and give its origin."""
    command = [python, HERE / "upstream.py"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def read_upstream_cpu(origin: str) -> float:
    """Return what the service has cost so far, in seconds."""
    with build_opener(ProxyHandler({})).open(f"{origin}/usage") as answer:
        return float(answer.read())


def measure(peer: Peer, item: Item, origin: str) -> dict[str, float]:
    """Measure one item once.

    Raises:
        SkippedError: The client cannot do it.
    """
    command = [prepare(peer), HERE / "worker.py", item.name, peer.module, origin, str(item.size)]
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("G4F_", "OPENAI_", "PYTHON")) and not name.lower().endswith("_proxy")
    }
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env=plain, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        raise SkippedError(f"did not finish in {SECONDS} s") from None
    for line in reversed(done.stdout.splitlines()):  # some print of themselves
        with suppress(ValueError):
            figures: dict[str, float] = json.loads(line)
            return figures
    raise SkippedError(quote_last_line(done.stderr))


def run_items(items: Sequence[Item], peers: Sequence[Peer], origin: str) -> dict[str, dict[str, Any]]:
    """Return the figures of each item by client: medians, and under `ratio` those against the plain client.

    Ours come first, and Ctrl-C keeps what was measured before it: the others take the most time by far, and what of
    theirs is not begun in time is left out. They take turns with the plain client once more, which is `AGAIN` then.
    """
    latest = time.monotonic() + MINUTES * 60
    table: dict[str, dict[str, Any]] = {}
    ours = [peer for peer in peers if peer in OURS]
    others = [peer for peer in peers if peer not in OURS]
    with suppress(KeyboardInterrupt):
        for item in items:
            sys.stderr.write(f"{item.key} ...\n")
            table[item.key] = run_item(item, item.choose(ours), origin)
        for item in items if others else ():
            if not item.peers and time.monotonic() < latest:
                sys.stderr.write(f"{item.key}, the others ...\n")
                found = run_item(attrs.evolve(item, repetitions=3), [RAW, *item.choose(others)], origin)
                table[item.key] |= {AGAIN: found.pop(RAW.name), **found}
    return table


def list_gaps(items: Sequence[Item], peers: Sequence[Peer], table: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the items that were not measured of all: of the others it is enough to know why not."""
    gaps = []
    for item in items:
        row = table.get(item.key, {})
        got = {name for name, found in row.items() if "skipped" not in found}
        if any(peer.name not in (got if peer in OURS else row) for peer in item.choose(peers)):
            gaps.append(item.key)
    return gaps


def measure_speed() -> float:
    """Return what a fixed piece of work takes now, in seconds of CPU time."""
    begun = time.process_time()
    sum(number * number for number in range(100_000))
    return time.process_time() - begun


def run_item(item: Item, peers: Sequence[Peer], origin: str) -> dict[str, Any]:
    """Let the clients take turns. Of ours alone, those are taken again in which the machine became faster or slower."""
    runs: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
    skipped: dict[str, str] = {}
    kept, spare = 0, item.repetitions if {*peers} <= {*OURS} else 0  # the others take minutes for one
    while kept < item.repetitions:
        speeds, turn = [measure_speed()], dict[str, dict[str, float]]()
        for peer in peers:
            if peer.name not in skipped:
                try:
                    turn[peer.name] = measure(peer, item, origin)
                except SkippedError as error:
                    skipped[peer.name] = str(error)
                speeds.append(measure_speed())
        if spare and max(speeds) > STEADY * min(speeds):
            spare -= 1
            continue
        kept += 1
        for name, figures in turn.items():
            runs[name].append(figures)
    base = runs.get(RAW.name) or []
    found = {name: _summarize(taken, base) for name, taken in runs.items() if name not in skipped}
    return {**found, **{name: {"skipped": why} for name, why in skipped.items()}}


def _summarize(runs: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    figures: dict[str, Any] = {key: median(run[key] for run in runs) for key in runs[0]}
    if base:
        figures["ratio"] = {
            key: median(run[key] / other[key] for run, other in zip(runs, base, strict=True))
            for key in figures
            if base[0].get(key)
        }
    return figures


def measure_ceiling(origin: str) -> dict[str, float]:
    """Return what the service itself costs, in microseconds of its own process: it must be far below any client."""
    begun = read_upstream_cpu(origin)
    measure(RAW, Item("requests", 64), origin)
    requests = read_upstream_cpu(origin)
    measure(RAW, Item("stream", 5000), origin)
    return {
        "request_us": (requests - begun) / (4 * 2560 + 64) * 1e6,
        "chunk_us": (read_upstream_cpu(origin) - requests) / (5000 * (1 + 4 * 20000 // 5000)) * 1e6,
    }


def choose_peers(*, quick: bool) -> tuple[list[Peer], dict[str, str]]:
    """Return the clients that can be measured here, and why others cannot.

    Raises:
        SystemExit: Ours or the plain client cannot, and so there is nothing to measure.
    """
    peers, skipped = [], {}
    for peer in OURS if quick else (*OURS, *OTHERS):
        try:
            prepare(peer)
        except SkippedError as error:
            if peer in OURS:
                raise SystemExit(f"Nothing can be measured without {peer.name}: {error}") from None
            skipped[peer.name] = str(error)
        else:
            peers.append(peer)
    return peers, skipped


def parse_arguments() -> argparse.Namespace:
    """Return what the arguments ask for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="What g4f costs beside plain aiohttp and other clients.",
        epilog="Instead of this, scripts/bench soak keeps hundreds of streams going and checks every chunk, "
        "scripts/bench local measures the local model beside its runtime, "
        "and scripts/bench command_line measures g4f --help beside an import of click.",
    )
    parser.add_argument("--quick", action="store_true", help="only g4f and plain aiohttp, without the growth curves")
    parser.add_argument(
        "--only",
        metavar="ITEM",
        action="append",
        choices=KEYS,
        help="only this item, of g4f and plain aiohttp alone: 'requests 64', or requests for all of that name",
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md, .svg and .json")
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write keeps whole runs alone: leave out --quick and --only")
    return options


def choose_items(options: argparse.Namespace) -> list[Item]:
    """Return what is measured, and how often."""
    items = [*TABLE, *GROWTH] if options.only or not options.quick else [*TABLE]
    if options.only:
        items = [item for item in items if {item.name, item.key} & {*options.only}]
    return [attrs.evolve(item, repetitions=item.quick) for item in items] if options.quick else items


def main() -> None:
    """Measure, print the tables and write them down."""
    options = parse_arguments()
    items = choose_items(options)
    peers, skipped = choose_peers(quick=options.quick or bool(options.only))
    if len(peers) > len(OURS):
        sys.stderr.write(f"This takes ten to {MINUTES + 1} minutes.\n")
    begun = time.monotonic()
    with run_upstream(Path(sys.executable)) as origin:
        results = {
            "python": sys.version.split()[0],
            "cores": os.cpu_count(),
            "versions": {peer.name: read_version(prepare(peer), peer.distribution) for peer in peers},
            "skipped": skipped,
            "upstream": measure_ceiling(origin),
            "items": run_items(items, peers, origin),
            "load": os.getloadavg()[2],  # after all the rest
        }
    sys.stderr.write(f"Measured in {time.monotonic() - begun:.0f} s.\n")
    gaps = list_gaps(items, peers, results["items"])
    write_report(results, [peer.name for peer in peers], keep=options.write and not gaps)
    if gaps:
        raise SystemExit(f"{len(gaps)} of {len(items)} items are not whole, first {gaps[0]}: nothing is written.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing is written.\n")
        sys.exit(130)
