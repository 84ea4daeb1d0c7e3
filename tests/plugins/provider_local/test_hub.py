from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from g4f_provider_local.catalogue import HubSource
from g4f_provider_local.hub import build_url, fetch_from_hub
from g4f_provider_local.partial import PartialFile, SourceError
from loopback import CUT, Loopback, Piece, Received, Reply
from plugins.provider_local.tiny import DATA

SOURCE = HubSource("maker/model", "tiny.gguf")


def serve_ranges(data: bytes, *, cut_after: int | None = None) -> Callable[[Received], Reply]:
    """Answer as a hub does; the connection breaks after `cut_after` bytes of each answer."""

    def answer(request: Received) -> Reply:
        start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        rest = data[start:]
        headers = {"content-length": str(len(rest))}
        if start:
            headers["content-range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        body: list[Piece] = [rest] if cut_after is None or len(rest) <= cut_after else [rest[:cut_after], 0.2, CUT]
        return Reply(206 if start else 200, headers, body, framing="length")

    return answer


async def fetch(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Fetch `DATA` from a server into a folder, and return what is there afterwards."""
    monkeypatch.setenv("HF_ENDPOINT", url)
    part = folder / "part"
    try:
        with PartialFile(part, len(DATA)) as partial:
            await fetch_from_hub(SOURCE, partial, lambda more, note: None)
    finally:
        fetched = part.read_bytes() if part.exists() else b""
    return fetched


def test_the_address_is_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror can be named."""
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert build_url(SOURCE) == "https://huggingface.co/maker/model/resolve/main/tiny.gguf"
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror/")
    assert build_url(SOURCE) == "http://mirror/maker/model/resolve/main/tiny.gguf"


async def test_the_whole_file_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one request, uncompressed."""
    with Loopback(serve_ranges(DATA)) as server:
        assert await fetch(tmp_path, server.url, monkeypatch) == DATA
        assert [request.headers["accept-encoding"] for request in server.requests] == ["identity"]


async def test_a_fetch_goes_on_where_an_earlier_one_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is not sent again."""
    (tmp_path / "part").write_bytes(DATA[:1000])
    with Loopback(serve_ranges(DATA)) as server:
        assert await fetch(tmp_path, server.url, monkeypatch) == DATA
        assert [request.headers["range"] for request in server.requests] == ["bytes=1000-"]


async def test_a_broken_connection_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as each try brings something."""
    with Loopback(serve_ranges(DATA, cut_after=len(DATA) // 2)) as server:
        assert await fetch(tmp_path, server.url, monkeypatch) == DATA
        assert len(server.requests) == 2


async def test_what_came_before_the_last_break_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the next try, from whatever source."""
    broken = pytest.raises(SourceError, match="the connection broke again and again")
    with Loopback(serve_ranges(DATA, cut_after=1000)) as server, broken:
        await fetch(tmp_path, server.url, monkeypatch)
    assert (tmp_path / "part").read_bytes() == DATA[:3000]


async def test_a_server_that_begins_anew_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every server knows how to send the rest of a file."""
    (tmp_path / "part").write_bytes(b"something else")
    with Loopback(Reply(200, {}, DATA, framing="length")) as server:
        assert await fetch(tmp_path, server.url, monkeypatch) == DATA


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(200, {}, b"<html>Please log in</html>", framing="length"), "a file of 26 bytes, and not of 1048576"),
        (Reply(404, {}, b"no such file", framing="length"), "it answers 404"),
        (Reply(206, {"content-range": "bytes 5-9/10"}, b"56789", framing="length"), "another piece than was asked"),
        (Reply(200, {}, [DATA, b"and more"]), "more bytes than the file has"),
    ],
)
async def test_another_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: Reply, message: str
) -> None:
    """A captive portal's page, an error, another piece, a longer file."""
    with Loopback(reply) as server, pytest.raises(SourceError, match=message):
        await fetch(tmp_path, server.url, monkeypatch)


async def test_a_hub_out_of_reach_is_given_up_after_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf_address: str
) -> None:
    """One whose address swallows every attempt to connect."""
    started = time.monotonic()
    with pytest.raises(SourceError, match="no connection within 5 s"):
        await fetch(tmp_path, deaf_address, monkeypatch)
    assert time.monotonic() - started > 4


async def test_a_refused_connection_is_given_up_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there."""
    with Loopback(Reply()) as server:
        url = server.url
    with pytest.raises(SourceError, match="no connection"):
        await fetch(tmp_path, url, monkeypatch)


async def test_the_environments_proxy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is asked through it."""
    with Loopback(serve_ranges(DATA)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert await fetch(tmp_path, "http://hub.invalid", monkeypatch) == DATA
        assert proxy.requests[0].path.startswith("http://hub.invalid/maker/model")
