"""`gpt2calc claims`: published claims, recomputed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_output, emit
from gpt2calc.errors import UnreadableInputError

if TYPE_CHECKING:
    import argparse

    from gpt2calc.claims.report import ClaimReport

EXAMPLES = """examples:
  gpt2calc claims
  gpt2calc claims -q | grep false
  gpt2calc claims --format markdown
  gpt2calc claims --file claims.toml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Recompute what is claimed of parameters: what was said, what is exact, and the verdict."
    parser.usage = "gpt2calc claims [--file FILE] [--strict] [options]"
    parser.add_argument(
        "--file", metavar="FILE", help="claims in TOML, or - for standard input; the article's when left out"
    )
    parser.add_argument(
        "--strict", action="store_true", help="end with exit code 1 where a claim is false, which is no error otherwise"
    )
    add_output(parser, "a line for each verdict")


def run(arguments: argparse.Namespace) -> int:
    """Judge, and print."""
    report = _report(arguments.file)
    emit(
        arguments,
        result=report.to_dict,
        human=report.screen(),
        tables=[report.table()] if arguments.format == "csv" else report.tables(),
        quiet=(f"{each.claim.id} {found.model} {found.verdict}" for each in report for found in each.judgements),
    )
    return int(arguments.strict and not report.holds)


def _report(file: str | None) -> ClaimReport:
    """Return the report of a file, of standard input, or of the claims that ship."""
    from gpt2calc.api.checking import check_claims

    if file != "-":
        return check_claims() if file is None else check_claims(file)
    from gpt2calc.claims import files, report, toml

    if sys.stdin is None:
        raise UnreadableInputError("standard input", "it is closed")
    return report.judge(files.from_bytes(sys.stdin.buffer.read(toml.MOST_CLAIMS_BYTES + 1), "standard input"))
