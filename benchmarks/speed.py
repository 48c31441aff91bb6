"""How fast gpt2calc is beside others, in one run: `python benchmarks/speed.py [--pairs 20] [--json]`.

Ours and theirs take turns, A B A B, after a warm-up, and a ratio is the median over the pairs, of the time that the
processor works, user and system, which other work on the machine changes least. It prints whether a target is met and
asserts nothing: the exit code is 0 unless gpt2calc is not there. README.md says what each row means.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import sysconfig
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle
from statistics import median, quantiles
from time import perf_counter, process_time
from timeit import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Sampler = Callable[[], float]

XL = {"n_layer": 48, "n_embd": 1600, "n_head": 25, "n_positions": 1024, "vocab_size": 50257}
PACKAGES = ("gpt2calc", "pydantic", "llm-flops", "torch", "transformers", "sympy")
ONE_MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "one_pydantic_model.py")

ROOT = os.path.dirname(os.path.dirname(ONE_MODEL))
RELEASED = "ec49dff7d1dbe5c9673655505c4a476cfaf68cba"
"""The commit of 0.3.0, of which the oracle of the tests builds and keeps the package."""

AS_INSTALLED = "import re, sys; from gpt2calc.__main__ import run; sys.exit(run())"
"""What the script of pip's that is called gpt2calc does, of whichever package is on PYTHONPATH."""

# Children run as a user's processes do, with bytecode cached, and import what is installed, not what is in this folder.
ENVIRONMENT = {name: text for name, text in os.environ.items() if name[:6] != "PYTHON" or name == "PYTHONPATH"}
ENVIRONMENT["PYTHONSAFEPATH"] = "1"

LINE = "{:44}{:>10}{:>10}{:>10}{:>10}{:>9}{:>16}{:>9}  {}"
HEADERS = ("a / b", "a median", "a min", "b median", "b min", "a / b", "quartiles", "target", "")


class Row(NamedTuple):
    """What is compared, a over b; a / b should be at most `target`. `prepare` returns the two samplers, in seconds."""

    name: str
    needs: tuple[str, ...]
    target: float | None
    prepare: Callable[[], tuple[Sampler, Sampler]]


def of_children() -> float:
    """Return for how many seconds the processor has worked for the processes that this one started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def process(*words: str, clock: Callable[[], float] = perf_counter, path: str | None = None) -> Sampler:
    """Time a whole process, from its start to its end. Without close_fds, subprocess starts it with posix_spawn.

    Args:
        words: the command.
        clock: what is read before and after; `of_children` for the time that the processor works.
        path: the folder that modules are looked for in first.
    """
    nowhere = subprocess.DEVNULL
    environment = ENVIRONMENT if path is None else {**ENVIRONMENT, "PYTHONPATH": path}

    def sample() -> float:
        start = clock()
        child = subprocess.Popen(words, env=environment, stdin=nowhere, stdout=nowhere, stderr=nowhere, close_fds=False)
        code = child.wait()
        seconds = clock() - start
        if code:
            raise RuntimeError(f"{' '.join(map(os.path.basename, words))} ends with exit code {code}")
        return seconds

    return sample


def calls(statement: str, **names: Any) -> Sampler:
    """Time a statement in this process, as the mean over as many turns as take a fiftieth of a second."""
    timer = Timer(statement, timer=process_time, globals=names)
    timer.timeit(3)  # the second call compiles what the later ones use
    number = max(1, int(0.02 / timer.timeit(1)))
    return lambda: timer.timeit(number) / number


def measure(row: Row, pairs: int) -> dict[str, Any]:
    """Let a and b take turns; a row that cannot be measured says why."""
    found: dict[str, Any] = {"name": row.name, "target": row.target}
    missing = [name for name in row.needs if installed(name) is None]
    if missing:
        return {**found, "not_measured": f"not installed: {', '.join(missing)}"}
    try:
        a, b = row.prepare()
        samples = [(a(), b()) for _ in range(pairs + 3)][3:]  # three pairs to warm up, which also caches bytecode
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever goes wrong in one row, the others are still measured
        return {**found, "not_measured": f"{type(error).__name__}: {error}"}
    for name, seconds in zip("ab", zip(*samples, strict=True), strict=True):
        found[name] = {"median": median(seconds), "min": min(seconds)}
    low, ratio, high = quantiles((x / y for x, y in samples), n=4, method="inclusive")
    met = None if row.target is None else ratio <= row.target
    return {**found, "pairs": pairs, "ratio": ratio, "quartiles": [low, high], "met": met}


def installed(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def command(name: str) -> tuple[str, ...]:
    """Return the command of this environment, or `python -m` where gpt2calc is on PYTHONPATH and not installed."""
    script = os.path.join(sysconfig.get_path("scripts"), name)
    return (script,) if os.path.exists(script) else (sys.executable, "-m", name)


def processes() -> Iterator[Row]:
    """Yield the rows that compare whole processes."""

    def row(name: str, needs: tuple[str, ...], target: float | None, a: Sampler, b: Sampler) -> Row:
        return Row(name, needs, target, lambda: (a, b))

    def used(*words: str) -> Sampler:
        return process(*words, clock=of_children)

    count, python = (*command("gpt2calc"), "count"), (sys.executable, "-c")
    rival, needs = used(*command("llm-flops"), "gpt2-xl", "--no-hf", "-g", "none", "--json"), ("llm-flops",)
    yield row("1 count gpt2-xl --json / llm-flops gpt2-xl", needs, 0.8, used(*count, "gpt2-xl", "--json"), rival)
    yield row("1 count gpt2-xl / llm-flops gpt2-xl", needs, 0.8, used(*count, "gpt2-xl"), rival)
    llama = used(*count, os.path.join(os.path.dirname(ONE_MODEL), "llama_config.json"))
    yield row("1 count llama_config.json / llm-flops gpt2-xl", needs, 0.65, llama, rival)
    flagged, filled = used(*count, "--n-layer", "24", "--n-embd", "1024"), used(sys.executable, ONE_MODEL)
    yield row("2 count --n-layer --n-embd / llm-flops gpt2-xl", needs, 0.6, flagged, rival)
    nothing = used(*python, "pass")
    yield Row("2 count gpt2-xl / count gpt2-xl of 0.3.0", (), 1.05, beside_released)
    yield row("3 import gpt2calc / pass", (), 1.5, used(*python, "import gpt2calc"), nothing)
    for module in ("argparse", "pydantic", "sympy", "transformers"):
        wanted = (module,) if module in PACKAGES else ()
        yield row(f"- import {module} / pass", wanted, None, used(*python, f"import {module}"), nothing)
    yield row("- one pydantic model / pass", ("pydantic",), None, filled, nothing)


def beside_released() -> tuple[Sampler, Sampler]:
    """Compare with the release before the house was redrawn, each package by the same script and on the same path."""
    sys.path.insert(0, ROOT)
    frozen = import_module("tests.oracle.frozen")
    words = (sys.executable, "-c", AS_INSTALLED, "count", "gpt2-xl")
    ours = os.path.dirname(os.path.dirname(os.path.abspath(str(import_module("gpt2calc").__file__))))
    theirs = str(frozen.installed(RELEASED, frozen.default_cache()))
    return process(*words, clock=of_children, path=ours), process(*words, clock=of_children, path=theirs)


def calls_in_process() -> Iterator[Row]:
    """Yield the rows that compare calls in this process, all of them on gpt2-xl."""
    for number, result, target in (("4", "total", 1.0), *(("-", name, None) for name in ("groups", "components"))):
        ours = f"count(config).{result}"
        yield Row(f"{number} {ours} / parameter_count", ("llm-flops",), target, partial(beside_llm_flops, ours))
    yield Row("4 count(**sizes).total / a config, counted", ("llm-flops",), 0.5, config_beside_llm_flops)
    needs = ("torch", "transformers")
    yield Row("5 count(dict).total / build on meta", needs, 1 / 5000, partial(beside_meta, "count(sizes).total"))
    yield Row("- count(config.json).total / build on meta", needs, None, partial(beside_meta, "count(document).total"))


def beside_llm_flops(ours: str) -> tuple[Sampler, Sampler]:
    """Compare with llm-flops' count, each from a config that was made and checked before."""
    gpt2calc, rival = import_module("gpt2calc"), import_module("llmflops.memory").parameter_count
    theirs = import_module("llmflops").get_config("gpt2-xl", allow_hf_fetch=False)
    a = calls(ours, count=gpt2calc.count, config=gpt2calc.Config(**XL))
    return a, calls("parameter_count(config).total", parameter_count=rival, config=theirs)


def config_beside_llm_flops() -> tuple[Sampler, Sampler]:
    """Compare with llm-flops' count where both make the config in the call, of other sizes each, and ours checks it."""
    count, rival = import_module("gpt2calc").count, import_module("llmflops")
    theirs = rival.get_config("gpt2-xl", allow_hf_fetch=False)
    given = {name: value for name, value in vars(theirs).items() if value != getattr(type(theirs), name, None)}
    ours = [{**XL, "n_layer": L, "n_embd": 64 * heads, "n_head": heads} for L in range(1, 97) for heads in (12, 16, 25)]
    wanted = [
        {
            **given,
            "num_layers": each["n_layer"],
            "hidden_size": each["n_embd"],
            "intermediate_size": 4 * each["n_embd"],
            **dict.fromkeys(("num_attention_heads", "num_key_value_heads"), each["n_head"]),
        }
        for each in ours
    ]
    names = {"config": rival.ModelConfig, "parameter_count": import_module("llmflops.memory").parameter_count}
    for our, their in zip(ours, wanted, strict=True):  # what is timed is one count of one model
        assert count(**our).total == names["parameter_count"](names["config"](**their)).total
    b = calls("parameter_count(config(**given())).total", given=cycle(wanted).__next__, **names)
    return calls("count(**sizes()).total", count=count, sizes=cycle(ours).__next__), b


def beside_meta(ours: str) -> tuple[Sampler, Sampler]:
    """Compare with transformers' model, built from the same sizes on torch's meta device, which stores no numbers."""
    count, torch, transformers = import_module("gpt2calc").count, import_module("torch"), import_module("transformers")

    def built() -> int:
        with torch.device("meta"):
            model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**XL))
        return sum(parameter.numel() for parameter in model.parameters())

    document = transformers.GPT2Config(**XL).to_dict()
    return calls(ours, count=count, sizes=XL, document=document), calls("built()", built=built)


def machine() -> dict[str, Any]:
    """Say what the run was made on."""
    about = {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 2), "system": platform.system()}
    about |= {"machine": platform.machine(), "python": platform.python_version()}
    return about | {package: installed(package) or "not installed" for package in PACKAGES}


def duration(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"


def factor(ratio: float) -> str:
    """Write a ratio as a decimal, and a very small one as a fraction."""
    return f"1/{1 / ratio:,.0f}" if ratio < 0.01 else f"{ratio:.3f}"


def written(found: dict[str, Any]) -> str:
    """Write what came of one row."""
    if "not_measured" in found:
        return f"{found['name']:44}  not measured, {found['not_measured']}"
    times = (duration(found[side][key]) for side in "ab" for key in ("median", "min"))
    spread = " ".join(map(factor, found["quartiles"]))
    target = ("", "") if found["target"] is None else (factor(found["target"]), "met" if found["met"] else "NOT MET")
    return LINE.format(found["name"], *times, factor(found["ratio"]), spread, *target).rstrip()


def main() -> int:
    """Measure every row, and print it; a row without a target takes a quarter of the pairs."""
    parser = argparse.ArgumentParser(description="How fast gpt2calc is beside others, in one run.")
    parser.add_argument("--pairs", type=int, default=20, help="how often a and b take turns (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        import_module("gpt2calc.api.counting")
    except ImportError as error:
        print(f"gpt2calc cannot be imported: {error}", file=sys.stderr)
        return 1
    about, rows = machine(), []
    if not arguments.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()), LINE.format(*HEADERS).rstrip(), sep="\n\n")
    for row in (*processes(), *calls_in_process()):
        rows.append(measure(row, max(2, arguments.pairs // (4 if row.target is None else 1))))
        if not arguments.json:
            print(written(rows[-1]), flush=True)
    if arguments.json:
        print(json.dumps({"machine": about, "rows": rows}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
