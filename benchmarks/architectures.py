"""Who counts published configs exactly, refuses them, or is wrong: `python benchmarks/architectures.py [--json]`.

Every tool that is installed is given the same config.json documents in one run, each with all fields that transformers
writes, since some tools guess otherwise what a document leaves out. The truth is what transformers builds from it on
the meta device, sum(numel()) over its parameters, as tests/data/architectures.jsonl has it. It asserts nothing; a tool
that is not installed says so in one line.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from contextlib import redirect_stderr
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIGS = Path(__file__).parent.parent / "tests" / "data" / "architectures.jsonl"
MORE = ("gpt2-medium", "gpt2-large", "gpt2-xl")
EXACT, REFUSED, WRONG = "exact", "refused", "wrong"


class Tool(NamedTuple):
    """A program that counts, by the call that gives its total of a document; `ours` is what all others are beside."""

    package: str
    count: Callable[[dict[str, Any]], int]


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


def written(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with all its fields, as transformers writes it; as it is where there is no transformers."""
    try:
        mapping = import_module("transformers").CONFIG_MAPPING
    except ImportError:
        return document
    fields = {name: value for name, value in document.items() if name not in ("model_type", "architectures")}
    whole = mapping[document["model_type"]](**fields).to_dict()
    return {**json.loads(json.dumps(whole, default=str)), **document}


def judged(tool: Tool, document: dict[str, Any], total: int) -> tuple[str, int | None]:
    """Return what a tool makes of a document, and its number where it has one."""
    try:
        with redirect_stderr(StringIO()):
            number = tool.count(json.loads(json.dumps(document)))
    except (Exception, SystemExit):  # noqa: BLE001  # however it ends, it gives no number
        return REFUSED, None
    return (EXACT if number == total else WRONG), number


def main() -> None:
    """Print how many each tool counts exactly, refuses and gets wrong, and what no other counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print every answer")
    arguments = parser.parse_args()
    configs = {name: (written(document), total) for name, (document, total) in documents().items()}
    answers: dict[str, dict[str, tuple[str, int | None]]] = {}
    for name, tool in TOOLS.items():
        try:
            called = f"{name} {version(tool.package)}"
        except PackageNotFoundError:
            print(f"{name} is not installed")
            continue
        answers[called] = {config: judged(tool, *truth) for config, truth in configs.items()}
    if arguments.json:
        print(json.dumps(answers, indent=2))
        return
    print(f"{len(configs)} published configs: what each tool's total is beside the module that transformers builds\n")
    print(f"{'':22}{EXACT:>8}{REFUSED:>9}{WRONG:>7}")
    for name, answer in answers.items():
        found = Counter(verdict for verdict, _ in answer.values())
        print(f"{name:22}{found[EXACT]:>8}{found[REFUSED]:>9}{found[WRONG]:>7}")
    mine, *others = answers.values()
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
