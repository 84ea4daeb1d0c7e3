"""What services that draw have to say in their own words: the nearest size that they draw, and what they lack."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable

import attrs

from g4f.errors import InvalidInputError
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn

_USUAL = ("auto", "standard", None)  # what asks for nothing else than what a service does anyway
_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})", re.ASCII)


def read_size(size: object, *, also: str = " or 'auto'") -> tuple[int, int] | None:
    """Return width and height in pixels; None where the service may choose.

    Args:
        size: What the user asked for.
        also: What else one may write, for the message.

    Raises:
        InvalidInputError: It is no size.
    """
    if size in (None, "auto"):
        return None
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        raise InvalidInputError(f"size must be as '1024x1024'{also}, not {size!r}.")
    return int(found[1]), int(found[2])


@attrs.frozen
class SizeLimits:
    """Which sizes a service draws, in pixels.

    Attributes:
        least: The shortest side.
        most: The longest side.
        area: The most pixels of a picture.
        step: What a side must be a multiple of; `least` and `most` are.
    """

    least: int
    most: int
    area: int
    step: int = 1


def fit_size(width: int, height: int, limits: SizeLimits) -> tuple[int, int]:
    """Return the size within the limits that is nearest in shape, and then in area.

    Args:
        width: The wished one, in pixels.
        height: The same.
        limits: Which sizes there are; a square of `least` is one of them.
    """
    if width < height:
        other, side = fit_size(height, width, limits)
        return side, other
    longest = min(limits.most, limits.area // limits.least)
    area = min(max(width * height, limits.least**2), limits.area)
    ratio = min(width / height, longest / limits.least)
    short = max(min(math.sqrt(area / ratio), limits.most / ratio), limits.least)
    height = _round(short, limits)
    width = max(_round(short * ratio, limits), height)
    while width * height > limits.area:
        width, height = (width - limits.step, height) if width > height else (width, height - limits.step)
    return width, height


def _round(side: float, limits: SizeLimits) -> int:
    return max(limits.least, round(side / limits.step) * limits.step)


def choose_ratio(width: int, height: int, ratios: Iterable[str]) -> str:
    """Return the aspect ratio, as "16:9", that is nearest to a size in pixels."""

    def measure(name: str) -> float:
        across, _, down = name.partition(":")
        return abs(math.log(width / height) - math.log(float(across) / float(down)))

    return min(ratios, key=measure)


def warn_of_rest(
    request: ImageRequest,
    service: str,
    warn: Warn,
    *,
    options: Collection[str] = ("n", "size"),
    own: Collection[str] = (),
) -> None:
    """Tell what of a request the service lacks and so is left out.

    Args:
        request: The request.
        service: The service's name.
        warn: Is told.
        options: The options that it has.
        own: The `provider_options` that it has.
    """
    if request.mask is not None:
        warn(f"mask was left out: {service} takes none; say in the prompt what to change.")
    for name, value in request.options.items():
        if name not in options and value not in _USUAL:
            warn(f"{name} was left out: {service} has no such setting.")
    for name in request.provider_options:
        if name not in own:
            warn(f"The provider option {name} was left out: {service} knows {', '.join(sorted(own)) or 'none'}.")
