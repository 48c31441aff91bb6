"""`Card`: the lines of a model card that say how large a model is, as Markdown, and its metadata, as the hub reads it.

Every number is exact, and stands beside what it counts. What a config does not say, a card does not say either.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import stored
from gpt2calc.checkpoints import folders
from gpt2calc.costs.serving import Serving
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, printable
from gpt2calc.reports import markdown
from gpt2calc.sources import LEFT_OUT, LeftOut, Source, resolve
from gpt2calc.table import Scaled, Table
from gpt2calc.verification.holdings import PADDING, REST
from gpt2calc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.sources import Model
    from gpt2calc.table import Cell
    from gpt2calc.verification.report import Verification

SHOWN = (
    "untied",
    "without_embeddings",
    "without_embeddings_and_head",
    "active",
    "active_without_embeddings",
)
"""The conventions of a card, in order, of those that the model has: what people compare models by."""

DTYPES = ("fp32", "bf16", "int8")
"""What sizes in bytes are given in where there are no files."""

CACHE_DTYPE = "bf16"

TASKS = {
    "lm": "text-generation",
    "none": "feature-extraction",
    "sequence_classification": "text-classification",
    "token_classification": "token-classification",
    "question_answering": "question-answering",
}
"""What the hub calls the task of a head: docs of the hub, model cards, pipeline_tag."""


class Card(NamedTuple):
    """The lines of a model card.

    Args:
        markdown: the lines themselves.
        metadata: YAML, between two lines of `---`, for the top of the card.
        verification: of a checkpoint, whether it holds what its config says; None of a config alone.
        notes: what a reader should know, a sentence each.
    """

    markdown: str
    metadata: str
    verification: Verification | None = None
    notes: tuple[str, ...] = ()


def of(model: Model | LeftOut, fields: Mapping[str, Any], *, hub: bool = False, revision: str | None = None) -> Card:
    """Return the card of a config, or of a checkpoint, which is verified.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `sources.resolve` and `verifier.verify`.
    """
    command = _typed(model, fields, hub=hub, revision=revision)
    if not (hub or revision is not None or is_checkpoint(model)):
        own = resolve(model, fields)
        return _card(
            ParameterCount(own.counted, own.name, own.notes), own, None, f"gpt2calc count {command}" if command else ""
        )
    from gpt2calc.verification import verifier

    found = verifier.verify(model, LEFT_OUT, fields, hub=hub, revision=revision)
    beside = _config_of(model, fields, hub=hub, revision=revision)
    count = ParameterCount(found.counted, found.checked.target, found.notes)
    return _card(count, beside, found, f"gpt2calc verify {command}")


def _typed(model: object, fields: Mapping[str, Any], *, hub: bool, revision: str | None) -> str:
    """Return what is typed behind a command to name this model; nothing of one that has no name there."""
    if not isinstance(model, (str, os.PathLike, LeftOut)):
        return ""
    words = [
        *([] if isinstance(model, LeftOut) else [os.fspath(model)]),
        *(["--hub"] if hub else []),
        *(["--revision", revision] if revision else []),
    ]
    for name, value in fields.items():
        option = name.replace("_", "-")
        words += [f"--{'no-' * (value is False)}{option}", *([] if isinstance(value, bool) else [str(value)])]
    return shlex.join(map(os.fsdecode, words))


def is_checkpoint(model: object) -> bool:
    """Whether this is a path to files with weights: a folder that holds some, or one of them."""
    if not isinstance(model, (str, os.PathLike)) or not os.path.exists(model):
        return False
    names = os.listdir(model) if os.path.isdir(model) else [os.path.basename(model)]
    return any(
        pattern.fullmatch(name)
        for name in map(os.fsdecode, names)
        for pattern in folders.RANKS
        if name.endswith(folders.ENDINGS)
    )


def _config_of(model: Any, fields: Mapping[str, Any], *, hub: bool, revision: str | None) -> Source | None:
    """Return the config that lies with a checkpoint; None where there is none."""
    if hub or revision is not None:
        return resolve(model, fields, hub=hub, revision=revision)
    path = folders.companion_config(os.fspath(model))
    return resolve(path, fields) if path else None


def _card(count: ParameterCount, source: Source | None, found: Verification | None, command: str) -> Card:
    tables = [_parameters(count), _bytes(count, source) if found is None else _files(found)]
    notes = count.notes
    try:
        tables += _running(count, source)
    except ConfigError as error:  # of which no cache is known
        notes = (*notes, str(error))
    verdict = f" says: {markdown.escaped(printable(found.verdict))}" if found is not None else " shows more"
    last = (
        f"{markdown.as_code(printable(command))} (gpt2calc {__version__}){verdict}."
        if command
        else f"Counted by gpt2calc {__version__}."
    )
    lines = [markdown.write(tables), last]
    return Card("\n".join(lines), _metadata(count), found, notes)


def _parameters(count: ParameterCount) -> Table:
    """Lay out the total, and every other way of counting that people compare by, each number once."""
    rows: dict[int, Cell] = {count.total: "every parameter of the model"}
    for row in count.conventions_table().rows:
        if row and row[0] in SHOWN and isinstance(row[1], int):
            rows.setdefault(row[1], row[3])
    return Table("Parameters", ("what is counted", "parameters"), tuple((said, value) for value, said in rows.items()))


def _bytes(count: ParameterCount, source: Source | None) -> Table:
    """Lay out what the parameters take by dtype, and what files hold, where the config says how."""
    rows: list[tuple[Cell, ...]] = [(dtype, *_sized(count.conventions[f"{dtype}_bytes"])) for dtype in DTYPES]
    document = source.of_files if source else {}
    if any(document.get(key) for key in ("dtype", "torch_dtype", "quantization_config")):
        try:
            tensors, elements, size = stored.of(count.model, document).total
        except ConfigError:  # quantized in a way that is not described, of which nothing is said
            tensors = elements = size = 0
        said = f"its files, by the config: {elements:,} elements in {tensors:,} tensors"
        rows += [(said, *_sized(size))] if tensors else []
    return Table("Bytes", ("each parameter once, in", "bytes", "size"), tuple(rows))


def _sized(size: int) -> tuple[int, Scaled]:
    """Return bytes, and these in the unit in which the count's first line has them."""
    unit, word = next((each for each in ((10**12, "TB"), (10**9, "GB")) if size >= each[0]), (10**6, "MB"))
    return size, Scaled(size, unit, word)


def _files(found: Verification) -> Table:
    """Lay out what the files hold, in which padding is no tensor and a header has no elements."""
    parts = found.checked.holdings
    rows: list[tuple[Cell, ...]] = []
    for part in parts:
        tensors = "" if part.what in (PADDING, REST) else part.tensors
        rows.append((part.what, tensors, "" if part.what == REST else part.elements, *_sized(part.bytes)))
    sums = sum(part.tensors for part in parts), sum(part.elements for part in parts)
    whole = sum(part.bytes for part in parts)
    headers = ("what the files hold", "tensors", "elements", "bytes", "size")
    return Table("Files", headers, (*rows, ("total", *sums, *_sized(whole))))


def _running(count: ParameterCount, source: Source | None) -> list[Table]:
    """Lay out what a sequence keeps, and how long it can be; nothing where no config says how the model runs.

    Raises:
        ConfigError: what the model keeps is not known.
    """
    if source is None and not isinstance(count.counted, Dims):
        return []
    serving = Serving(count.counted, source.of_files if source else {}, {"dtype": CACHE_DTYPE}, count.name)
    rows: list[tuple[Cell, ...]] = [("KV cache of a token", f"{serving.kv_bytes_per_token:,} bytes in {CACHE_DTYPE}")]
    if serving.state_bytes:
        rows.append(("state of a sequence, however long", f"{serving.state_bytes:,} bytes"))
    if serving.tokens is not None:
        rows.append(("context", f"{serving.tokens:,} tokens"))
        rows.append(("cache and state of a sequence as long", f"{serving.kv_bytes:,} bytes in {CACHE_DTYPE}"))
    return [Table("Running it", ("of one sequence", "exactly"), tuple(rows))]


def _metadata(count: ParameterCount) -> str:
    """Return the metadata that a config shows: the library, the task and the architecture."""
    model_type, head = count.model.architecture.model_type, count.model.sizes.get("head", "lm")
    task = [f"pipeline_tag: {TASKS[head]}"] if head in TASKS else []
    return "\n".join(["---", "library_name: transformers", *task, "tags:", f"- {model_type}", "---"])
