"""One row of the table, put to one dialect: what came of it, and what of that is wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import time
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import attrs

import g4f
import g4f.transport  # here, since its import takes long beside a deadline
from faults.table import End, Row, Way
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import PICTURE, make_vector
from g4f_testkit.server import Server

KEY = "g4f-canary-Q7vX2mP9"  # what nobody but the service may ever see
GRACE = 1.0  # seconds that an outcome may come after its deadline
STEP = 0.01  # seconds: a machine that stalls for longer takes no more than this of the grace
PROVIDERS = {"openai": ("OpenaiChat", "/v1"), "anthropic": ("Anthropic", ""), "gemini": ("Gemini", "")}
_FOREIGN = ("aiohttp", "ssl", "json", "asyncio", "zlib", "multidict", "yarl")
_TESTS = Path(__file__).parents[1]


@attrs.define
class Outcome:
    """What a call came to."""

    text: str = ""
    finish: str | None = None
    calls: dict[int, list[str]] = attrs.field(factory=dict)
    error: BaseException | None = None
    late: bool = False
    seconds: float = 0.0


async def try_row(row: Row, dialect: str, way: Way, *, in_thread: bool = False) -> list[str]:
    """Return what is wrong with the outcome; an empty list is well. The synchronous client works in a thread."""
    expected = row.expect(dialect, way)
    if expected is None:
        return []
    provider, path = PROVIDERS[dialect]
    with Server(DIALECTS[dialect], *row.turns) as server, row.place(server) as reach:
        options: dict[str, Any] = {
            "provider": provider,
            "api_key": KEY,
            "base_url": reach.url + path,
            "proxies": {"all": reach.proxy} if reach.proxy else {},
            "timeout": row.timeout,
            "max_retries": row.retries,
        }
        outcome, hung = await (_try_in_thread if in_thread else _try)(row, way, server, options)
    problems = [*_judge(row, expected, outcome, way), *find_leaks(outcome.error)]
    if hung:
        problems.append("the connection was left open")
    if row.requests is not None and len(server.requests) != row.requests:
        problems.append(f"{len(server.requests)} requests in place of {row.requests}")
    return [f"{dialect}, {way}: {problem}" for problem in problems]


async def _try(row: Row, way: Way, server: Server, options: Mapping[str, Any]) -> tuple[Outcome, bool]:
    """Return what the client came to, and whether it left open what had no end."""
    async with g4f.AsyncClient(**options) as client:
        if row.again:
            await _ASK[way](client, Outcome())
            await wait_until(lambda: server.answered)
            for _ in range(2):  # in which the loop takes notice of what is there by now
                await asyncio.sleep(0)
        outcome = Outcome()
        async with _keeping(outcome, row):
            await _ASK[way](client, outcome)
        return outcome, await _is_hanging(row, outcome, server)


async def _try_in_thread(row: Row, way: Way, server: Server, options: Mapping[str, Any]) -> tuple[Outcome, bool]:
    with g4f.Client(**options) as client:
        outcome = Outcome()
        async with _keeping(outcome, row):
            await asyncio.to_thread(_ASK_HERE[way], client, outcome)
        return outcome, await _is_hanging(row, outcome, server)


@asynccontextmanager
async def _keeping(outcome: Outcome, row: Row) -> AsyncIterator[None]:
    """Keep whatever is raised, foreign exceptions as well."""
    deadline, started = asyncio.timeout(None), time.monotonic()
    clock = asyncio.create_task(_expire(deadline, row.seconds * (row.retries + 1) + GRACE))
    try:
        async with deadline:
            yield
    except Exception as error:  # noqa: BLE001 - the table tells which may come
        outcome.error, outcome.late = error, deadline.expired()
    finally:
        clock.cancel()
        await asyncio.wait([clock])
    outcome.seconds = time.monotonic() - started


async def _expire(deadline: asyncio.Timeout, seconds: float) -> None:
    for _ in range(round(seconds / STEP)):
        await asyncio.sleep(STEP)
    deadline.reschedule(asyncio.get_running_loop().time())


async def _is_hanging(row: Row, outcome: Outcome, server: Server) -> bool:
    ended = not row.endless and not isinstance(outcome.error, g4f.APITimeoutError)
    return not ended and not await wait_until(lambda: server.connections == 0)


async def _wait(client: g4f.AsyncClient, outcome: Outcome) -> None:
    _keep_answer(await client.chat.completions.create("Hi"), outcome)


def _wait_here(client: g4f.Client, outcome: Outcome) -> None:
    _keep_answer(client.chat.completions.create("Hi"), outcome)


def _keep_answer(answer: g4f.Completion, outcome: Outcome) -> None:
    choice = answer.choices[0]
    outcome.text, outcome.finish = choice.message.content or "", choice.finish_reason
    for at, call in enumerate(choice.message.tool_calls or ()):
        outcome.calls[at] = [call.function.name, call.function.arguments]


async def _listen(client: g4f.AsyncClient, outcome: Outcome) -> None:
    async for chunk in client.chat.completions.stream("Hi"):
        _keep_chunk(chunk, outcome)


def _listen_here(client: g4f.Client, outcome: Outcome) -> None:
    for chunk in client.chat.completions.stream("Hi"):
        _keep_chunk(chunk, outcome)


def _keep_chunk(chunk: g4f.Chunk, outcome: Outcome) -> None:
    for choice in chunk.choices:
        outcome.text += choice.delta.content or ""
        outcome.finish = choice.finish_reason or outcome.finish
        for call in choice.delta.tool_calls or ():
            told = outcome.calls.setdefault(call.index or 0, ["", ""])
            told[0] += call.function.name or ""
            told[1] += call.function.arguments or ""


async def _draw(client: g4f.AsyncClient, outcome: Outcome) -> None:
    images = await client.images.generate("A cat", response_format="b64_json")
    outcome.text = images.data[0].b64_json or ""


def _draw_here(client: g4f.Client, outcome: Outcome) -> None:
    outcome.text = client.images.generate("A cat", response_format="b64_json").data[0].b64_json or ""


async def _embed(client: g4f.AsyncClient, outcome: Outcome) -> None:
    outcome.text = str((await client.embeddings.create("Hi")).data[0].embedding)


def _embed_here(client: g4f.Client, outcome: Outcome) -> None:
    outcome.text = str(client.embeddings.create("Hi").data[0].embedding)


_ASK = {"whole": _wait, "streamed": _listen, "pictures": _draw, "vectors": _embed}
_ASK_HERE = {"whole": _wait_here, "streamed": _listen_here, "pictures": _draw_here, "vectors": _embed_here}
_GIVEN = {"pictures": b64encode(PICTURE).decode(), "vectors": str(make_vector("Hi"))}


def _judge(row: Row, expected: End, outcome: Outcome, way: Way) -> Iterator[str]:
    error = outcome.error
    if outcome.seconds < row.waits:
        yield f"it came after {outcome.seconds} s, and the service asked to wait {row.waits} s"
    if outcome.late:
        yield f"nothing came within {row.seconds} s and {GRACE} s more"
    elif expected.error is None and way in _GIVEN:
        if error is not None or outcome.text != _GIVEN[way]:
            yield f"{error!r} and {outcome.text!r} in place of {_GIVEN[way]!r}"
    elif expected.error is None:
        yield from _judge_answer(row, outcome)
    elif isinstance(error, expected.error) and isinstance(error, g4f.APIError):
        yield from _judge_error(row, expected, outcome, error, way)
    else:
        yield f"{error!r} and {outcome.text!r} in place of {expected.error.__name__}"


def _judge_error(row: Row, expected: End, outcome: Outcome, error: g4f.APIError, way: Way) -> Iterator[str]:
    text = outcome.text
    if isinstance(error, g4f.APITimeoutError) != (expected.error is g4f.APITimeoutError):
        yield f"{error!r} tells of time"
    if not {"none": text == "", "some": row.text.startswith(text), "all": text == row.text}[expected.heard]:
        yield f"{text!r} was heard"
    if (error.partial or "") != text or (way == "streamed" and text and error.partial is None):
        yield f"partial is {error.partial!r} after {text!r}"
    if error.provider not in {name for name, _ in PROVIDERS.values()}:
        yield "the error does not name the provider"
    if error.retryable and any(turn.picture_url for turn in row.turns):
        yield "the picture is drawn, and would be paid for twice"


def _judge_answer(row: Row, outcome: Outcome) -> Iterator[str]:
    if outcome.error is not None or outcome.text != row.text:
        yield f"{outcome.error!r} and {outcome.text!r} in place of {row.text!r}"
    elif outcome.finish != ("tool_calls" if row.calls else "stop"):
        yield f"it ended for {outcome.finish!r}"
    elif [(name, json.loads(arguments)) for name, arguments in outcome.calls.values()] != [
        (call.name, call.arguments) for call in row.calls
    ]:
        yield f"it calls {outcome.calls}"


def find_leaks(error: BaseException | None) -> Iterator[str]:
    """Look for the key, and for what libraries raise, in everything that can be reached from an error."""
    for one in list_chain(error):
        name = type(one).__name__
        if type(one).__module__.partition(".")[0] in _FOREIGN:
            yield f"{type(one)} is reachable"
        for where, text in (("text", str(one)), ("repr", repr(one)), ("fields", repr(vars(one)))):
            if KEY in text:
                yield f"the key is in the {where} of {name}"
        with suppress(TypeError):  # what cannot be pickled is well
            if KEY.encode() in pickle.dumps(one):
                yield f"the key is in the pickle of {name}"
        if KEY in show_traceback(one):
            yield f"the key is in the traceback of {name}"


def find_in_variables(error: BaseException, secret: str) -> Iterator[str]:
    """Say in which variables a secret is shown of all frames that an error has, outside of the tests.

    As the reports do it that show most: what `repr` says, and what is inside, field by field.
    """
    for one in list_chain(error):
        for frame, line in traceback.walk_tb(one.__traceback__):
            code = frame.f_code
            if not Path(code.co_filename).is_relative_to(_TESTS):
                for name, value in frame.f_locals.items():
                    if _shows(value, secret, set()):
                        yield f"{name} in {code.co_qualname}, {code.co_filename}:{line}"


def _shows(value: object, secret: str, seen: set[int]) -> bool:
    if id(value) in seen or isinstance(value, type | ModuleType | FunctionType):
        return False
    seen.add(id(value))
    if secret in repr(value):
        return True
    inside: list[object] = []
    if isinstance(value, Mapping):
        inside = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = [*value]
    elif attrs.has(type(value)):
        inside = [getattr(value, field.name, None) for field in attrs.fields(type(value)) if field.repr]
    else:
        inside = list(getattr(value, "__dict__", {}).values())
    return any(_shows(item, secret, seen) for item in inside)


def list_chain(error: BaseException | None) -> list[BaseException]:
    """Every exception that is reachable from one."""
    found: list[BaseException] = []
    pending = [error]
    while pending:
        one = pending.pop()
        if one is not None and one not in found:
            found.append(one)
            pending += [one.__cause__, one.__context__, *(it.error for it in getattr(one, "attempts", ()))]
    return found


def show_traceback(error: BaseException) -> str:
    """Write a traceback with local variables, as error reporters do; the tests' own frames hold their own copy."""
    frames = traceback.walk_tb(error.__traceback__)
    ours = [(frame, line) for frame, line in frames if not Path(frame.f_code.co_filename).is_relative_to(_TESTS)]
    return "".join(traceback.StackSummary.extract(ours, capture_locals=True).format())


async def wait_until(condition: Callable[[], object], seconds: float = GRACE) -> bool:
    """Wait until something holds that happens elsewhere."""
    for _ in range(round(seconds / STEP)):
        if condition():
            return True
        await asyncio.sleep(STEP)
    return bool(condition())


@contextmanager
def watch_logs() -> Iterator[list[str]]:
    """Keep what every logger writes, at every level."""
    written: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: written.append(f"{record.getMessage()} {record.__dict__}")  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def list_sockets() -> set[str]:
    """The sockets that this process has open; empty where the system does not tell."""
    found = set()
    with suppress(FileNotFoundError):
        for entry in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # the folder's own
                found.add(str(entry.readlink()))
    return {name for name in found if name.startswith("socket:")}
