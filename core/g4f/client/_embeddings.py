"""`client.embeddings` of both clients, what may be passed to it, and the frozen requests made of that."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast

from g4f.client._arguments import (
    HIDDEN,
    CallArguments,
    ProvidersInput,
    check_model,
    check_names,
    copy_extras,
    hide_arguments,
    pick_options,
)
from g4f.embeddings import EmbeddingInput, EmbeddingOptions, EmbeddingRequest, Embeddings

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient
    from g4f.client._sync import Client


class EmbeddingArguments(EmbeddingOptions, CallArguments, total=False):
    """The arguments of a request for embeddings beside its input, model and provider."""


_NAMES = frozenset(EmbeddingArguments.__annotations__)
_OPTIONS = frozenset(EmbeddingOptions.__annotations__)
_SHOWN = _NAMES - HIDDEN


def check_embedding_arguments(texts: object, model: object, arguments: Mapping[str, Any]) -> None:
    """Raise TypeError for what can never be a request for embeddings."""
    check_model(model)
    if isinstance(texts, (bytes, Mapping)) or not isinstance(texts, (str, Sequence)):
        raise TypeError(f"input must be a text or a list of texts, not {type(texts).__name__}")
    check_names(arguments, _NAMES)


def make_embedding_request(texts: EmbeddingInput, model: str | None, arguments: Mapping[str, Any]) -> EmbeddingRequest:
    """Make a request for embeddings; see `EmbeddingArguments`."""
    return EmbeddingRequest(
        input=texts if isinstance(texts, str) else cast(EmbeddingInput, list(texts)),
        model=model or None,
        options=cast(EmbeddingOptions, pick_options(arguments, _OPTIONS)),
        **copy_extras(arguments),
    )


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
        arguments = hide_arguments(arguments, _SHOWN)
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


class SyncEmbeddings:
    """`client.embeddings`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self,
        input: EmbeddingInput,  # noqa: A002 - OpenAI's name
        model: str | None = None,
        provider: ProvidersInput | None = None,
        **arguments: Unpack[EmbeddingArguments],
    ) -> Embeddings:
        """Turn texts into vectors; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments, _SHOWN)
        embeddings = self._client._inner.embeddings.create(input, model, provider, **arguments)
        return self._client._run(embeddings)
