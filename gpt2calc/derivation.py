"""`Derivation`: closed forms shown, from the shapes of the tensors to a model's numbers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from gpt2calc import formulas, tensor_table
from gpt2calc.algebra import ClosedForm, Expression, Shape
from gpt2calc.dims import EVERYTHING, LETTERS, Dims, letters, symbols
from gpt2calc.errors import UnknownNameError
from gpt2calc.table import Table

if TYPE_CHECKING:
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


def names(dims: Dims) -> tuple[str, ...]:
    """Return all that has a closed form, whatever the dims: every component, every group, and the total."""
    return (*(row.component for row in formulas.table(dims)), *formulas.GROUPS, "total")


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

    __slots__ = ("dims", "listed", "model", "name", "notes", "shown")

    def __init__(self, name: str | None, dims: Dims, model: str | None, notes: tuple[str, ...] = ()) -> None:
        if name is not None and name not in names(dims):
            raise UnknownNameError("component", name, names(dims))
        everything = Dims(*dims.sizes, *EVERYTHING.structure)
        self.name = name or "total"
        self.dims = dims
        self.model = model
        self.notes = notes
        self.shown = dims if model or self.name == "total" else everything
        if not self._rows(self.shown):
            self.shown = everything
        self.listed = everything if name is None and not model else self.shown

    def _letters(self, dims: Dims) -> Dims:
        """Return letters for the sizes, with m as 4d if it is so in the model."""
        return symbols(dims) if self.model else letters(dims.structure)

    def _rows(self, dims: Dims) -> list[formulas.Formula]:
        rows = formulas.table(self._letters(dims))
        wanted = (row for row in rows if self.name in ("total", row.component, row.group))
        return [row for row in wanted if Expression.of(row.times).terms]

    @property
    def forms(self) -> dict[str, ClosedForm]:
        """The closed form of each component that is a part of what is asked."""
        return self._forms(self.shown)

    def _forms(self, dims: Dims) -> dict[str, ClosedForm]:
        return {row.component: ClosedForm(*map(Expression.of, row[2:5])) for row in self._rows(dims)}

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
        rows = (row for row in formulas.table(self.dims) if self.name in ("total", row.component, row.group))
        return sum(row.times * (row.weights + row.biases) for row in rows)

    @property
    def numbers(self) -> str:
        """The formula with the model's sizes in place of the letters."""
        sizes = dict(zip(LETTERS.values(), self.dims.sizes, strict=True))
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
                        {"name": row.template.replace("{}", "N"), "role": row.role, "shape": shape.text()}
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
        return ", ".join(form.latex() for form in self.alternatives)

    def _tensors(self, component: str) -> list[tuple[tensor_table.Row, Shape, Expression]]:
        """Return a component's tensors with shape and elements in letters."""
        rows = (row for row in tensor_table.table(self._letters(self.listed)) if row.component == component)
        present = [row for row in rows if Expression.of(row.times).terms]
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
            (row.template.replace("{}", "N"), row.role, shape, elements, Expression.of(row.times))
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
        if "m" in self.simplified.letters:
            steps.append(("where m is 4d", self.simplified.put({"m": 4 * EVERYTHING.n_embd})))
        if self.model and self.shown is self.dims:
            steps += [(f"in {self.model}", self.numbers), ("parameters", self.total)]
        elif self.model:
            steps.append((f"in {self.model}", 0))
        if self.name in ONLY_WHEN:
            steps.append(("only when", ONLY_WHEN[self.name]))
        if len(forms) == 1:
            steps.append(("source", self._rows(self.shown)[0].source))
        return Table("", (self.name, ""), tuple(steps))
