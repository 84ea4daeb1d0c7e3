"""Where the program begins and ends."""

from __future__ import annotations

import atexit

from g4f_cli.interrupts import end_at_once, leave_interrupted, outlast

TYPE_CHECKING = False  # as in interrupts.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: The words after the program's name; None takes the process's own.
    """
    end_at_once()  # before anything is imported that takes time
    atexit.register(outlast)  # before anybody else, so that it comes last
    try:
        from g4f_cli.program import run_program

        code = run_program(arguments)
    except KeyboardInterrupt:
        leave_interrupted()
    end_at_once()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
