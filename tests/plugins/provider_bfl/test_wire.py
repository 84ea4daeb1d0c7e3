"""What is written and read, case by case, and for whatever may come."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
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
    InternalServerError,
    InvalidInputError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from g4f.images import ImageRequest
from g4f_provider_bfl.wire import FLUX, Job, decode_job, decode_result, encode_result
from spoiling import spoil_body

PNG = b"\x89PNG\r\n\x1a\nsmall"
BASE64 = base64.b64encode(PNG).decode()
JOB = Job("task-1", "https://api.eu4.bfl.ai/v1/get_result?id=task-1", 4.5)


def encode(model: str = "flux-2-pro", **fields: Any) -> tuple[HttpRequest, dict[str, Any], list[str]]:
    told: list[str] = []
    request = FLUX.encode_image(ImageRequest("a cat", model, **fields), warn=told.append)
    return request, json.loads(request.body), told


def answer(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, CIMultiDict(), body if isinstance(body, bytes) else json.dumps(body).encode())


# Requests


def test_a_prompt_becomes_a_job_of_its_model() -> None:
    """What nobody asks for is not sent: the service has its own defaults."""
    request, body, told = encode()
    assert (request.method, request.path) == ("POST", "/v1/flux-2-pro")
    assert request.headers == {"Content-Type": "application/json"}
    assert (body, told) == ({"prompt": "a cat"}, [])


@pytest.mark.parametrize("model", ["", "..", "../v1/delete_finetune", "a//b", "flux-2-pro/", "./x"])
def test_no_name_of_a_model_leads_elsewhere(model: str) -> None:
    """Not to another of the service's functions."""
    with pytest.raises(InvalidInputError, match="has no model"):
        encode(model)


def test_a_strange_name_is_escaped() -> None:
    """It stays one name."""
    assert encode("flux-2-pro?x=1#y ü")[0].path == "/v1/flux-2-pro%3Fx%3D1%23y%20%C3%BC"
    assert encode("flux-tools/erase-v1")[0].path == "/v1/flux-tools/erase-v1"


@pytest.mark.parametrize(
    ("model", "size", "sent"),
    [
        ("flux-2-pro", "1024x1024", {"width": 1024, "height": 1024}),
        ("flux-2-max", "2048x2048", {"width": 2048, "height": 2048}),
        ("flux-2-klein-4b", "64x64", {"width": 64, "height": 64}),
        ("flux-pro-1.1", "1440x256", {"width": 1440, "height": 256}),
        ("flux-dev", "1024x768", {"width": 1024, "height": 768}),
        ("flux-kontext-pro", "16:9", {"aspect_ratio": "16:9"}),
        ("flux-pro-1.1-ultra", "21:9", {"aspect_ratio": "21:9"}),
        ("flux-2-pro", "auto", {}),
        ("flux-kontext-max", "auto", {}),
    ],
)
def test_a_size_that_there_is_is_sent_as_it_is(model: str, size: str, sent: dict[str, Any]) -> None:
    """In the words of the model, and without a warning."""
    _, body, told = encode(model, options={"size": size})
    assert (body, told) == ({"prompt": "a cat", **sent}, [])


@pytest.mark.parametrize(
    ("model", "size", "sent", "says"),
    [
        ("flux-2-pro", "1920x1080", {"width": 1920, "height": 1088}, "became 1920x1088, the nearest that flux-2-pro"),
        ("flux-2-flex", "4096x4096", {"width": 2048, "height": 2048}, "became 2048x2048"),
        ("flux-pro-1.1", "1792x1024", {"width": 1440, "height": 832}, "became 1440x832"),
        ("flux-kontext-pro", "1792x1024", {"aspect_ratio": "7:4"}, "became the aspect ratio 7:4: flux-kontext-pro"),
        ("flux-pro-1.1-ultra", "4000x100", {"aspect_ratio": "21:9"}, "became the aspect ratio 21:9"),
        ("flux-pro-1.1-ultra", "1x99999", {"aspect_ratio": "9:21"}, "became the aspect ratio 9:21"),
    ],
)
def test_another_size_becomes_the_nearest_with_a_warning(
    model: str, size: str, sent: dict[str, Any], says: str
) -> None:
    """That names both."""
    _, body, [warning] = encode(model, options={"size": size})
    assert body == {"prompt": "a cat", **sent}
    assert warning.startswith(f"size {size} became")
    assert says in warning


SIDES = st.integers(1, 99999)


@given(SIDES, SIDES)
def test_whatever_size_is_wished_flux_2_takes_what_is_sent(width: int, height: int) -> None:
    """From 64 pixels to 4 megapixels, in multiples of 16."""
    _, body, told = encode(options={"size": f"{width}x{height}"})
    sides = body["width"], body["height"]
    assert min(sides) >= 64
    assert sides[0] * sides[1] <= 2048 * 2048
    assert all(side % 16 == 0 for side in sides)
    assert bool(told) == (sides != (width, height))


@given(SIDES, SIDES)
def test_whatever_size_is_wished_flux_1_takes_what_is_sent(width: int, height: int) -> None:
    """From 256 to 1440, in multiples of 32."""
    _, body, _ = encode("flux-dev", options={"size": f"{width}x{height}"})
    assert all(256 <= body[name] <= 1440 and body[name] % 32 == 0 for name in ("width", "height"))


@given(SIDES, SIDES)
def test_whatever_size_is_wished_kontext_takes_what_is_sent(width: int, height: int) -> None:
    """A ratio from 21:9 to 9:21."""
    _, body, _ = encode("flux-kontext-pro", options={"size": f"{width}x{height}"})
    across, _, down = body["aspect_ratio"].partition(":")
    assert 9 / 21 <= int(across) / int(down) <= 21 / 9


@pytest.mark.parametrize("size", ["16:9", "big", ""])
def test_a_ratio_is_no_size_where_pixels_count(size: str) -> None:
    """Nothing is sent."""
    with pytest.raises(InvalidInputError, match="size must be as '1024x1024' or 'auto'"):
        encode(options={"size": size})
    with pytest.raises(InvalidInputError, match="size must be as '1024x1024', 'auto' or as '16:9'"):
        encode("flux-kontext-pro", options={"size": "0:9"})


def test_pictures_to_change_go_one_by_one() -> None:
    """An address as it is, since the service fetches it; else base64."""
    images = (f"data:image/png;base64,{BASE64}", "https://example.org/cat.png", f"data:;base64,{BASE64}")
    _, body, told = encode(operation="edit", images=images)
    assert body == {
        "prompt": "a cat",
        "input_image": BASE64,
        "input_image_2": "https://example.org/cat.png",
        "input_image_3": BASE64,
    }
    assert told == []


@pytest.mark.parametrize(
    ("model", "most"),
    [("flux-2-pro", 8), ("flux-2-flex", 8), ("flux-2-klein-9b", 4), ("flux-kontext-max", 4), ("flux-9-new", 8)],
)
def test_as_many_pictures_go_as_the_model_takes(model: str, most: int) -> None:
    """One more is refused before anything is sent."""
    url = "https://example.org/cat.png"
    _, body, _ = encode(model, operation="edit", images=(url,) * most)
    assert body[f"input_image_{most}"] == url
    with pytest.raises(InvalidInputError, match=rf"{model} takes at most {most} images; there are {most + 1}"):
        encode(model, operation="edit", images=(url,) * (most + 1))


def test_a_model_that_changes_no_pictures_says_which_does() -> None:
    """Also one that is newer than the manifest."""
    with pytest.raises(InvalidInputError, match="flux-pro-9 takes no images, and flux-2-pro up to 8"):
        encode("flux-pro-9", operation="edit", images=("https://example.org/cat.png",))


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("flux-2-pro", {"disable_pup": True}),
        ("flux-2-max", {"disable_pup": True}),
        ("flux-2-flex", {"prompt_upsampling": False, "guidance": 3, "steps": 20}),
        ("flux-kontext-pro", {"prompt_upsampling": False}),
        ("flux-dev", {"prompt_upsampling": False, "guidance": 3, "steps": 20}),
        ("flux-2-klein-4b", {}),
    ],
)
def test_settings_are_those_of_the_model(model: str, sent: dict[str, Any]) -> None:
    """What it lacks is left out with a warning; two have upsampling the other way round."""
    own = {"seed": 42, "safety_tolerance": 0, "prompt_upsampling": False, "guidance": 3, "steps": 20}
    _, body, told = encode(model, provider_options=own)
    assert body == {"prompt": "a cat", "seed": 42, "safety_tolerance": 0, **sent}
    lacking = own.keys() - body.keys() - ({"prompt_upsampling"} if "disable_pup" in sent else set())
    assert {warning.split()[3] for warning in told} == lacking


def test_the_format_is_openais_option_or_its_own() -> None:
    """Its own comes first."""
    assert encode(options={"output_format": "webp"})[1]["output_format"] == "webp"
    options: dict[str, Any] = {"options": {"output_format": "webp"}, "provider_options": {"output_format": "png"}}
    assert encode(**options)[1]["output_format"] == "png"


def test_what_the_service_lacks_is_told() -> None:
    """And not sent."""
    options: dict[str, Any] = {"n": 2, "quality": "hd", "background": "transparent", "style": "auto"}
    _, body, told = encode(options=options, mask="data:image/png;base64,AA==")
    assert body == {"prompt": "a cat"}
    assert told == [
        "mask was left out: Black Forest Labs takes none; say in the prompt what to change.",
        "quality was left out: Black Forest Labs has no such setting.",
        "background was left out: Black Forest Labs has no such setting.",
    ]


def test_the_users_own_fields_come_last() -> None:
    """And headers too."""
    request, body, _ = encode(extra_body={"prompt": "a dog", "new": 1}, extra_headers={"X-A": "b"})
    assert body == {"prompt": "a dog", "new": 1}
    assert request.headers["X-A"] == "b"


def test_a_result_is_asked_for_where_the_service_says() -> None:
    """Else at the address that the job went to."""
    assert encode_result(JOB) == HttpRequest("GET", JOB.polling_url)
    bare = "https://api.eu4.bfl.ai/v1/get_result"
    assert encode_result(Job("task-1", bare)) == HttpRequest("GET", bare, query={"id": "task-1"})
    assert encode_result(Job("a b")) == HttpRequest("GET", "/v1/get_result", query={"id": "a b"})


# Answers


def test_a_job_is_read() -> None:
    """With what it costs, where the service says so."""
    assert decode_job(answer({"id": "task-1", "polling_url": JOB.polling_url, "cost": 4.5, "input_mp": 0})) == JOB
    assert decode_job(answer({"id": "x", "polling_url": None, "cost": None})) == Job("x")


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": 7}, {"polling_url": "https://api.bfl.ai"}, [], b"", b"<html>"])
def test_an_answer_that_names_no_job_is_an_error(body: Any) -> None:
    """It is not asked for."""
    with pytest.raises(APIResponseError):
        decode_job(answer(body))


def test_a_job_that_is_not_done_gives_nothing_yet() -> None:
    """It is asked for again."""
    assert decode_result(answer({"id": "task-1", "status": "Pending", "result": None, "progress": 0.3}), JOB) is None


def test_a_picture_comes_as_an_address() -> None:
    """With its seed and its cost."""
    result = {"sample": "https://delivery-eu1.bfl.ai/x.jpeg?sig=a", "seed": 7, "prompt": "a cat"}
    images = decode_result(answer({"id": "task-1", "status": "Ready", "result": result}), JOB)
    assert images is not None
    assert [image.to_dict() for image in images.data] == [{"url": result["sample"], "seed": 7, "cost": 4.5}]


@pytest.mark.parametrize("status", ["Request Moderated", "Content Moderated"])
def test_what_is_refused_is_a_content_filters(status: str) -> None:
    """With the reasons that the service gives; it is not repeated."""
    body = {"id": "task-1", "status": status, "result": None, "details": {"Moderation Reasons": ["Violence", "Gore"]}}
    with pytest.raises(BadRequestError) as caught:
        decode_result(answer(body), JOB)
    error = caught.value
    assert error.message == f"{status}: Moderation Reasons: Violence, Gore"
    assert (error.code, error.type, error.request_id, error.retryable) == ("content_filter", status, "task-1", False)
    assert error.body == body


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ({"status": "Task not found"}, NotFoundError, "Task not found."),
        ({"status": "Error", "details": {"error": "GPU on fire"}}, InternalServerError, "Error: error: GPU on fire"),
        ({"status": "Error", "error": "no"}, InternalServerError, "Error: no"),
        ({"status": "Request Moderated"}, BadRequestError, "Request Moderated."),
    ],
)
def test_a_job_that_failed_is_not_begun_again(body: dict[str, Any], kind: type[APIStatusError], says: str) -> None:
    """Whatever its class would say."""
    with pytest.raises(kind) as caught:
        decode_result(answer(body), JOB)
    assert (caught.value.message, caught.value.retryable) == (says, False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": "Dreaming"},
        {"status": "Ready"},
        {"status": "Ready", "result": {}},
        {"status": "Ready", "result": {"sample": None}},
        {"status": "Ready", "result": "https://x"},
        {"status": None},
        {"status": ["Ready"]},
        [],
        b"<html>",
    ],
)
def test_an_answer_that_nobody_knows_is_an_error(body: Any) -> None:
    """It is not asked for until the end of days."""
    with pytest.raises(APIResponseError):
        decode_result(answer(body), JOB)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message", "code"),
    [
        (400, {"detail": "Bad prompt"}, BadRequestError, "Bad prompt", None),
        (
            401,
            {"error": "invalid_api_key", "message": "Wrong key"},
            AuthenticationError,
            "Wrong key",
            "invalid_api_key",
        ),
        (402, {"detail": "Insufficient credits"}, PaymentRequiredError, "Insufficient credits", "insufficient_credits"),
        (402, b"", PaymentRequiredError, "The account has no credits left.", "insufficient_credits"),
        (403, {"detail": "Not authenticated"}, PermissionDeniedError, "Not authenticated", None),
        (404, {"id": "x", "status": "Task not found"}, NotFoundError, "Task not found", None),
        (500, b"Internal Server Error", InternalServerError, "Internal Server Error", None),
        (503, {}, InternalServerError, "{}", None),
    ],
)
def test_every_documented_error_has_its_class(
    status: int, body: Any, kind: type[APIStatusError], message: str, code: str | None
) -> None:
    """With its message, code and request id."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = FLUX.decode_error(status, CIMultiDict({"x-request-id": "r"}), data)
    assert type(error) is kind
    assert (error.message, error.code, error.request_id) == (message, code, "r")
    assert error.retryable is (status >= 500)


@pytest.mark.parametrize(("headers", "wait"), [({}, 5.0), ({"Retry-After": "9"}, 9.0)])
def test_too_many_jobs_are_a_rate_limit(headers: dict[str, str], wait: float) -> None:
    """With the wait that header or body ask for."""
    body = {"error": "rate_limit_exceeded", "message": "Too many concurrent requests", "retry_after": 5}
    error = FLUX.decode_error(429, CIMultiDict(headers), json.dumps(body).encode())
    assert type(error) is RateLimitError
    assert (error.message, error.code, error.retry_after) == (body["message"], "rate_limit_exceeded", wait)


def test_a_wrong_field_is_named() -> None:
    """As FastAPI lists them."""
    detail = [
        {"loc": ["body", "width"], "msg": "Input should be greater than or equal to 64", "type": "greater_than_equal"},
        {"loc": ["body"], "msg": "Too much", "type": "x"},
    ]
    error = FLUX.decode_error(422, CIMultiDict(), json.dumps({"detail": detail}).encode())
    assert type(error) is UnprocessableEntityError
    assert error.message == "width: Input should be greater than or equal to 64; Too much"
    assert error.param == "width"


ANSWERS = (
    {"id": "1", "polling_url": "https://a.example/x?id=1", "cost": 1.5},
    {"id": "1", "status": "Pending", "result": None},
    {"id": "1", "status": "Ready", "result": {"sample": "https://a.example/x.png", "seed": 4}},
    {"id": "1", "status": "Content Moderated", "details": {"Moderation Reasons": ["Derivative Works Filter", 1]}},
    {"id": "1", "status": "Error", "details": None, "error": "out of memory"},
    {"detail": [{"loc": ["body", "width"], "msg": "Too small", "type": "x"}, {"loc": [], "msg": None}]},
    {"error": "rate_limit_exceeded", "message": "Too many", "retry_after": 5},
    {"detail": "Not authenticated"},
)


@given(st.integers(400, 599), spoil_body(ANSWERS) | st.binary())
def test_no_answer_breaks_the_reader(status: int, data: bytes) -> None:
    """An error of ours, whatever comes."""
    assert FLUX.decode_error(status, CIMultiDict(), data).status_code == status
    for read in (decode_job, lambda response: decode_result(response, JOB)):
        with suppress(G4FError):
            read(answer(data))
