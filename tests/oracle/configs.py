"""Random configs of GPT-2, good and bad, as fields, as mappings and as files.

The names are written out here: the table that gpt2calc reads them from is one of the things under test.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

SPELLINGS: dict[str, tuple[str, ...]] = {
    "n_layer": ("num_hidden_layers", "n_layers", "num_layers", "layers", "depth"),
    "n_embd": ("hidden_size", "d_model", "n_embed", "emb_dim", "embed_dim", "embedding_dim", "hidden_dim", "channels"),
    "n_head": ("num_attention_heads", "n_heads", "num_heads", "heads"),
    "n_positions": (
        *("max_position_embeddings", "n_ctx", "block_size", "context_length", "context_size", "max_seq_len"),
        *("max_seq_length", "max_sequence_length", "sequence_len", "seq_length", "seq_len"),
    ),
    "vocab_size": ("vocab", "n_vocab", "vocabulary_size", "d_vocab"),
    "n_inner": ("d_ff", "d_mlp", "ffn_hidden_size", "ffn_dim", "intermediate_dim", "filter_size"),
    "tie_word_embeddings": ("tied", "tie_embeddings", "tie_weights", "share_embedding_weights"),
    "add_cross_attention": ("cross_attention",),
    "ln_f": ("final_layer_norm",),
    "pad_vocab_size_multiple": (
        *("pad_vocab", "pad_to_multiple_of", "padding_multiple", "make_vocab_size_divisible_by"),
    ),
    "head": ("model_head",),
    "num_labels": ("n_labels",),
}

CLASSES = {
    "none": "GPT2Model",
    "lm": "GPT2LMHeadModel",
    "double_heads": "GPT2DoubleHeadsModel",
    "sequence_classification": "GPT2ForSequenceClassification",
    "token_classification": "GPT2ForTokenClassification",
    "question_answering": "GPT2ForQuestionAnswering",
}

SWITCHES = ("tie_word_embeddings", "add_cross_attention", "bias", "qkv_bias", "ln_f")
SUMMARY = ("summary_use_proj", "summary_proj_to_labels")
SIZES = ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size", "n_inner", "num_labels")

BESIDE: dict[str, Any] = {
    "activation_function": "gelu_new",
    "resid_pdrop": 0.1,
    "dropout": 0.0,
    "layer_norm_epsilon": 1e-5,
    "use_cache": True,
    "torch_dtype": "float16",
    "bos_token_id": 50256,
    "task_specific_params": {"text-generation": {"max_length": 50}},
    "drop_rate": 0.1,
    "name": "mine",
}
"""Fields that no count depends on."""

ODD_SIZES: tuple[Any, ...] = (
    *("12", "1,024", "350M", "1e3", "12.0", "2k", "0x10", "", " 12 ", "twelve", "12,24", "6:48:6", "-1", "1_024", "٣"),
    *(12.0, 12.5, 1e3, 1e300, -1, 0, 10**18 - 1, 10**18, 10**60, 10**999, 10**1000, 10**1001, 2**63),
    *(None, True, False, [12], [], {}, {"a": 1}),
)
"""Values that a size may be given as, some of which are sizes."""

ODD_TRUTHS: tuple[Any, ...] = ("true", "True", "yes", "no", "false", "", 0, 1, 2, 0.0, None, [], [True], {})
UNKNOWN: dict[str, Any] = {
    "n_experts": 8,
    "rotary_dim": 64,
    "multi_query": True,
    "intermediate_size": 3072,
    "attention_layers": ["global", "local"],
    "sliding_window": 128,
    "num_key_value_heads": 4,
    "text_config": {"n_layer": 3},
    "gpt2calc": {"aliases": ["x"]},
    "": 1,
    "dims": 7,
    "é": 2,
}
"""Fields of other models, of none, and one that is kept for gpt2calc."""

HOW = ("fields", "mapping")


def size(chance: random.Random, most: float, least: int = 1) -> int:
    """Return a size, with as many small ones as large ones by the number of digits."""
    return max(least, round(math.exp(chance.uniform(0, math.log(most)))) - (1 - least))


def plain(chance: random.Random) -> dict[str, Any]:
    """Return a good config in GPT-2's own spelling."""
    n_head, head = chance.choice((1, 2, 3, 4, 6, 8, 12, 16, 20, 25)), size(chance, 256)
    drawn: dict[str, Any] = {
        "n_layer": size(chance, 200, 0),
        "n_embd": n_head * head,
        "n_positions": size(chance, 130_000),
        "vocab_size": size(chance, 300_000),
    }
    kept = {name: value for name, value in drawn.items() if chance.random() < 0.85}
    if "n_embd" in kept and chance.random() < 0.7:
        kept["n_head"] = n_head
    if chance.random() < 0.3:
        kept["n_inner"] = chance.choice((None, 0, size(chance, 100_000), 4 * n_head * head))
    if chance.random() < 0.15:
        kept["pad_vocab_size_multiple"] = chance.choice((None, 1, 8, 64, 128, size(chance, 5000)))
    kept |= {name: chance.random() < 0.5 for name in SWITCHES if chance.random() < 0.2}
    if chance.random() < 0.35:
        kept["head"] = chance.choice((*CLASSES, *CLASSES.values()))
    if chance.random() < 0.2:
        kept["num_labels"] = size(chance, 1000, 0)
    if chance.random() < 0.1:
        kept |= {name: chance.random() < 0.5 for name in SUMMARY}
        kept["summary_type"] = chance.choice(("cls_index", "last", "first", "mean"))
    if chance.random() < 0.04:
        kept[chance.choice(SIZES[:6])] = chance.choice((1, 7)) * 10 ** chance.choice((9, 17, 18, 19, 60, 300))
    return kept


def document(chance: random.Random, *, more: bool) -> dict[str, Any]:
    """Return a config in any words and any order, sometimes with a fault; `more` for what only a config.json says."""
    fields = plain(chance)
    found = {
        chance.choice(SPELLINGS.get(name, (name,))) if chance.random() < 0.4 else name: value
        for name, value in fields.items()
    }
    if more and chance.random() < 0.5:
        found["model_type"] = "gpt2"
    if more and chance.random() < 0.3:
        found["architectures"] = [chance.choice((*CLASSES.values(), "GPT2", "BertModel"))]
    if more and chance.random() < 0.3:
        found["transformers_version"] = "4.30.2"
    if chance.random() < 0.06:
        found["id2label"] = {str(label): f"LABEL_{label}" for label in range(chance.randint(0, 5))}
    if chance.random() < 0.25:
        found |= {name: BESIDE[name] for name in chance.sample(sorted(BESIDE), 2)}
    if chance.random() < 0.1:  # two spellings of one field, that agree or do not
        field = chance.choice(SIZES[:5])
        found[chance.choice((field, *SPELLINGS[field]))] = fields.get(field, 12) + chance.choice((0, 0, 1))
    if chance.random() < 0.25:
        damage(found, chance)
    return dict(chance.sample(sorted(found.items()), len(found)))


def damage(found: dict[str, Any], chance: random.Random) -> None:
    """Put one thing into a config that it may have to be refused for."""
    what = chance.randrange(8)
    if what <= 1:
        name = chance.choice(SIZES)
        found[chance.choice((name, *SPELLINGS[name]))] = chance.choice(ODD_SIZES)
    elif what == 2:
        found[chance.choice((*SWITCHES, *SUMMARY, "tied"))] = chance.choice(ODD_TRUTHS)
    elif what == 3:
        name = chance.choice([spelling for field in SPELLINGS for spelling in (field, *SPELLINGS[field])])
        found[mistyped(name, chance)] = 12
    elif what == 4:
        found["n_head"] = chance.choice((5, 7, 11, 13, 10**9))
    elif what == 5:
        found["model_type"] = chance.choice(
            ("bert", "gpt_neo", "GPT2", "", None, 7, ["gpt2"], "vision-encoder-decoder")
        )
    elif what == 6:
        found |= chance.choice(
            (
                {"head": chance.choice(("lm_hed", "GPT2LMHead", 3, [], None, ""))},
                {"architectures": chance.choice(("GPT2Model", [3], {}, [], ["GPT2LMHeadModel", "GPT2Model"]))},
                {"summary_type": chance.choice(("middle", None, 1))},
                {"pad_vocab_size_multiple": chance.choice(ODD_SIZES)},
                {"id2label": chance.choice(([], "a", 3, None))},
                {"model_type": "vision-encoder-decoder", "decoder": {"model_type": "gpt2", "n_layer": 3}},
            )
        )
    else:
        name = chance.choice(sorted(UNKNOWN))
        found[name] = UNKNOWN[name]


def mistyped(name: str, chance: random.Random) -> str:
    """Return a name with a slip in it."""
    at = chance.randrange(len(name))
    slips = (
        name[:at] + name[at + 1 :],
        name[:at] + name[at] + name[at:],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        name.upper(),
        name.replace("_", "-"),
        name + "_",
        name[:at] + chance.choice("aenrs_") + name[at + 1 :],
    )
    return chance.choice(slips)


def text(chance: random.Random) -> bytes:
    """Return the content of a config.json, good or broken."""
    written = json.dumps(document(chance, more=True), indent=chance.choice((None, 2))).encode()
    if chance.random() < 0.6:
        return written
    broken = (
        b"",
        b"[]",
        b"null",
        b"12",
        b'"gpt2"',
        b"\xef\xbb\xbf" + written,
        written.decode().encode("utf-16"),
        written[: chance.randrange(len(written))],
        written[:-1] + b",}",
        written + b"\n{}",
        written.replace(b"{", b'{"n_layer": 3, ', 1),
        written.replace(b"{", b'{"n_layer": 3, "n_layer": 4, ', 1),
        written.replace(b"{", b'{"\xe9": 3, ', 1),
        written.replace(b"{", b"// a comment\n{", 1),
        b'{"n_layer": NaN}',
        b'{"n_layer": 1' + b"0" * 5000 + b"}",
        b'{"n_layer": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    )
    return chance.choice(broken)
