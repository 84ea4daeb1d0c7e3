"""The key where it might be seen when nobody catches an error; for every fault, `test_table.py` looks as well."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import attrs
import pytest

from faults.places import at_home
from faults.table import LATER, ROWS, WAYS, End, Row, Way
from faults.trial import KEY, PROVIDERS, find_in_variables, find_leaks, try_row, watch_logs
from g4f import APIError, APIStatusError, AsyncClient, ChatCompletion, Client, G4FError, Timeout
from g4f.credentials import list_variables
from g4f.redaction import TELLING
from g4f.registry import Registry, share_registry
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.http import Delivery, Request
from g4f_testkit.script import PICTURE, Failure, Turn
from g4f_testkit.server import Server
from loopback import Loopback, Reply
from plugins.cli.starter import Starter

# With what is written otherwise in URLs and JSON.
LONG_KEY = 'sk-ant-api03-Q7vX2+mP9/kL"4w\\Zt' + "B8nRc5Jd1Hs6Fg3" * 4
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda key: quote(key, safe=""),
    lambda key: json.dumps(key)[1:-1],
    lambda key: b64encode(key.encode()).decode().rstrip("="),
)
PROGRAM = Path(__file__).parent / "meet.py"
LAST = "first-byte-never-comes"  # whose error nobody catches
# In the command line's own process, which starts in a second; all others in copies of one that runs.
ALONE = ("", "401")
_ENDING = [
    name
    for name, row in ROWS.items()
    if row.streamed and row.streamed.error and row.place is at_home and row.timeout == LATER and not row.endless
]
CLI_FAULTS = _ENDING[::4]
# A middleware that shows the key to all who can see anything.
LEAK = """
import logging, os, sys
import g4f

class Leak:
    async def __call__(self, call, call_next):
        key = os.environ["CANARY"]
        print(key)
        logging.getLogger("leak").debug(key)
        open("left.txt", "w").write(key)
        return await call_next(call)

logging.basicConfig(level=logging.DEBUG)
with g4f.Client(provider=sys.argv[1], base_url=sys.argv[2], middleware=[Leak()], api_key="sk-1") as client:
    client.chat.completions.create("Hi")
"""


@attrs.frozen
class Seen:
    """What a program left for others to see."""

    done: subprocess.CompletedProcess[str]
    folder: Path
    requests: int

    def find(self, key: str = KEY) -> list[str]:
        """Say where the key can be seen."""
        found = [name for name in ("stdout", "stderr") if key in getattr(self.done, name)]
        for path in self.folder.rglob("*"):
            where = str(path.relative_to(self.folder))
            if key in where or (path.is_file() and key.encode() in path.read_bytes()):
                found.append(where)
        return found


class Catalogue(Server):
    """A server that does what the table says of the row that is the model's name, each time."""

    def _play_turn(self, request: Request) -> Delivery:
        asked = self.dialect.read_request(request)
        self._turns = [ROWS[asked.model].turns[0] if asked is not None and asked.model in ROWS else Turn()]
        return super()._play_turn(request)


def make_environment(folder: Path, url: str) -> dict[str, str]:
    """Return the variables of a program that knows the key: nothing of the tester's, and every log talkative."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "PYTHONPATH") if name in os.environ}
    own = {"CANARY": KEY, "G4F_LOG": "debug", "HOME": str(folder), "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": url}
    return {**kept, **own}


def run_program(server: Server, folder: Path, *command: str) -> Seen:
    """Run Python before a server of OpenAI's dialect, or of any that the command names."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", *command],
        cwd=folder,
        env=make_environment(folder, f"{server.url}/v1"),
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",  # what a program prints of broken bytes is searched too
        check=False,
        timeout=250,
    )
    return Seen(done, folder, len(server.requests))


def list_jobs(dialect: str, server: Server, stack: ExitStack) -> Iterator[dict[str, Any]]:
    """Return all that there is to be met in a dialect: each row of the table, in each way; the last one times out."""
    for name, row in sorted(ROWS.items(), key=lambda item: item[0] == LAST):
        ways = [way for way in WAYS if row.expect(dialect, way)]
        if ways:
            reach = stack.enter_context(row.place(server))
            timeout = attrs.asdict(Timeout.make(row.timeout))
            url, more = reach.url + PROVIDERS[dialect][1], ["synchronous"] if "whole" in ways else []
            yield {"fault": name, "url": url, "proxy": reach.proxy, "timeout": timeout, "ways": [*ways, *more]}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_program_that_shows_all_it_can_shows_no_key(dialect: str, tmp_path: Path) -> None:
    """All of the table: chats, streams, pictures, embeddings and the synchronous client; nobody catches the last."""
    with ExitStack() as stack:
        server = stack.enter_context(Catalogue(DIALECTS[dialect]))
        jobs = list(list_jobs(dialect, server, stack))
        seen = run_program(server, tmp_path, str(PROGRAM), PROVIDERS[dialect][0], json.dumps(jobs))
    assert len(jobs) > 130
    assert seen.requests > 2 * len(jobs)  # what was sent held the key
    assert "APITimeoutError" in seen.done.stderr.splitlines()[-1]
    assert "attempt provider=" in seen.done.stderr
    assert "self = " in seen.done.stdout  # variables are shown
    assert seen.find() == []


def test_a_key_that_is_shown_is_found(tmp_path: Path) -> None:
    """On both outputs and in a file: so it would be found in the test above."""
    with Server(DIALECTS["openai"]) as server:
        seen = run_program(server, tmp_path, "-c", LEAK, "OpenaiChat", f"{server.url}/v1")
    assert seen.requests
    assert seen.find() == ["stdout", "stderr", "left.txt"]


@pytest.mark.parametrize("fault", ALONE)
def test_the_command_line_shows_no_key(fault: str, tmp_path: Path) -> None:
    """With `--debug`, and in what it keeps of conversations."""
    with Catalogue(DIALECTS["openai"]) as server:
        seen = run_program(server, tmp_path, "-m", "g4f_cli", *write_command(fault))
    assert seen.requests
    assert ("Traceback" in seen.done.stderr) == bool(fault)
    assert seen.find() == []


def test_the_command_line_shows_no_key_whatever_it_meets(tmp_path: Path) -> None:
    """Every fourth of the rows that end a stream with an error, and neither wait for a deadline nor fill the memory."""
    starter = Starter()
    with Catalogue(DIALECTS["openai"]) as server, ExitStack() as stack:
        stack.callback(starter.stop)
        environment = {**make_environment(tmp_path, f"{server.url}/v1"), "PYTHONPATH": ""}
        for fault in CLI_FAULTS:
            code, *outputs = starter.run(write_command(fault), tmp_path, environment, b"")
            out, error = (text.decode(errors="backslashreplace") for text in outputs)
            assert "Traceback" in error, fault
            assert Seen(subprocess.CompletedProcess(fault, code, out, error), tmp_path, 1).find() == [], fault
    assert len(CLI_FAULTS) > 15
    assert len(server.requests) >= len(CLI_FAULTS)


def write_command(fault: str) -> list[str]:
    """Return the command line's arguments for a chat that meets a fault."""
    return ["--debug", "-p", "OpenaiChat", "--timeout", "1", *(["-m", fault] if fault else []), "Hi"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_stream", [False, True], ids=["refused", "in place of the answer"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_key_that_the_service_says_back_is_taken_out(dialect: str, in_stream: bool, way: Way) -> None:
    """In each field of an error, in tracebacks and in logs."""
    said = Failure(401, f"Wrong key {KEY}.", f"type-{KEY}", f"code-{KEY}", f"id-{KEY}", in_stream=in_stream)
    ends = End(APIStatusError), End(APIStatusError, "all" if in_stream else "none")
    with watch_logs() as logs:
        problems = await try_row(Row("The service says the key back", *ends, (Turn(failure=said),)), dialect, way)
    assert problems == []
    assert not [line for line in logs if KEY in line]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("whose", ["the client's", "the call's", "the environment's"])
async def test_a_password_that_the_proxy_says_back_is_taken_out(
    whose: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its URL has it, as it is meant, and as the header says it."""
    with Loopback(lambda asked: Reply(407, body=f"{asked.headers} {written} {KEY}".encode())) as proxy:
        written = quote(KEY, safe="")
        url = proxy.url.replace("://", f"://user:{written}@")
        monkeypatch.setenv("HTTP_PROXY", url if whose == "the environment's" else "")
        proxies = {"proxies": {"all": url}} if whose == "the client's" else {}
        call = {"proxy": url} if whose == "the call's" else {}
        async with AsyncClient("OpenaiChat", api_key="sk-1", base_url="http://g4f.invalid/v1", **proxies) as client:
            with pytest.raises(APIStatusError, match="407") as caught:
                await client.chat.completions.create("Hi", stream=stream, **call)
    assert "[redacted]" in str(caught.value.body)
    assert "proxy-authorization" in str(caught.value.body)
    assert list(find_leaks(caught.value)) == []
    assert b64encode(f"user:{KEY}".encode()).decode()[8:-8] not in str(vars(caught.value))


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_that_tells_is_left_of_a_key_that_is_said_back_in_part(dialect: str) -> None:
    """A long one, cut at each place, from either end, and as URLs, JSON and base64 write it."""
    pieces = [part for at in range(TELLING, len(LONG_KEY)) for part in (LONG_KEY[:at], LONG_KEY[-at:])]
    pieces += [write(LONG_KEY) for write in SPELLINGS]
    provider, path = PROVIDERS[dialect]
    turns = [Turn(failure=Failure(401, f"Not {piece}.", code=piece)) for piece in pieces]
    with Server(DIALECTS[dialect], *turns) as server:
        async with AsyncClient(provider=provider, api_key=LONG_KEY, base_url=server.url + path) as client:
            for piece in pieces:
                with pytest.raises(APIStatusError, match=r"Not \[redacted\]\.") as caught:
                    await client.chat.completions.create("Hi")
                assert piece not in f"{caught.value!r} {vars(caught.value)}", piece


SECRET = "sk-canary-7Wq2Zt5Lx9Rb"  # beginning as keys do, so that it is known for one where it is misplaced
AT_HOME = "http://127.0.0.1:9/v1"  # where nobody listens


def list_all_variables() -> list[str]:
    """Name the variables of all installed providers."""
    return [name for _, manifest in share_registry().list_usable() for name in list_variables(manifest)]


# What goes wrong in the commonest ways before a request: arguments of the client, then of the call, and variables.
SLIPS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str | None]]] = {
    "no key": ({"provider": "Anthropic"}, {}, {"ANTHROPIC_API_KEY": None, "ANTHROPIC_AUTH_TOKEN": None}),
    "no key by name": ({"provider": "Anthropic", "api_key": {"Gemini": SECRET}}, {}, {}),
    "bad address": ({"provider": "OpenaiChat"}, {}, {"OPENAI_BASE_URL": f"http//{SECRET}@x?{SECRET}"}),
    "key as address": ({"provider": "OpenaiChat"}, {}, {"OPENAI_BASE_URL": SECRET}),
    "no address": ({"provider": "Custom"}, {}, {"CUSTOM_BASE_URL": None}),
    "bad key": ({"provider": "OpenaiChat"}, {}, {"OPENAI_API_KEY": f"{SECRET}\u200b"}),
    "broken key": ({"provider": "OpenaiChat"}, {}, {"OPENAI_API_KEY": f"{SECRET[:5]}\n{SECRET}"}),
    "unknown provider": ({"provider": "Opnai"}, {}, {}),
    "unknown model": ({}, {"model": "no-such-model"}, {}),
    "no provider": ({"api_key": SECRET}, {"model": "gpt-4o"}, {}),
    "unable": ({"provider": "Anthropic"}, {"model": "x", "image": b"no picture"}, {}),
    "nobody there": ({"provider": "Ollama", "base_url": AT_HOME}, {"model": "m"}, {}),
    "bad log level": ({"provider": "OpenaiChat"}, {}, {"G4F_LOG": "loud"}),
    "wrong argument": ({"provider": "OpenaiChat"}, {"temprature": 1}, {}),
    "wrong role": ({"provider": "OpenaiChat"}, {"messages": [{"role": "usr", "content": "Hi"}]}, {}),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("slip", SLIPS)
def test_no_variable_of_the_environment_is_in_a_report(
    slip: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all variables of all providers set, before a request goes out; those of addresses lead nowhere."""
    client, call, variables = SLIPS[slip]
    for name in list_all_variables():
        monkeypatch.setenv(name, AT_HOME if name.endswith(("_URL", "_HOST", "_ENDPOINT")) else SECRET)
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name)
    assert find_secret(lambda: ask(client, call, stream)) == []


LINE_END = {"X-Key": f"{SECRET}\n"}
# A key among the arguments of a client, and what is wrong beside it or with it.
CLIENT_SLIPS: dict[str, dict[str, Any]] = {
    "timeout": {"api_key": SECRET, "timeout": "x"},
    "unknown": {"api_key": SECRET, "temprature": 1},
    "misspelled": {"api_kye": SECRET},
    "limits": {"api_key": {"OpenaiChat": SECRET}, "limits": 5},
    "retries": {"api_key": SECRET, "max_retries": -1},
    "headers": {"default_headers": LINE_END},
    "headers by name": {"default_headers": {"OpenaiChat": LINE_END}},
    "no headers": {"default_headers": f"X-Key: {SECRET}"},
    "query": {"default_query": {"key": [SECRET]}},
    "address": {"base_url": f"https://x/?key={SECRET}"},
    "address with a user": {"base_url": f"https://me:{SECRET}@[x"},
    "key as address": {"base_url": SECRET},
    "addresses": {"base_url": {"OpenaiChat": f"https://{SECRET}@x"}},
    "bytes": {"api_key": SECRET.encode()},
    "list": {"api_key": [SECRET]},
    "no key": {"api_key": f"{SECRET}…"},
    "settings": {"settings": {"key": f"{SECRET}\n"}},
    "proxies": {"proxies": {"socks": f"http://me:{SECRET}@x"}},
    "proxy": {"proxies": {"all": [SECRET]}},
    "middleware": {"api_key": SECRET, "middleware": [5]},
}
# The same for a call, unless that is refused by what is beside the key.
CALL_SLIPS: dict[str, dict[str, Any]] = {
    "unknown": {"api_key": SECRET, "temprature": 1},
    "misspelled": {"api_kye": SECRET},
    "headers": {"extra_headers": {"Authorization": f"Bearer {SECRET}\n"}},
    "no headers": {"extra_headers": f"Authorization: {SECRET}"},
    "body": {"extra_headers": {"X-Key": SECRET}, "extra_body": 5},
    "proxy": {"proxy": [f"http://me:{SECRET}@x"]},
    "timeout": {"proxy": f"http://me:{SECRET}@x", "timeout": -1},
    "limits": {"api_key": SECRET, "limits": 5},
    "messages": {"api_key": SECRET, "messages": 5},
    "picture": {"api_key": SECRET, "image": b"no picture"},
    "number": {"api_key": SECRET, "n": -1},
    "role": {"api_key": {"OpenaiChat": SECRET}, "messages": [{"role": "usr", "content": "Hi"}]},
    "setting": {"settings": {"api_key": SECRET}},
    "address": {"api_key": SECRET, "base_url": f"https://x/?key={SECRET}"},
    "unknown provider": {"api_key": SECRET, "provider": "Opnai"},
    "key of two": {"api_key": SECRET, "provider": ["OpenaiChat", "Anthropic"]},
}


@pytest.mark.parametrize(
    "way",
    [Client, AsyncClient, "with_options", "with_options of AsyncClient"],
    ids=["client", "async", "copy", "async copy"],
)
@pytest.mark.parametrize("slip", CLIENT_SLIPS)
def test_no_key_that_a_client_was_given_is_in_a_report(slip: str, way: Any) -> None:
    """Only the frame of who gave it has it."""
    make = (
        way if isinstance(way, type) else (Client if way == "with_options" else AsyncClient)("OpenaiChat").with_options
    )
    assert find_secret(lambda: make(**{"provider": "OpenaiChat", **CLIENT_SLIPS[slip]})) == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("slip", CALL_SLIPS)
def test_no_key_that_a_call_was_given_is_in_a_report(slip: str, stream: bool) -> None:
    """Only the frame of who gave it has it."""
    assert find_secret(lambda: ask({"provider": "OpenaiChat"}, CALL_SLIPS[slip], stream)) == []


GIVEN: dict[str, Any] = {"api_key": SECRET, "proxy": f"http://{SECRET}@x", "timeout": -1}
ASK_OTHERWISE: dict[str, Callable[[Client], object]] = {
    "parse": lambda client: client.chat.completions.parse("Hi", response_format=End, **GIVEN),
    "stream": lambda client: client.chat.completions.stream("Hi", **GIVEN).open(),
    "generate": lambda client: client.images.generate("A cat", **GIVEN),
    "edit": lambda client: client.images.edit(PICTURE, "A cat", **GIVEN),
    "variation": lambda client: client.images.create_variation(PICTURE, **GIVEN),
    "embeddings": lambda client: client.embeddings.create("Hi", **GIVEN),
    "list": lambda client: client.models.list(**GIVEN),
    "retrieve": lambda client: client.models.retrieve("x", **GIVEN),
    "facade": lambda _: ChatCompletion.create("x", "Hi", "OpenaiChat", **GIVEN),
    "streaming facade": lambda _: list(ChatCompletion.create("x", "Hi", "OpenaiChat", stream=True, **GIVEN)),
    "asynchronous facade": lambda _: asyncio.run(ChatCompletion.create_async("x", "Hi", "OpenaiChat", **GIVEN)),
}


@pytest.mark.parametrize("way", ASK_OTHERWISE)
def test_no_key_is_in_a_report_however_it_is_asked(way: str) -> None:
    """Each method that takes a key lets go of it."""
    with Client("OpenaiChat") as client:
        assert find_secret(lambda: ASK_OTHERWISE[way](client)) == []


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize("name", ["provider", "image_provider"])
def test_no_key_in_the_place_of_a_provider_is_in_a_report(make: type, name: str) -> None:
    """It is refused, and only the frame of who gave it has it."""
    assert find_secret(lambda: make(**{name: SECRET})) == []


def ask(client: Mapping[str, Any], call: Mapping[str, Any], stream: bool) -> None:
    """Ask by a synchronous client, whose frames are those of the other one and more."""
    with Client(**{"max_retries": 0, "registry": Registry(), **client}) as made:
        answer = made.chat.completions.create(**{"messages": "Hi", "stream": stream, **call})
        if stream:
            list(answer)


def find_secret(act: Callable[[], object]) -> list[str]:
    """Say where the secret can be seen in a report of what is raised."""
    with pytest.raises((G4FError, TypeError)) as caught:
        act()
    report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "self = " in report  # variables are shown
    return [*find_in_variables(caught.value, SECRET), *(["text"] if SECRET in str(caught.value) else [])]


def test_the_search_finds_what_it_looks_for() -> None:
    """A key in a text, a field, a variable, a cause or a log; and what a library raised."""
    assert list(find_leaks(APIError("no"))) == []
    assert any("text" in leak for leak in find_leaks(APIError(f"no {KEY}")))
    assert any("fields" in leak for leak in find_leaks(APIError("no", request_id=KEY)))
    hidden = APIError("no")
    hidden.__context__ = ValueError(KEY)
    assert any("ValueError" in leak for leak in find_leaks(hidden))
    foreign = APIError("no")
    foreign.__cause__ = aiohttp.ClientError()
    assert any("is reachable" in leak for leak in find_leaks(foreign))
    with pytest.raises(APIError) as caught:
        exec(compile("def f(key):\n    raise error\nf(key)", "elsewhere.py", "exec"), {"error": APIError(), "key": KEY})  # noqa: S102 - a frame outside of the tests
    assert any("traceback" in leak for leak in find_leaks(caught.value))
    assert [leak[:8] for leak in find_in_variables(caught.value, KEY)] == ["key in <", "key in f"]
    with watch_logs() as logs:
        logging.getLogger("anybody").debug("key %s", KEY)
    assert KEY in logs[0]
