"""`client.models` of both clients, and the values that it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Unpack

from g4f.chat import ChatRequest
from g4f.client._arguments import CallArguments, ProvidersInput, hide_arguments
from g4f.client._settings import UNNAMED
from g4f.credentials import Secret, has_access
from g4f.dispatch import Dispatcher
from g4f.errors import APIStatusError, ModelNotFoundError
from g4f.known import guess_model
from g4f.manifest import Manifest
from g4f.values import Value, field, many

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient
    from g4f.client._sync import Client


class ModelInfo(Value):
    """A model that a provider offers."""

    id: str = field(default="")
    object: str = field(default="model")
    created: int = field(default=0)
    owned_by: str = field(default="")
    provider: str = field(default="")
    aliases: list[str] = field(default=())


class ModelList(Value):
    """The models that a provider, or all of them, offer."""

    object: str = field(default="list")
    data: list[ModelInfo] = many(lambda: ModelInfo, default_factory=list)

    def __iter__(self) -> Iterator[ModelInfo]:  # type: ignore[override]  # one goes over its models, as with OpenAI's
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


class Models:
    """`client.models`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def list(self, provider: ProvidersInput | None = None, **arguments: Unpack[CallArguments]) -> ModelList:
        """List models: those of a provider's manifest and those that its service tells now.

        Args:
            provider: Who is asked; default is the client's provider. Without either the manifests of all providers
                that can be used are read, and no service is asked.
            **arguments: See `CallArguments`.

        Raises:
            G4FError: The provider cannot be asked.
        """
        arguments = hide_arguments(arguments)
        chosen = provider if provider is not None else self._client._settings.provider
        # An address that came without a provider means one, which `choose` finds.
        at_server = isinstance(arguments.get("base_url"), Secret) or UNNAMED in self._client._settings.base_urls.owners
        if chosen is None and not at_server:
            usable = self._client._shared.registry().list_usable()
            rows = [
                row for ref, manifest in usable if has_access(manifest) for row in _list_manifest(ref.name, manifest)
            ]
            return ModelList.from_dict({"object": "list", "data": rows})
        _, dispatcher = self._client._prepare(ChatRequest(()), chosen, chosen, arguments, needs=())
        rows = []
        for name, reach in dispatcher.reaches.items():
            listed = _list_manifest(name, reach.load().manifest)
            live = [{**row, "provider": name} for row in await _list_live(dispatcher, name, listed)]
            known = {row["id"]: row for row in listed}
            told = {row["id"]: {**known.get(row["id"], {}), **row} for row in live}
            rows += [*(row for row in listed if row["id"] not in told), *told.values()]
        return ModelList.from_dict({"object": "list", "data": rows})

    async def retrieve(
        self, model: str, provider: ProvidersInput | None = None, **arguments: Unpack[CallArguments]
    ) -> ModelInfo:
        """Return one model, also by an alias.

        Raises:
            ModelNotFoundError: There is none of that name.
        """
        arguments = hide_arguments(arguments)
        models = await self.list(provider, **arguments)
        for info in models:
            if model.lower() in (
                info.id.lower(),
                f"{info.provider}/{info.id}".lower(),
                *info.aliases,
            ):
                return info
        meant = guess_model(model, (info.id for info in models))
        raise ModelNotFoundError(f"There is no model {model!r} among the {len(models)} that can be used here.{meant}")


class SyncModels:
    """`client.models`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, provider: ProvidersInput | None = None, **arguments: Unpack[CallArguments]) -> ModelList:
        """List models; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments)
        return self._client._run(self._client._inner.models.list(provider, **arguments))

    def retrieve(
        self, model: str, provider: ProvidersInput | None = None, **arguments: Unpack[CallArguments]
    ) -> ModelInfo:
        """Return one model; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments)
        return self._client._run(self._client._inner.models.retrieve(model, provider, **arguments))


async def _list_live(dispatcher: Dispatcher, name: str, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask a service for its models; one that has no such list is no failure where the manifest has one."""
    try:
        return await dispatcher.list_models(name)
    except APIStatusError as error:
        if listed and error.status_code in (404, 405, 501):
            return []
        raise


def _list_manifest(name: str, manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "id": model.id,
            "object": "model",
            "provider": name,
            **({"aliases": [alias.lower() for alias in model.aliases]} if model.aliases else {}),
        }
        for model in manifest.models
        if model.id
    ]
