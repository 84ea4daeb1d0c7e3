import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from g4f.resolver import Resolver, look_up
from loopback import Loopback, reply_json

ON_BOTH_LOOPS = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
Answers = Callable[[str], list[Any]]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], list[str]]:
    """Puts a function in the place of the system's look-up; what is asked of it is kept."""

    def put(answer: Answers) -> list[str]:
        asked: list[str] = []

        def ask(host: str, *_: Any, **hints: Any) -> list[Any]:
            asked.append(host)
            return answer(host)

        monkeypatch.setattr(socket, "getaddrinfo", ask)
        return asked

    return put


def write_address(address: str, port: int) -> tuple[Any, ...]:
    """Return an address as the system tells it."""
    six = ":" in address
    family = socket.AF_INET6 if six else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0) if six else (address, port)


@ON_BOTH_LOOPS
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.2", "127.0.0.1"]])
async def test_an_address_that_does_not_answer_is_followed_by_the_next(addresses: list[str], name_server: Any) -> None:
    """IPv6 and IPv4, as aiohttp tries them; the callers that wait for a name share one look-up."""
    with Loopback(reply_json({})) as server:
        port = int(server.url.rpartition(":")[2])
        asked = name_server(lambda _: [write_address(address, port) for address in addresses])
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Resolver())) as session:

            async def get() -> int:
                async with session.get(f"http://service.example:{port}") as response:
                    return response.status

            assert await asyncio.gather(*(get() for _ in range(5))) == [200] * 5
    assert asked == ["service.example"]


@ON_BOTH_LOOPS
async def test_what_the_system_raises_is_raised_and_leaves_no_circle(name_server: Any) -> None:
    """An error that is caught is freed at once, without the garbage collector."""

    def refuse(_: str) -> list[Any]:
        raise Unknown(socket.EAI_NONAME, "unknown")

    class Unknown(socket.gaierror):
        """One that can be referred to weakly."""

    name_server(refuse)
    gc.disable()
    try:
        with pytest.raises(socket.gaierror) as caught:
            await look_up("nobody.example", None)
        error = weakref.ref(caught.value)
        del caught
        for thread in [thread for thread in threading.enumerate() if thread.name == "g4f-look-up"]:
            thread.join()  # it holds the error until it ends
        await asyncio.sleep(0)
        assert error() is None
    finally:
        gc.enable()


@ON_BOTH_LOOPS
async def test_a_look_up_that_is_given_up_harms_nobody_when_it_ends(name_server: Any) -> None:
    """Nor does one that ends after its loop."""
    over, ended = threading.Event(), threading.Event()

    def answer_late(_: str) -> list[Any]:
        over.wait()
        ended.set()
        return []

    name_server(answer_late)
    loop, complaints = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    waiting = asyncio.create_task(look_up("late.example", None))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    over.set()
    await asyncio.to_thread(ended.wait)
    await look_up("late.example", None)  # by then the first one was told, too

    assert not complaints
