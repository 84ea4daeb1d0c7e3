"""What the manifest declares: what it affirms works, what it denies is refused, and nothing is dropped in silence."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from g4f import InvalidInputError, UnsupportedError
from g4f_testkit.claims import claim
from g4f_testkit.kit import PROMPT, Kit
from g4f_testkit.script import PICTURE, ToolCall, Turn, make_vector

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SOUND = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0"
CALLS = (
    ToolCall("get_weather", {"city": "Paris", "days": [1, 2]}, "call_1"),
    ToolCall("get_time", {"zone": "Europe/Paris", "quote": 'a "b" \\ ü'}, "call_2", pieces=5),
)
SCHEMA = {
    "type": "object",
    "properties": {"g4f_capital": {"type": "string"}},
    "required": ["g4f_capital"],
    "additionalProperties": False,
}
SIGNATURE = "ZzRmLXNpZ25hdHVyZQ=="
FEW = 16  # tokens: a model on this machine takes its time
# One setting a request: its value must be found in what arrives, or a warning must name it.
SETTINGS: dict[str, Any] = {
    "temperature": 0.4375,
    "top_p": 0.8125,
    "max_tokens": 4242,
    "seed": 424242,
    "stop": ["G4F-STOP"],
    "user": "g4f-user",
    "metadata": {"g4f": "g4f-metadata"},
    "presence_penalty": 0.3125,
    "frequency_penalty": 0.1875,
    "logit_bias": {"42424": -7},
    "logprobs": True,
    "n": 2,
    "parallel_tool_calls": False,
    "prompt_cache_key": "g4f-cache",
    "safety_identifier": "g4f-safety",
    "service_tier": "flex",
    "verbosity": "low",
    "max_completion_tokens": 4343,
    "store": True,
}
# Others, which services say in words of their own: the request is another one, or a warning names them.
WORDED: dict[str, dict[str, Any]] = {
    "top_logprobs": {"logprobs": True, "top_logprobs": 3},
    "web_search_options": {"web_search_options": {}},
    "modalities": {"modalities": ["text", "audio"]},
    "prediction": {"prediction": {"type": "content", "content": "g4f-prediction"}},
    "response_format": {"response_format": {"type": "json_object"}},
}
CHOICES = ("required", "none", {"type": "function", "function": {"name": "get_time"}})
# A manifest's capability: what a request needs to use it, and what of it the server sees.
IN_CHATS = ("vision", "tools", "json_schema", "reasoning", "document", "audio")
APART = ("image", "image_edit", "embed")


def define_tools() -> list[dict[str, Any]]:
    """Return the functions that the model may call."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    return [
        {"type": "function", "function": {"name": call.name, "description": call.name, "parameters": parameters}}
        for call in CALLS
    ]


def make_data_url(data: bytes, kind: str) -> str:
    """Return a data URL (RFC 2397)."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def ask_schema() -> dict[str, Any]:
    """Return a `response_format`."""
    return {"type": "json_schema", "json_schema": {"name": "capital", "schema": SCHEMA, "strict": True}}


def make_parts(capability: str) -> list[dict[str, Any]]:
    """Return a message's content that needs a capability."""
    audio = {"data": base64.b64encode(SOUND).decode(), "format": "wav"}
    parts: dict[str, dict[str, Any]] = {
        "vision": {"type": "image_url", "image_url": {"url": make_data_url(PICTURE, "image/png")}},
        "document": {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": make_data_url(PDF, "application/pdf")},
        },
        "audio": {"type": "input_audio", "input_audio": audio},
    }
    text = {"type": "text", "text": PROMPT}
    return [text, parts[capability]] if capability in parts else [text]


def make_options(capability: str) -> dict[str, Any]:
    """Return a chat's settings that need a capability."""
    options: dict[str, dict[str, Any]] = {
        "tools": {"tools": define_tools()},
        "json_schema": {"response_format": ask_schema()},
        "reasoning": {"reasoning_effort": "high"},
    }
    return options.get(capability, {})


class CapabilityChecks:
    """The grade silver."""

    @claim("silver", "chat", "vision")
    async def test_a_picture_arrives_as_bytes(self, kit: Kit) -> None:
        """One that the user has."""
        await kit.ask(needs="vision", image=PICTURE)
        assert kit.asked[0].pictures == (PICTURE,)
        assert PROMPT in kit.asked[0].texts

    @claim("silver", "chat", "vision")
    async def test_a_picture_arrives_as_url(self, kit: Kit) -> None:
        """One that is on the web: as its URL, or fetched where the service fetches none."""
        await kit.ask([{"role": "user", "content": PROMPT}], needs="vision", image=kit.picture_url)
        assert kit.asked[0].pictures in ((kit.picture_url,), (PICTURE,))

    @claim("silver", "chat", "document")
    async def test_a_document_arrives(self, kit: Kit) -> None:
        """A PDF, byte by byte."""
        await _ask_parts(kit, "document")
        assert kit.asked[0].documents == (PDF,)

    @claim("silver", "chat", "audio")
    async def test_a_sound_arrives(self, kit: Kit) -> None:
        """A recording, byte by byte."""
        await _ask_parts(kit, "audio")
        assert kit.asked[0].sounds == (SOUND,)

    @claim("silver", "chat", "json_schema")
    async def test_a_schema_arrives(self, kit: Kit) -> None:
        """With each of its properties."""
        await kit.ask(needs="json_schema", response_format=ask_schema())
        schema = kit.asked[0].schema
        assert schema is not None
        assert list(schema["properties"]) == ["g4f_capital"]

    @claim("silver", "chat", "json_schema", reach="any")
    async def test_an_answer_follows_the_schema(self, kit: Kit) -> None:
        """It is the JSON that was asked for, and nothing else."""
        kit.play(Turn(text=('{"g4f_capital":', ' "Paris"}')))
        answer = await kit.ask(needs="json_schema", response_format=ask_schema())
        value = json.loads(answer.choices[0].message.content or "")
        assert list(value) == ["g4f_capital"]
        assert isinstance(value["g4f_capital"], str)

    @claim("silver", "chat", "tools", reach="any")
    async def test_a_tool_that_must_be_called_is_called(self, kit: Kit) -> None:
        """By its name, with arguments that are JSON."""
        kit.play(Turn(calls=CALLS[:1]))
        must = {"type": "function", "function": {"name": "get_weather"}}
        choice = (await kit.ask(needs="tools", tools=define_tools(), tool_choice=must)).choices[0]
        [call] = choice.message.tool_calls
        assert call.function.name == "get_weather"
        assert isinstance(json.loads(call.function.arguments), dict)
        assert call.id

    @claim("silver", "chat", "tools")
    async def test_definitions_of_tools_arrive(self, kit: Kit) -> None:
        """All of them, in their order."""
        await kit.ask(needs="tools", tools=define_tools())
        assert kit.asked[0].tools == ("get_weather", "get_time")

    @claim("silver", "chat", "tools")
    async def test_calls_of_tools_are_told(self, kit: Kit) -> None:
        """Several at once, each with an id, its name and its arguments."""
        kit.play(Turn(calls=CALLS))
        choice = (await kit.ask(needs="tools", tools=define_tools())).choices[0]
        calls = choice.message.tool_calls
        assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
            (call.name, call.arguments) for call in CALLS
        ]
        assert len({call.id for call in calls if call.id}) == 2
        assert choice.finish_reason == "tool_calls"

    @claim("silver", "chat", "tools", features=("stream",))
    @pytest.mark.parametrize("size", [0, 1])
    async def test_calls_of_tools_are_streamed(self, kit: Kit, size: int) -> None:
        """Their arguments, put together by `index`, are whole; the pieces of two calls may come in turns."""
        kit.play(Turn(calls=CALLS, size=size))
        heard = await kit.listen(needs="tools", tools=define_tools())
        assert heard.error is None
        assert [(name, json.loads(arguments)) for name, arguments in heard.calls] == [
            (call.name, call.arguments) for call in CALLS
        ]
        assert heard.finish_reason == "tool_calls"

    @claim("silver", "chat", "tools")
    async def test_results_of_tools_go_back(self, kit: Kit) -> None:
        """The conversation with the calls and what they returned arrives whole, each result with its own call."""
        kit.play(Turn(calls=CALLS), Turn())
        async with kit.make_client() as client:
            first = await kit.ask(needs="tools", client=client, tools=define_tools())
            message = first.choices[0].message
            results = [
                {"role": "tool", "tool_call_id": call.id, "content": f"result of {call.function.name}"}
                for call in message.tool_calls
            ]
            conversation = [{"role": "user", "content": PROMPT}, message, *results]
            second = await kit.ask(conversation, needs="tools", client=client, tools=define_tools())
        assert second.choices[0].finish_reason == "stop"
        assert kit.asked[1].calls == ("get_weather", "get_time")
        told = [(name, f"result of {name}" in text) for name, text in kit.asked[1].results]
        assert told == [("get_weather", True), ("get_time", True)]

    @claim("silver", "chat", "tools")
    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
    async def test_what_the_service_signed_goes_back(self, kit: Kit, streamed: bool) -> None:
        """With its thoughts or calls, unchanged: it refuses a conversation without."""
        kit.skip_unless_signing()
        kit.play(Turn(reasoning=("I think.",), calls=CALLS[:1], signature=SIGNATURE), Turn())
        asked: dict[str, Any] = {"model": kit.subject.choose_model("tools"), "tools": define_tools()}
        async with kit.make_client() as client:
            chats = client.chat.completions
            first: Any = chats.stream(PROMPT, **asked) if streamed else await chats.create(PROMPT, **asked)
            message = (await first.get_final_completion() if streamed else first).choices[0].message
            result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "result"}
            await chats.create([{"role": "user", "content": PROMPT}, message, result], **asked)
        assert SIGNATURE in kit.asked[1].signatures

    @claim("silver", "embed", alone="bronze")
    async def test_embeddings_come_in_the_order_of_the_texts(self, kit: Kit) -> None:
        """One for each."""
        texts = ("a", "quite long", "bb")
        found = await kit.embed(*texts)
        assert [item.embedding for item in found.data] == [make_vector(text) for text in texts]
        assert [item.index for item in found.data] == [0, 1, 2]

    @claim("silver", "chat")
    @pytest.mark.parametrize("name", SETTINGS)
    async def test_a_setting_arrives_or_is_told(self, kit: Kit, name: str) -> None:
        """None is dropped in silence: what the service lacks stands in `warnings`."""
        options: dict[str, Any] = {}
        if name == "parallel_tool_calls":
            if kit.manifest.supports("tools") == "no":
                pytest.skip("The manifest says 'no' of tools.")
            options = {"tools": define_tools()}
        await kit.ask(**options)
        try:
            warnings = (await kit.ask(**options, **{name: SETTINGS[name]})).warnings
        except (UnsupportedError, InvalidInputError) as refused:
            warnings = [str(refused)]
        plain, given = kit.server.requests[0].json, kit.server.requests[-1].json
        told = any(name in warning for warning in warnings)
        assert told or (plain != given and _holds(given, SETTINGS[name])), f"{name} is neither in {given} nor told"

    @claim("silver", "chat")
    @pytest.mark.parametrize("name", WORDED)
    async def test_a_setting_in_other_words_arrives_or_is_told(self, kit: Kit, name: str) -> None:
        """The request differs from one without it, or a warning or a refusal names it."""
        given = WORDED[name]
        without = {other: value for other, value in given.items() if other != name}
        await _compare(kit, name, without, given)

    @claim("silver", "chat", "tools")
    @pytest.mark.parametrize("choice", CHOICES, ids=["required", "none", "named"])
    async def test_which_tool_to_call_arrives_or_is_told(self, kit: Kit, choice: Any) -> None:
        """That one must be called, that none may be, or that a certain one must."""
        tools = {"tools": define_tools()}
        await _compare(kit, "tool_choice", tools, {**tools, "tool_choice": choice}, needs="tools")

    @claim("silver", "embed")
    async def test_the_length_of_vectors_arrives_or_is_told(self, kit: Kit) -> None:
        """`dimensions`, in whatever words the service has."""
        async with kit.make_client() as client:
            model = kit.subject.choose_model("embed")
            plain = await client.embeddings.create("a", model)
            given = await client.embeddings.create("a", model, dimensions=2)
        assert kit.server.requests[0].body != kit.server.requests[-1].body or "dimensions" in "".join(
            given.warnings[len(plain.warnings) :]
        )

    @claim("silver", "chat", reach="nothing")
    @pytest.mark.parametrize("capability", ["image", "image_edit", "embed", "vision"])
    async def test_what_the_manifest_denies_is_refused(self, kit: Kit, capability: str) -> None:
        """Before anything is sent, with an UnsupportedError."""
        _skip_unless(kit, capability, "no")
        with pytest.raises(UnsupportedError):
            await _use(kit, capability)
        if kit.has_server:
            assert not kit.server.requests

    @claim("silver", "chat", reach="any")
    @pytest.mark.parametrize("capability", [name for name in IN_CHATS if name != "vision"])
    async def test_what_the_manifest_denies_does_not_arrive_in_silence(self, kit: Kit, capability: str) -> None:
        """It is refused, or left out with a warning; if it arrived all the same, the manifest would be wrong."""
        _skip_unless(kit, capability, "no")
        try:
            warnings = await _need(kit, capability)
        except (UnsupportedError, InvalidInputError):
            return
        assert warnings, f"Nobody said that there is no {capability}."
        assert not (kit.has_server and _arrived(kit, capability)), (
            f"The manifest denies {capability}, and yet it arrived."
        )

    @claim("silver", "chat")
    @pytest.mark.parametrize("capability", IN_CHATS)
    async def test_what_the_manifest_leaves_open_is_passed_on(self, kit: Kit, capability: str) -> None:
        """It arrives, or somebody says that it does not."""
        _skip_unless(kit, capability, "unknown")
        try:
            warnings = await _need(kit, capability)
        except (UnsupportedError, InvalidInputError):
            return
        assert warnings or _arrived(kit, capability), f"{capability} was dropped in silence."

    @claim("silver", features=("models",))
    async def test_the_list_of_models_is_the_services(self, kit: Kit) -> None:
        """Those that the manifest lists, and those that the service tells now."""
        if not kit.subject.plugin.implements("models"):
            pytest.skip("The provider does not implement the hook models.")
        kit.play(Turn(models=("g4f-model-1", "g4f-model-2")))
        async with kit.make_client() as client:
            listed = [model.id for model in await client.models.list()]
        assert {"g4f-model-1", "g4f-model-2"} <= set(listed)
        assert {model.id for model in kit.manifest.models if model.id} <= set(listed)
        assert len(listed) == len(set(listed))


async def _ask_parts(kit: Kit, capability: str) -> None:
    await kit.ask([{"role": "user", "content": make_parts(capability)}], needs=capability)


async def _need(kit: Kit, capability: str) -> list[str]:
    """Use what is part of a chat, and return the warnings that a plain chat does not bring."""
    plain = await kit.ask(needs=capability, max_tokens=FEW)
    needy = await _use(kit, capability)
    return [warning for warning in needy.warnings if warning not in plain.warnings]


async def _use(kit: Kit, capability: str) -> Any:
    """Use a capability and return the answer."""
    if capability == "embed":
        return await kit.embed("a")
    if capability in APART:
        return await kit.draw(image=PICTURE if capability == "image_edit" else None)
    messages = [{"role": "user", "content": make_parts(capability)}]
    return await kit.ask(messages, needs=capability, max_tokens=FEW, **make_options(capability))


async def _compare(kit: Kit, name: str, without: dict[str, Any], given: dict[str, Any], *, needs: str = "chat") -> None:
    """Ask without a setting and with it, which must make a difference that the service or the user sees."""
    await kit.ask(needs=needs, **without)
    plain = kit.server.requests[-1]
    try:
        warnings = (await kit.ask(needs=needs, **given)).warnings
    except (UnsupportedError, InvalidInputError) as refused:
        warnings = [str(refused)]
    same = plain.body == kit.server.requests[-1].body
    assert not same or any(name in warning for warning in warnings), f"{name} neither arrived nor was told."


def _arrived(kit: Kit, capability: str) -> bool:
    asked = kit.asked[-1]
    seen = {
        "vision": asked.pictures,
        "tools": asked.tools,
        "json_schema": asked.schema,
        "reasoning": asked.effort,
        "document": asked.documents,
        "audio": asked.sounds,
    }
    return bool(seen[capability])


def _skip_unless(kit: Kit, capability: str, support: str) -> None:
    found = kit.manifest.supports(capability)
    if found != support:
        pytest.skip(f"The manifest says {found!r} of {capability}.")


def _holds(given: Any, wanted: Any) -> bool:
    """Tell whether a value stands anywhere in JSON, in whatever shape a list or table has there."""
    if isinstance(wanted, dict):
        return all(_holds(given, value) for value in wanted.values())
    if isinstance(wanted, list):
        return all(_holds(given, value) for value in wanted)
    if isinstance(wanted, bool):
        return True  # that something changed is all that can be seen
    if isinstance(given, dict):
        return any(_holds(value, wanted) for value in given.values())
    return any(_holds(value, wanted) for value in given) if isinstance(given, list) else bool(given == wanted)
