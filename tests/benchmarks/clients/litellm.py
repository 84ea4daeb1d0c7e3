"""LiteLLM, called as its documentation shows it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import litellm


class Client:
    """A key and an address; litellm keeps its connections itself."""

    def __init__(self, base_url: str) -> None:
        self._where = {"api_key": "sk-bench", "api_base": base_url}

    async def ask(self, messages: list[dict[str, Any]]) -> str:
        answer = await litellm.acompletion(model="openai/gpt-4o-mini", messages=messages, **self._where)
        return answer.choices[0].message.content or ""

    async def _open(self, messages: list[dict[str, Any]]) -> Any:
        return await litellm.acompletion(model="openai/gpt-4o-mini", messages=messages, stream=True, **self._where)

    async def stream(self, messages: list[dict[str, Any]]) -> str:
        parts = []
        async for chunk in await self._open(messages):
            text = chunk.choices[0].delta.content
            if text:
                parts.append(text)
        return "".join(parts)

    async def hold(self, messages: list[dict[str, Any]], begun: Callable[[str], None]) -> None:
        stream = await self._open(messages)
        async for chunk in stream:
            text = chunk.choices[0].delta.content
            if text:
                begun(text)

    async def draw(self, prompt: str) -> bytes:
        images = await litellm.aimage_generation(prompt=prompt, model="openai/gpt-image-1", **self._where)
        return base64.b64decode(images.data[0].b64_json or "")

    async def look(self, question: str, picture: bytes) -> str:
        url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
        return await self.ask([{"role": "user", "content": content}])

    async def close(self) -> None:
        pass
