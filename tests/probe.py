"""The command `python -m tests.probe`: which fields of transformers' config classes change what a model is made of.

Of a model type every field is varied alone, and flags in pairs too, on torch's `meta` device, where tensors have a
shape and no memory. In `gpt2calc/architectures/probed` a field that changes a name or a shape stands under shapes, one
that changes none under no_shapes, and one of which transformers took no value under not_varied, with what it said.
`--write` writes the files of the model types that are named, or of all; without it they are only held against what is
found, and a file that differs ends the command with 1.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import json
import os
import re
import sys
from functools import lru_cache
from itertools import combinations, cycle, islice, product
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import transformers
from transformers import CONFIG_MAPPING, PreTrainedConfig
from transformers.activations import ACT2FN
from transformers.configuration_utils import _LEGACY_LAYER_TYPE_REMAP, ALLOWED_LAYER_TYPES
from transformers.modeling_rope_utils import RotaryEmbeddingConfigMixin
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
)

from gpt2calc import architectures
from gpt2calc.architectures import probed
from tests.architectures.modules import quick
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ABSENT = "(absent)"
"""The value of a field that a document leaves out."""

SMALL: dict[str, Any] = {
    "vocab_size": 1009,
    "hidden_size": 96,
    "intermediate_size": 251,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
    "head_dim": 20,
    "moe_intermediate_size": 53,
    "shared_expert_intermediate_size": 71,
    "shared_intermediate_size": 71,
    "num_experts": 10,
    "num_local_experts": 10,
    "n_routed_experts": 10,
    "num_experts_per_tok": 2,
    "pad_token_id": 1,
    "n_embd": 96,
    "n_inner": 251,
    "n_layer": 2,
    "n_head": 6,
    "n_positions": 37,
}
"""What a small model has where its config class declares the field, or its code reads it: no two widths coincide."""

_MIXED = ["linear_attention", "full_attention", "linear_attention"]
_DEEPSEEK = {"n_shared_experts": 3, "first_k_dense_replace": 1, "n_group": 2, "topk_group": 1, "head_dim": ABSENT}
_LATENT = {"q_lora_rank": 34, "kv_lora_rank": 26, "qk_rope_head_dim": 10, "qk_nope_head_dim": 18, "v_head_dim": 22}
_MAMBA = {"mamba_d_state": 14, "mamba_d_conv": 5, "mamba_n_groups": 3}

_LATENT_MOE = {"mamba_num_heads": 24, "mamba_head_dim": 8, "ssm_state_size": 14, "moe_latent_size": 17}
_LATENT_MOE |= {"moe_shared_expert_intermediate_size": 71}
_STATES = {"state_size": 14, "conv_kernel": 5, "time_step_rank": 7}
_DELTA = {"linear_num_key_heads": 3, "linear_num_value_heads": 7, "linear_conv_kernel_dim": 5}
_DELTA |= {"linear_key_head_dim": 11, "linear_value_head_dim": 13}

BASES: dict[str, dict[str, Any]] = {
    "qwen2_moe": {"num_hidden_layers": 3, "mlp_only_layers": [1]},  # else no layer would be dense
    "qwen3_moe": {"num_hidden_layers": 3, "mlp_only_layers": [1]},
    "deepseek_v3": _DEEPSEEK | _LATENT,
    "mamba2": {"num_heads": 24, "head_dim": 8, "state_size": 14, "conv_kernel": 5, "n_groups": 3},  # 24 · 8 = 2 · 96
    "granitemoehybrid": {"num_hidden_layers": 3, "layer_types": _MIXED, "mamba_n_heads": 24, **_MAMBA},
    "gpt_neo": {"num_layers": 2, "num_heads": 6, "max_position_embeddings": 37, "attention_types": [[["global"], 2]]},
    "mpt": {"d_model": 96, "n_layers": 2, "n_heads": 6},
    "xglm": {"d_model": 96, "num_layers": 2, "attention_heads": 6, "ffn_dim": 251},
    "opt": {"ffn_dim": 251, "max_position_embeddings": 37, "word_embed_proj_dim": 40},
    "biogpt": {"max_position_embeddings": 37},
    "codegen": {"n_head": 8},
    "falcon": {"head_dim": ABSENT, "num_kv_heads": 3, "ffn_hidden_size": 251, "pad_token_id": ABSENT},
    "deepseek_v2": _DEEPSEEK | _LATENT,
    **dict.fromkeys(("glm4_moe_lite", "axk1", "minicpm3", "youtu"), _DEEPSEEK | _LATENT),
    **{
        name: _DEEPSEEK | _LATENT | {"index_n_heads": 5, "index_head_dim": 19}
        for name in ("deepseek_v32", "glm_moe_dsa")
    },
    "glm4_moe": {"first_k_dense_replace": 1, "n_shared_experts": 3},
    **{key: {"first_k_dense_replace": 1, "num_shared_experts": 3} for key in ("exaone_moe", "hy_v3")},
    "cohere2_moe": {"first_k_dense_replace": 1, "num_shared_experts": 3, "prefix_dense_intermediate_size": 301},
    "mellum": {"mlp_layer_types": ["dense", "sparse"]},
    "solar_open": {"n_shared_experts": 3},
    "aria_text": {"moe_num_experts": 10, "moe_topk": 2, "moe_num_shared_experts": 3},
    "afmoe": {"num_dense_layers": 1, "num_shared_experts": 3},
    "dots1": {"first_k_dense_replace": 1, "n_shared_experts": 3},
    "ernie4_5_moe": {"moe_num_experts": 10, "moe_k": 2, "moe_num_shared_experts": 3, "num_hidden_layers": 3},
    "recurrent_gemma": {"num_hidden_layers": 3, "lru_width": 78, "conv1d_width": 5},
    "falcon_h1": {"mamba_d_ssm": 168, "mamba_n_heads": 21, "mamba_d_head": 8, **_MAMBA},
    "gemma3n_text": {
        "num_hidden_layers": 4,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "num_kv_shared_layers": 1,
        "vocab_size_per_layer_input": 907,
        "hidden_size_per_layer_input": 17,
        "altup_num_inputs": 3,
        "laurel_rank": 11,
    },
    "gemma4_text": {
        "num_hidden_layers": 4,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "num_kv_shared_layers": 1,
        "vocab_size_per_layer_input": 907,
        "hidden_size_per_layer_input": 17,
        "global_head_dim": 28,
        "num_global_key_value_heads": 2,
        "top_k_experts": 2,
    },
    "llama4_text": {"intermediate_size_mlp": 301, "interleave_moe_layer_step": 2},
    **{name: {"intermediate_size": ABSENT, **_STATES} for name in ("mamba", "falcon_mamba")},
    "bamba": {"num_hidden_layers": 3, "attn_layer_indices": [1], "mamba_n_heads": 24, "mamba_d_head": 8, **_MAMBA},
    "qwen3_next": {"num_hidden_layers": 3, "layer_types": _MIXED, "mlp_only_layers": [1], **_DELTA},
    **{
        name: {"num_hidden_layers": 3, "layer_types": _MIXED, **_DELTA} for name in ("qwen3_5_text", "qwen3_5_moe_text")
    },
    "diffllama": {"num_key_value_heads": 2},
    "nemotron_h": {
        "layers_block_type": ["mamba", "moe", "attention", "mlp"],
        "num_hidden_layers": ABSENT,
        **_LATENT_MOE,
    },
    "lfm2": {
        "num_hidden_layers": 3,
        "layer_types": ["conv", "full_attention", "conv"],
        "block_multiple_of": 7,
        "intermediate_size": ABSENT,
    },
    "jamba": {"num_hidden_layers": 4, "attn_layer_period": 3, "attn_layer_offset": 0, "mamba_dt_rank": 11, **_MAMBA},
}
"""What the base of a model type has beside `SMALL`, so that every kind of layer and part is in it."""

MORE_CLASSES = {"gpt2": ("GPT2DoubleHeadsModel",)}
"""Classes that are built beside the causal language model and the one that classifies sequences."""

TRANSFORMERS_TYPE = {"kimi_k2": "deepseek_v3"}
"""Model types that transformers has under another name."""

MODEL_TYPES = tuple(architectures.FILES)

ROTARY = [
    {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0},
    {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5},
]
VALUES: dict[str, list[Any]] = {
    "dtype": ["float16", "bfloat16"],
    "torch_dtype": ["float16"],
    "id2label": [{"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}],
    "label2id": [{"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}],
    "per_layer_config": [{"0": {"hidden_size": 48}}],
    "rope_parameters": ROTARY,
    "rope_scaling": ROTARY,
    "rope_theta": [20000.0],
    "partial_rotary_factor": [0.5],
    "transformers_version": ["4.30.0"],
    "name_or_path": ["other"],
    "attn_implementation": ["eager", "sdpa"],
    "experts_implementation": ["eager"],
    "output_attentions": [True],
}
"""Values of fields that are neither numbers nor words of a list."""

TOGETHER = ({"num_labels": 7, "id2label": {"0": "a", "1": "b", "2": "c"}},)
"""Fields that say the same, and otherwise: one of them wins."""

THIRD = 3
"""Of every how many model types fields that change no shape are varied, where not all are."""

NOT_VARIED = {"architectures": "says which class is built, and is no field of one"}

Listing = dict[str, tuple[int, ...]]
"""The name and shape of each tensor that a file would hold: parameters, tied ones once, and persistent buffers."""


class Variation(NamedTuple):
    """A document that differs from the base in one field, or in two, and what transformers makes of it.

    Args:
        changes: the fields that differ, `ABSENT` where they are left out.
        class_name: the class that was built.
        listing: what it holds, None where transformers refused.
        refusal: what transformers said.
    """

    changes: dict[str, Any]
    class_name: str
    listing: Listing | None
    refusal: str = ""


class Probed(NamedTuple):
    """What the probe of a model type found: what its file says, and how it was seen."""

    shapes: tuple[str, ...]
    no_shapes: tuple[str, ...]
    not_varied: dict[str, str]
    base: dict[str, Any]
    listings: dict[str, Listing]
    variations: tuple[Variation, ...]

    def text(self) -> str:
        """Return the file of the model type."""
        found = {
            "transformers": transformers.__version__,
            "shapes": sorted(self.shapes),
            "no_shapes": sorted(self.no_shapes),
            "not_varied": dict(sorted(self.not_varied.items())),
        }
        return json.dumps(found, indent=2) + "\n"


def path(model_type: str) -> str:
    """Return where the file of a model type stands."""
    return os.path.join(os.path.dirname(os.path.abspath(probed.__file__)), f"{model_type}.json")


def kept(model_type: str) -> str:
    """Return what the file of a model type says, "" where there is none."""
    if not os.path.exists(path(model_type)):
        return ""
    with open(path(model_type), encoding="utf-8") as file:
        return file.read()


class Prober:
    """A model type of transformers, with the base that its fields are varied from."""

    @unmeasured
    def __init__(self, model_type: str) -> None:
        self.config_class = CONFIG_MAPPING[model_type]
        mappings: Any = (MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING)
        self.classes: list[Any] = [mapping[self.config_class] for mapping in mappings if self.config_class in mapping]
        self.classes += [getattr(transformers, name) for name in MORE_CLASSES.get(model_type, ())]
        modules = [sys.modules[each.__module__] for each in (self.classes[0], self.config_class)]
        self.trees = [[*ast.walk(ast.parse(inspect.getsource(module)))] for module in modules]
        self.compared = [
            (ast.unparse(node.left), constants(node.comparators))
            for tree in self.trees
            for node in tree
            if isinstance(node, ast.Compare)
        ]
        subscripts = (node for tree in self.trees for node in tree if isinstance(node, ast.Subscript))
        self.activating = {ast.unparse(node) for node in subscripts if ast.unparse(node.value) == "ACT2FN"}
        self.declared = {field.name: str(field.type) for field in dataclasses.fields(self.config_class)}
        self.aliases = dict(self.config_class.attribute_map)
        self.undeclared = self._read_names() - {*self.declared, *self.aliases}
        base = {**SMALL, **BASES.get(model_type, {})}
        known = {*self.declared, *self.undeclared, *self.aliases.values()} - self.aliases.keys()
        self.base = {name: value for name, value in base.items() if name in known and value != ABSENT}
        self.config = self.config_class.from_dict(dict(self.base))
        self.config.allow_global_per_layer_attribute_access = True  # of one whose layers have sizes of their own
        self.listings = {each.__name__: self.listing(each, {}) for each in self.classes}
        self.seen: dict[str, Variation] = {}

    @unmeasured
    def run(self) -> Probed:
        """Vary every field alone, then what acts or is taken only in pairs, and say of each which kind it is of."""
        effects: dict[str, bool | str] = dict(NOT_VARIED)  # whether a name or a shape changes, or why nobody knows
        names = self.names()
        for name in names:
            effects[name] = self.effect([self.changes(name, value) for value in self.values(name)])
        # 1. Sizes that are bound to others, such as heads times their width, are refused alone.
        for name in names:
            if isinstance(effects[name], str) and type(self.value(name)) is int:
                effect = self.effect_in_pairs(name, names)
                effects[name] = effects[name] if effect is None else effect
        # 2. Flags that act only where another is flipped, and all that acts only where the flags are not as they were.
        flags = [name for name in names if isinstance(self.value(name), bool) and name not in GENERAL]
        flipped = {name: self.changes(name, not self.value(name)) for name in flags}
        for one, other in combinations(flags, 2):
            for name, against in ((one, other), (other, one)):
                if effects[name] is not True and self.differs({**flipped[one], **flipped[other]}, flipped[against]):
                    effects[name] = True
        opposite = {name: not self.value(name) for name in flags if effects[name] is True}
        for name in names:
            if effects[name] is False and name not in GENERAL:
                tried = (self.changes(name, value) for value in self.values(name)[:1])
                effects[name] = any(self.differs({**opposite, **changes}, opposite) for changes in tried)
        for changes, model_class in product(TOGETHER, self.classes):
            self.vary(changes, model_class)
        kinds = {kind: tuple(name for name in effects if effects[name] is kind) for kind in (True, False)}
        reasons = {name: effect for name, effect in effects.items() if isinstance(effect, str)}
        return Probed(kinds[True], kinds[False], reasons, self.base, self.listings, tuple(self.seen.values()))

    def names(self) -> list[str]:
        """Return every field that can be varied."""
        return sorted({*self.declared, *self.aliases, *self.aliases.values(), *self.undeclared} - NOT_VARIED.keys())

    @unmeasured
    def run_known(self, kept: Mapping[str, Any]) -> Probed:
        """Vary the fields that are known to change shapes, numbers until one does.

        Of a third of the model types the others are varied once, but for what every config has.
        """
        for name in kept["shapes"]:
            tried = [self.changes(name, value) for value in self.values(name)]
            if isinstance(self.value(name), int) and any(self.differs(changes, {}) for changes in tried):
                continue
            effect = self.effect(tried)
            if isinstance(effect, str) and type(self.value(name)) is int:
                self.effect_in_pairs(name, kept["shapes"])
            elif effect is not True:  # it acts, or is taken, where a flag is flipped
                flags = [flag for flag in kept["shapes"] if isinstance(self.value(flag), bool)]
                for flag, changes in product(flags, tried):
                    self.vary({**self.changes(flag, not self.value(flag)), **changes})
        for changes, model_class in product(TOGETHER, self.classes):
            self.vary(changes, model_class)
        first, names = self.classes[0].__name__, {*self.names(), *NOT_VARIED}
        strange = names - {*kept["shapes"], *kept["no_shapes"], *kept["not_varied"]}
        own = kept["no_shapes"] if sum(map(ord, first)) % THIRD == 0 else ()
        others = [(name, self.changes(name, value)) for name in own for value in self.values(name)[:1]]
        changing = {name for name, changes in others if name not in GENERAL and self.differs(changes, {})}
        unbuilt = [Variation(each, first, self.listings[first]) for name, each in others if name in GENERAL]
        return Probed(
            tuple(name for name in names if name in {*kept["shapes"], *changing}),
            tuple(name for name in kept["no_shapes"] if name in names - changing),
            {**kept["not_varied"], **dict.fromkeys(strange, "the file does not know it")},
            self.base,
            self.listings,
            (*self.seen.values(), *unbuilt),
        )

    def listing(self, model_class: Any, changes: Mapping[str, Any]) -> Listing:
        """Build a model and list its tensors."""
        document = {name: value for name, value in {**self.base, **changes}.items() if value != ABSENT}
        config = self.config_class.from_dict(json.loads(json.dumps(document)))
        with torch.device("meta"):
            model = model_class(config)
        found = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
        parameters = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        held = model.state_dict()  # beside parameters, the buffers that are saved
        return found | {name: tuple(tensor.shape) for name, tensor in held.items() if name not in parameters}

    def vary(self, changes: Mapping[str, Any], model_class: Any = None) -> Variation:
        """Build what differs from the base, once."""
        model_class = model_class or self.classes[0]
        key = f"{model_class.__name__} {json.dumps(changes, sort_keys=True)}"
        if key not in self.seen:
            listing, refusal = None, ""
            try:
                listing = self.listing(model_class, changes)
            except Exception as error:  # noqa: BLE001  # whatever transformers raises of what it cannot build
                refusal = f"{type(error).__name__}: {' '.join(str(error).split())}"[:120]
            self.seen[key] = Variation(dict(changes), model_class.__name__, listing, refusal)
        return self.seen[key]

    def effect(self, tried: Sequence[Mapping[str, Any]]) -> bool | str:
        """Return whether one of some changes changes a listing; a text, where none but a field's absence was built."""
        found: list[Variation] = []
        for model_class in self.classes:
            # On another head a body is the same: of what changes none, a value and its opposite show what a head reads.
            found += [self.vary(changes, model_class) for changes in tried[: 2 if found else None]]
            built = [each for each in found if each.listing is not None]
            if any(each.listing != self.listings[each.class_name] for each in built):
                return True
        if any(ABSENT not in list(each.changes.values())[:1] for each in built):
            return False
        refusals = [each.refusal for each in found if each.refusal]
        return f"transformers refuses every value: {refusals[0]}" if refusals else "no other value is known"

    def effect_in_pairs(self, name: str, names: Sequence[str]) -> bool | None:
        """Return whether a size changes a listing together with another, beyond what the other does; None: refused."""
        effect = None
        halves = (lambda value: 2 * value, lambda value: value // 2)
        others = [
            other for other in names if other != name and type(self.value(other)) is int and self.value(other) > 1
        ]
        for other, first, second in product(others, halves, halves):
            changes = self.changes(other, second(self.value(other)))
            both = {**changes, **self.changes(name, first(self.value(name)))}
            if self.vary(both).listing is not None:
                effect = self.differs(both, {}) and self.differs(both, changes)
                if effect:
                    return True
        return effect

    def differs(self, changes: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
        """Return whether what is built of some changes is another listing than of others; what is refused is none."""
        one, other = self.vary(changes).listing, self.vary(others).listing
        return one is not None and one != other

    def changes(self, name: str, value: Any) -> dict[str, Any]:
        """Return what differs where a field has a value: its other names are absent, lists fit the layers."""
        target = self.aliases.get(name, name)
        alike = [target, *(alias for alias, of in self.aliases.items() if of == target)]
        found = {name: value} | {each: ABSENT for each in alike if each in self.base and each != name}
        if name == "num_hidden_layers" and isinstance(value, int):
            per_layer = {of: old for of, old in self.base.items() if isinstance(old, list) and len(old) == self.depth}
            found |= {of: list(islice(cycle(old), value)) for of, old in per_layer.items()}
        return found

    @property
    def depth(self) -> int:
        """The layers of the base."""
        return int(self.value("num_hidden_layers"))

    def value(self, name: str) -> Any:
        """Return what a field has in the base, or is there by default."""
        target = self.aliases.get(name, name)
        return self.base.get(target, getattr(self.config, target, None))

    def values(self, name: str) -> list[Any]:
        """Return the other values to try of a field: numbers by arithmetic, words and lists by what the code knows."""
        if name in VALUES:
            return VALUES[name]
        target, value = self.aliases.get(name, name), self.value(name)
        kind = self.declared.get(name, self.declared.get(target, "int | bool | None"))
        if isinstance(value, bool):
            found: list[Any] = [not value]
        elif isinstance(value, int):
            found = [2 * value, value + 1, 3 * value, 0] if value else [1, 2]
        elif isinstance(value, float):
            found = [2 * value or 0.5]
        elif isinstance(value, str):
            found = [word for word in self.words(target) if word != value]
        elif "list" in kind or isinstance(value, (list, tuple)):
            found = self.lists(target, kind, value)
        else:
            words = self.words(target)
            simple = (("bool", [True, False]), ("int", [14, 7]), ("float", [0.5]), ("str", words), ("Literal", words))
            found = [each for word, some in simple if re.search(rf"\b{word}\b", kind) for each in some]
        found += [None] if "None" in kind and value is not None else []
        return found + ([ABSENT] if target in self.base and target != "num_hidden_layers" else [])

    def lists(self, name: str, kind: str, value: Any) -> list[Any]:
        """Return lists: of numbers of layers, or with an entry a layer, of every kind that transformers knows."""
        if "float" in kind:
            return [[0.25, 0.5]]
        if "str" not in kind:
            return [[], [0], [0, 2]]
        words = [*self.words(name), *ALLOWED_LAYER_TYPES, *_LEGACY_LAYER_TYPE_REMAP]
        before = list(value or words[:1] * self.depth)[:-1]
        return [new for word in dict.fromkeys(words) if (new := [*before, word]) != value]

    def words(self, name: str) -> list[str]:
        """Return the words that a type or the code names for a field, every activation for an activation."""
        kind = self.declared.get(name, "")
        found = set(re.findall(r"'([^']*)'", kind)) if "Literal" in kind else set()
        for left, words in self.compared:
            found |= words if re.search(rf"\b{name}\b", left) else set()
        found |= activations() if f"ACT2FN[config.{name}]" in self.activating else set()
        return sorted(found) or ["other"]

    def _read_names(self) -> set[str]:
        """Return what the code reads or sets of a config, by `getattr` too, and what every config is given."""
        found: set[str] = set()
        for node in self.trees[1]:  # what a config sets of itself, it writes into its document
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and ast.unparse(node.value) == "self"
            ):
                found.add(node.attr)
        for node in (node for tree in self.trees for node in tree):
            if isinstance(node, ast.Attribute) and re.fullmatch(r"(self\.)?config", ast.unparse(node.value)):
                found.add(node.attr)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"kwargs.get", "kwargs.pop"}:
                found |= {str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant)}
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "hasattr"}:
                of, name = node.args[:2]
                if isinstance(name, ast.Constant) and re.fullmatch(r"(self\.)?config", ast.unparse(of)):
                    found.add(str(name.value))
        found = {name for name in found if not callable(getattr(self.config_class, name, None))}
        return {name for name in found | GIVEN if not name.startswith("_")}


def constants(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the texts that stand in some nodes."""
    found = (each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant))
    return {value for value in found if isinstance(value, str)}


@lru_cache
def activations() -> frozenset[str]:
    """Return all activations that have parameters, and two that have none."""
    return frozenset({"relu", "silu", *(name for name in ACT2FN if any(True for _ in ACT2FN[name].parameters()))})


def _given() -> set[str]:
    """Return what transformers takes for every config, and declares for none."""
    functions = (PreTrainedConfig.__post_init__, RotaryEmbeddingConfigMixin.convert_rope_params_to_dict)
    found = set()
    for node in (node for each in functions for node in ast.walk(ast.parse(dedent(inspect.getsource(each))))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"kwargs.get", "kwargs.pop"}:
            found |= {str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant)}
    return found


GIVEN = frozenset(name for name in _given() if not name.startswith("_"))
"""Fields of every config that are declared nowhere, such as num_labels."""

GENERAL = GIVEN | {field.name for field in dataclasses.fields(PreTrainedConfig)}
"""Fields of every config: they act alone or not at all, and are in no pair."""


@lru_cache
def probe(model_type: str, *, whole: bool = True) -> Probed:
    """Return what the fields of a model type change; what has two names is probed once.

    Args:
        model_type: one of `MODEL_TYPES`.
        whole: vary every field by all its values, and what acts in pairs; else by one that shows it the fields that the
            file says change shapes, and of others take the file's word, but for those of some model types.
    """
    if model_type in TRANSFORMERS_TYPE:
        return probe(TRANSFORMERS_TYPE[model_type], whole=whole)
    with quick():
        prober = Prober(model_type)
        return prober.run() if whole else prober.run_known(json.loads(kept(model_type)))


def main(words: Sequence[str] | None = None) -> int:
    """Probe, print a line for each model type, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe", description=__doc__)
    parser.add_argument("model_types", nargs="*", metavar="MODEL_TYPE", help="all, unless given")
    parser.add_argument("--write", action="store_true", help="write the files")
    asked = parser.parse_args(words)
    if strange := sorted(set(asked.model_types) - set(MODEL_TYPES)):
        parser.error(f"{', '.join(strange)}: not counted, which are {', '.join(MODEL_TYPES)}")
    code = 0
    for model_type in asked.model_types or MODEL_TYPES:
        found = probe(model_type)
        if asked.write:
            with open(path(model_type), "w", encoding="utf-8", newline="\n") as file:
                file.write(found.text())
        drifted = kept(model_type) != found.text()
        code |= drifted
        kinds = f"{len(found.shapes)} shapes, {len(found.no_shapes)} no_shapes, {len(found.not_varied)} not_varied"
        print(f"{model_type}: {kinds}; {len(found.variations)} variations{'; the file differs' if drifted else ''}")
    return code


if __name__ == "__main__":
    sys.exit(main())
