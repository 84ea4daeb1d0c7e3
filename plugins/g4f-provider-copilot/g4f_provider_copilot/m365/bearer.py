"""The network with a token on each request: for a provider that gets its token by itself."""

from __future__ import annotations

import attrs

from g4f.context import HttpRequest, HttpResponse, HttpStream, Transport


@attrs.frozen
class BearerTransport:
    """A transport that authorizes what it sends. Where that may go is left to the transport beneath."""

    beneath: Transport
    token: str = attrs.field(repr=False)

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and read the whole answer; see `g4f.context.Transport`."""
        return await self.beneath.send(self._authorize(request))

    async def stream(self, request: HttpRequest) -> HttpStream:
        """Send a request and return at the answer's head; see `g4f.context.Transport`."""
        return await self.beneath.stream(self._authorize(request))

    def _authorize(self, request: HttpRequest) -> HttpRequest:
        return attrs.evolve(request, headers={**request.headers, "Authorization": f"Bearer {self.token}"})
