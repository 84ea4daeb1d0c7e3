"""The emulator aimock of the npm registry: how each provider is asked there, and what it is told and tells.

What it shall say is posted to it, and its journal tells how it understood what it received.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import requests

import npm

KEY = "sk-emulated-0123456789"


@attrs.frozen
class Service:
    """A provider, and how it is asked at the emulators.

    Attributes:
        path: Where at aimock its base URL points, if it is there.
        llmock: What llmock calls it, if it is there.
    """

    provider: str
    model: str
    path: str | None
    llmock: str | None


SERVICES = {
    service.provider: service
    for service in (
        Service("OpenaiChat", "gpt-4o-mini", "/v1", "openai"),
        Service("Anthropic", "claude-haiku-4-5", "", "anthropic"),
        Service("Gemini", "gemini-2.5-flash", "", "gemini"),
        Service("Custom", "a-model", "/v1", "openai"),
        Service("AzureOpenAI", "a-deployment", "/openai", None),
        Service("OpenRouter", "openai/gpt-4o-mini", "/api/v1", None),
        Service("Groq", "openai/gpt-oss-120b", None, "groq"),
        Service("Mistral", "mistral-medium-latest", None, "mistral"),
        Service("Together", "deepseek-ai/DeepSeek-V4.1-Flash", None, "together"),
        Service("XAI", "grok-4.7", None, "xai"),
    )
}
# What each dialect's tests run with; further services with words of their own are asked the most usual.
DIALECTS = ("OpenaiChat", "Anthropic", "Gemini", "Custom")


class Aimock:
    """The running emulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def say(self, response: dict[str, Any], *, match: dict[str, Any] | None = None, **how: Any) -> None:
        """Add what it answers to requests that match; earlier answers go before."""
        fixture = {"match": match or {"endpoint": "chat"}, "response": response, **how}
        self._post("fixtures", {"fixtures": [fixture]})

    def fail_once(self, status: int, message: str) -> None:
        """Answer the next request with an error."""
        self._post("error", {"status": status, "body": {"message": message}})

    def break_all(self, **rates: float) -> None:
        """Break answers with these probabilities."""
        self._post("chaos", rates)

    def reset(self) -> None:
        """Forget what was said and received."""
        self._post("reset", {})
        self._send("DELETE", "chaos")

    def forget_requests(self) -> None:
        """Empty the journal."""
        self._post("reset/journal", {})

    def read_journal(self) -> list[dict[str, Any]]:
        """What it received, chats of all dialects in the words of one."""
        return self._send("GET", "journal").json()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"authorization": f"Bearer {KEY}"}
        answer = requests.request(method, f"{self.url}/__aimock/{path}", headers=headers, timeout=5, **more)
        assert answer.ok, answer.text
        return answer


@contextmanager
def run_aimock() -> Iterator[Aimock]:
    """Run the program, which is installed if it is not there; it refuses requests without the key."""
    package = npm.install(Path(__file__).parent) / "@copilotkit" / "aimock"
    command = [npm.find_node(), package / "dist" / "cli.js", "--port", "0", "--fixtures", package / "fixtures"]
    environment = {**os.environ, "AIMOCK_API_KEYS": KEY}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            yield Aimock(_read_url(program.stdout))
        finally:
            program.terminate()


def _read_url(output: Any) -> str:
    said = ""
    for line in output:
        said += line
        if found := re.search(r"listening on (http://\S+)", line):
            threading.Thread(target=output.read, daemon=True).start()  # a full pipe would stop the program
            return found[1]
    pytest.fail(f"aimock did not start:\n{said}")
