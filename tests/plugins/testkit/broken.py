"""Providers that are each wrong in one way, and the grade and the checks that each must lose for it.

`Sound` is right. The others are like it but for what their docstring says. `test_checks.py` puts them to the kit.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

import aiohttp
import attrs

from g4f import Auth, ChatRequest, Chunk, Completion, HttpProvider, ImageRequest, Manifest, hookimpl
from g4f.context import Context, HttpRequest, HttpResponse, Transport
from g4f.errors import APIConnectionError, APIError, APIResponseError, APIStatusError, StreamTruncatedError
from g4f.images import Images
from g4f.manifest import CAPABILITIES
from g4f.wire import openai
from g4f.wire.openai import OPENAI
from g4f_testkit.claims import Grade
from g4f_testkit.dialect import Asked
from g4f_testkit.dialects.openai import OpenaiDialect
from g4f_testkit.http import Reply, Request, write_event
from g4f_testkit.script import Turn

MANIFEST = Manifest(
    title="Sound",
    base_url="https://sound.example/v1",
    auth=Auth("header", variables=("SOUND_API_KEY",)),
    stream_end="marker",
    capabilities=dict.fromkeys(CAPABILITIES, "yes"),
    models_open=True,
)
OWN_KEY = attrs.evolve(MANIFEST, auth=attrs.evolve(MANIFEST.auth, kind="own", header="x-key", prefix=""))


class Sound(HttpProvider):
    manifest = MANIFEST


def adapt_answers(adapt: Callable[[dict[str, Any]], None]) -> Any:
    """A dialect that changes each answer, and each event of a stream."""
    decode_chat = partial(openai.decode_chat, adapt=adapt)
    return attrs.evolve(OPENAI, decode_chat=decode_chat, decode_stream=partial(openai.decode_stream, adapt=adapt))


def adapt_requests(adapt: Callable[[dict[str, Any]], None]) -> Any:
    """A dialect that changes each chat's request."""
    change = partial(openai.encode_chat, adapt=lambda body, warn: adapt(body))
    return attrs.evolve(OPENAI, encode_chat=change)


def list_parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of an answer, or the deltas of an event."""
    return [choice.get("message") or choice.get("delta") or {} for choice in answer.get("choices") or []]


# These lose bronze.


def trim(answer: dict[str, Any]) -> None:
    for part in list_parts(answer):
        if part.get("content"):
            part["content"] = part["content"].strip()


class Trimmer(Sound):
    """Loses the white space at the ends of each piece."""

    wire = adapt_answers(trim)


class Gatherer(Sound):
    """Streams only when all is there."""

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        for chunk in [chunk async for chunk in super().stream(request, context)]:
            yield chunk


def refuse_plainly(status: int, headers: Any, body: bytes) -> APIStatusError:
    raise RuntimeError(f"status {status}")


class Blunt(Sound):
    """Has one error for all."""

    wire = attrs.evolve(OPENAI, decode_error=refuse_plainly)


def forget_details(status: int, headers: Any, body: bytes) -> APIStatusError:
    error = OPENAI.decode_error(status, {}, body)
    error.type = error.code = None
    return error


class Vague(Sound):
    """Forgets what the service says beside its message."""

    wire = attrs.evolve(OPENAI, decode_error=forget_details)


class Headstrong(Sound):
    """Asks another model than the user named."""

    wire = adapt_requests(lambda body: body.update(model="another"))


def flatten(body: dict[str, Any]) -> None:
    said = body["messages"]
    if len(said) > 1 or not isinstance(said[0]["content"], str):
        text = "\n".join(f"{message['role']}: {message.get('content')}" for message in said)
        body["messages"] = [{"role": "user", "content": text}]


class Flattener(Sound):
    """Writes a conversation, with all that is in it, into one message."""

    wire = adapt_requests(flatten)


def drop_accents(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        if isinstance(message.get("content"), str):
            message["content"] = message["content"].encode("ascii", "ignore").decode()


class Provincial(Sound):
    """Knows the letters of one language."""

    wire = adapt_requests(drop_accents)


def shout(answer: dict[str, Any]) -> None:
    for part in list_parts(answer):
        if part.get("content"):
            part["content"] = part["content"].upper()
        for call in part.get("tool_calls") or []:
            call["function"]["name"] = call["function"].get("name", "").upper()


class Shouter(Sound):
    """Tells all in capitals."""

    wire = adapt_answers(shout)


class Silent(Sound):
    """Has nothing to say."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        await super().chat(request, context)
        return Completion.from_text("")

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        await super().chat(request, context)
        yield Chunk.from_text("", finish_reason="stop")


class Painter(Sound):
    """Draws only, and another picture than the service's."""

    manifest = attrs.evolve(
        MANIFEST, capabilities={**dict.fromkeys(CAPABILITIES, "no"), "image": "yes", "image_edit": "no"}
    )

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        await super().image(request, context)
        return Images.from_dict({"data": [{"b64_json": "R0lGODlhAQABAAAAACw="}]})


# These lose silver.


class Wasteful(Sound):
    """Never tells the tokens."""

    wire = adapt_answers(lambda answer: answer.pop("usage", None))


def drop_details(answer: dict[str, Any]) -> None:
    for name in ("prompt_tokens_details", "completion_tokens_details"):
        (answer.get("usage") or {}).pop(name, None)


class Coarse(Sound):
    """Tells the tokens without their kinds."""

    wire = adapt_answers(drop_details)


def end_well(answer: dict[str, Any]) -> None:
    for choice in answer.get("choices") or []:
        if choice.get("finish_reason"):
            choice["finish_reason"] = "stop"


class Cheerful(Sound):
    """Says that every answer ended well."""

    wire = adapt_answers(end_well)


def keep_known(answer: dict[str, Any]) -> None:
    for name in answer.keys() - {"id", "object", "created", "model", "choices", "usage"}:
        del answer[name]


class Narrow(Sound):
    """Loses what it does not know."""

    wire = adapt_answers(keep_known)


def want_everything(answer: dict[str, Any]) -> None:
    for part in list_parts(answer):
        len(part.get("tool_calls", []))
        len(part.get("reasoning_content", ""))


class Picky(Sound):
    """Breaks at a null."""

    wire = adapt_answers(want_everything)


class Denier(Sound):
    """Says that it cannot reason, and passes the effort on all the same."""

    manifest = attrs.evolve(MANIFEST, capabilities={**MANIFEST.capabilities, "reasoning": "no", "vision": "unknown"})

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        return await super().chat(request, attrs.evolve(context, manifest=MANIFEST))


class SigningDialect(OpenaiDialect):
    """Signs its calls as Google does in OpenAI's dialect (https://ai.google.dev/gemini-api/docs/thought-signatures)."""

    signs = True

    def read_request(self, request: Request) -> Asked | None:
        asked = super().read_request(request)
        messages = request.table.get("messages") or [] if asked is not None and asked.operation == "chat" else []
        calls = [call for message in messages for call in message.get("tool_calls") or ()]
        signed = tuple(
            call["extra_content"]["google"]["thought_signature"] for call in calls if "extra_content" in call
        )
        return None if asked is None else attrs.evolve(asked, signatures=signed)

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        return sign(super().write_answer(asked, turn, request), turn)

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        return sign(super().write_stream(asked, turn), turn)


def sign(reply: Reply, turn: Turn) -> Reply:
    signed = json.dumps({"extra_content": {"google": {"thought_signature": turn.signature}}})[1:-1].encode()
    start = b'"type": "function", '
    return attrs.evolve(reply, pieces=tuple(piece.replace(start, start + signed + b", ") for piece in reply.pieces))


def drop_signatures(body: dict[str, Any]) -> None:
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            call.pop("extra_content", None)


class Unsigned(Sound):
    """Sends calls of tools back without what the service signed them with."""

    dialect = SigningDialect()
    wire = adapt_requests(drop_signatures)


class Boaster(Sound):
    """Says that it knows schemas, and drops them."""

    wire = adapt_requests(lambda body: body.pop("response_format", None))


class Willful(Sound):
    """Calls the tools that it likes."""

    wire = adapt_requests(lambda body: body.pop("tool_choice", None))


class Deaf(Sound):
    """Drops settings that it has no ear for."""

    wire = adapt_requests(lambda body: [body.pop(name, None) for name in ("web_search_options", "prediction")])


def drop_wishes(body: dict[str, Any]) -> None:
    for name in ("tools", "reasoning_effort"):
        body.pop(name, None)


class Thoughtless(Sound):
    """Passes on neither tools nor how hard to think."""

    wire = adapt_requests(drop_wishes)


class Shortsighted(Sound):
    """Leaves open whether it sees pictures, and drops them."""

    manifest = attrs.evolve(MANIFEST, capabilities={**MANIFEST.capabilities, "vision": "unknown"})
    wire = adapt_requests(lambda body: body.update(messages=[_drop_pictures(each) for each in body["messages"]]))


def _drop_pictures(message: Any) -> Any:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [part for part in content if part.get("type") != "image_url"]}


class Forgetful(Sound):
    """Drops a setting without a word."""

    wire = adapt_requests(lambda body: body.pop("seed", None))


def mix_calls(answer: dict[str, Any]) -> None:
    for part in list_parts(answer):
        for call in part.get("tool_calls") or []:
            call["index"] = 0


class Tangled(Sound):
    """Takes the pieces of all calls for those of one."""

    wire = adapt_answers(mix_calls)


def mix_thoughts(answer: dict[str, Any]) -> None:
    for part in list_parts(answer):
        part["content"] = (part.pop("reasoning_content", None) or "") + (part.get("content") or "")


class Loud(Sound):
    """Says what it thinks."""

    wire = adapt_answers(mix_thoughts)


class Scribbler(Sound):
    """Writes into what it is asked."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        answer = await super().chat(request, context)
        request.options.pop("temperature", None)
        return answer

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        for message in request.messages:
            if isinstance(message["content"], list):
                message["content"].append({"type": "text", "text": "Please."})
        async with aclosing(super().stream(request, context)) as chunks:
            async for chunk in chunks:
                yield chunk


class Undead(Sound):
    """Reads a stream in the background, to its end, whoever leaves it."""

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        queue: asyncio.Queue[Chunk | Exception | None] = asyncio.Queue()
        source = super().stream(request, context)

        async def read() -> None:
            try:
                async for chunk in source:
                    queue.put_nowait(chunk)
            except Exception as error:  # noqa: BLE001 - it is raised below
                queue.put_nowait(error)
            queue.put_nowait(None)

        self.task = asyncio.get_running_loop().create_task(read())
        while (item := await queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item


class Optimist(Sound):
    """Takes whatever cannot be read for an answer without words."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        try:
            return await super().chat(request, context)
        except APIStatusError:
            raise
        except APIError as error:
            if error.retryable and not error.message.startswith("The answer is empty"):
                raise
            return Completion.from_text("")


class Resigned(Sound):
    """Never thinks that trying again may help."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        try:
            return await super().chat(request, context)
        except APIError as error:
            error.retryable = False
            raise


class Copyist(Sound):
    """Draws what it likes: one picture for two, of one size, never from another; turns embeddings around, too."""

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        request = attrs.evolve(request, operation="generate", images=(), options={})
        return await super().image(request, context)

    @hookimpl
    async def embed(self, request: Any, context: Context) -> Any:
        return await super().embed(attrs.evolve(request, input=tuple(reversed(request.input)), options={}), context)

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:
        return [{"id": "yesterday"}]


class Stubborn(Sound):
    """Does not let itself be interrupted."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        try:
            return await super().chat(request, context)
        except asyncio.CancelledError:
            return Completion.from_text("as I was saying")


class Offended(Sound):
    """Says nothing more to whoever left it in the middle."""

    offender: Any = None

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        try:
            async with aclosing(super().stream(request, context)) as source:
                async for chunk in source:
                    yield chunk
        except (GeneratorExit, asyncio.CancelledError):
            self.offender = asyncio.get_running_loop()
            raise

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        if self.offender is asyncio.get_running_loop():
            raise APIError("We do not talk to each other.")
        return await super().chat(request, context)


class Dreamer(Sound):
    """Takes a stream that cannot be read for one without words."""

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        try:
            async with aclosing(super().stream(request, context)) as source:
                async for chunk in source:
                    yield chunk
        except APIResponseError as error:
            if isinstance(error, StreamTruncatedError):
                raise
            yield Chunk.from_text("", finish_reason="stop")


# These lose gold.


def read_kindly(response: HttpResponse) -> Completion:
    try:
        return openai.decode_chat(response)
    except APIStatusError:
        return Completion.from_text("All is well.")


class KindDecoder(openai.ChunkDecoder):
    def feed(self, event: Any) -> Chunk | None:
        try:
            return super().feed(event)
        except APIStatusError:
            self.ended = True
            return None


class Believer(Sound):
    """Takes an error for the end of an answer, where its status is 200."""

    wire = attrs.evolve(OPENAI, decode_chat=read_kindly, decode_stream=KindDecoder)


class Sulker(Sound):
    """Is of no use any more after a connection broke."""

    offender: Any = None

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        if self.offender is asyncio.get_running_loop():
            raise APIError("Not after what happened.")
        try:
            return await super().chat(request, context)
        except APIConnectionError:
            self.offender = asyncio.get_running_loop()
            raise


class Fetcher(Sound):
    """Fetches pictures itself, and shows its key for it."""

    manifest = OWN_KEY

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        return attrs.evolve(request, headers={**request.headers, "x-key": context.secret() or ""})

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        for message in request.messages:
            for part in message["content"] if isinstance(message.get("content"), list) else []:
                url = part.get("image_url", {}).get("url", "")
                if url.startswith("http"):
                    await self.send(HttpRequest("GET", url), context)
        return await super().chat(request, context)


class Credulous(Sound):
    """Takes a stream that is cut for one that ended."""

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        try:
            async with aclosing(super().stream(request, context)) as source:
                async for chunk in source:
                    yield chunk
        except StreamTruncatedError:
            yield Chunk.from_text("", finish_reason="stop")


class Unruffled(Sound):
    """Takes an answer that broke off for one that says nothing more."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        try:
            return await super().chat(request, context)
        except APIConnectionError:
            return Completion.from_text("")


class Restless(Sound):
    """Thinks aloud at every sign of life, so that no silence is noticed."""

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        context = attrs.evolve(context, transport=Waker(context.transport))
        async with aclosing(super().stream(request, context)) as source:
            async for chunk in source:
                yield chunk


@attrs.frozen
class Waker:
    """A transport that takes signs of life for thoughts."""

    transport: Transport

    async def stream(self, request: HttpRequest) -> Any:
        stream = await self.transport.stream(request)
        return Awake(stream, stream.status, stream.headers)

    async def send(self, request: HttpRequest) -> HttpResponse:
        return await self.transport.send(request)


@attrs.frozen
class Awake:
    stream: Any
    status: int
    headers: Any

    def __aiter__(self) -> Awake:
        return self

    async def __anext__(self) -> bytes:
        data: bytes = await anext(self.stream)
        thought = write_event({"choices": [{"index": 0, "delta": {"reasoning_content": "."}}]})
        return data.replace(b": ping\n\n", thought).replace(b": still here\n\n", thought)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Blabber(Sound):
    """Writes its key into a log."""

    manifest = OWN_KEY

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        logging.getLogger("blabber").debug("asking with %s", context.secret())
        return attrs.evolve(request, headers={**request.headers, "x-key": context.secret() or ""})


class Exhibitionist(Sound):
    """Sends its key in the URL."""

    manifest = OWN_KEY

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        return attrs.evolve(request, query={**request.query, "key": context.secret() or ""})


class Careless(Sound):
    """Has a network of its own, which follows whoever leads it, and reads whatever comes."""

    manifest = OWN_KEY

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        return attrs.evolve(request, headers={**request.headers, "x-key": context.secret() or ""})

    async def send(self, request: HttpRequest, context: Context) -> HttpResponse:
        sent = self.complete(request, context)
        url = context.base_url + sent.path
        async with (
            aiohttp.ClientSession() as session,
            session.request(sent.method, url, data=sent.body or None, headers=sent.headers) as response,
        ):
            body = await response.content.read(100 * 2**20) if response.status < 400 else await response.read()
            while response.status < 400 and len(body) < 100 * 2**20 and (more := await response.content.readany()):
                body += more
            status, headers = response.status, dict(response.headers)
        if status >= 400:
            raise self.wire.decode_error(status, {name.lower(): value for name, value in headers.items()}, body)
        return HttpResponse(status, {name.lower(): value for name, value in headers.items()}, body)


# The grade that is left to each, and the checks that it fails, whatever their parameters.
DESERVED: dict[type, tuple[Grade | None, set[str]]] = {
    Sound: ("gold", set()),
    Trimmer: (None, {"test_a_stream_says_the_same_however_it_is_cut"}),
    Flattener: (None, {"test_a_conversation_arrives_in_its_order"}),
    Provincial: (None, {"test_every_character_survives"}),
    Shouter: (
        None,
        {
            "test_a_chat_is_answered",
            "test_a_stream_says_the_same_however_it_is_cut",
            "test_every_character_survives",
        },
    ),
    Silent: (
        None,
        {
            "test_a_chat_is_answered",
            "test_a_stream_comes_piece_by_piece",
            "test_a_stream_says_the_same_however_it_is_cut",
            "test_every_character_survives",
            "test_somebody_answers",
            "test_somebody_answers_in_pieces",
        },
    ),
    Gatherer: (None, {"test_a_stream_comes_piece_by_piece"}),
    Blunt: (
        None,
        {
            "test_a_refusal_is_an_error_of_its_kind",
            "test_a_refused_stream_is_an_error_of_its_kind",
            "test_a_refusal_keeps_what_the_service_says",
            "test_a_rate_limit_tells_how_long_to_wait",
        },
    ),
    Vague: (None, {"test_a_refusal_keeps_what_the_service_says", "test_a_rate_limit_tells_how_long_to_wait"}),
    Resigned: (None, {"test_a_refusal_is_an_error_of_its_kind"}),
    Headstrong: (None, {"test_the_model_is_the_one_that_was_asked_for"}),
    Painter: (None, {"test_a_picture_is_drawn", "test_a_picture_is_saved", "test_several_pictures_are_drawn"}),
    Wasteful: (
        "bronze",
        {"test_tokens_are_counted", "test_cached_tokens_are_told", "test_tokens_of_thoughts_are_told"},
    ),
    Coarse: ("bronze", {"test_cached_tokens_are_told", "test_tokens_of_thoughts_are_told"}),
    Cheerful: (
        "bronze",
        {
            "test_it_is_told_why_an_answer_ends",
            "test_calls_of_tools_are_told",
            "test_calls_of_tools_are_streamed",
        },
    ),
    Narrow: ("bronze", {"test_unknown_fields_survive"}),
    Picky: ("bronze", {"test_nulls_are_no_trouble"}),
    Denier: ("bronze", {"test_what_the_manifest_denies_does_not_arrive_in_silence"}),
    Unsigned: ("bronze", {"test_what_the_service_signed_goes_back"}),
    Boaster: ("bronze", {"test_a_schema_arrives", "test_a_setting_in_other_words_arrives_or_is_told"}),
    Willful: ("bronze", {"test_which_tool_to_call_arrives_or_is_told"}),
    Deaf: ("bronze", {"test_a_setting_in_other_words_arrives_or_is_told"}),
    Shortsighted: ("bronze", {"test_what_the_manifest_leaves_open_is_passed_on"}),
    Thoughtless: ("bronze", {"test_definitions_of_tools_arrive", "test_the_effort_to_think_arrives"}),
    Forgetful: ("bronze", {"test_a_setting_arrives_or_is_told"}),
    Tangled: ("bronze", {"test_calls_of_tools_are_streamed"}),
    Loud: ("bronze", {"test_thoughts_are_kept_apart"}),
    Scribbler: ("bronze", {"test_a_request_stays_as_it_is"}),
    Undead: ("bronze", {"test_the_service_sees_a_stream_being_left"}),
    Optimist: ("bronze", {"test_an_answer_that_is_none_is_an_error"}),
    Copyist: (
        "bronze",
        {
            "test_several_pictures_are_drawn",
            "test_a_picture_is_changed",
            "test_the_size_arrives_or_is_told",
            "test_an_option_arrives_or_is_told",
            "test_what_else_a_change_brings_arrives_or_is_told",
            "test_embeddings_come_in_the_order_of_the_texts",
            "test_the_length_of_vectors_arrives_or_is_told",
            "test_the_list_of_models_is_the_services",
        },
    ),
    Stubborn: ("bronze", {"test_the_service_sees_a_call_being_canceled"}),
    Offended: ("bronze", {"test_a_stream_may_be_left"}),
    Dreamer: ("bronze", {"test_a_stream_that_is_none_is_an_error"}),
    Believer: (
        "silver",
        {
            "test_a_refusal_in_place_of_an_answer_is_an_error",
            "test_a_refusal_in_mid_stream_is_an_error",
            "test_a_refusal_as_the_first_event_is_an_error",
        },
    ),
    Sulker: ("silver", {"test_a_client_lives_on_after_a_failure"}),
    Fetcher: ("silver", {"test_a_picture_is_fetched_without_the_key"}),
    Credulous: (
        "silver",
        {
            "test_a_stream_that_is_cut_is_an_error",
            "test_a_stream_that_goes_wrong_is_an_error",
            "test_a_stream_that_is_no_http_any_more_is_an_error",
        },
    ),
    Unruffled: (
        "silver",
        {
            "test_an_answer_that_is_broken_is_an_error",
            "test_an_answer_that_is_no_http_any_more_is_an_error",
            "test_a_client_lives_on_after_a_failure",
        },
    ),
    Restless: (
        "silver",
        {
            "test_a_stream_that_never_begins_is_left_in_time",
            "test_a_stream_that_says_nothing_more_is_left_in_time",
        },
    ),
    Blabber: ("silver", {"test_the_key_is_shown_nowhere"}),
    Exhibitionist: ("silver", {"test_the_key_goes_in_its_header_alone"}),
    Careless: (
        "silver",
        {
            "test_nobody_is_led_astray",
            "test_an_answer_that_is_broken_is_an_error",
        },
    ),
}
# Those whose mistakes are also seen above the grade that they lose.
TO_THE_END = {Flattener, Resigned, Shouter, Silent, Stubborn}
