"""What serving a model of any architecture holds and does: its weights, what is kept of the tokens before, and FLOPs.

What layers keep is `architectures.caches`; here it is counted for a batch of sequences, in each way that people do.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import numbers, stored
from gpt2calc.architectures import caches, gpt2
from gpt2calc.architectures.caches import EXPANDED, GROUPED, Kept
from gpt2calc.costs import cache_types, flops, general_ways, products
from gpt2calc.costs.run import Run
from gpt2calc.errors import ConfigError, Named, UnknownNameError, shown
from gpt2calc.general_conventions import Way as Parameters
from gpt2calc.model import LAYER_EMBEDDING, POSITION_EMBEDDING, TOKEN_EMBEDDING, Model
from gpt2calc.table import Percent, Ratio, Real, Scaled, Table, sequences

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from gpt2calc.costs.cache_types import CacheType
    from gpt2calc.costs.machines import Roofs
    from gpt2calc.dims import Dims
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/cost/1"

WORDS = ("batch", "seq", "past", "prompt", "new", "dtype", "kv_dtype", "logits", "train")
"""What can be asked of servings side by side."""

OF_TOKENS = ("seq", "past", "prompt", "new")
"""What of it says how many tokens there are."""

ELEMENT = {"fp32": 4, "bf16": 2, "fp16": 2}
"""Bytes of an element of weights and activations; what a cache is in is one of `cache_types`."""

ALL, LAST = "all", "last"
"""Which tokens lm_head reads."""

WEIGHTS = ("fp32", "bf16", "fp16")
RECURRENCE = 4
"""Bytes of an element of a recurrence's state, which transformers keeps in float32 whatever the rest is in."""

GATHERED = (TOKEN_EMBEDDING, POSITION_EMBEDDING, LAYER_EMBEDDING)
"""The parts of which a token reads a row."""

LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len")
"""The keys in which configs say how many tokens a sequence can have."""

SPOKEN = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
"""What a config.json calls a dtype."""


class Way(NamedTuple):
    """One way of counting what a sequence keeps.

    Args:
        name: what it is called.
        sentence: what is counted.
        source: who counts so.
        elements: those that layers keep of a token, None where the way makes no sense of them.
        held: of how many of n tokens.
        inputs_less: how many inputs fewer than its kernel is long a convolution keeps.
    """

    name: str
    sentence: str
    source: str
    elements: Callable[[Kept], int | None]
    held: Callable[[Kept, int], int]
    inputs_less: int = 0


def _elements(row: Kept) -> int:
    return row.per_token


def _all(_: Kept, n: int) -> int:
    return n


WAYS = (
    Way(
        "transformers",
        "what a DynamicCache made from the config holds: of a full window of W tokens the last W - 1",
        "transformers 5.23, cache_utils.py",
        _elements,
        Kept.held,
    ),
    Way(
        "windowed",
        "W tokens of each layer with a window of W, the one that is computed among them",
        "Beltagy et al. 2020, arXiv:2004.05150; vLLM's SlidingWindowManager",
        lambda row: row.per_token if row.window else None,
        lambda row, n: n if row.window is None else min(n, row.window),
    ),
    Way(
        "full_pages",
        "all tokens of every layer, windows or not, as a cache of one size for all layers has it",
        "vLLM without its hybrid allocator",
        lambda row: row.per_token if row.window else None,
        _all,
    ),
    Way(
        "growing",
        "the layers without a window alone: what a longer sequence adds once all windows are full",
        "model cards that leave sliding layers out",
        lambda row: row.per_token if row.window else None,
        lambda row, n: n if row.window is None else 0,
    ),
    Way(
        EXPANDED,
        "keys and values of all heads, expanded from the latent, as attention that knows no latents keeps them",
        "DeepSeek-AI 2024, arXiv:2405.04434, section 2.1",
        lambda row: row.apart.get(EXPANDED),
        _all,
    ),
    Way(
        GROUPED,
        "one key and value a group of heads, where transformers repeats them for all heads before it keeps them",
        "Almazrouei et al. 2023, arXiv:2311.16867",
        lambda row: row.apart.get(GROUPED),
        _all,
    ),
    Way(
        "last_inputs",
        "of a convolution over k inputs the last k - 1, all that the next token needs, where transformers keeps k",
        "vLLM's MambaStateShapeCalculator",
        lambda row: row.per_token if row.slot else None,
        Kept.held,
        inputs_less=1,
    ),
)
"""The ways, the default first. Another is there only where some layer makes it another number."""

BY_NAME = Named("convention of a cache", {way.name: way for way in WAYS})


class Serving:
    """What one model holds in memory when it is served.

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
        self.model, self.document, self.name = model, document, name
        said: list[str] = []
        try:
            self.rows = kept(model, document)
            self.dtype = _dtype(words, document, said)
            self.packing = "" if words.get("dtype") is not None else _packing(document)
        except ConfigError as error:
            raise error.named(name) from None
        if self.packing:
            said.append(
                f"weights are as files hold them, packed as {self.packing}; layers beyond the model are left out"
            )
        self.own_kv_dtype = words.get("kv_dtype")
        if self.own_kv_dtype is not None and not self.takes(cache_types.BY_NAME[str(self.own_kv_dtype)]):
            block = self.kv_type.block
            sizes = (size for row in self.rows for size in (row.per_token, *row.apart.values()))
            odd = next(size for size in sizes if size % block)
            problem = f"{self.own_kv_dtype} packs {block} elements at a time, and a token leaves {odd:,}"
            raise ConfigError(f"{name}: {problem} in a layer", field="kv_dtype", got=self.own_kv_dtype)
        self.batch = _whole(words, "batch") or 1
        self.tokens = _tokens(words, document)
        key, longest = longest_of(document)
        if not isinstance(model, Model):
            longest = model.n_positions
            self.tokens = longest if self.tokens is None else self.tokens
            if self.tokens > longest:
                problem = f"{self.tokens:,} tokens are more than n_positions {longest:,} of the model takes"
                raise ConfigError(f"{name}: {problem}", field="seq", got=self.tokens)
        elif self.tokens is not None and longest is not None and self.tokens > longest:
            said.append(f"{self.tokens:,} tokens are more than {key} {longest:,}")
        self._read_flops(words, convention)
        self.roofs = roofs
        if roofs is not None and self.packing:
            problem = f"weights are packed as {self.packing}, and what a machine can do is known in bf16: give dtype"
            raise ConfigError(f"{name}: {problem}", field="dtype")
        self.convention = WAYS[0].name if convention is None or self.flops_way else convention
        self._check_convention()
        if any(row.recurrence for row in self.rows):
            said.append("the state of a recurrence is kept in float32, whatever dtype is")
        self.notes = (*notes, *said)

    def _check_convention(self) -> None:
        """Refuse a convention that there is not, or not of what this model keeps."""
        if self.convention not in BY_NAME:
            known = (*BY_NAME, *general_ways.BY_NAME)
            raise UnknownNameError("convention of a cache or of FLOPs", self.convention, known)
        if self.convention not in self.conventions:
            problem = f"{self.convention} is no other way of counting what {self.name} keeps: known are"
            raise ConfigError(f"{problem} {', '.join(self.conventions)}", field="convention", got=self.convention)

    def _read_flops(self, words: Mapping[str, Any], convention: str | None) -> None:
        """Read what is asked of FLOPs: what passes, and whether it is trained on."""
        self.flops_way = convention if convention in general_ways.BY_NAME else None
        self.logits = words.get("logits") or ALL
        if self.logits not in (ALL, LAST):
            raise UnknownNameError("logits", str(self.logits), (ALL, LAST))
        self.train_tokens = _whole(words, "train_tokens")
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
        tokens, each = self.train_tokens or 0, self.batch * self.run.tokens
        whole, rest = divmod(step * tokens, each)
        if rest:
            problem = f"{tokens:,} tokens are no whole number of steps of {each:,}: give a multiple of that"
            raise ConfigError(problem, field="tokens")
        return whole

    @property
    def kv_dtype(self) -> str:
        """What the cache is in: its own dtype, or that of the rest."""
        return self.own_kv_dtype or self.dtype

    @property
    def kv_type(self) -> CacheType:
        """How elements of the cache are stored."""
        return cache_types.BY_NAME[self.kv_dtype]

    def takes(self, other: CacheType) -> bool:
        """Whether what a token leaves in a layer, by every convention, is whole blocks of a type."""
        sizes = ((row.per_token, *row.apart.values()) for row in self.rows)
        return not any(size % other.block for each in sizes for size in each)

    def changed(self, *, dtype: str = "", kv_dtype: str = "") -> Serving:
        """Return the same with another dtype, of all or of the cache alone."""
        other = copy(self)
        other.packing = "" if dtype else self.packing
        other.dtype, other.own_kv_dtype = dtype or self.dtype, kv_dtype or self.own_kv_dtype
        return other

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        if isinstance(self.model, Model):
            return int(self.model.total())
        from gpt2calc import formulas

        return formulas.total(self.model)

    @property
    def weights(self) -> int:
        """Bytes of the parameters, each once, in `dtype`; with their scales, as files hold them, where they are packed.

        Raises:
            ConfigError: they are packed in a way that is not known.
        """
        if not self.packing:
            return self.parameters * ELEMENT[self.dtype]
        model = self.model if isinstance(self.model, Model) else gpt2.model(self.model)
        try:
            sums = stored.of(model, self.document).sums()
        except ConfigError as error:
            problem = f"{error}; give dtype to count weights in it"
            raise ConfigError(problem, field=error.field, got=error.got).named(self.name) from None
        return sum(sums[part].bytes for part in (stored.MODEL, stored.CORRECTIONS, stored.SCALES) if part in sums)

    @property
    def held_in(self) -> str:
        """What the weights are in, as a table says it."""
        return self.packing or self.dtype

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that a token of one sequence adds while no window is full, the recurrences' state apart."""
        return self.kv_type.bytes_of(sum(row.layers * row.per_token for row in self.rows))

    @property
    def state_bytes(self) -> int:
        """Bytes that one sequence keeps however long it is: the states of convolutions and recurrences."""
        element = ELEMENT[self.dtype]
        return sum(row.layers * (row.convolution * element + row.recurrence * RECURRENCE) for row in self.rows)

    @property
    def conventions(self) -> dict[str, int | None]:
        """Bytes of the batch at its context by each way of counting that is another for the model; None without one."""
        fitting = (way for way in WAYS if way is WAYS[0] or any(way.elements(row) is not None for row in self.rows))
        return {way.name: None if self.tokens is None else self.bytes_at(self.tokens, way=way) for way in fitting}

    @property
    def kv_bytes(self) -> int | None:
        """Bytes that the whole batch keeps, states among them; None where no number of tokens is known."""
        return self.conventions[self.convention]

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

    def bytes_at(self, tokens: int, batch: int | None = None, way: Way | None = None) -> int:
        """Return what a batch keeps of so many tokens of each sequence, states among them.

        Law: B · (Σ over layers of elements · tokens held · bytes + states).
        """
        counted = way or BY_NAME[self.convention]
        each = sum(row.layers * self._layer_bytes(row, tokens, counted) for row in self.rows)
        return (self.batch if batch is None else batch) * each

    def by_layer(self, tokens: int) -> tuple[tuple[Kept, int], ...]:
        """Return of every layer, in order, what it keeps, and the bytes of the batch at so many tokens."""
        way = BY_NAME[self.convention]
        model = self.model
        rows = caches.in_order(model, self.document) if isinstance(model, Model) else self.rows * model.n_layer
        return tuple((row, self.batch * self._layer_bytes(row, tokens, way)) for row in rows)

    def _layer_bytes(self, row: Kept, tokens: int, way: Way) -> int:
        """Return what one layer keeps of a sequence: of its tokens, of a convolution and of a recurrence."""
        own = way.elements(row)
        elements = way.held(row, tokens) * (row.per_token if own is None else own)
        convolution = row.convolution - row.slot * way.inputs_less
        kept = self.kv_type.bytes_of(elements)
        return kept + convolution * ELEMENT[self.dtype] + row.recurrence * RECURRENCE

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
        floors = {name: float(seconds) for name, seconds in self.floors.items()}
        floor: dict[str, Any] = {}
        if floors and self.roofs is not None:
            binds = max(floors, key=floors.__getitem__)
            floor = {"floor": {"seconds": floors[binds], "binds": binds, "roofs": floors, **self.roofs._asdict()}}
        return {
            "schema": SCHEMA,
            "model": self.name,
            "config": self._config(),
            "settings": settings,
            **({"flops": self._flops()} if self.products else {}),
            "kv": kv,
            "memory": {"weights": self.weights},
            **floor,
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

    def _config(self) -> dict[str, Any]:
        if isinstance(self.model, Model):
            return self.model.document()
        from gpt2calc.dims import to_fields

        return to_fields(self.model)

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
        exact = products.training(self.products)
        of_all = self.train_tokens is not None
        rows: list[tuple[Cell, ...]] = []
        for name, step in self.flops_conventions.items():
            way = general_ways.BY_NAME[name]
            last: tuple[Cell, ...] = (self.of_tokens(step),) if of_all else ()
            last += (way.sentence,) if sources or not of_all else ()
            rows.append((name, step, Ratio(step, exact), *last, *((way.source,) if sources else ())))
        headers: tuple[str, ...] = ("convention", "FLOPs a step", "/ exact")
        headers += (f"of {self.train_tokens:,} tokens",) if of_all else ()
        headers += ("what is counted",) if sources or not of_all else ()
        headers += ("source",) if sources else ()
        return Table("a training step, counted every way", headers, tuple(rows))

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
            rows.append((name, *cells, BY_NAME[name].sentence, *((BY_NAME[name].source,) if sources else ())))
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
        rows = tuple(
            (name, size, Scaled(size, 10**9, "GB"), Scaled(size, 2**30, "GiB"))
            for name, size in parts
            if size is not None
        )
        of_cache = "" if self.kv_dtype == self.dtype else f", the cache {self.kv_dtype}"
        return Table(f"memory, {self.held_in}{of_cache}", ("part", "bytes", "GB", "GiB"), rows)

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


def kept(model: Dims | Model, document: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return what the layers of a model keep, of a GPT-2 too.

    >>> from gpt2calc.presets import load
    >>> kept(load("gpt2-xl").dims, {})[0][:4]
    ('attention', 48, 3200, None)
    """
    if isinstance(model, Model):
        return caches.kept(model, document)
    if not model.ln_f:
        raise ConfigError(f"{caches.NO_CACHE['openai-gpt']}: there is nothing to count")
    return (Kept("attention", model.n_layer, 2 * model.n_embd, None, True, 0, 0, {}, model.n_embd, model.n_embd),)


def _as_product(row: flops.Product) -> products.Product:
    """Return a product of a GPT-2, which has a table of its own, as another architecture has it."""
    passes, size = row.times * row.rows, row.inner * row.columns
    return products.Product(row.component, row.group, passes, size, row.gradients, row.has_weight)


def _dtype(words: Mapping[str, Any], document: Mapping[str, Any], said: list[str]) -> str:
    """Return what the weights are in: as asked, or else as the config says, or float32."""
    asked = words.get("dtype")
    if asked is not None:
        if asked not in WEIGHTS:
            raise UnknownNameError("dtype", str(asked), WEIGHTS)
        return str(asked)
    text = document.get("text_config")
    documents = (document, text if isinstance(text, Mapping) else {})
    stated = next((str(each[key]) for each in documents for key in ("dtype", "torch_dtype") if each.get(key)), None)
    found = SPOKEN.get((stated or "").removeprefix("torch."))
    if found is None:
        said.append("the config says no dtype that is known: bf16 is taken, in which models are served")
        return "bf16"
    said.append(f"dtype is {found}, as the config says")
    return found


def _packing(document: Mapping[str, Any]) -> str:
    """Return how a config says that weights are packed; "" where it does not."""
    said = stored.quantization(document)
    return "" if said is None else str(said.get("quant_method") or "a way that it does not name")


def _tokens(words: Mapping[str, Any], document: Mapping[str, Any]) -> int | None:
    """Return how many tokens of a sequence are kept; the model's own longest where nobody says, None without one."""
    seq, past, prompt, new = (_whole(words, name, 0) for name in ("seq", "past", "prompt", "new"))
    if prompt is not None or new is not None:
        if seq is not None or past is not None:
            raise ConfigError("prompt and new say how many tokens there are, and so do seq and past: give one pair")
        return (prompt or 0) + (new or 1) - 1
    if seq is not None or past is not None:
        return (past or 0) + (seq or 0)
    return longest_of(document)[1]


def _passing(words: Mapping[str, Any], tokens: int | None) -> tuple[int, int] | None:
    """Return how many tokens of a sequence are cached, and how many pass now; None where nobody says, or none do."""
    seq, past, prompt = (_whole(words, name, 0) for name in ("seq", "past", "prompt"))
    if prompt is not None or words.get("new") is not None:
        seq, past = prompt, 0
    elif seq is None and past is None:
        seq = tokens
    return (past or 0, seq) if seq else None


def longest_of(document: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return how many tokens a sequence of a model can have, by which key of its config; None where it does not say."""
    text = document.get("text_config")
    inner = text if isinstance(text, Mapping) else document
    key = next((each for each in LENGTHS if each in inner), LENGTHS[0])
    longest = inner.get(key)
    return key, longest if type(longest) is int and longest > 0 else None


def _whole(words: Mapping[str, Any], name: str, least: int = 1) -> int | None:
    value = words.get(name)
    if value is None:
        return None
    number = numbers.whole(value)
    if type(number) is not int or number < least:
        name = name.removeprefix("train_")  # which is what callers say
        raise ConfigError(f"{name} must be a whole number, {least} or more, got {shown(value)}", field=name, got=value)
    return number
