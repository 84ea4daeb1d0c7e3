"""Microsoft Entra as MSAL knows it, on a loopback server with a certificate of its own: codes, tokens, renewals."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from loopback import Loopback, Received, Reply, reply_json

CLIENT = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"
USER = "ada@contoso.example"


class Entra:
    """The service that signs users in.

    Attributes:
        pending: How often the user is still typing when MSAL asks.
        refusal: What a request for a token is refused with.
        lifetime: How long a token lives, in seconds.
        issued: How many tokens were given.
    """

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.pending = 1
        self.refusal: dict[str, Any] | None = None
        self.code_refusal: dict[str, Any] | None = None
        self.lifetime = 3600
        self.issued = 0
        server.answer = self._answer

    def _answer(self, request: Received) -> Reply:
        answers: dict[str, Callable[[Received], Reply]] = {
            "openid-configuration": self._describe,
            "devicecode": self._give_code,
            "token": self._give_token,
        }
        return answers[request.path.rpartition("/")[2]](request)

    def _describe(self, request: Received) -> Reply:
        tenant = request.path.split("/")[1]
        if tenant == "nowhere":
            return reply_json({"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}, 400)
        base = f"{self.server.url}/{tenant}/oauth2/v2.0"
        return reply_json(
            {
                "issuer": f"{self.server.url}/{TENANT}/v2.0",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "device_authorization_endpoint": f"{base}/devicecode",
            }
        )

    def _give_code(self, request: Received) -> Reply:
        if self.code_refusal is not None:
            return reply_json(self.code_refusal, 400)
        return reply_json(
            {
                "user_code": "AB12CD34E",
                "device_code": "the-device-code",
                "verification_uri": "https://microsoft.example/devicelogin",
                "expires_in": 900,
                "interval": 0,
                "message": "open the page",
            }
        )

    def _give_token(self, request: Received) -> Reply:
        if self.refusal is not None:
            return reply_json(self.refusal, 400)
        if self.read_form(request)["grant_type"] == "refresh_token":
            return self._issue()
        if self.pending:
            self.pending -= 1
            return reply_json({"error": "authorization_pending", "error_description": "AADSTS70016: Pending."}, 400)
        return self._issue()

    def _issue(self) -> Reply:
        self.issued += 1
        now = int(time.time())
        claims = {
            "aud": CLIENT,
            "iss": f"{self.server.url}/{TENANT}/v2.0",
            "iat": now,
            "exp": now + 3600,
            "sub": "a-subject",
            "oid": "an-object",
            "tid": TENANT,
            "preferred_username": USER,
        }
        return reply_json(
            {
                "token_type": "Bearer",
                "scope": "openid",
                "expires_in": self.lifetime,
                "access_token": f"access-token-{self.issued}",
                "refresh_token": f"refresh-token-{self.issued}",
                "id_token": f"{_encode({'alg': 'none'})}.{_encode(claims)}.{_encode({})}",
                "client_info": _encode({"uid": "an-object", "utid": TENANT}),
            }
        )

    def read_form(self, request: Received) -> dict[str, str]:
        """What a request for a token or a code says."""
        return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}

    def list_forms(self, action: str) -> list[dict[str, str]]:
        """What all requests of a kind said."""
        return [self.read_form(request) for request in self.server.requests if request.path.endswith(f"/{action}")]


def _encode(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
