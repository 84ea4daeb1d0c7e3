"""Ours for synchronous code; it is compared with the asynchronous one."""

from __future__ import annotations

from typing import Any

from g4f.client import Client as SyncClient


class Client:
    """One client with a key and an address."""

    def __init__(self, base_url: str) -> None:
        self._client = SyncClient("OpenaiChat", api_key="sk-bench", base_url=base_url)

    def ask(self, messages: list[dict[str, Any]]) -> str:
        answer = self._client.chat.completions.create(messages, "gpt-4o-mini")
        return answer.choices[0].message.content or ""

    def stream(self, messages: list[dict[str, Any]]) -> str:
        parts = []
        for chunk in self._client.chat.completions.create(messages, "gpt-4o-mini", stream=True):
            text = chunk.choices[0].delta.content
            if text:
                parts.append(text)
        return "".join(parts)
