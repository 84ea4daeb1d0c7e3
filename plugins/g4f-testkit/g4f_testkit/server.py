"""A service on 127.0.0.1 that says what a script tells it to, and misbehaves on demand.

It runs in a thread of its own, so that it serves whoever asks: asyncio, threads, other programs. By hand:
`python -m g4f_testkit.server --dialect openai`. What is said is left to dialects, what goes wrong to `faults.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import threading
from contextlib import suppress
from typing import Self

import attrs

from g4f import G4FError
from g4f_testkit.dialect import Asked, Dialect
from g4f_testkit.dialects import load_dialect
from g4f_testkit.faults import FAULTS
from g4f_testkit.http import CUT, Delivery, Reply, Request, Step, cut_pieces, deliver, read_request, reply_json
from g4f_testkit.script import PICTURE, Failure, Turn

PICTURE_PATH = "/g4f-testkit/picture.png"
FAULT_HEADER = "x-g4f-fault"
_STATUS = "status-"


class Server:
    """The server; use it with `with`, from any thread.

    Args:
        dialect: What it speaks.
        turns: What it says, one a request; the last again and again.
        port: Where it listens; 0 takes any that is free.

    Attributes:
        url: Its origin.
        requests: What it received, in order.
        asked: What those requests asked that its dialect understands.
        hang_ups: How many clients closed a connection before the answer was complete.
        sent: How many bytes it has sent.
        answered: How many answers went out to their end.
        failures: What its dialect raised.
    """

    def __init__(self, dialect: Dialect, *turns: Turn, port: int = 0) -> None:
        self.dialect = dialect
        self._port = port
        self.url = ""
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="g4f-testkit", daemon=True)
        self._ready = threading.Event()
        self.play(*turns)

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def play(self, *turns: Turn) -> None:
        """Forget what was, and give these turns, one a request; the last again and again."""
        self._turns = list(turns) or [Turn()]
        self._turn = self._turns[0]
        self.failures: list[Exception] = []
        self.requests: list[Request] = []
        self.asked: list[Asked] = []
        self.hang_ups = 0
        self.sent = 0
        self.answered = 0

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", self._port))  # here, where the caller sees that it is taken
        self._loop = asyncio.new_event_loop()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await self._loop.create_server(self._make_protocol, sock=self._socket)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for _ in range(10):  # turns in which those begin that were accepted last: only what has begun can be ended
            await asyncio.sleep(0)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _make_protocol(self) -> asyncio.StreamReaderProtocol:
        reader = Reader(loop=self._loop)
        return asyncio.StreamReaderProtocol(reader, lambda _, writer: self._connect(reader, writer), loop=self._loop)

    async def _connect(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._connections.add(task)
        # asyncio does so only for sockets that it made itself; else each small piece may wait for the one before.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                if not await self._deliver(self._answer(request), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _answer(self, request: Request) -> Delivery:
        try:
            return self._play_turn(request)
        except Exception as error:  # noqa: BLE001 - the author of a dialect must see whatever it raises
            self.failures.append(error)
            return deliver(reply_json({"error": {"message": f"The dialect failed: {error!r}"}}, 500))

    def _play_turn(self, request: Request) -> Delivery:
        if request.path == PICTURE_PATH:
            return show_picture(request)
        asked = self.dialect.read_request(request)
        if asked is None:
            text = f"There is no {request.method} {request.path} in this dialect."
            return deliver(reply_json({"error": {"message": text}}, 404))
        if asked.opens:
            return deliver(self.dialect.write_answer(asked, Turn(), request))
        if not asked.follows:
            self.asked.append(asked)
            self._turn = choose_turn(self._take_turn(), asked, request)
        turn = self._turn
        reply = attrs.evolve(write_reply(self.dialect, asked, turn, request), origin=request.origin)
        delivery = FAULTS[turn.fault](reply) if turn.fault else deliver(reply)
        return attrs.evolve(delivery, steps=cut_pieces(delivery.steps, turn.size)) if turn.size else delivery

    def _take_turn(self) -> Turn:
        return self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]

    async def _deliver(self, delivery: Delivery, reader: Reader, writer: asyncio.StreamWriter) -> bool:
        """Send an answer and tell whether the connection may be used again."""
        try:
            for step in delivery.steps:
                if step == CUT:
                    writer.transport.abort()
                    return False
                await self._take_step(step, reader, writer)
                if reader.hung_up.is_set():
                    self.hang_ups += 1
                    return False
            await writer.drain()
        except ConnectionError:
            self.hang_ups += 1
            return False
        self.answered += 1
        return delivery.keep

    async def _take_step(self, step: Step, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """Send bytes, or wait as long as the client is there."""
        if isinstance(step, bytes):
            writer.write(step)
            self.sent += len(step)
            await writer.drain()
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(None if isinstance(step, str) else step):
                await reader.hung_up.wait()


class Reader(asyncio.StreamReader):
    """A stream that tells, beside what came, when the client hung up; reading would take bytes of its next request."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.hung_up = asyncio.Event()

    def feed_eof(self) -> None:
        """Note that the client says no more."""
        super().feed_eof()
        self.hung_up.set()

    def set_exception(self, exc: Exception) -> None:
        """Note that the connection broke."""
        super().set_exception(exc)
        self.hung_up.set()


def show_picture(request: Request) -> Delivery:
    """Return the picture that the server shows; its URL's `fault`, or the header, says what goes wrong with it."""
    reply = Reply(200, {"content-type": "image/png"}, (PICTURE,), origin=request.origin)
    fault = FAULTS.get(request.query.get("fault") or request.headers.get(FAULT_HEADER, ""), deliver)
    return fault(reply)


def choose_turn(turn: Turn, asked: Asked, request: Request) -> Turn:
    """Return the script's turn, or the one that a header or the model's name asks for: a fault, `status-429`."""
    for name in (request.headers.get(FAULT_HEADER, ""), asked.model):
        if name in FAULTS:
            return attrs.evolve(turn, fault=name)
        if name.startswith(_STATUS) and name.removeprefix(_STATUS).isdigit():
            return attrs.evolve(turn, failure=Failure(int(name.removeprefix(_STATUS))))
    return turn


def write_reply(dialect: Dialect, asked: Asked, turn: Turn, request: Request) -> Reply:
    """Return the answer as the dialect has it."""
    failure, streams = turn.failure, asked.stream != turn.swapped
    if failure is not None and not (failure.in_stream and streams):
        reply = dialect.write_error(failure)
        status = 200 if failure.in_stream else reply.status
        return attrs.evolve(reply, status=status, headers={**reply.headers, **failure.headers})
    return dialect.write_stream(asked, turn) if streams else dialect.write_answer(asked, turn, request)


def main(arguments: list[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m g4f_testkit.server", description="A service that misbehaves.")
    parser.add_argument("--dialect", default="openai", help="openai, anthropic, gemini, or path.py:Class")
    parser.add_argument("--port", type=int, default=0, help="where to listen; else any that is free")
    parser.add_argument("--list-faults", action="store_true", help="name what can go wrong, and end")
    given = parser.parse_args(arguments)
    if given.list_faults:
        for name, fault in FAULTS.items():
            print(f"{name:30} {fault.__doc__}")
        return
    if not 0 <= given.port < 2**16:
        parser.error(f"port {given.port} cannot be used: it must be a number from 0 to 65535")
    try:
        dialect = load_dialect(given.dialect)
    except G4FError as error:
        parser.error(str(error))
    try:
        with Server(dialect, port=given.port) as server, suppress(KeyboardInterrupt):
            print(server.url, flush=True)
            threading.Event().wait()
    except OSError as error:
        parser.error(f"port {given.port} cannot be used: {error}")


if __name__ == "__main__":
    main()
