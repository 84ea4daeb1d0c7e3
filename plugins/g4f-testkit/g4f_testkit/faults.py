"""What goes wrong on the way: each fault is a function from the answer as it should be to what goes out instead.

Every public function here is a fault: its name, with hyphens, is the fault's, and its docstring says what the client
sees. Who chooses one is `server.py`.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import isfunction
from itertools import chain, cycle, repeat

import attrs

from g4f_testkit.http import CUT, STALL, Delivery, Reply, Step, deliver, reply_json, write_head

Fault = Callable[[Reply], Delivery]
BEAT = 0.05  # seconds between two signs of life
_ESCAPES = re.compile(rb"(?:\\u[0-9a-f]{4})+")
_NO_TEXT = {"type": "text", "text": ""}
_ERROR_STRING = b'data: {"error": "The service broke."}\n\n'
BLOCK = b"x" * 2**16
MIB = 2**20
GZIP_FORMAT, ZLIB_FORMAT = 31, 15  # zlib's numbers for them


def _replace_body(reply: Reply, body: bytes, kind: str = "application/json") -> Delivery:
    return deliver(Reply(200, {**reply.headers, "content-type": kind}, (body,)))


# Before the answer


def first_byte_never_comes(reply: Reply) -> Delivery:  # noqa: ARG001 - there is none
    """The request is taken, and nothing is said."""
    return Delivery([STALL])


def closed_before_the_answer(reply: Reply) -> Delivery:  # noqa: ARG001 - there is none
    """The connection is closed in place of an answer."""
    return Delivery([], keep=False)


def reset_before_the_answer(reply: Reply) -> Delivery:  # noqa: ARG001 - there is none
    """The connection is reset in place of an answer."""
    return Delivery([CUT])


def headers_that_drip(reply: Reply) -> Delivery:
    """The head comes byte by byte, and never to its end."""

    def drip() -> Iterator[Step]:
        yield f"HTTP/1.1 {reply.status} G4F\r\nx-drip: ".encode()
        while True:
            yield b"."
            yield BEAT

    return Delivery(drip())


def garbage_status_line(reply: Reply) -> Delivery:
    """The answer begins with something that is no HTTP."""
    return Delivery([b"\x00\x01GARBAGE\r\n\r\n", *reply.pieces], keep=False)


def endless_headers(reply: Reply) -> Delivery:
    """The head is a hundred megabytes of headers."""
    lines = (b"x-more-%d: %s\r\n" % (number, BLOCK[:4096]) for number in range(25 * 2**10))
    return Delivery(chain([f"HTTP/1.1 {reply.status} G4F\r\n".encode()], lines), keep=False)


def endless_header(reply: Reply) -> Delivery:
    """One header has no end."""
    return Delivery(chain([f"HTTP/1.1 {reply.status} G4F\r\nx-more: ".encode()], repeat(BLOCK)), keep=False)


def early_hints(reply: Reply) -> Delivery:
    """Statuses 100 and 103 come before the answer (RFC 8297)."""
    hints = [write_head(100, {}), write_head(103, {"link": "</style.css>; rel=preload"})]
    return Delivery(chain(hints, deliver(reply).steps))


def another_answer_when_idle(reply: Reply) -> Delivery:
    """The answer, and then another one that nobody asked for."""
    return Delivery(chain(deliver(reply).steps, [BEAT, *deliver(Reply(500)).steps]))


def http_1_0(reply: Reply) -> Delivery:
    """The answer is of HTTP/1.0: where the connection ends, the body does."""
    return _speak_http_1_0(reply, reply.pieces)


def http_1_0_cut(reply: Reply) -> Delivery:
    """The answer is of HTTP/1.0, and the connection ends too early, which nothing in HTTP tells."""
    return _speak_http_1_0(reply, reply.begun)


def _speak_http_1_0(reply: Reply, body: Iterable[Step]) -> Delivery:
    head = write_head(reply.status, {**reply.headers, "connection": "close"}).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    return Delivery(chain([head], body), keep=False)


# Refusals


def html_502(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """A gateway's page, with status 502."""
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    return deliver(Reply(502, {"content-type": "text/html"}, (page,)))


def quota_of_a_day(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """Status 429 as Google says that a day's quota is used up (google.rpc.QuotaFailure)."""
    violations = [{"quotaMetric": "requests", "quotaId": "GenerateRequestsPerDayPerProject"}]
    details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}]
    return deliver(reply_json({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}, 429))


def endless_error_page(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """A page without end, with status 500."""
    return deliver(Reply(500, {"content-type": "text/html"}), chain([b"<h1>Oops</h1>"], repeat(BLOCK)), "close")


# A 200 that is none


def html_page(reply: Reply) -> Delivery:
    """A page for people, with status 200."""
    return _replace_body(reply, b"<!doctype html><html><head><title>Sign in</title></head></html>", "text/html")


def page_under_a_false_type(reply: Reply) -> Delivery:
    """A page for people that calls itself what was asked for, with status 200."""
    return _replace_body(reply, b"<!doctype html><title>Sign in</title>", reply.headers.get("content-type", ""))


def empty_body(reply: Reply) -> Delivery:
    """An answer of the right kind without a byte in it."""
    return _replace_body(reply, b"", reply.headers.get("content-type", ""))


def status_204(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """Status 204: there is no content."""
    return Delivery([write_head(204, {})])


def json_null(reply: Reply) -> Delivery:
    """The JSON value null."""
    return _replace_body(reply, b"null")


def json_list(reply: Reply) -> Delivery:
    """An empty JSON list."""
    return _replace_body(reply, b"[]")


def json_empty_object(reply: Reply) -> Delivery:
    """An object with nothing in it: no choices, no content."""
    return _replace_body(reply, b"{}")


def json_empty_lists(reply: Reply) -> Delivery:
    """An object whose lists of choices, candidates, contents or data are empty."""
    return _replace_body(reply, b'{"choices": [], "candidates": [], "content": [], "data": [], "embeddings": []}')


def json_of_empty_choices(reply: Reply) -> Delivery:
    """A choice, candidate, block or row with nothing in it."""
    return _replace_body(reply, _write_answer({}, {}, {}))


def json_of_empty_messages(reply: Reply) -> Delivery:
    """An answer with an empty text, or an empty vector, and no word of how it ended."""
    choice = {"message": {"content": ""}, "embedding": [], "values": []}
    return _replace_body(reply, _write_answer(choice, {"content": {"parts": [{"text": ""}]}}, _NO_TEXT))


def json_with_a_number_for_text(reply: Reply) -> Delivery:
    """A number where the text, or the vector, should be."""
    choice = {"message": {"content": 5}, "finish_reason": "stop", "embedding": 5, "values": 5, "b64_json": 5}
    return _replace_body(reply, _write_answer(choice, {"content": 5}, {"type": "text", "text": 5}))


def _write_answer(choice: object, candidate: object, block: object) -> bytes:
    """Write an answer in all dialects at once."""
    rows = {name: [choice] for name in ("choices", "data", "embeddings")}
    return json.dumps({**rows, "candidates": [candidate], "content": [block]}).encode()


def json_cut_short(reply: Reply) -> Delivery:
    """Half of the JSON, as if that were all."""
    return _replace_body(reply, b'{"id": "x", "choices": [{"' if reply.streams else reply.begun[0])


def json_nested_deep(reply: Reply) -> Delivery:
    """JSON nested 100,000 deep."""
    return _replace_body(reply, b"[" * 100_000 + b"]" * 100_000)


def json_of_empty_objects(reply: Reply) -> Delivery:
    """Two million empty objects beside the answer, in a few kilobytes."""
    many = b"{}," * 2 * MIB
    if reply.streams:
        filled = b'data: {"type": "ping", "choices": [], "candidates": [], "more": [%b{}]}\n\n' % many
        reply = attrs.evolve(reply, pieces=(*reply.begun, filled, *reply.pieces[reply.end :]))
    else:
        answer = b"".join(reply.pieces).strip().removesuffix(b"}")
        reply = attrs.evolve(reply, pieces=(answer, b', "more": [%b{}]}' % many))
    return _send_compressed(reply, _compress_body(reply, level=1))


def endless_json(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """JSON whose end never comes."""
    headers = {"content-type": "application/json"}
    return deliver(Reply(200, headers), chain([b'{"id": "'], repeat(BLOCK)), "close")


def gzip_bomb(reply: Reply) -> Delivery:
    """A gigabyte of white space before the answer, in a megabyte."""
    headers = {"content-type": reply.headers.get("content-type", ""), "content-encoding": "gzip"}
    return deliver(Reply(200, headers), _blow_up(GZIP_FORMAT), "close")


def deflate_bomb(reply: Reply) -> Delivery:
    """A gigabyte of white space before the answer, in a megabyte, in the other format."""
    headers = {"content-type": reply.headers.get("content-type", ""), "content-encoding": "deflate"}
    return deliver(Reply(200, headers), _blow_up(ZLIB_FORMAT), "close")


def gzip_answer(reply: Reply) -> Delivery:
    """The answer, compressed."""
    return _send_compressed(reply, _compress_body(reply))


def gzip_broken(reply: Reply) -> Delivery:
    """The answer says that it is compressed, and is not."""
    return _send_compressed(reply, b"".join(reply.pieces))


def gzip_cut(reply: Reply) -> Delivery:
    """The answer is compressed and lacks its second half, which nothing in HTTP tells."""
    body = _compress_body(reply)
    return _send_compressed(reply, body[: len(body) // 2])


def gzip_without_its_end(reply: Reply) -> Delivery:
    """The answer is compressed and lacks nothing but the check sum."""
    return _send_compressed(reply, _compress_body(reply)[:-8])


def compressed_as_nobody_asked(reply: Reply) -> Delivery:
    """The answer is compressed in a way that the client did not offer."""
    headers = {**reply.headers, "content-encoding": "zstd"}
    return deliver(attrs.evolve(reply, headers=headers, pieces=(b"\x28\xb5\x2f\xfd nonsense",)))


def _send_compressed(reply: Reply, body: bytes) -> Delivery:
    return deliver(attrs.evolve(reply, headers={**reply.headers, "content-encoding": "gzip"}, pieces=(body,)))


def _blow_up(form: int) -> Iterator[bytes]:
    """Yield a gigabyte of blanks, compressed; each block like the one before, so that it costs the server nothing."""
    compressor = zlib.compressobj(9, wbits=form)
    first, block = (compressor.compress(b" " * MIB) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    yield first
    yield from repeat(block, 1023)


def _compress_body(reply: Reply, level: int = -1) -> bytes:
    compressor = zlib.compressobj(level, wbits=GZIP_FORMAT)
    return compressor.compress(b"".join(reply.pieces)) + compressor.flush()


# Redirects


def redirect_to_another_origin(reply: Reply) -> Delivery:
    """The client is sent to the same server under another name, which is another origin."""
    elsewhere = reply.origin.replace("127.0.0.1", "localhost")
    return deliver(Reply(307, {"location": f"{elsewhere}/elsewhere"}))


def redirect_to_a_private_address(reply: Reply) -> Delivery:  # noqa: ARG001 - it leads away from here
    """The client is sent to the address where clouds tell machines their secrets."""
    return deliver(Reply(307, {"location": "http://169.254.169.254/latest/meta-data/"}))


def redirect_loop(reply: Reply) -> Delivery:  # noqa: ARG001 - it leads nowhere
    """The client is sent in a circle."""
    return deliver(Reply(307, {"location": "?again&fault=redirect-loop"}))


def redirect_to_a_file(reply: Reply) -> Delivery:  # noqa: ARG001 - it leads away from here
    """The client is sent to a file of its own."""
    return deliver(Reply(307, {"location": "file:///etc/hostname"}))


def redirect_at_home(reply: Reply) -> Delivery:  # noqa: ARG001 - it is asked for again
    """The client is sent to the very same address, as Gemini's streams have it."""
    return deliver(Reply(307, {"location": "?alt=sse"}))


def redirect_to_nowhere(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """The client is sent away, and not told where."""
    return deliver(Reply(302, {}))


def redirect_to_nonsense(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """The client is sent to an address that cannot be read."""
    return deliver(Reply(307, {"location": "http://[::1"}))


# In the middle


def stall(reply: Reply) -> Delivery:
    """What comes before the end, and then nothing more."""
    return deliver(reply, [*reply.begun, STALL])


def end_without_a_finish(reply: Reply) -> Delivery:
    """A clean end, but neither finish reason nor end marker: the answer is not whole."""
    return deliver(reply, reply.begun, "chunked")


def end_before_the_content(reply: Reply) -> Delivery:
    """A stream that ends as soon as it has begun."""
    return deliver(reply, [], "chunked")


def shorter_than_it_says(reply: Reply) -> Delivery:
    """The connection is closed before the body is as long as the head says."""
    return Delivery(deliver(reply, reply.begun, "length").steps, keep=False)


def connection_closed(reply: Reply) -> Delivery:
    """The connection is closed in the middle of a chunked body."""
    return Delivery(deliver(reply, reply.begun, "chunked", complete=False).steps, keep=False)


def connection_reset(reply: Reply) -> Delivery:
    """The connection is reset in the middle."""
    return Delivery(deliver(reply, [*reply.begun, BEAT, CUT], "chunked").steps, keep=False)


def cut_inside_an_event(reply: Reply) -> Delivery:
    """The stream ends in the middle of an event."""
    return deliver(reply, [*reply.begun, reply.pieces[reply.end][:12]], "chunked")


def cut_inside_a_character(reply: Reply) -> Delivery:
    """The stream ends in the middle of a character."""
    return deliver(reply, [*reply.begun, 'data: {"text": "ü'.encode()[:-1]], "chunked")


def bad_chunk_header(reply: Reply) -> Delivery:
    """The size of a chunk is no number."""
    begun = deliver(reply, reply.begun, "chunked", complete=False)
    return Delivery([*begun.steps, BEAT, b"zz\r\nnonsense\r\n"], keep=False)


def pings_only(reply: Reply) -> Delivery:
    """What comes before the end, and then signs of life for ever."""
    return deliver(reply, chain(reply.begun, _beat(reply.ping)))


def pings_before_the_content(reply: Reply) -> Delivery:
    """Signs of life for ever, and never any content."""
    return deliver(reply, _beat(reply.ping))


def blank_lines_for_ever(reply: Reply) -> Delivery:
    """Blank lines for ever, and never any answer."""
    return deliver(reply, _beat(b"\n\n"), "chunked")


def blank_lines_before_the_answer(reply: Reply) -> Delivery:
    """The whole answer after some blank lines, by which busy services hold a connection open."""
    return deliver(reply, [b"\n\n", BEAT, b"\n\n", *reply.pieces], "chunked")


def comments_for_ever(reply: Reply) -> Delivery:
    """What comes before the end, and then comments for ever."""
    return deliver(reply, chain(reply.begun, _beat(b": still here\n\n")))


def empty_calls_for_ever(reply: Reply) -> Delivery:
    """What comes before the end, and then pieces of calls with nothing in them for ever."""
    return deliver(reply, chain(reply.begun, _beat(_EMPTY_CALL)))


def finish_reasons_for_ever(reply: Reply) -> Delivery:
    """What comes before the end, and then a finish reason again and again, and no end."""
    return deliver(reply, chain(reply.begun, _beat(_FINISH)))


def unknown_fields_for_ever(reply: Reply) -> Delivery:
    """What comes before the end, and then fields that nobody knows for ever."""
    return deliver(reply, chain(reply.begun, _beat(_UNKNOWN_FIELD)))


def unknown_fields_before_the_content(reply: Reply) -> Delivery:
    """Fields that nobody knows for ever, and never any content."""
    return deliver(reply, _beat(_UNKNOWN_FIELD))


def end_marker_without_content(reply: Reply) -> Delivery:
    """A stream that says that it begins and that it is complete, and nothing between."""
    return deliver(reply, _MARKED if reply.streams else [], "chunked")


def empty_pieces_before_the_answer(reply: Reply) -> Delivery:
    """The whole answer after two hundred pieces with nothing in them but fields that nobody knows."""
    return deliver(reply, [_UNKNOWN_FIELD] * (200 if reply.streams else 0) + [*reply.pieces], "chunked")


def end_after_unknown_fields(reply: Reply) -> Delivery:
    """A stream that ends when only fields that nobody knows have come."""
    return deliver(reply, [_UNKNOWN_FIELD] if reply.streams else [], "chunked")


def number_for_text_in_mid_stream(reply: Reply) -> Delivery:
    """A piece of the text that is a number."""
    event = b'data: {"choices": [{"index": 0, "delta": {"content": 5}}]}\n\n'
    return deliver(reply, [*reply.begun, event, *reply.pieces[reply.end :]])


def _write_event(delta: object, block: object, candidate: object) -> bytes:
    """Write an event in all dialects at once."""
    event = {
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        "candidates": [candidate],
        "type": "content_block_delta",
        "index": 0,
        "delta": block,
    }
    return b"event: content_block_delta\ndata: %b\n\n" % json.dumps(event).encode()


def held_open_after_the_end(reply: Reply) -> Delivery:
    """The whole answer, and then the connection is left open."""
    return deliver(reply, [*reply.pieces, STALL])


def comments_after_the_end(reply: Reply) -> Delivery:
    """The whole answer, and then comments for ever."""
    return deliver(reply, chain(reply.pieces, _beat(b": still here\n\n")))


def endless_output(reply: Reply) -> Delivery:
    """The last event with content again and again, for ever."""
    return deliver(reply, chain(reply.begun, _beat(reply.begun[-1])))


def endless_line(reply: Reply) -> Delivery:
    """An event whose end never comes."""
    return deliver(reply, chain([*reply.begun, b'data: {"id": "'], repeat(BLOCK)))


def endless_lines(reply: Reply) -> Delivery:
    """An event of short lines whose end never comes."""
    return deliver(reply, chain(reply.begun, repeat(b"data:ab\n" * 2**13)))


def a_byte_at_a_time(reply: Reply) -> Delivery:
    """The whole answer, byte by byte."""
    body = b"".join(reply.pieces)
    return deliver(reply, [body[at : at + 1] for at in range(len(body))])


def pauses_between_events(reply: Reply) -> Delivery:
    """The whole answer, after each piece of it a pause."""
    return deliver(reply, chain.from_iterable((piece, BEAT) for piece in reply.pieces))


def byte_order_mark(reply: Reply) -> Delivery:
    """The whole answer, after a byte-order mark."""
    return _rewrite(reply, [b"\xef\xbb\xbf", *reply.pieces])


def carriage_returns(reply: Reply) -> Delivery:
    """The whole answer, its lines ended by carriage returns alone."""
    return _rewrite(reply, [_unify_lines(reply).replace(b"\n", b"\r")])


def comments_between_events(reply: Reply) -> Delivery:
    """The whole answer, and before each event a comment, an id, and a time to wait."""
    return deliver(reply, [part for piece in reply.pieces for part in (b": note\n\nid: 1\nretry: 10\n", piece)])


def empty_events(reply: Reply) -> Delivery:
    """The whole answer, and before each event a thousand empty ones."""
    return deliver(reply, [part for piece in reply.pieces for part in (b"\n\n" * 1000, piece)])


def no_final_blank_line(reply: Reply) -> Delivery:
    """The whole answer, but for the blank line that ends its last event."""
    return deliver(reply, [b"".join(reply.pieces).rstrip(b"\r\n")])


def _rewrite(reply: Reply, pieces: Iterable[bytes]) -> Delivery:
    return deliver(attrs.evolve(reply, pieces=tuple(pieces)))


def crlf_line_ends(reply: Reply) -> Delivery:
    """The whole answer, its lines ended by CR and LF."""
    return _rewrite(reply, [_unify_lines(reply).replace(b"\n", b"\r\n")])


def mixed_line_ends(reply: Reply) -> Delivery:
    """The whole answer, its lines ended by CR, by LF and by both in turn."""
    ends = cycle([b"\r\n", b"\n", b"\r"])
    return _rewrite(reply, [re.sub(b"\n", lambda _: next(ends), _unify_lines(reply))])


def data_on_several_lines(reply: Reply) -> Delivery:
    """The whole answer, each event's data on several lines."""
    return _rewrite(reply, [piece.replace(b"data: {", b"data: {\ndata:") for piece in reply.pieces])


def no_space_after_the_colon(reply: Reply) -> Delivery:
    """The whole answer, without the space that most services write after `data:`."""
    return _rewrite(reply, [re.sub(rb"^(\w+): ", rb"\1:", piece, flags=re.MULTILINE) for piece in reply.pieces])


def all_at_once(reply: Reply) -> Delivery:
    """The whole answer in one write."""
    return _rewrite(reply, [b"".join(reply.pieces)])


def characters_as_they_are(reply: Reply) -> Delivery:
    """The whole answer, its characters not escaped but written in UTF-8."""
    return _rewrite(reply, [_ESCAPES.sub(_write_characters, piece) for piece in reply.pieces])


def broken_utf_8(reply: Reply) -> Delivery:
    """The whole answer, with a byte that is no UTF-8 wherever U+FFFD stood."""
    return _rewrite(reply, [piece.replace(b"\\ufffd", b"\xff") for piece in reply.pieces])


def null_delta(reply: Reply) -> Delivery:
    """The whole answer, with null where an empty delta stood."""
    return _rewrite(reply, [piece.replace(b'"delta": {}', b'"delta": null') for piece in reply.pieces])


def events_after_the_end(reply: Reply) -> Delivery:
    """The whole answer, and then its events once more."""
    return _rewrite(reply, [b"".join(reply.pieces * 2)])


def _unify_lines(reply: Reply) -> bytes:
    return b"".join(reply.pieces).replace(b"\r\n", b"\n")


def _write_characters(escapes: re.Match[bytes]) -> bytes:
    text: str = json.loads(b'"%s"' % escapes[0])
    return text.encode()


def an_error_string_in_mid_stream(reply: Reply) -> Delivery:
    """An event whose error is a text."""
    return deliver(reply, [*reply.begun, _ERROR_STRING])


def an_error_string_first(reply: Reply) -> Delivery:
    """An event whose error is a text, before any other."""
    return deliver(reply, [_ERROR_STRING])


def an_error_event_in_mid_stream(reply: Reply) -> Delivery:
    """An event of the kind `error`."""
    return deliver(reply, [*reply.begun, b"event: error\n" + _ERROR_STRING])


def an_error_event_first(reply: Reply) -> Delivery:
    """An event of the kind `error`, before any other."""
    return deliver(reply, [b"event: error\n" + _ERROR_STRING])


def null_in_mid_stream(reply: Reply) -> Delivery:
    """An event whose data is null."""
    return deliver(reply, [*reply.begun, b"data: null\n\n", *reply.pieces[reply.end :]])


def broken_json_in_mid_stream(reply: Reply) -> Delivery:
    """An event that is no JSON."""
    return deliver(reply, [*reply.begun, b'data: {"choices": [}\n\n', *reply.pieces[reply.end :]])


def html_in_mid_stream(reply: Reply) -> Delivery:
    """A page for people in place of the rest."""
    return deliver(reply, [*reply.begun, b"<html><body>502 Bad Gateway</body></html>"])


def _beat(piece: bytes) -> Iterator[Step]:
    while True:
        yield piece
        yield BEAT


_EMPTY_CALL = _write_event(
    {"tool_calls": [{"index": 0, "id": "call_1", "function": {"arguments": ""}}]},
    {"type": "input_json_delta", "partial_json": ""},
    {"index": 0, "content": {"parts": [{"functionCall": {"partialArgs": [], "willContinue": True}}]}},
)
_FINISH = (
    b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "type": "message_delta", '
    b'"delta": {"stop_reason": "end_turn"}}\n\n'
)
_UNKNOWN_FIELD = _write_event(
    {"note": "still here"}, {"type": "note_delta", "note": "still here"}, {"index": 0, "note": "still here"}
)
_MARKED = [
    b'data: {"choices": [{"index": 0, "delta": {"role": "assistant"}}], "type": "message_start", "message": {}}\n\n',
    b'data: {"choices": [], "type": "message_stop"}\n\n',
    b"data: [DONE]\n\n",
]

FAULTS: Mapping[str, Fault] = {
    name.replace("_", "-"): item
    for name, item in list(globals().items())
    if isfunction(item) and item.__module__ == __name__ and not name.startswith("_")
}
