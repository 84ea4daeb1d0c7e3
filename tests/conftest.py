"""What every test needs of the process that it runs in, its options, and how hard property tests try.

`--hypothesis-profile=thorough --timeout=0` tries 100,000 examples of each, which takes its time; `long`, 20,000.
`--loop=uvloop` runs what is asynchronous on uvloop. What depends on the loop most is run on both without that, marked
`@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])`.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, settings

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
with suppress(ImportError):  # it is not for Windows
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop

# Machines that run tests are shared, so no example is timed.
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("default"), max_examples=20_000)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=100_000)
settings.register_profile("unshrunk", settings.get_profile("default"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("default")

# A runner that a shell put into the background is born deaf to Ctrl-C, and so would be the programs that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `scripts/test` passes on."""
    parser.addoption("--packages", help="a folder of built packages to test, in place of building them")
    parser.addoption("--all", action="store_true", help="run the tests that fetch some hundred megabytes, too")
    parser.addoption("--loop", choices=LOOPS, default="asyncio", help="which event loop runs asynchronous tests")
    parser.addoption("--moments", type=int, help="at how many random moments of each task Ctrl-C is tried")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip those tests unless they were asked for."""
    if config.getoption("--all"):
        return
    for item in items:
        if item.get_closest_marker("large"):
            item.add_marker(pytest.mark.skip(reason="it fetches some hundred megabytes: run it with --all"))


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let a test choose from all loops; one that does not choose runs on the one that was asked for."""
    marker = item.get_closest_marker("asyncio")
    if marker is not None and "loop_factories" in marker.kwargs:
        return LOOPS
    name = config.getoption("--loop")
    return {name: LOOPS[name]}


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> list[float]:
    """Moments of a run as parts of it, in any order, spread over all of it and the same in each run of the tests.

    There are as many as `--moments` says, else as the test's marker does: the cheaper a run is, the more.
    """
    count: int = request.config.getoption("--moments") or request.node.get_closest_marker("moments").args[0]
    dice = random.Random(20261122)
    parts = [(at + dice.random()) / count for at in range(count)]
    dice.shuffle(parts)
    return parts
