"""`Measurement`: what a cost says beside what torch and transformers find, figure by figure, with the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.costs.measuring import Bench
from gpt2calc.errors import ConfigError, shown
from gpt2calc.table import Ratio, Table

if TYPE_CHECKING:
    from gpt2calc.costs.report import Cost

SCHEMA = "gpt2calc/measure/1"

LEAST_PEAK = 98
"""A predicted peak is at least so many hundredths of the measured one, or it does not match."""

MOST_BLOCKS = 1000
"""Deeper models are not built, with values or without: a block takes milliseconds either way."""

MOST_BYTES = 16 * 2**30
"""What is run with values, a step or generate(), may hold so much: what the laws say of it is known before."""

MOST_FLOPS = 10**15
"""What is run with values may take so many operations: hours on a CPU."""

MOST_NEW_TOKENS = 10_000
"""generate() takes a step for each."""

WALK = "fake tensors"
COUNTER = "torch's counter"


class Line(NamedTuple):
    """One figure, predicted and measured.

    Args:
        what: which figure it is.
        predicted: what the laws say.
        measured: what was found.
        how: by what.
        is_exact: whether it has to be the same; a peak may be off by a little.
    """

    what: str
    predicted: int
    measured: int
    how: str
    is_exact: bool = True

    @property
    def difference(self) -> int:
        """Predicted less measured."""
        return self.predicted - self.measured

    @property
    def holds(self) -> bool:
        """Whether it is the same, or, for a peak, no more than 2 % below."""
        return not self.difference if self.is_exact else 100 * self.predicted >= LEAST_PEAK * self.measured


class Measurement:
    """What was predicted and measured of one model; it is true where every figure holds.

    Args:
        cost: what the laws say.
        lines: the figures.
        notes: what a reader should know, a sentence each.

    >>> import gpt2calc
    >>> cost = gpt2calc.cost(n_layer=1, n_embd=8, n_head=2, vocab=11, seq=4)
    >>> Measurement(cost, (Line("forward FLOPs", cost.forward, cost.forward, "hand"),)).matches
    True
    """

    def __init__(self, cost: Cost, lines: tuple[Line, ...], notes: tuple[str, ...] = ()) -> None:
        self.cost = cost
        self.name = cost.name
        self.lines = lines
        self.notes = notes

    @property
    def matches(self) -> bool:
        """Whether every figure holds."""
        return all(line.holds for line in self.lines)

    @property
    def verdict(self) -> str:
        """Return the verdict in one sentence."""
        wrong = [line.what for line in self.lines if not line.holds]
        exact = sum(line.is_exact for line in self.lines)
        if wrong:
            return f"{self.name} does not match: {', '.join(wrong)}"
        return f"{self.name} matches: {exact} of {exact} figures are what was measured, to the last FLOP and byte"

    def __bool__(self) -> bool:
        return self.matches

    def __repr__(self) -> str:
        return f"<Measurement {self.verdict}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write([self.table()])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "model": self.name,
            "matches": self.matches,
            "verdict": self.verdict,
            "settings": self.cost.to_dict()["settings"],
            "figures": [
                {
                    "what": line.what,
                    "predicted": line.predicted,
                    "measured": line.measured,
                    "difference": line.difference,
                    "exact": line.is_exact,
                    "holds": line.holds,
                    "how": line.how,
                }
                for line in self.lines
            ],
            "notes": list(self.notes),
        }

    def table(self) -> Table:
        """Lay the figures out, predicted, measured, and the difference; of a peak the ratio as well."""
        rows = tuple(
            (
                line.what,
                line.predicted,
                line.measured,
                line.difference,
                "" if line.is_exact else Ratio(line.predicted, line.measured),
                line.how,
            )
            for line in self.lines
        )
        headers = ("figure", "predicted", "measured", "difference", "ratio", "measured by")
        return Table(self.verdict, headers, rows)


def measure(cost: Cost) -> Measurement:
    """Measure every figure that a cost has.

    Raises:
        ConfigError: torch or transformers is missing, transformers has no such model, or it is too large to be run.
    """
    _bound(cost)
    try:
        return _measured(cost)
    except (RuntimeError, MemoryError, OverflowError) as error:  # torch's, for what no machine holds
        reason = shown(str(error).splitlines()[0]) if str(error) else type(error).__name__
        raise ConfigError(
            f"torch cannot run {cost.name} as it is asked for, with smaller sizes it may: {reason}"
        ) from None


def _bound(cost: Cost) -> None:
    """Refuse what would take hours or more memory than machines have, by what the laws say of it."""
    dims, asked = cost.dims, cost.settings
    if dims.n_layer > MOST_BLOCKS:
        raise ConfigError(f"a model of at most {MOST_BLOCKS:,} blocks is built to be measured, got {dims.n_layer:,}")
    if cost.weights >= 2**63:
        raise ConfigError(
            f"torch has no model of {cost.weights:,} bytes, as {cost.name} would be, not even without values"
        )
    is_trained = bool(asked.train or asked.optimizer)
    if not is_trained and cost.kv_bytes is None:
        return  # on meta, where nothing has values
    if (asked.new or 1) > MOST_NEW_TOKENS:
        raise ConfigError(f"at most {MOST_NEW_TOKENS:,} new tokens are generated to be measured, got {asked.new:,}")
    tokens = asked.batch * ((asked.prompt or asked.past + asked.seq) + (asked.new or 1))
    held = cost.weights + (cost.kv_bytes or 0) + (cost.gradients or 0) + (cost.optimizer or 0)
    held += cost.activations if is_trained and cost.activations else 4 * tokens * (dims.vocab_size + dims.n_embd)
    flops = cost.training if is_trained and cost.training else 2 * cost.weights * tokens
    if held > MOST_BYTES:
        most = MOST_BYTES // 2**30
        raise ConfigError(
            f"running {cost.name} as asked holds {held:,} bytes, and at most {most} GiB are measured: ask for less"
        )
    if flops > MOST_FLOPS:
        raise ConfigError(
            f"running {cost.name} as asked takes {flops:,} FLOPs, and at most {MOST_FLOPS:,} are measured: ask for less"
        )


def _measured(cost: Cost) -> Measurement:
    bench, asked, lines = Bench(cost.dims, cost.settings), cost.settings, list[Line]()
    counted = bench.flops()
    ours = {row.component: row.forward for row in cost.products}
    for module in ("attn", "crossattention"):  # torch tells no two products of one module apart
        if f"{module}.QK^T" in ours:
            ours[f"{module}.QK^T and A·V"] = ours.pop(f"{module}.QK^T") + ours.pop(f"{module}.A·V")
    lines += [
        Line(f"forward FLOPs, {name}", flops, counted.get(name.removesuffix(".QK^T and A·V"), 0), COUNTER)
        for name, flops in ours.items()
    ]
    lines.append(Line("forward FLOPs", cost.forward, counted[""], COUNTER))
    if cost.training is not None:
        lines.append(Line("training FLOPs", cost.training, bench.flops(training=True)[""], COUNTER))
    if cost.kv_bytes is not None:
        if not cost.dims.lm_head:
            raise ConfigError("a cache is measured by generate(), for which a language modeling head is needed")
        lines.append(Line("KV cache bytes", cost.kv_bytes, bench.cache_bytes(), "generate()"))
    if asked.train or asked.optimizer:
        step = bench.step()
        for name, how in (
            ("activations", "saved tensors"),
            ("gradients", "a real step"),
            ("optimizer", "a real step"),
        ):
            predicted = getattr(cost, name)
            if predicted is not None:
                lines.append(Line(f"{name} bytes", predicted, step[name], how))
    if cost.peak is not None:
        lines.append(Line("peak bytes", cost.peak, bench.peak(), WALK, is_exact=False))
    return Measurement(cost, tuple(lines), cost.notes)
