"""Pictures: reading what users hand in, and saving what providers draw. No other file touches the user's files.

Downloads are left to the transport; what a picture means to a service, to `wire`.
"""

from __future__ import annotations

import base64
import inspect
import io
import os
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Literal

from g4f.context import DEFAULT_LIMITS, Limits
from g4f.errors import APIError, APIResponseError, G4FError, InvalidInputError
from g4f.images import Image, Images
from g4f.wire.openai import split_data_url

ImageInput = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Any
ImageFormat = Literal["url", "b64_json"]
Download = Callable[[str], Awaitable[bytes]]
_USUAL_BYTES = DEFAULT_LIMITS.input_bytes
# Bytes of a picture: base64 writes three in four digits. In smaller pieces it takes longer under a debugger, where
# Python copies the text for each.
_WRITTEN_AT_ONCE = 3 * 2**17
_AT_ONCE = 2**18  # bytes of a file, which may be many more when they are decompressed
_SCHEME = re.compile(r"data(?=:)|[a-z][a-z0-9+.-]+(?=://)", re.IGNORECASE)  # one letter is a drive of Windows
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # of PIL images; others are converted
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_START = 32  # digits of it that show what a picture is


def sniff_image(data: bytes) -> str | None:
    """Return the media type that the first bytes show (WHATWG MIME Sniffing, 6.1), or None for no known image."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


async def read_images(sources: Sequence[ImageInput], limits: Limits, name: str | None = None) -> list[str]:
    """Read pictures as `read_image` does, off the event loop, since files block.

    Raises:
        InvalidInputError: One is no picture.
    """
    if not sources:
        return []
    import asyncio  # here because a program that only imports this need not pay for it

    return await asyncio.to_thread(lambda: [read_image(source, name, limits.input_bytes) for source in sources])


def read_image(source: ImageInput, name: str | None = None, max_bytes: int = _USUAL_BYTES) -> str:
    """Return a picture as a URL: an http URL as it is, everything else as a data URL of its sniffed type.

    Blocks while it reads a file.

    Args:
        source: A path, bytes, a binary file, a PIL image, an http or data URL.
        name: What it is called in errors.
        max_bytes: How large it may be.

    Raises:
        InvalidInputError: It is too large, is no png, jpeg, gif or webp picture, or cannot be read.
    """
    if isinstance(source, str):
        scheme = _SCHEME.match(source)
        if scheme is not None:
            return _read_url(source, scheme[0].lower(), name, max_bytes)
    if isinstance(source, (str, os.PathLike)):
        return make_data_url(_read_file(Path(os.fsdecode(source)), max_bytes), name or str(source)[:200], max_bytes)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return make_data_url(bytes(source), name or "The image", max_bytes)
    if hasattr(source, "save") and hasattr(source, "getbands"):
        return make_data_url(_write_pillow(source), name or "The PIL image", max_bytes)
    if hasattr(source, "read"):
        return make_data_url(_read_open_file(source, max_bytes), name or "The image's file", max_bytes)
    raise InvalidInputError(
        f"An image must be a path, bytes, a binary file, a PIL image or a URL, not a {type(source).__name__}."
    )


def _read_url(url: str, scheme: str, name: str | None, max_bytes: int) -> str:
    if scheme == "data":
        return make_data_url(split_data_url(url)[1], name or "The data URL", max_bytes)
    if scheme not in ("http", "https"):
        raise InvalidInputError(f"{url[:200]!r} cannot be read: an image's URL begins with http://, https:// or data:.")
    return url


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"The image {str(path)[:200]!r} cannot be read: {_read_reason(error)}.") from None


def _read_reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _read_open_file(file: Any, max_bytes: int) -> bytes:
    """Read a file to its end, since a read may give less than is asked for, and the end tells of a broken download."""
    _read_part(file, 0)  # to know its kind before anything is read or decoded
    parts: list[bytes] = []
    left = max_bytes + 1
    while left > 0 and (part := _read_part(file, min(left, _AT_ONCE))):
        parts.append(part)
        left -= len(part)
    missing = getattr(file, "length", None)  # of http.client's answers, which end without an error where they are cut
    if left > 0 and isinstance(missing, int) and missing > 0:
        raise InvalidInputError(f"The image's file cannot be read: the last {missing} bytes never came.")
    return b"".join(parts)


def _read_part(file: Any, size: int) -> bytes:
    # What urllib3 has of an answer is given as it travelled, unless it is told to decompress it.
    options = {"decode_content": True} if hasattr(file, "decode_content") else {}
    try:
        part = file.read(size, **options)
    except Exception as error:  # noqa: BLE001 - a file of anybody's, with errors of its own
        reason = str(error) or type(error).__name__
        raise InvalidInputError(f"The image's file cannot be read: {reason}.") from None
    if isinstance(part, str):
        raise InvalidInputError("The image's file is open as text; open it with mode 'rb'.")
    if not isinstance(part, bytes):
        if inspect.iscoroutine(part):
            part.close()
        raise InvalidInputError(f"The image's file gives a {type(part).__name__} where bytes should be.")
    return part


def _write_pillow(image: Any) -> bytes:
    target = io.BytesIO()
    try:
        (image if image.mode in _PNG_MODES else image.convert("RGB")).save(target, format="PNG")
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"The PIL image cannot be written as PNG: {error}.") from None
    return target.getvalue()


def make_data_url(data: bytes, what: str = "The image", max_bytes: int = _USUAL_BYTES) -> str:
    """Return a picture's bytes as a data URL.

    Raises:
        InvalidInputError: They are no picture, or too many.
    """
    if len(data) > max_bytes:
        raise InvalidInputError(
            f"{what} is larger than {max_bytes} bytes; limits=g4f.Limits(input_bytes=…) allows more."
        )
    return _write_data_url(_expect_image(data, what), data)


def _write_data_url(media_type: str | None, data: bytes) -> str:
    url = f"data:{media_type};base64,"
    for at in range(0, len(data), _WRITTEN_AT_ONCE):  # the text grows in place, where all at once it is copied twice
        url += base64.b64encode(data[at : at + _WRITTEN_AT_ONCE]).decode("ascii")
    return url


def _expect_image(data: bytes, what: str) -> str:
    media_type = sniff_image(data)
    if media_type is None:
        found = f"it begins with {data[:16]!r}" if data else "it is empty"
        raise InvalidInputError(f"{what} is no png, jpeg, gif or webp picture: {found}.")
    return media_type


async def deliver_images(images: Images, response_format: ImageFormat | None, folder: Path, download: Download) -> None:
    """Bring images into the form that the user asked for, in place.

    Args:
        images: What the provider gave.
        response_format: None saves each picture and gives `url` ("/images/<name>") and `path`; "url" gives a URL, a
            data URL where the service gave none; "b64_json" gives base64.
        folder: Where pictures are saved: all of them, or none.
        download: Fetches the bytes of a URL.

    Raises:
        APIError: One cannot be downloaded, or is no picture; it names the provider, and is not retryable.
        G4FError: A picture cannot be saved.
    """
    try:
        for image in images.data:
            image.path = None  # a service does not know our files
        if response_format is None:
            await _save_all(images.data, folder, download)
        else:
            give = _give_url if response_format == "url" else _give_base64
            for image in images.data:
                await give(image, download)
    except APIError as error:
        error.provider = error.provider or images.provider
        error.model = error.model or images.model or None
        error.retryable = False  # they are drawn and paid for: to ask again pays again
        raise


async def _save_all(images: Sequence[Image], folder: Path, download: Download) -> None:
    pictures = [await _read_picture(image, download) for image in images]  # before the first is written
    import asyncio  # here because a program that only imports the client need not pay for it

    saving = _Saving()
    writing = asyncio.get_running_loop().run_in_executor(None, saving.save, pictures, folder)  # files block
    try:
        paths = await asyncio.shield(writing)
    except asyncio.CancelledError:
        saving.give_up()
        with suppress(asyncio.CancelledError):  # once is waited: a program that ends now would leave half a file
            await asyncio.wait([writing])
        raise
    for image, path in zip(images, paths, strict=True):
        image.url, image.path, image.b64_json = f"/images/{path.name}", str(path), None


class _Saving:
    """Pictures that a thread saves for somebody who may leave: what nobody would know of, the last of both takes away.

    Leaving stops no thread, and whoever waits for it may be canceled again.
    """

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._first = [True]  # taken in one atomic step

    def save(self, pictures: Sequence[bytes], folder: Path) -> list[Path]:
        """Save as `save_images` does, in the thread."""
        self._paths = save_images(pictures, folder)
        self._end()
        return self._paths

    def give_up(self) -> None:
        """Leave; what is saved by now is gone at once, all else as soon as the thread is done with it."""
        self._end()

    def _end(self) -> None:
        try:
            self._first.pop()
        except IndexError:
            _remove(self._paths)


async def _give_url(image: Image, download: Download) -> None:
    if not _is_web_url(image.url):
        data = await _read_picture(image, download)
        image.url = _write_data_url(sniff_image(data), data)
    image.b64_json = None


async def _give_base64(image: Image, download: Download) -> None:
    if not _is_picture_in_base64(image.b64_json):
        image.b64_json = base64.b64encode(await _read_picture(image, download)).decode("ascii")
    image.url = None


def _is_picture_in_base64(text: object) -> bool:
    """Tell what can be handed on as it is, in a tenth of the time that reading and writing it takes."""
    if not isinstance(text, str) or not text.isascii() or len(text) % 4:
        return False
    digits = text.removesuffix("=").removesuffix("=")
    for at in range(0, len(digits), _AT_ONCE):  # so that it stays in the processor's cache
        if digits[at : at + _AT_ONCE].encode().translate(None, _BASE64):
            return False
    return sniff_image(base64.b64decode(text[:_START])) is not None


async def _read_picture(image: Image, download: Download) -> bytes:
    """Return the bytes of what a service gave; that they are none is its fault, not the user's."""
    try:
        data = await _read_bytes(image, download)
        _expect_image(data, "The generated image")
    except InvalidInputError as error:
        reason = error.message
    else:
        return data
    raise APIResponseError(reason)


async def _read_bytes(image: Image, download: Download) -> bytes:
    if image.b64_json is not None:
        try:
            return base64.b64decode(image.b64_json, validate=True)
        except (ValueError, TypeError):
            raise InvalidInputError("The base64 of the generated image is broken.") from None
    url = image.url
    if not (url and isinstance(url, str)):
        raise InvalidInputError("The service gave neither a URL nor base64 for an image.")
    return await download(url) if _is_web_url(url) else split_data_url(url)[1]


def _is_web_url(url: object) -> bool:
    return isinstance(url, str) and url[:8].lower().startswith(("http://", "https://"))


def save_images(pictures: Sequence[bytes], folder: Path) -> list[Path]:
    """Save pictures as `save_image` does: all, or none where one cannot be saved."""
    paths: list[Path] = []
    try:
        for data in pictures:
            paths.append(save_image(data, folder))  # noqa: PERF401 - what was saved must be known when the next fails
    except BaseException:
        _remove(paths)
        raise
    return paths


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def save_image(data: bytes, folder: Path) -> Path:
    """Save a picture as `<unix time>_<uuid4>.<extension>`, at once and readable by its owner only.

    Returns:
        The absolute path. The name comes from here alone, so nothing is ever written outside of the folder.

    Raises:
        InvalidInputError: It is no picture.
        G4FError: It cannot be written; nothing half-written is left.
    """
    extension = _EXTENSIONS[_expect_image(data, "The generated image")]
    target = folder.absolute() / f"{int(time.time())}_{uuid.uuid4()}.{extension}"
    partial = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600),
            "wb",
        ) as file:
            file.write(data)
        partial.replace(target)
    except BaseException as error:
        with suppress(OSError, ValueError):  # it may never have been made
            partial.unlink()
        if not isinstance(error, (OSError, ValueError)):
            raise
        raise G4FError(f"The image cannot be saved in {folder}: {_read_reason(error)}.") from None
    return target
