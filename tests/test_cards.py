"""Cards: every number is exact and of what it says, a checkpoint's is of its files, and its metadata is the hub's."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
import yaml

import gpt2calc
from tests.makers import safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def cells(markdown: str) -> dict[str, list[str]]:
    """Return the rows of a card's tables, by their first cell."""
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in markdown.splitlines() if "|" in line]
    return {first.replace("\\_", "_"): rest for first, *rest in rows}


def test_a_card_of_gpt2_has_the_published_numbers() -> None:
    """124,439,808 and 163,037,184; 36,864 bytes of cache a token: 2·12·768 elements of two bytes."""
    rows = cells(gpt2calc.card("gpt2").markdown)
    assert rows["every parameter of the model"] == ["124,439,808"]
    assert rows["all but the token and position embeddings"] == ["85,056,000"]
    assert [number for row in rows.values() for number in row].count("163,037,184") == 1
    assert rows["fp32"] == ["497,759,232", "497.76 MB"]
    assert rows["KV cache of a token"] == ["36,864 bytes in bf16"]
    assert rows["context"] == ["1,024 tokens"]
    assert rows["cache and state of a sequence as long"] == [f"{36_864 * 1024:,} bytes in bf16"]


def test_a_card_of_deepseek_v3_says_671b_and_685b() -> None:
    """What transformers builds, what a token passes, and what the hub counts in its files."""
    rows = cells(gpt2calc.card("DeepSeek-V3").markdown)
    assert rows["every parameter of the model"] == ["671,026,404,352"]
    assert rows["what one token passes: the experts that are chosen for it, and all else once"] == ["37,552,282,624"]
    files = rows["its files, by the config: 684,531,386,000 elements in 91,991 tensors"]
    assert files == ["688,574,839,360", "688.57 GB"]


@pytest.mark.parametrize("model", ["gpt2", "Llama-3.1-8B", "Qwen3-30B-A3B"])
def test_the_numbers_of_a_card_are_those_of_the_calls(model: str) -> None:
    """What people compare models by: each is that of `count` and of `serving`."""
    markdown, count = gpt2calc.card(model).markdown, gpt2calc.count(model)
    wanted = [count.total, count.conventions["without_embeddings"], count.conventions["fp32_bytes"]]
    wanted += [count.conventions.get("active", count.total), gpt2calc.serving(model, dtype="bf16").kv_bytes_per_token]
    assert [number for number in wanted if f"{number:,}" not in markdown] == []


def test_a_card_of_a_mamba_has_its_state() -> None:
    """A recurrence keeps no cache of tokens."""
    rows = cells(gpt2calc.card({"model_type": "mamba", "hidden_size": 48}).markdown)
    assert rows["KV cache of a token"] == ["0 bytes in bf16"]
    expected = gpt2calc.serving({"model_type": "mamba", "hidden_size": 48}, dtype="bf16").state_bytes
    assert rows["state of a sequence, however long"] == [f"{expected:,} bytes"]


def test_a_card_of_a_checkpoint_has_what_its_files_hold_and_the_verdict(tmp_path: Path, run: Run) -> None:
    """Masks among it, which are no parameters; and it ends with 0, or with 1 where the files are not that."""
    safetensors.write(tmp_path / "model.safetensors", safetensors.released(1, 64))
    (tmp_path / "config.json").write_text(
        json.dumps(
            {"model_type": "gpt2", "n_layer": 1, "n_embd": 64, "n_head": 1, "n_positions": 1024, "vocab_size": 50257}
        )
    )
    found = gpt2calc.verify(tmp_path)
    ran = run("card", str(tmp_path))
    rows = cells(ran.stdout)
    assert ran.code == 0
    assert rows["parameters"][:3] == ["16", "3,332,096", "13,328,384"]
    assert rows["causal masks"][:3] == ["1", "1,048,576", "4,194,304"]
    assert rows["total"][:3] == ["17", "4,380,672", f"{(tmp_path / 'model.safetensors').stat().st_size:,}"]
    assert ran.stdout.endswith(f"says: {found.verdict}.\n")
    assert run("card", str(tmp_path), "--n-layer", "2").code == 1
    assert cells(run("card", str(tmp_path / "model.safetensors")).stdout) == rows


@pytest.mark.parametrize(
    "words",
    [
        ("gpt2",),
        ("gpt2", "--n-layer", "6", "--untied"),
        ("--n-layer", "6"),
        ("Qwen3-30B-A3B", "--num-experts", "64"),
    ],
)
def test_the_command_in_a_card_counts_what_the_card_says(words: tuple[str, ...], run: Run) -> None:
    """Whoever runs it sees the same total."""
    ran = run("card", *words)
    (line,) = re.findall(r"^`gpt2calc (.+)` \(gpt2calc", ran.stdout, re.MULTILINE)
    total = int(run(*shlex.split(line), "-q").stdout)
    assert cells(ran.stdout)["every parameter of the model"] == [f"{total:,}"]


@pytest.mark.parametrize(
    ("model", "task"),
    [
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "text-generation"),
        ({"model_type": "gpt2", "architectures": ["GPT2Model"]}, "feature-extraction"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]}, "text-classification"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForTokenClassification"]}, "token-classification"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForQuestionAnswering"]}, "question-answering"),
        ({"model_type": "gpt2", "architectures": ["GPT2DoubleHeadsModel"]}, None),
        ({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "text-generation"),
    ],
)
def test_the_metadata_is_yaml_that_the_hub_reads(model: dict[str, object], task: str | None) -> None:
    """The library, the architecture, and the task of the head; of a head without a task of the hub, none."""
    first, *_, last = lines = gpt2calc.card(model).metadata.splitlines()
    assert first == last == "---"
    read = yaml.safe_load("\n".join(lines[1:-1]))
    assert read.pop("pipeline_tag", None) == task
    assert read == {"library_name": "transformers", "tags": [model["model_type"]]}


def test_the_command_prints_metadata_where_it_is_asked_for(run: Run) -> None:
    """At the top, where the hub looks for it."""
    plain, with_metadata = run("card", "gpt2").stdout, run("card", "gpt2", "--yaml").stdout
    assert with_metadata == f"{gpt2calc.card('gpt2').metadata}\n\n{plain}"


def test_a_model_without_a_name_has_a_card_without_a_command() -> None:
    """Nobody could run it."""
    assert gpt2calc.card({"model_type": "gpt2"}).markdown.endswith(f"\nCounted by gpt2calc {gpt2calc.__version__}.")


def test_what_is_no_model_has_no_card(run: Run, tmp_path: Path) -> None:
    """As for `count`, and for `verify`."""
    assert run("card", "gpt7").code == 2
    (tmp_path / "model.safetensors").write_bytes(b"?")
    ran = run("card", str(tmp_path))
    assert (ran.code, ran.stdout) == (3, "")


def test_no_name_is_markup_in_a_card(tmp_path: Path, run: Run) -> None:
    """The command stands between backticks that the name of a folder does not close, and the verdict is words."""
    folder = tmp_path / "a `b` <img src=x> *c*"
    gpt2calc.write_example(str(folder))
    *_, last = run("card", str(folder)).stdout.splitlines()
    assert last.startswith(f"``gpt2calc verify '{folder}'``")
    assert "a \\`b\\` \\<img src=x\\> \\*c\\* matches" in last


def test_a_card_says_bytes_in_the_unit_of_the_first_line_of_count(run: Run) -> None:
    """2.68 TB, where GB would be thousands."""
    assert "| fp32 | 2,684,105,617,408 | 2.68 TB |" in run("card", "DeepSeek-V3").stdout
    assert "2.68 TB in fp32" in run("count", "DeepSeek-V3").stdout
