"""Verifying through the public call: the released files, what is stored beside parameters, and what a report says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

import gpt2calc
from gpt2calc.dialects import DIALECTS
from gpt2calc.dialects.base import keyed
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import StoredTensor, TensorListing
from gpt2calc.verification import naming
from tests.goods import GOODS, masked, plain
from tests.makers import gguf, llmc, safetensors, tensorflow, torch_files
from tests.makers.dialects import MAKERS, Sizes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults import Tensor

X = Sizes()

REAL: dict[str, Any] = {"n_positions": 1024, "vocab_size": 50257}
"""What all four released sizes share."""

RELEASED = {
    "gpt2": (12, 768, 124_439_808, 12_582_912, 548_105_171),
    "gpt2-medium": (24, 1024, 354_823_168, 25_165_824, 1_519_984_962),
    "gpt2-large": (36, 1280, 774_030_080, 37_748_736, 3_247_159_078),
    "gpt2-xl": (48, 1600, 1_557_611_200, 50_331_648, 6_431_829_964),
}
"""n_layer, n_embd, parameters, elements of masks, and the size of model.safetensors on the hub.

Source: openai-community/gpt2, gpt2-medium, gpt2-large and gpt2-xl on the hub, model.safetensors.
"""


def folder(path: Path, tensors: list[Tensor], config: dict[str, Any] | None = None) -> str:
    """Write a folder with a model.safetensors, and a config.json where one is given."""
    path.mkdir(exist_ok=True)
    safetensors.write(path / "model.safetensors", tensors)
    if config is not None:
        (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def named(found: gpt2calc.Verification) -> list[tuple[str, str]]:
    """Return what is wrong, by kind and tensor."""
    return [(fault.kind, fault.tensor) for fault in found.faults]


def without(tensors: list[Tensor], *names: str) -> list[Tensor]:
    """Return all tensors but those of these names."""
    assert {name for name, _, _ in tensors}.issuperset(names)
    return [tensor for tensor in tensors if tensor[0] not in names]


# What the hub has


@pytest.mark.parametrize("name", RELEASED)
def test_the_released_files_match_at_their_real_size(tmp_path: Path, name: str) -> None:
    """Unprefixed names and float32 masks: the parameters match, and the masks are what the hub counts beyond them."""
    n_layer, n_embd, parameters, masks, size = RELEASED[name]
    target = folder(tmp_path, safetensors.released(n_layer, n_embd))
    found = gpt2calc.verify(target, name)
    assert found.faults == ()
    assert (found.matches, found.total) == (True, parameters)
    held = {part["what"]: part for part in found.to_dict()["held"]}
    assert held["parameters"]["elements"] == parameters
    assert held["causal masks"]["elements"] == masks
    assert found.to_dict()["elements"] == parameters + masks
    stored = found.to_dict()["bytes"]
    assert stored == (tmp_path / "model.safetensors").stat().st_size
    assert abs(stored - size) < 10_000  # the headers of the hub's files are a little longer or shorter than ours
    assert sum(part["bytes"] for part in held.values()) == stored


def test_137_million_is_124_million_and_masks(tmp_path: Path) -> None:
    """The hub shows 137,022,720 for gpt2: parameters and twelve masks of 1,024 by 1,024."""
    found = gpt2calc.verify(folder(tmp_path, safetensors.released(12, 768)), "gpt2").to_dict()
    assert (found["total"], found["elements"]) == (124_439_808, 137_022_720)
    assert found["elements"] - found["total"] == 12 * 1024 * 1024


def zip_of_torch(path: Path, n_layer: int, n_embd: int) -> str:
    """As torch.save writes it since 1.6, with the names and masks of the released files."""
    torch_files.write(path / "pytorch_model.bin", safetensors.released(n_layer, n_embd))
    return str(path)


def legacy_of_torch(path: Path, n_layer: int, n_embd: int) -> str:
    """As torch.save wrote it when GPT-2 was released."""
    torch_files.write_legacy(path / "pytorch_model.bin", safetensors.released(n_layer, n_embd))
    return str(path)


def original(path: Path, n_layer: int, n_embd: int) -> str:
    """As OpenAI released GPT-2."""
    tensorflow.write(str(path / "model.ckpt"), tensorflow.gpt2(n_layer=n_layer, n_embd=n_embd, **REAL))
    return str(path / "model.ckpt")


def gguf_of_llamacpp(path: Path, n_layer: int, n_embd: int) -> str:
    """As llama.cpp's converter writes it, in float16."""
    metadata = gguf.gpt2_metadata(n_layer=n_layer, n_embd=n_embd, n_head=n_embd // 64, file_type=1, **REAL)
    tensors = gguf.gpt2_tensors(n_layer=n_layer, n_embd=n_embd, dtype="F16", **REAL)
    start = gguf.header(metadata, tensors)
    llmc.write(path / "model.gguf", start, gguf.size(tensors, len(start)))
    return str(path / "model.gguf")


def binary_of_llmc(path: Path, n_layer: int, n_embd: int) -> str:
    """As llm.c writes it, with a vocabulary of 50,304 rows."""
    sizes = {"n_layer": n_layer, "n_embd": n_embd, "padded": 50304}
    size = 1024 + 4 * llmc.elements(n_positions=1024, **sizes)
    llmc.write(path / "gpt2.bin", llmc.header(n_head=n_embd // 64, **sizes, **REAL), size)
    return str(path / "gpt2.bin")


@pytest.mark.parametrize("write", [zip_of_torch, legacy_of_torch, original, gguf_of_llamacpp, binary_of_llmc])
@pytest.mark.parametrize("name", RELEASED)
def test_every_format_matches_at_its_real_size(tmp_path: Path, name: str, write: Callable[..., str]) -> None:
    """The same model in PyTorch's two formats, TensorFlow's, GGUF and llm.c's: given its config, and without one."""
    n_layer, n_embd, parameters, _, _ = RELEASED[name]
    target = write(tmp_path, n_layer, n_embd)
    for found in (gpt2calc.verify(target, name), gpt2calc.verify(target)):
        assert (found.faults, found.matches, found.total) == ((), True, parameters)


# Configs


def test_the_config_beside_a_file_is_what_it_is_held_against(tmp_path: Path) -> None:
    """It is found from the folder and from the file, and is not corrected by what the file holds."""
    target = folder(tmp_path, plain("bare").tensors, {**X.config(), "n_layer": 3})
    for named_target in (target, f"{target}/model.safetensors"):
        found = gpt2calc.verify(named_target)
        assert not found.matches
        assert found.checked.given
        assert found.to_dict()["shapes_say"] == {"n_layer": 2}
        assert {fault.tensor.split(".")[1] for fault in found.faults} == {"2"}


def test_a_given_config_wins_over_the_one_beside_a_file(tmp_path: Path) -> None:
    """Fields win over either."""
    target = folder(tmp_path, plain("bare").tensors, {**X.config(), "n_layer": 3})
    assert gpt2calc.verify(target, X.config()).matches
    assert gpt2calc.verify(target, n_layer=2).matches
    assert not gpt2calc.verify(target, X.config(), vocab_size=32).matches


def test_without_a_config_the_shapes_are_one(tmp_path: Path) -> None:
    """It is inferred, said to be, and n_head is said to be a guess."""
    found = gpt2calc.verify(folder(tmp_path, plain("bare").tensors))
    assert found.matches
    assert not found.checked.given
    assert found.to_dict()["config"]["n_head"] is None
    assert found.verdict.endswith("as its own shapes imply; no config was given")
    assert any("n_head: it is unknown" in note for note in found.notes)


def test_heads_that_shapes_show_are_known(tmp_path: Path) -> None:
    """TransformerLens keeps attention by head."""
    found = gpt2calc.verify(folder(tmp_path, plain("transformerlens").tensors))
    assert found.matches
    assert found.to_dict()["config"]["n_head"] == X.n_head


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.name)
def test_what_is_inferred_from_a_good_file_matches_it(tmp_path: Path, good: Any) -> None:
    """Without any config every good checkpoint matches, with the sizes that it was made of.

    All values are zero, which proves nothing of a head of its own: some projects hold a tied one again, others none.
    """
    target = folder(tmp_path, good.tensors)
    found = gpt2calc.verify(target)
    assert (found.faults, found.matches) == ((), True)
    inferred, own = gpt2calc.infer(target), gpt2calc.Config(**good.config)
    tied = own.tie_word_embeddings or good.name in ("transformerlens", "uer", "uer of 2020")
    assert gpt2calc.count(inferred).total == gpt2calc.count(own, tie_word_embeddings=tied).total
    for field in ("n_layer", "n_embd", "n_positions", "vocab_size"):
        assert getattr(inferred, field) == getattr(own, field)


# What is stored and is no parameter


@pytest.mark.parametrize("dtype", ["F32", "U8", "BOOL"])
@pytest.mark.parametrize("scalars", [False, True])
def test_masks_of_every_age_are_no_parameters(tmp_path: Path, dtype: str, scalars: bool) -> None:  # noqa: FBT001  # a case
    """float32, bytes and booleans, with and without masked_bias."""
    found = gpt2calc.verify(folder(tmp_path, masked("huggingface", dtype, scalars=scalars).tensors), X.config())
    assert (found.faults, found.matches) == ((), True)
    assert found.to_dict()["elements"] - found.total == X.n_layer * (X.n_positions**2 + scalars)


def test_a_mask_that_one_block_lacks_is_named(tmp_path: Path) -> None:
    """All blocks have a mask or none has one."""
    tensors = without(masked("huggingface", "U8", scalars=False).tensors, "transformer.h.1.attn.bias")
    assert named(gpt2calc.verify(folder(tmp_path, tensors), X.config())) == [("missing", "transformer.h.1.attn.bias")]


def test_a_mask_of_another_size_than_the_positions_is_a_mask(tmp_path: Path) -> None:
    """A file whose positions were cut keeps the masks that it had; nothing reads them."""
    tensors = [
        (name, dtype, (1, 1, 64, 64) if name.endswith(".attn.bias") else shape)
        for name, dtype, shape in masked("huggingface", "U8", scalars=False).tensors
    ]
    assert gpt2calc.verify(folder(tmp_path, tensors), X.config()).matches


def test_a_tied_head_that_is_stored_again_is_told_apart(tmp_path: Path) -> None:
    """One is counted, and the other is a copy, as the config says: zeros, as a sparse file holds, prove nothing."""
    tensors = [*plain("huggingface").tensors, ("lm_head.weight", "F32", (X.vocab_size, X.n_embd))]
    found = gpt2calc.verify(folder(tmp_path, tensors), X.config())
    assert (found.faults, found.matches) == ((), True)
    held = {part["what"]: part["elements"] for part in found.to_dict()["held"]}
    assert held["the tied head, a second time"] == X.vocab_size * X.n_embd
    assert found.total == gpt2calc.count(X.config()).total
    said = (
        "lm_head.weight is stored beside transformer.wte.weight, and both are all zeros, whose equal bits prove nothing"
    )
    assert f"{said}: it is taken as tied" in found.notes
    alone = gpt2calc.verify(tmp_path / "model.safetensors")
    assert f"{said}: it is taken as untied" in alone.notes
    assert alone.total == gpt2calc.count(X.config(), tie_word_embeddings=False).total


def test_a_head_that_the_config_ties_and_that_has_other_values_is_a_fault(tmp_path: Path) -> None:
    """One bit is enough. Untied, as the config may say, it is no fault."""
    tensors = [("lm_head.weight", "F32", (X.vocab_size, X.n_embd)), *plain("huggingface").tensors]
    target = folder(tmp_path, tensors)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + 5] ^= 1
    path.write_bytes(content)
    found = gpt2calc.verify(target, X.config())
    assert named(found) == [("tying", "lm_head.weight")]
    assert gpt2calc.verify(target, X.config(), tie_word_embeddings=False).matches
    assert gpt2calc.verify(target).total == gpt2calc.count(X.config(), tie_word_embeddings=False).total


@pytest.mark.parametrize("vocab", [50257, 50304])
def test_a_padded_vocabulary_is_what_its_config_says(tmp_path: Path, vocab: int) -> None:
    """NanoGPT pads by saying so in the config: 50,304 rows are 50,304 tokens."""
    config = {**X.config(), "vocab_size": vocab}
    tensors = [(n, t, (vocab, X.n_embd) if n == "wte.weight" else s) for n, t, s in plain("bare").tensors]
    target = folder(tmp_path, tensors, config)
    assert gpt2calc.verify(target).matches
    found = gpt2calc.verify(target, vocab_size=50256)
    assert named(found) == [("shape", "wte.weight")]
    assert f"got [{vocab}, {X.n_embd}]" in found.faults[0].message


def test_a_switch_that_transformers_does_not_know_turns_no_matrix(tmp_path: Path) -> None:
    """A config with a mark of transformers is transformers', whatever else it says."""
    good = next(good for good in GOODS if good.name == "no biases")
    target = folder(tmp_path, good.tensors)
    assert gpt2calc.verify(target, good.config).checked.dialect == "nanogpt"
    found = gpt2calc.verify(target, {**good.config, "model_type": "gpt2"})
    assert {fault.kind for fault in found.faults} == {"shape"}
    assert "its matrices lie [out, in], as nanoGPT keeps them; what it is for keeps them turned" in found.notes


# What is wrong


CASES: dict[str, tuple[str, tuple[int, ...], str]] = {
    "transposed": ("h.0.attn.c_attn.weight", (36, 12), "expected [12, 36], got [36, 12]: it is transposed"),
    "one row less": ("wte.weight", (30, 12), "expected [31, 12], got [30, 12]"),
    "an axis more": ("ln_f.bias", (12, 1), "expected [12], got [12, 1]"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_shape_is_said_with_what_was_expected(tmp_path: Path, case: str) -> None:
    """The tensor, what was expected, and what was got."""
    name, shape, message = CASES[case]
    tensors = [(n, t, shape if n == name else s) for n, t, s in plain("bare").tensors]
    found = gpt2calc.verify(folder(tmp_path, tensors), X.config())
    assert [(fault.kind, fault.tensor, fault.message) for fault in found.faults] == [("shape", name, message)]


def test_a_name_that_is_nearly_right_is_said_to_be_meant(tmp_path: Path) -> None:
    """The missing tensor of the same shape is the suggestion."""
    tensors = [(n.replace("h.1.ln_2.weight", "h.1.ln2.weight"), t, s) for n, t, s in plain("bare").tensors]
    found = gpt2calc.verify(folder(tmp_path, tensors), X.config())
    assert named(found) == [("missing", "h.1.ln_2.weight"), ("unexpected", "h.1.ln2.weight")]
    assert "is it h.1.ln_2.weight, which is missing?" in found.faults[1].message


def test_a_name_with_another_prefix_is_a_fault(tmp_path: Path) -> None:
    """Whoever loads the file would not find it."""
    tensors = [(f"transformer.{n}" if n == "wpe.weight" else n, t, s) for n, t, s in plain("bare").tensors]
    found = gpt2calc.verify(folder(tmp_path, tensors), X.config())
    assert named(found) == [("missing", "wpe.weight"), ("unexpected", "transformer.wpe.weight")]


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("maker", MAKERS)
def test_wrappers_before_all_names_are_seen_through(tmp_path: Path, wrapper: str, maker: str) -> None:
    """In every dialect, in every order; the report says what stands there."""
    good = plain(maker)
    target = folder(tmp_path, [(wrapper + name, dtype, shape) for name, dtype, shape in good.tensors])
    found = gpt2calc.verify(target, good.config)
    assert (found.faults, found.matches) == ((), True)
    assert found.checked.prefix.startswith(wrapper)
    assert found.checked.dialect == MAKERS[maker][0]


def test_names_that_fit_no_dialect_are_refused_with_the_nearest(tmp_path: Path) -> None:
    """It is no mismatch: nothing was held against anything."""
    names = "encoder.block.{}.layer.0.SelfAttention.q.weight"
    tensors: list[Tensor] = [(names.format(n), "F32", (4, 4)) for n in range(4)]
    with pytest.raises(gpt2calc.UnreadableInputError, match="nearest") as caught:
        gpt2calc.verify(folder(tmp_path, tensors))
    assert names.format(0) in str(caught.value)
    assert caught.value.exit_code == 3


def test_thousands_of_faults_are_counted_and_not_all_kept(tmp_path: Path) -> None:
    """A report of a file of strangers stays short, and says how many were left out."""
    strangers: list[Tensor] = [(f"stranger.{n}", "F32", (1,)) for n in range(1500)]
    layers = [(f"h.{n}.ln_1.weight", "F32", (12,)) for n in range(2, 2000)]
    found = gpt2calc.verify(folder(tmp_path, [*plain("bare").tensors, *strangers, *layers]), X.config())
    assert len(found.faults) == 1000
    assert len(found.faults) + found.more == 1500 + 1998
    assert found.to_dict()["more_faults"] == 2498
    assert "2,498" not in found.verdict.split(":")[0]
    assert len(found.verdict) < 400


# What a report says


def test_a_difference_of_a_component_is_what_is_stored_minus_the_formula(tmp_path: Path) -> None:
    """For each component: formula, observed, difference; the total as well."""
    tensors = without(plain("bare").tensors, "h.1.mlp.c_fc.weight")
    found = gpt2calc.verify(folder(tmp_path, tensors), X.config())
    parts = {part["name"]: part for part in found.to_dict()["components"]}
    assert parts["mlp.c_fc"]["difference"] == -X.n_embd * X.n_inner
    assert parts["mlp.c_fc"]["observed"]["header"] == parts["mlp.c_fc"]["formula"] - X.n_embd * X.n_inner
    assert [name for name, part in parts.items() if part["difference"]] == ["mlp.c_fc"]
    assert found.table().rows[-1] == ("total", found.total, found.total - 528, -528)


def test_equal_faults_of_many_blocks_are_one_line(tmp_path: Path) -> None:
    """Twelve lines that say the same are one, with the blocks in braces; JSON has each."""
    tensors = [t for t in safetensors.released(12, 48, n_positions=8, vocab_size=64) if not t[0].endswith("ln_2.bias")]
    found = gpt2calc.verify(folder(tmp_path, tensors), n_embd=48, n_positions=8, vocab_size=64)
    assert len(found.faults) == 12
    wrong = next(table for table in found.tables() if table.headers[0] == "wrong")
    assert [row[1] for row in wrong.rows if row] == ["h.{0..11}.ln_2.bias"]


def test_every_format_shows_the_verdict(tmp_path: Path) -> None:
    """Text, Markdown, LaTeX and HTML lay the same tables out."""
    from gpt2calc.reports import html, latex, markdown, text

    found = gpt2calc.verify(folder(tmp_path, plain("bare").tensors), X.config())
    for write in (text.write, markdown.write, latex.write, html.write):
        assert f"{found.total:,}" in write(found.tables())
    summary, *tables = found.tables()
    written = html.write([summary._replace(title=""), *tables])
    assert f"<b>✓ {found.verdict}</b></p>\n{written}" in found._repr_html_()
    assert repr(found).startswith("<Verification ")


def test_names_from_files_are_escaped(tmp_path: Path) -> None:
    """A tensor's name may hold what would move the cursor, begin a tag, or end a cell."""
    from gpt2calc.reports import html, markdown, text

    evil = "h.0.\x1b[2J<script>|`\n"
    found = gpt2calc.verify(folder(tmp_path, [*plain("bare").tensors, (evil, "F32", (1,))]), X.config())
    assert named(found) == [("unexpected", evil)]
    assert "<script>" not in found._repr_html_()
    assert "<b>✗ " in found._repr_html_()
    assert "\x1b" not in text.write(found.tables()) + markdown.write(found.tables()) + html.write(found.tables())
    assert "<script>" not in html.write(found.tables()) + markdown.write(found.tables())
    assert "\x1b" not in found.verdict


# ---------------------------------------------------------------- a GPT-2 within something else


def within(prefix: str, more: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Return a small GPT-2's tensors behind a prefix, and others beside them."""
    own = gpt2calc.tensors(n_layer=2, n_embd=64, n_positions=8, vocab_size=32)
    shapes = {prefix + tensor.name: tensor.shape for tensor in own} | more
    return {name: torch.ones(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("prefix", ["_module.", "_fsdp_wrapped_module.", "gpt.", "decoder.lm."])
def test_a_prefix_of_any_kind_is_found(prefix: str, tmp_path: Path) -> None:
    """As Opacus, FSDP and ClipCap put it before names, and with a config as without; the verdict says so."""
    path = tmp_path / "file.safetensors"
    save_file(within(prefix, {}), path)
    sizes = {"n_layer": 2, "n_embd": 64, "n_positions": 8, "vocab_size": 32}
    for found in (gpt2calc.verify(path), gpt2calc.verify(path, sizes)):
        assert found.matches, found.verdict
        assert found.verdict.endswith(f"behind the prefix {prefix}")


def test_a_gpt2_among_other_tensors_is_verified_and_the_others_left_aside(tmp_path: Path) -> None:
    """ClipCap's projection is none of it, and no config of a GPT-2 can be of what stands outside of its prefix."""
    path = tmp_path / "file.safetensors"
    others = {"clip_project.model.0.weight": (640, 512), "clip_project.model.0.bias": (640,)}
    save_file(within("gpt.", others), path)
    sizes = {"n_layer": 2, "n_embd": 64, "n_positions": 8, "vocab_size": 32}
    for found in (gpt2calc.verify(path), gpt2calc.verify(path, sizes)):
        assert found.matches, found.verdict
        assert found.verdict.endswith("GPT-2 found under gpt., 2 other tensors left aside")
        parts = {part.what: part.elements for part in found.checked.holdings}
        assert parts["other tensors, left aside"] == 640 * 513
    save_file({**within("gpt.", others), "h.1.ln_1.weight": torch.ones(64)}, path)
    assert [fault.tensor for fault in gpt2calc.verify(path, sizes).faults] == ["h.1.ln_1.weight"]
    save_file({**within("gpt.", others), "gpt.transformer.h.1.ln_3.weight": torch.ones(64)}, path)
    assert [fault.tensor for fault in gpt2calc.verify(path).faults] == ["gpt.transformer.h.1.ln_3.weight"]


def test_a_model_that_is_there_twice_under_two_prefixes_is_refused(tmp_path: Path) -> None:
    """One is verified at a time, and nobody says which."""
    path = tmp_path / "file.safetensors"
    save_file(within("policy.", {}) | within("reference.", {}), path)
    with pytest.raises(UnreadableInputError, match="a GPT-2 is found under 2 prefixes"):
        gpt2calc.verify(path)


@pytest.mark.parametrize("prefix", ["policy", "policy.", "policy.transformer."])
def test_a_prefix_that_is_said_is_the_model_and_the_rest_is_left_aside(prefix: str, tmp_path: Path) -> None:
    """Of two, with and without the dot at its end, with a config and without."""
    path = tmp_path / "file.safetensors"
    save_file(within("policy.", {"value.weight": (64, 1)}) | within("reference.", {}), path)
    size = len(within("", {}))
    sizes = {"n_layer": 2, "n_embd": 64, "n_positions": 8, "vocab_size": 32}
    for found in (gpt2calc.verify(path, prefix=prefix), gpt2calc.verify(path, sizes, prefix=prefix)):
        assert found.matches, found.verdict
        assert found.verdict.endswith(f"GPT-2 found under policy., {size + 1} other tensors left aside")
    assert gpt2calc.infer(path, prefix="reference").n_layer == 2


def test_the_model_at_the_top_is_said_by_an_empty_prefix(tmp_path: Path) -> None:
    """Where another stands beside it, as an average of the weights does."""
    path = tmp_path / "file.safetensors"
    save_file(within("", {}) | within("ema.", {}), path)
    with pytest.raises(UnreadableInputError, match=r"a GPT-2 is found under 2 prefixes, ema\., none: --prefix says"):
        gpt2calc.verify(path)
    found = gpt2calc.verify(path, prefix="")
    assert found.matches, found.verdict
    assert found.verdict.endswith("GPT-2 found among them, 28 other tensors left aside")
    for found in (
        gpt2calc.verify(path, prefix="ema"),
        gpt2calc.verify(path, gpt2calc.infer(path, prefix=""), prefix="ema"),
    ):
        assert found.matches, found.verdict
        assert found.verdict.endswith("GPT-2 found under ema., 28 other tensors left aside")


def test_a_prefix_that_nothing_stands_under_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """Or with those that there are."""
    path = tmp_path / "file.safetensors"
    save_file(within("policy.", {}) | within("reference.", {}), path)
    with pytest.raises(
        UnreadableInputError, match=r"of a GPT-2 stands under the prefix 'polcy': did you mean policy.\?"
    ):
        gpt2calc.verify(path, prefix="polcy")
    with pytest.raises(UnreadableInputError, match=r"the prefix 'x': it is found under 2 prefixes, policy., reference"):
        gpt2calc.verify(path, prefix="x")


def test_as_many_prefixes_as_there_are_names_take_the_time_of_the_names() -> None:
    """A file of 20,000 token embeddings, each behind a prefix of its own, is refused at once."""
    tensors = tuple(StoredTensor(f"p{number}.wte.weight", (2, 2), "F32", 16) for number in range(20_000))
    with pytest.raises(UnreadableInputError, match=r"20000 prefixes, p0\., p1\., p2\. among them"):
        naming.find(TensorListing("many", "safetensors", tensors), DIALECTS, "a GPT-2")


def test_no_name_of_a_file_is_kept_after_its_verdict(tmp_path: Path) -> None:
    """They are a stranger's, and may be long."""
    path = folder(tmp_path, plain("huggingface").tensors)
    for ask in (gpt2calc.verify, gpt2calc.infer):
        keyed(f"h.0.of a file before {ask}")
        ask(path)
        assert keyed.cache_info().currsize == 0
