"""The tensors of a small GPT-2 as each project names and shapes them, written out by hand from that project's source.

They know nothing of gpt2calc: they are what its dialects are held against. Each function returns shapes by name, of the
parameters alone; `masks` adds what older versions of a project store beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Shapes = dict[str, tuple[int, ...]]


class Sizes(NamedTuple):
    """The sizes of a model; all differ, so that no shape fits by accident."""

    n_layer: int = 2
    n_embd: int = 12
    n_head: int = 3
    n_positions: int = 20
    vocab_size: int = 31
    n_inner: int = 44

    def config(self) -> dict[str, Any]:
        """Return the fields of a config.json."""
        return self._asdict()


def huggingface(x: Sizes, prefix: str = "transformer.") -> Shapes:
    """transformers, modeling_gpt2.py: Conv1D keeps [in, out]."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {f"{prefix}wte.weight": (x.vocab_size, d), f"{prefix}wpe.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"{prefix}h.{n}."
        shapes |= {h + "ln_1.weight": (d,), h + "ln_1.bias": (d,)}
        shapes |= {h + "attn.c_attn.weight": (d, 3 * d), h + "attn.c_attn.bias": (3 * d,)}
        shapes |= {h + "attn.c_proj.weight": (d, d), h + "attn.c_proj.bias": (d,)}
        shapes |= {h + "ln_2.weight": (d,), h + "ln_2.bias": (d,)}
        shapes |= {h + "mlp.c_fc.weight": (d, m), h + "mlp.c_fc.bias": (m,)}
        shapes |= {h + "mlp.c_proj.weight": (m, d), h + "mlp.c_proj.bias": (d,)}
    return shapes | {f"{prefix}ln_f.weight": (d,), f"{prefix}ln_f.bias": (d,)}


def bare(x: Sizes) -> Shapes:
    """The released files: transformers' names without the prefix."""
    return huggingface(x, "")


def compiled(x: Sizes) -> Shapes:
    """A state_dict of a compiled model under DistributedDataParallel."""
    return huggingface(x, "module._orig_mod.transformer.")


def nanogpt(x: Sizes) -> Shapes:
    """karpathy/nanoGPT, model.py: nn.Linear keeps [out, in]."""
    linear = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    return {name: shape[::-1] if name.endswith(linear) else shape for name, shape in huggingface(x).items()}


def openai(x: Sizes) -> Shapes:
    """openai/gpt-2, src/model.py: scopes, and a convolution of width 1."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"model/wpe": (x.n_positions, d), "model/wte": (x.vocab_size, d)}
    for n in range(x.n_layer):
        h = f"model/h{n}/"
        shapes |= {h + "ln_1/g": (d,), h + "ln_1/b": (d,), h + "ln_2/g": (d,), h + "ln_2/b": (d,)}
        shapes |= {h + "attn/c_attn/w": (1, d, 3 * d), h + "attn/c_attn/b": (3 * d,)}
        shapes |= {h + "attn/c_proj/w": (1, d, d), h + "attn/c_proj/b": (d,)}
        shapes |= {h + "mlp/c_fc/w": (1, d, m), h + "mlp/c_fc/b": (m,)}
        shapes |= {h + "mlp/c_proj/w": (1, m, d), h + "mlp/c_proj/b": (d,)}
    return shapes | {"model/ln_f/g": (d,), "model/ln_f/b": (d,)}


def transformerlens(x: Sizes) -> Shapes:
    """TransformerLens, components/: attention by head, an unembedding of its own with a bias."""
    d, m, heads = x.n_embd, x.n_inner, x.n_head
    size = d // heads
    shapes: Shapes = {"embed.W_E": (x.vocab_size, d), "pos_embed.W_pos": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"blocks.{n}."
        shapes |= {h + "ln1.w": (d,), h + "ln1.b": (d,), h + "ln2.w": (d,), h + "ln2.b": (d,)}
        shapes |= {h + "attn.W_Q": (heads, d, size), h + "attn.W_K": (heads, d, size), h + "attn.W_V": (heads, d, size)}
        shapes |= {h + "attn.W_O": (heads, size, d), h + "attn.b_O": (d,)}
        shapes |= {h + "attn.b_Q": (heads, size), h + "attn.b_K": (heads, size), h + "attn.b_V": (heads, size)}
        shapes |= {h + "mlp.W_in": (d, m), h + "mlp.b_in": (m,), h + "mlp.W_out": (m, d), h + "mlp.b_out": (d,)}
    return shapes | {"ln_final.w": (d,), "ln_final.b": (d,), "unembed.W_U": (d, x.vocab_size)}


def raschka(x: Sizes) -> Shapes:
    """rasbt/LLMs-from-scratch, ch04: queries, keys and values apart, a head of its own."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"tok_emb.weight": (x.vocab_size, d), "pos_emb.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"trf_blocks.{n}."
        for name in ("W_query", "W_key", "W_value", "out_proj"):
            shapes |= {f"{h}att.{name}.weight": (d, d), f"{h}att.{name}.bias": (d,)}
        shapes |= {h + "ff.layers.0.weight": (m, d), h + "ff.layers.0.bias": (m,)}
        shapes |= {h + "ff.layers.2.weight": (d, m), h + "ff.layers.2.bias": (d,)}
        shapes |= {h + "norm1.scale": (d,), h + "norm1.shift": (d,), h + "norm2.scale": (d,), h + "norm2.shift": (d,)}
    shapes |= {"final_norm.scale": (d,), "final_norm.shift": (d,)}
    return shapes | {"out_head.weight": (x.vocab_size, d)}


def gguf(x: Sizes) -> Shapes:
    """llama.cpp, convert_hf_to_gguf.py: GPT2Model, which turns the matrices round."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"token_embd.weight": (x.vocab_size, d), "position_embd.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"blk.{n}."
        shapes |= {h + "attn_norm.weight": (d,), h + "attn_norm.bias": (d,)}
        shapes |= {h + "attn_qkv.weight": (3 * d, d), h + "attn_qkv.bias": (3 * d,)}
        shapes |= {h + "attn_output.weight": (d, d), h + "attn_output.bias": (d,)}
        shapes |= {h + "ffn_norm.weight": (d,), h + "ffn_norm.bias": (d,)}
        shapes |= {h + "ffn_up.weight": (m, d), h + "ffn_up.bias": (m,)}
        shapes |= {h + "ffn_down.weight": (d, m), h + "ffn_down.bias": (d,)}
    return shapes | {"output_norm.weight": (d,), "output_norm.bias": (d,)}


def llmc(x: Sizes) -> Shapes:
    """karpathy/llm.c, train_gpt2.c: sixteen arrays, those of the blocks stacked."""
    layers, d, m = x.n_layer, x.n_embd, x.n_inner
    shapes: Shapes = {"wte": (x.vocab_size, d), "wpe": (x.n_positions, d)}
    shapes |= {"ln1w": (layers, d), "ln1b": (layers, d), "qkvw": (layers, 3 * d, d), "qkvb": (layers, 3 * d)}
    shapes |= {"attprojw": (layers, d, d), "attprojb": (layers, d), "ln2w": (layers, d), "ln2b": (layers, d)}
    shapes |= {"fcw": (layers, m, d), "fcb": (layers, m), "fcprojw": (layers, d, m), "fcprojb": (layers, d)}
    return shapes | {"lnfw": (d,), "lnfb": (d,)}


def megatron(x: Sizes) -> Shapes:
    """NVIDIA/Megatron-LM, megatron/core: GPTModel with local layers."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"embedding.word_embeddings.weight": (x.vocab_size, d)}
    shapes |= {"embedding.position_embeddings.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"decoder.layers.{n}."
        shapes |= {h + "input_layernorm.weight": (d,), h + "input_layernorm.bias": (d,)}
        shapes |= {h + "self_attention.linear_qkv.weight": (3 * d, d), h + "self_attention.linear_qkv.bias": (3 * d,)}
        shapes |= {h + "self_attention.linear_proj.weight": (d, d), h + "self_attention.linear_proj.bias": (d,)}
        shapes |= {h + "pre_mlp_layernorm.weight": (d,), h + "pre_mlp_layernorm.bias": (d,)}
        shapes |= {h + "mlp.linear_fc1.weight": (m, d), h + "mlp.linear_fc1.bias": (m,)}
        shapes |= {h + "mlp.linear_fc2.weight": (d, m), h + "mlp.linear_fc2.bias": (d,)}
    return shapes | {"decoder.final_layernorm.weight": (d,), "decoder.final_layernorm.bias": (d,)}


def megatron_te(x: Sizes) -> Shapes:
    """NVIDIA/Megatron-LM with Transformer Engine: LayerNormColumnParallelLinear holds the norm before it."""
    names = {
        ".input_layernorm.": ".self_attention.linear_qkv.layer_norm_",
        ".pre_mlp_layernorm.": ".mlp.linear_fc1.layer_norm_",
    }
    shapes = megatron(x)
    for old, new in names.items():
        shapes = {name.replace(old, new): shape for name, shape in shapes.items()}
    return shapes


def megatron_dist(x: Sizes) -> Shapes:
    """The same in a distributed checkpoint: the tensors of all blocks in one, whose name has no number."""
    shapes: Shapes = {}
    for name, shape in megatron_te(x).items():
        stacked = name.replace(".layers.0.", ".layers.")
        if stacked != name:
            shapes[stacked] = (x.n_layer, *shape)
        elif ".layers." not in name:
            shapes[name] = shape
    return shapes


def megatron_legacy(x: Sizes) -> Shapes:
    """NVIDIA/Megatron-LM up to 2.4: language_model.transformer, query_key_value [3d, d] of head after head."""
    d, m, lm = x.n_embd, x.n_inner, "language_model."
    shapes: Shapes = {f"{lm}embedding.word_embeddings.weight": (x.vocab_size, d)}
    shapes |= {f"{lm}embedding.position_embeddings.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"{lm}transformer.layers.{n}."
        shapes |= {h + "input_layernorm.weight": (d,), h + "input_layernorm.bias": (d,)}
        shapes |= {h + "attention.query_key_value.weight": (3 * d, d), h + "attention.query_key_value.bias": (3 * d,)}
        shapes |= {h + "attention.dense.weight": (d, d), h + "attention.dense.bias": (d,)}
        shapes |= {h + "post_attention_layernorm.weight": (d,), h + "post_attention_layernorm.bias": (d,)}
        shapes |= {h + "mlp.dense_h_to_4h.weight": (m, d), h + "mlp.dense_h_to_4h.bias": (m,)}
        shapes |= {h + "mlp.dense_4h_to_h.weight": (d, m), h + "mlp.dense_4h_to_h.bias": (d,)}
    return shapes | {f"{lm}transformer.final_layernorm.{end}": (d,) for end in ("weight", "bias")}


def megatron_encoder(x: Sizes) -> Shapes:
    """The same since T5 came to it: encoder and self_attention."""
    shapes = {name.replace(".transformer.", ".encoder."): shape for name, shape in megatron_legacy(x).items()}
    return {name.replace(".attention.", ".self_attention."): shape for name, shape in shapes.items()}


def megatron_norm(x: Sizes) -> Shapes:
    """The same since norms of another kind came to it."""
    return {name.replace("_layernorm.", "_norm."): shape for name, shape in megatron_encoder(x).items()}


def megatron_legacy_te(x: Sizes) -> Shapes:
    """TransformerEngine, pytorch/transformer.py: layernorm_qkv and layernorm_mlp, whose names end in fc1_weight."""
    d, m, lm = x.n_embd, x.n_inner, "language_model."
    shapes: Shapes = {f"{lm}embedding.word_embeddings.weight": (x.vocab_size, d)}
    shapes |= {f"{lm}embedding.position_embeddings.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        for end, rows in (("weight", (d,)), ("bias", ())):
            at, mlp = f"{lm}encoder.layers.{n}.self_attention.", f"{lm}encoder.layers.{n}.layernorm_mlp."
            shapes |= {f"{at}layernorm_qkv.layer_norm_{end}": (d,), f"{at}layernorm_qkv.{end}": (3 * d, *rows)}
            shapes |= {f"{at}proj.{end}": (d, *rows), f"{mlp}layer_norm_{end}": (d,)}
            shapes |= {f"{mlp}fc1_{end}": (m, *rows), f"{mlp}fc2_{end}": (d, m) if rows else (d,)}
    return shapes | {f"{lm}encoder.final_layernorm.{end}": (d,) for end in ("weight", "bias")}


def megatron_legacy_te_norm(x: Sizes) -> Shapes:
    """The same since norms of another kind came to it."""
    return {name.replace(".final_layernorm.", ".final_norm."): shape for name, shape in megatron_legacy_te(x).items()}


def gpt1(x: Sizes) -> Shapes:
    """transformers, modeling_openai.py: Conv1D, other names for the embeddings, and no ln_f."""
    names = {"wte": "tokens_embed", "wpe": "positions_embed"}
    shapes = {name: shape for name, shape in huggingface(x).items() if ".ln_f." not in name}
    return {".".join(names.get(part, part) for part in name.split(".")): shape for name, shape in shapes.items()}


def raschka_fused(x: Sizes) -> Shapes:
    """rasbt/LLMs-from-scratch, ch05/10_llm-training-speed: one Linear for all of qkv, torch's LayerNorm."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"tok_emb.weight": (x.vocab_size, d), "pos_emb.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"trf_blocks.{n}."
        shapes |= {h + "att.qkv.weight": (3 * d, d), h + "att.qkv.bias": (3 * d,)}
        shapes |= {h + "att.proj.weight": (d, d), h + "att.proj.bias": (d,)}
        shapes |= {h + "ff.layers.0.weight": (m, d), h + "ff.layers.0.bias": (m,)}
        shapes |= {h + "ff.layers.2.weight": (d, m), h + "ff.layers.2.bias": (d,)}
        shapes |= {f"{h}{norm}.{end}": (d,) for norm in ("norm1", "norm2") for end in ("weight", "bias")}
    shapes |= {"final_norm.weight": (d,), "final_norm.bias": (d,)}
    return shapes | {"out_head.weight": (x.vocab_size, d)}


def litgpt(x: Sizes) -> Shapes:
    """Lightning-AI/litgpt of 2023, model.py: nn.Linear, attn.attn, and a head of its own."""
    names = {"attn.c_attn": "attn.attn", "attn.c_proj": "attn.proj", "mlp.c_fc": "mlp.fc", "mlp.c_proj": "mlp.proj"}
    shapes = nanogpt(x)
    for old, new in {**names, "ln_1": "norm_1", "ln_2": "norm_2"}.items():
        shapes = {name.replace(old, new): shape for name, shape in shapes.items()}
    return shapes | {"lm_head.weight": (x.vocab_size, x.n_embd)}


def litgpt_qkv(x: Sizes) -> Shapes:
    """The same since 2024."""
    return {name.replace("attn.attn", "attn.qkv"): shape for name, shape in litgpt(x).items()}


def uer(x: Sizes) -> Shapes:
    """dbiir/UER-py, uer/layers/transformer.py: three Linears for queries, keys and values, gamma and beta."""
    d, m = x.n_embd, x.n_inner
    shapes: Shapes = {"embedding.word.embedding.weight": (x.vocab_size, d)}
    shapes |= {"embedding.pos.embedding.weight": (x.n_positions, d)}
    for n in range(x.n_layer):
        h = f"encoder.transformer.{n}."
        for part in ("linear_layers.0", "linear_layers.1", "linear_layers.2", "final_linear"):
            shapes |= {f"{h}self_attn.{part}.weight": (d, d), f"{h}self_attn.{part}.bias": (d,)}
        shapes |= {h + "feed_forward.linear_1.weight": (m, d), h + "feed_forward.linear_1.bias": (m,)}
        shapes |= {h + "feed_forward.linear_2.weight": (d, m), h + "feed_forward.linear_2.bias": (d,)}
        shapes |= {f"{h}layer_norm_{norm}.{end}": (d,) for norm in (1, 2) for end in ("gamma", "beta")}
    shapes |= {"encoder.layer_norm.gamma": (d,), "encoder.layer_norm.beta": (d,)}
    return shapes | {"target.lm.output_layer.weight": (x.vocab_size, d)}


def uer_old(x: Sizes) -> Shapes:
    """The same in 2020."""
    names = {"word.embedding": "word_embedding", "pos.embedding": "position_embedding", "target.lm.": "target."}
    shapes = uer(x)
    for old, new in names.items():
        shapes = {name.replace(old, new): shape for name, shape in shapes.items()}
    return shapes


def flax(x: Sizes) -> Shapes:
    """Transformers v4, modeling_flax_gpt2.py: FlaxConv1D keeps kernels as [features, in]; flatten_dict(sep=".")."""
    shapes = {}
    for name, shape in huggingface(x).items():
        stem, part, end = name.rsplit(".", 2)
        weight = {"wte": "embedding", "wpe": "embedding"}.get(part, "scale" if part.startswith("ln_") else "kernel")
        shapes[f"{stem}.{part}.{weight if end == 'weight' else 'bias'}"] = shape[::-1] if weight == "kernel" else shape
    return shapes


def flax_slashes(x: Sizes) -> Shapes:
    """The same, flattened with slashes, as flax.traverse_util is most often called; the model has no name there."""
    return {name.removeprefix("transformer.").replace(".", "/"): shape for name, shape in flax(x).items()}


def transformer_lm(x: Sizes) -> Shapes:
    """lopuhin/transformer-lm, lm/model.py: nn.Linear under the name Conv1D, and g and b for a Norm; m is always 4d."""
    shapes = {}
    for name, shape in nanogpt(x).items():
        stem, _, end = name.removeprefix("transformer.").replace("h.", "blocks.", ".h." in name).rpartition(".")
        shapes[f"{stem}.{end[:1].replace('w', 'g') if 'ln_' in stem else end}"] = shape
    return shapes


def transformerlens_folded(x: Sizes) -> Shapes:
    """TransformerLens as from_pretrained loads it: LayerNormPre has no parameters."""
    return {name: shape for name, shape in transformerlens(x).items() if ".ln" not in name and "ln_" not in name}


MAKERS: dict[str, tuple[str, Callable[[Sizes], Shapes]]] = {
    "huggingface": ("huggingface", huggingface),
    "bare": ("huggingface", bare),
    "compiled": ("huggingface", compiled),
    "nanogpt": ("nanogpt", nanogpt),
    "openai": ("openai", openai),
    "transformerlens": ("transformerlens", transformerlens),
    "raschka": ("raschka", raschka),
    "gguf": ("gguf", gguf),
    "llm.c": ("llm.c", llmc),
    "megatron": ("megatron", megatron),
    "megatron-te": ("megatron-te", megatron_te),
    "megatron-dist": ("megatron-dist", megatron_dist),
    "megatron-legacy": ("megatron-legacy", megatron_legacy),
    "megatron encoder": ("megatron-legacy", megatron_encoder),
    "megatron norm": ("megatron-legacy", megatron_norm),
    "megatron-legacy-te": ("megatron-legacy-te", megatron_legacy_te),
    "megatron-legacy-te norm": ("megatron-legacy-te", megatron_legacy_te_norm),
    "gpt-1": ("gpt-1", gpt1),
    "raschka-fused": ("raschka-fused", raschka_fused),
    "litgpt": ("litgpt", litgpt),
    "litgpt qkv": ("litgpt", litgpt_qkv),
    "uer": ("uer", uer),
    "uer of 2020": ("uer", uer_old),
    "flax": ("flax", flax),
    "flax with slashes": ("flax", flax_slashes),
    "transformer-lm": ("transformer-lm", transformer_lm),
    "transformerlens-folded": ("transformerlens-folded", transformerlens_folded),
}
"""Every way of naming, with the dialect that it is to be recognised as."""

UNTIED = (
    *("transformerlens", "transformerlens-folded", "raschka", "raschka-fused"),
    *("litgpt", "litgpt qkv", "uer", "uer of 2020"),
)
"""Those that have a head of their own."""

WITHOUT = {"gpt-1": {"ln_f": False}}
"""What the config says of those that lack something."""
