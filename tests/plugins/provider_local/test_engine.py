"""With real weights. What must end soon is compared with what would have been computed else, in the same run."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from g4f.errors import APIConnectionError, APIError
from g4f_provider_local.engine import Engine, EngineError, Engines, EngineSettings

pytestmark = pytest.mark.timeout(900)  # the first time, weights are fetched

LONG_PROMPT = "one two three four five six seven eight nine ten " * 400  # 4,000 tokens


def make_body(content: str = "What is the capital of France?", **more: Any) -> dict[str, Any]:
    """Ask something."""
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 24, **more}


def read_text(answer: dict[str, Any]) -> str:
    """Return what was answered."""
    text: str = answer["choices"][0]["message"]["content"]
    return text


async def test_it_answers(default_engine: Engine) -> None:
    """The default model knows the capital of France."""
    answer = await default_engine.complete(make_body(temperature=0))
    assert "Paris" in read_text(answer)
    assert answer["choices"][0]["finish_reason"] == "stop"


async def test_usage_is_right(default_engine: Engine) -> None:
    """It agrees with what `max_tokens` allowed, and grows with the prompt by its tokens."""
    answer = await default_engine.complete(make_body("Count from 1 to 100.", max_tokens=7, temperature=0))
    longer = await default_engine.complete(make_body("Count from 1 to 100." + " hello" * 50, max_tokens=7))
    usage = answer["usage"]
    assert answer["choices"][0]["finish_reason"] == "length"
    assert usage["completion_tokens"] == 7
    assert usage["total_tokens"] == usage["prompt_tokens"] + 7
    assert longer["usage"]["prompt_tokens"] - usage["prompt_tokens"] == 50


async def test_a_stream_passes_each_token_on_when_it_is_there(small_engine: Engine) -> None:
    """The first comes before the last is computed, in many steps, and the usage at the end."""
    started = time.monotonic()
    times, tokens, last = [], 0, None
    body = make_body("Tell a long story.", max_tokens=80, ignore_eos=True, stream_options={"include_usage": True})
    async with small_engine.stream(body) as events:
        async for event in events:
            last = event
            if event["choices"] and event["choices"][0]["delta"].get("content"):
                times.append(time.monotonic() - started)
                tokens += 1
    assert tokens > 40
    assert times[0] < times[-1] / 3
    assert last is not None
    assert last["usage"]["completion_tokens"] == 80


async def test_a_seed_makes_an_answer_reproducible(small_engine: Engine) -> None:
    """And another seed another."""
    answers = [
        read_text(await small_engine.complete(make_body("Tell me a story.", seed=seed, temperature=1.2)))
        for seed in (7, 7, 8)
    ]
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


async def test_a_stop_ends_the_answer(default_engine: Engine) -> None:
    """The stop itself is not part of it."""
    text = read_text(await default_engine.complete(make_body("Count: 1, 2, 3, 4,", stop=["7"], temperature=0)))
    assert "7" not in text


async def test_a_json_schema_is_kept(small_engine: Engine) -> None:
    """Also by a model that would never write it by itself."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    answer = json.loads(read_text(await small_engine.complete(make_body(response_format=form, max_tokens=60, seed=1))))
    assert answer.keys() == {"city", "large"}
    assert isinstance(answer["large"], bool)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_that_is_too_long_is_an_error_with_the_numbers(small_engine: Engine, stream: bool) -> None:
    """At once, and nothing is computed."""
    body = make_body("hello " * 9000)
    with pytest.raises(EngineError) as caught:
        if stream:
            async with small_engine.stream(body):
                pass
        else:
            await small_engine.complete(body)
    assert caught.value.status == 400
    assert caught.value.body["n_ctx"] == 8192
    assert caught.value.body["n_prompt_tokens"] > 9000


async def test_lone_surrogates_and_nul_are_read(small_engine: Engine) -> None:
    """A lone half becomes the replacement character; no text is an error."""
    assert await small_engine.complete(make_body("half \ud800 and \x00, and \ud83d\ude00", max_tokens=1))


async def test_more_requests_than_slots_all_finish(small_engine: Engine) -> None:
    """Four at once, the others when there is room; each gets its own answer."""
    bodies = [make_body(f"Say the number {at}.", max_tokens=12, seed=at) for at in range(6)]
    together = await asyncio.gather(*(small_engine.complete(body) for body in bodies))
    assert all(answer["usage"]["completion_tokens"] > 0 for answer in together)
    assert len({answer["id"] for answer in together}) == 6


async def test_several_loops_share_an_engine(small_engine: Engine) -> None:
    """Each in its own thread."""
    answers: list[dict[str, Any]] = []

    def ask() -> None:
        answers.append(asyncio.run(small_engine.complete(make_body(max_tokens=3))))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(answers) == 3


async def count_turns(task: asyncio.Task[Any]) -> int:
    """Return how often the loop turns until a cancelled task has ended."""
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


async def measure_rest() -> float:
    """Return the processor's seconds until the process computes no more."""
    begun = before = time.process_time()
    quiet = 0
    while quiet < 10:
        await asyncio.sleep(0.05)
        now = time.process_time()
        quiet = quiet + 1 if now - before < 0.02 else 0
        before = now
    return before - begun


@pytest.fixture(scope="module")
def quarter(default_engine: Engine) -> float:
    """The processor's seconds that reading a quarter of the long prompt takes, from a sixteenth."""
    begun = time.process_time()
    asyncio.run(default_engine.complete(make_body(f"quarter {LONG_PROMPT[: len(LONG_PROMPT) // 16]}", max_tokens=1)))
    return 4 * (time.process_time() - begun)


async def complete(engine: Engine, body: dict[str, Any]) -> None:
    """Ask as a whole."""
    await engine.complete(body)


async def iterate(engine: Engine, body: dict[str, Any]) -> None:
    """Ask as a stream."""
    async with engine.stream(body) as events:
        async for _ in events:
            pass


@pytest.mark.parametrize("ask", [complete, iterate])
@pytest.mark.parametrize("seconds", [0.3, 2.5])
async def test_cancelling_while_a_long_prompt_is_read_frees_the_caller_and_ends_the_computation(
    default_engine: Engine, quarter: float, ask: Callable[[Engine, dict[str, Any]], Any], seconds: float
) -> None:
    """The largest model of the catalogue, 4,000 tokens, at once and in the middle."""
    task = asyncio.create_task(ask(default_engine, make_body(f"{ask.__name__} {seconds} {LONG_PROMPT}")))
    await asyncio.sleep(seconds)
    assert not task.done(), "the machine is too fast for this prompt"
    task.cancel()
    assert await count_turns(task) < 100
    assert task.cancelled()
    assert await measure_rest() < quarter


async def test_leaving_a_stream_ends_the_computation(default_engine: Engine, quarter: float) -> None:
    """By `break`, in the middle of an answer, which would take longer than the prompt."""
    async with default_engine.stream(make_body("Tell a long story.", max_tokens=2000)) as events:
        async for event in events:
            if event["choices"][0]["delta"].get("content"):
                break
    assert await measure_rest() < quarter


def list_listeners() -> set[str]:
    """Return the addresses that this process listens at."""
    own = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one that lists them is gone by now
            own.add(str(descriptor.readlink()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


def measure_holdings() -> tuple[int, set[str], int]:
    """Return what the system sees in this process: threads, ports, and open descriptors."""
    proc = Path("/proc/self")
    return len(list((proc / "task").iterdir())), list_listeners(), len(list((proc / "fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads and sockets in /proc")
async def test_closing_leaves_no_thread_port_or_descriptor(small_weights: Path) -> None:
    """Not even with requests in flight, which are told."""
    await asyncio.to_thread(lambda: None)  # the loop's own thread and descriptors are there before
    before = measure_holdings()
    engine = await asyncio.to_thread(Engine, small_weights, EngineSettings())
    assert len(list_listeners() - before[1]) == 1
    asking = [asyncio.create_task(ask(engine, make_body(LONG_PROMPT))) for ask in (complete, iterate, complete)]
    await asyncio.sleep(0.5)
    await asyncio.to_thread(engine.close)
    for error in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(error, APIConnectionError), error
    assert await wait_for(lambda: measure_holdings() == before), (before, measure_holdings())
    with pytest.raises(APIConnectionError, match="closed"):
        await engine.complete(make_body())
    engine.close()


async def wait_for(condition: Callable[[], bool], seconds: float = 2.0) -> bool:
    """Wait until something holds: the system counts an ended thread for a moment."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def test_the_port_is_on_loopback_and_needs_the_key(small_engine: Engine) -> None:
    """Another program on this machine gets nothing out of it."""
    address = urlsplit(small_engine._server.address)
    assert address.hostname == "127.0.0.1"
    assert address.port is not None
    for path in ("/v1/chat/completions", "/slots", "/props", "/tokenize"):
        with socket.create_connection((address.hostname, address.port), 5) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
            connection.sendall(head.encode())
            assert connection.recv(100).split()[1] == b"401", path


@pytest.mark.parametrize(
    ("content", "message"), [(b"text", "is no GGUF file"), (b"GGUF and nonsense", "cannot be loaded")]
)
def test_a_file_that_is_no_model_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    """Silent otherwise, and it leaves nothing running."""
    (tmp_path / "bad.gguf").write_bytes(content)
    with pytest.raises(APIError, match=message):
        Engine(tmp_path / "bad.gguf", EngineSettings())


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """It says which."""
    with pytest.raises(APIError, match=r"none\.gguf cannot be read: No such file"):
        Engine(tmp_path / "none.gguf", EngineSettings())


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    """The engines of one provider."""
    engines = Engines()
    yield engines
    await engines.close()


async def test_a_model_is_loaded_once(engines: Engines, small_weights: Path) -> None:
    """Whoever asks first, and however many at once; other settings are another engine."""
    few = EngineSettings(n_ctx=512, parallel=1)
    found = await asyncio.gather(*(engines.get(small_weights, few) for _ in range(4)))
    assert len(set(found)) == 1
    assert await engines.get(small_weights, EngineSettings(n_ctx=256, parallel=1)) is not found[0]


async def test_who_leaves_while_a_model_is_loaded_does_not_end_it_for_others(
    engines: Engines, small_weights: Path
) -> None:
    """The loading goes on, and close waits for it."""
    few = EngineSettings(n_ctx=512, parallel=1)
    leaver, stayer = (asyncio.create_task(engines.get(small_weights, few)) for _ in range(2))
    await asyncio.sleep(0.01)
    leaver.cancel()
    assert await (await stayer).complete(make_body(max_tokens=1))


async def test_a_model_is_loaded_anew_after_closing(engines: Engines, small_weights: Path) -> None:
    """The provider may be used again."""
    few = EngineSettings(n_ctx=512, parallel=1)
    first = await engines.get(small_weights, few)
    await engines.close()
    assert await (await engines.get(small_weights, few)).complete(make_body(max_tokens=1))
    with pytest.raises(APIConnectionError):
        await first.complete(make_body())


async def test_a_model_that_could_not_be_loaded_is_tried_again(engines: Engines, tmp_path: Path) -> None:
    """The file may be right by then."""
    path = tmp_path / "model.gguf"
    with pytest.raises(APIError, match="cannot be read"):
        await engines.get(path, EngineSettings())
    path.write_bytes(b"text")
    with pytest.raises(APIError, match="no GGUF"):
        await engines.get(path, EngineSettings())
