"""The local model beside its runtime used directly: `scripts/bench local` starts this.

Directly means xllamacpp's own call in this process: `Server.handle_chat_completions` with a callback, on the very
server that g4f has loaded, because a second copy of the same weights is faster or slower by where it lies in memory.
Both take turns, so that what else the machine does falls on both; who begins changes each time. Before a figure
counts, both have written the same text.
"""

# ruff: noqa: RUF001 - tables are set with signs that are no letters

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from g4f.client import AsyncClient
from g4f_provider_local.download import ensure_model
from g4f_provider_local.engine import Engine, EngineSettings
from g4f_provider_local.machine import import_runtime

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- local: begin -->", "<!-- local: end -->"
TOKENS = 64  # of each answer
FIRSTS = 100  # pairs of first tokens: each is short
LONG = "one two three four five six seven eight nine ten " * 30  # 300 tokens


@attrs.frozen
class Sample:
    """Some requests at once: when all were done, what they cost, when the first text of any came, and the texts."""

    seconds: float
    cpu: float
    first: float
    texts: tuple[str, ...]


class Answer:
    """One answer as it comes."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.first = 0.0
        self.tokens = 0

    def add(self, text: str | None, tokens: int | None) -> None:
        """Take what one event says."""
        if text and not self.pieces:
            self.first = time.perf_counter()
        self.pieces += [text] if text else []
        self.tokens = tokens or self.tokens


def make_extra(*, known: bool) -> dict[str, Any]:
    """Say what both ask of the runtime: to write on to the limit, and whether a prompt that it knows is read again."""
    return {"ignore_eos": True, "cache_prompt": known}


class Ours:
    """g4f's client with the provider Local."""

    def __init__(self, model: str, runner: asyncio.Runner) -> None:
        self._client = AsyncClient("Local")
        self._model = model
        self._runner = runner

    def ask(self, contents: Sequence[str], tokens: int, *, known: bool) -> list[Answer]:
        """Ask all at once and wait for the answers."""

        async def ask_all() -> list[Answer]:
            return await asyncio.gather(*(self._ask(content, tokens, known=known) for content in contents))

        return self._runner.run(ask_all())

    async def _ask(self, content: str, tokens: int, *, known: bool) -> Answer:
        answer = Answer()
        stream = self._client.chat.completions.create(
            [{"role": "user", "content": content}],
            self._model,
            stream=True,
            max_tokens=tokens,
            temperature=0,
            stream_options={"include_usage": True},
            extra_body=make_extra(known=known),
        )
        async for chunk in stream:
            text = chunk.choices[0].delta.content if chunk.choices else None
            answer.add(text, chunk.usage.completion_tokens if chunk.usage else None)
        return answer

    def close(self) -> None:
        """Free the model."""
        self._runner.run(self._client.close())


class Direct:
    """The runtime, by its own call; several requests have a thread each."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def ask(self, contents: Sequence[str], tokens: int, *, known: bool) -> list[Answer]:
        """Ask all at once and wait for the answers."""
        answers = [Answer() for _ in contents]
        threads = [
            threading.Thread(target=self._ask, args=(answer, content, tokens, make_extra(known=known)))
            for answer, content in zip(answers, contents, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def _ask(self, answer: Answer, content: str, tokens: int, extra: dict[str, Any]) -> None:
        def take(event: str) -> bool:
            data = json.loads(event)
            text = data["choices"][0]["delta"].get("content") if data["choices"] else None
            answer.add(text, (data.get("usage") or {}).get("completion_tokens"))
            return False

        body = {
            "messages": [{"role": "user", "content": content}],
            "stream": True,
            "max_tokens": tokens,
            "temperature": 0,
            "stream_options": {"include_usage": True},
            **extra,
        }
        self._server.handle_chat_completions(json.dumps(body), take)


def find_server() -> Any:
    """Return the runtime's server of the only engine that is loaded."""
    return next(each for each in gc.get_objects() if isinstance(each, Engine))._server._server


def load_runtime(path: Path, settings: EngineSettings) -> Any:
    """Load the runtime as its documentation does, with the same settings."""
    runtime = import_runtime()
    params = runtime.CommonParams()
    params.model.path = str(path)
    params.n_parallel = settings.parallel
    params.n_ctx = settings.n_ctx * settings.parallel
    params.n_batch = params.n_ubatch = settings.n_batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
    params.n_gpu_layers = settings.gpu_layers
    params.cache_ram_mib = 0
    params.fit_params = params.warmup = False
    params.verbosity = -1
    return runtime.Server(params)


def read_cpu() -> float:
    """Return the CPU time of this process, user and system, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def read_memory() -> float:
    """Return the memory of its own that this process holds now, in MiB; without the weights' file, which is mapped."""
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("RssAnon")) / 1024


def take(side: Ours | Direct, contents: Sequence[str], tokens: int, *, known: bool = False) -> Sample:
    """Measure some requests at once.

    Raises:
        SystemExit: Not as many tokens were written as asked for.
    """
    cpu, begun = read_cpu(), time.perf_counter()
    answers = side.ask(contents, tokens, known=known)
    seconds, cpu = time.perf_counter() - begun, read_cpu() - cpu
    if any(answer.tokens != tokens for answer in answers):
        raise SystemExit(f"{type(side).__name__} wrote {[answer.tokens for answer in answers]} tokens, not {tokens}")
    firsts = [answer.first for answer in answers if answer.pieces]
    return Sample(seconds, cpu, min(firsts) - begun, tuple("".join(answer.pieces) for answer in answers))


def take_pairs(
    ours: Ours, direct: Direct, count: int, work: Callable[[Ours | Direct, int], Sample]
) -> tuple[list[Sample], list[Sample]]:
    """Let both do the same so many times, in turns."""
    mine, theirs = [], []
    for at in range(count):
        if at % 2:
            mine.append(work(ours, at))
        theirs.append(work(direct, at))
        if at % 2 == 0:
            mine.append(work(ours, at))
    return mine, theirs


def check_same(mine: Sequence[Sample], theirs: Sequence[Sample]) -> None:
    """Stop where the two did not write the same."""
    if [sample.texts for sample in mine] != [sample.texts for sample in theirs]:
        raise SystemExit(f"the texts differ: {mine[0].texts!r:.300} and {theirs[0].texts!r:.300}")


def measure_speed(ours: Ours, direct: Direct, repetitions: int) -> Iterator[str]:
    """Compare one answer, and four at once."""
    one = take_pairs(ours, direct, repetitions, lambda side, at: take(side, make_prompts(at, 1), TOKENS))
    check_same(*one)  # four at once are computed together as they happen to come, and round differently
    four = take_pairs(ours, direct, repetitions, lambda side, at: take(side, make_prompts(at, 4), TOKENS))
    for name, count, (mine, theirs) in (("one answer", 1, one), ("four at once", 4, four)):
        speeds = [[count * TOKENS / sample.seconds for sample in side] for side in (theirs, mine)]
        ratio = median(our / their for their, our in zip(*speeds, strict=True))
        ratios = f"{ratio:.2f}× ({max(speeds[1]) / max(speeds[0]):.2f}×)"
        gate = judge("≥ 0.97×", met=ratio >= 0.97)
        yield make_row(f"{name}, tokens a second", [show(side, best=max) for side in speeds], ratios, gate)
        costs = [[sample.cpu / count / TOKENS * 1e3 for sample in side] for side in (theirs, mine)]
        ratio = median(our / their for their, our in zip(*costs, strict=True))
        yield make_row(f"{name}, CPU a token, ms", [show(side, best=min) for side in costs], f"{ratio:.2f}×", "")
    gains = [
        [4 * single.seconds / several.seconds for single, several in zip(*pair, strict=True)]
        for pair in ((one[1], four[1]), (one[0], four[0]))
    ]
    cells = [f"{median(side):.2f}×" for side in gains]
    yield make_row("four at once against one, in sum", cells, "", judge("≥ 1.3×", met=median(gains[1]) >= 1.3))


def make_prompts(at: int, count: int) -> list[str]:
    """Return questions that were not asked before."""
    return [f"Story {at}-{number}: tell a long story about the sea." for number in range(count)]


def measure_first(ours: Ours, direct: Direct) -> Iterator[str]:
    """Compare the first token of an answer to a prompt that the model has just read, so that little else is in it."""
    prompts = make_prompts(0, 1)
    take_pairs(ours, direct, 1, lambda side, at: take(side, prompts, 1, known=True))
    mine, theirs = take_pairs(ours, direct, FIRSTS, lambda side, at: take(side, prompts, 1, known=True))
    check_same(mine, theirs)
    yield make_first_row("first token, ms", mine, theirs, 5)
    costs = [[sample.cpu * 1e3 for sample in side] for side in (theirs, mine)]
    added = median(our - their for their, our in zip(*costs, strict=True))
    yield make_row(
        "a request with one token, CPU, ms", [show(side, best=min) for side in costs], f"{added:+.1f} ms", ""
    )


def measure_repeat(ours: Ours, direct: Direct, repetitions: int) -> Iterator[str]:
    """Compare the first token after 300 tokens of prompt, new and again."""
    new: tuple[list[Sample], list[Sample]] = ([], [])
    again: tuple[list[Sample], list[Sample]] = ([], [])
    for at in range(repetitions):
        for found in (new, again):  # each a prompt of its own, since what one has asked the other would find read
            pair = take_pairs(ours, direct, 1, partial(ask_long, at))
            for samples, sample in zip(found, pair, strict=True):
                samples.extend(sample)
    yield make_first_row("first token after a prompt of 300, ms", *new)
    yield make_first_row("first token when it is asked again, ms", *again)


def ask_long(at: int, side: Ours | Direct, _: int) -> Sample:
    """Ask for a token after a long prompt."""
    return take(side, [f"{type(side).__name__} {at}: {LONG}"], 1, known=True)


def make_first_row(title: str, mine: Sequence[Sample], theirs: Sequence[Sample], gate: float | None = None) -> str:
    """Write how long the first token took."""
    times = [[sample.first * 1e3 for sample in side] for side in (theirs, mine)]
    added = median(our - their for their, our in zip(*times, strict=True))
    difference = f"{added:+.1f} ms ({min(times[1]) - min(times[0]):+.1f} ms)"
    judged = "" if gate is None else judge(f"≤ {gate:g} ms", met=added <= gate)
    return make_row(title, [show(side, best=min) for side in times], difference, judged)


def measure_loads(path: Path, settings: EngineSettings, repetitions: int) -> Iterator[str]:
    """Compare loading; the first of each reads the file."""
    loads: list[list[float]] = [[], []]
    for _ in range(repetitions + 1):
        begun = read_cpu()
        direct = Direct(load_runtime(path, settings))
        loads[0].append((read_cpu() - begun) * 1e3)
        take(direct, ["Hi"], 1)  # one that is stopped before it has begun to work never stops
        del direct
        begun = read_cpu()
        engine = Engine(path, settings)
        loads[1].append((read_cpu() - begun) * 1e3)
        engine.close()
    loads = [side[1:] for side in loads]
    ratio = median(our / their for their, our in zip(*loads, strict=True))
    yield make_row("loading, CPU, ms", [show(side, best=min) for side in loads], f"{ratio:.2f}×", "")


def measure_kept(path: Path, settings: EngineSettings, repetitions: int) -> Iterator[str]:
    """Look whether anything stays each time that a model was loaded and closed; the first times warm up."""
    kept = []
    for _ in range(repetitions + 2):
        Engine(path, settings).close()
        kept.append(read_memory())
    grown = (kept[-1] - kept[1]) / repetitions
    yield make_row("memory kept of a model loaded and closed once more, MiB", ["", f"{grown:.1f}"], "", "")


def measure_idle() -> Iterator[str]:
    """Look what a loaded model costs that nobody asks."""
    begun = read_cpu()
    time.sleep(2)
    yield make_row("idle, CPU a second, ms", ["", f"{(read_cpu() - begun) / 2 * 1e3:.2f}"], "", "")


def show(values: Sequence[float], *, best: Callable[[Sequence[float]], float]) -> str:
    """Write the median and the best."""
    return f"{median(values):,.1f} ({best(values):,.1f})"


def judge(gate: str, *, met: bool) -> str:
    """Write a gate and whether it is met."""
    return f"{gate} {'met' if met else '**missed**'}"


def make_row(title: str, cells: Sequence[str], difference: str, gate: str) -> str:
    """Write one row."""
    return f"| {title} | {' | '.join(cells)} | {difference} | {gate} |"


def measure(model: str, repetitions: int) -> Iterator[str]:
    """Yield the table, row by row."""
    path, settings = asyncio.run(ensure_model(model)), EngineSettings()
    version = import_runtime().__version__
    yield (
        f"Model {model}, xllamacpp {version}, threads: {settings.threads}. Medians of {repetitions} pairs ({FIRSTS} "
        f"for the first token), the best in parentheses; answers of {TOKENS} tokens."
    )
    yield ""
    yield "| | the runtime | g4f | difference | gate |"
    yield "|---|--:|--:|--:|--:|"
    loads = [*measure_kept(path, settings, repetitions), *measure_loads(path, settings, repetitions)]
    with asyncio.Runner() as runner:
        ours = Ours(model, runner)
        take(ours, ["Hi"], 1)
        idle = list(measure_idle())
        direct = Direct(find_server())
        take(direct, ["Hi"], 1)
        yield from measure_speed(ours, direct, repetitions)
        yield from measure_first(ours, direct)
        yield from measure_repeat(ours, direct, repetitions)
        ours.close()
    yield from (*loads, *idle)


def main() -> None:
    """Measure, print the table and write it down."""
    parser = argparse.ArgumentParser(prog="scripts/bench local", description="The local model beside its runtime.")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct", help="another one than the default")
    parser.add_argument("--repetitions", type=int, default=9, help="pairs of each measurement")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    lines = []
    for line in measure(options.model, options.repetitions):
        lines.append(line)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        table = "\n".join(lines)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing is written.\n")
        sys.exit(130)
