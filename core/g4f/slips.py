"""The slips of who writes a provider, found before pluggy meets them, each with what to write instead.

What only shows when a hook is called, as a text in place of a Completion, is left to `plugin.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

from g4f.hookspecs import PROJECT, ProviderHooks

_MARK = f"{PROJECT}_impl"  # where @hookimpl writes
_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(hook).parameters)[1:]
    for name, hook in vars(ProviderHooks).items()
    if isinstance(hook, FunctionType)
}


def find_slip(name: str, provider: object) -> str | None:
    """Return the first thing that keeps a provider from the contract, as a sentence; None where there is none."""
    functions = list(_list_functions(provider))
    for attribute, found in functions:
        own = inspect.getattr_static(type(provider), attribute, None) is found and not isinstance(found, staticmethod)
        for slip in _find(name, attribute, found, is_method=own):
            return slip
    if any(_read_mark(found) for _, found in functions):
        return None
    return f"{name} implements no hook: write a method as chat, with @hookimpl above it (from g4f import hookimpl)."


def _list_functions(provider: object) -> Iterator[tuple[str, Any]]:
    """Yield an object's functions by name, without asking any of its properties."""
    for attribute in dir(provider):
        if not attribute.startswith("__"):
            found = inspect.getattr_static(provider, attribute, None)
            if inspect.isfunction(_unbind(found)) or _read_mark(found):
                yield attribute, found


def _unbind(found: Any) -> Any:
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _read_mark(found: object) -> Mapping[str, Any] | None:
    mark = inspect.getattr_static(_unbind(found), _MARK, None)
    return mark if isinstance(mark, dict) else None


def _find(name: str, attribute: str, found: Any, *, is_method: bool) -> Iterator[str]:
    mark = _read_mark(found)
    if mark is None:
        if attribute in HOOKS:
            yield (
                f"{name}.{attribute} has a hook's name and no mark: write @hookimpl above it "
                "(from g4f import hookimpl), or call it something else."
            )
        return
    hook = mark.get("specname") or attribute
    if hook not in HOOKS:
        if not mark.get("optionalhook"):
            yield (
                f"{name}.{attribute} is marked with @hookimpl, but there is no hook {hook}.{_guess(hook, HOOKS)}"
                f" The hooks are {_join(HOOKS)}."
            )
        return
    yield from _find_in_parameters(f"{name}.{attribute}", hook, found, is_method=is_method)
    yield from _find_in_kind(f"{name}.{attribute}", hook, _unbind(found))


def _find_in_parameters(where: str, hook: str, found: Any, *, is_method: bool) -> Iterator[str]:
    given = HOOKS[hook]
    try:
        parameters = inspect.signature(_unbind(found)).parameters.values()
    except (TypeError, ValueError):
        return  # it is none of Python's own functions
    needed = [item.name for item in parameters if item.kind not in _STARRED and item.default is item.empty]
    if is_method:
        if needed[:1] and needed[0] in given:
            yield f"{where} lacks self: write {hook}(self, {', '.join(needed)})."
            return
        needed = needed[1:]
    for parameter in needed:
        if parameter not in given:
            gets = f"it may name {_join(given)}" if given else "it gets none"
            yield f"{where} has a parameter {parameter!r}, which g4f does not give: {gets}.{_guess(parameter, given)}"


def _find_in_kind(where: str, hook: str, function: Callable[..., Any]) -> Iterator[str]:
    if hook == "stream":
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            yield f"{where} must be an async generator: declare it with async def, and yield each Chunk."
    elif inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        yield f"{where} yields, which stream alone does: return the whole answer, or call it stream."


def _guess(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    from difflib import get_close_matches  # 5 ms that only a slip costs

    close = get_close_matches(word.lower(), known, 1, cutoff=0.4)
    return f" Did you mean {close[0]}?" if close else ""


def _join(names: Mapping[str, Any] | tuple[str, ...]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
