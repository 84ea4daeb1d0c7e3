"""`g4f ask`, which is meant when no command is named: sends a prompt and prints the answer as it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import click

from g4f_cli.answering import Answer, Question, fetch_answer, make_writer, stream_answer, tell_usage
from g4f_cli.attachments import make_content, read_attachments
from g4f_cli.choosing import Choice, add_default_model, make_client, read_choice
from g4f_cli.interrupts import leave_at_once
from g4f_cli.keeping import add_answer, choose_as_before, find_conversation, keep
from g4f_cli.options import (
    ChoiceOptions,
    FilledPath,
    ParameterOptions,
    attach_option,
    choice_options,
    conversation_options,
    debug_option,
    json_option,
    parameter_options,
)
from g4f_cli.parameters import read_parameters, read_schema
from g4f_cli.prompt import STANDARD_INPUT, Words, read_prompt
from g4f_cli.running import run
from g4f_cli.terminal import InputError, warn
from g4f_cli.text import clean_argument, list_code

if TYPE_CHECKING:
    from g4f.client._arguments import ChatArguments
    from g4f_cli.history import Conversation

_EXAMPLE = 'g4f "Why is the sky blue?"'


class AskOptions(ChoiceOptions, ParameterOptions):
    """The options of `ask`, as click hands them over."""

    system: str | None
    fragments: tuple[str, ...]
    attach: tuple[str, ...]
    schema: str | None
    extract: bool
    extract_last: bool
    plain: bool
    no_stream: bool
    as_json: bool
    usage: bool
    go_on: bool
    cid: str | None
    no_log: bool


@click.command("ask", short_help="Ask something and print the answer as it comes.")
@click.argument("words", nargs=-1, metavar="PROMPT...")
@choice_options
@click.option("-s", "--system", metavar="TEXT", help="Instructions that stand before the prompt.")
@click.option(
    "-f",
    "--fragment",
    "fragments",
    type=FilledPath(),
    multiple=True,
    metavar="FILE",
    help="A file whose text follows the prompt. May be repeated.",
)
@attach_option("A picture, a PDF or sound to ask about")
@parameter_options("-o", "--option")
@click.option(
    "--schema",
    metavar="FIELDS",
    help="Answer in JSON with these fields, as 'name, age int'; or a JSON Schema, or a file that holds one.",
)
@click.option("-x", "--extract", is_flag=True, help="Print the first block of code of the answer alone.")
@click.option("--xl", "--extract-last", "extract_last", is_flag=True, help="Print the last block of code alone.")
@click.option("--plain", is_flag=True, help="Print the answer as it is on a terminal too, not as Markdown.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is complete.")
@json_option
@click.option("-u", "--usage", is_flag=True, help="Tell how many tokens it took.")
@conversation_options
@debug_option
def command(words: tuple[str, ...], **options: Unpack[AskOptions]) -> None:
    """Ask something and print the answer as it comes.

    What is piped in follows the prompt (git diff | g4f "Explain"); a prompt "-" is read from standard input.
    """
    conversation = find_conversation(last=options["go_on"], name=options["cid"])
    choice = add_default_model(choose_as_before(read_choice(options), conversation))
    if options["system"]:
        conversation.set_system(clean_argument(options["system"]))
    question = Question([*conversation.messages, _read_message(words, options)], choice.model, _read_arguments(options))
    conversation.base_url = choice.base_url
    answer = run(_ask_and_keep(question, choice, conversation, options))
    _print_held(answer, conversation, options)
    if options["usage"]:
        tell_usage(answer.usage)
    if options["schema"] and answer.text:
        _check_fields(answer.text, read_schema(options["schema"]))


def _read_message(words: tuple[str, ...], options: AskOptions) -> dict[str, Any]:
    if STANDARD_INPUT in options["attach"] and words == (STANDARD_INPUT,):
        raise InputError("Standard input cannot be the prompt and an attachment.")
    attachments = read_attachments(options["attach"])
    asked = Words(words, options["fragments"], join_input=STANDARD_INPUT not in options["attach"])
    prompt = read_prompt(asked, example=_EXAMPLE)
    return {"role": "user", "content": make_content(prompt, attachments)}


def _read_arguments(options: AskOptions) -> ChatArguments:
    arguments = read_parameters(options["parameters"], options["provider_parameters"])
    if options["schema"] is not None:
        arguments["response_format"] = read_schema(options["schema"])
    return arguments


async def _ask_and_keep(question: Question, choice: Choice, conversation: Conversation, options: AskOptions) -> Answer:
    """Ask, and keep what was answered; where the user stopped it, what came, before the program exits at once."""
    answer = await _ask(question, choice, options)
    if answer.text:
        add_answer(conversation, [question.messages[-1]], answer)
        if not options["no_log"]:
            keep(conversation)
    if answer.stopped:
        leave_at_once()  # here, because of what `run` says
    return answer


async def _ask(question: Question, choice: Choice, options: AskOptions) -> Answer:
    async with make_client(choice) as client:
        if _is_held(question, options):
            return await fetch_answer(client, question)
        return await stream_answer(client, question, make_writer(plain=_is_plain(options)))


def _is_plain(options: AskOptions) -> bool:
    return options["plain"] or options["as_json"] or _is_extracted(options) or bool(options["schema"])


def _is_extracted(options: AskOptions) -> bool:
    return options["extract"] or options["extract_last"]


def _is_held(question: Question, options: AskOptions) -> bool:
    """Tell whether nothing is written before the answer is complete; several answers would be mixed up else."""
    several = (question.arguments.get("n") or 1) != 1
    return several or options["no_stream"] or options["as_json"] or _is_extracted(options)


def _print_held(answer: Answer, conversation: Conversation, options: AskOptions) -> None:
    if not answer.data:  # it was streamed
        return
    with make_writer(plain=_is_plain(options)) as writer:
        if options["as_json"]:
            data = {**answer.data, "conversation": conversation.id or None}
            writer.write(json.dumps(data, indent=2, ensure_ascii=False))
        else:
            writer.write(_extract_code(answer.text, options) if _is_extracted(options) else answer.text)


def _check_fields(text: str, response_format: Mapping[str, Any]) -> None:
    """Fail where a service has not kept to the schema; what it said is printed all the same.

    Raises:
        click.ClickException: It has not.
    """
    try:
        found = json.loads(next(iter(list_code(text)), text))
    except ValueError:
        found = None
    wanted = response_format["json_schema"]["schema"].get("required", [])
    if found is None or (wanted and not (isinstance(found, dict) and all(name in found for name in wanted))):
        raise click.ClickException(
            "The answer is no JSON with the fields of the schema: the service may not know schemas."
        )


def _is_json(text: str) -> bool:
    try:
        return json.loads(text) is not None
    except ValueError:
        return False


def _extract_code(text: str, options: AskOptions) -> str:
    blocks = list_code(text)
    if not blocks and not _is_json(text):
        warn("There is no block of code in the answer: here is all of it.")
    return (blocks or [text])[-1 if options["extract_last"] else 0]
