"""A service on 127.0.0.1 that numbers every chunk, so that its reader can tell what was lost, doubled or altered.

The question says what is wanted: `count STREAM CHUNKS FAULT`, where -1 chunks are a stream without end and FAULT says
what comes after the chunks in place of the end. It streams in OpenAI's, Anthropic's and Gemini's dialect, and answers
whole in OpenAI's. `GET /state` tells what it sees of its clients, `GET /open/STREAM` whether one still listens. Run as
a program it prints its origin and serves until its input ends; `run_service` does so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import ProxyHandler, build_opener

import attrs

ENDLESS: Final = -1
TURNS: Final = 10  # of an event loop: in so many it has done what it had to do, and what came of that
FAULTS: Final = ("cut", "reset", "stall", "broken", "unended", "error")
SPOILS: Final = ("lost", "doubled", "altered")
# What the chunks say besides their numbers: escapes, characters of many bytes, and what only looks like a line's end.
_FILL = ("", "the fox", "Größe", "🦊🦊", 'a "b" \\c', "one\ntwo\r\n", "日本語", "\u2028a\x85b", "x" * 60)
_ASKED = re.compile(rb"count (\d+) (-?\d+) (\w+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%s\r\n\r\n"


def write_question(stream: int, chunks: int = 0, fault: str = "none") -> str:
    """Return what to ask for: a stream of so many chunks, or as a whole the stream's number."""
    return f"count {stream} {chunks} {fault}"


def make_word(stream: int, index: int) -> str:
    """Return what one chunk of a stream says."""
    return f"{stream}:{index}:{_FILL[(stream + index) % len(_FILL)]} "


@attrs.frozen
class Dialect:
    """How a stream is written: what comes before its chunks, around the text of each, after them, and as an error."""

    begin: bytes
    before: bytes
    after: bytes
    end: bytes
    error: bytes

    def write(self, word: str) -> bytes:
        """Return one chunk."""
        return b"%s%s%s" % (self.before, json.dumps(word, ensure_ascii=len(word) % 2 == 0).encode(), self.after)


OPENAI = Dialect(
    b': hello\n\ndata: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}\n\n',
    b'data: {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": ',
    b'}, "finish_reason": null}]}\n\n',
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n',
    b'data: {"error": {"message": "Broken.", "type": "server_error", "code": null}}\n\n',
)
ANTHROPIC = Dialect(
    b'event: message_start\ndata: {"type": "message_start", "message": {"id": "msg_1", "type": "message", '
    b'"role": "assistant", "content": [], "model": "claude", "usage": {"input_tokens": 1, "output_tokens": 1}}}\n\n'
    b'event: content_block_start\ndata: {"type": "content_block_start", "index": 0, '
    b'"content_block": {"type": "text", "text": ""}}\n\n',
    b"event: content_block_delta\n"
    b'data: {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ',
    b"}}\n\n",
    b'event: content_block_stop\ndata: {"type": "content_block_stop", "index": 0}\n\n'
    b'event: message_delta\ndata: {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, '
    b'"usage": {"output_tokens": 9}}\n\n'
    b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
    b'event: error\ndata: {"type": "error", "error": {"type": "api_error", "message": "Broken."}}\n\n',
)
GEMINI = Dialect(
    b"",
    b'data: {"candidates": [{"content": {"role": "model", "parts": [{"text": ',
    b'}]}, "index": 0}]}\r\n\r\n',
    b'data: {"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP", '
    b'"index": 0}], "usageMetadata": {"promptTokenCount": 1}}\r\n\r\n',
    b'data: {"error": {"code": 500, "message": "Broken.", "status": "INTERNAL"}}\r\n\r\n',
)
_BROKEN = b'data: {"choices": [{"ind\n\n'


@attrs.frozen
class Manner:
    """How the service serves: mean seconds between two writes, most chunks in one, and what it does wrong itself."""

    pause: float = 0.25
    burst: int = 6
    spoil: str = ""

    def list_indexes(self, index: int) -> tuple[int, ...]:
        """The chunks that are written where `index` should be."""
        if index != 3 or self.spoil in ("", "altered"):
            return (index,)
        return () if self.spoil == "lost" else (index, index)

    def make_word(self, stream: int, index: int) -> str:
        """What is written as a chunk."""
        word = make_word(stream, index)
        return word.replace(":", ";") if index == 3 and self.spoil == "altered" else word


@attrs.define(eq=False)
class Service:
    """What all connections share.

    Attributes:
        streams: How many streams were asked for.
        chunks: How many chunks were written.
        open: The numbers of the streams that are not over.
        hang_ups: When (`time.monotonic()`) clients left streams that were not over, by the stream's number.
    """

    manner: Manner
    dice: random.Random = attrs.field(factory=lambda: random.Random(20))
    connections: set[Connection] = attrs.field(factory=set)
    streams: int = 0
    chunks: int = 0
    open: set[int] = attrs.field(factory=set)
    hang_ups: dict[int, float] = attrs.field(factory=dict)

    def describe(self) -> bytes:
        """Tell all that, and how many connections are open besides the one that asks."""
        told = {name: getattr(self, name) for name in ("streams", "chunks", "hang_ups")}
        return json.dumps({"connections": len(self.connections) - 1, **told}).encode()


class Connection(asyncio.Protocol):
    """One client. It sends one request after the other, each with its length."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""
        self._waiting = b""  # the end of what was written last: so reads end in the middle of anything
        self._timer: asyncio.TimerHandle | None = None
        self._streaming = self._is_full = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._service.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._service.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._streaming:
            self._service.open.discard(self._stream)
            self._service.hang_ups[self._stream] = time.monotonic()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not separator or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        asked = _ASKED.search(body)
        if path.startswith(b"/open/"):
            self._tell_open(int(path[6:]))
            return
        if asked is None:
            self._send_whole(self._service.describe())
            return
        self._stream, self._chunks, self._fault = int(asked[1]), int(asked[2]), asked[3].decode()
        self._dialect = ANTHROPIC if b"/messages" in path else GEMINI if b"Content" in path else OPENAI
        if b'"stream":true' in body.replace(b" ", b"") or b":stream" in path:
            self._begin()
        else:
            message = {"role": "assistant", "content": str(self._stream)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send_whole(json.dumps({"id": "chatcmpl-1", "choices": [choice]}).encode())

    def _tell_open(self, stream: int, turns: int = TURNS) -> None:
        """Look at what came before the question, on other connections too, and answer then."""
        if turns:
            asyncio.get_running_loop().call_soon(self._tell_open, stream, turns - 1)
        else:
            self._send_whole(json.dumps(stream in self._service.open).encode())

    def _send_whole(self, body: bytes) -> None:
        self._transport.write(_HEAD % (b"application/json", b"content-length: %d" % len(body)) + body)

    def _begin(self) -> None:
        self._service.streams += 1
        self._streaming, self._index = True, 0
        self._service.open.add(self._stream)
        self._waiting = _HEAD % (b"text/event-stream", b"transfer-encoding: chunked") + _frame(self._dialect.begin)
        self._set_timer()

    def _set_timer(self) -> None:
        pause = self._service.manner.pause
        seconds = pause * self._service.dice.uniform(0.5, 1.5)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        if self._index == self._chunks:
            self._end()
            return
        if not self._is_full:
            self._write(b"".join(self._make_burst()))
        self._set_timer()

    def _make_burst(self) -> Iterator[bytes]:
        manner = self._service.manner
        until = self._index + self._service.dice.randint(1, manner.burst)
        until = until if self._chunks == ENDLESS else min(until, self._chunks)
        for index in range(self._index, until):
            for real in manner.list_indexes(index):
                self._service.chunks += 1
                yield _frame(self._dialect.write(manner.make_word(self._stream, real)))
        self._index = until

    def _write(self, data: bytes) -> None:
        data = self._waiting + data
        cut = len(data) - self._service.dice.randint(0, 80)
        self._waiting = data[cut:] if cut > 0 else b""
        self._transport.write(data[:cut] if cut > 0 else data)

    def _end(self) -> None:
        """Write what follows the chunks."""
        self._transport.write(self._waiting)
        self._waiting = b""
        if self._fault == "stall":
            return
        self._streaming = False
        self._service.open.discard(self._stream)
        if self._fault == "reset":
            linger = struct.pack("ii", 1, 0)  # closing resets
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if self._fault in ("cut", "reset"):
            self._transport.close()
            return
        last = {"broken": _BROKEN, "unended": b"", "error": self._dialect.error}.get(self._fault, self._dialect.end)
        self._transport.write(_frame(last) + b"0\r\n\r\n")

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


async def _serve(manner: Manner) -> None:
    loop, service = asyncio.get_running_loop(), Service(manner)
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


def allow_many_files() -> None:
    """Let this process open as many files as the system lets it."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))


@contextmanager
def run_service(manner: Manner = Manner()) -> Iterator[str]:
    """Run the service in a process of its own, which Ctrl-C does not reach, and give its origin."""
    options = [f"--{name}={value}" for name, value in attrs.asdict(manner).items()]
    command = [sys.executable, __file__, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def read_state(origin: str) -> dict[str, Any]:
    """Ask the service what it sees; see `Service`."""
    with build_opener(ProxyHandler({})).open(f"{origin}/state") as answer:
        state: dict[str, Any] = json.load(answer)
    state["hang_ups"] = {int(stream): when for stream, when in state["hang_ups"].items()}
    return state


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    for field in attrs.fields(Manner):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    allow_many_files()
    asyncio.run(_serve(Manner(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
