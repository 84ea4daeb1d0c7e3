"""Which providers serve a request, and in which order: pure functions over manifests, before any I/O.

Who is installed is found by `registry.py`; trying the targets is left to `dispatch.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from g4f.context import Target
from g4f.errors import (
    AmbiguousModelError,
    Attempt,
    G4FError,
    MissingCredentialsError,
    ModelNotFoundError,
    UnsupportedError,
)
from g4f.known import find_proper_name, guess_model, join_some
from g4f.manifest import Manifest, describe_ability


class Candidate(NamedTuple):
    """A provider that may serve a request.

    Attributes:
        name: Its name.
        manifest: What it says of itself.
        usable: Whether it has the key and address that it needs.
        keyed: Whether it has a key of the user's.
        names: Other names that mean it, in lower case.
        model: The model that was named for it alone.
        foreign: Whether it is asked at an address of the user's own, which has its own names for models.
    """

    name: str
    manifest: Manifest
    usable: bool = True
    keyed: bool = False
    names: frozenset[str] = frozenset()
    model: str | None = None
    foreign: bool = False

    def find_wanted(self, model: str | None) -> str | None:
        """Return the model that it is asked for where the user names one for all, without a prefix that names it.

        At an address of the user's own only its name as it is written is one: "groq/compound" may be a model there.
        """
        if self.model is not None:
            return self.model
        prefix, slash, rest = (model or "").partition("/")
        own = prefix == self.name if self.foreign else prefix.lower() in (self.name.lower(), *self.names)
        return rest if slash and own else model


class Plan(NamedTuple):
    """The targets in order, warnings about their models, and what was passed over and why."""

    targets: tuple[Target, ...]
    warnings: tuple[tuple[str, ...], ...]
    skipped: tuple[Attempt, ...] = ()


def plan_targets(
    candidates: Sequence[Candidate],
    model: str | None,
    needs: Sequence[str],
    *,
    able: Callable[[str], Iterable[str]] = lambda _: (),
    alone: bool = False,
) -> Plan:
    """Plan a request to the providers that the user chose: one serves it, several are tried in their order.

    Args:
        candidates: The chosen providers.
        model: The user's name of the model. A name that nobody lists goes out unchanged, since new models appear daily;
            where one of the candidates lists it, those that do not are passed over.
        needs: The capabilities that the request needs.
        able: Lists the providers that have a capability, for the message.
        alone: Whether nothing else was chosen.

    Raises:
        UnsupportedError, ModelNotFoundError: No chosen provider can serve it.
    """
    targets, warnings, skipped = [], [], []
    listed = any(_lists(candidate, model) for candidate in candidates)
    for candidate in candidates:
        try:
            target, told = _plan_one(candidate, model, needs, listed=listed, able=able)
        except G4FError as error:
            if alone:
                raise
            skipped.append(Attempt(candidate.name, candidate.find_wanted(model), error, 0.0, passed_over=True))
        else:
            targets.append(target)
            warnings.append(told)
    if not targets:
        reasons = " ".join(str(attempt.error) for attempt in skipped)
        raise ModelNotFoundError(f"None of the chosen providers can serve this. {reasons}", attempts=skipped)
    return Plan(tuple(targets), tuple(warnings), tuple(skipped))


def _lists(candidate: Candidate, model: str | None) -> bool:
    wanted = None if candidate.model else candidate.find_wanted(model)
    return bool(wanted and candidate.manifest.resolve_model(wanted))


def _plan_one(
    candidate: Candidate,
    model: str | None,
    needs: Sequence[str],
    *,
    listed: bool,
    able: Callable[[str], Iterable[str]],
) -> tuple[Target, tuple[str, ...]]:
    name, manifest, model = candidate.name, candidate.manifest, candidate.find_wanted(model)
    wanted = model or (manifest.defaults.get(needs[0]) if needs else None)
    resolved = manifest.resolve_model(wanted) if wanted else None
    if listed and not candidate.model and resolved is None and not manifest.models_open:
        meant = guess_model(str(wanted), (row.id for row in manifest.models if row.id))
        raise ModelNotFoundError(f"{name} does not list the model {wanted!r}.{meant}")
    known = resolved.listed if resolved else None
    for need in needs:
        if manifest.supports(need) == "no":
            raise UnsupportedError(_describe_unsupported(name, need, able(need)))
        if manifest.supports(need, known) == "no":
            fit = manifest.defaults.get(need)
            instead = f"{fit} can." if fit else "Name another model, or none."
            raise UnsupportedError(f"The model {wanted} of {name} cannot {describe_ability(need)}. {instead}")
    if resolved is None or candidate.foreign:
        return Target(name, wanted), ()
    return Target(name, resolved.id), (resolved.warning,) if resolved.warning else ()


def _describe_unsupported(name: str, need: str, able: Iterable[str]) -> str:
    others = [other for other in able if other != name]
    instead = (
        f"Installed providers that can: {join_some(others)}."
        if others
        else "Install one that can, as g4f-provider-openai."
    )
    return f"{name} cannot {describe_ability(need)}. {instead}"


def choose_claimant(
    claimants: Sequence[Candidate],
    model: str,
    preferred: Sequence[str],
) -> Candidate:
    """Choose who serves a model that was named without a provider.

    The user's order decides, then who makes the model, then who alone has a key of the user's.

    Args:
        claimants: The installed providers that list the model, one or more.
        model: The user's name of it.
        preferred: Provider names in the user's order.

    Raises:
        MissingCredentialsError: All lack the key.
        AmbiguousModelError: Several do not, and nothing says which is meant.
    """
    usable = [claimant for claimant in claimants if claimant.usable]
    if not usable:
        raise MissingCredentialsError(_describe_locked(claimants, model))
    for found in (
        _pick_preferred(usable, preferred),
        [claimant for claimant in usable if _is_maker(claimant, model)],
        [claimant for claimant in usable if claimant.keyed],
        usable,
    ):
        if len(found) == 1:
            return found[0]
    names = [claimant.name for claimant in usable]
    raise AmbiguousModelError(
        f"{' and '.join(names)} both serve {model!r}: pass provider={names[0]!r}, or set G4F_PROVIDERS to your order."
    )


def _pick_preferred(usable: Sequence[Candidate], preferred: Sequence[str]) -> list[Candidate]:
    by_name = {name: candidate for candidate in usable for name in (candidate.name.lower(), *candidate.names)}
    return [by_name[name.lower()] for name in preferred if name.lower() in by_name][:1]


def _is_maker(candidate: Candidate, model: str) -> bool:
    resolved = candidate.manifest.resolve_model(model)
    return bool(resolved and not resolved.borrowed and resolved.listed and resolved.listed.first_party)


def _describe_locked(claimants: Sequence[Candidate], model: str) -> str:
    ways = []
    for claimant in claimants:
        variables = " or ".join(claimant.manifest.auth.variables)
        ways.append(f"{claimant.name} (set {variables})" if variables else claimant.name)
    meant = _guess_listed(claimants, model)
    return (
        f"To use {model!r}, give a key to a provider that serves it: {'; '.join(ways)}.{meant}{_describe_prefix(model)}"
    )


def _describe_prefix(model: str) -> str:
    """Say how a provider is chosen to who begins a model's name as other programs call its service."""
    prefix, slash, rest = model.partition("/")
    proper = find_proper_name(prefix) if slash else None
    return f" For {proper} itself write '{proper}/{rest}'." if proper else ""


def _guess_listed(claimants: Sequence[Candidate], model: str) -> str:
    """Return what may be meant where a pattern alone claims the model: that also takes what is misspelled."""
    found = [claimant.manifest.resolve_model(model) for claimant in claimants]
    if any(one and one.listed and one.listed.id for one in found):
        return ""
    return guess_model(model, (row.id for claimant in claimants for row in claimant.manifest.models if row.id))


def choose_default(candidates: Sequence[Candidate], capability: str) -> Candidate:
    """Choose who serves a request that names neither provider nor model: the first that has the capability.

    Raises:
        UnsupportedError: None has.
    """
    for candidate in candidates:
        if candidate.manifest.supports(capability) == "yes":
            return candidate
    what = describe_ability(capability)
    raise UnsupportedError(
        f"No provider is set that can {what}: pass provider=… or model=…, or set G4F_PROVIDERS to those you prefer"
        f"{'; or install g4f-provider-local, which needs no key' if capability == 'chat' else ''}."
    )
