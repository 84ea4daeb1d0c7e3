"""Emulators of services, which others wrote, and clients that are pointed at them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from emulators.aimock import DIALECTS, KEY, SERVICES, Aimock, Service, run_aimock
from g4f import AsyncClient


@pytest.fixture(scope="session")
def aimock_program() -> Iterator[Aimock]:
    """The program, started once."""
    with run_aimock() as aimock:
        yield aimock


@pytest.fixture
def aimock(aimock_program: Aimock) -> Aimock:
    """The emulator, which has nothing to say yet and has received nothing."""
    aimock_program.reset()
    return aimock_program


@pytest.fixture(params=DIALECTS)
def service(request: pytest.FixtureRequest) -> Service:
    """A provider of each dialect in turn, or those that the test names."""
    return SERVICES[request.param]


@pytest.fixture
async def client(service: Service, aimock: Aimock, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A client of the provider, at aimock."""
    url = f"{aimock.url}{service.path}"
    media = str(tmp_path)
    async with AsyncClient(service.provider, api_key=KEY, base_url=url, max_retries=1, media_folder=media) as client:
        yield client
