"""What the layers of a model keep of the tokens before, and what it costs to meet them: attention, a latent, a state.

Laws know the sizes of the model, and no tensor. Which layers attend to a window alone changes no shape, so a config is
read for it here; its defaults are those of transformers' config classes. Source: transformers 5.23, cache_utils.py.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import text_of
from gpt2calc.architectures.runs import LONGEST, crossed
from gpt2calc.errors import ConfigError, shown
from gpt2calc.model import Run, evaluated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.model import Model


class Mixer(NamedTuple):
    """What layers with certain tags keep, and do with it, as laws of the model's sizes.

    Args:
        tags: those that a layer must have, apart by spaces; "" for every layer.
        elements: those that each token leaves, as long as no window is full.
        convolution: elements that a sequence leaves, however long it is, in the dtype of the activations: of one input,
            times the kernel.
        recurrence: elements that a sequence leaves, however long it is, always in float32.
        apart: what others count for a token, by what that is called.
        scores: multiplications where a token meets one that it attends to: queries and keys of all heads.
        context: the same of its scores and the other's values.
        choice: the same of what chooses whom it attends to, of which nothing is learned.
    """

    tags: str
    elements: str = "0"
    convolution: str = "0"
    recurrence: str = "0"
    apart: Mapping[str, str] = {}
    scores: str = "0"
    context: str = "0"
    choice: str = "0"


class Windows(NamedTuple):
    """Which layers attend to a window alone, where no list says it.

    Args:
        default: how many tokens the window has where nobody says; None for no window.
        law: whether layer `i` does, by `window` and by the fields that are read.
        fields: other fields of the config that the law knows, with their defaults.
        field: what says how large the window is.
        is_kept: whether transformers' cache keeps no more than the window; else it keeps all tokens.
        is_chunk: whether a token attends to those of its own chunk alone, and not to as many before it.
    """

    default: int | None = None
    law: str = "window is not None"
    fields: Mapping[str, Any] = {}
    field: str = "sliding_window"
    is_kept: bool = True
    is_chunk: bool = False


class Kept(NamedTuple):
    """What layers that are alike keep: each number is of one of them.

    Args:
        kind: what they are: "attention", "sliding attention", "chunked attention", "latent attention" ...
        layers: how many there are.
        per_token: elements that each token leaves, as long as no window is full.
        window: tokens that the layers attend to; None for all.
        is_kept: whether transformers' cache keeps no more than a window needs.
        convolution: elements that a sequence leaves in the dtype of the activations.
        recurrence: elements that a sequence leaves in float32.
        apart: what others count for a token, by what that is called.
        scores: multiplications of queries and keys where a token meets one that it attends to.
        context: the same of scores and values.
        choice: the same of what chooses whom it attends to.
        is_chunk: whether the window is a chunk.
        slot: elements of one of the inputs that a convolution keeps, as many as its kernel is long.
    """

    kind: str
    layers: int
    per_token: int
    window: int | None
    is_kept: bool
    convolution: int
    recurrence: int
    apart: Mapping[str, int]
    scores: int = 0
    context: int = 0
    choice: int = 0
    is_chunk: bool = False
    slot: int = 0

    def seen(self, past: int, tokens: int) -> int:
        """Return how many pairs of a new token and one that its mask lets it attend to there are in a sequence.

        >>> Kept("sliding attention", 1, 2, 3, True, 0, 0, {}).seen(1, 3)  # 2, 3 and 3 tokens
        8
        """

        def pairs(n: int) -> int:
            size = n if self.window is None else self.window
            if self.is_chunk and size:
                whole, rest = divmod(n, size)
                return whole * size * (size + 1) // 2 + rest * (rest + 1) // 2
            first = min(n, size)
            return first * (first + 1) // 2 + (n - first) * size

        return pairs(past + tokens) - pairs(past)

    def held(self, tokens: int) -> int:
        """Return of how many of so many tokens a DynamicCache of transformers holds what they left."""
        if self.window is None or not self.is_kept or self.window == 1:  # of which the last 0, [-0:], are all
            return tokens
        return min(tokens, self.window - 1)


EXPANDED, GROUPED = "expanded", "grouped"

HEADS = "2 * num_key_value_heads * head_dim"
PLAIN = "2 * key_width"
QUERIES = "num_attention_heads * head_dim"
GROUPED_HEADS = Mixer("", HEADS, scores=QUERIES, context=QUERIES)
PLAIN_HEADS = Mixer("", PLAIN, scores="hidden_size", context="hidden_size")
ATTENTION = GROUPED_HEADS._replace(tags="attention")
LATENT = Mixer(
    "",
    "kv_lora_rank + qk_rope_head_dim",
    apart={EXPANDED: "num_attention_heads * (qk_nope_head_dim + qk_rope_head_dim + v_head_dim)"},
    scores="num_attention_heads * (qk_nope_head_dim + qk_rope_head_dim)",
    context="num_attention_heads * v_head_dim",
)
GLOBAL = Mixer(
    "",
    "2 * global_key_value_heads * global_head_dim",
    scores="num_attention_heads * global_head_dim",
    context="num_attention_heads * global_head_dim",
)
INDEXED = LATENT._replace(
    elements=f"{LATENT.elements} + index_head_dim", choice="index_n_heads * index_head_dim + index_n_heads"
)
MAMBA = Mixer("", "0", "intermediate_size * conv_kernel", "intermediate_size * state_size")
MIXED_HEADS = "(mamba_n_heads * mamba_d_head + 2 * mamba_n_groups * mamba_d_state) * mamba_d_conv"
MIXED = Mixer("mamba", "0", MIXED_HEADS, "mamba_n_heads * mamba_d_head * mamba_d_state")
DELTA = Mixer(
    "linear_attention",
    "0",
    "(2 * linear_num_key_heads * linear_key_head_dim + linear_num_value_heads * linear_value_head_dim)"
    " * linear_conv_kernel_dim",
    "linear_num_value_heads * linear_key_head_dim * linear_value_head_dim",
)

MIXERS: dict[str, tuple[Mixer, ...]] = {
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "kimi_k2", "glm4_moe_lite", "axk1", "minicpm3", "youtu"), (LATENT,)),
    "deepseek_v32": (INDEXED,),
    "glm_moe_dsa": (INDEXED._replace(tags="indexed"), LATENT),
    **dict.fromkeys(("mamba", "falcon_mamba"), (MAMBA,)),
    "mamba2": (
        Mixer(
            "",
            "0",
            "(num_heads * head_dim + 2 * n_groups * state_size) * conv_kernel",
            "num_heads * head_dim * state_size",
        ),
    ),
    **dict.fromkeys(("bamba", "granitemoehybrid"), (ATTENTION, MIXED)),
    "falcon_h1": (
        Mixer(
            "",
            HEADS,
            MIXED_HEADS.replace("mamba_n_heads * mamba_d_head", "mamba_d_ssm"),
            "mamba_d_ssm * mamba_d_state",
            scores=QUERIES,
            context=QUERIES,
        ),
    ),
    "jamba": (
        ATTENTION,
        Mixer(
            "mamba",
            "0",
            "mamba_expand * hidden_size * mamba_d_conv",
            "mamba_expand * hidden_size * mamba_d_state",
        ),
    ),
    "nemotron_h": (
        ATTENTION,
        Mixer(
            "mamba",
            "0",
            "(mamba_num_heads * mamba_head_dim + 2 * n_groups * ssm_state_size) * conv_kernel",
            "mamba_num_heads * mamba_head_dim * ssm_state_size",
        ),
        *(Mixer(tag) for tag in ("moe", "mlp")),
    ),
    "recurrent_gemma": (ATTENTION, Mixer("recurrent", "0", "lru_width * (conv1d_width - 1)", "lru_width")),
    "lfm2": (ATTENTION._replace(tags="full_attention"), Mixer("", "0", "hidden_size * conv_L_cache")),
    **dict.fromkeys(
        ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"), (ATTENTION._replace(tags="full_attention"), DELTA)
    ),
    # Two halves of the values, for each of which the same scores are computed anew.
    "diffllama": (GROUPED_HEADS._replace(scores=f"2 * {QUERIES}", context=f"2 * {QUERIES}"),),
    "gemma3n_text": (GROUPED_HEADS._replace(tags="own"), GROUPED_HEADS._replace(elements="0")),
    "gemma4_text": (
        GROUPED_HEADS._replace(tags="own sliding"),
        GLOBAL._replace(tags="own full"),
        GROUPED_HEADS._replace(tags="sliding", elements="0"),
        GLOBAL._replace(tags="full", elements="0"),
    ),
    "falcon": (
        Mixer(
            "",
            "2 * (hidden_size if new_decoder_architecture else key_width)",  # which repeats keys before it keeps them
            apart={GROUPED: PLAIN},
            scores="hidden_size",
            context="hidden_size",
        ),
    ),
}
"""What each model type keeps, where it is not keys and values of its heads; a layer is of the first row it fits."""

NO_CACHE = {
    "openai-gpt": "transformers keeps no keys and values of a GPT-1",
}
"""Model types of which there is nothing to hold a law against."""

SLIDING = frozenset({"sliding_attention", "chunked_attention", "hybrid_sliding", "reference_sliding_attention"})
OTHERS = frozenset({"full_attention", "attention", "linear_attention", "mamba", "conv", "hybrid", "moe", "mlp"})
OTHERS |= {"indexed_attention", "deepseek_sparse_attention"}
"""The words of `layer_types` that say that a layer attends to a window, and those that say that it does not."""

IN_TURN = "(i + 1) % {} != 0"
QWEN = {"use_sliding_window": False, "max_window_layers": 28}
EXAONE = Windows(
    4096, f"window is not None and {IN_TURN.format('sliding_window_pattern')}", {"sliding_window_pattern": 4}
)
NO_WINDOW = Windows(law="False")

WINDOWS: dict[str, Windows] = {
    "afmoe": Windows(1024, IN_TURN.format("global_attn_every_n_layers"), {"global_attn_every_n_layers": 4}),
    "cohere2": Windows(4096, IN_TURN.format("sliding_window_pattern"), {"sliding_window_pattern": 4}),
    "cohere2_moe": Windows(
        4096,
        "(i + 1) % prefix_dense_sliding_window_pattern != 0 if i < first_k_dense_replace"
        " else (i - first_k_dense_replace + 1) % sliding_window_pattern != 0",
        {"sliding_window_pattern": 4, "prefix_dense_sliding_window_pattern": 1, "first_k_dense_replace": 0},
    ),
    "cwm": Windows(8192, "i % 4 != 0"),
    "dots1": Windows(4096, "window is not None and i >= max_window_layers", {"max_window_layers": 62}),
    **dict.fromkeys(("exaone4", "exaone_moe"), EXAONE),
    **dict.fromkeys(("gemma2", "vaultgemma"), Windows(4096, IN_TURN.format(2))),
    "gemma3_text": Windows(4096, IN_TURN.format("sliding_window_pattern"), {"sliding_window_pattern": 6}),
    "gemma3n_text": Windows(512, IN_TURN.format(5)),
    "gemma4_text": Windows(512, "'sliding' in tags"),
    "gpt_neo": Windows(256, "'local' in attention_layers[i]", field="window_size", is_kept=False),
    "gpt_oss": Windows(128, IN_TURN.format(2)),
    **dict.fromkeys(("granite_swa", "granitemoe_swa"), Windows(128, "i % 4 != 0")),
    "llama4_text": Windows(
        8192,
        "no_rope_layers[i] if no_rope_layers else (i + 1) % no_rope_layer_interval != 0",
        {"no_rope_layers": None, "no_rope_layer_interval": 4},
        "attention_chunk_size",
        is_chunk=True,
    ),
    "mellum": Windows(1024, "False"),
    **dict.fromkeys(("ministral", "mistral"), Windows(4096)),
    "olmo3": Windows(4096, IN_TURN.format(4)),
    **dict.fromkeys(
        ("qwen2", "qwen3"), Windows(4096, "use_sliding_window and window is not None and i >= max_window_layers", QWEN)
    ),
    "qwen2_moe": Windows(4096, "(i + 1) % 2 and i < max_window_layers and use_sliding_window", QWEN),
    "qwen3_moe": Windows(4096, "use_sliding_window and window is not None", {"use_sliding_window": False}),
    "recurrent_gemma": Windows(2048, "'recurrent' not in tags", field="attention_window_size"),
    "smollm3": Windows(
        None,
        "use_sliding_window and window is not None and not"
        " (no_rope_layers[i] if no_rope_layers is not None else (i + 1) % no_rope_layer_interval != 0)",
        {"use_sliding_window": False, "no_rope_layers": None, "no_rope_layer_interval": 4},
    ),
    **dict.fromkeys(
        (
            *("bamba", "deepseek_v32", "falcon_h1", "falcon_mamba", "glm_moe_dsa", "granitemoehybrid", "jamba", "lfm2"),
            *("mamba", "mamba2", "nemotron_h", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"),
        ),
        NO_WINDOW,
    ),
}
"""Which layers of a model type attend to a window, where it is not all if a config says how large, and none if not."""


def kept(model: Model, document: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return what the layers of a model keep, those that are alike together, in the order in which they come.

    Law: keys and values of a token are 2·k·e elements of a layer; a latent r + t; a convolution keeps its width of
    inputs, and a recurrence its state, once a sequence.

    Args:
        model: of any architecture but GPT-2.
        document: the config.json that it was read from, which alone says what attends to a window.

    Raises:
        ConfigError: a window or a kind of layer is not known, or transformers has no cache of such a model.

    >>> from gpt2calc.architectures.reading import read
    >>> kept(read({"model_type": "llama"}).model, {})[0].per_token
    8192
    """
    model_type = model.architecture.model_type
    if model_type in NO_CACHE:
        raise ConfigError(f"{NO_CACHE[model_type]}: there is nothing to count", field="model_type")
    return alike(model, document)


def alike(model: Model, document: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return the same of what transformers keeps nothing of, too: what its layers would keep.

    Raises:
        ConfigError: a window or a kind of layer is not known.
    """
    model_type = model.architecture.model_type
    document = text_of(document)
    windows = WINDOWS.get(model_type, Windows())
    window = _window(windows, document)
    rows = MIXERS.get(model_type) or (GROUPED_HEADS if "num_key_value_heads" in model.sizes else PLAIN_HEADS,)
    found: Counter[tuple[int, bool]] = Counter()
    for stack in model.stacks:
        for run in crossed(stack.runs, _sliding(model, windows, document, window, stack.runs)):
            for tags, layers in run.kinds().items():
                place = next(i for i, row in enumerate(rows) if set(row.tags.split()) <= tags)
                found[place, "window" in tags] += layers
    return tuple(
        _counted(model, rows[place], layers, window if slides else None, windows)
        for (place, slides), layers in found.items()
    )


def in_order(model: Model, document: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return of every layer of a model, in order, what it and those alike keep; arguments and errors as for `kept`.

    >>> from gpt2calc.architectures.reading import read
    >>> [row.kind for row in in_order(read({"model_type": "gemma2"}).model, {})][:2]
    ['sliding attention', 'attention']
    """
    found = kept(model, document)
    inner = text_of(document)
    model_type = model.architecture.model_type
    windows = WINDOWS.get(model_type, Windows())
    rows = MIXERS.get(model_type) or (Mixer(""),)
    places: list[tuple[int, bool]] = []
    for stack in model.stacks:
        if (layers := sum(run.length for run in stack.runs)) > LONGEST:
            problem = f"what each of {layers:,} layers keeps is listed for at most {LONGEST:,}"
            raise ConfigError(problem, field=model_type)
        for run in crossed(stack.runs, _sliding(model, windows, inner, _window(windows, inner), stack.runs)):
            each = [next(i for i, row in enumerate(rows) if set(row.tags.split()) <= tags) for tags in run.pattern]
            kinds = [(place, "window" in tags) for place, tags in zip(each, run.pattern, strict=True)]
            places += [kinds[i % len(kinds)] for i in range(run.length)]
    by_place = dict(zip(dict.fromkeys(places), found, strict=True))  # both in the order in which they come
    return tuple(by_place[place] for place in places)


def _counted(model: Model, row: Mixer, layers: int, window: int | None, windows: Windows) -> Kept:
    """Return a row of laws as numbers."""
    sizes = model.sizes
    inputs, _, kernel = row.convolution.rpartition(" * ")
    # What keeps one input fewer than its kernel is long already has none to spare.
    laws = row.elements, row.convolution, row.recurrence, inputs if inputs and kernel.isidentifier() else "0"
    per_token, convolution, recurrence, slot = (evaluated(law, sizes) for law in laws)
    apart = {name: found for name, law in row.apart.items() if (found := evaluated(law, sizes)) != per_token}
    is_chunk = window is not None and windows.is_chunk
    which = "latent" if EXPANDED in row.apart else ""
    which = which if window is None else "chunked" if is_chunk else "sliding"
    words = [*filter(None, [which]), "attention"] if per_token else []
    words += ["and"] if per_token and recurrence else []
    words += ["recurrence"] if recurrence else ["convolution"] if convolution else []
    kind = " ".join(words) or "nothing kept"
    scores, context, choice = (evaluated(law, sizes) for law in (row.scores, row.context, row.choice))
    states = convolution, recurrence, apart
    return Kept(kind, layers, per_token, window, windows.is_kept, *states, scores, context, choice, is_chunk, slot)


def _window(windows: Windows, document: Mapping[str, Any]) -> int | None:
    """Return how many tokens a window has, None where there is none."""
    value = document.get(windows.field, windows.default)
    if document.get("use_bidirectional_attention") not in (None, False, "vision"):  # the last is of pictures alone
        raise ConfigError("use_bidirectional_attention is not covered: nothing is kept of tokens that see later ones")
    is_off = windows.default is not None and "use_sliding_window" in windows.fields
    if is_off and not document.get("use_sliding_window", False):  # transformers then forgets how large it is
        return None
    if value is None or (value == 0 and type(value) is int):
        return None
    if type(value) is not int or value < 1:
        raise ConfigError(
            f"{windows.field} must be a whole number, 1 or more, or null, got {shown(value)}", field=windows.field
        )
    return value


def _sliding(
    model: Model, windows: Windows, document: Mapping[str, Any], window: int | None, runs: tuple[Run, ...]
) -> tuple[Run, ...]:
    """Return the layers, of which those that attend to a window have that tag."""
    layers = sum(run.length for run in runs)
    none, own = frozenset[str](), frozenset({"window"})
    words = document.get("layer_types")
    if windows is NO_WINDOW or (words is None and windows.law == "False"):
        return (Run((none,), layers),)
    if words is None and windows.law == Windows().law:
        return (Run((none if window is None else own,), layers),)
    if layers > LONGEST:
        problem = f"which of {layers:,} layers attend to a window is read for at most {LONGEST:,}"
        raise ConfigError(problem, field=model.architecture.model_type)
    slides = _by_words(words, layers) if words is not None else _by_law(windows, document, window, runs, layers)
    if any(slides) and window is None:
        raise ConfigError(f"layers attend to a window, and {windows.field} does not say how large", field=windows.field)
    return (Run(tuple(own if each else none for each in slides) or (none,), layers),)


def _by_words(words: Any, layers: int) -> list[bool]:
    """Return whether each layer attends to a window, as a list of words says."""
    if not isinstance(words, (list, tuple)) or len(words) != layers:
        got = f"{len(words):,}" if isinstance(words, (list, tuple)) else shown(words)
        raise ConfigError(f"layer_types must be a list of {layers:,} words, got {got}", field="layer_types", got=words)
    for word in words:
        if word not in SLIDING and word not in OTHERS:
            raise ConfigError(f"what a layer of {shown(word)} keeps is not known", field="layer_types", got=word)
    return [word in SLIDING for word in words]


def _by_law(
    windows: Windows, document: Mapping[str, Any], window: int | None, runs: tuple[Run, ...], layers: int
) -> list[bool]:
    """Return whether each layer attends to a window, as the law of the model type says."""
    values: dict[str, Any] = {"window": window}
    for name, default in windows.fields.items():
        values[name] = value = document.get(name, default)
        if type(default) is int:
            least = int(f"% {name}" in windows.law)  # what divides
            if type(value) is not int or value < least:
                raise ConfigError(f"{name} must be a whole number, {least} or more, got {shown(value)}", field=name)
        elif isinstance(value, (list, tuple)) and len(value) != layers:
            raise ConfigError(f"{name} is a list of {len(value):,} layers, and there are {layers:,}", field=name)
    if "attention_layers" in windows.law:
        values["attention_layers"] = _neo(document, layers)
    tags = [own for run in runs for i in range(run.length) for own in (run.pattern[i % len(run.pattern)],)]
    return [bool(evaluated(windows.law, {**values, "i": i, "tags": tags[i]})) for i in range(layers)]


def _neo(document: Mapping[str, Any], layers: int) -> list[str]:
    """Return the kind of each layer of a GPT-Neo, whose config says it in groups that are repeated."""
    groups = document.get("attention_types", [[["global", "local"], 12]])
    try:
        kinds = [str(kind) for names, times in groups for _ in range(int(times)) for kind in names]
    except (TypeError, ValueError):
        kinds = []
    if len(kinds) != layers:
        problem = f"attention_types must give {layers:,} layers, got {shown(groups)}"
        raise ConfigError(problem, field="attention_types", got=groups)
    return kinds
