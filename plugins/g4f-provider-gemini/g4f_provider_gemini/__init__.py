"""Google's Gemini API in its own dialect (`wire/`); files that it does not fetch itself are fetched in `files.py`."""

from __future__ import annotations

import base64
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar, cast

import attrs

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Context
from g4f.drawing import draw_several, read_count
from g4f.embeddings import EmbeddingRequest, Embeddings
from g4f.errors import APIResponseError
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.images import ImageRequest, Images
from g4f_provider_gemini import wire
from g4f_provider_gemini.files import inline_chat, inline_image
from g4f_provider_gemini.wire import GEMINI

MAX_PAGES = 100
MAX_TEXTS = 100  # in one batch of the service
R = TypeVar("R", ChatRequest, ImageRequest, EmbeddingRequest)


class Gemini(HttpProvider):
    """Chat, images and embeddings by Google; what it is and needs stands in `Gemini.toml`."""

    wire = GEMINI

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole."""
        return await super().chat(await inline_chat(_choose_version(request, context), context), context)

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncGenerator[Chunk, None]:
        """Answer a chat piece by piece."""
        request = await inline_chat(_choose_version(request, context), context)
        async with aclosing(cast(AsyncGenerator[Chunk, None], super().stream(request, context))) as chunks:
            async for chunk in chunks:
                yield chunk

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures: the service draws one at a time, so that several are several requests at once."""
        read_count(request)  # before anything is downloaded
        return await draw_several(
            super().image, await inline_image(_choose_version(request, context), context), context
        )

    @hookimpl
    async def embed(self, request: EmbeddingRequest, context: Context) -> Embeddings:
        """Turn texts into vectors, a hundred a request."""
        request = _choose_version(request, context)
        texts = wire.list_texts(request)
        answers = []
        for start in range(0, len(texts), MAX_TEXTS):
            batch = texts[start : start + MAX_TEXTS]
            answer = await super().embed(attrs.evolve(request, input=batch), context)
            if len(answer.data) != len(batch):
                raise APIResponseError(f"The answer has {len(answer.data)} embeddings for {len(batch)} texts.")
            answers.append(answer)
        return _join_vectors(answers, in_base64=request.options.get("encoding_format") == "base64")

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:
        """Ask the service for its models, page by page."""
        rows: list[dict[str, Any]] = []
        page = ""
        for _ in range(MAX_PAGES):
            request = wire.encode_models(api_version=context.settings.get("api_version"), page=page)
            response = await self.send(request, context)
            rows += wire.decode_models(response)
            page = wire.read_next_page(response)
            if not page:
                break
        return rows


def _choose_version(request: R, context: Context) -> R:
    """Add the setting to what the user said with this call; the wire knows no settings."""
    version = context.settings.get("api_version")
    options = request.provider_options
    return attrs.evolve(request, provider_options={"api_version": version, **options}) if version else request


def _join_vectors(answers: list[Embeddings], *, in_base64: bool) -> Embeddings:
    """Put the batches together; base64 is that of 32-bit floats, as OpenAI has it."""
    vectors = [row.embedding for answer in answers for row in answer.data]
    rows = [
        {"object": "embedding", "index": at, "embedding": _pack(vector) if in_base64 else vector}
        for at, vector in enumerate(vectors)
    ]
    tokens = sum(answer.usage.total_tokens for answer in answers if answer.usage)
    usage = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if tokens else {}
    return Embeddings.from_dict({"object": "list", "data": rows, **usage})


def _pack(vector: list[float]) -> str:
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
    except struct.error:
        raise APIResponseError("There is something else than numbers in an embedding.") from None
