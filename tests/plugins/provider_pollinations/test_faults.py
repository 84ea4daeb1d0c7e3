"""The provider against a server that was written from the documentation, well and badly behaved."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import g4f
from g4f import AsyncClient
from loopback import CUT, Loopback, Received, Reply, make_chunk, make_completion, reply_events, reply_json

KEY = "sk_pollinations-0123456789"
JPEG = b"\xff\xd8\xff\xe0 a cat"
MODELS = {
    "object": "list",
    "data": [
        {"id": "openai/gpt-5.4-nano", "object": "model", "created": 1, "supported_endpoints": ["/v1/chat/completions"]},
        {"id": "flux", "object": "model", "created": 1, "output_modalities": ["image"]},
    ],
}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def refuse(status: int, code: str, **headers: str) -> Reply:
    error = {"code": code, "message": "Because.", "timestamp": "2026-11-21T00:00:00Z", "requestId": "req-1"}
    return reply_json({"status": status, "success": False, "error": error}, status, **headers)


def serve(request: Received) -> Reply:
    """Answer as the documentation says; the list of models is public."""
    if request.path == "/v1/models":
        return reply_json(MODELS)
    if request.headers.get("authorization") != f"Bearer {KEY}":
        return refuse(401, "UNAUTHORIZED")
    if request.path in ("/v1/images/generations", "/v1/images/edits"):
        if request.json.get("n", 1) != 1:
            return refuse(400, "BAD_REQUEST")
        # A picture is kept by what was asked: the same request brings the same picture.
        picture = JPEG + json.dumps(request.json, sort_keys=True).encode()
        return reply_json({"created": 1, "data": [{"b64_json": base64.b64encode(picture).decode()}]})
    if request.path == "/v1/chat/completions":
        return chat(request.json)
    return refuse(404, "NOT_FOUND")


def chat(body: dict[str, Any]) -> Reply:
    if body.get("stream"):
        usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
        return reply_events(make_chunk("This is "), make_chunk("a test"), make_chunk(None, "stop"), usage)
    answer = make_completion(model=body["model"])
    if "tools" in body:
        answer["choices"][0] = {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    return reply_json(answer)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that does as documented until a test says otherwise."""
    with Loopback(serve) as server:
        yield server


def make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(**{"provider": "Pollinations", "api_key": KEY, "base_url": f"{server.url}/v1", **more})


async def test_a_picture_is_drawn_and_saved(server: Loopback, tmp_path: Path) -> None:
    """With the model that the service itself would choose."""
    async with make_client(server, media_folder=str(tmp_path)) as client:
        images = await client.images.generate("a white siamese cat")
    path = Path(images.data[0].path or "")
    assert path.read_bytes().startswith(JPEG)
    assert path.suffix == ".jpg"
    assert (images.model, images.warnings) == ("flux", [])
    [request] = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "white" not in request.path + request.query


async def test_several_pictures_differ(server: Loopback) -> None:
    """Though the service keeps what it drew: their seeds do, from its default on or from the user's."""
    async with make_client(server) as client:
        images = await client.images.generate("a cat", n=4, response_format="b64_json")
        assert len({image.b64_json for image in images.data}) == 4
        assert sorted(request.json["seed"] for request in server.requests) == [0, 1, 2, 3]
        server.requests.clear()
        await client.images.generate("a cat", n=2, response_format="b64_json", provider_options={"seed": 42})
    assert sorted(request.json["seed"] for request in server.requests) == [42, 43]


async def test_the_pictures_that_came_are_delivered(server: Loopback) -> None:
    """And a warning tells of the others."""
    count = itertools.count()
    server.answer = lambda request: refuse(402, "PAYMENT_REQUIRED") if next(count) == 1 else serve(request)
    async with make_client(server) as client:
        images = await client.images.generate("a cat", n=3, response_format="b64_json")
    assert len(images.data) == 2
    assert images.warnings == ["1 of 3 images failed: The service answered 402: Because."]


async def test_a_picture_is_changed(server: Loopback) -> None:
    """With a model that can; what has an address is fetched by the service."""
    async with make_client(server) as client:
        images = await client.images.edit([JPEG, "https://example.org/hat.png"], "the hat", response_format="b64_json")
    [request] = server.requests
    assert images.model == "kontext"
    assert request.path == "/v1/images/edits"
    assert [image["image_url"][:23] for image in request.json["image"]] == [
        "data:image/jpeg;base64,",
        "https://example.org/hat",
    ]


async def test_a_chat_is_openais(server: Loopback) -> None:
    """Whole, streamed, with a tool and with a picture."""
    async with make_client(server) as client:
        whole = await client.chat.completions.create("Say this is a test")
        streamed = [chunk async for chunk in client.chat.completions.stream("Say this is a test")]
        called = await client.chat.completions.create("Look", tools=[TOOL])
        await client.chat.completions.create("What is this?", "openai/gpt-5.4-nano", image=JPEG)
    assert (whole.choices[0].message.content, whole.model) == ("This is a test", "openai")
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices) == "This is a test"
    assert called.choices[0].message.tool_calls[0].function.name == "look"
    last = server.requests[-1].json
    assert last["model"] == "openai/gpt-5.4-nano"
    assert last["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


async def test_a_stream_that_is_cut_is_told(server: Loopback) -> None:
    """With what came."""
    server.answer = lambda request: reply_events(make_chunk("This"), end=(CUT,))
    async with make_client(server, max_retries=0) as client:
        with pytest.raises(g4f.StreamTruncatedError) as caught:
            async for _ in client.chat.completions.stream("Hi"):
                pass
    assert caught.value.partial == "This"


async def test_the_live_models_are_merged_with_the_manifests(server: Loopback) -> None:
    """Each once."""
    async with make_client(server) as client:
        models = [model.id for model in await client.models.list()]
    assert {"openai/gpt-5.4-nano", "flux", "openai", "kontext"} <= set(models)
    assert len(models) == len(set(models))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (402, "PAYMENT_REQUIRED", g4f.PaymentRequiredError),
        (403, "FORBIDDEN", g4f.PermissionDeniedError),
        (400, "BAD_REQUEST", g4f.BadRequestError),
    ],
)
async def test_what_the_service_refuses_is_said_once(
    status: int, code: str, kind: type[g4f.APIStatusError], server: Loopback
) -> None:
    """With the id of the request."""
    server.answer = lambda request: refuse(status, code)
    async with make_client(server) as client:
        with pytest.raises(kind) as caught:
            await client.images.generate("a cat")
        with pytest.raises(kind):
            await client.chat.completions.create("Hi")
    assert (caught.value.code, caught.value.request_id) == (code, "req-1")
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_what_may_pass_is_repeated_as_it_was(status: int, server: Loopback) -> None:
    """The service then gives the picture that it was drawing, and charges once."""
    replies = iter([refuse(status, "X", retry_after="0")])
    server.answer = lambda request: next(replies, None) or serve(request)
    async with make_client(server) as client:
        await client.images.generate("a cat", response_format="b64_json")
    first, second = server.requests
    assert first.body == second.body


async def test_a_wrong_key_is_said_and_not_shown(server: Loopback) -> None:
    """Not even where the service echoes it."""
    server.answer = lambda request: reply_json({"error": {"message": request.headers["authorization"]}}, 401)
    async with make_client(server, api_key="sk_wrong-987654") as client:
        with pytest.raises(g4f.AuthenticationError) as caught:
            await client.images.generate("a cat")
    assert "987654" not in f"{caught.value} {caught.value.body} {caught.value!r}"
