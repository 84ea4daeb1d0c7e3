"""What a request for embeddings asks and answers, with OpenAI's names.

The fields follow https://platform.openai.com/docs/api-reference/embeddings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict

import attrs

from g4f.chat import Answer
from g4f.record import Record
from g4f.values import Value, field, many, one

EmbeddingInput = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]


class EmbeddingOptions(TypedDict, total=False):
    """Parameters of embeddings under OpenAI's own names; None counts as not given."""

    dimensions: int | None
    encoding_format: str | None
    user: str | None


@attrs.frozen(eq=False, repr=False)
class EmbeddingRequest(Record):
    """One request for embeddings, as a provider's hook receives it.

    Attributes:
        input: One text or several; or token ids, where the service takes them.
        model: The model's id at the service.
        options: The parameters that the user gave, under OpenAI's names.
        extra_body: Fields to add to the request's body as they are.
        extra_headers: Headers to add to the request.
        provider_options: Options that only the chosen provider knows.
    """

    input: EmbeddingInput
    model: str | None = None
    options: EmbeddingOptions = attrs.field(factory=EmbeddingOptions)
    extra_body: Mapping[str, Any] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)  # some have keys
    provider_options: Mapping[str, Any] = attrs.field(factory=dict)

    hook: ClassVar[str] = "embed"

    @property
    def count(self) -> int:
        """How many vectors it asks for: one for a text or its token ids, else one for each of several."""
        single = isinstance(self.input, str) or any(isinstance(item, int) for item in self.input)
        return 1 if single else len(self.input)

    @property
    def needs(self) -> tuple[str, ...]:
        """The capabilities that it needs."""
        return ("embed",)


class Embedding(Value):
    """The vector of one text: numbers, or their base64 if `encoding_format="base64"` asked for it."""

    object: str = field(default="embedding")
    index: int = field(default=0)
    embedding: list[float] = field(default=())


def is_vector(value: object) -> bool:
    """Tell finite numbers, or their base64, from anything else that stands where a vector should."""
    if not isinstance(value, list):
        return isinstance(value, str) and bool(value)
    try:
        return bool(value) and {int, float}.issuperset(map(type, value)) and math.isfinite(sum(value))
    except OverflowError:  # a whole number that no float holds
        return False


class EmbeddingUsage(Value):
    """How many tokens a request for embeddings took."""

    prompt_tokens: int = field(default=0)
    total_tokens: int = field(default=0)


class Embeddings(Answer):
    """The answer of a request for embeddings, in the order of its texts."""

    object: str = field(default="list")
    model: str = field(default="")
    data: list[Embedding] = many(lambda: Embedding, default_factory=list)
    usage: EmbeddingUsage | None = one(lambda: EmbeddingUsage, default=None)
