"""What the server is to answer, whatever dialect it speaks: plain values. How they are written is left to dialects."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, Literal

import attrs

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


def draw_picture(red: int, green: int, blue: int) -> bytes:
    """Return a PNG of one pixel (https://www.w3.org/TR/png-3/)."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes([0, red, green, blue]))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


PICTURE = draw_picture(200, 30, 30)


@attrs.frozen
class ToolCall:
    """A function that the model calls; in a stream its arguments come in `pieces`."""

    name: str
    arguments: Mapping[str, Any] = attrs.field(factory=dict)
    id: str = "call_g4f"
    pieces: int = 3


@attrs.frozen
class Usage:
    """Tokens as OpenAI counts them: `cached` are among those of the prompt, `reasoning` among those of the answer."""

    prompt: int = 11
    answer: int = 7
    cached: int = 0
    reasoning: int = 0


@attrs.frozen
class Failure:
    """A refusal.

    Attributes:
        status: Its HTTP status.
        message: What it says.
        type: The service's kind of error.
        code: The service's code.
        request_id: The service's id of the request.
        retry_after: Seconds to wait.
        headers: Further headers of its answer.
        in_stream: Whether it comes with status 200: in a stream after the turn's content, else in place of the answer.
    """

    status: int = 500
    message: str = "The service is out of order."
    type: str = "g4f_type"
    code: str = "g4f_code"
    request_id: str = "req-g4f-1"
    retry_after: float | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    in_stream: bool = False


@attrs.frozen
class Turn:
    """What the server says to one request; a request for pictures gets its pictures, one for a chat its text.

    Attributes:
        text: The pieces that a stream's text comes in.
        reasoning: The pieces that the thoughts before it come in.
        calls: The functions that the model calls; in a stream their arguments are interleaved.
        finish: Why the answer ends; None is what fits the rest.
        usage: The tokens; None tells none.
        pictures: What was drawn, once for each picture that was asked for.
        picture_url: Where it is, in place of the picture itself; what begins with a slash is on this server.
        models: The ids in the list of models.
        signature: What the service signs its thoughts or calls with, if it does; it wants that back, unchanged.
        extra: Fields that no documentation knows, added to the answer and to each event of a stream.
        nulls: Whether everything that may be null is.
        failure: What the service says in place of an answer.
        fault: What goes wrong with the bytes: a name of `g4f_testkit.faults.FAULTS`.
        swapped: Whether a stream comes where a whole answer was asked for, and the other way round.
        size: Cuts the bytes into pieces of so many; 0 leaves them as they are.
    """

    text: tuple[str, ...] = ("This ", "is ", "a test")
    reasoning: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    finish: FinishReason | None = None
    usage: Usage | None = Usage()
    pictures: tuple[bytes, ...] = (PICTURE,)
    picture_url: str = ""
    models: tuple[str, ...] = ("g4f-model-1", "g4f-model-2")
    signature: str = "c2lnbmVk"
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    nulls: bool = False
    failure: Failure | None = None
    fault: str = ""
    swapped: bool = False
    size: int = 0

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ends."""
        return self.finish or ("tool_calls" if self.calls else "stop")


def make_vector(text: str) -> list[float]:
    """Return what stands for a text's embedding: no two texts of the checks have the same."""
    return [float(len(text)), float(sum(text.encode("utf-8", "surrogatepass")) % 97), 0.5]
