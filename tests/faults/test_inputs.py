"""What users, or those whose texts they pass on, may hand in: odd characters, odd pictures, names with paths."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

import g4f
from faults.table import CHAT, DRAWING, WAYS, Way
from faults.trial import PROVIDERS
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import PICTURE
from g4f_testkit.server import Server

ODD = {
    "half of a pair": "a\ud800b",
    "the other half": "\udc00",
    "NUL": "a\x00b",
    "control characters": "\x01\x1f\x7f\x9f",
    "line separators": "a\u2028b\u2029c\u0085",
    "a byte-order mark": "\ufeffa",
    "what is no character": "\uffff\U0010ffff",
}
PATHS = ["../../etc/passwd", "/etc/passwd", "a/b", "..", "C:\\x", "OpenaiChat/../Gemini", "OpenaiChat\x00", "", " "]


def make_client(server: Server, dialect: str, **options: Any) -> g4f.AsyncClient:
    """A client of the server."""
    provider, path = PROVIDERS[dialect]
    return g4f.AsyncClient(provider=provider, api_key="sk-1", base_url=server.url + path, max_retries=0, **options)


async def ask(client: g4f.AsyncClient, way: Way, text: str) -> None:
    """Ask for an answer of that kind."""
    if way == "pictures":
        await client.images.generate(text, response_format="b64_json")
    elif way == "vectors":
        await client.embeddings.create(text)
    elif way == "streamed":
        async for _ in client.chat.completions.stream(text):
            pass
    else:
        await client.chat.completions.create(text)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_characters_of_a_prompt_arrive(text: str, dialect: str) -> None:
    """As they are; half of a surrogate pair, which UTF-8 cannot hold, as the escape that JSON has for it."""
    ways = WAYS if dialect in DRAWING else CHAT
    with Server(DIALECTS[dialect]) as server:
        async with make_client(server, dialect) as client:
            for way in ways:
                await ask(client, way, text)
    assert [asked.texts for asked in server.asked] == [(text,)] * len(ways)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("image", "says"),
    [
        (b"<!doctype html>", "is no png, jpeg, gif or webp picture"),
        (b"", "it is empty"),
        ("data:image/png;base64,PCFkb2N0eXBl", "is no png, jpeg, gif or webp picture"),
        ("data:image/png;base64,%%%", "base64 is broken"),
        ("file:///etc/passwd", "cannot be read"),
        (PICTURE + bytes(33 * 2**20), "is larger than"),
        ("nowhere/../x.png", "cannot be read"),
    ],
    ids=["a page", "nothing", "a page as data", "no base64", "a file's URL", "too large", "no file"],
)
async def test_a_picture_that_is_none_is_refused_before_anything_is_sent(image: Any, says: str, dialect: str) -> None:
    """In one sentence."""
    with Server(DIALECTS[dialect]) as server:
        async with make_client(server, dialect) as client:
            with pytest.raises(g4f.InvalidInputError, match=says):
                await client.chat.completions.create("Hi", image=image)
    assert not server.requests


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_type_that_lies_is_put_right(dialect: str) -> None:
    """What the bytes say is sent."""
    lie = f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}"
    with Server(DIALECTS[dialect]) as server:
        async with make_client(server, dialect) as client:
            await client.chat.completions.create("Hi", image=lie)
    assert server.asked[0].pictures == (PICTURE,)
    assert b"image/jpeg" not in server.requests[0].body
    assert b"image/png" in server.requests[0].body


@pytest.mark.parametrize("name", PATHS)
async def test_a_providers_name_with_a_path_in_it_leads_nowhere(name: str, tmp_path: Path) -> None:
    """There is no such provider, and nobody looks for a file."""
    async with g4f.AsyncClient(media_folder=str(tmp_path)) as client:
        with pytest.raises((g4f.ProviderNotFoundError, g4f.InvalidInputError)):
            await client.chat.completions.create("Hi", provider=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dialect", DRAWING)
async def test_what_comes_from_outside_is_in_no_files_name(dialect: str, tmp_path: Path) -> None:
    """Neither the prompt nor the model."""
    with Server(DIALECTS[dialect]) as server:
        async with make_client(server, dialect, media_folder=str(tmp_path / "pictures")) as client:
            images = await client.images.generate("../../prompt", "gemini-nano-banana-2.1")
            await client.images.generate("/etc/prompt\x00", "gpt-image-2")
    assert images.data[0].path is not None
    assert Path(images.data[0].path).parent == tmp_path / "pictures"
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
