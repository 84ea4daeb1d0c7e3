import pytest

from g4f_testkit.claims import GRADES, Grade
from g4f_testkit.grade import Outcome, Result, judge


def make_outcomes(**results: Result) -> list[Outcome]:
    """One check a grade."""
    return [Outcome(f"test_{grade}", grade, results[grade]) for grade in GRADES if grade in results]


@pytest.mark.parametrize(
    ("results", "grade", "missing"),
    [
        ({"bronze": "passed", "silver": "passed", "gold": "passed"}, "gold", ()),
        ({"bronze": "passed", "silver": "passed", "gold": "failed"}, "silver", ("test_gold",)),
        ({"bronze": "passed", "silver": "failed", "gold": "passed"}, "bronze", ("test_silver",)),
        ({"bronze": "failed", "silver": "passed", "gold": "passed"}, None, ("test_bronze",)),
        ({"bronze": "skipped", "silver": "passed", "gold": "passed"}, None, ("none of the checks for bronze applies",)),
        (
            {"bronze": "passed", "silver": "skipped"},
            "bronze",
            ("none of the checks for silver applies: bronze is the highest for this provider",),
        ),
        ({}, None, ("none of the checks for bronze applies",)),
    ],
)
def test_a_grade_needs_every_check_of_it_and_of_those_below(
    results: dict[str, Result], grade: str | None, missing: tuple[str, ...]
) -> None:
    """And at least one that applies."""
    outcomes = make_outcomes(**results)
    verdict = judge(outcomes, len(outcomes))
    assert (verdict.grade, verdict.missing) == (grade, missing)


def test_a_check_that_does_not_apply_is_not_held_against_anybody() -> None:
    """As long as another one of its grade applies."""
    outcomes = [*make_outcomes(bronze="passed", silver="passed", gold="passed"), Outcome("x", "silver", "skipped")]
    verdict = judge(outcomes, 4)
    assert (verdict.grade, verdict.passed, verdict.skipped) == ("gold", 3, 1)


@pytest.mark.parametrize(("claimed", "unproved"), [(None, None), ("bronze", None), ("silver", None), ("gold", "gold")])
def test_a_claim_counts_up_to_what_is_reached(claimed: Grade | None, unproved: Grade | None) -> None:
    """Above it is unproved, though no check failed: none of gold applies here."""
    outcomes = make_outcomes(bronze="passed", silver="passed", gold="skipped")
    assert judge(outcomes, 3, claimed).unproved == unproved


def test_a_claim_is_not_judged_by_a_part_of_the_checks() -> None:
    """Whoever runs a single check mends something just now."""
    assert judge(make_outcomes(bronze="passed"), 3, "gold").unproved is None


def test_whoever_leaves_out_a_check_gets_no_grade() -> None:
    """Else `-k` would make gold."""
    verdict = judge(make_outcomes(bronze="passed", silver="passed", gold="passed"), 4)
    assert (verdict.grade, verdict.missing) == (None, ("1 of 4 checks were not run",))
