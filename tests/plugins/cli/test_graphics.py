from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from docs.service import make_picture
from g4f_cli import graphics
from loopback import reply_json
from plugins.cli.program import PIXEL, Program

posix = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
JPEG = b"\xff\xd8\xff\xe0 a picture"


def draw(data: bytes) -> object:
    return reply_json({"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]})


@posix
@pytest.mark.parametrize(
    ("variables", "sequence"),
    [
        ({"TERM": "xterm-kitty"}, "\x1b_Ga=T,f=100,c=1,m=0;"),
        ({"TERM_PROGRAM": "ghostty"}, "\x1b_Ga=T,f=100,c=1,m=0;"),
        ({"TERM_PROGRAM": "iTerm.app"}, f"\x1b]1337;File=inline=1;size={len(PIXEL)};width=1;"),
        ({"TERM_PROGRAM": "WezTerm"}, f"\x1b]1337;File=inline=1;size={len(PIXEL)};width=1;"),
        ({"TERM": "foot"}, '\x1bPq"1;1;1;1#0;2;'),
    ],
)
def test_a_terminal_that_can_shows_the_picture(program: Program, variables: dict[str, str], sequence: str) -> None:
    """And its path below, as every other does."""
    program.serve(draw(PIXEL))
    terminal = program.open("image", "a cat", "-p", "Service", "-o", "cat.png", **variables)
    assert terminal.wait() == 0
    before, found, after = terminal.raw.partition(sequence)
    assert (before, found) == ("", sequence)
    assert after.endswith("\ncat.png\r\n")


@posix
def test_others_show_the_path(program: Program) -> None:
    """So does a pipe, whatever terminal is behind it, and one whose protocol takes no such picture."""
    program.serve(draw(PIXEL))
    terminal = program.open("image", "a cat", "-p", "Service", "-o", "cat.png")
    assert (terminal.wait(), terminal.raw) == (0, "cat.png\r\n")
    assert program.run("image", "a cat", "-p", "Service", "-o", "dog.png", TERM="xterm-kitty").out == "dog.png\n"
    program.serve(draw(JPEG), provider="Other")
    terminal = program.open("image", "a cat", "-p", "Other", "-o", "cow.jpg", TERM="xterm-kitty")
    assert (terminal.wait(), terminal.raw) == (0, "cow.jpg\r\n")


def test_kittys_protocol_carries_the_picture_in_parts() -> None:
    """Together they are the file; only the last says that it is."""
    data = bytes(range(256)) * 40
    parts = re.findall("\x1b_G(.*?);(.*?)\x1b\\\\", graphics.encode_kitty(data, 12))
    assert base64.b64decode("".join(part for _, part in parts)) == data
    assert [keys for keys, _ in parts] == ["a=T,f=100,c=12,m=1", "m=1", "m=1", "m=0"]
    assert all(len(part) <= 4096 for _, part in parts)


def read_sixels(text: str) -> Image.Image:
    """Draw sixels as a terminal does (DEC STD 070)."""
    width, height = map(int, re.findall(r'"1;1;(\d+);(\d+)', text)[0])
    picture = Image.new("RGB", (width, height))
    colors: dict[int, tuple[int, ...]] = {}
    body = text.partition(f'"1;1;{width};{height}')[2].removesuffix("\x1b\\")
    x, y, color = 0, 0, 0
    for match in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([$-])|(.)", body):
        define, red, green, blue, use, count, repeated, move, single = match.groups()
        if define:
            colors[int(define)] = tuple(int(value) * 255 // 100 for value in (red, green, blue))
        elif use:
            color = int(use)
        elif move:
            x, y = 0, y + (6 if move == "-" else 0)
        else:
            bits, end = ord(repeated or single) - 63, x + int(count or 1)
            for at in range(x, end):
                for row in range(6):
                    if bits >> row & 1:
                        picture.putpixel((at, y + row), colors[color])
            x = end
    return picture


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 20), st.randoms(use_true_random=False))
def test_sixels_draw_the_picture(width: int, height: int, random: object) -> None:
    """Each pixel in its color, as exactly as percents are."""
    picture = Image.new("RGB", (width, height))
    shades = [tuple(random.choice((0, 51, 153, 255)) for _ in range(3)) for _ in range(width * height)]  # type: ignore[attr-defined]
    picture.putdata(shades)
    drawn = read_sixels(graphics.encode_sixel(picture))
    assert drawn.size == (width, height)
    for x in range(width):
        for y in range(height):
            pairs = zip(picture.getpixel((x, y)), drawn.getpixel((x, y)), strict=True)
            assert all(abs(wanted - found) <= 8 for wanted, found in pairs)


@pytest.mark.parametrize(("size", "columns"), [((8, 16), 1), ((1024, 1024), 42), ((4000, 100), 80), ((10, 9000), 1)])
def test_a_picture_fits_into_the_window(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], columns: int) -> None:
    """As wide as its height allows, and never larger than it is."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"".join(side.to_bytes(4, "big") for side in size)
    assert graphics.fit_columns(head) == columns


def test_json_tells_where_the_pictures_are(program: Program, tmp_path: Path) -> None:
    """And who drew them."""
    program.serve(draw(make_picture()))
    done = program.run("image", "a cat", "-p", "Service", "-o", "cat.png", "--json")
    assert '"path": "cat.png"' in done.out
    assert '"provider": "Service"' in done.out


def test_a_picture_is_changed(program: Program) -> None:
    """The one that is attached, as the prompt says."""
    code = """
    from g4f import hookimpl
    from g4f.images import Images

    class Painter:
        @hookimpl
        async def image(self, request, context):
            assert request.operation == "edit" and request.prompt == "make it blue"
            return Images.from_dict({"data": [{"url": request.images[0]}]})
    """
    manifest = 'contract = 1\nmodels = "open"\n[capabilities]\nimage = "yes"\nimage_edit = "yes"\n'
    program.install("Painter", code=code, manifest=manifest)
    (program.folder / "in.png").write_bytes(PIXEL)
    done = program.run("image", "make it blue", "-a", "in.png", "-p", "Painter", "-o", "out.png")
    assert (done.code, done.out, done.err) == (0, "out.png\n", "")
    assert (program.folder / "out.png").read_bytes() == PIXEL
    done = program.run("image", "make it blue", "-a", "-", "-p", "Painter", "-o", "two.png", piped=PIXEL)
    assert done.out == "two.png\n"
