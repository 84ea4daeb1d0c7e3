"""CopilotAccount with the real program `copilot`; GitHub, or another service of models, is a server on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from g4f import AsyncClient, Client
from g4f.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    MissingCredentialsError,
)
from loopback import STALL, Loopback, Received, Reply, make_chunk, reply_events, reply_json
from plugins.provider_copilot.program import find_program, list_processes

pytestmark = [pytest.mark.large, pytest.mark.timeout(300)]
RECORDED = Path(__file__).parents[4] / "shared" / "traffic" / "sdk_requests" / "copilot_sdk_byok_completions.json"
KEY = "sk-of-another-service"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"}}
USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 4,
    "total_tokens": 9,
    "prompt_tokens_details": {"cached_tokens": 2},
}
STREAM = reply_events(
    {"id": "c1", "choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]},
    *map(make_chunk, ("This", " is", " a test")),
    make_chunk(finish_reason="stop"),
    {"id": "c1", "choices": [], "usage": USAGE},
)


@pytest.fixture(scope="session")
def program() -> Path:
    """The program, which npm brings."""
    return find_program()


@pytest.fixture(autouse=True)
def folder(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a folder for temporary files; the environment names the program."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COPILOT_CLI_PATH", str(program))
    return temporary


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """Another service in place of GitHub's models, which the environment names."""
    with Loopback(STREAM) as server:
        monkeypatch.setenv("COPILOT_PROVIDER_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("COPILOT_PROVIDER_API_KEY", KEY)
        monkeypatch.setenv("COPILOT_MODEL", "gpt-4o-mini")
        yield server


async def test_a_chat_is_answered(service: Loopback) -> None:
    """With tokens, reasoning, model and finish reason, and nothing to warn of."""
    async with AsyncClient(provider="CopilotAccount") as client:
        completion = await client.chat.completions.create("Say this is a test")
    [choice] = completion.choices
    assert (choice.message.content, choice.message.reasoning_content, choice.finish_reason) == (
        "This is a test",
        "Hm.",
        "stop",
    )
    assert (completion.provider, completion.model, completion.warnings) == ("CopilotAccount", "gpt-4o-mini", [])
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (5, 4)
    assert completion.usage.prompt_tokens_details is not None
    assert completion.usage.prompt_tokens_details.cached_tokens == 2


async def test_the_model_is_asked_without_the_agents_prompt_and_tools(service: Loopback) -> None:
    """The request is the user's message, after the time that the program puts before it."""
    async with AsyncClient(provider="CopilotAccount") as client:
        await client.chat.completions.create("Say this is a test")
    [request] = service.requests
    assert request.key == KEY
    [message] = request.json["messages"]
    assert message["role"] == "user"
    assert message["content"].endswith("</current_datetime>\n\nSay this is a test")
    assert "tools" not in request.json


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded requests (../shared/traffic) are not here")
async def test_the_request_has_the_parameters_that_were_recorded_of_the_sdk(service: Loopback) -> None:
    """All but the agent's own prompt and additions."""
    recorded = json.loads(RECORDED.read_text())["request"]
    async with AsyncClient(provider="CopilotAccount") as client:
        await client.chat.completions.create("Say this is a test")
    [request] = service.requests
    assert (request.method, request.path) == (recorded["method"], recorded["url_path"])
    own = {name: value for name, value in request.json.items() if name != "messages"}
    assert own == {name: value for name, value in recorded["body"].items() if name != "messages"}


async def test_a_stream_comes_piece_by_piece(service: Loopback) -> None:
    """As the service sends it."""
    async with AsyncClient(provider="CopilotAccount") as client:
        stream = await client.chat.completions.create("Hi", stream=True)
        texts = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert [text for text in texts if text] == ["This", " is", " a test"]
    assert stream.usage is not None
    assert stream.usage.total_tokens == 9


async def test_a_conversation_with_a_system_message_is_told(service: Loopback) -> None:
    """The system message is the model's; the turns stand in the user's."""
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three?"},
    ]
    async with AsyncClient(provider="CopilotAccount") as client:
        completion = await client.chat.completions.create(messages)
    system, user = service.requests[0].json["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"].endswith("[user]\nOne?\n\n[assistant]\nTwo.\n\nAnswer this message now:\n\nThree?")
    assert len(completion.warnings) == 1


async def test_a_picture_is_shown_to_the_model(service: Loopback, folder: Path) -> None:
    """From memory: it is in no file meanwhile, and nothing is left in the end."""
    seen: list[Path] = []

    def answer(request: Received) -> Reply:
        files = [path for path in folder.rglob("*") if path.is_file()]
        seen.extend(path for path in files if PNG in path.read_bytes())
        return STREAM

    service.answer = answer
    async with AsyncClient(provider="CopilotAccount") as client:
        await client.chat.completions.create("What's in this image?", image=PNG)
    content = service.requests[0].json["messages"][-1]["content"]
    assert PICTURE in content
    assert seen == []
    assert list(folder.iterdir()) == []


async def test_a_picture_on_the_web_is_downloaded_for_the_model(service: Loopback) -> None:
    """By g4f, without any key."""
    with Loopback(Reply(200, {"content-type": "image/png"}, PNG)) as web:
        message = {
            "role": "user",
            "content": [
                {"type": "text", "text": "And this?"},
                {"type": "image_url", "image_url": {"url": f"{web.url}/a.png"}},
            ],
        }
        async with AsyncClient(provider="CopilotAccount", allow_private_urls=True) as client:
            await client.chat.completions.create([message])
        assert [(request.path, request.key) for request in web.requests] == [("/a.png", None)]
    assert PICTURE in service.requests[0].json["messages"][-1]["content"]


async def test_a_schema_is_asked_for(service: Loopback) -> None:
    """In the words of the service behind the program."""
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}
    async with AsyncClient(provider="CopilotAccount") as client:
        await client.chat.completions.create("Hi", response_format=form)
    asked = service.requests[0].json["response_format"]
    assert (asked["type"], asked["json_schema"]["schema"]) == ("json_schema", schema)


async def test_many_chats_share_a_program(service: Loopback, program: Path) -> None:
    """At once, each in a session of its own, and none is left when the client closes."""
    async with AsyncClient(provider="CopilotAccount") as client:
        answers = await asyncio.gather(*(client.chat.completions.create(f"Number {number}") for number in range(5)))
        assert len(list_processes(program, own=True)) == 1
    assert {answer.choices[0].message.content for answer in answers} == {"This is a test"}
    assert len({request.json["messages"][-1]["content"].rpartition(" ")[2] for request in service.requests}) == 5
    assert list_processes(program, own=True) == []


# --- Faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequestError), (401, AuthenticationError)])
async def test_errors_of_the_service_are_typed(status: int, kind: Any, service: Loopback) -> None:
    """And the key is in none of them, though it was echoed."""
    service.answer = lambda request: reply_json({"error": {"message": f"No, {KEY}.", "code": "a_code"}}, status)
    async with AsyncClient(provider="CopilotAccount") as client:
        with pytest.raises(kind) as caught:
            await client.chat.completions.create("Hi")
    assert caught.value.status_code == status
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.body}"


async def test_who_leaves_a_stream_ends_it(service: Loopback) -> None:
    """The program hangs up, and serves the next chat."""
    service.answer = lambda request: reply_events(make_chunk("This"), STALL, end=())
    async with AsyncClient(provider="CopilotAccount") as client:
        async for chunk in client.chat.completions.stream("Hi"):
            if chunk.choices and chunk.choices[0].delta.content:
                break
        assert await asyncio.to_thread(service.wait_until, lambda: service.hang_ups)
        service.answer = lambda request: STREAM
        assert (await client.chat.completions.create("Hi")).choices[0].message.content == "This is a test"


async def test_a_chat_that_takes_too_long_is_ended(service: Loopback) -> None:
    """The deadline begins when the program runs; it hangs up."""
    service.answer = lambda request: reply_events(make_chunk("This"), STALL, end=())
    async with AsyncClient(provider="CopilotAccount", max_retries=0, timeout=2) as client:
        with pytest.raises(APITimeoutError):
            await client.chat.completions.create("Hi")
        assert await asyncio.to_thread(service.wait_until, lambda: service.hang_ups)


async def test_a_program_that_dies_is_told_and_started_again(service: Loopback, program: Path) -> None:
    """In the middle of an answer; another chat gets a new one."""
    service.answer = lambda request: reply_events(make_chunk("This"), STALL, end=())
    async with AsyncClient(provider="CopilotAccount", max_retries=0) as client:
        with pytest.raises(APIConnectionError, match="The program copilot ended"):
            async for chunk in client.chat.completions.stream("Hi"):
                if chunk.choices and chunk.choices[0].delta.content:
                    os.kill(*list_processes(program, own=True), signal.SIGKILL)
        service.answer = lambda request: STREAM
        assert (await client.chat.completions.create("Hi")).choices[0].message.content == "This is a test"
    assert list_processes(program, own=True) == []


@pytest.mark.parametrize("program", ["/nowhere/copilot", "/bin/false"])
def test_a_program_that_cannot_be_started_is_told(program: str) -> None:
    """With what to do. It runs apart, since the SDK leaves the pipes of a program that ends at once open."""
    done = _run(
        f"""
        from g4f import Client, ProviderBrokenError

        with Client("CopilotAccount", api_key="gho_1", settings={{"program": "{program}"}}) as client:
            try:
                client.chat.completions.create("Hi")
            except ProviderBrokenError as error:
                print(error)
        """
    )
    assert done.stdout.startswith("The program copilot cannot be started: "), done.stderr
    assert "Set COPILOT_CLI_PATH to where it is" in done.stdout


async def test_without_an_account_nothing_is_started(program: Path) -> None:
    """The message names the variables."""
    async with AsyncClient(provider="CopilotAccount") as client:
        with pytest.raises(MissingCredentialsError, match="COPILOT_GITHUB_TOKEN, GH_TOKEN or GITHUB_TOKEN"):
            await client.chat.completions.create("Hi")
    assert list_processes(program, own=True) == []


# --- The program's life ----------------------------------------------------------------------------------------------


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a user's, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)], capture_output=True, text=True, check=False, timeout=120
    )


def test_a_client_that_is_never_closed_leaves_no_program(service: Loopback, program: Path) -> None:
    """The loop ends it, without a word."""
    done = _run(
        """
        import asyncio
        from g4f.client import AsyncClient

        async def main():
            client = AsyncClient(provider="CopilotAccount")
            print((await client.chat.completions.create("Hi")).choices[0].message.content)

        asyncio.run(main())
        asyncio.run(main())
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "This is a test\n" * 2, "")
    assert service.wait_until(lambda: not list_processes(program))


def test_a_process_that_is_killed_leaves_no_program(service: Loopback, program: Path) -> None:
    """The program reads the end of its input."""
    _run(
        """
        import asyncio, os, signal
        from g4f.client import AsyncClient

        async def main():
            async with AsyncClient(provider="CopilotAccount") as client:
                await client.chat.completions.create("Hi")
                os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
        """
    )
    assert service.requests
    assert service.wait_until(lambda: not list_processes(program), 10)


def test_the_blocking_client_does_the_same(service: Loopback, program: Path) -> None:
    """Behind its own loop, which outlives its chats."""
    with Client(provider="CopilotAccount") as client:
        for _ in range(2):
            assert client.chat.completions.create("Hi").choices[0].message.content == "This is a test"
        assert len(list_processes(program, own=True)) == 1
    assert service.wait_until(lambda: not list_processes(program, own=True))


# --- GitHub ----------------------------------------------------------------------------------------------------------


class GitHub:
    """As much of GitHub as the program asks: whose token it is, which models there are, and their answers."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        server.answer = self._answer

    def _answer(self, request: Received) -> Reply:
        if request.path.endswith("/copilot_internal/user"):
            if request.key == "gho_wrong":
                return reply_json({"message": "Bad credentials"}, 401)
            return reply_json({"login": "octo", "chat_enabled": True, "endpoints": {"api": f"{self.server.url}/capi"}})
        if request.path == "/capi/models":
            return reply_json({"data": [_describe_model("gpt-5-mini"), _describe_model("claude-sonnet-5")]})
        if request.path == "/capi/chat/completions":
            return STREAM
        return reply_json({"message": "Not Found"}, 404)

    def list_chats(self) -> list[Received]:
        """The requests to a model."""
        return [request for request in self.server.requests if request.path == "/capi/chat/completions"]


def _describe_model(name: str) -> dict[str, Any]:
    limits = {"max_prompt_tokens": 100000, "max_output_tokens": 1000, "max_context_window_tokens": 128000}
    return {
        "id": name,
        "name": name.upper(),
        "object": "model",
        "vendor": "x",
        "version": "1",
        "preview": False,
        "model_picker_enabled": True,
        "capabilities": {
            "family": name,
            "type": "chat",
            "limits": limits,
            "supports": {"streaming": True, "tool_calls": True, "vision": True},
        },
        "policy": {"state": "enabled"},
        "supported_endpoints": ["/chat/completions"],
    }


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """GitHub, by the variables that the program has for tests."""
    with Loopback(Reply(500)) as server:
        monkeypatch.setenv("COPILOT_API_URL", f"{server.url}/capi")
        monkeypatch.setenv("COPILOT_DEBUG_GITHUB_API_URL", f"{server.url}/api")
        yield GitHub(server)


async def test_a_chat_is_asked_at_github_with_the_users_token(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first variable that is set counts, and the model is the account's own where none is named."""
    monkeypatch.setenv("GITHUB_TOKEN", "gho_second")
    monkeypatch.setenv("GH_TOKEN", "gho_first")
    async with AsyncClient(provider="CopilotAccount") as client:
        completion = await client.chat.completions.create("Hi", image=PNG)
        await client.chat.completions.create("Hi", model="claude-sonnet-5")
    assert completion.choices[0].message.content == "This is a test"
    first, second = github.list_chats()
    assert (first.key, second.key, second.json["model"]) == ("gho_first", "gho_first", "claude-sonnet-5")
    assert "Hi" in json.dumps(first.json["messages"])
    assert PICTURE["type"] in json.dumps(first.json["messages"])
    # One of its requests writes "bearer" with a small letter.
    assert {str(request.key).removeprefix("bearer ") for request in github.server.requests} == {"gho_first"}


async def test_two_clients_share_a_program_and_not_their_tokens(github: GitHub, program: Path) -> None:
    """Each session carries its own."""
    async with (
        AsyncClient(provider="CopilotAccount", api_key="gho_one") as one,
        AsyncClient(provider="CopilotAccount", api_key="gho_two") as two,
    ):
        await asyncio.gather(*(client.chat.completions.create(f"of {client}") for client in (one, two)))
        assert len(list_processes(program, own=True)) == 1
    assert {request.key for request in github.list_chats()} == {"gho_one", "gho_two"}


async def test_the_models_are_those_of_the_account(github: GitHub) -> None:
    """As the program lists them."""
    async with AsyncClient(provider="CopilotAccount", api_key="gho_one") as client:
        names = [model.id for model in await client.models.list()]
    assert {"gpt-5-mini", "claude-sonnet-5"} <= set(names)


async def test_a_token_that_github_refuses_is_an_error_without_it(github: GitHub) -> None:
    """In what the program says of it."""
    async with AsyncClient(provider="CopilotAccount", api_key="gho_wrong", max_retries=0) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.chat.completions.create("Hi")
    assert "gho_wrong" not in f"{caught.value!r} {caught.value}"
