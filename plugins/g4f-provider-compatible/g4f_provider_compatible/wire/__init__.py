"""The services: OpenAI's dialect, with what each of them changes. Pure, as all of `g4f.wire`.

Answers are read alike for all (`answers.py`, and `thinking.py` where the models are open ones). Requests are put into a
service's words by the pieces of `requests.py`, those for pictures by `pictures.py`; errors are read in `errors.py`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs

from g4f.chat import Completion
from g4f.context import HttpResponse
from g4f.wire import openai
from g4f.wire.dialect import EncodeChat
from g4f.wire.openai import OPENAI, AdaptBody, forget_foreign
from g4f_provider_compatible.wire.answers import adapt_answer
from g4f_provider_compatible.wire.errors import (
    decode_azure_error,
    decode_openrouter_error,
    decode_xai_error,
    know_id,
)
from g4f_provider_compatible.wire.pictures import encode_together_image, encode_xai_image
from g4f_provider_compatible.wire.requests import (
    answer_once,
    count_logprobs,
    do_all,
    drop_penalties,
    drop_usage_option,
    each_message,
    explain_schema,
    keep,
    keep_fields,
    mark_beginning,
    nest_effort,
    rename,
    say_reasoning,
    say_system,
    shorten_ids,
    switch_thinking,
    turn_off_reasoning,
    warn_of_names,
    write_documents,
    write_thoughts,
)
from g4f_provider_compatible.wire.thinking import OpenChunkDecoder, ThoughtReader, open_thoughts


def decode_open_chat(response: HttpResponse) -> Completion:
    """Read a whole answer of an open model, which may have written its thoughts into the text."""
    return openai.decode_chat(response, ThoughtReader())


def decode_self_hosted_chat(response: HttpResponse) -> Completion:
    """Read a whole answer of a server that may leave out where the thoughts begin."""
    read_thoughts = ThoughtReader()

    def adapt(answer: dict[str, Any]) -> None:
        open_thoughts(answer)
        read_thoughts(answer)

    return openai.decode_chat(response, adapt)


def ask(*steps: AdaptBody) -> EncodeChat:
    """Return what writes a chat request after some steps."""
    return partial(openai.encode_chat, adapt=do_all(*steps))


HOSTED = attrs.evolve(
    OPENAI,
    decode_chat=partial(openai.decode_chat, adapt=adapt_answer),
    decode_stream=partial(openai.decode_stream, adapt=adapt_answer),
)
OPEN = attrs.evolve(OPENAI, decode_chat=decode_open_chat, decode_stream=OpenChunkDecoder)

# Of servers that are started with a model's own template, by the user.
SELF_HOSTED = attrs.evolve(OPEN, decode_chat=decode_self_hosted_chat)

OPENROUTER = attrs.evolve(
    HOSTED,
    encode_chat=ask(
        nest_effort,
        each_message(say_reasoning),
        forget_foreign("reasoning", "reasoning_details", "images"),
    ),
    decode_error=know_id("x-generation-id", decode_openrouter_error),
)
GROQ = attrs.evolve(
    OPEN,
    encode_chat=ask(
        keep(
            "Groq",
            "max_completion_tokens max_tokens n parallel_tool_calls reasoning_effort response_format seed service_tier"
            " stop temperature tool_choice tools top_p user",
        ),
        answer_once("Groq"),
        forget_foreign("reasoning_content"),
        warn_of_names("Groq"),
        each_message(
            say_reasoning, keep_fields(assistant="role content reasoning tool_calls", tool="role content tool_call_id")
        ),
    ),
)
MISTRAL = attrs.evolve(
    HOSTED,
    encode_chat=ask(
        rename(seed="random_seed", max_completion_tokens="max_tokens"),
        keep(
            "Mistral",
            "frequency_penalty logprobs max_tokens metadata n parallel_tool_calls prediction presence_penalty"
            " prompt_cache_key random_seed reasoning_effort response_format service_tier stop temperature tool_choice"
            " tools top_logprobs top_p",
        ),
        drop_usage_option,
        forget_foreign("content_parts", "reasoning_content"),
        warn_of_names("Mistral"),
        each_message(
            say_system,
            write_thoughts,
            write_documents,
            shorten_ids,
            keep_fields(assistant="role content tool_calls prefix", tool="role content tool_call_id name"),
        ),
        mark_beginning,
    ),
    encode_embed=partial(openai.encode_embed, adapt=rename(dimensions="output_dimension")),
    decode_error=know_id("mistral-correlation-id"),
)
DEEPSEEK = attrs.evolve(
    HOSTED,
    encode_chat=ask(
        rename(max_completion_tokens="max_tokens"),
        keep(
            "DeepSeek",
            "frequency_penalty logprobs max_tokens presence_penalty reasoning_effort response_format stop temperature"
            " tool_choice tools top_logprobs top_p",
        ),
        forget_foreign("reasoning_content"),
        switch_thinking,
        explain_schema,
        each_message(say_system),
    ),
    decode_error=know_id("x-ds-trace-id"),
)
XAI = attrs.evolve(
    HOSTED,
    encode_chat=ask(drop_penalties, forget_foreign("reasoning_content")),
    encode_image=encode_xai_image,
    decode_error=decode_xai_error,
)
TOGETHER = attrs.evolve(
    OPEN,
    encode_chat=ask(
        rename(max_completion_tokens="max_tokens"),
        keep(
            "Together",
            "frequency_penalty logit_bias logprobs max_tokens n presence_penalty reasoning_effort response_format seed"
            " stop temperature tool_choice tools top_logprobs top_p",
        ),
        forget_foreign(),
        count_logprobs,
        turn_off_reasoning,
        each_message(say_system),
    ),
    encode_image=encode_together_image,
)
OLLAMA = attrs.evolve(
    OPEN,
    encode_chat=ask(
        rename(max_completion_tokens="max_tokens"),
        keep(
            "Ollama",
            "frequency_penalty logit_bias logprobs max_tokens n presence_penalty reasoning_effort response_format seed"
            " stop temperature tool_choice tools top_logprobs top_p user",
        ),
        each_message(say_reasoning),
    ),
)
LMSTUDIO = attrs.evolve(OPEN, encode_chat=ask(rename(max_completion_tokens="max_tokens")))
AZURE = attrs.evolve(
    HOSTED,
    encode_chat=ask(forget_foreign("reasoning_content")),
    decode_error=know_id("apim-request-id", decode_azure_error),
)
