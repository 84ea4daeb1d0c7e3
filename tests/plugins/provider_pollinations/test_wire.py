"""What is written and read where the service differs from OpenAI's, case by case, and for whatever may come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from g4f.context import HttpRequest
from g4f.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    InvalidInputError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from g4f.images import ImageRequest
from g4f.wire.openai import OPENAI
from g4f_provider_pollinations.wire import POLLINATIONS
from spoiling import spoil_body


def encode(model: str = "flux", **fields: Any) -> tuple[HttpRequest, dict[str, Any], list[str]]:
    told: list[str] = []
    request = POLLINATIONS.encode_image(ImageRequest("a cat", model, **fields), warn=told.append)
    return request, json.loads(request.body), told


def test_a_prompt_becomes_the_documents_request() -> None:
    """In a body, not in an address."""
    request, body, told = encode()
    assert (request.method, request.path) == ("POST", "/images/generations")
    assert body == {"prompt": "a cat", "model": "flux", "response_format": "b64_json"}
    assert told == []


def test_what_it_has_of_openais_options_is_sent() -> None:
    """And its own for a transparent background."""
    options: dict[str, Any] = {"size": "1024x512", "quality": "hd", "user": "me", "background": "transparent", "n": 1}
    _, body, told = encode(options=options)
    assert body == {
        "prompt": "a cat",
        "model": "flux",
        "response_format": "b64_json",
        "size": "1024x512",
        "quality": "hd",
        "user": "me",
        "transparent": True,
    }
    assert told == []


def test_a_background_is_transparent_or_not() -> None:
    """Another is told."""
    assert encode(options={"background": "opaque"})[1]["transparent"] is False
    _, body, told = encode(options={"background": "blue"})
    assert "transparent" not in body
    assert told == ["background 'blue' was left out: Pollinations knows transparent and opaque."]


def test_what_asks_for_the_usual_is_not_sent() -> None:
    """Nor told."""
    options: dict[str, Any] = {"size": "auto", "quality": "auto", "background": "auto", "style": "auto"}
    _, body, told = encode(options=options)
    assert (body.keys(), told) == ({"prompt", "model", "response_format"}, [])


def test_what_the_service_lacks_is_told() -> None:
    """And not sent."""
    options: dict[str, Any] = {"style": "vivid", "output_format": "webp", "quality": "ultra"}
    _, body, told = encode(options=options, mask="data:,", provider_options={"mood": 1})
    assert body.keys() == {"prompt", "model", "response_format"}
    assert told == [
        "mask was left out: Pollinations takes none; say in the prompt what to change.",
        "style was left out: Pollinations has no such setting.",
        "output_format was left out: Pollinations has no such setting.",
        "The provider option mood was left out: Pollinations knows enhance, negative_prompt, safe, seed, transparent.",
        "quality 'ultra' was left out: Pollinations knows standard, hd, low, medium, high.",
    ]


def test_settings_of_its_own_are_sent() -> None:
    """And the user's fields last."""
    own = {"seed": 42, "negative_prompt": "dogs", "enhance": True, "safe": "nsfw"}
    request, body, told = encode(
        provider_options=own, extra_body={"seed": 1, "nologo": True}, extra_headers={"X-A": "b"}
    )
    assert body == {
        "prompt": "a cat",
        "model": "flux",
        "response_format": "b64_json",
        **own,
        "seed": 1,
        "nologo": True,
    }
    assert request.headers["X-A"] == "b"
    assert told == []


def test_pictures_to_change_go_as_addresses() -> None:
    """Data URLs are such."""
    images = ("data:image/png;base64,AAAA", "https://example.org/cat.png")
    request, body, told = encode("kontext", operation="edit", images=images)
    assert (request.path, request.headers["Content-Type"]) == ("/images/edits", "application/json")
    assert body == {
        "prompt": "a cat",
        "model": "kontext",
        "image": [{"image_url": images[0]}, {"image_url": images[1]}],
    }
    assert told == []


@pytest.mark.parametrize("size", ["big", "16:9", ""])
def test_what_is_no_size_is_refused(size: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInputError, match="size must be"):
        encode(options={"size": size})


@given(st.integers(1, 99999), st.integers(1, 99999))
def test_every_size_is_sent_as_it_is(width: int, height: int) -> None:
    """The service takes pixels, and models differ in what they make of them."""
    _, body, told = encode(options={"size": f"{width}x{height}"})
    assert (body["size"], told) == (f"{width}x{height}", [])


def test_everything_else_is_openais() -> None:
    """Chat, streams, embeddings, the list of models, and how a picture is read."""
    for name in ("encode_chat", "decode_chat", "decode_stream", "decode_image", "encode_embed", "decode_models"):
        assert getattr(POLLINATIONS, name) is getattr(OPENAI, name)


@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable"),
    [
        (400, "BAD_REQUEST", BadRequestError, False),
        (401, "UNAUTHORIZED", AuthenticationError, False),
        (402, "PAYMENT_REQUIRED", PaymentRequiredError, False),
        (403, "FORBIDDEN", PermissionDeniedError, False),
        (422, "UNPROCESSABLE_ENTITY", UnprocessableEntityError, False),
        (429, "RATE_LIMITED", RateLimitError, True),
        (500, "INTERNAL_ERROR", InternalServerError, True),
        (502, "BAD_GATEWAY", InternalServerError, True),
        (503, "SERVICE_UNAVAILABLE", InternalServerError, True),
    ],
)
def test_every_documented_error_has_its_class(
    status: int, code: str, kind: type[APIStatusError], retryable: bool
) -> None:
    """With message, code, request id and the wait that is asked for."""
    error = {"code": code, "message": "Because.", "timestamp": "2026-11-21T00:00:00Z", "requestId": "req-1"}
    body = json.dumps({"status": status, "success": False, "error": error}).encode()
    found = POLLINATIONS.decode_error(status, CIMultiDict({"Retry-After": "9"}), body)
    assert type(found) is kind
    assert (found.message, found.code, found.request_id) == ("Because.", code, "req-1")
    assert (found.retry_after, found.retryable) == (9.0, retryable)


def test_what_the_filter_stops_is_a_content_filters() -> None:
    """As with every other service."""
    body = json.dumps({"error": {"type": "safety_error", "message": "blocked: violence"}}).encode()
    found = POLLINATIONS.decode_error(400, CIMultiDict(), body)
    assert type(found) is BadRequestError
    assert (found.code, found.type) == ("content_filter", "safety_error")


ANSWERS = (
    {"error": {"type": "safety_error", "message": "blocked: violence", "requestId": "r", "code": "x"}},
    {"success": False, "error": {"message": "no", "requestId": "r"}, "status": 400},
    {"error": "no", "message": "no"},
)


@given(st.integers(400, 599), spoil_body(ANSWERS) | st.binary())
def test_no_answer_breaks_the_reader(status: int, data: bytes) -> None:
    """An error of ours, whatever comes."""
    assert POLLINATIONS.decode_error(status, CIMultiDict(), data).status_code == status
