"""One loaded provider: its manifest, its object, and a small plugin manager of its own.

Each provider has its own manager, so that a call reaches exactly one implementation, a fault names its culprit, and
the number of installed providers costs nothing. Whichever of `chat` and `stream` a provider lacks is made from the
other here; so the middleware and the user see what was asked for, not how it was made.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import pluggy

from g4f.chat import Answer, ChatRequest, Chunk, Completion
from g4f.context import Context, Request, Timeout
from g4f.errors import APIError, APIResponseError, G4FError, ProviderBrokenError, UnsupportedError
from g4f.fold import fold_chunks, unfold_completion
from g4f.hookspecs import PROJECT, ProviderHooks
from g4f.manifest import Manifest, describe_ability
from g4f.slips import find_slip
from g4f.stream import ChatStream
from g4f.watch import ends_task, name_error

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest
    from g4f.images import ImageRequest

T = TypeVar("T")
logger = logging.getLogger("g4f")


class Plugin:
    """A provider that is ready to serve.

    Attributes:
        name: The provider's name.
        manifest: What it says of itself.

    Raises:
        ProviderBrokenError: The object implements no hook, a misspelled one, or one with wrong arguments.
    """

    def __init__(self, name: str, provider: object, manifest: Manifest) -> None:
        self.name = name
        self.manifest = manifest
        self._users: WeakSet[object] = WeakSet()
        slip = find_slip(name, provider)
        if slip is not None:
            raise ProviderBrokenError(slip)
        manager = _Manager(PROJECT)
        manager.add_hookspecs(ProviderHooks)
        try:
            manager.register(provider, name)
        except pluggy.PluginValidationError as error:
            raise ProviderBrokenError(f"The provider {name} does not keep the contract: {_one_line(error)}") from error
        self._hooks = manager.hook
        self._implemented = frozenset(caller.name for caller in manager.get_hookcallers(provider) or ())
        self._making_errors_ours = _MakingErrorsOurs(self)

    def implements(self, hook: str) -> bool:
        """Tell whether the provider itself implements a hook."""
        return hook in self._implemented

    async def prepare(self, request: Request, context: Context) -> None:
        """Let the provider make ready what it needs; no deadline runs meanwhile.

        Raises:
            G4FError: Of whatever kind; foreign exceptions are wrapped.
        """
        if not self.implements("prepare"):
            return
        with self._making_errors_ours:
            await self._hooks.prepare(request=request, context=context)

    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole.

        Raises:
            G4FError: Of whatever kind; foreign exceptions are wrapped.
        """
        with self._making_errors_ours:
            if self.implements("chat"):
                found = await self._expect(self._hooks.chat(request=request, context=context), Completion, "chat")
                if not found.choices:
                    raise APIResponseError(f"{self.name}.chat returned a Completion without choices.")
                return found
            return await fold_stream(self._open_source(request, context))

    def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Start to answer a chat piece by piece; foreign exceptions out of it are for `wrap_error`."""
        with self._making_errors_ours:
            if self.implements("stream") or not self.implements("chat"):
                return self._open_source(request, context)
            return unfold_later(self.chat(request, context))

    def answer(self, request: Request, context: Context) -> Awaitable[Answer]:
        """Answer a request of any kind as a whole.

        Raises:
            G4FError: When awaited, of whatever kind; foreign exceptions are wrapped.
        """
        return self.chat(request, context) if isinstance(request, ChatRequest) else self._serve(request, context)

    async def _serve(self, request: ImageRequest | EmbeddingRequest, context: Context) -> Answer:
        from g4f.embeddings import EmbeddingRequest, Embeddings  # here because a program that only chats
        from g4f.images import ImageRequest, Images  # need not pay for them

        if not self.implements(request.hook):
            raise UnsupportedError(f"{self.name} cannot {describe_ability(request.needs[0])}.")
        call = getattr(self._hooks, request.hook)
        kind = Images if isinstance(request, ImageRequest) else Embeddings
        with self._making_errors_ours:
            found = await self._expect(call(request=request, context=context), kind, request.hook)
        if isinstance(found, Images) and not found.data:
            raise APIResponseError(f"{self.name}.image returned Images without data, a list of pictures.")
        if isinstance(request, EmbeddingRequest) and isinstance(found, Embeddings) and len(found.data) != request.count:
            raise APIResponseError(
                f"{self.name} answered with {len(found.data)} vectors where {request.count} were asked for."
            )
        return found

    async def models(self, context: Context) -> list[dict[str, Any]]:
        """Ask the service for its models; none where the provider cannot ask.

        Raises:
            G4FError: Of whatever kind; foreign exceptions are wrapped.
        """
        if not self.implements("models"):
            return []
        with self._making_errors_ours:
            rows = await self._expect(self._hooks.models(context=context), list, "models")
        if not all(isinstance(row, dict) for row in rows):
            raise APIResponseError(f"{self.name}.models must return a list of dicts.")
        return rows

    def join(self, user: object) -> None:
        """Note that `user`, a client, uses the provider."""
        self._users.add(user)

    async def leave(self, user: object) -> None:
        """Note that `user` is done; after the last one the provider frees what it holds."""
        self._users.discard(user)
        if not self._users and self.implements("close"):
            try:
                closing = self._hooks.close()
                if inspect.isawaitable(closing):
                    await closing
            except BaseException as error:
                if ends_task(error):
                    raise
                # Nobody can do anything about it, and the others must be closed.
                logger.warning("%s could not be closed: %s", self.name, type(error).__name__)

    def wrap_error(self, error: Exception) -> G4FError:
        """Turn a foreign exception out of the provider's code into ours, which it caused."""
        wrapped = APIError(f"{self.name} failed: {type(error).__name__}: {_one_line(error)}", provider=self.name)
        wrapped.__cause__ = error
        return wrapped

    def _open_source(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        if not self.implements("stream"):
            raise UnsupportedError(f"{self.name} does not chat.")
        source = self._hooks.stream(request=request, context=context)
        if not isinstance(source, AsyncIterator):
            if inspect.iscoroutine(source):
                source.close()
            raise APIResponseError(f"{self.name}.stream must be an async generator; it returned {_name_type(source)}.")
        return source

    async def _expect(self, answer: Awaitable[object], kind: type[T], hook: str) -> T:
        if not inspect.isawaitable(answer):
            raise APIResponseError(
                f"{self.name}.{hook} must be declared with async def; it returned {_name_type(answer)}."
            )
        found = await answer
        if not isinstance(found, kind):
            raise APIResponseError(
                f"{self.name}.{hook} must return {kind.__name__}; it returned {_name_type(found)}."
                f"{_say_how_to_make(kind, found)}"
            )
        return found

    def __repr__(self) -> str:
        return f"<Plugin {getattr(self, 'name', 'not made')}>"


class _Manager(pluggy.PluginManager):
    """Looks for hooks among the names that a provider's author wrote; what Python itself gives each object are more."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return how a hook is marked, or None for what is none."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)


class _MakingErrorsOurs:
    """Wraps foreign exceptions out of a `with` block; one for all blocks, since it holds nothing of them."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None and not isinstance(error, G4FError) and not ends_task(error):
            raise self._plugin.wrap_error(name_error(error)) from error


async def unfold_later(answer: Awaitable[Completion]) -> AsyncGenerator[Chunk, None]:
    """Stream what a provider answers as a whole."""
    for chunk in unfold_completion(await answer):
        yield chunk


async def fold_stream(source: AsyncIterator[Chunk]) -> Completion:
    """Answer as a whole what a provider streams.

    Raises:
        APIResponseError: There was no content in it.
    """
    chunks: list[Chunk] = []
    async with aclosing(ChatStream(source, timeout=Timeout(first_content=None, gap=None))) as stream:
        async for chunk in stream:
            chunks.append(chunk)  # noqa: PERF401 - an async comprehension would lose the chunks when it is cut
    completion = fold_chunks(chunks)
    completion.request_id = stream.request_id
    return completion


def _name_type(value: object) -> str:
    """Return a value's type with its article."""
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _say_how_to_make(kind: type[object], found: object) -> str:
    """Say what makes an answer of what a hook returned in place of one, where that is plain."""
    if kind is Completion and isinstance(found, str):
        return " Write Completion.from_text(…)."
    return f" Write {kind.__name__}.from_dict(…)." if isinstance(found, dict) and kind is not list else ""


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or "no message"
