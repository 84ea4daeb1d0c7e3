"""The installed providers as names: `from g4f.Provider import OpenaiChat`, or `g4f.Provider.OpenaiChat`.

What you get is a light reference; the provider is imported when it is first used.
"""

from __future__ import annotations

import sys

from g4f.errors import G4FError
from g4f.registry import ProviderRef, share_registry

__path__: list[str] = []  # makes Python ask the finder below for a name that this module lacks


def __getattr__(name: str) -> ProviderRef:
    """Return the provider of that name.

    Raises:
        AttributeError: None is installed, or several are; the text says what is, and what to do.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return share_registry().find(name)
    except G4FError as error:
        raise AttributeError(str(error), name=name, obj=sys.modules[__name__]) from None


def __dir__() -> list[str]:
    return share_registry().list_names()


class _Finder:
    """Says of `from g4f.Provider import Nobody` what is missing.

    Python drops the words of an AttributeError there and looks for a submodule; who looks for that may raise, and no
    class can be both an AttributeError and the ImportError that the statement needs.
    """

    @staticmethod
    def find_spec(fullname: str, *_rest: object) -> None:
        package, _, name = fullname.rpartition(".")
        if package == __name__ and not name.startswith("_"):
            share_registry().find(name)


sys.meta_path.append(_Finder)
