"""`Derivation`: closed forms shown, from the shapes of the tensors to a model's numbers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import formulas, tensor_table
from gpt2calc.algebra import ClosedForm, Expression, Shape
from gpt2calc.dims import EVERYTHING, LETTERS, Dims, dims_of, letters, symbols
from gpt2calc.errors import UnknownNameError
from gpt2calc.model import BUFFER, GROUPS
from gpt2calc.table import Table

if TYPE_CHECKING:
    from gpt2calc.model import Model, Number
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/formula/1"

ONLY_WHEN = {
    "ln_cross_attn": "add_cross_attention is true",
    "crossattention.c_attn": "add_cross_attention is true",
    "crossattention.q_attn": "add_cross_attention is true",
    "crossattention.c_proj": "add_cross_attention is true",
    "ln_f": "ln_f is true, as in every GPT-2; GPT-1 has none",
    "lm_head": "there is a language modeling head and tie_word_embeddings is false",
    "multiple_choice_head.summary": "the head is double_heads, where k is 1",
    "score": "the head is sequence_classification",
    "classifier": "the head is token_classification",
    "qa_outputs": "the head is question_answering",
}
"""What a model must be for a component to be there; the components that are not named always are."""


def names(counted: Dims | Model) -> tuple[str, ...]:
    """Return all that has a closed form, whatever the numbers: every component, every group, and the total."""
    rows = rows_of(counted)
    groups = [name for name in GROUPS if any(row.group == name for row in rows)]
    return (*(row.component for row in rows), *groups, "total")


def rows_of(counted: Dims | Model) -> tuple[formulas.Formula, ...]:
    """Return the closed form of every component, with how often it occurs in the whole model."""
    if isinstance(counted, Dims):
        return formulas.table(counted)
    return tuple(
        formulas.Formula(
            row.name, row.group, counted.count(row.layers) * row.times, row.weights, row.biases, row.source
        )
        for row in counted.components()
    )


class Drawn(NamedTuple):
    """A tensor of a component as it is shown: N stands for the number of a layer, and M for that of an expert."""

    name: str
    component: str
    role: str
    times: Number
    shape: tuple[Number, ...]


def tensors_of(counted: Dims | Model, prefix: str = "") -> list[Drawn]:
    """Return every tensor as it is shown; `prefix` is what stands before the number of a layer."""
    if isinstance(counted, Dims):
        rows = tensor_table.table(counted)
        return [Drawn(row.template.replace("{}", "N"), row.component, row.role, row.times, row.shape) for row in rows]
    return [
        Drawn(
            row.template.format(layer=f"{prefix}.N", n="M"),
            row.component,
            row.role,
            counted.count(row.layers) * row.when * row.times,
            row.shape,
        )
        for row in counted.architecture.tensors(counted)
        if row.role != BUFFER
    ]


def _numbers(counted: Dims | Model) -> dict[str, int]:
    """Return the number of each letter."""
    if isinstance(counted, Dims):
        return dict(zip(LETTERS.values(), counted.sizes, strict=True))
    sizes = {letter: counted.sizes[name] for name, letter in counted.letters().items()}
    return {**sizes, **counted.layer_letters()}


class Derivation:
    """The closed form of a component, of a group, or of a whole model.

    Args:
        name: a component, a group, or "total"; None lists every component.
        dims: the model; its structure is shown where it has the component, and its numbers are put in.
        model: the model's name, or None to show letters alone, with every component that a GPT-2 can have.

    Raises:
        UnknownNameError: there is no component and no group of this name.

    >>> import gpt2calc
    >>> gpt2calc.formula("attn.c_attn", "gpt2")
    <Derivation attn.c_attn = 3L·d² + 3L·d = 21,261,312 in gpt2>
    """

    __slots__ = ("counted", "listed", "model", "name", "notes", "shown")

    def __init__(self, name: str | None, counted: Dims | Model, model: str | None, notes: tuple[str, ...] = ()) -> None:
        if name is not None and name not in names(counted):
            raise UnknownNameError("component", name, names(counted))
        is_gpt2 = isinstance(counted, Dims)
        everything = Dims(*counted.sizes, *EVERYTHING.structure) if is_gpt2 else counted
        self.name = name or "total"
        self.counted = counted
        self.model = model
        self.notes = notes
        self.shown = counted if model or self.name == "total" else everything
        if not self._rows(self.shown):
            self.shown = everything
        self.listed = everything if name is None and not model else self.shown

    @property
    def dims(self) -> Dims:
        """What the formulas of a GPT-2 read.

        Raises:
            ConfigError: the model is of another architecture.
        """
        return dims_of(self.counted, self.model or self.name)

    def _letters(self, counted: Dims | Model) -> Dims | Model:
        """Return letters for the sizes, with m as 4d if it is so in the model."""
        if not isinstance(counted, Dims):
            return counted.lettered()
        return symbols(counted) if self.model else letters(counted.structure)

    def _rows(self, counted: Dims | Model) -> list[formulas.Formula]:
        rows = rows_of(self._letters(counted))
        wanted = (row for row in rows if self.name in ("total", row.component, row.group))
        return [row for row in wanted if Expression.of(row.times).terms]

    @property
    def forms(self) -> dict[str, ClosedForm]:
        """The closed form of each component that is a part of what is asked."""
        return self._forms(self.shown)

    def _forms(self, counted: Dims | Model) -> dict[str, ClosedForm]:
        return {row.component: ClosedForm(*map(Expression.of, row[2:5])) for row in self._rows(counted)}

    @property
    def has_alternatives(self) -> bool:
        """Whether the forms are of heads that exclude each other, so that their sum is nobody's."""
        return self.name == "head" and not self.model

    @property
    def alternatives(self) -> list[Expression]:
        """The formulas multiplied out: one for each head where they exclude each other, and else their one sum."""
        return [form.simplified for form in self.forms.values()] if self.has_alternatives else [self.simplified]

    @property
    def simplified(self) -> Expression:
        """The sum of the forms, multiplied out."""
        return sum((form.simplified for form in self.forms.values()), Expression({}))

    @property
    def total(self) -> int:
        """The model's own number, 0 where it does not have the component."""
        rows = (row for row in rows_of(self.counted) if self.name in ("total", row.component, row.group))
        return sum(row.times * (row.weights + row.biases) for row in rows)

    @property
    def numbers(self) -> str:
        """The formula with the model's sizes in place of the letters."""
        sizes = _numbers(self.counted)
        forms = list(self.forms.values())
        return forms[0].text(sizes) if len(forms) == 1 else self.simplified.text(sizes)

    def to_dict(self) -> dict[str, Any]:
        """Return the derivation as JSON takes it, in the schema that docs/json.md describes."""
        found: dict[str, Any] = {
            "schema": SCHEMA,
            "name": self.name,
            "simplified": None if self.has_alternatives else self.simplified.text(),
            "latex": None if self.has_alternatives else self.simplified.tex(),
            "components": [
                {
                    "name": name,
                    "formula": form.text(),
                    "latex": form.latex().strip("$"),
                    "simplified": form.simplified.text(),
                    "only_when": ONLY_WHEN.get(name),
                    "tensors": [
                        {"name": row.name, "role": row.role, "shape": shape.text()}
                        for row, shape, _ in self._tensors(name)
                    ],
                }
                for name, form in self._forms(self.listed).items()
            ],
        }
        if self.model:
            found |= {"model": self.model, "numbers": self.numbers, "total": self.total}
        return found | {"notes": list(self.notes)}

    def __repr__(self) -> str:
        value = f" = {self.total:,} in {self.model}" if self.model else ""
        return f"<Derivation {self.name} = {' or '.join(form.text() for form in self.alternatives)}{value}>"

    def _repr_latex_(self) -> str:
        forms = ", ".join(form.latex() for form in self.alternatives)
        value = f"{self.total:,}".replace(",", "{,}") if self.model else ""
        return f"$${forms.strip('$')} = {value}$$" if value and len(self.alternatives) == 1 else forms

    def _tensors(self, component: str) -> list[tuple[Drawn, Shape, Expression]]:
        """Return a component's tensors with shape and elements in letters."""
        prefix = "" if isinstance(self.counted, Dims) else self.counted.stacks[0].prefix
        rows = tensors_of(self._letters(self.listed), prefix)
        present = [row for row in rows if row.component == component and Expression.of(row.times).terms]
        shapes = [Shape(tuple(map(Expression.of, row.shape))) for row in present]
        elements = [prod(shape.sizes, start=Expression.of(1)) for shape in shapes]
        return list(zip(present, shapes, elements, strict=True))

    def tables(self) -> list[Table]:
        """Lay the derivation out: where it comes from, and the steps from there."""
        if self.has_alternatives:
            return [self.table()]
        single = self.name in self.forms
        return [self._tensor_table() if single else self.table(), self._step_table()]

    def _tensor_table(self) -> Table:
        rows = tuple(
            (row.name, row.role, shape, elements, Expression.of(row.times))
            for row, shape, elements in self._tensors(self.name)
        )
        return Table(f"{self.name}, from its tensors", ("tensor", "role", "shape", "elements", "times"), rows)

    def table(self) -> Table:
        """Lay the forms out as one table, a row a component."""
        rows = tuple(
            (name, form, form.simplified, ONLY_WHEN.get(name, "")) for name, form in self._forms(self.listed).items()
        )
        headers = ("component", "formula", "simplified", "only when")
        return Table(f"{self.name}, from its components", headers, rows)

    def _step_table(self) -> Table:
        forms = list(self.forms.values())
        steps: list[tuple[Cell, ...]] = [("formula", forms[0])] if len(forms) == 1 else []
        steps.append(("simplified", self.simplified))
        if "m" in self.simplified.letters and isinstance(self.counted, Dims):
            steps.append(("where m is 4d", self.simplified.put({"m": 4 * EVERYTHING.n_embd})))
        if self.model and self.shown is self.counted:
            steps += [(f"in {self.model}", self.numbers), ("parameters", self.total)]
        elif self.model:
            steps.append((f"in {self.model}", 0))
        if self.name in ONLY_WHEN:
            steps.append(("only when", ONLY_WHEN[self.name]))
        if len(forms) == 1:
            steps.append(("source", self._rows(self.shown)[0].source))
        return Table("", (self.name, ""), tuple(steps))
