"""Writing a figure: PNG, SVG or PDF, the same bytes each time, and the whole file or none of it."""

from __future__ import annotations

import io
import os
import re
from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, shortened_path
from gpt2calc.output import OutputFile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")

WITHOUT_DATES = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What would differ from day to day, or from one version of matplotlib to the next, is left out."""

_FONT = re.compile(rb"(<text style=\"[^\"]*'DejaVu Sans')")
"""Where an SVG names its font: a reader who has not got it should see one of its shape, and no serifs."""


def format_of(path: str) -> str:
    """Return the format that a file's name says.

    Raises:
        ConfigError: it says none that can be written.

    >>> format_of("gpt2.SVG")
    'svg'
    """
    ending = os.path.splitext(path)[1].lower().removeprefix(".")
    if ending not in FORMATS or "\0" in path:
        raise ConfigError(f"{shortened_path(path)}: expected a name that ends with .png, .svg or .pdf", got=path)
    return ending


def rendered(figure: Figure, form: str, dpi: float = 200) -> bytes:
    """Return a figure as the bytes of a file.

    Args:
        figure: what a function of `gpt2calc.plots` returned.
        form: png, svg or pdf.
        dpi: dots per inch, of a PNG.
    """
    from gpt2calc.plots.canvas import style  # loads matplotlib

    file = io.BytesIO()
    metadata: dict[str, Any] = {**WITHOUT_DATES[form], "Title": str(figure.get_label()) or None}
    with style():
        figure.savefig(file, format=form, dpi=dpi, metadata=metadata, facecolor=figure.get_facecolor())
    return _FONT.sub(rb"\1, Verdana, sans-serif", file.getvalue()) if form == "svg" else file.getvalue()


def write(content: bytes, path: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        UnreadableInputError: it cannot be written.
    """
    with OutputFile(path) as file:
        file.write(content)
