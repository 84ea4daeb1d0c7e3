"""A program that meets faults and shows all that it can of what comes; nothing of that may be the key.

`meet.py Gemini '[{"fault": …, "url": …, "proxy": …, "timeout": …, "ways": […]}, …]'`; the key stands in the variable
`CANARY`, so that no frame of this program holds it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import sys
import traceback
from typing import Any

import aiohttp  # noqa: F401 - here, since its import takes long beside a deadline
from rich.traceback import Traceback

import g4f

AT_ONCE = 16
LIMITS = g4f.Limits(json_bytes=2**20, images_bytes=2**20, event_bytes=2**20, download_bytes=2**20)
told: set[int] = set()  # what was shown needs no showing again


async def main(provider: str, jobs: list[dict[str, Any]]) -> None:
    """Meet each fault in each of its ways; nobody catches what comes of the last one."""
    turns = asyncio.Semaphore(AT_ONCE)
    client = g4f.AsyncClient(**make_options(provider, jobs[-1]))
    show(client, vars(client), client._settings, vars(client._shared), vars(client._shared.get_pool()))
    show(vars(client.with_options(timeout=2.0)))
    await asyncio.gather(*(meet(provider, job, way, turns) for job in jobs for way in job["ways"]))
    await client.chat.completions.create("Hi", jobs[-1]["fault"])


def make_options(provider: str, job: dict[str, Any]) -> Any:
    """Return what makes a client."""
    key = os.environ["CANARY"]
    # Where there is none, one for the other scheme, which a job without a proxy does not speak.
    other = "http" if job["url"].startswith("https:") else "https"
    proxies = {"all": add_password(job["proxy"])} if job["proxy"] else {other: f"http://user:{key}@127.0.0.1:9"}
    options = {"provider": provider, "base_url": job["url"], "api_key": key, "proxies": proxies}
    more = {"default_headers": {"X-Gateway": key}, "default_query": {"gateway": key}}
    return {**options, **more, "timeout": g4f.Timeout(**job["timeout"]), "max_retries": 0, "limits": LIMITS}


def add_password(proxy: str) -> str:
    """Return a proxy's URL with what opens it."""
    return proxy.replace("://", f"://user:{os.environ['CANARY']}@")


async def meet(provider: str, job: dict[str, Any], way: str, turns: asyncio.Semaphore) -> None:
    """Ask, and show the answer or the error."""
    async with turns:
        try:
            show(await ask(provider, job, way))
        except g4f.G4FError as error:
            show(error, vars(error), error.attempts)
            show_traceback(error)


async def ask(provider: str, job: dict[str, Any], way: str) -> object:
    """Ask for a fault: its name is the model's."""
    fault = job["fault"] or None
    if way == "synchronous":
        return await asyncio.to_thread(ask_here, provider, job)
    async with g4f.AsyncClient(**make_options(provider, job)) as client:
        if way == "streamed":
            stream = client.chat.completions.stream("Hi", fault, extra_headers=make_headers())
            show(stream)
            return [chunk async for chunk in stream]
        if way == "pictures":
            return await client.images.generate("A cat", fault, extra_headers=make_headers())
        if way == "vectors":
            return await client.embeddings.create("Hi", fault, extra_headers=make_headers())
        return await client.chat.completions.create("Hi", fault, extra_headers=make_headers())


def ask_here(provider: str, job: dict[str, Any]) -> object:
    """Ask with the synchronous client."""
    with g4f.Client(**make_options(provider, job)) as client:
        show(client, vars(client))
        return client.chat.completions.create("Hi", job["fault"] or None, extra_headers=make_headers())


def make_headers() -> dict[str, str]:
    """Return a header for one call."""
    return {"X-Call": os.environ["CANARY"]}


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
    if hash(text) not in told:
        told.add(hash(text))
        sys.stdout.write(text + "\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])), debug=True)
