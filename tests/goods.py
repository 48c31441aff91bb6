"""Good checkpoints of every dialect and of every peculiarity that files are known to have, by name, dtype and shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.makers.dialects import MAKERS, UNTIED, WITHOUT, Sizes

if TYPE_CHECKING:
    from tests.faults import Tensor

X = Sizes()


class Good(NamedTuple):
    """A good checkpoint: what it holds, the config that it is of, and what only some files have."""

    name: str
    tensors: list[Tensor]
    config: dict[str, Any]


def plain(maker: str, dtype: str = "F32") -> Good:
    """Return a checkpoint of one project's names."""
    _, make = MAKERS[maker]
    config = {**X.config(), "tie_word_embeddings": maker not in UNTIED, **WITHOUT.get(maker, {})}
    return Good(maker, [(name, dtype, shape) for name, shape in make(X).items()], config)


def masked(maker: str, dtype: str, *, scalars: bool) -> Good:
    """Return a checkpoint of transformers with causal masks, as versions before 4.30 saved them."""
    good = plain(maker)
    prefix = "" if maker == "bare" else "transformer."
    extras: list[Tensor] = []
    for block in range(X.n_layer):
        extras.append((f"{prefix}h.{block}.attn.bias", dtype, (1, 1, X.n_positions, X.n_positions)))
        if scalars:
            extras.append((f"{prefix}h.{block}.attn.masked_bias", "F32", ()))
    return good._replace(name=f"{maker} with {dtype} masks", tensors=[*good.tensors, *extras])


def headed(head: str, tensors: list[Tensor], **fields: Any) -> Good:
    """Return a checkpoint of a model with another head than lm_head."""
    good = plain("huggingface")
    config = {**good.config, "architectures": [head], "model_type": "gpt2", **fields}
    return Good(head, [*good.tensors, *tensors], config)


def crossed() -> Good:
    """Return the checkpoint of a decoder with cross-attention, with two masks in each block."""
    good, d = masked("huggingface", "U8", scalars=True), X.n_embd
    more: list[Tensor] = []
    for block in range(X.n_layer):
        h = f"transformer.h.{block}."
        more += [(h + "ln_cross_attn.weight", "F32", (d,)), (h + "ln_cross_attn.bias", "F32", (d,))]
        more += [
            (h + "crossattention.c_attn.weight", "F32", (d, 2 * d)),
            (h + "crossattention.c_attn.bias", "F32", (2 * d,)),
        ]
        more += [(h + "crossattention.q_attn.weight", "F32", (d, d)), (h + "crossattention.q_attn.bias", "F32", (d,))]
        more += [(h + "crossattention.c_proj.weight", "F32", (d, d)), (h + "crossattention.c_proj.bias", "F32", (d,))]
        more.append((h + "crossattention.bias", "U8", (1, 1, X.n_positions, X.n_positions)))
    return Good("cross-attention", [*good.tensors, *more], {**good.config, "add_cross_attention": True})


def goods() -> list[Good]:
    """Return good checkpoints of every dialect and of every peculiarity that files are known to have."""
    d, untied = X.n_embd, plain("huggingface")
    head: Tensor = ("lm_head.weight", "F32", (X.vocab_size, d))
    no_bias = [tensor for tensor in plain("nanogpt").tensors if not tensor[0].endswith(".bias")]
    no_qkv = [tensor for tensor in plain("raschka").tensors if not tensor[0].endswith(("y.bias", "value.bias"))]
    return [
        *map(plain, MAKERS),
        plain("huggingface", "F16")._replace(name="float16"),
        plain("huggingface", "BF16")._replace(name="bfloat16"),
        masked("bare", "F32", scalars=False),
        masked("huggingface", "U8", scalars=True),
        masked("huggingface", "BOOL", scalars=True),
        crossed(),
        Good("untied", [*untied.tensors, head], {**untied.config, "tie_word_embeddings": False}),
        Good("no biases", no_bias, {**X.config(), "bias": False}),
        Good("no qkv_bias", no_qkv, {**plain("raschka").config, "qkv_bias": False}),
        headed("GPT2ForSequenceClassification", [("score.weight", "F32", (3, d))], num_labels=3),
        headed(
            "GPT2ForTokenClassification",
            [("classifier.weight", "F32", (3, d)), ("classifier.bias", "F32", (3,))],
            num_labels=3,
        ),
        headed("GPT2ForQuestionAnswering", [("qa_outputs.weight", "F32", (2, d)), ("qa_outputs.bias", "F32", (2,))]),
        headed(
            "GPT2DoubleHeadsModel",
            [
                ("multiple_choice_head.summary.weight", "F32", (1, d)),
                ("multiple_choice_head.summary.bias", "F32", (1,)),
            ],
        ),
        Good(
            "0-wide MLP",
            [(n, t, tuple(0 if size == X.n_inner else size for size in s)) for n, t, s in plain("huggingface").tensors],
            {**X.config(), "n_inner": 0},
        ),
    ]


GOODS = goods()
