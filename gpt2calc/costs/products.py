"""The matrix products of a model of any architecture but GPT-2: how often which matrix meets a token.

FLOPs are those of products alone, 2·a·k·c for [a, k]·[k, c], as torch's FlopCounterMode counts transformers' modules
with eager attention. Rows of matrices are those of the first derivation; those of attention are laws of
`architectures.caches`. What transformers does otherwise is data here, by the name of a component or a model type.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import caches, text_of
from gpt2calc.errors import ConfigError, shown
from gpt2calc.model import OUTPUT_HEAD, TOKEN_EMBEDDING, WEIGHT, evaluated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gpt2calc.architectures.caches import Kept
    from gpt2calc.costs.run import Run
    from gpt2calc.model import Component, Model


class Product(NamedTuple):
    """A matrix that vectors pass, or attention, in which tokens meet.

    Args:
        component: the component that does it; of attention the kind of layer, with `.QK^T`, `.A·V` or `.index`.
        group: the group of that component.
        passes: how often it is done in all: by layers, copies, sequences and tokens, or pairs of tokens.
        size: multiplications of one: the elements of the matrix.
        gradients: of how many of its two factors backward needs the gradient.
        has_weight: whether one factor is a parameter.
    """

    component: str
    group: str
    passes: int
    size: int
    gradients: int = 2
    has_weight: bool = True

    @property
    def forward(self) -> int:
        """FLOPs of the forward pass: a multiplication and an addition for each number that meets another."""
        return 2 * self.passes * self.size

    @property
    def backward(self) -> int:
        """FLOPs of the backward pass: as many as forward for each factor whose gradient is needed."""
        return self.gradients * self.forward


NORM = "layer_norm"


class Beside(NamedTuple):
    """A product of a token with what is computed of it, and no parameter, in every layer."""

    component: str
    group: str
    size: str


OVER_KEYS = frozenset({"self_attn.kv_b_proj"})
"""What is not done of new tokens, but of all that attention meets: a latent is kept, and expanded each time."""

TWICE = frozenset({"altup.modality_router"})
"""What each token passes twice in a layer: it chooses among streams before the layer, and after it."""

CONVOLVED = {"conv.conv": "conv_L_cache"}
"""Short convolutions, and the size that says how wide they are: done of zeros or states beside the tokens, too."""

ENDS_EARLY = frozenset({"gemma4_text"})
"""Model types whose last layers, those that take the keys and values of others, pass no token without logits."""

UNLEARNT = "self_attn.indexer."
"""The beginning of what chooses tokens to attend to, of which no gradient comes back."""

BESIDE = {
    "gemma3n_text": (Beside("altup.predict", "other", "hidden_size * altup_num_inputs * altup_num_inputs"),),
}
"""Products of a layer in which no parameter takes part, and that are no attention."""

TWO_OF_ONE = frozenset({"phimoe"})
"""Model types whose router chooses twice for each token: the same expert, where there is one alone."""

EVERY_EXPERT, SCORES_TWICE = "llama4_text", "diffllama"
MORE = {
    EVERY_EXPERT: "FLOPs are transformers', which computes every expert of every token, of those not chosen with zeros",
    SCORES_TWICE: "FLOPs are transformers', which computes the same scores anew for each half of the values",
}
"""Model types whose modules do more than the model needs, with the sentence that says so."""

CHOSEN = {"hunyuan_v1_moe": ("moe_topk", "num_experts_per_tok")}
"""The fields that say how many experts a token passes, 1 unless given, where it can be another number in each layer."""


ALL, CAUSAL, LEAST = "all", "causal", "least"
"""What is counted: all pairs of tokens; those alone that masks leave; or no product that some program can do without,
such as those of experts not chosen, of a latent once more, and of attention over latents or twice."""


def table(model: Model, document: Mapping[str, Any], run: Run, counted: str = ALL) -> tuple[Product, ...]:
    """Return every product that a forward pass does, in the order in which components are listed, then attention.

    Law: a matrix of i·o elements that n tokens pass does 2·n·i·o FLOPs, an expert for each token that passes it, a tied
    lm_head as any; attention 2·B·S·K·h·e for scores and as many for values, K tokens that its cache gives back and the
    S new ones, all pairs: no kernel here skips what a mask hides.

    Args:
        model: of any architecture but GPT-2.
        document: the config.json that it was read from.
        run: what passes.
        counted: ALL, CAUSAL or LEAST.

    Raises:
        ConfigError: a layer scans, which is no product of matrices, or the config does not say how many experts pass.

    Source: transformers 5.23, counted by torch's FlopCounterMode in tests/architectures.

    >>> from gpt2calc.architectures.reading import read
    >>> from gpt2calc.costs.run import Run
    >>> total(table(read({"model_type": "llama", "num_hidden_layers": 1}).model, {}, Run(1, 1, 0, 1)))
    666910720
    """
    document = text_of(document)
    kept, model_type = caches.alike(model, document), model.architecture.model_type
    if scanning := sum(row.layers for row in kept if row.recurrence):
        problem = f"{scanning:,} layers of this {model_type} are recurrent, and a scan is no product of matrices"
        raise ConfigError(problem, field="model_type")
    is_least = counted == LEAST
    n, layers = run.batch * run.tokens, sum(row.layers for row in kept)
    met = run.batch * sum(row.layers * _keys(row, run) for row in kept)
    # What has two dimensions and no inputs: a norm has a row for each head, an embedding one for each token.
    matrices = {row.component for row in model.architecture.tensors(model) if row.role == WEIGHT and len(row.shape) > 1}
    rows = model.components()
    embedding = next(int(row.weights) for row in rows if row.part == TOKEN_EMBEDDING)
    found: list[Product] = []
    for row in rows:
        if row.part == OUTPUT_HEAD:  # the embedding's matrix, where it is tied
            found.append(Product(row.name, row.group, model.lm_head * run.batch * run.logits, embedding))
        elif row.name in matrices and row.group != NORM and not row.part:
            copies = _copies(model, row, document, does_all=model_type == EVERY_EXPERT and not is_least)
            copies *= 1 + (model_type in TWO_OF_ONE and row.used == row.times == 1 and not is_least)
            width = model.sizes[CONVOLVED[row.name]] if row.name in CONVOLVED else 0
            vectors = n * (1 + (row.name in TWICE))
            passes = copies * (run.batch * _convolved(run, width) if width and not is_least else vectors)
            passes = met if row.name in OVER_KEYS and not is_least else passes
            if model_type in ENDS_EARLY and row.layers and (count := model.count(row.layers)):
                taking = count - model.count(f"{row.layers} own")
                passes -= copies // count * taking * run.batch * (run.tokens - run.logits)
            found.append(Product(row.name, row.group, passes, row.weights, 2 * (not row.name.startswith(UNLEARNT))))
    for beside in () if is_least else BESIDE.get(model_type, ()):
        size = evaluated(beside.size, model.sizes)
        found.append(Product(beside.component, beside.group, layers * n, size, has_weight=False))
    if is_least:
        kept = tuple(row for row in kept if not row.apart.get(caches.EXPANDED) and model_type not in MORE)
    found += _attention(kept, run, is_causal=counted != ALL, ends_early=model_type in ENDS_EARLY)
    return tuple(row for row in found if row.forward)


def _keys(row: Kept, run: Run) -> int:
    """Return how many tokens of a sequence attention meets: those that the cache gives back, and the new ones."""
    return row.held(run.past) + run.tokens


def _attention(kept: tuple[Kept, ...], run: Run, *, is_causal: bool, ends_early: bool) -> list[Product]:
    """Return the products of attention by kind of layer, those together that are alike but for what they keep."""
    passes: Counter[tuple[str, int, int]] = Counter()
    for row in kept:
        kind = row.kind if row.per_token else "attention" if row.window is None else "sliding attention"
        left = run.tokens if row.per_token or not ends_early else run.logits
        met = row.seen(run.past + run.tokens - left, left) if is_causal else left * _keys(row, run)
        pairs = row.layers * run.batch * met
        for name, size, gradients in (("index", row.choice, 0), ("QK^T", row.scores, 2), ("A·V", row.context, 2)):
            passes[f"{kind}.{name}", size, gradients] += pairs
    return [
        Product(name, "attention", pairs, size, gradients, has_weight=False)
        for (name, size, gradients), pairs in passes.items()
    ]


def _copies(model: Model, row: Component, document: Mapping[str, Any], *, does_all: bool) -> int:
    """Return how many copies of a component a token passes in all layers."""
    layers, copies, model_type = int(model.count(row.layers)), int(row.times), model.architecture.model_type
    if model_type in CHOSEN and row.group == "experts" and row.used is None and copies > 1:
        chosen = next((document[name] for name in CHOSEN[model_type] if name in document), 1)
        told = list(chosen) if isinstance(chosen, (list, tuple)) else [chosen] * layers
        if len(told) != layers or not all(type(k) is int and 1 <= k <= copies for k in told):
            problem = f"{CHOSEN[model_type][0]} must be from 1 to {copies:,}, of each of {layers:,} layers"
            raise ConfigError(f"{problem}, got {shown(chosen)}", field=CHOSEN[model_type][0], got=chosen)
        return sum(told)
    if row.used is None or not copies or does_all:
        return layers * copies
    if not 1 <= row.used <= copies:
        problem = f"a token passes {row.used:,} of {copies:,} experts" if row.used else "no field says how many experts"
        raise ConfigError(f"{problem}: num_experts_per_tok must be from 1 to {copies:,}", field="num_experts_per_tok")
    return layers * int(row.used)


def _convolved(run: Run, width: int) -> int:
    """Return of how many places of a sequence a convolution is computed: zeros and states beside the tokens, too."""
    if not run.past:
        return run.tokens + width - 1
    return 2 if run.tokens == 1 else run.tokens + 2 * width - 1


def total(products: Iterable[Product]) -> int:
    """Return the FLOPs of the forward pass."""
    return sum(row.forward for row in products)


def training(products: Iterable[Product]) -> int:
    """Return the FLOPs of a training step, forward and backward."""
    return sum(row.forward + row.backward for row in products)
