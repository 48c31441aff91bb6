"""The FLOPs of every architecture without a scan, against torch's counter in small modules on meta.

On meta there are no values, so that experts run by the implementation whose products need none.
"""

from __future__ import annotations

from inspect import signature
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache

import gpt2calc
from gpt2calc.architectures import reading
from gpt2calc.costs import products
from gpt2calc.costs.run import Run
from tests.architectures.drawing import EXAMPLES, THOROUGH, configs, windowed
from tests.architectures.modules import MODEL_TYPES, built, quick
from tests.measuring import unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

SCANNING = {
    *("bamba", "falcon_h1", "falcon_mamba", "jamba", "mamba", "mamba2", "nemotron_h", "recurrent_gemma"),
    *("qwen3_5_moe_text", "qwen3_5_text", "qwen3_next"),
}
"""Those of which every model that anyone releases has layers that scan."""

TRAINED = Run(2, 7, 0, 7)
PASSED = (Run(1, 3, 9, 1), Run(2, 1, 5, 1), Run(3, 8, 0, 8))
"""What passes in training, and forward: behind a cache that is longer than some windows, one token alone, and none."""


def drawn(model_type: str, examples: int) -> Iterator[dict[str, Any]]:
    """Yield small configs with windows and without, of those that transformers runs, and not only builds."""
    for n, document in islice(enumerate(configs(model_type, examples)), 1, None):
        if model_type == "helium":
            document["head_dim"] = document["hidden_size"] // document["num_attention_heads"]
        if model_type in ("deepseek_v3", "kimi_k2"):
            document.pop("head_dim", None)
        if model_type == "persimmon" and document["hidden_size"] == 2 * document["num_attention_heads"]:
            continue  # half of a head turns, and of one channel transformers makes two
        if model_type == "granitemoehybrid":
            document.pop("layers_block_type", None)
            document["layer_types"] = ["attention"] * document["num_hidden_layers"]
        yield {**windowed(model_type, document, n), "attn_implementation": "eager"}


@unmeasured
def counted(module: Any, run: Run, *, trains: bool) -> int:
    """Return the FLOPs that torch counts of a pass, or of a step of training."""
    words = dict[str, Any]()
    if caches_in(module):
        words |= {"use_cache": True, "past_key_values": DynamicCache(config=module.config)}
    else:
        words |= {"attention_mask": torch.ones(run.batch, run.tokens, device="meta")}
    ids = torch.zeros(run.batch, run.past + run.tokens, dtype=torch.long, device="meta")
    with quick(), torch.set_grad_enabled(trains):
        module.train(trains)
        if run.past:
            module(ids[:, : run.past], **words)
        words |= {"logits_to_keep": run.logits} if run.logits < run.tokens else {}
        with FlopCounterMode(display=False) as counter:
            out = module(ids[:, run.past :], **words)
            if trains:
                out[0].sum().backward()
    return int(counter.get_total_flops())


def depth(document: dict[str, Any]) -> int:
    """Return how many layers a model has."""
    return sum(run.length for stack in reading.read(document).model.stacks for run in stack.runs)


def caches_in(module: Any) -> bool:
    """Whether a module takes a cache."""
    return "past_key_values" in signature(module.forward).parameters


def grouped(document: dict[str, Any], rows: tuple[products.Product, ...]) -> int:
    """Return what torch's counter counts too much: a convolution's weight, in backward, as if it had no groups."""
    return sum(row.forward * (document["hidden_size"] - 1) for row in rows if row.component in products.CONVOLVED)


def held(document: dict[str, Any], runs: tuple[Run, ...]) -> Iterator[tuple[Run, int, int]]:
    """Yield what passes of a model, where transformers runs it, its FLOPs by the laws, and those that torch counts."""
    model = reading.read(document).model
    with quick():
        module = built(document)
    module.config._experts_implementation = "batched_mm"  # whose products need no values
    keeps = model.lm_head and "logits_to_keep" in signature(module.forward).parameters
    for run in runs:
        if run.past and not caches_in(module):
            continue
        asked = run if keeps else run._replace(logits=run.tokens)
        try:
            found = counted(module, asked, trains=run is TRAINED)
        except (RuntimeError, ValueError, TypeError, AttributeError, NameError):  # it builds what it does not run
            continue
        rows = products.table(model, document, asked)
        law = products.training(rows) + grouped(document, rows) if run is TRAINED else products.total(rows)
        yield asked, law, found


@pytest.mark.parametrize("model_type", sorted({*MODEL_TYPES} - SCANNING), scope="session")
def test_flops_are_those_that_torch_counts(model_type: str) -> None:
    """Forward and training, of small random configs, to the last FLOP."""
    ran = 0
    documents = [*drawn(model_type, EXAMPLES + 4)]
    if not THOROUGH:  # those that run soonest, but with layers that can be of two kinds
        documents.sort(key=lambda document: (depth(document) < 2, depth(document)))
    for document in documents:
        if ran and not THOROUGH:
            break
        for run, law, found in held(document, (TRAINED, *(PASSED if THOROUGH else PASSED[len(model_type) % 3 :][:1]))):
            assert law == found, (document, run)
            ran += 1
    assert ran, f"no small {model_type} runs"


def forward(config: Any, run: Run) -> int:
    """Return the FLOPs of a pass by the laws."""
    counted = gpt2calc.count(config)
    return products.total(products.table(counted.model, counted.model.document(), run))


def test_a_token_of_a_mixture_passes_the_experts_that_are_chosen() -> None:
    """Of Mixtral's 8 experts 2: two FLOPs for each parameter that is active, the embedding and the norms apart."""
    counted = gpt2calc.count("Mixtral-8x7B")
    matrices = counted.conventions["active_without_embeddings"] - 65 * 4096
    assert forward("Mixtral-8x7B", Run(1, 1, 0, 1)) == 2 * matrices + 2 * 32 * 2 * 4096


def test_a_latent_is_expanded_of_all_tokens_again_at_every_step() -> None:
    """As transformers caches it; of DeepSeek-V3's 61 layers 512 · 128 · (128 + 128) for each cached token."""
    counted = gpt2calc.count("DeepSeek-V3")
    table = products.table(counted.model, {}, Run(1, 1, 999, 1))
    expanded = next(row for row in table if row.component == "self_attn.kv_b_proj")
    assert expanded.forward == 2 * 61 * 1000 * 512 * 128 * 256


def test_a_gemma_4_passes_the_last_token_alone_through_layers_that_take_keys_of_others() -> None:
    """Where no other token's logits are asked for; behind a cache, and without one."""
    words = {"num_hidden_layers": 3, "num_kv_shared_layers": 2, "layer_types": ["full_attention"] * 3}
    document = {"model_type": "gemma4_text", "architectures": ["Gemma4ForCausalLM"], "hidden_size": 48, **words}
    with quick():
        module = built({**document, "attn_implementation": "eager"})
    for run in (Run(2, 5, 0, 1), Run(1, 3, 4, 1), Run(1, 3, 4, 3)):
        rows = products.table(reading.read(document).model, document, run)
        assert products.total(rows) == counted(module, run, trains=False)


def test_a_phimoe_passes_its_only_expert_twice() -> None:
    """Since its router chooses two, whatever there is and the config says; a floor has it once."""
    words = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2}
    words |= {"intermediate_size": 24, "num_local_experts": 1, "vocab_size": 50}
    document = {"model_type": "phimoe", "architectures": ["PhimoeForCausalLM"], **words, "attn_implementation": "eager"}
    with quick():
        module = built(document)
    module.config._experts_implementation = "batched_mm"
    model, run = reading.read(document).model, Run(2, 5, 0, 5)
    assert products.total(products.table(model, document, run)) == counted(module, run, trains=False)
    least = {row.component: row.forward for row in products.table(model, document, run, products.LEAST)}
    assert least["experts.gate_proj"] == 2 * 10 * 16 * 24


@pytest.mark.parametrize("model_type", sorted(SCANNING))
def test_a_scan_is_refused_by_its_name(model_type: str) -> None:
    """Since it is no product of matrices."""
    document = {"model_type": model_type}
    with pytest.raises(gpt2calc.ConfigError, match=f"layers of this {model_type} are recurrent, and a scan is no prod"):
        products.table(reading.read(document).model, document, TRAINED)


NOT_SAID: dict[str, tuple[dict[str, Any], str]] = {
    "how many experts": ({"model_type": "deepseek_v2"}, "no field says how many experts: num_experts_per_tok must be"),
    "more experts than there are": (
        {"model_type": "mixtral", "num_local_experts": 2, "num_experts_per_tok": 3},
        "a token passes 3 of 2 experts",
    ),
    "a list of another length": (
        {"model_type": "hunyuan_v1_moe", "num_experts": 4, "moe_topk": [1], "head_dim": 8},
        "moe_topk must be from 1 to 4, of each of 32 layers, got",
    ),
}


@pytest.mark.parametrize("case", NOT_SAID)
def test_what_no_config_says_of_experts_is_refused(case: str) -> None:
    """In a sentence that names the field."""
    document, sentence = NOT_SAID[case]
    with pytest.raises(gpt2calc.ConfigError, match=sentence):
        products.table(reading.read(document).model, document, TRAINED)
