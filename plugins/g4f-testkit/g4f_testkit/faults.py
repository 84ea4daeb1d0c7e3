"""What goes wrong on the way: each fault is a function from the answer as it should be to what goes out instead.

A fault's name is its function's, with hyphens; its docstring says what the client sees. Who chooses one is `server.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, repeat

from g4f_testkit.http import CUT, STALL, Delivery, Reply, Step, deliver, write_head

Fault = Callable[[Reply], Delivery]
BEAT = 0.05  # seconds between two signs of life
BLOCK = b"x" * 2**16
MIB = 2**20


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


# A 200 that is none


def html_page(reply: Reply) -> Delivery:
    """A page for people, with status 200."""
    return _replace_body(reply, b"<!doctype html><html><head><title>Sign in</title></head></html>", "text/html")


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


def json_cut_short(reply: Reply) -> Delivery:
    """Half of the JSON, as if that were all."""
    return _replace_body(reply, b'{"id": "x", "choices": [{"' if reply.streams else reply.begun[0])


def json_nested_deep(reply: Reply) -> Delivery:
    """JSON nested 100,000 deep."""
    return _replace_body(reply, b"[" * 100_000 + b"]" * 100_000)


def endless_json(reply: Reply) -> Delivery:  # noqa: ARG001 - nothing is left of it
    """JSON whose end never comes."""
    headers = {"content-type": "application/json"}
    return deliver(Reply(200, headers), chain([b'{"id": "'], repeat(BLOCK)), "close")


def gzip_bomb(reply: Reply) -> Delivery:
    """A gigabyte of white space before the answer, in a megabyte."""
    headers = {"content-type": reply.headers.get("content-type", ""), "content-encoding": "gzip"}
    return deliver(Reply(200, headers), _compress(repeat(b" " * MIB, 1024)), "close")


def _compress(blocks: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(9, wbits=31)  # with gzip's head
    for block in blocks:
        yield compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()


# Redirects


def redirect_to_another_origin(reply: Reply) -> Delivery:
    """The client is sent to the same server under another name, which is another origin."""
    elsewhere = reply.origin.replace("127.0.0.1", "localhost")
    return deliver(Reply(307, {"location": f"{elsewhere}/elsewhere"}))


def redirect_loop(reply: Reply) -> Delivery:
    """The client is sent in a circle."""
    return deliver(Reply(307, {"location": f"{reply.origin}/again"}))


def redirect_to_a_file(reply: Reply) -> Delivery:  # noqa: ARG001 - it leads away from here
    """The client is sent to a file of its own."""
    return deliver(Reply(307, {"location": "file:///etc/hostname"}))


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


def comments_for_ever(reply: Reply) -> Delivery:
    """What comes before the end, and then comments for ever."""
    return deliver(reply, chain(reply.begun, _beat(b": still here\n\n")))


def held_open_after_the_end(reply: Reply) -> Delivery:
    """The whole answer, and then the connection is left open."""
    return deliver(reply, [*reply.pieces, STALL])


def endless_output(reply: Reply) -> Delivery:
    """The last event with content again and again, for ever."""
    return deliver(reply, chain(reply.begun, _beat(reply.begun[-1])))


def endless_line(reply: Reply) -> Delivery:
    """An event whose end never comes."""
    return deliver(reply, chain([*reply.begun, b'data: {"id": "'], repeat(BLOCK)))


def a_byte_at_a_time(reply: Reply) -> Delivery:
    """The whole answer, byte by byte."""
    body = b"".join(reply.pieces)
    return deliver(reply, [body[at : at + 1] for at in range(len(body))])


def byte_order_mark(reply: Reply) -> Delivery:
    """The whole answer, after a byte-order mark."""
    return deliver(reply, [b"\xef\xbb\xbf", *reply.pieces])


def carriage_returns(reply: Reply) -> Delivery:
    """The whole answer, its lines ended by carriage returns alone."""
    body = b"".join(reply.pieces).replace(b"\r\n", b"\n")
    return deliver(reply, [body.replace(b"\n", b"\r")])


def comments_between_events(reply: Reply) -> Delivery:
    """The whole answer, and before each event a comment, an id, and a time to wait."""
    return deliver(reply, [part for piece in reply.pieces for part in (b": note\n\nid: 1\nretry: 10\n", piece)])


def empty_events(reply: Reply) -> Delivery:
    """The whole answer, and before each event a thousand empty ones."""
    return deliver(reply, [part for piece in reply.pieces for part in (b"\n\n" * 1000, piece)])


def no_final_blank_line(reply: Reply) -> Delivery:
    """The whole answer, but for the blank line that ends its last event."""
    return deliver(reply, [b"".join(reply.pieces).rstrip(b"\r\n")])


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


FAULTS: Mapping[str, Fault] = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        first_byte_never_comes, closed_before_the_answer, reset_before_the_answer, headers_that_drip,
        garbage_status_line, html_page, empty_body, status_204, json_null, json_list, json_empty_object,
        json_cut_short, json_nested_deep, endless_json, gzip_bomb, redirect_to_another_origin, redirect_loop,
        redirect_to_a_file, stall, end_without_a_finish, end_before_the_content, connection_closed, connection_reset,
        cut_inside_an_event, cut_inside_a_character, bad_chunk_header, pings_only, pings_before_the_content,
        comments_for_ever, held_open_after_the_end, endless_output, endless_line, a_byte_at_a_time, byte_order_mark,
        carriage_returns, comments_between_events, empty_events, no_final_blank_line, broken_json_in_mid_stream,
        html_in_mid_stream,
    )
}  # fmt: skip
