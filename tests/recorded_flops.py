"""The command `python -m tests.recorded_flops`: the laws of FLOPs on small configs of every model type without a scan.

A line of `tests/data/recorded_flops.jsonl` is what came of one model type: of so many random configs, how often one
passed forward, behind a cache and in training, as transformers runs it, and how many of these FLOPs were not those that
torch's counter finds. What is named is run again, and all else stays as it is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers

from tests.architectures.modules import MODEL_TYPES
from tests.architectures.test_products import PASSED, SCANNING, TRAINED, drawn, held

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = Path(__file__).parent / "data" / "recorded_flops.jsonl"
CONFIGS = 20
NAMES = sorted({*MODEL_TYPES} - SCANNING)


def of_type(model_type: str) -> dict[str, object]:
    """Return what the laws come to for a model type."""
    documents = [*drawn(model_type, CONFIGS)]
    each = [[law == found for _, law, found in held(document, (TRAINED, *PASSED))] for document in documents]
    passes = [is_same for one in each for is_same in one]
    return {
        "model_type": model_type,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "versions": [transformers.__version__, torch.__version__.partition("+")[0]],
        "configs": len(documents),
        "configs_that_run": sum(map(bool, each)),
        "passes": len(passes),
        "passes_differing": passes.count(False),
    }


def main(words: Sequence[str] | None = None) -> int:
    """Run what is named, add it to the record after each, and return 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded_flops", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MODEL_TYPE", help="all, unless given")
    lines = [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()] if PATH.exists() else []
    found = {line["model_type"]: line for line in lines}
    for name in parser.parse_args(words).names or NAMES:
        found[name] = of_type(name)
        PATH.write_text("".join(f"{json.dumps(found[each])}\n" for each in sorted(found)), encoding="utf-8")
        print(json.dumps(found[name]), flush=True)
    return int(any(line["passes_differing"] for line in found.values()))


if __name__ == "__main__":
    sys.exit(main())
