"""Whose a cancellation is, and what it tells; the watchdog of a stream is in test_stream.py."""

from __future__ import annotations

import asyncio

import pytest

from g4f.watch import forget_origin


def wait_in_vain(key: str) -> None:
    """Stands for what waited with a key in hand."""
    try:
        raise ValueError(key)
    except ValueError:
        raise asyncio.CancelledError("of a scope") from None


def end_again(key: str) -> None:
    """Stands for a framework that makes a cancellation of a cancellation."""
    try:
        wait_in_vain(key)
    except asyncio.CancelledError:
        raise asyncio.CancelledError  # noqa: B904 - as some do


def test_a_cancellation_forgets_where_it_came_from() -> None:
    """The frames, and the errors before it; its arguments stay."""
    with pytest.raises(asyncio.CancelledError) as caught:
        wait_in_vain("sk-secret")
    forget_origin(caught.value)
    assert (caught.value.__traceback__, caught.value.__context__) == (None, None)
    assert caught.value.args == ("of a scope",)


def test_cancellations_before_it_are_kept_without_their_frames() -> None:
    """Frameworks look for their own among them."""
    with pytest.raises(asyncio.CancelledError) as caught:
        end_again("sk-secret")
    forget_origin(caught.value)
    before = caught.value.__context__
    assert isinstance(before, asyncio.CancelledError)
    assert before.args == ("of a scope",)
    assert (before.__traceback__, before.__context__) == (None, None)
