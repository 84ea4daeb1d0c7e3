from __future__ import annotations

from pathlib import Path

import pytest

import g4f_provider_copilot
from g4f import AsyncClient
from g4f.errors import UnsupportedError
from g4f.manifest import Manifest, parse_manifest
from g4f.registry import share_registry
from g4f_provider_copilot.m365.wire.decode import MODEL


def _read(name: str) -> Manifest:
    return parse_manifest((Path(g4f_provider_copilot.__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["copilot", "Copilot", "microsoft-365-copilot"])
def test_the_registry_finds_who_serves_copilot(name: str) -> None:
    """Without importing the provider."""
    assert [ref.name for ref, _ in share_registry().find_claimants(name)] == ["Copilot"]


def test_the_default_is_the_one_model() -> None:
    """Which the wire knows as well."""
    manifest = _read("Copilot")
    assert [model.id for model in manifest.models] == [manifest.defaults["chat"]] == [MODEL]


def test_an_account_claims_no_model_by_itself() -> None:
    """A token of GitHub's is on many machines for other purposes."""
    manifest = _read("CopilotAccount")
    assert (manifest.models_open, manifest.models, manifest.auth.kind) == (True, (), "own")


@pytest.mark.parametrize("name", ["Copilot", "CopilotAccount"])
async def test_neither_makes_pictures_or_embeddings(name: str) -> None:
    """The manifest says so, and nothing is sent."""
    async with AsyncClient(provider=name, api_key="k-1234") as client:
        with pytest.raises(UnsupportedError, match="cannot make images"):
            await client.images.generate("a cat")
        with pytest.raises(UnsupportedError, match="cannot make embeddings"):
            await client.embeddings.create("a cat")
