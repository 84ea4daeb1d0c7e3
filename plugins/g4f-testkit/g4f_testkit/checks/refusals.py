"""Refusals of the service: their kind, what they say, whether to try again."""

from __future__ import annotations

import pytest

from g4f import (
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from g4f_testkit.claims import claim
from g4f_testkit.kit import Kit
from g4f_testkit.script import Failure, Turn

KINDS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: InternalServerError,
    503: InternalServerError,
}
RETRYABLE = {409, 429, 500, 503}
REFUSED = {429, 503}  # certainly: nothing was begun
STATUSES = pytest.mark.parametrize("status", KINDS)
MESSAGE = "The service says no, and why."
EMPTY = ["html-page", "empty-body", "status-204", "json-null", "json-list", "json-empty-object", "json-cut-short"]


class RefusalChecks:
    """The grade bronze, mostly."""

    @claim("bronze")
    @STATUSES
    async def test_a_refusal_is_an_error_of_its_kind(self, kit: Kit, status: int) -> None:
        """It names provider and status, repeats what the service says, and knows whether to try again."""
        kit.play(Turn(failure=Failure(status, MESSAGE)))
        error = await kit.fail()
        assert type(error) is KINDS[status]
        assert isinstance(error, APIStatusError)
        assert (error.status_code, error.provider, error.message) == (status, kit.name, MESSAGE)
        assert error.retryable == (status in (REFUSED if kit.lacks("repeats") else RETRYABLE))
        assert len(kit.asked) == 1

    @claim("bronze", "chat", features=("stream",))
    @STATUSES
    async def test_a_refused_stream_is_an_error_of_its_kind(self, kit: Kit, status: int) -> None:
        """It comes before the first chunk."""
        kit.play(Turn(failure=Failure(status, MESSAGE)))
        heard = await kit.listen()
        assert type(heard.error) is KINDS[status]
        assert MESSAGE in str(heard.error)
        assert not heard.chunks

    @claim("bronze")
    @pytest.mark.parametrize("field", ["type", "code", "request_id"])
    async def test_a_refusal_keeps_what_the_service_says(self, kit: Kit, field: str) -> None:
        """Its kind, its code, the id that its support asks for."""
        kit.skip_if_lacking(field)
        failure = Failure(400, MESSAGE, type="g4f_kind", code="g4f_reason", request_id="req-42")
        kit.play(Turn(failure=failure))
        assert getattr(await kit.fail(), field) == getattr(failure, field)

    @claim("bronze", features=("retry_after",))
    async def test_a_rate_limit_tells_how_long_to_wait(self, kit: Kit) -> None:
        """From whatever field the service uses."""
        kit.play(Turn(failure=Failure(429, MESSAGE, retry_after=7.0)))
        error = await kit.fail()
        assert isinstance(error, RateLimitError)
        assert error.retry_after == 7.0

    @claim("silver")
    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_what_may_pass_is_tried_again(self, kit: Kit, status: int) -> None:
        """And the second answer is the user's."""
        if status not in REFUSED:
            kit.skip_if_lacking("repeats")
        kit.play(Turn(failure=Failure(status, retry_after=0.0)), Turn())
        async with kit.make_client(max_retries=1) as client:
            answer = await kit.use(client)
        assert len(kit.asked) == 2
        assert [type(attempt.error) for attempt in answer.attempts] == [KINDS[status], type(None)]

    @claim("silver")
    @pytest.mark.parametrize("fault", EMPTY)
    async def test_an_answer_that_is_none_is_an_error(self, kit: Kit, fault: str) -> None:
        """Never an empty success."""
        kit.play(Turn(fault=fault))
        assert isinstance(await kit.fail(), APIError)

    @claim("silver", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", [*EMPTY, "end-before-the-content"])
    async def test_a_stream_that_is_none_is_an_error(self, kit: Kit, fault: str) -> None:
        """Never an empty success."""
        kit.play(Turn(fault=fault))
        heard = await kit.listen()
        assert isinstance(heard.error, APIError)
        assert not heard.text
