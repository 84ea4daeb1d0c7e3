"""GitHub Copilot: each chat is a session of the program `copilot`, which `program.py` starts, asks and ends.

What a session is told and what its events mean is left to `wire.py`.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from g4f.chat import ChatRequest, Chunk
from g4f.context import Context
from g4f.errors import MissingCredentialsError
from g4f.hookspecs import hookimpl
from g4f.wire.openai import split_data_url
from g4f_provider_copilot.account import wire
from g4f_provider_copilot.account.program import Programs


class CopilotAccount:
    """Chat by GitHub Copilot; what it is and needs stands in `CopilotAccount.toml`."""

    def __init__(self) -> None:
        self._programs = Programs()

    @hookimpl
    async def prepare(self, request: ChatRequest, context: Context) -> None:
        """Start the program, which may have to be downloaded before."""
        wire.check_request(request, context.settings)
        _find_account(request, context)
        await self._programs.get(context.settings.get("program"))

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece."""
        session = wire.encode_session(request, context.settings, warn=context.warn)
        session.update(_find_account(request, context))
        images = [await _fetch_image(url, context) for url in wire.list_images(request)]
        message = wire.encode_message(request, images, warn=context.warn)
        program = await self._programs.get(context.settings.get("program"))
        decoder = wire.EventDecoder()
        async with aclosing(program.ask(session, message)) as events:
            async for kind, data in events:
                for chunk in decoder.feed(kind, data):
                    yield chunk

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:
        """Ask which models the account may use."""
        account = _find_account(ChatRequest(()), context)
        if "github_token" not in account:
            return []
        program = await self._programs.get(context.settings.get("program"))
        return await program.list_models(account["github_token"])

    @hookimpl
    async def close(self) -> None:
        """End the programs."""
        await self._programs.close()


def _find_account(request: ChatRequest, context: Context) -> dict[str, Any]:
    """Return what lets a session work: another service's address and key, or the user's GitHub token.

    Raises:
        MissingCredentialsError: There is neither.
    """
    service = wire.encode_provider(request, context.settings)
    if service is not None:
        for name in ("api_key", "bearer_token"):
            context.conceal(service.get(name) or "")
        return {"provider": service}
    token = context.secret()
    if token is None:
        raise MissingCredentialsError(
            "CopilotAccount needs a GitHub account with Copilot: set COPILOT_GITHUB_TOKEN, GH_TOKEN or GITHUB_TOKEN, "
            "or pass api_key=…."
        )
    return {"github_token": token}


async def _fetch_image(url: str, context: Context) -> tuple[str, str]:
    """Return an image's media type and its bytes in base64, as the program takes them: nothing is written to a file."""
    if url.startswith("data:"):
        media_type, data = split_data_url(url)
    else:
        response = await context.fetch(url)
        media_type, data = response.headers.get("content-type", "image/png").partition(";")[0], response.body
    return media_type, base64.b64encode(data).decode("ascii")
