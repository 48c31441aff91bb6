"""What else is counted of a model that is named: adapters; of a GPT-2 some blocks, one rank's part, and sums of parts.

It is looked at for a model that is named alone: over every model that ships, such numbers meet nearly any figure. What
only a figure that is written out can mean is `written`. It must not know a figure: that is `printed`.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import adapters, formulas, partitions, stored
from gpt2calc.errors import ConfigError
from gpt2calc.explanation import lattice
from gpt2calc.explanation.lattice import Step
from gpt2calc.explanation.printed import KNOWN, RARE, SELDOM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dims import Dims
    from gpt2calc.model import Model

RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The ranks of adapters that people take."""

MOST_USUAL_RANK = 64
"""Beyond it an adapter is as rare as a number that only a figure that is written out can mean."""

TARGETS: dict[str, tuple[str, ...]] = {
    "c_attn": ("attn.c_attn",),
    "queries and values": ("q", "v"),
    "attention": ("attn.c_attn", "attn.c_proj"),
    "c_proj": ("attn.c_proj", "mlp.c_proj"),
    "c_attn and c_proj": ("attn.c_attn", "attn.c_proj", "mlp.c_proj"),
    "the MLP": ("mlp.c_fc", "mlp.c_proj"),
    "every matrix of a block": ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"),
}
"""Which matrices of each block adapters are put on; PEFT's c_proj is both that bear the name."""

ATTENTION, GATED_MLP = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")

TARGETS_OF_FAMILIES = (
    *(("q_proj", "v_proj"), ("q_proj", "k_proj", "v_proj"), ATTENTION, GATED_MLP, (adapters.ALL_LINEAR,)),
    *((*ATTENTION, *GATED_MLP), ("query_key_value",), ("c_attn",), ("qkv_proj",), ("Wqkv",)),
)
"""Modules that adapters are put on in other architectures, beside what PEFT itself takes; each as PEFT is told them."""

PROMPTS = (1, 2, 4, 5, 8, 10, 16, 20, 30, 32, 50, 64, 100, 128)
"""How many virtual tokens prompts and prefixes have."""

TENSOR_PARALLEL, PIPELINE_PARALLEL = (1, 2, 4, 8), (1, 2, 4, 8, 16)
MOST_TERMS = 3
"""How many parts a sum has at most, beside the model."""

MOST_BLOCKS = 200
"""Of how many blocks some may be counted."""

LORA = "Hu et al. 2021, section 4; PEFT, LoraConfig"
PEFT = "PEFT, print_trainable_parameters()"
MEGATRON = "Megatron-LM, the log line of each rank"


class Addition(NamedTuple):
    """A number: the steps that say what it is of, how unusual they are, and whether only a whole figure can mean it."""

    value: int
    penalty: int
    steps: tuple[Step, ...]
    written: bool = False


def of(dims: Dims) -> Iterator[Addition]:
    """Yield the numbers that are looked at for a model, above 0.

    >>> from gpt2calc.presets import load
    >>> [each.value for each in of(load("gpt2").dims) if each.steps[-1].name == "LoRA r=8 on c_attn"]
    [294912, 124734720]
    """
    for found in (_adapters(dims), _blocks(dims), _depths(dims), _parts_of_ranks(dims), _sums(dims)):
        yield from (each for each in found if each.value > 0)


def of_files(model: Model, document: Mapping[str, Any]) -> Iterator[Addition]:
    """Yield how many elements the files of a model of another architecture hold, where that is more than its own.

    >>> from gpt2calc.presets import load
    >>> preset = load("DeepSeek-R1")
    >>> [each.value for each in of_files(preset.counted, preset.fields)]
    [684531386000]
    """
    try:
        elements = stored.of(model, document).total.elements
    except ConfigError:  # of what is packed in a way that is not described, nothing is known
        return
    if elements != model.total():
        said = "what its files hold: scales, buffers, and layers that predict further tokens as well"
        yield Addition(elements, KNOWN, (Step("stored", KNOWN, said, "the page of the model on the hub"),))


def of_family(model: Model, name: str) -> Iterator[Addition]:
    """Yield what LoRA trains of a model of another architecture, alone and with the model, as `adapters` counts it.

    Law: every target adds r · (d_in + d_out), so that rank r trains r times what rank 1 does. Modules that the model
    does not have, or of which it is not known what PEFT makes, are passed over, and so are the same ones again.

    >>> from gpt2calc.presets import load
    >>> found = of_family(load("Llama-3.1-8B").counted, "Llama-3.1-8B")
    >>> [each.value for each in found if each.steps[-1].name == "LoRA r=8 on q_proj,v_proj"]
    [3407872, 8033669120]
    """
    try:
        tensors = adapters.listed(model, name)
    except ConfigError:  # there are too many
        return
    plain, total, seen = lattice.plain(model), int(model.total()), set[frozenset[str]]()
    own = adapters.DEFAULT_TARGETS.get(model.architecture.model_type, ())
    for names in (own, *TARGETS_OF_FAMILIES) if own else TARGETS_OF_FAMILIES:
        try:
            targets = adapters.chosen(model, name, tensors, names)
        except ConfigError:
            continue
        modules = frozenset(each.module for each in targets)
        if modules in seen:
            continue
        seen.add(modules)
        each_rank, where = sum(each.trained(adapters.Lora(1)) for each in targets), ",".join(names)
        said = "every linear layer but the head" if names == (adapters.ALL_LINEAR,) else where
        for rank in RANKS:
            step = Step(f"LoRA r={rank} on {where}", RARE, f"LoRA of rank {rank} on {said}, as PEFT counts it", LORA)
            is_rare = rank > MOST_USUAL_RANK
            yield Addition(rank * each_rank, step.penalty, (step,), written=is_rare)
            yield Addition(total + rank * each_rank, step.penalty + 1, (plain, step), written=True)  # as PEFT prints it


def lora(dims: Dims, rank: int, names: tuple[str, ...]) -> int:
    """Return what LoRA trains: for each matrix of d_in · d_out it adds two, d_in · r and r · d_out.

    >>> from gpt2calc.presets import load
    >>> lora(load("gpt2-medium").dims, 4, ("q", "v"))
    393216
    """
    d, m = dims.n_embd, dims.n_inner
    shapes = {"q": (d, d), "v": (d, d), "attn.c_attn": (d, 3 * d), "attn.c_proj": (d, d)}
    shapes |= {"mlp.c_fc": (d, m), "mlp.c_proj": (m, d)}
    asked = adapters.Lora(rank)
    return dims.n_layer * sum(adapters.Target("", name, *shapes[name]).trained(asked) for name in names)


def rank_of(dims: Dims, tensor: int, pipeline: int, stage: str) -> int | None:
    """Return what one rank of Megatron's tensor and pipeline parallelism holds; None where they do not divide.

    Heads are taken to divide, which no figure shows.

    >>> from gpt2calc.presets import load
    >>> [rank_of(load("gpt2-medium").dims, 2, 2, stage) for stage in ("first", "last")]
    [102483968, 101437440]
    """
    try:
        parts = partitions.ranks(dims, "", tensor, tensor, pipeline).parts
    except ConfigError:
        return None
    return parts[{"middle": 1, "last": -1}.get(stage, 0)].parameters if dims.n_layer else None


def _adapters(dims: Dims) -> Iterator[Addition]:
    plain, total = lattice.plain(dims), formulas.total(dims)
    for where, names in TARGETS.items():
        for rank in RANKS:
            value = lora(dims, rank, names)
            said = f"LoRA of rank {rank} on {where} of each block"
            step = Step(f"LoRA r={rank} on {where}", RARE, said, LORA)
            is_rare = rank > MOST_USUAL_RANK
            yield Addition(value, step.penalty, (step,), written=is_rare)
            yield Addition(total + value, step.penalty + 1, (plain, step), written=True)  # as PEFT prints it
    for tokens in PROMPTS:
        prompt = Step(f"a prompt of {tokens}", SELDOM, f"vectors of {tokens} virtual tokens", f"{PEFT}: PromptTuning")
        yield Addition(tokens * dims.n_embd, SELDOM, (prompt,), written=True)
        yield Addition(total + tokens * dims.n_embd, SELDOM, (plain, prompt), written=True)
        prefix = Step(f"a prefix of {tokens}", SELDOM, f"keys and values of {tokens} virtual tokens", f"{PEFT}: Prefix")
        value = 2 * tokens * dims.n_layer * dims.n_embd
        yield Addition(value, SELDOM, (prefix,), written=True)
        yield Addition(total + value, SELDOM, (plain, prefix), written=True)


def _blocks(dims: Dims) -> Iterator[Addition]:
    block = formulas.total(dims._replace(n_layer=1)) - formulas.total(dims._replace(n_layer=0))
    for blocks in range(2, min(dims.n_layer, MOST_BLOCKS)):
        said = f"{blocks} blocks alone, as a stage of a pipeline has"
        yield Addition(blocks * block, SELDOM, (Step(f"{blocks} blocks", SELDOM, said, lattice.BY_NAME, key="blocks"),))


def _depths(dims: Dims) -> Iterator[Addition]:
    """Yield the same model with other depths, up to twice its own."""
    for depth in range(1, min(2 * dims.n_layer, MOST_BLOCKS) + 1):
        if depth == dims.n_layer:
            continue
        said = f"with {depth} blocks in place of {dims.n_layer}"
        step = Step(f"n_layer={depth}", SELDOM, said, lattice.BY_NAME)
        changed = dims._replace(n_layer=depth)
        yield Addition(formulas.total(changed), SELDOM, (step,), written=True)
        for head in lattice.HEAD[:2]:
            other = head.change(changed) if head.change else changed
            if dims.lm_head and other != changed:
                yield Addition(formulas.total(other), SELDOM + KNOWN, (step, head), written=True)


def _parts_of_ranks(dims: Dims) -> Iterator[Addition]:
    if dims.add_cross_attention or not (dims.lm_head and dims.ln_f):
        return
    for tensor in TENSOR_PARALLEL:
        for pipeline in PIPELINE_PARALLEL:
            stages = ("only",) if pipeline == 1 else ("first", "last") if pipeline == 2 else ("first", "middle", "last")
            for stage in stages if (tensor, pipeline) != (1, 1) else ():
                value = rank_of(dims, tensor, pipeline, stage)
                if value is not None:
                    key = f"tensor parallel {tensor}, pipeline parallel {pipeline}"
                    name = f"a rank of {key}" + (f", {stage} stage" if stage != "only" else "")
                    multiple = partitions.DIVISIBLE_BY * tensor
                    said = f"what one rank holds: {key}, the vocabulary padded to a multiple of {multiple}"
                    step = Step(name, SELDOM, said, MEGATRON, key=key)
                    yield Addition(value, SELDOM, (step,), written=True)


def _sums(dims: Dims) -> Iterator[Addition]:
    """Yield the model, its head tied and not, with up to three parts more or less."""
    parts = {row.component: row.times * (row.weights + row.biases) for row in formulas.table(dims)}
    norms = sum(row.times * (row.weights + row.biases) for row in formulas.table(dims) if row.group == "layer_norm")
    lens, heads = "TransformerLens, HookedTransformer", "trl, AutoModelForCausalLMWithValueHead"
    terms = (
        (Step("b_U", RARE, "a bias of the unembedding", lens), dims.vocab_size),
        (Step("folded LayerNorm", RARE, "without LayerNorm, folded into matrices", lens, minus=True), -norms),
        (Step("a value head", RARE, "a value head of one output", heads), dims.n_embd + 1),
        (Step("attn.c_attn again", SELDOM, "attn.c_attn a second time", lattice.BY_NAME), parts.get("attn.c_attn", 0)),
        (Step("wte again", SELDOM, "wte a second time", lattice.BY_NAME), parts.get("wte", 0)),
        (Step("wpe again", SELDOM, "wpe a second time", lattice.BY_NAME), parts.get("wpe", 0)),
    )
    heads_of = [(lattice.plain(dims), 0)]
    if dims.lm_head:
        tie = 1 - dims.tie_word_embeddings
        other = next(step for step in lattice.HEAD if step.name == ("tied" if tie else "untied"))
        wte = dims.vocab_size * dims.n_embd
        heads_of.append((other, -wte if tie else wte))
    for head, more in heads_of:
        for number in range(1, MOST_TERMS + 1):
            for chosen in combinations(terms, number):
                value = formulas.total(dims) + more + sum(value for _, value in chosen)
                steps = (head, *(step for step, _ in chosen))
                yield Addition(value, SELDOM + (number > 1), steps, written=True)
