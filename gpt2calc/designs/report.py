"""`Designs`: the shapes that were found, what was asked, what was searched, and the tables that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import gpt2
from gpt2calc.conventions import BYTES
from gpt2calc.designs.measures import TOTAL
from gpt2calc.dims import Dims, dims_of
from gpt2calc.table import HINT, Percent, Ratio, Said, Table, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from fractions import Fraction

    from gpt2calc.designs.family import Family
    from gpt2calc.designs.targets import SizeTarget
    from gpt2calc.model import Model
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/design/1"

MEANINGS = {
    "n_layer": "blocks",
    "n_embd": "width",
    "embd_multiple": "n_embd is a multiple of it",
    "head_size": "n_embd / n_head; of several, the smallest that divides n_embd",
    "n_head": "heads",
    "aspect": "n_embd / n_layer",
    "n_inner": "width of the MLP",
    "inner_ratio": "n_inner / n_embd",
    "inner_multiple": "n_inner is a multiple of it",
    "vocab_size": "tokens, padding included",
    "pad": "vocab_size is rounded up to a multiple of it",
}
"""What each bound says."""


class Design(NamedTuple):
    """One shape: what is counted, its sizes, what is counted of it beside what was asked for, and its config.json.

    `n_kv` is how many heads of keys and values it has, 0 where they are as many as its heads.
    """

    counted: Dims | Model
    n_layer: int
    n_embd: int
    n_inner: int
    vocab_size: int
    n_head: int
    n_kv: int
    value: int
    difference: int
    config: dict[str, Any]

    @property
    def dims(self) -> Dims:
        """What the formulas of a GPT-2 read.

        Raises:
            ConfigError: it is of another architecture.
        """
        return dims_of(self.counted, self.name)

    @property
    def name(self) -> str:
        """The shape in short, for where a design is counted as a model."""
        return f"{self.n_layer}x{self.n_embd}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: a design is as it was asked for."""
        return ()

    @property
    def total(self) -> int:
        """All parameters of the model, however the target counts."""
        return int(gpt2.model_of(self.counted).total())

    @property
    def per_block(self) -> int:
        """The parameters of one block."""
        model = gpt2.model_of(self.counted)
        inside = (row for row in model.components() if row.layers and model.count(row.layers))
        return sum(int(row.times * (row.weights + row.biases)) for row in inside)

    @property
    def aspect(self) -> Ratio:
        """The width over the depth."""
        return Ratio(self.n_embd, self.n_layer, 2)


class Designs:
    """Shapes for a budget, the one that is ranked first in front.

    >>> import gpt2calc
    >>> designs = gpt2calc.design(124_439_808)
    >>> designs[0].config["n_layer"], designs[0].config["n_embd"], designs[0].difference
    (12, 768, 0)
    """

    __slots__ = (
        *("answers", "bounds", "family", "largest", "model", "model_type", "notes", "pareto", "shapes", "smallest"),
        *("target", "within"),
    )

    def __init__(
        self,
        target: SizeTarget,
        answers: tuple[Design, ...],
        *,
        pareto: bool,
        within: Fraction | None,
        model: str,
        model_type: str,
        bounds: Mapping[str, str],
        shapes: int,
        extremes: tuple[int, int],
        family: Family,
        notes: tuple[str, ...],
    ) -> None:
        self.target = target
        self.answers = answers
        self.pareto = pareto
        self.within = within
        self.model = model
        self.model_type = model_type
        self.bounds = bounds
        self.shapes = shapes
        self.smallest, self.largest = extremes
        self.family = family
        self.notes = notes

    def __iter__(self) -> Iterator[Design]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def __getitem__(self, place: int) -> Design:
        return self.answers[place]

    def __repr__(self) -> str:
        first = f", the first {self[0].name} with {self[0].value:,}" if self.answers else ""
        return f"<Designs {self.target.text}: {len(self):,} of {self.shapes:,} shapes{first}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        aspect = self.family.aspect
        return {
            "schema": SCHEMA,
            "given": self.target.text,
            "target": self.target.value,
            "convention": self.target.convention.name,
            "unit": self.target.convention.unit,
            "fits": self.target.fits,
            "pareto": self.pareto,
            "within": None if self.within is None else float(self.within),
            "model": self.model,
            "model_type": self.model_type,
            "bounds": dict(self.bounds),
            "shapes": self.shapes,
            "smallest": self.smallest,
            "largest": self.largest,
            "family": {
                "aspect": aspect.numerator / aspect.denominator,  # two exact integers, correctly rounded
                "models": [name for name, _ in self.family.members],
            },
            "designs": [
                {
                    "config": each.config,
                    "value": each.value,
                    "difference": each.difference,
                    "total": each.total,
                    "per_block": each.per_block,
                    "aspect": each.n_embd / each.n_layer,
                }
                for each in self.answers
            ],
            "notes": list(self.notes),
        }

    def tables(self) -> list[Table]:
        """Lay the answer out: the shapes, and what was searched."""
        return [self.table(), self.bounds_table()]

    def screen(self, *, verbose: bool) -> list[Table | Said]:
        """Lay the answer out for a terminal, what was searched as one line unless all of it is asked for."""
        if verbose:
            return [*self.tables()]
        members = ", ".join(name for name, _ in self.family.members)
        front = "; pareto is yes where no other shape is at least as near in both" if self._is_by_distance else ""
        said = (
            f"aspect is n_embd / n_layer, family that over the {rounded(*self.family.aspect.as_integer_ratio(), 2)} of "
        )
        said += f"{members}{front}; {self.shapes:,} shapes searched: bounds and order with --verbose"
        return [self.table(), Said(said, HINT)]

    def table(self) -> Table:
        """Lay the shapes out, one a row, each with what it is ranked by."""
        total, answers = self.target.convention.name == TOTAL, self.answers
        shown = {
            "n_layer": True,
            "n_embd": True,
            "n_head": True,
            "n_kv": any(each.n_kv for each in answers),
            "n_inner": any(each.n_inner not in (0, 4 * each.n_embd) for each in answers),
            "vocab_size": "," in self.bounds["vocab_size"],
            "parameters": True,
            self._counted: not total,
            self._difference: True,
            "percent": True,
            "per block": total and not any(each.n_kv for each in answers),  # which a terminal has no room for
            "aspect": True,
            "family": True,
            "pareto": self._is_by_distance,
        }
        headers = tuple(name for name, is_shown in shown.items() if is_shown)
        return Table(self._title(), headers, tuple(tuple(row[name] for name in headers) for row in self._rows()))

    def flat_table(self) -> Table:
        """Lay the same out for a spreadsheet, with every column whatever was asked."""
        rows = self._rows()
        if not self._is_by_distance:
            rows = [{name: cell for name, cell in row.items() if name != "pareto"} for row in rows]
        return Table("", tuple(rows[0]), tuple(tuple(row.values()) for row in rows))

    @property
    def _is_by_distance(self) -> bool:
        """Whether all that are nearer to the target stand before a shape, so that a row shows what is on the front."""
        return not self.pareto and self.within is None

    @property
    def _counted(self) -> str:
        return "bytes" if self.target.convention.unit == BYTES else self.target.convention.name

    @property
    def _difference(self) -> str:
        return "left" if self.target.fits else "difference"

    def _rows(self) -> list[dict[str, Cell]]:
        """Return the cells of each shape by their header."""
        aspect, rows, nearest = self.family.aspect, [], None
        for each in self.answers:
            factor = self.family.factor(each.n_layer, each.n_embd)
            on_front = nearest is None or factor < nearest  # all that are nearer to the target stand before it
            nearest = min(factor, nearest or factor)
            row: dict[str, Cell] = {"n_layer": each.n_layer, "n_embd": each.n_embd, "n_head": each.n_head}
            row |= {"n_kv": each.n_kv or each.n_head, "n_inner": each.n_inner, "vocab_size": each.vocab_size}
            row |= {"parameters": each.total}
            row |= {self._counted: each.value, self._difference: each.difference}
            row |= {"percent": Percent(each.difference, self.target.value), "per block": each.per_block}
            row |= {"aspect": each.aspect}
            row |= {"family": Ratio(each.n_embd * aspect.denominator, each.n_layer * aspect.numerator, 2)}
            row |= {"pareto": "yes" if on_front else ""}
            rows.append(row)
        return rows

    def _title(self) -> str:
        text, convention = self.target.text, self.target.convention
        what = f"{text} in {convention.name.removesuffix('_bytes')}" if self.target.fits else text
        counted = "" if convention.name == TOTAL or self.target.fits else f", counted as {convention.name}"
        if self.pareto:
            return f"the Pareto front of {what}{counted}: nearer to it, or nearer to the family's proportions"
        largest = f"the largest shapes whose weights alone fit {what}"
        if self.within is None:
            return largest if self.target.fits else f"the shapes nearest to {what}{counted}"
        usual = "the family's proportions first"
        return f"{largest}, {usual}" if self.target.fits else f"shapes of {what}{counted}, {usual}"

    def bounds_table(self) -> Table:
        """Lay out what was searched, and what the shapes are ranked by."""
        convention, family = self.target.convention, self.family
        members = ", ".join(f"{name} {rounded(*aspect.as_integer_ratio(), 2)}" for name, aspect in family.members)
        proportions = rounded(*family.aspect.as_integer_ratio(), 2)
        nearness = f"nearness of n_embd / n_layer to the family's {proportions}"
        first = "how little is left" if self.target.fits else "distance to the target"
        order = f"{first}, {'and' if self.pareto else 'then'} {nearness}"
        if self.within is not None:
            what = "leaves" if self.target.fits else "is"
            order = f"what {what} {written(self.within)} % or less{'' if self.target.fits else ' off'}: {nearness}; "
            order += f"all others: {first}; what is exact comes first"
        rows = (
            ("target", f"{self.target.value:,}", f"{convention.unit}: {convention.sentence}"),
            ("shapes", f"{self.shapes:,}", "all that these bounds allow; none was left out"),
            *((name, words, MEANINGS[name]) for name, words in self.bounds.items()),
            ("model", self.model, "gives all other fields"),
            ("ranked by", "", order),
            ("family", proportions, f"the median of those nearest in size: {members}"),
            *([("pareto", "yes", "no other shape is at least as near in both")] if self._is_by_distance else []),
        )
        return Table("", ("searched", "", ""), rows)


def written(percent: Fraction) -> str:
    """Return a percentage as people write it.

    >>> from fractions import Fraction
    >>> written(Fraction(2)), written(Fraction(1, 2))
    ('2', '0.5')
    """
    return f"{float(percent):g}"
