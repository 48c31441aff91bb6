"""The command `python -m tests.recorded`: the probe's laws on many configs of every model type, and what came of it.

1. Of 200 random configs of each model type, the names and shapes of all tensors and the total are those of the module
   that transformers builds on torch's `meta` device.
2. Of every field of its config class, alone and where it acts only in pairs, each value is counted as built, or is
   refused by the name of the field.
3. The default config of each causal language model that transformers can build is counted exactly, or refused.

A line of `tests/data/recorded.jsonl` is what came of one model type, or of one default; the first says when and with
which versions. What is named is run again, and all else stays as it is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

import gpt2calc
from gpt2calc import architectures
from gpt2calc.architectures import reading
from gpt2calc.errors import ConfigError
from tests import probe
from tests.architectures import drawing, test_probe
from tests.architectures.modules import built, quick

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PATH = Path(__file__).parent / "data" / "recorded.jsonl"
CONFIGS, SEED = 200, 16
EXACT, PART, REFUSED, WRONG, NOT_BUILT = "exact", "exact, of the language model alone", "refused", "wrong", "not built"
"""What comes of a default config; the last is transformers' own refusal."""


def gpt2s(count: int) -> Iterator[dict[str, Any]]:
    """Yield random configs of GPT-2, each class by turns."""
    classes = list(architectures.of(architectures.GPT2).classes)
    for n in range(count):
        draw = random.Random(f"{SEED} gpt2 {n}")
        heads = draw.randint(1, 6)
        yield {
            "model_type": "gpt2",
            "architectures": [classes[n % len(classes)]],
            "vocab_size": draw.randint(50, 90),
            "n_positions": draw.randint(1, 99),
            "n_embd": heads * draw.randint(1, 16),
            "n_head": heads,
            "n_layer": draw.randint(0, 5),
            "n_inner": draw.choice([None, draw.randint(1, 99)]),
            "tie_word_embeddings": draw.random() < 0.5,
            "add_cross_attention": draw.random() < 0.5,
            "num_labels": draw.randint(1, 9),
            "bos_token_id": 1,
            "eos_token_id": 1,
        }


def drawn(model_type: str) -> Iterable[dict[str, Any]]:
    """Return the random configs of a model type."""
    return gpt2s(CONFIGS) if model_type == architectures.GPT2 else drawing.configs(model_type, CONFIGS)


def difference(document: dict[str, Any]) -> str:
    """Return how a config is counted otherwise than transformers builds it, "" where it is not."""
    rows = test_probe.listed(document)
    listed = {row.name: tuple(row.shape) for row in rows}
    module = built(document)
    parameters = dict(module.named_parameters())
    held = module.state_dict()  # beside parameters, the buffers that files hold
    saved = {name: held[name] for name, _ in module.named_buffers() if name in held}
    found = {name: tuple(tensor.shape) for name, tensor in {**parameters, **saved}.items()}
    total = sum(parameter.numel() for parameter in parameters.values())
    counted = gpt2calc.count(document).total
    if counted != total:
        return f"{counted:,} counted, {total:,} built, of {json.dumps(document)}"
    differing = sorted(dict(listed.items() ^ found.items()))
    return f"{', '.join(differing[:3])} of {json.dumps(document)}" if differing or len(rows) != len(found) else ""


def of_type(model_type: str) -> dict[str, Any]:
    """Return what both laws come to for a model type."""
    with quick():
        differing = [said for document in drawn(model_type) if (said := difference(document))]
    found = probe.probe(model_type)
    judged = [
        (each, test_probe.fault(model_type, found, each)) for each in test_probe.counted_classes(model_type, found)
    ]
    explained = {name for of, name in test_probe.EXPLAINED if of == model_type}
    wrong = [
        said for each, said in judged if said not in (test_probe.COUNTED, "") and not explained & each.changes.keys()
    ]
    return {
        "model_type": model_type,
        "configs": CONFIGS,
        "configs_differing": len(differing),
        "fields": len(found.shapes) + len(found.no_shapes),
        "fields_that_change_shapes": len(found.shapes),
        "variations": len(judged),
        "variations_counted": sum(said == test_probe.COUNTED for _, said in judged),
        "variations_refused": sum(not said for _, said in judged),
        "variations_explained": len(judged) - len(wrong) - sum(said in (test_probe.COUNTED, "") for _, said in judged),
        "variations_differing": len(wrong),
        "said": [*differing, *wrong][:5],
    }


def of_default(model_type: str) -> dict[str, Any]:
    """Return what comes of the default config of a model type of transformers."""
    line: dict[str, Any] = {"default": model_type}
    try:
        with quick():
            config = transformers.CONFIG_MAPPING[model_type]()
            document = json.loads(json.dumps(config.to_dict(), default=str)) | {"model_type": model_type}
            with torch.device("meta"):
                automatic: Any = transformers.AutoModelForCausalLM
                module = automatic.from_config(config)
            module.tie_weights()
        total = sum(parameter.numel() for parameter in module.parameters())
    except Exception as error:  # noqa: BLE001  # whatever transformers raises of what it cannot build
        return {**line, "verdict": NOT_BUILT, "said": f"{type(error).__name__}: {' '.join(str(error).split())}"[:120]}
    try:
        if model_type == architectures.GPT2:
            return {**line, "verdict": EXACT if gpt2calc.count(document).total == total else WRONG, "built": total}
        read = reading.read(document)
    except ConfigError as error:
        return {**line, "verdict": REFUSED, "built": total, "said": str(error)[:120]}
    if read.is_part:
        with quick():
            module = built({name: value for name, value in document["text_config"].items() if name != "architectures"})
        total = sum(parameter.numel() for parameter in module.parameters())
    is_exact = read.model.total() == read.model.numel() == total
    line |= {"verdict": (PART if read.is_part else EXACT) if is_exact else WRONG, "built": total}
    return line if is_exact else {**line, "said": f"{read.model.total():,} counted"}


def read() -> list[dict[str, Any]]:
    """Return the lines of the record, the first with what it was made with."""
    return [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()] if PATH.exists() else []


def write(lines: Iterable[dict[str, Any]]) -> None:
    """Write the record, with each model type and each default once, in order."""
    first = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "transformers": transformers.__version__,
        "torch": torch.__version__.partition("+")[0],
        "python": platform.python_version(),
        "seed": SEED,
    }
    by_name = {(line.get("model_type", ""), line.get("default", "")): line for line in lines if "date" not in line}
    ordered = sorted(by_name.items(), key=lambda pair: (bool(pair[0][1]), pair[0]))
    text = "".join(json.dumps(line) + "\n" for line in (first, *(line for _, line in ordered)))
    PATH.write_text(text, encoding="utf-8", newline="\n")


def main(words: Sequence[str] | None = None) -> int:
    """Run what is named, add it to the record after each, and return 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MODEL_TYPE", help="all, and all defaults, unless given")
    parser.add_argument("--defaults", action="store_true", help="the default configs alone, of what is named or of all")
    asked = parser.parse_args(words)
    drawing.SEED = SEED
    types = [] if asked.defaults else asked.names or list(architectures.FILES)
    every = sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    defaults = [name for name in asked.names or every if name in every]
    for place, name in enumerate([*types, *defaults]):
        line = of_type(name) if place < len(types) else of_default(name)
        write([*read(), line])
        print(json.dumps(line), flush=True)
    differing = ("configs_differing", "variations_differing")
    return int(any(line.get("verdict") == WRONG or any(line.get(name) for name in differing) for line in read()))


if __name__ == "__main__":
    sys.exit(main())
