"""What a person meets on the first day: names that lie about, notebooks, tables, and advice that is pasted."""

from __future__ import annotations

import io
import json
import shlex
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

import gpt2calc
from gpt2calc import Gpt2calcError, plots
from gpt2calc.errors import EXTRAS, install

if TYPE_CHECKING:
    from tests.conftest import Run

SIZES: dict[str, Any] = {"n_layer": 2, "n_embd": 64, "n_positions": 32, "vocab_size": 100}


def arrays(**fields: Any) -> dict[str, Any]:
    """Return a state_dict of numpy arrays, as safetensors.numpy and jax's users have it."""
    return {each.name: np.zeros(each.shape, np.float32) for each in gpt2calc.tensors(**{**SIZES, **fields})}


def test_a_state_dict_of_arrays_is_verified_counted_and_inferred() -> None:
    """An array is a tensor; a live model without a config is counted by its shapes, which a note says."""
    state = arrays()
    assert gpt2calc.verify(state, SIZES).matches
    assert gpt2calc.count(state).total == gpt2calc.count(SIZES).total
    assert "n_head" in gpt2calc.count(state).notes[0]
    assert gpt2calc.infer(state).n_embd == 64
    state["transformer.h.1.mlp.c_fc.weight"] = state["transformer.h.1.mlp.c_fc.weight"][:, :-1]
    assert not gpt2calc.verify(state, SIZES).matches
    with pytest.raises(Gpt2calcError):
        gpt2calc.count(torch.nn.Linear(2, 2))  # type: ignore[arg-type]


def test_a_file_that_describes_itself_is_not_held_against_a_stray_config(tmp_path: Path) -> None:
    """NanoGPT's file beside another model's config.json matches what it says of itself, and a note says both."""
    own = {**SIZES, "n_layer": 3, "n_head": 2, "bias": True}
    shapes = {
        each.name: each.shape
        for each in gpt2calc.tensors(n_layer=3, **{k: v for k, v in SIZES.items() if k != "n_layer"})
    }
    tensors = {
        name: torch.zeros(shape[::-1] if len(shape) == 2 and ".h." in name else shape) for name, shape in shapes.items()
    }
    model_args = {"n_layer": 3, "n_head": 2, "n_embd": 64, "block_size": 32, "bias": True, "vocab_size": 100}
    torch.save({"model": tensors, "model_args": model_args}, tmp_path / "ckpt.pt")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **SIZES}), encoding="utf-8")
    verification = gpt2calc.verify(tmp_path / "ckpt.pt")
    assert verification.matches
    assert any("says n_layer 2 where the file says 3" in note for note in verification.notes)
    assert own["n_layer"] == 3


def test_the_decoder_of_a_captioner_is_verified_and_its_encoder_left_aside(tmp_path: Path) -> None:
    """The whole config lies beside the whole file, of which one model is a GPT-2."""
    decoder = {"model_type": "gpt2", "add_cross_attention": True, **SIZES}
    encoder = {"model_type": "vit", "hidden_size": 64}
    document = {"model_type": "vision-encoder-decoder", "encoder": encoder, "decoder": decoder}
    (tmp_path / "config.json").write_text(json.dumps(document), encoding="utf-8")
    state = {f"decoder.{name}": torch.from_numpy(array) for name, array in arrays(add_cross_attention=True).items()}
    for name in ("embeddings.cls_token", "layernorm.weight"):
        state[f"encoder.{name}"] = torch.zeros(64)
    torch.save(state, tmp_path / "pytorch_model.bin")
    verification = gpt2calc.verify(tmp_path)
    assert verification.matches
    assert "found under decoder., 2 other tensors left aside" in verification.verdict


def test_infer_writes_no_guess_where_no_note_can_say_so(tmp_path: Path, run: Run) -> None:
    """n_head is left out of what -q writes, and is what a config beside it says where there is one."""
    torch.save({name: torch.from_numpy(array) for name, array in arrays().items()}, tmp_path / "model.bin")
    assert json.loads(run("infer", str(tmp_path / "model.bin")).stdout)["n_head"] == 1
    assert "n_head" not in json.loads(run("infer", "-q", str(tmp_path / "model.bin")).stdout)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **SIZES, "n_head": 2}), encoding="utf-8")
    assert json.loads(run("infer", "-q", str(tmp_path)).stdout)["n_head"] == 2


def test_a_sweep_is_a_table_of_pandas() -> None:
    """A row a model, by either way."""
    sweep = gpt2calc.sweep(n_layer=[1, 2], n_embd=[64, 128], columns="n_layer,n_embd,total")
    for frame in (pd.DataFrame(sweep), sweep.to_pandas()):
        assert frame.shape == (4, 3)
        assert frame["total"].tolist() == sweep["total"].tolist()


def test_a_notebook_shows_pictures_and_tables_at_once() -> None:
    """Without a word to matplotlib, and with the number that a formula comes to."""
    picture = plots.shares("gpt2")._repr_png_()  # type: ignore[attr-defined]
    assert picture.startswith(b"\x89PNG")
    for rows in (gpt2calc.tensors("gpt2"), gpt2calc.models()):
        assert rows._repr_html_().count("<tr>") == len(rows) + 1
    assert "768 × 2304" in gpt2calc.tensors("gpt2")._repr_html_()
    assert gpt2calc.formula("total", "gpt2")._repr_latex_().endswith("= 124{,}439{,}808$$")
    assert gpt2calc.plots is plots


def test_what_is_missing_is_installed_by_the_line_that_is_said() -> None:
    """Into the Python that runs, package by package, so that an editable install stays one."""
    extras = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert {
        name: tuple(package.partition(">")[0] for package in packages)
        for name, packages in extras.items()
        if name not in ("test", "dev", "docs")
    } == EXTRAS
    python, *words = shlex.split(install("sweep"))
    assert (python, words) == (sys.executable, ["-m", "pip", "install", "numpy", "pyarrow", "tqdm"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: gpt2calc.write_page(None),  # type: ignore[arg-type]
        lambda: gpt2calc.check_claims(3),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(file=3),  # type: ignore[arg-type]
        lambda: gpt2calc.verify(arrays(), prefix=3),  # type: ignore[arg-type]
        lambda: gpt2calc.infer(arrays(), prefix=b"x"),  # type: ignore[arg-type]
        lambda: gpt2calc.count(io.StringIO("{}")),  # type: ignore[arg-type]
        lambda: gpt2calc.count(b"gpt2"),  # type: ignore[arg-type]
        lambda: gpt2calc.explain("1M", 3),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(where=lambda row: row),  # type: ignore[arg-type]
    ],
    ids=range(9),
)
def test_a_value_of_another_type_is_an_error_of_ours(call: Any) -> None:
    """Whatever is given, what is raised is a Gpt2calcError."""
    with pytest.raises(Gpt2calcError):
        call()
