"""What a request and a streamed chunk cost: counted in function calls, since times differ from machine to machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# With aiohttp 3.14 and orjson Python 3.11 makes 408 to 410, 3.12 401 and 3.13 397 of a request, and each 51 of a
# chunk. A plain aiohttp client, which repeats nothing, maps no errors and routes nowhere, makes 344 to 359, 295 and
# 291, and 46.
MOST = {"request": 415, "chunk": 53}

# What a careless change would do: work out anew for each call who serves it, and copy each chunk.
ROUTE_EACH_CALL = "from g4f.client._choosing import Choices; Choices.find = lambda self, key: None"
COPY_EACH_CHUNK = """
from g4f.stream import ChatStream
take = ChatStream._take
ChatStream._take = lambda stream, chunk: chunk.to_dict() and take(stream, chunk)
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A service in a process of its own, which sends each answer at once."""
    command = [sys.executable, BENCHMARKS / "upstream.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def count_calls(origin: str, *, before: str = "") -> dict[str, float]:
    """Return what a warm client calls, in a process of its own that runs `before` first."""
    program = f"import worker, sys\n{before}\nsys.argv[1:] = ['calls', 'g4f', {origin!r}, '0']\nworker.main()"
    done = subprocess.run([sys.executable, "-c", program], cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_a_request_and_a_chunk_call_few_functions(origin: str) -> None:
    """The bounds stand just above the largest of the figures: who lowers these, lowers them."""
    assert {name: calls for name, calls in count_calls(origin).items() if calls > MOST[name]} == {}


@pytest.mark.parametrize(("waste", "name"), [(ROUTE_EACH_CALL, "request"), (COPY_EACH_CHUNK, "chunk")])
def test_careless_changes_are_noticed(origin: str, waste: str, name: str) -> None:
    """The bounds are near enough."""
    assert count_calls(origin, before=waste)[name] > MOST[name]
