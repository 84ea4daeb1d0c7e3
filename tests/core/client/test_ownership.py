"""Whose a key and an address are: they follow the provider that they were given with, not its name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from g4f import AsyncClient, Auth, HttpProvider, Manifest
from g4f.errors import APIError, InvalidInputError, MissingCredentialsError, ModelNotFoundError
from g4f.registry import ProviderRef, Registry
from loopback import Loopback, make_completion, reply_json

OPTIONAL = Auth("header", variables=("NO_SUCH_VARIABLE",), required=False)


class First(HttpProvider):
    manifest = Manifest(title="First", base_url="http://127.0.0.1:9/v1", auth=OPTIONAL, models_open=True)


class Second(HttpProvider):
    manifest = Manifest(title="Second", base_url="http://127.0.0.1:9/v1", auth=OPTIONAL, models_open=True)


class Named(HttpProvider):
    name = "my service"
    manifest = First.manifest


@pytest.fixture
def servers() -> Iterator[tuple[Loopback, Loopback]]:
    """Two services that answer, and remember the keys that they got."""
    with Loopback(reply_json(make_completion())) as first, Loopback(reply_json(make_completion())) as second:
        yield first, second


def keys(server: Loopback) -> list[str | None]:
    """Return the keys that a server got, in order."""
    return [request.headers.get("authorization", "").removeprefix("Bearer ") or None for request in server.requests]


def urls(first: Loopback, second: Loopback) -> dict[str, str]:
    """Return the address of each provider."""
    return {"First": first.url, "Second": second.url}


async def test_another_provider_never_inherits_a_key(servers: tuple[Loopback, Loopback]) -> None:
    """Not by a call, not by with_options, not as image provider; the owner still has it afterwards."""
    first, second = servers
    async with AsyncClient(First, api_key="sk-first", base_url=urls(first, second)) as client:
        for other in (client.with_options(provider=Second), client.with_options(image_provider=Second)):
            await other.chat.completions.create("Hi", "m", provider=Second)
        await client.with_options(provider=Second).chat.completions.create("Hi", "m")
        await client.with_options(provider=Second).chat.completions.create("Hi", "m", provider=First)
        await client.chat.completions.create("Hi", "m")
    assert keys(second) == [None, None, None]
    assert keys(first) == ["sk-first", "sk-first"]


async def test_another_provider_never_inherits_an_address(servers: tuple[Loopback, Loopback]) -> None:
    """Else its key would go there."""
    first, second = servers
    async with AsyncClient(First, api_key={"First": "sk-first", "Second": "sk-second"}, base_url=first.url) as client:
        other = client.with_options(provider=Second, base_url={"Second": second.url})
        await other.chat.completions.create("Hi", "m")
        with pytest.raises(Exception, match="No connection"):
            await client.with_options(provider=Second, max_retries=0).chat.completions.create("Hi", "m")
    assert keys(first) == []
    assert keys(second) == ["sk-second"]


async def test_two_objects_of_one_class_are_two_providers(servers: tuple[Loopback, Loopback]) -> None:
    """A plain key belongs to the one that it was given with."""
    first, second = servers
    one, two = First(), First()
    async with AsyncClient(one, api_key="sk-one", base_url=first.url) as client:
        await client.chat.completions.create("Hi", "m")
        await client.chat.completions.create("Hi", "m", provider=two, base_url=second.url)
        await client.chat.completions.create("Hi", "m", provider=two, base_url=second.url, api_key="sk-two")
        await client.chat.completions.create("Hi", "m")
    assert keys(first) == ["sk-one", "sk-one"]
    assert keys(second) == [None, "sk-two"]


async def test_a_class_that_borrows_the_name_of_an_installed_provider_gets_nothing_of_it() -> None:
    """A plain key stays with the installed one; a key by name is refused, since it would mean both."""

    class OpenaiChat(HttpProvider):
        manifest = First.manifest

    async with AsyncClient("OpenaiChat", api_key="sk-real", max_retries=0) as client:
        with pytest.raises(Exception, match="No connection") as caught:
            await client.chat.completions.create("Hi", "m", provider=OpenaiChat)
        assert "sk-real" not in str(caught.value)
    async with AsyncClient(OpenaiChat, api_key={"OpenaiChat": "sk-real"}) as client:
        with pytest.raises(InvalidInputError, match="is an installed provider and a class of yours: rename yours"):
            await client.chat.completions.create("Hi", "m")


async def test_a_class_with_an_attribute_name_keeps_its_key(servers: tuple[Loopback, Loopback]) -> None:
    """It is called as its class is."""
    first, _ = servers
    async with AsyncClient(Named, api_key="sk-named", base_url=first.url) as client:
        await client.chat.completions.create("Hi", "m")
        answer = await client.chat.completions.create("Hi", "m", api_key={"Named": "sk-call"})
    assert keys(first) == ["sk-named", "sk-call"]
    assert answer.provider == "Named"


async def test_objects_made_for_each_call_get_the_key_of_their_class(servers: tuple[Loopback, Loopback]) -> None:
    """And the client remembers only some of them."""
    first, second = servers
    async with AsyncClient(api_key={"First": "sk-first"}, base_url=urls(first, second)) as client:
        for _ in range(70):
            answer = await client.chat.completions.create("Hi", "m", provider=First())
        assert len(client._shared.chooser._adopted) <= 64
    assert set(keys(first)) == {"sk-first"}
    assert answer.provider == "First"


async def test_the_class_of_an_installed_provider_is_that_provider(servers: tuple[Loopback, Loopback]) -> None:
    """With its manifest, its variables and its key."""
    first, _ = servers
    registry = Registry(refs=[ProviderRef("Installed", __name__, "First")])
    assert registry.recognize(First) is not None
    assert registry.recognize(Second) is None
    from g4f_provider_openai import OpenaiChat

    async with AsyncClient(OpenaiChat, api_key="sk-class", base_url=first.url) as client:
        answer = await client.chat.completions.create("Hi", "gpt-4o-mini")
        await client.chat.completions.create("Hi", "gpt-4o-mini", provider="openaichat")
    assert answer.provider == "OpenaiChat"
    assert keys(first) == ["sk-class", "sk-class"]


async def test_a_nickname_is_refused_where_a_key_would_stay_unused() -> None:
    """It says the proper name."""
    async with AsyncClient("OpenaiChat", api_key={"OpenAI": "sk-typo"}) as client:
        with pytest.raises(InvalidInputError, match="given for 'OpenAI'; the provider is called 'OpenaiChat'"):
            await client.chat.completions.create("Hi")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/v1?version=1", "http://127.0.0.1/v1#a", "http://user:word@127.0.0.1/v1", "127.0.0.1/v1"]
)
def test_an_address_that_paths_cannot_be_joined_to_is_refused(url: str) -> None:
    """And what may be secret in it is not repeated."""
    with pytest.raises(InvalidInputError) as caught:
        AsyncClient(First, base_url=url)
    assert "word" not in str(caught.value)


async def test_an_empty_key_is_no_key_and_never_the_environments() -> None:
    """`config.get("key", "")` must not spend somebody else's key."""
    with pytest.raises(InvalidInputError, match="api_key for the provider is empty"):
        AsyncClient("OpenaiChat", api_key="")
    with pytest.raises(MissingCredentialsError):
        await AsyncClient("OpenaiChat", api_key=None).chat.completions.create("Hi")


async def test_an_alias_is_the_same_provider(
    servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was given for one name serves under the other."""
    first, _ = servers
    monkeypatch.setenv("ANTHROPIC_BASE_URL", first.url)
    async with AsyncClient("Claude", api_key="sk-claude", max_retries=0) as client:
        for provider, key in ((None, None), ("Anthropic", None), ("claude", {"Anthropic": "sk-mapped"})):
            with pytest.raises(APIError):  # the answer is of another dialect
                await client.chat.completions.create("Hi", provider=provider, api_key=key)
    assert keys(first) == ["sk-claude", "sk-claude", "sk-mapped"]


async def test_an_alias_serves_wherever_a_providers_name_does(
    servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a model's name, in the user's order, and in mappings by name."""
    first, _ = servers
    monkeypatch.setenv("ANTHROPIC_BASE_URL", first.url)
    monkeypatch.setenv("G4F_PROVIDERS", "Claude")
    by_alias = {"Claude": "sk-mapped"}
    async with AsyncClient(api_key=by_alias, max_retries=0, registry=Registry()) as client:
        for model, provider in (
            ("Claude/claude-opus-5", None),
            ("claude/claude-opus-5", "Anthropic"),
            ("Anthropic/claude-opus-5", "Claude"),
            ("claude-opus-5", None),
            (None, None),
        ):
            with pytest.raises(APIError):  # the answer is of another dialect
                await client.chat.completions.create("Hi", model, provider)
    asked = [(request.json["model"], request.key) for request in first.requests]
    assert asked == [("claude-opus-5", "sk-mapped")] * 4 + [("claude-sonnet-5-5", "sk-mapped")]


@pytest.mark.parametrize("model", ["gpt-4o", None])
async def test_a_preferred_provider_that_is_not_there_is_told_of(
    servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch, model: str | None
) -> None:
    """Another one answers, and the answer says so."""
    first, _ = servers
    monkeypatch.setenv("OPENAI_BASE_URL", first.url)
    monkeypatch.setenv("G4F_PROVIDERS", "Nobdy,OpenaiChat")
    async with AsyncClient(api_key={"OpenaiChat": "sk-mapped"}, registry=Registry()) as client:
        answer = await client.chat.completions.create("Hi", model)
    assert answer.warnings == ["G4F_PROVIDERS names 'Nobdy', which is no installed provider: it is passed over."]


async def test_a_chosen_provider_that_is_not_there_is_told_of(servers: tuple[Loopback, Loopback]) -> None:
    """The next one of the list answers, and says so: it may be a slip, or a list for several machines."""
    first, _ = servers
    chosen = ["Nobdy", "OpenaiChat"]
    async with AsyncClient(chosen, api_key={"OpenaiChat": "sk"}, base_url={"OpenaiChat": first.url}) as client:
        answer = await client.chat.completions.create("Hi", "gpt-5")
        stream = await client.chat.completions.create("Hi", "gpt-5", stream=True)
        await stream.aclose()
    for found in (answer, stream):
        assert [warning[:51] for warning in found.warnings] == ["Nobdy is passed over: There is no provider 'Nobdy'."]
        assert [attempt.provider for attempt in found.attempts] == ["Nobdy", "OpenaiChat"]


async def test_a_model_that_nobody_lists_brings_near_ones_to_mind() -> None:
    """Also where one of several chosen providers is passed over."""
    async with AsyncClient() as client:
        with pytest.raises(ModelNotFoundError, match=r"'claud-opus-5'\. Did you mean claude-opus-5 or"):
            await client.chat.completions.create("Hi", "claud-opus-5")
    async with AsyncClient(["Local", "Claude"]) as client:
        with pytest.raises(ModelNotFoundError, match=r"Local does not list the model 'smolm2-135m-instruct'\. Did you"):
            await client.chat.completions.create("Hi", "smolm2-135m-instruct")
