"""How near the peak's closed form is to torch's allocator: `python benchmarks/cost_peak.py [--settings 40] [--json]`.

Small models of random shapes and settings are really trained for two steps on one thread. torch's profiler tells every
byte that its CPU allocator gives and takes back in the second; the highest sum is held against `gpt2calc.cost`, both
without the weights, the optimizer's state and the ids, which are there before. What is below a megabyte is drawn anew.
It asserts nothing: a ratio below 0.98 is marked.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.profiler import ProfilerActivity, profile
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

import gpt2calc
from gpt2calc.costs import kernels, moments

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST, LOWEST = 2**20, 0.98
OPTIMIZERS: dict[str, Callable[[list[Any]], Any]] = {
    "adamw": torch.optim.AdamW,
    "adamw_fused": lambda parameters: torch.optim.AdamW(parameters, fused=True),
    "adamw_amsgrad": lambda parameters: torch.optim.AdamW(parameters, amsgrad=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-3),
    "sgd_momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}


def drawn(draw: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a small model and how it is trained, in float32, which is what the peak covers."""
    heads = draw.choice([1, 2, 4, 8])
    width = heads * draw.choice([8, 16, 32])
    fields: dict[str, Any] = {"n_layer": draw.randint(1, 5), "n_embd": width, "n_head": heads, "n_positions": 128}
    fields |= {
        "vocab_size": draw.choice([50, 300, 2000, 9000]),
        "n_inner": draw.choice([4 * width, 4 * width, width, 37]),
    }
    dropouts = draw.choice([(0, 0, 0), (0.1, 0.1, 0.1), (0.1, 0, 0.1), (0, 0.1, 0)])
    fields |= dict(zip(("attn_pdrop", "resid_pdrop", "embd_pdrop"), dropouts, strict=True))
    fields |= {"activation_function": draw.choice(list(kernels.KEPT_BY_ACTIVATION))}
    fields |= {"tie_word_embeddings": draw.random() < 0.7}
    words: dict[str, Any] = {"batch": draw.choice([1, 2, 4, 8]), "seq": draw.choice([16, 32, 64, 128])}
    words |= {"attention": draw.choice(kernels.ATTENTIONS), "optimizer": draw.choice(list(moments.STEP_TENSORS))}
    words["checkpoint"] = draw.choice(["none", "none", "torch", "reentrant"])
    return fields, words


def measured(fields: dict[str, Any], words: dict[str, Any]) -> int:
    """Return the highest sum of bytes that torch's CPU allocator has given in a training step after the first."""
    config = GPT2Config(**fields, bos_token_id=0, eos_token_id=None)
    built: Any = GPT2LMHeadModel
    model = built._from_config(config, attn_implementation=words["attention"]).train()  # noqa: SLF001
    if words["checkpoint"] != "none":
        how = {"use_reentrant": words["checkpoint"] == "reentrant"}
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=how)
    optimizer = OPTIMIZERS[words["optimizer"]](list(model.parameters()))
    ids = torch.zeros(words["batch"], words["seq"], dtype=torch.long)

    def step() -> None:
        loss = model(ids, labels=ids, use_cache=False).loss
        loss.backward()
        optimizer.step()
        model.zero_grad(set_to_none=True)

    step()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiled.export_chrome_trace(str(path))
        trace = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    events = [each for each in trace if each.get("name") == "[memory]"]
    now = highest = 0
    for event in sorted(events, key=lambda each: each["ts"]):
        now += event["args"]["Bytes"]
        highest = max(highest, now)
    return highest


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=int, default=40)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)
    draw, found = random.Random(asked.seed), list[dict[str, Any]]()
    while len(found) < asked.settings:
        fields, words = drawn(draw)
        cost = gpt2calc.cost(**fields, train=True, **words)
        assert cost.peak_moment is not None  # all that is drawn is covered
        computed = cost.peak_moment.bytes - 8 * words["batch"] * words["seq"]
        if computed < LEAST:
            continue
        theirs = measured(fields, words)
        found.append({"computed": computed, "measured": theirs, "ratio": computed / theirs})
        found[-1] |= {"at": cost.peak_moment.name, **fields, **words}
        if not asked.json:
            low = "  BELOW" if found[-1]["ratio"] < LOWEST else ""
            said = ", ".join(str(each) for each in (*fields.values(), *words.values()))
            print(
                f"{computed:>13,}{theirs:>13,}{computed / theirs:>9.4f}{low}  {cost.peak_moment.name}: {said}",
                flush=True,
            )
    ratios = sorted(each["ratio"] for each in found)
    if asked.json:
        print(json.dumps({"torch": torch.__version__, "settings": found}, indent=2))
    else:
        below = sum(ratio < LOWEST for ratio in ratios)
        spread = f"from {ratios[0]:.4f} to {ratios[-1]:.4f}"
        print(f"{len(ratios)} settings, computed / measured {spread}, {below} below {LOWEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
