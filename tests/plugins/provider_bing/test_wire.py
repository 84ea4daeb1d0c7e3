"""What is written and read, case by case, and for whatever may come."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from g4f.context import HttpRequest, HttpResponse
from g4f.errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    G4FError,
    InvalidInputError,
    NotFoundError,
    RateLimitError,
)
from g4f.images import ImageRequest
from g4f_provider_bing.wire import MAI, find_root
from spoiling import spoil_body

PNG = b"\x89PNG\r\n\x1a\nsmall"
JPEG = b"\xff\xd8\xff\xe0 small"
WEBP = b"RIFF\0\0\0\0WEBPVP8 "


def make_url(data: bytes, kind: str = "") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def encode(prompt: str = "a cat", **fields: Any) -> tuple[HttpRequest, list[str]]:
    told: list[str] = []
    request = MAI.encode_image(ImageRequest(prompt, "MAI-Image-2.6", **fields), warn=told.append)
    return request, told


def encode_body(**fields: Any) -> tuple[dict[str, Any], list[str]]:
    request, told = encode(**fields)
    return json.loads(request.body), told


def read_form(request: HttpRequest) -> dict[str, tuple[str | None, str, bytes]]:
    """Read form data with the standard library's reader: file name, type, bytes."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    return {
        str(part.get_param("name", header="content-disposition")): (
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    }


def test_a_prompt_becomes_the_documents_request() -> None:
    """The example of the documentation, field by field."""
    request, told = encode()
    assert (request.method, request.path) == ("POST", "/mai/v1/images/generations")
    assert request.headers == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {"model": "MAI-Image-2.6", "prompt": "a cat", "width": 1024, "height": 1024}
    assert told == []


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [("1024x1024", 1024, 1024), ("768x1365", 768, 1365), ("1365x768", 1365, 768), ("auto", 1024, 1024)],
)
def test_a_size_that_there_is_is_sent_as_it_is(size: str, width: int, height: int) -> None:
    """Without a word."""
    body, told = encode_body(options={"size": size})
    assert (body["width"], body["height"], told) == (width, height, [])
    assert "size" not in body


@pytest.mark.parametrize(
    ("size", "width", "height"), [("512x512", 768, 768), ("1792x1024", 1354, 774), ("2048x2048", 1024, 1024)]
)
def test_another_size_becomes_the_nearest_with_a_warning(size: str, width: int, height: int) -> None:
    """That names both."""
    body, told = encode_body(options={"size": size})
    assert (body["width"], body["height"]) == (width, height)
    assert told == [
        f"size {size} became {width}x{height}: a side has at least 768 pixels here, and a picture at most 1,048,576."
    ]


@given(st.integers(1, 99999), st.integers(1, 99999))
def test_whatever_size_is_wished_the_service_takes_what_is_sent(width: int, height: int) -> None:
    """Each side at least 768, at most 1,048,576 pixels; a warning where it is another than was wished."""
    body, told = encode_body(options={"size": f"{width}x{height}"})
    assert min(body["width"], body["height"]) >= 768
    assert body["width"] * body["height"] <= 1048576
    assert bool(told) == ((body["width"], body["height"]) != (width, height))


def test_settings_of_its_own_are_sent() -> None:
    """With an aspect ratio that the model chooses there is no size, unless one is wished."""
    own = {"auto_aspect_ratio": True, "web_grounding": True}
    body, told = encode_body(provider_options=own)
    assert body == {"model": "MAI-Image-2.6", "prompt": "a cat", **own}
    body, _ = encode_body(provider_options=own, options={"size": "768x768"})
    assert body["width"] == 768
    assert told == []


def test_what_the_service_lacks_is_told() -> None:
    """And not sent."""
    options: dict[str, Any] = {"n": 3, "quality": "hd", "background": "transparent", "output_format": "webp"}
    body, told = encode_body(options=options, provider_options={"seed": 1}, mask=make_url(PNG))
    assert body.keys() == {"model", "prompt", "width", "height"}
    assert told == [
        "mask was left out: MAI-Image takes none; say in the prompt what to change.",
        "quality was left out: MAI-Image has no such setting.",
        "background was left out: MAI-Image has no such setting.",
        "The provider option seed was left out: MAI-Image knows auto_aspect_ratio, web_grounding.",
        "output_format was left out: MAI-Image draws PNG.",
    ]


def test_what_asks_for_the_usual_is_not_told() -> None:
    """It is what the service does."""
    _, told = encode_body(options={"quality": "auto", "output_format": "png", "style": "standard"})
    assert told == []


def test_the_users_own_fields_come_last() -> None:
    """And headers too."""
    request, _ = encode(extra_body={"width": 900, "new": 1}, extra_headers={"X-A": "b"})
    assert json.loads(request.body)["width"] == 900
    assert json.loads(request.body)["new"] == 1
    assert request.headers["X-A"] == "b"


@pytest.mark.parametrize(
    ("data", "name", "kind"), [(PNG, "image.png", "image/png"), (JPEG, "image.jpeg", "image/jpeg")]
)
def test_a_picture_to_edit_goes_as_form_data(data: bytes, name: str, kind: str) -> None:
    """Of the type that its bytes show, whatever its URL says."""
    request, told = encode(
        operation="edit", images=(make_url(data, "image/gif"),), provider_options={"web_grounding": True}
    )
    assert (request.method, request.path) == ("POST", "/mai/v1/images/edits")
    assert read_form(request) == {
        "model": (None, "text/plain", b"MAI-Image-2.6"),
        "prompt": (None, "text/plain", b"a cat"),
        "web_grounding": (None, "text/plain", b"true"),
        "image": (name, kind, data),
    }
    assert told == []


def test_a_size_for_an_edit_is_told_to_be_left_out() -> None:
    """The service has none there."""
    request, told = encode(operation="edit", images=(make_url(PNG),), options={"size": "1024x1024"})
    assert b"1024" not in request.body
    assert told == ["size was left out: MAI-Image has no such setting."]


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ((make_url(WEBP),), "png and jpeg images alone"),
        ((make_url(PNG), make_url(PNG)), "one image at a time, not 2"),
        ((), "one image at a time, not 0"),
    ],
)
def test_what_cannot_be_edited_is_refused(images: tuple[str, ...], says: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInputError, match=says):
        encode(operation="edit", images=images)


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "/",
        "//",
        "/mai",
        "/mai/v1/",
        "/mai/v1/images/generations",
        "/mai/v1/images/edits/",
        "/mai/v1/images/generations?api-version=preview",
        "/openai",
        "/openai/v1/",
        "/models",
        "/api/projects/my-project",
        "/API/Projects/x",
    ],
)
def test_whatever_address_of_the_resource_is_given_its_root_is_found(tail: str) -> None:
    """People copy what a portal shows."""
    root = "https://res.services.ai.azure.com"
    assert find_root(root + tail) == root


@pytest.mark.parametrize("address", ["https://gateway.example/azure", "http://127.0.0.1:8080", "https://x.y/models/z"])
def test_another_path_is_kept(address: str) -> None:
    """It may be a gateway's."""
    assert find_root(f"{address}/") == address


def answer(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, CIMultiDict(), body if isinstance(body, bytes) else json.dumps(body).encode())


def test_the_documents_answer_is_read() -> None:
    """The picture is PNG in base64."""
    images = MAI.decode_image(answer({"data": [{"b64_json": base64.b64encode(PNG).decode()}]}))
    assert base64.b64decode(images.data[0].b64_json or "") == PNG


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ({"num_input_text_tokens": 5, "num_input_image_tokens": 2, "num_output_tokens": 9}, (7, 9, 16)),
        ({"num_input_text_tokens": 5, "output_image_tokens": 9}, (5, 9, 14)),
        ({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, (1, 2, 3)),
    ],
)
def test_tokens_are_told_in_openais_words(told: dict[str, int], counts: tuple[int, int, int]) -> None:
    """Whatever words the service has for them."""
    usage = MAI.decode_image(answer({"data": [{"b64_json": "AA=="}], "usage": told})).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == counts


@pytest.mark.parametrize(
    "body", [{}, {"data": []}, {"data": [{}]}, {"data": [{"b64_json": None}]}, [], "x", b"<html>", b""]
)
def test_an_answer_without_a_picture_is_an_error(body: Any) -> None:
    """It is never taken for one."""
    with pytest.raises(APIResponseError):
        MAI.decode_image(answer(body))


@pytest.mark.parametrize(
    ("status", "error", "kind", "retryable"),
    [
        (400, {"code": "BadRequest", "message": "width must be at least 768"}, BadRequestError, False),
        (401, {"code": "401", "message": "Access denied due to invalid subscription key."}, AuthenticationError, False),
        (404, {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}, NotFoundError, False),
        (429, {"code": "429", "message": "Requests have exceeded the call rate limit."}, RateLimitError, True),
    ],
)
def test_every_documented_error_has_its_class(
    status: int, error: dict[str, str], kind: type[APIStatusError], retryable: bool
) -> None:
    """With message, code, request id and the wait that is asked for."""
    headers = CIMultiDict({"apim-request-id": "req-1", "Retry-After": "17"})
    found = MAI.decode_error(status, headers, json.dumps({"error": error}).encode())
    assert type(found) is kind
    assert (found.message, found.code, found.request_id) == (error["message"], error["code"], "req-1")
    assert (found.retry_after, found.retryable) == (17.0, retryable)


@pytest.mark.parametrize(
    "error",
    [
        {"code": "content_filter", "message": "no"},
        {"code": "contentFilter", "message": "no"},
        {"code": "content_policy_violation", "message": "no"},
        {"code": "BadRequest", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}},
        {"code": None, "message": "no", "inner_error": {"code": "ResponsibleAIPolicyViolation"}},
    ],
)
def test_a_refused_prompt_is_a_content_filters(error: dict[str, Any]) -> None:
    """However Azure's services spell it."""
    found = MAI.decode_error(400, CIMultiDict({"x-ms-request-id": "r"}), json.dumps({"error": error}).encode())
    assert type(found) is BadRequestError
    assert (found.code, found.request_id) == ("content_filter", "r")


USAGE = {"num_input_text_tokens": 3, "num_input_image_tokens": 4, "num_output_tokens": 5, "output_image_tokens": 5}
ANSWERS = (
    {"created": 1, "data": [{"b64_json": "AAAA"}], "usage": USAGE},
    {"error": {"code": "contentFilter", "message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
    {"error": {"code": None, "message": "no", "inner_error": {"code": "ResponsibleAIPolicyViolation"}}},
    {"error": "no"},
)


@given(st.integers(400, 599), spoil_body(ANSWERS) | st.binary())
def test_no_answer_breaks_the_reader(status: int, data: bytes) -> None:
    """An error of ours, whatever comes."""
    assert MAI.decode_error(status, CIMultiDict(), data).status_code == status
    with suppress(G4FError):
        MAI.decode_image(answer(data))
