"""pollinations.ai: the OpenAI dialect, but for pictures (`wire.py`), which the service draws one at a time."""

from __future__ import annotations

import attrs

from g4f.context import Context
from g4f.drawing import draw_several, read_count
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.images import ImageRequest, Images
from g4f_provider_pollinations.wire import POLLINATIONS

_FIRST_SEED = 0  # the service's own default


class Pollinations(HttpProvider):
    """Chat and images by pollinations.ai; what it is and needs stands in `Pollinations.toml`."""

    wire = POLLINATIONS

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures, each with a request of its own."""
        if read_count(request) > 1:  # the service keeps answers: the same request brings the same picture
            request = attrs.evolve(request, provider_options={"seed": _FIRST_SEED, **request.provider_options})
        return await draw_several(super().image, request, context)
