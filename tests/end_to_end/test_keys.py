"""Whose key goes where, shown by what servers on loopback received; and where no key may ever be seen."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import g4f
from g4f import AsyncClient, Auth, HttpProvider, Manifest, Model, hookimpl
from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Context
from loopback import CUT, Answer, Loopback, Received, Reply, make_chunk, make_completion, reply_events, reply_json

PNG = b"\x89PNG\r\n\x1a\npicture"
CLIENT, CALL, ENVIRONMENT = "sk-client-11111111", "sk-call-22222222", "sk-environment-33333333"


class Other(HttpProvider):
    """A second provider, with a key variable of its own and another header."""

    manifest = Manifest(
        title="Other",
        base_url="https://other.invalid/v1",
        base_url_variable="OTHER_BASE_URL",
        auth=Auth("header", header="X-Other-Key", prefix="", variables=("OTHER_API_KEY",)),
        capabilities={"chat": "yes", "image": "yes"},
        models=(Model("gpt-4o-mini"),),
    )


@pytest.fixture
def servers() -> Iterator[tuple[Loopback, Loopback]]:
    """Two servers, one for each provider, that answer everything."""
    with Loopback(_answer) as one, Loopback(_answer) as two:
        yield one, two


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No key and no address from the machine that runs the tests."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "G4F_PROVIDERS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _answer(request: Received) -> Reply:
    if "/images/" in request.path:
        return reply_json({"data": [{"b64_json": "iVBORw0KGgpwaWN0dXJl"}]})
    if request.path.endswith("/models"):
        return reply_json({"data": [{"id": "gpt-4o-mini"}]})
    if request.json.get("stream"):
        return reply_events(make_chunk("Hi"), make_chunk(finish_reason="stop"))
    return reply_json(make_completion())


def _keys(server: Loopback) -> list[str | None]:
    return [request.key or request.headers.get("x-other-key") for request in server.requests]


def _see(server: Loopback, secret: str) -> bool:
    """Tell whether a server saw a key anywhere in what it received."""
    return any(
        secret in text
        for request in server.requests
        for text in (request.path, request.query, str(dict(request.headers)), request.body.decode("latin-1"))
    )


# Who gives a key: the client, the call, the environment. The nearest one counts.
@pytest.mark.parametrize("in_environment", [None, ENVIRONMENT])
@pytest.mark.parametrize(
    "at_call", [None, CALL, {"OpenaiChat": CALL}, {"openaichat": CALL}, {"Anthropic": "sk-other-4444"}]
)
@pytest.mark.parametrize(
    ("named_at", "at_client"),
    # (A plain key of a client that names no provider has no owner: see its own test.)
    [
        ("client", CLIENT),
        *(
            (where, key)
            for where in ("client", "call")
            for key in (None, {"OpenaiChat": CLIENT}, {"Gemini": "sk-5555"})
        ),
    ],
)
@pytest.mark.parametrize("operation", ["chat", "stream", "image", "models"])
async def test_the_nearest_key_counts(
    at_client: Any,
    at_call: Any,
    in_environment: str | None,
    named_at: str,
    operation: str,
    servers: tuple[Loopback, Loopback],
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A call's key goes before the client's; the environment's counts where none are given by name.

    Another provider's never counts.
    """
    server, _ = servers
    environment.setenv("OPENAI_BASE_URL", server.url)
    if in_environment:
        environment.setenv("OPENAI_API_KEY", in_environment)
    closed = isinstance(at_call, dict) or isinstance(at_client, dict)
    expected = _pick(at_call) or _pick(at_client) or (None if closed else in_environment)
    client = AsyncClient(
        provider="OpenaiChat" if named_at == "client" else None, api_key=at_client, media_folder=str(tmp_path)
    )
    call = {"api_key": at_call} | ({"provider": "OpenaiChat"} if named_at == "call" else {})
    async with client:
        if expected is None:
            with pytest.raises(g4f.MissingCredentialsError, match="OpenaiChat needs a key: "):
                await _ask(client, operation, call)
        else:
            await _ask(client, operation, call)
    assert _keys(server) == ([expected] if expected else [])


def _pick(given: Any) -> str | None:
    if isinstance(given, dict):
        return next((key for name, key in given.items() if name.lower() == "openaichat"), None)
    return given


async def _ask(client: AsyncClient, operation: str, call: dict[str, Any]) -> None:
    if operation == "chat":
        await client.chat.completions.create("Hi", "gpt-4o-mini", **call)
    elif operation == "stream":
        async for _ in client.chat.completions.stream("Hi", "gpt-4o-mini", **call):
            pass
    elif operation == "image":
        await client.images.generate("a white siamese cat", "gpt-image-2", **call)
    else:
        await client.models.list(**call)


async def test_two_clients_keep_their_keys_apart(servers: tuple[Loopback, Loopback]) -> None:
    """Fifty calls at once from two clients of one process: each request carries its own client's key."""
    server, _ = servers
    clients = [
        AsyncClient(provider="OpenaiChat", api_key=f"sk-tenant-{number}", base_url=server.url) for number in (1, 2)
    ]
    await asyncio.gather(
        *(
            client.chat.completions.create(f"I am tenant {number}")
            for _ in range(25)
            for number, client in enumerate(clients, 1)
        )
    )
    for client in clients:
        await client.close()
    assert len(server.requests) == 50
    for request in server.requests:
        asked_by = request.json["messages"][0]["content"].removeprefix("I am tenant ")
        assert request.key == f"sk-tenant-{asked_by}"


async def test_calls_with_keys_of_their_own_do_not_change_the_client(servers: tuple[Loopback, Loopback]) -> None:
    """A call's key is that call's alone, also among calls at the same time."""
    server, _ = servers
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=server.url) as client:
        await asyncio.gather(
            *(client.chat.completions.create(f"{n}", api_key=f"sk-call-{n}" if n % 2 else None) for n in range(20))
        )
    for request in server.requests:
        number = int(request.json["messages"][0]["content"])
        assert request.key == (f"sk-call-{number}" if number % 2 else CLIENT)


@pytest.mark.parametrize("where", ["client", "call", "environment"])
async def test_each_target_of_a_fallback_gets_its_own_key(
    where: str, servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """The first provider fails and the second answers: neither server ever sees the other's key."""
    first, second = servers
    first.answer = lambda request: reply_json({"error": {"message": "broken"}}, 500)
    keys = {"OpenaiChat": "sk-first-111111", "Other": "sk-second-222222"}
    urls = {"OpenaiChat": first.url, "Other": second.url}
    environment.setenv("OPENAI_BASE_URL", first.url)
    environment.setenv("OTHER_BASE_URL", second.url)
    if where == "environment":
        environment.setenv("OPENAI_API_KEY", keys["OpenaiChat"])
        environment.setenv("OTHER_API_KEY", keys["Other"])
    given = {"api_key": keys, "base_url": urls}
    async with AsyncClient(
        provider=["OpenaiChat", Other], max_retries=1, **(given if where == "client" else {})
    ) as client:
        completion = await client.chat.completions.create("Hi", "gpt-4o-mini", **(given if where == "call" else {}))
    assert completion.provider == "Other"
    assert [(attempt.provider, attempt.error is None) for attempt in completion.attempts] == [
        ("OpenaiChat", False),
        ("OpenaiChat", False),
        ("Other", True),
    ]
    assert _keys(first) == ["sk-first-111111"] * 2
    assert _keys(second) == ["sk-second-222222"]
    assert not _see(first, "second")
    assert not _see(second, "first")
    assert "x-other-key" not in first.requests[0].headers
    assert "authorization" not in second.requests[0].headers


async def test_a_plain_key_for_several_providers_is_refused_before_any_request(
    servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """Nobody could say whose it is; the error says how to write it."""
    first, second = servers
    environment.setenv("OPENAI_BASE_URL", first.url)
    environment.setenv("OTHER_BASE_URL", second.url)
    calls: list[tuple[AsyncClient, dict[str, Any]]] = [
        (AsyncClient(provider=["OpenaiChat", Other], api_key=CLIENT), {}),
        (AsyncClient(provider="OpenaiChat", image_provider=Other, api_key=CLIENT), {}),
        (AsyncClient(api_key=CLIENT), {}),
        (AsyncClient(), {"api_key": CALL}),
        (AsyncClient(provider=["OpenaiChat", Other]), {"api_key": CALL}),
    ]
    for client, call in calls:
        with pytest.raises(g4f.InvalidInputError, match=r"api_key=\{'OpenaiChat': …\}") as caught:
            await client.chat.completions.create("Hi", "gpt-4o-mini", **call)
        assert CLIENT not in str(caught.value)
        assert CALL not in str(caught.value)
    assert not first.requests
    assert not second.requests


async def test_a_clients_plain_key_does_not_follow_a_call_to_another_provider(
    servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """`api_key=` belongs to the provider that the client names, not to one that a call names."""
    first, second = servers
    environment.setenv("OTHER_BASE_URL", second.url)
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=first.url) as client:
        with pytest.raises(g4f.G4FError):
            await client.chat.completions.create("Hi", "gpt-4o-mini", provider=Other)
        await client.chat.completions.create("Hi", "gpt-4o-mini", provider=Other, api_key="sk-other-777777")
        await client.chat.completions.create("Hi", "gpt-4o-mini")
    assert _keys(second) == ["sk-other-777777"]
    assert _keys(first) == [CLIENT]
    assert not _see(second, CLIENT)


async def test_the_image_provider_has_its_own_key_and_address(
    servers: tuple[Loopback, Loopback], tmp_path: Path
) -> None:
    """Chats and images of one client go to two services with two keys."""
    first, second = servers
    async with AsyncClient(
        provider="OpenaiChat",
        image_provider=Other,
        api_key={"OpenaiChat": "sk-chat-111111", "Other": "sk-image-222222"},
        base_url={"OpenaiChat": first.url, "Other": second.url},
        media_folder=str(tmp_path),
    ) as client:
        await asyncio.gather(
            client.chat.completions.create("Hi", "gpt-4o-mini"), client.images.generate("a cat", "gpt-4o-mini")
        )
    assert (_keys(first), _keys(second)) == (["sk-chat-111111"], ["sk-image-222222"])


@pytest.mark.parametrize("where", ["client", "call", "client by name", "call by name"])
async def test_a_foreign_address_never_gets_the_environments_key(
    where: str, servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """Who points a program at another server does not hand it the key of OpenAI, nor the organization's id."""
    server, _ = servers
    environment.setenv("OPENAI_API_KEY", ENVIRONMENT)
    environment.setenv("OPENAI_ORG_ID", "org-of-the-environment")
    url = {"OpenaiChat": server.url} if "name" in where else server.url
    at_client = {"base_url": url} if "client" in where else {}
    at_call = {"base_url": url} if "call" in where else {}
    async with AsyncClient(provider="OpenaiChat", **at_client) as client:
        await client.chat.completions.create("Hi", "gpt-4o-mini", **at_call)
        await client.chat.completions.create("Hi", "gpt-4o-mini", api_key=CALL, **at_call)
    assert _keys(server) == [None, CALL]
    assert not _see(server, ENVIRONMENT)
    assert not _see(server, "org-of-the-environment")


@pytest.mark.parametrize(
    ("given", "says"), [({}, True), ({"api_key": CALL}, False), ({"extra_headers": {"Authorization": CALL}}, False)]
)
async def test_a_refusal_where_no_key_was_sent_says_so(
    given: dict[str, Any], says: bool, environment: pytest.MonkeyPatch
) -> None:
    """Else one would look for what is wrong with the key that was not sent; headers may hold one, too."""
    environment.setenv("OPENAI_API_KEY", ENVIRONMENT)
    with Loopback(reply_json({"error": {"message": "Wrong key."}}, 401)) as server:
        async with AsyncClient(provider="OpenaiChat", base_url=server.url) as client:
            with pytest.raises(g4f.AuthenticationError) as caught:
                await client.chat.completions.create("Hi", "gpt-4o-mini", **given)
    assert ("No key was sent: none is given for this address." in str(caught.value)) is says


async def test_the_address_of_the_environment_gets_the_environments_key(
    servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """OPENAI_BASE_URL and OPENAI_API_KEY belong together, and organization and project go along."""
    server, _ = servers
    environment.setenv("OPENAI_API_KEY", ENVIRONMENT)
    environment.setenv("OPENAI_BASE_URL", f"{server.url}/v1/")
    environment.setenv("OPENAI_ORG_ID", "org-1")
    environment.setenv("OPENAI_PROJECT_ID", "proj-2")
    async with AsyncClient(provider="OpenaiChat") as client:
        await client.chat.completions.create("Hi", "gpt-4o-mini")
    [request] = server.requests
    assert (request.path, request.key) == ("/v1/chat/completions", ENVIRONMENT)
    assert (request.headers["openai-organization"], request.headers["openai-project"]) == ("org-1", "proj-2")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("operation", ["chat", "stream", "image", "models"])
async def test_a_redirect_to_another_origin_is_refused(
    status: int, operation: str, servers: tuple[Loopback, Loopback]
) -> None:
    """The key does not travel there, and neither does the request."""
    first, second = servers
    first.answer = lambda request: Reply(status, {"location": f"{second.url}{request.path}"})
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=first.url, max_retries=0) as client:
        with pytest.raises(g4f.APIResponseError, match="redirects to another place"):
            await _ask(client, operation, {})
    assert len(first.requests) == 1
    assert not second.requests


async def test_a_redirect_at_home_is_followed_with_the_key(servers: tuple[Loopback, Loopback]) -> None:
    """The same origin may move a path: a 307 repeats method, body and key."""
    server, _ = servers
    server.answer = lambda request: (
        _answer(request) if request.path.startswith("/moved") else Reply(307, {"location": f"/moved{request.path}"})
    )
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=server.url) as client:
        await client.chat.completions.create("Hi", "gpt-4o-mini")
    before, after = server.requests
    assert (before.key, after.key) == (CLIENT, CLIENT)
    assert before.body == after.body


def _echo_error(request: Received) -> Reply:
    message = f"Incorrect API key provided: {request.key}. You can find your API key elsewhere."
    details = {"message": message, "type": f"wrong {request.key}", "code": request.key, "param": request.key}
    return reply_json({"error": {**details, "tried": [request.key, {str(request.key): 1}]}}, 401)


def _echo_page(request: Received) -> Reply:
    return Reply(502, {"content-type": "text/html"}, f"<html><h1>Bad {request.key}</h1></html>".encode())


def _echo_garbage(request: Received) -> Reply:
    return Reply(200, {"content-type": "application/json"}, f"no json {request.key}".encode())


def _echo_in_stream(request: Received) -> Reply:
    return reply_events(make_chunk("Hi"), {"error": {"message": f"key {request.key}"}}, end=())


def _cut_stream(request: Received) -> Reply:
    return reply_events(make_chunk("Hi"), end=(CUT,))


def _redirect(request: Received) -> Reply:
    return Reply(307, {"location": f"http://{request.key}.invalid/{request.key}"})


async def _provoke(answer: Answer, *, stream: bool) -> g4f.G4FError:
    """Return the error that a call ends with."""
    with Loopback(answer) as server:
        async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=server.url, max_retries=1) as client:
            with pytest.raises(g4f.G4FError) as caught:
                await _ask(client, "stream" if stream else "chat", {})
    assert server.requests[0].key == CLIENT
    return caught.value


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
ECHOES = [_echo_error, _echo_page, _echo_garbage, _echo_in_stream, _redirect]


@pytest.mark.parametrize("answer", ECHOES, ids=lambda answer: answer.__name__)
@STREAMED
async def test_a_key_that_the_service_sends_back_is_taken_out(
    answer: Answer, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither text, fields, body and attempts of the error nor the log have it."""
    caplog.set_level(logging.DEBUG)
    error = await _provoke(answer, stream=stream)
    seen = [text for one in _list_chain(error) for text in (str(one), repr(one), str(vars(one)))]
    for text in [*seen, repr(error.attempts), caplog.text]:
        assert CLIENT not in text


SILENT = {
    "refusal": reply_json({"error": {"message": "no"}}, 401),
    "overload": reply_json({"error": {"message": "no"}}, 503),
    "page": Reply(200, {"content-type": "text/html"}, b"<html>hello</html>"),
    "garbage": Reply(200, {"content-type": "application/json"}, b"{garbage"),
    "cut": reply_events(make_chunk("Hi"), end=(CUT,)),
    "error in a stream": reply_events(make_chunk("Hi"), {"error": {"message": "no"}}, end=()),
    "redirect": Reply(307, {"location": "http://elsewhere.invalid/"}),
    "nothing": Reply(200, {}, [CUT]),
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
@STREAMED
async def test_a_traceback_with_local_variables_shows_no_key(answer: Reply, stream: bool) -> None:
    """As error reporters write it, for every exception that can be reached."""
    error = await _provoke(lambda request: answer, stream=stream)
    assert error.__traceback__ is not None
    for one in _list_chain(error):
        assert CLIENT not in _format_with_locals(one)


ECHOES = {
    "refusal": reply_json({"error": {"message": f"{CLIENT} is wrong"}}, 401),
    "page": Reply(200, {"content-type": "text/html"}, f"<html>{CLIENT}</html>".encode()),
    "error in place of an answer": reply_json({"error": {"message": f"{CLIENT} is wrong"}}),
    "error in a stream": reply_events(make_chunk("Hi"), {"error": {"message": f"{CLIENT} is wrong"}}, end=()),
    "nonsense in a stream": reply_events(make_chunk("Hi"), f"data: {CLIENT}\n\n".encode(), end=()),
}


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
@STREAMED
async def test_a_key_that_the_service_says_back_is_in_no_traceback(answer: Reply, stream: bool) -> None:
    """The variables of the functions that read it are not kept with the error."""
    error = await _provoke(lambda request: answer, stream=stream)
    for one in _list_chain(error):
        assert CLIENT not in _format_with_locals(one) + repr(vars(one)) + str(one)


async def test_a_traceback_of_a_refused_connection_shows_no_key() -> None:
    """The libraries' own exceptions hold the request's headers: none of them is kept."""
    with Loopback(Reply()) as server:
        url = server.url
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=url, max_retries=1) as client:
        with pytest.raises(g4f.APIConnectionError) as caught:
            await client.chat.completions.create("Hi")
    for one in _list_chain(caught.value):
        assert CLIENT not in _format_with_locals(one) + repr(vars(one))


class RequestError(Exception):
    """What an SDK raises: its text is harmless, and it holds the request."""

    def __init__(self, headers: dict[str, str | None]) -> None:
        super().__init__("It failed.")
        self.headers = headers


class Spiller:
    """A provider that is handed its key, and whose SDK fails with that in hand."""

    manifest = Manifest(auth=Auth("own", variables=("SPILLER_API_KEY",)), capabilities={"chat": "yes"})

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        raise RequestError({"authorization": context.secret()})

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        headers = {"authorization": context.secret()}
        yield Chunk.from_text("So far")
        raise RequestError(headers)


@STREAMED
async def test_a_key_that_a_provider_holds_is_in_no_traceback(stream: bool) -> None:
    """Neither in the exceptions of its SDK nor in the variables of its functions."""
    async with AsyncClient(provider=Spiller, api_key=CLIENT, max_retries=0) as client:
        with pytest.raises(g4f.APIError) as caught:
            if stream:
                async for _ in client.chat.completions.stream("Hi", "m"):
                    pass
            else:
                await client.chat.completions.create("Hi", "m")
    assert "RequestError" in str(caught.value)
    for one in _list_chain(caught.value):
        assert CLIENT not in _format_with_locals(one) + repr(vars(one)) + str(one)
        frames = [frame.f_code for frame, _ in traceback.walk_tb(one.__traceback__)]
        assert Spiller.chat.__code__ not in frames
        assert Spiller.stream.__code__ not in frames


async def _read_first(client: AsyncClient, begun: asyncio.Event | None = None) -> None:
    async for _ in client.chat.completions.create("Hi", "m", stream=True):
        assert begun is not None
        begun.set()


WAITING: dict[str, Callable[[AsyncClient], Coroutine[Any, Any, object]]] = {
    "chat": lambda client: client.chat.completions.create("Hi", "m"),
    "chat by aiohttp's session": lambda client: client.chat.completions.create("x" * 2**21, "m"),
    "stream": _read_first,
    "pictures": lambda client: client.images.generate("A cat", "m", response_format="b64_json"),
    "vectors": lambda client: client.embeddings.create("Hi", "m"),
    "models": lambda client: client.models.list(),
}


@pytest.mark.parametrize("way", WAITING)
async def test_a_call_that_is_canceled_shows_no_key(way: str) -> None:
    """Whoever waits in it, as the network with the request's head: no report of the cancellation has its variables."""
    heard, over = asyncio.Event(), asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.set()
        with suppress(ConnectionError):
            await reader.read()  # until the client hangs up
            writer.close()
            await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=url, max_retries=0) as client:
            asked = asyncio.create_task(WAITING[way](client))
            await heard.wait()
            await _expect_silence(asked)
        await over.wait()
    finally:
        server.close()


class Keeper:
    """A provider that is handed its key, and waits with that in hand."""

    manifest = Manifest(auth=Auth("own", variables=("KEEPER_API_KEY",)), capabilities={"chat": "yes"})
    begun: asyncio.Event

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        headers = {"authorization": context.secret()}
        self.begun.set()
        await asyncio.Future()
        raise AssertionError(headers)

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        headers = {"authorization": context.secret()}
        yield Chunk.from_text("So far")
        await asyncio.Future()
        raise AssertionError(headers)


@STREAMED
async def test_a_key_that_a_provider_waits_with_is_not_shown_when_that_is_canceled(stream: bool) -> None:
    """In the middle of a stream as well."""
    provider, begun = Keeper(), asyncio.Event()
    provider.begun = begun
    async with AsyncClient(provider=provider, api_key=CLIENT) as client:
        ask = _read_first(client, begun) if stream else client.chat.completions.create("Hi", "m")
        asked = asyncio.create_task(ask)
        await begun.wait()
        await asyncio.sleep(0)  # until the stream is waited for again
        frames = [frame.f_code for frame, _ in traceback.walk_tb((await _expect_silence(asked)).__traceback__)]
    assert Keeper.chat.__code__ not in frames
    assert Keeper.stream.__code__ not in frames


async def _expect_silence(asked: asyncio.Task[object]) -> BaseException:
    asked.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await asked
    for one in _list_chain(caught.value):
        assert CLIENT not in _format_with_locals(one) + repr(vars(one))
    return caught.value


def _list_chain(error: BaseException) -> list[BaseException]:
    """Every exception that is reachable from one."""
    found: list[BaseException] = []
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None and one not in found:
            found.append(one)
            pending += [one.__cause__, one.__context__]
            pending += [attempt.error for attempt in getattr(one, "attempts", ())]
    return found


def _format_with_locals(error: BaseException) -> str:
    """The traceback as error reporters write it; the test's own frames hold its own copy of the key."""
    frames = traceback.walk_tb(error.__traceback__)
    ours = [(frame, line) for frame, line in frames if frame.f_code.co_filename != __file__]
    summary = traceback.StackSummary.extract(ours, capture_locals=True)
    return "".join(summary.format())


async def test_no_object_that_users_hold_shows_a_key(servers: tuple[Loopback, Loopback]) -> None:
    """Neither repr nor pickle nor a copy of client, stream, answer or settings brings a key to light."""
    server, _ = servers
    client = AsyncClient(
        provider="OpenaiChat", api_key={"OpenaiChat": CLIENT, "Other": CALL}, base_url={"OpenaiChat": server.url}
    )
    stream = client.chat.completions.stream("Hi", "gpt-4o-mini")
    chunks = [chunk async for chunk in stream]
    completion = await client.chat.completions.create("Hi", "gpt-4o-mini")
    twin = client.with_options(max_retries=0)
    sync = g4f.Client(provider="OpenaiChat", api_key=CLIENT)
    for holder in (
        client,
        twin,
        sync,
        stream,
        completion,
        *chunks,
        client._settings,
        client._settings.keys,
        vars(client),
    ):
        assert CLIENT not in repr(holder)
        assert CALL not in repr(holder)
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(client._settings.keys)
    sync.close()
    await client.close()


async def test_the_log_of_a_call_names_no_key(
    servers: tuple[Loopback, Loopback], caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, with everything that the libraries below write as well."""
    caplog.set_level(logging.DEBUG)
    server, _ = servers
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=server.url) as client:
        await client.chat.completions.create("a secret prompt", "gpt-4o-mini")
    assert "outcome=ok" in caplog.text
    assert CLIENT not in caplog.text
    assert "a secret prompt" not in caplog.text


async def test_a_picture_is_downloaded_without_the_key(servers: tuple[Loopback, Loopback], tmp_path: Path) -> None:
    """Also from the service's own address: what an answer names is public."""
    server, _ = servers
    server.answer = lambda request: (
        Reply(200, {}, PNG) if request.method == "GET" else reply_json({"data": [{"url": f"{server.url}/picture.png"}]})
    )
    async with AsyncClient(
        provider="OpenaiChat", api_key=CLIENT, base_url=server.url, media_folder=str(tmp_path)
    ) as client:
        images = await client.images.generate("a white siamese cat")
    assert Path(images.data[0].path or "").read_bytes() == PNG
    assert _keys(server) == [CLIENT, None]


async def test_a_picture_from_a_private_address_is_refused(servers: tuple[Loopback, Loopback], tmp_path: Path) -> None:
    """An answer cannot make us fetch from the machine's own network, unless the user allows it."""
    server, inside = servers
    inside.answer = lambda request: Reply(200, {}, PNG)
    server.answer = lambda request: reply_json({"data": [{"url": f"{inside.url}/picture.png"}]})
    options: dict[str, Any] = {"provider": "OpenaiChat", "api_key": CLIENT, "base_url": server.url}
    async with AsyncClient(**options, media_folder=str(tmp_path)) as client:
        with pytest.raises(g4f.APIConnectionError, match="not a public address"):
            await client.images.generate("a white siamese cat")
    assert not inside.requests
    async with AsyncClient(**options, media_folder=str(tmp_path), allow_private_urls=True) as client:
        await client.images.generate("a white siamese cat")
    assert _keys(inside) == [None]


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
async def test_a_header_of_the_users_stands_in_for_the_key(header: str, servers: tuple[Loopback, Loopback]) -> None:
    """`extra_headers` may replace how a request authorizes itself; then it is sent once, as the user says."""
    server, _ = servers
    async with AsyncClient(provider="OpenaiChat", api_key=CLIENT, base_url=server.url) as client:
        await client.chat.completions.create("Hi", "gpt-4o-mini", extra_headers={header: "Bearer sk-header-888888"})
    assert _keys(server) == ["sk-header-888888"]
    assert not _see(server, CLIENT)


@pytest.mark.parametrize("key", ["sk-with\nnewline", "sk-wïth", "sk-with\x00null", 5, b"sk-bytes"])
def test_what_can_be_no_key_is_refused_without_showing_it(key: Any) -> None:
    """The error says what is wrong, and not what was given."""
    with pytest.raises(g4f.InvalidInputError) as caught:
        AsyncClient(provider="OpenaiChat", api_key=key)
    assert "sk-" not in str(caught.value)


async def test_blanks_around_a_key_are_dropped_and_a_blank_key_is_refused(
    servers: tuple[Loopback, Loopback], environment: pytest.MonkeyPatch
) -> None:
    """As they come from files and terminals."""
    server, _ = servers
    environment.setenv("OPENAI_BASE_URL", server.url)
    environment.setenv("OPENAI_API_KEY", f"  {ENVIRONMENT}\n")
    async with AsyncClient(provider="OpenaiChat") as client:
        await client.chat.completions.create("Hi", api_key=f" {CALL} \n")
        await client.chat.completions.create("Hi")
        with pytest.raises(g4f.InvalidInputError, match="is empty"):
            await client.chat.completions.create("Hi", api_key="  ")
    assert _keys(server) == [CALL, ENVIRONMENT]
