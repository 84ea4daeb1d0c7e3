import asyncio
import base64
import gzip
import io
import os
import re
import socketserver
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from g4f import media
from g4f.context import Limits
from g4f.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APITimeoutError,
    G4FError,
    InvalidInputError,
)
from g4f.images import Image, Images
from g4f.media import deliver_images, make_data_url, read_image, save_image, save_images, sniff_image
from loopback import Loopback, Reply

PNG = b"\x89PNG\r\n\x1a\n" + b"the rest"
JPEG = b"\xff\xd8\xff\xe0" + b"the rest"
GIF = b"GIF89a" + b"the rest"
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + b"the rest"
BASE64 = base64.b64encode(PNG).decode()
PICTURES = {"image/png": PNG, "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP}
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def write_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{encode(data)}"


# --- Reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("media_type", "data"), PICTURES.items())
def test_the_type_of_a_picture_is_what_its_bytes_say(media_type: str, data: bytes) -> None:
    """Whatever it is called."""
    assert sniff_image(data) == media_type
    assert read_image(data) == write_url(data, media_type)
    assert read_image(write_url(data, "image/something-else")) == write_url(data, media_type)


@pytest.mark.parametrize("data", [b"", b"GIF88a", b"RIFF\0\0\0\0WAVE", b"<svg/>", b"BM", b"\x89PN", PNG[1:]])
def test_what_does_not_begin_as_a_picture_is_none(data: bytes) -> None:
    """An SVG is a program, and the rest is nothing a service takes."""
    assert sniff_image(data) is None


class PathOfBytes:
    """A path as the system knows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


WAYS: dict[str, Callable[[Path], Any]] = {
    "a path": lambda path: path,
    "a name": str,
    "a name in bytes": PathOfBytes,
    "bytes": lambda path: path.read_bytes(),
    "a bytearray": lambda path: bytearray(path.read_bytes()),
    "a memoryview": lambda path: memoryview(path.read_bytes()),
    "an open file": lambda path: path.open("rb"),
    "an unbuffered file": lambda path: path.open("rb", buffering=0),
    "a file in memory": lambda path: io.BytesIO(path.read_bytes()),
    "a data URL": lambda path: write_url(path.read_bytes()),
    "a data URL in capitals": lambda path: "DATA:IMAGE/PNG;BASE64," + write_url(path.read_bytes()).partition(",")[2],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_can_be_given_in_many_ways(way: str, tmp_path: Path) -> None:
    """All lead to the same data URL."""
    path = tmp_path / "pïcture.dat"
    path.write_bytes(PNG)
    source = WAYS[way](path)
    try:
        assert read_image(source) == write_url(PNG)
    finally:
        if hasattr(source, "close"):
            source.close()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "F", "CMYK", "YCbCr", "HSV", "LAB"])
def test_a_pil_image_of_any_mode_can_be_given(mode: str) -> None:
    """It is written as PNG."""
    data = base64.b64decode(read_image(Pillow.new(mode, (2, 3))).partition(",")[2])

    assert Pillow.open(io.BytesIO(data)).size == (2, 3)
    assert sniff_image(data) == "image/png"


def test_a_pil_image_that_cannot_be_written_is_a_mistake() -> None:
    """One without pixels, for example."""
    with pytest.raises(InvalidInputError, match="cannot be written as PNG"):
        read_image(Pillow.new("RGB", (0, 0)))


@pytest.mark.parametrize("url", ["http://x/y.png", "https://x/y", "HTTPS://X/y", "Http://x/y"])
def test_a_url_is_left_to_the_service(url: str) -> None:
    """Nothing is downloaded here."""
    assert read_image(url) == url


def test_a_file_open_as_text_is_a_mistake(tmp_path: Path) -> None:
    """It is said how to open it, before its bytes are taken for letters."""
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    for file in (path.open(encoding="utf-8"), io.StringIO("picture")):
        with file, pytest.raises(InvalidInputError, match="open it with mode 'rb'"):
            read_image(file)


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    """Closed, open for writing only, asynchronous, or no file at all."""
    closed = io.BytesIO(PNG)
    closed.close()

    class Asynchronous:
        async def read(self, size: int) -> bytes:
            return PNG

    class Odd:
        def read(self) -> bytes:
            return PNG

    class Empty:
        def read(self, size: int) -> None:
            return None

    with (tmp_path / "new").open("wb") as written:
        for file in (closed, written, Asynchronous(), Odd(), Empty()):
            with pytest.raises(InvalidInputError, match="The image's file"):
                read_image(file)


class Drops:
    """A file that gives one byte at a time, as a slow pipe or socket may."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def read(self, size: int) -> bytes:
        given, self.left = self.left[: min(size, 1)], self.left[min(size, 1) :]
        return given


def test_a_file_that_gives_less_than_is_asked_for_is_read_to_its_end() -> None:
    """Part of a picture is none."""
    assert read_image(Drops(PNG)) == write_url(PNG)


class Breaks:
    """A file that fails in the middle."""

    def __init__(self, error: Exception) -> None:
        self.parts: list[bytes | Exception] = [b"", PNG, error]

    def read(self, size: int) -> bytes:
        part = self.parts.pop(0)
        if isinstance(part, Exception):
            raise part
        return part


@pytest.mark.parametrize(("error", "says"), [(EOFError("cut"), "read: cut."), (RuntimeError(), "read: RuntimeError.")])
def test_a_file_that_fails_in_the_middle_is_a_mistake(error: Exception, says: str) -> None:
    """Whatever it fails with."""
    with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
        read_image(Breaks(error))
    assert caught.value.__cause__ is None


LONG = PNG.ljust(100_000, b"x")
CUT_SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(LONG) + LONG[:5000]


class CutShort(socketserver.BaseRequestHandler):
    """Says how long a picture is and hangs up in the middle of it, without a reset."""

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(CUT_SHORT)


@pytest.fixture
def cut_url() -> Iterator[str]:
    with socketserver.TCPServer(("127.0.0.1", 0), CutShort) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        thread.join()


def test_a_download_that_was_cut_is_a_mistake(cut_url: str) -> None:
    """The answer of `requests` says so at its end."""
    with requests.get(cut_url, stream=True, timeout=5) as response, pytest.raises(InvalidInputError, match="95000"):
        read_image(response.raw)


def test_a_download_of_the_standard_library_that_was_cut_is_a_mistake(cut_url: str) -> None:
    """It ends as if it were whole, so what is missing is counted."""
    with (
        urlopen(cut_url, timeout=5) as response,  # noqa: S310 - our own server
        pytest.raises(InvalidInputError, match="last 95000 bytes never came"),
    ):
        read_image(response)


@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_a_download_is_decompressed(coding: str | None) -> None:
    """The answer of `requests` has the bytes as they travelled."""
    body = {None: LONG, "gzip": gzip.compress(LONG), "deflate": zlib.compress(LONG)}[coding]
    headers = {"content-encoding": coding} if coding else {}
    with (
        Loopback(lambda received: Reply(headers=headers, body=body, framing="length")) as server,
        requests.get(server.url, stream=True, timeout=5) as response,
    ):
        assert read_image(response.raw) == write_url(LONG)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no/such/file.png", "The image 'no/such/file.png' cannot be read: No such file or directory."),
        ("", "cannot be read: Is a directory."),
        ("a\0b", "cannot be read: "),
        ("x" * 10_000, "cannot be read: File name too long."),
        ("\ud83d", "cannot be read: "),
        (b"junk", "The image is no png, jpeg, gif or webp picture: it begins with b'junk'."),
        (b"", "The image is no png, jpeg, gif or webp picture: it is empty."),
        ("ftp://x/a.png", "'ftp://x/a.png' cannot be read: an image's URL begins with http://, https:// or data:."),
        ("file:///a.png", "an image's URL begins with http://"),
        ("C://a.png", "The image 'C:/a.png' cannot be read: No such file or directory."),
        ("data:image/png,x", "does not begin a base64 data URL"),
        ("data:image/png;base64,?", "The data URL's base64 is broken"),
        (write_url(b"junk"), "The data URL is no png, jpeg, gif or webp picture"),
        (5, "An image must be a path, bytes, a binary file, a PIL image or a URL, not a int."),
        (None, "not a NoneType."),
        ([PNG], "not a list."),
    ],
)
def test_what_is_no_picture_is_a_mistake_that_is_named(source: Any, says: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInputError, match=re.escape(says)) as caught:
        read_image(source)
    assert len(str(caught.value)) < 400


def test_a_text_file_is_no_picture_whatever_its_name(tmp_path: Path) -> None:
    """A name may lie, and a file may be anything."""
    (tmp_path / "x.png").write_text("secret notes")
    with pytest.raises(InvalidInputError, match=r"x\.png is no png"):
        read_image(tmp_path / "x.png")


@pytest.mark.parametrize("make", [bytes, io.BytesIO], ids=["bytes", "a file"])
def test_a_picture_that_is_too_large_is_a_mistake(make: Callable[[bytes], Any]) -> None:
    """The sentence says how to allow more."""
    usual = Limits().input_bytes
    for size in (1000, usual):
        with pytest.raises(
            InvalidInputError, match=rf"is larger than {size} bytes; limits=.*input_bytes=…\) allows more"
        ):
            read_image(make(PNG.ljust(size + 1)), max_bytes=size)
        assert read_image(make(PNG.ljust(size)), max_bytes=size)
    assert read_image(make(PNG.ljust(usual + 1)), max_bytes=usual + 1)


STARTS = st.sampled_from([*PICTURES.values()]).flatmap(lambda data: st.integers(0, len(data)).map(lambda at: data[:at]))
BYTES = st.builds(lambda start, rest: start + rest, STARTS, st.binary(max_size=9))
HEADS = st.sampled_from(["http://", "HTTPS://", "data:", "data:image/png;base64,", "data:;base64,", "DATA:x;BASE64,"])
URLS = st.builds(lambda head, rest: head + rest, HEADS, st.text(max_size=30) | BYTES.map(write_url) | BYTES.map(encode))


@given(st.one_of(st.text(max_size=30), BYTES, URLS))
def test_no_junk_breaks_it(source: Any) -> None:
    """A URL or an error of ours."""
    try:
        url = read_image(source)
    except InvalidInputError:
        return
    if url.startswith("data:"):
        media_type, _, data = url.removeprefix("data:").partition(";base64,")
        assert sniff_image(base64.b64decode(data, validate=True)) == media_type
    else:
        assert url == source


# --- Saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("media_type", "data"), PICTURES.items())
def test_a_picture_is_saved_under_a_new_name(media_type: str, data: bytes, tmp_path: Path) -> None:
    """Of the time, something random, and what the bytes say that it is."""
    folder = tmp_path / "made" / "when needed"
    first, second = save_image(data, folder), save_image(data, folder)

    assert first != second
    assert first.read_bytes() == data
    assert first.parent == folder
    assert first.is_absolute()
    stamp, _, rest = first.name.partition("_")
    assert abs(int(stamp) - time.time()) < 60
    assert re.fullmatch(rf"[0-9a-f-]{{36}}\.{EXTENSIONS[media_type]}", rest)
    assert sorted(folder.iterdir()) == sorted([first, second])


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_saved_picture_is_for_its_owner_only(tmp_path: Path) -> None:
    """Whatever the umask says."""
    before = os.umask(0)
    try:
        path = save_image(PNG, tmp_path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A file stands in its place; nothing half-written is left."""
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("a\0b")):
        with pytest.raises(G4FError, match="cannot be saved in"):
            save_image(PNG, folder)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_picture_that_cannot_be_put_in_its_place_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a part of itself, also where the program is stopped."""
    for error, expected in (
        (OSError(28, "No space left on device"), G4FError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ):

        def fail(self: Path, target: Path, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(expected):
            save_image(PNG, tmp_path)
        assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file grows beyond 64 KiB: the system fails in the middle of a longer one, as on a disk that is full."""
    resource = pytest.importorskip("resource", reason="only POSIX systems limit the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_fills_up_is_an_error_and_keeps_nothing_half_written(tmp_path: Path) -> None:
    """Of several pictures those that fitted are taken away again."""
    large = PNG + bytes(2**17)
    for save in (lambda: save_image(large, tmp_path), lambda: save_images([PNG, large], tmp_path)):
        with pytest.raises(G4FError, match=r"cannot be saved in .*: File too large") as caught:
            save()
        assert caught.value.__cause__ is None
        assert list(tmp_path.iterdir()) == []
    assert save_image(PNG, tmp_path).read_bytes() == PNG


def test_what_is_no_picture_is_not_saved(tmp_path: Path) -> None:
    """Whatever the service calls it."""
    with pytest.raises(G4FError, match="The generated image is no png"):
        save_image(b"#!/bin/sh", tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- Delivering ------------------------------------------------------------------------------------------------------


async def download(url: str) -> bytes:
    return {"https://x/a.png": PNG, "https://x/../../b": JPEG, "https://x/junk": b"<html>"}[url]


async def deliver(image: Image, response_format: Any, folder: Path) -> dict[str, Any]:
    images = Images(data=[image])
    images.provider = "Somebody"
    await deliver_images(images, response_format, folder, download)
    return {key: value for key, value in images.data[0].to_dict().items() if value is not None}


SERVED = {
    "a URL": Image(url="https://x/a.png"),
    "a data URL": Image(url=write_url(PNG)),
    "base64": Image(b64_json=base64.b64encode(PNG).decode()),
    "a URL and base64": Image(url="https://x/a.png", b64_json=base64.b64encode(PNG).decode()),
}


@pytest.mark.parametrize("served", SERVED)
async def test_pictures_are_saved_unless_the_user_says_otherwise(served: str, tmp_path: Path) -> None:
    """Then `url` is their place under /images, and `path` the file."""
    told = await deliver(Image.from_dict(SERVED[served].to_dict()), None, tmp_path)
    (path,) = tmp_path.iterdir()

    assert told == {"url": f"/images/{path.name}", "path": str(path)}
    assert path.read_bytes() == PNG


@pytest.mark.parametrize("served", SERVED)
async def test_pictures_are_given_as_base64(served: str, tmp_path: Path) -> None:
    """Nothing is written."""
    told = await deliver(Image.from_dict(SERVED[served].to_dict()), "b64_json", tmp_path)

    assert told == {"b64_json": base64.b64encode(PNG).decode()}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("served", SERVED)
async def test_pictures_are_given_as_urls(served: str, tmp_path: Path) -> None:
    """The service's own, or a data URL where it has none; nothing is downloaded."""
    told = await deliver(Image.from_dict(SERVED[served].to_dict()), "url", tmp_path)

    assert told == {"url": write_url(PNG) if served in ("a data URL", "base64") else "https://x/a.png"}
    assert list(tmp_path.iterdir()) == []


async def test_names_of_files_never_come_from_outside(tmp_path: Path) -> None:
    """Neither from a URL nor from the service."""
    folder = tmp_path / "folder"
    told = await deliver(Image(url="https://x/../../b", path="/etc/passwd"), None, folder)
    assert Path(told["path"]).parent == folder
    assert list(tmp_path.iterdir()) == [folder]

    for response_format in ("url", "b64_json"):
        assert "path" not in await deliver(Image(url="https://x/a.png", path="/etc/passwd"), response_format, folder)


@pytest.mark.parametrize("response_format", [None, "url", "b64_json"])
@pytest.mark.parametrize(
    "sent",
    [
        {"b64_json": "!!!"},
        {"b64_json": base64.b64encode(b"<html>").decode()},
        {"url": "data:text/html,<script>"},
        {"url": write_url(b"<html>", "text/html")},
        {"url": "ftp://x/a.png"},
        {"url": "/images/a.png"},
        {"b64_json": "?"},
        {"b64_json": 5},
        {"b64_json": base64.b64encode(b"junk").decode()},
        {"url": "data:image/png,x"},
        {"url": write_url(b"junk")},
        {"url": 5},
        {"url": ""},
        {},
    ],
)
async def test_what_a_service_gives_for_a_picture_and_is_none_is_its_fault(
    sent: dict[str, Any], response_format: Any, tmp_path: Path
) -> None:
    """An error of ours that names the provider, in whatever form it is asked for; nothing is saved."""
    with pytest.raises(APIResponseError) as caught:
        await deliver(Image.from_dict(dict(sent)), response_format, tmp_path)

    assert caught.value.provider == "Somebody"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("response_format", [None, "b64_json"])
async def test_what_is_downloaded_must_be_a_picture_too(response_format: Any, tmp_path: Path) -> None:
    """A page that says that the picture is gone is none."""
    with pytest.raises(APIResponseError, match="The generated image is no png") as caught:
        await deliver(Image(url="https://x/junk"), response_format, tmp_path)

    assert caught.value.provider == "Somebody"


@pytest.mark.parametrize("response_format", [None, "b64_json"])
async def test_what_was_drawn_and_cannot_be_had_is_not_to_be_asked_for_again(
    response_format: Any, tmp_path: Path
) -> None:
    """It would be paid for twice, and is most often still there."""

    async def download_in_vain(url: str) -> bytes:
        raise APITimeoutError(f"The download of {url} did not come within 2 s.")

    images = Images(data=[Image(url="https://x/a.png")])
    with pytest.raises(APITimeoutError) as caught:
        await deliver_images(images, response_format, tmp_path, download_in_vain)

    assert not caught.value.retryable


async def test_pictures_of_a_service_may_have_urls_in_capitals(tmp_path: Path) -> None:
    """Schemes have no letter case."""
    asked = []

    async def give(url: str) -> bytes:
        asked.append(url)
        return PNG

    images = Images(data=[Image(url="HTTPS://X/a.png"), Image(url="DATA:image/png;base64," + BASE64)])
    await deliver_images(images, "b64_json", tmp_path, give)

    assert [image.b64_json for image in images.data] == [BASE64, BASE64]
    assert asked == ["HTTPS://X/a.png"]


async def test_a_data_url_of_a_service_says_what_the_picture_is(tmp_path: Path) -> None:
    """Whatever the service calls it."""
    assert await deliver(Image(url=write_url(GIF, "text/html")), "url", tmp_path) == {
        "url": write_url(GIF, "image/gif")
    }


@pytest.mark.parametrize("bad", [{"url": "https://x/junk"}, {"url": "https://x/gone"}, {"b64_json": "?"}])
async def test_one_picture_that_cannot_be_had_leaves_no_other_behind(bad: dict[str, Any], tmp_path: Path) -> None:
    """Nobody would be told where they are."""

    async def give(url: str) -> bytes:
        if url.endswith("gone"):
            raise APIConnectionError("gone")
        return await download(url)

    images = Images(model="m", data=[Image(url="https://x/a.png"), Image.from_dict(bad)])
    images.provider = "Somebody"
    with pytest.raises(APIError) as caught:
        await deliver_images(images, None, tmp_path, give)

    assert (caught.value.provider, caught.value.model) == ("Somebody", "m")
    assert list(tmp_path.iterdir()) == []


def test_one_picture_that_cannot_be_saved_leaves_no_other_behind(tmp_path: Path) -> None:
    """The first is taken away again."""
    with pytest.raises(InvalidInputError):
        save_images([PNG, JPEG, b"junk"], tmp_path)

    assert list(tmp_path.iterdir()) == []


async def test_pictures_are_saved_off_the_event_loop(tmp_path: Path) -> None:
    """A slow disk holds up nobody else: other tasks have their turns meanwhile."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    big = PNG.ljust(2**25, b"x")
    await deliver(Image(b64_json=base64.b64encode(big).decode()), None, tmp_path)
    turning.cancel()

    assert turns > 1


@pytest.mark.parametrize("cancels", [1, 2, 3])
def test_pictures_of_a_call_that_is_cancelled_are_taken_away(cancels: int, tmp_path: Path) -> None:
    """Nobody would know of them; half of one is never left, however often it is cancelled, once the loop has ended."""
    asyncio.run(cancel_while_saving(tmp_path, cancels))

    assert list(tmp_path.iterdir()) == []


async def cancel_while_saving(tmp_path: Path, cancels: int) -> None:
    """Cancel so often while a large picture is saved."""
    big = Image(b64_json=base64.b64encode(PNG.ljust(2**25, b"x")).decode())
    saving = asyncio.create_task(deliver(big, None, tmp_path))
    while not any(tmp_path.iterdir()):  # noqa: ASYNC110 - the thread has no event to tell by
        await asyncio.sleep(0)
    for _ in range(cancels):
        saving.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await saving


async def test_pictures_that_are_saved_before_the_call_hears_of_its_end_are_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is done, and the loop has not looked yet."""
    waited, saved, save = threading.Event(), threading.Event(), media._Saving.save

    def save_and_tell(*wanted: Any) -> Any:
        waited.wait()
        paths = save(*wanted)
        saved.set()
        return paths

    monkeypatch.setattr(media._Saving, "save", save_and_tell)
    saving = asyncio.create_task(deliver(Image(b64_json=base64.b64encode(PNG).decode()), None, tmp_path))
    await asyncio.sleep(0)
    waited.set()
    saved.wait()  # nothing else runs in the loop
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [3 * 2**17 - 1, 3 * 2**17, 3 * 2**17 + 1, 2**20])
def test_a_large_picture_is_written_as_a_small_one_is(size: int) -> None:
    """Though it is written in several pieces."""
    data = PNG + os.urandom(size - len(PNG))
    assert make_data_url(data) == write_url(data)


def test_a_data_url_is_made_of_pictures_only() -> None:
    """It says what was expected."""
    assert make_data_url(GIF) == write_url(GIF, "image/gif")
    with pytest.raises(InvalidInputError, match="That thing is no png"):
        make_data_url(b"junk", "That thing")


def test_many_pictures_are_delivered_at_the_same_place(tmp_path: Path) -> None:
    """Each under its own name."""
    images = Images(data=[Image(url="https://x/a.png") for _ in range(5)])
    asyncio.run(deliver_images(images, None, tmp_path, download))

    assert len(list(tmp_path.iterdir())) == len({image.path for image in images.data}) == 5
