"""What the files of a model hold, from its config alone: every tensor as it is stored, with dtype, elements and bytes.

Beside the model's own tensors these are scales of quantized matrices, and layers that predict further tokens. A model
as it is stored is a `Model` whose rows are those of files, so that all that lists or verifies takes it as any other.
It must not know a file: what one holds is held against this in `verification`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import text_of
from gpt2calc.errors import ConfigError, shortened, shown
from gpt2calc.listing import BITS
from gpt2calc.model import (
    AHEAD,
    BUFFER,
    SCALE,
    TOKEN_EMBEDDING,
    WEIGHT,
    Model,
    Run,
    Stack,
    Tensor,
)
from gpt2calc.table import Scaled, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from gpt2calc.model import Ahead
    from gpt2calc.table import Cell

    Settings: TypeAlias = Mapping[str, Any]

MODEL, CORRECTIONS, PREDICTING, COPIES, SCALES = (
    "the model's parameters",
    "buffers, which are no parameters",
    "layers that predict further tokens",
    "copies of the embedding and the head in them",
    "scales of quantized matrices",
)
"""What a stored tensor is a part of, in the order in which they are shown."""

SCHEMA = "gpt2calc/stored/1"

PARTS = (MODEL, CORRECTIONS, PREDICTING, COPIES, SCALES)

DTYPES = {"bfloat16": "BF16", "float16": "F16", "float32": "F32", "float64": "F64"}
"""What a config calls a dtype, and what files do."""

USUAL_DTYPE = "BF16"
"""What is taken where a config says no dtype."""

BUFFER_DTYPE = "F32"
"""What buffers are stored as, such as the router's correction of DeepSeek-V3."""

PER_SCALE = 32
"""How many elements of MXFP4 have a scale together: OCP Microscaling Formats 1.0, 5.2."""

PER_BYTE = 2

CONV1D = frozenset(("gpt2", "openai-gpt"))
"""The model types whose matrices stand in transformers' `Conv1D`, which no quantizer of these replaces."""

KEPT_GROUPS = frozenset(("embedding", "router", "layer_norm", "head"))
"""Groups of components that quantizers leave as they are, which no config says."""

KEPT_BY_KIND, KEPT_BY_CONFIG = "by its kind, which no config says", "as the config says"
"""Why a matrix of a quantized file is plain."""

MOST_PATTERNS, MOST_WILD = 20_000, 64
"""How many names of modules a config may leave out of quantization, and how many of them with a wildcard."""

NUMBERED = re.compile(r"\.([0-9]{1,9})(?=\.|$)")


class Row(NamedTuple):
    """Tensors that files hold alike: once, or in each of some layers, or for each copy there.

    Args:
        tensor: its template, stored shape and dtype, and the tags of its layers.
        part: one of `PARTS`.
        number: how many there are.
        kept: why a matrix of a quantized file is plain; "" where it is not, or is no matrix.
    """

    tensor: Tensor
    part: str
    number: int
    kept: str = ""

    @property
    def elements(self) -> int:
        """The elements of all of them together, packed ones unpacked."""
        return int(self.number * prod(self.tensor.shape) * self.tensor.packed)

    @property
    def bytes(self) -> int:
        """The bytes that all of them take."""
        return self.number * prod(self.tensor.shape) * BITS[self.tensor.dtype] // 8


class Entry(NamedTuple):
    """One tensor of the files; of what is packed, the elements are the model's."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    part: str
    elements: int
    bytes: int
    kept: str

    def to_dict(self) -> dict[str, Any]:
        """Return the tensor as JSON takes it."""
        found = {**self._asdict(), "shape": list(self.shape), "plain": self.kept or None}
        del found["kept"]
        return found


class Held(NamedTuple):
    """How many tensors, elements and bytes a part has."""

    tensors: int
    elements: int
    bytes: int


class Stored(NamedTuple):
    """A model as its files hold it.

    Args:
        model: the same with the rows of files, and with the layers beyond its own.
        rows: what it holds, each row with a dtype.
        ahead: how many layers that predict further tokens are among them.
        notes: what a reader should know, a sentence each.
        head: the elements and bytes of a tied head, which some files hold a second time; None where it is not tied.
    """

    model: Model
    rows: tuple[Row, ...]
    ahead: int
    notes: tuple[str, ...]
    head: Held | None = None

    def sums(self) -> dict[str, Held]:
        """Return what each part comes to, of those that there are."""
        parts = {part: [row for row in self.rows if row.part == part] for part in PARTS}
        return {part: _held(rows) for part, rows in parts.items() if rows}

    @property
    def total(self) -> Held:
        """What all of it comes to, as a page of the hub shows it.

        >>> import gpt2calc
        >>> of(gpt2calc.count("Qwen3-0.6B").model, {"dtype": "bfloat16"}).total
        Held(tensors=310, elements=596049920, bytes=1192099840)
        """
        return _held(self.rows)

    def summary(self, name: str) -> Table:
        """Lay out what each part comes to."""
        found = list(self.sums().items())
        rows: list[tuple[Cell, ...]] = [(part, *held, Scaled(held.bytes, 10**9, "GB")) for part, held in found]
        total, headers = self.total, ("in the files", "tensors", "elements", "bytes", "in GB")
        return Table(name, headers, (*rows, None, ("total", *total, Scaled(total.bytes, 10**9, "GB"))))

    def table(self, name: str = "") -> Table:
        """Lay out every tensor."""
        headers = ("tensor", "shape", "dtype", "elements", "bytes", "what it is of", "plain")
        rows = [
            (each.name, str(list(each.shape)), each.dtype, each.elements, each.bytes, each.part, each.kept)
            for each in self.listing()
        ]
        if not name:
            return Table("", headers, tuple(rows))
        total = self.total
        last = ("total", f"{total.tensors:,} tensors", "", total.elements, total.bytes, "", "")
        return Table(name, headers, (*rows, None, last))

    def to_dict(self, name: str, notes: Sequence[str] = (), *, whole: bool = True) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes; each tensor if `whole`."""
        count, elements, size = self.total
        return {
            "schema": SCHEMA,
            "model": name,
            "count": count,
            "elements": elements,
            "bytes": size,
            "parts": [{"part": part, **held._asdict()} for part, held in self.sums().items()],
            "tied_head": None if self.head is None else self.head._asdict(),
            **({"tensors": [each.to_dict() for each in self.listing()]} if whole else {}),
            "notes": [*notes, *self.notes],
        }

    def listing(self) -> Iterator[Entry]:
        """Yield every tensor, what stands before the layers first, then layer after layer."""
        places = [place for place, row in enumerate(self.rows) if row.tensor.layers]
        first = places[0] if places else len(self.rows)
        body = f"{self.model.architecture.body}." if self.model.sizes.get("head") == "none" else ""
        for row in self.rows[:first]:
            yield from _entries([row], "", body)
        inside: dict[frozenset[str], list[Row]] = {}
        for stack in self.model.stacks:
            for i, tags in enumerate(stack.layers()):
                if tags not in inside:
                    wanted = ((row, frozenset(row.tensor.layers.split())) for row in self.rows if row.tensor.layers)
                    inside[tags] = [row for row, own in wanted if own <= tags and (AHEAD in own) == (AHEAD in tags)]
                yield from _entries(inside[tags], f"{stack.prefix}.{i}", body)
        for row in self.rows[first:]:
            if not row.tensor.layers:
                yield from _entries([row], "", body)


def _held(rows: Sequence[Row]) -> Held:
    return Held(sum(row.number for row in rows), sum(row.elements for row in rows), sum(row.bytes for row in rows))


def _entries(rows: list[Row], layer: str, body: str) -> Iterator[Entry]:
    """Yield the tensors of rows that stand in one place, copies one after the other where rows that follow have some.

    A template is cut at its numbers once, since a mixture of experts has tens of thousands of names. `body` is what the
    base model alone does without.
    """
    place = 0
    while place < len(rows):
        copies, alike = rows[place].tensor.times, [rows[place]]
        copied = "{n}" in rows[place].tensor.template
        while copied and place + len(alike) < len(rows):
            other = rows[place + len(alike)].tensor
            if "{n}" not in other.template or other.times != copies:
                break
            alike.append(rows[place + len(alike)])
        place += len(alike)
        cut = []
        for row in alike:
            before, _, after = row.tensor.template.replace("{layer}", layer).removeprefix(body).partition("{n}")
            one = prod(row.tensor.shape)
            size = one * BITS[row.tensor.dtype] // 8
            rest = (row.tensor.shape, row.tensor.dtype, row.part, one * row.tensor.packed, size, row.kept)
            cut.append((before, after, rest))
        for n in range(copies if copied else 1):
            for before, after, rest in cut:
                yield Entry(f"{before}{n}{after}" if copied else before, *rest)


def of(model: Model, document: Settings, *, ahead: int | None = None) -> Stored:
    """Return what the files of a model hold.

    Args:
        model: the model.
        document: its config.json: of it the dtype and `quantization_config` are read.
        ahead: how many layers that predict further tokens there are; as many as the config says, unless given.

    Raises:
        ConfigError: it is quantized in a way that is not described.
    """
    own = text_of(document)
    settings = quantization(document)
    dtype, notes = _dtype(own, document)
    further = model.architecture.ahead
    if ahead is None:
        ahead = model.sizes.get(further.number, 0) if further else said_ahead(document)
    if ahead and further is None:
        said = f"the config says {ahead:,} layer{'s' if ahead > 1 else ''} that predict{'s' if ahead == 1 else ''}"
        notes.append(f"{said} further tokens, and of a {model.architecture.model_type} no row describes what they hold")
        ahead = 0
    packing = _packing(model, settings) if settings else None
    as_stored = _model(model, further if ahead else None, ahead, packing)
    groups = {row.name: row for row in (*model.components(), *(further.components(model) if further else ()))}
    rows = tuple(_rows(as_stored, {name: row.part for name, row in groups.items()}, dtype, packing))
    if settings and not any(row.part == SCALES for row in rows):
        said = f"quantization_config says quant_method {shown(settings.get('quant_method'))}"
        problem = f"{said}, and nothing of this {model.architecture.model_type} is packed so"
        raise ConfigError(problem, field="quantization_config")
    head = _tied_head(model, dtype)
    if head:
        total = _held(rows)
        both = f"{total.tensors + 1:,} tensors of {total.elements + head.elements:,} elements"
        notes.append(f"the head is tied, and some files hold it a second time: {both} then, which no config says")
    if any(row.kept == KEPT_BY_KIND for row in rows):
        notes.append("which modules of a quantized file stay plain no config says: such rows are marked")
    return Stored(as_stored, rows, ahead, tuple(notes), head)


def said_ahead(document: Settings) -> int:
    """Return how many layers beyond the model's own a config says that files may hold."""
    own = text_of(document)
    more = own.get("num_nextn_predict_layers", own.get("num_mtp_layers"))
    return more if type(more) is int and more > 0 else 0


def quantization(document: Settings) -> Settings | None:
    """Return how a config says that its files are quantized; None where it says nothing of it.

    Raises:
        ConfigError: it says so in a way that cannot be.
    """
    parts = (text_of(document), document)
    found = next((part["quantization_config"] for part in parts if part.get("quantization_config")), None)
    if not found:
        others = {"quantization": "mlx", "compression_config": "compressed-tensors"}
        said = ((key, part.get(key)) for part in parts for key in others)
        return next(
            ({"quant_method": others[key], **each} for key, each in said if isinstance(each, Mapping) and each), None
        )
    if not isinstance(found, Mapping):
        raise ConfigError(f"quantization_config must be an object, got {shown(found)}", field="quantization_config")
    return found


def _dtype(own: Settings, document: Settings) -> tuple[str, list[str]]:
    """Return what plain tensors are stored as, and a note where no config says it."""
    said = next((each[name] for each in (own, document) for name in ("dtype", "torch_dtype") if each.get(name)), None)
    if said is None:
        return USUAL_DTYPE, [f"the config says no dtype: bytes are counted in {USUAL_DTYPE}"]
    found = DTYPES.get(str(said).removeprefix("torch."))
    if found is None:
        raise ConfigError(f"dtype must be one of {', '.join(DTYPES)}, got {shown(said)}", field="dtype", got=said)
    return found, []


def _tied_head(model: Model, dtype: str) -> Held | None:
    """Return what a tied head takes where a file holds it a second time."""
    if not (model.sizes.get("lm_head") and model.sizes.get("tie_word_embeddings")):
        return None
    embeds = [row.name for row in model.components() if row.part == TOKEN_EMBEDDING]
    table = next((row for row in model.tensors() if row.component in embeds and row.role == WEIGHT), None)
    if table is None:
        return None
    elements = prod(table.shape)
    return Held(1, elements, elements * BITS[dtype] // 8)


class _Packing:
    """How the matrices of a model are stored, and which of them are."""

    def __init__(self, model: Model, settings: Settings, split: Callable[[Tensor, Settings], list[Tensor]]) -> None:
        self.settings, self.split = settings, split
        self.groups = {row.name: row.group for row in model.components()}
        parts = {row.name: row.part for row in model.components()}
        self.kinds = {name for name, group in self.groups.items() if group in KEPT_GROUPS or parts[name]}
        self.names, self.wild = _patterns(settings)
        self.lengths = sorted({len(name) for name in self.names})
        mentioned = (int(number) for name in (*self.names, *self.wild) for number in NUMBERED.findall(name))
        self.mentioned = sorted(set(mentioned))

    def is_matrix(self, row: Tensor) -> bool:
        """Whether a row is of what is quantized where nothing is said: a weight of a linear module, or of experts."""
        is_weight = row.role == WEIGHT and not row.plain
        return is_weight and (len(row.shape) == 3 or (len(row.shape) == 2 and row.template.endswith(".weight")))

    def is_left(self, module: str) -> bool:
        """Whether the config says that a module is left as it is."""
        if not self.names and not self.wild:
            return False
        starts = [module, *(module[: place.start()] for place in re.finditer(r"\.", module))]
        return (
            any(start in self.names or f"{start}." in self.names for start in starts)
            or any(module[-length:] in self.names for length in self.lengths if length <= len(module))
            or any(pattern.match(module) for pattern in self.wild.values())
        )

    def left(self, row: Tensor, stack: Stack) -> tuple[bool, frozenset[int]]:
        """Return whether a row is left as it is in most layers, and the layers where it is otherwise."""
        module = row.template.removesuffix(".weight")
        module = module.rpartition(".")[0] if len(row.shape) == 3 else module

        def at(layer: int) -> bool:
            found = {self.is_left(module.format(layer=f"{stack.prefix}.{layer}", n=n)) for n in {0, row.times - 1}}
            if len(found) > 1:
                problem = "quantization_config leaves some experts of a layer out, and not others"
                raise ConfigError(f"{problem}: what such files hold is not described", field="quantization_config")
            return found.pop()

        depth = sum(run.length for run in stack.runs)
        other = next(n for n in range(len(self.mentioned) + 1) if n not in self.mentioned)
        usual = at(other)
        apart = frozenset(layer for layer in self.mentioned if layer < depth and at(layer) != usual)
        return (not usual, frozenset()) if apart and len(apart) == depth else (usual, apart)


def _patterns(settings: Settings) -> tuple[frozenset[str], dict[str, re.Pattern[str]]]:
    """Return the names of modules that a config leaves out, and those with a wildcard.

    Source: transformers 5.23, quantizers_utils.py (should_convert_module): a name that begins so up to a dot, or ends
    so. Of regular expressions, which it takes, a wildcard alone is read.
    """
    field = next((name for name in ("modules_to_not_convert", "ignored_layers") if settings.get(name)), "")
    given = settings[field] if field else []
    if not isinstance(given, (list, tuple)) or not all(isinstance(each, str) and each for each in given):
        raise ConfigError(f"{field} must be a list of names, got {shown(given)}", field="quantization_config")
    wild = sorted({each for each in given if "*" in each})
    strange = next((each for each in given if re.search(r"[^\w.*\-]", each) or each.count("*") > 2), None)
    if strange is not None or len(given) > MOST_PATTERNS or len(wild) > MOST_WILD:
        what = shortened(strange) if strange is not None else f"{len(given):,} names"
        raise ConfigError(f"{field} has {what}, which is not read", field="quantization_config", got=given)
    made = {}
    for each in wild:
        parts = (re.escape(part) for part in each.replace(".*", "*").split("*"))
        made[each] = re.compile(rf"{'.*'.join(parts)}(?:(?<=\.)|(?=\.|$))")
    return frozenset(each for each in given if "*" not in each), made


def _packing(model: Model, settings: Settings) -> _Packing:
    method = settings.get("quant_method")
    split = METHODS.get(method) if isinstance(method, str) else None
    if split is None:
        problem = f"quantization_config says quant_method {shown(method)}, and what such files hold is not described"
        raise ConfigError(f"{problem}: described are {' and '.join(METHODS)}", field="quantization_config", got=method)
    if (model_type := model.architecture.model_type) in CONV1D:
        problem = (
            f"quantization_config says quant_method {shown(method)}, and what such files of a {model_type} hold is"
        )
        raise ConfigError(f"{problem} not described", field="quantization_config", got=method)
    return _Packing(model, settings, split)


def _fp8(row: Tensor, settings: Settings) -> list[Tensor]:
    """Return a matrix in 8 bits, and a scale for each block of it.

    Law: ceil(out / block) × ceil(in / block) scales.
    Source: deepseek-ai/DeepSeek-V3, README_WEIGHTS.md; transformers 5.23, finegrained_fp8.py (FP8Linear).
    """
    block = settings.get("weight_block_size", [128, 128])
    is_block = isinstance(block, (list, tuple)) and len(block) == 2
    if not is_block or not all(type(size) is int and 0 < size < 2**31 for size in block):
        _refuse("fp8", "weight_block_size", block)
    for name, usual in {"activation_scheme": "dynamic", "expert_dtype": "fp8", "modules_to_convert": None}.items():
        if settings.get(name, usual) not in (usual, None):
            _refuse("fp8", name, settings[name])
    if len(row.shape) != 2:
        problem = "quant_method fp8 of experts that are one tensor a layer is not described"
        raise ConfigError(f"quantization_config: {problem}", field="quantization_config")
    blocks = tuple(-(-size // of) for size, of in zip(row.shape, block, strict=True))
    scales = row._replace(template=f"{row.template}_scale_inv", shape=blocks, role=SCALE, dtype="F32")
    return [row._replace(dtype="F8_E4M3"), scales]


def _mxfp4(row: Tensor, _: Settings) -> list[Tensor]:
    """Return experts of a layer in 4 bits, two in a byte, and a scale for each 32 of them; a matrix alone is plain.

    Law: of experts of in × out, out · in / 32 blocks of 16 bytes each, turned, and as many scales of a byte.
    Source: openai/gpt-oss-20b, its header; transformers 5.23, integrations/mxfp4.py (convert_moe_packed_tensors).
    """
    if len(row.shape) != 3:
        return [row]
    experts, inputs, outputs = row.shape
    if inputs % PER_SCALE:
        problem = f"quant_method mxfp4 has a scale for each {PER_SCALE} of a column, which {inputs:,} is no multiple of"
        raise ConfigError(f"quantization_config: {problem}", field="quantization_config")
    scales = (experts, outputs, inputs // PER_SCALE)
    blocks = (*scales, PER_SCALE // PER_BYTE)
    return [
        row._replace(template=f"{row.template}_blocks", shape=blocks, dtype="U8", packed=PER_BYTE),
        row._replace(template=f"{row.template}_scales", shape=scales, role=SCALE, dtype="U8"),
    ]


METHODS: dict[str, Callable[[Tensor, Settings], list[Tensor]]] = {"fp8": _fp8, "mxfp4": _mxfp4}
"""What each way of quantizing makes of a matrix, by `quant_method`; a new one is a function and a row here."""


def _refuse(method: str, name: str, value: object) -> None:
    problem = f"quantization_config says {name} {shown(value)}, and what {method} files so hold is not described"
    raise ConfigError(problem, field="quantization_config", got=value)


def _model(model: Model, further: Ahead | None, ahead: int, packing: _Packing | None) -> Model:
    """Return a model whose rows are those of files, and whose layers are its own and those that predict further tokens.

    Where a module is quantized in some layers and not in others, these get a tag each.
    """
    architecture = model.architecture
    stacks = list(model.stacks)
    if further:
        run = Run((further.tags | {AHEAD},), ahead)
        if further.prefix:
            stacks.append(Stack(further.prefix, (run,)))
        else:
            stacks[0] = stacks[0]._replace(runs=(*stacks[0].runs, run))
    plain = [*architecture.tensors(model), *(further.tensors(model) if further else ())]
    rows, marks = list[Tensor](), list[dict[int, frozenset[str]]]([{} for _ in stacks])
    for number, row in enumerate(plain):
        is_kept = packing is None or not packing.is_matrix(row) or row.component in packing.kinds
        if packing is None or is_kept or not row.when:
            rows.append(row)
            continue
        usual, apart = packing.left(row, stacks[0] if row.layers else Stack("", ()))
        parts = {False: packing.split(row, packing.settings), True: [row]}
        if not apart:
            rows += parts[usual]
            continue
        for tag, is_left in ((f"usual{number}", usual), (f"apart{number}", not usual)):
            rows += [each._replace(layers=f"{each.layers} {tag}") for each in parts[is_left]]
        for layer in apart:
            marks[0][layer] = marks[0].get(layer, frozenset()) | {f"apart{number}"}
    every = frozenset(tag for row in rows for tag in row.layers.split() if tag.startswith("usual"))
    runs = tuple(
        stack._replace(runs=_marked(stack.runs, mark, every)) for stack, mark in zip(stacks, marks, strict=True)
    )
    found = architecture._replace(tensors=lambda _: rows, layers=lambda _: runs, merges=())
    return Model(found, model.sizes)


def _marked(runs: tuple[Run, ...], marks: Mapping[int, frozenset[str]], every: frozenset[str]) -> tuple[Run, ...]:
    """Return runs of which some layers have tags of their own, and all others have those that these stand for."""
    if not every:
        return runs
    found, start = list[Run](), 0
    for run in runs:
        stop, turn = start + run.length, 0
        cuts = [layer for layer in sorted(marks) if start <= layer < stop]
        for cut in (*cuts, stop):
            length, n = cut - start - turn, len(run.pattern)
            if length:
                own = tuple(run.pattern[(turn + i) % n] | every for i in range(min(n, length)))
                found.append(Run(own, length))
            if cut < stop:
                instead = frozenset(tag.replace("apart", "usual") for tag in marks[cut])
                found.append(Run(((run.pattern[(cut - start) % n] | every) - instead | marks[cut],), 1))
            turn = cut - start + 1
        start = stop
    return tuple(found)


def _rows(model: Model, parts: Mapping[str, str], dtype: str, packing: _Packing | None) -> Iterator[Row]:
    """Yield what files hold: of layers, what the model's own hold, and what those beyond them do."""
    for row in model.tensors():
        named = {BUFFER: CORRECTIONS, SCALE: SCALES}.get(row.role, "")
        is_ahead = AHEAD in row.layers.split() or (not row.layers and not _is_own(model, row))
        beyond = named or (COPIES if parts.get(row.component) and AHEAD in row.layers.split() else PREDICTING)
        tensor = row._replace(dtype=row.dtype or (BUFFER_DTYPE if row.role == BUFFER else dtype))
        kept = ""
        if packing and row.role == WEIGHT and not row.dtype and len(row.shape) > 1:
            is_kind = row.plain or row.component in packing.kinds or not packing.is_matrix(row)
            kept = KEPT_BY_KIND if is_kind else KEPT_BY_CONFIG
        if is_ahead:
            yield Row(tensor, beyond, model.count(row.layers) * row.times, kept)
            continue
        further = model.count(f"{row.layers} {AHEAD}") if row.layers else 0
        if own := model.count(row.layers) - further:
            yield Row(tensor, named or MODEL, own * row.times, kept)
        if further:
            yield Row(tensor._replace(layers=f"{row.layers} {AHEAD}"), beyond, further * row.times, kept)


def _is_own(model: Model, row: Tensor) -> bool:
    """Whether a tensor outside of all layers is the model's own, and not of what predicts further tokens."""
    further = model.architecture.ahead
    return further is None or not row.template.startswith(f"{further.prefix.partition('.')[0]}.") or not further.prefix
