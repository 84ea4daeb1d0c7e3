"""The asynchronous client, shaped like OpenAI's. The synchronous one in `_sync.py` runs this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, NoReturn, Self, Unpack, cast

from g4f.client._arguments import (
    SHOWN_BY_CLIENTS,
    ByProvider,
    ClientArguments,
    ProviderInput,
    ProvidersInput,
    SettingsInput,
    hide_arguments,
    refuse_client_arguments,
)
from g4f.client._chat import Chat
from g4f.client._choosing import Choice, Choices, Chooser, check_headers
from g4f.client._settings import (
    UNNAMED,
    Settings,
    arrange_middleware,
    read_api_versions,
    read_base_urls,
    read_default_headers,
    read_default_query,
    read_keys,
    read_proxies,
    read_settings,
)
from g4f.context import Call, Limits, Middleware, Request, Timeout
from g4f.credentials import Secret, hide, hide_key, hide_proxy, refuse_key
from g4f.dispatch import Dispatcher
from g4f.environment import show_log
from g4f.middleware.cooldown import Cooldown
from g4f.middleware.retry import Budget, Retry
from g4f.plugin import Plugin
from g4f.registry import ProviderRef, Registry, share_registry

if TYPE_CHECKING:
    from ssl import SSLContext

    from g4f.client._embeddings import EmbeddingsResource
    from g4f.client._images import ImagesResource
    from g4f.client._models import Models
    from g4f.transport import Pool

# Arguments that belong to the providers named with them, and where they are kept.
_OWNED = {
    "api_key": "keys",
    "base_url": "base_urls",
    "api_version": "api_versions",
    "settings": "settings",
    "default_headers": "headers",
    "default_query": "query",
}
_CONNECTING = {"proxies", "allow_private_urls", "registry", "ssl_context"}  # what connections are made with


class _Shared:
    """What a client and its `with_options` copies hold together: connections, the providers in use, who rests."""

    def __init__(
        self,
        proxies: Mapping[str, Secret] | None,
        allow_private_urls: bool,
        registry: Callable[[], Registry],
        ssl_context: SSLContext | None,
    ) -> None:
        self._arguments = (proxies, allow_private_urls, ssl_context)
        self._pool: Pool | None = None
        self.chooser = Chooser(registry)
        self.cooldown = Cooldown()
        self.registry = registry
        self._plugins: set[Plugin] = set()
        self.closed = False

    def get_pool(self) -> Pool:
        if self._pool is None:
            from g4f.transport import (
                Pool,
            )  # aiohttp is more than half of the import, and a local model needs none

            proxies, allow_private_urls, ssl_context = self._arguments
            self._pool = Pool(proxies, allow_private_urls=allow_private_urls, ssl_context=ssl_context)
        return self._pool

    def use(self, plugin: Plugin) -> None:
        """Keep a provider from being freed until this is closed."""
        self.closed = False
        if plugin not in self._plugins:
            plugin.join(self)
            self._plugins.add(plugin)

    async def close(self) -> None:
        self.closed = True
        plugins, self._plugins = self._plugins, set()
        for plugin in plugins:
            await plugin.leave(self)
        if self._pool is not None:
            await self._pool.close()


class AsyncClient:
    """Holds who serves, with which keys, and the connections. See `ClientArguments` for what each argument means.

    Use it with `async with`, or `await client.close()`; a client that is not closed frees its connections when nobody
    holds it any more, or when the event loop ends.

    Attributes:
        chat: `chat.completions.create(...)`, `.stream(...)` and `.parse(...)`.
        images: `images.generate(...)`, `.edit(...)` and `.create_variation(...)`.
        embeddings: `embeddings.create(...)`.
        models: `models.list()` and `.retrieve(id)`.

    Raises:
        InvalidInputError: An argument cannot be used.
    """

    def __init__(
        self,
        provider: ProvidersInput | None = None,
        image_provider: ProvidersInput | None = None,
        api_key: ByProvider | None = None,
        base_url: ByProvider | None = None,
        proxies: str | Mapping[str, str] | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int | None = 2,
        middleware: Sequence[Middleware] | None = None,
        registry: Registry | None = None,
        media_folder: str | None = None,
        allow_private_urls: bool = False,
        api_version: ByProvider | None = None,
        settings: SettingsInput | None = None,
        limits: Limits | None = None,
        default_headers: SettingsInput | None = None,
        default_query: SettingsInput | None = None,
        ssl_context: SSLContext | None = None,
        **unknown: Never,
    ) -> None:
        # First of all, so that no report of an error shows what is in these variables; see `hide_arguments`.
        api_key, base_url, proxies, settings = hide(api_key), hide(base_url), hide(proxies), hide(settings)
        default_headers, default_query, unknown = hide(default_headers), hide(default_query), hide(unknown)
        provider, image_provider = hide_key(provider), hide_key(image_provider)
        refuse_client_arguments(unknown)
        for given in (provider, image_provider):
            refuse_key(given)
        hidden_proxies = read_proxies(cast(Any, proxies))
        self._arguments = ClientArguments(
            provider=provider,
            image_provider=image_provider,
            proxies=cast(Any, hidden_proxies),  # they may have passwords, and are read again by `with_options`
            timeout=timeout,
            max_retries=max_retries,
            middleware=middleware,
            registry=registry,
            media_folder=media_folder,
            allow_private_urls=allow_private_urls,
            limits=limits,
            ssl_context=ssl_context,
        )

        def find_registry() -> Registry:
            return registry if registry is not None else share_registry()

        budget = Budget()
        owners = (provider, image_provider, *_find_unnamed(provider, image_provider, base_url))
        self._settings = Settings(
            provider=provider,
            image_provider=image_provider,
            keys=read_keys(api_key, *owners),
            base_urls=read_base_urls(base_url, provider, image_provider),
            api_versions=read_api_versions(api_version, *owners),
            settings=read_settings(settings, *owners),
            headers=read_default_headers(default_headers, *owners),
            query=read_default_query(default_query, *owners),
            proxies=hidden_proxies,
            timeout=Timeout.make(timeout),
            middleware=arrange_middleware(middleware, max_retries, budget),
            budget=budget,
            registry=find_registry,
            media_folder=lambda: Path(media_folder or find_registry().environment.media_folder).expanduser(),
            allow_private_urls=allow_private_urls,
            limits=Limits.make(limits),
        )
        show_log(find_registry().environment.log_level)
        self._shared = _Shared(self._settings.proxies, allow_private_urls, find_registry, ssl_context)
        self._choices = Choices()
        self.chat = Chat(self)

    # What follows is imported when it is first asked for: most programs only chat.

    @cached_property
    def images(self) -> ImagesResource:
        """`images.generate(...)`, `.edit(...)` and `.create_variation(...)`."""
        from g4f.client._images import ImagesResource

        return ImagesResource(self)

    @cached_property
    def embeddings(self) -> EmbeddingsResource:
        """`embeddings.create(...)`."""
        from g4f.client._embeddings import EmbeddingsResource

        return EmbeddingsResource(self)

    @cached_property
    def models(self) -> Models:
        """`models.list()` and `.retrieve(id)`."""
        from g4f.client._models import Models

        return Models(self)

    def with_options(self, **changes: Unpack[ClientArguments]) -> Self:
        """Return a client with other arguments; it shares the connections, unless the way to make them changes.

        Arguments that are None stay as they are, and so do the deadlines that a `g4f.Timeout` does not name. The
        budget of retries is always shared.

        Raises:
            InvalidInputError: An argument cannot be used.
            TypeError: There is no such argument.
        """
        changes = hide_arguments(changes, SHOWN_BY_CLIENTS)
        known = self._arguments.keys() | _OWNED.keys()
        changed = {name: value for name, value in changes.items() if value is not None or name not in known}
        if "timeout" in changed:
            changed["timeout"] = Timeout.make(changes["timeout"], self._settings.timeout)
        other = type(self)(**cast(ClientArguments, {**self._arguments, **changed}))
        kept = {_OWNED[name]: getattr(self._settings, _OWNED[name]) for name in _OWNED.keys() - changed.keys()}
        budget, given = self._settings.budget, other._arguments
        kept |= {"middleware": arrange_middleware(given["middleware"], given["max_retries"], budget), "budget": budget}
        other._settings = other._settings._replace(**kept)
        if not changed.keys() & _CONNECTING:
            other._shared = self._shared
        return other

    copy = with_options

    @property
    def base_url(self) -> str | None:
        """The address that was given for the one named provider; None where each provider's own counts."""
        return cast("str | None", self._settings.base_urls.plain)

    @property
    def timeout(self) -> Timeout:
        """The deadlines."""
        return self._settings.timeout

    @property
    def max_retries(self) -> int:
        """How often a failed try is repeated."""
        return next(item.max_retries for item in self._settings.middleware if isinstance(item, Retry))

    async def close(self) -> None:
        """Close the connections, and free the local models that no other client uses. The client can be used again."""
        await self._shared.close()

    def is_closed(self) -> bool:
        """Tell whether it was closed, or one that shares its connections, and none of them used since."""
        return self._shared.closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    if not TYPE_CHECKING:  # a checker shall know each attribute

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(describe_missing_resource(self, name))

    def __repr__(self) -> str:
        return describe_client(self, self)

    def _prepare(
        self,
        request: Request,
        provider: ProvidersInput | None,
        own: ProvidersInput | None,
        arguments: Mapping[str, Any],
        needs: Sequence[str] | None = None,
    ) -> tuple[Callable[[], Awaitable[Any]], Dispatcher]:
        settings = self._settings
        choice = self._choose(request, provider, own, arguments, request.needs if needs is None else needs)
        if request.extra_headers:
            check_headers(request, choice)
        timeout = arguments.get("timeout")
        dispatcher = Dispatcher(
            reaches=choice.reaches,
            middleware=settings.middleware,
            pool=self._shared.get_pool,
            timeout=settings.timeout if timeout is None else Timeout.make(timeout, settings.timeout),
            proxy=hide_proxy(arguments.get("proxy")),
            use=self._shared.use,
            cooldown=self._shared.cooldown,
            limits=self._choose_limits(arguments),
        )
        plan = choice.plan
        return partial(dispatcher.run, Call(request, plan.targets[0]), plan), dispatcher

    def _choose_limits(self, arguments: Mapping[str, Any]) -> Limits:
        limits = arguments.get("limits")
        return self._settings.limits if limits is None else Limits.make(limits)

    def _choose(
        self,
        request: Request,
        provider: ProvidersInput | None,
        own: ProvidersInput | None,
        arguments: Mapping[str, Any],
        needs: Sequence[str],
    ) -> Choice:
        """Find who serves a call; see `Chooser.choose`."""
        chosen = provider if provider is not None else own
        named = chosen is None or isinstance(chosen, (str, ProviderRef))
        if not named or not arguments.keys().isdisjoint(_OWNED):
            return self._choose_anew(request, chosen, arguments, needs)
        key = (chosen, request.model, *needs)
        choice = self._choices.find(key)
        if choice is None:
            choice = self._choose_anew(request, chosen, arguments, needs)
            self._choices.keep(key, choice)
        return choice

    def _choose_anew(
        self,
        request: Request,
        chosen: ProvidersInput | None,
        arguments: Mapping[str, Any],
        needs: Sequence[str],
    ) -> Choice:
        settings = self._settings
        base_url = arguments.get("base_url")
        owners = (chosen, *_find_unnamed(chosen, None, base_url))
        scopes = (
            read_keys(arguments.get("api_key"), *owners),
            read_base_urls(base_url, chosen),
            read_api_versions(arguments.get("api_version"), *owners),
            read_settings(arguments.get("settings"), *owners),
            settings.keys,
            settings.base_urls,
            settings.api_versions,
            settings.settings,
            settings.headers,
            settings.query,
        )
        return self._shared.chooser.choose(request, needs, chosen, scopes)


def describe_client(client: object, inner: AsyncClient | None) -> str:
    """Say whom a client asks; one that is half made, as an argument was refused, is shown by who reports that."""
    settings: Settings | None = vars(inner).get("_settings") if inner is not None else None
    return f"<{type(client).__name__} {'not made' if settings is None else f'provider={settings.provider!r}'}>"


def describe_missing_resource(client: object, name: str) -> str:
    """Say what a client has, to who asks for a part of OpenAI's that is not here, as `responses`."""
    return f"{type(client).__name__} has no {name!r}; it has chat, images, embeddings and models"


def _find_unnamed(
    provider: ProvidersInput | None, image_provider: ProvidersInput | None, base_url: object
) -> tuple[ProviderInput, ...]:
    """Return who is meant by a plain address without a provider."""
    return (UNNAMED,) if provider is None and image_provider is None and isinstance(base_url, Secret) else ()
