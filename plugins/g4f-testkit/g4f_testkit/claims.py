"""What a check claims: from which grade on it counts, and what a provider must have for it to apply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Literal

import attrs

Grade = Literal["bronze", "silver", "gold"]
GRADES: tuple[Grade, ...] = ("bronze", "silver", "gold")
MAX_SECONDS = 20.0  # a check that takes longer hangs


@attrs.frozen
class Claim:
    """What a check claims.

    Attributes:
        grade: The grade that needs it.
        needs: The capabilities that the manifest must declare with "yes".
        features: What the service must have; a dialect says what it lacks.
        alone: The grade that needs it where the first of `needs` is all that the provider is for.
        reach: What it needs: the kit's `server`; `any` service that answers, as a model in the process; or `nothing`.
        keyed: Whether it is about the key.
    """

    grade: Grade
    needs: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    alone: Grade | None = None
    reach: Literal["server", "any", "nothing"] = "server"
    keyed: bool = False


Check = Callable[..., Awaitable[None]]


def claim(grade: Grade, *needs: str, **more: Any) -> Callable[[Check], Callable[..., None]]:
    """Make a check of an async method that takes a `Kit`; the arguments are those of `Claim`."""

    def mark(check: Check) -> Callable[..., None]:
        @wraps(check)
        def run(self: object, kit: Any, **parameters: Any) -> None:
            asyncio.run(_run(check(self, kit, **parameters)))

        run.claim = Claim(grade, needs, **more)  # type: ignore[attr-defined]  # read by `read_claim`
        return run

    return mark


def read_claim(check: object) -> Claim | None:
    """Return what a test claims, if it is a check."""
    found = getattr(check, "claim", None)
    return found if isinstance(found, Claim) else None


async def _run(check: Awaitable[None]) -> None:
    """Run a check, which must come to an end and leave no task behind."""
    before = asyncio.all_tasks()
    async with asyncio.timeout(MAX_SECONDS):
        await check
    await asyncio.sleep(0.01)  # what was closed may take a turn of the loop to end
    left = asyncio.all_tasks() - before
    assert not left, f"Tasks are left over: {left}"
