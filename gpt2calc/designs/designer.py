"""From what a person asks to shapes: the constraints read, the defaults put in, the space searched."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures, numbers, presets, ranges
from gpt2calc.designs import bases, contradictions, family, measures, spans
from gpt2calc.designs.bounds import Bounds
from gpt2calc.designs.report import Designs, written
from gpt2calc.designs.search import Space
from gpt2calc.errors import ConfigError, UnknownNameError, pair, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.sources import LEFT_OUT, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gpt2calc.designs.spans import Fractions, Sizes
    from gpt2calc.designs.targets import SizeTarget
    from gpt2calc.sources import LeftOut, Model

ASPECT = "20:160"
DEFAULTS = {"n_layer": "1:1000", "aspect": ASPECT}
"""What bounds a search unless something else is given; every GPT-2 and nearly every GPT-3 lies within."""

WITHIN = Fraction(2)
"""How many percent off the target a shape may be, to be ranked by its proportions, unless something else is given."""

USUAL_SHAPES, MOST_SHAPES = 10, 10_000
"""How many shapes are answered with, unless something else is asked for, and at most."""

MOST_TRIED_SIZES = 100
"""How many paddings, and how many sizes of a head, are tried at most."""

PADDING = "pad_vocab_size_multiple"
SEARCHED = {"n_layer": 1, "n_embd": 1, "n_head": 1, "n_inner": 0, PADDING: 1}
"""The fields that can be ranges and lists, each with the least that it can be."""


def design(
    read: Callable[..., SizeTarget],
    model: Model | LeftOut,
    fields: Mapping[str, Any],
    constraints: Mapping[str, Any],
    *,
    of_family: str | None = None,
    within: Fractions | float | None = None,
    nearest: bool = False,
    top: int | str | None = None,
    pareto: bool = False,
    hub: bool = False,
    revision: str | None = None,
) -> Designs:
    """Find shapes.

    Args:
        read: what reads what is asked for, by the conventions that there are.
        model: where all that is not searched comes from.
        fields: fields of a config, those in `SEARCHED` as `spans.read` takes them.
        constraints: `pad` and those in `READERS`, None where they are not given.
        of_family: the model type of which the model is, where none is named, the one that ships nearest in size.
        within: how many percent off the target a shape may be, to be ranked by its proportions.
        nearest: whether shapes are ranked by distance alone.
        top: how many shapes to return.
        pareto: whether to return the front.
        hub: whether the model is a repository.
        revision: of that repository.
    """
    for switch, said in {"nearest": nearest, "pareto": pareto}.items():
        if not isinstance(said, bool):
            raise ConfigError(f"{switch} must be true or false, got {shown(said)}", field=switch, got=said)
    number = _top(top, pareto=pareto)
    percent = _percent(within, nearest=nearest, pareto=pareto)
    searched, fixed = _sorted({**fields, **{name: value for name, value in constraints.items() if value is not None}})
    if of_family is not None:
        model, own = _of_family(of_family, model, read, hub=hub or revision is not None)
        fixed = {**own, **fixed}
    source = resolve(model, fixed, hub=hub, revision=revision)
    base = bases.of(source, fixed)
    target = read(find=base.find)
    paddings = _few("pad", searched.pop(PADDING, 1))
    vocab_sizes = sorted({-(-base.vocab_size // multiple) * multiple for multiple in paddings})
    if not base.has_inner and (inner := [name for name in searched if "inner" in name]):
        raise ConfigError(f"{source.name} has no width of the MLP of its own: leave {inner[0]} out", field=inner[0])
    bounds = _with_defaults({name: _read(name, value) for name, value in searched.items()}, base)
    proportions = family.near(target.value, target.convention, base.members)
    of_width = {size: base.measure(target.convention, size, bounds.head) for size in vocab_sizes}
    space = Space(bounds, of_width, target, proportions)
    if not space.boxes:
        if bounds.widths():
            raise ConfigError(
                "no shape has a number of heads that num_key_value_heads divides", field="num_key_value_heads"
            )
        raise contradictions.explain(bounds, searched)
    extremes = space.smallest(), space.largest()
    notes = [*source.notes, *_beyond(target, *extremes)]
    band = int(target.value * percent / 100) if percent is not None else 0
    found = space.front() if pareto else space.nearest(number) if percent is None else space.usual(number, band)
    if percent and found[0].distance > band and target.value in range(extremes[0], extremes[1] + 1):
        notes.append(f"no shape within the bounds is within {written(percent)} % of the target: the nearest come first")
    return Designs(
        target,
        tuple(base.design(each, bounds.head(each.n_embd) or each.n_embd, target) for each in found),
        pareto=pareto,
        within=percent,
        model=source.name,
        model_type=base.model_type,
        bounds=_in_words(bounds, vocab_sizes, paddings, base),
        shapes=space.shapes,
        extremes=extremes,
        family=proportions,
        notes=tuple(notes),
    )


def _of_family(
    name: str, model: Model | LeftOut, read: Callable[..., SizeTarget], *, hub: bool
) -> tuple[Model | LeftOut, dict[str, Any]]:
    """Return the model that ships of a family and is nearest to the target in size, its default where none ships."""
    if model is not LEFT_OUT or hub:
        raise ConfigError("family and a model are two places that all other fields come from: give one", field="family")
    if not isinstance(name, str):
        raise ConfigError(f"family must be a model type such as llama, got {shown(name)}", field="family", got=name)
    if name not in architectures.FILES:
        raise UnknownNameError("family", name, tuple(architectures.FILES))
    if name == architectures.GPT2:
        return LEFT_OUT, {}
    members = family.others(name)
    if not members:
        return LEFT_OUT, {"model_type": name}
    target = read(find=measures.find_general)
    return presets.load(family.ranked(target.value, target.convention, members)[0].name), {}


def _percent(within: Fractions | float | None, *, nearest: bool, pareto: bool) -> Fraction | None:
    """Return how many percent off the target a shape may be; None where shapes are ranked by distance."""
    if within is None:
        return None if nearest or pareto else WITHIN
    if nearest or pareto:
        raise ConfigError(f"within and {'nearest' if nearest else 'pareto'} are two orders: give one", field="within")
    text = (
        repr(float(within)) if isinstance(within, float) else within
    )  # 0.5 is what is written, and no binary fraction
    found = numbers.whole(numbers.fraction(text.removesuffix("%").strip()) if isinstance(text, str) else text)
    if isinstance(found, (int, Fraction)) and not isinstance(found, bool) and 0 <= found < 100:
        return Fraction(found)
    raise ConfigError(
        f"within takes a percentage below 100, such as 2 or 0.5, got {shown(within)}", field="within", got=within
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


def _with_defaults(given: Mapping[str, Any], base: bases.Gpt2 | bases.Other) -> Bounds:
    """Return the bounds, with defaults for what is needed and not given."""
    defaults = {name: _read(name, value) for name, value in {**DEFAULTS, **base.bounds}.items()}
    if "n_inner" in given:
        defaults.pop("inner_ratio", None)
        defaults.pop("inner_multiple", None)
    if not base.has_inner:
        defaults["n_inner"] = NO_INNER
    return Bounds(**{**defaults, **given})


NO_INNER = spans.Span("0", (0,))
"""What stands for the width of the MLP where a family has none of its own."""


def _in_words(
    bounds: Bounds, vocab_sizes: Sequence[int], paddings: Sequence[int], base: bases.Gpt2 | bases.Other
) -> dict[str, str]:
    """Return the bounds in the words that give them: those of the options."""
    words = {name: bounds.text(name) for name, value in bounds._asdict().items() if value is not None}
    if not base.has_inner:
        del words["n_inner"]
    words["vocab_size"] = ranges.written(vocab_sizes)
    return words | ({"pad": ranges.written(paddings)} if tuple(paddings) != (1,) else {})


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
