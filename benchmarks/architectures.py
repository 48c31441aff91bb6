"""Who counts published configs exactly, refuses them, or is wrong: `python benchmarks/architectures.py [--json]`.

Every tool that is installed is given the same config.json documents in one run, each with all fields that transformers
writes, since some tools guess otherwise what a document leaves out. The truth is what transformers builds from it on
the meta device, sum(numel()) over its parameters, as tests/data/architectures.jsonl has it. It asserts nothing; a tool
that is not installed says so in one line.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from rivals import EXACT, REFUSED, WRONG, Tool, answers, is_json, written

CONFIGS = Path(__file__).parent.parent / "tests" / "data" / "architectures.jsonl"
MORE = ("gpt2-medium", "gpt2-large", "gpt2-xl")


def ours(document: dict[str, Any]) -> int:
    """Count with gpt2calc."""
    return int(import_module("gpt2calc").count(document).total)


def llm_flops(document: dict[str, Any]) -> int:
    """Count with llm-flops, by what it makes of a config.json of the hub."""
    config = import_module("llmflops.registry")._map_hf_config("a/model", document)  # noqa: SLF001  # it asks the hub
    return int(import_module("llmflops.memory").parameter_count(config).total)


def llmviz(document: dict[str, Any]) -> int:
    """Count with llmviz."""
    return int(import_module("llmviz.spec").parse_config(document).total_params)


def vramcalc(document: dict[str, Any]) -> int:
    """Count with vramcalc."""
    return int(import_module("vramcalc.arch").Arch.from_config(document).param_count())


TOOLS = {
    "gpt2calc": Tool("gpt2calc", ours),
    "llm-flops": Tool("llm-flops", llm_flops),
    "llmviz": Tool("llmviz", llmviz),
    "vramcalc": Tool("vramcalc", vramcalc),
}


def documents() -> dict[str, tuple[dict[str, Any], int]]:
    """Return the configs by name, each with what transformers builds from it."""
    rows = map(json.loads, CONFIGS.read_text(encoding="utf-8").splitlines())
    found = {row["name"]: (row["config"], row["total"]) for row in rows}
    presets = import_module("gpt2calc.presets")
    for name in MORE:
        preset = presets.load(name)
        fields = {key: value for key, value in preset.fields.items() if key != "head"}
        total = {"gpt2-medium": 354_823_168, "gpt2-large": 774_030_080, "gpt2-xl": 1_557_611_200}[name]
        found[name] = ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **fields}, total)
    return found


def main() -> None:
    """Print how many each tool counts exactly, refuses and gets wrong, and what no other counts."""
    in_json = is_json(__doc__)
    configs = {name: ((written(document),), total) for name, (document, total) in documents().items()}
    found = answers(TOOLS, configs, lambda number, total: EXACT if number == total else WRONG)
    if in_json:
        print(json.dumps(found, indent=2))
        return
    print(f"{len(configs)} published configs: what each tool's total is beside the module that transformers builds\n")
    print(f"{'':22}{EXACT:>8}{REFUSED:>9}{WRONG:>7}")
    for name, answer in found.items():
        number = Counter(verdict for verdict, _ in answer.values())
        print(f"{name:22}{number[EXACT]:>8}{number[REFUSED]:>9}{number[WRONG]:>7}")
    mine, *others = found.values()
    alone = [
        config
        for config, (verdict, _) in mine.items()
        if verdict == EXACT and all(each[config][0] != EXACT for each in others)
    ]
    print(f"\nexact by gpt2calc alone: {len(alone)}\n  " + "\n  ".join(alone))
    missing = [config for config, (verdict, _) in mine.items() if verdict != EXACT]
    print(f"\nnot exact by gpt2calc: {len(missing)}\n  " + "\n  ".join(f"{each}: {mine[each][0]}" for each in missing))


if __name__ == "__main__":
    main()
