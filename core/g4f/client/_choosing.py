"""Who serves a call: finds the providers that were chosen, or those that claim its model, and what each was given.

A key never goes to a provider that the user did not name with it.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from g4f.client._arguments import ProviderInput, ProvidersInput
from g4f.client._settings import CUSTOM, UNNAMED, Given, list_providers, split_entry
from g4f.context import Request
from g4f.credentials import (
    GENERIC_VARIABLES,
    Secret,
    check_settings,
    find_variable,
    has_access,
    is_foreign,
    list_variables,
    read_variables,
    refuse_key,
)
from g4f.dispatch import Reach
from g4f.errors import Attempt, G4FError, InvalidInputError, ModelNotFoundError
from g4f.known import describe_missing_model, describe_missing_provider, find_proper_name, is_known
from g4f.manifest import Manifest
from g4f.plugin import Plugin
from g4f.registry import ProviderRef, Registry, adopt_provider, name_provider
from g4f.routing import Candidate, Plan, choose_claimant, choose_default, plan_targets

LOCAL = "Local"
MAX_ADOPTED = 64
MAX_CHOICES = 256
KEY_HEADERS = frozenset({"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "x-key"})


class Source(NamedTuple):
    """A provider that was found for a call.

    Attributes:
        name: What it is called in this call.
        manifest: What it says of itself.
        load: Returns it, loaded.
        identity: The installed reference, or the class or object of the user's own: two are one provider if this is.
        names: All names that mean it, in lower case.
        model: The model that was named together with it.
    """

    name: str
    manifest: Manifest
    load: Callable[[], Plugin]
    identity: object
    names: frozenset[str]
    model: str | None = None

    def is_same(self, other: "Source") -> bool:
        """Tell whether both are one provider. A name is not enough: anyone can call a class OpenaiChat."""
        if isinstance(self.identity, ProviderRef) and isinstance(other.identity, ProviderRef):
            return self.identity.proper_name == other.identity.proper_name
        return self.identity is other.identity

    def is_called(self, name: str) -> bool:
        """Tell whether `name` means it, in any letter case."""
        return name.lower() in self.names


class Choice(NamedTuple):
    """Who serves a call.

    Attributes:
        plan: The targets.
        reaches: How each of the providers is reached, by name.
        variables: The environment variables that decided who it is.
    """

    plan: Plan
    reaches: Mapping[str, Reach]
    variables: tuple[str, ...] = ()


class Choices:
    """The choices of one client's earlier calls, so that a call like one before is not routed again.

    Each is kept while the variables that decided it have the values that they had.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[Choice, int]] = {}

    def find(self, key: Hashable) -> Choice | None:
        """Return what was chosen before, if that would still be chosen."""
        choice, values = self._known.get(key, (None, 0))
        return choice if choice is not None and read_variables(choice.variables) == values else None

    def keep(self, key: Hashable, choice: Choice) -> None:
        """Remember a choice; the oldest is forgotten where there are many."""
        while len(self._known) >= MAX_CHOICES:
            self._known.pop(next(iter(self._known), None), None)
        self._known[key] = choice, read_variables(choice.variables)


class Chooser:
    """Finds who serves a call; its only memory is of the user's own provider objects, so that each is made once."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry
        self._adopted: dict[int, tuple[object, Plugin]] = {}

    def choose(
        self,
        request: Request,
        needs: Sequence[str],
        chosen: ProvidersInput | None,
        scopes: Sequence[Given],
    ) -> Choice:
        """Return who serves a call.

        Args:
            request: What is asked.
            needs: The capabilities that it needs, the main one first.
            chosen: Who was chosen, for the call or for the client.
            scopes: Keys and addresses: the call's first, then the client's.

        Raises:
            G4FError: Nobody can serve it, or it is not clear who; nothing was sent.
        """
        model = request.model
        if chosen is None:
            chosen = self._find_implied(model, scopes)
            scopes = _settle_owners(scopes, CUSTOM if chosen is None else chosen)
        else:
            scopes = _settle_owners(scopes, CUSTOM)
        variables: tuple[str, ...] = ()
        unknown: tuple[str, ...] = ()
        if chosen is not None:
            sources, skipped = self._find_all(list_providers(chosen), model)
        else:
            source, variables = self._route(model, needs[0], scopes)
            sources, skipped = [source], []
            unknown = self._find_unknown_preferences()
        self._check_names(scopes, sources)
        closed = _is_closed(scopes)
        reaches = {
            source.name: Reach(
                source.load,
                self._find_given("api_key", source, scopes),
                self._find_given("base_url", source, scopes),
                self._find_settings(source, scopes),
                self._find_given("default_headers", source, scopes) or {},
                self._find_given("default_query", source, scopes) or {},
                closed=closed,
            )
            for source in sources
        }
        candidates = [_make_chosen(source, reaches[source.name].base_url) for source in sources]
        alone = not skipped and len(sources) == 1
        plan = plan_targets(candidates, model, needs, able=self.list_able, alone=alone)
        skipped += plan.skipped
        missing = tuple(f"{attempt.provider} is passed over: {attempt.error}" for attempt in skipped)
        warnings = tuple((*unknown, *missing, *one) for one in plan.warnings)
        plan = plan._replace(warnings=warnings, skipped=tuple(skipped))
        return Choice(plan, reaches, variables)

    def find(self, provider: ProviderInput) -> Source:
        """Find one provider, given in whatever way.

        Raises:
            ProviderNotFoundError, ProviderConflictError, ProviderBrokenError: It cannot be had.
            InvalidInputError: It is no provider.
        """
        registry = self._registry()
        provider, model = split_entry(provider)
        if isinstance(provider, str):
            provider = registry.find(provider)
        elif isinstance(provider, type):
            provider = registry.recognize(provider) or provider
        if isinstance(provider, ProviderRef):
            ref = provider
            names = registry.find_names(ref.name) or frozenset({ref.name.lower()})
            return Source(ref.name, registry.read_manifest(ref), partial(registry.load, ref), ref, names, model)
        plugin = self._adopt(provider)
        return Source(plugin.name, plugin.manifest, lambda: plugin, provider, frozenset({plugin.name.lower()}))

    def list_able(self, capability: str) -> list[str]:
        """Return the installed providers that have a capability."""
        return [ref.name for ref, manifest in self._registry().list_usable() if manifest.supports(capability) == "yes"]

    def _list_offered(self) -> list[str]:
        """Return the models that the installed providers list."""
        return [model.id for _, manifest in self._registry().list_usable() for model in manifest.models if model.id]

    def _find_all(self, providers: Sequence[ProviderInput], model: str | None) -> tuple[list[Source], list[Attempt]]:
        """Find the chosen providers; of several, those that cannot be had are passed over."""
        sources: list[Source] = []
        skipped = []
        for provider in providers:
            try:
                sources.append(_rename_apart(self.find(provider), sources))
            except G4FError as error:
                name, own = split_entry(provider)
                skipped.append(Attempt(name_provider(name), own or model, error, 0.0, passed_over=True))
        if not sources:
            failure = skipped[-1].error
            assert failure is not None
            failure.attempts = tuple(skipped) if len(skipped) > 1 else ()
            try:
                raise failure
            finally:
                del failure, skipped  # which its traceback would hold: a circle
        return sources, skipped

    def _adopt(self, provider: object) -> Plugin:
        known = self._adopted.get(id(provider))
        if known is None:
            known = self._adopted[id(provider)] = (provider, adopt_provider(provider))
            while len(self._adopted) > MAX_ADOPTED:  # a program may make an object for each call
                del self._adopted[next(iter(self._adopted))]
        return known[1]

    def _find_implied(self, model: str | None, scopes: Sequence[Given]) -> ProvidersInput | None:
        """Find whom a model's name begins with, as "Gemini/gemini-3-pro", or whose server an address alone means.

        A prefix that is no provider's name is a part of the model's. At an address it must be written as the provider
        is, since servers have such names themselves: "anthropic/claude-opus-5" is OpenRouter's.
        """
        at_server = any(given.what == "base_url" and given.plain and UNNAMED in given.owners for given in scopes)
        prefix, _, rest = (model or "").partition("/")
        if rest and self._registry().find_names(prefix) and not (at_server and self._spell(prefix) != prefix):
            return model
        return CUSTOM if at_server else None

    def _spell(self, name: str) -> str:
        return self._registry().find(name).name

    def _route(self, model: str | None, capability: str, scopes: Sequence[Given]) -> tuple[Source, tuple[str, ...]]:
        """Find who serves where nobody was chosen, and name the environment variables that decide it."""
        registry = self._registry()
        preferred = registry.environment.providers
        if model:
            # A plain key is nobody's here. The one it may be for is found all the same: its error names it.
            unowned = any(given.what == "api_key" and given.plain is not None for given in scopes)
            names = {name.lower() for given in scopes if given.what == "api_key" for name in given.by_name or ()}
            closed = _is_closed(scopes)
            found = registry.find_claimants(model)
            claimants = [
                _make_candidate(
                    ref.name, manifest, names, registry.find_names(ref.name), unowned=unowned, closed=closed
                )
                for ref, manifest in found
            ]
            if not claimants:
                raise ModelNotFoundError(
                    describe_missing_model(model, capability, registry.list_names(), self._list_offered())
                )
            variables = tuple(name for _, manifest in found for name in list_variables(manifest))
            return self.find(choose_claimant(claimants, model, preferred).name), variables
        wanted = [*preferred, *(() if LOCAL.lower() in map(str.lower, preferred) else (LOCAL,))]
        sources = [self.find(name) for name in wanted if registry.find_names(name)]
        candidates = [Candidate(source.name, source.manifest) for source in sources]
        return self.find(choose_default(candidates, capability).name), ()

    def _find_unknown_preferences(self) -> tuple[str, ...]:
        """Return a warning for each name of G4F_PROVIDERS that no installed provider has."""
        registry = self._registry()
        return tuple(
            f"G4F_PROVIDERS names {name!r}, which is no installed provider: it is passed over."
            for name in registry.environment.providers
            if not registry.find_names(name)
        )

    def _check_names(self, scopes: Sequence[Given], sources: Sequence[Source]) -> None:
        """Refuse what is given under a name that would leave it unused, or give it to two.

        Raises:
            InvalidInputError: The name is a nickname, or means an installed provider and a class of the user's, or
                nobody while one of the sources is left without.
        """
        for given in scopes:
            for name in given.by_name or ():
                installed = self._registry().find_names(name)
                chosen = [source for source in sources if source.is_called(name)]
                if installed and any(not isinstance(item.identity, ProviderRef) for item in chosen):
                    raise InvalidInputError(f"{name!r} is an installed provider and a class of yours: rename yours.")
                if not chosen and not installed:
                    self._check_absent(name, given, any(self._misses(given.what, item, scopes) for item in sources))

    def _check_absent(self, name: str, given: Given, missed: bool) -> None:
        """Refuse the name of nobody who is installed or chosen, unless it may be one of the user's own for other calls.

        Raises:
            InvalidInputError: It is a nickname, or nobody's while a provider misses what may have been meant for it.
        """
        proper = find_proper_name(name)
        if proper is not None:
            raise InvalidInputError(f"A key or setting is given for {name!r}; the provider is called {proper!r}.")
        if missed and not is_known(name) and name.lower() not in self._list_own(given):
            refuse_key(name)
            sentence = describe_missing_provider(name, self._registry().list_names())
            raise InvalidInputError(f"{given.what} is given for a name that nobody has. {sentence}")

    def _misses(self, what: str, source: Source, scopes: Sequence[Given]) -> bool:
        return next(self._find_all_given((what,), source, scopes), None) is None

    def _list_own(self, given: Given) -> set[str]:
        """Return the names, in lower case, of the providers of the user's own that were met so far."""
        adopted = (plugin.name for _, plugin in self._adopted.values())
        return {name.lower() for name in (*adopted, *map(name_provider, given.owners))}

    def _find_given(self, what: str, source: Source, scopes: Sequence[Given]) -> Any:
        """Find the value that belongs to a provider.

        Raises:
            InvalidInputError: A plain value belongs to nobody.
        """
        return next(self._find_all_given((what,), source, scopes), None)

    def _find_settings(self, source: Source, scopes: Sequence[Given]) -> Mapping[str, Secret]:
        """Join the settings that belong to a provider; the call's come first.

        Raises:
            InvalidInputError: Plain ones belong to nobody, or the provider has no such setting.
        """
        found: dict[str, Secret] = {}
        for settings in self._find_all_given(("settings", "api_version"), source, scopes):
            found = {**settings, **found}
        check_settings(source.name, source.manifest, found)
        return found

    def _find_all_given(self, kinds: Sequence[str], source: Source, scopes: Sequence[Given]) -> Iterator[Any]:
        for given in scopes:
            if given.what not in kinds:
                continue
            if given.plain is not None and self._owns(given, source):
                yield given.plain
            for name, value in (given.by_name or {}).items():
                if source.is_called(name):
                    yield value

    def _owns(self, given: Given, source: Source) -> bool:
        owners: list[Source] = []
        for owner in given.owners:
            with suppress(G4FError):  # who is not there cannot be the source
                found = self.find(owner)
                if not any(found.is_same(other) for other in owners):
                    owners.append(found)
        if len(owners) > 1 or not given.owners:
            raise InvalidInputError(
                f"It is not clear whose {given.what} this is: pass provider=… with it, "
                f"or write {given.what}={{{source.name!r}: …}}."
            )
        return any(owner.is_same(source) for owner in owners)


def _settle_owners(scopes: Sequence[Given], owner: ProvidersInput) -> list[Given]:
    """Give what came with an address alone to whom it means in this call."""
    return [given._replace(owners=(owner,)) if UNNAMED in given.owners else given for given in scopes]


def _make_chosen(source: Source, base_url: str | None) -> Candidate:
    foreign = base_url is not None and is_foreign(source.manifest, base_url)
    return Candidate(source.name, source.manifest, names=source.names, model=source.model, foreign=foreign)


def check_headers(request: Request, choice: Choice) -> None:
    """Refuse a key among the headers of a call that several providers may serve: each would get it.

    Raises:
        InvalidInputError: There is one.
    """
    found = [name for name in request.extra_headers if name.lower() in KEY_HEADERS]
    if found and len(choice.reaches) > 1:
        raise InvalidInputError(
            f"extra_headers holds {found[0]}, which each of the providers would get: pass api_key={{name: key}}."
        )


def _rename_apart(source: Source, others: Sequence[Source]) -> Source:
    """Give a second provider of one name a name of its own; the same provider keeps it."""
    same = [other for other in others if _base_name(other.name) == source.name]
    if not same or any(other.is_same(source) for other in same):
        return source
    return source._replace(name=f"{source.name}#{len(same) + 1}")


def _base_name(name: str) -> str:
    return name.partition("#")[0]


def _is_closed(scopes: Sequence[Given]) -> bool:
    """Tell whether keys were given by name: then those are all there are, and the environment's are not used."""
    return any(given.what == "api_key" and given.by_name is not None for given in scopes)


def _make_candidate(
    name: str, manifest: Manifest, keys: Set[str], names: frozenset[str], *, unowned: bool, closed: bool
) -> Candidate:
    given = not names.isdisjoint(keys)
    variable = None if closed else find_variable(manifest)
    keyed = given or (variable is not None and variable not in GENERIC_VARIABLES)
    free = manifest.auth.kind == "none" or not manifest.auth.required
    usable = given or unowned or ((free or not closed) and has_access(manifest, generic=False))
    return Candidate(name, manifest, usable=usable, keyed=keyed, names=names)
