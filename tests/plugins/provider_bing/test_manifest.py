from pathlib import Path

import pytest

import g4f_provider_bing
from g4f import AsyncClient, MissingCredentialsError, UnsupportedError
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry
from loopback import Loopback, reply_json

PICTURE = reply_json({"data": [{"b64_json": "iVBORw0KGgo="}]})


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The installed manifest."""
    path = Path(g4f_provider_bing.__file__).parent / "BingCreateImages.toml"
    return parse_manifest(path.read_text(encoding="utf-8"))


def test_every_default_is_a_listed_model(manifest: Manifest) -> None:
    """For drawing and for editing, which all of them do."""
    listed = {model.id for model in manifest.models if model.id}
    assert set(manifest.defaults) == {"image", "image_edit"}
    assert set(manifest.defaults.values()) <= listed
    assert all(manifest.supports("image_edit", model) == "yes" for model in manifest.models)


def test_the_registry_finds_who_serves_microsofts_models() -> None:
    """Also one that is newer than the manifest."""
    for name in ("MAI-Image-2.6", "mai-image-2.5-flash", "MAI-Image-9"):
        assert [ref.name for ref, _ in share_registry().find_claimants(name)] == ["BingCreateImages"]


async def test_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the names that the documentation uses."""
    with Loopback(PICTURE) as server:
        monkeypatch.setenv("AZURE_API_KEY", "azure-key")
        monkeypatch.setenv("AZURE_ENDPOINT", f"{server.url}/")
        async with AsyncClient(image_provider="BingCreateImages") as client:
            await client.images.generate("a cat", response_format="b64_json")
    [request] = server.requests
    assert request.headers["api-key"] == "azure-key"
    assert request.path == "/mai/v1/images/generations"


async def test_without_an_address_or_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable that is missing."""
    monkeypatch.delenv("AZURE_API_KEY", raising=False)
    monkeypatch.delenv("AZURE_ENDPOINT", raising=False)
    client = AsyncClient(provider="BingCreateImages")
    with pytest.raises(MissingCredentialsError, match="AZURE_ENDPOINT"):
        await client.images.generate("a cat")
    monkeypatch.setenv("AZURE_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MissingCredentialsError, match="AZURE_API_KEY"):
        await client.images.generate("a cat")


async def test_the_environments_key_does_not_go_to_a_foreign_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only to the one that the environment itself names."""
    monkeypatch.setenv("AZURE_API_KEY", "azure-key")
    monkeypatch.setenv("AZURE_ENDPOINT", "https://mine.services.ai.azure.com")
    with Loopback(PICTURE) as server:
        async with AsyncClient(provider="BingCreateImages", base_url=server.url) as client:
            await client.images.generate("a cat", response_format="b64_json")
    assert "api-key" not in server.requests[0].headers


async def test_a_chat_is_refused_with_a_word() -> None:
    """Before anything is sent."""
    client = AsyncClient(provider="BingCreateImages", api_key="k", base_url="http://127.0.0.1:9")
    with pytest.raises(UnsupportedError, match="BingCreateImages cannot chat"):
        await client.chat.completions.create("Hi")
