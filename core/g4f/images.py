"""What an image request asks and answers, with OpenAI's names.

The fields follow https://platform.openai.com/docs/api-reference/images. Files and downloads are left to `media.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypedDict

import attrs

from g4f.chat import Answer
from g4f.record import Record
from g4f.values import Value, field, many, one

ImageOperation = Literal["generate", "edit"]
_SHOWN = 200  # characters of a text in what `repr` shows


class ImageOptions(TypedDict, total=False):
    """Parameters of image generation under OpenAI's own names; None counts as not given."""

    background: str | None
    complexity: str | None
    frame_count: int | None
    frame_duration_ms: int | None
    input_fidelity: str | None
    moderation: str | None
    n: int | None
    output_compression: int | None
    output_format: str | None
    quality: str | None
    safety_identifier: str | None
    size: str | None
    style: str | None
    user: str | None


@attrs.frozen(eq=False, repr=False)
class ImageRequest(Record):
    """One request for images, as a provider's hook receives it.

    Attributes:
        prompt: What to draw.
        model: The model's id at the service.
        operation: `generate`, or `edit` for changing `images`.
        images: The pictures to edit, as data URLs.
        mask: Where to edit, as a data URL of a PNG with transparent parts.
        options: The parameters that the user gave, under OpenAI's names (`n`, `size` as "1024x1024", `quality` …).
        extra_body: Fields to add to the request's body as they are.
        extra_headers: Headers to add to the request.
        provider_options: Options that only the chosen provider knows.
    """

    prompt: str
    model: str | None = None
    operation: ImageOperation = "generate"
    images: tuple[str, ...] = ()
    mask: str | None = None
    options: ImageOptions = attrs.field(factory=ImageOptions)
    extra_body: Mapping[str, Any] = attrs.field(factory=dict)
    extra_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)  # some have keys
    provider_options: Mapping[str, Any] = attrs.field(factory=dict)

    hook: ClassVar[str] = "image"

    @property
    def needs(self) -> tuple[str, ...]:
        """The capabilities that it needs."""
        return ("image",) if self.operation == "generate" else ("image_edit",)


class Image(Value):
    """One generated image: a `url`, or `b64_json`, and the absolute `path` where it was saved, if it was."""

    url: str | None = field(default=None)
    b64_json: str | None = field(default=None)
    path: str | None = field(default=None)
    revised_prompt: str | None = field(default=None)

    def _show(self, name: str) -> Any:
        """Show the beginning of what may be megabytes of base64."""
        value = super()._show(name)
        return f"{value[:_SHOWN]}…" if isinstance(value, str) and len(value) > _SHOWN else value


class ImageUsage(Value):
    """How many tokens a request for images took."""

    input_tokens: int = field(default=0)
    output_tokens: int = field(default=0)
    total_tokens: int = field(default=0)


class Images(Answer):
    """The answer of an image request."""

    created: int = field(default=0)
    model: str = field(default="")
    data: list[Image] = many(lambda: Image, default_factory=list)
    usage: ImageUsage | None = one(lambda: ImageUsage, default=None)
