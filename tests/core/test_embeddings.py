"""What counts as a vector, whichever service sends it."""

from __future__ import annotations

from typing import Any

import pytest

from g4f.embeddings import is_vector


@pytest.mark.parametrize("value", [[0], [1, -2.5], [1e300, -1e300], "AACAPw=="])
def test_finite_numbers_and_base64_are_vectors(value: Any) -> None:
    """Whole numbers too, as some services round them."""
    assert is_vector(value)


@pytest.mark.parametrize(
    "value",
    [None, [], "", {}, 1.0, [None], ["x"], [{}], [True], [[1.0]], [1.0, float("nan")], [float("inf")], [10**400, 0.5]],
)
def test_anything_else_is_none(value: Any) -> None:
    """Whoever computes with it would find out much later."""
    assert not is_vector(value)
