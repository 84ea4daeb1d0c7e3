"""What a chat asks and answers: requests, completions and chunks, with OpenAI's names.

The fields follow https://platform.openai.com/docs/api-reference/chat. How they travel is left to `wire`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypedDict

import attrs

from g4f.errors import Attempt
from g4f.record import Record
from g4f.values import Extra, Value, field, many, one

Role = Literal["developer", "system", "user", "assistant", "tool", "function"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]


class ParseOptions(TypedDict, total=False):
    """Parameters of a chat under OpenAI's own names, but for those that say what the answer is; None is not given."""

    audio: Mapping[str, Any] | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[str] | None
    moderation: Mapping[str, Any] | None
    n: int | None
    parallel_tool_calls: bool | None
    prediction: Mapping[str, Any] | None
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, Any] | None
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    safety_identifier: str | None
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    tool_choice: str | Mapping[str, Any] | None
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: str | None
    web_search_options: Mapping[str, Any] | None


class ChatOptions(ParseOptions, total=False):
    """Parameters of a chat under OpenAI's own names; None counts as not given."""

    response_format: Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]] | None


# What a chat needs to be read, by the types of its messages' parts.
_NEEDS = {"image_url": "vision", "file": "document", "input_audio": "audio"}


@attrs.frozen(eq=False, repr=False)
class ChatRequest(Record):
    """One chat request, as a provider's hook receives it.

    Attributes:
        messages: OpenAI's message objects; `content` is text or a list of parts, images in them data or http URLs.
        model: The model's id at the service. Only None for a provider that declares no default.
        stream: Whether the user wants the answer as it is made.
        options: The parameters that the user gave, under OpenAI's names.
        extra_body: Fields to add to the request's body as they are.
        extra_headers: Headers to add to the request.
        provider_options: Options that only the chosen provider knows.
    """

    messages: tuple[Mapping[str, Any], ...]
    model: str | None = None
    stream: bool = False
    options: ChatOptions = attrs.field(factory=ChatOptions)
    extra_body: Mapping[str, Any] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)  # some have keys
    provider_options: Mapping[str, Any] = attrs.field(factory=dict)

    hook: ClassVar[str] = "chat"

    @property
    def needs(self) -> tuple[str, ...]:
        """The capabilities that it needs, the main one first."""
        needs = {"chat": None}  # a set that keeps its order
        for message in self.messages:
            content = message.get("content")
            if type(content) is not str and isinstance(content, (list, tuple)):  # nearly all are, and told faster
                needs |= dict.fromkeys(map(_find_need, content))
        options = self.options
        if options.get("tools") and options.get("tool_choice") != "none":
            needs["tools"] = None
        form: Any = options.get("response_format")
        if form and isinstance(form, Mapping) and form.get("type") == "json_schema":
            needs["json_schema"] = None
        return tuple(needs)


def _find_need(part: object) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    return _NEEDS.get(kind, "chat") if isinstance(kind, str) else "chat"


class FunctionCall(Value):
    """The function that a tool call names, with its arguments as JSON text."""

    name: str = field(default="")
    arguments: str = field(default="")


class CustomCall(Value):
    """The custom tool that a tool call names, with its input, which is any text."""

    name: str = field(default="")
    input: str = field(default="")


class ToolCall(Value):
    """One tool call of a message, or a part of one in a stream (then `index` says which).

    Where `type` is "custom" it has `custom`, and its `function` is empty.
    """

    index: int | None = field(default=None)
    id: str | None = field(default=None)
    type: str = field(default="function")
    function: FunctionCall = one(lambda: FunctionCall, default_factory=FunctionCall)
    custom: CustomCall | None = one(lambda: CustomCall, default=None)


class UrlCitation(Value):
    """A page that an answer cites, and where in its text."""

    url: str = field(default="")
    title: str = field(default="")
    start_index: int = field(default=0)
    end_index: int = field(default=0)


class Annotation(Value):
    """What an answer says of a part of its text."""

    type: str = field(default="url_citation")
    url_citation: UrlCitation | None = one(lambda: UrlCitation, default=None)


class Audio(Extra):
    """A spoken answer; `data` is base64."""

    id: str = field(default="")
    data: str = field(default="")
    transcript: str = field(default="")
    expires_at: int = field(default=0)


class Message(Value):
    """An assistant's message."""

    role: str = field(default="assistant")
    content: str | None = field(default=None)
    refusal: str | None = field(default=None)
    reasoning_content: str | None = field(default=None)
    tool_calls: list[ToolCall] = many(lambda: ToolCall, default_factory=list)
    annotations: list[Annotation] = many(lambda: Annotation, default_factory=list)
    audio: Audio | None = one(lambda: Audio, default=None)


class Delta(Value):
    """What one chunk adds to a message."""

    role: str | None = field(default=None)
    content: str | None = field(default=None)
    refusal: str | None = field(default=None)
    reasoning_content: str | None = field(default=None)
    tool_calls: list[ToolCall] = many(lambda: ToolCall, default_factory=list)


class TokenLogprob(Value):
    """One token, and how likely it was."""

    token: str = field(default="")
    logprob: float = field(default=0.0)
    bytes: list[int] | None = field(default=None)
    top_logprobs: "list[TokenLogprob]" = many(lambda: TokenLogprob, default_factory=list)


class Logprobs(Value):
    """How likely each token of an answer was, of its content or of its refusal."""

    content: list[TokenLogprob] = many(lambda: TokenLogprob, default_factory=list)
    refusal: list[TokenLogprob] = many(lambda: TokenLogprob, default_factory=list)


class Choice(Value):
    """One of the answers; `n` asks for several."""

    index: int = field(default=0)
    message: Message = one(lambda: Message, default_factory=Message)
    finish_reason: str | None = field(default=None)
    logprobs: Logprobs | None = one(lambda: Logprobs, default=None)


class ChunkChoice(Value):
    """What one chunk adds to one of the answers."""

    index: int = field(default=0)
    delta: Delta = one(lambda: Delta, default_factory=Delta)
    finish_reason: str | None = field(default=None)
    logprobs: Logprobs | None = one(lambda: Logprobs, default=None)


class PromptTokensDetails(Value):
    """Of the prompt's tokens, how many were what."""

    cached_tokens: int = field(default=0)
    audio_tokens: int = field(default=0)


class CompletionTokensDetails(Value):
    """Of the answer's tokens, how many were what."""

    reasoning_tokens: int = field(default=0)
    audio_tokens: int = field(default=0)
    accepted_prediction_tokens: int = field(default=0)
    rejected_prediction_tokens: int = field(default=0)


class Usage(Value):
    """How many tokens a request took."""

    prompt_tokens: int = field(default=0)
    completion_tokens: int = field(default=0)
    total_tokens: int = field(default=0)
    prompt_tokens_details: PromptTokensDetails | None = one(lambda: PromptTokensDetails, default=None)
    completion_tokens_details: CompletionTokensDetails | None = one(lambda: CompletionTokensDetails, default=None)


class Answer(Value):
    """Base of whole answers: beside the service's JSON they say who answered and what happened on the way.

    Attributes:
        provider: Name of the provider that answered.
        warnings: Sentences about what was changed or left out of the request.
        attempts: Every try that the call took, the successful one last.
        request_id: The service's id of the request, from the answer's headers, or None.
    """

    __slots__ = ("attempts", "provider", "request_id", "warnings")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self._init_record()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Wrap a decoded JSON object."""
        self = super().from_dict(data)
        self._init_record()
        return self

    def _init_record(self) -> None:
        self.provider: str | None = None
        self.warnings: list[str] = []
        self.attempts: tuple[Attempt, ...] = ()
        self.request_id: str | None = None

    def _take_record(self, other: "Answer") -> Self:
        """Say of this what is said of the answer that it was made of."""
        self.provider, self.warnings, self.attempts = other.provider, other.warnings, other.attempts
        self.request_id = other.request_id
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return *super().__reduce__(), (None, {name: getattr(self, name) for name in Answer.__slots__})


class Completion(Answer):
    """A whole answer of a chat."""

    id: str = field(default="")
    object: str = field(default="chat.completion")
    created: int = field(default=0)
    model: str = field(default="")
    choices: list[Choice] = many(lambda: Choice, default_factory=list)
    usage: Usage | None = one(lambda: Usage, default=None)
    service_tier: str | None = field(default=None)
    system_fingerprint: str | None = field(default=None)

    @classmethod
    def from_text(cls, text: str, *, model: str = "", finish_reason: FinishReason = "stop") -> Self:
        """Make the simplest answer: one message of text."""
        message = {"role": "assistant", "content": text}
        return cls.from_dict(
            {
                "object": "chat.completion",
                "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            }
        )


class Chunk(Value):
    """A piece of a streamed answer."""

    id: str = field(default="")
    object: str = field(default="chat.completion.chunk")
    created: int = field(default=0)
    model: str = field(default="")
    choices: list[ChunkChoice] = many(lambda: ChunkChoice, default_factory=list)
    usage: Usage | None = one(lambda: Usage, default=None)
    service_tier: str | None = field(default=None)
    system_fingerprint: str | None = field(default=None)

    @classmethod
    def from_text(cls, text: str | None, *, model: str = "", finish_reason: FinishReason | None = None) -> Self:
        """Make a chunk that adds `text`; the last one of a stream carries a `finish_reason`."""
        delta = {"content": text} if text else {}
        return cls.from_dict(
            {
                "object": "chat.completion.chunk",
                "model": model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
            }
        )
