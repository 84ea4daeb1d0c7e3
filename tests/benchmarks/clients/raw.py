"""What everything is compared with: aiohttp and orjson, as a careful person would write it by hand.

No retries, no mapping of errors, no routing; a deadline for the whole is aiohttp's default.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson


class Client:
    """One session without a limit of connections."""

    def __init__(self, base_url: str) -> None:
        self._url = base_url
        self._session: aiohttp.ClientSession | None = None

    def _post(self, path: str, body: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {"Authorization": "Bearer sk-bench", "Content-Type": "application/json"}
        return self._session.post(self._url + path, data=orjson.dumps(body), headers=headers)

    async def ask(self, messages: list[dict[str, Any]]) -> str:
        async with self._post("/chat/completions", {"model": "gpt-4o-mini", "messages": messages}) as response:
            response.raise_for_status()
            answer = orjson.loads(await response.read())
        return answer["choices"][0]["message"]["content"]

    async def stream(self, messages: list[dict[str, Any]]) -> str:
        body = {"model": "gpt-4o-mini", "messages": messages, "stream": True}
        parts = []
        async with self._post("/chat/completions", body) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: ") and not line.startswith(b"data: [DONE]"):
                    text = orjson.loads(line[6:])["choices"][0]["delta"].get("content")
                    if text:
                        parts.append(text)
        return "".join(parts)

    async def hold(self, messages: list[dict[str, Any]], begun: Callable[[str], None]) -> None:
        body = {"model": "gpt-4o-mini", "messages": messages, "stream": True}
        response = await self._post("/chat/completions", body)
        async for line in response.content:
            if line.startswith(b"data: "):
                text = orjson.loads(line[6:])["choices"][0]["delta"].get("content")
                if text:
                    begun(text)

    async def draw(self, prompt: str) -> bytes:
        async with self._post("/images/generations", {"model": "gpt-image-1", "prompt": prompt}) as response:
            response.raise_for_status()
            answer = orjson.loads(await response.read())
        return base64.b64decode(answer["data"][0]["b64_json"])

    async def look(self, question: str, picture: bytes) -> str:
        url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        content = [{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": url}}]
        return await self.ask([{"role": "user", "content": content}])

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
