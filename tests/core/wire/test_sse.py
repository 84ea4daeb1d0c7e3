"""The decoder against the specification, read literally: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from g4f.errors import APIResponseError
from g4f.wire.sse import Event, SseDecoder, is_event_stream, split_events

TEXTS = (
    b"data: one\n\n",
    b"data: one\r\n\r\ndata: two\r\n\r\n",
    b"data: one\r\rdata: two\r\r",
    b"data: a\rdata: b\n\n",
    b"data: a\r\ndata: b\r\n: inside\r\ndata: c\r\n\r\n",
    b"data: a\rdata: b\ndata: c\r\n\r\ndata: d\n\r\n",
    b"\xef\xbb\xbfdata: after the mark\n\n",
    b"\xef\xbb\xbf\xef\xbb\xbfdata: two marks\n\ndata: x\n\n",
    b"\xef\xbbdata: half a mark\n\ndata: x\n\n",
    b": a comment\n\n:\n\ndata: x\n: inside\ndata: y\n\n",
    b"id: 1\nretry: 10\nevent: ping\ndata: {}\n\ndata: {}\n\n",
    b"event: lost\n\ndata: x\n\n",
    b"event: first\nevent: second\ndata: x\n\n",
    b"event\ndata: x\n\n",
    b"data: a\ndata: b\ndata:\ndata\ndata: c\n\n",
    b"data:no space\n\ndata:  two spaces\n\ndata:\ta tab\n\n",
    b"data\n\ndata:\n\ndata: \n\n",
    b"data: a:b: c\n\n",
    " data: x\n\nDATA: x\n\ndata : x\n\ndatá: x\n\n".encode(),
    "data: one\u2028line\u2029with\u0085all\x0b\x0c\x1cends\n\n".encode(),
    b"data: \x00\x00\n\nda\x00ta: x\n\n",
    b"data: \xff\xe2\x82\n\nevent: \xff\ndata: x\n\n",
    b"\n\n\r\n\r\r\n\n",
    b"data: cut off",
    b"data: cut off\n",
    b"data: whole\n\ndata: cut off\nevent: x",
    b"",
)
PIECES = (
    *(
        b"data",
        b"event",
        b"id",
        b"retry",
        b":",
        b": ",
        b" ",
        b"x",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"data: x\n",
        b"data: y\r\n",
    ),
    *(b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\xbf", b"\xff", b"\x00", b"\x0b", b"\xc2\x85", b"\xe2\x80\xa8"),
)
# What nearly all services send nearly always, which is read the short way, and what stands in that way.
PLAIN = (b"data: {}\n\n", b"data: x\n\n", b"data: \n\n", b"data: \xc3\xbc: y\n\n")
odd_pieces = st.one_of(st.sampled_from(PIECES), st.sampled_from(PIECES), st.binary(max_size=3))
plain_pieces = st.sampled_from((*PLAIN * 5, *PIECES))
streams = st.one_of(st.lists(odd_pieces, max_size=30), st.lists(plain_pieces, max_size=15)).map(b"".join)


def read_literally(stream: bytes) -> list[tuple[str, str]]:
    """Section 9.2.6 of the specification, sentence by sentence, over the whole stream at once."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    events, data_buffer, type_buffer = [], "", ""
    for line in re.split("\r\n|\n|\r", text)[:-1]:
        if line == "":
            if data_buffer != "":
                events.append((type_buffer or "message", data_buffer.removesuffix("\n")))
            data_buffer, type_buffer = "", ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                type_buffer = value
            elif field == "data":
                data_buffer += value + "\n"
    return events


def decode(reads: list[bytes], **limits: int) -> list[Event]:
    decoder = SseDecoder(**limits)
    return [event for read in reads for event in decoder.feed(read)]


def show(events: list[Event]) -> list[tuple[str, str]]:
    return [(kind, data.decode("utf-8", "replace")) for kind, data in events]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream as reads that end at these places."""
    return [stream[start:end] for start, end in pairwise([0, *sorted(places), len(stream)])]


@given(streams)
def test_a_stream_means_what_the_specification_says(stream: bytes) -> None:
    """Whatever the bytes, the events are those of the specification's own algorithm."""
    assert show(decode([stream])) == read_literally(stream)


@given(st.data(), streams)
def test_where_the_network_cuts_changes_nothing(data: st.DataObject, stream: bytes) -> None:
    """Reads of any lengths, empty ones among them, give the events of the whole."""
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert show(decode(cut(stream, places))) == read_literally(stream)


@pytest.mark.parametrize("stream", TEXTS, ids=range(len(TEXTS)))
def test_each_fault_of_the_corpus_is_read_the_same_at_every_cut(stream: bytes) -> None:
    """Known troublemakers come out right whole, a byte at a time, and cut once at every place."""
    expected = read_literally(stream)

    assert show(decode([stream])) == expected
    assert show(decode([stream[at : at + 1] for at in range(len(stream))])) == expected
    for at in range(len(stream)):
        assert show(decode([stream[:at], b"", stream[at:]])) == expected, at


def test_data_keeps_its_bytes_and_the_type_is_text() -> None:
    """Data is handed on as UTF-8 bytes, broken ones too; the type is text, `message` where the stream names none."""
    assert decode([b"data: \xff\ndata: y\n\nevent: ping\ndata\n\n"]) == [("message", b"\xff\ny"), ("ping", b"")]


def test_separators_of_other_standards_end_no_line() -> None:
    """U+2028 and its like stay inside the data, where JSON allows them."""
    data = "a\u2028b\u2029c\u0085d\x0be".encode()

    assert decode([b"data: " + data + b"\n\n"]) == [("message", data)]


def test_an_event_is_there_at_the_first_half_of_its_line_end() -> None:
    """A blank line that ends with CR is not held back for the LF that may follow."""
    decoder = SseDecoder()

    assert decoder.feed(b"data: x\r\n\r") == [("message", b"x")]
    assert decoder.feed(b"\ndata: y\n\n") == [("message", b"y")]


def test_comments_and_blank_lines_are_no_events() -> None:
    """Keep-alives of every kind give nothing, however many come."""
    assert decode([b": ping\n\n" * 1000, b"\r\n\n" * 1000, b"event: ping\n\n" * 1000, b"id: 1\n\n"]) == []


@pytest.mark.parametrize("prefix", [b"data: ", b": ", b"event: ", b""])
def test_an_endless_line_is_an_error_at_the_limit(prefix: bytes) -> None:
    """A line without end is given up once it is longer than an event may be, whatever it is."""
    decoder = SseDecoder(max_event_bytes=1000)
    decoder.feed(prefix)

    with pytest.raises(APIResponseError, match="larger than 1000 bytes"):
        for _ in range(11):
            assert decoder.feed(b"x" * 100) == []


@pytest.mark.parametrize("line", [b"data: 0123456789\n", b"data:\n", b"data\n"])
def test_an_endless_event_is_an_error_at_the_limit(line: bytes) -> None:
    """Lines of data without end are given up as well, empty ones too."""
    decoder = SseDecoder(max_event_bytes=1000)

    with pytest.raises(APIResponseError, match="larger than 1000 bytes"):
        for _ in range(1001):
            decoder.feed(line)


def test_the_limit_is_for_one_event_and_not_for_the_stream() -> None:
    """A stream may be as long as it likes."""
    assert len(decode([b"data: " + b"x" * 900 + b"\n\n: " + b"y" * 900 + b"\n"] * 100, max_event_bytes=1000)) == 100


@given(st.data(), st.integers(0, 40))
def test_what_came_before_an_event_that_is_too_large_is_delivered(data: st.DataObject, size: int) -> None:
    """Where the network cuts changes neither the events before the limit nor the error."""
    stream = b"data: a\n\ndata: b\n\ndata: " + b"x" * size + b"\ndata: yy\n\ndata: c\n\n"
    decoder = SseDecoder(max_event_bytes=20)
    too_large = size > 14 or size + 4 > 20
    events = []
    error = None
    for read in [*cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=6))), b"", b""]:
        try:
            events += decoder.feed(read)
        except APIResponseError as caught:
            error = caught

    assert (error is not None) is too_large
    assert [text for _, text in events][:2] == [b"a", b"b"]
    assert len(events) == (2 if too_large else 4)


@pytest.mark.parametrize("last", [b"y" * 9, b"y" * 10], ids=["at the limit", "above it"])
def test_the_limit_of_an_event_is_exact(last: bytes) -> None:
    """Its lines count with their ends, and each event anew."""
    at_limit = b"data: " + b"x" * 9 + b"\ndata: " + b"x" * 9 + b"\n\n"
    stream = at_limit * 3 + b"data: " + b"x" * 9 + b"\ndata: " + last + b"\n\n"
    decoder = SseDecoder(max_event_bytes=20)
    events = decoder.feed(stream)
    assert len(events) == (4 if len(last) == 9 else 3)
    if len(last) > 9:
        with pytest.raises(APIResponseError, match="larger than 20 bytes"):
            decoder.feed(b"")


@pytest.mark.parametrize("ended", [b"\n", b""], ids=["whole", "cut"])
@pytest.mark.parametrize("start", [b"data: ", b": "], ids=["data", "comment"])
def test_the_limit_of_a_line_is_exact(start: bytes, ended: bytes) -> None:
    """It counts without its end, whether that came yet or not."""
    line = start.ljust(20, b"x")
    for before in (b"", b": another line\n"):
        assert SseDecoder(max_event_bytes=20).feed(before + line + ended) == []
        with pytest.raises(APIResponseError, match="larger than 20 bytes"):
            SseDecoder(max_event_bytes=20).feed(before + line + b"x" + ended)


def test_an_event_of_a_million_lines_is_an_error() -> None:
    """Each of them takes much more memory than its bytes."""
    decoder, read = SseDecoder(), b"data:\n" * 2**16
    assert [decoder.feed(read) for _ in range(16)] == [[]] * 16
    with pytest.raises(APIResponseError, match="is of more lines than a million"):
        decoder.feed(b"data:\n")


def test_an_event_of_a_mebibyte_and_more_is_told_of() -> None:
    """Others may be read without a look at what is in them."""
    decoder = SseDecoder()
    for size, largest in ((10, 0), (2**20 - 1, 0), (2**20, 2**20 + 1), (30, 2**20 + 1), (2**21, 2**21 + 1)):
        for read in cut(b"data: " + b"x" * size + b"\n\ndata: a\n\n", [*range(0, size, 2**18)]):
            decoder.feed(read)
        assert decoder.largest == largest


@given(streams)
@example(b"data: a\n\ndata: b")
def test_a_stream_that_came_as_a_whole_has_the_same_events(stream: bytes) -> None:
    """And the last one, of which nothing but its end may be missing."""
    assert list(split_events(stream)) == SseDecoder().feed(stream + b"\n\n")


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_stream_of_more_than_a_million_lines_is_not_read(end: bytes) -> None:
    """It would take seconds, in which nothing else happens."""
    first, line = b"data: x" + end + end, b":" + end
    assert next(split_events(first + line * (2**20 - 2))) == ("message", b"x")
    with pytest.raises(APIResponseError, match="more than 1048576 lines"):
        next(split_events(first + line * (2**20 - 1)))


@pytest.mark.parametrize("body", [b"data: 1", b"\xef\xbb\xbf\n event: a", b": comment", b"\n\nid:", b"retry: 1"])
def test_a_stream_is_told_from_json_by_its_beginning(body: bytes) -> None:
    """Whatever its type was said to be."""
    assert is_event_stream(body)
    assert not is_event_stream(b'{"data": 1}')
    assert not is_event_stream(b"<p>data:")
