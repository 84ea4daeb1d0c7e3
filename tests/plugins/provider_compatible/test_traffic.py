"""The providers against recorded exchanges of their services, which a loopback server repeats byte for byte.

Expected values come from `reader.py`, which shares no code with g4f. Requests are compared with the recorded ones;
DIFFERENCES names where ours is another on purpose. Services without a provider of their own, if they speak the dialect,
are read by `Custom`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from g4f import APIStatusError, AsyncClient, Completion
from g4f.chat import ChatOptions
from g4f.fold import fold_chunks
from loopback import Loopback, Received
from plugins.provider_compatible import reader
from traffic import (
    OPENAI_DIFFERENCES,
    Change,
    Exchange,
    Recordings,
    count_differences,
    expect_request,
    in_all_sizes,
    need_traffic,
    show_error,
    show_usage,
    stand_in,
)

need_traffic()

KEY = "key-loopback-0123456789"
CHAT_OPTIONS = set(ChatOptions.__annotations__)
OPERATIONS = ("chat", "stream", "embeddings", "models")
PROVIDERS = {
    "openrouter": "OpenRouter",
    "groq": "Groq",
    "mistral": "Mistral",
    "deepseek": "DeepSeek",
    "xai": "XAI",
    "together": "Together",
    "ollama": "Ollama",
    "azure": "AzureOpenAI",
}
OTHERS = (
    "alibaba",
    "cerebras",
    "cloudflare",
    "compatible",
    "crusoe",
    "databricks",
    "heroku",
    "huggingface",
    "local",
    "moonshot",
    "perplexity",
    "snowflake",
    "zai",
)


# Recordings that are not replayed, by name, each with its reason.
OLLAMAS = "of Ollama's own dialect (/api/chat), which is not spoken here"
LEFT_OUT = {
    "openinference-test-chat-error-records-model-name-0": OLLAMAS,
    "openinference-test-async-chat-0": OLLAMAS,
    "openinference-test-chat-0": OLLAMAS,
    "openinference-test-chat-with-callable-tool-0": OLLAMAS,
    "openinference-test-chat-with-tool-call-0": OLLAMAS,
    "openinference-test-context-attributes-propagation-0": OLLAMAS,
    "openinference-test-suppress-tracing-0": OLLAMAS,
    "openinference-test-trace-config-masking-0": OLLAMAS,
    "pydantic-ai-test-gateway-provider-with-anthropic-0": "of Anthropic's dialect, behind a gateway",
    "pydantic-ai-test-gateway-provider-with-google-cloud-0": "of Google's dialect, behind a gateway",
}
RECORDINGS = Recordings.load("Compatible", [*PROVIDERS, *OTHERS], OPERATIONS, LEFT_OUT)
choose = RECORDINGS.choose


# Where our request is not the recorded one. Each function changes the recorded body into the one that is expected.

GONE = "a model that is gone since is replaced"
RETIRED = {
    "deepseek-chat": "deepseek-flash",
    "deepseek-reasoner": "deepseek-flash",
    "llama-3.3-70b-versatile": "openai/gpt-oss-120b",
}


def _replace_retired(body: dict[str, Any]) -> None:
    body["model"] = RETIRED.get(body["model"], body["model"])


def _drop_unknown(body: dict[str, Any]) -> None:
    for name in ("n", "seed"):
        body.pop(name, None)


def _drop_usage_option(body: dict[str, Any]) -> None:
    body.pop("stream_options", None)


DIFFERENCES: dict[str, dict[str, Change]] = {
    "deepseek": {GONE: _replace_retired, "DeepSeek knows no n and no seed": _drop_unknown},
    "groq": {GONE: _replace_retired},
    "mistral": {"Mistral tells the usage unasked": _drop_usage_option},
}
# Those that the answer's warnings tell.
TOLD = {GONE, "DeepSeek knows no n and no seed"}


def _find_model(exchange: Exchange) -> str:
    """Return the model; Azure's is the deployment, which stands in the path."""
    parts = exchange.path.split("/")
    if "deployments" in parts:
        return parts[parts.index("deployments") + 1]
    return (exchange.request or {}).get("model") or "some-model"


def _expect(exchange: Exchange) -> tuple[dict[str, Any], list[str]]:
    recorded = exchange.request | {"model": _find_model(exchange)}
    return expect_request(recorded, OPENAI_DIFFERENCES | DIFFERENCES.get(exchange.service, {}))


def _arguments(exchange: Exchange) -> dict[str, Any]:
    """Return the arguments of the client's call that a recorded request stands for."""
    recorded = exchange.request or {"messages": "Say this is a test"}
    known = CHAT_OPTIONS | {"messages", "stream"}
    given = {name: value for name, value in recorded.items() if name in known}
    extra = {name: value for name, value in recorded.items() if name not in {*known, "model"}}
    return given | {"model": _find_model(exchange), "extra_body": extra}


def _make_client(exchange: Exchange, server: Loopback) -> AsyncClient:
    root = exchange.path.partition("/deployments/")[0] if "/deployments/" in exchange.path else exchange.path
    for end in ("/chat/completions", "/embeddings", "/models"):
        root = root.removesuffix(end)
    provider = PROVIDERS.get(exchange.service, "Custom")
    if provider == "AzureOpenAI":
        root = "/openai"
    version = dict(pair.split("=") for pair in exchange.query.split("&")).get("api-version") if exchange.query else None
    more: dict[str, Any] = {"api_version": version} if version else {}
    registry = stand_in(provider, server.url)
    return AsyncClient(
        provider=provider, api_key=KEY, base_url=server.url + root, max_retries=0, registry=registry, **more
    )


def _check_request(exchange: Exchange, received: list[Received], warnings: list[str]) -> None:
    [request] = received
    assert (request.method, request.path, request.query) == (exchange.method, exchange.path, exchange.query)
    if exchange.service == "azure":
        assert request.headers["api-key"] == KEY
        assert "authorization" not in request.headers
    else:
        assert request.key == KEY
    if exchange.request is not None:
        body, applied = _expect(exchange)
        assert request.json == body
        assert bool(warnings) == any(name in TOLD for name in applied)


# What services take back in a message that refuse whatever else stands in it.
SENT_BACK = {
    "groq": {"role", "content", "reasoning", "tool_calls"},
    "mistral": {"role", "content", "tool_calls"},
}

# What g4f made of an answer, in the form of `reader.py`.


def _show_completion(completion: Completion) -> dict[str, Any]:
    return {
        "id": completion.id,
        "model": completion.model,
        "created": completion.created,
        "choices": [_show_choice(choice) for choice in completion.choices],
        "usage": show_usage(completion.usage),
    }


def _show_choice(choice: Any) -> dict[str, Any]:
    message = choice.message
    assert message.role == "assistant"
    return {
        "index": choice.index,
        "text": message.content or None,
        "refusal": message.refusal or None,
        "reasoning": message.reasoning_content or None,
        "tools": [
            {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
            for call in message.tool_calls
        ],
        "finish": choice.finish_reason,
    }


def _is_whole(exchange: Exchange) -> bool:
    return reader.is_whole(exchange.text)


def _is_stream(exchange: Exchange) -> bool:
    return not reader.is_whole(exchange.text) and reader.read_failure(exchange.text) is None


def _breaks_off(exchange: Exchange) -> bool:
    return reader.read_failure(exchange.text) is not None


@in_all_sizes
@choose("chat", "stream", only=_is_whole)
async def test_a_whole_answer_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Text, reasoning, tool calls, ends and usage are told in OpenAI's words, whatever the service's are."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(exchange, server) as client:
        completion = await client.chat.completions.create(**_arguments(exchange) | {"stream": False})
    expected = reader.read_chat(exchange.text)
    assert _show_completion(completion) == expected | {"model": expected["model"] or _find_model(exchange)}
    assert completion.provider == PROVIDERS.get(exchange.service, "Custom")
    _check_request(exchange, server.requests, completion.warnings)


# What is told in other words, and so not kept as it came.
REWORDED = {"content", "reasoning", "reasoning_content", "finish_reason", "completion_tokens", "prompt_tokens_details"}


def _check_kept(sent: Any, ours: Any) -> None:
    """Whatever the service said is there, but for what is told in other words."""
    if isinstance(sent, dict):
        for name, value in sent.items():
            if name not in REWORDED and (name, value) != ("model", ""):
                _check_kept(value, ours[name])
    elif isinstance(sent, list):
        assert len(sent) == len(ours)
        for theirs, own in zip(sent, ours, strict=True):
            _check_kept(theirs, own)
    else:
        assert sent == ours


@choose("chat", "stream", only=_is_whole)
async def test_nothing_that_a_service_says_is_lost(exchange: Exchange, server: Loopback) -> None:
    """Costs, citations, details of reasoning, search results: under the names that they came with."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(exchange, server) as client:
        completion = await client.chat.completions.create(**_arguments(exchange) | {"stream": False})
    _check_kept(json.loads(exchange.text), completion.to_dict())


@in_all_sizes
@choose("stream", only=_is_stream)
async def test_a_stream_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Each event becomes a chunk, and the chunks together tell the whole answer."""
    server.answer = lambda request: exchange.reply(size)
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    async with _make_client(exchange, server) as client:
        stream = client.chat.completions.create(**asked | _arguments(exchange) | {"stream": True})
        chunks = [chunk async for chunk in stream]
    expected = reader.read_stream(exchange.text)
    assert _show_completion(fold_chunks(chunks)) | {"usage": None} == expected | {"usage": None}
    assert show_usage(stream.usage) == expected["usage"]
    assert len(chunks) == len(reader.read_events(exchange.text))
    _check_request(exchange, server.requests, stream.warnings)


@in_all_sizes
@choose("stream", only=_breaks_off)
async def test_a_stream_that_breaks_off_is_the_error_that_it_says(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """What came before it is told, and known to the error."""
    server.answer = lambda request: exchange.reply(size)
    texts = []
    async with _make_client(exchange, server) as client:
        with pytest.raises(APIStatusError) as caught:
            async for chunk in client.chat.completions.stream("Say this is a test", "m"):
                texts += [choice.delta.content or "" for choice in chunk.choices]
    failure = reader.read_failure(exchange.text)
    assert failure is not None
    assert caught.value.message == failure["message"]
    assert caught.value.code == str(failure["code"])
    assert (
        (caught.value.partial or "")
        == "".join(texts)
        == (reader.read_stream(exchange.text)["choices"][0]["text"] or "")
    )


@choose("stream", only=_is_stream)
async def test_a_stream_that_nobody_asked_for_is_a_whole_answer(exchange: Exchange, server: Loopback) -> None:
    """A service that streams in spite of `stream=False` is understood."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(exchange, server) as client:
        completion = await client.chat.completions.create("Say this is a test", "m")
    assert _show_completion(completion) == reader.read_stream(exchange.text)


@choose("chat", "stream", only=_is_whole)
async def test_a_whole_answer_to_a_streaming_request_is_a_stream(exchange: Exchange, server: Loopback) -> None:
    """A service that ignores `stream=True` is understood: its one JSON object is told in chunks."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(exchange, server) as client:
        stream = client.chat.completions.stream("Say this is a test", "m", stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
    assert _show_completion(fold_chunks(chunks)) == reader.read_chat(exchange.text)


@choose("chat", "stream", only=lambda exchange: not _breaks_off(exchange))
async def test_an_answer_sent_back_says_to_the_service_what_it_said(exchange: Exchange, server: Loopback) -> None:
    """Text, reasoning and calls, in words that the service itself used."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(exchange, server) as client:
        completion = await client.chat.completions.create("Say this is a test", "m")
        messages = [{"role": "user", "content": "Hi"}, *(choice.message for choice in completion.choices)]
        await client.chat.completions.create([*messages, {"role": "user", "content": "Go on"}], "m")
    sent = server.requests[-1].json["messages"][1:-1]
    whole = reader.read_chat(exchange.text) if _is_whole(exchange) else reader.read_stream(exchange.text)
    for message, choice in zip(sent, whole["choices"], strict=True):
        said = reader.read_message(message)
        assert {name: said[name] for name in ("text", "reasoning")} == {
            name: choice[name] for name in ("text", "reasoning")
        }
        assert [call["arguments"] for call in said["tools"]] == [call["arguments"] for call in choice["tools"]]
        assert message.keys() <= SENT_BACK.get(exchange.service, message.keys())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@choose("chat", failed=True)
async def test_a_refusal_is_the_error_that_it_says(exchange: Exchange, stream: bool, server: Loopback) -> None:
    """Class, status, message, code, type and body of an error are those of the answer."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(exchange, server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create(**_arguments(exchange) | {"stream": stream})
    assert show_error(caught.value, "code") == reader.read_error(exchange.status, exchange.text)
    assert caught.value.body == json.loads(exchange.text)
    assert caught.value.retryable == (exchange.status == 429)


@choose("embeddings")
async def test_embeddings_are_what_was_recorded(exchange: Exchange, server: Loopback) -> None:
    """Each vector, numbers or base64, its place and the tokens; the request is the recorded one."""
    server.answer = lambda request: exchange.reply(1000)
    recorded = exchange.request | {"model": _find_model(exchange)}
    async with _make_client(exchange, server) as client:
        answer = await client.embeddings.create(**recorded)
    body = json.loads(exchange.text)
    assert [(row.index, row.embedding) for row in answer.data] == [
        (row["index"], row["embedding"]) for row in body["data"]
    ]
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (
        body["usage"]["prompt_tokens"],
        body["usage"]["total_tokens"],
    )
    [request] = server.requests
    assert (request.path, request.query, request.json) == (exchange.path, exchange.query, recorded)


@choose("models")
async def test_the_list_of_models_is_told_whole(exchange: Exchange, server: Loopback) -> None:
    """Every model of the service's list is in ours, with its fields."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(exchange, server) as client:
        models = {model.id: model for model in await client.models.list()}
    provider = PROVIDERS.get(exchange.service, "Custom")
    for row in {row["id"]: row for row in json.loads(exchange.text)["data"]}.values():
        assert row | {"provider": provider} == {
            name: value for name, value in models[row["id"]].to_dict().items() if name in {*row, "provider"}
        }
    [request] = server.requests
    assert (request.method, request.path) == ("GET", exchange.path)


def test_every_recording_is_replayed_or_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The count of what is covered is printed, with the reason for each that is not."""
    compared = [e for e in RECORDINGS.exchanges if e.operation in ("chat", "stream") and e.request is not None]
    RECORDINGS.summarize(capsys, *count_differences(_expect(exchange)[1] for exchange in compared))
