"""What is left to the garbage collector: it may come late, and a request may hold megabytes."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

import g4f
from counting import FAULTS, Manner, run_service, write_question


@pytest.mark.parametrize(("provider", "path"), [("OpenaiChat", "/v1"), ("Anthropic", ""), ("Gemini", "")])
async def test_a_stream_that_is_over_needs_no_garbage_collector(provider: str, path: str) -> None:
    """Whole or broken: nothing of ours is in a circle, so all of it goes when its user lets go of it."""
    waits = g4f.Timeout(gap=1)
    with run_service(Manner(pause=0.001)) as origin:
        async with g4f.AsyncClient(provider, api_key="-", base_url=origin + path, proxies={}, timeout=waits) as client:
            await read(client, "none")  # all is imported and connected
            for fault in ("none", *FAULTS):
                with find_garbage() as found:
                    await read(client, fault)
                assert found == [], fault


class Request:
    """What a caller holds while it asks."""


class Broken:
    """A provider that fails."""

    @g4f.hookimpl
    async def chat(self) -> g4f.Completion:
        raise g4f.InternalServerError("no", status_code=500, retry_after=0)

    @g4f.hookimpl
    async def stream(self) -> AsyncIterator[g4f.Chunk]:
        yield g4f.Chunk.from_dict({"choices": []})
        raise g4f.InternalServerError("no", status_code=500, retry_after=0)


REFUSED = {"provider": "OpenaiChat", "api_key": "-", "base_url": "http://127.0.0.1:1", "proxies": {}}


@pytest.mark.parametrize("way", ["whole", "looped over", "opened", "opened twice"])
@pytest.mark.parametrize(
    ("arguments", "tries"),
    [({"provider": Broken}, 3), ({"provider": [Broken, Broken()]}, 6), (REFUSED, 1), ({"provider": "Nobody"}, 0)],
    ids=["repeated", "passed on", "no connection", "no provider"],
)
async def test_an_error_that_is_over_needs_no_garbage_collector(
    arguments: dict[str, Any], tries: int, way: str
) -> None:
    """Its traceback holds all variables on the way, also the caller's, which may be megabytes, and the stream."""
    asked: list[weakref.ref[Request]] = []

    async def ask(client: g4f.AsyncClient) -> None:
        request = Request()
        asked.append(weakref.ref(request))
        if way == "whole":
            await client.chat.completions.create("Hi")
        stream = client.chat.completions.stream("Hi")
        if way == "opened twice":
            with suppress(g4f.G4FError):
                await stream
        if way != "looped over":
            await stream
        async for _ in stream:
            pass

    async with g4f.AsyncClient(**{"max_retries": 0 if tries == 1 else 2, **arguments}) as client:
        gc.disable()
        try:
            with suppress(g4f.G4FError):
                await ask(client)
            assert asked[0]() is None
        finally:
            gc.enable()
        with pytest.raises(g4f.G4FError) as caught:
            await ask(client)
    assert len(caught.value.attempts) == tries
    assert tries == 0 or caught.value.attempts[-1].error is caught.value


@pytest.mark.parametrize("way", ["whole", "looped over", "opened"])
@pytest.mark.parametrize("arguments", [{"provider": Broken}, REFUSED], ids=["broken", "no connection"])
def test_an_error_of_the_synchronous_client_needs_none_either(arguments: dict[str, Any], way: str) -> None:
    """Once its loop's thread has let go of it, too."""
    asked: list[weakref.ref[Request]] = []

    def ask(client: g4f.Client) -> None:
        request = Request()
        asked.append(weakref.ref(request))
        if way == "whole":
            client.chat.completions.create("Hi")
        stream = client.chat.completions.stream("Hi")
        if way == "opened":
            stream.open()
        for _ in stream:
            pass

    with g4f.Client(**{"max_retries": 0, **arguments}) as client:
        gc.disable()
        try:
            with suppress(g4f.G4FError):
                ask(client)
            end = time.monotonic() + 10
            while asked[0]() is not None and time.monotonic() < end:
                time.sleep(0.01)
            assert asked[0]() is None
        finally:
            gc.enable()


async def read(client: g4f.AsyncClient, fault: str) -> None:
    with suppress(g4f.APIError):
        async for _ in client.chat.completions.stream(write_question(1, 5, fault), "gpt-4o-mini"):
            pass


@contextmanager
def find_garbage() -> Iterator[list[str]]:
    """Give the kinds of our objects that only the collector could free."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += [type(item).__name__ for item in gc.garbage if type(item).__module__.startswith("g4f")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
