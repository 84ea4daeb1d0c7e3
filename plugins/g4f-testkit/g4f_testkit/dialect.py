"""What a service speaks: reading what a request asks, and writing what a `Turn` says. Pure, as a provider's `wire`.

A dialect is five small functions on a class; those of OpenAI, Anthropic and Google are in `dialects/`. The author of a
provider with a dialect of its own writes one, and names it with `--g4f-dialect` or in the class of tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import attrs

from g4f_testkit.http import Reply, Request
from g4f_testkit.script import Failure, Turn

Operation = Literal["chat", "image", "image_edit", "embed", "models"]
# What a service may lack, so that nobody checks it: `Dialect.lacks`. One that lacks `repeats` may have begun what is
# paid for when it fails: only what it certainly refused (429, 503) is tried again.
Feature = Literal[
    "repeats", "usage", "cached_tokens", "reasoning_tokens", "length", "content_filter", "type", "code", "request_id",
    "retry_after", "extra", "system", "stream", "models",
]  # fmt: skip


@attrs.frozen
class Asked:
    """What a request asks, in words that all dialects share.

    Attributes:
        operation: What is to be done.
        model: The model's name as it arrived.
        stream: Whether the answer is to come piece by piece.
        texts: The texts of the conversation, or the prompt, or what embeddings are wanted of.
        system: What the system says.
        pictures: Those in it: bytes where they came along, else their URL.
        documents: Those in it, their bytes.
        sounds: Those in it, their bytes.
        tools: The names of the functions that the model may call.
        calls: The names of those that it called before, in the conversation.
        results: What they returned: (name of the function, text).
        schema: The JSON schema that the answer is to follow.
        effort: How hard to think, in the service's own words; empty where nothing was said.
        count: How many pictures are wanted.
        signatures: What was signed in the conversation, as it came back.
        tells_usage: Whether a stream is to tell the tokens.
        follows: Whether it asks for what the request before began; that one counts, and its turn is played on.
        opens: Whether it only opens what the next one asks, as a conversation; it is answered as it should be.
    """

    operation: Operation
    model: str = ""
    stream: bool = False
    texts: tuple[str, ...] = ()
    system: str = ""
    pictures: tuple[bytes | str, ...] = ()
    documents: tuple[bytes, ...] = ()
    sounds: tuple[bytes, ...] = ()
    tools: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    schema: Mapping[str, Any] | None = None
    effort: str = ""
    count: int = 1
    signatures: tuple[str, ...] = ()
    tells_usage: bool = True
    follows: bool = False
    opens: bool = False


class Dialect(Protocol):
    """What a service speaks.

    One whose service signs its thoughts or calls, and wants the signatures back, has `signs = True` as well.

    Attributes:
        lacks: What the service does not have, so that nobody looks for it.
    """

    lacks: frozenset[Feature]

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks, or None where it is none of this dialect; then the server answers 404."""

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        """Return the whole answer; `request.origin` is where the server is, for answers that name a URL."""

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Return the streamed answer, one piece an event; with `turn.failure` its last event tells that."""

    def write_error(self, failure: Failure) -> Reply:
        """Return the answer that refuses."""
