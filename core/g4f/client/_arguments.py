"""What callers may pass, and the frozen requests made of it. Pure: pictures are read by `media.py` before."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, TypedDict, cast

from g4f.chat import ChatOptions, ChatRequest, ParseOptions
from g4f.context import Limits, Middleware, Timeout
from g4f.credentials import hide, reveal
from g4f.errors import InvalidInputError
from g4f.registry import ProviderRef, Registry
from g4f.values import Value

if TYPE_CHECKING:
    from ssl import SSLContext

    from g4f.media import ImageInput

ProviderInput = str | ProviderRef | type | object
ProvidersInput = ProviderInput | Sequence[ProviderInput]
ByProvider = str | Mapping[str, str]
SettingsInput = Mapping[str, Any]  # texts by setting, or such mappings by provider name
Tools = Sequence[Mapping[str, Any] | type]
Messages = str | Iterable[Mapping[str, Any] | Value]


class ClientArguments(TypedDict, total=False):
    """The arguments of a client.

    Attributes:
        provider: Who serves: a name in any letter case, "Provider/model", what `g4f.Provider` gives, a class or object
            of your own, or a list of these, tried in that order.
        image_provider: Who makes images, where that is another one.
        api_key: The key of the one named provider, or keys by provider name. Beside keys by name those of the
            environment are not used, so that `{}` means none at all.
        base_url: The address of the one named provider, or addresses by provider name; alone it means Custom.
        proxies: A proxy's URL, or URLs by scheme (`all`, `https`, `http`). Default: HTTPS_PROXY and NO_PROXY.
        timeout: Seconds for each deadline, or a `g4f.Timeout`.
        max_retries: How often a failed try is repeated; None is 2.
        middleware: What goes around each try, outermost first. Retries are innermost unless a `Retry` is among them.
        registry: The installed providers; default is the one that all clients of the process share.
        media_folder: Where generated images are saved. Default: G4F_MEDIA_DIR, else ./generated_images.
        allow_private_urls: Whether images may be downloaded from private addresses.
        api_version: The version of its API that the one named provider speaks, or versions by provider name.
        settings: Other settings of the one named provider, as `{"organization": "org-1"}`, or such by provider name.
        limits: How large answers, and pictures that are given, may be, as a `g4f.Limits`.
        default_headers: Headers for each request to the one named provider, or such by provider name.
        default_query: Parameters for the query of each request to the one named provider, or such by provider name.
        ssl_context: What certificates are trusted, and which of your own is shown. Default: those of the system.
    """

    provider: ProvidersInput | None
    image_provider: ProvidersInput | None
    api_key: ByProvider | None
    base_url: ByProvider | None
    proxies: str | Mapping[str, str] | None
    timeout: float | Timeout | None
    max_retries: int | None
    middleware: Sequence[Middleware] | None
    registry: Registry | None
    media_folder: str | None
    allow_private_urls: bool
    api_version: ByProvider | None
    settings: SettingsInput | None
    limits: Limits | None
    default_headers: SettingsInput | None
    default_query: SettingsInput | None
    ssl_context: "SSLContext | None"


# Arguments of OpenAI's clients, and what is said here in their place.
_OPENAIS = {
    "organization": "settings={'organization': …}",
    "project": "settings={'project': …}",
    "http_client": "proxies=…, ssl_context=… and timeout=…",
    "azure_endpoint": "base_url=…, with provider='AzureOpenAI'",
    "webhook_secret": None,
    "websocket_base_url": None,
}
# Arguments of calls of OpenAI's and others, and what is said here in their place.
_OTHERS = {
    "functions": "tools=…",
    "function_call": "tool_choice=…",
    "extra_query": "default_query=… to a client, as client.with_options(default_query=…)",
    "api_base": "base_url=…",
    "max_retries": "it to a client, as client.with_options(max_retries=…)",
    "web_search": "web_search_options={} where the service shall search",
    "num_retries": "max_retries=… to a client, as client.with_options(max_retries=…)",
}


def refuse_client_arguments(unknown: Mapping[str, object]) -> None:
    """Raise TypeError for the first of the arguments that no client has."""
    for name in unknown:
        instead = _OPENAIS.get(name)
        if instead:
            raise TypeError(f"a client has no argument {name!r}; give {instead}")
        if name in _CHAT_NAMES:
            raise TypeError(f"a client has no argument {name!r}; give it to each call, as create(…, {name}=…)")
        raise TypeError(f"a client has no argument {name!r}.{_guess(name, ClientArguments.__annotations__)}")


class CallArguments(TypedDict, total=False):
    """What each call may set for itself alone."""

    api_key: ByProvider | None
    base_url: ByProvider | None
    api_version: ByProvider | None
    settings: SettingsInput | None
    proxy: str | None
    timeout: float | Timeout | None
    limits: Limits | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    provider_options: Mapping[str, Any] | None


class ParseArguments(ParseOptions, CallArguments, total=False):
    """The arguments of a chat beside its messages, model and provider, and what its answer is.

    Attributes:
        image: A picture for the last user message: a path, bytes, a binary file, a PIL image, a URL or a data URL.
        images: Several of them.
        image_name: What `image` is called in errors about it.
    """

    image: "ImageInput | None"
    images: "Sequence[ImageInput] | None"
    image_name: str | None


class ChatArguments(ParseArguments, ChatOptions, total=False):
    """The arguments of a chat beside its messages, model and provider."""


_EXTRAS = ("extra_body", "extra_headers", "provider_options")
_HEADER_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, 5.6.2
_HEADER_VALUE = r"[^\0\r\n]*"
_ROLES = ("user", "assistant", "system", "tool", "developer", "function")  # in the order in which they are frequent
_SPEAKING = ("developer", "system", "tool", "user")  # roles whose messages make no sense without content
_USE_PARSE = "call chat.completions.parse(…), or .stream(…), with the same arguments"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:"  # RFC 3986, 3.1; of one letter it is a drive
_CALL_NAMES = frozenset(CallArguments.__annotations__)
_CHAT_NAMES = frozenset(ChatArguments.__annotations__)
_CHAT_OPTIONS = frozenset(ChatOptions.__annotations__)
HIDDEN = {"api_key", "base_url", "default_headers", "default_query", "extra_headers", "proxies", "proxy", "settings"}
_SHOWN = _CHAT_NAMES - HIDDEN
SHOWN_BY_CLIENTS = frozenset(ClientArguments.__annotations__) - HIDDEN


def hide_arguments(arguments: Mapping[str, Any], shown: Set[str] = _SHOWN) -> Any:
    """Hold what may be a key among arguments, and whatever came under a name that there is not; see `hide`.

    Called as soon as they come: whatever is wrong beside a key, a report of the error shows the frames' variables.
    """
    if shown >= arguments.keys():
        return arguments
    return {name: value if name in shown else hide(value) for name, value in arguments.items()}


def check_chat_arguments(messages: object, model: object, arguments: Mapping[str, Any]) -> None:
    """Raise TypeError for what can never be a chat."""
    check_model(model)
    plain = isinstance(messages, (str, list))  # the usual case, without the questions below
    if not plain and (isinstance(messages, (bytes, Mapping, Value)) or not isinstance(messages, Iterable)):
        how = ": put it into a list" if isinstance(messages, (Mapping, Value)) else ""
        raise TypeError(f"messages must be a text or a list of messages, not {type(messages).__name__}{how}")
    if arguments:
        check_names(arguments, _CHAT_NAMES)
        _check_images(arguments.get("images"))
        _check_types(arguments)


def _check_types(arguments: Mapping[str, Any]) -> None:
    """Refuse types where only `parse` and `stream` take them; those have turned them into mappings by now."""
    form, tools = arguments.get("response_format"), arguments.get("tools")
    if isinstance(form, type):
        raise TypeError(f"response_format must be a mapping here; for {form.__name__} {_USE_PARSE}")
    for tool in tools or () if isinstance(tools, (list, tuple)) else ():
        if isinstance(tool, type):
            raise TypeError(f"tools must be mappings here; for {tool.__name__} {_USE_PARSE}")


def _check_images(images: object) -> None:
    if images is None:
        return
    single = isinstance(images, (str, bytes, bytearray, memoryview, Mapping)) or hasattr(images, "read")
    if single or not isinstance(images, Iterable):
        raise TypeError(f"images must be a list of pictures, not {type(images).__name__}; one picture goes into image=")


def check_model(model: object) -> None:
    """Raise TypeError for what can be no model's name."""
    if model is not None and not isinstance(model, str):
        raise TypeError(f"model must be a text, not {type(model).__name__}")


def check_names(arguments: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raise TypeError for the first of the arguments that there is not."""
    for name in arguments:
        if name not in known:
            if name in _OTHERS:
                raise TypeError(f"there is no argument {name!r}; give {_OTHERS[name]}")
            raise TypeError(
                f"there is no argument {name!r}.{_guess(name, known)} "
                f"What only the service knows goes into extra_body={{{name!r}: …}}"
            )


def _guess(name: str, known: Iterable[str]) -> str:
    """Return what may be meant, as a sentence to follow another, or nothing where none of the known is near."""
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), known, 1, cutoff=0.8)
    return f" Did you mean {close[0]!r}?" if close else ""


def make_chat_request(
    messages: Messages,
    model: str | None,
    stream: bool,
    arguments: Mapping[str, Any],
    images: Sequence[str],
) -> ChatRequest:
    """Make a chat's request; nothing of the caller's is changed or shared at the top.

    Args:
        messages: A text, or OpenAI's message objects.
        model: The user's name of the model.
        stream: Whether the answer is wanted as it is made.
        arguments: As `ChatArguments`.
        images: The pictures as URLs, for the last user message.
    """
    copied = copy_messages(messages)
    check_count(arguments)
    return ChatRequest(
        messages=attach_images(copied, images) if images else copied,
        model=model or None,
        stream=stream,
        options=cast(ChatOptions, pick_options(arguments, _CHAT_OPTIONS)),
        **copy_extras(arguments),
    )


def check_count(arguments: Mapping[str, Any]) -> None:
    """Refuse what can be no number of answers.

    Raises:
        InvalidInputError: It is none.
    """
    count = arguments.get("n")
    if count is not None and (type(count) is not int or count < 1):
        raise InvalidInputError(f"n must be a whole number from 1 on, not {count!r}.")


def pick_options(arguments: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the arguments of those names that were given.

    Raises:
        InvalidInputError: A number can be none in JSON.
    """
    found = {name: value for name, value in arguments.items() if name in names and value is not None}
    for name, value in found.items():
        if type(value) is float and value - value != 0:  # infinite, or no number: JSON has no word for it
            raise InvalidInputError(f"{name} must be a number that can be sent, not {value}.")
    return found


def copy_extras(arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what goes along as it is, so far as it was given.

    Raises:
        InvalidInputError: It is no mapping, or there is a header that none can be.
    """
    found = {name: arguments[name] for name in _EXTRAS if arguments.get(name) is not None}
    for name, given in found.items():
        if not isinstance(given, Mapping):
            kind = type(reveal(given)).__name__
            raise InvalidInputError(f"{name} must be a mapping, as {{name: value}}, not {kind}.")
    if "extra_headers" in found:
        check_headers(found["extra_headers"], "extra_headers")
    return {name: {key: reveal(value) for key, value in given.items()} for name, given in found.items()}


def check_headers(headers: Mapping[Any, Any], argument: str) -> None:
    """Refuse what cannot be sent as headers; they are as `hide` holds them.

    Raises:
        InvalidInputError: A name or a value is none.
    """
    for name, value in headers.items():
        if not (isinstance(name, str) and re.fullmatch(_HEADER_NAME, name)):
            raise InvalidInputError(f"{argument} has {name!r}, which can be no header's name.")
        if not _can_be_sent(reveal(value)):
            raise InvalidInputError(f"{argument}[{name!r}] must be a text of one line.")


def _can_be_sent(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_HEADER_VALUE, value) is not None


def copy_messages(messages: Messages) -> tuple[dict[str, Any], ...]:
    """Return messages as new dicts; a text is one user message.

    Raises:
        TypeError: One of them is no message.
        InvalidInputError: One has no role or a misspelled one, or there is none.
    """
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    copied = tuple(
        [message.copy() if type(message) is dict else _copy_message(message, at) for at, message in enumerate(messages)]
    )
    if not copied:
        raise InvalidInputError(
            "messages is empty: there is nothing to answer. Pass messages=…, a text or a list of messages."
        )
    for at, message in enumerate(copied):
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES:
            _check_role(role, at)
        if not isinstance(content, str):
            _check_content(content, role, at)
    return copied


def _check_role(role: Any, at: int) -> None:
    if not isinstance(role, str):
        raise InvalidInputError(f"messages[{at}] has no role; it needs one, as 'user', beside its content.")
    if meant := _guess(role, _ROLES):  # a service may know others, that are no slips
        raise InvalidInputError(f"messages[{at}] has the role {role!r}.{meant}")


def _check_content(content: Any, role: Any, at: int) -> None:
    """Refuse what can be no content; an assistant's message may have none, and so may those of unknown roles."""
    if content is None and role not in _SPEAKING:
        return
    if not isinstance(content, (list, tuple)):
        raise InvalidInputError(
            f"The content of messages[{at}] must be a text or a list of parts, not {type(content).__name__}."
        )
    for part in content:
        if not isinstance(part, (Mapping, Value)):
            raise InvalidInputError(
                f"Each part of the content of messages[{at}] must be as {{'type': 'text', 'text': …}}, "
                f"not {type(part).__name__}."
            )
        if isinstance(part, Mapping) and part.get("type") == "image_url":
            _check_image_url(part.get("image_url"), at)


def _check_image_url(image_url: Any, at: int) -> None:
    """Refuse what is no URL; some services take a bare one in place of the object."""
    url = image_url.get("url") if isinstance(image_url, Mapping) else image_url
    if isinstance(url, str) and not re.match(_SCHEME, url):
        raise InvalidInputError(
            f"The image_url of messages[{at}] must be a URL, as https://… or data:image/png;base64,…, not "
            f"{url[:40]!r}; a file goes into image=… beside messages."
        )


def _copy_message(message: Any, at: int) -> dict[str, Any]:
    if isinstance(message, Mapping):
        return dict(message)
    dump = getattr(message, "model_dump", None)  # our own values, and those of OpenAI's SDK
    if dump is None:
        raise TypeError(f"messages[{at}] must be a dict with role and content, not {type(message).__name__}")
    if not hasattr(message, "role"):
        kind = type(message).__name__
        raise InvalidInputError(f"messages[{at}] is a {kind}, no message; pass answer.choices[0].message of an answer.")
    return {"role": message.role, **{key: value for key, value in dump().items() if value is not None}}


def attach_images(messages: Sequence[dict[str, Any]], urls: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Add pictures to the last user message, or to a new one where there is none."""
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].get("role") == "user":
            content = messages[at].get("content")
            text = [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())
            return (
                *messages[:at],
                {**messages[at], "content": [*text, *parts]},
                *messages[at + 1 :],
            )
    return (*messages, {"role": "user", "content": parts})
