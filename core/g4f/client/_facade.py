"""`g4f.ChatCompletion`: class methods over a client of one call, for programs that hold none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, Literal, Unpack, overload

from g4f.chat import Chunk, Completion
from g4f.client._arguments import ChatArguments, Messages, ProvidersInput, check_chat_arguments, hide_arguments
from g4f.client._async import AsyncClient
from g4f.client._sync import Client
from g4f.middleware.retry import Retry
from g4f.registry import share_registry


class ChatCompletion:
    """Ask once, without a client. The arguments are those of `client.chat.completions.create`, model first."""

    @overload
    @staticmethod
    def create(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        stream: Literal[False] = False,
        **arguments: Unpack[ChatArguments],
    ) -> Completion: ...

    @overload
    @staticmethod
    def create(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        *,
        stream: Literal[True],
        **arguments: Unpack[ChatArguments],
    ) -> Iterator[Chunk]: ...

    @staticmethod
    def create(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        stream: bool = False,
        **arguments: Unpack[ChatArguments],
    ) -> Completion | Iterator[Chunk]:
        """Ask, and return the completion; with `stream` an iterator of chunks.

        Raises:
            TypeError: An argument can never be right.
            G4FError: Nobody could answer.
        """
        arguments = hide_arguments(arguments)
        check_chat_arguments(messages, model, arguments)
        if stream:
            return _iterate(model, messages, provider, arguments)
        with Client(middleware=[_make_retry()]) as client:
            return client.chat.completions.create(messages, model, provider, **arguments)

    @overload
    @staticmethod
    def create_async(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        stream: Literal[False] = False,
        **arguments: Unpack[ChatArguments],
    ) -> Coroutine[Any, Any, Completion]: ...

    @overload
    @staticmethod
    def create_async(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        *,
        stream: Literal[True],
        **arguments: Unpack[ChatArguments],
    ) -> AsyncGenerator[Chunk, None]: ...

    @staticmethod
    def create_async(
        model: str | None = None,
        messages: Messages = (),
        provider: ProvidersInput | None = None,
        stream: bool = False,
        **arguments: Unpack[ChatArguments],
    ) -> Coroutine[Any, Any, Completion] | AsyncGenerator[Chunk, None]:
        """Return a coroutine of the completion; with `stream` an async iterator of chunks.

        Raises:
            TypeError: An argument can never be right.
            G4FError: When awaited: nobody could answer.
        """
        arguments = hide_arguments(arguments)
        check_chat_arguments(messages, model, arguments)
        if stream:
            return _iterate_async(model, messages, provider, arguments)
        return _ask_async(model, messages, provider, arguments)


def _make_retry() -> Retry:
    """Make what repeats a call, so that all calls of the process share a budget."""
    return Retry(budget=share_registry().budget)


def _iterate(
    model: str | None, messages: Messages, provider: ProvidersInput | None, arguments: ChatArguments
) -> Iterator[Chunk]:
    with Client(middleware=[_make_retry()]) as client:
        yield from client.chat.completions.create(messages, model, provider, stream=True, **arguments)


async def _ask_async(
    model: str | None, messages: Messages, provider: ProvidersInput | None, arguments: ChatArguments
) -> Completion:
    async with AsyncClient(middleware=[_make_retry()]) as client:
        return await client.chat.completions.create(messages, model, provider, **arguments)


async def _iterate_async(
    model: str | None, messages: Messages, provider: ProvidersInput | None, arguments: ChatArguments
) -> AsyncGenerator[Chunk, None]:
    async with (
        AsyncClient(middleware=[_make_retry()]) as client,
        client.chat.completions.create(messages, model, provider, stream=True, **arguments) as stream,
    ):
        async for chunk in stream:
            yield chunk
