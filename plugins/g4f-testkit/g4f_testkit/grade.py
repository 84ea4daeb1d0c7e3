"""From what became of the checks to a grade, and what is missing for the next one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from g4f_testkit.claims import GRADES, Grade

Result = Literal["passed", "failed", "skipped"]


@attrs.frozen
class Outcome:
    """What became of one check.

    Attributes:
        check: Its name.
        grade: The grade that needs it.
        result: What became of it.
        reason: Why it was skipped.
    """

    check: str
    grade: Grade
    result: Result
    reason: str = ""


@attrs.frozen
class Verdict:
    """What a provider has reached.

    Attributes:
        grade: Its grade, or None.
        next: The grade above it, or None.
        missing: What is missing for that one: checks, or a sentence.
        failed: The checks that it failed, whatever grade needs them.
        passed: How many checks it passed.
        skipped: How many did not apply.
        unproved: The grade that the manifest claims, where all checks were run and made less.
    """

    grade: Grade | None
    next: Grade | None
    missing: tuple[str, ...]
    failed: tuple[str, ...]
    passed: int
    skipped: int
    unproved: Grade | None = None


def judge(outcomes: Sequence[Outcome], total: int, claimed: Grade | None = None) -> Verdict:
    """Return the highest grade all of whose checks, and those below it, passed or do not apply.

    Args:
        outcomes: What became of the checks that were run.
        total: How many there are. If some were not run, there is no grade.
        claimed: What the manifest says that it is.
    """
    verdict = _grade(outcomes, total)
    if claimed is None or len(outcomes) < total or _rank(verdict.grade) >= _rank(claimed):
        return verdict
    return attrs.evolve(verdict, unproved=claimed)


def _rank(grade: Grade | None) -> int:
    return -1 if grade is None else GRADES.index(grade)


def _grade(outcomes: Sequence[Outcome], total: int) -> Verdict:
    failed = tuple(outcome.check for outcome in outcomes if outcome.result == "failed")
    passed, skipped = (sum(outcome.result == result for outcome in outcomes) for result in ("passed", "skipped"))
    reached: Grade | None = None
    for grade in GRADES:
        missing = _list_missing(outcomes, grade, total)
        if missing:
            return Verdict(reached, grade, missing, failed, passed, skipped)
        reached = grade
    return Verdict(reached, None, (), failed, passed, skipped)


def _list_missing(outcomes: Sequence[Outcome], grade: Grade, total: int) -> tuple[str, ...]:
    if len(outcomes) < total:
        return (f"{total - len(outcomes)} of {total} checks were not run",)
    needed = [outcome for outcome in outcomes if outcome.grade == grade]
    failed = tuple(outcome.check for outcome in needed if outcome.result == "failed")
    if failed or any(outcome.result == "passed" for outcome in needed):
        return failed
    highest = f": {GRADES[_rank(grade) - 1]} is the highest for this provider" if _rank(grade) else ""
    return (f"none of the checks for {grade} applies{highest}",)
