"""Whether a model fits into a memory: arithmetic done by hand, the three answers, and the change that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.cli.cost import KV_DTYPES
from gpt2calc.costs import cache_types, machines
from gpt2calc.costs.fitting import largest

if TYPE_CHECKING:
    from tests.conftest import Run

LLAMA, LLAMA_TOKEN = 8_030_261_248 * 2, 131_072
QWEN, QWEN_TOKEN = 596_049_920 * 2, 114_688
JAMBA, JAMBA_TOKEN, JAMBA_STATE = 51_570_323_328 * 2, 16_384, 28 * 8192 * (4 * 2 + 16 * 4)
XL, XL_TOKEN = 1_557_611_200 * 2, 307_200

CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "weights alone, nearly": ("Llama-3.1-8B", {"seq": 1}, LLAMA + LLAMA_TOKEN),
    "a long context": ("Llama-3.1-8B", {"seq": 131_072}, LLAMA + 131_072 * LLAMA_TOKEN),
    "a batch": ("Llama-3.1-8B", {"seq": 8192, "batch": 4}, LLAMA + 4 * 8192 * LLAMA_TOKEN),
    "a cache of eight bits": ("Llama-3.1-8B", {"seq": 8192, "kv_dtype": "fp8"}, LLAMA + 8192 * LLAMA_TOKEN // 2),
    "a cache of llama.cpp's, scales among it": (
        "Llama-3.1-8B",
        {"seq": 8192, "kv_dtype": "q8_0"},
        LLAMA + 8192 * LLAMA_TOKEN // 2 * 34 // 32,
    ),
    "float32": ("Qwen3-0.6B", {"seq": 100, "dtype": "fp32"}, 2 * QWEN + 100 * 2 * QWEN_TOKEN),
    "a hybrid": ("Jamba-v0.1", {"seq": 262_144, "batch": 2}, JAMBA + 2 * (262_144 * JAMBA_TOKEN + JAMBA_STATE)),
    "a GPT-2": ("gpt2-xl", {"seq": 1024}, XL + 1024 * XL_TOKEN),
    "windows": (
        "gpt-oss-20b",
        {"seq": 10_000},
        20_914_757_184 * 2 + 12 * (127 + 10_000) * 2 * 8 * 64 * 2,
    ),
    "a latent": ("DeepSeek-V3", {"seq": 4096}, 671_026_404_352 * 2 + 4096 * 61 * 576 * 2),
    "packed weights, as files hold them": (
        "gpt-oss-20b",
        {"seq": 100, "dtype": None},
        13_164_067_968 + 597_196_800 + 100 * 24 * 2 * 8 * 64 * 2,
    ),
    "every head of it": (
        "DeepSeek-V3",
        {"seq": 4096, "convention": "expanded"},
        671_026_404_352 * 2 + 4096 * 61 * 128 * 320 * 2,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_needed_is_what_a_hand_computes(case: str) -> None:
    """And it fits into just as much, and into no byte less."""
    model, words, needed = CASES[case]
    words = {"dtype": "bf16", **words}
    assert gpt2calc.fits(model, memory=needed, **words).answer == "fits"
    short = gpt2calc.fits(model, memory=needed - 1, **words)
    assert (short.answer, short.needed, short.left) == ("does not fit", needed, -1)


def test_a_reserve_makes_a_third_answer() -> None:
    """What fits into the reserve alone is told apart, and is no yes."""
    needed = QWEN + 1024 * QWEN_TOKEN
    words: dict[str, Any] = {"dtype": "bf16", "seq": 1024, "memory": needed + 1000}
    assert gpt2calc.fits("Qwen3-0.6B", reserve=1000, **words)
    within = gpt2calc.fits("Qwen3-0.6B", reserve=1001, **words)
    assert (within.answer, bool(within), within.left) == ("within the reserve", False, 1000)


def test_devices_hold_as_much_as_they_are_together() -> None:
    """And each of them keeps its reserve free."""
    fit = gpt2calc.fits("Llama-2-70B", hardware="h100-sxm", devices=2, reserve="1GB", seq=4096, dtype="bf16")
    assert (fit.memory, fit.reserve, fit.answer) == (160 * 10**9, 2 * 10**9, "fits")


def test_each_change_alone_is_the_largest_that_fits() -> None:
    """One token more, or one sequence more, no longer does."""
    words: dict[str, Any] = {"memory": "24GB", "dtype": "bf16"}
    fit = gpt2calc.fits("Llama-3.1-8B", seq=131_072, batch=2, **words)
    changes = {change.what: change.value for change in fit.changes}
    assert changes == {"context": (24 * 10**9 - LLAMA) // (2 * LLAMA_TOKEN)}
    assert gpt2calc.fits("Llama-3.1-8B", seq=changes["context"], batch=2, **words)
    assert not gpt2calc.fits("Llama-3.1-8B", seq=int(changes["context"]) + 1, batch=2, **words)
    many = gpt2calc.fits("Llama-3.1-8B", seq=8192, batch=10, **words)
    assert {change.what: change.value for change in many.changes} == {
        "context": (24 * 10**9 - LLAMA) // (10 * LLAMA_TOKEN),
        "batch": (24 * 10**9 - LLAMA) // (8192 * LLAMA_TOKEN),
        "kv-dtype": "fp8",
    }


@pytest.mark.parametrize("most", [1, 2, 3, 1000, 10**18])
def test_bisection_finds_the_last_number_that_holds(most: int) -> None:
    """As a walk over all of them would."""
    for limit in (0, 1, 2, 3, 7, most - 1, most, most + 1):
        assert largest(lambda n, limit=limit: n <= limit, 1, most) == (min(limit, most) if limit >= 1 else None)  # type: ignore[misc]


def test_a_type_that_packs_elements_takes_whole_blocks(run: Run) -> None:
    """And is refused where what a token leaves in a layer is none; the command offers every type that there is."""
    document = {"model_type": "llama", "hidden_size": 40, "num_attention_heads": 4, "num_hidden_layers": 1}
    with pytest.raises(
        gpt2calc.ConfigError, match="q8_0 packs 32 elements at a time, and a token leaves 80 in a layer"
    ):
        gpt2calc.serving(document, kv_dtype="q8_0", seq=1)
    assert gpt2calc.serving(document, kv_dtype="int4", seq=3).kv_bytes == 3 * 32 * 80 // 32 // 2
    short = gpt2calc.fits(document, kv_dtype="fp8", seq=9, memory=1, dtype="bf16")
    assert "kv-dtype" not in {change.what for change in short.changes}
    assert tuple(cache_types.BY_NAME) == KV_DTYPES
    found = run("fits", "Qwen3-0.6B", "--memory", "2GB", "--context", "9", "--kv-dtype", "q8")
    assert (found.code, found.stdout) == (2, "")
    assert "q8_0" in found.stderr
    latent = {"model_type": "minicpm3", "num_attention_heads": 5, "kv_lora_rank": 31, "qk_rope_head_dim": 33}
    with pytest.raises(
        gpt2calc.ConfigError, match="int4 packs 2 elements at a time, and a token leaves 375 in a layer"
    ):
        gpt2calc.serving({**latent, "qk_nope_head_dim": 10, "v_head_dim": 32}, kv_dtype="int4")  # of 64, expanded


def test_a_peak_with_sparsity_is_told_apart(run: Run) -> None:
    """It is twice the dense one, of matrices that nothing here multiplies; a machine's own is taken without a word."""
    for machine in machines.MACHINES:
        assert not machine.sparse or 0.98 < machine.sparse / (2 * machine.flops) < 1.02
        assert machine.flops != machine.sparse
        assert not machines.told_apart(machine.flops)
    found = run("cost", "gpt2", "--throughput", "150000", "--peak", "1979e12", "--json")
    assert "1979 TFLOP/s is what h100-sxm reaches with sparsity" in found.stdout


REFUSED: dict[str, tuple[list[str], str]] = {
    "no memory": (["gpt2"], "give memory, such as 24GB, or hardware, one of the two"),
    "both": (["gpt2", "--memory", "1GB", "--hardware", "h200"], "one of the two"),
    "nonsense": (["gpt2", "--memory", "lots"], "memory must be a number of bytes, such as 24GB or 24GiB, got 'lots'"),
    "a share": (["gpt2", "--memory", "22 %"], "memory must be a number of bytes"),
    "an unknown machine": (["gpt2", "--hardware", "h10"], "h100"),
    "a packing that is not known": (["{quantized}", "--memory", "1GB"], "quant_method 'hqq'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_judged_is_refused(case: str, run: Run, tmp_path: Any) -> None:
    """In one sentence, with exit code 2."""
    words, sentence = REFUSED[case]
    config = tmp_path / "config.json"
    config.write_text(
        '{"model_type": "llama", "quantization_config": {"quant_method": "hqq"}, "max_position_embeddings": 9}',
        encoding="utf-8",
    )
    found = run("fits", *(word.format(quantized=config) for word in words))
    assert (found.code, found.stdout) == (2, "")
    assert sentence in found.stderr


def test_the_exit_code_says_whether_it_fits(run: Run) -> None:
    """0 where it does, 1 where it does not; -q prints the answer alone."""
    found = run("fits", "Qwen3-0.6B", "--memory", "2GB", "--context", "1024", "-q")
    assert (found.code, found.stdout) == (0, "fits\n")
    found = run("fits", "Qwen3-0.6B", "--memory", "1GB", "--context", "1024", "-q")
    assert (found.code, found.stdout) == (1, "does not fit\n")


def test_a_gpt2_has_no_more_tokens_than_positions(run: Run) -> None:
    """Which it learned; where the positions of a model are no parameters, a note says so."""
    found = run("fits", "gpt2", "--memory", "24GB", "--context", "2048")
    assert (found.code, found.stdout) == (2, "")
    assert "2,048 tokens are more than n_positions 1,024" in found.stderr
    longer = gpt2calc.fits("Llama-3.1-8B", memory="1TB", seq=200_000)
    assert "200,000 tokens are more than max_position_embeddings 131,072" in longer.notes


def test_a_gpt1_has_no_cache() -> None:
    """Whatever it is called."""
    for model in ("openai-gpt", {"model_type": "openai-gpt"}):
        with pytest.raises(gpt2calc.ConfigError, match="keeps no keys and values of a GPT-1"):
            gpt2calc.serving(model)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2)])
def test_a_gpt2s_weights_are_in_what_its_config_says(dtype: str, size: int) -> None:
    """As those of any other model."""
    document = {"model_type": "gpt2", "n_layer": 1, "n_embd": 12, "n_head": 2, "vocab_size": 31, "torch_dtype": dtype}
    assert gpt2calc.serving(document).weights == size * gpt2calc.count(document).total


@pytest.mark.parametrize(
    "said",
    [
        {"quantization": {"bits": 4, "group_size": 64}},
        {"compression_config": {"format": "pack-quantized"}},
        {"quantization_config": {"quant_method": "mxfp4"}},
    ],
    ids=["MLX", "compressed-tensors", "MXFP4 of no experts"],
)
@pytest.mark.parametrize("model_type", ["llama", "gpt2"])
def test_a_packing_that_is_not_described_is_refused(model_type: str, said: dict[str, Any]) -> None:
    """And not taken for none; with a dtype, weights are counted in that."""
    document = {"model_type": model_type, "num_hidden_layers": 1, **said}
    with pytest.raises(gpt2calc.ConfigError, match="give dtype to count weights in it"):
        _ = gpt2calc.serving(document, seq=1).weights
    assert gpt2calc.serving(document, seq=1, dtype="bf16").weights


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"memory": "24"}, "memory 24 is 24 bytes, and hardly meant so: say of what, such as 24GB"),
        ({"memory": "24GB", "reserve": "4"}, "reserve 4 is 4 bytes, and hardly meant so: say of what, such as 4GB"),
        ({"memory": "24GB", "devices": "two"}, "devices must be a whole number, 1 or more, got 'two'"),
        ({"memory": "24GB", "train": "yes"}, "train must be true or false, got 'yes'"),
        ({"memory": "24GB", "tokens": "many"}, "tokens must be a whole number, 1 or more, got 'many'"),
        ({"memory": "24GB", "batch": "1.25"}, "batch must be a whole number, 1 or more, got '1.25'"),
    ],
    ids=["a memory of no unit", "a reserve of no unit", "devices", "train", "tokens", "batch"],
)
def test_what_is_hardly_meant_is_asked_back(words: dict[str, Any], said: str) -> None:
    """By the name that a person used for it."""
    with pytest.raises(gpt2calc.ConfigError) as refused:
        gpt2calc.fits("Qwen3-0.6B", seq=8, **words)
    assert str(refused.value) == said


def test_numbers_are_read_as_people_type_them() -> None:
    """A memory in bytes needs no unit where it has as many as one has, and a program's number none at all."""
    for words in ({"memory": "80e9"}, {"memory": 80 * 10**9}, {"memory": "80MB", "devices": "1,000"}):
        assert gpt2calc.fits("Qwen3-0.6B", seq=8, **words).memory == 80 * 10**9
    assert gpt2calc.fits("Qwen3-0.6B", seq=8, memory=24).memory == 24
    assert gpt2calc.fits("Qwen3-0.6B", seq=8, memory="2GB", reserve="0").reserve == 0


def test_where_no_change_helps_alone_a_note_says_so() -> None:
    """And nowhere else: weights that are too many stay so at any context."""
    said = "no change of context, batch or dtype makes it fit alone"
    assert said in gpt2calc.fits("Llama-2-70B", memory="24GB", seq=8).notes
    assert said not in gpt2calc.fits("Llama-3.1-8B", memory="17GB", seq=100_000).notes
    assert said not in gpt2calc.fits("Llama-3.1-8B", memory="24GB", seq=8).notes


def test_a_length_is_read_by_whatever_key_a_config_has_for_it() -> None:
    """An MPT's is max_seq_len."""
    document = {"model_type": "mpt", "n_layers": 2, "d_model": 64, "n_heads": 4, "max_seq_len": 2048}
    assert gpt2calc.serving(document, dtype="bf16").kv_bytes == 2048 * 2 * 2 * 64 * 2
    longer = gpt2calc.serving(document, seq=2049).notes
    assert "2,049 tokens are more than max_seq_len 2,048" in longer


@pytest.mark.parametrize("command", ["cost", "fits"])
def test_an_error_of_what_a_config_says_names_it(command: str, run: Run, tmp_path: Any) -> None:
    """A window that is no number is the file's fault, whose path stands in front."""
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "mistral", "sliding_window": "wide"}', encoding="utf-8")
    memory = ["--memory", "1GB"] if command == "fits" else []
    found = run(command, str(config), *memory)
    assert found.stderr.startswith(f"gpt2calc {command}: {config}: sliding_window must be a whole number")


@pytest.mark.parametrize("call", [gpt2calc.cost, gpt2calc.serving])
def test_a_number_of_more_digits_than_are_read_is_refused(call: Any) -> None:
    """It would be counted as another one, the largest that is read."""
    with pytest.raises(gpt2calc.ConfigError, match=r"^batch must be a whole number, 1 or more, got '999"):
        call("gpt2", batch="9" * 2000)
