"""The provider against recorded exchanges of the service, which a loopback server repeats byte for byte.

Expected values come from `reader.py`, which shares no code with g4f. Recordings of Google's other platform (vertex)
have the same answers at another address. The recorded requests are in the service's own words: see `test_requests.py`.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from g4f import APIStatusError, AsyncClient, Completion
from g4f.chat import Chunk, Logprobs
from g4f.fold import fold_chunks
from g4f.manifest import ResolvedModel
from g4f.registry import share_registry
from loopback import Loopback, Received, Reply
from plugins.provider_gemini import reader
from traffic import Exchange, Recordings, in_all_sizes, need_traffic, show_error, show_usage, stand_in

need_traffic()

KEY = "AIza-loopback-0123456789"
MANIFEST = share_registry().read_manifest(share_registry().find("Gemini"))

# Recordings that are not replayed, by name, each with its reason.
OTHER_DIALECT = "of Google's OpenAI dialect, which is not spoken here"
PREDICT = "of another endpoint of the other platform, predict or embedContent"
NUMBERS = "asked with enum-encoding=int, which we never do: numbers stand for the names of finish reasons"
LEFT_OUT = {
    "pydantic-ai-test-compatible-api-with-tool-calls-without-id-0": OTHER_DIALECT,
    "pydantic-ai-test-compatible-api-with-tool-calls-without-id-1": OTHER_DIALECT,
    "pydantic-ai-test-google-task-prefix-vertex-0": PREDICT,
    "pydantic-ai-testgoogle-test-vertex-query-0": PREDICT,
    "openinference-test-gemini-token-counts-streaming-0": NUMBERS,
    "opentelemetry-python-contrib-test-function-call-choice-0": NUMBERS,
    "opentelemetry-python-contrib-test-function-call-choice-no-content-0": NUMBERS,
    "opentelemetry-python-contrib-test-generate-content-all-events-0": NUMBERS,
    "opentelemetry-python-contrib-test-generate-content-with-files-0": NUMBERS,
    "opentelemetry-python-contrib-test-preview-generate-content-all-input-events-0": NUMBERS,
}


RECORDINGS = Recordings.load(
    "Gemini", ["gemini", "vertex"], ["chat", "stream", "images", "embeddings", "models"], LEFT_OUT
)
choose = RECORDINGS.choose


def find_model(exchange: Exchange) -> str:
    """Return the model, which is a part of the path."""
    return exchange.path.rpartition("/")[2].partition(":")[0]


def resolve_model(exchange: Exchange) -> ResolvedModel:
    """Return what the recorded model's name means today: some were retired since."""
    return MANIFEST.resolve_model(find_model(exchange)) or ResolvedModel(find_model(exchange))


def list_warnings(exchange: Exchange) -> list[str]:
    """Return what is told of the model."""
    warning = resolve_model(exchange).warning
    return [warning] if warning else []


def is_array(exchange: Exchange) -> bool:
    """Tell whether a stream came as one JSON array."""
    return exchange.text.lstrip().startswith("[")


# What g4f made of an answer, in the form of `reader.py`.


def _show_completion(completion: Completion) -> dict[str, Any]:
    return {
        "id": completion.id,
        "model": completion.model,
        "choices": [_show_choice(choice) for choice in completion.choices],
        "usage": show_usage(completion.usage),
    }


def _show_choice(choice: Any) -> dict[str, Any]:
    message = choice.message
    google = message.model_extra.get("extra_content", {}).get("google", {})
    pictures = message.model_extra.get("images", [])
    return {
        "role": message.role,
        "text": message.content,
        "reasoning": message.reasoning_content,
        "tools": [_show_tool(call) for call in message.tool_calls],
        "pictures": [picture["image_url"]["url"].partition(";base64,")[2] for picture in pictures],
        "kept": google.get("parts", []),
        "signature": google.get("thought_signature"),
        "finish": choice.finish_reason,
        "refusal": message.refusal,
        "logprobs": _show_logprobs(choice.logprobs),
    }


def _show_tool(call: Any) -> dict[str, Any]:
    google = call.model_extra.get("extra_content", {}).get("google", {})
    assert call.type == "function"
    assert call.id
    return {
        "name": call.function.name,
        "id": None if call.id.startswith("call_") else call.id,
        "args": json.loads(call.function.arguments),
        "signature": google.get("thought_signature"),
    }


def _show_logprobs(logprobs: Logprobs | None) -> Any:
    if logprobs is None:
        return None
    for token in logprobs.content:
        assert bytes(token.bytes).decode() == token.token
    return [
        (token.token, token.logprob, [(other.token, other.logprob) for other in token.top_logprobs])
        for token in logprobs.content
    ]


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    registry = stand_in("Gemini", server.url)
    return AsyncClient(provider="Gemini", api_key=KEY, base_url=server.url, max_retries=0, registry=registry, **more)


def _check_request(exchange: Exchange, received: list[Received], method: str = "generateContent") -> None:
    [request] = received
    assert (request.method, request.path) == ("POST", f"/v1beta/models/{resolve_model(exchange).id}:{method}")
    assert request.pairs == ([("alt", "sse")] if method == "streamGenerateContent" else [])
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
    assert request.headers["content-type"] == "application/json"
    assert request.json == {"contents": [{"role": "user", "parts": [{"text": "Say this is a test"}]}]}


@in_all_sizes
@choose("chat", "images")
async def test_a_whole_answer_is_read(exchange: Exchange, size: int, server: Loopback) -> None:
    """Text, reasoning, tool calls, signatures, pictures, finish reason, logprobs and usage arrive as they were sent."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test", find_model(exchange))
    assert _show_completion(completion) == reader.read_answer(exchange.text)
    assert completion.provider == "Gemini"
    assert completion.warnings == list_warnings(exchange)
    _check_request(exchange, server.requests)


@choose("chat")
async def test_an_answer_tells_when_it_was_made(exchange: Exchange, server: Loopback) -> None:
    """From its own time where it tells one, else from the answer's date."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test", find_model(exchange))
    dated = "createTime" in exchange.text or "date" in exchange.headers
    assert (completion.created > 1_700_000_000) == dated


@choose("chat", "stream")
async def test_what_has_no_name_at_openai_is_kept(exchange: Exchange, server: Loopback) -> None:
    """Citations, ratings, average probabilities: the last word on each is in the choice's `extra_content`."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test", find_model(exchange))
    expected: dict[str, Any] = {}
    for piece in reader.read_pieces(exchange.text):
        for candidate in piece.get("candidates", []):
            expected |= candidate
    rest = {key: expected[key] for key in expected.keys() - {"content", "finishReason", "index", "logprobsResult"}}
    found = completion.choices[0].model_extra.get("extra_content", {}).get("google", {})
    assert rest == {key: found[key] for key in found.keys() - {"finishReason", "promptFeedback"}}


async def _stream(client: AsyncClient, exchange: Exchange) -> tuple[list[Chunk], Any]:
    asked = {"include_usage": True}
    stream = client.chat.completions.stream("Say this is a test", find_model(exchange), stream_options=asked)
    return [chunk async for chunk in stream], stream


@in_all_sizes
@choose("stream")
async def test_a_stream_is_read(exchange: Exchange, size: int, server: Loopback) -> None:
    """Events and arrays: the chunks together tell the whole answer, and each text comes when it was sent."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        chunks, stream = await _stream(client, exchange)
    expected = reader.read_answer(exchange.text)
    assert _show_completion(fold_chunks(chunks)) == expected
    assert show_usage(stream.usage) == expected["usage"]
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [expected["usage"] is not None]
    _check_request(exchange, server.requests, "streamGenerateContent")
    if not is_array(exchange):
        texts = [chunk.choices[0].delta.content for chunk in chunks]
        assert texts == [_read_text(piece) for piece in reader.read_pieces(exchange.text)]


def _read_text(piece: dict[str, Any]) -> str | None:
    texts = [
        part["text"]
        for part in piece["candidates"][0].get("content", {}).get("parts", [])
        if "text" in part and not part.get("thought")
    ]
    return "".join(texts) if texts else None


@pytest.mark.parametrize("size", [0, 37])
@choose("stream")
async def test_a_stream_that_nobody_asked_for_is_a_whole_answer(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Events, and the array that the service sends where events are not asked for, are understood."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test", find_model(exchange))
    assert _show_completion(completion) == reader.read_answer(exchange.text)


@choose("chat")
async def test_a_whole_answer_to_a_streaming_request_is_a_stream(exchange: Exchange, server: Loopback) -> None:
    """One JSON object where events were asked for is told in chunks."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        chunks, _ = await _stream(client, exchange)
    assert _show_completion(fold_chunks(chunks)) == reader.read_answer(exchange.text)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@choose("chat", failed=True)
async def test_a_refusal_is_the_error_that_it_says(exchange: Exchange, stream: bool, server: Loopback) -> None:
    """Class, status, message, the service's own word for it, the wait and the body are those of the answer."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create("Say this is a test", find_model(exchange), stream=stream)  # type: ignore[misc]
    error = caught.value
    assert show_error(error, "retry_after") == reader.read_error(exchange.status, exchange.text)
    assert error.body == json.loads(exchange.text)
    assert error.retryable == (exchange.status == 429)
    assert error.provider == "Gemini"


@choose("chat", "stream")
async def test_an_answer_that_is_sent_back_is_the_one_that_came(exchange: Exchange, server: Loopback) -> None:
    """Each call with its signature, in order, and the signature of the text: as the service must have them."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test", find_model(exchange))
        message = completion.choices[0].message
        results = [{"role": "tool", "tool_call_id": call.id, "content": "4"} for call in message.tool_calls]
        await client.chat.completions.create(
            [{"role": "user", "content": "Hi"}, message, *results], find_model(exchange)
        )
    contents = server.requests[-1].json["contents"]
    whole = reader.read_answer(exchange.text)["choices"][0]
    sent = contents[1]["parts"] if len(contents) > 1 else []
    calls = [part for part in sent if "functionCall" in part]
    by_name = [(part["functionCall"]["name"], part["functionCall"]["args"]) for part in calls]
    assert by_name == [(tool["name"], tool["args"]) for tool in whole["tools"]]
    signatures = [tool["signature"] for tool in whole["tools"]]
    if any(signatures) or resolve_model(exchange).id.startswith("gemini-2"):
        assert [part.get("thoughtSignature") for part in calls] == signatures
    assert [part for part in sent if not part.keys() & {"functionCall", "text"}] == whole["kept"]
    said = whole["text"] or whole["refusal"]
    assert [part["text"] for part in sent if "text" in part] == ([said] if said else [])
    if whole["signature"] and whole["text"]:
        assert [part.get("thoughtSignature") for part in sent if "text" in part] == [whole["signature"]]
    if calls:
        answered = [part["functionResponse"] for part in contents[2]["parts"]]
        assert [each["id"] for each in answered] == [part["functionCall"]["id"] for part in calls]
        assert [(each["name"], each["response"]) for each in answered] == [
            (tool["name"], {"output": "4"}) for tool in whole["tools"]
        ]


@pytest.mark.parametrize("response_format", [None, "url", "b64_json"])
@choose("images")
async def test_images_are_delivered_in_every_form(
    exchange: Exchange, response_format: Any, server: Loopback, tmp_path: Path
) -> None:
    """The bytes of the picture arrive as base64, as URL and as file, whatever type the service says they have."""
    server.answer = lambda request: exchange.reply(1000)
    async with _make_client(server, media_folder=str(tmp_path)) as client:
        answer = await client.images.generate(
            "a white siamese cat", find_model(exchange), response_format=response_format
        )
    [encoded] = reader.read_answer(exchange.text)["choices"][0]["pictures"]
    [image] = answer.data
    usage = reader.read_pieces(exchange.text)[0]["usageMetadata"]
    assert _read_picture(image, response_format) == base64.b64decode(encoded)
    assert answer.model == find_model(exchange)  # as the service said then
    assert answer.usage is not None
    assert answer.usage.total_tokens == usage["totalTokenCount"]
    assert answer.usage.input_tokens + answer.usage.output_tokens == answer.usage.total_tokens
    [request] = server.requests
    assert request.json == {
        "contents": [{"role": "user", "parts": [{"text": "a white siamese cat"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"]},
    }


def _read_picture(image: Any, response_format: str | None) -> bytes:
    if response_format == "b64_json":
        return base64.b64decode(image.b64_json)
    if response_format == "url":
        return base64.b64decode(re.sub("^data:image/(png|jpeg);base64,", "", image.url))
    assert re.fullmatch(r"/images/\d{10}_[0-9a-f-]{36}\.(png|jpg)", image.url)
    return Path(image.path).read_bytes()


@choose("embeddings")
async def test_embeddings_are_what_was_recorded(exchange: Exchange, server: Loopback) -> None:
    """Each vector in its place, and the tokens; the request is the recorded one."""
    server.answer = lambda request: exchange.reply(1000)
    rows = exchange.request["requests"]
    more = {"dimensions": rows[0].get("outputDimensionality")}
    own = {"task_type": rows[0]["taskType"]} if "taskType" in rows[0] else {}
    texts = [row["content"]["parts"][0]["text"] for row in rows]
    async with _make_client(server) as client:
        answer = await client.embeddings.create(texts, find_model(exchange), provider_options=own, **more)
    body = json.loads(exchange.text)
    assert [(item.index, item.embedding) for item in answer.data] == [
        (at, row["values"]) for at, row in enumerate(body["embeddings"])
    ]
    tokens = body.get("usageMetadata", {}).get("promptTokenCount")
    assert (answer.usage and answer.usage.to_dict()) == (tokens and {"prompt_tokens": tokens, "total_tokens": tokens})
    assert (answer.model, answer.warnings) == (resolve_model(exchange).id, list_warnings(exchange))
    [request] = server.requests
    assert request.path == f"/v1beta/models/{resolve_model(exchange).id}:batchEmbedContents"
    for row in rows:
        row["content"]["role"] = "user"  # as Google's SDK writes it
    assert request.json == {"requests": rows}


@choose("embeddings", failed=True)
async def test_a_failed_request_for_embeddings_is_the_recorded_error(exchange: Exchange, server: Loopback) -> None:
    """Its class, status and message."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.embeddings.create("Hello, world!", find_model(exchange))
    assert show_error(caught.value, "retry_after") == reader.read_error(exchange.status, exchange.text)


async def test_the_list_of_models_is_told_whole_from_all_its_pages(server: Loopback) -> None:
    """The recorded pages follow each other, and every model is in ours with all that the service says of it."""
    pages = {
        exchange.name: json.loads(exchange.text) for exchange in RECORDINGS.exchanges if exchange.operation == "models"
    }
    first, second = pages["chatlas-test-google-list-models-0"], pages["chatlas-test-google-list-models-1"]
    token = first["nextPageToken"]
    server.answer = lambda request: Reply(
        200, {"content-type": "application/json"}, json.dumps(second if request.pairs[1:] else first).encode()
    )
    async with _make_client(server) as client:
        models = {model.id: model for model in await client.models.list()}
    for row in [*first["models"], *second["models"]]:
        name = row["name"].removeprefix("models/")
        told = {"id": name, "object": "model", "owned_by": "google", "provider": "Gemini"}
        ours = models[name].to_dict()
        ours.pop("aliases", None)  # the manifest's
        assert ours == {**row, **told}
    assert [(request.method, request.path) for request in server.requests] == [("GET", "/v1beta/models")] * 2
    assert [request.pairs for request in server.requests] == [
        [("pageSize", "1000")],
        [("pageSize", "1000"), ("pageToken", token)],
    ]


@choose("models")
async def test_each_page_of_models_is_read(exchange: Exchange, server: Loopback) -> None:
    """Every model of a recorded page is in our list."""
    page = {**json.loads(exchange.text), "nextPageToken": ""}
    server.answer = lambda request: Reply(200, exchange.headers, json.dumps(page).encode(), size=37)
    async with _make_client(server) as client:
        models = {model.id for model in await client.models.list()}
    assert {row["name"].removeprefix("models/") for row in page["models"]} <= models


def test_every_recording_is_replayed_or_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The count of what is covered is printed, with the reason for each that is not."""
    arrays = sum(is_array(exchange) for exchange in RECORDINGS.exchanges)
    RECORDINGS.summarize(capsys, f"{arrays} of the streams came as one JSON array")
