"""A dialect is a value that holds its translations."""

import attrs
import pytest

from g4f.chat import ChatRequest
from g4f.context import HttpRequest
from g4f.errors import RateLimitError, UnsupportedError
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn, Wire
from g4f.wire.openai import OPENAI

CHAT = ChatRequest(({"role": "user", "content": "Hi"},), "m")


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest:
    warn(f"{request.model} is asked elsewhere.")
    return HttpRequest("PUT", "/elsewhere")


def test_a_dialect_is_told_by_what_it_changes() -> None:
    """The rest is that of the one that it is made from, which stays as it is."""
    wire = attrs.evolve(OPENAI, encode_chat=encode_chat)
    told: list[str] = []
    assert wire.encode_chat(CHAT, stream=False, warn=told.append).path == "/elsewhere"
    assert told == ["m is asked elsewhere."]
    assert wire.encode_models() == OPENAI.encode_models()
    assert OPENAI.encode_chat(CHAT, stream=False, warn=pytest.fail).path == "/chat/completions"


def test_what_a_dialect_does_not_name_it_does_not_have() -> None:
    """Asked for it all the same, it says so in an error of ours."""
    wire = Wire(encode_chat=encode_chat)
    with pytest.raises(UnsupportedError, match="no words"):
        wire.encode_image(ImageRequest("a cat"), warn=pytest.fail)
    with pytest.raises(UnsupportedError):
        wire.encode_models()


def test_every_dialect_can_read_errors() -> None:
    """Most services say them as OpenAI does."""
    error = Wire().decode_error(429, {"retry-after": "2"}, b'{"error": {"message": "Slow down", "code": "x"}}')
    assert isinstance(error, RateLimitError)
    assert (error.code, error.retry_after) == ("x", 2.0)
