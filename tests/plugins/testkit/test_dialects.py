"""The dialects, as independent witnesses see them: the services' own SDKs, asking the kit's server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from g4f_testkit.checks.capabilities import CALLS, PDF, SCHEMA, define_tools, make_data_url
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import PICTURE, Failure, Turn, Usage, make_vector
from g4f_testkit.server import Server

TURN = Turn(text=("Grüße, ", "世界"), reasoning=("I ", "think"), usage=Usage(110, 70, cached=40, reasoning=20))


@contextmanager
def serve(dialect: str, *turns: Turn) -> Iterator[Server]:
    """The server, speaking a dialect."""
    with Server(DIALECTS[dialect], *turns) as server:
        yield server
        assert not server.failures


class TestOpenai:
    """Against the SDK `openai`."""

    def make_client(self, server: Server) -> Any:
        openai = pytest.importorskip("openai")
        return openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0)

    def test_a_whole_answer_is_one(self) -> None:
        """Text, reason, tokens of each kind."""
        with serve("openai", TURN) as server, self.make_client(server) as client:
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Grüße, 世界", "stop")
        usage = answer.usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (110, 70, 180)
        assert usage.prompt_tokens_details.cached_tokens == 40
        assert usage.completion_tokens_details.reasoning_tokens == 20
        assert (server.asked[0].model, server.asked[0].texts) == ("m", ("Hi",))

    def test_a_stream_is_one(self) -> None:
        """Calls too, whose pieces come in turns."""
        with serve("openai", Turn(calls=CALLS)) as server, self.make_client(server) as client:
            messages = [{"role": "user", "content": "Hi"}]
            with client.chat.completions.stream(model="m", messages=messages, tools=define_tools()) as stream:
                final = stream.get_final_completion()
        calls = final.choices[0].message.tool_calls
        assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
            (call.name, call.arguments) for call in CALLS
        ]
        assert server.asked[0].tools == ("get_weather", "get_time")

    def test_everything_in_a_request_is_seen(self) -> None:
        """Pictures, documents, schemas, calls and what they returned."""
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        content = [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": make_data_url(PICTURE, "image/png")}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": make_data_url(PDF, "application/pdf")}},
        ]
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": content},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
        ]
        form = {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}
        with serve("openai") as server, self.make_client(server) as client:
            client.chat.completions.create(model="m", messages=messages, response_format=form, reasoning_effort="low")
        asked = server.asked[0]
        assert (asked.system, asked.texts, asked.schema, asked.effort) == ("Be brief.", ("Look",), SCHEMA, "low")
        assert (asked.pictures, asked.documents) == ((PICTURE,), (PDF,))
        assert (asked.calls, asked.results) == (("f",), (("f", "done"),))

    def test_pictures_embeddings_and_models_are_told(self) -> None:
        """As many pictures as are asked for; a picture to change comes in a form."""
        with serve("openai") as server, self.make_client(server) as client:
            drawn = client.images.generate(model="m", prompt="a cat", n=2)
            changed = client.images.edit(model="m", prompt="a hat", image=("a.png", PICTURE, "image/png"))
            vectors = client.embeddings.create(model="m", input=["a", "bcd"], encoding_format="float")
            models = client.models.list()
        assert [base64.b64decode(image.b64_json) for image in drawn.data] == [PICTURE, PICTURE]
        assert base64.b64decode(changed.data[0].b64_json) == PICTURE
        assert [row.embedding for row in vectors.data] == [make_vector("a"), make_vector("bcd")]
        assert [model.id for model in models] == ["g4f-model-1", "g4f-model-2"]
        assert [asked.operation for asked in server.asked] == ["image", "image_edit", "embed", "models"]
        assert server.asked[1].pictures == (PICTURE,)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
    def test_a_refusal_is_one(self, status: int) -> None:
        """With all that stands in it."""
        openai = pytest.importorskip("openai")
        with (
            serve("openai", Turn(failure=Failure(status, "no"))) as server,
            self.make_client(server) as client,
            pytest.raises(openai.APIStatusError) as caught,
        ):
            client.chat.completions.create(model="m", messages=[])
        error = caught.value
        assert (error.status_code, error.code, error.type) == (status, "g4f_code", "g4f_type")
        assert error.request_id == "req-g4f-1"


class TestAnthropic:
    """Against the SDK `anthropic`."""

    def make_client(self, server: Server) -> Any:
        anthropic = pytest.importorskip("anthropic")
        return anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0)

    def test_a_whole_answer_is_one(self) -> None:
        """Thoughts, text, reason, tokens."""
        with serve("anthropic", TURN) as server, self.make_client(server) as client:
            messages = [{"role": "user", "content": "Hi"}]
            answer = client.messages.create(model="m", max_tokens=9, messages=messages, system="Be brief.")
        assert [block.type for block in answer.content] == ["thinking", "text"]
        assert (answer.content[0].thinking, answer.content[1].text) == ("I think", "Grüße, 世界")
        assert answer.stop_reason == "end_turn"
        usage = answer.usage
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (70, 40, 70)
        assert (server.asked[0].texts, server.asked[0].system) == (("Hi",), "Be brief.")

    def test_a_stream_is_one(self) -> None:
        """Put together by the SDK, it is the whole answer."""
        turn = Turn(reasoning=("I ", "think"), calls=CALLS)
        with serve("anthropic", turn) as server, self.make_client(server) as client:
            messages = [{"role": "user", "content": "Hi"}]
            with client.messages.stream(model="m", max_tokens=9, messages=messages) as stream:
                final = stream.get_final_message()
        thought, *calls = final.content
        assert thought.thinking == "I think"
        assert [(call.name, call.input) for call in calls] == [(call.name, call.arguments) for call in CALLS]
        assert (final.stop_reason, final.usage.output_tokens) == ("tool_use", 7)
        assert server.asked[0].stream

    def test_a_refusal_is_one(self) -> None:
        """With its id."""
        anthropic = pytest.importorskip("anthropic")
        with (
            serve("anthropic", Turn(failure=Failure(429, "no"))) as server,
            self.make_client(server) as client,
            pytest.raises(anthropic.RateLimitError) as caught,
        ):
            client.messages.create(model="m", max_tokens=9, messages=[])
        assert caught.value.request_id == "req-g4f-1"
        assert caught.value.body["error"]["message"] == "no"

    def test_models_are_told(self) -> None:
        """Page by page, of which there is one."""
        with serve("anthropic") as server, self.make_client(server) as client:
            assert [model.id for model in client.models.list()] == ["g4f-model-1", "g4f-model-2"]


class TestGemini:
    """Against the SDK `google-genai`."""

    def make_client(self, server: Server) -> Any:
        genai = pytest.importorskip("google.genai")
        return genai.Client(api_key="k", http_options={"base_url": server.url, "api_version": "v1beta"})

    def test_a_whole_answer_is_one(self) -> None:
        """Thoughts, text, reason, tokens."""
        with serve("gemini", TURN) as server, self.make_client(server) as client:
            answer = client.models.generate_content(
                model="m", contents="Hi", config={"system_instruction": "Be brief.", "response_json_schema": SCHEMA}
            )
        assert answer.text == "Grüße, 世界"
        assert answer.candidates[0].finish_reason.name == "STOP"
        usage = answer.usage_metadata
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (110, 40)
        assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (50, 20, 180)
        asked = server.asked[0]
        assert (asked.model, asked.texts, asked.system, asked.schema) == ("m", ("Hi",), "Be brief.", SCHEMA)

    def test_a_stream_is_one(self) -> None:
        """In pieces, the last of which tells the reason."""
        with serve("gemini", TURN) as server, self.make_client(server) as client:
            pieces = list(client.models.generate_content_stream(model="m", contents="Hi"))
        texts = [part.text for piece in pieces for part in piece.candidates[0].content.parts or [] if not part.thought]
        assert texts == ["Grüße, ", "世界"]
        assert pieces[-1].candidates[0].finish_reason.name == "STOP"
        assert server.asked[0].stream

    def test_a_refusal_is_one(self) -> None:
        """With its status and words."""
        errors = pytest.importorskip("google.genai.errors")
        with (
            serve("gemini", Turn(failure=Failure(400, "no"))) as server,
            self.make_client(server) as client,
            pytest.raises(errors.ClientError) as caught,
        ):
            client.models.generate_content(model="m", contents="Hi")
        assert (caught.value.code, caught.value.status, caught.value.message) == (400, "g4f_type", "no")

    def test_embeddings_and_models_are_told(self) -> None:
        """In their order."""
        with serve("gemini") as server, self.make_client(server) as client:
            found = client.models.embed_content(model="m", contents=["a", "bcd"])
            names = [model.name for model in client.models.list()]
        assert [each.values for each in found.embeddings] == [make_vector("a"), make_vector("bcd")]
        assert names == ["models/g4f-model-1", "models/g4f-model-2"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_no_request_of_the_dialect_gets_no_answer(dialect: str) -> None:
    """A provider that asks at a wrong address must notice."""
    with serve(dialect) as server:
        connection = HTTPConnection(server.url.removeprefix("http://"))
        connection.request("GET", "/v1/elsewhere")
        assert connection.getresponse().status == 404
        connection.close()
        assert not server.asked
