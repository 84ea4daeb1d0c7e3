"""A chat: what was said so far, who answers, and the asking; its commands are left to `slash.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from g4f_cli.answering import Question, make_writer, stream_answer
from g4f_cli.attachments import Part, make_content
from g4f_cli.choosing import Choice, make_client
from g4f_cli.failures import tell_failure
from g4f_cli.keeping import add_answer, keep
from g4f_cli.slash import is_command, obey
from g4f_cli.terminal import OutputError, note

if TYPE_CHECKING:
    from g4f import AsyncClient
    from g4f.client._arguments import ChatArguments
    from g4f_cli.history import Conversation
    from g4f_cli.reading import Reader

T = TypeVar("T")


class Manner(NamedTuple):
    """How a chat is held.

    Attributes:
        log: Whether the conversation is kept.
        plain: Whether answers are written as they are.
        debug: Whether errors are shown with their traceback.
    """

    log: bool
    plain: bool
    debug: bool


class Chat:
    """A chat.

    Args:
        conversation: What was said before.
        choice: Who serves.
        arguments: What is asked of the service beside.
        manner: How it is held.

    Attributes:
        conversation: What was said so far.
        choice: Who serves.
        attachments: What goes with the next prompt.
        last: The last prompt, whether it was answered or not.
        ended: Whether the user has had enough.
        code: The exit code: that of the first failure.
    """

    def __init__(self, conversation: Conversation, choice: Choice, arguments: ChatArguments, manner: Manner) -> None:
        self.conversation = conversation
        self.choice = choice
        self.attachments: list[Part] = []
        said = (message for message in reversed(conversation.messages) if message["role"] == "user")
        self.last: dict[str, Any] | None = next(said, None)
        self.ended = False
        self.code = 0
        self._arguments = arguments
        self._manner = manner
        self._client: AsyncClient | None = None
        self._task: asyncio.Future[Any] | None = None

    async def talk(self, reader: Reader) -> None:
        """Ask what the user says, until there is no more."""
        try:
            while not self.ended and (prompt := await reader.read()) is not None:
                if prompt:
                    await self._follow(prompt)
        finally:
            await self.leave_client()

    def interrupt(self) -> None:
        """Stop the answer that comes, if one does."""
        if self._task is not None:
            self._task.cancel()

    async def _follow(self, prompt: str) -> None:
        """Do what a prompt asks for; whatever goes wrong is told, and the chat goes on."""
        attachments: list[Part] = []
        try:
            if is_command(prompt):
                await obey(self, prompt)
            else:
                attachments, self.attachments = self.attachments, []
                await self.ask({"role": "user", "content": make_content(prompt, attachments)})
        except OutputError:
            raise
        except Exception as error:  # noqa: BLE001 - a chat is not lost for one answer
            code = tell_failure(error, debug=self._manner.debug)
            self.code = self.code or code
            if attachments:
                note("/retry asks it again, with what was attached.")

    async def ask(self, message: dict[str, Any]) -> None:
        """Ask, write the answer as it comes, and keep both; of an answer that is stopped, what came."""
        self.last = message
        question = Question([*self.conversation.messages, message], self.choice.model, self._arguments)
        writer = make_writer(plain=self._manner.plain)
        if self._client is None:
            self._client = make_client(self.choice)
        answer = await self._run_stoppable(stream_answer(self._client, question, writer))
        if answer is None:
            note("Stopped.")
        elif answer.text:
            self.conversation.base_url = self.choice.base_url
            add_answer(self.conversation, [message], answer)
            if self._manner.log:
                keep(self.conversation)

    async def _run_stoppable(self, work: Awaitable[T]) -> T | None:
        """Return what comes of `work`, or None where the user stops it before anything came."""
        self._task = task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task])
        finally:
            self._task = None
        return None if task.cancelled() else task.result()

    async def leave_client(self) -> None:
        """Close the connections and free what a provider holds; the next prompt begins anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
