"""The provider against a server that was written from the documentation, well and badly behaved."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

import g4f
import g4f_provider_bfl
from g4f import AsyncClient, Timeout
from g4f.manifest import parse_manifest
from g4f_provider_bfl import BlackForestLabs
from loopback import CUT, STALL, Loopback, Received, Reply, reply_json
from plugins.provider_bfl.service import JPEG, KEY, Service

MANIFEST = parse_manifest(Path(g4f_provider_bfl.__file__).with_name("BlackForestLabs.toml").read_text("utf-8"))
BROKEN = Reply(200, {"content-type": "application/json"}, [b'{"id": "task', CUT])
BUSY = reply_json({"error": "rate_limit_exceeded", "message": "Too many", "retry_after": 0}, 429)


@pytest.fixture
def service(server: Loopback) -> Service:
    """What it does, until a test says otherwise."""
    service = Service(server)
    server.answer = service.answer
    return service


def make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(**{"provider": "BlackForestLabs", "api_key": KEY, "base_url": server.url, **more})


async def draw(server: Loopback, **arguments: Any) -> g4f.Images:
    own = {name: arguments.pop(name) for name in ("max_retries", "timeout", "media_folder") if name in arguments}
    async with make_client(server, **own) as client:
        return await client.images.generate("a cat", **arguments)


# Jobs


async def test_a_picture_is_drawn_and_saved(server: Loopback, service: Service, tmp_path: Path) -> None:
    """The job is begun and asked for with the key; its picture is fetched without."""
    service.pending = 2
    images = await draw(server, model="flux-2-pro", media_folder=str(tmp_path))
    assert Path(images.data[0].path or "").read_bytes() == JPEG
    assert (images.model, images.warnings) == ("flux-2-pro", [])
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", "/v1/flux-2-pro"),
        *[("GET", "/v1/get_result")] * 3,
        ("GET", "/delivery/task-0.jpeg"),
    ]
    assert [request.headers.get("x-key") for request in server.requests] == [*[KEY] * 4, None]
    assert all("authorization" not in request.headers for request in server.requests)


async def test_the_address_of_the_picture_can_be_had(server: Loopback, service: Service) -> None:
    """It is the service's own; nothing is fetched."""
    [image] = (await draw(server, response_format="url")).data
    assert image.url == f"{server.url}/delivery/task-0.jpeg"
    assert (image.to_dict()["seed"], image.to_dict()["cost"]) == (7, 3.0)
    assert not any(request.path.startswith("/delivery/") for request in server.requests)


async def test_a_picture_is_changed(server: Loopback, service: Service) -> None:
    """With the model that is the default for it."""
    async with make_client(server) as client:
        await client.images.edit([JPEG, "https://example.org/hat.png"], "add the hat", response_format="url")
    [job] = service.jobs
    assert job == {
        "prompt": "add the hat",
        "input_image": "/9j/4CBhIGNhdA==",
        "input_image_2": "https://example.org/hat.png",
    }


@pytest.mark.parametrize(
    "polling_url", ["https://evil.example/v1/get_result?id={id}", "http://api.eu2.bfl.ai/x?id={id}", "nonsense", ""]
)
async def test_the_key_goes_to_no_address_that_is_not_the_services(
    polling_url: str, server: Loopback, service: Service
) -> None:
    """The result is asked for where the job went to."""
    service.polling_url = polling_url
    await draw(server, response_format="url")
    assert [request.path for request in server.requests] == ["/v1/flux-2-pro", "/v1/get_result"]


# Failures of a job that was begun


@pytest.mark.parametrize(
    "fault",
    [reply_json({"detail": "no"}, 500), reply_json({}, 503), BUSY, BROKEN, Reply(200, {}, b"<html>")],
    ids=["500", "503", "429", "broken", "page"],
)
async def test_what_may_pass_is_asked_again_and_the_job_not_begun_again(
    fault: Reply, server: Loopback, service: Service
) -> None:
    """The paid picture comes."""
    service.ask = lambda at, times: fault if times <= 2 else None
    images = await draw(server, response_format="url")
    assert len(images.data) == len(service.jobs) == 1
    assert service.asked == [3]


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (
            reply_json({"id": "task-0", "status": "Error", "details": "out of memory"}),
            g4f.InternalServerError,
            "memory",
        ),
        (reply_json({"id": "task-0", "status": "Task not found"}), g4f.NotFoundError, "Task not found"),
        (reply_json({"id": "task-0", "status": "Task not found"}, 404), g4f.NotFoundError, "Task not found"),
        (reply_json({"id": "task-0", "status": "Content Moderated"}), g4f.BadRequestError, "Content Moderated"),
        (reply_json({"id": "task-0", "status": "Request Moderated"}), g4f.BadRequestError, "Request Moderated"),
        (reply_json({"id": "task-0", "status": "Dreaming"}), g4f.APIResponseError, "Dreaming"),
        (reply_json({"detail": "Forbidden"}, 403), g4f.PermissionDeniedError, "Forbidden"),
    ],
)
async def test_what_does_not_pass_is_raised_at_once(
    fault: Reply, kind: type[g4f.APIError], says: str, server: Loopback, service: Service
) -> None:
    """With the job's id; and neither question nor job is repeated."""
    service.ask = lambda at, times: fault
    with pytest.raises(kind, match=says) as caught:
        await draw(server)
    assert type(caught.value) is kind
    assert (caught.value.request_id, caught.value.retryable) == ("task-0", False)
    assert (len(service.jobs), service.asked) == (1, [1])
    assert len(caught.value.attempts) == 1


async def test_a_job_that_takes_too_long_is_left_and_not_begun_again(server: Loopback, service: Service) -> None:
    """The error names it; nothing is asked that could not be answered in time."""
    service.pending = 99
    with pytest.raises(g4f.APITimeoutError, match="its job task-0 goes on at the service") as caught:
        await draw(server, timeout=Timeout(total=1.0))
    assert (caught.value.request_id, caught.value.retryable, len(service.jobs)) == ("task-0", False, 1)


async def test_a_question_that_is_never_answered_ends_at_the_deadline(server: Loopback, service: Service) -> None:
    """And the job is not begun again either."""
    service.ask = lambda at, times: Reply(200, {}, [b"{", STALL])
    with pytest.raises(g4f.APITimeoutError) as caught:
        await draw(server, timeout=Timeout(total=0.5))
    assert (caught.value.request_id, caught.value.retryable, len(service.jobs)) == ("task-0", False, 1)


async def test_leaving_stops_the_questions(server: Loopback, service: Service) -> None:
    """In the middle of one and in a pause; nothing runs on."""
    service.pending = 99
    service.ask = lambda at, times: Reply(200, {}, [b"{", STALL]) if at == 0 else None
    async with make_client(server) as client:
        drawing = asyncio.create_task(client.images.generate("a cat", n=2))
        assert await asyncio.to_thread(server.wait_until, lambda: service.asked[:1] == [1] and len(service.jobs) == 2)
        drawing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await drawing
        assert await asyncio.to_thread(server.wait_until, lambda: len(server.hang_ups) >= 1)
        asked = list(service.asked)
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert service.asked == asked


# Failures before


@pytest.mark.parametrize("fault", [BUSY, reply_json({}, 503, retry_after="0")], ids=["429", "503"])
async def test_a_job_that_was_not_taken_is_offered_again(fault: Reply, server: Loopback, service: Service) -> None:
    """The service says that it took none."""
    tries = itertools.count()
    service.begin = lambda at: fault if next(tries) < 2 else None
    assert len((await draw(server, response_format="url")).data) == 1
    assert len([request for request in server.requests if request.method == "POST"]) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (reply_json({"detail": "no"}, 500), g4f.InternalServerError),
        (reply_json({}, 502), g4f.InternalServerError),
        (BROKEN, g4f.APIConnectionError),
        (Reply(200, {}, [CUT]), g4f.APIConnectionError),
        (Reply(200, {}, [STALL]), g4f.APITimeoutError),
        (reply_json({"status": "odd"}), g4f.APIResponseError),
    ],
    ids=["500", "502", "broken", "cut", "stalled", "odd"],
)
async def test_what_may_have_begun_a_job_is_not_repeated(
    fault: Reply, kind: type[g4f.APIError], server: Loopback, service: Service
) -> None:
    """It would be paid for twice."""
    service.begin = lambda at: fault
    with pytest.raises(kind):
        await draw(server, max_retries=3, timeout=Timeout(total=0.5))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (402, "Insufficient credits", g4f.PaymentRequiredError),
        (403, "Not authenticated", g4f.PermissionDeniedError),
        (422, [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}], g4f.UnprocessableEntityError),
        (400, "Bad", g4f.BadRequestError),
    ],
)
async def test_what_the_service_refuses_is_said_once(
    status: int, detail: Any, kind: type[g4f.APIStatusError], server: Loopback, service: Service
) -> None:
    """An account without credits among it."""
    service.begin = lambda at: reply_json({"detail": detail}, status)
    with pytest.raises(kind):
        await draw(server)
    assert len(server.requests) == 1


async def test_a_wrong_key_is_said_and_not_shown(server: Loopback, service: Service) -> None:
    """Not even where the service echoes it."""
    service.begin = lambda at: reply_json({"detail": f"bad key {KEY}"}, 403)
    with pytest.raises(g4f.PermissionDeniedError) as caught:
        await draw(server)
    assert KEY not in f"{caught.value} {caught.value.body} {caught.value!r}"


# Several


async def test_several_pictures_are_several_jobs(server: Loopback, service: Service) -> None:
    """With keys and seeds of their own, in the order of the jobs."""
    images = await draw(server, n=3, response_format="url", provider_options={"seed": 42})
    assert len(images.data) == len(service.jobs) == 3
    assert sorted(job["seed"] for job in service.jobs) == [42, 43, 44]
    posts = [request for request in server.requests if request.method == "POST"]
    assert len({request.headers["idempotency-key"] for request in posts}) == 3


async def test_the_pictures_that_came_are_delivered(server: Loopback, service: Service) -> None:
    """A refused one is told of."""
    service.ask = lambda at, times: reply_json({"status": "Content Moderated"}) if at == 1 else None
    images = await draw(server, n=3, response_format="url")
    assert len(images.data) == 2
    assert images.warnings == ["1 of 3 images failed: The service answered 400: Content Moderated."]


async def test_where_one_job_was_begun_none_is_begun_again(server: Loopback, service: Service) -> None:
    """Though the others were only too many."""
    service.begin = lambda at: BUSY if at else None
    service.ask = lambda at, times: reply_json({"status": "Error"})
    with pytest.raises(g4f.APIStatusError) as caught:
        await draw(server, n=3)
    assert (len(service.jobs), caught.value.retryable) == (1, False)
    assert len([request for request in server.requests if request.method == "POST"]) == 3


# Where the key goes


@pytest.mark.parametrize("host", ["api.bfl.ai", "api.eu.bfl.ai", "api.us1.bfl.ai", "api.eu4.bfl.ai"])
async def test_the_clusters_of_the_service_get_the_key(host: str) -> None:
    """A proxy sees to whom we would connect; it lets nobody through."""
    with Loopback(Reply(502)) as proxy:
        async with make_client(proxy, base_url=f"https://{host}", proxies={"all": proxy.url}, max_retries=0) as client:
            with pytest.raises(g4f.APIConnectionError):
                await client.images.generate("a cat")
    assert [(request.method, request.path) for request in proxy.requests] == [("CONNECT", f"{host}:443")]


async def test_the_models_are_those_of_the_manifest(server: Loopback, service: Service) -> None:
    """The service has no list to ask for."""
    async with make_client(server) as client:
        models = [model.id for model in await client.models.list()]
    assert {"flux-2-pro", "flux-kontext-max", "flux-dev"} <= set(models)
    assert server.requests == []


class Clusters(BlackForestLabs):
    """The provider with other hosts, as a proxy can only listen to what is not encrypted."""

    manifest = attrs.evolve(MANIFEST, base_url="http://api.example", hosts=("http://api.*.example",))


@pytest.mark.parametrize(("host", "asked"), [("api.eu4.example", "api.eu4.example"), ("api.evil", "api.example")])
async def test_a_result_is_asked_for_in_its_cluster(host: str, asked: str, server: Loopback, service: Service) -> None:
    """With the key; and where it is none of the service's, at the address that the job went to."""
    service.polling_url = f"http://{host}/v1/get_result?id={{id}}"

    def forward(request: Received) -> Reply:
        return service.answer(attrs.evolve(request, path=urlsplit(request.path).path))

    server.answer = forward
    async with AsyncClient(image_provider=Clusters, api_key=KEY, proxies={"all": server.url}) as client:
        await client.images.generate("a cat", response_format="url")
    assert [(urlsplit(request.path).hostname, request.headers.get("x-key")) for request in server.requests] == [
        ("api.example", KEY),
        (asked, KEY),
    ]
