"""Asks and takes the answer; where its text is written is left to the caller's writer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from g4f_cli.failures import tell_fallback, tell_warnings
from g4f_cli.terminal import AnswerWriter, can_draw, note, warn

if TYPE_CHECKING:
    from g4f import AsyncClient
    from g4f.chat import Usage
    from g4f.client._arguments import ChatArguments
    from g4f.errors import Attempt

_CUT_SHORT: Mapping[str | None, str] = {
    "length": "The answer ends where it reached the longest length allowed.",
    "content_filter": "The service's content filter ended the answer.",
}


class Writer(Protocol):
    """Takes an answer's text piece by piece.

    Attributes:
        text: What was written so far.
    """

    text: str

    def write(self, text: str) -> None:
        """Take a piece."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Question(NamedTuple):
    """What is asked.

    Attributes:
        messages: OpenAI's message objects.
        model: The model, or None for the provider's own.
        arguments: What is asked of the service beside.
    """

    messages: Sequence[dict[str, Any]]
    model: str | None
    arguments: ChatArguments


class Answer(NamedTuple):
    """What came.

    Attributes:
        text: What was said.
        provider: Who answered.
        model: The model that was asked for.
        usage: The tokens, where the service told.
        data: The whole answer as JSON data; of a stream, nothing.
        stopped: Whether the user stopped it: `text` is what had come.
    """

    text: str
    provider: str | None
    model: str | None
    usage: Usage | None
    data: Mapping[str, Any]
    stopped: bool = False


def make_writer(*, plain: bool = False) -> Writer:
    """Return what writes an answer: as Markdown to a terminal, else as it is."""
    if plain or not can_draw():
        return AnswerWriter()
    from g4f_cli.markdown import MarkdownWriter

    return MarkdownWriter()


async def stream_answer(client: AsyncClient, question: Question, writer: Writer) -> Answer:
    """Ask, and write the answer as it comes; then tell what the user should know about it.

    Raises:
        asyncio.CancelledError: The user stopped it before anything came.
    """
    from asyncio import CancelledError  # as in running.py

    ends: set[str | None] = set()
    stopped = False
    async with client.chat.completions.stream(question.messages, question.model, **question.arguments) as stream:
        try:
            with writer:
                async for chunk in stream:
                    for choice in chunk.choices:
                        writer.write(choice.delta.content or choice.delta.refusal or "")
                        ends.add(choice.finish_reason)
        except CancelledError:
            if not writer.text:
                raise
            stopped = True
        finally:
            tell_warnings(stream.warnings, stream.attempts)
        tell_fallback(stream.attempts, stream.provider)
    answer = Answer(writer.text, stream.provider, _find_model(stream.attempts), stream.usage, {}, stopped)
    if stopped:
        note("Stopped.")
    else:
        _tell_end(ends, answer)
    return answer


async def fetch_answer(client: AsyncClient, question: Question) -> Answer:
    """Ask for the answer as a whole, and tell what the user should know about it; nothing is written."""
    completion = await client.chat.completions.create(question.messages, question.model, **question.arguments)
    tell_warnings(completion.warnings, completion.attempts)
    tell_fallback(completion.attempts, completion.provider)
    texts = [choice.message.content or choice.message.refusal or "" for choice in completion.choices]
    answer = Answer(
        "\n\n".join(texts),
        completion.provider,
        _find_model(completion.attempts) or completion.model,
        completion.usage,
        {**completion.to_dict(), "provider": completion.provider, "warnings": completion.warnings},
    )
    _tell_end({choice.finish_reason for choice in completion.choices}, answer)
    return answer


def _find_model(attempts: Sequence[Attempt]) -> str | None:
    return attempts[-1].model if attempts else None


def _tell_end(finish_reasons: Iterable[str | None], answer: Answer) -> None:
    for reason, text in _CUT_SHORT.items():
        if reason in finish_reasons:
            warn(text)
    if not answer.text:
        warn("The answer is empty.")


def tell_usage(usage: Usage | None) -> None:
    """Say how many tokens it took."""
    if usage is None:
        note("The service did not tell how many tokens it took.")
    else:
        note(f"{usage.prompt_tokens} tokens in, {usage.completion_tokens} out.")
