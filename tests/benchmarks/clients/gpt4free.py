"""The package `g4f` of the package index, another project, with its provider for a service of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from g4f.client import AsyncClient
from g4f.Provider import Custom


class Client:
    """One client with a key and an address."""

    def __init__(self, base_url: str) -> None:
        self._client = AsyncClient(provider=Custom, api_key="sk-bench", base_url=base_url)

    async def ask(self, messages: list[dict[str, Any]]) -> str:
        answer = await self._client.chat.completions.create(messages=messages, model="gpt-4o-mini")
        return answer.choices[0].message.content or ""

    async def stream(self, messages: list[dict[str, Any]]) -> str:
        parts = []
        async for chunk in self._client.chat.completions.create(messages=messages, model="gpt-4o-mini", stream=True):
            text = chunk.choices[0].delta.content
            if text:
                parts.append(text)
        return "".join(parts)

    async def hold(self, messages: list[dict[str, Any]], begun: Callable[[str], None]) -> None:
        chunks = aiter(self._client.chat.completions.create(messages=messages, model="gpt-4o-mini", stream=True))
        async for chunk in chunks:
            text = chunk.choices[0].delta.content
            if text:
                begun(text)

    async def look(self, question: str, picture: bytes) -> str:
        answer = await self._client.chat.completions.create(
            messages=[{"role": "user", "content": question}], model="gpt-4o-mini", image=picture
        )
        return answer.choices[0].message.content or ""

    async def close(self) -> None:
        pass
