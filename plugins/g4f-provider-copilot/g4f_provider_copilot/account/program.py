"""The program `copilot` while it runs, one for each event loop; the one place that touches GitHub's SDK.

It gets no key: each session carries its own. What it writes goes into a folder that ends with it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import uuid
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import attrs

from g4f.errors import APIConnectionError, APIError, ProviderBrokenError
from g4f_provider_copilot.account import wire

if TYPE_CHECKING:
    from copilot import CopilotClient
    from copilot.session_events import SessionEvent

Event = tuple[str, Mapping[str, Any]]
_SILENCE_SECONDS = 5  # after so long without an event it is asked whether the program still lives
_END_SECONDS = 10  # for a session to be deleted
_OF_SESSIONS = ("COPILOT_GITHUB_TOKEN", "COPILOT_MODEL", "COPILOT_PROVIDER_", "GH_TOKEN", "GITHUB_TOKEN")
# GitHub's own tools for the model, which would be asked what they can at each session.
_SERVERS = ["github-mcp-server"]


class Program:
    """A program that runs.

    Attributes:
        is_dead: Whether it was found not to answer any more.
    """

    def __init__(self, client: CopilotClient) -> None:
        self._client = client
        self.is_dead = False

    async def ask(self, session: Mapping[str, Any], message: Mapping[str, Any]) -> AsyncGenerator[Event, None]:
        """Send a message in a session of its own, and delete it afterwards.

        Args:
            session: The arguments of the SDK's `create_session`.
            message: The arguments of its `send`.

        Yields:
            The kind and data of the session's events, until it is idle.

        Raises:
            APIError: The program refuses, or has ended.
        """
        events: asyncio.Queue[SessionEvent] = asyncio.Queue()
        name = str(uuid.uuid4())  # ours, so that a session can be deleted that was not seen to begin
        try:
            with self._making_errors_ours():
                begun = await self._client.create_session(
                    **session,
                    session_id=name,
                    available_tools=[],
                    disabled_mcp_servers=_SERVERS,
                    streaming=True,
                    on_event=events.put_nowait,
                )
                await begun.send(**message)
            kind = ""
            while kind != "session.idle":
                with self._making_errors_ours():
                    event = await self._wait_for(events)
                kind = event.type.value
                yield kind, event.to_dict().get("data") or {}
        finally:
            await self._discard(name)

    async def _wait_for(self, events: asyncio.Queue[SessionEvent]) -> SessionEvent:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SILENCE_SECONDS):
                    return await events.get()
            await self._client.ping()

    async def _discard(self, session: str) -> None:
        """Delete a session, which ends what it does; a program that does not answer is left to be ended itself."""
        if self.is_dead:
            return
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._client.delete_session(session)
        except TimeoutError:
            self.is_dead = True
        except Exception:  # noqa: BLE001, S110 - there is no such session, or no program: who asks next is told
            pass

    async def list_models(self, token: str) -> list[dict[str, Any]]:
        """Ask which models an account may use.

        Raises:
            APIError: The program refuses, or has ended.
        """
        from copilot.rpc import ModelsListRequest

        with self._making_errors_ours():
            found = await self._client.rpc.models.list(ModelsListRequest(git_hub_token=token))
        return [{"id": model.id, "object": "model", "owned_by": "github", "name": model.name} for model in found.models]

    @contextmanager
    def _making_errors_ours(self) -> Iterator[None]:
        from copilot._jsonrpc import JsonRpcError  # the SDK raises it and exports it nowhere

        failure: APIError | None = None
        try:
            yield
        except JsonRpcError as error:
            failure = wire.make_refusal(error.message)
        except Exception as error:  # noqa: BLE001 - of a pipe, the SDK or its threads: the program is gone
            self.is_dead = True
            failure = APIConnectionError(f"The program copilot ended: {_show(error)}")
        if failure is not None:  # outside of `except`: there its __context__ would hold the SDK's frames, and the key
            raise failure


def _show(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@attrs.define(eq=False)
class _Held:
    loop: asyncio.AbstractEventLoop
    holder: AsyncGenerator[Program, None]
    started: asyncio.Task[Program]


class Programs:
    """The programs that run, by event loop: each is started when it is first needed.

    One ends with `close`, or when its loop shuts down its async generators (as `asyncio.run` does); and when this
    process ends, however it does, since the program then reads the end of its input.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[int, int, str | None], _Held] = {}

    async def get(self, path: str | None) -> Program:
        """Return this loop's program, started.

        Args:
            path: The program, or None for the one that the SDK brings or downloads.

        Raises:
            ProviderBrokenError: The SDK is not installed, or the program cannot be started.
        """
        loop = asyncio.get_running_loop()
        key = (os.getpid(), id(loop), path)
        held = self._held.get(key)
        if held is None or held.loop is not loop or _is_over(held):
            dead = held.holder if held is not None and held.loop is loop else None
            holder = _hold(path)
            held = self._held[key] = _Held(loop, holder, loop.create_task(_begin(holder, dead)))
        return await asyncio.shield(held.started)  # who waits may be cancelled, the others go on

    async def close(self) -> None:
        """End all programs of this process."""
        running = asyncio.get_running_loop()
        for key in [key for key in self._held if key[0] == os.getpid()]:
            held = self._held.pop(key)
            if held.loop is running:
                await _end(held)
            elif not held.loop.is_closed():
                ending = _end(held)
                try:
                    held.loop.call_soon_threadsafe(held.loop.create_task, ending)
                except RuntimeError:  # that loop is closing, and ends its program itself
                    ending.close()


def _is_over(held: _Held) -> bool:
    started = held.started
    return started.done() and (started.cancelled() or started.exception() is not None or started.result().is_dead)


async def _begin(holder: AsyncGenerator[Program, None], dead: AsyncGenerator[Program, None] | None) -> Program:
    """Start a program, after what is left of one that died was cleared away."""
    if dead is not None:
        await dead.aclose()
    return await anext(holder)


async def _end(held: _Held) -> None:
    held.started.cancel()
    with suppress(Exception, asyncio.CancelledError):
        await held.started
    await held.holder.aclose()


async def _hold(path: str | None) -> AsyncGenerator[Program, None]:
    # A suspended generator is the one thing that an event loop tells when it ends.
    await asyncio.to_thread(_import_sdk)
    with tempfile.TemporaryDirectory(prefix="g4f-copilot-", ignore_cleanup_errors=True) as home:
        with _telling_what_is_broken():
            client = await asyncio.to_thread(_make_client, path, home)
        try:
            with _telling_what_is_broken():
                await client.start()
            yield Program(client)
        finally:
            await _stop(client)


def _import_sdk() -> None:
    """Import the SDK, which takes seconds.

    Raises:
        ProviderBrokenError: It is not installed.
    """
    try:
        import copilot  # noqa: F401 - from here on it is there
    except ImportError:
        raise ProviderBrokenError(
            "CopilotAccount needs GitHub's SDK: install g4f-provider-copilot[account], or github-copilot-sdk beside it."
        ) from None
    logger = logging.getLogger("copilot")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else what is raised anyway is written to stderr as well


def _make_client(path: str | None, home: str) -> CopilotClient:
    """Make the SDK's client. It blocks where the SDK has to download the program."""
    from copilot import CopilotClient, RuntimeConnection

    return CopilotClient(
        connection=RuntimeConnection.for_stdio(path=path),
        mode="empty",  # nothing of the machine is read: no files, no instructions, no keychain
        base_directory=home,
        working_directory=home,
        use_logged_in_user=False,
        log_level="none",
        env={**_list_variables(), "COPILOT_GITHUB_TELEMETRY_DISABLED": "true"},
    )


def _list_variables() -> dict[str, str]:
    """List the environment without what each session is told by itself: keys, and which model of whose answers."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_SESSIONS)}


@contextmanager
def _telling_what_is_broken() -> Iterator[None]:
    reason: str | None = None
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a download and a program may fail in many ways
        reason = _show(error)
    if reason is not None:
        raise ProviderBrokenError(
            f"The program copilot cannot be started: {reason.rstrip('.')}. Set COPILOT_CLI_PATH to where it is, or "
            "download it with python -m copilot download-runtime."
        )


async def _stop(client: CopilotClient) -> None:
    process = client._cli_process  # noqa: SLF001 - the SDK leaves its pipes to the garbage collector, which complains
    try:
        await client.stop()
    except Exception:  # noqa: BLE001 - whatever it is, the program must end
        with suppress(Exception):
            await client.force_stop()
    for pipe in (process.stdin, process.stdout, process.stderr) if process else ():
        if pipe is not None:
            pipe.close()
