"""Shows a picture in terminals that can: by kitty's or iTerm2's protocol, or as sixels where Pillow is installed.

What a terminal can is taken from its name alone; one that is not known gets no picture, and its user the path.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

Protocol = Literal["kitty", "iterm2", "sixel"]
_PROGRAMS: Mapping[str, Protocol] = {
    "ghostty": "kitty",
    "iTerm.app": "iterm2",
    "mintty": "iterm2",
    "WezTerm": "iterm2",
}
_TERMS: Mapping[str, Protocol] = {
    "contour": "sixel",
    "foot": "sixel",
    "foot-extra": "sixel",
    "mlterm": "sixel",
    "xterm-ghostty": "kitty",
    "xterm-kitty": "kitty",
}
_CHUNK = 4096  # bytes of base64 that kitty's protocol takes at once
_ROWS_LEFT = 3  # for the prompt and the path
_CELL = 8, 16  # pixels of a character, about
_COLORS = 256


def find_protocol(variables: Mapping[str, str] = os.environ) -> Protocol | None:
    """Return how pictures are shown on standard output, or None where they cannot be."""
    if not sys.stdout.isatty():
        return None
    return _PROGRAMS.get(variables.get("TERM_PROGRAM", "")) or _TERMS.get(variables.get("TERM", ""))


def show_picture(path: Path) -> bool:
    """Show a picture on standard output, and tell whether that was possible."""
    protocol = find_protocol()
    try:
        sequence = _encode(path.read_bytes(), protocol) if protocol else None
    except Exception:  # noqa: BLE001 - it is saved all the same, whatever Pillow or the disk thinks of it
        return False
    if sequence is None:
        return False
    sys.stdout.write(f"{sequence}\n")
    sys.stdout.flush()
    return True


def _encode(data: bytes, protocol: Protocol) -> str | None:
    if protocol == "iterm2":
        return encode_iterm2(data, fit_columns(data))
    if protocol == "sixel":
        picture = _open_with_pillow(data)
        return None if picture is None else encode_sixel(picture)
    png = data if data.startswith(b"\x89PNG") else _convert_to_png(data)
    return None if png is None else encode_kitty(png, fit_columns(png))


def fit_columns(data: bytes) -> int:
    """Return how many columns a picture may take so that all of it can be seen; one of unknown size is a square."""
    terminal = shutil.get_terminal_size()
    width, height = _read_size(data)
    rows = max(terminal.lines - _ROWS_LEFT, 1)
    fitting = rows * _CELL[1] * width // (max(height, 1) * _CELL[0])
    return max(1, min(terminal.columns, fitting, -(-width // _CELL[0])))


def _read_size(data: bytes) -> tuple[int, int]:
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return 1024, 1024


def encode_kitty(png: bytes, columns: int) -> str:
    """Return a PNG in kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol)."""
    text = base64.b64encode(png).decode("ascii")
    chunks = [text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)]
    keys = [f"a=T,f=100,c={columns},", *([""] * (len(chunks) - 1))]
    return "".join(
        f"\x1b_G{key}m={int(at < len(chunks) - 1)};{chunk}\x1b\\"
        for at, (key, chunk) in enumerate(zip(keys, chunks, strict=True))
    )


def encode_iterm2(data: bytes, columns: int) -> str:
    """Return a picture in iTerm2's protocol (https://iterm2.com/documentation-images.html)."""
    about = f"inline=1;size={len(data)};width={columns};preserveAspectRatio=1"
    return f"\x1b]1337;File={about}:{base64.b64encode(data).decode('ascii')}\x07"


def encode_sixel(picture: Any) -> str:
    """Return a PIL image as sixels (DEC STD 070, chapter 9), scaled down to the terminal."""
    terminal = shutil.get_terminal_size()
    picture = picture.convert("RGB")
    picture.thumbnail((terminal.columns * _CELL[0], max(terminal.lines - _ROWS_LEFT, 1) * _CELL[1]))
    picture = picture.quantize(_COLORS)
    palette: list[int] = picture.getpalette()
    width: int = picture.width
    height: int = picture.height
    colors = "".join(
        f"#{index};2;" + ";".join(str(value * 100 // 255) for value in palette[index * 3 : index * 3 + 3])
        for index in range(len(palette) // 3)
    )
    pixels = picture.tobytes()
    bands = [pixels[at * width : (at + 6) * width] for at in range(0, height, 6)]
    return f'\x1bPq"1;1;{width};{height}{colors}' + "-".join(_encode_band(band, width) for band in bands) + "\x1b\\"


def _encode_band(band: bytes, width: int) -> str:
    """Write six lines of pixels, one color after the other."""
    rows = [band[at : at + width] for at in range(0, len(band), width)]
    return "$".join(f"#{color}{''.join(_repeat(rows, color, width))}" for color in sorted(set(band)))


def _repeat(rows: list[bytes], color: int, width: int) -> Iterator[str]:
    last, count = -1, 0
    for at in range(width):
        bits = sum(1 << row for row, line in enumerate(rows) if line[at] == color)
        if bits == last:
            count += 1
            continue
        yield _write_run(last, count)
        last, count = bits, 1
    yield _write_run(last, count)


def _write_run(bits: int, count: int) -> str:
    letter = chr(63 + bits) if bits >= 0 else ""
    return f"!{count}{letter}" if count > 3 else letter * count


def _open_with_pillow(data: bytes) -> Any | None:
    try:
        from PIL import Image
    except ImportError:
        return None
    picture: Any = Image.open(io.BytesIO(data))
    return picture


def _convert_to_png(data: bytes) -> bytes | None:
    picture = _open_with_pillow(data)
    if picture is None:
        return None
    target = io.BytesIO()
    picture.convert("RGBA").save(target, format="PNG")
    return target.getvalue()
