from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import g4f_provider_compatible
from g4f import AsyncClient, MissingCredentialsError
from g4f.credentials import has_access, resolve_access
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry
from loopback import Loopback, make_completion, reply_json

FOLDER = Path(g4f_provider_compatible.__file__).parent
MANIFESTS = {path.stem: parse_manifest(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
LOCAL = ("Ollama", "LMStudio", "LlamaCpp", "VLLM")


def test_every_service_is_a_manifest_an_entry_point_and_a_class() -> None:
    """Of one name; xAI is called by that of its models too."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = project["entry-points"]["g4f.providers"]
    assert entries.pop("Grok") == entries["XAI"]
    assert entries == {name: f"g4f_provider_compatible:{name}" for name in entries}
    assert set(entries) == set(MANIFESTS)
    assert all(getattr(g4f_provider_compatible, name).wire for name in MANIFESTS)


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_successor_and_default_is_a_listed_model(name: str) -> None:
    """No name leads to one that is itself unknown, gone, or unable to do what it stands for."""
    manifest = MANIFESTS[name]
    if manifest.models_open:
        return
    listed = {model.id for model in manifest.models if model.id}
    assert {retired.model for retired in manifest.retired} <= listed
    assert not listed & {retired.name for retired in manifest.retired}
    for capability, default in manifest.defaults.items():
        resolved = manifest.resolve_model(default)
        assert resolved is not None
        assert manifest.supports(capability, resolved.listed) == "yes"


@pytest.mark.parametrize("name", [*LOCAL, "OVHcloud", "AzureOpenAI", "Custom"])
def test_who_serves_names_that_nobody_can_list_claims_none(name: str) -> None:
    """Least of all services that answer without a key: nobody's words go there but of those who name them."""
    assert MANIFESTS[name].models_open
    assert name not in [ref.name for ref, _ in share_registry().find_claimants("gpt-oss-120b")]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("grok", ["XAI"]),
        ("grok-9", ["XAI"]),
        ("deepseek-chat", ["DeepSeek"]),
        ("mistral-large-latest", ["Mistral"]),
        ("voxtral-9", ["Mistral"]),
        ("anthropic/claude-opus-5", ["OpenRouter"]),
        ("openrouter/auto", ["OpenRouter"]),
        ("openai/gpt-oss-120b", ["Groq", "OpenRouter"]),
        ("moonshotai/Kimi-K3", ["OpenRouter", "Together"]),
    ],
)
def test_models_are_claimed_by_who_serves_them(model: str, names: list[str]) -> None:
    """By id, alias, pattern or a name that is gone."""
    own = [ref.name for ref, _ in share_registry().find_claimants(model) if ref.name in MANIFESTS]
    assert sorted(own) == names


@pytest.mark.parametrize(
    ("provider", "model", "sent"),
    [
        ("OpenRouter", "openrouter/auto", "openrouter/auto"),
        ("OpenRouter", "deepseek/deepseek-v4.1-flash", "deepseek/deepseek-v4.1-flash"),
        ("Groq", "groq/compound", "groq/compound"),
        ("Groq", "llama-3.3-70b-versatile", "openai/gpt-oss-120b"),
        ("Mistral", "codestral", "codestral-latest"),
        ("Grok", "grok-9-new", "grok-9-new"),
        ("Ollama", "qwen3.6:latest", "qwen3.6:latest"),
    ],
)
async def test_a_models_name_arrives_as_the_service_knows_it(
    provider: str, model: str, sent: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it begins with what is the provider's name too; at a server of the user's own it stays what it is."""
    server.answer = lambda request: reply_json(make_completion())
    async with AsyncClient(provider=provider, api_key="sk-1234") as client:
        await client.chat.completions.create("Hi", model, base_url=server.url)
        manifest = share_registry().read_manifest(share_registry().find(provider))
        monkeypatch.setenv(str(manifest.base_url_variable), server.url)
        await client.chat.completions.create("Hi", model)
    assert [request.json["model"] for request in server.requests] == [model, sent]


@pytest.mark.parametrize("name", [name for name, manifest in MANIFESTS.items() if manifest.auth.required])
def test_without_a_key_it_is_said_which_is_missing(name: str) -> None:
    """By the name of its variable."""
    manifest = MANIFESTS[name]
    assert not has_access(manifest, variables={})
    [variable] = manifest.auth.variables
    address = {str(manifest.base_url_variable): "https://x.example"}
    with pytest.raises(MissingCredentialsError, match=variable):
        resolve_access(name, manifest, variables=address)
    assert resolve_access(name, manifest, variables={**address, variable: "sk-1234"}).secret is not None


@pytest.mark.parametrize("name", LOCAL)
def test_a_server_on_the_users_machine_needs_nothing(name: str) -> None:
    """It is asked at its usual port, or where the user says, by the server alone too."""
    manifest = MANIFESTS[name]
    access = resolve_access(name, manifest, variables={})
    assert access.base_url == manifest.base_url
    assert access.base_url.startswith("http://127.0.0.1:")
    assert access.secret is None
    assert resolve_access(name, manifest, base_url="http://gpu:99", variables={}).base_url == "http://gpu:99/v1"


async def test_an_address_alone_has_its_models_listed() -> None:
    """As it is asked, and with OpenAI's client."""
    with Loopback(reply_json({"object": "list", "data": [{"id": "own-1"}]})) as server:
        async with AsyncClient(base_url=server.url) as client:
            assert [model.id for model in await client.models.list()] == ["own-1"]
            assert (await client.models.retrieve("own-1")).provider == "Custom"
        async with AsyncClient() as client:
            assert [model.id for model in await client.models.list(base_url=server.url)] == ["own-1"]
            assert "own-1" not in [model.id for model in await client.models.list(base_url={"Custom": server.url})]
        async with AsyncClient(image_provider="XAI", base_url=server.url) as client:
            assert "own-1" not in [model.id for model in await client.models.list()]  # it is the other's address


def test_azure_is_found_by_its_resource() -> None:
    """The address is the resource's, as Azure shows it, and the key has a header of its own."""
    manifest: Manifest = MANIFESTS["AzureOpenAI"]
    variables = {"AZURE_OPENAI_ENDPOINT": "https://my.openai.azure.com/", "AZURE_OPENAI_API_KEY": "k" * 32}
    access = resolve_access("AzureOpenAI", manifest, variables={**variables, "OPENAI_API_VERSION": "2024-10-21"})
    assert access.base_url == "https://my.openai.azure.com/openai"
    assert access.settings == {"api_version": "2024-10-21"}
    assert (manifest.auth.header, manifest.auth.prefix) == ("api-key", "")
    with pytest.raises(MissingCredentialsError, match="AZURE_OPENAI_ENDPOINT"):
        resolve_access("AzureOpenAI", manifest, variables={})


async def test_openrouter_learns_which_program_asks(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it says so, in the environment or in the client's settings."""
    server.answer = lambda request: reply_json(make_completion())
    monkeypatch.setenv("OPENROUTER_BASE_URL", server.url)
    monkeypatch.setenv("OPENROUTER_APP_URL", "https://cave.example")
    async with AsyncClient(provider="OpenRouter", api_key="sk-1234", settings={"app_title": "Cave"}) as client:
        await client.chat.completions.create("Hi")
    headers = server.requests[0].headers
    assert (headers["http-referer"], headers["x-title"]) == ("https://cave.example", "Cave")


@pytest.mark.parametrize("host", ["/pre", "/pre/", "/pre/v1", "/pre/v1/"])
async def test_ollama_is_asked_below_v1_behind_a_path_too(
    host: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own programs take OLLAMA_HOST so, where a proxy stands before it."""
    server.answer = lambda request: reply_json(make_completion())
    monkeypatch.setenv("OLLAMA_HOST", server.url + host)
    async with AsyncClient(provider="Ollama") as client:
        await client.chat.completions.create("Hi", model="m")
    assert server.requests[0].path == "/pre/v1/chat/completions"
