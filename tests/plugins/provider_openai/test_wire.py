import json
from typing import Any

import pytest

from g4f import ChatRequest
from g4f.images import ImageRequest
from g4f_provider_openai.wire import OPENAI_CHAT


def _encode(model: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    request = ChatRequest(({"role": "user", "content": "Hi"},), model, options=options)
    body = json.loads(OPENAI_CHAT.encode_chat(request, stream=False, warn=warnings.append).body)
    assert request.options == options, "the request is the caller's"
    return {name: value for name, value in body.items() if name not in ("messages", "model")}, warnings


@pytest.mark.parametrize(
    "model",
    ["gpt-4o-mini", "gpt-4.1", "gpt-4-turbo", "ft:gpt-4o-mini:acme", "gpt-5-chat-latest", "gpt-5.2-chat"],
)
def test_a_model_that_does_not_reason_gets_its_options_unchanged(model: str) -> None:
    """The quirks are those of reasoning models alone."""
    options = {"max_tokens": 5, "temperature": 0.2, "top_p": 0.9, "tools": [{"type": "function"}]}
    assert _encode(model, **options) == (options, [])


@pytest.mark.parametrize(
    "model", ["gpt-5", "gpt-5.4-mini", "gpt-6-luna", "gpt-6.1-sol", "gpt-12", "o1", "o3-pro", "o4-mini"]
)
def test_a_reasoning_model_gets_what_it_takes_and_each_change_is_told(model: str) -> None:
    """max_tokens becomes max_completion_tokens; temperature and top_p are left out."""
    body, warnings = _encode(model, max_tokens=5, temperature=0.2, top_p=0.9, seed=1)
    assert body == {"max_completion_tokens": 5, "seed": 1}
    assert [word for warning in warnings for word in ("max_tokens", "temperature", "top_p") if word in warning] == [
        "max_tokens",
        "temperature",
        "top_p",
    ]
    assert all(model in warning for warning in warnings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("presence_penalty", 0.5),
        ("frequency_penalty", 0.5),
        ("logit_bias", {"1": 2}),
        ("stop", ["x"]),
    ],
)
def test_what_no_model_takes_while_it_reasons_is_left_out_and_told(name: str, value: Any) -> None:
    """Each by its name; without reasoning it goes as it is."""
    assert _encode("gpt-5", **{name: value}) == ({}, [f"{name} was left out: gpt-5 refuses it while it reasons."])
    calm = {"reasoning_effort": "none", name: value}
    assert _encode("gpt-6-luna", **calm) == (calm, [])


def test_max_completion_tokens_of_the_user_wins() -> None:
    """Given both limits, the one that the model takes is sent, and nothing needs to be told."""
    assert _encode("gpt-5", max_tokens=5, max_completion_tokens=9) == ({"max_completion_tokens": 9}, [])


def test_without_reasoning_a_reasoning_model_takes_a_temperature() -> None:
    """`reasoning_effort="none"` turns the refusal off, and so our leaving out."""
    options = {"reasoning_effort": "none", "temperature": 0.2, "top_p": 0.9}
    assert _encode("gpt-6-luna", **options) == (options, [])


TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]


@pytest.mark.parametrize(
    "model", ["gpt-5.6", "gpt-5.6-sol", "gpt-5.6-luna", "gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra"]
)
def test_tools_end_reasoning_where_the_model_cannot_do_both(model: str) -> None:
    """These models answer 400 to tools unless `reasoning_effort` is "none"; then they take a temperature too."""
    body, warnings = _encode(model, tools=TOOLS, temperature=0.2)
    assert body == {"tools": TOOLS, "temperature": 0.2, "reasoning_effort": "none"}
    assert "calls no tools while it reasons" in warnings[0]


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5.4", "gpt-6.1-sol", "gpt-6-astra", "o3"])
def test_other_models_get_their_tools_alone(model: str) -> None:
    """Those reason and call tools, or know no other effort: nothing is added."""
    assert _encode(model, tools=TOOLS) == ({"tools": TOOLS}, [])


def test_an_effort_that_the_user_chose_is_sent() -> None:
    """Even where the service refuses it: the user said so."""
    assert _encode("gpt-6-luna", tools=TOOLS, reasoning_effort="high")[0]["reasoning_effort"] == "high"


def _encode_image(model: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    request = ImageRequest("a cat", model, options=options)
    body = json.loads(OPENAI_CHAT.encode_image(request, warn=warnings.append).body)
    assert request.options == options, "the request is the caller's"
    return {name: value for name, value in body.items() if name not in ("prompt", "model")}, warnings


@pytest.mark.parametrize(("quality", "said"), [("standard", "auto"), ("hd", "high")])
def test_the_words_of_dall_e_become_those_of_the_models_after_it(quality: str, said: str) -> None:
    """Those refuse `style` and other qualities; each change is told."""
    body, warnings = _encode_image("gpt-image-2.6-flare", quality=quality, style="vivid", n=2)
    assert body == {"quality": said, "n": 2}
    assert warnings == [
        "style was left out: gpt-image-2.6-flare has no such setting; say it in the prompt.",
        f"quality {quality} became {said}, the nearest that gpt-image-2.6-flare knows.",
    ]


@pytest.mark.parametrize(
    ("model", "size", "said"),
    [
        ("gpt-image-2.6-flare", "256x256", "1024x1024"),
        ("gpt-image-1.5", "512x512", "1024x1024"),
        ("gpt-image-1.5", "1792x1024", "1536x1024"),
        ("chatgpt-image-latest", "1024x1792", "1024x1536"),
    ],
)
def test_a_size_that_the_model_does_not_draw_becomes_the_nearest(model: str, size: str, said: str) -> None:
    """And a warning tells it."""
    assert _encode_image(model, size=size) == (
        {"size": said},
        [f"size {size} became {said}, the nearest that {model} draws."],
    )


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gpt-image-2", {"size": "1792x1024", "quality": "low"}),
        ("gpt-image-1.5", {"size": "1024x1024", "quality": "high"}),
        ("dall-e-next", {"size": "256x256", "quality": "hd", "style": "vivid"}),
    ],
)
def test_what_an_image_model_takes_goes_as_it_is(model: str, options: dict[str, Any]) -> None:
    """Also all that is said to a model that we do not know."""
    assert _encode_image(model, **options) == (options, [])
