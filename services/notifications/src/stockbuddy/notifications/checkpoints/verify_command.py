"""`audit verify FILE… --checkpoints FILE --keys FILE`: verifies an export, and archives, without the server."""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from stockbuddy.notifications.checkpoints.signed_head import keys_of
from stockbuddy.notifications.checkpoints.verification import VerificationReport, read_checkpoints, verify_export

BROKEN = 1
UNUSABLE = 2


def run_command(arguments: Sequence[str]) -> int:
    """Returns 0 if everything agrees, 1 if the log was altered or cannot be confirmed, 2 for unusable files."""
    parser = argparse.ArgumentParser(prog="stockbuddy audit", description=__doc__)
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify", help="compare an export with kept checkpoints")
    verify.add_argument(
        "exports",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="response of GET /audit-logs/export?format=chain, after the archives (.gz) that it continues, if any",
    )
    verify.add_argument("--checkpoints", type=Path, required=True, help="kept checkpoints: JSON, or one JWS per line")
    verify.add_argument("--keys", type=Path, required=True, help="response of GET /audit-logs/checkpoint-keys")
    options = parser.parse_args(arguments)
    report = VerificationReport()
    try:
        heads = read_checkpoints(options.checkpoints.read_text(), keys_of(json.loads(options.keys.read_text())), report)
        verify_export(_read_lines(options.exports), heads, report)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return _print_report(report)


def _read_lines(paths: Sequence[Path]) -> Iterator[str]:
    """Raises OSError, ValueError."""
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
            yield from lines


def _print_report(report: VerificationReport) -> int:
    for problem in report.problems:
        sys.stdout.write(f"PROBLEM: {problem}\n")
    sys.stdout.write(
        f"{report.entries} entries ({report.first} to {report.last}), {report.matched} checkpoints agree,"
        f" confirmed up to entry {report.confirmed}\n"
    )
    if not report.matched:
        sys.stdout.write("No checkpoint confirms this export.\n")
    return BROKEN if report.problems or not report.matched else 0
