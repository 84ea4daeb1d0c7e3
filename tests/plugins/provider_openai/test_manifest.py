from pathlib import Path

import pytest

import g4f_provider_openai
from g4f import AsyncClient, UnsupportedError
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The installed manifest."""
    path = Path(g4f_provider_openai.__file__).parent / "OpenaiChat.toml"
    return parse_manifest(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "model", "date"),
    [
        ("gpt-3.5-turbo", "gpt-5.6-terra", "2026-10-23"),
        ("GPT-3.5-Turbo", "gpt-5.6-terra", "2026-10-23"),
        ("gpt-4", "gpt-5.6-sol", "2026-10-23"),
        ("GPT-4", "gpt-5.6-sol", "2026-10-23"),
        ("dall-e-3", "gpt-image-2.6-flare", "2026-05-12"),
        ("DALL-E 3", "gpt-image-2.6-flare", "2026-05-12"),
        ("DALL·E 3", "gpt-image-2.6-flare", "2026-05-12"),
        ("dall-e-2", "gpt-image-2.6-flare", "2026-05-12"),
        ("gpt-image-1", "gpt-image-2.6-flare", "2026-10-23"),
    ],
)
def test_a_name_that_is_gone_leads_to_its_successor(manifest: Manifest, name: str, model: str, date: str) -> None:
    """The answer's warnings say what was asked, when it went and what answers."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert resolved.id == model
    assert resolved.warning == f"{name} was retired on {date}; {model} answered instead."


@pytest.mark.parametrize("name", ["gpt-4o-mini", "GPT-4o-Mini", "gpt-4o", "gpt-image-2"])
def test_a_name_that_lives_is_sent_in_the_services_spelling(manifest: Manifest, name: str) -> None:
    """Letter case is the user's choice."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert (resolved.id, resolved.warning) == (name.lower(), None)


def test_every_successor_and_default_is_a_listed_model(manifest: Manifest) -> None:
    """No alias leads to a name that is itself unknown or gone."""
    listed = {model.id for model in manifest.models if model.id}
    assert {retired.model for retired in manifest.retired} <= listed
    assert set(manifest.defaults.values()) <= listed
    assert not listed & {retired.name for retired in manifest.retired}


@pytest.mark.parametrize(
    ("name", "chat", "image"),
    [
        ("gpt-6-luna", "yes", "no"),
        ("gpt-9-new", "yes", "no"),
        ("o3-pro", "yes", "no"),
        ("gpt-image-2.6-flare", "no", "yes"),
        ("gpt-image-9", "no", "yes"),
        ("chatgpt-image-latest", "no", "yes"),
    ],
)
def test_chat_models_chat_and_image_models_draw(manifest: Manifest, name: str, chat: str, image: str) -> None:
    """Also for names that are not listed: the patterns tell."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert (manifest.supports("chat", resolved.listed), manifest.supports("image", resolved.listed)) == (chat, image)


@pytest.mark.parametrize(
    ("name", "audio"),
    [
        ("gpt-audio", "yes"),
        ("gpt-audio-mini-2025-10-06", "yes"),
        ("gpt-4o-audio-preview", "yes"),
        ("gpt-4o", "unknown"),
        ("gpt-6-luna", "unknown"),
    ],
)
def test_the_audio_models_hear(manifest: Manifest, name: str, audio: str) -> None:
    """What the others do with a sound is the service's to say: it is sent."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert manifest.supports("audio", resolved.listed) == audio


def test_the_registry_finds_who_serves_openais_models() -> None:
    """Without importing the provider, by an id, a pattern, a name that is gone."""
    for name in ("gpt-4o-mini", "gpt-9-new", "dall-e-3", "GPT-3.5-Turbo", "DALL-E 3", "o3"):
        assert "OpenaiChat" in [ref.name for ref, _ in share_registry().find_claimants(name)]


async def test_a_chat_model_asked_for_a_picture_says_which_model_can() -> None:
    """It is the model that cannot, not the provider; nothing is sent."""
    client = AsyncClient(provider="OpenaiChat", api_key="sk-1234", base_url="http://127.0.0.1:9")
    with pytest.raises(UnsupportedError, match=r"The model gpt-4o .* cannot make images\. gpt-image-2\.6-flare can\."):
        await client.images.generate("a white siamese cat", "gpt-4o")
    with pytest.raises(UnsupportedError, match=r"The model gpt-image-2 .* cannot chat\. gpt-6-luna can\."):
        await client.chat.completions.create("Hi", "gpt-image-2")
