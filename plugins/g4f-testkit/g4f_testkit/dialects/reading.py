"""Reading decoded JSON that may be anything, as a server must: what is of the wrong kind counts as absent."""

from __future__ import annotations

import base64
from typing import Any


def read_tables(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, none for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_table(value: Any) -> dict[str, Any]:
    """Return an object, empty for anything else."""
    return value if isinstance(value, dict) else {}


def read_text(value: Any) -> str:
    """Return a text, empty for anything else."""
    return value if isinstance(value, str) else ""


def read_picture(url: Any) -> bytes | str:
    """Return the bytes in a data URL, or the URL."""
    head, _, data = read_text(url).partition(",")
    return decode_base64(data) if head.startswith("data:") else read_text(url)


def read_data(url: Any) -> bytes:
    """Return the bytes in a data URL, none for anything else."""
    found = read_picture(url)
    return found if isinstance(found, bytes) else b""


def decode_base64(data: Any) -> bytes:
    """Return the bytes that a text stands for, none where it is no base64."""
    try:
        return base64.b64decode(read_text(data), validate=True)
    except ValueError:
        return b""


def split_text(text: str, count: int) -> list[str]:
    """Cut a text into so many pieces, or fewer where it is too short."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[at : at + size] for at in range(0, len(text), size)]
