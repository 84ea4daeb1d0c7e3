from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from g4f import AsyncClient, Context, ImageRequest, Images, hookimpl
from g4f.drawing import draw_several, read_count
from g4f.errors import APIError, BadRequestError, InvalidInputError, RateLimitError


@attrs.define
class Press:
    """Draws one picture at a time, each another; fails where it is told."""

    errors: dict[int, Exception] = attrs.field(factory=dict)
    requests: list[ImageRequest] = attrs.field(factory=list)
    running: int = 0
    most: int = 0
    usage: dict[str, Any] | None = None

    async def draw(self, request: ImageRequest, context: Context) -> Images:
        at = len(self.requests)
        self.requests.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)
            if at in self.errors:
                raise self.errors[at]
        finally:
            self.running -= 1
        return Images.from_dict({"created": 1, "data": [{"url": f"data:,{at}"}], "usage": self.usage})

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        return await draw_several(self.draw, request, context)


async def draw(press: Press, **arguments: Any) -> Images:
    async with AsyncClient(image_provider=press, max_retries=0) as client:
        return await client.images.generate("a cat", response_format="url", **arguments)


async def test_several_pictures_come_in_their_order() -> None:
    """Each of a request of its own; their tokens are added up."""
    press = Press(usage={"total_tokens": 7, "details": {"a": 1}})
    request = ImageRequest("a cat", options={"n": 3})
    images = await draw_several(press.draw, request, Context(transport=NoTransport()))
    assert [image.url for image in images.data] == ["data:,0", "data:,1", "data:,2"]
    assert images.usage is not None
    assert images.usage.to_dict() == {"total_tokens": 21}


class NoTransport:
    """Nothing is sent."""

    send: Any = None
    stream: Any = None


async def test_at_most_four_are_under_way_at_once() -> None:
    """A service is not flooded."""
    press = Press()
    await draw_several(press.draw, ImageRequest("a cat", options={"n": 10}), Context(transport=NoTransport()))
    assert (len(press.requests), press.most) == (10, 4)


async def test_what_came_is_delivered_where_some_failed() -> None:
    """It may be paid for; a warning says what is missing."""
    press = Press({1: RateLimitError("slower", status_code=429)})
    images = await draw_several(press.draw, ImageRequest("", options={"n": 3}), context := Context(NoTransport()))
    assert [image.url for image in images.data] == ["data:,0", "data:,2"]
    assert context.warnings == ["1 of 3 images failed: The service answered 429: slower"]


async def test_where_all_failed_the_first_error_is_raised() -> None:
    """With the provider's name, as ever."""
    press = Press({0: BadRequestError("no", status_code=400), 1: APIError("never")})
    with pytest.raises(BadRequestError, match="Press answered 400: no"):
        await draw(press, n=2)


async def test_an_error_that_is_no_services_comes_first() -> None:
    """A mistake in the request or in the code is not hidden behind pictures that came."""
    with pytest.raises(InvalidInputError, match="wrong"):
        await draw(Press({2: InvalidInputError("wrong")}), n=3)


async def test_each_has_a_key_and_a_seed_of_its_own() -> None:
    """Else a service that knows them would give the same picture again and again."""
    press = Press()
    with pytest.raises(APIError):  # what it draws is no picture
        await draw(press, n=3, provider_options={"seed": 42, "style": "x"}, extra_headers={"X-A": "b"})
    keys = [request.extra_headers.get("Idempotency-Key") for request in press.requests]
    assert keys[0] is None
    assert len(set(keys)) == 3
    assert str(keys[1]).rpartition("-")[0] == str(keys[2]).rpartition("-")[0] != ""
    assert [request.provider_options for request in press.requests] == [
        {"seed": seed, "style": "x"} for seed in (42, 43, 44)
    ]
    assert all(request.extra_headers["X-A"] == "b" for request in press.requests)


async def test_leaving_early_leaves_nothing_behind() -> None:
    """Those under way are cancelled, and no other begins."""
    press, began = Press(), asyncio.Event()

    async def draw_for_ever(request: ImageRequest, context: Context) -> Images:
        press.running += 1
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            press.running -= 1
        raise AssertionError

    request = ImageRequest("", options={"n": 6})
    drawing = asyncio.create_task(draw_several(draw_for_ever, request, Context(NoTransport())))
    await began.wait()
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert press.running == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("n", [0, 11, -1, "2", 1.5, True, [1]])
def test_a_number_that_is_none_is_refused(n: Any) -> None:
    """Before anything is drawn."""
    with pytest.raises(InvalidInputError, match="n must be a number from 1 to 10, not"):
        read_count(ImageRequest("", options={"n": n}))


@pytest.mark.parametrize(("options", "count"), [({}, 1), ({"n": None}, 1), ({"n": 10}, 10)])
def test_one_picture_is_drawn_unless_more_are_wished(options: Any, count: int) -> None:
    """Up to ten."""
    assert read_count(ImageRequest("", options=options)) == count
