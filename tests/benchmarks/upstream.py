"""The service that is measured against: canned bytes on 127.0.0.1, too cheap to be the bottleneck.

The first part of a path says what is answered: `/plain/v1/…`, `/chunks-5000/v1/…`, `/hold/v1/…`, `/image/v1/…`. `GET
/usage` tells what the service itself has cost so far. Run as a program it prints its origin and serves until its input
ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import resource
import sys
from functools import cache
from typing import Any

IMAGE_BYTES = 4 * 2**20
ANSWER = "Berlin is the capital of Germany, and its largest city by area and by population."
WORDS = ("The", " quick", " brown", " fox", " jumps", " over", " the", " lazy", " dog", ".", " Größe", " 🦊")
_HEAD = (
    "HTTP/1.1 200 OK\r\ndate: Fri, 02 Jan 2026 03:04:05 GMT\r\nserver: bench\r\ncontent-type: {}\r\n"
    "x-request-id: req_0123456789abcdef\r\n{}\r\n\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def make_text(chunks: int) -> str:
    """Return what a stream of so many chunks says."""
    return "".join(WORDS[at % len(WORDS)] for at in range(chunks))


@cache
def make_picture() -> bytes:
    """Return a picture of `IMAGE_BYTES`; only its first bytes are those of one."""
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * (IMAGE_BYTES // 256)


def _reply(body: bytes, content_type: str = "application/json") -> bytes:
    return _HEAD.format(content_type, f"content-length: {len(body)}").encode() + body


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _make_event(text: str | None, finish_reason: str | None = None) -> bytes:
    """Return one event in a chunk of its own, as services send them."""
    event = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1767323045,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [
            {
                "index": 0,
                "delta": {"content": text} if text is not None else {},
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        ],
    }
    return _frame(b"data: %s\n\n" % json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())


@cache
def _make_events() -> tuple[bytes, ...]:
    return tuple(map(_make_event, WORDS))


@cache
def make_stream_head() -> bytes:
    """Return the head of a stream and its first event, which has no content."""
    return _HEAD.format("text/event-stream; charset=utf-8", "transfer-encoding: chunked").encode() + _make_event("")


@cache
def make_stream(chunks: int) -> bytes:
    """Return a whole answer of so many chunks with content."""
    events = _make_events()
    body = b"".join(events[at % len(events)] for at in range(chunks))
    return make_stream_head() + body + _make_event(None, "stop") + _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n"


@cache
def make_completion() -> bytes:
    """Return a whole answer."""
    completion = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1767323045,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 19,
            "completion_tokens": 17,
            "total_tokens": 36,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }
    return _reply(json.dumps(completion, separators=(",", ":")).encode())


@cache
def make_image() -> bytes:
    """Return an answer with one picture."""
    image = {"created": 1767323045, "data": [{"b64_json": base64.b64encode(make_picture()).decode()}]}
    return _reply(json.dumps(image, separators=(",", ":")).encode())


class Service(asyncio.Protocol):
    """One connection. Requests come one after the other and with a length, as every client here sends them."""

    def __init__(self) -> None:
        self._head = b""
        self._path = ""
        self._left = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._path = head.split(b" ", 2)[1].decode()
            length = _LENGTH.search(head)
            self._left = (int(length[1]) if length else 0) - len(body)
            self._head = b""
        if not self._left:
            self._answer("models" if self._path.endswith("/models") else self._path.split("/")[1])

    def _answer(self, scenario: str) -> None:
        if scenario == "plain":
            self._transport.write(make_completion())
        elif scenario == "image":
            self._transport.write(make_image())
        elif scenario == "models":  # some ask for them first
            self._transport.write(_reply(b'{"object":"list","data":[{"id":"gpt-4o-mini"},{"id":"gpt-image-1"}]}'))
        elif scenario == "hold":
            self._transport.write(make_stream_head() + _make_events()[0])
        elif scenario == "usage":
            used = resource.getrusage(resource.RUSAGE_SELF)
            self._transport.write(_reply(str(used.ru_utime + used.ru_stime).encode()))
        else:
            self._transport.write(make_stream(int(scenario.removeprefix("chunks-"))))


async def serve() -> None:
    """Serve until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Service, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve on a fast event loop where one is installed."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
