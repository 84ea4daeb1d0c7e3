"""The stream that `.stream(...)` gives: a `ChatStream` that keeps its chunks, so that it ends in a whole answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from g4f.chat import Chunk
from g4f.fold import fold_chunks
from g4f.stream import ChatStream

if TYPE_CHECKING:
    from g4f.client._parse import ParsedCompletion, Wanted

T = TypeVar("T")


class CompletionStream(ChatStream, Generic[T]):
    """A streamed answer that can be had whole in the end, read as the type that was asked for. See `ChatStream`."""

    _wanted: Wanted | None = None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._chunks: list[Chunk] = []

    def _take(self, chunk: Chunk) -> Chunk | None:
        self._chunks.append(chunk)
        return super()._take(chunk)

    async def get_final_completion(self) -> ParsedCompletion[T]:
        """Read what is left of the stream, and return the whole answer.

        Raises:
            RuntimeError: The stream was left before its end.
            LengthFinishReasonError, ContentFilterFinishReasonError: A type was asked for, and the answer is not whole.
            ParseError: A type was asked for, and the answer is no JSON, or does not fit.
            G4FError: The stream broke.
        """
        from g4f.client._parse import Wanted  # here because a program that only streams need not pay for it

        if not self._iterated:
            async for _ in self:
                pass
        completion = fold_chunks(self._chunks)
        ended = self.ended or all(choice.finish_reason for choice in completion.choices)
        if not completion.choices or not ended:
            raise RuntimeError("The stream was left before its end, so there is no final completion.")
        completion.provider, completion.warnings, completion.attempts = self.provider, self.warnings, self.attempts
        completion.request_id = self.request_id
        return (self._wanted or Wanted.make(None, ())).read(completion)
