"""The provider against a server that was written from the documentation, well and badly behaved."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import g4f
from g4f import AsyncClient
from loopback import STALL, Loopback, Received, Reply, reply_json

KEY = "azure-key-0123456789"
PNG = b"\x89PNG\r\n\x1a\nsmall"
PICTURE = reply_json({"data": [{"b64_json": base64.b64encode(PNG).decode()}]})


def serve(request: Received) -> Reply:
    """Answer as the documentation says."""
    if request.headers.get("api-key") != KEY:
        return reply_json({"error": {"code": "401", "message": "Access denied due to invalid subscription key."}}, 401)
    if request.path == "/mai/v1/images/generations":
        body = request.json
        width, height = body.get("width", 1024), body.get("height", 1024)
        if min(width, height) < 768 or width * height > 1048576:
            return reply_json({"error": {"code": "BadRequest", "message": f"{width}x{height} is no size"}}, 400)
        if not body["model"].startswith("MAI-Image"):
            return reply_json({"error": {"code": "DeploymentNotFound", "message": "No such deployment."}}, 404)
        return PICTURE
    if request.path == "/mai/v1/images/edits" and b'name="image"' in request.body:
        return PICTURE
    return reply_json({"error": {"code": "404", "message": "Resource not found"}}, 404)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that does as documented until a test says otherwise."""
    with Loopback(serve) as server:
        yield server


def make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(**{"provider": "BingCreateImages", "api_key": KEY, "base_url": server.url, **more})


async def test_a_picture_is_drawn_and_saved(server: Loopback, tmp_path: Path) -> None:
    """With the default deployment."""
    async with make_client(server, media_folder=str(tmp_path)) as client:
        images = await client.images.generate("a white siamese cat")
    assert Path(images.data[0].path or "").read_bytes() == PNG
    assert (images.model, images.provider, images.warnings) == ("MAI-Image-2.6", "BingCreateImages", [])


@pytest.mark.parametrize("tail", ["", "/", "/mai/v1/images/generations", "/openai/v1/", "/api/projects/mine"])
async def test_every_form_of_the_address_leads_to_the_service(tail: str, server: Loopback) -> None:
    """With the key in its header, and no other."""
    async with make_client(server, base_url=server.url + tail) as client:
        await client.images.generate("a cat", response_format="b64_json")
    [request] = server.requests
    assert request.path == "/mai/v1/images/generations"
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers


async def test_a_version_is_sent_where_one_is_named(server: Loopback) -> None:
    """And only there: the documentation has none."""
    async with make_client(server, api_version="preview") as client:
        await client.images.generate("a cat", response_format="b64_json")
    async with make_client(server) as client:
        await client.images.generate("a cat", response_format="b64_json")
    assert [request.query for request in server.requests] == ["api-version=preview", ""]


async def test_a_picture_is_changed_from_a_file_and_from_an_address(server: Loopback, tmp_path: Path) -> None:
    """What has an address is fetched without the key; one picture once, however many are drawn."""
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    server.answer = lambda request: (
        Reply(200, {"content-type": "text/plain"}, PNG) if request.method == "GET" else serve(request)
    )
    async with make_client(server) as client:
        await client.images.edit(path, "add a hat", response_format="b64_json")
        await client.images.edit(f"{server.url}/cat", "add a hat", n=2, response_format="b64_json")
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", "/mai/v1/images/edits"),
        ("GET", "/cat"),
        ("POST", "/mai/v1/images/edits"),
        ("POST", "/mai/v1/images/edits"),
    ]
    assert "api-key" not in server.requests[1].headers
    assert all(PNG in server.requests[at].body for at in (0, 2, 3))


async def test_what_came_of_several_is_delivered(server: Loopback) -> None:
    """As where a deployment allows two a minute."""
    count = itertools.count()
    busy = reply_json({"error": {"code": "429", "message": "slower"}}, 429, retry_after="30")
    server.answer = lambda request: serve(request) if next(count) < 2 else busy
    async with make_client(server) as client:
        images = await client.images.generate("a cat", n=4, response_format="b64_json")
    assert len(images.data) == 2
    assert images.warnings == ["2 of 4 images failed: The service answered 429: slower"]
    assert len({request.headers["idempotency-key"] for request in server.requests}) == 4


async def test_a_rate_limit_is_waited_out(server: Loopback) -> None:
    """Where nothing came."""
    replies = iter([reply_json({"error": {"code": "429", "message": "slower"}}, 429, retry_after="0")])
    server.answer = lambda request: next(replies, None) or serve(request)
    async with make_client(server) as client:
        images = await client.images.generate("a cat", response_format="b64_json")
    assert len(images.data) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ({"model": "my-gpt"}, g4f.NotFoundError, "No such deployment"),
        ({"extra_body": {"width": 1}}, g4f.BadRequestError, "1x1024 is no size"),
    ],
)
async def test_what_the_service_refuses_is_said_in_its_words(
    arguments: dict[str, Any], kind: type[g4f.APIStatusError], says: str, server: Loopback
) -> None:
    """Once."""
    async with make_client(server) as client:
        with pytest.raises(kind, match=says):
            await client.images.generate("a cat", **arguments)
    assert len(server.requests) == 1


async def test_a_wrong_key_is_said_and_not_shown(server: Loopback) -> None:
    """Not even where the service echoes it."""
    server.answer = lambda request: reply_json({"error": {"message": f"bad {request.headers['api-key']}"}}, 401)
    async with make_client(server, api_key="wrong-key-987654") as client:
        with pytest.raises(g4f.AuthenticationError) as caught:
            await client.images.generate("a cat")
    assert "987654" not in f"{caught.value} {caught.value.body} {caught.value!r}"


async def test_leaving_hangs_up_on_all_that_is_under_way(server: Loopback) -> None:
    """And begins nothing more."""
    server.answer = lambda request: Reply(200, {}, [b"{", STALL])
    async with make_client(server) as client:
        drawing = asyncio.create_task(client.images.generate("a cat", n=6))
        assert await asyncio.to_thread(server.wait_until, lambda: len(server.requests) == 4)
        drawing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drawing
        assert await asyncio.to_thread(server.wait_until, lambda: len(server.hang_ups) == 4)
    assert len(server.requests) == 4


async def test_the_models_are_those_of_the_manifest(server: Loopback) -> None:
    """The service has no list to ask for."""
    async with make_client(server) as client:
        models = [model.id for model in await client.models.list()]
    assert "MAI-Image-2.5-Pro" in models
    assert server.requests == []
