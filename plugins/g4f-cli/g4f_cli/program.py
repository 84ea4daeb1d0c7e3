"""Runs the chosen command and turns what went wrong into one sentence and a code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from g4f_cli.cli import cli
from g4f_cli.foreign import explain_option
from g4f_cli.interrupts import leave_interrupted
from g4f_cli.options import Invocation
from g4f_cli.terminal import complain, prepare_streams, show


def run_program(arguments: Sequence[str] | None) -> int:
    """Run the program, and return its exit code.

    Args:
        arguments: The words after the program's name; None takes the process's own.
    """
    prepare_streams()
    invocation = Invocation()
    try:
        code = cli.main(arguments, prog_name="g4f", standalone_mode=False, obj=invocation)
        sys.stdout.flush()  # or it fails where nobody can tell of it
    except click.Abort:  # which click makes of Ctrl-C
        leave_interrupted()
    except click.ClickException as error:
        _tell(explain_option(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last door: whatever it is, the user gets a sentence
        from g4f_cli.failures import tell_failure

        return tell_failure(error, debug=invocation.debug)
    return code if isinstance(code, int) else 0


def _tell(error: click.ClickException) -> None:
    """Say what went wrong, and as click does where it is an option or a word how the command is used."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        show(f"{context.get_usage()}\nTry '{context.command_path} {context.help_option_names[-1]}' for help.\n\n")
    complain(error.format_message())
