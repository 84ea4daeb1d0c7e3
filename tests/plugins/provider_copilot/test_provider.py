"""Copilot as programs use it, against the service on loopback."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from g4f import AsyncClient, Client, Timeout
from g4f.errors import (
    APIResponseError,
    APITimeoutError,
    MissingCredentialsError,
    RateLimitError,
    StreamTruncatedError,
    UnsupportedError,
    select_status_error,
)
from loopback import CUT, STALL, Loopback, Reply, reply_json
from plugins.provider_copilot.graph import (
    BEGUN,
    CITATION,
    CONVERSATION,
    STREAM,
    Graph,
    list_errors,
    make_answer,
    make_error,
    make_update,
    reply_stream,
)

KEY = "eyJ0-a-token-of-microsoft-graph"
SHORT = Timeout(connect=0.5, stream_head=0.5, head=0.5, first_content=0.5, gap=0.5, total=0.5)
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def _make_client(graph: Graph, **more: Any) -> AsyncClient:
    return AsyncClient(**{"provider": "Copilot", "api_key": KEY, "base_url": graph.server.url, **more})


async def _ask(client: AsyncClient, messages: Any = "Hi", *, stream: bool = False, **more: Any) -> str:
    if not stream:
        return (await client.chat.completions.create(messages, **more)).choices[0].message.content or ""
    chunks = [chunk async for chunk in client.chat.completions.stream(messages, **more)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@STREAMED
async def test_a_chat_begins_a_conversation_and_asks_it(stream: bool, graph: Graph) -> None:
    """Two requests, both with the token, and nothing to warn of."""
    async with _make_client(graph, settings={"time_zone": "Europe/Berlin"}) as client:
        assert await _ask(client, stream=stream) == "This is a test"
    begun, turn = graph.server.requests
    assert (begun.method, begun.path, begun.json) == ("POST", "/conversations", {})
    action = "chatOverStream" if stream else "chat"
    assert (turn.method, turn.path) == ("POST", f"/conversations/{CONVERSATION}/{action}")
    assert turn.json == {"message": {"text": "Hi"}, "locationHint": {"timeZone": "Europe/Berlin"}}
    assert {request.headers["authorization"] for request in graph.server.requests} == {f"Bearer {KEY}"}


async def test_the_machines_time_zone_is_told_where_none_is_set(graph: Graph) -> None:
    """The service must be told one."""
    async with _make_client(graph) as client:
        completion = await client.chat.completions.create("Hi", model="copilot")
    assert completion.warnings == []
    assert (completion.provider, completion.model, completion.usage) == ("Copilot", "copilot", None)
    assert graph.turns[0].json["locationHint"]["timeZone"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has its time zone elsewhere")
@pytest.mark.parametrize(("machine", "told"), [("America/New_York", "America/New_York"), (":Asia/Tokyo", "Asia/Tokyo")])
async def test_the_machines_time_zone_is_told_by_its_name(
    machine: str, told: str, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the service wants it."""
    monkeypatch.setattr("tzlocal.unix._cache_tz_name", None)  # what it found before
    monkeypatch.setenv("TZ", machine)
    async with _make_client(graph) as client:
        await _ask(client)
    assert graph.turns[0].json["locationHint"]["timeZone"] == told


async def test_a_conversation_can_be_gone_on_with(graph: Graph) -> None:
    """By the id of the answer: no new one is begun, and only the new message is sent."""
    async with _make_client(graph) as client:
        first = await client.chat.completions.create("Hi")
        messages = [
            {"role": "user", "content": "Hi"},
            first.choices[0].message.to_dict(),
            {"role": "user", "content": "And?"},
        ]
        await _ask(client, messages, provider_options={"conversation_id": first.id})
    assert [request.path for request in graph.server.requests].count("/conversations") == 1
    assert graph.turns[1].json["message"] == {"text": "And?"}
    assert "additionalContext" not in graph.turns[1].json


@STREAMED
async def test_a_chat_with_a_history_loses_nothing_and_says_what_became_of_it(stream: bool, graph: Graph) -> None:
    """System messages and turns stand in other places than they were given."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three?"},
    ]
    async with _make_client(graph) as client:
        answer = await client.chat.completions.create(messages, stream=stream)
    assert graph.turns[0].json["message"]["text"] == "Be brief.\n\nThree?"
    assert [item["text"] for item in graph.turns[0].json["additionalContext"]] == ["One?", "Two."]
    assert len(answer.warnings) == 2


async def test_sources_are_told(graph: Graph) -> None:
    """As the service told them."""
    graph.turn = reply_json(make_answer(attributions=[CITATION]))
    async with _make_client(graph) as client:
        completion = await client.chat.completions.create("Hi")
    extra = completion.choices[0].message.to_dict()["extra_content"]
    assert extra == {"microsoft": {"attributions": [CITATION]}}


async def test_an_answer_that_changed_while_it_was_streamed_is_warned_of(graph: Graph) -> None:
    """The whole of it stands in the last chunk."""
    graph.turn = reply_stream(make_update("Hello"), make_answer("Good day"))
    async with _make_client(graph) as client:
        stream = await client.chat.completions.create("Hi", stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Hello"
    assert [warning for warning in stream.warnings if "changed what it had said" in warning]


async def test_an_image_is_refused_before_anything_is_sent(graph: Graph) -> None:
    """With the name of the provider beside this one that reads images."""
    async with _make_client(graph) as client:
        with pytest.raises(UnsupportedError, match=r"Copilot cannot read images.*CopilotAccount"):
            await client.chat.completions.create("What is it?", image=b"\x89PNG\r\n\x1a\nx")
    assert graph.server.requests == []


@STREAMED
async def test_what_the_service_cannot_do_is_refused_before_anything_is_sent(stream: bool, graph: Graph) -> None:
    """So that another provider of a list is asked."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    async with _make_client(graph) as client:
        with pytest.raises(UnsupportedError, match="Copilot cannot call functions"):
            await _ask(client, stream=stream, tools=tools)
    assert graph.server.requests == []


async def test_the_models_are_those_of_the_manifest(graph: Graph) -> None:
    """The service has no list, and is not asked for one."""
    async with _make_client(graph) as client:
        assert "copilot" in [model.id for model in await client.models.list()]
    assert graph.server.requests == []


# --- Keys ------------------------------------------------------------------------------------------------------------


async def test_without_a_token_nothing_is_sent_and_both_ways_to_one_are_told() -> None:
    """The service's own address is not asked without one."""
    async with AsyncClient(provider="Copilot") as client:
        with pytest.raises(MissingCredentialsError, match="g4f auth copilot, or set M365_COPILOT_TOKEN"):
            await client.chat.completions.create("Hi")


async def test_the_token_of_the_environment_serves(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the address that the environment names."""
    monkeypatch.setenv("M365_COPILOT_TOKEN", KEY)
    monkeypatch.setenv("M365_COPILOT_BASE_URL", graph.server.url)
    async with AsyncClient(provider="Copilot") as client:
        await _ask(client)
    assert graph.turns[0].key == KEY


async def test_a_foreign_address_gets_no_token_that_was_not_given_for_it(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment's nor a kept one, which is not even looked for."""
    monkeypatch.setenv("M365_COPILOT_TOKEN", KEY)
    async with AsyncClient(provider="Copilot", base_url=graph.server.url) as client:
        await _ask(client)
    assert {request.key for request in graph.server.requests} == {None}


async def test_a_redirect_elsewhere_is_not_followed_with_the_token(graph: Graph) -> None:
    """The token is for one place."""
    with Loopback(reply_json(BEGUN, 201)) as elsewhere:
        graph.begun = Reply(307, {"location": f"{elsewhere.url}/conversations"})
        async with _make_client(graph, max_retries=0) as client:
            with pytest.raises(APIResponseError, match="redirects to another place"):
                await _ask(client)
        assert elsewhere.requests == []


@STREAMED
async def test_a_token_that_the_service_echoes_is_shown_to_nobody(
    stream: bool, graph: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the error, its body, its attempts or the log."""
    graph.turn = reply_json(make_error("Forbidden", f"{KEY} may not"), 403)
    caplog.set_level(logging.DEBUG)
    async with _make_client(graph, max_retries=0) as client:
        with pytest.raises(select_status_error(403)) as caught:
            await _ask(client, stream=stream)
    assert "[redacted] may not" in str(caught.value)
    assert KEY not in f"{caught.value!r} {caught.value.body} {caught.value.attempts} {client!r} {caplog.text}"


# --- Faults ----------------------------------------------------------------------------------------------------------


@STREAMED
@pytest.mark.parametrize("begin", [True, False], ids=["conversation", "turn"])
@pytest.mark.parametrize(("status", "code"), list(list_errors()))
async def test_errors_are_typed_by_status(stream: bool, begin: bool, status: int, code: str, graph: Graph) -> None:
    """In Graph's form, of either request."""
    reply = reply_json(make_error(code, "Because."), status)
    if begin:
        graph.begun = reply
    else:
        graph.turn = reply
    async with _make_client(graph, max_retries=0) as client:
        with pytest.raises(select_status_error(status), match=r"Because\.") as caught:
            await _ask(client, stream=stream)
    assert (caught.value.status_code, caught.value.code, caught.value.request_id) == (status, code, "b1f7")
    assert caught.value.provider == "Copilot"


async def test_a_rate_limit_says_how_long_to_wait(graph: Graph) -> None:
    """In its header, as Graph does."""
    graph.turn = reply_json(make_error("TooManyRequests"), 429, retry_after="7")
    async with _make_client(graph, max_retries=0) as client:
        with pytest.raises(RateLimitError) as caught:
            await _ask(client)
    assert (caught.value.retry_after, caught.value.retryable) == (7.0, True)


async def test_a_rate_limit_is_waited_out_in_a_conversation_of_its_own(graph: Graph) -> None:
    """The one that was refused is left."""
    replies: Iterator[Reply] = iter([reply_json(make_error("TooManyRequests"), 429, retry_after="0"), STREAM])
    answer = graph.server.answer
    graph.server.answer = lambda request: next(replies) if "/chatOver" in request.path else answer(request)
    async with _make_client(graph) as client:
        assert await _ask(client, stream=True) == "This is a test"
    assert [request.path for request in graph.server.requests].count("/conversations") == 2


@pytest.mark.parametrize("end", [(), (CUT,)], ids=["closed", "cut"])
async def test_a_stream_without_its_end_is_truncated(end: tuple[Any, ...], graph: Graph) -> None:
    """Only the conversation with its turn counted ends it; the text so far is in the error."""
    graph.turn = reply_stream(make_update("This"), end=end)
    async with _make_client(graph, max_retries=0) as client:
        with pytest.raises(StreamTruncatedError) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "This"


async def test_a_stream_that_stalls_is_cut_off(graph: Graph) -> None:
    """After the deadline between two contents."""
    graph.turn = reply_stream(make_update("This"), end=(STALL,))
    async with _make_client(graph, max_retries=0, timeout=SHORT) as client:
        with pytest.raises(APITimeoutError):
            await _ask(client, stream=True)


async def test_who_leaves_a_stream_hangs_up(graph: Graph) -> None:
    """The service need not go on."""
    graph.turn = reply_stream(make_update("This"), end=(STALL,))
    async with _make_client(graph) as client:
        async for _ in client.chat.completions.stream("Hi"):
            break
    assert graph.server.wait_until(lambda: graph.server.hang_ups)


async def test_a_stream_in_small_pieces_is_the_same(graph: Graph) -> None:
    """Characters and events may be cut anywhere."""
    whole = reply_stream(make_update("Grüße"), make_answer("Grüße 🙂"))
    graph.turn = Reply(200, whole.headers, whole.body, size=3)
    async with _make_client(graph) as client:
        assert await _ask(client, stream=True) == "Grüße 🙂"


async def test_a_whole_answer_where_a_stream_was_asked_for_serves(graph: Graph) -> None:
    """As a proxy may give it."""
    graph.turn = reply_json(make_answer())
    async with _make_client(graph) as client:
        assert await _ask(client, stream=True) == "This is a test"


def test_the_blocking_client_does_the_same(graph: Graph) -> None:
    """Behind its own loop."""
    with Client(provider="Copilot", api_key=KEY, base_url=graph.server.url) as client:
        assert client.chat.completions.create("Hi").choices[0].message.content == "This is a test"


def test_choosing_copilot_imports_neither_the_github_sdk_nor_msal() -> None:
    """Each takes long, and has its own use."""
    code = """
        import sys
        from g4f.registry import share_registry
        registry = share_registry()
        registry.load(registry.find("Copilot"))
        assert not {"copilot", "msal", "requests", "g4f_provider_copilot.account"} & set(sys.modules)
        registry.load(registry.find("CopilotAccount"))
        assert not {"copilot", "msal"} & set(sys.modules)
    """
    lines = "\n".join(line.strip() for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
