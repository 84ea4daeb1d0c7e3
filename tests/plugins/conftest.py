"""What the tests of the providers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback import Loopback, Reply


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that each test gives its answer."""
    with Loopback(Reply(500)) as server:
        yield server
