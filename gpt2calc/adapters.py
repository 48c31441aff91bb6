"""Adapters: what LoRA and prompt tuning train beside a model that stays as it is, exactly as PEFT counts them.

Law: a target of n inputs and m outputs gets A of [r, n] and B of [m, r], which is r·(n + m); an embedding of V rows and
d columns r·(V + d). DoRA adds a magnitude for each output, and for each column of an embedding. A tied head that is a
target, or that is saved, has tensors of its own.

Which tensors are there is read from the second derivation, as a live module has them. No file is met here.

Source: huggingface/peft 0.21.2, src/peft/tuners/lora/layer.py, src/peft/tuners/tuners_utils.py, src/peft/peft_model.py.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.errors import ConfigError, closest, shown
from gpt2calc.model import BUFFER, OUTPUT_HEAD, WEIGHT, Listed
from gpt2calc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gpt2calc.model import Component, Model
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/adapter/1"

ALL_LINEAR = "all-linear"
"""PEFT's word for every linear layer but the output head."""

BIASES = ("none", "all", "lora_only")
"""Which biases are trained: none, all of the model, or those of the targets."""

CONV1D = frozenset(("gpt2", "openai-gpt"))
"""The model types whose blocks keep matrices as [in, out], in transformers' `Conv1D`."""

MOST_TENSORS = 1_000_000
"""How many tensors are gone through, one by one: targets are chosen by name."""

DEFAULT_TARGETS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("gpt2", "gpt_bigcode"), ("c_attn",)),
    **dict.fromkeys(("bloom", "gpt_neox", "falcon"), ("query_key_value",)),
    **dict.fromkeys(
        ("opt", "gptj", "gpt_neo", "llama", "mistral", "stablelm", "gemma", "gemma2", "gemma3_text", "qwen2", "qwen3"),
        ("q_proj", "v_proj"),
    ),
    "phi": ("q_proj", "v_proj", "fc1", "fc2"),
    "codegen": ("qkv_proj",),
    "mpt": ("Wqkv",),
}
"""What PEFT adapts where no targets are given, of model types without experts, of which it then refuses to guess.

Source: huggingface/peft, src/peft/utils/constants.py.
"""

WIDTHS = ("hidden_size", "n_embd", "d_model")
"""Where PEFT reads the width of a virtual token, the first that there is. Source: src/peft/peft_model.py."""


class Lora(NamedTuple):
    """What is asked for, in PEFT's words.

    Args:
        r: the rank.
        targets: the ends of names of modules, such as `c_attn` or `mlp.c_proj`, or `all-linear`; None for PEFT's own.
        bias: one of `BIASES`.
        modules_to_save: the ends of names of modules that are trained as they are, each in a copy.
        dora: whether each target has a magnitude too.
        lora_bias: whether B has a bias.
    """

    r: int
    targets: tuple[str, ...] | None = None
    bias: str = "none"
    modules_to_save: tuple[str, ...] = ()
    dora: bool = False
    lora_bias: bool = False


class Target(NamedTuple):
    """One module that is adapted: its name, the component it is of, inputs and outputs, and whether it embeds."""

    module: str
    component: str
    inputs: int
    outputs: int
    embeds: bool = False

    def trained(self, asked: Lora) -> int:
        """Return how many numbers an adapter of it has.

        >>> Target("h.0.attn.c_attn", "attn.c_attn", 768, 2304).trained(Lora(8))
        24576
        """
        return asked.r * (self.inputs + self.outputs) + (asked.dora + asked.lora_bias) * self.outputs


class Row(NamedTuple):
    """What is trained of one kind: of a component, or of what else there is; how many modules, and what they hold."""

    what: str
    where: str
    modules: int
    inputs: int
    outputs: int
    trained: int


class AdapterCount:
    """What an adapter trains, of which model, and in which rows.

    Args:
        name: what the user called the model.
        base: the parameters of the model without it.
        rows: what is trained.
        added: how many of these the model does not have without it.
        asked: the words that say which adapter it is.
        notes: what a reader should know.

    >>> import gpt2calc
    >>> print(gpt2calc.adapter("gpt2", r=8).line)
    trainable params: 294,912 || all params: 124,734,720 || trainable%: 0.2364
    """

    __slots__ = ("added", "asked", "base", "name", "notes", "rows")

    def __init__(  # noqa: PLR0917  # what it is made of
        self,
        name: str,
        base: int,
        rows: tuple[Row, ...],
        added: int,
        asked: dict[str, Any],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name, self.base, self.rows, self.added = name, base, rows, added
        self.asked, self.notes = asked, notes

    @property
    def trainable(self) -> int:
        """The parameters that are trained."""
        return sum(row.trained for row in self.rows)

    @property
    def all(self) -> int:
        """All parameters, those of the adapter among them."""
        return self.base + self.added

    @property
    def line(self) -> str:
        """The line that PEFT's `print_trainable_parameters()` prints."""
        share = 100 * self.trainable / self.all if self.all else 0.0
        return f"trainable params: {self.trainable:,d} || all params: {self.all:,d} || trainable%: {share:.4f}"

    def __repr__(self) -> str:
        return f"<AdapterCount {self.name}: {self.line}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write([self.table()])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "model": self.name,
            "adapter": self.asked,
            "trainable": self.trainable,
            "all": self.all,
            "base": self.base,
            "share": self.trainable / self.all if self.all else 0.0,
            "line": self.line,
            "trained": [row._asdict() for row in self.rows],
            "notes": list(self.notes),
        }

    def table(self) -> Table:
        """Lay out what is trained, with PEFT's line above it."""
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (row.what, row.where, row.modules, row.inputs or "", row.outputs or "", row.trained) for row in self.rows
        )
        total: tuple[Cell, ...] = ("trainable", "", sum(row.modules for row in self.rows), "", "", self.trainable)
        headers = ("trained", "in", "modules", "inputs", "outputs", "parameters")
        return Table(self.line, headers, (*rows, None, total))


def count(model: Model, name: str, asked: Lora, notes: tuple[str, ...] = ()) -> AdapterCount:
    """Count what a LoRA adapter trains.

    Args:
        model: the model that is adapted.
        name: what the user called it.
        asked: which adapter.
        notes: what a reader should know of the model.

    Raises:
        ConfigError: a target is none that PEFT adapts, or it is not known whether it is.
    """
    if asked.bias not in BIASES:
        raise ConfigError(f"the bias of LoRA is one of {', '.join(BIASES)}, got {shown(asked.bias)}")
    tensors = listed(model, name)
    targets = chosen(model, name, tensors, asked.targets)
    if asked.lora_bias and (embedding := next((each for each in targets if each.embeds), None)):
        raise ConfigError(f"lora_bias is none of an embedding's, and {embedding.module} is one")
    saved = _saved(name, tensors, targets, asked.modules_to_save)
    rows = [_row("LoRA", group, asked) for group in _grouped(targets)]
    rows += [
        Row(f"{where}, a copy", where, len(group), 0, 0, sum(prod(each.shape) for each in _under(tensors, group)))
        for where, group in saved.items()
    ]
    added = sum(row.trained for row in rows)
    adapted = {each.module for each in targets}
    within = tuple(f"{module}." for group in saved.values() for module in group)
    own = [each for each in tensors if "bias" in each.name and not each.name.startswith(within)]
    if asked.bias == "lora_only":
        own = [each for each in own if each.name.rpartition(".")[::2] in {(module, "bias") for module in adapted}]
    if asked.bias != "none" and own:
        rows.append(Row(f"bias={asked.bias}", "biases of the model", len(own), 0, 0, sum(prod(x.shape) for x in own)))
    words = {**asked._asdict(), "kind": "LoRA", "targets": sorted({each.component for each in targets})}
    return AdapterCount(name, int(model.total()), tuple(rows), added, words, notes)


def prompt(model: Model, name: str, tokens: int, notes: tuple[str, ...] = ()) -> AdapterCount:
    """Count what prompt tuning trains: a vector of the model's width for each virtual token.

    >>> from gpt2calc.presets import load
    >>> from gpt2calc.architectures import gpt2
    >>> prompt(gpt2.model(load("gpt2").dims), "gpt2", 20).all
    124455168
    """
    width = next((model.sizes[each] for each in WIDTHS if isinstance(model.sizes.get(each), int)), None)
    if width is None:
        raise ConfigError(f"{name} says no {', '.join(WIDTHS)}, of which PEFT takes the width of a virtual token")
    rows = (Row("prompt tuning", "virtual tokens", 1, tokens, width, tokens * width),)
    words = {"kind": "prompt tuning", "tokens": tokens}
    return AdapterCount(name, int(model.total()), rows, tokens * width, words, notes)


def listed(model: Model, name: str) -> list[Listed]:
    """Return the parameters of a live module, one by one, and the weight of a tied head, which is another's.

    Raises:
        ConfigError: there are too many.
    """
    if model.size(live=True) > MOST_TENSORS:
        raise ConfigError(f"targets are chosen by name among at most {MOST_TENSORS:,} tensors, and {name} has more")
    found = [each for each in model.listing(live=True) if each.role != BUFFER]
    head = next((row.name for row in model.components() if row.part == OUTPUT_HEAD), "")
    own = {each.component for each in found if each.role == WEIGHT}  # a tied head can have a bias
    if model.lm_head and model.tie_word_embeddings and head and head not in own:
        row = next(row for row in model.architecture.tensors(model) if (row.component, row.role) == (head, WEIGHT))
        live = next(
            (merge.live for merge in model.architecture.merges if merge.stored == (row.template,)), row.template
        )
        found.append(Listed(live, row.shape, row.component, row.role))
    return found


def chosen(model: Model, name: str, tensors: Iterable[Listed], targets: tuple[str, ...] | None) -> list[Target]:
    """Return the modules that are adapted.

    Law: as PEFT, a module whose whole name a target is, or the end of it behind a dot; of all-linear every linear layer
    but the output head.

    Raises:
        ConfigError: a target fits nothing, or something that PEFT does not adapt, or that is not known to be adapted.
    """
    model_type = model.architecture.model_type
    if targets is None:
        targets = DEFAULT_TARGETS.get(model_type)
        if targets is None:
            raise ConfigError(f"PEFT has no targets of its own for a {model_type}: say which, such as q_proj,v_proj")
    kinds = {row.name: row for row in model.components()}
    by_module: dict[str, list[Listed]] = {}
    for each in tensors:
        by_module.setdefault(each.name.rpartition(".")[0], []).append(each)
    _refuse_unknown(model, kinds, by_module, targets)
    found, left, every = [], set(targets), ALL_LINEAR in targets
    for module, group in by_module.items():
        by_name = {target for target in targets if module == target or module.endswith(f".{target}")}
        weight = next((each for each in group if each.name == f"{module}.weight" and len(each.shape) == 2), None)
        if by_name and weight is None:
            shapes = ", ".join(f"{each.name.rpartition('.')[2]} {list(each.shape)}" for each in group[:2])
            raise ConfigError(f"{module} is no linear layer and no embedding, which LoRA is counted for: {shapes}")
        if weight is None or not (by_name or every):
            continue
        row = kinds[weight.component]
        embeds = row.group == "embedding" and _embeds(module)
        if not by_name and (embeds or row.part == OUTPUT_HEAD):
            continue
        is_turned = not (model_type in CONV1D and row.layers) and not embeds
        inputs, outputs = weight.shape[::-1] if is_turned else weight.shape
        found.append(Target(module, weight.component, inputs, outputs, embeds))
        left -= {*by_name, ALL_LINEAR}
    if left or not found:
        raise _unknown(name, min(left) if left else ", ".join(targets), by_module)
    return found


def _unknown(name: str, asked: str, by_module: Mapping[str, list[Listed]]) -> ConfigError:
    """Return the error that says that a target names no module, with the nearest that there is."""
    matrices = (module for module, group in by_module.items() if _is_matrix(group))
    ends = dict.fromkeys(module.rpartition(".")[2] for module in matrices)
    near = closest(asked, tuple(ends))
    advice = f"did you mean {near}?" if near else f"known are {', '.join(ends)} and {ALL_LINEAR}"
    return ConfigError(f"{name} has no module that ends with {shown(asked)}: {advice}", field="targets", got=asked)


def _refuse_unknown(
    model: Model, kinds: Mapping[str, Component], by_module: Mapping[str, list[Listed]], targets: tuple[str, ...]
) -> None:
    """Raise where a target is of experts or a router, of which PEFT makes what depends on transformers' classes."""
    model_type, experts = model.architecture.model_type, _expert_names(model)
    if fused := next((each for each in targets if each.rpartition(".")[2] in experts), None):
        problem = f"{fused} names a part of experts, which a live {model_type} keeps in one tensor"
        raise ConfigError(f"{problem}, and what PEFT makes of that is not counted: name other targets, such as q_proj")
    for module, group in by_module.items():
        if kinds[group[0].component].group != "router":
            continue
        if ALL_LINEAR in targets or any(module == each or module.endswith(f".{each}") for each in targets):
            problem = f"whether PEFT adapts the {group[0].component} of a {model_type} depends on transformers' class"
            raise ConfigError(f"{problem} of it: name other targets, such as q_proj,v_proj")


def _expert_names(model: Model) -> set[str]:
    """Return what files call the parts of an expert, which PEFT adapts as whole parameters of a live module."""
    stored = {each for merge in model.architecture.merges for each in merge.stored if "{n}" in each}
    return {each.removesuffix(f".{WEIGHT}").rpartition(".")[2] for each in stored}


def _is_matrix(group: list[Listed]) -> bool:
    return any(each.name.endswith(".weight") and len(each.shape) == 2 for each in group)


def _embeds(module: str) -> bool:
    """Whether what stands among the embeddings looks rows up, by its name; some project, as OPT's project_in."""
    name = module.rpartition(".")[2]
    return "embed" in name or name in {"wte", "wpe"}


def _grouped(targets: list[Target]) -> list[list[Target]]:
    groups: dict[tuple[object, ...], list[Target]] = {}
    for each in targets:
        groups.setdefault(each[1:], []).append(each)
    return list(groups.values())


def _row(what: str, group: list[Target], asked: Lora) -> Row:
    first = group[0]
    law = f"{what} of {asked.r}" + " with magnitudes" * asked.dora
    return Row(law, first.component, len(group), first.inputs, first.outputs, len(group) * first.trained(asked))


def _under(tensors: Iterable[Listed], modules: Iterable[str]) -> list[Listed]:
    within = tuple(f"{module}." for module in modules)
    return [each for each in tensors if each.name.startswith(within)]


def _saved(
    name: str, tensors: list[Listed], targets: list[Target], asked: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Return the modules that are trained in a copy, by the word that names them.

    Raises:
        ConfigError: a word names nothing, or what holds a target or another that is saved, or layers as a whole.
    """
    modules = {each.name[:place] for each in tensors for place, sign in enumerate(each.name) if sign == "."}
    found: dict[str, tuple[str, ...]] = {}
    for word in dict.fromkeys(asked):
        fitting = tuple(sorted(module for module in modules if module.endswith(word)))
        if not fitting:
            near = closest(word, tuple({module.rpartition(".")[2] for module in modules}))
            advice = f": did you mean {near}?" if near else ""
            raise ConfigError(f"{name} has no module that ends with {shown(word)} to be saved{advice}")
        found[word] = fitting
    chosen = [module for group in found.values() for module in group]
    for module in chosen:
        inner = {each.name[len(module) + 1 :].partition(".")[0] for each in _under(tensors, [module])}
        if any(each.isdecimal() for each in inner) or "h" in inner or "layers" in inner:
            raise ConfigError(f"{module} holds all layers, and what is saved is a module of its own")
        if any(f"{each.module}.".startswith(f"{module}.") for each in targets):
            raise ConfigError(f"{module} is saved as a whole, and holds a target of LoRA")
        if (
            any(other != module and f"{other}.".startswith(f"{module}.") for other in chosen)
            or chosen.count(module) > 1
        ):
            raise ConfigError(f"{module} is saved twice, by {' and '.join(asked)}")
    return found
