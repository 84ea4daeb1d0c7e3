"""Where Azure's requests go: to the v1 interface, or with a dated API version to the path of a deployment.

Source: https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle, and OpenAI's SDK for the dated ones.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import attrs

from g4f.context import HttpRequest
from g4f.errors import InvalidInputError

# What Azure's pages show behind the part that all paths share.
_TAIL = re.compile(r"(?<=/openai)/(v1|deployments/[^/]+)$")


def find_root(base_url: str) -> str:
    """Return the address that all paths go on from, ending in /openai, whichever of its addresses the user has."""
    return _TAIL.sub("", base_url.rstrip("/"))


def place_request(request: HttpRequest, version: str | None, deployment: str | None) -> HttpRequest:
    """Return a request with its path, and its API version if it has one.

    Raises:
        InvalidInputError: The path needs the name of a deployment, and there is none.
    """
    if not version or version in ("v1", "preview", "latest"):
        query = {"api-version": version} if version and version != "v1" else {}
        return attrs.evolve(request, path=f"/v1{request.path}", query={**request.query, **query})
    query = {**request.query, "api-version": version}
    if request.path == "/models":
        return attrs.evolve(request, query=query)
    if not deployment:
        raise InvalidInputError("Azure needs the name of a deployment: pass it as model=….")
    return attrs.evolve(request, path=f"/deployments/{quote(deployment, safe='')}{request.path}", query=query)
