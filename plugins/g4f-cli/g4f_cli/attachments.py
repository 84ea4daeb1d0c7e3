"""What goes with a prompt: pictures, PDFs and sound, as the parts of a message. Pictures are read by the core."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from g4f_cli.prompt import STANDARD_INPUT, read_input
from g4f_cli.terminal import InputError

Part = dict[str, Any]
_MOST_BYTES = 32 * 2**20  # as of the core's pictures


def read_attachments(names: Sequence[str]) -> list[Part]:
    """Return what goes with a prompt, as parts of its message.

    Args:
        names: Paths and URLs; "-" is standard input.

    Raises:
        InputError: Two of them are to come by standard input, or one is too large.
        InvalidInputError: One is nothing that a message can carry, or cannot be read.
    """
    _check_names(names)
    return [_read_attachment(name) for name in names]


def read_pictures(names: Sequence[str]) -> list[str]:
    """Return pictures as URLs; as `read_attachments`."""
    _check_names(names)
    return [_read_picture(name, read_input() if name == STANDARD_INPUT else None) for name in names]


def make_content(prompt: str, parts: Sequence[Part]) -> str | list[Part]:
    """Return the content of a user's message."""
    return [{"type": "text", "text": prompt}, *parts] if parts else prompt


def _check_names(names: Sequence[str]) -> None:
    if names.count(STANDARD_INPUT) > 1:
        raise InputError("Only one attachment can come by standard input.")


def _read_attachment(name: str) -> Part:
    from g4f.media import sniff_image

    data = read_input() if name == STANDARD_INPUT else _read_file(name)
    if data is not None and data.startswith(b"%PDF-"):
        file = {"filename": "input.pdf" if name == STANDARD_INPUT else Path(name).name}
        return {"type": "file", "file": {**file, "file_data": f"data:application/pdf;base64,{_encode(data)}"}}
    kind = _sniff_sound(data or b"")
    if data is not None and kind:
        return {"type": "input_audio", "input_audio": {"data": _encode(data), "format": kind}}
    if data is not None and sniff_image(data) is None:
        what, source = ("Standard input", "…") if name == STANDARD_INPUT else (name, name)
        raise InputError(
            f"{what} is no picture (png, jpeg, gif, webp), PDF, wav or mp3; a text is piped in: g4f PROMPT < {source}"
        )
    return {"type": "image_url", "image_url": {"url": _read_picture(name, data)}}


def _read_file(name: str) -> bytes | None:
    """Return the bytes of a file, or None where a name is a URL or nothing that can be read: the core says what."""
    try:
        with Path(name).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError):
        return None
    if len(data) > _MOST_BYTES:
        raise InputError(f"{name} is larger than {_MOST_BYTES // 2**20} MiB.")
    return data


def _read_picture(name: str, data: bytes | None) -> str:
    from g4f.media import read_image

    what = "Standard input" if name == STANDARD_INPUT else None
    return read_image(name) if data is None else read_image(data, what or name)


def _sniff_sound(data: bytes) -> str | None:
    """Return the format that the first bytes show, of those that OpenAI's parts can name."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    frame = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2  # MPEG 1 or 2, layer 3
    return "mp3" if frame or data.startswith(b"ID3") else None


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
