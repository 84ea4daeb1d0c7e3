"""One measurement in a process of its own: `python worker.py ITEM CLIENT ORIGIN SIZE` prints its figures as JSON.

Each item but the import first proves that the client does the work: what it returns is compared with what the service
sent. Time is CPU time of this process, user and system, by getrusage. Nothing but the standard library is imported
before the client.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from statistics import median
from typing import Any

import upstream

QUESTION = [{"role": "user", "content": "What is the capital of Germany?"}]
CALLS_CHUNKS = 1000
Figures = dict[str, float]
Measure = Callable[[str, str, int], Any]


def read_cpu() -> float:
    """Return the CPU time of this process in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_peak() -> float:
    """Return the most memory that this process ever held, in MiB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)


def read_memory() -> float:
    """Return the memory that this process holds now (where the system does not tell, its peak), in KiB."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return read_peak() * 2**10
    return pages * resource.getpagesize() / 2**10


def load(client: str, origin: str, scenario: str) -> Any:
    """Make a client for one kind of answer."""
    return importlib.import_module(f"clients.{client}").Client(f"{origin}/{scenario}/v1")


def expect(got: object, wanted: object) -> None:
    """Stop where a client did not do the work."""
    if got == wanted:
        return
    said = "it returned something else than the service sent"
    if isinstance(got, str) and isinstance(wanted, str):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(got, wanted, strict=False))
        at = sum(1 for _ in same)
        raise SystemExit(f"{said}: after {at} characters {got[at : at + 20]!r} and not {wanted[at : at + 20]!r}")
    raise SystemExit(f"{said}: {got!r:.100}")


async def time_work(work: Callable[[], Awaitable[object]], units: int) -> Figures:
    """Return what `work` costs in microseconds a unit."""
    gc.collect()
    begun = read_cpu()
    await work()
    return {"us": (read_cpu() - begun) / units * 1e6}


async def ask_all(client: Any, messages: list[dict[str, Any]], in_flight: int, rounds: int) -> None:
    """Keep so many requests in flight, each of so many after the other."""
    import asyncio

    async def ask() -> None:
        for _ in range(rounds):
            expect(await client.ask(messages), upstream.ANSWER)

    await asyncio.gather(*(ask() for _ in range(in_flight)))


async def measure_cold(client: str, origin: str, size: int) -> Figures:
    """From the import to the first answer; `main` has begun the clock before."""
    made = load(client, origin, "plain")
    expect(await made.ask(QUESTION), upstream.ANSWER)
    await made.close()
    return {}


async def measure_requests(client: str, origin: str, in_flight: int) -> Figures:
    """Requests with so many in flight, after as many to warm up."""
    made = load(client, origin, "plain")
    await ask_all(made, QUESTION, in_flight, 1)
    rounds = max(1, round(SCALE[client] * 2560 / in_flight))
    figures = await time_work(lambda: ask_all(made, QUESTION, in_flight, rounds), rounds * in_flight)
    await made.close()
    return figures


async def measure_history(client: str, origin: str, messages: int) -> Figures:
    """Requests with a history of so many messages, eight in flight."""
    made = load(client, origin, "plain")
    history = [{"role": "user" if at % 2 == 0 else "assistant", "content": upstream.ANSWER} for at in range(messages)]
    await ask_all(made, history, 8, 1)
    figures = await time_work(lambda: ask_all(made, history, 8, 10), 80)
    await made.close()
    return figures


async def measure_stream(client: str, origin: str, chunks: int) -> Figures:
    """One stream after the other, of so many chunks each."""
    made = load(client, origin, f"chunks-{chunks}")
    text = upstream.make_text(chunks)
    expect(await made.stream(QUESTION), text)
    rounds = max(1, min(round(SCALE[client] * 20000 / chunks), 400))

    async def read() -> None:
        for _ in range(rounds):
            expect(await made.stream(QUESTION), text)

    figures = await time_work(read, rounds * chunks)
    await made.close()
    return figures


async def measure_streams(client: str, origin: str, streams: int) -> Figures:
    """So many streams at once, of 200 chunks each."""
    import asyncio

    made = load(client, origin, "chunks-200")
    text = upstream.make_text(200)

    async def read() -> None:
        expect(await made.stream(QUESTION), text)

    await asyncio.gather(*(read() for _ in range(streams if SCALE[client] >= 1 else 8)))
    figures = await time_work(lambda: asyncio.gather(*(read() for _ in range(streams))), streams * 200)
    await made.close()
    return figures


async def measure_memory(client: str, origin: str, streams: int) -> Figures:
    """So many streams that have had their first content, each read by a task that waits for more."""
    import asyncio

    made = load(client, origin, "hold")
    tasks, begun = [], asyncio.Queue[str]()

    async def begin() -> None:
        tasks.append(asyncio.create_task(made.hold(QUESTION, begun.put_nowait)))
        expect(await begun.get(), upstream.WORDS[0])

    for _ in range(8):
        await begin()
    gc.collect()
    before = read_memory()
    streams -= 0 if SCALE[client] >= 1 else len(tasks)  # openai's own pool ends at 1,000 connections
    for _ in range(streams):
        await begin()
    gc.collect()
    return {"kib": (read_memory() - before) / streams}


async def measure_calls(client: str, origin: str, size: int) -> Figures:
    """Function calls, Python's and C's, of a request and of a chunk in a stream: they are the same each time."""
    whole, streamed = load(client, origin, "plain"), load(client, origin, f"chunks-{CALLS_CHUNKS}")
    text = upstream.make_text(CALLS_CHUNKS)
    found: dict[str, list[int]] = {"request": [], "stream": []}
    for _ in range(5):  # the first ones import and connect; how the network cuts an answer differs a little
        with count_calls(found["request"]):
            expect(await whole.ask(QUESTION), upstream.ANSWER)
        with count_calls(found["stream"]):
            expect(await streamed.stream(QUESTION), text)
    await whole.close()
    await streamed.close()
    return {"request": min(found["request"]), "chunk": min(found["stream"]) / CALLS_CHUNKS}


@contextmanager
def count_calls(found: list[int]) -> Iterator[None]:
    """Append how many functions this thread calls meanwhile, the event loop's included."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)
        found.append(calls)


async def measure_image(client: str, origin: str, size: int) -> Figures:
    """A picture from the service, as bytes."""
    if not hasattr(load(client, origin, "image"), "draw"):
        raise SystemExit("it asks no service of one's own for pictures")
    return await _repeat(client, origin, "image", lambda made: made.draw("A fox"), upstream.make_picture())


async def measure_vision(client: str, origin: str, size: int) -> Figures:
    """A question about a picture of five MiB."""
    picture = upstream.make_picture()[: 2**20] + bytes(4 * 2**20)
    return await _repeat(client, origin, "plain", lambda made: made.look("What is it?", picture), upstream.ANSWER)


async def _repeat(client: str, origin: str, scenario: str, work: Callable[[Any], Any], wanted: object) -> Figures:
    made = load(client, origin, scenario)
    expect(await work(made), wanted)
    peak = read_peak()  # before repetitions, whose leftovers are the allocator's matter

    async def repeat() -> None:
        for _ in range(5):
            expect(await work(made), wanted)

    figures = await time_work(repeat, 5)
    await made.close()
    return {"ms": figures["us"] / 1000, "mib": peak}


def measure_import(client: str, origin: str, size: int) -> Figures:
    """The import alone."""
    if client == "raw":
        importlib.import_module("aiohttp")
    else:
        importlib.import_module("g4f.client").AsyncClient  # noqa: B018 - a lazy name
    return {}


async def measure_sync(client: str, origin: str, size: int) -> Figures:
    """What the synchronous client adds to a call, and to a chunk, of the asynchronous one; they take turns."""
    call, chunk = [], []
    for scenario, units, found in (("plain", 50, call), ("chunks-5000", 1, chunk)):
        both = load(client, origin, scenario), load("g4f_sync", origin, scenario)
        for turn in range(12):
            pair = [await _time_turn(made, units, scenario == "plain") for made in both]
            if turn > 1:
                found.append(pair)
        await both[0].close()
    return {
        "call_us": median(pair[0] for pair in call),
        "added_us": median(pair[1] - pair[0] for pair in call),
        "chunk_us": median(pair[0] for pair in chunk) / 5000,
        "chunk_ratio": median(pair[1] / pair[0] for pair in chunk),
    }


async def _time_turn(made: Any, units: int, plain: bool) -> float:
    async def work() -> None:
        for _ in range(units):
            got = made.ask(QUESTION) if plain else made.stream(QUESTION)
            expect(got if isinstance(got, str) else await got, upstream.ANSWER if plain else upstream.make_text(5000))

    return (await time_work(work, units))["us"]


async def measure_providers(client: str, origin: str, providers: int) -> Figures:
    """The first request of a process that names only a model, with so many providers installed besides."""
    import tempfile

    folder = Path(tempfile.mkdtemp())
    write_providers(folder, providers)
    sys.path.insert(0, str(folder))
    made = importlib.import_module("g4f.client").AsyncClient(
        api_key={"OpenaiChat": "sk-bench"}, base_url={"OpenaiChat": f"{origin}/plain/v1"}
    )
    importlib.import_module("g4f.transport")

    async def ask() -> None:
        answer = await made.chat.completions.create(QUESTION, "gpt-4o-mini")
        expect(answer.choices[0].message.content, upstream.ANSWER)

    async def ask_often() -> None:
        for _ in range(200):
            await ask()

    first = await time_work(ask, 1)
    await time_work(ask, 10)
    later = await time_work(ask_often, 200)
    imported = sum(name.startswith("g4f_provider_") and name.count(".") == 0 for name in sys.modules)
    await made.close()
    import shutil

    shutil.rmtree(folder)
    return {"first_ms": first["us"] / 1000, "us": later["us"], "imported": imported}


def write_providers(site: Path, count: int) -> None:
    """Install so many providers, each with a manifest of some models."""
    for at in range(count):
        package = site / f"g4f_provider_bench{at}"
        package.mkdir()
        (package / "__init__.py").write_text("raise ImportError('it was not chosen')\n", "utf-8")
        models = "".join(
            f'[[models]]\nid = "bench-{at}-{number}"\naliases = ["b{at}-{number}"]\n' for number in range(6)
        )
        (package / f"Bench{at}.toml").write_text(
            f'contract = 1\ntitle = "Bench {at}"\nbase_url = "https://bench{at}.invalid/v1"\n'
            f'[auth]\nvariables = ["BENCH{at}_API_KEY"]\n[capabilities]\nchat = "yes"\n{models}'
            f'[[models]]\npattern = "bench{at}-*"\n',
            "utf-8",
        )
        info = site / f"g4f_provider_bench{at}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: g4f-provider-bench{at}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(
            f"[g4f.providers]\nBench{at} = g4f_provider_bench{at}:Bench{at}\n", "utf-8"
        )


ITEMS: dict[str, Measure] = {
    name.removeprefix("measure_"): value for name, value in list(globals().items()) if name.startswith("measure_")
}
# How much work a client gets: those that take long get less, so that the whole ends today.
SCALE = {"raw": 4, "g4f": 4, "gpt4free": 1, "openai": 0.5, "litellm": 0.25, "llm": 0.1}


def main() -> None:
    """Measure one item."""
    item, client, origin, size = sys.argv[1:]
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    begun = read_cpu()
    if item == "import":
        figures = measure_import(client, origin, 0)
    else:
        import asyncio

        try:
            figures = asyncio.run(ITEMS[item](client, origin, int(size)))
        except SystemExit as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            os._exit(1)  # or the last words were those of streams that are still open
    if item in ("cold", "import"):
        figures = {"ms": (read_cpu() - begun) * 1000, "mib": read_peak()}
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what is still open was so on purpose, and its end is not measured


if __name__ == "__main__":
    main()
