import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.errors import InvalidInputError
from g4f.images import ImageRequest
from g4f.wire.pictures import SizeLimits, choose_ratio, fit_size, read_size, warn_of_rest

SIDES = st.integers(1, 99_999)
LIMITS = [
    SizeLimits(768, 1365, 1_048_576),
    SizeLimits(64, 8192, 2048 * 2048, 16),
    SizeLimits(256, 1440, 1440 * 1440, 32),
]


@pytest.mark.parametrize(
    ("size", "found"), [("1024x1792", (1024, 1792)), ("1x1", (1, 1)), ("auto", None), (None, None)]
)
def test_a_size_is_width_and_height(size: object, found: object) -> None:
    """Or the service may choose."""
    assert read_size(size) == found


@pytest.mark.parametrize(
    "size", ["", "big", "1024", "0x1", "1024X1024", "1024x", "-1x1", "1x123456", "\u0661x\u0661", 7, (1, 1)]
)
def test_what_is_no_size_is_named(size: object) -> None:
    """With what else there is to write."""
    with pytest.raises(InvalidInputError, match="size must be as '1024x1024' or 'auto', not"):
        read_size(size)
    with pytest.raises(InvalidInputError, match="size must be as '1024x1024' or '16:9', not"):
        read_size(size, also=" or '16:9'")


@given(SIDES, SIDES, st.sampled_from(LIMITS))
def test_every_wish_becomes_a_size_that_there_is(width: int, height: int, limits: SizeLimits) -> None:
    """Within all limits, and as wide or as high as it was wished."""
    sides = fit_size(width, height, limits)
    assert all(limits.least <= side <= limits.most and side % limits.step == 0 for side in sides)
    assert math.prod(sides) <= limits.area
    assert (sides[0] - sides[1]) * (width - height) >= 0
    assert fit_size(*sides, limits) == sides


@given(SIDES, SIDES, st.sampled_from(LIMITS))
def test_the_shape_is_kept_where_it_can_be(width: int, height: int, limits: SizeLimits) -> None:
    """To a step at each side; a longer one is as long as there is."""
    drawn_width, drawn_height = sorted(fit_size(width, height, limits), reverse=True)
    longest = min(limits.most, limits.area // limits.least) / limits.least
    wished = min(max(width, height) / min(width, height), longest)
    steps = 1.5 * limits.step + 1
    assert (drawn_width - steps) / (drawn_height + steps) <= wished <= (drawn_width + steps) / (drawn_height - steps)


@pytest.mark.parametrize(
    ("wish", "limits", "drawn"),
    [
        ((1024, 1024), LIMITS[0], (1024, 1024)),
        ((512, 512), LIMITS[0], (768, 768)),
        ((1792, 1024), LIMITS[0], (1354, 774)),
        ((1024, 1792), LIMITS[0], (774, 1354)),
        ((4000, 100), LIMITS[0], (1365, 768)),
        ((1920, 1080), LIMITS[1], (1920, 1088)),
        ((4096, 4096), LIMITS[1], (2048, 2048)),
        ((10, 10), LIMITS[1], (64, 64)),
        ((1792, 1024), LIMITS[2], (1440, 832)),
        ((1000, 1000), LIMITS[2], (992, 992)),
    ],
)
def test_some_wishes_and_what_becomes_of_them(
    wish: tuple[int, int], limits: SizeLimits, drawn: tuple[int, int]
) -> None:
    """As a person would choose."""
    assert fit_size(*wish, limits) == drawn


def test_what_a_service_lacks_is_told() -> None:
    """Each by its name; what asks for the usual is not."""
    told: list[str] = []
    options: Any = {"n": 2, "size": "1x1", "quality": "hd", "style": "standard", "background": "auto"}
    request = ImageRequest("", mask="data:,", options=options, provider_options={"seed": 1, "mood": 2})
    warn_of_rest(request, "X", told.append, own=("seed",))
    assert told == [
        "mask was left out: X takes none; say in the prompt what to change.",
        "quality was left out: X has no such setting.",
        "The provider option mood was left out: X knows seed.",
    ]
    warn_of_rest(ImageRequest("", provider_options={"a": 1}), "X", told.append)
    assert told[-1] == "The provider option a was left out: X knows none."


@pytest.mark.parametrize(
    ("size", "ratio"), [((1024, 1024), "1:1"), ((1792, 1024), "16:9"), ((1000, 1500), "2:3"), ((9, 19), "9:19.5")]
)
def test_a_size_has_a_nearest_shape(size: tuple[int, int], ratio: str) -> None:
    """Among those that a service draws, for one that counts no pixels."""
    assert choose_ratio(*size, ["1:1", "16:9", "2:3", "9:19.5"]) == ratio
