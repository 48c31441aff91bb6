"""Tying: a head is tied by structure, equal bit by bit, or untied, and its correlation is that of the article."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.listing import StoredTensor
from gpt2calc.verification import tying
from tests.goods import X, plain
from tests.makers import safetensors

if TYPE_CHECKING:
    from pathlib import Path

V, D = 31, 12


def stored(path: Path, name: str, matrix: Any, dtype: str = "F32") -> StoredTensor:
    """Write a matrix to a file of its own, behind a few other bytes."""
    file = path / name
    file.write_bytes(b"before" + matrix.tobytes())
    return StoredTensor(name, matrix.shape, dtype, matrix.nbytes, str(file), len(b"before"))


def matrix(seed: int = 0, rows: int = V) -> Any:
    """Return a matrix of normal numbers."""
    return np.random.default_rng(seed).normal(0, 1, (rows, D)).astype(np.float32)


def test_no_second_matrix_is_tied(tmp_path: Path) -> None:
    """As in the released files."""
    found = tying.examine(stored(tmp_path, "wte", matrix()), None, bits=True, asked=True)
    assert (found.tied, found.verdict, found.reason) == (True, "tied", "no second matrix is stored")


def test_one_storage_under_two_names_is_tied() -> None:
    """As in a state_dict; its values are not looked at."""
    wte = StoredTensor("wte", (V, D), "F32", 4 * V * D, storage="7", offset=0)
    found = tying.examine(wte, wte._replace(name="lm_head"), bits=False, asked=False)
    assert (found.tied, found.verdict, found.structure) == (True, "tied", "both names are one storage")
    other = wte._replace(name="lm_head", offset=4)
    assert tying.examine(wte, other, bits=False, asked=False).tied is None


@pytest.mark.parametrize("at_once", [1, 48, 100, 1 << 20])
@pytest.mark.parametrize("turned", [False, True])
def test_equal_bits_are_one_matrix_stored_twice(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    turned: bool,  # noqa: FBT001  # a case
) -> None:
    """In pieces of any size, and where the head is stored as [d, V]."""
    monkeypatch.setattr(tying, "AT_ONCE", at_once)
    wte, head = matrix(), matrix().T.copy() if turned else matrix()
    found = tying.examine(stored(tmp_path, "wte", wte), stored(tmp_path, "head", head), bits=True, asked=True)
    assert (found.tied, found.verdict, found.bits) == (True, "equal but stored twice", "every bit is the same")
    assert found.correlation == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("place", [(0, 0), (0, D - 1), (17, 5), (V - 1, D - 1)])
@pytest.mark.parametrize("layout", ["as wte", "turned"])
@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_the_first_difference_is_named(tmp_path: Path, place: tuple[int, int], layout: str, dtype: str) -> None:
    """One bit is enough, wherever it is."""
    wte = matrix().astype({"F32": np.float32, "F16": np.float16}[dtype])
    head = wte.copy()
    bits = head.view({"F32": np.uint32, "F16": np.uint16}[dtype])
    bits[place] ^= 1
    head = head.T.copy() if layout == "turned" else head
    found = tying.examine(
        stored(tmp_path, "wte", wte, dtype), stored(tmp_path, "head", head, dtype), bits=True, asked=False
    )
    assert (found.tied, found.verdict) == (False, "untied")
    assert found.reason == "they first differ in row {}, column {}".format(*place)
    assert found.correlation is None


def test_the_correlation_is_numpys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces, in float64, for matrices that are alike, opposite, shifted or have nothing to do with each other."""
    monkeypatch.setattr(tying, "AT_ONCE", 7 * D * 4)
    wte = matrix()
    for other in (wte + 0.5 * matrix(1), -wte + 3, matrix(2), 1e6 + wte):
        head = other.astype(np.float32)
        found = tying.examine(stored(tmp_path, "wte", wte), stored(tmp_path, "head", head), bits=True, asked=True)
        judged = np.corrcoef(wte.ravel().astype(np.float64), head.ravel().astype(np.float64))[0, 1]
        assert found.correlation == pytest.approx(judged, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_what_does_not_vary_or_is_not_finite_has_no_correlation(tmp_path: Path, value: float) -> None:
    """It is not defined, and not 0 or 1."""
    head = np.full((V, D), value, np.float32)
    found = tying.examine(stored(tmp_path, "wte", matrix()), stored(tmp_path, "head", head), bits=True, asked=True)
    assert (found.verdict, found.correlation) == ("untied", None)


def test_bfloat16_is_correlated_too(tmp_path: Path) -> None:
    """Its numbers are decoded, exactly."""
    wte, head = (torch.tensor(matrix(seed)).bfloat16() for seed in (0, 1))
    places = [
        stored(tmp_path, name, each.view(torch.uint16).numpy(), "BF16") for name, each in (("a", wte), ("b", head))
    ]
    judged = np.corrcoef(wte.double().numpy().ravel(), head.double().numpy().ravel())[0, 1]
    assert tying.examine(*places, bits=True, asked=True).correlation == pytest.approx(judged, rel=1e-12)


def test_of_a_padded_vocabulary_the_rows_of_both_are_compared(tmp_path: Path) -> None:
    """The rows beyond the shorter one are in neither's place."""
    wte, head = matrix(rows=V + 9), matrix(rows=V + 9)[:V]
    found = tying.examine(stored(tmp_path, "wte", wte), stored(tmp_path, "head", head), bits=True, asked=False)
    assert found.verdict == "equal but stored twice"
    assert found.reason == "every bit is the same in the 31 rows that both have, of 40"


@pytest.mark.parametrize("dtype", ["I32", "I64", "BOOL"])
def test_bits_that_are_no_floats_are_compared_and_not_correlated(tmp_path: Path, dtype: str) -> None:
    """A file may hold a matrix of integers, and be asked for its tying all the same."""
    numbers = matrix().astype({"I32": np.int32, "I64": np.int64, "BOOL": np.uint8}[dtype])
    places = [stored(tmp_path, name, numbers, dtype) for name in ("wte", "lm_head")]
    found = tying.examine(*places, bits=True, asked=True)
    assert (found.verdict, found.correlation) == ("equal but stored twice", None)


@pytest.mark.parametrize("scale", [1e100, 1e-90])
def test_squares_that_fit_need_no_product_that_fits(tmp_path: Path, scale: float) -> None:
    """The sums of the squares lie within float64, and the product of the two does not."""
    numbers = matrix().astype(np.float64) * scale
    places = [stored(tmp_path, name, numbers, "F64") for name in ("wte", "lm_head")]
    assert tying.examine(*places, bits=True, asked=True).correlation == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("wte", "head", "most"),
    [
        ((2, 100_000), (2, 100_000), 210),
        ((2, 100_000), (100_000, 2), 500),
        ((2, 100_000), (100_000, 3), 700),
        ((100_000, 2), (2, 100_000), 500),
        ((300, 400), (400, 300), 8000),
    ],
)
def test_what_is_read_at_a_time_does_not_grow_with_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wte: tuple[int, int], head: tuple[int, int], most: int
) -> None:
    """Neither does the number of reads, however wide a matrix is and whichever way it lies."""
    monkeypatch.setattr(tying, "AT_ONCE", 1 << 13)
    reads: list[int] = []

    class Counted(LocalFile):
        def read(self, offset: int, count: int) -> bytes:
            reads.append(count)
            return super().read(offset, count)

    monkeypatch.setattr(tying, "LocalFile", Counted)
    places = [stored(tmp_path, name, np.ones(shape, np.float32)) for name, shape in (("a", wte), ("b", head))]
    assert tying.examine(*places, bits=True, asked=False).verdict == "equal but stored twice"
    assert max(reads) <= 1 << 13
    assert len(reads) <= most


def test_the_first_difference_is_that_of_the_upper_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block on the left is compared before one on the right, whose difference may lie in a row further up."""
    monkeypatch.setattr(tying, "AT_ONCE", 100)
    numbers = np.arange(120, dtype=np.uint16).reshape(6, 20)
    head = numbers.copy()
    head[1, 0] += 1000
    head[0, 19] += 1000
    places = [stored(tmp_path, name, each, "F16") for name, each in (("a", numbers), ("b", head.T.copy()))]
    assert tying.examine(*places, bits=True, asked=False).reason == "they first differ in row 0, column 19"


@pytest.mark.parametrize("turned", [False, True])
def test_nothing_is_read_below_the_first_difference(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    turned: bool,  # noqa: FBT001  # a case
) -> None:
    """A head that is untied, as most that are stored are, costs a block and not a file."""
    monkeypatch.setattr(tying, "AT_ONCE", 400)
    reads: list[int] = []

    class Counted(LocalFile):
        def read(self, offset: int, count: int) -> bytes:
            reads.append(count)
            return super().read(offset, count)

    monkeypatch.setattr(tying, "LocalFile", Counted)
    wte, head = np.zeros((1000, D), np.float32), np.ones((1000, D), np.float32)
    places = [stored(tmp_path, name, each) for name, each in (("a", wte), ("b", head.T.copy() if turned else head))]
    assert tying.examine(*places, bits=True, asked=False).verdict == "untied"
    assert sum(reads) <= 4 * 400


@pytest.mark.parametrize(("turned", "place"), [(False, (999, D - 1)), (True, (0, 1))])
def test_bits_of_zeros_prove_nothing_and_one_that_is_set_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    turned: bool,  # noqa: FBT001  # a case
    place: tuple[int, int],
) -> None:
    """Wherever it is, in whichever block; in both matrices."""
    monkeypatch.setattr(tying, "AT_ONCE", 400)
    matrix = np.zeros((1000, D), np.float32)

    def verdict(name: str) -> str:
        head = matrix.T.copy() if turned else matrix
        both = [stored(tmp_path, f"{name}.{each}", values) for each, values in (("wte", matrix), ("head", head))]
        return tying.examine(*both, bits=True, asked=False).verdict

    assert verdict("zeros") == "not settled"
    matrix[place] = 1
    assert verdict("one") == "equal but stored twice"


@given(data=st.data())
def test_blocks_of_any_size_show_the_first_difference(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Of matrices of any shape, padded or not, turned or not, with any differences."""
    rows, width, padding = (data.draw(st.integers(1, most)) for most in (12, 12, 3))
    numbers = np.arange(1, rows * width + 1, dtype=np.uint16).reshape(rows, width)
    places = st.tuples(st.integers(0, rows - 1), st.integers(0, width - 1))
    differences = data.draw(st.sets(places, max_size=4))
    head = np.vstack([numbers, numbers])[: rows + padding].copy()
    for place in differences:
        head[place] += 1000
    if head.shape[0] != width and data.draw(st.booleans()):
        head = head.T.copy()
    path = tmp_path_factory.mktemp("blocks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tying, "AT_ONCE", data.draw(st.sampled_from([1, 2, 10, 40, 100, 1000])))
        patch.setattr(tying, "FEW_ROWS", data.draw(st.sampled_from([1, 4, 64])))
        wte = stored(path, "wte", numbers, "F16")
        found = tying.examine(wte, stored(path, "head", head, "F16"), bits=True, asked=False)
    if differences:
        assert found.reason == "they first differ in row {}, column {}".format(*min(differences))
    else:
        assert found.verdict == "equal but stored twice"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dtype": "F16"}, "wte is F32 and lm_head is F16"),
        ({"file": None}, "the values of lm_head lie in no file"),
        ({"dtype": "Q4_0"}, "lm_head is no matrix of numbers of their own, but Q4_0 of 2 axes"),
        ({"stride": (1, V)}, "lm_head is a view, whose elements do not lie row by row"),
        ({"shape": (5, 7)}, "their shapes are [31, 12] and [5, 7]"),
    ],
)
def test_what_cannot_be_compared_is_not_settled(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """The reason is given, and neither tied nor untied is claimed."""
    wte = stored(tmp_path, "wte", matrix())
    found = tying.examine(wte, wte._replace(name="lm_head", **change), bits=True, asked=True)
    assert (found.tied, found.verdict, found.reason) == (None, "not settled", reason)


def test_a_file_that_ends_too_early_is_unreadable(tmp_path: Path) -> None:
    """What the header promised is not there."""
    wte, head = (stored(tmp_path, name, matrix()) for name in ("wte", "lm_head"))
    (tmp_path / "lm_head").write_bytes(bytes(100))
    with pytest.raises(gpt2calc.UnreadableInputError):
        tying.examine(wte, head, bits=True, asked=False)


def test_without_numpy_the_bits_are_compared_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the correlation needs it, and says so."""
    wte, head = (stored(tmp_path, name, matrix()) for name in ("wte", "lm_head"))
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert tying.examine(wte, head, bits=True, asked=False).verdict == "equal but stored twice"
    with pytest.raises(gpt2calc.ConfigError, match=r"needs numpy: .* -m pip install numpy tqdm"):
        tying.examine(wte, head, bits=True, asked=True)


# Through the public call


def test_the_report_tells_the_three_ways(tmp_path: Path) -> None:
    """A head that is stored again in a file of zeros: their bits prove nothing, and no correlation is defined."""
    tensors = [*plain("huggingface").tensors, ("lm_head.weight", "F32", (X.vocab_size, X.n_embd))]
    safetensors.write(tmp_path / "model.safetensors", tensors)
    found = gpt2calc.verify(tmp_path / "model.safetensors", X.config(), tying=True)
    assert found.to_dict()["tying"] == {
        "verdict": "not settled",
        "reason": "both are all zeros, whose equal bits prove nothing",
        "structure": "a second matrix is stored, lm_head.weight",
        "bits": "both are all zeros, whose equal bits prove nothing",
        "correlation": None,
    }
    table = next(table for table in found.tables() if table.headers[0] == "weight tying")
    assert [row[0] for row in table.rows if row] == ["structure", "bits"]


def test_a_head_of_another_dtype_is_taken_as_the_config_says(tmp_path: Path) -> None:
    """It cannot be settled, and a note says what it is taken for."""
    tensors = [*plain("huggingface").tensors, ("lm_head.weight", "F16", (X.vocab_size, X.n_embd))]
    safetensors.write(tmp_path / "model.safetensors", tensors)
    found = gpt2calc.verify(tmp_path / "model.safetensors", X.config())
    assert any("it is taken as tied" in note for note in found.notes)
    assert [fault.kind for fault in found.faults] == ["dtype"]
