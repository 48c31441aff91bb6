"""Who says exactly what published models keep of the tokens before: `python benchmarks/serving.py [--json]`.

Every tool that is installed is given the same twenty config.json documents in one run, each with all fields that
transformers writes, and is asked for the bytes of one sequence of 10,000 tokens in bfloat16, of gpt2-xl of 1,024. The
truth is what the cache of the module held on the meta device, as tests/data/served.jsonl has it: of more tokens than
any window has, or, where so many were not run, a straight line through what fewer left. A number that is not this one,
but is that of another convention which gpt2calc names, is told apart. It asserts nothing; a tool that is not installed
says so in one line.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from rivals import EXACT, REFUSED, WRONG, Tool, answers, is_json, written

MEASURED = Path(__file__).parent.parent / "tests" / "data" / "served.jsonl"
OTHERWISE = "another convention"
TOKENS = 10_000
GIB = 2**30


def ours(document: dict[str, Any], tokens: int) -> float:
    """Ask gpt2calc."""
    return float(import_module("gpt2calc").serving(document, seq=tokens, dtype="bf16").kv_bytes)


def kvfit(document: dict[str, Any], tokens: int) -> float:
    """Ask kvfit."""
    estimate = import_module("kvfit.architectures").estimate_cache
    return float(estimate(document, context_tokens=tokens, kv_bytes=2.0).total_bytes)


def hf_mem(document: dict[str, Any], tokens: int) -> float:
    """Ask hf-mem, which looks for three fields first and counts nothing without them."""
    _ = [document[name] for name in ("hidden_size", "num_hidden_layers", "num_attention_heads")]
    count = import_module("hf_mem.safetensors.kv_cache").compute_safetensors_kv_cache_size
    return float(count(document, "BF16", tokens))


def llmviz(document: dict[str, Any], tokens: int) -> float:
    """Ask llmviz, which knows a token's bytes alone."""
    return float(import_module("llmviz.spec").parse_config(document).kv_cache_per_token_bytes * tokens)


def llm_flops(document: dict[str, Any], tokens: int) -> float:
    """Ask llm-flops, by what it makes of a config.json of the hub."""
    config = import_module("llmflops.registry")._map_hf_config("a/model", document)  # noqa: SLF001  # it asks the hub
    return float(import_module("llmflops.memory").kv_cache_bytes(config, 1, tokens, "bf16"))


def vramcalc(document: dict[str, Any], tokens: int) -> float:
    """Ask vramcalc."""
    arch = import_module("vramcalc.arch").Arch.from_config(document)
    return float(import_module("vramcalc.memory").kv_cache(arch, 1, tokens, 2))


def hf_vram_calc(document: dict[str, Any], tokens: int) -> float:
    """Ask hf-vram-calc, which reads a file and answers in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        config = import_module("hf_vram_calc.parser").ConfigParser.parse_config(str(path), "a/model")
    calculator = import_module("hf_vram_calc.calculator").VRAMCalculator
    asked = SimpleNamespace(get_dtype_size={"bf16": 2}.get)
    return float(calculator.calculate_kv_cache_memory(asked, config, "bf16", 1, tokens) * GIB)


def llm_resource_planner(document: dict[str, Any], tokens: int) -> float:
    """Ask llm-resource-planner, which always answers for 4,096 tokens, in GiB."""
    cli = import_module("llm_resource_planner.cli")
    parameters, layers, width = cli.calculate_params(SimpleNamespace(**document))
    return float(cli.estimate_memory(parameters, width, layers)[1] * GIB / 4096 * tokens)


TOOLS = {
    "gpt2calc": Tool("gpt2calc", ours),
    "kvfit": Tool("kvfit", kvfit),
    "hf-mem": Tool("hf-mem", hf_mem),
    "llmviz": Tool("llmviz", llmviz),
    "llm-flops": Tool("llm-flops", llm_flops),
    "vramcalc": Tool("vramcalc", vramcalc),
    "hf-vram-calc": Tool("hf-vram-calc", hf_vram_calc),
    "llm-resource-planner": Tool("llm-resource-planner", llm_resource_planner),
}
"""Those that read a config: llm-sizer and iaexplore-llm-profiler read none, and llm-mem-planner DeepSeek's alone."""


class Truth(NamedTuple):
    """What a cache held of so many tokens, and what it is by the other conventions, all in bytes."""

    tokens: int
    held: int
    otherwise: dict[str, int]


def truth(row: dict[str, Any]) -> Truth:
    """Return what was measured of a model, in bfloat16 but for the states of recurrences, which are in float32."""
    tokens = min(TOKENS, row["config"].get("n_positions", TOKENS))
    states = 2 * row["convolution"] + 4 * row["recurrence"]
    first, second, *longer = row["elements"]
    elements = longer[0] if longer and tokens == TOKENS else (second - first) // 16 * tokens
    served = import_module("gpt2calc").serving(row["config"], seq=tokens, dtype="bf16")
    ways = {name: held for name, held in served.conventions.items() if name != "transformers"}
    return Truth(tokens, 2 * elements + states, ways | ({"without states": 2 * elements} if states else {}))


def judged(number: float, true: Truth) -> str:
    """Return what a number of bytes is: exact, that of another convention, or wrong."""
    if number == true.held:
        return EXACT
    other = next((name for name, held in true.otherwise.items() if number == held), None)
    return WRONG if other is None else f"{OTHERWISE}: {other}"


def main() -> None:
    """Print how many each tool has exactly, by another convention, refuses and gets wrong, and by how much."""
    in_json = is_json(__doc__)
    rows = [json.loads(line) for line in MEASURED.read_text(encoding="utf-8").splitlines()]
    truths = {row["name"]: truth(row) for row in rows}
    models = {row["name"]: ((written(row["config"]), truths[row["name"]].tokens), truths[row["name"]]) for row in rows}
    answered = answers(TOOLS, models, judged)
    if in_json:
        print(json.dumps(answered, indent=2))
        return
    print(f"{len(models)} published configs: what each tool says one sequence keeps, beside transformers' cache\n")
    print(f"{'':27}{EXACT:>8}{OTHERWISE:>21}{REFUSED:>9}{WRONG:>7}  farthest")
    for name, answer in answered.items():
        found = Counter(verdict.partition(":")[0] for verdict, _ in answer.values())
        wrong = [
            (max(number, held) / max(1, min(number, held)), model)
            for model, (verdict, number) in answer.items()
            if verdict == WRONG and number is not None and (held := models[model][1].held)
        ]
        ratio, model = max(wrong, default=(0, ""))
        farthest = f"{ratio:.2f} times, {model}" if wrong else ""
        columns = f"{found[EXACT]:>8}{found[OTHERWISE]:>21}{found[REFUSED]:>9}{found[WRONG]:>7}"
        print(f"{name:27}{columns}  {farthest}".rstrip())
    print("\nwhat each says of each:")
    signs = {EXACT: "=", OTHERWISE: "~", REFUSED: "-", WRONG: "x"}
    for model in models:
        row = " ".join(signs[answer[model][0].partition(":")[0]] for answer in answered.values())
        print(f"{model:27}{row}")
    print("= exact, ~ another convention, - refused, x wrong, in the order of the tools above")


if __name__ == "__main__":
    main()
