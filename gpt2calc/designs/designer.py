"""From what a person asks to shapes: the constraints read, the defaults put in, the space searched."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gpt2calc import numbers, ranges
from gpt2calc.designs import contradictions, family, spans
from gpt2calc.designs.bounds import Bounds
from gpt2calc.designs.report import Design, Designs
from gpt2calc.designs.search import Space
from gpt2calc.errors import ConfigError, pair, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gpt2calc.designs.search import RankedShape
    from gpt2calc.designs.spans import Fractions, Sizes
    from gpt2calc.designs.targets import SizeTarget
    from gpt2calc.dims import Dims
    from gpt2calc.sources import LeftOut, Model

ASPECT = "20:160"
DEFAULTS = {"n_layer": "1:1000", "aspect": ASPECT, "head_size": "64, 128"}
"""What bounds a search unless something else is given; every GPT-2 and nearly every GPT-3 lies within."""

USUAL_SHAPES, MOST_SHAPES = 10, 10_000
"""How many shapes are answered with, unless something else is asked for, and at most."""

MOST_TRIED_SIZES = 100
"""How many paddings, and how many sizes of a head, are tried at most."""

PADDING = "pad_vocab_size_multiple"
SEARCHED = {"n_layer": 1, "n_embd": 1, "n_head": 1, "n_inner": 0, PADDING: 1}
"""The fields that can be ranges and lists, each with the least that it can be."""


def design(
    target: SizeTarget,
    model: Model | LeftOut,
    fields: Mapping[str, Any],
    constraints: Mapping[str, Any],
    *,
    top: int | str | None = None,
    pareto: bool = False,
    hub: bool = False,
    revision: str | None = None,
) -> Designs:
    """Find shapes.

    Args:
        target: what is asked for.
        model: where all that is not searched comes from.
        fields: fields of a config, those in `SEARCHED` as `spans.read` takes them.
        constraints: `pad` and those in `READERS`, None where they are not given.
        top: how many shapes to return.
        pareto: whether to return the front.
        hub: whether the model is a repository.
        revision: of that repository.
    """
    number = _top(top, pareto=pareto)
    searched, fixed = _sorted({**fields, **{name: value for name, value in constraints.items() if value is not None}})
    source = resolve(model, fixed, hub=hub, revision=revision)
    paddings = _few("pad", searched.pop(PADDING, 1))
    vocab_sizes = sorted({-(-source.dims.vocab_size // multiple) * multiple for multiple in paddings})
    bounds = _with_defaults({name: _read(name, value) for name, value in searched.items()}, source.dims)
    proportions = family.near(target.value, target.convention)
    space = Space(bounds, vocab_sizes, source.dims, target, proportions)
    if not space.boxes:
        raise contradictions.explain(bounds, searched)
    extremes = space.smallest(), space.largest()
    notes = (*source.notes, *_beyond(target, *extremes))
    found = space.front() if pareto else space.nearest(number)
    return Designs(
        target,
        tuple(_answer(each, bounds, source.dims, target) for each in found),
        pareto=pareto,
        model=source.name,
        bounds=_in_words(bounds, vocab_sizes, paddings),
        shapes=space.shapes,
        extremes=extremes,
        family=proportions,
        notes=notes,
    )


def _top(top: object, *, pareto: bool) -> int:
    """Return how many shapes are asked for."""
    if top is None:
        return USUAL_SHAPES
    if pareto:
        raise ConfigError("pareto gives the whole front: leave top out", field="top", got=top)
    return numbers.read("top", top, 1, MOST_SHAPES)


def _sorted(asked: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is searched, in its canonical spelling, and the fields that are fixed, as they are."""
    searched: dict[str, tuple[str, Any]] = {}
    fixed: dict[str, Any] = {}
    for name, value in asked.items():
        field = PADDING if name == "pad" else CANONICAL.get(name, name)
        if field not in SEARCHED and field not in READERS:
            fixed[name] = value
            continue
        first, before = searched.setdefault(field, (name, value))
        if first != name and _differ(field, before, value):
            what = f"{pair(first, before)} and {pair(name, value)}"
            raise ConfigError(f"{what} disagree: both mean {field}; give one of them", field=field, got=value)
    return {field: value for field, (_, value) in searched.items() if value is not None}, fixed


def _differ(field: str, one: Any, other: Any) -> bool:
    """Whether two values of a constraint say different things, however they say them."""
    if one is None or other is None:
        return one is not other
    return bool(_read(field, one) != _read(field, other))


def _read(name: str, given: Any) -> Any:
    """Return a constraint as `Bounds` takes it."""
    return spans.read(name, given, SEARCHED[name]) if name in SEARCHED else READERS[name](name, given)


def _one(name: str, given: object) -> int:
    """Return a constraint that is one number."""
    return numbers.read(name, given, 1, 10**spans.MOST_DIGITS - 1)


def _few(name: str, given: Sizes) -> tuple[int, ...]:
    """Return a constraint that is a few numbers, each of which is tried."""
    values = spans.read(name, given).values
    if len(values) > MOST_TRIED_SIZES:
        raise ConfigError(f"{name} takes at most {MOST_TRIED_SIZES} sizes, got {shown(given)}", field=name, got=given)
    return tuple(values)


def _aspect(name: str, given: Fractions) -> spans.Fractional:
    """Return the range of proportions; one number is a range of its own."""
    read = spans.read_fractions(name, given, positive=True)
    if len(read.values) > 2 or (len(read.values) == 2 and isinstance(given, str) and not read.is_range):
        raise ConfigError(f"{name} takes a range such as {ASPECT}, got {shown(given)}", field=name, got=given)
    return read


READERS: dict[str, Callable[[str, Any], Any]] = {
    "head_size": _few,
    "embd_multiple": _one,
    "aspect": _aspect,
    "inner_ratio": spans.read_fractions,
    "inner_multiple": _one,
}
"""The constraints that are no fields of a config, each with what reads it."""


def _with_defaults(given: Mapping[str, Any], dims: Dims) -> Bounds:
    """Return the bounds, with defaults for what is needed and not given."""
    defaults = {name: _read(name, text) for name, text in DEFAULTS.items()}
    if "n_inner" not in given:
        defaults["inner_ratio"] = _read("inner_ratio", Fraction(dims.n_inner, dims.n_embd))
    return Bounds(**{**defaults, **given})


def _in_words(bounds: Bounds, vocab_sizes: Sequence[int], paddings: Sequence[int]) -> dict[str, str]:
    """Return the bounds in the words that give them: those of the options."""
    words = {name: bounds.text(name) for name, value in bounds._asdict().items() if value is not None}
    words["vocab_size"] = ranges.written(vocab_sizes)
    return words | ({"pad": ranges.written(paddings)} if tuple(paddings) != (1,) else {})


def _answer(found: RankedShape, bounds: Bounds, base: Dims, target: SizeTarget) -> Design:
    """Return a shape that was found as a design."""
    dims = base._replace(**{name: getattr(found, name) for name in ("n_layer", "n_embd", "n_inner", "vocab_size")})
    difference = target.value - found.value if target.fits else found.value - target.value
    head_size = bounds.head(found.n_embd) or found.n_embd
    return Design(dims, found.n_embd // head_size, found.value, difference)


def _beyond(target: SizeTarget, smallest: int, largest: int) -> tuple[str, ...]:
    """Say where no shape within the bounds is at the target.

    Raises:
        ConfigError: nothing fits.
    """
    unit, advice = target.convention.unit, "widen n_layer, n_embd, aspect or head_size"
    if target.fits and smallest > target.value:
        raise ConfigError(f"nothing within the bounds fits {target.text}: the smallest shape has {smallest:,} {unit}")
    if target.value < smallest:
        return (f"the target is below the smallest shape within the bounds, which has {smallest:,} {unit}: {advice}",)
    if target.value > largest:
        return (f"the target is above the largest shape within the bounds, which has {largest:,} {unit}: {advice}",)
    return ()
