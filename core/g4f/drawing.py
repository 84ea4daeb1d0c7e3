"""Drawing several pictures with a service that draws one at a time: several requests, some of them at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import attrs

from g4f.context import Context
from g4f.errors import APIError, InvalidInputError
from g4f.images import ImageRequest, Images

MAX_IMAGES = 10
_AT_ONCE = 4

Draw = Callable[[ImageRequest, Context], Awaitable[Images]]


async def draw_several(draw: Draw, request: ImageRequest, context: Context) -> Images:
    """Draw as many pictures as `n` says. What came is delivered, with a warning where the rest failed.

    Args:
        draw: Draws one picture. At most four calls of it are under way at once.
        request: What was asked. A `seed` in its `provider_options` counts on from picture to picture.
        context: The attempt.

    Raises:
        InvalidInputError: `n` is no number from 1 to 10.
        G4FError: All failed; this is the first one's error.
    """
    import asyncio  # here because a program that only imports the client need not pay for it

    free = asyncio.Semaphore(_AT_ONCE)

    async def draw_one(at: int) -> Images:
        async with free:
            return await draw(_number_request(request, at, context.idempotency_key), context)

    count = read_count(request)
    drawn = await asyncio.gather(*(draw_one(at) for at in range(count)), return_exceptions=True)
    answers = [answer for answer in drawn if isinstance(answer, Images)]
    failures = [answer for answer in drawn if isinstance(answer, BaseException)]
    foreign = [failure for failure in failures if not isinstance(failure, APIError)]
    if foreign or not answers:
        raise (foreign or failures)[0]
    if failures:
        context.warn(f"{len(failures)} of {count} images failed: {failures[0]}")
    return _join(answers)


def read_count(request: ImageRequest) -> int:
    """Return how many pictures are wanted.

    Raises:
        InvalidInputError: `n` is no number from 1 to 10.
    """
    count: Any = request.options.get("n")
    if count is None:
        return 1
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_IMAGES:
        raise InvalidInputError(f"n must be a number from 1 to {MAX_IMAGES}, not {count!r}.")
    return count


def _number_request(request: ImageRequest, at: int, key: str) -> ImageRequest:
    """Return the request for one of several pictures: the same key or seed would bring the same picture again."""
    if at == 0:
        return request
    seed = request.provider_options.get("seed")
    options = {**request.provider_options, "seed": seed + at} if isinstance(seed, int) else request.provider_options
    headers = {"Idempotency-Key": f"{key}-{at}", **request.extra_headers} if key else request.extra_headers
    return attrs.evolve(request, provider_options=options, extra_headers=headers)


def _join(answers: Sequence[Images]) -> Images:
    """Put the answers of several requests together; tokens are added up."""
    first = answers[0].to_dict()
    usages = [answer.usage.to_dict() for answer in answers if answer.usage]
    counts = [name for name, value in usages[0].items() if isinstance(value, int)] if usages else []
    usage = {name: sum(each.get(name) or 0 for each in usages) for name in counts}
    data = [image.to_dict() for answer in answers for image in answer.data]
    return Images.from_dict({**first, "data": data, "usage": usage or None})
