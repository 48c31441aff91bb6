"""Values: statistics of one pass against exact arithmetic, in every dtype, whatever the pieces they come in."""

from __future__ import annotations

import json
import sys
from collections import Counter
from fractions import Fraction
from math import frexp, inf, isfinite, isnan, nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import gpt2calc
from gpt2calc.errors import install
from gpt2calc.listing import FLOATS, StoredTensor, TensorListing
from gpt2calc.verification import values
from gpt2calc.verification.decoding import as_float64
from tests.makers import safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.verification.values import ComponentStatistics

TORCH = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
}
NUMPY = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


def summarised(path: Path, content: bytes, dtype: str) -> dict[str, Any]:
    """Return the statistics of one tensor, as JSON has them."""
    file = path / "values"
    file.write_bytes(b"before" + content + b"after")
    size = len(content) // (torch.empty(0, dtype=TORCH[dtype]).element_size())
    tensor = StoredTensor("x", (size,), dtype, len(content), str(file), len(b"before"))
    listing = TensorListing("values", "test", (tensor,), ())
    parts = values.report(listing, {"x": ("wte", "weight")}).to_dict()["components"]
    found: dict[str, Any] = parts[0] if parts else {}
    return found


def check(found: dict[str, Any], numbers: list[float]) -> None:
    """Hold statistics against exact arithmetic: counts to the last one, moments to what float64 can say."""
    finite = [x for x in numbers if isfinite(x)]
    assert found["count"] == len(numbers)
    assert found["nan"] == sum(map(isnan, numbers))
    assert (found["inf"], found["negative_inf"]) == (numbers.count(inf), numbers.count(-inf))
    assert found["zeros"] == sum(x == 0 for x in finite)
    sizes = Counter(frexp(x)[1] - 1 for x in finite if x)
    assert {each["exponent"]: each["count"] for each in found["histogram"]} == sizes
    if not finite:
        assert (found["mean"], found["std"], found["min"], found["max"]) == (None,) * 4
        return
    assert (found["min"], found["max"]) == (min(finite), max(finite))
    ratios = [x.as_integer_ratio() for x in finite]
    scale = max(below for _, below in ratios)  # powers of 2, so whole numbers are exact, and faster than fractions
    whole = [above * (scale // below) for above, below in ratios]
    mean = Fraction(sum(whole), len(whole) * scale)
    squares = sum(x * x for x in whole)
    std = sqrt(Fraction(len(whole) * squares - sum(whole) ** 2, (len(whole) * scale) ** 2))
    largest = max(map(abs, finite))
    assert found["mean"] == pytest.approx(float(mean), rel=1e-12, abs=1e-14 * largest)
    assert found["std"] == pytest.approx(std, rel=1e-9, abs=1e-8 * largest)


@pytest.mark.parametrize("dtype", ["F16", "BF16", "F8_E4M3", "F8_E5M2"])
def test_every_number_of_a_narrow_dtype_is_what_torch_says(tmp_path: Path, dtype: str) -> None:
    """All 65,536 patterns of 16 bits, all 256 of 8: NaN, Inf, zeros of both signs, and the smallest numbers."""
    eight = dtype.startswith("F8")
    patterns = np.arange(256 if eight else 65536, dtype=np.uint8 if eight else np.uint16)
    judged = torch.frombuffer(bytearray(patterns.tobytes()), dtype=TORCH[dtype]).to(torch.float64).numpy()
    ours = as_float64(patterns.tobytes(), dtype)
    assert np.array_equal(ours, judged, equal_nan=True)
    number = ~np.isnan(judged)
    assert np.array_equal(np.signbit(ours[number]), np.signbit(judged[number]))
    found = summarised(tmp_path, patterns.tobytes(), dtype)
    finite = judged[np.isfinite(judged)]
    assert (found["count"], found["zeros"]) == (patterns.size, 2)
    assert found["nan"] == int(np.isnan(judged).sum())
    assert (found["min"], found["max"]) == (finite.min(), finite.max())
    check(found, judged.tolist())


def test_each_dtype_of_the_listing_is_read() -> None:
    """None is left to be found missing by a user."""
    assert set(TORCH) == FLOATS


SPECIAL = [0.0, -0.0, 1.0, -1.5, nan, inf, -inf, 1e-45, -1.1754942e-38, 1.1754944e-38, 3.4e38, -3.4e38, 0.02]


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("count", [1, 2, 3, 2047, 2048, 2049])
def test_special_numbers_are_counted_and_left_out_of_the_moments(tmp_path: Path, dtype: str, count: int) -> None:
    """NaN, Inf, zeros, and numbers so small that their mantissas say their sizes."""
    with np.errstate(over="ignore"):
        numbers = np.array((SPECIAL * (count // len(SPECIAL) + 1))[:count], NUMPY[dtype])
    check(summarised(tmp_path, numbers.tobytes(), dtype), numbers.astype(float).tolist())


@pytest.mark.parametrize("special", [nan, inf, -inf, 0.0])
@pytest.mark.parametrize("dtype", NUMPY)
def test_nothing_but_special_numbers(tmp_path: Path, dtype: str, special: float) -> None:
    """There is no mean of what is not finite; the mean of zeros is 0."""
    numbers = np.full(5, special, NUMPY[dtype])
    check(summarised(tmp_path, numbers.tobytes(), dtype), numbers.astype(float).tolist())


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("dtype", sorted(FLOATS))
def test_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, more: int) -> None:
    """One number less than a piece, a piece, one more: the same as in one piece."""
    monkeypatch.setattr(values, "PIECE", 1 << 12)
    size = torch.empty(0, dtype=TORCH[dtype]).element_size()
    count = 3 * (1 << 12) // size + more
    numbers = torch.randn(count, generator=torch.Generator().manual_seed(count)).mul(0.02).to(TORCH[dtype])
    content = numbers.view(torch.uint8).numpy().tobytes()
    check(summarised(tmp_path, content, dtype), numbers.to(torch.float64).tolist())


@pytest.mark.parametrize("offset", [0.0, 1.0, 1000.0, -(2.0**20)])
def test_a_mean_far_from_zero_costs_the_deviation_nothing(tmp_path: Path, offset: float) -> None:
    """Squares about the mean do not cancel, whether all is one piece or many."""
    numbers = (np.random.default_rng(0).normal(0, 1, 600_000) + offset).astype(np.float32)
    found = summarised(tmp_path, numbers.tobytes(), "F32")
    judged = numbers.astype(np.float64)
    assert found["mean"] == pytest.approx(float(judged.mean()), rel=1e-13, abs=1e-13)
    assert found["std"] == pytest.approx(float(judged.std()), rel=1e-9)


@given(numbers=arrays.arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)))
def test_any_numbers(tmp_path_factory: pytest.TempPathFactory, numbers: Any) -> None:
    """Hypothesis draws NaN, Inf, zeros and numbers of every size."""
    check(summarised(tmp_path_factory.mktemp("any"), numbers.tobytes(), "F32"), numbers.astype(float).tolist())


@pytest.mark.parametrize("numbers", [[1e200, -1e200, 1.0], [1.7e308] * 4, [1.7e308, -1.7e308]])
@pytest.mark.parametrize("piece", [8, 1 << 12])
def test_moments_that_do_not_fit_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[float], piece: int
) -> None:
    """JSON has no NaN and no Inf; the extremes and the counts stand."""
    monkeypatch.setattr(values, "PIECE", piece)
    path = tmp_path / "values"
    path.write_bytes(np.array(numbers).tobytes())
    size = len(numbers)
    tensor = StoredTensor("x", (size,), "F64", 8 * size, str(path), 0)
    found = values.report(TensorListing("values", "test", (tensor,), ()), {"x": ("wte", "weight")})
    part = found.to_dict()["components"][0]
    assert json.loads(json.dumps(part, allow_nan=False)) == part
    assert (part["min"], part["max"], part["count"]) == (min(numbers), max(numbers), size)
    assert part["std"] is None or part["std"] == 0
    shown = [str(cell) for table in found.tables() for row in table.rows for cell in row or ()]
    assert not {"nan", "inf", "-inf"} & set(shown)


@pytest.mark.parametrize(("shape", "stride"), [((2, 3), (5, 0)), ((3, 3), (0, 4)), ((3, 3), (2, 2)), ((6,), (0,))])
def test_a_view_that_repeats_elements_is_passed_over(
    tmp_path: Path, shape: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    """Though it may reach over as many elements as it has."""
    path = tmp_path / "values"
    path.write_bytes(bytes(64))
    tensor = StoredTensor("x", shape, "F32", 8, str(path), 0, "s", stride)
    with pytest.raises(gpt2calc.ConfigError, match="is a view, whose elements do not lie side by side"):
        values.report(TensorListing("values", "test", (tensor,), ()), {"x": ("wte", "weight")})


def test_a_tensor_without_elements_has_no_statistics(tmp_path: Path) -> None:
    """A 0-wide MLP has no values."""
    assert summarised(tmp_path, b"", "F32") == {}


# Through the public call


def write(path: Path, tensors: list[safetensors.Tensor]) -> str:
    """Write a file whose numbers are 0, 1, 2 and so on, each from its own tensor's beginning."""
    target = path / "model.safetensors"
    safetensors.write(target, tensors)
    header = len(safetensors.framed(safetensors.header(tensors)))
    with target.open("r+b") as file:
        file.seek(header)
        for _, _, shape in tensors:
            file.write(np.arange(int(np.prod(shape)), dtype=np.float32).tobytes())
    return str(target)


TINY = safetensors.released(1, 2, n_positions=2, vocab_size=3)
CONFIG = {"n_layer": 1, "n_embd": 2, "n_positions": 2, "vocab_size": 3}


def parts(found: gpt2calc.Verification) -> dict[tuple[str, str], ComponentStatistics]:
    """Return the statistics by component and role."""
    return {(part.component, part.role): part for part in found.values.parts}


def test_weights_and_biases_are_apart_and_masks_are_none(tmp_path: Path) -> None:
    """Each component has its own numbers, each number is read once, and what is no parameter is not read."""
    found = gpt2calc.verify(write(tmp_path, TINY), CONFIG, values=True)
    by_part = parts(found)
    assert sum(part.summary.count for part in by_part.values()) == found.total
    assert by_part["mlp.c_fc", "weight"].summary.largest == 15
    assert by_part["mlp.c_fc", "bias"].summary.mean == 3.5
    assert by_part["wte", "weight"].summary.zeros == 1
    assert list(by_part)[:3] == [("wte", "weight"), ("wpe", "weight"), ("ln_1", "weight")]
    shown = found.to_dict()["values"]["components"]
    assert [(each["name"], each["role"]) for each in shown] == list(by_part)


def test_progress_is_told_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows to the whole, and ends there."""
    monkeypatch.setattr(values, "PIECE", 8)
    told: list[tuple[int, int]] = []
    found = gpt2calc.verify(write(tmp_path, TINY), CONFIG, values=True, progress=lambda *each: told.append(each))
    done = [each for each, _ in told]
    assert done == sorted(set(done))
    assert told[-1] == (4 * found.total,) * 2
    assert {whole for _, whole in told} == {4 * found.total}


def test_a_file_that_becomes_shorter_is_unreadable(tmp_path: Path) -> None:
    """What was promised by the header is not there."""
    path = tmp_path / "values"
    path.write_bytes(bytes(7))
    listing = TensorListing("values", "test", (StoredTensor("x", (2,), "F32", 8, str(path), 0),), ())
    with pytest.raises(gpt2calc.UnreadableInputError, match="it became shorter while it was read"):
        values.report(listing, {"x": ("wte", "weight")})


def test_what_cannot_be_read_is_passed_over_with_a_reason(tmp_path: Path) -> None:
    """A quantized matrix among floats, and a view with gaps, have no statistics; the others have."""
    path = tmp_path / "values"
    path.write_bytes(bytes(64))
    tensors = (
        StoredTensor("a", (2,), "F32", 8, str(path), 0),
        StoredTensor("b", (32,), "Q4_0", 18, str(path), 8),
        StoredTensor("c", (2, 2), "F32", 16, str(path), 8, "s", (4, 1)),
        StoredTensor("d", (2, 3), "F32", 24, str(path), 8, "s", (1, 2)),
    )
    roles = {tensor.name: ("wte", "weight") for tensor in tensors}
    found = values.report(TensorListing("values", "test", tensors, ()), roles)
    assert [part.summary.count for part in found.parts] == [2 + 6]
    assert found.passed_over == {
        "b": "is Q4_0, whose values are not decoded",
        "c": "is a view, whose elements do not lie side by side",
    }
    assert found.tables()[-1].headers == ("not read", "why")
    only = TensorListing("values", "test", tensors[1:2], ())
    with pytest.raises(gpt2calc.ConfigError, match="there are no values to read: b is Q4_0"):
        values.report(only, roles)


def test_only_a_file_on_this_machine_has_values_to_read() -> None:
    """A config has none, and those of a live model are its own."""
    for target in ("gpt2", torch.nn.Linear(2, 2).state_dict() | {"wte.weight": torch.zeros(3, 2)}):
        with pytest.raises(gpt2calc.Gpt2calcError):
            gpt2calc.verify(target, values=True)


def test_without_numpy_the_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    target = write(tmp_path, TINY)
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(gpt2calc.ConfigError) as caught:
        gpt2calc.verify(target, CONFIG, values=True)
    assert str(caught.value) == f"statistics of values need numpy: {install('values')}"


def test_the_smallest_sizes_are_one_line_for_people(tmp_path: Path) -> None:
    """Sixteen powers of two are shown, and what is below them is summed; JSON has each."""
    numbers = np.ldexp(np.ones(40, np.float32), -np.arange(40))
    path = tmp_path / "values"
    path.write_bytes(numbers.tobytes())
    listing = TensorListing("values", "test", (StoredTensor("x", (40,), "F32", 160, str(path), 0),), ())
    table = values.report(listing, {"x": ("wte", "weight")}).tables()[1]
    assert [row[0] for row in table.rows if row][-2:] == ["2^-15 to 2^-14", "less than 2^-15, not 0"]
    assert [row[1] for row in table.rows if row] == [1] * 16 + [24]
