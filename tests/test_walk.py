"""The walk of one `verify` that docs/architecture.md shows is the one that is gone: each step once, and none back."""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from tests.goods import X, plain
from tests.makers import safetensors

if TYPE_CHECKING:
    from types import FrameType

    from tests.conftest import Run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architecture.md"
STEPS = re.findall(r"^\d+\. `(\w+/\w+\.py)`, `(\w+)`: ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "tie_word_embeddings": True,
}


def walked(path: str, config: str, run: Run) -> list[tuple[str, str]]:
    """Return the calls of functions that are steps, in order, while a file is verified."""
    calls: list[tuple[str, str]] = []

    def seen(frame: FrameType, event: str, _: object) -> None:
        place = Path(frame.f_code.co_filename)
        step = (f"{place.parent.name}/{place.name}", frame.f_code.co_name)
        is_resumed = bool(frame.f_code.co_flags & inspect.CO_GENERATOR) and step in calls[-1:]
        if event == "call" and step in STEPS and not is_resumed:
            calls.append(step)

    sys.setprofile(seen)
    try:
        ran = run("verify", path, "--config", config)
    finally:
        sys.setprofile(None)
    assert ran.code == 0, ran.stderr
    return calls


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_each_step_is_gone_once_and_none_back(family: str, tmp_path: Path, run: Run) -> None:
    """Twelve of a GPT-2, and of another architecture the same but for what is asked of a GPT-2's shapes alone."""
    config: dict[str, Any] = X.config() if family == "gpt2" else LLAMA
    tensors = plain("bare").tensors if family == "gpt2" else [(t.name, "F32", t.shape) for t in gpt2calc.tensors(LLAMA)]
    safetensors.write(tmp_path / "model.safetensors", tensors)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    expected = [step for step in STEPS if family == "gpt2" or step[1] != "infer"]
    assert len(STEPS) == 12
    assert walked(str(tmp_path / "model.safetensors"), str(tmp_path / "config.json"), run) == expected
