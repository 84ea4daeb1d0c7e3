"""Recorded requests of other programs, said in OpenAI's words and sent by us: the same request comes out."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from g4f_provider_gemini import wire
from plugins.provider_gemini.translate import UntranslatableError, rename, translate
from traffic import Change, Recordings, expect_request, need_traffic

need_traffic()

# Model and body, both in the service's own words.
REQUESTS = {
    f"{exchange.service}-{exchange.name}": (
        exchange.path.rpartition("/")[2].partition(":")[0],
        rename(exchange.request),
    )
    for exchange in Recordings.load("Gemini", ["gemini", "vertex"], ["chat", "stream"]).exchanges
    if "contents" in (exchange.request or {})
}


# Where our request is not the recorded one. Each function changes the recorded body into the one that is expected.


def _list_tools(body: dict[str, Any]) -> None:
    if isinstance(body.get("tools"), dict):
        body["tools"] = [body["tools"]]


def _drop_empty_config(body: dict[str, Any]) -> None:
    if body.get("generationConfig") == {}:
        del body["generationConfig"]


def _write_standard_base64(body: dict[str, Any]) -> None:
    for turn in body["contents"]:
        for part in turn["parts"]:
            if "inlineData" in part:
                part["inlineData"]["data"] = part["inlineData"]["data"].replace("-", "+").replace("_", "/")


def _drop_empty_text(body: dict[str, Any]) -> None:
    for turn in body["contents"]:
        turn["parts"] = [part for part in turn["parts"] if part != {"text": ""}] or turn["parts"]


DIFFERENCES: dict[str, Change] = {
    "a single tool stands in a list": _list_tools,
    "an empty configuration is not sent": _drop_empty_config,
    "base64 is the standard one, as data URLs have it": _write_standard_base64,
    "an empty text is not sent": _drop_empty_text,
}


def _why_not(model: str, body: dict[str, Any]) -> str | None:
    try:
        translate(model, body)
    except UntranslatableError as error:
        return str(error)
    return None


TRANSLATED = {name: found for name, found in REQUESTS.items() if _why_not(*found) is None}


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_recorded_request_comes_out_of_openais_words(name: str) -> None:
    """Contents, system, tools, signatures, files and settings are the recorded ones, but for DIFFERENCES."""
    model, body = TRANSLATED[name]
    warnings: list[str] = []
    sent = wire.encode_chat(translate(model, body), stream=False, warn=warnings.append)
    assert json.loads(sent.body) == expect_request(body, DIFFERENCES)[0]
    assert sent.path == f"/v1beta/models/{model}:generateContent"
    assert warnings == []


def test_every_recorded_request_is_translated_or_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that cannot be said in OpenAI's words are counted by their reason, and each difference is met."""
    reasons = Counter(reason for found in REQUESTS.values() if (reason := _why_not(*found)))
    applied = Counter(name for _, body in TRANSLATED.values() for name in expect_request(body, DIFFERENCES)[1])
    assert applied.keys() == DIFFERENCES.keys()
    with capsys.disabled():
        print(f"\nGemini: {len(TRANSLATED)} of {len(REQUESTS)} recorded chat requests translated and compared;")  # noqa: T201
        for name, count in applied.items():
            print(f"  differs on purpose in {count}: {name}")  # noqa: T201
        for reason, count in reasons.items():
            print(f"  not to be said in OpenAI's words in {count}: {reason}")  # noqa: T201
