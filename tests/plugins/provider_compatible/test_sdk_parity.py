"""OpenAI's SDK, which the services themselves point to, and our providers make the same calls and send the same.

What may differ stands in docs/reference/wire-differences.md. xAI and Together change pictures in words that the SDK
does not have, so no such call is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

import parity
from g4f import AsyncClient
from loopback import Loopback
from parity import Ask
from plugins.openai_calls import CHATS, answer, chat, image, models

KEY = "key-parity-0123456789"
MODEL = "some-model"
VERSION = "2024-10-21"
# Where each has its interface on its server.
PATHS = {
    "OpenRouter": "/api/v1",
    "Groq": "/openai/v1",
    "Mistral": "/v1",
    "DeepSeek": "",
    "XAI": "/v1",
    "Together": "/v1",
    "Ollama": "/v1",
    "LMStudio": "/v1",
    "LlamaCpp": "/v1",
    "VLLM": "/v1",
    "OVHcloud": "/v1",
    "Custom": "/v1",
}
CALLS: dict[str, Ask] = {name: chat(**{"model": MODEL, **arguments}) for name, arguments in CHATS.items()}
CALLS["models"] = models


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The one server that both ask."""
    with Loopback(answer) as server:
        yield server


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("provider", PATHS)
async def test_our_request_is_the_sdks(provider: str, call: str, server: Loopback) -> None:
    """Everything is equal but for what the table allows to this call: body, query, authorization, other headers."""
    url = server.url + PATHS[provider]
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as theirs:
        await CALLS[call](theirs)
    async with AsyncClient(provider=provider, api_key=KEY, base_url=url, max_retries=0) as ours:
        await CALLS[call](ours)
    assert parity.find_differences(*server.requests) == parity.list_allowed(provider, call)


@pytest.mark.parametrize("version", [None, VERSION], ids=["v1", "dated"])
@pytest.mark.parametrize("address", ["", "/openai/v1/", "/openai/deployments/foo"])
@pytest.mark.parametrize("call", CALLS)
async def test_our_request_to_azure_is_the_sdks(call: str, address: str, version: str | None, server: Loopback) -> None:
    """With its client for the dated versions, and its plain one for v1, which names the key otherwise."""
    if version:
        theirs = openai.AsyncAzureOpenAI(api_key=KEY, azure_endpoint=server.url, api_version=version, max_retries=0)
    else:
        theirs = openai.AsyncOpenAI(api_key=KEY, base_url=f"{server.url}/openai/v1", max_retries=0)
    async with theirs:
        await CALLS[call](theirs)
    more = {"api_version": version} if version else {}
    url = server.url + address
    async with AsyncClient(provider="AzureOpenAI", api_key=KEY, base_url=url, max_retries=0, **more) as ours:
        await CALLS[call](ours)
    found = parity.find_differences(*server.requests)
    if not version:
        keys = {difference for difference in found if difference.field in ("headers.authorization", "headers.api-key")}
        assert len(keys) == 2
        found -= keys
    assert found == parity.list_allowed("AzureOpenAI", call)


@pytest.mark.parametrize("provider", ["XAI", "Together"])
async def test_our_request_to_draw_is_the_sdks(provider: str, server: Loopback, tmp_path: Path) -> None:
    """As far as both have the words: a prompt and a number."""
    url = server.url + PATHS[provider]
    ask = image(model="grok-imagine-image" if provider == "XAI" else "black-forest-labs/FLUX.1-schnell", n=2)
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0) as theirs:
        await ask(theirs)
    async with AsyncClient(
        provider=provider, api_key=KEY, base_url=url, max_retries=0, media_folder=str(tmp_path)
    ) as ours:
        await ask(ours)
    assert parity.find_differences(*server.requests) == parity.list_allowed(provider, "image")


def test_every_canonical_call_is_compared() -> None:
    """The names are the same for every provider."""
    assert set(CALLS) == parity.CANONICAL


def test_every_row_of_the_table_speaks_of_a_call_that_is_made() -> None:
    """None is allowed for nothing."""
    for provider in [*PATHS, "AzureOpenAI"]:
        assert parity.list_calls(provider) <= set(CALLS)
