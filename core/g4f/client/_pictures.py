"""Reading the pictures that a call brings, off the event loop."""

from __future__ import annotations

from collections.abc import Sequence

from g4f.context import Limits
from g4f.media import ImageInput, read_image


async def read_images(sources: Sequence[ImageInput], limits: Limits, name: str | None = None) -> list[str]:
    """Read pictures off the event loop, since files block.

    Raises:
        InvalidInputError: One is no picture.
    """
    if not sources:
        return []
    import asyncio  # here because a program that only imports the client need not pay for it

    return await asyncio.to_thread(lambda: [read_image(source, name, limits.input_bytes) for source in sources])
