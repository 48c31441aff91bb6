"""What a file merely states, a number in a name or in a config, costs no time: work follows what the file holds."""

from __future__ import annotations

import difflib
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import gpt2calc
from gpt2calc import tensor_table
from gpt2calc.architectures import gpt2
from gpt2calc.checkpoints import folders
from gpt2calc.dialects import DIALECTS
from gpt2calc.listing import Fault, StoredTensor, TensorListing
from gpt2calc.verification import assignment, findings, naming, oracles, tying
from gpt2calc.verification.inference import infer
from tests import faults
from tests.goods import plain
from tests.makers import safetensors
from tests.test_faults import FORMATS
from tests.test_hostile import limited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no timers to set")

BILLION = {"n_layer": 10**9, "n_embd": 4, "n_positions": 2, "vocab_size": 3, "n_head": 2}
"""A config that says what no file holds."""

LAST = 10**9 - 1
NAMES = {"gguf": f"blk.{LAST}.attn_norm.weight", "tensorflow": f"model/h{LAST}/ln_1/g"}
"""The largest number of a block that a name can have, in the names of formats that have their own."""


class TooLongError(BaseException):
    """Raised by the timer; nothing catches it by catching every Exception."""


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """End a test after eight seconds of processor time, where a loop over a stated number takes hours."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, 8)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)


def test_the_timer_ends_a_loop() -> None:
    """So the tests below can fail."""
    signal.setitimer(signal.ITIMER_PROF, 0.1)
    with pytest.raises(TooLongError):
        sum(block for block in range(10**9))


def blocks_in(path: Path, *blocks: int, name: str = "h.{}.ln_1.weight") -> str:
    """Write a file with one tensor a block."""
    target = path / "model.safetensors"
    safetensors.write(target, [(name.format(block), "F32", (4,)) for block in blocks])
    return str(target)


def names_of(found: gpt2calc.Verification) -> list[str]:
    """Return what is named as wrong."""
    return [fault.tensor for fault in found.faults]


# One tensor in the billionth block


@pytest.mark.parametrize("form", FORMATS)
def test_a_block_far_above_all_others_is_a_stranger(tmp_path: Path, form: str) -> None:
    """Without a config there are as many blocks as are there, and not as many as the largest number says."""
    name = NAMES.get(form, f"h.{LAST}.ln_1.weight")
    target = FORMATS[form][0](tmp_path, [(name, "F32", (4,))])
    found = gpt2calc.verify(target)
    assert gpt2calc.infer(target).n_layer == found.dims.n_layer == 0
    assert (name, "the model has 0 blocks, numbered from 0") in [(x.tensor, x.message) for x in found.faults]


@pytest.mark.parametrize("form", FORMATS)
def test_a_config_of_a_billion_blocks_is_answered(tmp_path: Path, form: str) -> None:
    """What is missing is listed for the block that is there and a few others, and summed up for the rest."""
    name = NAMES.get(form, f"h.{LAST}.ln_1.weight")
    target = FORMATS[form][0](tmp_path, [(name, "F32", (4,))])
    found = gpt2calc.verify(target, BILLION)
    (rest,) = [fault for fault in found.faults if fault.tensor.startswith("blocks")]
    assert rest.tensor == "blocks 17 to 999,999,998"
    assert (rest.expected, rest.got) == ("1,000,000,000 blocks", "1")
    assert name not in names_of(found)
    assert len(found.faults) < 18 * 13
    assert found.more == 0


def test_a_config_beside_the_file_is_believed_as_little(tmp_path: Path) -> None:
    """The same by a config.json in the folder, and of a state_dict in memory."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **BILLION}))
    for target in (blocks_in(tmp_path, LAST), {f"h.{LAST}.ln_1.weight": torch.zeros(4)}):
        found = gpt2calc.verify(target) if isinstance(target, str) else gpt2calc.verify(target, BILLION)
        assert "blocks 17 to 999,999,998" in names_of(found)


@pytest.mark.parametrize(
    ("blocks", "n_layer"),
    [
        ((0, 1, 2), 3),
        ((0, 1, 3), 4),
        ((17,), 18),
        ((18,), 0),
        ((0, 1, 2, 23), 24),
        ((0, 1, 2, 24), 3),
        ((0, 1, 2, LAST), 3),
        ((0, LAST - 1, LAST), 1),
    ],
)
def test_a_block_counts_where_about_half_of_those_below_it_are_there(
    tmp_path: Path, blocks: tuple[int, ...], n_layer: int
) -> None:
    """16 may be missing, and as many again as are there; so a file that lost blocks is still a model with those."""
    assert gpt2calc.infer(blocks_in(tmp_path, *blocks)).n_layer == n_layer


def test_names_of_stacked_tensors_without_a_stack_are_a_model_without_blocks(tmp_path: Path) -> None:
    """llm.c's names give n_layer by a shape, and there may be none that gives it."""
    safetensors.write(tmp_path / "x.safetensors", [("wte", "F32", (3, 4)), ("lnfw", "F32", (4,))])
    assert gpt2calc.infer(str(tmp_path / "x.safetensors")).n_layer == 0


# What is listed one by one


def test_a_missing_block_is_named_tensor_by_tensor(tmp_path: Path) -> None:
    """One in the middle, and ten at the end."""
    for missing in ({5}, set(range(10, 20))):
        kept = [block for block in range(20) if block not in missing]
        found = gpt2calc.verify(blocks_in(tmp_path, *kept), {**BILLION, "n_layer": 20, "bias": False})
        assert {f"h.{block}.mlp.c_fc.weight" for block in missing} <= set(names_of(found))
        assert not any(name.startswith("blocks") for name in names_of(found))


def test_blocks_in_several_places_are_summed_up_in_one_fault(tmp_path: Path) -> None:
    """As many that are missing as are there, and 16, are listed; the rest are runs, of which three are given."""
    config = {**BILLION, "n_layer": 1000}
    found = gpt2calc.verify(blocks_in(tmp_path, 0, 1, 700, 702), config)
    assert "blocks 22 to 699, 701, 703 to 999" in names_of(found)
    assert {"h.21.ln_1.weight", "h.700.ln_1.bias"} <= set(names_of(found))
    found = gpt2calc.verify(blocks_in(tmp_path, 500, 600, 700, 800, 900), config)
    assert "blocks 21 to 499, 501 to 599, 601 to 699 and 3 runs more" in names_of(found)


def test_no_more_is_listed_than_a_report_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing beyond is counted, and not made: a file of a block a tensor lacks twelve times what it holds."""
    made: list[Fault] = []

    def counted(*facts: str) -> Fault:
        made.append(Fault(*facts))
        return made[-1]

    monkeypatch.setattr(findings, "Fault", counted)
    found = gpt2calc.verify(blocks_in(tmp_path, *range(500)))
    assert len(made) < findings.MOST_FAULTS + 10
    assert len(found.faults) + found.more == tensor_table.size(found.dims) - 500


@pytest.mark.parametrize("good", ["bare", "nanogpt", "raschka", "openai", "gguf"])
def test_what_is_counted_is_what_would_be_listed(good: str) -> None:
    """For every tensor that is dropped, `lacking` is how many names `missing` gives."""
    tensors = plain(good).tensors
    for planted in faults.single(tensors):
        found = assigned(planted.tensors)
        assert found.lacking == len(list(found.missing()))


def assigned(tensors: list[faults.Tensor]) -> assignment.Assignment:
    """Assign the tensors of a checkpoint by its own shapes."""
    stored = tuple(StoredTensor(name, shape, dtype, 0) for name, dtype, shape in tensors)
    listing = TensorListing("x", "made", stored)
    names = naming.find(listing, DIALECTS, "a GPT-2")
    assert names is not None
    found = infer(listing, names)
    return assignment.assign(listing, found.reading, gpt2.model(found.dims), found.fields["n_head"])


# Many tensors, within the limits of the formats


def in_a_header(folder: Path) -> Path:
    """Write 12,000 blocks into a header of safetensors."""
    return Path(blocks_in(folder, *range(12_000)))


def in_a_pickle(folder: Path) -> Path:
    """Write 49,000 blocks into a file of PyTorch."""
    names = map("h.{}.ln_1.weight".format, range(49_000))
    torch.save(dict.fromkeys(names, torch.zeros(0)), folder / "x.pt")
    return folder / "x.pt"


FULL = {"safetensors": in_a_header, "torch": in_a_pickle}


@pytest.mark.parametrize("form", FULL)
def test_as_many_blocks_as_fit_are_judged_in_time(tmp_path: Path, form: str) -> None:
    """About as many as either may hold."""
    (ran,) = limited([FULL[form](tmp_path)])
    assert ran.code == 1, ran.stderr[-500:]
    assert len(ran.stdout) < 5000


def test_strangers_are_compared_without_what_all_names_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 at most, with 60 names, and none of more than 120 characters, whatever stands before all names."""
    wrapper = "model." * 40
    lengths = []
    compare = difflib.get_close_matches

    def counted(name: str, names: list[str], *rest: Any) -> list[str]:
        lengths.append(max(map(len, (name, *names))))
        assert len(names) <= 60
        return compare(name, names, *rest)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    names = [f"{wrapper}h.{block}.ln_1.weight" for block in range(40)]
    names += [f"{wrapper}h.x{n}.ln_1.weight" for n in range(30)]
    names += [f"h.x{n}.".ljust(130, "y") for n in range(9)]
    safetensors.write(tmp_path / "x.safetensors", [(name, "F32", (4,)) for name in names])
    found = gpt2calc.verify(str(tmp_path / "x.safetensors"))
    assert 30 <= len(lengths) <= 60
    assert max(lengths) <= 120
    assert any("which is missing?" in fault.message and wrapper in fault.message for fault in found.faults)


@pytest.mark.parametrize("form", FORMATS)
def test_a_name_of_301_characters_is_refused_in_every_format(tmp_path: Path, form: str) -> None:
    """And one of 300 is not, though it is a stranger's."""
    known = (NAMES.get(form, "h.0.ln_1.weight").replace(str(LAST), "0"), "F32", (4,))
    assert "x" * 300 in names_of(gpt2calc.verify(FORMATS[form][0](tmp_path, [known, ("x" * 300, "F32", (4,))])))
    with pytest.raises(gpt2calc.UnreadableInputError, match=r"of at most 300 (characters|bytes), got "):
        gpt2calc.verify(FORMATS[form][0](tmp_path, [known, ("x" * 301, "F32", (4,))]))


# A head that is stored beside wte


def doubled(path: Path, rows: int) -> str:
    """Write a file of holes, with wte and lm_head of so many rows of 4 KiB, each a 1 and zeros."""
    shape = (rows, 1024)
    header = safetensors.header([(name, "F32", shape) for name in ("wte.weight", "lm_head.weight")])
    with open(path / "x.safetensors", "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for matrix in range(2):  # zeros alone would tell nothing
            file.seek(8 + len(header) + matrix * rows * 4096)
            file.write(b"\x00\x00\x80\x3f")
        file.truncate(8 + len(header) + 2 * rows * 4096)
    return str(path / "x.safetensors")


def test_a_head_is_compared_unasked_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it nothing is read, and a note says how to go on."""
    assert tying.MOST_UNASKED_BYTES > 4 * 50257 * 1600, "gpt2-xl in float32 is within"
    monkeypatch.setattr(tying, "MOST_UNASKED_BYTES", 2 << 20)
    target = doubled(tmp_path, 512)
    assert gpt2calc.verify(target).dims.tie_word_embeddings
    target = doubled(tmp_path, 513)
    monkeypatch.setattr(tying, "_compared", lambda *_: pytest.fail("it was read"))
    found = gpt2calc.verify(target)
    said = "lm_head.weight is stored beside wte.weight, and they are larger than 2 MiB, so that only gpt2calc verify"
    assert any(note == f"{said} --tying compares them: it is taken as untied" for note in found.notes)
    assert not found.dims.tie_word_embeddings
    config = {"n_layer": 0, "n_embd": 1024, "n_positions": 1, "vocab_size": 513}
    found = gpt2calc.verify(target, config)
    assert any(note.endswith("--tying compares them: it is taken as tied") for note in found.notes)


def test_a_head_of_any_size_is_compared_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--tying` has no bound."""
    monkeypatch.setattr(tying, "MOST_UNASKED_BYTES", 2 << 20)
    found = gpt2calc.verify(doubled(tmp_path, 513), tying=True)
    assert found.tying
    assert found.tying.verdict == tying.TWICE


# Other numbers


def test_transformers_is_let_build_a_thousand_blocks(tmp_path: Path) -> None:
    """A config that is verified alone is built, and more blocks take longer than a person waits."""
    target = tmp_path / "config.json"
    target.write_text(json.dumps({"model_type": "gpt2", **BILLION}))
    with pytest.raises(gpt2calc.ConfigError, match="at most 1,000 blocks for transformers to build, got 1,000,000,000"):
        gpt2calc.verify(target)


@pytest.mark.parametrize("size", [10**12, 10**30])
def test_sizes_that_torch_has_no_numbers_for_are_said_in_a_sentence(tmp_path: Path, size: int) -> None:
    """A config that is verified alone, whose matrices have more bytes than a number of 64 bits counts."""
    target = tmp_path / "config.json"
    target.write_text(json.dumps({"model_type": "gpt2", **BILLION, "n_layer": 1, "n_embd": size, "vocab_size": size}))
    with pytest.raises(gpt2calc.ConfigError, match="transformers cannot build it: "):
        gpt2calc.verify(target)


def test_transformers_makes_no_weights_that_no_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder whose config asks for more than its files hold, the tensors are loaded and not a model."""
    monkeypatch.setattr(oracles, "_from_pretrained", lambda *_: pytest.fail("it was built"))
    blocks_in(tmp_path, 0)
    config = {**BILLION, "n_layer": 1, "n_embd": 10**6}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **config}))
    found = gpt2calc.verify(str(tmp_path), evidence="weights")
    assert not found.matches
    assert "1 tensors, loaded by torch" in found.observations[-1].how


def test_only_names_that_may_be_a_checkpoints_are_held_against_patterns() -> None:
    """A folder has a hundred thousand others."""
    names = [f"{n}.txt" for n in range(100_000)]
    assert folders.choose("x", [*names, "model.safetensors"]).name == "model.safetensors"
    for rank in folders.RANKS:
        assert rank.pattern.endswith(tuple(end.replace(".", r"\.") for end in folders.ENDINGS)) or "pth" in rank.pattern
