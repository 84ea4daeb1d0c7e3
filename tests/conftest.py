"""What every test needs of the process that it runs in, the option `--all`, and how hard property tests try.

`--hypothesis-profile=thorough --timeout=0` tries 100,000 examples of each, which takes its time.
"""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# Machines that run tests are shared, so no example is timed.
settings.register_profile("default", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=100_000)
settings.load_profile("default")

# A runner that a shell put into the background is born deaf to Ctrl-C, and so would be the programs that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `scripts/test` passes on."""
    parser.addoption("--all", action="store_true", help="run the tests that fetch some hundred megabytes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip those tests unless they were asked for."""
    if config.getoption("--all"):
        return
    for item in items:
        if item.get_closest_marker("large"):
            item.add_marker(pytest.mark.skip(reason="it fetches some hundred megabytes: run it with --all"))
