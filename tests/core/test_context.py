import pickle
from typing import Any

import attrs
import pytest

from g4f.chat import ChatRequest
from g4f.context import Call, Context, HttpRequest, HttpResponse, Limits, Target, Timeout
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


def test_a_timeout_over_another_changes_only_what_it_names() -> None:
    """A call that shortens one deadline lengthens no other; what was set to the usual value was set all the same."""
    client = Timeout.make(1)

    assert Timeout.make(Timeout(gap=2), client) == attrs.evolve(client, gap=2)
    assert Timeout.make(Timeout(gap=None, total=600.0), client) == attrs.evolve(client, gap=None, total=600.0)
    assert Timeout.make(pickle.loads(pickle.dumps(Timeout(gap=2))), client).total == 1  # noqa: S301 - our own
    assert Timeout.make(None, client) is client
    assert set(attrs.astuple(Timeout.make(3, client))) == {3.0}


@pytest.mark.parametrize("named", [{}, {"connect": 1}])
def test_a_deadline_without_a_name_is_refused(named: dict[str, float]) -> None:
    """The first field is not what others mean by a single number."""
    with pytest.raises(
        TypeError, match="takes deadlines by name, as Timeout\\(total=5, gap=2\\); timeout=5 bounds each"
    ):
        Timeout(5, **named)


@pytest.mark.parametrize("given", [0, -1, float("nan"), "5", True, False, [], {}, object(), 10**400])
def test_what_is_no_positive_number_is_no_timeout(given: Any) -> None:
    """Whatever it is instead, and for each of the deadlines as for all of them."""
    with pytest.raises(
        InvalidInputError, match=r"^timeout must be a positive number of seconds or a g4f\.Timeout, not"
    ):
        Timeout.make(given)
    for name in attrs.fields_dict(Timeout):
        with pytest.raises(
            InvalidInputError, match=rf"^Timeout\({name}=…\) must be a positive number of seconds or None"
        ):
            Timeout(**{name: given})


def test_a_deadline_may_be_endless_and_short() -> None:
    """Infinity is a number, and what None means; so is an int."""
    assert Timeout(gap=float("inf"), total=1e-9, head=5, connect=None).gap == float("inf")
    assert Timeout.make(float("inf")).total == float("inf")


def test_no_limits_are_the_defaults() -> None:
    """None counts as not given, for all of them and for each."""
    assert Limits.make(None) == Limits() == Limits(**dict.fromkeys(attrs.fields_dict(Limits)))
    assert Limits().json_bytes == 32 * 2**20


def test_limits_of_ones_own_are_taken_as_they_are() -> None:
    """Those that are left out keep their defaults."""
    own = Limits(json_bytes=1000, json_depth=20)

    assert Limits.make(own) is own
    assert attrs.evolve(own, json_bytes=None, json_depth=None) == Limits()


@pytest.mark.parametrize("given", [5, 2.5, "text", {"json_bytes": 5}, Timeout()])
def test_what_is_no_limits_is_refused(given: Any) -> None:
    """A number alone does not say what it limits."""
    with pytest.raises(InvalidInputError, match=r"limits must be a g4f\.Limits, not "):
        Limits.make(given)


@pytest.mark.parametrize("value", [0, -1, 2.5, float("inf"), float("nan"), "text", True, []])
@pytest.mark.parametrize("name", list(attrs.fields_dict(Limits)))
def test_a_limit_is_a_whole_number_above_zero(name: str, value: Any) -> None:
    """The sentence names it."""
    with pytest.raises(InvalidInputError, match=rf"Limits\({name}=…\) must be a (positive )?number .*, not "):
        Limits(**{name: value})


def test_json_is_never_read_deeper_than_python_walks() -> None:
    """That limit can be lowered only."""
    assert Limits(json_depth=200).json_depth == 200
    with pytest.raises(InvalidInputError, match="must be a number from 1 to 200, not 201"):
        Limits(json_depth=201)


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
