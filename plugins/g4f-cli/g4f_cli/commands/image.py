"""`g4f image`: has pictures drawn and saves them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import click

from g4f_cli.attachments import read_pictures
from g4f_cli.choosing import make_client, read_choice
from g4f_cli.failures import tell_fallback, tell_warnings
from g4f_cli.options import (
    ChoiceOptions,
    ParameterOptions,
    PositiveNumber,
    attach_option,
    choice_options,
    debug_option,
    json_option,
    parameter_options,
)
from g4f_cli.parameters import read_image_parameters
from g4f_cli.prompt import Words, read_prompt
from g4f_cli.running import run
from g4f_cli.saving import Placed, check_targets, name_targets, place
from g4f_cli.terminal import InputError, note

if TYPE_CHECKING:
    from g4f.images import Images

_SLASHES = tuple(filter(None, (os.sep, os.altsep)))
_EXAMPLE = 'g4f image "a white siamese cat"'


class ImageCommandOptions(ChoiceOptions, ParameterOptions):
    """The options of `image`, as click hands them over."""

    output: Path | None
    force: bool
    number: int | None
    size: str | None
    quality: str | None
    attach: tuple[str, ...]
    as_json: bool


class Drawn(NamedTuple):
    """What came, and where it is."""

    images: Images
    placed: Placed

    def describe(self) -> dict[str, Any]:
        """Return it as JSON data."""
        told = [image.revised_prompt for image in self.images.data if image.path]
        return {
            "provider": self.images.provider,
            "model": self.images.model,
            "images": [
                {"path": str(path), "revised_prompt": prompt}
                for path, prompt in zip(self.placed.paths, told, strict=True)
            ],
            "warnings": self.images.warnings,
        }


def _read_output(_: click.Context, __: click.Parameter, text: str | None) -> Path | None:
    """Return what was named; a slash at its end, which a path has not, says that it is a folder.

    Raises:
        InputError: It says so, and there is none.
    """
    if text and text.endswith(_SLASHES) and not Path(text).is_dir():
        raise InputError(f"There is no folder {text}: make it first, or write a file's name.")
    return Path(text) if text else None


@click.command("image", short_help="Have a picture drawn and save it.")
@click.argument("words", nargs=-1, metavar="PROMPT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=str),
    callback=_read_output,
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
@parameter_options("--option")
@attach_option("A picture to change as the prompt says")
@json_option
@debug_option
def command(words: tuple[str, ...], **options: Unpack[ImageCommandOptions]) -> None:
    """Have a picture drawn, save it and print its path; a prompt "-" is read from standard input."""
    prompt = read_prompt(Words(words), example=_EXAMPLE)
    output = options["output"]
    if output == Path("-"):
        raise InputError("A picture cannot go to standard output: name a file.")
    if output is not None and not output.is_dir():
        check_targets(name_targets(output, options["number"] or 1), force=options["force"])
    drawn = run(_draw(prompt, read_pictures(options["attach"]), options))
    if options["as_json"]:
        click.echo(json.dumps(drawn.describe(), indent=2, ensure_ascii=False))
    else:
        _show(drawn.placed.paths)
    if drawn.placed.refusals:
        raise InputError(" ".join(drawn.placed.refusals))


async def _draw(prompt: str, sources: list[str], options: ImageCommandOptions) -> Drawn:
    output, choice = options["output"], read_choice(options)
    folder = None if output is None else output if output.is_dir() else output.parent
    wishes = read_image_parameters(options["parameters"], options["provider_parameters"])
    wishes |= {"n": options["number"], "size": options["size"], "quality": options["quality"]}
    async with make_client(choice, media_folder=str(folder) if folder else None) as client:
        if sources:
            images = await client.images.edit(sources, prompt, choice.model, **wishes)
        else:
            images = await client.images.generate(prompt, choice.model, **wishes)
        return _take(images, options)  # before anything else is awaited, and so interrupted


def _take(images: Images, options: ImageCommandOptions) -> Drawn:
    """Give the pictures their names, and tell what the user should know."""
    output, count = options["output"], options["number"] or 1
    tell_warnings(images.warnings, images.attempts)
    tell_fallback(images.attempts, images.provider)
    saved = [image.path for image in images.data if image.path]
    if len(saved) < count:
        note(f"{len(saved)} of {count} pictures came.")
    if output is None or output.is_dir():
        return Drawn(images, Placed([Path(path) for path in saved], []))
    return Drawn(images, place(saved, output, count=count, force=options["force"]))


def _show(paths: list[Path]) -> None:
    """Print where the pictures are, each below itself where the terminal can show it."""
    from g4f_cli.graphics import show_picture

    for path in paths:
        show_picture(path)
        click.echo(path)
