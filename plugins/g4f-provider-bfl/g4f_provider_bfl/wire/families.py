"""What distinguishes the models: how a size is said, how many pictures they take, which settings they have.

Source: https://docs.bfl.ai/api-reference, the requests of each model; https://docs.bfl.ai/flux_2/flux2_overview.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import attrs

from g4f.wire.pictures import SizeLimits

_FLUX_2 = SizeLimits(least=64, most=65536, area=2048 * 2048, step=16)
_FLUX_1 = SizeLimits(least=256, most=1440, area=1440 * 1440, step=32)
_SHARED = frozenset({"seed", "safety_tolerance", "output_format"})


@attrs.frozen
class Family:
    """Models that are spoken to alike.

    Attributes:
        limits: The sizes that they draw; None where only the shape is said, as an aspect ratio.
        pictures: How many pictures they change or combine.
        own: Their settings beside OpenAI's.
    """

    limits: SizeLimits | None
    pictures: int
    own: frozenset[str] = _SHARED


_FLUX_2_PRO = Family(_FLUX_2, 8, _SHARED | {"prompt_upsampling", "disable_pup", "transparent_bg"})
_BY_PATTERN = {
    "flux-2-klein*": Family(_FLUX_2, 4, _SHARED | {"transparent_bg"}),
    "flux-2-flex*": Family(_FLUX_2, 8, _SHARED | {"prompt_upsampling", "guidance", "steps", "transparent_bg"}),
    "flux-2*": _FLUX_2_PRO,
    "flux-kontext*": Family(None, 4, _SHARED | {"prompt_upsampling", "aspect_ratio"}),
    "flux-pro-1.1-ultra*": Family(
        None, 0, _SHARED | {"prompt_upsampling", "aspect_ratio", "raw", "image_prompt", "image_prompt_strength"}
    ),
    "flux-dev*": Family(_FLUX_1, 0, _SHARED | {"prompt_upsampling", "guidance", "steps", "image_prompt"}),
    "flux-pro*": Family(_FLUX_1, 0, _SHARED | {"prompt_upsampling", "image_prompt"}),
}


def find_family(model: str) -> Family:
    """Return a model's family; one that nobody knows yet is taken for the newest."""
    return next((family for pattern, family in _BY_PATTERN.items() if fnmatchcase(model.lower(), pattern)), _FLUX_2_PRO)
