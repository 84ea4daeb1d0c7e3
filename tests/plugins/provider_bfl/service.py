"""Black Forest Labs as its documents describe it: jobs that are begun, asked for, and done after a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from loopback import Loopback, Received, Reply, reply_json

KEY = "bfl-key-0123456789"
JPEG = b"\xff\xd8\xff\xe0 a cat"


@attrs.define
class Service:
    """What a server answers with `answer`.

    Attributes:
        server: The server.
        pending: How often a job is not done yet when it is asked for.
        begin: Answers in place of a job, where it answers at all.
        ask: Answers in place of a result: it is told the job's number and how often it was asked for.
        jobs: The jobs that were begun: the bodies of their requests.
        asked: How often each was asked for.
    """

    server: Loopback
    pending: int = 0
    begin: Callable[[int], Reply | None] = lambda _: None
    ask: Callable[[int, int], Reply | None] = lambda *_: None
    polling_url: str = "{server}/v1/get_result?id={id}"
    jobs: list[dict[str, Any]] = attrs.field(factory=list)
    asked: list[int] = attrs.field(factory=list)

    def answer(self, request: Received) -> Reply:
        """Answer as documented."""
        if request.path.startswith("/delivery/"):
            return Reply(200, {"content-type": "image/jpeg"}, JPEG)
        if request.headers.get("x-key") != KEY:
            return reply_json({"detail": "Not authenticated - Invalid Authentication"}, 403)
        if request.path == "/v1/get_result":
            return self._tell(int(dict(request.pairs)["id"].removeprefix("task-")))
        if request.method == "POST" and request.path.startswith("/v1/flux-"):
            return self._begin(request)
        return reply_json({"detail": "Not Found"}, 404)

    def _begin(self, request: Received) -> Reply:
        at = len(self.jobs)
        instead = self.begin(at)
        if instead is not None:
            return instead
        self.jobs.append(request.json)
        self.asked.append(0)
        url = self.polling_url.format(server=self.server.url, id=f"task-{at}")
        return reply_json({"id": f"task-{at}", "polling_url": url, "cost": 3.0, "input_mp": 0.0, "output_mp": 1.0})

    def _tell(self, at: int) -> Reply:
        self.asked[at] += 1
        instead = self.ask(at, self.asked[at])
        if instead is not None:
            return instead
        if self.asked[at] <= self.pending:
            return reply_json({"id": f"task-{at}", "status": "Pending", "result": None, "progress": 0.5})
        result = {"sample": f"{self.server.url}/delivery/task-{at}.jpeg", "seed": 7 + at, "prompt": "a cat"}
        return reply_json({"id": f"task-{at}", "status": "Ready", "result": result, "progress": None})
