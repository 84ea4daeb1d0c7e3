"""What can go wrong, and what must come of it: one row a fault, for a whole answer, a stream, pictures and vectors.

`test_table.py` puts each row to every dialect; `page.py` writes the page that users read.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Literal

import attrs

import g4f
from faults import places
from faults.places import Place
from g4f_testkit.faults import FAULTS
from g4f_testkit.script import PICTURE, Failure, ToolCall, Turn, Usage
from g4f_testkit.server import PICTURE_PATH

TEXT = "This is a test"
SOON = 1.0  # seconds: a deadline that a row waits for
LATER = 10.0
MUCH_LATER = 40.0  # for what is large, on a machine that is busy
SHORT_GAP = g4f.Timeout(gap=SOON, total=SOON)  # where content comes before: that may take as long as it likes
Heard = Literal["none", "some", "all"]
Way = Literal["whole", "streamed", "pictures", "vectors"]
WAYS: tuple[Way, ...] = ("whole", "streamed", "pictures", "vectors")
CHAT: tuple[Way, ...] = ("whole", "streamed")
DRAWING = ("openai", "gemini")  # the dialects that have pictures and vectors


@attrs.frozen
class End:
    """How a call ends: whole, or with this error after this part of the text."""

    error: type[g4f.G4FError] | None = None
    heard: Heard = "none"


WHOLE = End()
REFUSED = End(g4f.APIConnectionError)
SILENT = End(g4f.APITimeoutError)
STALLED = End(g4f.APITimeoutError, "all")
UNREADABLE = End(g4f.APIResponseError)
SPOILT = End(g4f.APIResponseError, "all")
CUT = End(g4f.StreamTruncatedError, "all")
CUT_BEFORE = End(g4f.StreamTruncatedError)


@attrs.frozen
class Row:
    """One fault.

    Attributes:
        title: What happens.
        whole: How a call ends that wants the whole answer: of a chat, pictures, or vectors; None where the fault cannot
            happen to one.
        streamed: How a stream ends.
        turns: What the server says, one a request.
        but: How it ends in a dialect, or a way, for which that is otherwise.
        only: The dialects that have such a thing.
        ways: What may be asked for that has such a thing.
        place: Where the client is sent.
        timeout: The client's, in seconds or one by one.
        retries: How often the client may repeat.
        requests: How many reach the server; None where that is not told.
        waits: How long the service asks to wait, in seconds: the outcome never comes before.
        text: What the whole answer says.
        calls: The functions that it calls.
        endless: Whether the answer has no end, so that only a closed connection stops it.
        again: Whether what is told is of a second call, which comes when the first turn was sent to its end.
    """

    title: str
    whole: End | None
    streamed: End | None
    turns: tuple[Turn, ...] = (Turn(),)
    but: Mapping[str, End] = attrs.field(factory=dict)
    only: tuple[str, ...] = ("openai", "anthropic", "gemini")
    ways: tuple[Way, ...] = WAYS
    place: Place = places.at_home
    timeout: float | g4f.Timeout = LATER
    retries: int = 0
    requests: int | None = 1
    waits: float = 0.0
    text: str = TEXT
    calls: tuple[ToolCall, ...] = ()
    endless: bool = False
    again: bool = False

    @property
    def seconds(self) -> float:
        """How long one try may take."""
        return self.timeout if isinstance(self.timeout, float) else LATER

    def expect(self, dialect: str, way: Way) -> End | None:
        """How it ends there; None where there is no such thing."""
        if dialect not in self.only or way not in self.ways or (way not in CHAT and dialect not in DRAWING):
            return None
        usual = self.streamed if way == "streamed" else self.whole
        return self.but.get(f"{dialect} {way}", self.but.get(way, usual))


def _meet(fault: str, whole: End | None, streamed: End | None, **more: Any) -> Row:
    """A fault of the kit's server."""
    title = (FAULTS[fault].__doc__ or "").strip().rstrip(".")
    return Row(title, whole, streamed, (Turn(fault=fault),), **more)


def _send(title: str, place: Place, end: End, **more: Any) -> Row:
    """A fault of the way there."""
    return Row(title, end, end, place=place, requests=0, **more)


def _refuse(title: str, kind: type[g4f.APIError], failure: Failure, requests: int) -> Row:
    """A refusal that is the end of it."""
    return Row(title, End(kind), End(kind), (Turn(failure=failure),), retries=2, requests=requests)


def _recover(title: str, first: Turn, **more: Any) -> Row:
    """A fault that comes once, before anything was delivered."""
    return Row(title, WHOLE, WHOLE, (first, Turn()), retries=2, requests=2, **more)


def _say(title: str, *pieces: str, **more: Any) -> Row:
    """An answer that is odd and right."""
    turn = Turn(pieces, fault=more.pop("fault", ""), size=more.pop("size", 0))
    text = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return Row(title, WHOLE, WHOLE, (turn,), **{"text": text, "ways": CHAT, **more})


def _draw(title: str, end: End, *pictures: bytes, **more: Any) -> Row:
    """A picture in the answer that is odd, or none."""
    return Row(title, end, None, (Turn(pictures=pictures),), ways=("pictures",), **more)


def _show(title: str, url: str, end: End, **more: Any) -> Row:
    """A picture whose URL is in the answer: it is drawn once, and downloaded from there."""
    turns = (Turn(picture_url=url),)
    settings = {"only": ("openai",), "ways": ("pictures",), "retries": 2, "requests": 2, **more}
    return Row(title, end, None, turns, **settings)


def _download(fault: str, end: End, **more: Any) -> Row:
    """A fault of the server that a picture is downloaded from."""
    told = (FAULTS[fault].__doc__ or "").strip().rstrip(".")
    title = f"The download of a picture: {told if told[:4] in ('HTML', 'JSON') else told[0].lower() + told[1:]}"
    return _show(title, f"{PICTURE_PATH}?fault={fault}", end, **more)


def _is_quota(code: str) -> Failure:
    return Failure(429, "You used up what you paid for.", code=code, type=code)


_SLOW = Failure(429, "Slow down.", type="rate_limit_error", code="rate_limit_exceeded")
_NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
_DATED = {"date": _NOW, "retry-after": "Sun, 06 Nov 1994 08:49:38 GMT"}
_NEXT_DAY = {"date": _NOW, "retry-after": "Mon, 07 Nov 1994 08:49:37 GMT"}
_ONE_DAY = {"retry-after": "Sun, 06 Nov 2094 08:49:37 GMT"}
_JPEG = f"data:image/jpeg;base64,{b64encode(PICTURE).decode()}"
_BOMB: Mapping[str, Any] = {"timeout": MUCH_LATER, "endless": True, "ways": CHAT}
_CALLS = (ToolCall("get_weather", {"city": "Paris"}, "call_1", 4), ToolCall("get_time", {"zone": "UTC"}, "call_2", 4))

BEFORE = {
    "refused": _send("Nobody listens", places.where_nobody_listens, REFUSED),
    "unknown-name": _send("The name has no address", places.where_no_name_leads, REFUSED),
    "name-server-mute": _send("The name server never answers", places.where_no_name_is_told, SILENT, timeout=SOON),
    "tls-untrusted": _send("The certificate cannot be trusted", places.at_a_stranger, REFUSED),
    "tls-to-a-plain-port": _send("https where http is spoken", places.by_tls_at_a_plain_port, REFUSED),
    "tls-mute": _send("A TLS port never speaks", places.by_tls_at_a_mute_port, SILENT, timeout=SOON),
    "proxy-407": _send("The proxy wants a password", places.past_a_proxy_that_refuses, REFUSED),
    "proxy-407-without-tls": _send(
        "The proxy wants a password, and there is no TLS", places.past_a_proxy_that_answers, End(g4f.APIStatusError)
    ),
    "proxy-mute": _send("The proxy never speaks", places.past_a_mute_proxy, SILENT, timeout=SOON),
    "proxy-refused": _send("Nobody listens where the proxy should be", places.past_no_proxy, REFUSED),
    "first-byte-never-comes": _meet("first-byte-never-comes", SILENT, SILENT, timeout=SOON),
    "headers-that-drip": _meet("headers-that-drip", SILENT, SILENT, timeout=SOON, endless=True),
    "closed-before-the-answer": _meet("closed-before-the-answer", REFUSED, REFUSED),
    "reset-before-the-answer": _meet("reset-before-the-answer", REFUSED, REFUSED),
    "garbage-status-line": _meet("garbage-status-line", UNREADABLE, UNREADABLE),
    "endless-headers": _meet("endless-headers", UNREADABLE, UNREADABLE, endless=True),
    "endless-header": _meet("endless-header", UNREADABLE, UNREADABLE, endless=True),
    "early-hints": _meet("early-hints", WHOLE, WHOLE),
    "another-answer-when-idle": Row(
        "An answer that nobody asked for comes on an idle connection, before the next call",
        WHOLE,
        WHOLE,
        (Turn(fault="another-answer-when-idle"), Turn()),
        requests=2,
        again=True,
    ),
    "closed-once": _recover("It is closed so once", Turn(fault="closed-before-the-answer")),
    "reset-once": _recover("It is reset so once", Turn(fault="reset-before-the-answer")),
}
STATUS = {
    **{
        f"{status}-once": _recover(f"Status {status}, once", Turn(failure=Failure(status, retry_after=0)))
        for status in (408, 409, 429, 500, 502, 503, 504, 529)
    },
    "retry-after-seconds": _recover(
        "429 with `Retry-After` in seconds", Turn(failure=attrs.evolve(_SLOW, retry_after=0.2)), waits=0.2
    ),
    "retry-after-date": _recover(
        "429 with `Retry-After` as a date, a second after the answer's",
        Turn(failure=attrs.evolve(_SLOW, headers=_DATED)),
        waits=1.0,
    ),
    "retry-after-ms": _recover(
        "429 with `retry-after-ms`",
        Turn(failure=attrs.evolve(_SLOW, headers={"retry-after-ms": "150", "retry-after": "40"})),
        waits=0.15,
    ),
    "retry-after-junk": _recover(
        "429 with a `Retry-After` that cannot be read",
        Turn(failure=attrs.evolve(_SLOW, headers={"retry-after": "soon"})),
    ),
    "retry-after-too-long": _refuse(
        "429 with a `Retry-After` of a day", g4f.RateLimitError, attrs.evolve(_SLOW, retry_after=86400), requests=1
    ),
    "retry-after-date-too-long": _refuse(
        "429 with a `Retry-After` that is a date a day after the answer's",
        g4f.RateLimitError,
        attrs.evolve(_SLOW, headers=_NEXT_DAY),
        requests=1,
    ),
    "retry-after-date-without-a-date": _refuse(
        "429 with a `Retry-After` that is a date far away, and none of the answer",
        g4f.RateLimitError,
        attrs.evolve(_SLOW, headers=_ONE_DAY),
        requests=1,
    ),
    "quota": Row(
        "429 that means a used-up quota",
        End(g4f.RateLimitError),
        End(g4f.RateLimitError),
        (Turn(failure=_is_quota("insufficient_quota")),),
        only=("openai",),
        retries=2,
    ),
    "quota-of-spending": Row(
        "429 that means that a limit of spending was reached",
        End(g4f.RateLimitError),
        End(g4f.RateLimitError),
        (Turn(failure=attrs.evolve(_SLOW, code="enforced_spend_limit_reached", retry_after=0)),),
        only=("anthropic",),
        retries=2,
    ),
    "quota-of-a-day": Row(
        "429 that means a used-up quota of the day",
        End(g4f.RateLimitError),
        End(g4f.RateLimitError),
        (Turn(fault="quota-of-a-day"),),
        only=("gemini",),
        retries=2,
    ),
    **{
        f"{status}-always": _refuse(
            f"Status {status}, again and again", kind, Failure(status, retry_after=0), requests=3
        )
        for status, kind in {
            408: g4f.APIStatusError,
            409: g4f.ConflictError,
            429: g4f.RateLimitError,
            500: g4f.InternalServerError,
            503: g4f.InternalServerError,
            529: g4f.InternalServerError,
        }.items()
    },
    **{
        f"{status}": _refuse(f"Status {status}", kind, Failure(status), requests=1)
        for status, kind in {
            400: g4f.BadRequestError,
            401: g4f.AuthenticationError,
            402: g4f.PaymentRequiredError,
            403: g4f.PermissionDeniedError,
            404: g4f.NotFoundError,
            422: g4f.UnprocessableEntityError,
        }.items()
    },
    "x-should-retry-false": _refuse(
        "Status 500 with `x-should-retry: false`",
        g4f.InternalServerError,
        Failure(500, headers={"x-should-retry": "false"}),
        requests=1,
    ),
    "x-should-retry-true": _recover(
        "Status 400 with `x-should-retry: true`, once",
        Turn(failure=Failure(400, retry_after=0, headers={"x-should-retry": "true", "retry-after": "0"})),
    ),
    "html-502": _meet("html-502", End(g4f.InternalServerError), End(g4f.InternalServerError)),
    "endless-error-page": _meet(
        "endless-error-page", End(g4f.InternalServerError), End(g4f.InternalServerError), endless=True
    ),
}
NO_ANSWER = {
    "html-page": _meet("html-page", UNREADABLE, UNREADABLE),
    "page-under-a-false-type": _meet("page-under-a-false-type", UNREADABLE, UNREADABLE),
    "empty-body": _meet("empty-body", UNREADABLE, UNREADABLE),
    "status-204": _meet("status-204", UNREADABLE, UNREADABLE),
    "json-cut-short": _meet("json-cut-short", UNREADABLE, UNREADABLE),
    "json-null": _meet("json-null", UNREADABLE, UNREADABLE),
    "json-list": _meet("json-list", UNREADABLE, UNREADABLE),
    "json-empty-object": _meet("json-empty-object", UNREADABLE, UNREADABLE),
    "json-empty-lists": _meet("json-empty-lists", UNREADABLE, UNREADABLE),
    "json-of-empty-choices": _meet("json-of-empty-choices", UNREADABLE, UNREADABLE),
    "json-of-empty-messages": _meet("json-of-empty-messages", UNREADABLE, UNREADABLE),
    "json-with-a-number-for-text": _meet("json-with-a-number-for-text", UNREADABLE, UNREADABLE),
    "error-object": Row(
        "An error object with status 200",
        End(g4f.InternalServerError),
        End(g4f.InternalServerError, "all"),
        (Turn(failure=Failure(500, in_stream=True)),),
    ),
    "json-nested-deep": _meet("json-nested-deep", UNREADABLE, UNREADABLE),
    "json-of-empty-objects": _meet("json-of-empty-objects", UNREADABLE, SPOILT, timeout=MUCH_LATER),
    "endless-json": _meet("endless-json", UNREADABLE, UNREADABLE, **_BOMB),
    "gzip-bomb": _meet("gzip-bomb", UNREADABLE, UNREADABLE, **_BOMB),
    "deflate-bomb": _meet("deflate-bomb", UNREADABLE, UNREADABLE, **_BOMB),
    "gzip-answer": _meet("gzip-answer", WHOLE, WHOLE),
    "gzip-broken": _meet("gzip-broken", UNREADABLE, UNREADABLE),
    "gzip-cut": _meet("gzip-cut", UNREADABLE, End(g4f.StreamTruncatedError, "some")),
    "compressed-as-nobody-asked": _meet("compressed-as-nobody-asked", UNREADABLE, UNREADABLE),
    "gzip-without-its-end": _meet("gzip-without-its-end", WHOLE, WHOLE),
    "lone-surrogates": _say("Half of a surrogate pair in the text", "a\ud800b", "\udc00", text="a\ufffdb\ufffd"),
    "byte-order-mark": _meet("byte-order-mark", WHOLE, WHOLE),
    "stream-for-json": Row(
        "A stream where JSON was asked for, and JSON where a stream was", WHOLE, WHOLE, (Turn(swapped=True),), ways=CHAT
    ),
}
REDIRECTS = {
    "redirect-to-another-origin": _meet("redirect-to-another-origin", UNREADABLE, UNREADABLE),
    "redirect-at-home": Row(
        "The client is sent elsewhere at the same origin",
        WHOLE,
        WHOLE,
        (Turn(fault="redirect-at-home"), Turn()),
        requests=2,
    ),
    "redirect-to-a-private-address": _meet("redirect-to-a-private-address", UNREADABLE, UNREADABLE),
    "redirect-loop": _meet("redirect-loop", UNREADABLE, UNREADABLE, requests=None),
    "redirect-to-a-file": _meet("redirect-to-a-file", UNREADABLE, UNREADABLE),
    "redirect-to-nowhere": _meet("redirect-to-nowhere", UNREADABLE, UNREADABLE),
    "redirect-to-nonsense": _meet("redirect-to-nonsense", UNREADABLE, UNREADABLE),
}
STREAMS = {
    "stall": _meet("stall", SILENT, STALLED, timeout=SHORT_GAP),
    "connection-closed": _meet("connection-closed", REFUSED, CUT),
    "shorter-than-it-says": _meet("shorter-than-it-says", REFUSED, CUT),
    "connection-reset": _meet("connection-reset", REFUSED, End(g4f.StreamTruncatedError, "some")),
    "cut-is-not-repeated": Row(
        "The connection is closed in the middle, and the client may repeat",
        None,
        CUT,
        (Turn(fault="connection-closed"), Turn()),
        retries=2,
    ),
    "end-before-the-content": _meet("end-before-the-content", UNREADABLE, UNREADABLE),
    "end-before-the-content-once": _recover(
        "A stream, or an answer, that ends as soon as it has begun, once",
        Turn(fault="end-before-the-content"),
        ways=CHAT,
    ),
    "end-marker-without-content": _meet("end-marker-without-content", None, UNREADABLE, only=("openai", "anthropic")),
    "end-after-unknown-fields": _meet("end-after-unknown-fields", UNREADABLE, CUT_BEFORE, ways=CHAT),
    "end-after-unknown-fields-once": _recover(
        "A stream that ends when only fields that nobody knows have come, once",
        Turn(fault="end-after-unknown-fields"),
        ways=CHAT,
    ),
    "end-without-a-finish": _meet("end-without-a-finish", UNREADABLE, CUT),
    "cut-inside-an-event": _meet("cut-inside-an-event", UNREADABLE, CUT),
    "cut-inside-a-character": _meet("cut-inside-a-character", UNREADABLE, CUT),
    "bad-chunk-header": _meet("bad-chunk-header", REFUSED, CUT),
    "http-1-0": _meet("http-1-0", WHOLE, WHOLE),
    "http-1-0-cut": _meet("http-1-0-cut", UNREADABLE, CUT),
    "comments-for-ever": _meet("comments-for-ever", None, STALLED, timeout=SHORT_GAP, endless=True),
    "pings-only": _meet("pings-only", None, STALLED, timeout=SHORT_GAP, endless=True),
    "pings-before-the-content": _meet("pings-before-the-content", None, SILENT, timeout=SOON, endless=True),
    "empty-calls-for-ever": _meet("empty-calls-for-ever", None, STALLED, timeout=SHORT_GAP, endless=True),
    "finish-reasons-for-ever": _meet(
        "finish-reasons-for-ever", None, STALLED, timeout=SHORT_GAP, endless=True, only=("openai", "anthropic")
    ),
    "unknown-fields-for-ever": _meet("unknown-fields-for-ever", None, STALLED, timeout=SHORT_GAP, endless=True),
    "unknown-fields-before-the-content": _meet(
        "unknown-fields-before-the-content", None, SILENT, timeout=SOON, endless=True
    ),
    "blank-lines-for-ever": _meet("blank-lines-for-ever", SILENT, SILENT, timeout=SOON, endless=True),
    "blank-lines-before-the-answer": _meet("blank-lines-before-the-answer", WHOLE, WHOLE),
    "held-open-after-the-end": _meet("held-open-after-the-end", WHOLE, WHOLE, timeout=g4f.Timeout(gap=2 * SOON)),
    "comments-after-the-end": _meet(
        "comments-after-the-end", None, WHOLE, timeout=g4f.Timeout(gap=2 * SOON), endless=True
    ),
    "a-byte-at-a-time": _meet("a-byte-at-a-time", WHOLE, WHOLE),
    "empty-pieces-before-the-answer": _meet("empty-pieces-before-the-answer", None, WHOLE),
    "pauses-between-events": _meet("pauses-between-events", None, WHOLE),
    "crlf-line-ends": _meet("crlf-line-ends", None, WHOLE),
    "carriage-returns": _meet("carriage-returns", None, WHOLE),
    "mixed-line-ends": _meet("mixed-line-ends", None, WHOLE),
    "data-on-several-lines": _meet("data-on-several-lines", None, WHOLE),
    "no-space-after-the-colon": _meet("no-space-after-the-colon", None, WHOLE),
    "comments-between-events": _meet("comments-between-events", None, WHOLE),
    "empty-events": _meet("empty-events", None, WHOLE),
    "no-final-blank-line": _meet("no-final-blank-line", None, WHOLE),
    "all-at-once": _meet("all-at-once", None, WHOLE),
    "events-after-the-end": _meet("events-after-the-end", None, WHOLE, only=("openai", "anthropic")),
    "line-separators": _say(
        "U+2028, U+2029 and U+0085 inside the text, as they are",
        "one\u2028two",
        "\u2029",
        "three\u0085four",
        fault="characters-as-they-are",
    ),
    "cut-characters": _say(
        "Each byte of a character comes alone", "für ", "日本", " 👍🏽", fault="characters-as-they-are", size=1
    ),
    "split-surrogates": _say("A surrogate pair is split over two chunks", "smile \ud83d", "\ude00!"),
    "nul": _say("NUL in the text", "a\x00b", "\x00"),
    "broken-utf-8": _say("A byte that is no UTF-8", "a\ufffdb", fault="broken-utf-8"),
    "nulls": Row("Everything that may be null is", WHOLE, WHOLE, (Turn(nulls=True),)),
    "null-delta": _meet("null-delta", None, WHOLE, only=("openai",)),
    "usage-tail": Row("The tokens come after the last word", WHOLE, WHOLE, (Turn(usage=Usage(5, 4)),)),
    "interleaved-calls": Row(
        "The arguments of two calls come in turns",
        WHOLE,
        WHOLE,
        (Turn((), calls=_CALLS),),
        ways=CHAT,
        text="",
        calls=_CALLS,
    ),
    "endless-line": _meet("endless-line", None, SPOILT, timeout=MUCH_LATER, endless=True),
    "endless-lines": _meet("endless-lines", None, SPOILT, timeout=MUCH_LATER, endless=True),
    "broken-json-in-mid-stream": _meet("broken-json-in-mid-stream", None, SPOILT),
    "number-for-text-in-mid-stream": _meet("number-for-text-in-mid-stream", None, SPOILT, only=("openai",)),
    "null-in-mid-stream": _meet("null-in-mid-stream", None, SPOILT),
    "html-in-mid-stream": _meet("html-in-mid-stream", None, CUT),
    "an-error-in-mid-stream": Row(
        "An error object as an event",
        None,
        End(g4f.RateLimitError, "all"),
        (Turn(failure=attrs.evolve(_SLOW, in_stream=True)), Turn()),
        retries=2,
    ),
    "an-error-first": Row(
        "An error object as the first event, once",
        None,
        WHOLE,
        (Turn((), failure=Failure(500, in_stream=True)), Turn()),
        retries=2,
        requests=2,
    ),
    "an-error-event-in-mid-stream": _meet("an-error-event-in-mid-stream", None, End(g4f.InternalServerError, "all")),
    "an-error-event-first": _meet("an-error-event-first", None, End(g4f.InternalServerError)),
    "an-error-string-in-mid-stream": _meet("an-error-string-in-mid-stream", None, End(g4f.InternalServerError, "all")),
    "an-error-string-first": _meet("an-error-string-first", None, End(g4f.InternalServerError)),
}
_PAGE = b"<!doctype html><title>Sign in</title>"
PICTURES = {
    "no-picture": _draw("The picture is a page", UNREADABLE, _PAGE),
    "empty-picture": _draw("The picture is empty", UNREADABLE, b""),
    "picture-by-url": _show("A URL in place of the picture", PICTURE_PATH, WHOLE),
    "picture-under-a-false-type": _show("A data URL that calls the picture another type", _JPEG, WHOLE, requests=1),
    "picture-at-a-private-address": _show(
        "The picture's URL leads to a private address", "http://169.254.169.254/x.png", REFUSED, requests=1
    ),
    "picture-at-a-private-name": _show(
        "The picture's URL names this machine", "http://localhost:1/x.png", REFUSED, requests=1
    ),
    "picture-in-a-file": _show(
        "The picture's URL is of a file of the client's", "file:///etc/hostname", UNREADABLE, requests=1
    ),
    **{
        f"picture-{fault}": _download(fault, end, **more)
        for fault, end, more in (
            ("html-502", End(g4f.InternalServerError), {}),
            ("html-page", UNREADABLE, {}),
            ("page-under-a-false-type", UNREADABLE, {}),
            ("empty-body", UNREADABLE, {}),
            ("closed-before-the-answer", REFUSED, {"requests": None}),  # aiohttp asks once more
            ("garbage-status-line", UNREADABLE, {}),
            ("connection-closed", REFUSED, {}),
            ("connection-reset", REFUSED, {}),
            ("shorter-than-it-says", REFUSED, {}),
            ("gzip-broken", UNREADABLE, {}),
            ("gzip-answer", WHOLE, {}),
            ("endless-json", UNREADABLE, {"endless": True, "timeout": MUCH_LATER}),
            ("first-byte-never-comes", SILENT, {"timeout": SOON}),
            ("stall", SILENT, {"timeout": SOON}),
            ("blank-lines-for-ever", SILENT, {"timeout": SOON, "endless": True}),
            ("redirect-at-home", WHOLE, {"requests": 3}),
            ("redirect-loop", UNREADABLE, {"requests": None}),
            ("redirect-to-a-private-address", REFUSED, {}),
            ("redirect-to-another-origin", REFUSED, {}),
            ("redirect-to-a-file", REFUSED, {}),
            ("redirect-to-nonsense", UNREADABLE, {}),
        )
    },
}
SECTIONS: Mapping[str, Mapping[str, Row]] = {
    "Before the answer": BEFORE,
    "The status": STATUS,
    "A success that is none": NO_ANSWER,
    "Redirects": REDIRECTS,
    "Streams, and bodies that break off": STREAMS,
    "Pictures": PICTURES,
}
ROWS: Mapping[str, Row] = {name: row for rows in SECTIONS.values() for name, row in rows.items()}
ENDLESS = (
    "endless-json", "gzip-bomb", "deflate-bomb", "endless-line", "endless-lines", "json-nested-deep",
    "json-of-empty-objects",
)  # fmt: skip
ENDLESS_BEFORE = ("endless-headers", "endless-header", "endless-error-page")  # before any of the answer
BOMBS = ("endless-json", "gzip-bomb", "deflate-bomb")  # whose end `test_memory.py` tells, since they take long
