"""`python -m g4f_doctor`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from g4f_doctor.examination import examine
from g4f_doctor.report import format_json
from g4f_doctor.tables import find_width
from g4f_doctor.text import format_report
from g4f_doctor.trial import IMPORT_SECONDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report and return the exit code: 1 when something is broken."""
    parser = argparse.ArgumentParser(
        "python -m g4f_doctor", description="Find what is wrong with an installation of g4f."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--import",
        dest="import_providers",
        action="store_true",
        help=f"import each provider too, in a process of its own, for {IMPORT_SECONDS:g} seconds at most",
    )
    wanted = parser.parse_args(arguments)
    report = examine(import_providers=wanted.import_providers)
    print(format_json(report) if wanted.json else format_report(report, find_width()))
    return int(report.broken)


if __name__ == "__main__":
    sys.exit(main())
