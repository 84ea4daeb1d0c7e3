"""Answers: a job that was begun, and what became of it.

Source: https://docs.bfl.ai/api-reference/utility/get-result, https://docs.bfl.ai/api_integration/errors.
"""

from __future__ import annotations

from typing import Any

import attrs

from g4f.context import HttpResponse
from g4f.errors import APIError, APIResponseError, make_status_error
from g4f.images import Images
from g4f.wire.json import decode_object, show_start

# A status that means failure: the HTTP status that comes nearest, and our code.
_FAILURES = {
    "Request Moderated": (400, "content_filter"),
    "Content Moderated": (400, "content_filter"),
    "Task not found": (404, None),
    "Error": (500, None),
}


@attrs.frozen
class Job:
    """A picture that is being drawn.

    Attributes:
        id: The service's id of it.
        polling_url: Where to ask for it; empty where the service did not say.
        cost: What it costs, in credits.
    """

    id: str
    polling_url: str = ""
    cost: float | None = None


def decode_job(response: HttpResponse) -> Job:
    """Read the answer to the request for a picture.

    Raises:
        APIResponseError: It names no job.
    """
    data = decode_object(response.body)
    job, url, cost = data.get("id"), data.get("polling_url"), data.get("cost")
    if not job or not isinstance(job, str):
        raise APIResponseError(f"The answer names no job: {show_start(response.body)}")
    return Job(job, url if isinstance(url, str) else "", cost if isinstance(cost, (int, float)) else None)


def decode_result(response: HttpResponse, job: Job) -> Images | None:
    """Read what became of a job; None where it is not done.

    Raises:
        APIStatusError: It failed, or was refused.
        APIResponseError: It is no answer that we know. One that is not even an object may be a proxy's: asking again
            may help, and costs nothing.
    """
    try:
        data = decode_object(response.body)
    except APIResponseError as error:
        error.retryable = True
        raise
    status = str(data.get("status"))
    if status == "Pending":
        return None
    if status in _FAILURES:
        raise _make_failure(status, data, job)
    result = data.get("result")
    if status != "Ready" or not isinstance(result, dict) or not isinstance(result.get("sample"), str):
        raise APIResponseError(f"The answer has no image: {show_start(response.body)}", request_id=job.id)
    image = {"url": result["sample"], "seed": result.get("seed"), "cost": job.cost}
    return Images.from_dict({"data": [{name: value for name, value in image.items() if value is not None}]})


def _make_failure(status: str, data: dict[str, Any], job: Job) -> APIError:
    code, kind = _FAILURES[status]
    reason = _describe(data.get("details")) or _describe(data.get("error"))
    message = f"{status}: {reason}" if reason else f"{status}."
    return make_status_error(
        message, status_code=code, code=kind, type=status, body=data, request_id=job.id, retryable=False
    )


def _describe(details: Any) -> str:
    """Return in words what the service says in whatever shape, as {"Moderation Reasons": ["…"]}."""
    if isinstance(details, dict):
        return "; ".join(f"{name}: {_describe(value)}" for name, value in details.items())
    if isinstance(details, list):
        return ", ".join(_describe(item) for item in details)
    return "" if details is None else str(details)
