"""g4f: one client for many AI services, each a plugin that is chosen by name at run time.

Everything public is importable from here and imported when it is first touched.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from g4f import Provider as Provider
    from g4f import models as models
    from g4f.chat import ChatRequest as ChatRequest
    from g4f.chat import Chunk as Chunk
    from g4f.chat import Completion as Completion
    from g4f.client import AsyncClient as AsyncClient
    from g4f.client import ChatCompletion as ChatCompletion
    from g4f.client import Client as Client
    from g4f.client._final import CompletionStream as CompletionStream
    from g4f.client._parse import ParsedCompletion as ParsedCompletion
    from g4f.context import Call as Call
    from g4f.context import Context as Context
    from g4f.context import Limits as Limits
    from g4f.context import Timeout as Timeout
    from g4f.embeddings import EmbeddingRequest as EmbeddingRequest
    from g4f.embeddings import Embeddings as Embeddings
    from g4f.errors import AmbiguousModelError as AmbiguousModelError
    from g4f.errors import APIConnectionError as APIConnectionError
    from g4f.errors import APIError as APIError
    from g4f.errors import APIResponseError as APIResponseError
    from g4f.errors import APIStatusError as APIStatusError
    from g4f.errors import APITimeoutError as APITimeoutError
    from g4f.errors import AuthenticationError as AuthenticationError
    from g4f.errors import BadRequestError as BadRequestError
    from g4f.errors import ConflictError as ConflictError
    from g4f.errors import ContentFilterFinishReasonError as ContentFilterFinishReasonError
    from g4f.errors import G4FError as G4FError
    from g4f.errors import InternalServerError as InternalServerError
    from g4f.errors import InvalidInputError as InvalidInputError
    from g4f.errors import LengthFinishReasonError as LengthFinishReasonError
    from g4f.errors import MissingCredentialsError as MissingCredentialsError
    from g4f.errors import ModelNotFoundError as ModelNotFoundError
    from g4f.errors import NotFoundError as NotFoundError
    from g4f.errors import ParseError as ParseError
    from g4f.errors import PaymentRequiredError as PaymentRequiredError
    from g4f.errors import PermissionDeniedError as PermissionDeniedError
    from g4f.errors import ProviderBlockedError as ProviderBlockedError
    from g4f.errors import ProviderBrokenError as ProviderBrokenError
    from g4f.errors import ProviderConflictError as ProviderConflictError
    from g4f.errors import ProviderNotFoundError as ProviderNotFoundError
    from g4f.errors import RateLimitError as RateLimitError
    from g4f.errors import StreamTruncatedError as StreamTruncatedError
    from g4f.errors import UnprocessableEntityError as UnprocessableEntityError
    from g4f.errors import UnsupportedError as UnsupportedError
    from g4f.hookspecs import hookimpl as hookimpl
    from g4f.http_provider import HttpProvider as HttpProvider
    from g4f.images import ImageRequest as ImageRequest
    from g4f.images import Images as Images
    from g4f.manifest import Auth as Auth
    from g4f.manifest import Manifest as Manifest
    from g4f.manifest import Model as Model
    from g4f.middleware import Retry as Retry
    from g4f.registry import Registry as Registry
    from g4f.stream import ChatStream as ChatStream

__version__ = "0.1.0"

_ERRORS = (
    "APIConnectionError APIError APIResponseError APIStatusError APITimeoutError AmbiguousModelError "
    "AuthenticationError BadRequestError ConflictError ContentFilterFinishReasonError G4FError InternalServerError "
    "InvalidInputError LengthFinishReasonError MissingCredentialsError ModelNotFoundError NotFoundError ParseError "
    "PaymentRequiredError PermissionDeniedError ProviderBlockedError ProviderBrokenError ProviderConflictError "
    "ProviderNotFoundError RateLimitError StreamTruncatedError UnprocessableEntityError UnsupportedError"
)
_HOMES = {
    **dict.fromkeys(_ERRORS.split(), "g4f.errors"),
    **dict.fromkeys(("AsyncClient", "ChatCompletion", "Client"), "g4f.client"),
    **dict.fromkeys(("ChatRequest", "Chunk", "Completion"), "g4f.chat"),
    **dict.fromkeys(("Call", "Context", "Limits", "Timeout"), "g4f.context"),
    **dict.fromkeys(("EmbeddingRequest", "Embeddings"), "g4f.embeddings"),
    **dict.fromkeys(("ImageRequest", "Images"), "g4f.images"),
    **dict.fromkeys(("Auth", "Manifest", "Model"), "g4f.manifest"),
    "ChatStream": "g4f.stream",
    "CompletionStream": "g4f.client._final",
    "HttpProvider": "g4f.http_provider",
    "ParsedCompletion": "g4f.client._parse",
    "Registry": "g4f.registry",
    "Retry": "g4f.middleware",
    "hookimpl": "g4f.hookspecs",
}
_MODULES = ("Provider", "models")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"g4f.{name}")
    if name == "__all__":  # made here, since `from g4f import *` alone reads it
        return sorted([*_HOMES, *_MODULES])
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'g4f' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_MODULES])
