"""What reports of errors with variables rest on: that each object of ours can be shown, however far it is made."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

import g4f


def list_classes() -> Iterator[type]:
    """Yield each class of the core that says itself how it is shown, or inherits that from one of ours."""
    names = ["g4f", *(found.name for found in pkgutil.walk_packages(g4f.__path__, "g4f."))]
    found = {item for name in names for item in vars(importlib.import_module(name)).values() if isinstance(item, type)}
    for kind in sorted(found, key=lambda kind: (kind.__module__, kind.__qualname__)):
        # Those of attrs set all their fields before they look at any; a tuple is never half made.
        if kind.__module__.startswith("g4f") and not attrs.has(kind) and not issubclass(kind, tuple | type):
            yield kind


@pytest.mark.parametrize("kind", list(list_classes()), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_what_is_half_made_can_be_shown(kind: Any) -> None:
    """Its constructor has only begun: a traceback with variables has it as `self`."""
    made = kind.__new__(kind)
    assert repr(made)
    assert isinstance(str(made), str)


REFUSED: dict[type, dict[str, Any]] = {
    g4f.Client: {"timeout": "5"},
    g4f.AsyncClient: {"temprature": 1},
    g4f.Completion: {"idd": "1"},
    g4f.Timeout: {"total": -1},
    g4f.Limits: {"json_bytes": -1},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_can_be_reported_with_its_variables(kind: type) -> None:
    """As error reporters do it, which show what `repr` says of each."""
    with pytest.raises((g4f.G4FError, TypeError)) as caught:
        kind(**REFUSED[kind])
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "self = " in "".join(report.format())
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert all(repr(value) for frame in frames for value in frame.f_locals.values())
