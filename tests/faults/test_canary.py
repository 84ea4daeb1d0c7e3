"""The key where it might be seen when nobody catches an error; for every fault, `test_table.py` looks as well."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import aiohttp
import pytest

from faults.table import WAYS, End, Row, Way
from faults.trial import KEY, PROVIDERS, find_leaks, try_row, watch_logs
from g4f import APIError, APIStatusError
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import Failure, Turn
from g4f_testkit.server import Server

_FAULTS = [
    "", "closed-before-the-answer", "connection-reset", "status-401", "status-503", "html-page", "garbage-status-line",
    "redirect-to-another-origin", "gzip-broken", "an-error-event-in-mid-stream", "first-byte-never-comes",
]  # fmt: skip
_PROGRAM = """
    import asyncio, pickle, sys, traceback
    import aiohttp, g4f  # aiohttp here, since its import takes long beside the deadline

    def report(error):
        print(repr(error), error, vars(error), error.attempts)
        frames = traceback.TracebackException.from_exception(error, capture_locals=True)
        for frame in frames.stack:
            if frame.filename != "<string>":  # this program's own frames hold its own copy
                print(frame.filename, frame.locals)
        traceback.print_exception(error)
        try:
            print(pickle.dumps(error))
        except TypeError as refusal:
            print(refusal)

    async def main(provider, url, key):
        client = g4f.AsyncClient(provider=provider, base_url=url, api_key=key, timeout=1.0, max_retries=0)
        print(client, vars(client), client._settings)
        for fault in sys.argv[4:]:
            for stream in (False, True):
                try:
                    answer = client.chat.completions.create("Hi", fault or None, stream=stream)
                    print(answer)
                    if stream:
                        print([chunk async for chunk in answer])
                    else:
                        print(await answer)
                except g4f.G4FError as error:
                    report(error)
        await client.chat.completions.create("Hi", sys.argv[-1])  # nobody catches this one

    asyncio.run(main(*sys.argv[1:4]), debug=True)
    """


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_program_that_catches_nothing_shows_no_key(dialect: str, tmp_path: Path) -> None:
    """With every log at its most talkative: not on either output, and in no file."""
    provider, path = PROVIDERS[dialect]
    environment = {**os.environ, "G4F_LOG": "debug", "HOME": str(tmp_path), "PYTHONASYNCIODEBUG": "1"}
    with Server(DIALECTS[dialect]) as server:
        command = [sys.executable, "-X", "dev", "-c", dedent(_PROGRAM), provider, server.url + path, KEY, *_FAULTS]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert len(server.requests) > len(_FAULTS)  # what was sent held the key
    assert "APITimeoutError" in done.stderr.splitlines()[-1]
    assert "attempt provider=" in done.stderr
    for text in (done.stdout, done.stderr, *(str(file) for file in tmp_path.rglob("*"))):
        assert KEY not in text
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("in_stream", [False, True], ids=["refused", "in place of the answer"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_key_that_the_service_says_back_is_taken_out(dialect: str, in_stream: bool, way: Way) -> None:
    """In each field of an error, in tracebacks and in logs."""
    said = Failure(401, f"Wrong key {KEY}.", f"type-{KEY}", f"code-{KEY}", f"id-{KEY}", in_stream=in_stream)
    ends = End(APIStatusError), End(APIStatusError, "all" if in_stream else "none")
    with watch_logs() as logs:
        problems = await try_row(Row("The service says the key back", *ends, (Turn(failure=said),)), dialect, way)
    assert problems == []
    assert not [line for line in logs if KEY in line]


def test_the_search_finds_what_it_looks_for() -> None:
    """A key in a text, a field, a variable, a cause or a log; and what a library raised."""
    assert list(find_leaks(APIError("no"))) == []
    assert any("text" in leak for leak in find_leaks(APIError(f"no {KEY}")))
    assert any("fields" in leak for leak in find_leaks(APIError("no", request_id=KEY)))
    hidden = APIError("no")
    hidden.__context__ = ValueError(KEY)
    assert any("ValueError" in leak for leak in find_leaks(hidden))
    foreign = APIError("no")
    foreign.__cause__ = aiohttp.ClientError()
    assert any("is reachable" in leak for leak in find_leaks(foreign))
    with pytest.raises(APIError) as caught:
        exec(compile("def f(key):\n    raise error\nf(key)", "elsewhere.py", "exec"), {"error": APIError(), "key": KEY})  # noqa: S102 - a frame outside of the tests
    assert any("traceback" in leak for leak in find_leaks(caught.value))
    with watch_logs() as logs:
        logging.getLogger("anybody").debug("key %s", KEY)
    assert KEY in logs[0]
