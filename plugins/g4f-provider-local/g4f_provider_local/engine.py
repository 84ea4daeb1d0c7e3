"""The engine: one model, loaded in this process, that answers several requests at once.

Requests travel over a loopback port that the runtime opens and that only we hold the key of. The runtime's own calls
look at a stop flag only between tokens; a closed connection it notices within a second, and while it reads a prompt
too, after the batch in hand. What the requests say is left to `wire.py`, where the weights are to `download.py`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import http.client
import json
import os
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

from g4f.errors import APIConnectionError, APIError
from g4f.fold import join_surrogates
from g4f_provider_local.machine import count_threads, import_runtime
from g4f_provider_local.threads import start_thread, wait_for

# Starting and stopping change what the runtime has once for the process: one at a time. Reentrant, because the garbage
# collector may stop an engine that nobody holds while its thread starts another.
_STARTING_OR_STOPPING = threading.RLock()
_HANG_UP_TRIES = 100
_HANG_UP_SECONDS = 0.01


@attrs.frozen
class EngineSettings:
    """How a model is loaded.

    Attributes:
        n_ctx: Tokens that one request may take, prompt and answer together; the model's own limit stands above it.
        parallel: Requests that are answered at once; more wait. Each has its own `n_ctx` tokens of memory, because
            in a shared memory one request that overflows fails all the others.
        n_batch: Tokens of a prompt that are read in one go. Cancelling waits for the batch in hand; on a processor
            small batches read as fast as large ones.
        threads: Threads that compute.
        gpu_layers: Layers to put on a GPU, where the runtime was built for one.
    """

    n_ctx: int = 8192
    parallel: int = 4
    n_batch: int = 64
    threads: int = attrs.field(factory=count_threads)
    gpu_layers: int = 0


class EngineError(Exception):
    """The runtime refuses a request.

    Attributes:
        status: The HTTP status that it answered.
        body: Its error object: `message`, `type`, and numbers.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("message") or f"status {status}")
        self.status = status
        self.body = body


class Engine:
    """A loaded model. It may be used from any number of event loops and threads."""

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        """Load the model; it takes about a second.

        Raises:
            APIError: It cannot be loaded.
        """
        import aiohttp  # noqa: F401 - a tenth of a second, better spent here than on the caller's loop

        self._server = _Server(path, settings)
        # Also at the end of a program that closes nothing: the runtime's threads must not outlive what they use.
        self._finalizer = weakref.finalize(self, self._server.stop)

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a request as a whole; cancelling it ends the computation.

        Raises:
            EngineError: The runtime refuses it.
            APIConnectionError: The engine was closed.
        """
        async with Answer(self._server, body) as answer:
            whole: dict[str, Any] = json.loads(await answer.read())
            return whole

    def stream(self, body: dict[str, Any]) -> Answer:
        """Answer a request piece by piece: `async with engine.stream(body) as events`, then iterate.

        Leaving the block ends the computation.

        Raises:
            EngineError: The runtime refuses it, at once or on the way.
            APIConnectionError: The engine was closed.
        """
        return Answer(self._server, {**body, "stream": True})

    def close(self) -> None:
        """End every request, free the model and its port, and wait until that is done."""
        self._finalizer()


class Answer:
    """The answer to one request, on a connection of its own that is closed when the block is left.

    A class and no generators: a loop that shuts down closes all its generators at once, and nested ones then fail.
    """

    def __init__(self, server: _Server, body: dict[str, Any]) -> None:
        self._server = server
        self._body = body
        self._rest = b""
        self._events: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        import aiohttp

        async with contextlib.AsyncExitStack() as stack:
            sockets = stack.enter_context(self._server.track_sockets())
            connector = aiohttp.TCPConnector(force_close=True, socket_factory=sockets)
            session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
            await stack.enter_async_context(session)
            with _telling_closed():
                self._response = await session.post(
                    f"{self._server.address}/v1/chat/completions",
                    data=_encode(self._body),
                    headers=self._server.headers,
                )
            stack.callback(self._response.close)
            if self._response.status != 200:
                raise EngineError(self._response.status, _read_error(await self.read()))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def read(self) -> bytes:
        """Return the whole body."""
        with _telling_closed():
            return await self._response.read()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        """Return the next event: one JSON object on one `data:` line, until `[DONE]`."""
        while not self._events:
            with _telling_closed():
                piece = await self._response.content.readany()
            if not piece:
                raise StopAsyncIteration
            self._decode(piece)
        event = self._events.pop(0)
        if "error" in event:
            raise EngineError(int(event["error"].get("code") or 500), event["error"])
        return event

    def _decode(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            data = line.removeprefix(b"data:").strip()
            if line.startswith(b"data:") and data != b"[DONE]":
                self._events.append(json.loads(data))


@contextlib.contextmanager
def _telling_closed() -> Iterator[None]:
    import aiohttp

    try:
        yield
    except aiohttp.ClientError:
        raise APIConnectionError("The local model was closed while it answered.", retryable=False) from None


class _Server:
    """The runtime's server, which is stopped exactly once and only by the process that started it."""

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        key = secrets.token_urlsafe(32)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._server = _start_server(path, settings, key)
        self.address: str = self._server.listening_address
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._wait_until_it_works()

    @contextlib.contextmanager
    def track_sockets(self) -> Iterator[Callable[[tuple[Any, ...]], socket.socket]]:
        """Give a maker of sockets that `stop` can shut down from another thread, whatever their loop is doing."""
        made: list[socket.socket] = []

        def make_socket(address: tuple[Any, ...]) -> socket.socket:
            with self._lock:
                if self._server is None or self.is_foreign():
                    raise APIConnectionError("The local model is closed.", retryable=False)
                made.append(socket.socket(*address[:3]))
                self._sockets.add(made[-1])
            return made[-1]

        try:
            yield make_socket
        finally:
            with self._lock:
                self._sockets.difference_update(made)

    def _wait_until_it_works(self) -> None:
        """Wait for something that its queue answers: stopped before it looks at the queue, it would never stop."""
        with contextlib.closing(http.client.HTTPConnection(urlsplit(self.address).netloc)) as connection:
            connection.request("GET", "/lora-adapters", headers=self.headers)
            connection.getresponse().read()

    def is_foreign(self) -> bool:
        """Tell whether the process that started it is our parent: it came along in a fork."""
        return self._pid != os.getpid()

    def stop(self) -> None:
        """Stop it, and wait until its threads have ended."""
        with self._lock:
            server, self._server = self._server, None
        if server is None:
            return
        if self.is_foreign():
            _keep_for_ever(server)
            return
        with _STARTING_OR_STOPPING:
            self._hang_up()
            del server
            _stop_housekeeping()

    def _hang_up(self) -> None:
        """Shut down every connection, and one that is just being made as soon as it stands.

        A request in flight would hold the runtime's end up for ever.
        """
        for _ in range(_HANG_UP_TRIES):
            with self._lock:
                standing = [opened for opened in self._sockets if not _shut_down(opened)]
            if not standing:
                return
            time.sleep(_HANG_UP_SECONDS)


def _shut_down(opened: socket.socket) -> bool:
    """Shut a connection down and tell whether there is none any more."""
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        return error.errno != errno.ENOTCONN
    return True


def _keep_for_ever(server: Any) -> None:
    """Never free a server that came along in a fork: it would wait for threads that exist in the parent only."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(server))


def _start_server(path: Path, settings: EngineSettings, key: str) -> Any:
    _check_format(path)
    runtime = import_runtime()
    params = runtime.CommonParams()
    params.model.path = str(path)
    params.n_parallel = settings.parallel
    params.kv_unified = False
    params.n_ctx = settings.n_ctx * settings.parallel
    params.n_batch = params.n_ubatch = settings.n_batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings.threads
    params.n_gpu_layers = settings.gpu_layers
    params.api_keys = [key]
    params.port = 0  # a free one, on the loopback address only
    params.ui = params.endpoint_slots = False
    params.cache_ram_mib = 0  # else old prompts may take 8 GiB
    params.fit_params = params.warmup = False  # each loads or runs the model once more
    params.verbosity = -1
    with _STARTING_OR_STOPPING:
        try:
            server = runtime.Server(params)
        except RuntimeError:
            raise APIError(
                f"{path} cannot be loaded: it is damaged, or larger than the free memory, or of a kind that "
                f"xllamacpp {runtime.__version__} does not know."
            ) from None
        finally:
            _stop_housekeeping()
    return server


def _check_format(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise APIError(f"{path} cannot be read: {error.strerror}.") from None
    if magic != b"GGUF":
        raise APIError(f"{path} is no GGUF file.")


def _stop_housekeeping() -> None:
    """Stop two threads of the runtime that serve its log and its resumable streams, which we use neither of.

    Nothing else ends the first; and a thread of either kind would hang the exit of every forked process. The
    functions are llama.cpp's own (`common/log.h`, `tools/server/server-stream.h`). Where a wheel does not export them
    (Windows, which knows no fork) the threads sleep on.
    """
    from xllamacpp import xllamacpp as extension

    library = ctypes.CDLL(extension.__file__)
    with contextlib.suppress(AttributeError):
        library["_Z34server_stream_session_manager_stopv"]()
        find_log, pause_log = library["_Z15common_log_mainv"], library["_Z16common_log_pauseP10common_log"]
        find_log.restype, pause_log.argtypes, pause_log.restype = ctypes.c_void_p, [ctypes.c_void_p], None
        pause_log(find_log())


def _encode(body: dict[str, Any]) -> bytes:
    return join_surrogates(json.dumps(body, ensure_ascii=False)).encode()


def _read_error(body: bytes) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        error = None
    return error if isinstance(error, dict) else {"message": body[:200].decode(errors="replace")}


class Engines:
    """The engines that are loaded: one a file and settings, shared by all who ask for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loads: dict[tuple[Any, ...], Future[Engine]] = {}

    async def get(self, path: Path, settings: EngineSettings) -> Engine:
        """Return the engine for a file, loading it off the loop if nobody has yet.

        Raises:
            APIError: It cannot be loaded.
        """
        key = (os.getpid(), path, settings)  # after a fork the parent's engines are not ours
        with self._lock:
            load = self._loads.get(key)
            if load is None:
                load = self._loads[key] = start_thread(lambda: Engine(path, settings))
        try:
            return await wait_for(load)
        except Exception:
            with self._lock:
                if self._loads.get(key) is load:
                    del self._loads[key]
            raise

    async def close(self) -> None:
        """Close all of them; they are loaded anew when they are asked for again."""
        with self._lock:
            loads, self._loads = list(self._loads.values()), {}
        for load in loads:
            with contextlib.suppress(Exception):  # who asked for it was told
                engine = await wait_for(load)
                await wait_for(start_thread(engine.close))
