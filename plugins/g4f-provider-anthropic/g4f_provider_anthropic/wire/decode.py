"""Whole answers, however they come."""

from __future__ import annotations

from g4f.chat import Completion
from g4f.context import HttpResponse
from g4f.errors import APIResponseError
from g4f.fold import list_objects
from g4f.wire.dialect import decode_events, expect_answer
from g4f.wire.json import decode_answer, show_start
from g4f.wire.sse import is_event_stream
from g4f_provider_anthropic.wire.answer import build_end, build_head, build_message, build_usage
from g4f_provider_anthropic.wire.errors import make_event_error
from g4f_provider_anthropic.wire.stream import decode_stream


def decode_chat(response: HttpResponse) -> Completion:
    """Read a whole answer, also one that came as a stream though none was asked for.

    Raises:
        APIResponseError: It is no message, or one with nothing in it.
        APIStatusError: It is an error in spite of its status.
    """
    if is_event_stream(response.body):
        return decode_events(decode_stream("marker"), response.body)
    message = decode_answer(response.body)
    if message.get("type") == "error" or message.get("error"):
        raise make_event_error(message)
    content = message.get("content")
    if not isinstance(content, list):
        raise APIResponseError(f"The answer has no content: {show_start(response.body)}")
    end = build_end(message) if message.get("stop_reason") else {"finish_reason": None}
    choice = {"index": 0, "message": {"role": "assistant", **build_message(list_objects(content))}, **end}
    completion = {**build_head(message), "object": "chat.completion", "choices": [choice]}
    usage = build_usage(message.get("usage"))
    told = Completion.from_dict({**completion, "usage": usage} if usage else completion)
    return expect_answer(told, response.body)
