"""`client.images` of the asynchronous client."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack

from g4f.client._arguments import (
    ImageArguments,
    ProvidersInput,
    check_image_arguments,
    hide_arguments,
    make_image_request,
)
from g4f.client._pictures import read_images
from g4f.drawing import MAX_IMAGES
from g4f.errors import InvalidInputError
from g4f.images import ImageOperation, Images
from g4f.media import ImageInput, deliver_images

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient


VARIATION = "Draw a variation of this picture: the same subject in the same style, with other details."


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
        arguments = hide_arguments(arguments)
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
        arguments = hide_arguments(arguments)
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
        arguments = hide_arguments(arguments)
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
