"""What serving a model of any architecture holds and does: FLOPs beside its weights and what is kept, in tables.

What it holds is `holding`; the products that it does are `products`, and of a GPT-2 `flops`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from gpt2calc.costs import flops, general_ways, holding, products, ways
from gpt2calc.costs.holding import ELEMENT, Holding, whole
from gpt2calc.costs.run import Run
from gpt2calc.costs.settings import ALL, LAST, LOGITS
from gpt2calc.dims import config_of
from gpt2calc.errors import ConfigError, UnknownNameError, shown
from gpt2calc.general_conventions import Way as Parameters
from gpt2calc.model import LAYER_EMBEDDING, POSITION_EMBEDDING, TOKEN_EMBEDDING, Model
from gpt2calc.table import Percent, Real, Scaled, Table, sequences, table_of_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from gpt2calc.costs.machines import Roofs
    from gpt2calc.dims import Dims
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/cost/1"

GATHERED = (TOKEN_EMBEDDING, POSITION_EMBEDDING, LAYER_EMBEDDING)
"""The parts of which a token reads a row."""


class Serving(Holding):
    """What one model holds in memory when it is served, and what it does.

    Args:
        model: a GPT-2's dims, or a model of another architecture.
        document: the config it was read from.
        words: what is asked: batch, seq, past, prompt, new, dtype, kv_dtype, logits, train, train_tokens; None where it
            is not.
        name: what the user called the model.
        notes: what a reader should know, a sentence each.
        convention: the way in which `kv_bytes` counts, or the one in which FLOPs of training are counted.
        roofs: of a machine, for a floor under the time; None where none was named.

    Raises:
        ConfigError: what is asked contradicts itself or the model, or what the model keeps is not known.

    >>> import gpt2calc
    >>> serving = gpt2calc.serving("Qwen3-0.6B", dtype="bf16", seq=32768)
    >>> serving.kv_bytes_per_token, serving.kv_bytes
    (114688, 3758096384)
    """

    def __init__(
        self,
        model: Dims | Model,
        document: Mapping[str, Any],
        words: Mapping[str, Any],
        name: str = "",
        notes: tuple[str, ...] = (),
        *,
        convention: str | None = None,
        roofs: Roofs | None = None,
    ) -> None:
        super().__init__(model, document, words, name, notes)
        self._read_flops(words, convention)
        self.roofs = roofs
        if roofs is not None and self.packing:
            problem = f"weights are packed as {self.packing}, and what a machine can do is known in bf16: give dtype"
            raise ConfigError(f"{name}: {problem}", field="dtype")
        if convention is not None and not self.flops_way:
            self._count_by(convention)

    def _read_flops(self, words: Mapping[str, Any], convention: str | None) -> None:
        """Read what is asked of FLOPs: what passes, and whether it is trained on."""
        self.flops_way = convention if convention in general_ways.BY_NAME else None
        self.logits = words.get("logits") or ALL
        if self.logits not in LOGITS:
            raise UnknownNameError("logits", str(self.logits), LOGITS)
        self.train_tokens = whole(words, "train_tokens")
        if not isinstance(words.get("train"), bool | None):
            raise ConfigError(f"train must be true or false, got {shown(words['train'])}", field="train")
        self.train = bool(words.get("train"))
        if not isinstance(self.model, Model) and (self.flops_way or self.train_tokens):
            problem = f"{self.name} is a GPT-2, of which `cost` has FLOPs of training by convention"
            raise ConfigError(problem, field="convention" if self.flops_way else "tokens")
        self.passing = _passing(words, self.tokens)
        if self.train and words.get("past"):
            raise ConfigError("train and past contradict each other: training has no cache", field="past")
        if self.train and self.logits == LAST:
            raise ConfigError("train and logits last contradict each other: training reads all logits", field="logits")

    @property
    def run(self) -> Run | None:
        """What passes; None where nobody says, or nothing does."""
        if self.passing is None:
            return None
        past, tokens = self.passing
        return Run(self.batch, tokens, past, tokens if self.logits == ALL else 1)

    @cached_property
    def _products(self) -> tuple[tuple[products.Product, ...], str]:
        """Return the products of a forward pass, and why there are none."""
        if self.run is None:
            return (), "how many tokens pass is not said: give seq"
        if not isinstance(self.model, Model):
            if self.model.add_cross_attention:
                return (), "cross-attention reads an encoder, and `cost` takes its tokens"
            rows = (row for row in flops.table(self.model, self.run) if row.times)
            return tuple(_as_product(row) for row in rows), ""
        try:
            return products.table(self.model, self.document, self.run), ""
        except ConfigError as error:
            return (), str(error)

    @property
    def products(self) -> tuple[products.Product, ...]:
        """The matrix products of a forward pass of the batch; none where they are not counted."""
        return self._products[0]

    @property
    def flops_notes(self) -> tuple[str, ...]:
        """What a reader should know of FLOPs, a sentence each: why they are not counted, or what more is."""
        refusal = self._products[1]
        if refusal:
            return (f"FLOPs are not counted: {refusal}",)
        more = products.MORE.get(self.model.architecture.model_type) if isinstance(self.model, Model) else None
        return () if more is None else (more,)

    @property
    def forward(self) -> int | None:
        """FLOPs of the forward pass of the whole batch; None where they are not counted."""
        return products.total(self.products) if self.products else None

    @property
    def training(self) -> int | None:
        """FLOPs of a training step of the whole batch; None where training was not asked, or they are not counted."""
        return products.training(self.products) if self.train and self.products else None

    @property
    def flops_conventions(self) -> dict[str, int]:
        """FLOPs of a training step in every way of counting, or in the one that is asked for; none without FLOPs."""
        if not self.products or self.run is None or not isinstance(self.model, Model):
            return {}
        asked = general_ways.Asked(self.model, self.document, self.run)
        wanted = general_ways.WAYS if self.flops_way is None else (general_ways.BY_NAME[self.flops_way],)
        return {way.name: found for way in wanted if (found := way.value(asked)) is not None}

    @property
    def floors(self) -> dict[str, Fraction]:
        """Seconds below which no machine of the kind that is named stays, by the roof: compute, and memory.

        Law: over the peak the FLOPs that every program must do, see `products.LEAST`; and, without training, over the
        bandwidth what must be read once: the weights that one token passes, and the cache so far.
        """
        if self.roofs is None or self.run is None or not self.products or not isinstance(self.model, Model):
            return {}
        from fractions import Fraction

        rows = products.table(self.model, self.document, self.run, products.LEAST)
        work = products.training(rows) if self.train else products.total(rows)
        found = {"compute": Fraction(work, self.roofs.flops)}
        if self.roofs.bandwidth and not self.train:
            # One row of an embedding is read for a token, but all of it where it is the output head.
            weights = Parameters(without=GATHERED, active=1)(self.model)
            weights += next(row.size for row in self.products if row.component == "lm_head") * self._is_tied
            # What is chosen of the tokens before need not be all of them.
            cached = sum(row.layers * row.per_token * row.held(self.run.past) for row in self.rows if not row.choice)
            read = weights * ELEMENT[self.dtype] + self.batch * self.kv_type.bytes_of(cached)
            found["memory"] = Fraction(read, self.roofs.bandwidth)
        return found

    @property
    def _is_tied(self) -> bool:
        return isinstance(self.model, Model) and bool(self.model.lm_head and self.model.tie_word_embeddings)

    @property
    def _shows_ways(self) -> bool:
        asked = self.train or self.train_tokens is not None or self.flops_way is not None
        return asked and isinstance(self.model, Model)

    def of_tokens(self, step: int) -> int:
        """Return the FLOPs of training on all tokens that are asked about, where a step has so many.

        Raises:
            ConfigError: so many tokens are no whole number of FLOPs.
        """
        assert self.run is not None  # noqa: S101  # there is no step without one
        return self.run.of_tokens(step, self.train_tokens or 0)

    @property
    def answer(self) -> list[int]:
        """The one number for a script: bytes that are kept, or FLOPs of training, where those are asked for.

        Raises:
            ConfigError: FLOPs are asked for, and are not counted; or nobody says how many tokens are kept.
        """
        if self._shows_ways and not self.products:
            raise ConfigError(self.flops_notes[0], field="train").named(self.name)
        if self._shows_ways:
            if self.flops_way is None and self.train_tokens is None:
                return [self.training or 0]
            steps = self.flops_conventions.values()
            return [step if self.train_tokens is None else self.of_tokens(step) for step in steps]
        if self.kv_bytes is None:
            problem = "the config does not say how long a sequence can be: say how many tokens it has, seq"
            raise ConfigError(f"{self.name}: {problem}", field="seq")
        return [self.kv_bytes]

    def __repr__(self) -> str:
        return f"<Serving {self.name}: {self.kv_bytes_per_token:,} bytes a token>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    @property
    def settings(self) -> dict[str, Any]:
        """What was asked of memory, as JSON takes it."""
        own = {"batch": self.batch, "dtype": self.dtype, "kv_dtype": self.kv_dtype}
        return own | {"convention": self.convention}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        settings = self.settings | {"convention": self.flops_way or self.convention}
        if self.products and self.run is not None:
            settings |= {"seq": self.run.tokens, "past": self.run.past, "logits": self.logits}
            settings |= {} if self.train_tokens is None else {"tokens": self.train_tokens}
        kv: dict[str, Any] = {"bytes_per_token": self.kv_bytes_per_token, "state_bytes": self.state_bytes}
        if self.tokens is not None:
            kv |= {"tokens": self.tokens, "bytes": self.kv_bytes, "conventions": self.conventions}
        kv["layers"] = [
            {
                "kind": row.kind,
                "number": row.layers,
                "elements_per_token": row.per_token,
                **({"window": row.window} if row.window is not None else {}),
                "state_elements": row.convolution + row.recurrence,
            }
            for row in self.rows
        ]
        return {
            "schema": SCHEMA,
            "model": self.name,
            "config": config_of(self.model),
            "settings": settings,
            **({"flops": self._flops()} if self.products else {}),
            "kv": kv,
            "memory": {"weights": self.weights},
            **({"floor": self.roofs.to_dict(floors)} if self.roofs is not None and (floors := self.floors) else {}),
            "notes": [*self.notes, *self.flops_notes],
        }

    def _flops(self) -> dict[str, Any]:
        """Return FLOPs for `to_dict`: of a pass, by component, and by every way of counting where that is asked."""
        found: dict[str, Any] = {"forward": self.forward}
        found |= {} if self.training is None else {"training": self.training}
        found["components"] = [
            {
                "name": row.component,
                "group": row.group,
                "forward": row.forward,
                **({"backward": row.backward} if self.train else {}),
            }
            for row in self.products
        ]
        if self._shows_ways:
            found["conventions"] = self.flops_conventions
        if self.train_tokens is not None:
            found["tokens"] = {name: self.of_tokens(step) for name, step in self.flops_conventions.items()}
        return found

    def tables(self) -> list[Table]:
        """Lay out the FLOPs, what each kind of layer keeps, every way of counting, and the memory."""
        found = [self.flops_table()] if self.products else []
        found += [self.flops_ways_table()] if self.products and self._shows_ways else []
        found.append(self.layers_table())
        if len(self.conventions) > 1 and self.tokens is not None:
            found.append(self.ways_table())
        found.append(self.memory_table())
        return [*found, self.floors_table()] if self.floors else found

    def flops_table(self) -> Table:
        """Lay the products out, those of each component, of a pass and where it is asked of the way back."""
        run, whole, trains = self.run or Run(0, 0), self.forward or 0, self.train
        back = sum(row.backward for row in self.products)

        def line(name: str, forward: int, backward: int) -> tuple[Cell, ...]:
            return name, forward, *((backward,) if trains else ()), Percent(forward, whole)

        rows: list[tuple[Cell, ...] | None] = [line(row.component, row.forward, row.backward) for row in self.products]
        rows += [None, line("total", whole, back)]
        tokens = run.batch * run.tokens
        if tokens > 1 and not whole % tokens and not back % tokens:
            rows.append((*line("a token", whole // tokens, back // tokens)[:-1], ""))
        behind = f" behind {run.past:,}" if run.past else ""
        title = f"{self.name}, FLOPs of {sequences(run.batch, run.tokens)}{behind}"
        headers = ("component", "forward", *(("backward",) if trains else ()), "share")
        return Table(title, headers, tuple(rows))

    def flops_ways_table(self, *, sources: bool = False) -> Table:
        """Lay the FLOPs of a training step out in every way of counting, beside the exact number."""
        columns: dict[str, Callable[[general_ways.Way, int], Cell]] = {}
        if self.train_tokens is not None:
            columns[f"of {self.train_tokens:,} tokens"] = lambda _, step: self.of_tokens(step)
        steps = [(general_ways.BY_NAME[name], step) for name, step in self.flops_conventions.items()]
        return ways.table(ways.TITLE, steps, products.training(self.products), columns, sources=sources)

    def layers_table(self) -> Table:
        """Lay out what one layer of each kind keeps, and all of them."""
        rows: list[tuple[Cell, ...] | None] = [
            (
                row.kind,
                row.layers,
                row.per_token,
                "" if row.window is None else row.window,
                row.convolution + row.recurrence,
                self.kv_type.bytes_of(row.layers * row.per_token),
            )
            for row in self.rows
        ]
        rows += [None, ("total", sum(row.layers for row in self.rows), "", "", "", self.kv_bytes_per_token)]
        headers = ("layers", "number", "elements a token", "window", "state", f"bytes a token, {self.kv_dtype}")
        return Table(f"{self.name}, what a sequence keeps", headers, tuple(rows))

    def ways_table(self, *, sources: bool = False) -> Table:
        """Lay out what the batch keeps in each way of counting; the ways alone where nobody says of how many tokens."""
        rows: list[tuple[Cell, ...]] = []
        for name, size in self.conventions.items():
            cells: tuple[Cell, ...] = ("", "") if size is None else (size, Scaled(size, 2**30, "GiB"))
            way = holding.BY_NAME[name]
            rows.append((name, *cells, way.sentence, *((way.source,) if sources else ())))
        of = "the cache" if self.tokens is None else sequences(self.batch, self.tokens)
        last = ("what is counted", *(("source",) if sources else ()))
        return Table(f"{of}, counted every way", ("convention", "bytes", "GiB", *last), tuple(rows))

    def all_ways(self) -> list[Table]:
        """Lay every way of counting out with its source: of what is kept and, where they are counted, of FLOPs."""
        flops = [self.flops_ways_table(sources=True)] if self.products else []
        return [*flops, self.ways_table(sources=True)]

    def memory_table(self) -> Table:
        """Lay the bytes out, in GB of 10⁹ and GiB of 2³⁰ bytes."""
        parts: list[tuple[str, int | None]] = [
            ("cache, a token", self.kv_bytes_per_token),
            ("states, a sequence", self.state_bytes or None),
            (f"cache and states, {sequences(self.batch, self.tokens or 0)}", self.kv_bytes),
            (f"weights, {self.parameters:,} parameters", self.weights),
        ]
        of_cache = "" if self.kv_dtype == self.dtype else f", the cache {self.kv_dtype}"
        return table_of_bytes(f"memory, {self.held_in}{of_cache}", parts)

    def floors_table(self) -> Table:
        """Lay the floors under the time out."""
        assert self.roofs is not None  # noqa: S101  # who asks has named a machine
        return self.roofs.table(self.floors, "what one token passes and the cache")

    def flat_table(self) -> Table:
        """Lay every number out for a spreadsheet."""
        rows: list[tuple[Cell, ...]] = [("forward FLOPs", row.component, row.forward) for row in self.products]
        if self.train:
            rows += [("backward FLOPs", row.component, row.backward) for row in self.products]
        totals = (("forward FLOPs", self.forward), ("training FLOPs", self.training))
        rows += [(kind, "total", number) for kind, number in totals if number is not None]
        if self.products and self._shows_ways:
            rows += [("FLOPs of a step", name, step) for name, step in self.flops_conventions.items()]
        if self.products and self.train_tokens is not None:
            steps = self.flops_conventions.items()
            rows += [("FLOPs of all tokens", name, self.of_tokens(step)) for name, step in steps]
        rows += [("seconds at least", name, Real(float(seconds))) for name, seconds in self.floors.items()]
        rows += [("bytes", str(part[0]), part[1]) for part in self.memory_table().rows if part]
        rows += [("convention", name, size) for name, size in self.conventions.items() if size is not None]
        return Table(self.name, ("kind", "name", "number"), tuple(rows))


def _as_product(row: flops.Product) -> products.Product:
    """Return a product of a GPT-2, which has a table of its own, as another architecture has it."""
    passes, size = row.times * row.rows, row.inner * row.columns
    return products.Product(row.component, row.group, passes, size, row.gradients, row.has_weight)


def _passing(words: Mapping[str, Any], tokens: int | None) -> tuple[int, int] | None:
    """Return how many tokens of a sequence are cached, and how many pass now; None where nobody says, or none do."""
    seq, past, prompt = (whole(words, name, 0) for name in ("seq", "past", "prompt"))
    if prompt is not None or words.get("new") is not None:
        seq, past = prompt, 0
    elif seq is None and past is None:
        seq = tokens
    return (past or 0, seq) if seq else None
