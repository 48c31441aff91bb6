"""Adapters in files, alone and beside a model: told as what they are, held against the base model, faults by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.verification import adaptation
from tests.makers import safetensors
from tests.makers.peft_answers import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conftest import Run

BASE = "base_model.model."
WIDTH, BLOCKS = SMALL["n_embd"], SMALL["n_layer"]
SAYS = {"peft_type": "LORA", "r": 4, "target_modules": ["c_attn"], "bias": "none", "fan_in_fan_out": True}
PAIRS = [
    tensor
    for block in range(BLOCKS)
    for tensor in (
        (f"{BASE}transformer.h.{block}.attn.c_attn.lora_A.weight", "F32", (4, WIDTH)),
        (f"{BASE}transformer.h.{block}.attn.c_attn.lora_B.weight", "F32", (3 * WIDTH, 4)),
    )
]
TRAINED = BLOCKS * 4 * (WIDTH + 3 * WIDTH)
TOTAL = gpt2calc.count(**{k: v for k, v in SMALL.items() if k != "model_type"}).total
Tensors = list[tuple[str, str, tuple[int, ...]]]


def written(folder: Path, tensors: Iterable[Any], **says: Any) -> str:
    """Write an adapter as PEFT does, with its config and that of the base model beside it."""
    folder.mkdir(exist_ok=True)
    safetensors.write(folder / "adapter_model.safetensors", tensors)
    (folder / "adapter_config.json").write_text(json.dumps({**SAYS, **says}), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(SMALL), encoding="utf-8")
    return str(folder)


def body(prefix: str = BASE) -> Tensors:
    """Return the tensors of the base model, as a state_dict of PEFT names those that are adapted."""
    sizes = {name: size for name, size in SMALL.items() if name != "model_type"}
    tensors = ((each.name, each.shape) for each in gpt2calc.tensors(**sizes))
    return [(prefix + name.replace("c_attn.", "c_attn.base_layer."), "F32", shape) for name, shape in tensors]


RECORDED = json.loads((Path(__file__).parent / "data" / "peft_answers.json").read_text(encoding="utf-8"))["files"]


@pytest.mark.parametrize("made", RECORDED, ids=lambda made: made["what"])
def test_what_peft_itself_saves_matches_with_pefts_own_numbers(made: dict[str, Any], tmp_path: Path) -> None:
    """The file alone; and of LoRA the state_dict of PEFT, where the adapter is told beside the model."""
    folder = written(tmp_path, [(name, "F32", tuple(shape)) for name, shape in made["file"]], **made["config"])
    found = gpt2calc.verify(folder)
    assert found.matches, found.faults
    told = found.to_dict()["adapter"]
    assert (told["trainable"], told["all"]) == (made["trainable"], made["all"])
    if made["what"] == "prompt tuning":
        return
    safetensors.write(tmp_path / "whole.safetensors", [(name, "F32", tuple(shape)) for name, shape in made["state"]])
    whole = gpt2calc.verify(str(tmp_path / "whole.safetensors"), SMALL)
    assert whole.matches, whole.faults
    assert whole.total == TOTAL
    assert "LoRA of rank " in whole.verdict


def test_an_adapter_says_its_rank_its_targets_and_what_it_trains(tmp_path: Path, run: Run) -> None:
    """In one line, with PEFT's own numbers, and in JSON under a key of its own."""
    folder = written(tmp_path, PAIRS)
    found = gpt2calc.verify(folder)
    line = gpt2calc.adapter(SMALL, r=4, targets="c_attn").line
    assert found.verdict == f"{folder} matches: a LoRA adapter of rank 4 on c_attn for {folder}/config.json, {line}"
    said = found.to_dict()
    assert (said["total"], said["adapter"]["trainable"], said["adapter"]["all"]) == (TRAINED, TRAINED, TOTAL + TRAINED)
    assert run("verify", folder, "-q").code == 0


def test_the_base_model_is_the_one_that_peft_names(tmp_path: Path, run: Run) -> None:
    """One that ships is known by its name; of any other --config says which, and until then the numbers are told."""
    folder = written(tmp_path, PAIRS, base_model_name_or_path="somebody/small")
    (tmp_path / "config.json").unlink()
    ran = run("verify", folder)
    assert (ran.code, ran.stdout) == (3, "")
    assert f"a LoRA adapter of rank 4 on c_attn, {TRAINED:,} numbers; its base model is 'somebody/small'" in ran.stderr
    tensors = [
        (f"{BASE}transformer.h.{block}.attn.c_attn.lora_{part}.weight", "F32", shape)
        for block in range(12)
        for part, shape in (("A", (8, 768)), ("B", (2304, 8)))
    ]
    written(tmp_path, tensors, r=8, base_model_name_or_path="openai-community/gpt2")
    (tmp_path / "config.json").unlink()
    ran = run("verify", folder, "-q")
    assert ran.code == 0
    assert "for gpt2, trainable params: 294,912 || all params: 124,734,720 || trainable%: 0.2364" in ran.stdout
    ran = run("verify", folder, "-q", "--config", "gpt2-medium")
    assert ran.code == 1
    ran = run("verify", folder, "-q", "--config", "Qwen3-0.6B")
    assert (ran.code, "adapter_config.json" in ran.stdout) == (1, True)


@pytest.mark.parametrize(
    ("change", "tensor", "said"),
    [
        ({"drop": 1}, "h.0.attn.c_attn.lora_B", "it is missing"),
        ({"drop": (2, 3)}, "h.1.attn.c_attn.lora_A.weight", "adapter_config.json adapts it, and it is missing"),
        ({"shape": (1, (3 * WIDTH - 1, 4))}, "h.0.attn.c_attn.lora_A.weight", "expected A [4, n] and B [m, 4]"),
        ({"shape": (0, (3, WIDTH))}, "h.0.attn.c_attn.lora_A.weight", "got [3, 32] and [96, 4]"),
        ({"says": {"r": 8}}, "h.0.attn.c_attn", "adapter_config.json says rank 8, got 4"),
        ({"says": {"target_modules": ["c_proj"]}}, "h.0.attn.c_attn", "adapter_config.json does not adapt it"),
        ({"add": (f"{BASE}transformer.ln_f.weight", "F32", (WIDTH,))}, "ln_f.weight", "does not say that it is"),
        ({"add": (f"{BASE}transformer.ln_g.weight", "F32", (WIDTH,))}, "ln_g.weight", "it is no tensor of the base"),
        ({"add": (f"{BASE}transformer.h.9.attn.c_attn.lora_A.weight", "F32", (4, WIDTH))}, "h.9", "it is missing"),
        ({"dtype": (0, "I32")}, "h.0.attn.c_attn.lora_A.weight", "got I32"),
    ],
)  # fmt: skip
def test_each_fault_of_an_adapter_is_named(change: dict[str, Any], tensor: str, said: str, tmp_path: Path) -> None:
    """One sentence each, with the tensor."""
    tensors: list[Any] = list(PAIRS)
    if "drop" in change:
        dropped = change["drop"] if isinstance(change["drop"], tuple) else (change["drop"],)
        tensors = [each for at, each in enumerate(tensors) if at not in dropped]
    if "shape" in change:
        at, shape = change["shape"]
        tensors[at] = (*tensors[at][:2], shape)
    if "dtype" in change:
        at, dtype = change["dtype"]
        tensors[at] = (tensors[at][0], dtype, tensors[at][2])
    tensors += [change["add"]] if "add" in change else []
    found = gpt2calc.verify(written(tmp_path, tensors, **change.get("says", {})))
    assert not found.matches
    assert any(tensor in fault.tensor and said in fault.message for fault in found.faults), found.faults


def test_what_is_saved_and_biases_are_trained_where_the_config_says_so(tmp_path: Path) -> None:
    """As PEFT 0.21 names them: modules under their own names, biases of all."""
    saved = [(f"{BASE}transformer.ln_f.{role}", "F32", (WIDTH,)) for role in ("weight", "bias")]
    found = gpt2calc.verify(written(tmp_path, [*PAIRS, *saved], modules_to_save=["ln_f"]))
    assert found.matches, found.verdict
    assert found.total == TRAINED + 2 * WIDTH
    biases = [
        (f"{BASE}{name}", "F32", shape)
        for name, shape in ((n.removeprefix(BASE), s) for n, _, s in body())
        if name.endswith("bias")
    ]
    found = gpt2calc.verify(written(tmp_path, [*PAIRS, *biases], bias="all"))
    assert found.matches, found.verdict
    assert found.to_dict()["adapter"]["all"] == TOTAL + TRAINED


def test_ranks_that_differ_are_held_against_their_matrices_alone(tmp_path: Path) -> None:
    """rank_pattern says what no count asks for: each pair has to fit, and all are summed."""
    two = [(f"{BASE}transformer.h.0.mlp.c_proj.lora_A.weight", "F32", (2, 4 * WIDTH))]
    two += [(f"{BASE}transformer.h.0.mlp.c_proj.lora_B.weight", "F32", (WIDTH, 2))]
    found = gpt2calc.verify(written(tmp_path, [*PAIRS, *two], rank_pattern={"mlp.c_proj": 2}))
    assert found.matches, found.verdict
    assert "of rank 2, 4 on c_attn, c_proj" in found.verdict
    assert found.total == TRAINED + 2 * 5 * WIDTH


@pytest.mark.parametrize(
    ("tokens", "width", "matches"), [(20, WIDTH, True), (19, WIDTH, False), (20, WIDTH + 1, False)]
)
def test_prompt_tuning_has_a_vector_a_token(tokens: int, width: int, matches: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """As many as its config says, of the model's width."""
    folder = written(
        tmp_path, [("prompt_embeddings", "F32", (tokens, width))], peft_type="PROMPT_TUNING", num_virtual_tokens=20
    )
    found = gpt2calc.verify(folder)
    assert found.matches is matches, found.verdict
    assert f"prompt tuning of {tokens} virtual tokens" in found.verdict
    assert found.total == 20 * WIDTH


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--values",), 2, "it is an adapter"),
        (("--tying",), 2, "of which the header is read, and no tying"),
        (("--evidence", "weights"), 2, "no weights"),
    ],
)
def test_what_an_adapter_does_not_have_is_refused(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path, run: Run
) -> None:
    """In one sentence; nor is a config inferred from one, and other types are named with their numbers."""
    folder = written(tmp_path, PAIRS)
    ran = run("verify", folder, *words)
    assert (ran.code, ran.stdout) == (code, "")
    assert "is an adapter" in ran.stderr
    assert said.removeprefix("it ") in ran.stderr
    assert run("infer", folder).code == 3
    folder = written(tmp_path, [(f"{BASE}transformer.h.0.attn.c_attn.ia3_l", "F32", (96, 1))], peft_type="IA3")
    assert "of peft_type 'IA3', which is not verified" in run("verify", folder).stderr


def test_an_adapter_config_that_is_no_json_is_named(tmp_path: Path, run: Run) -> None:
    """With exit code 3."""
    folder = written(tmp_path, PAIRS)
    (tmp_path / "adapter_config.json").write_text("{", encoding="utf-8")
    ran = run("verify", folder)
    assert ran.code == 3
    assert "adapter_config.json: not JSON" in ran.stderr


# Beside a model


def test_a_model_with_its_adapter_unmerged(tmp_path: Path) -> None:
    """base_layer is the model's own, and the adapter is told: what it holds is no parameter of the model."""
    pairs = [(name.replace(".weight", ".default.weight"), dtype, shape) for name, dtype, shape in PAIRS]
    safetensors.write(tmp_path / "model.safetensors", [*body(), *pairs])
    found = gpt2calc.verify(str(tmp_path / "model.safetensors"), SMALL)
    assert found.matches, found.verdict
    assert f"LoRA of rank 4 beside {BLOCKS} of them, {TRAINED:,} numbers more" in found.verdict
    held = {part.what: part.elements for part in found.checked.holdings}
    assert (held["parameters"], held["LoRA"]) == (TOTAL, TRAINED)


@pytest.mark.parametrize(("thirds", "outputs"), [(2, 2 * WIDTH), (3, 3 * WIDTH), (1, WIDTH)])
def test_loralib_adapts_thirds_of_a_matrix(thirds: int, outputs: int, tmp_path: Path) -> None:
    """MergedLinear of queries and values: A [2·r, d] and B [2·d, r], without an end to their names."""
    pairs = [
        (f"transformer.h.{block}.attn.c_attn.lora_{part}", "F32", shape)
        for block in range(BLOCKS)
        for part, shape in (("A", (thirds * 4, WIDTH)), ("B", (outputs, 4)))
    ]
    own = [(name.replace(".base_layer", ""), dtype, shape) for name, dtype, shape in body("")]
    safetensors.write(tmp_path / "model.safetensors", [*own, *pairs])
    found = gpt2calc.verify(str(tmp_path / "model.safetensors"), SMALL)
    assert found.matches, found.verdict
    assert f"LoRA of rank 4 beside {BLOCKS} of them" in found.verdict


def test_a_pair_beside_a_model_that_does_not_fit_is_a_fault(tmp_path: Path) -> None:
    """It names A, what goes with the matrix, and what is there."""
    pairs = [*PAIRS[:1], (PAIRS[1][0], "F32", (3 * WIDTH, 5)), *PAIRS[2:]]
    safetensors.write(tmp_path / "model.safetensors", [*body(), *pairs])
    found = gpt2calc.verify(str(tmp_path / "model.safetensors"), SMALL)
    assert [fault.kind for fault in found.faults] == [adaptation.PAIR]
    assert "got [4, 32] and [96, 5]" in found.faults[0].message


@pytest.mark.parametrize(
    "says",
    [
        {"r": [8]},
        {"r": True},
        {"target_modules": 3},
        {"target_modules": ["c_attn", None]},
        {"modules_to_save": 7},
        {"modules_to_save": "ln_f"},
        {"bias": {"a": 1}},
        {"peft_type": ["LORA"]},
        {"rank_pattern": 4},
        {"base_model_name_or_path": "a\0b"},
    ],
    ids=str,
)
def test_a_config_of_nonsense_ends_in_a_verdict_or_a_sentence(says: dict[str, Any], tmp_path: Path, run: Run) -> None:
    """Never in a traceback, with a base model beside it and without."""
    folder = written(tmp_path, PAIRS, **says)
    assert run("verify", folder, "-q").code in {0, 1, 3}
    (tmp_path / "config.json").unlink()
    assert run("verify", folder, "-q").code in {1, 3}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("r", -1, "a whole number of at least 1, got -1"),
        ("r", "4", "a whole number of at least 1, got '4'"),
        ("r", None, "a whole number of at least 1, got null"),
        ("target_modules", 5, "a list of names or a regular expression, got 5"),
        ("target_modules", "((((", "a list of names or a regular expression, got '(((('"),
        ("modules_to_save", "ln_f", "a list of names, got 'ln_f'"),
        ("rank_pattern", [4], "a rank for each of some patterns, got [4]"),
        ("layers_to_transform", "0", "a number of a layer, or a list of them, got '0'"),
        ("bias", 5, "one of none, all, lora_only, got 5"),
    ],
)
def test_nonsense_in_pefts_config_is_refused_by_its_key(
    key: str, value: object, expected: str, tmp_path: Path, run: Run
) -> None:
    """In one sentence, with what was expected and what was got."""
    ran = run("verify", written(tmp_path, PAIRS, **{key: value}))
    assert (ran.code, ran.stdout) == (3, "")
    assert f"{key} of adapter_config.json: expected {expected}" in ran.stderr


def test_virtual_tokens_are_a_number_of_at_least_one(tmp_path: Path, run: Run) -> None:
    """And the file's own number is no answer where the config says nonsense."""
    tensors = [("prompt_embeddings", "F32", (5, WIDTH))]
    ran = run("verify", written(tmp_path, tensors, peft_type="PROMPT_TUNING", num_virtual_tokens=-5))
    assert (ran.code, "num_virtual_tokens of adapter_config.json: expected a whole number" in ran.stderr) == (3, True)


def test_a_pattern_of_targets_is_held_against_each_module(tmp_path: Path) -> None:
    """As PEFT does, by the whole name; one that could take for ever is not tried, and a note says so."""
    assert gpt2calc.verify(written(tmp_path, PAIRS, target_modules=r".*\.attn\.(?:c_attn|c_proj)")).matches
    found = gpt2calc.verify(written(tmp_path, PAIRS, target_modules=r".*\.mlp\..*"))
    assert len(found.faults) == BLOCKS
    assert "target_modules '.*\\\\.mlp\\\\..*' is not its name" in found.faults[0].message
    found = gpt2calc.verify(written(tmp_path, PAIRS, target_modules=r"((\w|\.|t)+)+!"))
    assert any("could take too long" in note for note in found.notes)
    assert found.matches


def test_what_the_config_says_is_saved_and_is_missing_is_named(tmp_path: Path) -> None:
    """Saved modules, biases, and the magnitudes of DoRA, each by its tensor."""
    found = gpt2calc.verify(written(tmp_path, PAIRS, modules_to_save=["ln_f"]))
    names = {f"{BASE}transformer.ln_f.{role}" for role in ("weight", "bias")}
    assert {fault.tensor for fault in found.faults} == names
    found = gpt2calc.verify(written(tmp_path, PAIRS, bias="lora_only"))
    assert {fault.tensor for fault in found.faults} == {
        f"{BASE}transformer.h.{n}.attn.c_attn.bias" for n in range(BLOCKS)
    }
    found = gpt2calc.verify(written(tmp_path, PAIRS, use_dora=True))
    assert found.faults[0].tensor == f"{BASE}transformer.h.0.attn.c_attn.lora_magnitude_vector"
    found = gpt2calc.verify(written(tmp_path, PAIRS, target_modules=".*c_attn", modules_to_save=["zzz"]))
    assert [fault.message for fault in found.faults] == [f"{tmp_path}/config.json has no module that ends with 'zzz'"]


def test_a_module_of_a_layer_that_is_not_transformed_is_a_fault(tmp_path: Path) -> None:
    """The number is read where PEFT reads it."""
    assert gpt2calc.verify(written(tmp_path, PAIRS, layers_to_transform=[*range(BLOCKS)])).matches
    found = gpt2calc.verify(written(tmp_path, PAIRS, layers_to_transform=0))
    assert [fault.tensor for fault in found.faults] == [
        f"{BASE}transformer.h.{n}.attn.c_attn" for n in range(1, BLOCKS)
    ]
