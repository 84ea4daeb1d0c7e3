"""Keys, addresses and other settings of providers: what the user gave, else the manifest's environment variables.

The one place that reads those variables. A key is held in a `Secret`, which shows itself to nobody by accident.
Reports of errors show the variables of each frame: what raises here has let go of what it found wrong.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, cast
from urllib.parse import unquote, urlsplit

import attrs

from g4f.errors import InvalidInputError, MissingCredentialsError
from g4f.manifest import Manifest
from g4f.record import Shown

_SERVER = r"(?i:(https?://)?([^/:\[\]]*|\[[^]/]*\])(:\d+)?(/.*)?)"
# Where a server listens that is asked on its own machine.
_ANY_HOST = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - nothing is bound here
# What lies beneath `os.environ`, where this Python has it.
_VALUES: Mapping[Any, object] = getattr(os.environ, "_data", os.environ)
_encode_name: Callable[[str], Any] = lru_cache(maxsize=1024)(getattr(os.environ, "encodekey", str))
# Set on many machines for other purposes: they serve a provider that was chosen, and never choose one.
GENERIC_VARIABLES = frozenset({"GITHUB_TOKEN", "GH_TOKEN"})
_SHORTEST_KEY = 12  # a header's value of fewer characters is none, and stays in errors
_KEY_STARTS = ("sk-", "gsk_", "AIza", "xai-")


class Secret:
    """A key. Its repr is redacted and it does not pickle; `reveal()` is called where it goes on the wire."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.__value == self.__value

    def __hash__(self) -> int:
        return hash(self.__value)


def hide(given: object) -> Any:
    """Hold what a user gave, so that nothing shows it: what is in a mapping each for itself, and None as it is.

    Nothing is checked. Who reads it does that, with `reveal`.
    """
    if given is None or isinstance(given, Secret):
        return given
    if isinstance(given, Mapping):
        return {name: hide(item) for name, item in given.items()}
    return Secret(cast(str, given))  # or what was given in place of one


def reveal(given: object) -> object:
    """Return what `hide` holds, or what it did not have to."""
    return given.reveal() if isinstance(given, Secret) else given


def hide_key(provider: Any) -> Any:
    """Hold a key that was given where a provider belongs, for `refuse_key`; all else stays as it is."""
    return hide(provider) if isinstance(provider, str) and provider.startswith(_KEY_STARTS) else provider


def refuse_key(provider: object) -> None:
    """Refuse a key that was given where a provider's name belongs, without showing it.

    Raises:
        InvalidInputError: It begins as keys do.
    """
    provider = hide_key(provider)
    if isinstance(provider, Secret):
        raise InvalidInputError("What was given as the provider looks like a key: pass it as api_key=…")


def hide_proxy(proxy: object) -> Secret | None:
    """Hold a proxy's URL, which may have a password, so that nothing shows it; "" counts as none.

    Raises:
        InvalidInputError: It is no text.
    """
    if proxy is None or reveal(proxy) == "":
        return None
    if type(reveal(proxy)) is not str:
        del proxy
        raise InvalidInputError("A proxy must be a text, as http://127.0.0.1:8080.")
    held: Secret = hide(proxy)
    return held


def list_passwords(proxies: Iterable[Secret]) -> tuple[Secret, ...]:
    """Return what proxies are opened with: a password, or a name alone. Their refusals may say it back."""
    return tuple(Secret(password) for proxy in proxies if (password := _find_password(proxy.reveal())))


def _find_password(proxy: str) -> str:
    user, _, password = proxy.rpartition("://")[2].rpartition("@")[0].partition(":")
    return unquote(password or user)


def scrub(fields: Mapping[str, Any], secrets: Iterable[Secret]) -> dict[str, Any]:
    """Return texts, or what JSON can say, without any of the keys; see `redact`."""
    from g4f.redaction import redact  # here because only what goes wrong needs it

    return redact(fields, [secret.reveal() for secret in secrets])


@attrs.frozen(eq=False, repr=False)
class Access(Shown):
    """How one provider is reached for one client: where, with which key, with which settings.

    `origins` are those that may receive the key (see `is_among`); `foreign` is an address of the user's own that the
    manifest does not know.
    """

    base_url: str
    secret: Secret | None
    settings: Mapping[str, str] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    origins: frozenset[str]
    foreign: bool = False
    default_headers: Mapping[str, Secret] = attrs.field(factory=dict)
    default_query: Mapping[str, Secret] = attrs.field(factory=dict)

    def list_secrets(self) -> tuple[Secret, ...]:
        """Return what may be in no error: the key, and what is long enough for one among headers and query."""
        own = () if self.secret is None else (self.secret,)
        if not (self.default_headers or self.default_query):
            return own
        given = (*self.default_headers.values(), *self.default_query.values())
        return (*own, *(secret for secret in given if len(secret.reveal()) >= _SHORTEST_KEY))


def make_secret(key: object, provider: str) -> Secret | None:
    """Check a key that the user gave.

    Raises:
        InvalidInputError: It is no text, or has characters that no header can carry.
    """
    if key is None:
        return None
    slip = _find_slip_in_key(reveal(key))
    if slip:
        del key
        raise InvalidInputError(f"The api_key for {provider} {slip}.")
    held = Secret(cast(str, reveal(key)).strip())
    return key if isinstance(key, Secret) and key == held else held


def _find_slip_in_key(key: object) -> str:
    if not isinstance(key, str):
        return f"must be a text, not {type(key).__name__}"
    value = key.strip()
    if not value:
        return "is empty; leave it out to use the environment's"
    sendable = value.isascii() and value.isprintable()
    return "" if sendable else "has characters that a key cannot have; copy it again"


def is_foreign(manifest: Manifest, base_url: str) -> bool:
    """Tell whether an address from the program is not the service's: who listens there knows models of its own."""
    known = {find_origin(url) for url in (manifest.base_url, *manifest.hosts) if url}
    return not manifest.base_url_required and not is_among(complete_address(base_url, manifest), known)


def list_variables(manifest: Manifest) -> tuple[str, ...]:
    """Name all environment variables that a provider's access depends on."""
    settings = (setting.variable for setting in manifest.settings)
    return tuple(name for name in (*manifest.auth.variables, manifest.base_url_variable, *settings) if name)


def read_variables(names: Iterable[str]) -> int:
    """Return what stands for the values of environment variables, to see later whether one has changed.

    Done for each request, and most are missing, for which `os.environ` raises two errors each.
    """
    return hash(tuple(map(_VALUES.get, map(_encode_name, names))))


def _read_variable(name: str | None, variables: Mapping[str, str] | None) -> str:
    """Return a variable's value, "" for none; None stands for the environment, which no frame that raises may hold."""
    return (os.environ if variables is None else variables).get(name, "") if name else ""


def find_variable(manifest: Manifest, variables: Mapping[str, str] | None = None) -> str | None:
    """Name the environment variable that holds the provider's key now, if one does."""
    return next((name for name in manifest.auth.variables if _read_variable(name, variables).strip()), None)


def has_access(manifest: Manifest, *, generic: bool = True, variables: Mapping[str, str] | None = None) -> bool:
    """Tell whether the environment lets a provider work; without `generic`, all-purpose tokens do not count."""
    if manifest.base_url_required and not _read_variable(manifest.base_url_variable, variables).strip():
        return False
    if manifest.auth.kind == "none" or not manifest.auth.required:
        return True
    return any(
        _read_variable(name, variables).strip()
        for name in manifest.auth.variables
        if generic or name not in GENERIC_VARIABLES
    )


def resolve_access(  # noqa: PLR0913 - all that decides it
    provider: str,
    manifest: Manifest,
    *,
    key: Secret | None = None,
    base_url: str | None = None,
    closed: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Access:
    """Work out how to reach a provider; the environment's variables are those that count, unless others are given.

    The environment's key goes to the manifest's origins, and to the address that the environment itself names; never
    to a foreign `base_url` from the program; nor do its settings that travel as headers. With `closed` it goes nowhere.

    Raises:
        MissingCredentialsError: There is no key, or no address, where one is needed.
        InvalidInputError: The address is no http or https URL.
    """
    configured = _read_address(manifest, variables)
    base_url = complete_address(base_url or "", manifest)
    known = {find_origin(url) for url in (configured, manifest.base_url, *manifest.hosts) if url}
    address = (base_url or configured or ("" if manifest.base_url_required else manifest.base_url)).rstrip("/")
    if not address and manifest.base_url_required:
        how = f" or set {manifest.base_url_variable}" if manifest.base_url_variable else ""
        raise MissingCredentialsError(f"{provider} needs to know where its server is: pass base_url=…{how}.")
    foreign = bool(base_url) and not is_among(address, known)
    if key is None and closed and not foreign:
        _check_keyless(provider, manifest)
    elif key is None and not foreign:
        variable = find_variable(manifest, variables)
        key = make_secret(_read_variable(variable, variables), provider) if variable else None
    if key is None and not foreign and manifest.auth.kind == "header" and manifest.auth.required:
        raise MissingCredentialsError(_describe_missing_key(provider, manifest))
    origins = {find_origin(address)} if address else set()
    if not foreign:
        origins |= {find_origin(host) for host in manifest.hosts}
    settings = _read_settings(manifest, variables)  # from here on nothing is raised
    headers = {} if foreign else _list_headers(manifest, settings)
    return Access(address, key, settings, headers, frozenset(origins), foreign)


def _read_settings(manifest: Manifest, variables: Mapping[str, str] | None) -> dict[str, str]:
    read = ((setting.name, _read_variable(setting.variable, variables)) for setting in manifest.settings)
    return {name: value for name, value in read if value}


def _check_keyless(provider: str, manifest: Manifest) -> None:
    """Refuse to go on without a key, unless the provider needs none; one that has its own ways would find another.

    Raises:
        MissingCredentialsError: It needs one.
    """
    if manifest.auth.kind == "own" or (manifest.auth.kind == "header" and manifest.auth.required):
        raise MissingCredentialsError(
            f"{provider} needs a key: api_key is a mapping that has none for it, and beside one no other key is used."
        )


def _list_headers(manifest: Manifest, settings: Mapping[str, str]) -> Mapping[str, str]:
    return {item.header: settings[item.name] for item in manifest.settings if item.header and item.name in settings}


def add_settings(access: Access, manifest: Manifest, given: Mapping[str, Secret]) -> Access:
    """Return an access with the settings that the user gave; they count more than the environment's."""
    plain = {name: secret.reveal() for name, secret in given.items()}
    headers = {**access.headers, **_list_headers(manifest, plain)}
    return attrs.evolve(access, settings={**access.settings, **plain}, headers=headers)


def add_defaults(access: Access, headers: Mapping[str, Secret], query: Mapping[str, Secret]) -> Access:
    """Return an access with what the user wants sent with each request."""
    return attrs.evolve(access, default_headers=headers, default_query=query) if headers or query else access


def check_settings(provider: str, manifest: Manifest, given: Iterable[str]) -> None:
    """Refuse settings that a provider does not have.

    Raises:
        InvalidInputError: There is one.
    """
    known = [setting.name for setting in manifest.settings]
    for name in given:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise InvalidInputError(f"{provider} has no setting {name!r}; {has}.")


def _read_address(manifest: Manifest, variables: Mapping[str, str] | None) -> str:
    """Return the address that the environment names, "" for none.

    Raises:
        InvalidInputError: It is no http or https URL.
    """
    address = complete_address(_read_variable(manifest.base_url_variable, variables).strip(), manifest)
    _, slip = _read_origin(address) if address else ("", "")
    if slip:
        del address
        raise InvalidInputError(f"The variable {manifest.base_url_variable} is wrong: {slip}")
    return address


def complete_address(address: str, manifest: Manifest) -> str:
    """Add what an address leaves out that may name a server alone: scheme and port, path.

    So "0.0.0.0:11434", where a server listens, becomes "http://127.0.0.1:11434/v1", where it is asked.
    """
    found = re.fullmatch(_SERVER, address) if address and manifest.base_url_path else None
    if found is None:
        return address
    usual = urlsplit(manifest.base_url)
    scheme, host, port, path = found.groups(default="")
    if not (scheme or port) and usual.port:
        port = f":{usual.port}"
    path = path.rstrip("/") or manifest.base_url_path
    return f"{scheme or f'{usual.scheme}://'}{_ANY_HOST.get(host, host)}{port}{path}"


def _describe_missing_key(provider: str, manifest: Manifest) -> str:
    variables = " or ".join(manifest.auth.variables)
    where = f"set {variables}, or pass api_key=…" if variables else "pass api_key=…"
    return f"{provider} needs a key: {where}."


def check_base_url(url: object) -> str:
    """Return a provider's address as it is, if it can be one.

    Raises:
        InvalidInputError: It is no http or https URL, or has a user, a query or a fragment.
    """
    slip = _find_slip_in_address(reveal(url))
    if slip:
        del url
        raise InvalidInputError(slip)
    return cast(str, reveal(url))


def _find_slip_in_address(url: object) -> str:
    if not isinstance(url, str):
        return f"base_url must be a text, not {type(url).__name__}."
    _, slip = _read_origin(url)
    if slip:
        return slip
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username is not None:
        return "base_url must not hold a user, a ? or a #: it is what the paths are joined to."
    return ""


@lru_cache(maxsize=256)
def find_origin(url: str) -> str:
    """Return scheme, host and port of an http or https URL, the port always written out.

    Raises:
        InvalidInputError: It is no such URL.
    """
    origin, slip = _read_origin(url)
    if slip:
        del url
        raise InvalidInputError(slip)
    return origin


def _read_origin(url: str) -> tuple[str, str]:
    """Return the origin of a URL, or what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", f"{_show_address(url)} is no URL."
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "", f"{_show_address(url)} is no http:// or https:// address."
    return f"{parts.scheme}://{parts.hostname.lower()}:{port or (443 if parts.scheme == 'https' else 80)}", ""


def _show_address(url: str) -> str:
    """Write what was given as an address, without what may be a key: a user, a query, or all of it."""
    scheme, separator, rest = re.split("[?#]", url, maxsplit=1)[0].rpartition("://")
    address = scheme + separator + rest.rpartition("@")[2]
    return repr(address) if ":" in address or "/" in address or len(address) < _SHORTEST_KEY else "What was given"


def is_among(url: str, origins: Collection[str]) -> bool:
    """Tell whether the origin of a URL is one of these; a `*` in one of them stands for a single label of a host.

    Raises:
        InvalidInputError: It is no http or https URL.
    """
    origin = find_origin(url)
    return origin in origins or any(_fits(origin, pattern) for pattern in origins if "*" in pattern)


def _fits(origin: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[a-z0-9-]+"), origin) is not None
