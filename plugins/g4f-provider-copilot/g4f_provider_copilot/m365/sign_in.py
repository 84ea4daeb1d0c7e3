"""A sign-in to Microsoft Entra, kept in a file that only its user can read and renewed when its token runs out.

All of it blocks: an event loop calls it in a thread. The first sign-in, with a code, is asked for by `command.py`.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs

from g4f.errors import APIConnectionError, InvalidInputError, MissingCredentialsError

# All of them are needed, says https://learn.microsoft.com/en-us/microsoft-365-copilot/extensibility/api/ai-services/chat/.
PERMISSIONS = (
    "Sites.Read.All",
    "Mail.Read",
    "People.Read.All",
    "OnlineMeetingTranscript.Read.All",
    "Chat.Read",
    "ChannelMessage.Read.All",
    "ExternalItem.Read.All",
)
SCOPES = [f"https://graph.microsoft.com/{name}" for name in PERMISSIONS]
HOST = "https://login.microsoftonline.com"
ANY_ORGANIZATION = "organizations"  # whichever the user belongs to: the service takes no personal accounts
_MARGIN_SECONDS = 300  # a token that runs out while an answer comes is no good
_NETWORK_SECONDS = 30
Show = Callable[[str, str], None]


@attrs.frozen
class Application:
    """The registered application that the user signs in to, and where.

    Attributes:
        client_id: Its id in Microsoft Entra.
        tenant_id: The organization.
        authority_host: The address of the sign-in.
    """

    client_id: str
    tenant_id: str = ANY_ORGANIZATION
    authority_host: str = HOST


@attrs.frozen
class SignIn:
    """What is kept of a sign-in.

    Attributes:
        application: Whom the user signed in to.
        user: The name of the account.
        token: What requests carry.
        expires_at: When it runs out, in seconds since 1970.
        cache: What MSAL needs to renew it.
    """

    application: Application
    user: str
    token: str = attrs.field(repr=False)
    expires_at: float
    cache: str = attrs.field(repr=False)


def find_token_file(settings: Mapping[str, str]) -> Path:
    """Return where the sign-in is kept: where the settings say, else in the user's data folder."""
    from platformdirs import user_data_path

    given = settings.get("token_file")
    return Path(given).expanduser() if given else user_data_path("g4f", appauthor=False) / "copilot.json"


def load_sign_in(path: Path) -> SignIn | None:
    """Read what is kept, or None.

    Raises:
        MissingCredentialsError: The file is not what it should be, or others can read it.
    """
    if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
        raise MissingCredentialsError(
            f"Others can read the sign-in in {path}, so it is not used: "
            f"run chmod 600 {path}, and sign in anew if somebody may have seen it."
        )
    try:
        kept = json.loads(path.read_text("utf-8"))
        return SignIn(**{**kept, "application": Application(**kept["application"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no sign-in of g4f"
        raise MissingCredentialsError(f"{path} cannot be used: {reason}. Sign in with g4f auth copilot.") from None


def save_sign_in(path: Path, sign_in: SignIn) -> None:
    """Keep a sign-in: the file is there as a whole or not at all, and never readable to others."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(attrs.asdict(sign_in), file)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def forget_sign_in(path: Path) -> None:
    """Remove what is kept, if anything is."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        _lock_path(path).unlink()


def get_token(path: Path) -> str:
    """Return a token that is still good, renewed if it must be.

    Raises:
        MissingCredentialsError: Nobody has signed in, or the sign-in has ended.
        APIConnectionError: The sign-in's address cannot be reached.
    """
    from filelock import FileLock

    sign_in = _expect(load_sign_in(path))
    if _is_good(sign_in):
        return sign_in.token
    with FileLock(_lock_path(path)):
        sign_in = _expect(load_sign_in(path))  # another may have renewed it meanwhile
        if not _is_good(sign_in):
            sign_in = _renew(sign_in)
            save_sign_in(path, sign_in)
    return sign_in.token


def _expect(sign_in: SignIn | None) -> SignIn:
    if sign_in is None:
        raise MissingCredentialsError(
            "Copilot needs a Microsoft 365 account: sign in with g4f auth copilot, or set M365_COPILOT_TOKEN to a "
            "token of Microsoft Graph, or pass api_key=…."
        )
    return sign_in


def _is_good(sign_in: SignIn) -> bool:
    return sign_in.expires_at - _MARGIN_SECONDS > time.time()


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _renew(sign_in: SignIn) -> SignIn:
    with _making_errors_ours(sign_in.application):
        app = _make_app(sign_in.application, sign_in.cache)
        accounts = app.get_accounts()
        result = app.acquire_token_silent_with_error(SCOPES, account=accounts[0]) if accounts else None
    return _read_result(result or {}, app, sign_in.application, user=sign_in.user)


def sign_in_with_code(application: Application, show: Show) -> SignIn:
    """Sign in by a code that the user types on another page, and wait until that is done.

    Args:
        application: Whom to sign in to.
        show: Tells the user the page's address and the code.

    Raises:
        MissingCredentialsError: The user declined, or waited too long.
        InvalidInputError: The application or the organization is refused.
        APIConnectionError: The sign-in's address cannot be reached.
    """
    with _making_errors_ours(application):
        app = _make_app(application, None)
        flow = app.initiate_device_flow(SCOPES)
        if "user_code" not in flow:
            raise InvalidInputError(f"Microsoft refuses to begin a sign-in: {_describe(flow)}")
        show(flow["verification_uri"], flow["user_code"])
        result = app.acquire_token_by_device_flow(flow)
    return _read_result(result, app, application)


def _make_app(application: Application, cache: str | None) -> Any:
    """Make MSAL's client. A host of the user's own is taken as it is: Microsoft's list of hosts does not have it."""
    import msal

    tokens = msal.SerializableTokenCache()
    if cache:
        tokens.deserialize(cache)
    return msal.PublicClientApplication(
        application.client_id,
        authority=f"{application.authority_host.rstrip('/')}/{application.tenant_id}",
        token_cache=tokens,
        timeout=_NETWORK_SECONDS,
        instance_discovery=None if application.authority_host == HOST else False,
    )


def _read_result(result: Mapping[str, Any], app: Any, application: Application, user: str = "") -> SignIn:
    if "access_token" not in result:
        raise MissingCredentialsError(
            f"There is no sign-in to Microsoft 365: {_describe(result)} Sign in with g4f auth copilot."
        )
    name = result.get("id_token_claims", {}).get("preferred_username") or user
    expires_at = time.time() + float(result.get("expires_in", 0))
    return SignIn(application, name, result["access_token"], expires_at, app.token_cache.serialize())


def _describe(result: Mapping[str, Any]) -> str:
    """Return the first sentence of what went wrong: ids of traces follow it."""
    text = str(result.get("error_description") or result.get("error") or "it has ended").strip()
    first = text.splitlines()[0].partition(" Trace ID:")[0].rstrip(". ")
    return f"{first}."


@contextmanager
def _making_errors_ours(application: Application) -> Iterator[None]:
    from requests import RequestException

    host = application.authority_host
    try:
        yield
    except InvalidInputError:
        raise
    except RequestException as error:
        reason = type(error).__name__
    except ValueError as error:  # what MSAL says of an organization that does not exist
        raise InvalidInputError(f"{host} knows no such sign-in: {' '.join(str(error).split())}") from None
    else:
        return
    raise APIConnectionError(f"{host} cannot be reached to sign in: {reason}.")
