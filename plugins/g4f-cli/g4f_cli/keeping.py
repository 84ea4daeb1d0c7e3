"""Which conversation goes on, and whether it is kept; the database itself is left to `history.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from g4f_cli.settings import read_settings
from g4f_cli.terminal import InputError, warn

if TYPE_CHECKING:
    from g4f_cli.answering import Answer
    from g4f_cli.choosing import Choice
    from g4f_cli.history import Conversation


def find_conversation(*, last: bool, name: str | None) -> Conversation:
    """Return the conversation that goes on, or a new one.

    Args:
        last: Whether it is the one that went on last.
        name: Its id.

    Raises:
        InputError: There is none.
        HistoryError: The database cannot be used.
    """
    from g4f_cli.history import Conversation, find_database, open_history

    if not last and not name:
        return Conversation()
    if not find_database().exists():
        raise InputError("There is no conversation to continue: none was kept yet.")
    with open_history() as history:
        found = history.find(name) if name else next(history.list(1), None)
    if found is None:
        raise InputError("There is no conversation to continue: none was kept yet.")
    return found


def choose_as_before(choice: Choice, conversation: Conversation) -> Choice:
    """Let the one who answered before answer again, unless the command line says who does."""
    if not conversation.provider or choice.model or choice.providers or choice.base_url:
        return choice
    if conversation.base_url:
        return choice._replace(model=conversation.model, base_url=conversation.base_url)
    return choice._replace(model=conversation.model, providers=(conversation.provider,))


def add_answer(conversation: Conversation, messages: list[dict[str, Any]], answer: Answer) -> None:
    """Add what was asked and answered."""
    conversation.messages += [*messages, {"role": "assistant", "content": answer.text}]
    conversation.provider, conversation.model = answer.provider, answer.model


def keep(conversation: Conversation) -> None:
    """Write a conversation down, if the user has not turned that off; the answer is there in any case."""
    from g4f_cli.history import HistoryError, open_history

    if not read_settings().log:
        return
    try:
        with open_history() as history:
            history.save(conversation)
    except (HistoryError, InputError) as error:
        warn(f"{error.format_message()} The conversation is not kept.")
