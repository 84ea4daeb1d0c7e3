"""What a client was given, read and checked: keys, addresses and other settings, and whose they are.

Who serves a call is left to `_choosing.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from g4f.client._arguments import ByProvider, ProviderInput, ProvidersInput, SettingsInput, check_headers
from g4f.context import Limits, Middleware, Timeout
from g4f.credentials import Secret, check_base_url, hide_proxy, make_secret, reveal
from g4f.errors import InvalidInputError
from g4f.middleware.retry import Budget, Retry
from g4f.registry import Registry

CUSTOM = "Custom"
UNNAMED: ProviderInput = object()  # whose an address is that came without a provider: the model may begin with its name


class Given(NamedTuple):
    """Keys, addresses or other settings, and whose they are.

    Attributes:
        what: The argument's name, for messages.
        plain: A value without a name, or None.
        owners: The providers that were named together with it; a plain value belongs to one, or to nobody.
        by_name: Values by provider name, or None where it was not given so.
    """

    what: str
    plain: Any = None
    owners: tuple[ProviderInput, ...] = ()
    by_name: Mapping[str, Any] | None = None


def read_keys(api_key: ByProvider | None, *owners: ProvidersInput | None) -> Given:
    """Check keys, as `hide` holds them; a plain one belongs to the one of `owners`, now and for ever.

    Raises:
        InvalidInputError: A key can be none.
    """
    if isinstance(api_key, Mapping):
        return _read_by_name("api_key", api_key, make_secret, owners)
    return Given("api_key", make_secret(api_key, "the provider"), _join_providers(owners))


def read_base_urls(base_url: ByProvider | None, *owners: ProvidersInput | None) -> Given:
    """Check addresses; a plain one belongs to the one of `owners`, or to `UNNAMED` where none is.

    Raises:
        InvalidInputError: One is no http or https URL, or has parts that an address must not have.
    """
    if isinstance(base_url, Mapping):
        return _read_by_name("base_url", base_url, lambda url, _: check_base_url(url), owners)
    if base_url is None or reveal(base_url) == "":
        return Given("base_url")
    return Given("base_url", check_base_url(base_url), _join_providers(owners) or (UNNAMED,))


def read_settings(settings: SettingsInput | None, *owners: ProvidersInput | None) -> Given:
    """Check settings, or settings by provider name; plain ones belong to the one of `owners`.

    Raises:
        InvalidInputError: They are no mapping, one of them is no text, or names of both kinds are mixed.
    """
    return _read_texts("settings", settings, _read_setting_texts, owners)


def read_default_headers(headers: SettingsInput | None, *owners: ProvidersInput | None) -> Given:
    """Check headers for each request, or such by provider name, as `hide` holds them.

    Raises:
        InvalidInputError: They are no mapping, one cannot be sent, or names of both kinds are mixed.
    """
    return _read_texts("default_headers", headers, _read_headers, owners)


def read_default_query(query: SettingsInput | None, *owners: ProvidersInput | None) -> Given:
    """Check parameters for each request, or such by provider name, as `hide` holds them.

    Raises:
        InvalidInputError: They are no mapping, one is no text, or names of both kinds are mixed.
    """
    return _read_texts("default_query", query, _read_query, owners)


def _read_texts(
    what: str,
    given: SettingsInput | None,
    read: Callable[[Mapping[Any, Any]], Mapping[str, Any]],
    owners: tuple[ProvidersInput | None, ...],
) -> Given:
    if given is None:
        return Given(what)
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{what} must be a mapping of names to texts, not {type(reveal(given)).__name__}.")
    named = {name: read(value) for name, value in given.items() if isinstance(value, Mapping)}
    if named and len(named) < len(given):
        raise InvalidInputError(f"{what} holds both names of its own and providers: write {{provider: {{name: …}}}}.")
    if named:
        return Given(what, None, _join_providers(owners), named)
    return Given(what, read(given), _join_providers(owners))


def _read_headers(headers: Mapping[Any, Any]) -> Mapping[str, Secret]:
    check_headers(headers, "default_headers")
    return headers


def _read_query(query: Mapping[Any, Any]) -> Mapping[str, Secret]:
    for name, value in query.items():
        if not (isinstance(name, str) and name and isinstance(reveal(value), str)):
            raise InvalidInputError(f"default_query[{name!r}] must be a text.")
    return query


def read_api_versions(api_version: ByProvider | None, *owners: ProvidersInput | None) -> Given:
    """Check the setting that has an argument of its own, or its values by provider name.

    Raises:
        InvalidInputError: One is no text.
    """
    if isinstance(api_version, Mapping):
        return _read_by_name("api_version", api_version, lambda version, _: _read_api_version(version), owners)
    if api_version is None:
        return Given("api_version")
    return Given("api_version", _read_api_version(api_version), _join_providers(owners))


def _read_by_name(
    what: str,
    given: Mapping[Any, Any],
    read: Callable[[Any, str], Any],
    owners: tuple[ProvidersInput | None, ...],
) -> Given:
    """Read values by provider name; None is refused, since what came instead might be somebody else's.

    Raises:
        InvalidInputError: A name is no text, or a value is None.
    """
    for name, value in given.items():
        if not isinstance(name, str):
            raise InvalidInputError(f"{what} must be by the names of providers, as texts, not {type(name).__name__}.")
        if value is None:
            raise InvalidInputError(f"{what} has None for {name!r}: leave the name out where there is nothing for it.")
    return Given(what, None, _join_providers(owners), {name: read(value, name) for name, value in given.items()})


def _read_api_version(version: object) -> Mapping[str, Secret]:
    return _read_setting_texts({"api_version": version})


def _read_setting_texts(given: Mapping[Any, Any]) -> Mapping[str, Secret]:
    """Return settings as texts; None counts as not given."""
    texts = {name: _read_text(reveal(value)) for name, value in given.items() if value is not None}
    for name, text in texts.items():
        if text is None:
            raise InvalidInputError(f"The setting {name} must be a text of one line.")
    return cast("dict[str, Secret]", texts)


def _read_text(value: object) -> Secret | None:
    text = str(value) if isinstance(value, Path) else value
    return Secret(text) if isinstance(text, str) and text.strip() and text.isprintable() else None


def _join_providers(given: tuple[ProvidersInput | None, ...]) -> tuple[ProviderInput, ...]:
    return tuple(provider for providers in given for provider in list_providers(providers))


class Settings(NamedTuple):
    """A client's arguments, checked. See `ClientArguments` for their meaning."""

    provider: ProvidersInput | None
    image_provider: ProvidersInput | None
    keys: Given
    base_urls: Given
    settings: Given
    api_versions: Given
    headers: Given
    query: Given
    proxies: Mapping[str, Secret] | None
    timeout: Timeout
    middleware: tuple[Middleware, ...]
    budget: Budget
    registry: Callable[[], Registry]
    media_folder: Callable[[], Path]
    allow_private_urls: bool
    limits: Limits


def read_proxies(proxies: Secret | Mapping[str, Secret] | None) -> Mapping[str, Secret] | None:
    """Check proxies, as `hide` holds them, and return them by scheme.

    Raises:
        InvalidInputError: A scheme is unknown, or an address is none.
    """
    if proxies is None:
        return None
    found = {"all": proxies} if isinstance(proxies, Secret) else dict(proxies)
    unknown = found.keys() - {"all", "https", "http"}
    if unknown:
        raise InvalidInputError(f"proxies has the key {sorted(unknown)[0]!r}; the keys are 'all', 'https' and 'http'.")
    hidden = {scheme: hide_proxy(url) for scheme, url in found.items()}
    return {scheme: proxy for scheme, proxy in hidden.items() if proxy is not None}


def arrange_middleware(
    middleware: Sequence[Middleware] | None, max_retries: int | None, budget: Budget
) -> tuple[Middleware, ...]:
    """Return the middleware with retries innermost, unless the user placed them; None is the usual number of retries.

    Raises:
        InvalidInputError: One is none, or `max_retries` is no number of times.
    """
    if max_retries is None:
        max_retries = Retry().max_retries
    if type(max_retries) is not int or max_retries < 0:
        raise InvalidInputError(f"max_retries must be a whole number from 0 on, not {max_retries!r}.")
    given = tuple(middleware or ())
    for item in given:
        if not callable(item):
            raise InvalidInputError(f"A middleware must be callable, as an object with __call__; {item!r} is not.")
    return given if any(isinstance(item, Retry) for item in given) else (*given, Retry(max_retries, budget))


def split_entry(provider: ProviderInput) -> tuple[ProviderInput, str | None]:
    """Split "Provider/model", as which a provider can be given; no provider has a slash in its name, nor a path."""
    if not isinstance(provider, str) or "/" not in provider:
        return provider, None
    name, *model = provider.split("/")
    return (provider, None) if ".." in model else (name, "/".join(model) or None)


def list_providers(given: ProvidersInput | None) -> list[ProviderInput]:
    """Return the providers that were given, one or a list.

    Raises:
        InvalidInputError: The list is empty, or holds None.
    """
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        return [given]
    if not given or any(item is None for item in given):
        raise InvalidInputError("A list of providers needs at least one, and None is none.")
    return list(given)
