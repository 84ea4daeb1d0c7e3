"""A provider's manifest: what it is and needs, as plain data that is read without importing the provider.

A manifest is a TOML file named after the entry point, beside the `__init__.py` of the provider's package; a class in
a user's script carries a `Manifest` as its attribute `manifest`. Finding the files is left to `registry.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple, TypeVar, cast

import attrs

from g4f.errors import InvalidInputError
from g4f.record import Record

CONTRACT = 1
Support = Literal["yes", "no", "unknown"]
Capability = Literal[
    "chat",
    "image",
    "image_edit",
    "embed",
    "vision",
    "tools",
    "json_schema",
    "reasoning",
    "document",
    "audio",
]
StreamEnd = Literal["marker", "finish", "close"]
Dialect = Literal["openai", "anthropic", "gemini", ""]
AuthKind = Literal["header", "none", "own"]
Grade = Literal["bronze", "silver", "gold", ""]

CAPABILITIES: tuple[str, ...] = Capability.__args__  # type: ignore[attr-defined]  # a Literal has its values there
_SUPPORTS: tuple[str, ...] = Support.__args__  # type: ignore[attr-defined]  # as above
_STREAM_ENDS: tuple[str, ...] = StreamEnd.__args__  # type: ignore[attr-defined]  # as above
_DIALECTS: tuple[str, ...] = Dialect.__args__  # type: ignore[attr-defined]  # as above
_GRADES: tuple[str, ...] = Grade.__args__  # type: ignore[attr-defined]  # as above
_AUTH_KINDS: tuple[str, ...] = AuthKind.__args__  # type: ignore[attr-defined]  # as above

_ABILITIES = {
    "image": "make images",
    "image_edit": "edit images",
    "embed": "make embeddings",
    "vision": "read images",
    "document": "read documents",
    "audio": "hear or speak",
    "tools": "call functions",
    "json_schema": "answer by a JSON schema",
    "reasoning": "reason",
}

_KINDS_OF_VALUES: dict[type, str] = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_KINDS = ("chat", "image", "embed")
_OPERATIONS = {"image": "image", "image_edit": "image", "embed": "embed"}  # all else is done in a chat

T = TypeVar("T")


def describe_ability(capability: str) -> str:
    """Return a capability as a verb, for messages: "make images"."""
    return _ABILITIES.get(capability, capability)


class ManifestError(InvalidInputError):
    """A manifest that cannot be used; the text says where and why."""


@attrs.frozen(eq=False, repr=False)
class Auth(Record):
    """How the key travels.

    Attributes:
        kind: `header`: the transport adds it; `none`: there is none; `own`: the provider asks `context.secret()`.
        header: The header that carries it.
        prefix: What stands before it there.
        variables: Environment variables that may hold it, the first that is set wins.
        required: Whether a request without a key makes no sense.
        sign_in: The command that signs the user in, which serves in place of a variable, as `g4f auth copilot`.

    Raises:
        ManifestError: There are variables for a key that would go nowhere.
    """

    kind: AuthKind = "none"
    header: str = "Authorization"
    prefix: str = "Bearer "
    variables: tuple[str, ...] = ()
    required: bool = True
    sign_in: str = ""

    def __attrs_post_init__(self) -> None:
        if self.kind == "none" and self.variables:
            raise ManifestError("auth names variables, so its kind must be 'header' or 'own'")


class Setting(NamedTuple):
    """A setting beside the key, as an organization's id: from `variable`, sent as `header` if it names one."""

    name: str
    variable: str | None = None
    header: str | None = None
    description: str = ""


@attrs.frozen(eq=False, repr=False)
class Model(Record):
    """A model, or with `pattern` (as `gpt-*`) a family of models, that the provider serves.

    Attributes:
        id: The id at the service; empty for a pattern.
        pattern: Matches ids that are sent unchanged.
        aliases: Other names that mean `id`.
        first_party: Whether the model's maker is this service.
        capabilities: What the model can and cannot; what is not there is as the provider says of the model's kind.
        context_tokens: How much it can read and write together, in tokens.
        output_tokens: How much it can write, in tokens.
    """

    id: str = ""
    pattern: str = ""
    aliases: tuple[str, ...] = ()
    first_party: bool = False
    capabilities: Mapping[str, Support] = attrs.field(factory=dict)
    context_tokens: int | None = None
    output_tokens: int | None = None


class Retired(NamedTuple):
    """A name whose model is gone, or (without `service`) another's: `model` answers instead, and a warning says so."""

    name: str
    model: str
    date: str
    service: bool = True


class ResolvedModel(NamedTuple):
    """What a user's model name means at one provider.

    Attributes:
        id: The id at the service.
        listed: What the manifest says of the model.
        warning: A sentence for the answer, where another model serves than was named.
        borrowed: Whether the name is another service's, for which this one only stands in.
    """

    id: str
    listed: Model | None = None
    warning: str | None = None
    borrowed: bool = False


@attrs.frozen(eq=False, repr=False)
class Manifest(Record):
    """What a provider is and needs.

    Attributes:
        title: The service's name as people know it.
        documentation: Where its API is documented.
        base_url: Where requests go, without a slash at the end; empty for a provider that speaks no HTTP.
        base_url_variable: The environment variable that overrides it.
        base_url_required: Whether the user must say where: then `base_url` is only an example.
        base_url_path: What an address that names a server alone goes on with, as "/v1".
        hosts: Further origins that may receive the key; a `*` stands for one label, as in `https://api.*.example.org`.
        auth: How the key travels.
        settings: What else can be set.
        stream_end: When a stream is complete: at the dialect's own `marker`, at a `finish` reason (or the marker), or
            whenever the connection is closed cleanly (`close`).
        dialect: What the service speaks, so that the conformance kit can play it; empty for a dialect of its own.
        capabilities: What the provider can, where a model does not say otherwise.
        models: The models that it claims.
        models_open: Whether it serves names that nobody can list. It then claims none by itself.
        defaults: The model to use where the user names none, by capability.
        retired: Names of models that are gone.
        grade: What it reaches in the conformance kit, which holds its maker to it; empty where nothing is claimed.
    """

    title: str = ""
    documentation: str = ""
    base_url: str = ""
    base_url_variable: str | None = None
    base_url_required: bool = False
    base_url_path: str = ""
    hosts: tuple[str, ...] = ()
    auth: Auth = Auth()
    settings: tuple[Setting, ...] = ()
    stream_end: StreamEnd = "finish"
    dialect: Dialect = attrs.field(
        default=attrs.Factory(lambda manifest: _assume_dialect(manifest.base_url), takes_self=True)
    )
    capabilities: Mapping[str, Support] = attrs.field(factory=dict)
    models: tuple[Model, ...] = ()
    models_open: bool = False
    defaults: Mapping[str, str] = attrs.field(factory=dict)
    retired: tuple[Retired, ...] = ()
    grade: Grade = ""

    def supports(self, capability: str, model: Model | None = None) -> Support:
        """Tell whether the provider (or its `model`) can do something.

        A model is of one kind where it does not say otherwise: it chats, else makes images, else embeddings. What the
        provider can with models of another kind says nothing of this one.
        """
        found = self.capabilities.get(capability, "unknown")
        if model is None:
            return found
        if capability in model.capabilities:
            return model.capabilities[capability]
        return "unknown" if found == "yes" and _OPERATIONS.get(capability, "chat") != self._find_kind(model) else found

    def denies(self, capability: str, name: str | None) -> bool:
        """Tell whether the provider, or its model of that name, cannot do something."""
        found = self.resolve_model(name) if name else None
        return self.supports(capability, found.listed if found else None) == "no"

    def _find_kind(self, model: Model) -> str | None:
        able = (kind for kind in _KINDS if self.capabilities.get(kind) == "yes")
        return next((kind for kind in able if model.capabilities.get(kind) != "no"), None)

    def resolve_model(self, name: str) -> ResolvedModel | None:
        """Find what `name` means here, or None when the manifest does not know it."""
        wanted = name.lower()
        for model in self.models:
            if model.id and wanted in (
                model.id.lower(),
                *(alias.lower() for alias in model.aliases),
            ):
                return ResolvedModel(model.id, model)
        for retired in self.retired:
            if wanted == retired.name.lower():
                return self._replace_retired(name, retired)
        for model in self.models:
            if model.pattern and fnmatchcase(wanted, model.pattern.lower()):
                return ResolvedModel(name, model)
        return None

    def _replace_retired(self, name: str, retired: Retired) -> ResolvedModel:
        instead = self.resolve_model(retired.model)
        why = f"was retired on {retired.date}" if retired.service else f"is no model of {self.title}"
        warning = f"{name} {why}; {retired.model} answered instead."
        found = instead or ResolvedModel(retired.model)
        return ResolvedModel(found.id, found.listed, warning, borrowed=not retired.service)


def _assume_dialect(base_url: str) -> Dialect:
    """Return what a provider speaks that says nothing of it: most services speak OpenAI's dialect."""
    return "openai" if base_url else ""


def parse_manifest(text: str) -> Manifest:
    """Read a manifest's TOML.

    Raises:
        ManifestError: It is no TOML, or a key is unknown, missing or of the wrong type.
    """
    import tomllib  # 15 ms that only those pay who read a manifest

    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # beside its own error: numbers too long, tables too deep
        raise ManifestError(f"it is not valid TOML: {error}") from None
    return build_manifest(table)


def build_manifest(table: Mapping[str, Any]) -> Manifest:
    """Check a decoded manifest and make a value of it."""
    top = _Table(table, "the manifest")
    contract = top.take("contract", int, None)
    if contract is None:
        raise ManifestError("contract = 1 is missing")
    if contract != CONTRACT:
        raise ManifestError(f"it needs contract {contract}, and this g4f-core speaks {CONTRACT}: update the older one")
    models = table.get("models", [])
    if isinstance(models, str) and models != "open":
        raise ManifestError(f'models must be "open" or a list of tables, not {models!r}')
    base_url = top.url("base_url").rstrip("/")
    manifest = Manifest(
        title=top.take("title", str, ""),
        documentation=top.take("documentation", str, ""),
        base_url=base_url,
        base_url_variable=top.take("base_url_variable", str, None),
        base_url_required=top.take("base_url_required", bool, False),
        base_url_path=top.take("base_url_path", str, ""),
        hosts=tuple(_check_host(host) for host in top.strings("hosts")),
        auth=_read_auth(top.table("auth")),
        settings=tuple(_read_setting(name, setting) for name, setting in top.tables_by_name("settings")),
        stream_end=cast(StreamEnd, top.choice("stream_end", _STREAM_ENDS, "finish")),
        dialect=cast(Dialect, top.choice("dialect", _DIALECTS, _assume_dialect(base_url))),
        capabilities=_read_capabilities(top.table("capabilities")),
        models_open=models == "open",
        models=() if models == "open" else tuple(_read_model(item) for item in top.tables("models")),
        defaults=_read_defaults(top.table("defaults")),
        retired=_read_all_retired(top.tables("retired")),
        grade=cast(Grade, top.choice("grade", _GRADES, "")),
    )
    top.finish(also=("models",))
    _check_names(manifest)
    _check_defaults(manifest)
    return manifest


def _check_names(manifest: Manifest) -> None:
    """Refuse a name that two models have: one of them could never be asked."""
    seen: set[str] = set()
    for at, model in enumerate(manifest.models):
        for name in (model.id or model.pattern, *model.aliases):
            if name.lower() in seen:
                raise ManifestError(f"models[{at}] is called {name!r}, as one before it")
            seen.add(name.lower())


def _check_defaults(manifest: Manifest) -> None:
    """Hold a manifest that lists models to it: a default that it does not list would be claimed by nobody."""
    for capability, name in manifest.defaults.items():
        found = manifest.resolve_model(name)
        if found is None and manifest.models:
            raise ManifestError(f"{capability} in defaults names {name!r}, which models does not list: add it there")
        if found is not None and manifest.supports(capability, found.listed) == "no":
            cannot = f"cannot {describe_ability(capability)}"
            raise ManifestError(f"{capability} in defaults names {name!r}, of which models says that it {cannot}")


def _read_auth(table: _Table) -> Auth:
    variables = table.strings("variables")
    auth = Auth(
        kind=cast(AuthKind, table.choice("kind", _AUTH_KINDS, "header" if variables else "none")),
        header=table.header("header", "Authorization"),
        prefix=table.take("prefix", str, "Bearer "),
        variables=variables,
        required=table.take("required", bool, True),
        sign_in=table.take("sign_in", str, ""),
    )
    table.finish()
    return auth


def _read_setting(name: str, table: _Table) -> Setting:
    variable, header = table.take("variable", str, None), table.header("header", None)
    setting = Setting(name, variable, header, table.take("description", str, ""))
    table.finish()
    return setting


def _read_capabilities(table: _Table) -> Mapping[str, Support]:
    told = [name for name in CAPABILITIES if name in table.data]  # few of many, in each of many models
    found = {name: cast(Support, table.choice(name, _SUPPORTS, "unknown")) for name in told}
    table.finish(also=CAPABILITIES)
    return found


def _read_defaults(table: _Table) -> Mapping[str, str]:
    found = {name: table.take(name, str, "") for name in CAPABILITIES}
    table.finish()
    return {name: model for name, model in found.items() if model}


def _read_model(table: _Table) -> Model:
    model = Model(
        id=table.take("id", str, ""),
        pattern=table.take("pattern", str, ""),
        aliases=table.strings("aliases"),
        first_party=table.take("first_party", bool, False),
        capabilities=_read_capabilities(table.table("capabilities")),
        context_tokens=table.take("context_tokens", int, None),
        output_tokens=table.take("output_tokens", int, None),
    )
    table.finish()
    if bool(model.id) == bool(model.pattern):
        raise ManifestError(f"{table.where} needs an id or a pattern, and not both")
    return model


def _read_all_retired(tables: list[_Table]) -> tuple[Retired, ...]:
    retired = tuple(_read_retired(table) for table in tables)
    names = {item.name.lower() for item in retired}
    for item in retired:
        if item.model.lower() in names:
            raise ManifestError(f"{item.name!r} of retired leads to {item.model!r}, which is retired as well")
    return retired


def _read_retired(table: _Table) -> Retired:
    name, model, date = (table.take(key, str, None) for key in ("name", "model", "date"))
    service = table.take("service", bool, True)
    table.finish()
    if not (name and model and re.fullmatch(r"\d{4}-\d\d-\d\d", date or "")):
        raise ManifestError(f"{table.where} needs a name, a model and a date as 2026-05-12 (all text)")
    return Retired(name, model, str(date), service)


def _show(value: Any) -> str:
    """Return a value as TOML writes it."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _check_url(url: str, where: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#]+[^\s?#]*", url):
        raise ManifestError(f"{where} must be as https://api.example.org, not {url!r}")
    return url


def _check_host(url: str) -> str:
    """Return an origin that may receive the key; who owns a domain owns its subdomains, but nobody a whole suffix."""
    if "*" in url and not re.fullmatch(r"https://([a-z0-9-]+\.)*\*(\.[a-z0-9-]+){2,}", url):
        raise ManifestError(f"a * in hosts must be one label of a domain, as https://api.*.example.org, not {url!r}")
    return _check_url(url, "hosts in the manifest")


class _Table:
    """A TOML table that is read key by key, and at the end has no key left."""

    def __init__(self, data: Any, where: str, path: str = "") -> None:
        if not isinstance(data, Mapping):
            raise ManifestError(f"{where} must be a table, not {data!r}")
        self.data = data
        self.where = where
        self.path = path
        self.seen: set[str] = set()

    def take(self, key: str, kind: type[T], default: Any) -> Any:
        self.seen.add(key)
        value = self.data.get(key, default)
        if value is not default and type(value) is not kind:
            raise ManifestError(f"{key} in {self.where} must be {_KINDS_OF_VALUES[kind]}, not {_show(value)}")
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        self.seen.add(key)
        value = self.data.get(key, default)
        if value not in choices:
            *most, last = (f'"{choice}"' for choice in choices)
            raise ManifestError(f"{key} in {self.where} must be {', '.join(most)} or {last}, not {_show(value)}")
        return str(value)

    def strings(self, key: str) -> tuple[str, ...]:
        values: Any = self.data.get(key)
        if isinstance(values, str):
            raise ManifestError(f'{key} in {self.where} must be a list: write {key} = ["{values}"]')
        values = self.take(key, list, []) or []
        if not all(isinstance(value, str) for value in values):
            raise ManifestError(f"{key} in {self.where} must be a list of texts, not {values!r}")
        return tuple(values)

    def header(self, key: str, default: str | None) -> Any:
        name: str | None = self.take(key, str, default)
        if name is not None and not _HEADER.fullmatch(name):
            raise ManifestError(f"{key} in {self.where} is {name!r}, which can be no header's name")
        return name

    def url(self, key: str) -> str:
        value: str = self.take(key, str, "")
        return _check_url(value, f"{key} in {self.where}") if value else ""

    def table(self, key: str) -> _Table:
        self.seen.add(key)
        return self._go_into(self.data.get(key, {}), key)

    def tables(self, key: str) -> list[_Table]:
        if isinstance(self.data.get(key), Mapping):
            raise ManifestError(f"[{self.path}{key}] must be a list of tables: write [[{self.path}{key}]] above each")
        items: list[Any] = self.take(key, list, [])
        if not all(isinstance(item, Mapping) for item in items):
            raise ManifestError(f"each of {key} must be a table: write [[{self.path}{key}]] above its keys")
        return [self._go_into(item, f"{key}[{at}]") for at, item in enumerate(items)]

    def tables_by_name(self, key: str) -> list[tuple[str, _Table]]:
        return [(name, self._go_into(item, f"{key}.{name}")) for name, item in self.table(key).data.items()]

    def _go_into(self, data: Any, name: str) -> _Table:
        path = self.path + name
        return _Table(data, path, f"{path}.")

    def finish(self, also: tuple[str, ...] = ()) -> None:
        unknown = sorted(self.data.keys() - self.seen - set(also))
        if unknown:
            known = sorted(self.seen | set(also))
            raise ManifestError(
                f"{unknown[0]!r} is no key of {self.where}.{_guess(unknown[0], known)} Known are {', '.join(known)}"
            )


def _guess(word: str, known: list[str]) -> str:
    from difflib import get_close_matches  # 5 ms that only a slip costs

    close = get_close_matches(word.lower(), known, 1)
    return f" Did you mean {close[0]!r}?" if close else ""
