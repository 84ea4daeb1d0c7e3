"""What `g4f --help` costs beside an import of click, in time of the processor: for `scripts/bench command_line`."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

REPETITIONS = 25
CLICK = ("-c", "import click")
HELP = ("-m", "g4f_cli", "--help")


def measure(*arguments: str) -> float:
    """Run Python once, and return the processor's time that it took, in seconds."""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"python {' '.join(arguments)} failed.")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Take turns, so that what else the machine does falls on both; the first turn fills caches."""
    turns = [(measure(*CLICK), measure(*HELP)) for _ in range(REPETITIONS + 1)][1:]
    click, helped = (median(seconds) for seconds in zip(*turns, strict=True))
    ratio = median(second / first for first, second in turns)
    sys.stdout.write(f"python -c 'import click'  {click * 1000:4.0f} ms\n")
    sys.stdout.write(f"g4f --help                {helped * 1000:4.0f} ms, {ratio:.2f} times as much\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
