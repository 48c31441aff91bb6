"""Mixtures of experts on a decoder's attention: where a router stands, its experts, and one that every token passes.

A family says in a `Mixture` how they are called, live and in files, and which layers have them; the rest is a
`decoder.Block`. What several families share of each derivation is in `closed_forms` and in `shapes`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import BY_HEADS, GATED, MLP_NAMES, Block, biases, given
from gpt2calc.architectures.glossary import law, size, sizes
from gpt2calc.architectures.runs import UNDIVIDED, Layers
from gpt2calc.model import BIAS, BUFFER, LAW, WEIGHT, Architecture, Component, Merge, Size, Tensor, no_notes

if TYPE_CHECKING:
    from gpt2calc.model import Model, NotesOf

CORRECTION, ROUTER, EXPERTS, SHARED = "correction", "router", "experts", "shared"
APART, STACKED, TURNED = "apart", "stacked", "turned"
"""How files hold experts: each in tensors of its own, all in two of [out, in], or all in two of [in, out]."""


class Mixture(NamedTuple):
    """How layers with experts are built and named.

    Args:
        block: attention and the norms around it.
        number: the size that says how many experts there are.
        inner: the size that says how wide they are.
        used: the size that says how many a token passes; "" where it can be another in each layer.
        dense: the size that says how wide the MLP of layers without experts is.
        layers: which have experts.
        live: where the experts of a live module stand.
        stored: where they stand in files.
        order: a router, experts and a shared expert, as a live module has them.
        router: what a live module calls the router.
        stored_router: what files call it.
        router_bias: whether it has a bias.
        kind: APART, STACKED or TURNED.
        names: what files call an expert's matrices.
        expert_bias: whether experts have biases.
        shared: what the expert is called that every token passes, "" where there is none.
        stored_shared: what files call it, where that is something else.
        shared_count: the size that says how many experts wide it is, "" for one.
        beside: an MLP beside the experts, of two matrices as wide as a size of its own says, "" where there is none.
        correction: where files hold the router's correction, "" where there is none.
        live_correction: where a live module holds it.
        learned: whether it is a parameter, and no buffer.
        correction_rows: the sizes of its shape before the number of experts.
        sinks: whether each head has a weight for no token.
        norms_first: whether the norms stand before the experts.
        head: the beginning of the names of the classes with a head, where it is another.
        makers: the rests of the class names of the router, the experts, the MLP and what holds a correction that is
            learned; whole where they begin otherwise.
    """

    block: Block
    number: str
    inner: str
    layers: Layers
    used: str = "num_experts_per_tok"
    dense: str = "intermediate_size"
    live: str = "mlp"
    stored: str = "mlp"
    order: tuple[str, ...] = (ROUTER, EXPERTS, SHARED)
    router: str = "gate"
    stored_router: str = "gate"
    router_bias: int = 0
    kind: str = APART
    names: tuple[str, ...] = shapes.EXPERT
    expert_bias: int = 0
    shared: str = ""
    stored_shared: str = ""
    shared_count: str = ""
    beside: str = ""
    correction: str = ""
    live_correction: str = ""
    learned: bool = False
    correction_rows: tuple[int, ...] = ()
    sinks: bool = False
    norms_first: bool = False
    head: str = ""
    makers: tuple[str, ...] = ("TopKRouter", "Experts", "MLP", "Statics")


everywhere = Layers("model.layers", kinds=((("moe", "True"),),))
"""Experts in every layer."""

by_step = Layers(
    "model.layers",
    kinds=(
        (
            ("moe", "(i + 1) % interleave_moe_layer_step == 0 if moe_layers is None else i in moe_layers"),
            ("dense", "True"),
        ),
    ),
    period="interleave_moe_layer_step if moe_layers is None else 1",
    apart="() if moe_layers is None else moe_layers",
)
"""Experts in every n-th layer, or in those of a list."""

between = Layers(
    "model.layers",
    kinds=((("moe", "part == 1 and (i + 1) % moe_layer_interval == 0"), ("dense", "True")),),
    period="moe_layer_interval",
    ends=(
        "moe_layer_start_index",
        "num_hidden_layers if moe_layer_end_index == -1 else moe_layer_end_index + 1",
    ),
)
"""Experts in every n-th layer from one to another, of which -1 is the last."""


def components(mixture: Mixture, model: Model) -> list[Component]:
    """Return the closed forms."""
    block, d = mixture.block, model.hidden_size
    source, E, f = block.source, model.sizes[mixture.number], model.sizes[mixture.inner]
    _, experts, mlp, statics = (maker if ": " in maker else source + maker for maker in mixture.makers)
    router = f"{mixture.head or source}{mixture.makers[0]}"
    wide = model.num_attention_heads * model.head_dim
    used = model.sizes[mixture.used] if mixture.used else None
    layer, moe = {"layers": "decoder", "source": f"{source}DecoderLayer"}, {"layers": "moe", "source": experts}
    each = {"times": E, "used": used, **moe}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}{block.body}"),
        *closed_forms.attention(
            model,
            source,
            biases=biases(block, model, 0),
            qk_norms=block.qk_norms,
            qk_width=block.qk_width,
            qk_dim=model.sizes[block.qk_dim],
        ),
        *(
            closed_forms.linear(
                f"self_attn.{name}", "attention", d, wide, layers="decoder", source=f"{source}Attention"
            )
            for name in given(block.gate)
        ),
        *(closed_forms.sinks(model.num_attention_heads, source) for _ in range(mixture.sinks)),
        *(_dense(model, model.sizes[mixture.dense], mlp) if mixture.dense else []),
        closed_forms.linear("router", "router", d, E, mixture.router_bias, layers="moe", source=router),
        *([_correction(E, statics)] if mixture.learned else []),
        *(
            closed_forms.experts(d, f, E, experts, "moe", used=used)
            if mixture.kind == APART
            else [
                closed_forms.linear("experts.gate_up_proj", "experts", d, 2 * f, mixture.expert_bias, **each),
                closed_forms.linear("experts.down_proj", "experts", f, d, mixture.expert_bias, **each),
            ]
        ),
        *(_shared(mixture, model, mlp) if mixture.shared else []),
        *(_beside(model, model.sizes[name], mlp) for name in given(mixture.beside) for _beside in (_into, _out_of)),
        *(closed_forms.norm(name, d, block.norm_bias, **layer) for name in block.norms),
        closed_forms.norm(block.final, d, block.norm_bias, source=f"{source}{block.body}"),
        *closed_forms.heads(model, mixture.head or source, model.head_bias),
    ]


def _correction(E: int, source: str) -> Component:
    return Component("router.correction", "router", 0, E, layers="moe", source=source)


def _dense(model: Model, m: int, source: str) -> list[Component]:
    return closed_forms.mlp(
        GATED, model.hidden_size, m, model.mlp_bias, MLP_NAMES[GATED], layers="dense", source=source
    )


def _into(model: Model, s: int, source: str) -> Component:
    at = {"layers": "decoder", "times": model.has_beside, "source": source}
    return closed_forms.linear("shared_mlp.input_linear", "mlp", model.hidden_size, 2 * s, **at)


def _out_of(model: Model, s: int, source: str) -> Component:
    at = {"layers": "decoder", "times": model.has_beside, "source": source}
    return closed_forms.linear("shared_mlp.output_linear", "mlp", s, model.hidden_size, **at)


def _shared(mixture: Mixture, model: Model, source: str) -> list[Component]:
    """Return the closed forms of what every token passes, which is as wide as some experts together."""
    wide = model.sizes[mixture.shared_count] if mixture.shared_count else 1
    return closed_forms.gated_mlp(
        model.hidden_size,
        wide * model.sizes[mixture.inner],
        source,
        "moe",
        name="shared_expert",
        group="experts",
        bias=model.mlp_bias,
        times=model.has_shared,
    )


def tensors(mixture: Mixture, model: Model) -> list[Tensor]:
    """Return the tensors, in the order of the module."""
    block, width, at = mixture.block, model.hidden_size, f"{{layer}}.{mixture.stored}"
    count, inner, biased = model.sizes[mixture.number], model.sizes[mixture.inner], block.norm_bias or None
    norms = [
        each
        for name in block.norms
        for each in shapes.layer_norm(f"{{layer}}.{name}", name, width, biased, layers="decoder")
    ]
    kind = ("router.correction", BIAS) if mixture.learned else ("router", BUFFER)
    shape = (*mixture.correction_rows, count)
    correction = Tensor(f"{{layer}}.{mixture.correction}", kind[0], shape, "moe", role=kind[1])
    shared = inner * model.sizes[mixture.shared_count] if mixture.shared_count else inner
    parts = {
        CORRECTION: [correction],
        ROUTER: [
            *shapes.linear(
                f"{at}.{mixture.stored_router}", "router", count, width, mixture.router_bias or None, layers="moe"
            ),
            *([correction] if mixture.correction and CORRECTION not in mixture.order else []),
        ],
        EXPERTS: shapes.experts(at, width, inner, count, layers="moe", names=mixture.names)
        if mixture.kind == APART
        else _together(mixture, at, width, inner, count),
        SHARED: shapes.gated_mlp(
            f"{at}.{mixture.stored_shared or mixture.shared}",
            width,
            shared,
            "moe",
            name="shared_expert",
            bias=model.mlp_bias,
            when=model.has_shared,
        )
        if mixture.shared
        else [],
    }
    beside, wide = _beside_tensors(mixture, model), model.head_dim * model.num_attention_heads
    moe = [each for part in mixture.order for each in parts[part]]
    dense = (
        shapes.mlp(at, GATED, width, model.sizes[mixture.dense], MLP_NAMES[GATED], bias=model.mlp_bias, layers="dense")
        if mixture.dense
        else []
    )
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *(shapes.sinks(model.num_attention_heads) for _ in range(mixture.sinks)),
        *shapes.attention(
            model,
            biases=biases(block, model, None),
            qk_norms=block.qk_norms,
            qk_width=block.qk_width,
            qk_dim=model.sizes[block.qk_dim],
        ),
        *shapes.linear(f"{{layer}}.self_attn.{block.gate}", f"self_attn.{block.gate}", wide, width, layers="decoder")[
            : len(given(block.gate))
        ],
        *([*norms, *dense, *moe, *beside] if mixture.norms_first else [*dense, *moe, *norms]),
        *shapes.layer_norm(f"model.{block.final}", block.final, width, biased),
        *shapes.heads(model, bias=model.head_bias),
    ]


def _beside_tensors(mixture: Mixture, model: Model) -> list[Tensor]:
    """Return the MLP beside the experts, if there is one: gate and up in one matrix, and down."""
    if not mixture.beside:
        return []
    inner, width, name = model.sizes[mixture.beside], model.hidden_size, "shared_mlp"
    at = {"layers": "decoder", "when": model.has_beside}
    return [
        *shapes.linear(f"{{layer}}.{name}.input_linear", f"{name}.input_linear", inner + inner, width, **at),
        *shapes.linear(f"{{layer}}.{name}.output_linear", f"{name}.output_linear", width, inner, **at),
    ]


def _together(mixture: Mixture, at: str, width: int, inner: int, count: int) -> list[Tensor]:
    """Return the experts of a layer in two tensors, as files hold them."""
    found = []
    sizes_of = {"gate_up_proj": (inner + inner, width), "down_proj": (width, inner)}
    for name, (part, (outputs, inputs)) in zip(mixture.names, sizes_of.items(), strict=True):
        shape = (count, inputs, outputs) if mixture.kind == TURNED else (count, outputs, inputs)
        found.append(Tensor(f"{at}.{name}", f"experts.{part}", shape, "moe", role=WEIGHT))
        if mixture.expert_bias:
            found.append(Tensor(f"{at}.{name}_bias", f"experts.{part}", (count, outputs), "moe", role=BIAS))
    return found


def merges(mixture: Mixture) -> tuple[Merge, ...]:
    """Return what a live module keeps in one tensor, or calls otherwise."""
    live, stored = f"{{layer}}.{mixture.live}", f"{{layer}}.{mixture.stored}"
    renamed = (f"{live}.{mixture.router}.weight", f"{stored}.{mixture.stored_router}.weight")
    found = [Merge(renamed[0], renamed[1:])] if renamed[0] != renamed[1] else []
    if mixture.kind == APART:
        found += shapes.stacked(live, stored, mixture.names)
    else:
        parts = zip(("experts.gate_up_proj", "experts.down_proj"), mixture.names, strict=True)
        found += [Merge(f"{live}.{part}", (f"{stored}.{name}",)) for part, name in parts if part != name]
    if other := mixture.stored_shared:
        found += [
            Merge(f"{live}.{mixture.shared}.{name}.{role}", (f"{stored}.{other}.{name}.{role}",))
            for name in shapes.EXPERT
            for role in ("weight", "bias")
        ]
    if mixture.live_correction != mixture.correction:
        found.append(Merge(f"{{layer}}.{mixture.live_correction}", (f"{{layer}}.{mixture.correction}",)))
    return tuple(found)


def architecture(
    model_type: str,
    mixture: Mixture,
    named: dict[str, str],
    notes: NotesOf = no_notes,
    **stated: Any,
) -> Architecture:
    """Return a model type of such layers; its sizes are Mixtral's, without biases, unless they are stated."""
    table: dict[str, Any] = {
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": size(14336, letter="m" if mixture.dense else "f"),
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": size(BY_HEADS),
        "tie_word_embeddings": False,
        "attention_bias": law(0),
        "qk_norm": law(0),
        "head_bias": law(0),
    }
    table |= {"mlp_bias": law(0)} if mixture.dense or mixture.shared else {}
    table |= {"has_shared": law(1)} if mixture.shared else {}
    table |= {"has_beside": law(f"= int({mixture.beside} > 0)")} if mixture.beside else {}
    both = {name: value for name, value in {**table, **stated}.items() if value is not None}
    follow = {name: value for name, value in both.items() if isinstance(value, Size) and value.kind == LAW}
    own = sizes(**{name: value for name, value in both.items() if name not in follow}, **follow)
    layers = mixture.layers._replace(musts=(UNDIVIDED,)) if mixture.block.divided else mixture.layers
    rows = (layers, partial(components, mixture), partial(tensors, mixture))
    return Architecture(model_type, named, "model", own, *rows, merges(mixture), notes)
