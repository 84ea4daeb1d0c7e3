"""The hooks that a provider may implement: `chat` or `stream`, `image`, `embed`; the rest is optional.

Mark methods of a class with `@hookimpl`; `async def` and async generators are fine. pluggy passes only the arguments
that a method names, so `async def chat(self, request)` works as well. Exceptions that are no `G4FError` become one.
"""

# A specification has no code, whatever it promises to return.
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any

import pluggy

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Context, Request

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest, Embeddings
    from g4f.images import ImageRequest, Images

PROJECT = "g4f"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class ProviderHooks:
    """The contract, version 1."""

    @hookspec(firstresult=True)
    def chat(self, request: ChatRequest, context: Context) -> Awaitable[Completion]:
        """Answer a chat as a whole.

        Called when the user does not stream, and for streams where `stream` is not implemented.

        Args:
            request: What is asked; never change it.
            context: What may be used to answer it.

        Returns:
            An awaitable of the whole answer.
        """

    @hookspec(firstresult=True)
    def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece.

        Called when the user streams, and for whole answers where `chat` is not implemented. When the consumer leaves
        early the iterator's `aclose()` is awaited: free what you hold in `finally`.

        Args:
            request: What is asked; never change it.
            context: What may be used to answer it.

        Returns:
            An async iterator of chunks: deltas, a chunk with a finish reason, then one with `usage` if it is known.
        """

    @hookspec(firstresult=True)
    def image(self, request: ImageRequest, context: Context) -> Awaitable[Images]:
        """Draw, or edit, pictures; `request.operation` says which.

        Args:
            request: What is asked; never change it.
            context: What may be used to answer it. `context.fetch` downloads a picture from a public URL.

        Returns:
            An awaitable of the images, each with `b64_json` or `url`; saving them is done by the core.
        """

    @hookspec(firstresult=True)
    def embed(self, request: EmbeddingRequest, context: Context) -> Awaitable[Embeddings]:
        """Turn texts into vectors.

        Args:
            request: What is asked; never change it.
            context: What may be used to answer it.

        Returns:
            An awaitable of the embeddings, in the order of the texts.
        """

    @hookspec(firstresult=True)
    def models(self, context: Context) -> Awaitable[list[dict[str, Any]]]:
        """List the models that the service offers now.

        Args:
            context: What may be used to ask.

        Returns:
            An awaitable of OpenAI's model objects, each with at least an `id`.
        """

    @hookspec(firstresult=True)
    def prepare(self, request: Request, context: Context) -> Awaitable[None]:
        """Make ready what answering needs and may take long, as fetching a model's weights.

        Called before `chat`, `stream`, `image` and `embed`; the deadlines of an answer begin after it.

        Args:
            request: What is asked; never change it.
            context: What may be used.

        Returns:
            An awaitable that ends when the provider is ready.
        """

    @hookspec(firstresult=True)
    def close(self) -> Awaitable[None]:
        """Free what the provider holds: a model, a process. Called when its last client closes; it may be used again.

        Returns:
            An awaitable that ends when all is freed.
        """
