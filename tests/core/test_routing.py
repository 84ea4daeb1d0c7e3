"""Routing: which providers serve a request, decided before any I/O."""

from __future__ import annotations

from typing import Any, cast

import pytest

from g4f.chat import ChatOptions, ChatRequest
from g4f.context import Target
from g4f.errors import AmbiguousModelError, MissingCredentialsError, ModelNotFoundError, UnsupportedError
from g4f.images import ImageRequest
from g4f.manifest import Auth, Manifest, Model, Retired
from g4f.routing import Candidate, choose_claimant, choose_default, plan_targets

OPENAI = Manifest(
    title="OpenAI",
    capabilities={"chat": "yes", "image": "yes", "vision": "yes"},
    auth=Auth("header", variables=("OPENAI_API_KEY",)),
    models=(
        Model("gpt-x", aliases=("GPT X",), first_party=True, capabilities={"image": "no"}),
        Model("draw-2", first_party=True, capabilities={"chat": "no"}),
        Model(pattern="gpt-*", first_party=True),
    ),
    defaults={"chat": "gpt-x", "image": "draw-2"},
    retired=(Retired("draw-1", "draw-2", "2026-05-12"), Retired("foreign", "draw-2", "2026-01-01", service=False)),
)
LOCAL = Manifest(title="Local", capabilities={"chat": "yes", "image": "no", "vision": "no"}, models=(Model("tiny"),))
OPEN = Manifest(title="Open", capabilities={"chat": "yes"}, models_open=True)


def plan_one(manifest: Manifest, model: str | None, *needs: str) -> Target:
    return plan_targets([Candidate("P", manifest)], model, needs or ("chat",), alone=True).targets[0]


@pytest.mark.parametrize(
    ("model", "sent"),
    [(None, "gpt-x"), ("gpt x", "gpt-x"), ("GPT-X", "gpt-x"), ("gpt-9-new", "gpt-9-new"), ("unheard-of", "unheard-of")],
)
def test_a_chosen_provider_serves_what_is_named(model: str | None, sent: str) -> None:
    """Aliases resolve; a name that the manifest does not list is sent unchanged."""
    assert plan_one(OPENAI, model).model == sent


def test_a_retired_model_is_replaced_and_the_warning_says_so() -> None:
    """A named model is never replaced silently."""
    plan = plan_targets([Candidate("P", OPENAI)], "DRAW-1", ("image",), alone=True)
    assert plan.targets == (Target("P", "draw-2"),)
    assert plan.warnings == (("DRAW-1 was retired on 2026-05-12; draw-2 answered instead.",),)
    plan = plan_targets([Candidate("P", OPENAI)], "foreign", ("image",), alone=True)
    assert plan.warnings == (("foreign is no model of OpenAI; draw-2 answered instead.",),)


def test_what_a_provider_or_model_cannot_do_is_told_with_who_can() -> None:
    """Capability is checked before any I/O."""
    with pytest.raises(
        UnsupportedError, match=r"Local cannot make images\. Installed providers that can: OpenaiChat\."
    ):
        plan_local(None, "image")
    with pytest.raises(UnsupportedError, match=r"Local cannot read images\. Installed providers that can: Gemini\."):
        plan_local("tiny", "chat", "vision")
    with pytest.raises(UnsupportedError, match="P cannot make images"):
        plan_one(OPENAI, "gpt-x", "image")


def plan_local(model: str | None, *needs: str) -> None:
    able = {"chat": ["Local", "OpenaiChat"], "image": ["Local", "OpenaiChat"], "vision": ["Gemini"]}
    plan_targets([Candidate("Local", LOCAL)], model, needs, able=able.__getitem__, alone=True)


def test_of_several_providers_those_that_cannot_serve_are_passed_over_and_recorded() -> None:
    """A list is tried in its order."""
    candidates = [Candidate("Local", LOCAL), Candidate("OpenaiChat", OPENAI), Candidate("Open", OPEN)]
    plan = plan_targets(candidates, "gpt-x", ("chat",))
    assert plan.targets == (Target("OpenaiChat", "gpt-x"), Target("Open", "gpt-x"))
    assert [(attempt.provider, type(attempt.error)) for attempt in plan.skipped] == [("Local", ModelNotFoundError)]
    assert plan.skipped[0].passed_over
    with pytest.raises(ModelNotFoundError, match=r"None of the chosen providers can serve this\. Local cannot make"):
        plan_targets([candidates[0], Candidate("Local2", LOCAL)], "tiny", ("image",))


def test_a_model_that_nobody_lists_goes_to_each_that_was_named() -> None:
    """As it does to one alone; who serves names that nobody can list is no sign of another's model."""
    candidates = [Candidate("Local", LOCAL), Candidate("OpenaiChat", OPENAI), Candidate("Open", OPEN)]
    plan = plan_targets(candidates, "ft:tiny:org::abc", ("chat",))
    assert [target.model for target in plan.targets] == ["ft:tiny:org::abc"] * 3
    assert plan.skipped == ()
    plan = plan_targets([candidates[0], candidates[0]], "429", ("chat",))
    assert plan.targets == (Target("Local", "429"),) * 2


def test_a_model_named_for_one_provider_goes_before_that_for_all() -> None:
    """It is no prefix's rest once more, and says nothing of the others."""
    candidates = [Candidate("Local", LOCAL, model="gpt-x"), Candidate("Open", OPEN, model="open/auto")]
    plan = plan_targets([*candidates, Candidate("Local", LOCAL)], "new", ("chat",))
    assert plan.targets == (Target("Local", "gpt-x"), Target("Open", "open/auto"), Target("Local", "new"))
    assert plan_targets(candidates, None, ("chat",)).targets == plan.targets[:2]


def test_at_an_address_of_the_users_own_no_model_is_replaced() -> None:
    """The server is theirs, and has names of its own."""
    for name in ("DRAW-1", "foreign", "draw-2"):
        plan = plan_targets([Candidate("P", OPENAI, foreign=True)], name, ("image",), alone=True)
        assert (plan.targets, plan.warnings) == ((Target("P", name),), ((),))
    plan = plan_targets([Candidate("P", OPENAI, foreign=True)], None, ("image",), alone=True)
    assert plan.targets == (Target("P", "draw-2"),)


def test_needs_follow_from_the_request() -> None:
    """What is in messages must be read, what is asked for must be had; what is left out or turned off needs nothing."""
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}
    assert ChatRequest(({"role": "user", "content": "x"},)).needs == ("chat",)
    assert ChatRequest((picture,)).needs == ("chat", "vision")
    parts = [{"type": "file"}, "x", {"type": "input_audio"}, {"type": ["?"]}, {"type": "text"}, {"type": "file"}]
    assert ChatRequest(({"role": "user", "content": parts},)).needs == ("chat", "document", "audio")
    tools: Any = [{"type": "function"}]
    for options, needs in (
        ({"tools": tools}, ("chat", "tools")),
        ({"tools": tools, "tool_choice": "none"}, ("chat",)),
        ({"tools": []}, ("chat",)),
        ({"response_format": {"type": "json_schema"}}, ("chat", "json_schema")),
        ({"response_format": {"type": "json_object"}}, ("chat",)),
    ):
        assert ChatRequest((picture,), options=cast(ChatOptions, options)).needs == (needs[0], "vision", *needs[1:])
    assert ImageRequest("x").needs == ("image",)
    assert ImageRequest("x", operation="edit").needs == ("image_edit",)


OTHER = Manifest(title="Other", capabilities={"chat": "yes"}, models=(Model("gpt-x"),))


def choose(*claimants: Candidate, preferred: tuple[str, ...] = ()) -> str:
    return choose_claimant(claimants, "gpt-x", preferred).name


def test_a_model_without_a_provider_goes_to_the_one_that_is_meant() -> None:
    """The user's order, then the maker, then who alone has a key of the user's."""
    maker, other = Candidate("Maker", OPENAI, keyed=True), Candidate("Other", OTHER, keyed=True)
    assert choose(other) == "Other"
    assert choose(other, maker) == "Maker"
    assert choose(other, maker, preferred=("nobody", "OTHER")) == "Other"
    keyless = Candidate("Keyless", OTHER)
    assert choose(keyless, other) == "Other"
    locked = Candidate("Maker", OPENAI, usable=False)
    assert choose(locked, other) == "Other"


def test_who_stands_in_for_anothers_model_is_not_its_maker() -> None:
    """A provider that lends a name leads to its own model, and still does not go before the name's owner."""
    stand_in = Manifest(
        models=(Model("own", first_party=True),), retired=(Retired("draw-1", "own", "2026-01-01", service=False),)
    )
    maker, other = Candidate("Maker", OPENAI, keyed=True), Candidate("Other", stand_in, keyed=True)
    assert choose_claimant([other, maker], "draw-1", ()).name == "Maker"
    assert choose_claimant([other], "draw-1", ()).name == "Other"


def test_a_model_that_nobody_may_serve_says_what_to_do() -> None:
    """Set a key, or say who."""
    with pytest.raises(MissingCredentialsError, match=r"OpenaiChat \(set OPENAI_API_KEY\)"):
        choose(Candidate("OpenaiChat", OPENAI, usable=False))
    with pytest.raises(AmbiguousModelError, match=r"A and B both serve 'gpt-x': pass provider='A', or set G4F_"):
        choose(Candidate("A", OTHER, keyed=True), Candidate("B", OTHER, keyed=True))


def test_a_model_that_a_pattern_alone_claims_may_be_misspelled() -> None:
    """A pattern takes that too; a model that is listed brings nothing else to mind."""
    locked = Candidate("OpenaiChat", OPENAI, usable=False)
    with pytest.raises(MissingCredentialsError, match=r"\(set OPENAI_API_KEY\)\. Did you mean gpt-x\?$"):
        choose_claimant([locked], "gpt-xx", ())
    with pytest.raises(MissingCredentialsError, match=r"\(set OPENAI_API_KEY\)\.$"):
        choose_claimant([locked], "GPT X", ())


def test_a_prefix_of_other_programs_brings_the_providers_name_to_mind() -> None:
    """`openai/…` is what some services call OpenAI's models."""
    there = Manifest(auth=Auth("header", variables=("ROUTER_KEY",)), models=(Model(pattern="openai/*"),))
    with pytest.raises(
        MissingCredentialsError, match=r"\(set ROUTER_KEY\)\. For OpenaiChat itself write 'OpenaiChat/x'\.$"
    ):
        choose_claimant([Candidate("Router", there, usable=False)], "openai/x", ())


def test_without_provider_and_model_the_first_that_can_serves() -> None:
    """An explicit yes counts; unknown does not."""
    candidates = [Candidate("Local", LOCAL), Candidate("OpenaiChat", OPENAI)]
    assert choose_default(candidates, "chat").name == "Local"
    assert choose_default(candidates, "image").name == "OpenaiChat"
    with pytest.raises(UnsupportedError, match=r"No provider is set that can make images: pass provider="):
        choose_default(candidates[:1], "image")
