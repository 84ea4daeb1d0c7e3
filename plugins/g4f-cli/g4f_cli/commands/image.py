"""`g4f image`: has pictures drawn and saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from g4f_cli.choosing import make_client, read_choice
from g4f_cli.failures import tell_fallback
from g4f_cli.options import ChoiceOptions, PositiveNumber, choice_options, debug_option
from g4f_cli.prompt import read_prompt
from g4f_cli.running import run
from g4f_cli.saving import Placed, check_targets, name_targets, place
from g4f_cli.terminal import InputError, note, warn

_EXAMPLE = 'g4f image "a white siamese cat"'


class ImageCommandOptions(ChoiceOptions):
    """The options of `image`, as click hands them over."""

    output: Path | None
    force: bool
    number: int | None
    size: str | None
    quality: str | None


@click.command("image", short_help="Have a picture drawn and save it.")
@click.argument("words", nargs=-1, metavar="PROMPT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file to save it as, or a folder; default is the folder of G4F_MEDIA_DIR.",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite a file of that name.")
@choice_options
@click.option(
    "-n",
    "--number",
    type=PositiveNumber(int, "whole number above 0, as 2"),
    metavar="COUNT",
    help="How many pictures; they are saved as cat-1.png, cat-2.png …",
)
@click.option("--size", metavar="SIZE", help="As 1024x1024.")
@click.option("--quality", metavar="QUALITY", help="As low, medium or high.")
@debug_option
def command(words: tuple[str, ...], **options: Unpack[ImageCommandOptions]) -> None:
    """Have a picture drawn, save it and print its path; a prompt "-" is read from standard input."""
    prompt = read_prompt(words, join_input=False, example=_EXAMPLE)
    output = options["output"]
    if output == Path("-"):
        raise InputError("A picture cannot go to standard output: name a file.")
    if output is not None and not output.is_dir():
        check_targets(name_targets(output, options["number"] or 1), force=options["force"])
    placed = run(_draw(prompt, options))
    for path in placed.paths:
        click.echo(path)
    if placed.refusals:
        raise InputError(" ".join(placed.refusals))


async def _draw(prompt: str, options: ImageCommandOptions) -> Placed:
    output, count = options["output"], options["number"] or 1
    folder = None if output is None else output if output.is_dir() else output.parent
    choice = read_choice(options)
    async with make_client(choice, media_folder=str(folder) if folder else None) as client:
        images = await client.images.generate(
            prompt,
            choice.model,
            n=options["number"],
            size=options["size"],
            quality=options["quality"],
        )
    for warning in images.warnings:
        warn(warning)
    tell_fallback(images.attempts, images.provider)
    saved = [image.path for image in images.data if image.path]
    if len(saved) < count:
        note(f"{len(saved)} of {count} pictures came.")
    if output is None or output.is_dir():
        return Placed([Path(path) for path in saved], [])
    return place(saved, output, count=count, force=options["force"])
