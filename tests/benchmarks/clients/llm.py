"""llm's Python interface, with the model class that its plugins use for OpenAI's dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llm
from llm.default_plugins.openai_models import AsyncChat


class Client:
    """One model with a key and an address; llm takes a text where others take messages."""

    def __init__(self, base_url: str) -> None:
        self._model = AsyncChat("bench", model_name="gpt-4o-mini", api_base=base_url, key="sk-bench", vision=True)

    async def ask(self, messages: list[dict[str, Any]]) -> str:
        return await self._model.prompt(messages[-1]["content"], stream=False).text()

    async def stream(self, messages: list[dict[str, Any]]) -> str:
        return "".join([text async for text in self._model.prompt(messages[-1]["content"], stream=True)])

    async def hold(self, messages: list[dict[str, Any]], begun: Callable[[str], None]) -> None:
        texts = aiter(self._model.prompt(messages[-1]["content"], stream=True))
        async for text in texts:
            if text:
                begun(text)

    async def look(self, question: str, picture: bytes) -> str:
        attachment = llm.Attachment(type="image/png", content=picture)
        return await self._model.prompt(question, attachments=[attachment], stream=False).text()

    async def close(self) -> None:
        pass
