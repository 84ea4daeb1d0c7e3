"""A program that meets faults and shows all that it can of what comes; nothing of that may be the key.

`meet.py Gemini http://127.0.0.1:1234 fault …`; the key stands in the variable `CANARY`, so that no frame of this
program holds it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
import traceback
from typing import Any

import aiohttp  # noqa: F401 - here, since its import takes long beside a deadline
from rich.traceback import Traceback

import g4f

WAYS = ("whole", "streamed", "pictures", "vectors", "synchronous")


async def main(provider: str, url: str, faults: list[str]) -> None:
    """Meet each fault in each way; nobody catches what comes of the last one."""
    client = g4f.AsyncClient(**make_options(provider, url))
    show(client, vars(client), client._settings, vars(client._shared), vars(client._shared.get_pool()))
    show(vars(client.with_options(timeout=2.0)))
    for fault in faults:
        await asyncio.gather(*(meet(client, fault, way) for way in WAYS))
    await client.chat.completions.create("Hi", faults[-1])


def make_options(provider: str, url: str) -> Any:
    """Return what makes a client."""
    key = os.environ["CANARY"]
    proxies = {"https": f"http://user:{key}@127.0.0.1:9"}  # the servers here speak no TLS
    options = {"provider": provider, "base_url": url, "api_key": key, "proxies": proxies}
    more = {"default_headers": {"X-Gateway": key}, "default_query": {"gateway": key}}
    return {**options, **more, "timeout": 1.0, "max_retries": 0}


async def meet(client: g4f.AsyncClient, fault: str, way: str) -> None:
    """Ask, and show the answer or the error."""
    try:
        show(await ask(client, fault or None, way))
    except g4f.G4FError as error:
        show(error, vars(error), error.attempts)
        show_traceback(error)


async def ask(client: g4f.AsyncClient, fault: str | None, way: str) -> object:
    """Ask for a fault: its name is the model's."""
    if way == "streamed":
        stream = client.chat.completions.stream("Hi", fault)
        show(stream)
        return [chunk async for chunk in stream]
    if way == "pictures":
        return await client.images.generate("A cat", fault)
    if way == "vectors":
        return await client.embeddings.create("Hi", fault)
    if way == "synchronous":
        return await asyncio.to_thread(ask_here, fault)
    return await client.chat.completions.create("Hi", fault)


def ask_here(fault: str | None) -> object:
    """Ask with the synchronous client."""
    with g4f.Client(**make_options(*sys.argv[1:3])) as client:
        show(client, vars(client))
        return client.chat.completions.create("Hi", fault)


def show(*values: object) -> None:
    """Write values as programs do, and pickle them."""
    for value in values:
        tell(f"{value!r} {value}")
        try:
            tell(repr(pickle.dumps(value)))
        except Exception as refusal:  # noqa: BLE001 - what cannot be pickled is well
            tell(str(refusal))


def show_traceback(error: BaseException) -> None:
    """Write a traceback with the values of local names, as Python and rich find them for reports of errors."""
    tell("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True, locals_max_string=10**6)
    for frame in (frame for stack in trace.stacks for frame in stack.frames):
        tell("; ".join(f"{name} = {node.render(max_width=10**6)}" for name, node in (frame.locals or {}).items()))


def tell(text: str) -> None:
    """Write to whoever started the program."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    asyncio.run(main(*sys.argv[1:3], sys.argv[3:]), debug=True)
