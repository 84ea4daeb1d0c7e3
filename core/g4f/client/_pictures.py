"""Reading the pictures that a call brings, off the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from g4f.context import Limits

if TYPE_CHECKING:
    from g4f.media import ImageInput


async def read_images(sources: Sequence[ImageInput], limits: Limits, name: str | None = None) -> list[str]:
    """Read pictures off the event loop, since files block.

    Raises:
        InvalidInputError: One is no picture.
    """
    if not sources:
        return []
    import asyncio  # here because a program that brings no pictures need not pay for it

    from g4f.media import read_image

    return await asyncio.to_thread(lambda: [read_image(source, name, limits.input_bytes) for source in sources])
