"""Trying targets in order, each through the middleware, until one answers: fallback is nothing more.

Which targets is decided by `routing.py`. The innermost step of the middleware is one attempt: a hook call with a fresh
context. Everything that an attempt raises is ours, names its provider and holds no key.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from g4f.chat import Answer, ChatRequest, Chunk, Completion
from g4f.context import (
    DEFAULT_LIMITS,
    Answered,
    Call,
    CallNext,
    Context,
    HttpRequest,
    HttpResponse,
    HttpStream,
    Limits,
    Middleware,
    Request,
    Target,
    Timeout,
)
from g4f.credentials import (
    Access,
    Secret,
    add_defaults,
    add_settings,
    list_passwords,
    list_variables,
    read_variables,
    resolve_access,
    scrub,
)
from g4f.errors import (
    APIError,
    APIResponseError,
    APITimeoutError,
    Attempt,
    AuthenticationError,
    G4FError,
    InvalidInputError,
    make_status_error,
)
from g4f.fold import unfold_completion
from g4f.manifest import Manifest
from g4f.middleware.cooldown import Cooldown
from g4f.plugin import Plugin
from g4f.routing import Plan
from g4f.stream import ChatStream
from g4f.values import Value
from g4f.watch import Watch, forget_origin

if TYPE_CHECKING:
    from g4f.transport import BoundTransport, Pool

logger = logging.getLogger("g4f")
_MOST_DOWNLOADS = 4  # how many of the largest pictures one answer may name
_TOLD = ("args", "code", "type", "param", "request_id", "body")  # where an error has what the service said


@attrs.define(eq=False, repr=False)
class Reach:
    """How a client reaches one provider: what the user gave for it, and whether the environment's key stays out.

    Reports of errors show attrs fields even where there is no repr, so those with keys say each that they are hidden.
    """

    load: Callable[[], Plugin]
    key: Secret | None = None
    base_url: str | None = None
    settings: Mapping[str, Secret] = attrs.field(factory=dict)
    headers: Mapping[str, Secret] = attrs.field(factory=dict)
    query: Mapping[str, Secret] = attrs.field(factory=dict)
    closed: bool = False
    _variables: tuple[str, ...] | None = attrs.field(default=None, init=False)
    _known: tuple[int, Access] | None = attrs.field(default=None, init=False, repr=False)

    def resolve(self, plugin: Plugin) -> Access:
        """Work out how to reach it now, from what was given and the environment; see `resolve_access`.

        Done once while the variables that matter are what they were.
        """
        if self._variables is None:
            self._variables = list_variables(plugin.manifest)
        values = read_variables(self._variables)
        if self._known is None or self._known[0] != values:
            access = resolve_access(
                plugin.name, plugin.manifest, key=self.key, base_url=self.base_url, closed=self.closed
            )
            if self.settings:
                access = add_settings(access, plugin.manifest, self.settings)
            self._known = values, add_defaults(access, self.headers, self.query)
        return self._known[1]


@attrs.define(eq=False, repr=False)
class Dispatcher:
    """Runs calls for one client.

    Args:
        reaches: The providers of the plan, by name.
        middleware: What goes around each target, outermost first.
        pool: The client's connections; made when they are first needed.
        timeout: The deadlines.
        proxy: A proxy for this call alone.
        use: Is told each provider that serves, so that the client can free it in the end.
        cooldown: Who failed so often that others are asked instead.
        limits: How large answers may be.
    """

    reaches: Mapping[str, Reach]
    middleware: Sequence[Middleware]
    pool: Callable[[], Any]
    timeout: Timeout
    proxy: Secret | None
    use: Callable[[Plugin], None]
    cooldown: Cooldown = attrs.field(factory=Cooldown)
    limits: Limits = DEFAULT_LIMITS

    async def run(self, call: Call, plan: Plan) -> Answered:
        """Try the plan's targets in order.

        Raises:
            G4FError: The last target's error; `attempts` tells of all.
        """
        call.attempts += plan.skipped
        started = time.monotonic()
        step = self._wrap_attempt()
        targets = self._list_awake(call, plan)
        request = call.request
        for target, warnings in targets:
            call.target, call.account = target, self._identify(target)
            # Each target gets what was asked, whatever middleware and providers made of it for the one before.
            call.request = _choose_model(_copy(request) if len(targets) > 1 else request, target.model)
            call.idempotency_key = f"g4f-{os.urandom(16).hex()}"
            call.warnings[:] = warnings
            try:
                answer = await step(call)
            except G4FError as error:
                error.attempts = tuple(call.attempts)
                self.cooldown.note(call.account, error)
                if target is targets[-1][0]:
                    _log(call, None, started, type(error).__name__)
                    call.attempts.clear()  # the traceback holds the call: an error in it would be a circle
                    raise
            else:
                answer = _finish(_expect_answer(answer, call.request), call, started)
                if isinstance(answer, ChatStream) and len(targets) > 1:  # else nobody can be asked in its place
                    answer.report_end(partial(self._note_end, call.account))
                else:
                    self.cooldown.note(call.account, None)
                return answer
        raise AssertionError("a plan has at least one target")

    def _note_end(self, account: Hashable, _stream: ChatStream, error: Exception | None) -> None:
        self.cooldown.note(account, error)

    def _list_awake(self, call: Call, plan: Plan) -> list[tuple[Target, tuple[str, ...]]]:
        """Return the targets that do not rest, and note the others; all of them where nobody else is left."""
        targets = list(zip(plan.targets, plan.warnings, strict=True))
        if len(targets) == 1:
            return targets
        rests = [self.cooldown.find_rest(self._identify(target)) for target in plan.targets]
        if all(rests):
            return targets
        call.attempts.extend(
            _describe_rest(target, seconds) for target, seconds in zip(plan.targets, rests, strict=True) if seconds
        )
        return [pair for pair, seconds in zip(targets, rests, strict=True) if not seconds]

    def _identify(self, target: Target) -> Hashable:
        """Tell one account at one address from another."""
        reach = self.reaches[target.provider]
        return target.provider, reach.base_url, reach.key

    def _wrap_attempt(self) -> CallNext:
        step: CallNext = self._attempt
        for middleware in reversed(self.middleware):
            step = _bind(middleware, step)
        return step

    async def _attempt(self, call: Call) -> Answered:
        """Call the target's hook once."""
        started = time.monotonic()
        trial: Trial | None = None
        try:
            trial = self._begin_trial(call)
            answer = await trial.run()
        except G4FError as error:
            _note_attempt(
                call, started, tidy_error(error, call.target, ()) if trial is None else trial.tidy_error(error)
            )
            raise
        except BaseException as error:
            if not isinstance(error, Exception):
                forget_origin(error)
            raise
        _note_attempt(call, started, None)
        return answer

    def _begin_trial(self, call: Call) -> Trial:
        reach = self.reaches[call.target.provider]
        plugin = reach.load()
        self.use(plugin)
        access = reach.resolve(plugin)
        _warn_unused(call, reach, plugin.manifest)
        return Trial(call, plugin, access, self.pool, self.timeout, self.proxy, self.limits)

    async def list_models(self, provider: str) -> list[dict[str, Any]]:
        """Ask one provider for its models.

        Raises:
            G4FError: It cannot be asked.
        """
        reach = self.reaches[provider]
        plugin = reach.load()
        self.use(plugin)
        call = Call(ChatRequest(()), Target(provider, None))
        trial = Trial(call, plugin, reach.resolve(plugin), self.pool, self.timeout, self.proxy, self.limits)
        try:
            return await plugin.models(trial.make_context())
        except G4FError as error:
            trial.tidy_error(error)
            raise
        except BaseException as error:
            if not isinstance(error, Exception):
                forget_origin(error)
            raise

    def open_downloads(self, provider: str) -> Callable[[str], Coroutine[Any, Any, bytes]]:
        """Return what downloads the files that one answer of a provider names, one after the other.

        They are had without credentials, and have one deadline and one limit of bytes together, from the first on.
        Each raises APIError where it cannot be had.
        """
        most = left = _MOST_DOWNLOADS * self.limits.download_bytes
        date = 0.0

        async def download(url: str) -> bytes:
            nonlocal left, date
            timeout, total, now = self.timeout, self.timeout.total, time.monotonic()
            if total is not None:
                date = date or now + total
                timeout = attrs.evolve(timeout, total=max(round(date - now, 2), 0.01))
            limits = attrs.evolve(self.limits, download_bytes=max(1, min(self.limits.download_bytes, left)))
            reach = self.reaches[provider]
            plugin = reach.load()
            call = Call(ChatRequest(()), Target(provider, None))
            trial = Trial(call, plugin, reach.resolve(plugin), self.pool, timeout, self.proxy, limits)
            try:
                body = (await trial.fetch(url)).body
            except APIResponseError as error:
                if left < self.limits.download_bytes:
                    error.args = (f"{error.message} The pictures of one answer may have {most} bytes together.",)
                raise
            left -= len(body)
            return body

        return download


class Trial:
    """One attempt under way: what its provider gets from us, and what must stay out of its errors.

    It is the provider's transport, too, and makes the real one only when something is sent: some never do.
    """

    __slots__ = ("_access", "_call", "_jobs", "_limits", "_plugin", "_pool", "_proxy", "_secrets", "_timed", "_timeout")

    def __init__(  # noqa: PLR0913, PLR0917 - all that belongs to an attempt
        self,
        call: Call,
        plugin: Plugin,
        access: Access,
        pool: Callable[[], Any],
        timeout: Timeout,
        proxy: Secret | None,
        limits: Limits,
    ) -> None:
        self._call = call
        self._plugin = plugin
        self._access = access
        self._pool = pool
        self._timeout = timeout
        self._proxy = proxy
        self._limits = limits
        self._secrets = list(access.list_secrets())
        self._jobs: list[str] = []
        self._timed = False

    async def run(self) -> Answered:
        """Ask the provider; its deadlines begin once it is prepared."""
        plugin, request, context = self._plugin, self._call.request, self.make_context()
        if plugin.implements("prepare"):
            await plugin.prepare(request, context)
        if isinstance(request, ChatRequest) and request.stream:
            source = plugin.stream(request, context)
            # It holds no more than this, while the request may be megabytes of pictures.
            convert = partial(_convert_error, plugin, self._access, self._call.target, self._secrets)
            return await ChatStream(source, timeout=self._timeout, convert_error=convert).open()
        self._timed = True
        with Watch(self._timeout.total):
            return await plugin.answer(request, context)
        late = APITimeoutError(f"No whole answer came within {self._timeout.total:g} s.")
        late.retryable = request.hook != "image"  # it may be drawn by now, and would be paid for twice
        raise late

    def make_context(self) -> Context:
        """Make what the provider gets."""
        call, access = self._call, self._access
        return Context(
            transport=self,
            manifest=self._plugin.manifest,
            model=call.target.model,
            base_url=access.base_url,
            settings=access.settings,
            foreign=access.foreign,
            timeout=self._timeout,
            limits=self._limits,
            idempotency_key=call.idempotency_key,
            warnings=call.warnings,
            jobs=self._jobs,
            fetch=self.fetch,
            secret=self._reveal,
            conceal=self._conceal,
        )

    def send(self, request: HttpRequest) -> Coroutine[Any, Any, HttpResponse]:
        """Send a request and read the whole answer; see `g4f.context.Transport`."""
        return self._make_transport().send(request)

    def stream(self, request: HttpRequest) -> Coroutine[Any, Any, HttpStream]:
        """Send a request and return at the answer's head; see `g4f.context.Transport`."""
        return self._make_transport().stream(request)

    def _make_transport(self) -> BoundTransport:
        access, plugin = self._access, self._plugin
        if not access.base_url:
            raise InvalidInputError(f"{plugin.name} has no base_url in its manifest, so it has no network.")
        from g4f.transport import BoundTransport  # aiohttp is most of the import, and a local model needs none

        pool = self._pool()
        if pool.passwords or self._proxy is not None:
            self._conceal_passwords(pool)
        return BoundTransport(
            pool,
            access,
            plugin.manifest.auth,
            self._timeout,
            self._proxy,
            self._call.idempotency_key,
            self._timed,
            self._limits,
        )

    def _conceal_passwords(self, pool: Pool) -> None:
        used = (*pool.passwords, *(list_passwords([self._proxy]) if self._proxy is not None else ()))
        self._secrets += [password for password in used if password not in self._secrets]

    async def fetch(self, url: str) -> HttpResponse:
        """Download a public URL without credentials; see `g4f.context.Context.fetch`."""
        response: HttpResponse = await self._pool().fetch(
            url,
            deadlines=self._timeout,
            max_bytes=self._limits.download_bytes,
            trusted=self._access.origins,
            proxy=self._proxy,
        )
        if response.status >= 400:
            raise make_status_error("The file that the service named cannot be had.", status_code=response.status)
        return response

    def _reveal(self) -> str | None:
        secret = self._access.secret
        return secret.reveal() if self._plugin.manifest.auth.kind == "own" and secret else None

    def _conceal(self, key: str) -> None:
        self._secrets.append(Secret(key))

    def tidy_error(self, error: G4FError) -> G4FError:
        """Tell an error as it should be: with names, without keys."""
        _hide_origin(error, self._plugin, self._access)
        sent_none = not (self._access.list_secrets() or self._call.request.extra_headers)
        if isinstance(error, AuthenticationError) and self._access.foreign and sent_none:
            error.args = (
                f"{error.message.rstrip('.')}. No key was sent: none is given for this address.",
                *error.args[1:],
            )
        return _keep_jobs(tidy_error(error, self._call.target, self._secrets), self._jobs)


def _convert_error(
    plugin: Plugin, access: Access, target: Target, secrets: Sequence[Secret], error: Exception
) -> Exception:
    """Make an error of ours, told as it should be, of what comes out of a provider's stream."""
    ours = error if isinstance(error, G4FError) else plugin.wrap_error(error)
    _hide_origin(ours, plugin, access)
    return tidy_error(ours, target, secrets)


def _hide_origin(error: G4FError, plugin: Plugin, access: Access) -> None:
    """Cut off where an error came from, if that had a key in hand: variables, and foreign exceptions, may hold it.

    A provider has one that signs in by itself, and so has the network, in its URLs, where a key stands in the query.
    """
    if plugin.manifest.auth.kind == "own" or access.default_query:
        error.__cause__ = error.__context__ = error.__traceback__ = None


def _warn_unused(call: Call, reach: Reach, manifest: Manifest) -> None:
    """Say that something was given for a provider that has no use for it."""
    if reach.key is not None and manifest.auth.kind == "none":
        call.warnings.append(f"api_key was left out: {call.target.provider} uses none.")
    if reach.base_url is not None and not manifest.base_url:
        call.warnings.append(f"base_url was left out: {call.target.provider} has no address.")


def tidy_error(error: G4FError, target: Target, secrets: Sequence[Secret]) -> G4FError:
    """Name the provider and model in an error, and take out the keys that the service echoed."""
    if isinstance(error, APIError):
        error.provider = error.provider or target.provider
        error.model = error.model or target.model
    told = {name: getattr(error, name) for name in _TOLD if hasattr(error, name)}
    clean = scrub(told, secrets)
    if clean != told:
        for name, value in clean.items():
            setattr(error, name, value)
        # Whoever reports a traceback with its local variables would show what the service said.
        error.__cause__ = error.__context__ = error.__traceback__ = None
    return error


def _keep_jobs(error: G4FError, jobs: Sequence[str]) -> G4FError:
    """See that nobody repeats what was begun and is charged for, also where our own deadline cut it."""
    if jobs and isinstance(error, APIError):
        error.retryable = False
        error.request_id = error.request_id or next(filter(None, reversed(jobs)), None)
    return error


def _describe_rest(target: Target, seconds: float) -> Attempt:
    text = f"It failed again and again, and is left alone for {seconds:.0f} s more."
    error = APIError(text, provider=target.provider, model=target.model, retry_after=seconds)
    return Attempt(target.provider, target.model, error, 0.0, passed_over=True)


def _bind(middleware: Middleware, step: CallNext) -> CallNext:
    return lambda call: middleware(call, step)


def _choose_model(request: Request, model: str | None) -> Request:
    return request if request.model == model else attrs.evolve(request, model=model)


def _copy(request: Request) -> Request:
    return type(request)(*[_copy_value(getattr(request, field.name)) for field in attrs.fields(type(request))])


def _copy_value(value: Any) -> Any:
    """Copy what JSON can say, and leave everything else as it is."""
    if isinstance(value, dict):
        return {name: _copy_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copy_value(item) for item in value]
    return tuple(map(_copy_value, value)) if type(value) is tuple else value


def _expect_answer(answer: object, request: Request) -> Answered:
    """Take what the middleware gave: whole answers and streams are made from each other's kind where they must.

    Raises:
        InvalidInputError: It is no answer.
    """
    streams = isinstance(request, ChatRequest) and request.stream
    if streams and isinstance(answer, Completion):
        stream = ChatStream(_iterate(unfold_completion(answer)))
        stream.request_id = answer.request_id
        return stream
    if isinstance(answer, ChatStream if streams else Answer):
        return answer
    kind = "a ChatStream" if streams else "an answer"
    raise InvalidInputError(f"A middleware must return {kind}; it returned a {type(answer).__name__}.")


async def _iterate(chunks: Sequence[Chunk]) -> AsyncIterator[Chunk]:
    for chunk in chunks:
        yield chunk


def _finish(answer: Answered, call: Call, started: float) -> Answered:
    """Write on an answer who gave it and what happened on the way."""
    answer.provider = call.target.provider
    answer.warnings = call.warnings
    answer.attempts = tuple(call.attempts)
    if not answer.model:
        answer.model = call.target.model or ""
    if isinstance(answer, ChatStream):
        if logger.isEnabledFor(logging.INFO):
            answer.report_end(lambda stream, error: _log(call, stream.usage, started, _name_outcome(stream, error)))
    else:
        _log(call, answer.usage, started, "ok")
    return answer


def _name_outcome(stream: ChatStream, error: Exception | None) -> str:
    return type(error).__name__ if error is not None else "ok" if stream.ended else "left"


def _note_attempt(call: Call, started: float, error: G4FError | None) -> None:
    before = call.attempts[-1].error if call.attempts else None
    if before is not None:
        before.__traceback__ = None  # nobody raises it any more, and it holds the frames of all who asked
    attempt = Attempt(call.target.provider, call.target.model, error, time.monotonic() - started)
    call.attempts.append(attempt)
    _log_attempt(attempt)


def _log_attempt(attempt: Attempt) -> None:
    if logger.isEnabledFor(logging.DEBUG):
        outcome = "ok" if attempt.error is None else type(attempt.error).__name__
        status = getattr(attempt.error, "status_code", "-")
        logger.debug(
            "attempt provider=%s model=%s seconds=%.2f outcome=%s status=%s",
            attempt.provider, attempt.model, attempt.seconds, outcome, status,
        )  # fmt: skip


def _log(call: Call, usage: Value | None, started: float, outcome: str) -> None:
    """Write the one INFO line of a call; of an error only its kind, since its text may quote the prompt."""
    if not logger.isEnabledFor(logging.INFO):
        return
    tokens = "-" if usage is None else usage._view().get("total_tokens", "-")
    target, seconds = call.target, time.monotonic() - started
    logger.info(
        "%s provider=%s model=%s tokens=%s seconds=%.2f tries=%d outcome=%s",
        call.request.hook, target.provider, target.model, tokens, seconds, len(call.attempts), outcome,
    )  # fmt: skip
