"""Microsoft's MAI-Image on Foundry, in its own dialect (`wire.py`); pictures to edit are fetched here."""

from __future__ import annotations

import asyncio
import base64

import attrs

from g4f.context import Context, HttpRequest
from g4f.drawing import draw_several, read_count
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.images import ImageRequest, Images
from g4f_provider_bing.wire import MAI, find_root


class BingCreateImages(HttpProvider):
    """Images by Microsoft; what it is and needs stands in `BingCreateImages.toml`."""

    wire = MAI

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures, each with a request of its own."""
        read_count(request)  # before anything is downloaded
        return await draw_several(super().image, await _inline_images(request, context), context)

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        """Address a request to the resource, whichever of its addresses the user has, and name the version."""
        version = context.settings.get("api_version")
        query = {"api-version": version} if version else {}
        return attrs.evolve(request, path=find_root(context.base_url) + request.path, query=query)


async def _inline_images(request: ImageRequest, context: Context) -> ImageRequest:
    """Return the request with the pictures in place of their URLs, which the service does not take."""
    images = await asyncio.gather(*(_inline_image(image, context) for image in request.images))
    return attrs.evolve(request, images=tuple(images))


async def _inline_image(url: str, context: Context) -> str:
    if url.startswith("data:"):
        return url
    response = await context.fetch(url)
    return f"data:;base64,{base64.b64encode(response.body).decode('ascii')}"
