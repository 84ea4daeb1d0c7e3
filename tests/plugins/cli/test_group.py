from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

from g4f_cli.cli import cli
from plugins.cli.program import Program

# Runs the program in this process, then tells what it imported.
LIST_IMPORTS = """
import sys
from g4f_cli.__main__ import main
try:
    main(["--help"])
except SystemExit:
    pass
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def test_help_shows_commands_options_and_exit_codes(program: Program) -> None:
    """The options of a bare prompt are among them."""
    done = program.run("--help")
    assert done.code == 0
    for text in ("ask ", "image ", "providers ", "doctor ", "--model", "--debug", "Exit codes:", "130  interrupted"):
        assert text in done.out
    assert program.run("-h").out == done.out


def test_help_imports_nothing_heavy(program: Program) -> None:
    """Neither the core nor what it needs, and no provider."""
    program.install("Loud", code="raise SystemExit('imported')")
    done = subprocess.run(
        [sys.executable, "-c", LIST_IMPORTS], env=program.make_environment(), capture_output=True, text=True, check=True
    )
    imported = set(done.stderr.split())
    assert "click" in imported
    heavy = {"aiohttp", "asyncio", "attr", "markdown_it", "platformdirs", "pluggy", "prompt_toolkit", "rich", "sqlite3"}
    assert imported & (heavy | {"g4f", "g4f_provider_loud"}) == set()


def test_help_costs_little_more_than_click(program: Program) -> None:
    """Counted in modules, since times differ from machine to machine."""
    count = "import sys, click; print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
    listing = 'print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)'
    whole = LIST_IMPORTS.replace(listing, "print(len(sys.modules), file=sys.stderr)")
    helped = subprocess.run(
        [sys.executable, "-c", whole], env=program.make_environment(), capture_output=True, text=True, check=True
    )
    assert int(helped.stderr) < 2 * int(done.stdout)


@pytest.mark.parametrize("words", ["--help", "models list --help", "providers --help", "doctor --help"])
def test_help_keeps_within_a_narrow_terminal(program: Program, words: str) -> None:
    """Click's own is never narrower than 50 columns."""
    narrow = program.run(*words.split(), COLUMNS="30").out
    assert max(map(len, narrow.splitlines())) <= 30
    wide = program.run(*words.split(), COLUMNS="80").out
    assert 60 < max(map(len, wide.splitlines())) <= 80


def test_the_version_of_both_distributions_is_told(program: Program) -> None:
    """Neither is imported for it."""
    done = program.run("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("g4f ")
    assert "g4f-core" in done.out


def test_an_unknown_option_comes_with_a_suggestion(program: Program) -> None:
    """Click's own sentence."""
    done = program.run("--modle", "m-1", "hi")
    assert (done.code, done.out) == (2, "")
    assert "No such option" in done.err
    assert "--model" in done.err


def test_a_misspelled_command_is_not_sent_to_a_service(program: Program) -> None:
    """It could be a prompt: the sentence says how to ask it."""
    for word, meant in (("docter", "doctor"), ("chta", "chat")):
        done = program.run(word)
        assert (done.code, done.out) == (2, "")
        assert f"There is no command '{word}'. Did you mean '{meant}'? To ask it: g4f ask {word} …" in done.err


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("ls", "models"),
        ("list", "models"),
        ("show m-1", "models m-1"),
        ("ps", "providers"),
        ("plugins", "providers"),
        ("rm m-1", "download remove m-1"),
        ("rm mistral", "download remove mistral"),
        ("pull --help", "download --help"),
        ("client -p Echo hi", "ask -p Echo hi"),
        ("plugins --json", "providers --json"),
    ],
)
def test_a_command_of_another_program_does_what_ours_does(program: Program, words: str, ours: str) -> None:
    """More words are a prompt."""
    program.install("Echo")
    assert program.run(*words.split(), G4F_PROVIDERS="Echo") == program.run(*ours.split(), G4F_PROVIDERS="Echo")
    assert program.run("list", "three", "colors", G4F_PROVIDERS="Echo").out == "Echo: list three colors\n"


@pytest.mark.parametrize(
    ("words", "like"),
    [
        ("serve", "There is no command 'serve' here; nothing is like it."),
        ("templates list", "There is no command 'templates' here; nothing is like it."),
        ("aliases set x y", "There is no command 'aliases' here; g4f models default MODEL sets"),
        ("run", "After 'run' comes a model alone, or a model and a prompt in quotes."),
        ("run fast cars", "After 'run' comes a model alone, or a model and a prompt in quotes."),
    ],
)
def test_what_may_be_a_command_of_another_program_is_not_sent_to_a_service(
    program: Program, words: str, like: str
) -> None:
    """The sentence says what is like it, and how to ask it all the same."""
    program.install("Echo")
    first = words.split(maxsplit=1)[0]
    done = program.run(*words.split(), G4F_PROVIDERS="Echo")
    assert (done.code, done.out) == (2, "")
    assert like in done.err
    assert f"To ask it: g4f ask {first} …" in done.err
    assert program.run("ask", *words.split(), G4F_PROVIDERS="Echo").out == f"Echo: {words}\n"


def test_the_run_of_ollama_asks_or_chats(program: Program) -> None:
    """The prompt is one argument; of more words all are one."""
    program.install("Echo")
    asked = program.run("run", "echo-1", "Why is it so?", G4F_PROVIDERS="Echo")
    assert asked == program.run("-m", "echo-1", "Why is it so?", G4F_PROVIDERS="Echo")
    assert program.run("run", "mistral", "Why so?", G4F_PROVIDERS="Echo").err == (
        program.run("-m", "mistral", "Why so?", G4F_PROVIDERS="Echo").err
    )
    chatted = program.run("run", "echo-1", piped=b"Why?\n", G4F_PROVIDERS="Echo")
    assert chatted == program.run("chat", "-m", "echo-1", piped=b"Why?\n", G4F_PROVIDERS="Echo")
    assert program.run("run", "as", "fast", "as", G4F_PROVIDERS="Echo").out == "Echo: run as fast as\n"


@pytest.mark.parametrize("words", ["-m m-1 chat", "-p Echo --base-url http://127.0.0.1:1 models", "--json logs"])
def test_a_command_behind_options_is_not_sent_to_a_service(program: Program, words: str) -> None:
    """The sentence says where it stands; behind two dashes it is a prompt."""
    program.install("Echo")
    *options, word = words.split()
    done = program.run(*options, word, G4F_PROVIDERS="Echo")
    assert (done.code, done.out) == (2, "")
    assert f"'{word}' is a command, and its options follow it, as g4f {word} …; to ask it: g4f ask …" in done.err
    assert program.run("-p", "Echo", "--", word).out == f"Echo: {word}\n"
    assert program.run("-", piped=b"hi", G4F_PROVIDERS="Echo").out == "Echo: hi\n"


@pytest.mark.parametrize("words", ["auth copilot", "download", "-m m-1 download x", "pull mistral"])
def test_a_command_that_is_not_installed_is_not_sent_to_a_service(
    program: Program, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says which package brings it."""
    monkeypatch.chdir(program.folder)
    monkeypatch.setitem(vars(cli), "_brought", {})
    with pytest.raises(click.UsageError) as refused:
        cli.main(words.split(), standalone_mode=False)
    package = "g4f-provider-copilot" if "auth" in words else "g4f-provider-local"
    assert f"comes with {package}: run g4f install {package}." in refused.value.message


def test_help_and_version_may_be_words(program: Program) -> None:
    """As in other programs; of more words both are a prompt."""
    program.install("Echo")
    assert program.run("help").out == program.run("--help").out
    assert program.run("help", "logs").out == program.run("logs", "--help").out
    assert program.run("version").out == program.run("--version").out
    assert program.run("help", "me", G4F_PROVIDERS="Echo").out == "Echo: help me\n"


@pytest.mark.parametrize("words", ["keys get openai", "models set x", "logs find x"])
def test_an_unknown_command_of_a_group_brings_those_that_there_are(program: Program, words: str) -> None:
    """And is not taken for words of the group's default."""
    done = program.run(*words.split())
    assert (done.code, done.out) == (2, "")
    group, word, _ = words.split()
    assert f"There is no command {word!r} of g4f {group}: there are " in done.err


@pytest.mark.parametrize("value", ["0", "abc", "nan", "inf", "-1"])
def test_a_bad_value_is_bad_input(program: Program, value: str) -> None:
    """A timeout of nothing is none; the error says what is one."""
    done = program.run("--timeout", value, "hi")
    assert (done.code, done.out) == (2, "")
    assert f"Invalid value for '--timeout': '{value}' is no number of seconds above 0, as 30 or 0.5." in done.err


@pytest.mark.parametrize("command", ["ask", "image", "providers", "doctor"])
def test_help_that_is_asked_for_before_a_command_is_that_commands(program: Program, command: str) -> None:
    """On either side of its name."""
    done = program.run("-h", command)
    assert done.out.startswith(f"Usage: g4f {command} ")
    assert done.out == program.run(command, "--help").out


def test_help_describes_each_command_to_its_end(program: Program) -> None:
    """Nothing is cut off."""
    assert "..." not in program.run("--help", COLUMNS="80").out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("-t summarize hi", "There is no option -t here: there are no templates: keep instructions in a file"),
        ("-q 4o hi", "There is no option -q here: g4f models TEXT lists"),
        ("--at a.png image/png hi", "There is no option --at here: use -a FILE"),
        ("-d logs.db hi", "There is no option -d here: there is one database"),
        ("keys set openai --value sk", "There is no option --value here: pipe the key in"),
        ("chat -f a.txt", "There is no option -f here: say /image PATH in the chat"),
        ("install -U gemini", "There is no option -U here: leave it out"),
        ("api --port 1337", "There is no command 'api' here; nothing is like it."),
        ("logs -n 3 -r", "There is no option -r here: g4f logs show --response"),
        (
            "keys get openai",
            "there are set, list, remove, path. No command shows a key; g4f keys path names their file.",
        ),
    ],
)
def test_an_option_of_another_program_comes_with_what_does_the_same(
    program: Program, words: str, sentence: str
) -> None:
    """One sentence."""
    done = program.run(*words.split())
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_narrow_terminal_breaks_no_words(program: Program) -> None:
    """Neither of errors nor of the help of a chat."""
    terminal = program.open("-t", "x", columns=34)
    assert terminal.wait() == 2
    assert {"Error:", "templates:", "instructions", '"$(cat'} <= set(terminal.text.split())
    program.install("Echo")
    chat = program.open("chat", "-p", "Echo", columns=36, rows=60)
    chat.wait_for("Ctrl-D ends.")
    chat.type("/help\r")
    chat.wait_for("stops an answer.")
    assert {"picture", "conversation", "instructions"} <= set(re.findall(r"\w+", chat.text))
