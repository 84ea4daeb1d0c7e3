"""A model hub as a source: one file over HTTP, which goes on where an earlier try ended."""

from __future__ import annotations

import os
import re

import aiohttp

from g4f.resolver import Resolver
from g4f_provider_local.catalogue import HubSource
from g4f_provider_local.partial import PartialFile, Report, SourceError

CONNECT_SECONDS = 5.0
_READ_SECONDS = 30.0  # between two pieces of the file
_TRIES = 3
_SLICE = 1 << 18
_HUB = "https://huggingface.co"
HUB_VARIABLE = "HF_ENDPOINT"  # the hub's own tools know it as well


async def fetch_from_hub(source: HubSource, partial: PartialFile, report: Report) -> None:
    """Append the bytes that are not there yet.

    Args:
        source: The file.
        partial: Where they are appended.
        report: Told how many bytes more than those of `partial` are there, and what is going on.

    Raises:
        SourceError: They cannot be had.
    """
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=_READ_SECONDS)
    connector = aiohttp.TCPConnector(resolver=Resolver())
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=True) as session:
        for left in reversed(range(_TRIES)):
            before = partial.size
            try:
                await _fetch_rest(session, build_url(source), partial, report)
            except (aiohttp.ClientError, TimeoutError) as error:
                if partial.size == before:
                    raise SourceError(_explain(error)) from None
                if not left:
                    raise SourceError("the connection broke again and again") from None
            else:
                return


def build_url(source: HubSource) -> str:
    """Return where a hub keeps a file."""
    hub = os.environ.get(HUB_VARIABLE, _HUB).rstrip("/")
    return f"{hub}/{source.repository}/resolve/main/{source.file}"


async def _fetch_rest(session: aiohttp.ClientSession, url: str, partial: PartialFile, report: Report) -> None:
    if partial.size == partial.total:
        return
    headers = {"Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
    async with session.get(url, headers=headers) as response:
        _check_head(response, partial)
        async for data in response.content.iter_chunked(_SLICE):
            if partial.size + len(data) > partial.total:
                raise SourceError("it sends more bytes than the file has")
            partial.write(data)
            report(0, "from the model hub")
    if partial.size < partial.total:
        raise aiohttp.ClientPayloadError("the answer ended early")


def _check_head(response: aiohttp.ClientResponse, partial: PartialFile) -> None:
    """Make sure that what follows continues `partial`; where the server begins anew, so do we.

    Raises:
        SourceError: It is an error, or another file, as the page of a captive portal.
    """
    if response.status == 206:
        told = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if not told or int(told[1]) != partial.size or told[2] not in (str(partial.total), "*"):
            raise SourceError("it sends another piece than was asked for")
        return
    if response.status != 200:
        raise SourceError(f"it answers {response.status} {response.reason or ''}".rstrip())
    if response.content_length not in (None, partial.total):
        raise SourceError(f"it has a file of {response.content_length} bytes, and not of {partial.total}")
    partial.truncate(0)


def _explain(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {CONNECT_SECONDS:g} s"
    if isinstance(error, TimeoutError):
        return f"no answer within {_READ_SECONDS:g} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.os_error.strerror or error.os_error})"
    return f"the connection broke ({type(error).__name__})"
