"""Recorded exchanges of services, which the tests of the providers replay and compare.

They lie in ../shared/traffic; a module that needs them calls `need_traffic` first and is skipped where they are not.
What an answer says is told by each provider's `reader.py` out of the raw text; how it is asked for, by its tests.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from g4f import APIStatusError
from g4f.chat import ChatOptions, Usage
from g4f.registry import Registry, share_registry
from loopback import Reply

TRAFFIC = Path(__file__).parents[2] / "shared" / "traffic"
SIZES = {"whole": 0, "in pieces of 37 bytes": 37, "in pieces of 1000 bytes": 1000}
in_all_sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
# Changes a recorded body into the one that is expected.
Change = Callable[[dict[str, Any]], None]


def need_traffic() -> None:
    """Skip the module that calls it where the recordings are not."""
    if not TRAFFIC.is_dir():
        pytest.skip("the recorded traffic (../shared/traffic) is not here", allow_module_level=True)


def stand_in(provider: str, url: str) -> Registry:
    """Return a registry in which a loopback server is among the provider's own hosts, and no address of the user's."""
    installed = share_registry()
    registry = Registry(refs=[installed.find(provider)])
    manifest = installed.read_manifest(installed.find(provider))
    registry._manifests[provider] = attrs.evolve(manifest, hosts=(*manifest.hosts, url))
    return registry


@attrs.frozen
class Exchange:
    """One recorded exchange; `request` is the body that was sent, None where none was recorded."""

    name: str
    service: str
    operation: str
    method: str
    path: str
    query: str
    request: Any
    request_headers: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    @property
    def text(self) -> str:
        """The body of the answer."""
        return self.body.decode()

    def reply(self, size: int = 0) -> Reply:
        """The recorded answer, in pieces of `size` bytes."""
        return Reply(self.status, self.headers, self.body, size=size)


Load = Callable[[Path], Iterable[Exchange]]


def load_exchange(path: Path) -> Iterator[Exchange]:
    """Load the exchange that a file holds."""
    data = json.loads(path.read_text(encoding="utf-8"))
    request, response = data["request"], data["response"]
    yield Exchange(
        path.stem,
        data["provider"],
        data["operation"],
        request["method"],
        request["url_path"],
        request.get("query") or "",
        request.get("body"),
        request.get("headers") or {},
        response["status"],
        response["headers"],
        base64.b64decode(response["body_base64"]) if "body_base64" in response else response["body_text"].encode(),
    )


@attrs.frozen
class Recordings:
    """The recordings that a provider's tests cover.

    Attributes:
        provider: Its name, for the summary.
        files: All files of its services and operations.
        left_out: Those that are not replayed, by name, each with its reason.
        exchanges: What is replayed.
    """

    provider: str
    files: tuple[Path, ...]
    left_out: Mapping[str, str]
    exchanges: tuple[Exchange, ...]

    @classmethod
    def load(
        cls,
        provider: str,
        services: Iterable[str],
        operations: Iterable[str],
        left_out: Mapping[str, str] | None = None,
        load: Load = load_exchange,
    ) -> Recordings:
        """Load all files of some services and operations but those that are left out."""
        folders = [TRAFFIC / service / operation for service in services for operation in operations]
        files = tuple(sorted(path for folder in folders for path in folder.glob("*.json")))
        left_out = left_out or {}
        exchanges = tuple(found for path in files if path.stem not in left_out for found in load(path))
        return cls(provider, files, left_out, exchanges)

    def choose(
        self, *operations: str, failed: bool = False, only: Callable[[Exchange], bool] = lambda _: True
    ) -> pytest.MarkDecorator:
        """Run a test for each exchange of some operations; for those with an error's status, if it is about them."""
        chosen = [
            exchange
            for exchange in self.exchanges
            if exchange.operation in operations and (exchange.status >= 400) == failed and only(exchange)
        ]
        return pytest.mark.parametrize("exchange", chosen, ids=lambda exchange: f"{exchange.service}-{exchange.name}")

    def summarize(self, capsys: pytest.CaptureFixture[str], *lines: str) -> None:
        """Print how many are replayed and, by name, why each other is not; fail where a name is of none."""
        names = {path.stem for path in self.files}
        assert self.left_out.keys() <= names, "recordings are left out that are not there"
        assert {exchange.name.partition(",")[0] for exchange in self.exchanges} == names - self.left_out.keys()
        counts = Counter((exchange.service, exchange.operation) for exchange in self.exchanges)
        told = ", ".join(f"{service}/{operation} {count}" for (service, operation), count in sorted(counts.items()))
        with capsys.disabled():
            covered = len(self.files) - len(self.left_out)
            print(f"\n{self.provider}: {covered} of {len(self.files)} recorded exchanges replayed ({told})")  # noqa: T201
            for line in [*lines, *(f"left out: {name} ({reason})" for name, reason in self.left_out.items())]:
                print(f"  {line}")  # noqa: T201


def drop_false_stream(body: dict[str, Any]) -> None:
    """Take out what goes without saying."""
    if body.get("stream") is False:
        del body["stream"]


def _drop_nulls(body: dict[str, Any]) -> None:
    for name in [name for name, value in body.items() if value is None and name in ChatOptions.__annotations__]:
        del body[name]


def _ask_for_usage(body: dict[str, Any]) -> None:
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True} | body.get("stream_options", {})


# Of every service of OpenAI's dialect.
OPENAI_DIFFERENCES: dict[str, Change] = {
    "a parameter that is null is not sent": _drop_nulls,
    "stream is sent when it is true only": drop_false_stream,
    "a stream is asked for its usage, unless the user says otherwise": _ask_for_usage,
}


def expect_request(recorded: Mapping[str, Any], differences: Mapping[str, Change]) -> tuple[dict[str, Any], list[str]]:
    """Return the body that we should send for a recorded one, and the names of the differences that it takes."""
    body: dict[str, Any] = json.loads(json.dumps(recorded))
    applied = []
    for name, change in differences.items():
        before = json.dumps(body, sort_keys=True)
        change(body)
        if json.dumps(body, sort_keys=True) != before:
            applied.append(name)
    return body, applied


def count_differences(applied: Iterable[Iterable[str]]) -> list[str]:
    """Tell, for the summary, how many requests were compared and how many differ on purpose, by reason."""
    lists = [list(names) for names in applied]
    counts = Counter(name for names in lists for name in names)
    return [
        f"{len(lists)} recorded requests sent and compared",
        *(f"differs on purpose in {count}: {name}" for name, count in counts.items()),
    ]


# What g4f made of an answer, in the form that the readers have in common.


def show_usage(usage: Usage | None) -> dict[str, Any] | None:
    """Show how many tokens an answer took."""
    if usage is None:
        return None
    prompt, answer = usage.prompt_tokens_details, usage.completion_tokens_details
    return {
        "prompt": usage.prompt_tokens,
        "completion": usage.completion_tokens,
        "total": usage.total_tokens,
        "cached": prompt.cached_tokens if prompt else 0,
        "reasoning": answer.reasoning_tokens if answer else 0,
    }


def show_error(error: APIStatusError, *names: str) -> dict[str, Any]:
    """Show the class, status, message and type of an error, and more of its attributes by name."""
    shown = {"kind": type(error).__name__, "status": error.status_code, "message": error.message, "type": error.type}
    return shown | {name: getattr(error, name) for name in names}
