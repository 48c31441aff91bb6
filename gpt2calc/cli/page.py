"""`gpt2calc page`: the what-if page, as one file."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from gpt2calc.errors import printable

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc page
  gpt2calc page -o parameters.html
  gpt2calc page -o - > gpt2calc.html"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Write the what-if page: one file of HTML that counts in the browser, from disk or any host, without a network."
    )
    parser.usage = "gpt2calc page [-o FILE] [--open]"
    parser.add_argument("--open", action="store_true", help="open it in the browser once it is written")
    group = parser.add_argument_group("output")
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="gpt2calc.html",
        help="the file to write, or - for standard output; gpt2calc.html when left out",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def run(arguments: argparse.Namespace) -> int:
    """Build the page and write it."""
    path = arguments.output
    if path == "-":
        from gpt2calc.version import __version__
        from gpt2calc.webpage import document

        sys.stdout.write(document.build(__version__))
        return 0
    from gpt2calc.api.counting import write_page

    size = write_page(path)
    if not arguments.quiet:
        print(f"{printable(path)}: {size:,} bytes")
    if arguments.open:
        _open(path)
    return 0


def _open(path: str) -> None:
    """Open the page in the browser that the system names, or say that there is none."""
    import webbrowser  # a run that opens nothing does without

    address = "file://" + os.path.abspath(path)
    if not webbrowser.open(address):
        print(f"note: no browser was found to open {printable(address)}", file=sys.stderr)
