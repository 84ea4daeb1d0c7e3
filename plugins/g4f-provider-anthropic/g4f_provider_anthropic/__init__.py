"""Anthropic's service: the Messages dialect (`wire`), and what of a request the manifest and the settings decide."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import attrs

from g4f.chat import ChatOptions, ChatRequest, Chunk, Completion
from g4f.context import Context
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f_provider_anthropic import wire
from g4f_provider_anthropic.wire import ANTHROPIC
from g4f_provider_anthropic.wire.options import DEFAULT_MAX_TOKENS

MAX_PAGES = 20


class Anthropic(HttpProvider):
    """Chat by Anthropic; what it is and needs stands in `Anthropic.toml`."""

    wire = ANTHROPIC

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole."""
        return await super().chat(complete_request(request, context), context)

    @hookimpl
    def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece."""
        return super().stream(complete_request(request, context), context)

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:
        """Ask the service for its models, page by page."""
        rows: list[dict[str, Any]] = []
        after: str | None = None
        for _ in range(MAX_PAGES):
            response = await self.send(wire.encode_models(after), context)
            rows += wire.decode_models(response)
            after = wire.find_next_page(response)
            if after is None:
                break
        return rows


def complete_request(request: ChatRequest, context: Context) -> ChatRequest:
    """Add the length of the answer, which the service must be told, and the API version that the settings name."""
    options = dict(request.options)
    if options.get("max_tokens") is None and options.get("max_completion_tokens") is None:
        resolved = context.manifest.resolve_model(request.model or "")
        limit = resolved.listed.output_tokens if resolved and resolved.listed else None
        options["max_tokens"] = limit or DEFAULT_MAX_TOKENS
    headers = request.extra_headers
    version = context.settings.get("api_version")
    if version:
        headers = {wire.VERSION_HEADER: version, **headers}
    return attrs.evolve(request, options=cast(ChatOptions, options), extra_headers=headers)
