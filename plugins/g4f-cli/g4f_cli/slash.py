"""The commands of a chat, which begin with a slash."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from g4f_cli.attachments import read_attachments
from g4f_cli.choosing import check_prefix, find_provider, make_registry
from g4f_cli.files import write_private
from g4f_cli.group import HelpFormatter
from g4f_cli.terminal import InputError, note, show

if TYPE_CHECKING:
    from g4f_cli.chatting import Chat
    from g4f_cli.history import Conversation


class Command(NamedTuple):
    """A command.

    Attributes:
        usage: What follows its name.
        help: What it does.
        run: Does it, given what follows its name.
        complete: Lists what may follow its name; None stands for paths.
    """

    usage: str
    help: str
    run: Callable[[Chat, str], Awaitable[None] | None]
    complete: Callable[[], Iterable[str]] | None = tuple


def is_command(prompt: str) -> bool:
    """Tell whether a line is a command, ours or another program's, and no prompt."""
    return prompt.startswith("/") or prompt.lower() in OTHER_NAMES or prompt.partition(" ")[0].lower() in _ELSEWHERE


async def obey(chat: Chat, line: str) -> None:
    """Run the command of a line.

    Raises:
        InputError: There is none of that name, or it cannot do what it is told to.
    """
    name, _, rest = line.partition(" ")
    command = COMMANDS.get(OTHER_NAMES.get(name.lower(), name.lower()))
    if name.lower() in _ELSEWHERE:
        raise InputError(f"There is no command {name} here: {_ELSEWHERE[name.lower()]}")
    if command is None:
        close = get_close_matches(name.lower(), COMMANDS, 1)
        raise InputError(f"There is no command {name}; {f'did you mean {close[0]}?' if close else '/help lists them.'}")
    pending = command.run(chat, rest.strip())
    if pending is not None:
        await pending


async def set_model(chat: Chat, name: str) -> None:
    """Show or change the model; who serves it may be another, with a key of its own."""
    if name:
        choice = chat.choice._replace(model=name)
        check_prefix(choice, make_registry())
        chat.choice = choice
        await chat.leave_client()
    tell_choice(chat)


async def set_provider(chat: Chat, name: str) -> None:
    """Show or change who answers, and with NAME/MODEL the model; what was loaded for another is freed."""
    if name:
        provider, _, model = name.partition("/")
        proper = find_provider(make_registry(), provider).proper_name
        chat.choice = chat.choice._replace(model=model or None, providers=(proper,), base_url=None, key=None)
        await chat.leave_client()
    tell_choice(chat)


def tell_choice(chat: Chat) -> None:
    """Say who answers, as far as it is known before."""
    choice = chat.choice
    who = ", or else ".join(choice.providers) or choice.base_url
    if who:
        model = choice.model or "the provider's own"
        note(f"The provider is {who}. The model is {model}.")
    elif choice.model:
        note(f"The model is {choice.model}; who serves it answers.")
    else:
        note("No provider is chosen: one that can be used here answers. /provider NAME chooses another.")


def set_system(chat: Chat, text: str) -> None:
    """Show or change the instructions; two quotes remove them."""
    if text:
        chat.conversation.set_system("" if text in _NOTHING else text)
    told = [text for role, text in chat.conversation.list_texts() if role == "system"]
    note(f"The instructions are: {told[0]}" if told else "There are no instructions.")


def attach(chat: Chat, name: str) -> None:
    """Let a picture, a PDF or sound go with the next prompt."""
    if not name:
        raise InputError("Say which one: /image PATH, or a URL.")
    chat.attachments += read_attachments([_read_path(name)])
    note("It goes with the next prompt.")


def save(chat: Chat, name: str) -> None:
    """Save the conversation."""
    if not name:
        raise InputError("Say where to: /save PATH.")
    path = Path(_read_path(name)).expanduser()
    if path.exists():
        raise InputError(f"{path} exists: choose another name.")
    write_private(path, _write_conversation(chat.conversation, path))
    note(f"It is saved as {path}.")


def retry(chat: Chat, _: str) -> Awaitable[None]:
    """Ask the last prompt again, in place of what was answered."""
    message = chat.last
    if message is None:
        raise InputError("There is nothing to ask again.")
    at = next((at for at, said in enumerate(chat.conversation.messages) if said is message), None)
    if at is not None:
        chat.conversation.cut(at)
    return chat.ask(message)


def clear(chat: Chat, _: str) -> None:
    """Begin a new conversation; the instructions stay."""
    from g4f_cli.history import Conversation

    system = [message for message in chat.conversation.messages if message["role"] == "system"]
    chat.conversation, chat.last = Conversation(system), None
    note("This is a new conversation.")


def show_help(_: Chat, __: str) -> None:
    """List the commands."""
    formatter = HelpFormatter()
    formatter.write_dl([(f"{name} {command.usage}".strip(), command.help) for name, command in COMMANDS.items()])
    formatter.write_text(
        'Alt-Enter begins another line, and so does Enter between """ and """. Ctrl-C stops an answer.'
    )
    show(formatter.getvalue())


def end(chat: Chat, _: str) -> None:
    """End the chat."""
    chat.ended = True


def _list_models() -> list[str]:
    registry = make_registry()
    return sorted(model.id for _, manifest in registry.list_usable() for model in manifest.models if model.id)


def _list_providers() -> list[str]:
    return make_registry().list_names()


def _read_path(text: str) -> str:
    """Return a path, which is quoted where a terminal writes one that is dragged into it."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 else text


def _write_conversation(conversation: Conversation, path: Path) -> str:
    from g4f_cli.commands.logs import write_markdown

    if path.suffix == ".json":
        return json.dumps(conversation.messages, indent=2, ensure_ascii=False) + "\n"
    return write_markdown(conversation) + "\n"


_NOTHING = ('""', "''")
# What other programs' chats call them; the words alone are no question.
OTHER_NAMES = {"exit": "/exit", "quit": "/exit", "/quit": "/exit", "/bye": "/exit", "/?": "/help"}
_ELSEWHERE = {
    "/set": "/system TEXT gives instructions, and g4f chat -o NAME VALUE the other settings.",
    "/load": "/model NAME changes the model, and g4f chat -c goes on with the last conversation.",
    "/show": "/model and /provider show who answers, /system the instructions.",
    "!multi": 'Enter begins another line between """ and """.',
    "!edit": 'Enter begins another line between """ and """.',
    "!fragment": "g4f -c -f FILE asks about a file in this conversation.",
}
COMMANDS: Mapping[str, Command] = {
    "/model": Command("[NAME]", "Show or change the model.", set_model, _list_models),
    "/provider": Command("[NAME]", "Show or change who answers.", set_provider, _list_providers),
    "/system": Command("[TEXT]", 'Show or change the instructions; "" removes them.', set_system),
    "/image": Command("PATH", "Let a picture, a PDF or sound go with the next prompt.", attach, None),
    "/save": Command("PATH", "Save the conversation, as Markdown or as .json.", save, None),
    "/retry": Command("", "Ask the last prompt again.", retry),
    "/clear": Command("", "Begin a new conversation.", clear),
    "/help": Command("", "Show this.", show_help),
    "/exit": Command("", "End; so does Ctrl-D.", end),
}
