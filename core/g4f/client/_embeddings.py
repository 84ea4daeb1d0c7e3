"""`client.embeddings` of the asynchronous client."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Unpack

from g4f.client._arguments import (
    EmbeddingArguments,
    ProvidersInput,
    check_embedding_arguments,
    hide_arguments,
    make_embedding_request,
)
from g4f.embeddings import EmbeddingInput, Embeddings

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient


class EmbeddingsResource:
    """`client.embeddings`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def create(
        self,
        input: EmbeddingInput,  # noqa: A002 - OpenAI's name
        model: str | None = None,
        provider: ProvidersInput | None = None,
        **arguments: Unpack[EmbeddingArguments],
    ) -> Coroutine[Any, Any, Embeddings]:
        """Turn texts into vectors.

        Args:
            input: A text or several; or token ids, where the service takes them.
            model: The model's name; None is the provider's default.
            provider: Who serves this call; see `ClientArguments`.
            **arguments: See `EmbeddingArguments`; None counts as not given.

        Returns:
            A coroutine of the embeddings, in the order of the texts.

        Raises:
            TypeError: An argument can never be right. Everything else is raised when the result is awaited.
            G4FError: When awaited.
        """
        arguments = hide_arguments(arguments)
        check_embedding_arguments(input, model, arguments)
        return self._embed(input, model, provider, arguments)

    async def _embed(
        self,
        texts: EmbeddingInput,
        model: str | None,
        provider: ProvidersInput | None,
        arguments: EmbeddingArguments,
    ) -> Embeddings:
        client = self._client
        request = make_embedding_request(texts, model, arguments)
        run, _ = client._prepare(request, provider, client._settings.provider, arguments)
        embeddings: Embeddings = await run()
        return embeddings
