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
}
"""Every way of naming, with the dialect that it is to be recognised as."""

UNTIED = ("transformerlens", "raschka")
"""Those that have a head of their own."""
