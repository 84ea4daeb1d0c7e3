"""OpenAI's own SDK, as its documentation shows it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from openai import AsyncOpenAI


class Client:
    """One client with a key and an address."""

    def __init__(self, base_url: str) -> None:
        self._client = AsyncOpenAI(api_key="sk-bench", base_url=base_url)

    async def ask(self, messages: list[dict[str, Any]]) -> str:
        answer = await self._client.chat.completions.create(messages=messages, model="gpt-4o-mini")
        return answer.choices[0].message.content or ""

    async def stream(self, messages: list[dict[str, Any]]) -> str:
        parts = []
        async for chunk in await self._client.chat.completions.create(
            messages=messages, model="gpt-4o-mini", stream=True
        ):
            text = chunk.choices[0].delta.content
            if text:
                parts.append(text)
        return "".join(parts)

    async def hold(self, messages: list[dict[str, Any]], begun: Callable[[str], None]) -> None:
        stream = await self._client.chat.completions.create(messages=messages, model="gpt-4o-mini", stream=True)
        async for chunk in stream:
            text = chunk.choices[0].delta.content
            if text:
                begun(text)

    async def draw(self, prompt: str) -> bytes:
        images = await self._client.images.generate(prompt=prompt, model="gpt-image-1")
        return base64.b64decode(images.data[0].b64_json or "")

    async def look(self, question: str, picture: bytes) -> str:
        url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
        return await self.ask([{"role": "user", "content": content}])

    async def close(self) -> None:
        await self._client.close()
