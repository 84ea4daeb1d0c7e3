"""`client.images` of both clients, what may be passed to it, and the frozen requests made of that."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from g4f.client._arguments import (
    HIDDEN,
    CallArguments,
    ProvidersInput,
    check_count,
    check_model,
    check_names,
    copy_extras,
    hide_arguments,
    pick_options,
)
from g4f.drawing import MAX_IMAGES
from g4f.errors import InvalidInputError
from g4f.images import ImageOperation, ImageOptions, ImageRequest, Images
from g4f.media import ImageInput, deliver_images, read_images

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient
    from g4f.client._sync import Client

VARIATION = "Draw a variation of this picture: the same subject in the same style, with other details."


class ImageArguments(ImageOptions, CallArguments, total=False):
    """The arguments of a request for images beside its prompt, model and provider."""


_NAMES = frozenset(ImageArguments.__annotations__)
_OPTIONS = frozenset(ImageOptions.__annotations__)
_SHOWN = _NAMES - HIDDEN


def check_image_arguments(prompt: object, model: object, arguments: Mapping[str, Any]) -> None:
    """Raise TypeError for what can never be a request for images."""
    check_model(model)
    if not isinstance(prompt, str):
        raise TypeError(f"prompt must be a text, not {type(prompt).__name__}")
    check_names(arguments, _NAMES)


def make_image_request(
    prompt: str,
    model: str | None,
    arguments: Mapping[str, Any],
    *,
    operation: ImageOperation = "generate",
    images: Sequence[str] = (),
    mask: str | None = None,
) -> ImageRequest:
    """Make a request for images; see `ImageArguments`.

    Raises:
        InvalidInputError: A setting can be none, whatever service reads it.
    """
    check_count(arguments)
    size = arguments.get("size")
    if size is not None and not isinstance(size, str):  # services have words of their own beside it
        raise InvalidInputError(f"size must be a text as '1024x1024', not {size!r}.")
    return ImageRequest(
        prompt=prompt,
        model=model or None,
        operation=operation,
        images=tuple(images),
        mask=mask,
        options=cast(ImageOptions, pick_options(arguments, _OPTIONS)),
        **copy_extras(arguments),
    )


class ImagesResource:
    """`client.images`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def generate(
        self,
        prompt: str,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Coroutine[Any, Any, Images]:
        """Draw pictures.

        Args:
            prompt: What to draw.
            model: The model's name; None is the provider's default.
            provider: Who serves this call; see `ClientArguments`.
            response_format: None saves each picture and gives its `url` ("/images/<name>") and absolute `path`; "url"
                gives a URL; "b64_json" gives base64.
            **arguments: See `ImageArguments`; None counts as not given.

        Returns:
            A coroutine of the images.

        Raises:
            TypeError: An argument can never be right. Everything else is raised when the result is awaited.
            G4FError: When awaited.
        """
        arguments = hide_arguments(arguments, _SHOWN)
        check_image_arguments(prompt, model, arguments)
        return self._draw(prompt, model, provider, response_format, arguments)

    def edit(
        self,
        image: ImageInput | Sequence[ImageInput],
        prompt: str,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        mask: ImageInput | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Coroutine[Any, Any, Images]:
        """Change pictures as `prompt` says; `mask` is a PNG whose transparent parts may change. Else as `generate`."""
        arguments = hide_arguments(arguments, _SHOWN)
        check_image_arguments(prompt, model, arguments)
        images = list(image) if isinstance(image, (list, tuple)) else [image]
        return self._draw(prompt, model, provider, response_format, arguments, "edit", images, mask)

    def create_variation(
        self,
        image: ImageInput,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Coroutine[Any, Any, Images]:
        """Draw a picture like another one: an edit with a prompt of ours, since no service has variations any more."""
        arguments = hide_arguments(arguments, _SHOWN)
        return self.edit(image, VARIATION, model, provider, response_format, **arguments)

    async def _draw(
        self,
        prompt: str,
        model: str | None,
        provider: ProvidersInput | None,
        response_format: Literal["url", "b64_json"] | None,
        arguments: ImageArguments,
        operation: ImageOperation = "generate",
        sources: Sequence[ImageInput] = (),
        mask: ImageInput | None = None,
    ) -> Images:
        if response_format not in (None, "url", "b64_json"):
            raise InvalidInputError(f"response_format must be None, 'url' or 'b64_json', not {response_format!r}.")
        if operation == "edit" and not sources:
            raise InvalidInputError("There is no image to edit: image=[] is empty.")
        client = self._client
        urls = await read_images([*sources, *([mask] if mask is not None else ())], client._choose_limits(arguments))
        request = make_image_request(
            prompt,
            model,
            arguments,
            operation=operation,
            images=urls[: len(sources)],
            mask=urls[-1] if mask is not None else None,
        )
        own = client._settings.image_provider
        run, dispatcher = client._prepare(
            request, provider, client._settings.provider if own is None else own, arguments
        )
        images: Images = await run()
        asked = request.options.get("n")
        del images.data[asked if isinstance(asked, int) and asked > 0 else MAX_IMAGES :]  # what else a service names
        download = dispatcher.open_downloads(images.provider or "")
        await deliver_images(images, response_format, client._settings.media_folder(), download)
        return images


class SyncImages:
    """`client.images`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def generate(
        self,
        prompt: str,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Images:
        """Draw pictures; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments, _SHOWN)
        images = self._client._inner.images.generate(prompt, model, provider, response_format, **arguments)
        return self._client._run(images)

    def edit(
        self,
        image: ImageInput | Sequence[ImageInput],
        prompt: str,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        mask: ImageInput | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Images:
        """Change pictures; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments, _SHOWN)
        images = self._client._inner.images.edit(image, prompt, model, provider, response_format, mask, **arguments)
        return self._client._run(images)

    def create_variation(
        self,
        image: ImageInput,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        response_format: Literal["url", "b64_json"] | None = None,
        **arguments: Unpack[ImageArguments],
    ) -> Images:
        """Draw a picture like another one; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments, _SHOWN)
        images = self._client._inner.images.create_variation(image, model, provider, response_format, **arguments)
        return self._client._run(images)
