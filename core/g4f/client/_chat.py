"""`client.chat` of the asynchronous client."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from g4f.chat import Completion
from g4f.client._arguments import (
    ChatArguments,
    Messages,
    ParseArguments,
    ProvidersInput,
    Tools,
    check_chat_arguments,
    hide_arguments,
    make_chat_request,
)
from g4f.client._final import CompletionStream
from g4f.stream import ChatStream

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient
    from g4f.client._parse import ParsedCompletion, Wanted

T = TypeVar("T")
S = TypeVar("S", bound=ChatStream)


class Chat:
    """`client.chat`."""

    def __init__(self, client: AsyncClient) -> None:
        self.completions = Completions(client)


class Completions:
    """`client.chat.completions`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        stream: Literal[False] = False,
        **arguments: Unpack[ChatArguments],
    ) -> Coroutine[Any, Any, Completion]: ...

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        stream: Literal[True],
        **arguments: Unpack[ChatArguments],
    ) -> ChatStream: ...

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        stream: bool,
        **arguments: Unpack[ChatArguments],
    ) -> Coroutine[Any, Any, Completion] | ChatStream: ...

    def create(
        self,
        messages: Messages = (),
        model: str | None = None,
        provider: ProvidersInput | None = None,
        stream: bool = False,
        **arguments: Unpack[ChatArguments],
    ) -> Coroutine[Any, Any, Completion] | ChatStream:
        """Ask for an answer.

        Args:
            messages: A text, or a list of OpenAI's message objects.
            model: The model's name, "Provider/name" as well; None is the provider's default.
            provider: Who serves this call; see `ClientArguments`.
            stream: Whether to get the answer as it is made.
            **arguments: See `ChatArguments`; None counts as not given.

        Returns:
            A coroutine of the completion; with `stream` a `ChatStream` to iterate over at once.

        Raises:
            TypeError: An argument can never be right. Everything else is raised when the result is awaited.
            G4FError: When awaited.
        """
        if arguments:
            arguments = hide_arguments(arguments)
        if stream:
            return self._begin(ChatStream, messages, model, provider, arguments)
        check_chat_arguments(messages, model, arguments)
        return self._ask(messages, model, provider, False, arguments)

    @overload
    def stream(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type[T],
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> CompletionStream[T]: ...

    @overload
    def stream(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: Mapping[str, Any] | None = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> CompletionStream[None]: ...

    def stream(
        self,
        messages: Messages = (),
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type | Mapping[str, Any] | None = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> CompletionStream[Any]:
        """Ask for an answer as it is made, with the whole at the end: `get_final_completion()`.

        The arguments are those of `create`; as those of `parse`, `response_format` and `tools` may be types.
        """
        arguments = hide_arguments(arguments)
        asked: dict[str, Any] = {**arguments, "response_format": response_format, "tools": tools}
        kind = None if isinstance(response_format, Mapping) else response_format
        if kind is None and not tools:
            return self._begin(CompletionStream[Any], messages, model, provider, asked)
        from g4f.client._parse import Wanted  # here because a program that only chats need not pay for it

        wanted = Wanted.make(kind, tools or ())
        stream = self._begin(CompletionStream[Any], messages, model, provider, wanted.complete(asked))
        stream._wanted = wanted
        return stream

    def _begin(
        self,
        kind: type[S],
        messages: Messages,
        model: str | None,
        provider: ProvidersInput | None,
        arguments: Mapping[str, Any],
    ) -> S:
        check_chat_arguments(messages, model, arguments)
        return kind.begin_later(
            lambda: self._ask(messages, model, provider, True, arguments),
            # We ask for the usage in any case; who did not is not made to meet a chunk without choices.
            tell_all=bool((arguments.get("stream_options") or {}).get("include_usage")),
        )

    @overload
    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type[T],
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> Coroutine[Any, Any, ParsedCompletion[T]]: ...

    @overload
    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: None = None,
        tools: Tools,
        **arguments: Unpack[ParseArguments],
    ) -> Coroutine[Any, Any, ParsedCompletion[None]]: ...

    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type | None = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> Coroutine[Any, Any, ParsedCompletion[Any]]:
        """Ask for an answer of a type.

        Args:
            messages: A text, or a list of OpenAI's message objects.
            model: The model's name, "Provider/name" as well; None is the provider's default.
            provider: Who serves this call; see `ClientArguments`.
            response_format: The type: a pydantic model, a dataclass, an attrs class or a TypedDict.
            tools: Tools, or types of their arguments.
            **arguments: See `ParseArguments`; None counts as not given.

        Returns:
            A coroutine of the completion; `.choices[0].message.parsed` is the value.

        Raises:
            TypeError: An argument can never be right. Everything else is raised when the result is awaited.
            LengthFinishReasonError, ContentFilterFinishReasonError: When awaited: the answer is not whole.
            ParseError: When awaited: the answer is no JSON, or does not fit.
            G4FError: When awaited.
        """
        from g4f.client._parse import Wanted  # here because a program that only chats need not pay for it

        arguments = hide_arguments(arguments)
        check_chat_arguments(messages, model, arguments)
        wanted = Wanted.make(response_format, tools or ())
        return self._ask_for(wanted, messages, model, provider, arguments)

    async def _ask_for(
        self,
        wanted: Wanted,
        messages: Messages,
        model: str | None,
        provider: ProvidersInput | None,
        arguments: ParseArguments,
    ) -> ParsedCompletion[Any]:
        return wanted.read(await self._ask(messages, model, provider, False, wanted.complete(arguments)))

    async def _ask(
        self,
        messages: Messages,
        model: str | None,
        provider: ProvidersInput | None,
        stream: bool,
        arguments: Mapping[str, Any],
    ) -> Any:
        images = [
            *([arguments["image"]] if arguments.get("image") is not None else ()),
            *(arguments.get("images") or ()),
        ]
        client, urls = self._client, list[str]()
        if images:
            from g4f.media import read_images  # here because a program that brings none need not pay for it

            urls = await read_images(images, client._choose_limits(arguments), arguments.get("image_name"))
        request = make_chat_request(messages, model, stream, arguments, urls)
        run, _ = client._prepare(request, provider, client._settings.provider, arguments)
        return await run()
