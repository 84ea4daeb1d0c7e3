"""What an exception means to the user: a sentence with the remedy, and the exit code.

One that another provider made up for is a note beside the answer.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

import click

from g4f_cli.keys import read_store
from g4f_cli.terminal import OutputError, complain, note, show, warn
from g4f_cli.text import end_sentence, shorten

if TYPE_CHECKING:
    from g4f import G4FError
    from g4f.errors import Attempt

FAILED = 1
BAD_INPUT = 2
NO_ACCESS = 3

# The core's sentences speak to programmers; these are the same remedies on the command line.
_IN_OPTIONS = (
    (re.compile(r"install (g4f-[\w-]+) \(from a checkout: pip install \./plugins/\1\)"), r"run g4f install \1"),
    (re.compile(r"It is not clear whose base_url this is: .*"), "--base-url is for one provider: name one with -p."),
    (re.compile(r"pass provider=… or model=…"), "name one with -p PROVIDER or -m MODEL"),
    (re.compile(r"pass provider='([^']+)'"), r"use -p \1"),
    (re.compile(r"provider=…"), "-p PROVIDER"),
    (re.compile(r"^(\w+) needs a key: (set .+?, or )?pass api_key=…"), r"\1 needs a key: \2run g4f keys set \1"),
    (re.compile(r",? or pass api_key=…"), ""),
    (re.compile(r"pass base_url=…( or )?"), r"use --base-url URL\1"),
    (re.compile(r"pass it as model=…"), "use -m MODEL"),
    (
        re.compile(r"(No connection to (?:127\.0\.0\.1|localhost|\[::1\]):\d+: .*)"),
        r"\1 Start the server there, or name another one with --base-url URL.",
    ),
    (re.compile(r"\bbase_url (must|was)"), r"--base-url \1"),
    (re.compile(r"\bapi_key was left out"), "--key was left out"),
    (re.compile(r": it begins with b(['\"]).*\1\.$"), "."),
    (re.compile(r"\[json\.exception\.[\w.]+\] "), ""),
    (re.compile(r"`python -m g4f_doctor` lists them"), "g4f providers lists them"),
    (re.compile(r"provider_options=\{'(\w+)': \.\.\.\}"), r"--provider-option \1 …"),
)


class Failure(NamedTuple):
    """How the program ends: what it says, which may be nothing, and its exit code."""

    text: str
    code: int


def tell_failure(error: Exception, *, debug: bool) -> int:
    """Say what an exception means, with `debug` where it comes from too, and return the exit code."""
    failure = describe_failure(error)
    if debug:
        show(format_traceback(error))
    if failure.text:
        complain(failure.text)
    return failure.code


def describe_failure(error: Exception) -> Failure:
    """Find the words and the exit code for an exception."""
    if isinstance(error, click.ClickException):
        return Failure(error.format_message(), error.exit_code)
    if isinstance(error, OutputError):
        text = str(error)
        return Failure(f"The output cannot be written: {text}." if text else "", FAILED)
    if _is_ours(error):
        return Failure(_describe_ours(error), _choose_code(error))
    return Failure(_find_fault() or _describe_unknown(error), FAILED)


def _is_ours(error: Exception) -> TypeGuard[G4FError]:
    # Not imported here: to import it may be what failed.
    kind = getattr(sys.modules.get("g4f.errors"), "G4FError", None)
    return isinstance(kind, type) and isinstance(error, kind)


def _choose_code(error: G4FError) -> int:
    from g4f import errors

    no_access = (
        errors.AuthenticationError,
        errors.MissingCredentialsError,
        errors.PermissionDeniedError,
    )
    bad_input = (
        errors.AmbiguousModelError,
        errors.InvalidInputError,
        errors.ModelNotFoundError,
        errors.ProviderBlockedError,
        errors.ProviderNotFoundError,
        errors.UnsupportedError,
    )
    if isinstance(error, no_access):
        return NO_ACCESS
    return BAD_INPUT if isinstance(error, bad_input) else FAILED


def _describe_ours(error: G4FError) -> str:
    sentences = [
        end_sentence(str(error)) + _guess_model(error) + _find_remedy(error),
        *(f"Before that: {earlier}" for earlier in _list_earlier(error)),
    ]
    return " ".join(shorten(say_in_options(sentence)) for sentence in dict.fromkeys(sentences))


def _find_remedy(error: G4FError) -> str:
    """Return what can be done on the command line about what a service answered."""
    from g4f import errors

    if isinstance(error, errors.AuthenticationError):
        owner = "the server's URL" if error.provider == "Custom" else error.provider
        return f" Give another key by g4f keys set, of {owner}, or by --key KEY." if owner else ""
    if isinstance(error, errors.NotFoundError) and "model" in str(error).lower():
        where = "--base-url URL" if error.provider == "Custom" else f"--live -p {error.provider}"
        return f" g4f models {where} lists those that are there."
    if isinstance(error, (errors.RateLimitError, errors.InternalServerError)):
        return " Try again later, or let another answer with -p PROVIDER."
    return ""


def _guess_model(error: G4FError) -> str:
    """Look through what the installed providers list for a name near to the one that nobody serves."""
    missing = re.search(r"serves the (?:image )?model '([^']+)'", str(error))
    if missing is None or "Did you mean" in str(error):
        return ""
    from g4f.known import guess_model
    from g4f.registry import share_registry

    listed = (model for _, manifest in share_registry().list_usable() for model in manifest.models)
    return guess_model(missing[1], (name for model in listed for name in (model.id, *model.aliases) if name))


def _list_earlier(error: G4FError) -> Iterator[str]:
    """List the errors of the providers that were tried before the last one, the latest first."""
    last = error.attempts[-1].provider if error.attempts else None
    for attempt in reversed(error.attempts):
        if attempt.error is not None and attempt.provider != last:
            yield str(attempt.error)


def tell_warnings(warnings: Iterable[str], attempts: Iterable[Attempt]) -> None:
    """Say what the user should know of an answer, but for what `tell_fallback` says of those who failed."""
    errors = [str(item.error) for item in attempts if item.error is not None]
    for warning in warnings:
        if not any(error in warning for error in errors):
            warn(say_in_options(warning))


def tell_fallback(attempts: Iterable[Attempt], answered: str | None) -> None:
    """Say which providers failed before another one answered; nothing where none did."""
    failed = {item.provider: item.error for item in attempts if item.error is not None and item.provider != answered}
    told = [f"{name} failed ({_describe_attempt(name, error)})" for name, error in failed.items()]
    if told:
        note("; ".join([*told, f"{answered} answered."]))


def _describe_attempt(name: str, error: G4FError) -> str:
    text = shorten(say_in_options(str(error)), 300).removesuffix(".")
    return text.removeprefix(f"{name}: ").removeprefix(f"{name} ")


def say_in_options(text: str) -> str:
    """Return one of the core's sentences with the remedies of the command line."""
    for pattern, words in _IN_OPTIONS:
        text = pattern.sub(words, text)
    return text


def _find_fault() -> str | None:
    """Ask the doctor whether the package g4f is ours and whole: if not, that explains any other exception."""
    try:
        from g4f_doctor.package import check_core
    except ImportError:
        return "g4f-core is not installed: install it (from a checkout: pip install .)."
    with suppress(Exception):  # then the exception that is to be explained is told as it is
        return next((finding.text for finding in check_core()), None)
    return None


def _describe_unknown(error: Exception) -> str:
    what = end_sentence(shorten(f"{type(error).__name__}: {error}"))
    return f"g4f itself failed. {what} Run it with --debug to see where, and g4f doctor."


def format_traceback(error: Exception) -> str:
    """Return an exception's traceback without keys, and without what is left of them in a text that was cut."""
    lines = traceback.format_exception(error)
    with suppress(ImportError):  # then nothing has asked a service, and the traceback is about that
        from g4f.redaction import redact

        keys = _list_keys()
        lines = [redact({"line": line}, keys)["line"] for line in lines]
    return "".join(lines)


def _list_keys() -> set[str]:
    """Return the keys of the environment and those that are stored."""
    found: set[str] = set()
    with suppress(Exception):  # as below
        store = read_store()
        found |= {store.reveal(name) or "" for name in store.list_names()}
    with suppress(Exception):  # what cannot be read now is what the traceback is about
        from g4f.registry import share_registry

        for _, manifest in share_registry().list_usable():
            found |= {os.environ.get(name, "").strip() for name in manifest.auth.variables}
    return found
