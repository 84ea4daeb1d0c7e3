"""Settings of providers that a program gives: whose they are, what they count against, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from g4f import AsyncClient, Auth, Client, Completion, Context, HttpProvider, Manifest, hookimpl
from g4f.errors import InvalidInputError
from g4f.manifest import Setting
from loopback import Loopback, make_completion, reply_json

SETTINGS = (
    Setting("team", variable="TEAM_OF_THE_TESTS", header="X-Team"),
    Setting("api_version", variable="VERSION_OF_THE_TESTS"),
    Setting("folder"),
)


class Served(HttpProvider):
    manifest = Manifest(
        title="Served",
        base_url="http://127.0.0.1:9/v1",
        auth=Auth("header", required=False),
        settings=SETTINGS,
        models_open=True,
    )


class Keep:
    """Keeps the settings that it gets."""

    manifest = Manifest(title="Keep", capabilities={"chat": "yes"}, settings=SETTINGS, models_open=True)

    def __init__(self) -> None:
        self.settings: list[dict[str, Any]] = []

    @hookimpl
    async def chat(self, context: Context) -> Completion:
        self.settings.append(dict(context.settings))
        return Completion.from_text("kept")


class Bare(Keep):
    """Has no settings."""

    manifest = Manifest(title="Bare", capabilities={"chat": "yes"}, models_open=True)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A service that answers."""
    with Loopback(reply_json(make_completion())) as server:
        yield server


async def test_what_the_program_gives_counts_more_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting by setting; a call's before the client's, and None counts as not given."""
    monkeypatch.setenv("TEAM_OF_THE_TESTS", "of the environment")
    monkeypatch.setenv("VERSION_OF_THE_TESTS", "0")
    keep = Keep()
    async with AsyncClient(keep, api_version="1", settings={"folder": Path("here"), "team": None}) as client:
        await client.chat.completions.create("Hi")
        await client.chat.completions.create("Hi", settings={"team": "mine"}, api_version="2")
        await client.with_options(settings={"team": "other"}).chat.completions.create("Hi")
    assert keep.settings == [
        {"team": "of the environment", "api_version": "1", "folder": "here"},
        {"team": "mine", "api_version": "2", "folder": "here"},
        {"team": "other", "api_version": "1"},
    ]


def test_the_synchronous_client_takes_the_same() -> None:
    """By the same names."""
    keep = Keep()
    with Client(keep, api_version="1", settings={"team": "mine"}) as client:
        client.chat.completions.create("Hi")
    assert keep.settings[0].items() >= {"api_version": "1", "team": "mine"}.items()


async def test_a_setting_that_is_a_header_goes_out_as_one(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a foreign address only what the program gave: the environment's is not meant for it."""
    monkeypatch.setenv("TEAM_OF_THE_TESTS", "of the environment")
    async with AsyncClient(Served, base_url=server.url) as client:
        await client.chat.completions.create("Hi", "m")
        await client.chat.completions.create("Hi", "m", settings={"team": "mine"})
    assert [request.headers.get("x-team") for request in server.requests] == [None, "mine"]


async def test_settings_belong_to_the_provider_that_they_were_given_with() -> None:
    """Another one never inherits them; by name, each gets its own."""
    first, second = Keep(), Bare()
    async with AsyncClient(first, settings={"team": "first"}) as client:
        await client.chat.completions.create("Hi", provider=second)
        await client.chat.completions.create("Hi")
    named = {"Keep": {"team": "first"}, "Bare": {}}
    async with AsyncClient([second, first], settings=named, api_version={"Keep": "3"}) as client:
        await client.chat.completions.create("Hi")
        await client.chat.completions.create("Hi", provider=first)
    assert second.settings == [{}, {}]
    assert [found["team"] for found in first.settings] == ["first", "first"]
    assert first.settings[1]["api_version"] == "3"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"settings": {"taem": "x"}}, "Keep has no setting 'taem'; it has team, api_version, folder."),
        ({"provider": Bare, "api_version": "1"}, "Bare has no setting 'api_version'; it has none."),
        ({"provider": [Keep, Bare], "api_version": "1"}, r"not clear whose api_version this is: .*\{'Keep': …\}"),
        ({"provider": [Bare, Keep], "settings": {"Bare": {"x": "1"}}}, "Bare has no setting 'x'"),
        ({"settings": {"team": 5}}, "The setting team must be a text of one line."),
        ({"settings": {"team": "a\r\nX-Key: b"}}, "must be a text of one line"),
        ({"settings": {"team": "x", "Keep": {"folder": "y"}}}, "settings holds both names of its own and providers"),
        ({"settings": "team=x"}, "must be a mapping of names to texts, not str"),
        ({"api_version": {"OpenAI": "1"}}, "given for 'OpenAI'; the provider is called 'OpenaiChat'"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(arguments: dict[str, Any], says: str) -> None:
    """In one sentence; a list of providers does not pass over a misspelled one."""
    with pytest.raises(InvalidInputError, match=says):
        async with AsyncClient(**{"provider": Keep, **arguments}) as client:
            await client.chat.completions.create("Hi")
