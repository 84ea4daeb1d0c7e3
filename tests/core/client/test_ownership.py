"""Whose a key and an address are: they follow the provider that they were given with, not its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from g4f import AsyncClient, Auth, HttpProvider, Manifest, Timeout
from g4f.client._arguments import ClientArguments
from g4f.errors import APIError, InvalidInputError, MissingCredentialsError, ModelNotFoundError
from g4f.middleware.retry import Retry
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


async def test_an_address_of_the_image_providers_alone_chooses_nobody_for_chats(
    servers: tuple[Loopback, Loopback],
) -> None:
    """It is no server for everything: who chats is found as if there was none."""
    first, _ = servers
    async with AsyncClient(image_provider=First, base_url=first.url) as client:
        with pytest.raises(ModelNotFoundError):
            await client.chat.completions.create("Hi", "nobody-has-such-a-model")
        await client.chat.completions.create("Hi", "m", provider=First)
    assert len(first.requests) == 1


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


@pytest.mark.parametrize("name", ["OpenaiChatt", "OpenaiChat ", "openai_chat", "oai", "tenant1", ""])
@pytest.mark.parametrize("what", ["api_key", "base_url", "api_version", "settings"])
async def test_a_name_that_nobody_has_is_refused_where_its_value_would_be_missed(
    what: str, name: str, servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the prompt would go to the vendor, with the key of the environment."""
    first, _ = servers
    monkeypatch.setenv("OPENAI_BASE_URL", first.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    value: Any = {"base_url": first.url, "settings": {"organization": "o"}}.get(what, "tenant")
    given: Any = {what: {name: value}}
    async with AsyncClient("OpenaiChat", **given) as client, AsyncClient() as other:
        with pytest.raises(InvalidInputError, match=f"{what} is given for a name that nobody has. There is no provide"):
            await client.chat.completions.create("Hi")
        with pytest.raises(InvalidInputError, match=f"There is no provider {name!r}"):
            await other.chat.completions.create("Hi", "OpenaiChat/gpt-4o-mini", **given)
    assert first.requests == []


async def test_a_name_that_is_near_to_a_providers_brings_that_to_mind() -> None:
    """Those that are known need not be installed: one mapping serves on all machines; and a key is not shown."""
    async with AsyncClient("OpenaiChat", api_key={"Opnaichat": "sk"}) as client:
        with pytest.raises(InvalidInputError, match=r"There is no provider 'Opnaichat'\. Did you mean OpenaiChat\?"):
            await client.chat.completions.create("Hi")
    registry = Registry(refs=[])
    async with AsyncClient(
        First, api_key={"groq": "sk", "Anthropic": "sk"}, registry=registry, max_retries=0
    ) as client:
        with pytest.raises(APIError, match="No connection"):
            await client.chat.completions.create("Hi", "m")
    async with AsyncClient("OpenaiChat", api_key={"sk-mistaken": "OpenaiChat"}) as client:
        with pytest.raises(InvalidInputError, match="looks like a key") as caught:
            await client.chat.completions.create("Hi")
    assert "sk-mistaken" not in str(caught.value)


async def test_a_class_of_ones_own_may_be_named_before_it_is_used(servers: tuple[Loopback, Loopback]) -> None:
    """With the client it counts in calls to others, too; without, where those have what they need."""
    first, second = servers
    both = {"First": "sk-first", "Second": "sk-second"}
    async with AsyncClient(First, api_key={"First": "sk-first"}, base_url={"First": first.url}) as client:
        await client.chat.completions.create("Hi", "m", Second, base_url=second.url)
    async with AsyncClient(api_key=both, base_url=urls(first, second)) as client:
        await client.chat.completions.create("Hi", "m", Second)
    assert keys(second) == [None, "sk-second"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"api_key": {"OpenaiChat": None}}, "api_key has None for 'OpenaiChat': leave the name out"),
        ({"base_url": {"OpenaiChat": None}}, "base_url has None for 'OpenaiChat': leave the name out"),
        ({"api_version": {"OpenaiChat": None}}, "api_version has None for 'OpenaiChat': leave the name out"),
        ({"api_key": {First: "sk"}}, "api_key must be by the names of providers, as texts, not type"),
    ],
)
def test_none_by_name_is_refused(given: Any, says: str) -> None:
    """In place of a key that is not there another one would be used."""
    with pytest.raises(InvalidInputError, match=says):
        AsyncClient("OpenaiChat", **given)


@pytest.mark.parametrize("at_call", [False, True])
async def test_beside_keys_by_name_those_of_the_environment_are_not_used(
    at_call: bool, servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an empty mapping nor another provider's name brings the operator's key; who needs none goes on."""
    first, _ = servers
    for name in ("OPENAI_API_KEY", "M365_COPILOT_TOKEN", "CUSTOM_API_KEY"):
        monkeypatch.setenv(name, "sk-operator")
    for name in ("OPENAI_BASE_URL", "M365_COPILOT_BASE_URL", "CUSTOM_BASE_URL"):
        monkeypatch.setenv(name, first.url)
    mappings: list[dict[str, str]] = [{}, {"Anthropic": "sk-tenant"}]
    for given in mappings:
        more: Any = {"api_key": given} if at_call else {}
        async with AsyncClient(api_key=None if at_call else given) as client:
            for provider in ("OpenaiChat", "Copilot"):
                with pytest.raises(MissingCredentialsError, match=f"{provider} needs a key: api_key is a mapping that"):
                    await client.chat.completions.create("Hi", provider=provider, **more)
            with pytest.raises(MissingCredentialsError, match="To use 'gpt-4o-mini', give a key"):
                await client.chat.completions.create("Hi", "gpt-4o-mini", **more)
            await client.chat.completions.create("Hi", "m", "Custom", **more)
    assert keys(first) == [None, None]


async def test_none_leaves_the_arguments_of_a_copy_as_they_were(servers: tuple[Loopback, Loopback]) -> None:
    """As it does for a call; a misspelled argument is one in any case."""
    first, _ = servers
    async with AsyncClient(First, api_key="sk-base", base_url=first.url, timeout=5, max_retries=0) as client:
        unchanged: Any = dict.fromkeys(ClientArguments.__annotations__)
        copy = client.with_options(**unchanged)
        await copy.chat.completions.create("Hi", "m")
        assert copy._settings.timeout == client._settings.timeout
        assert client.with_options(timeout=Timeout(gap=2))._settings.timeout == attrs.evolve(Timeout.make(5), gap=2)
        assert _count_retries(copy) == [0]
        with pytest.raises(TypeError, match="a client has no argument 'keys'"):
            client.with_options(keys=None)  # type: ignore[call-arg]
    assert keys(first) == ["sk-base"]
    assert _count_retries(AsyncClient(max_retries=None)) == [2]


def _count_retries(client: AsyncClient) -> list[int]:
    return [item.max_retries for item in client._settings.middleware if isinstance(item, Retry)]


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


async def test_an_entry_of_a_list_may_name_its_model(servers: tuple[Loopback, Loopback]) -> None:
    """It goes before the call's, one provider may stand there with several, and a plain key is that provider's."""
    first, second = servers
    first.answer = lambda request: reply_json({"error": {"message": "no"}}, status=503)
    urls = {"OpenaiChat": first.url, "Custom": second.url}
    chosen = ["OpenaiChat/gpt-4o", "openaichat/ft:gpt-4o:org::abc", "OpenaiChat", "Custom/org/m2"]
    async with AsyncClient(chosen, api_key={"OpenaiChat": "sk"}, base_url=urls, max_retries=0) as client:
        answer = await client.chat.completions.create("Hi", "gpt-4o-mini")
    assert [request.json["model"] for request in first.requests] == ["gpt-4o", "ft:gpt-4o:org::abc", "gpt-4o-mini"]
    assert [request.json["model"] for request in second.requests] == ["org/m2"]
    assert [attempt.model for attempt in answer.attempts][-1] == "org/m2"
    async with AsyncClient(chosen[:2], api_key="sk", base_url=second.url) as client:
        await client.chat.completions.create("Hi")
    async with AsyncClient() as client:
        await client.chat.completions.create("Hi", "m", "Custom/m3", base_url=second.url)
    assert [request.json["model"] for request in second.requests] == ["org/m2", "gpt-4o", "m3"]
    assert keys(second) == [None, "sk", None]


async def test_who_is_passed_over_for_its_models_is_told_of(servers: tuple[Loopback, Loopback]) -> None:
    """A model that one of the list is known for goes to that one; one that none is known for goes to the first."""
    first, second = servers
    chosen, urls = ["Anthropic", "OpenaiChat"], {"Anthropic": first.url, "OpenaiChat": second.url}
    async with AsyncClient(chosen, api_key={"OpenaiChat": "sk"}, base_url=urls, max_retries=0) as client:
        answer = await client.chat.completions.create("Hi", "gpt-4o-mini")
        assert answer.warnings == ["Anthropic is passed over: Anthropic does not list the model 'gpt-4o-mini'."]
        assert [(one.provider, one.passed_over) for one in answer.attempts] == [
            ("Anthropic", True),
            ("OpenaiChat", False),
        ]
        with pytest.raises(APIError):
            await client.chat.completions.create("Hi", "unheard-of", [*chosen[:1], "Opnaichat"])
    assert [request.json["model"] for request in first.requests] == ["unheard-of"]


@pytest.mark.parametrize("where", ["client", "call"])
async def test_a_models_prefix_says_whose_dialect_an_address_speaks(
    where: str, servers: tuple[Loopback, Loopback], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and address go together; what is not written as a provider's name is the server's own."""
    first, _ = servers
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "CUSTOM_API_KEY"):
        monkeypatch.setenv(name, "sk-operator")
    given: Any = {"api_key": "sk", "base_url": first.url}
    at_client, at_call = (given, {}) if where == "client" else ({}, given)
    async with AsyncClient(**at_client) as client:
        for model in ("OpenaiChat/gpt-4o", "openaichat/gpt-4o", "anthropic/claude-opus-5", "org/m", "m", None):
            await client.chat.completions.create("Hi", model, **at_call)
        await client.chat.completions.create("Hi", "OpenaiChat/gpt-4o", provider="Custom", **at_call)
    names = [request.json.get("model") for request in first.requests]
    whole = ["openaichat/gpt-4o", "anthropic/claude-opus-5", "org/m", "m", None, "OpenaiChat/gpt-4o"]
    assert names == ["gpt-4o", *whole]
    assert set(keys(first)) == {"sk"}


async def test_a_models_prefix_gets_the_key_by_name_at_an_address(servers: tuple[Loopback, Loopback]) -> None:
    """It is asked in its own dialect."""
    first, _ = servers
    async with AsyncClient(api_key={"Anthropic": "sk-tenant"}, max_retries=0) as client:
        with pytest.raises(APIError):  # the server does not speak it
            await client.chat.completions.create("Hi", "Claude/claude-opus-5", base_url=first.url)
    (request,) = first.requests
    assert (request.path, request.json["model"], keys(first)) == ("/v1/messages", "claude-opus-5", ["sk-tenant"])


async def test_no_model_is_replaced_at_an_address_of_ones_own(servers: tuple[Loopback, Loopback]) -> None:
    """The server is the user's, and has names of its own."""
    first, _ = servers
    async with AsyncClient("OpenaiChat", api_key="sk", base_url=first.url) as client:
        answers = [await client.chat.completions.create("Hi", name) for name in ("gpt-3.5-turbo", "GPT-4o-mini")]
    assert [request.json["model"] for request in first.requests] == ["gpt-3.5-turbo", "GPT-4o-mini"]
    assert [answer.warnings for answer in answers] == [[], []]


async def test_a_model_that_nobody_lists_brings_near_ones_to_mind() -> None:
    """The error names them."""
    async with AsyncClient() as client:
        with pytest.raises(ModelNotFoundError, match=r"'claud-opus-5'\. Did you mean claude-opus-5 or"):
            await client.chat.completions.create("Hi", "claud-opus-5")
