"""Another client of the service, written by others (the AI SDK's), makes the same calls to the same server.

It stands in for the vendor's own, which is not released yet: that it understands our server shows that others read the
documents as we do, and its requests are compared with ours.
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import npm
from g4f import AsyncClient
from loopback import Loopback
from plugins.provider_bfl.service import JPEG, KEY, Service

PROJECT = Path(__file__).parent / "aisdk"
CAT = base64.b64encode(JPEG).decode()
# Each call in its words, and in ours; the AI SDK says a size as an aspect ratio as well, and so gets its pixels apart.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a prompt alone": ({"model": "flux-2-pro", "prompt": "a cat"}, {}),
    "a size and settings": (
        {
            "model": "flux-2-flex",
            "prompt": "a cat",
            "seed": 42,
            "providerOptions": {
                "blackForestLabs": {
                    "width": 1024,
                    "height": 768,
                    "outputFormat": "png",
                    "safetyTolerance": 0,
                    "promptUpsampling": False,
                    "steps": 20,
                    "guidance": 3.5,
                }
            },
        },
        {
            "size": "1024x768",
            "output_format": "png",
            "provider_options": {
                "seed": 42,
                "safety_tolerance": 0,
                "prompt_upsampling": False,
                "steps": 20,
                "guidance": 3.5,
            },
        },
    ),
    "an aspect ratio": (
        {"model": "flux-kontext-pro", "prompt": "a cat", "aspectRatio": "16:9"},
        {"size": "16:9"},
    ),
    "two pictures": (
        {
            "model": "flux-2-pro",
            "prompt": "a cat",
            "files": [
                {"type": "file", "mediaType": "image/jpeg", "data": CAT},
                {"type": "url", "url": "https://example.org/hat.png"},
            ],
        },
        {"image": [JPEG, "https://example.org/hat.png"]},
    ),
}


def _run(service: Service, *calls: dict[str, Any], key: str = KEY) -> list[dict[str, Any]]:
    """Let the other client make calls, and return what it prints of each."""
    modules = npm.install(PROJECT)
    (modules.parent / "draw.mjs").write_text((PROJECT / "draw.mjs").read_text(encoding="utf-8"), encoding="utf-8")
    told = json.dumps({"baseURL": f"{service.server.url}/v1", "apiKey": key, "calls": calls})
    command = [npm.find_node(), str(modules.parent / "draw.mjs"), told]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def service(server: Loopback) -> Service:
    """A service whose jobs take a moment."""
    service = Service(server, pending=1)
    server.answer = service.answer
    return service


def test_another_client_understands_our_server(service: Service) -> None:
    """It gets the picture, its seed and its cost, and a refusal."""
    call = {"model": "flux-2-pro", "prompt": "a cat"}
    [drawn] = _run(service, call)
    [refused] = _run(service, call, key="wrong")
    assert drawn == {"image": CAT, "seed": 7, "cost": 3, "inputMegapixels": 0, "outputMegapixels": 1}
    assert refused["status"] == 403


@pytest.mark.parametrize("name", CALLS)
async def test_our_request_is_the_other_clients(name: str, service: Service) -> None:
    """Path, key and body."""
    theirs, ours = CALLS[name]
    _run(service, theirs)
    async with AsyncClient(provider="BlackForestLabs", api_key=KEY, base_url=service.server.url) as client:
        call = client.images.edit if "image" in ours else client.images.generate
        await call(prompt="a cat", model=theirs["model"], response_format="url", **ours)
    first, second = (request for request in service.server.requests if request.method == "POST")
    assert (first.path, first.headers["x-key"]) == (second.path, second.headers["x-key"])
    assert first.json == second.json
