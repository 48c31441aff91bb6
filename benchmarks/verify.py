"""How fast `gpt2calc verify` is beside others, and how much memory it takes, in one run.

`python benchmarks/verify.py [--pairs 20] [--json]` writes gpt2-xl's released file at its real size, sparse, so that it
takes no room on most file systems, and serves it on loopback for those that read the hub alone. README.md says what
each row means. It asserts nothing: the exit code is 0 unless gpt2calc is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from speed import ENVIRONMENT, HEADERS, LINE, Row, command, installed, machine, measure, process, written

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("huggingface_hub", "safetensors", "hf-mem", "accelerate", "httpx2")
SIZES = {"gpt2": (12, 768, 12), "gpt2-xl": (48, 1600, 25)}
"""n_layer, n_embd and n_head."""

HEADER_READER = "import sys, huggingface_hub as h; h.parse_local_safetensors_file_metadata(sys.argv[1])"
"""huggingface_hub's reader, which gives names, dtypes and shapes, and the number of elements of each dtype."""

META = """
import sys, torch, transformers
config = transformers.GPT2Config.from_pretrained(sys.argv[1])
with torch.device("meta"):
    model = transformers.GPT2LMHeadModel(config)
print(sum(parameter.numel() for parameter in model.parameters()))
"""

PEAK = """
import sys
from gpt2calc.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    print([line.split()[1] for line in status if line.startswith("VmHWM")][0], file=sys.stderr)
sys.exit(code)
"""
"""Run the command line and tell the most memory it had, in KiB: what the kernel counted since this program began."""

MIB_APART = 10

MIXTURES = {"Qwen3-30B-A3B": 16, "DeepSeek-V3": 163}
"""Models whose files are verified by their headers, and in how many shards they are."""

QUANTIZED = "DeepSeek-R1"
"""As it is published: 91,991 tensors in 163 shards, a scale beside each matrix, and a layer beyond the model's."""

LISTED = """
import sys, time
from gpt2calc.checkpoints import folders
start = time.process_time()
found = len(folders.open_listing(sys.argv[1]).tensors)
spent = time.process_time() - start
with open("/proc/self/status") as status:
    print([line.split()[1] for line in status if line.startswith("VmHWM")][0], found, spent)
"""
"""Read an index with the headers of its shards, and tell the most memory, in KiB, the tensors, and the time of it."""

VERIFIED = """
import sys, time
import gpt2calc
start = time.process_time()
found = gpt2calc.verify(sys.argv[1])
spent = time.process_time() - start
elements = sum(part.elements for part in found.checked.holdings)
with open("/proc/self/status") as status:
    print([line.split()[1] for line in status if line.startswith("VmHWM")][0], elements if found else 0, spent)
"""
"""Verify the same, and tell the most memory, the elements of what matches, and the time of it."""

MOST_LISTED_MIB = 300


def write_replicas(folder: str) -> None:
    """Write the released files of gpt2 and gpt2-xl, sparse, each beside its config.json."""
    sys.path.insert(0, os.path.dirname(HERE))  # a script's own folder is on the path, and not the one above
    makers = import_module("tests.makers.safetensors")
    for name, (n_layer, n_embd, n_head) in SIZES.items():
        os.mkdir(os.path.join(folder, name))
        makers.write(os.path.join(folder, name, "model.safetensors"), makers.released(n_layer, n_embd))
        fields = {"n_layer": n_layer, "n_embd": n_embd, "n_head": n_head}
        document = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **fields}
        with open(os.path.join(folder, name, "config.json"), "w", encoding="utf-8") as file:
            json.dump(document, file)


def hub(folder: str) -> Any:
    """Return a hub on loopback that has the replica of gpt2-xl."""
    server = import_module("tests.hub_server")
    files = {name: os.path.join(folder, "gpt2-xl", name) for name in ("model.safetensors", "config.json")}
    with open(files["config.json"], "rb") as file:
        config = file.read()
    large = frozenset(("model.safetensors",))
    found = server.HubServer({"openai-community/gpt2-xl": server.Repo({**files, "config.json": config}, large=large)})
    found.change("api", with_config)
    return found


def with_config(reply: Any) -> None:
    """Let the hub say what accelerate asks of it and the tests' hub leaves out: that a repository has a config."""
    document = json.loads(reply.source)
    if isinstance(document, dict):
        reply.source = json.dumps({**document, "config": {"model_type": "gpt2"}}).encode()


def rows(folder: str, url: str) -> Iterator[Row]:
    """Yield what is compared."""
    xl = os.path.join(folder, "gpt2-xl")
    file, ours = os.path.join(xl, "model.safetensors"), command("gpt2calc")
    verify, python = process(*ours, "verify", xl), (sys.executable, "-c")
    repository = process(*ours, "verify", "openai-community/gpt2-xl", "--hub")
    hf_mem = process(sys.executable, os.path.join(HERE, "hf_mem_on_loopback.py"), url, "openai-community/gpt2-xl")
    estimate = (*command("accelerate"), "estimate-memory", "openai-community/gpt2-xl", "--library_name", "transformers")

    def row(name: str, needs: tuple[str, ...], target: float | None, a: Any, b: Any) -> Row:
        return Row(name, needs, target, lambda: (a, b))

    yield row("1 verify xl / count gpt2-xl", (), 2, verify, process(*ours, "count", "gpt2-xl"))
    reader = process(*python, HEADER_READER, file)
    yield row("2 verify xl / huggingface_hub's header reader", ("huggingface_hub",), 0.3, verify, reader)
    yield row("3 verify xl / hf-mem gpt2-xl", ("hf-mem",), 1, verify, hf_mem)
    yield row("- verify owner/gpt2-xl / hf-mem gpt2-xl", ("hf-mem", "huggingface_hub"), None, repository, hf_mem)
    torch = ("torch", "transformers")
    yield row("4 verify xl / build gpt2-xl on meta", torch, 1 / 50, verify, process(*python, META, xl))
    yield row("5 verify xl / accelerate estimate-memory", (*torch, "accelerate"), 1 / 50, verify, process(*estimate))


def peaks(folder: str) -> dict[str, float]:
    """Return the most memory that verifying each replica takes, in MiB, and counting gpt2-xl."""
    found = {f"verify {name}": peak("verify", os.path.join(folder, name)) for name in SIZES}
    return {**found, "count gpt2-xl": peak("count", "gpt2-xl")}


def peak(*words: str) -> float:
    """Return the most memory that a command takes, in MiB."""
    run = (sys.executable, "-c", PEAK, *words)
    child = subprocess.run(run, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return int(child.stderr.split()[-1]) / 1024


def write_mixtures(folder: str) -> None:
    """Write the files of mixtures of experts as they are published, each shard a header and a hole."""
    shards = import_module("tests.makers.shards")
    for name, count in {**MIXTURES, QUANTIZED: MIXTURES["DeepSeek-V3"]}.items():
        document, tensors = shards.published(name)
        where = Path(folder, name)
        shards.write(where, shards.split(tensors, count))
        (where / "config.json").write_text(json.dumps(document), encoding="utf-8")


def said_of_mixtures(folder: str) -> Iterator[str]:
    """Verify mixtures of experts, and list the one with the most tensors beside `json.loads` of the same bytes."""
    write_mixtures(folder)
    for name in MIXTURES:
        start = time.perf_counter()
        verdict = subprocess.run(
            (*command("gpt2calc"), "verify", "-q", os.path.join(folder, name)),
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        yield f"- {time.perf_counter() - start:.2f} s: {verdict.replace(folder + os.sep, '')}"
    where = os.path.join(folder, QUANTIZED)
    documents = []
    for name in sorted(os.listdir(where)):
        with open(os.path.join(where, name), "rb") as file:
            if name.endswith(".index.json"):
                documents.append(file.read())
            elif name.endswith(".safetensors"):
                documents.append(file.read(int.from_bytes(file.read(8), "little")))
    start = time.process_time()
    for document in documents:
        json.loads(document)
    loads = time.process_time() - start
    size, most = sum(map(len, documents)) / 1e6, 3 * loads + 1
    for number, program, what in (("7", LISTED, "tensors listed"), ("8", VERIFIED, "elements verified")):
        run = (sys.executable, "-c", program, where)
        ran = subprocess.run(run, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        kib, found, spent = ran.stdout.split()
        mib = int(kib) / 1024
        met = "met" if int(found) and float(spent) < most and mib < MOST_LISTED_MIB else "NOT MET"
        yield (
            f"{number} {int(found):,} {what} from {len(documents) - 1} shards, {size:.1f} MB of headers: "
            f"{float(spent):.2f} s and {mib:.0f} MiB; json.loads {loads:.2f} s; target 3 times that and 1 s, "
            f"{MOST_LISTED_MIB} MiB: {met}"
        )


def said_of_memory(found: dict[str, float]) -> str:
    """Write what memory was taken, and whether it grows with the file."""
    apart = abs(found["verify gpt2-xl"] - found["verify gpt2"])
    each = ", ".join(f"{name} {mib:.1f} MiB" for name, mib in found.items())
    met = "met" if apart <= MIB_APART else "NOT MET"
    return f"6 peak memory: {each}; the two files differ by {apart:.1f} MiB, target {MIB_APART}: {met}"


def main() -> int:
    """Measure every row, and print it."""
    parser = argparse.ArgumentParser(description="How fast gpt2calc verify is beside others, in one run.")
    parser.add_argument("--pairs", type=int, default=20, help="how often a and b take turns (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    about = machine() | {package: installed(package) or "not installed" for package in PACKAGES}
    found = []
    if not arguments.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()), LINE.format(*HEADERS).rstrip(), sep="\n\n")
    with TemporaryDirectory() as folder:
        write_replicas(folder)
        with hub(folder) as server:
            ENVIRONMENT.update({"HF_ENDPOINT": server.url, "HF_HOME": folder, "HF_HUB_DISABLE_TELEMETRY": "1"})
            for row in rows(folder, server.url):
                slow = row.target is not None and row.target < 0.1
                found.append(measure(row, max(2, arguments.pairs // (4 if slow else 1))))
                if not arguments.json:
                    print(written(found[-1]), flush=True)
        on_linux = os.path.exists("/proc/self/status")
        memory = peaks(folder) if on_linux else None
        mixtures = (
            list(said_of_mixtures(folder)) if on_linux else ["7 not measured, only Linux says what memory was taken"]
        )
    if arguments.json:
        print(json.dumps({"machine": about, "rows": found, "peak_mib": memory, "mixtures": mixtures}, indent=2))
    else:
        print(said_of_memory(memory) if memory else "6 peak memory: not measured, only Linux says what it was")
        print(*mixtures, sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
