"""What is asked for: a number of parameters to be near, or of bytes to fit into, and how it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import figures, numbers
from gpt2calc.conventions import BYTES, CONVENTIONS
from gpt2calc.designs import measures
from gpt2calc.errors import ConfigError, UnknownNameError, pair, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.conventions import Convention

DTYPES = tuple(row.name.removesuffix("_bytes") for row in CONVENTIONS if row.unit == BYTES)


class SizeTarget(NamedTuple):
    """A count that shapes are held against.

    Args:
        value: the exact number that the figure stands for.
        text: the figure as it was given.
        convention: what is counted.
        fits: whether a shape may not be above it.
    """

    value: int
    text: str
    convention: Convention
    fits: bool

    def difference(self, value: int) -> int:
        """Return how much more than the target a count is; of what fits, how much is left."""
        return self.value - value if self.fits else value - self.value


def read(
    params: float | str | None,
    fits: float | str | None,
    dtype: str | None = None,
    convention: str | None = None,
    find: Callable[[str], Convention] = measures.find,
) -> SizeTarget:
    """Read what is asked for; `find` is what knows the conventions that it can be counted by.

    Raises:
        ConfigError: nothing is asked for, or two things, or a figure is none.
        UnknownNameError: there is no such convention or dtype.

    >>> read("350M", None).value, read(None, "24GB", "bf16").convention.name
    (350000000, 'bf16_bytes')
    """
    if params is None and fits is None:
        raise ConfigError("give params, such as 350M, or fits, such as 24GB with a dtype")
    if params is not None and fits is not None:
        raise ConfigError(f"{pair('params', params)} and {pair('fits', fits)} are two targets: give one of them")
    if params is not None:
        if dtype is not None:
            raise ConfigError("dtype goes with fits: give a convention such as bf16_bytes to have params in bytes")
        counted = find(convention or measures.TOTAL)
        return SizeTarget(_number("params", params, counted), _text(params), counted, fits=False)
    if convention is not None:
        raise ConfigError("convention goes with params: what fits is counted in bytes of a dtype", field="convention")
    if dtype is None:
        raise ConfigError(f"fits is in bytes: say of which dtype, {', '.join(DTYPES)}", field="dtype")
    if dtype not in DTYPES:
        raise UnknownNameError("dtype", dtype, DTYPES)
    counted = find(f"{dtype}_bytes")
    return SizeTarget(_number("fits", fits, counted), _text(fits), counted, fits=True)


def _text(figure: object) -> str:
    return " ".join(figure.split()) if isinstance(figure, str) else f"{numbers.whole(figure):,}"


def _number(name: str, given: object, convention: Convention) -> int:
    """Return the whole number that a figure stands for."""
    kind = figures.BYTES if convention.unit == BYTES else figures.COUNT
    such_as = "24GB or 474.70 MiB" if kind == figures.BYTES else "350M, 0.35B, 1e9 or 124,439,808"
    wrong = ConfigError(f"{name} takes a figure such as {such_as}, got {numbers.told(given)}", field=name, got=given)
    number = _read(given, kind, wrong) if isinstance(given, str) else numbers.whole(given)
    if type(number) is not int:
        raise wrong
    if number < 1:
        raise ConfigError(f"{name} must be 1 or more, got {shown(given)}", field=name, got=given)
    return number


def _read(text: str, kind: str, wrong: ConfigError) -> int:
    try:
        claimed = figures.read(text)
    except ConfigError:
        raise wrong from None
    figure = claimed.low
    single = figure is not None and figure == claimed.high
    if figure is None or not single or kind not in figures.UNITS[figure.unit][1] or figure.value.denominator != 1:
        raise wrong
    return int(figure.value)
