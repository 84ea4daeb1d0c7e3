"""Who serves: what the command line says, else the settings; and the client that is made for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from g4f_cli.keys import check_key, find_place, read_store
from g4f_cli.options import ChoiceOptions
from g4f_cli.running import import_client
from g4f_cli.settings import read_settings
from g4f_cli.terminal import InputError, note

if TYPE_CHECKING:
    from g4f import AsyncClient
    from g4f.manifest import Manifest
    from g4f.registry import ProviderRef, Registry


class Choice(NamedTuple):
    """Who serves.

    Attributes:
        model: The model, or None for the provider's own.
        providers: The providers in the order in which they are tried, or none.
        base_url: The address, where it is another than the provider's.
        timeout: How long each wait may take, in seconds.
        key: The key for this run alone.
    """

    model: str | None = None
    providers: tuple[str, ...] = ()
    base_url: str | None = None
    timeout: float | None = None
    key: str | None = None

    def __repr__(self) -> str:
        """Show no key."""
        return f"Choice({self.model!r}, {self.providers!r}, {self.base_url!r}, {self.timeout!r})"


def read_choice(options: ChoiceOptions) -> Choice:
    """Take what the command line says of who serves."""
    return Choice(options["model"], options["providers"], options["base_url"], options["timeout"], options["key"])


def add_default_model(choice: Choice) -> Choice:
    """Put the user's default model in where nothing else says who serves."""
    if choice.model or choice.providers or choice.base_url:
        return choice
    return choice._replace(model=read_settings().model)


def make_client(choice: Choice, *, media_folder: str | None = None) -> AsyncClient:
    """Make the client for a choice.

    Raises:
        InputError: The default provider of the settings is not installed, or the model is of another provider.
        G4FError: The choice cannot be used.
        ImportError: The package `g4f` is another project's.
    """
    client = import_client()
    registry = make_registry()
    check_reach(choice, registry)
    check_prefix(choice, registry)
    return client(
        [_find_name(registry, name) for name in choice.providers] or None,
        api_key=_collect_keys(choice, registry) or None,
        base_url=choice.base_url,
        timeout=choice.timeout,
        registry=registry,
        media_folder=media_folder,
    )


def check_reach(choice: Choice, registry: Registry) -> None:
    """Look whether anybody is there to serve, and can be reached at the address that was given.

    Raises:
        InputError: Nobody is installed, or the chosen provider has no address.
    """
    if not (registry.list_names() or choice.providers or choice.model):
        raise InputError(
            "No provider is installed: run g4f install local, which needs no key, or g4f install NAME for another."
        )
    manifests = {ref.name: manifest for ref, manifest in registry.list_usable()} if choice.base_url else {}
    for name in (_find_name(registry, provider) for provider in choice.providers):
        if name in manifests and not manifests[name].base_url:
            raise InputError(f"{name} has no address: leave --base-url out, or leave -p out to ask that server.")


def check_prefix(choice: Choice, registry: Registry) -> None:
    """Look whether the model means a provider by what stands before its slash; tell who is asked where it means none.

    Raises:
        InputError: It means one, and another was chosen.
    """
    prefix, slash, name = (choice.model or "").partition("/")
    if choice.base_url or not (slash and name):
        return
    claimants = {ref.name: manifest for ref, manifest in registry.find_claimants(f"{prefix}/{name}")}
    if choice.providers:
        chosen = [_find_name(registry, provider) for provider in choice.providers]
        # Written as the provider is: in lower case it may be a maker's name, which is part of the model's.
        if prefix in registry.list_names() and not {prefix, *claimants} & set(chosen):
            raise InputError(
                f"-m {choice.model} is a model of {prefix}, and -p {', '.join(chosen)} is another provider: "
                "leave one of them out."
            )
    elif len(claimants) == 1 and not registry.find_names(prefix):
        _tell_guess(prefix, *claimants.popitem(), choice.model or "", registry)


def _tell_guess(prefix: str, provider: str, manifest: Manifest, model: str, registry: Registry) -> None:
    from g4f.known import find_proper_name, guess_model

    found = manifest.resolve_model(model)
    listed = found is not None and found.listed is not None and found.listed.id  # else by a pattern, which takes any
    if not listed and find_proper_name(prefix) is None:
        meant = guess_model(prefix, registry.list_names())
        note(f"There is no provider {prefix!r}, so {model!r} is taken for a model of {provider}.{meant}")


def _collect_keys(choice: Choice, registry: Registry) -> dict[str, str]:
    """Return the keys of those who may serve, if one is stored or given: beside such the client uses no others.

    Raises:
        InputError: A key is given that can be none, or it is not clear whose it is.
    """
    from g4f.credentials import GENERIC_VARIABLES

    store = read_store()
    if choice.key is not None:
        owner = _find_owner(choice, registry)
        return {owner: check_key(choice.key, owner)}
    if choice.base_url:  # a provider's own key is not for another address
        key = store.reveal(find_server(choice.base_url))
        return {} if key is None else {_find_owner(choice, registry): key}
    usable = _list_servers(choice, registry) if store.list_names() else []
    places = {ref.name: find_place(ref.name, manifest, store) for ref, manifest in usable}
    if not {"keyring", "file"} & set(places.values()):
        return {}
    passed_over = () if choice.providers else GENERIC_VARIABLES  # all-purpose tokens choose nobody
    found = {
        name: store.reveal(name) if place in ("keyring", "file") else os.environ[place].strip()
        for name, place in places.items()
        if place is not None and place not in passed_over
    }
    return {name: key for name, key in found.items() if key}


def _list_servers(choice: Choice, registry: Registry) -> list[tuple[ProviderRef, Manifest]]:
    """List those who may serve."""
    prefix, slash, _ = (choice.model or "").partition("/")
    providers = choice.providers or ((prefix,) if slash and registry.find_names(prefix) else ())
    if choice.model and not providers:
        return registry.find_claimants(choice.model)
    named = {_find_name(registry, name) for name in providers}
    return [(ref, manifest) for ref, manifest in registry.list_usable() if not named or ref.name in named]


def _find_owner(choice: Choice, registry: Registry) -> str:
    """Return whose key it is that came for this choice alone."""
    if choice.base_url and not choice.providers:
        return "Custom"
    names = choice.providers or [ref.name for ref, _ in _list_servers(choice, registry) if choice.model]
    if len(names) != 1:
        raise InputError("It is not clear whose key this is: name one provider with -p PROVIDER.")
    return _find_name(registry, names[0])


def find_provider(registry: Registry, name: str) -> ProviderRef:
    """Find an installed provider by its name, or by what the service is called, as OpenAI.

    Raises:
        G4FError: It is not installed, or cannot be used.
    """
    from g4f.errors import ProviderNotFoundError
    from g4f.known import find_proper_name

    try:
        return registry.find(name)
    except ProviderNotFoundError:
        return registry.find(find_proper_name(name) or name)


def check_choice(choice: Choice) -> None:
    """Refuse a single provider that cannot be used; of several, the others answer.

    Raises:
        G4FError: It cannot.
        InputError: Nobody is installed, or the provider has no address, and one was given.
    """
    check_reach(choice, make_registry())
    if len(choice.providers) == 1:
        find_provider(make_registry(), choice.providers[0])


def _find_name(registry: Registry, name: str) -> str:
    from g4f.errors import G4FError

    with suppress(G4FError):  # who is not there needs no key, and is told of by whoever is asked
        return find_provider(registry, name).proper_name
    return name


def find_server(base_url: str) -> str:
    """Return the name under which the key of a server is stored: scheme, host and port of its address.

    Raises:
        InvalidInputError: It is no http or https URL.
    """
    from g4f.credentials import find_origin

    return find_origin(base_url)


def make_registry(variables: Mapping[str, str] = os.environ) -> Registry:
    """Return the installed providers; the user's default is preferred unless the environment prefers others.

    Raises:
        InputError: The default provider is not installed.
    """
    from g4f.environment import Environment
    from g4f.errors import ProviderNotFoundError
    from g4f.registry import Registry, share_registry

    default = None if Environment.read(variables).providers else read_settings().provider
    if default is None:
        return share_registry()
    registry = Registry(Environment.read({**variables, "G4F_PROVIDERS": default}))
    try:
        registry.find(default)
    except ProviderNotFoundError as error:
        raise InputError(f"Your default provider cannot be used; g4f providers default sets another. {error}") from None
    return registry
