"""Examples: what is written is a good checkpoint, or one with the fault that it says, and nothing is written over."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from safetensors import safe_open

import gpt2calc
from gpt2calc import examples
from gpt2calc.cli.example import EXAMPLES
from gpt2calc.errors import ConfigError, UnknownNameError, UnreadableInputError
from tests.loops import of_each

if TYPE_CHECKING:
    from tests.conftest import Run

OF_A_TENSOR = ("missing", "extra", "renamed", "shape", "transposed", "dtype")


def of_type(model_type: str) -> Any:
    """Return the keyword that asks for a small model of a type, which no type of `Fields` knows."""
    return {"model_type": model_type}


@of_each("model_type", list(examples.SMALL))
def test_a_good_example_matches(model_type: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Of every type that has small sizes, and of as many parameters as was said."""
    made = gpt2calc.write_example(tmp_path_factory.mktemp(model_type) / "new", **of_type(model_type))
    found = gpt2calc.verify(made.folder)
    assert (found.matches, found.checked.given, found.total) == (True, True, made.total)
    assert (made.fault, made.tensor) == ("", "")


@of_each("fault", OF_A_TENSOR)
def test_a_fault_of_a_tensor_is_found_and_named_alone(fault: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`verify` gives the name of the tensor, in a GPT-2 and in a mixture of experts."""
    for model_type in ("gpt2", "mixtral"):
        made = gpt2calc.write_example(tmp_path_factory.mktemp(fault) / "new", fault=fault, **of_type(model_type))
        named = {each.tensor for each in gpt2calc.verify(made.folder).faults}
        assert made.tensor in named
        assert named - {made.tensor} <= {made.tensor.removesuffix("s")}


def test_a_fault_of_more_than_a_tensor_is_found(tmp_path: Path) -> None:
    """A layer that is not there, a config that says another vocabulary, and a file that was broken off."""
    layer = gpt2calc.verify(gpt2calc.write_example(tmp_path / "layer", fault="layer").folder)
    assert layer.checked.shapes_say == {"n_layer": 1}
    config = gpt2calc.verify(gpt2calc.write_example(tmp_path / "config", fault="config").folder)
    assert config.checked.shapes_say == {"vocab_size": 250}
    with pytest.raises(UnreadableInputError, match=r"expected 286,848 bytes of tensors, .* got 286,749"):
        gpt2calc.verify(gpt2calc.write_example(tmp_path / "truncated", fault="truncated").folder)


def test_every_fault_that_can_be_planted_is_tried_and_told(run: Run) -> None:
    """The tests above try all, and the help of the command lists all."""
    assert set(examples.FAULTS) == {*OF_A_TENSOR, "layer", "config", "truncated"}
    shown = " ".join(run("example", "--help").stdout.split())
    assert [name for name in examples.FAULTS if f" {name}" not in shown] == []


def test_transformers_loads_an_example(tmp_path: Path) -> None:
    """It is a checkpoint as any: all weights are taken, and values are what fresh ones are."""
    made = gpt2calc.write_example(tmp_path / "new")
    loaded: Any = transformers.GPT2LMHeadModel.from_pretrained(made.folder, output_loading_info=True)
    model, info = loaded
    assert {name: list(info[name]) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")} == {
        "missing_keys": [],
        "unexpected_keys": [],
        "mismatched_keys": [],
    }
    assert sum(each.numel() for each in model.parameters()) == made.total == 71_712
    assert 0.019 < float(model.transformer.wte.weight.detach().std()) < 0.021
    assert torch.equal(model.transformer.ln_f.weight.detach(), torch.ones(48))
    with safe_open(made.files[0], "pt") as file:  # the library's own reader
        assert len(list(file.keys())) == 28


def test_an_example_is_the_same_each_time(tmp_path: Path) -> None:
    """Byte for byte, so that two people look at one file."""
    one, two = (gpt2calc.write_example(tmp_path / name) for name in ("one", "two"))
    for here, there in zip(one.files, two.files, strict=True):
        assert Path(here).read_bytes() == Path(there).read_bytes()


def test_sizes_and_a_model_can_be_chosen(tmp_path: Path) -> None:
    """Fields win over the small sizes; a model that ships, or a config.json, is taken as it is."""
    made = gpt2calc.write_example(tmp_path / "deep", n_layer=5, tie_word_embeddings=False, head="GPT2LMHeadModel")
    assert made.total == gpt2calc.count(n_layer=5, n_embd=48, n_positions=64, vocab_size=250, tied=False).total
    assert gpt2calc.verify(made.folder).matches
    wide = gpt2calc.write_example(tmp_path / "wide", n_embd=50)  # which four heads do not divide
    assert json.loads(Path(wide.files[1]).read_text())["n_head"] == 2
    assert gpt2calc.write_example(tmp_path / "named", "tiny-gpt2").total == gpt2calc.count("tiny-gpt2").total
    again = gpt2calc.write_example(tmp_path / "again", tmp_path / "deep" / "config.json")
    assert Path(again.files[0]).read_bytes() == Path(made.files[0]).read_bytes()


def test_nothing_is_written_over(tmp_path: Path, run: Run) -> None:
    """A folder in which anything lies is left as it is, and one that cannot be made is named."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}", encoding="utf-8")
    ran = run("example", str(tmp_path / "mine"))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.endswith("mine is there already, and is not written over: name another folder\n")
    assert [(each.name, each.read_text()) for each in (tmp_path / "mine").iterdir()] == [("config.json", "{}")]
    ran = run("example", str(tmp_path / "mine" / "config.json"))
    assert (ran.code, ran.stdout) == (3, "")
    assert "config.json: cannot be written (" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gpt2",), "gpt2 has 124,439,808 parameters, and an example at most 5,000,000: give smaller sizes"),
        (
            ("--model-type", "llama", "--vocab-size", "10000000"),
            "a small llama with vocab_size=10000000 has 960,037,104",
        ),
        (("--n-layer", "0", "--fault", "shape"), "has no layer that a fault could be planted in"),
        (("--fault", "mising"), "no fault is called 'mising': did you mean missing?"),
        (("--n-head", "7"), "n_head 7 must divide n_embd 48"),
    ],
)
def test_what_is_no_example_is_refused_and_nothing_is_written(
    words: tuple[str, ...], said: str, tmp_path: Path, run: Run
) -> None:
    """In one sentence, with code 2."""
    ran = run("example", str(tmp_path / "new"), *words)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert not (tmp_path / "new").exists()


def test_a_wrong_call_is_a_sentence(tmp_path: Path) -> None:
    """In Python as on the command line."""
    with pytest.raises(ConfigError, match="expected the path of a folder to write, got None"):
        gpt2calc.write_example(None)  # type: ignore[arg-type]  # this is what is tried
    with pytest.raises(ConfigError, match="expected a folder to write, got ''"):
        gpt2calc.write_example("")
    with pytest.raises(UnknownNameError, match="no fault is called"):
        gpt2calc.write_example(tmp_path / "new", fault="")


@pytest.mark.parametrize("name", ["-x", "two words", 'a "quoted" $name', "it's"])
def test_the_line_that_an_example_gives_can_be_typed(
    name: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a shell reads it, whatever the folder is called."""
    monkeypatch.chdir(tmp_path)
    *_, line = run("example", "--", name).stdout.splitlines()
    _, *words = shlex.split(line.removesuffix(" shows it"))
    assert run(*words).code == 0


def test_the_command_says_what_it_wrote_and_what_to_do_next(tmp_path: Path, run: Run) -> None:
    """And the line that it gives does what it says."""
    folder = tmp_path / "new"
    ran = run("example", str(folder), "--fault", "missing")
    assert ran.code == 0
    assert ran.stdout.splitlines()[1:] == [
        "missing: one tensor is not in the file: transformer.h.1.attn.c_attn.weight",
        f"gpt2calc verify {folder} finds it",
    ]
    assert run("verify", str(folder)).code == 1
    quiet = run("example", str(tmp_path / "other"), "-q")
    assert quiet.stdout.split() == [str(tmp_path / "other" / name) for name in ("model.safetensors", "config.json")]
    assert json.loads((tmp_path / "other" / "config.json").read_text())["n_layer"] == 2
    assert "gpt2calc example" in EXAMPLES
