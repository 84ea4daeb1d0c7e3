"""The conversations that are kept: a SQLite database in the user's data folder, for its owner alone."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from g4f_cli.files import find_data_folder, make_private_folder
from g4f_cli.terminal import InputError
from g4f_cli.text import shorten

_VERSION = 1
_PATIENCE = 2.0  # seconds for which another program may write
_REMEDIES = {
    sqlite3.SQLITE_BUSY: " Another program writes there: try again.",
    sqlite3.SQLITE_CORRUPT: " Move that file away, and a new one is begun.",
    sqlite3.SQLITE_NOTADB: " Move that file away, and a new one is begun.",
}
_SCHEMA = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    provider TEXT,
    model TEXT,
    base_url TEXT
);
CREATE TABLE messages (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    created TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (conversation, position)
);
CREATE INDEX conversations_updated ON conversations (updated);
"""
_COLUMNS = "id, created, updated, provider, model, base_url"


class HistoryError(click.ClickException):
    """The database cannot be used; the text says why."""

    exit_code = 1


class Conversation:
    """What was said, and who answered.

    Attributes:
        id: Its name; empty where it was never kept.
        messages: OpenAI's message objects.
        provider: Who answered last.
        model: The model that was asked last.
        base_url: The address, where the user named one.
        kept: How many of the messages are in the database as they are here.
        created: When it began, in UTC as ISO 8601 has it.
        updated: When it went on last.
    """

    def __init__(self, messages: Sequence[dict[str, Any]] = (), *, base_url: str | None = None) -> None:
        self.id = ""
        self.messages = list(messages)
        self.provider: str | None = None
        self.model: str | None = None
        self.base_url = base_url
        self.kept = 0
        self.created = self.updated = ""

    def set_system(self, text: str) -> None:
        """Put instructions before all that was said, in place of those that are there; none where the text is empty."""
        first = self.messages[0]["role"] if self.messages else None
        self.messages[: 1 if first == "system" else 0] = [{"role": "system", "content": text}] if text else []
        self.kept = 0

    def cut(self, count: int) -> None:
        """Keep the first `count` messages only."""
        del self.messages[count:]
        self.kept = min(self.kept, count)

    def list_texts(self) -> Iterator[tuple[str, str]]:
        """Yield the role and the text of each message; a picture is told by a word."""
        for message in self.messages:
            yield message["role"], read_text(message.get("content"))

    @property
    def title(self) -> str:
        """The first prompt, on one line."""
        return shorten(next((text for role, text in self.list_texts() if role == "user"), ""), 200)


def read_text(content: object) -> str:
    """Return the text of a message's content."""
    if not isinstance(content, list):
        return str(content or "")
    return "\n\n".join(part["text"] if part.get("type") == "text" else _name_part(part) for part in content)


def _name_part(part: dict[str, Any]) -> str:
    return {"image_url": "[picture]", "file": "[document]", "input_audio": "[sound]"}.get(part.get("type", ""), "[…]")


class Row(NamedTuple):
    """A conversation in a list."""

    id: str
    created: str
    updated: str
    provider: str | None
    model: str | None
    base_url: str | None


def find_database() -> Path:
    """Return the path of the database, which need not be there."""
    return find_data_folder() / "conversations.sqlite"


class History:
    """An open database. Get one by `open_history`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def save(self, conversation: Conversation) -> None:
        """Write what is new in a conversation, in one transaction; one that was never kept gets its id."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        conversation.id = conversation.id or secrets.token_hex(5)
        row = (conversation.provider, conversation.model, conversation.base_url, now, conversation.id)
        with self._connection as transaction:
            begun = "INSERT INTO conversations (id, created, updated) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            if transaction.execute(begun, (conversation.id, now, now)).rowcount:
                conversation.kept = 0  # it is new, or was removed meanwhile
            transaction.execute(
                "UPDATE conversations SET provider = ?, model = ?, base_url = ?, updated = ? WHERE id = ?", row
            )
            transaction.execute(
                "DELETE FROM messages WHERE conversation = ? AND position >= ?", (conversation.id, conversation.kept)
            )
            transaction.executemany(
                "INSERT INTO messages VALUES (?, ?, ?, ?)",
                [
                    (conversation.id, at, now, json.dumps(message))
                    for at, message in enumerate(conversation.messages)
                    if at >= conversation.kept
                ],
            )
        conversation.kept, conversation.updated = len(conversation.messages), now

    def list(self, count: int = -1) -> Iterator[Conversation]:
        """Yield the conversations, the latest first; a negative count is all."""
        query = f"SELECT {_COLUMNS} FROM conversations ORDER BY updated DESC, rowid DESC LIMIT ?"  # noqa: S608 - ours
        for row in self._connection.execute(query, (count,)).fetchall():
            yield self._read(Row(*row))

    def search(self, text: str) -> Iterator[Conversation]:
        """Yield the conversations in which a text stands, in any letter case."""
        wanted = text.casefold()
        for conversation in self.list():
            if any(wanted in said.casefold() for _, said in conversation.list_texts()):
                yield conversation

    def find(self, name: str) -> Conversation:
        """Return a conversation by its id, or by a beginning of it that no other has.

        Raises:
            InputError: There is none, or several.
        """
        query = f"SELECT {_COLUMNS} FROM conversations WHERE substr(id, 1, ?) = ?"  # noqa: S608 - ours
        rows = [Row(*row) for row in self._connection.execute(query, (len(name), name.lower()))] if name else []
        if len(rows) > 1:
            raise InputError(f"Several conversations begin with {name!r}: write more of the id.")
        if not rows:
            raise InputError(f"There is no conversation {name!r}; g4f logs lists them.")
        return self._read(rows[0])

    def delete(self, conversation: Conversation) -> None:
        """Remove a conversation."""
        with self._connection as transaction:
            transaction.execute("DELETE FROM conversations WHERE id = ?", (conversation.id,))

    def _read(self, row: Row) -> Conversation:
        query = "SELECT message FROM messages WHERE conversation = ? ORDER BY position"
        found = Conversation([json.loads(message) for (message,) in self._connection.execute(query, (row.id,))])
        found.id, found.created, found.updated, found.provider, found.model, found.base_url = row
        found.kept = len(found.messages)
        return found


@contextmanager
def open_history() -> Iterator[History]:
    """Open the database, and make it if it is not there.

    Raises:
        HistoryError: It cannot be used.
        InputError: Its folder cannot be made.
    """
    path = find_database()
    make_private_folder(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own files beside it get the same permissions
        connection = sqlite3.connect(path, timeout=_PATIENCE)
        try:
            _prepare(connection)
            yield History(connection)
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0), "")
        raise HistoryError(f"The conversations in {path} cannot be used: {error}.{remedy}") from None


def _prepare(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.OperationalError):  # another process writes; the mode is a matter of speed
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
    if _read_version(connection) == _VERSION:
        return
    with connection as transaction:
        transaction.execute("BEGIN IMMEDIATE")
        version = _read_version(connection)  # another process may have been faster
        if version == 0:
            for statement in _SCHEMA.split(";"):
                transaction.execute(statement)
            transaction.execute(f"PRAGMA user_version = {_VERSION}")
        elif version > _VERSION:
            raise sqlite3.DatabaseError("a newer g4f has written them; update this one")


def _read_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
