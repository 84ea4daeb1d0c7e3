"""A machine on which nobody is signed in, and a service on loopback."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from g4f.registry import share_registry
from loopback import Loopback, Reply
from plugins.provider_copilot.entra import CLIENT, Entra
from plugins.provider_copilot.graph import Graph


@pytest.fixture(autouse=True)
def token_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a sign-in would be kept; none of the developer's own is seen."""
    registry = share_registry()
    for name in ("Copilot", "CopilotAccount"):
        manifest = registry.read_manifest(registry.find(name))
        for variable in (*manifest.auth.variables, *(setting.variable for setting in manifest.settings)):
            monkeypatch.delenv(str(variable), raising=False)
    monkeypatch.delenv("M365_COPILOT_BASE_URL", raising=False)
    path = tmp_path / "data" / "copilot.json"
    monkeypatch.setenv("M365_COPILOT_TOKEN_FILE", str(path))
    return path


@pytest.fixture
def graph() -> Iterator[Graph]:
    """The service of the Chat API."""
    with Loopback(Reply(500)) as server:
        yield Graph(server)


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Entra]:
    """The service that signs users in, which the environment names, and whose certificate is trusted."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    with Loopback(Reply(500), tls=context) as server:
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", server.url)
        yield Entra(server)
