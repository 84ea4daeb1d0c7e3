from pathlib import Path

import pytest

import g4f_provider_pollinations
from g4f import AsyncClient, MissingCredentialsError, UnsupportedError
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The installed manifest."""
    path = Path(g4f_provider_pollinations.__file__).parent / "Pollinations.toml"
    return parse_manifest(path.read_text(encoding="utf-8"))


def test_every_default_is_a_listed_model_that_can(manifest: Manifest) -> None:
    """For chats, pictures, changed pictures and vectors."""
    for capability, name in manifest.defaults.items():
        resolved = manifest.resolve_model(name)
        assert resolved is not None
        assert resolved.listed is not None
        assert manifest.supports(capability, resolved.listed) == "yes"


def test_only_the_host_that_asks_for_a_key_is_asked(manifest: Manifest) -> None:
    """The anonymous ones are neither the address nor among the hosts."""
    assert manifest.base_url == "https://gen.pollinations.ai/v1"
    assert manifest.hosts == ()
    assert manifest.auth.required


def test_it_is_the_maker_of_no_model(manifest: Manifest) -> None:
    """Who makes one goes before it."""
    assert not any(model.first_party for model in manifest.models)


def test_it_claims_no_model_by_a_makers_name() -> None:
    """Only by those that it has given itself."""
    for name in ("gpt-4o-mini", "gemini-2.5-flash", "claude-sonnet-4", "openai/gpt-5.4-nano", "dall-e-3", "flux-2-pro"):
        assert "Pollinations" not in [ref.name for ref, _ in share_registry().find_claimants(name)]


async def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable."""
    monkeypatch.delenv("POLLINATIONS_API_KEY", raising=False)
    with pytest.raises(MissingCredentialsError, match="POLLINATIONS_API_KEY"):
        await AsyncClient(provider="Pollinations").images.generate("a cat")


async def test_a_chat_model_asked_for_a_picture_says_which_model_can() -> None:
    """And one that only draws, which can change pictures."""
    client = AsyncClient(provider="Pollinations", api_key="sk_key", base_url="http://127.0.0.1:9")
    with pytest.raises(UnsupportedError, match=r"openai-fast .* cannot make images\. flux can"):
        await client.images.generate("a cat", "openai-fast")
    with pytest.raises(UnsupportedError, match=r"flux .* cannot edit images\. kontext can"):
        await client.images.edit("data:image/png;base64,iVBORw0KGgo=", "a hat", "flux")
