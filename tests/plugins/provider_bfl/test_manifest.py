from pathlib import Path

import pytest

import g4f_provider_bfl
from g4f import AsyncClient, MissingCredentialsError, UnsupportedError
from g4f.credentials import is_among, resolve_access
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry
from loopback import Loopback, Reply
from plugins.provider_bfl.service import KEY, Service


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """The installed manifest."""
    path = Path(g4f_provider_bfl.__file__).parent / "BlackForestLabs.toml"
    return parse_manifest(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["flux", "FLUX", "Flux-2", "flux-2-pro", "flux.2-pro"])
def test_the_seeds_name_leads_to_the_default_model(manifest: Manifest, name: str) -> None:
    """Without a warning: it is the maker's own name."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert (resolved.id, resolved.warning) == (manifest.defaults["image"], None)


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("flux-2-klein", "yes"),
        ("flux-2-9", "yes"),
        ("flux-kontext-max", "yes"),
        ("flux-pro-1.1", "no"),
        ("flux-dev", "no"),
    ],
)
def test_what_a_model_can_follows_from_its_name(manifest: Manifest, name: str, edits: str) -> None:
    """Also for names that are not listed: the patterns tell."""
    resolved = manifest.resolve_model(name)
    assert resolved is not None
    assert manifest.supports("image", resolved.listed) == "yes"
    assert manifest.supports("image_edit", resolved.listed) == edits


def test_every_default_is_a_listed_model(manifest: Manifest) -> None:
    """For drawing and for editing."""
    assert set(manifest.defaults) == {"image", "image_edit"}
    assert set(manifest.defaults.values()) <= {model.id for model in manifest.models}


def test_its_maker_is_found_for_flux_among_others() -> None:
    """Pollinations serves it, too."""
    claimants = {ref.name: found for ref, found in share_registry().find_claimants("flux")}
    assert {"BlackForestLabs", "Pollinations"} <= claimants.keys()
    makers = [
        name for name, found in claimants.items() if (model := found.resolve_model("flux")) and model.listed.first_party
    ]
    assert makers == ["BlackForestLabs"]


async def test_flux_is_drawn_by_who_has_the_key_and_else_by_its_maker(monkeypatch: pytest.MonkeyPatch) -> None:
    """With no provider named."""
    with Loopback(Reply(500)) as server:
        service = Service(server)
        server.answer = lambda request: Reply(418) if "/images/" in request.path else service.answer(request)
        monkeypatch.setenv("BFL_BASE_URL", server.url)
        monkeypatch.setenv("POLLINATIONS_BASE_URL", server.url)
        monkeypatch.setenv("POLLINATIONS_API_KEY", "sk_key")
        monkeypatch.delenv("BFL_API_KEY", raising=False)
        async with AsyncClient(max_retries=0) as client:
            with pytest.raises(Exception, match="Pollinations answered 418"):
                await client.images.generate("a cat", "flux")
            monkeypatch.setenv("BFL_API_KEY", KEY)
            images = await client.images.generate("a cat", "flux", response_format="url")
    assert (images.provider, images.model) == ("BlackForestLabs", "flux-2-pro")


@pytest.mark.parametrize(
    ("url", "gets"),
    [
        ("https://api.bfl.ai/v1/get_result?id=1", True),
        ("https://api.eu.bfl.ai/v1/get_result?id=1", True),
        ("https://api.us4.bfl.ai/v1/get_result?id=1", True),
        ("http://api.us4.bfl.ai/v1/get_result?id=1", False),
        ("https://delivery-eu1.bfl.ai/x", False),
        ("https://bfl.ai/x", False),
        ("https://api.bfl.ai.evil.example/x", False),
        ("https://api.eu.bfl.ai.evil.example/x", False),
        ("https://api.eu.bfl.ml/x", False),
    ],
)
def test_the_key_goes_to_the_services_clusters_alone(manifest: Manifest, url: str, gets: bool) -> None:
    """Not to where pictures lie, either."""
    access = resolve_access("BlackForestLabs", manifest, variables={"BFL_API_KEY": KEY})
    assert is_among(url, access.origins) is gets


@pytest.mark.parametrize("region", ["https://api.eu.bfl.ai", "https://api.us.bfl.ai/"])
def test_a_region_is_not_foreign(manifest: Manifest, region: str) -> None:
    """It gets the key of the environment, and so do its clusters."""
    access = resolve_access("BlackForestLabs", manifest, base_url=region, variables={"BFL_API_KEY": KEY})
    assert access.secret is not None
    assert is_among("https://api.eu2.bfl.ai/v1/get_result", access.origins)


async def test_without_a_key_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable."""
    monkeypatch.delenv("BFL_API_KEY", raising=False)
    with pytest.raises(MissingCredentialsError, match="BFL_API_KEY"):
        await AsyncClient(provider="BlackForestLabs").images.generate("a cat")


async def test_a_model_that_changes_nothing_says_which_does() -> None:
    """Before anything is sent."""
    client = AsyncClient(provider="BlackForestLabs", api_key=KEY, base_url="http://127.0.0.1:9")
    with pytest.raises(UnsupportedError, match=r"flux-pro-1\.1 .* cannot edit images\. flux-2-pro can"):
        await client.images.edit("data:image/png;base64,iVBORw0KGgo=", "a hat", "flux-pro-1.1")
