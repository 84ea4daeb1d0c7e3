"""Microsoft 365 Copilot over HTTP: a conversation is begun for each chat, then asked in its own dialect (`wire`).

Whose token goes along is decided here: the user's, else that of the sign-in that `sign_in.py` keeps.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, ClassVar, cast

import attrs

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Context
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.wire.dialect import Wire
from g4f_provider_copilot.m365 import wire
from g4f_provider_copilot.m365.bearer import BearerTransport


class Copilot(HttpProvider):
    """Chat by Microsoft 365 Copilot; what it is and needs stands in `Copilot.toml`."""

    wire: ClassVar[Wire] = wire.M365

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole."""
        wire.check_request(request)
        context = await _sign_in(context)
        return await super().chat(await self._begin(request, context), context)

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece."""
        wire.check_request(request)
        context = await _sign_in(context)
        request = await self._begin(request, context)
        async with aclosing(cast(AsyncGenerator[Chunk, None], super().stream(request, context))) as chunks:
            async for chunk in chunks:
                if wire.is_rewritten(chunk):
                    context.warn(wire.REWRITTEN)
                yield chunk

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002 - as the base has it
        """Name no models: the service has one, which the manifest lists."""
        return []

    async def _begin(self, request: ChatRequest, context: Context) -> ChatRequest:
        """Begin a conversation, unless the user goes on with one; add what only the settings know."""
        options = dict(request.provider_options)
        options.setdefault("time_zone", context.settings.get("time_zone") or _find_time_zone())
        if options.get("conversation_id"):
            return wire.keep_last(attrs.evolve(request, provider_options=options))
        options["conversation_id"] = wire.decode_conversation(await self.send(wire.encode_conversation(), context))
        return attrs.evolve(request, provider_options=options)


def _find_time_zone() -> str:
    """Return the machine's time zone by its IANA name, which the service must be told."""
    from tzlocal import get_localzone_name

    try:
        with warnings.catch_warnings(action="ignore"):  # of a machine that does not say
            return get_localzone_name() or "UTC"
    except (LookupError, OSError, ValueError):  # a zone without a name
        return "UTC"


async def _sign_in(context: Context) -> Context:
    """Return the context with a transport that carries the user's token; nobody's goes to a foreign address unasked.

    Raises:
        MissingCredentialsError: There is none.
    """
    token = context.secret()
    if token is None and not context.foreign:
        from g4f_provider_copilot.m365.sign_in import find_token_file, get_token

        token = await asyncio.to_thread(get_token, find_token_file(context.settings))
        context.conceal(token)
    return context if token is None else attrs.evolve(context, transport=BearerTransport(context.transport, token))
