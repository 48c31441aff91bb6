"""`Cost`: what a model costs to run and to train, with every figure that was asked for, and the tables that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import formulas
from gpt2calc.algebra import Expression
from gpt2calc.costs import activations, caches, flops, moments, optimizers, run, ways
from gpt2calc.costs.kernels import FP32, WEIGHT_BYTES
from gpt2calc.costs.settings import ALL, OPTIMIZERS
from gpt2calc.dims import LETTERED, to_fields
from gpt2calc.errors import ConfigError
from gpt2calc.table import Percent, Real, Table, sequences, table_of_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from gpt2calc.costs.machines import Roofs
    from gpt2calc.costs.moments import Moment
    from gpt2calc.costs.run import Run
    from gpt2calc.costs.settings import Settings
    from gpt2calc.dims import Dims
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/cost/1"

ON_CPU = "activations are those of torch's CPU kernels, measured; the dropout masks of CUDA's are smaller"
LEFT_OUT = "the peak leaves out what an allocator rounds, the context of a device, and scratch of more threads than one"


class Machinery(NamedTuple):
    """What a throughput was measured on, and what it is divided by.

    Args:
        tokens_per_second: of all devices together.
        devices: how many.
        peak: FLOP/s of one.
        source: whose figure the peak is.
    """

    tokens_per_second: Fraction
    devices: int
    peak: int
    source: str


class Cost:
    """What one model costs: FLOPs, cache, and, where it is asked for, the memory of training.

    Args:
        dims: the sizes and structure of a GPT-2.
        settings: what is asked, judged.
        name: what the user called the model.
        notes: what a reader should know, a sentence each.
        convention: the one way of counting that is asked for; None for all.
        machinery: for a utilization; None where no throughput was given.
        roofs: for a floor under the time; None where no machine was named, or a throughput was.

    >>> import gpt2calc
    >>> cost = gpt2calc.cost("gpt2")
    >>> cost.forward, cost.kv_bytes_per_token, cost.weights
    (291648307200, 73728, 497759232)
    """

    def __init__(
        self,
        dims: Dims,
        settings: Settings,
        name: str = "",
        notes: tuple[str, ...] = (),
        *,
        convention: str | None = None,
        machinery: Machinery | None = None,
        roofs: Roofs | None = None,
    ) -> None:
        self.dims = dims
        self.settings = settings
        self.name = name
        self.ways = (ways.BY_NAME[convention],) if convention is not None else ways.WAYS
        self.convention = convention
        if convention is not None and self.value(self.ways[0]) is None:
            problem = f"{convention} depends on n_head, which the model does not give: give n_head"
            raise ConfigError(problem, field="n_head")
        self.machinery = machinery
        self.roofs = roofs
        said = [ON_CPU] if self.activations is not None else []
        if settings.train and settings.covers_activations and self.peak is None:
            said.append(f"peak is not covered: {self._without_peak()}")
        self.notes = (*notes, *said)

    flops_notes: tuple[str, ...] = ()
    """What a reader should know of FLOPs alone, as of a `Serving`: nothing, since of a GPT-2 all are counted."""

    @property
    def run(self) -> Run:
        """What passes."""
        return self.settings.run

    @property
    def products(self) -> tuple[flops.Product, ...]:
        """The matrix products that the model does, in the order of the forward pass."""
        rows = flops.table(self.dims, self.settings.run)
        return tuple(row for row in rows if row.times)

    @property
    def forward(self) -> int:
        """FLOPs of the forward pass of the whole batch."""
        return flops.total(self.products)

    @property
    def training(self) -> int | None:
        """FLOPs of a training step of the whole batch, recomputation among them; None where training was not asked."""
        asked = self.settings
        if not asked.train:
            return None
        again = {"recomputes": asked.recomputes, "stops_early": asked.stops_early}
        return flops.training(flops.table(self.dims, asked.run), self.dims, asked.run, **again)

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token of one sequence leaves in the cache."""
        return self.settings.cache_bytes(caches.bytes_per_token(self.dims, 1))

    @property
    def kv_bytes(self) -> int | None:
        """Bytes of the cache of the whole batch; None where no cache was asked for."""
        held = self.settings.cached
        return None if held is None else self.settings.batch * held * self.kv_bytes_per_token

    @property
    def weights(self) -> int:
        """Bytes of the parameters, each once."""
        return WEIGHT_BYTES[self.settings.dtype] * formulas.total(self.dims)

    @property
    def gradients(self) -> int | None:
        """Bytes of the gradients, as many as of the weights; None where neither training nor optimizer was asked."""
        return self.weights if self.settings.train or self.settings.optimizer else None

    @property
    def optimizer(self) -> int | None:
        """Bytes of the optimizer's state after the first step; None where none was named."""
        if self.settings.optimizer is None:
            return None
        return optimizers.state(self.dims, OPTIMIZERS[self.settings.optimizer], WEIGHT_BYTES[self.settings.dtype])

    @property
    def kept(self) -> tuple[activations.Kept, ...]:
        """The tensors that autograd keeps at the end of the forward pass; none where training was not asked for."""
        asked = self.settings
        if not asked.train or not asked.covers_activations or asked.n_head is None:
            return ()
        rows = activations.table(self.dims, asked.n_head, asked.run, asked.kernels)
        return tuple(row for row in rows if row.bytes)

    @property
    def activations(self) -> int | None:
        """Bytes of what autograd keeps; None where training was not asked for, or is not covered."""
        return activations.total(self.kept) if self.kept else None

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The highest moments of a training step, in bytes above weights and optimizer state; none if not covered."""
        asked = self.settings
        if not self.kept or asked.n_head is None or self._without_peak():
            return ()
        return moments.moments(self.dims, asked.n_head, asked.run, asked.kernels, asked.optimizer)

    @property
    def peak_moment(self) -> Moment | None:
        """The highest of the moments."""
        return max(self.moments, key=lambda moment: moment.bytes, default=None)

    @property
    def peak(self) -> int | None:
        """Bytes of everything at the highest moment, weights and optimizer state among it."""
        highest = self.peak_moment
        return None if highest is None else self.weights + (self.optimizer or 0) + highest.bytes

    def _without_peak(self) -> str:
        """Return why no peak is given, or nothing."""
        if self.settings.dtype != FP32:
            return f"in {self.settings.dtype} torch's CPU kernels need scratch of their own, of which no law is known"
        if self.settings.optimizer is not None and self.settings.optimizer not in moments.STEP_TENSORS:
            return f"what a step of {self.settings.optimizer} needs for a while was not measured"
        if not self.dims.n_layer:
            return "a model without blocks was not measured"
        return ""

    def value(self, way: ways.Way) -> int | None:
        """Return the FLOPs of a training step in one way of counting; None where it needs n_head and there is none."""
        if way.needs_heads and self.settings.n_head is None:
            return None
        return way.value(self.dims, self.settings.n_head or 0, self.settings.run)

    @property
    def conventions(self) -> dict[str, int]:
        """FLOPs of a training step in every way of counting, or in the one that is asked for."""
        return {way.name: found for way in self.ways if (found := self.value(way)) is not None}

    def of_tokens(self, step: int) -> int:
        """Return the FLOPs of training on all tokens that are asked about, where a step has so many.

        Raises:
            ConfigError: so many tokens are no whole number of FLOPs.
        """
        return self.run.of_tokens(step, self.settings.tokens or 0)

    def utilization(self, step: int) -> Percent:
        """Return the share of a machine's peak that a throughput is, where a step has so many FLOPs."""
        assert self.machinery is not None  # noqa: S101  # who asks has given a throughput
        rate = self.machinery.tokens_per_second * step / (self.settings.batch * self.settings.seq)
        return Percent(rate.numerator, rate.denominator * self.machinery.devices * self.machinery.peak)

    @property
    def floors(self) -> dict[str, Fraction]:
        """Seconds below which no machine of the kind that is named stays, by the roof: compute, and memory.

        Law: FLOPs over the peak, of the pairs of tokens alone that a causal mask leaves, since a kernel can skip the
        others; and, without training, the weights that products read and the cache so far, each once,
        over the bandwidth. The larger of the two binds. How near a real program comes to it is not known here.
        """
        if self.roofs is None:
            return {}
        from fractions import Fraction

        least = flops.causal_total(self.dims, self.settings.run)
        if self.settings.train:
            least = ways.causal(self.dims, 0, self.settings.run)
        found = {"compute": Fraction(least, self.roofs.flops)}
        if self.roofs.bandwidth and not self.settings.train:
            # Of the position embedding, and of a token embedding that is no head, some rows are read: none counts.
            dims, element = self.dims, WEIGHT_BYTES[self.settings.dtype]
            gathered = dims.n_positions + dims.vocab_size * (1 - dims.lm_head * dims.tie_word_embeddings)
            cached = self.settings.batch * self.settings.past * self.kv_bytes_per_token
            read = self.weights - element * gathered * dims.n_embd + cached
            found["memory"] = Fraction(read, self.roofs.bandwidth)
        return found

    @property
    def answer(self) -> list[int]:
        """What was asked of FLOPs, and nothing else: of all tokens, by one way of counting, of a step, or forward."""
        if self.convention is None and self.settings.tokens is None:
            return [self.forward if self.training is None else self.training]
        steps = self.conventions.values()
        return [step if self.settings.tokens is None else self.of_tokens(step) for step in steps]

    def to_dict(self) -> dict[str, Any]:
        """Return everything that was asked as JSON takes it, in the schema that docs/json.md describes."""
        asked, config = self.settings, to_fields(self.dims)
        if asked.n_head is not None:
            config["n_head"] = asked.n_head
        found = {
            "schema": SCHEMA,
            "model": self.name,
            "config": config,
            "settings": asked.to_dict(),
            "flops": self._flops(),
            "kv": {"bytes_per_token": self.kv_bytes_per_token, **_given(tokens=asked.cached, bytes=self.kv_bytes)},
            "memory": self._memory(),
        }
        if self.machinery is not None:
            found["utilization"] = self._utilization(self.machinery)
        if self.roofs is not None:
            found["floor"] = self.roofs.to_dict(self.floors)
        return {**found, "notes": list(self.notes)}

    def _flops(self) -> dict[str, Any]:
        """Return FLOPs for `to_dict`: of a pass, by component, and by every way of counting where that is asked."""
        found: dict[str, Any] = {"forward": self.forward, **_given(training=self.training)}
        found["components"] = [
            {
                "name": row.component,
                "group": row.group,
                "formula": formula.text(),
                "forward": row.forward,
                **({"backward": row.backward} if self.settings.train else {}),
            }
            for row, formula in self._with_formulas()
        ]
        if self._shows_ways:
            found["conventions"] = self.conventions
        if self.settings.tokens is not None:
            found["tokens"] = {name: self.of_tokens(step) for name, step in self.conventions.items()}
        return found

    def _memory(self) -> dict[str, Any]:
        """Return bytes for `to_dict`, what was asked of them alone."""
        found: dict[str, Any] = {"weights": self.weights}
        found |= _given(gradients=self.gradients, optimizer=self.optimizer)
        found |= _given(activations=self.activations, peak=self.peak)
        if self.kept:
            found["kept"] = [
                {"component": row.component, "what": row.what, "kernel": row.kernel, "bytes": row.bytes}
                for row in self.kept
            ]
        if self.moments:
            found["moments"] = [moment._asdict() for moment in self.moments]
        return found

    def _utilization(self, machinery: Machinery) -> dict[str, Any]:
        """Return MFU and HFU for `to_dict`, each by its way of counting."""
        steps = ((way, self.value(way)) for way in self.ways)
        return {
            "tokens_per_second": float(machinery.tokens_per_second),
            "devices": machinery.devices,
            "peak": machinery.peak,
            "source": machinery.source,
            "shares": [
                {
                    "name": way.name,
                    "kind": "HFU" if way.is_hardware else "MFU",
                    "percent": float(self.utilization(step).plain()),
                }
                for way, step in steps
                if step is not None
            ],
        }

    @property
    def _shows_ways(self) -> bool:
        asked = self.settings
        return asked.train or asked.tokens is not None or self.convention is not None or self.machinery is not None

    def _with_formulas(self) -> list[tuple[flops.Product, Expression]]:
        """Return the products, each with its closed form in letters."""
        letters = LETTERED._replace(**dict(zip(self.dims._fields[6:], self.dims.structure, strict=True)))
        plain = run.LETTERED._replace(past=0) if not self.settings.past else run.LETTERED
        passed = plain._replace(logits=plain.tokens) if self.settings.logits == ALL else plain._replace(logits=1)
        lettered = {row.component: row for row in flops.table(letters, passed)}
        return [(row, Expression.of(lettered[row.component].forward)) for row in self.products]

    def __repr__(self) -> str:
        training = "" if self.training is None else f", {self.training:,} FLOPs a training step"
        return f"<Cost {self.name}: {self.forward:,} FLOPs forward{training}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def tables(self) -> list[Table]:
        """Lay all that was asked for out: FLOPs, ways of counting, memory, and what autograd keeps."""
        found = [self.flops_table()]
        if self._shows_ways:
            found.append(self.ways_table())
        found.append(self.memory_table())
        if self.roofs is not None:
            found.append(self.floors_table())
        if self.kept:
            found.append(self.kept_table())
        return found

    def flops_table(self) -> Table:
        """Lay the FLOPs of each component out, with its closed form, forward, backward, and its share."""
        asked = self.settings
        past = f" after {asked.past:,}" if asked.past else ""
        title = f"{self.name}, FLOPs of {sequences(asked.batch, asked.seq)}{past}"
        whole, trains = self.forward, asked.train

        def line(name: str, formula: Cell, forward: int, backward: int) -> tuple[Cell, ...]:
            return name, formula, forward, *((backward,) if trains else ()), Percent(forward, whole)

        rows: list[tuple[Cell, ...] | None] = [
            line(row.component, formula.text(), row.forward, row.backward) for row, formula in self._with_formulas()
        ]
        if self.training is not None:
            backward = sum(row.backward for row in self.products)
            if again := self.training - whole - backward:
                rows.append(("again, checkpointed", "", "", again, ""))
            rows += [None, line("total", "", whole, backward + again)]
        else:
            rows += [None, line("total", "", whole, 0)]
        headers = ("component", "formula", "forward", *(("backward",) if trains else ()), "share")
        return Table(title, headers, tuple(rows))

    def ways_table(self, *, sources: bool = False) -> Table:
        """Lay the FLOPs of a training step out in every way of counting, beside the exact number."""
        tokens, machinery, title = self.settings.tokens, self.machinery, ways.TITLE
        columns: dict[str, Callable[[ways.Way, int], Cell]] = {}
        if tokens is not None:
            columns[f"of {tokens:,} tokens"] = lambda _, step: self.of_tokens(step)
        if machinery is not None:
            columns["of peak"] = lambda _, step: self.utilization(step)
            columns[""] = lambda way, _: "HFU" if way.is_hardware else "MFU"
            title += f"; peak {machinery.devices:,} × {machinery.peak:,} FLOP/s, {machinery.source}"
        steps = [(ways.BY_NAME[name], step) for name, step in self.conventions.items()]
        return ways.table(title, steps, self.value(ways.BY_NAME["exact"]) or 0, columns, sources=sources)

    def memory_table(self) -> Table:
        """Lay the bytes out, of the cache and of training, in GB of 10⁹ and GiB of 2³⁰ bytes."""
        asked, highest = self.settings, self.peak_moment
        parts: list[tuple[str, int | None]] = [
            ("KV cache, a token", self.kv_bytes_per_token),
            (f"KV cache, {sequences(asked.batch, asked.cached or 0)}", self.kv_bytes),
            ("weights", self.weights),
            ("gradients", self.gradients),
            (f"optimizer, {asked.optimizer}", self.optimizer),
            ("activations", self.activations),
            ("peak, at: " + (highest.name if highest else ""), self.peak),
        ]
        of_cache = "" if asked.kv_dtype is None else f", the cache {asked.kv_dtype}"
        return table_of_bytes(f"memory, {asked.dtype}{of_cache}", parts)

    def floors_table(self) -> Table:
        """Lay the floors under the time out."""
        assert self.roofs is not None  # noqa: S101  # who asks has named a machine
        return self.roofs.table(self.floors, "weights and cache")

    def kept_table(self) -> Table:
        """Lay what autograd keeps out, a row for each tensor, with the kernel that keeps it."""
        whole = activations.total(self.kept)
        rows = [(row.component, row.what, row.kernel, row.bytes, Percent(row.bytes, whole)) for row in self.kept]
        title = f"activations: {self.settings.attention} attention, {self.settings.activation}"
        headers = ("component", "what autograd keeps", "kernel", "bytes", "share")
        return Table(title, headers, (*rows, None, ("total", "", "", whole, Percent(whole, whole))))

    def flat_table(self) -> Table:
        """Lay every number out for a spreadsheet, where a first column says what it is of."""
        rows: list[tuple[Cell, ...]] = []
        for row, _ in self._with_formulas():
            rows.append(("forward FLOPs", row.component, row.forward))
            if self.settings.train:
                rows.append(("backward FLOPs", row.component, row.backward))
        rows.append(("forward FLOPs", "total", self.forward))
        if self.training is not None:
            rows.append(("training FLOPs", "total", self.training))
        if self._shows_ways:
            rows += [("convention", name, step) for name, step in self.conventions.items()]
        if self.settings.tokens is not None:
            rows += [("FLOPs of all tokens", name, self.of_tokens(step)) for name, step in self.conventions.items()]
        if self.machinery is not None:
            rows += [("percent of the peak", name, self.utilization(step)) for name, step in self.conventions.items()]
        rows += [("seconds at least", name, Real(float(seconds))) for name, seconds in self.floors.items()]
        rows += [("bytes", str(part[0]), part[1]) for part in self.memory_table().rows if part]
        rows += [("activation bytes", f"{row.component}: {row.what}", row.bytes) for row in self.kept]
        return Table(self.name, ("kind", "name", "number"), tuple(rows))


def _given(**values: Any) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in values.items() if value is not None}
