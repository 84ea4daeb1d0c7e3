"""CopilotAccount with the real program, put to what of the conformance kit needs no server that plays its service."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from g4f_testkit import ProviderConformance
from loopback import Loopback, Received, Reply, make_chunk, reply_events
from plugins.provider_copilot.program import find_program

pytestmark = [pytest.mark.large, pytest.mark.timeout(300)]


def _answer(request: Received) -> Reply:
    text = '{"g4f_capital": "Paris"}' if "response_format" in request.json else "This is Paris."
    return reply_events(*map(make_chunk, re.split("(?<= )", text)), make_chunk(finish_reason="stop"))


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another service in place of GitHub's models, which the environment names, as the program."""
    with Loopback(_answer) as server:
        monkeypatch.setenv("COPILOT_CLI_PATH", str(find_program()))
        monkeypatch.setenv("COPILOT_PROVIDER_BASE_URL", f"{server.url}/v1")
        yield


class TestCopilotAccount(ProviderConformance):
    provider = "CopilotAccount"
