"""`Verification`: whether a checkpoint holds what its config says, with the evidence, and what is wrong.

Pure: it brings formulas and observations together, and lays the result out. It opens no file and asks no framework.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import gpt2
from gpt2calc.dialects.base import templated
from gpt2calc.dims import Dims, dims_of, to_fields
from gpt2calc.errors import shortened
from gpt2calc.stored import PARTS
from gpt2calc.table import BAD, GOOD, HINT, Difference, Percent, Said, Scaled, Table
from gpt2calc.verification.holdings import PADDING, REST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.listing import Fault
    from gpt2calc.model import Model
    from gpt2calc.table import Cell
    from gpt2calc.verification.holdings import Holding

SCHEMA = "gpt2calc/verify/1"

HEADER, META, WEIGHTS = "header", "meta", "weights"
EVIDENCE = {
    HEADER: "names and shapes from the header; no weights were read",
    META: "the model that transformers builds from the config, on torch's meta device",
    WEIGHTS: "the weights, loaded; sum(p.numel() for p in model.parameters())",
}
"""The kinds of evidence from the weakest to the strongest, each with what was looked at."""

MOST_SHOWN_FAULTS = 20
"""How many faults a person is shown; JSON and CSV have them all."""


class Observation(NamedTuple):
    """What one kind of evidence came to.

    Args:
        evidence: header, meta or weights.
        how: what was looked at, in a few words.
        parameters: the sum of `numel()` that was observed.
        components: the same by component.
        faults: what is wrong.
        more: how many faults were left out.
    """

    evidence: str
    how: str
    parameters: int
    components: Mapping[str, int]
    faults: tuple[Fault, ...] = ()
    more: int = 0


class Checked(NamedTuple):
    """What was verified, and against what.

    Args:
        target: what the user called it.
        format: the format of the file, or what else it is.
        dialect: how its tensors are named.
        prefix: what stands before the names.
        config: where the config comes from.
        given: whether the config was given or found; False where it was inferred from the shapes.
        n_head: attention heads, and None where they are not known.
        holdings: what the stored elements and bytes are.
        dtypes: how many tensors of parameters have each dtype.
        size: the bytes of all files.
        shapes_say: what the shapes say where the config says something else, by field.
        own_total: the parameters of the model that the shapes alone show, where nothing else is wrong with the file.
        whose: whose names its tensors have, and behind which prefix, where they are not transformers' own.
        tensors: how many tensors the model has under these names, where that depends on whose they are.
        part: which whole parts of the model the file holds, where it holds nothing of the rest.
        unknown: the sizes of another architecture than GPT-2 that no shape shows.
        absent: layers that predict further tokens of which the config speaks and nothing was found.
        folded: the components that are no tensors of their own under these names, and are counted in no total.
    """

    target: str
    format: str
    dialect: str
    prefix: str
    config: str
    given: bool
    n_head: int | None
    holdings: tuple[Holding, ...] = ()
    dtypes: Mapping[str, int] = {}
    size: int = 0
    shapes_say: Mapping[str, Any] = {}
    own_total: int | None = None
    whose: str = ""
    tensors: int | None = None
    unknown: tuple[str, ...] = ()
    folded: frozenset[str] = frozenset()
    part: str = ""
    absent: int = 0

    @property
    def beside(self) -> str:
        """What is stored beside the model, or is not, as a verdict ends."""
        elements = sum(part.elements for part in self.holdings if part.what in PARTS)
        found = [f"and {elements:,} elements beside it"] if elements else []
        if self.absent:
            said = "layer that predicts a further token" if self.absent == 1 else "layers that predict further tokens"
            found.append(f"and nothing found of the {said}, of which the config says {self.absent:,}")
        return "".join(f", {each}" for each in found)


class Verification:
    """The result of one verification.

    Law: it matches when nothing is wrong with any tensor, and for every component the closed form equals what each kind
    of evidence observed, exactly.

    Args:
        counted: the dims of a GPT-2, or the model of another architecture, that is held against the checkpoint.
        checked: what was verified, and against what.
        observations: what each kind of evidence came to, the weakest first.
        tying: how wte and lm_head are tied, where that was looked at.
        values: statistics of the values by component and role, where they were read.
        notes: what a reader should know, a sentence each.

    >>> import gpt2calc, torch
    >>> shapes = {tensor.name: torch.empty(tensor.shape, device="meta") for tensor in gpt2calc.tensors("gpt2")}
    >>> del shapes["transformer.h.7.ln_2.bias"]
    >>> [fault.tensor for fault in gpt2calc.verify(shapes, "gpt2").faults]
    ['transformer.h.7.ln_2.bias']
    """

    __slots__ = ("checked", "counted", "notes", "observations", "tying", "values")

    def __init__(
        self,
        counted: Dims | Model,
        checked: Checked,
        observations: tuple[Observation, ...],
        *,
        tying: Any = None,
        values: Any = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.counted, self.checked, self.observations = counted, checked, observations
        self.tying, self.values, self.notes = tying, values, notes

    @property
    def dims(self) -> Dims:
        """The sizes and structure of a GPT-2.

        Raises:
            ConfigError: the model is of another architecture.
        """
        return dims_of(self.counted, self.checked.target)

    @property
    def config(self) -> dict[str, Any]:
        """The config that was held against the checkpoint."""
        if isinstance(self.counted, Dims):
            return {**to_fields(self.counted), "n_head": self.checked.n_head}
        return {**self.counted.document(), **dict.fromkeys(self.checked.unknown)}

    @property
    def size(self) -> int:
        """How many tensors the model has; of another architecture than GPT-2, buffers among them."""
        if self.checked.tensors is not None:
            return self.checked.tensors
        return gpt2.model_of(self.counted).size()

    @property
    def expected(self) -> dict[str, int]:
        """What the closed form of each component that the model has comes to, in parameters."""
        model = gpt2.model_of(self.counted)
        rows = ((row, model.count(row.layers) * row.times) for row in model.components())
        present = ((row, times) for row, times in rows if times and row.name not in self.checked.folded)
        return {row.name: times * (row.weights + row.biases) for row, times in present}

    @property
    def total(self) -> int:
        """What the closed forms come to, in parameters."""
        return sum(self.expected.values()) if isinstance(self.counted, Dims) else int(self.counted.total())

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong, each once, whatever evidence found it."""
        return tuple(dict.fromkeys(fault for each in self.observations for fault in each.faults))

    @property
    def more(self) -> int:
        """How many faults were left out, since there are so many."""
        return sum(each.more for each in self.observations)

    @property
    def matches(self) -> bool:
        """Whether everything is as the config says."""
        expected = self.expected
        return not self.faults and all(
            each.parameters == self.total
            and all(each.components.get(name, 0) == count for name, count in expected.items())
            for each in self.observations
        )

    def __bool__(self) -> bool:
        return self.matches

    @property
    def verdict(self) -> str:
        """The verdict in one line."""
        checked, size = self.checked, self.size
        if self.matches and not checked.dialect:
            what = f"{self.total:,} parameters in {size:,} tensors"
            return f"{checked.target} is a config alone, and matches the model that transformers builds: {what}"
        if self.matches:
            whose = "as the config says" if checked.given else "as its own shapes imply; no config was given"
            named = f", {checked.whose}" if checked.whose else ""
            what = f"{self.total:,} parameters in {size:,} tensors, {whose}{named}{checked.beside}"
            return f"{checked.target} matches: {what}"
        if checked.part and checked.own_total is None and self.observations[0].faults:
            held = self.observations[0].parameters
            whole = f"expected {self.total:,}" if checked.given else "no config says what the whole is"
            parts = f"it holds {checked.part} and nothing else ({held:,} parameters, {whole})"
            return f"{checked.target} does not match the whole model: {parts}"
        wrong = len(self.faults) + self.more
        names = list(dict.fromkeys(fault.tensor for fault in self.faults))
        first = ", ".join(map(shortened, names[:3])) + (
            f" and {len(names) - 3 + self.more:,} more" if len(names) > 3 else ""
        )
        if checked.own_total is not None:
            own = self.config
            said = checked.shapes_say.items()
            sizes = ", ".join(f"{field} {_said(value)} and not {_said(own[field])}" for field, value in said)
            count = f"{checked.own_total:,} parameters, expected {self.total:,}"
            return f"{checked.target} does not match: it has {sizes}, by {first} ({count})"
        observed = next((each.parameters for each in self.observations if each.parameters != self.total), self.total)
        count = (
            f"{observed:,} parameters, expected {self.total:,}"
            if observed != self.total
            else "as many parameters as expected"
        )
        what = f"{wrong:,} thing{'s are' if wrong != 1 else ' is'} wrong: {first}" if wrong else "the counts differ"
        return f"{checked.target} does not match: {what} ({count})"

    def __repr__(self) -> str:
        return f"<Verification {self.verdict}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        summary, *tables = self.tables()
        notes = [Said(f"note: {note}", HINT) for note in self.notes]
        return html.write([self._judged(), summary._replace(title=""), *tables, *notes])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        checked = self.checked
        return {
            "schema": SCHEMA,
            "target": checked.target,
            "matches": self.matches,
            "verdict": self.verdict,
            "total": self.total,
            "format": checked.format,
            "dialect": checked.dialect,
            "prefix": checked.prefix,
            "config": self.config,
            "config_source": checked.config,
            "config_given": checked.given,
            "shapes_say": dict(checked.shapes_say),
            "evidence": [
                {
                    "evidence": each.evidence,
                    "how": each.how,
                    "parameters": each.parameters,
                    "matches": each.parameters == self.total and not each.faults,
                }
                for each in self.observations
            ],
            "components": [
                {
                    "name": name,
                    "formula": count,
                    "observed": {each.evidence: each.components.get(name, 0) for each in self.observations},
                    "difference": self._difference(name, count),
                }
                for name, count in self._parts().items()
            ],
            "faults": [fault._asdict() for fault in self.faults],
            "more_faults": self.more,
            "held": [part._asdict() for part in checked.holdings],
            "elements": sum(part.elements for part in checked.holdings),
            "bytes": checked.size,
            "dtypes": [{"dtype": dtype, "tensors": count} for dtype, count in checked.dtypes.items()],
            "adapter": None,
            "tying": self.tying and self.tying.to_dict(),
            "values": self.values and self.values.to_dict(),
            "notes": list(self.notes),
        }

    def _parts(self) -> dict[str, int]:
        """Return the closed form of every component that is expected or was observed."""
        expected = self.expected
        observed = {name: 0 for each in self.observations for name in each.components}
        return expected | {name: zero for name, zero in observed.items() if name not in expected}

    def _difference(self, name: str, count: int) -> int:
        """Return the first difference between an observation and the closed form; 0 where there is none."""
        differences = (each.components.get(name, 0) - count for each in self.observations)
        return next((difference for difference in differences if difference), 0)

    def tables(self) -> list[Table]:
        """Lay the result out: the verdict, what is wrong, the components, what the bytes are, tying and values."""
        tables = [self._summary()]
        if self.faults:
            tables.append(self._wrong())
        tables.append(self.table())
        if self.checked.holdings:
            tables.append(self._stored())
        for part in (self.tying, self.values):
            tables += part.tables() if part else []
        return tables

    def screen(self) -> list[Table | Said]:
        """Lay the result out for a terminal, where what is seen is the end: the verdict again, as the last line."""
        return [*self.tables(), self._judged()]

    def _judged(self) -> Said:
        return Said(self.verdict, GOOD if self.matches else BAD)

    def table(self) -> Table:
        """Lay the components out: the closed form, what each evidence observed, and the difference."""
        kinds = tuple(each.evidence for each in self.observations)
        rows: list[tuple[Cell, ...]] = [
            (name, count, *(each.components.get(name, 0) for each in self.observations), difference)
            for name, count in self._parts().items()
            for difference in (Difference(self._difference(name, count)),)
        ]
        sums = tuple(each.parameters for each in self.observations)
        off = next((each - self.total for each in sums if each != self.total), 0)
        total: tuple[Cell, ...] = ("total", self.total, *sums, Difference(off))
        return Table("", ("component", "formula", *kinds, "difference"), (*rows, None, total))

    def _summary(self) -> Table:
        checked, counted = self.checked, self.counted
        if isinstance(counted, Dims):
            named = ["n_layer", "n_embd", "n_positions", "vocab_size"]
            named += ["n_inner"] if counted.n_inner != 4 * counted.n_embd else []
            sizes = ", ".join(f"{name} {getattr(counted, name):,}" for name in named)
        else:
            shown = [name for name in counted.letters() if name != "num_labels"]
            sizes = f"{counted.architecture.model_type}, " + ", ".join(f"{n} {counted.sizes[n]:,}" for n in shown[:6])
        rows: list[tuple[Cell, ...]] = [("config", f"{checked.config}: {sizes}")]
        if checked.shapes_say and not self.matches:
            own = self.config
            said = (f"{field} {_said(value)}, not {_said(own[field])}" for field, value in checked.shapes_say.items())
            rows.append(("shapes", ", ".join(said)))
        if checked.holdings:
            names = (
                f"{checked.dialect}, names {f'begin with {checked.prefix}' if checked.prefix else 'without a prefix'}"
            )
            dtypes = ", ".join(f"{count:,} tensors of {dtype}" for dtype, count in checked.dtypes.items())
            rows += [("format", checked.format), ("dialect", names), ("dtype", dtypes or "no parameters")]
        rows += [("evidence", f"{each.evidence}: {each.how}") for each in self.observations]
        return Table(self.verdict, ("checked", "what was found"), tuple(rows))

    def _wrong(self) -> Table:
        groups = _grouped(self.faults)
        rows: list[tuple[Cell, ...]] = [
            (kind, shortened(tensor), said) for kind, tensor, said, _ in groups[:MOST_SHOWN_FAULTS]
        ]
        left = sum(size for _, _, _, size in groups[MOST_SHOWN_FAULTS:]) + self.more
        rows += [("and", f"{left:,} more", "--json lists them")] if left else []
        return Table("", ("wrong", "tensor", "what is wrong"), tuple(rows))

    def _stored(self) -> Table:
        holdings = self.checked.holdings
        whole = sum(part.bytes for part in holdings)

        def row(part: Holding) -> tuple[Cell, ...]:
            tensors = "" if part.what in (PADDING, REST) else part.tensors
            elements = "" if part.what == REST else part.elements
            return part.what, tensors, elements, part.bytes, Scaled(part.bytes, 10**6, "MB"), Percent(part.bytes, whole)

        sums = sum(part.tensors for part in holdings), sum(part.elements for part in holdings)
        total: tuple[Cell, ...] = ("total", *sums, whole, Scaled(whole, 10**6, "MB"), Percent(whole, whole))
        return Table(
            "", ("stored", "tensors", "elements", "bytes", "in MB", "share"), (*map(row, holdings), None, total)
        )


def _said(value: object) -> str:
    return f"{value:,}" if type(value) is int else str(value).lower()


def _grouped(faults: tuple[Fault, ...]) -> list[tuple[str, str, str, int]]:
    """Put faults that differ in the number of the block alone into one: kind, tensor, message, and how many."""
    groups: dict[tuple[str, str, str], list[int | None]] = {}
    for fault in faults:
        template, block = templated(fault.tensor)
        message = fault.message if block is None else fault.message.replace(f".{block}.", ".{}.")
        groups.setdefault((fault.kind, template, message), []).append(block)
    return [
        (kind, template.replace("{}", _blocks(blocks)), message.replace("{}", _blocks(blocks)), len(blocks))
        for (kind, template, message), blocks in groups.items()
    ]


def _blocks(blocks: list[int | None]) -> str:
    """Write the numbers of blocks: 3, or {0..11}, or {1,5,7}."""
    numbers = sorted({block for block in blocks if block is not None})
    if len(numbers) < 2:
        return "".join(map(str, numbers))
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    written = [f"{first}" if first == last else f"{first}..{last}" for first, last in runs]
    return f"{{{','.join(written[:5] + ['...'] * (len(written) > 5))}}}"
