"""The provider that is tested: its manifest, the dialect that the server speaks to it, the models to ask for."""

from __future__ import annotations

from typing import Any

import attrs

from g4f.manifest import Manifest
from g4f.plugin import Plugin
from g4f.registry import adopt_provider, share_registry
from g4f_testkit.dialect import Dialect
from g4f_testkit.dialects import load_dialect

UNLISTED_MODEL = "g4f-testkit-model"
_MAIN = ("chat", "image", "embed")
_OWN_OPERATIONS = ("image", "image_edit", "embed")


@attrs.frozen
class Subject:
    """A provider under test.

    Attributes:
        provider: What a client is given: its name, or the class or object itself.
        plugin: It, loaded.
        dialect: What the server speaks to it; None where there is nobody to speak to, or nobody knows how.
        model: The model that every check asks for; None leaves the choice to the manifest.
    """

    provider: Any
    plugin: Plugin
    dialect: Dialect | None = None
    model: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.plugin.name

    @property
    def manifest(self) -> Manifest:
        """What the provider says of itself."""
        return self.plugin.manifest

    @property
    def main(self) -> str:
        """What it is for: to chat, else to draw, else to make embeddings."""
        able = [name for name in _MAIN if self.manifest.supports(name) == "yes"]
        return able[0] if able else "chat"

    def choose_model(self, capability: str) -> str:
        """Return the default model, or where that one cannot, one that can."""
        if self.model is not None:
            return self.model
        operation = capability if capability in _OWN_OPERATIONS else "chat"
        default = self.manifest.defaults.get(operation)
        resolved = self.manifest.resolve_model(default) if default else None
        if default and self.manifest.supports(capability, resolved.listed if resolved else None) != "no":
            return default
        able = [
            model.id
            for model in self.manifest.models
            if model.id and "no" not in (self.manifest.supports(name, model) for name in (operation, capability))
        ]
        return able[0] if able else UNLISTED_MODEL


def make_subject(provider: Any, dialect: str | Dialect | None = None, model: str | None = None) -> Subject:
    """Load a provider, by its name or as a class or object, and the dialect that its manifest names.

    Raises:
        G4FError: The provider or the dialect cannot be had.
    """
    registry = share_registry()
    plugin = registry.load(registry.find(provider)) if isinstance(provider, str) else adopt_provider(provider)
    spoken = plugin.manifest.dialect if dialect is None else dialect
    loaded = load_dialect(spoken) if isinstance(spoken, str) and spoken else spoken or None
    if not plugin.manifest.base_url:
        loaded = None
    return Subject(provider, plugin, loaded, model)
