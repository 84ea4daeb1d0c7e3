from pathlib import Path

import pytest

import g4f_provider_gemini
from g4f import AsyncClient, MissingCredentialsError, UnsupportedError
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry
from loopback import Loopback, reply_json

HI = {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The installed manifest."""
    path = Path(g4f_provider_gemini.__file__).parent / "Gemini.toml"
    return parse_manifest(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["gemini", "Gemini", "GEMINI", "gemini-3.8-flash"])
def test_the_seeds_name_leads_to_the_default_model(manifest: Manifest, name: str) -> None:
    """In every spelling, and without a warning: it is the service's own name."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert (resolved.id, resolved.warning, resolved.borrowed) == (manifest.defaults["chat"], None, False)


@pytest.mark.parametrize("name", ["dall-e-3", "DALL-E 3", "DALL·E 3", "dall-e-2", "gpt-image-1"])
def test_a_name_of_anothers_image_model_leads_to_the_default_one(manifest: Manifest, name: str) -> None:
    """With a warning that says so."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert (resolved.id, resolved.borrowed) == (manifest.defaults["image"], True)
    assert resolved.warning == f"{name} is no model of Gemini; gemini-nano-banana-2.1 answered instead."


def test_every_successor_and_default_is_a_listed_model(manifest: Manifest) -> None:
    """No name leads to one that is itself unknown."""
    listed = {model.id for model in manifest.models if model.id}
    assert {retired.model for retired in manifest.retired} <= listed
    assert set(manifest.defaults.values()) <= listed


@pytest.mark.parametrize(
    ("name", "chat", "image", "tools"),
    [
        ("gemini-3.8-flash", "yes", "no", "yes"),
        ("gemini-9-new", "yes", "no", "yes"),
        ("gemini-2.5-flash-image", "yes", "yes", "no"),
        ("gemini-9-flash-image-preview", "yes", "yes", "no"),
        ("nano-banana-pro-preview", "yes", "yes", "no"),
        ("gemini-embedding-2", "no", "no", "unknown"),
        ("gemma-4-31b-it", "yes", "no", "yes"),
        ("gemma-3n-e4b-it", "yes", "no", "unknown"),
    ],
)
def test_what_a_model_can_follows_from_its_name(
    manifest: Manifest, name: str, chat: str, image: str, tools: str
) -> None:
    """Also for names that are not listed: the patterns tell."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert resolved.id == name
    assert [manifest.supports(what, resolved.listed) for what in ("chat", "image", "tools")] == [chat, image, tools]


def test_the_registry_finds_who_serves_googles_models() -> None:
    """Without importing the provider, by an id, a pattern, a name that it lends."""
    for name in ("gemini", "gemini-2.5-flash", "gemini-9-new", "dall-e-3", "Gemma-4-31b-it"):
        assert "Gemini" in [ref.name for ref, _ in share_registry().find_claimants(name)]


async def test_a_chat_model_asked_for_a_picture_says_which_model_can() -> None:
    """It is the model that cannot, not the provider; nothing is sent."""
    client = AsyncClient(provider="Gemini", api_key="AIza1234", base_url="http://127.0.0.1:9")
    with pytest.raises(
        UnsupportedError, match=r"gemini-3\.8-flash .* cannot make images\. gemini-nano-banana-2\.1 can"
    ):
        await client.images.generate("a white siamese cat", "gemini-3.8-flash")


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"GEMINI_API_KEY": "first", "GOOGLE_API_KEY": "second"}, "first"),
        ({"GOOGLE_API_KEY": "second"}, "second"),
        ({"GEMINI_API_KEY": " ", "GOOGLE_API_KEY": "second"}, "second"),
    ],
)
async def test_the_key_comes_from_the_first_variable_that_is_set(
    variables: dict[str, str], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And goes in the header of its own, to the address that the environment names."""
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    with Loopback(reply_json(HI)) as server:
        for name, value in {**variables, "GOOGLE_GEMINI_BASE_URL": server.url}.items():
            monkeypatch.setenv(name, value)
        async with AsyncClient(provider="Gemini") as client:
            await client.chat.completions.create("Hi")
    [request] = server.requests
    assert request.headers["x-goog-api-key"] == key
    assert request.path == "/v1beta/models/gemini-3.8-flash:generateContent"


async def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variables."""
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    with pytest.raises(MissingCredentialsError, match="GEMINI_API_KEY or GOOGLE_API_KEY"):
        await AsyncClient(provider="Gemini").chat.completions.create("Hi")


async def test_a_call_may_choose_the_version_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """It wins over the variable, which wins over v1beta."""
    monkeypatch.setenv("GEMINI_API_VERSION", "v1alpha")
    with Loopback(reply_json(HI)) as server:
        async with AsyncClient(provider="Gemini", api_key="AIza1234", base_url=server.url) as client:
            await client.chat.completions.create("Hi")
            await client.chat.completions.create("Hi", provider_options={"api_version": "v1"})
            server.answer = lambda request: reply_json({"models": []})
            await client.models.list()
    assert [request.path.split("/")[1] for request in server.requests] == ["v1alpha", "v1", "v1alpha"]
