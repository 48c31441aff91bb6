"""The ways of counting that occur in public, as steps away from the plain count, which compose: the lattice.

Everything that is known about how a size may have been counted stands here, a row a step. A step either changes the
model that is counted, or says which of its parameters are. It must not know a figure: that is `printed`. The rows of
`conventions` are the vocabulary; what is here besides is too rare to be counted by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import conventions, formulas, general_conventions, tensor_table
from gpt2calc.dims import MODULES, TASK_HEADS, Dims
from gpt2calc.explanation.printed import KNOWN, RARE, SELDOM
from gpt2calc.formulas import GROUPS
from gpt2calc.model import BIAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpt2calc.model import Model
    from gpt2calc.presets import Preset

HYPOTHESIS, WRONG = "hypothesis", "wrong"
"""What a step is where it is no way of counting: a guess at what somebody did, or a formula that is not exact."""

GPT1_VOCABULARY = 40478
"""transformers, OpenAIGPTConfig: the vocabulary of GPT-1."""

MULTIPLES = (64, 256, 512, 1024)
"""What vocabularies are padded to, beside the 128 that is a convention."""

COURSE_VOCABULARY = 50000
"""The tokenizer of the Hugging Face course, whose GPT-2 is trained from scratch with as many tokens."""

USUAL_LABELS, MOST_LABELS = 2, 10
"""How many labels a classifier has unless it is told, as transformers' PretrainedConfig has it, and how many are tried.

Nine are those of CoNLL-2003, ten those of MNIST and Yahoo Answers.
"""

TASK_HEADS_SOURCE = "transformers, modeling_gpt2.py"
"""Where the heads besides lm_head are built."""

BY_NAME = "transformers, numel() over named_parameters()"
"""Where a part is counted that has no convention: by the names of its tensors."""


class Step(NamedTuple):
    """One departure from the plain count.

    Args:
        name: what it is called.
        penalty: how unusual it is, 0 for what is plain; see `printed.KNOWN`.
        sentence: what is done, in words that can stand behind others.
        source: where it is done or documented.
        change: from the model to the one that is counted in its place; None for a part.
        value: the number of parameters or elements that are counted; None for a change.
        standing: HYPOTHESIS, WRONG or nothing.
        one_byte: how many elements of one byte a file holds besides.
        tensors: how many tensors a file of just this holds; None where nobody writes such a file.
        minus: whether it is taken away.
        key: what it has in common with steps that differ in a number alone; its name where it is "".
    """

    name: str
    penalty: int
    sentence: str
    source: str
    change: Callable[[Any], Any] | None = None
    value: Callable[[Any], int] | None = None
    standing: str = ""
    one_byte: Callable[[Dims], int] | None = None
    tensors: Callable[[Dims], int] | None = None
    minus: bool = False
    key: str = ""


def _convention(
    name: str, penalty: int = KNOWN, change: Callable[[Dims], Dims] | None = None, standing: str = ""
) -> Step:
    """Return the step that a row of `conventions` is: what it counts, or the change of the model that it makes."""
    row = conventions.find(name)
    return Step(name, penalty, row.sentence, row.source, change, None if change else row.value, standing)


def _headed(head: str, labels: int) -> Callable[[Dims], Dims]:
    modules = {module: int(module in TASK_HEADS[head]) for module in MODULES}
    return lambda dims: dims._replace(**modules, num_labels=labels)


def _head(head: str, words: str, labels: int = 0) -> Step:
    """Return the step that builds a model with another head, of so many labels where their number can be chosen."""
    usual = labels in (0, USUAL_LABELS)
    name = f"head={head}" + (f", num_labels={labels}" if labels else "")
    number = f" of {labels} label{'s' * (labels > 1)}" if labels else ""
    change = _headed(head, labels or 1)
    return Step(name, KNOWN if usual else SELDOM, f"with {words}{number}", TASK_HEADS_SOURCE, change)


def _padded(multiple: int) -> Callable[[Dims], Dims]:
    return lambda dims: dims._replace(vocab_size=-(-dims.vocab_size // multiple) * multiple)


def _sized(field: str, size: int) -> Callable[[Dims], Dims]:
    return lambda dims: dims._replace(**{field: size})


def _switched(**flags: int) -> Callable[[Dims], Dims]:
    return lambda dims: dims._replace(**flags)


def _body(dims: Dims) -> Dims:
    return dims._replace(multiple_choice_head=0, score=0, classifier=0, qa_outputs=0)


def _component(name: str) -> Callable[[Dims], int]:
    return lambda dims: sum(
        row.times * (row.weights + row.biases) for row in formulas.table(dims) if row.component == name
    )


def _group(name: str) -> Callable[[Dims], int]:
    return lambda dims: sum(row.times * (row.weights + row.biases) for row in formulas.table(dims) if row.group == name)


def _without(part: Callable[[Dims], int]) -> Callable[[Dims], int]:
    return lambda dims: formulas.total(dims) - part(dims)


def _block(dims: Dims) -> int:
    return formulas.total(dims._replace(n_layer=1)) - formulas.total(dims._replace(n_layer=0))


def _biases(dims: Dims) -> int:
    return tensor_table.numel(dims, role=BIAS)


def _linear_biases(dims: Dims) -> int:
    return sum(row.times * row.biases for row in formulas.table(dims) if row.group not in ("layer_norm", "head"))


def _megatron(dims: Dims) -> int:
    return conventions.without_wpe(dims) - _linear_biases(dims)


def _masks(dims: Dims) -> int:
    return conventions.stored_with_masks(dims) - formulas.total(dims)


def _with_masks(dims: Dims) -> int:
    return tensor_table.size(dims) + dims.n_layer * (1 + dims.add_cross_attention)


HEAD = (
    _convention("untied", change=_switched(tie_word_embeddings=0)),
    _convention("tied", change=_switched(tie_word_embeddings=1)),
    Step("body", KNOWN, "without the task head", "transformers, GPT2Model", _body),
    _head("double_heads", "a head for multiple choice beside lm_head"),
    _head("question_answering", "a head for question answering in place of lm_head"),
    *(
        _head(head, f"a head for {words} in place of lm_head, {parts},", labels)
        for labels in range(1, MOST_LABELS + 1)
        for head, words, parts in (
            ("sequence_classification", "sequence classification", "a matrix alone"),
            ("token_classification", "token classification", "with biases"),
        )
    ),
)
CROSS = (
    Step(
        "without_cross_attention",
        KNOWN,
        "without attention to an encoder",
        "transformers, GPT2Config: add_cross_attention=False",
        _switched(add_cross_attention=0),
    ),
)
BIASES = (
    _convention("without_biases", change=_switched(bias=0, qkv_bias=0)),
    Step(
        "without_qkv_bias",
        RARE,
        "queries, keys and values without biases",
        "rasbt/LLMs-from-scratch, ch04: qkv_bias=False",
        _switched(qkv_bias=0),
    ),
)
LN_F = (
    Step(
        "without_ln_f",
        RARE,
        "without the LayerNorm after the last block, which GPT-1 does not have",
        "Radford et al. 2018; transformers, modeling_openai.py",
        _switched(ln_f=0),
    ),
)
PADDED = (
    _convention("padded_vocabulary", change=_padded(128)),
    *(
        Step(
            f"padded_to_{multiple}",
            RARE,
            f"vocabulary rounded up to a multiple of {multiple:,}",
            "Megatron-LM, --make-vocab-size-divisible-by",
            _padded(multiple),
        )
        for multiple in MULTIPLES
    ),
)
COURSE = Step(
    f"vocab_size={COURSE_VOCABULARY}",
    KNOWN,
    f"with the vocabulary of {COURSE_VOCABULARY:,} of the Hugging Face course's tokenizer",
    "Hugging Face course, chapter 7.6: training a causal language model from scratch",
    _sized("vocab_size", COURSE_VOCABULARY),
)
WITHOUT_WPE = _convention("without_wpe", change=_sized("n_positions", 0))
GPT1 = Step(
    "gpt1_vocabulary",
    KNOWN,
    f"with GPT-1's vocabulary of {GPT1_VOCABULARY:,} in place of its own; a hypothesis, since OpenAI said only that "
    "its first figures were wrong due to an error",
    "openai/gpt-2, README.md; transformers, OpenAIGPTConfig",
    _sized("vocab_size", GPT1_VOCABULARY),
    standing=HYPOTHESIS,
)

PARTS = (
    _convention("kaplan"),
    _convention("without_embeddings"),
    _convention("weights"),
    _convention("matrices"),
    _convention("stored_with_masks")._replace(tensors=_with_masks),
    Step(
        "stored_with_byte_masks",
        KNOWN,
        "a file with a causal mask for each attention, one byte an element",
        "transformers 4.0 to 4.29, modeling_gpt2.py: masks of uint8, then of bool",
        value=formulas.total,
        one_byte=_masks,
        tensors=_with_masks,
    ),
    _convention("narayanan", RARE, standing=WRONG),
    _convention("cookbook", RARE, standing=WRONG),
    Step(
        "megatron",
        RARE,
        "a published script's sum that leaves the linear layers' biases and wpe out",
        "Megatron-LM, megatron/training/theoretical_memory_usage.py",
        value=_megatron,
        standing=WRONG,
    ),
    _convention("vectors", SELDOM),
    Step(
        "without_wte",
        RARE,
        "all but the token embedding",
        "OLMo-core, num_non_embedding_params",
        value=_without(_component("wte")),
    ),
    Step("without_layer_norm", RARE, "all but LayerNorm", BY_NAME, value=_without(_group("layer_norm"))),
    Step("without_linear_biases", RARE, "all but the biases of linear layers", BY_NAME, value=_without(_linear_biases)),
    Step("biases", SELDOM, "biases alone", BY_NAME, value=_biases),
    Step("per_block", SELDOM, "one block alone", BY_NAME, value=_block),
    *(
        Step(name, SELDOM, f"{name} alone", BY_NAME, value=_component(name))
        for name in ("wte", "wpe", "attn.c_attn", "mlp.c_fc")
    ),
    *(Step(name, SELDOM, f"the group {name} alone", BY_NAME, value=_group(name)) for name in GROUPS),
)
"""Which parameters or elements are counted, the plain way, all of them once, left out."""

PLAIN = Step("total", 0, "every parameter once", BY_NAME, value=formulas.total, tensors=tensor_table.size)

DTYPES = (
    (_convention("fp32_bytes", 0), 32),
    (_convention("fp16_bytes", KNOWN), 16),
    (_convention("int8_bytes", RARE), 8),
    (_convention("int4_bytes", RARE), 4),
)
"""In how many bits each element is stored; bf16 has the bytes of fp16."""


def plain(dims: Dims | Model) -> Step:
    """Return the plain way of counting a model, called after the convention that it is.

    >>> from gpt2calc.presets import load
    >>> plain(load("gpt2").dims).name, plain(load("gpt2-untied").dims).name
    ('tied', 'untied')
    """
    if not dims.lm_head:
        return PLAIN
    name = "tied" if dims.tie_word_embeddings else "untied"
    rows = conventions.CONVENTIONS if isinstance(dims, Dims) else general_conventions.OF_MODELS
    row = next(row for row in rows if row.name == name)
    return PLAIN._replace(name=row.name, sentence=row.sentence, source=row.source)


def heads_of(model: Model) -> tuple[Step, ...]:
    """Return the changes that the head of a model of another architecture is counted with.

    >>> from gpt2calc.presets import load
    >>> [step.name for step in heads_of(load("Llama-3.1-8B").counted)]
    ['tied', 'base_model']
    """
    if not model.lm_head:
        return ()
    tie = 1 - model.tie_word_embeddings
    row = next(row for row in general_conventions.OF_MODELS if row.name == ("tied" if tie else "untied"))
    return (
        Step(row.name, KNOWN, row.sentence, row.source, lambda model: model.replace(tie_word_embeddings=tie)),
        Step(
            "base_model",
            KNOWN,
            "without the language modeling head",
            "transformers, AutoModel",
            lambda model: model.replace(head="none", lm_head=0),
        ),
    )


def parts_of(model: Model) -> tuple[Step, ...]:
    """Return which parts of a model of another architecture are counted: all, by the conventions, or a group alone."""
    changes = ("tied", "untied")  # of the head, as `heads_of` has them
    rows = (row for row in general_conventions.of(model) if row.unit != general_conventions.BYTES)
    groups = dict.fromkeys(row.group for row in model.components() if row.times)
    return (
        PLAIN._replace(name="", value=lambda model: int(model.total())),
        *(Step(row.name, KNOWN, row.sentence, row.source, value=row.value) for row in rows if row.name not in changes),
        *(Step(name, RARE, f"the group {name} alone", BY_NAME, value=_group_of(name)) for name in groups),
    )


def _group_of(name: str) -> Callable[[Model], int]:
    return lambda model: sum(
        int(model.count(row.layers) * row.times * (row.weights + row.biases))
        for row in model.components()
        if row.group == name
    )


def axes(presets: Iterable[Preset]) -> tuple[tuple[Step, ...], ...]:
    """Return the changes that a model can be counted with, axis by axis; at most one of each axis is made.

    Args:
        presets: the models whose vocabularies and contexts may have been taken for the model's own.
    """
    vocabularies: dict[int, Preset] = {}
    contexts: dict[int, Preset] = {}
    for preset in presets:
        dims = preset.dims
        vocabularies.setdefault(dims.vocab_size, preset)
        contexts.setdefault(dims.n_positions, preset)
    for size in (GPT1_VOCABULARY, COURSE_VOCABULARY):  # which have rows of their own
        vocabularies.pop(size, None)
    others = tuple(
        Step(
            f"vocab_size={size}",
            RARE,
            f"with a vocabulary of {size:,}, as {preset.name} has",
            preset.source,
            _sized("vocab_size", size),
        )
        for size, preset in vocabularies.items()
    )
    longer = tuple(
        Step(
            f"n_positions={size}",
            RARE,
            f"with {size:,} positions, as {preset.name} has",
            preset.source,
            _sized("n_positions", size),
        )
        for size, preset in contexts.items()
    )
    return (HEAD, CROSS, (*PADDED, GPT1, COURSE, *others), (WITHOUT_WPE, *longer), BIASES, LN_F)
