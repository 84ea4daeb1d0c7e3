import pickle
from typing import Any

import attrs
import pytest

from g4f.chat import ChatRequest
from g4f.context import Call, Context, HttpRequest, HttpResponse, Target, Timeout
from g4f.errors import InvalidInputError
from g4f.manifest import Manifest


def test_no_timeout_is_the_default() -> None:
    """Answers may take long, connections may not."""
    timeout = Timeout.make(None)

    assert timeout == Timeout()
    assert timeout.connect == 10


@pytest.mark.parametrize(("given", "connect"), [(2, 2.0), (0.5, 0.5), (30, 10.0), (float("inf"), 10.0)])
def test_a_number_bounds_each_deadline(given: float, connect: float) -> None:
    """A connection stands after ten seconds or not at all."""
    timeout = Timeout.make(given)

    assert timeout.connect == connect
    assert set(attrs.astuple(timeout)[1:]) == {float(given)}


def test_a_timeout_of_ones_own_is_taken_as_it_is() -> None:
    """Each deadline can be set, and None waits for ever."""
    own = Timeout(gap=None, total=5)

    assert Timeout.make(own) is own


@pytest.mark.parametrize("given", [0, -1, float("nan"), "5", True, False, [], {}, object()])
def test_what_is_no_positive_number_is_no_timeout(given: Any) -> None:
    """Whatever it is instead."""
    with pytest.raises(InvalidInputError, match=r"must be a positive number of seconds or a g4f\.Timeout"):
        Timeout.make(given)


def test_bodies_and_secrets_are_not_shown() -> None:
    """A repr goes into logs; a prompt does not."""
    context = Context(transport=None, settings={"org": "sk-secret"}, secret=lambda: "sk-secret")  # type: ignore[arg-type]

    assert "sk-secret" not in repr(HttpRequest("POST", "/x", headers={"Authorization": "sk-secret"}))
    assert "prompt" not in repr(HttpRequest("POST", "/x", b"prompt"))
    assert "answer" not in repr(HttpResponse(200, {}, b"answer"))
    assert "sk-secret" not in repr(context)
    assert context.secret() == "sk-secret"


def test_requests_and_answers_are_plain_values() -> None:
    """They compare and pickle."""
    request = HttpRequest("POST", "/x", b"{}", {"A": "b"}, {"c": "d"}, 5)

    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 - our own
    assert HttpRequest("GET", "/").max_bytes is None


def test_the_same_warning_is_told_once() -> None:
    """However often the provider says it."""
    told: list[str] = []
    context = Context(transport=None, warnings=told)  # type: ignore[arg-type]
    for sentence in ("a", "b", "a"):
        context.warn(sentence)

    assert told == ["a", "b"]


async def test_a_context_made_by_hand_has_no_network_and_no_key() -> None:
    """Tests of a provider need give only what it uses."""
    context = Context(transport=None)  # type: ignore[arg-type]

    assert context.manifest == Manifest()
    assert context.secret() is None
    with pytest.raises(InvalidInputError, match="no network here to fetch"):
        await context.fetch("https://x/")


def test_calls_share_nothing() -> None:
    """What one call notes stays its own."""
    first, second = (Call(ChatRequest(()), Target("A", None)) for _ in range(2))
    first.warnings.append("a")
    first.attempts.append(None)  # type: ignore[arg-type]

    assert second.warnings == second.attempts == []
