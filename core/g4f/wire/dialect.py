"""What a dialect is: a value that holds its translations, so that another one may be told by what it changes.

OpenAI's stands in `openai.py`; those of other services in the `wire` of their providers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import attrs

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import HttpRequest, HttpResponse
from g4f.errors import APIResponseError, APIStatusError, UnsupportedError
from g4f.fold import fold_chunks, is_answer
from g4f.manifest import StreamEnd
from g4f.wire.errors import decode_error
from g4f.wire.json import show_start
from g4f.wire.sse import Event, split_events

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest, Embeddings
    from g4f.images import ImageRequest, Images

Warn = Callable[[str], None]
R_contra = TypeVar("R_contra", "ImageRequest", "EmbeddingRequest", contravariant=True)


class StreamDecoder(Protocol):
    """Turns the events of one stream into chunks.

    Attributes:
        complete: Whether the answer is whole, so that the stream may end now.
        ended: Whether the dialect's own end marker came, so that nothing more will.
    """

    @property
    def complete(self) -> bool: ...  # noqa: D102
    @property
    def ended(self) -> bool: ...  # noqa: D102

    def feed(self, event: Event) -> Chunk | None:
        """Return the chunk that an event means, or None."""


class EncodeChat(Protocol):
    """Writes a chat request; `warn` is told what is changed or left out."""

    def __call__(self, request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest: ...  # noqa: D102


class Encode(Protocol[R_contra]):
    """Writes a request of another kind; `warn` is told what is changed or left out."""

    def __call__(self, request: R_contra, *, warn: Warn) -> HttpRequest: ...  # noqa: D102


def _refuse(*_: object, **__: object) -> NoReturn:
    """Stand in for what a dialect has no words for. A manifest that says so keeps requests from coming here."""
    raise UnsupportedError("This service's interface has no words for that.")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Wire:
    """The pure functions of a dialect. What a dialect does not name, it does not have.

    One that is almost like another is made from it: `attrs.evolve(OPENAI, encode_chat=encode_chat)`.
    """

    encode_chat: EncodeChat = _refuse
    decode_chat: Callable[[HttpResponse], Completion] = _refuse
    decode_stream: Callable[[StreamEnd], StreamDecoder] = _refuse
    encode_image: Encode[ImageRequest] = _refuse
    decode_image: Callable[[HttpResponse], Images] = _refuse
    encode_embed: Encode[EmbeddingRequest] = _refuse
    decode_embed: Callable[[HttpResponse], Embeddings] = _refuse
    encode_models: Callable[[], HttpRequest] = _refuse
    decode_models: Callable[[HttpResponse], list[dict[str, Any]]] = _refuse
    decode_error: Callable[[int, Mapping[str, str], bytes], APIStatusError] = decode_error

    def has(self, name: str) -> bool:
        """Tell whether the dialect names one of these functions."""
        return getattr(self, name) is not _refuse


def expect_answer(completion: Completion, body: bytes) -> Completion:
    """Return what was read of a whole answer, whatever its dialect, if there is an answer in it.

    Without any content it must say how it ended, as `stop` or `length` do: else nothing tells it from a broken one.

    Args:
        completion: The answer; without a finish reason where the service told none.
        body: What it was read from, to show how that begins.

    Raises:
        APIResponseError: There is neither, or what should be a text is none.
    """
    if not is_answer(completion):
        raise APIResponseError(f"The answer has nothing in it: {show_start(body)}")
    return completion


def decode_events(decoder: StreamDecoder, body: bytes) -> Completion:
    """Read a whole answer that came as a stream of events, though none was asked for.

    Raises:
        APIResponseError: It ends too early, or has nothing in it.
    """
    chunks = map(decoder.feed, split_events(body))
    completion = fold_chunks(chunk for chunk in chunks if chunk is not None)
    if not completion.choices or not decoder.complete:
        raise APIResponseError(f"The answer is a stream that ends too early: {show_start(body)}", retryable=True)
    return expect_answer(completion, body)
