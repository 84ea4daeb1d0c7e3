"""Failures on the way: whatever the service and the network do, the user gets the whole answer or one of our errors."""

from __future__ import annotations

import pytest

from g4f import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    StreamTruncatedError,
    Timeout,
)
from g4f_testkit.claims import claim
from g4f_testkit.kit import LONG, SOON, Kit
from g4f_testkit.script import Failure, Turn

TEXT = "This is a test"
LONG_TASK = "Tell the history of France, century by century, in ten chapters."
MESSAGE = "The service broke in the middle."
# Bytes that the server may get rid of before the client hangs up.
ENOUGH = {"chat": 80 * 2**20, "embed": 80 * 2**20, "image": 300 * 2**20}

NO_ANSWER = ["closed-before-the-answer", "reset-before-the-answer", "garbage-status-line"]
CUT_ANSWER = ["connection-closed", "connection-reset", "json-nested-deep", "endless-json", "gzip-bomb"]
SILENT = ["first-byte-never-comes", "headers-that-drip", "stall"]
# Cut at a place that no server would end at; where the connection is not broken, only the dialect's end rule tells.
BROKEN_STREAMS = ["connection-closed", "connection-reset"]
SHORT_STREAMS = ["end-without-a-finish", "cut-inside-an-event", "cut-inside-a-character"]
SPOILT_STREAMS = ["broken-json-in-mid-stream", "html-in-mid-stream", "endless-line"]
KEPT_ALIVE = ["stall", "pings-only", "comments-for-ever"]
ODD = [
    "a-byte-at-a-time", "byte-order-mark", "carriage-returns", "comments-between-events", "empty-events",
    "no-final-blank-line",
]  # fmt: skip


class FaultChecks:
    """The grade gold."""

    @claim("gold")
    @pytest.mark.parametrize("fault", [*NO_ANSWER, *CUT_ANSWER])
    async def test_an_answer_that_is_broken_is_an_error(self, kit: Kit, fault: str) -> None:
        """One of ours, of a kind that tells network from service; and an endless one is not read to its end."""
        kit.play(Turn(fault=fault))
        error = await kit.fail()
        assert isinstance(error, (APIConnectionError, APIResponseError))
        assert error.provider == kit.name
        assert await kit.wait_until(lambda: kit.server.connections == 0)
        assert kit.server.sent < ENOUGH[kit.subject.main]

    @claim("gold")
    @pytest.mark.parametrize("fault", SILENT)
    async def test_a_silent_service_is_left_in_time(self, kit: Kit, fault: str) -> None:
        """At the deadline, though something may still drip."""
        kit.play(Turn(fault=fault))
        error = await kit.fail(timeout=Timeout(head=SOON, total=SOON))
        assert isinstance(error, APITimeoutError)
        assert await kit.wait_until(lambda: kit.server.hang_ups), "The connection was left open."

    @claim("gold", "chat", reach="any")
    async def test_a_deadline_ends_a_call(self, kit: Kit) -> None:
        """Whoever works on the answer; nothing goes on behind the user's back."""
        kit.play(Turn(fault="first-byte-never-comes"))
        async with kit.make_client(timeout=0.05) as client:
            try:
                await kit.ask(LONG_TASK, client=client)
            except APITimeoutError:
                return
        assert not kit.has_server
        pytest.skip("The provider answers faster than any deadline.")

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", [*BROKEN_STREAMS, *SHORT_STREAMS])
    async def test_a_stream_that_is_cut_is_an_error(self, kit: Kit, fault: str) -> None:
        """Never a complete answer; `partial` is what was heard."""
        if fault in SHORT_STREAMS and kit.manifest.stream_end == "close":
            pytest.skip("The manifest says that its streams end wherever the connection does.")
        kit.play(Turn(fault=fault))
        heard = await kit.listen()
        assert isinstance(heard.error, StreamTruncatedError)
        assert (heard.error.partial or "") == heard.text
        assert heard.text == TEXT or (fault in BROKEN_STREAMS and TEXT.startswith(heard.text))
        assert heard.error.provider == kit.name
        assert len(kit.asked) == 1

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", SPOILT_STREAMS)
    async def test_a_stream_that_goes_wrong_is_an_error(self, kit: Kit, fault: str) -> None:
        """What was said before is delivered, and in `partial`; what has no end is not read for ever."""
        kit.play(Turn(fault=fault))
        heard = await kit.listen()
        assert isinstance(heard.error, APIResponseError)
        assert (heard.text, heard.error.partial) == (TEXT, TEXT)
        assert await kit.wait_until(lambda: kit.server.connections == 0)
        assert kit.server.sent < ENOUGH[kit.subject.main]

    @claim("gold")
    async def test_an_answer_that_is_no_http_any_more_is_an_error(self, kit: Kit) -> None:
        """At the deadline at the latest: not every library notices at once."""
        kit.play(Turn(fault="bad-chunk-header"))
        assert isinstance(await kit.fail(timeout=Timeout(total=SOON)), APIError)

    @claim("gold", "chat", features=("stream",))
    async def test_a_stream_that_is_no_http_any_more_is_an_error(self, kit: Kit) -> None:
        """At the deadline at the latest: not every library notices at once."""
        kit.play(Turn(fault="bad-chunk-header"))
        heard = await kit.listen(timeout=Timeout(gap=SOON))
        assert isinstance(heard.error, APIError)
        assert (heard.text, heard.error.partial) == (TEXT, TEXT)

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", KEPT_ALIVE)
    async def test_a_stream_that_says_nothing_more_is_left_in_time(self, kit: Kit, fault: str) -> None:
        """Signs of life are no content: they do not put the deadline off."""
        kit.play(Turn(fault=fault))
        heard = await kit.listen(timeout=Timeout(gap=SOON))
        assert isinstance(heard.error, APITimeoutError)
        assert (heard.text, heard.error.partial) == (TEXT, TEXT)
        assert await kit.wait_until(lambda: kit.server.hang_ups), "The connection was left open."

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", ["first-byte-never-comes", "headers-that-drip", "pings-before-the-content"])
    async def test_a_stream_that_never_begins_is_left_in_time(self, kit: Kit, fault: str) -> None:
        """Whether the head of the answer is there or not."""
        kit.play(Turn(fault=fault))
        heard = await kit.listen(timeout=Timeout(stream_head=SOON, first_content=SOON))
        assert isinstance(heard.error, APITimeoutError)
        assert not heard.text
        assert await kit.wait_until(lambda: kit.server.hang_ups), "The connection was left open."

    @claim("gold")
    async def test_a_refusal_in_place_of_an_answer_is_an_error(self, kit: Kit) -> None:
        """Though its status is 200."""
        kit.play(Turn(failure=Failure(500, MESSAGE, in_stream=True)))
        error = await kit.fail()
        assert isinstance(error, APIError)
        assert MESSAGE in str(error)

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("status", [429, 500])
    async def test_a_refusal_in_mid_stream_is_an_error(self, kit: Kit, status: int) -> None:
        """Though the answer's status was 200. What was said before is in `partial`."""
        kit.play(Turn(failure=Failure(status, MESSAGE, in_stream=True)))
        heard = await kit.listen()
        assert isinstance(heard.error, APIStatusError)
        assert MESSAGE in str(heard.error)
        assert (heard.text, heard.error.partial) == (TEXT, TEXT)

    @claim("gold", "chat", features=("stream",))
    async def test_a_refusal_as_the_first_event_is_an_error(self, kit: Kit) -> None:
        """Before the first chunk: so another provider may still be asked."""
        kit.play(Turn(text=(), failure=Failure(500, MESSAGE, in_stream=True)))
        heard = await kit.listen()
        assert isinstance(heard.error, APIStatusError)
        assert not heard.chunks

    @claim("gold", "chat", features=("stream",))
    @pytest.mark.parametrize("fault", ODD)
    async def test_a_stream_that_is_odd_is_read(self, kit: Kit, fault: str) -> None:
        """What the specification of event streams allows is no fault, and nothing of it is lost."""
        kit.play(Turn(fault=fault))
        heard = await kit.listen(timeout=Timeout(gap=LONG))
        assert (heard.error, heard.text, heard.finish_reason) == (None, TEXT, "stop")

    @claim("gold", "chat", features=("stream",))
    async def test_a_stream_ends_when_all_is_said(self, kit: Kit) -> None:
        """Though the service leaves the connection open."""
        kit.play(Turn(fault="held-open-after-the-end"))
        heard = await kit.listen(timeout=Timeout(gap=LONG))
        assert (heard.error, heard.text, heard.finish_reason) == (None, TEXT, "stop")

    @claim("gold", "chat", features=("stream",))
    async def test_a_client_lives_on_after_a_failure(self, kit: Kit) -> None:
        """A broken connection is not used again."""
        kit.play(Turn(fault="connection-closed"), Turn())
        async with kit.make_client() as client:
            with pytest.raises(APIError):
                await kit.use(client)
            assert await kit.use(client)
