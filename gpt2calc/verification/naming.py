"""From a listing to how its names are read: by which dialect, behind which prefix, and what else is left aside.

A prefix is found, of whatever kind: a model stands where a token embedding is and most names are known. Several such
places are refused, until somebody says which is meant. It must not know a shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.dialects import respellings
from gpt2calc.dialects.base import ENDS, readings, wrapped
from gpt2calc.errors import UnreadableInputError, closest, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.dialects.base import Dialect, Reading
    from gpt2calc.listing import StoredTensor, TensorListing

FITS = 2
"""A model is there where at least one in this many names is known, or one in this many of its tensors is there."""

PART = 4
"""Of several places, a model is where names of at least one in this many rows of its dialect are."""

MOST_NAMED = 3
"""How many prefixes an error names."""


class Names(NamedTuple):
    """How the names of a listing are read.

    Args:
        alike: the readings that know the most names, all of them behind one prefix.
        others: the other prefixes under which a model stands.
    """

    alike: tuple[Reading, ...]
    others: tuple[str, ...] = ()


def find(
    listing: TensorListing, dialects: Iterable[Dialect], what: str, *, tensors: int = 0, prefix: str | None = None
) -> Names | None:
    """Find how the names of a listing are read; None where they are of no such model, as `unknown` says.

    Args:
        listing: what a checkpoint holds.
        dialects: those that its names can be of.
        what: what a model is called that has such names.
        tensors: how many the model has, where that is known.
        prefix: where the model stands, as somebody says.

    Raises:
        UnreadableInputError: several models are there, or none under the prefix that is said.
    """
    names = [tensor.name for tensor in listing.tensors]
    stored = set(names)
    ranked = readings(names, dialects)
    whole = [each for each in ranked if any(each[1].named(row) in stored for row in each[1].dialect.embeddings)]
    best: dict[str, int] = {}  # one embedding is one model's, whatever dialects call it so
    for known, reading in whole:
        for row in reading.dialect.embeddings:
            best.setdefault(reading.named(row), known)
    whole = [each for each in whole if each[0] in {best[each[1].named(row)] for row in each[1].dialect.embeddings}]
    under = wrapped(names, {reading.wrapper for _, reading in whole})
    fitting: dict[str, list[tuple[int, Reading]]] = {}
    for known, reading in whole:
        if FITS * known >= min(under[reading.wrapper], tensors or len(names)):
            fitting.setdefault(reading.wrapper, []).append((known, reading))
    if len(fitting) > 1:  # a lone copy of an embedding is no second model
        fitting = {
            wrapper: group
            for wrapper, group in fitting.items()
            if any(PART * known >= len(reading.dialect.pieces) for known, reading in group)
        } or fitting
    if prefix is not None:
        fitting, others = _said(listing.name, what, prefix, ranked, fitting)
    elif len(fitting) > 1:
        problem = f"{what} is found under {_listed(fitting)}: --prefix says which is meant"
        raise UnreadableInputError(listing.name, problem)
    else:
        others = ()
    if not fitting and FITS * ranked[0][0] < max(len(names), 1):
        return None
    group = next(iter(fitting.values()), ranked)
    alike = (reading for known, reading in group if known == group[0][0])
    # Where nothing is stored that a dialect has folded away, that is the one, and not one that lacks all of it.
    return Names(tuple(sorted(alike, key=lambda each: not each.dialect.folded)), others)


def unknown(listing: TensorListing, dialects: Iterable[Dialect], what: str, advice: str = "") -> UnreadableInputError:
    """Return the error that says that names are of no such model, and what is nearest."""
    names = [tensor.name for tensor in listing.tensors]
    most, nearest = readings(names, dialects)[0]
    strange = next((name for name in names if nearest.find(name) is None), None)
    example = f", {shown(strange)} for one" if strange else ""
    return UnreadableInputError(
        listing.name,
        f"its names fit no {what.removeprefix('a ')}: the nearest dialect, {nearest.dialect.name}, knows {most:,} "
        f"of {len(names):,} tensors{example}{advice}",
    )


def _said(
    target: str,
    what: str,
    prefix: str,
    ranked: list[tuple[int, Reading]],
    fitting: dict[str, list[tuple[int, Reading]]],
) -> tuple[dict[str, list[tuple[int, Reading]]], tuple[str, ...]]:
    """Return the readings behind the prefix that somebody says, with or without the dot at its end, and all others.

    Raises:
        UnreadableInputError: none stands there, or several do.
    """
    ways = {prefix, f"{prefix}.", f"{prefix}/"} if prefix else {""}
    exact = [wrapper for wrapper, group in fitting.items() if any(_places(reading) & ways for _, reading in group)]
    below = exact or [each for each in fitting if prefix and each.startswith(tuple(ways))]
    if len(below) > 1:
        raise UnreadableInputError(target, f"{what} is found under {_listed(below)}: say which is meant")
    if below:
        return {below[0]: fitting[below[0]]}, tuple(each for each in fitting if each != below[0])
    there = [each for each in ranked if each[0] and _places(each[1]) & ways]  # its token embedding is missing
    if there:
        return {there[0][1].wrapper: there}, tuple(fitting)
    known = tuple(dict.fromkeys(place for _, reading in ranked for place in _places(reading)))
    found = f"it is found under {_listed(fitting)}" if fitting else "it is found nowhere"
    bare = {each.rstrip("./"): each for each in fitting or known}
    near = closest(prefix.rstrip("./"), tuple(bare))
    advice = f": did you mean {bare[near]}?" if near else f": {found}"
    raise UnreadableInputError(target, f"nothing of {what} stands under the prefix {shown(prefix)}{advice}")


def _places(reading: Reading) -> set[str]:
    """Return where one may say that a model stands: before all its names, or before those of its body."""
    return {reading.wrapper, reading.wrapper + reading.prefix}


def _listed(prefixes: Iterable[str]) -> str:
    """Name prefixes."""
    named = [shortened(prefix) or "none" for prefix in prefixes]
    if len(named) == 1:
        return named[0]
    among = " among them" if len(named) > MOST_NAMED else ""
    return f"{len(named)} prefixes, {', '.join(named[:MOST_NAMED])}{among}"


def respelled(listing: TensorListing) -> TensorListing:
    """Return a listing whose names are spelt as today, without words of training tools within; a note tells."""
    changed = respellings.respelled([tensor.name for tensor in listing.tensors])
    if not changed:
        return listing
    tensors = tuple(tensor._replace(name=changed.get(tensor.name, tensor.name)) for tensor in listing.tensors)
    old, new = next(iter(changed.items()))
    more = f", and {len(changed) - 1:,} more so" if len(changed) > 1 else ""
    note = f"{shortened(old)} is read as {shortened(new)}{more}: tools and old releases spell it so"
    return listing._replace(tensors=tensors, notes=(*listing.notes, note))


def within(listing: TensorListing, reading: Reading) -> TensorListing:
    """Leave aside what stands outside of a prefix that a whole model stands behind, and bears no name of that model.

    No config of the model can name such tensors: whoever wrote it there put it beside something else.
    """
    outside = [each for each in listing.tensors if not each.name.startswith(reading.wrapper)]
    strange = (each for each in outside if not reading.dialect.speaks(each.name))
    aside = {id(each) for each in strange if not respellings.beside(each.name)}
    if not aside:
        return listing
    kept = (tuple(each for each in listing.tensors if (id(each) in aside) == away) for away in (False, True))
    return listing._replace(tensors=next(kept), aside=next(kept))


def parted(
    listing: TensorListing, reading: Reading, others: tuple[str, ...] = (), *, is_part: bool = False
) -> TensorListing:
    """Leave aside what is not under the prefix of a model, or is under that of another one.

    Args:
        listing: what a checkpoint holds.
        reading: how the names of the model are read.
        others: the prefixes of others.
        is_part: whether the config names more than the model, so that without a prefix, too, others may be there.
    """
    below = tuple(each for each in others if each.startswith(reading.wrapper))  # one that stands above holds this one

    def is_inside(tensor: StoredTensor) -> bool:
        name = tensor.name
        is_under = name.startswith(reading.wrapper) and not name.startswith(below)
        return (is_under and bool(reading.wrapper or not is_part)) or (is_part and reading.find(name) is not None)

    inside = tuple(filter(is_inside, listing.tensors))
    if len(inside) == len(listing.tensors):
        return listing
    return listing._replace(tensors=inside, aside=tuple(each for each in listing.tensors if not is_inside(each)))


def with_heads(reading: Reading, listing: TensorListing) -> Reading:
    """Return a reading of a part of a checkpoint, whose head may stand before any part of the prefix of its body."""
    stored = {tensor.name for tensor in listing.tensors}
    wrapper = reading.wrapper
    places = [wrapper[:end] for end in (len(wrapper), *(each.end() for each in reversed([*ENDS.finditer(wrapper)])), 0)]
    heads = [piece.template for piece in reading.dialect.pieces if not piece.in_body]
    found = next((place for place in places if any(place + each in stored for each in heads)), wrapper)
    return reading if found == wrapper else reading._replace(heads=found)
