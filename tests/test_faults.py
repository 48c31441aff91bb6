"""Fault injection: every single fault planted in a good checkpoint is found and named; a good one raises no alarm.

Files are written in each format and read through the public call, so that nothing between a byte and the verdict is
left out. How many faults were planted, and how many were found, is printed by `python -m tests.test_faults`.
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import gpt2calc
from tests import faults
from tests.makers import safetensors
from tests.makers.dialects import MAKERS, UNTIED, Sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults import Tensor

X = Sizes()


class Good(NamedTuple):
    """A good checkpoint: what it holds, the config that it is of, and what only some files have."""

    name: str
    tensors: list[Tensor]
    config: dict[str, Any]


def plain(maker: str, dtype: str = "F32") -> Good:
    """Return a checkpoint of one project's names."""
    _, make = MAKERS[maker]
    config = {**X.config(), "tie_word_embeddings": maker not in UNTIED}
    return Good(maker, [(name, dtype, shape) for name, shape in make(X).items()], config)


def masked(maker: str, dtype: str, *, scalars: bool) -> Good:
    """Return a checkpoint of transformers with causal masks, as versions before 4.30 saved them."""
    good = plain(maker)
    prefix = "" if maker == "bare" else "transformer."
    extras: list[Tensor] = []
    for block in range(X.n_layer):
        extras.append((f"{prefix}h.{block}.attn.bias", dtype, (1, 1, X.n_positions, X.n_positions)))
        if scalars:
            extras.append((f"{prefix}h.{block}.attn.masked_bias", "F32", ()))
    return good._replace(name=f"{maker} with {dtype} masks", tensors=[*good.tensors, *extras])


def headed(head: str, tensors: list[Tensor], **fields: Any) -> Good:
    """Return a checkpoint of a model with another head than lm_head."""
    good = plain("huggingface")
    config = {**good.config, "architectures": [head], "model_type": "gpt2", **fields}
    return Good(head, [*good.tensors, *tensors], config)


def crossed() -> Good:
    """Return the checkpoint of a decoder with cross-attention, with two masks in each block."""
    good, d = masked("huggingface", "U8", scalars=True), X.n_embd
    more: list[Tensor] = []
    for block in range(X.n_layer):
        h = f"transformer.h.{block}."
        more += [(h + "ln_cross_attn.weight", "F32", (d,)), (h + "ln_cross_attn.bias", "F32", (d,))]
        more += [
            (h + "crossattention.c_attn.weight", "F32", (d, 2 * d)),
            (h + "crossattention.c_attn.bias", "F32", (2 * d,)),
        ]
        more += [(h + "crossattention.q_attn.weight", "F32", (d, d)), (h + "crossattention.q_attn.bias", "F32", (d,))]
        more += [(h + "crossattention.c_proj.weight", "F32", (d, d)), (h + "crossattention.c_proj.bias", "F32", (d,))]
        more.append((h + "crossattention.bias", "U8", (1, 1, X.n_positions, X.n_positions)))
    return Good("cross-attention", [*good.tensors, *more], {**good.config, "add_cross_attention": True})


def goods() -> list[Good]:
    """Return good checkpoints of every dialect and of every peculiarity that files are known to have."""
    d, untied = X.n_embd, plain("huggingface")
    head: Tensor = ("lm_head.weight", "F32", (X.vocab_size, d))
    no_bias = [tensor for tensor in plain("nanogpt").tensors if not tensor[0].endswith(".bias")]
    no_qkv = [tensor for tensor in plain("raschka").tensors if not tensor[0].endswith(("y.bias", "value.bias"))]
    return [
        *map(plain, MAKERS),
        plain("huggingface", "F16")._replace(name="float16"),
        plain("huggingface", "BF16")._replace(name="bfloat16"),
        masked("bare", "F32", scalars=False),
        masked("huggingface", "U8", scalars=True),
        masked("huggingface", "BOOL", scalars=True),
        crossed(),
        Good("untied", [*untied.tensors, head], {**untied.config, "tie_word_embeddings": False}),
        Good("no biases", no_bias, {**X.config(), "bias": False}),
        Good("no qkv_bias", no_qkv, {**plain("raschka").config, "qkv_bias": False}),
        headed("GPT2ForSequenceClassification", [("score.weight", "F32", (3, d))], num_labels=3),
        headed(
            "GPT2ForTokenClassification",
            [("classifier.weight", "F32", (3, d)), ("classifier.bias", "F32", (3,))],
            num_labels=3,
        ),
        headed("GPT2ForQuestionAnswering", [("qa_outputs.weight", "F32", (2, d)), ("qa_outputs.bias", "F32", (2,))]),
        headed(
            "GPT2DoubleHeadsModel",
            [
                ("multiple_choice_head.summary.weight", "F32", (1, d)),
                ("multiple_choice_head.summary.bias", "F32", (1,)),
            ],
        ),
        Good(
            "0-wide MLP",
            [(n, t, tuple(0 if size == X.n_inner else size for size in s)) for n, t, s in plain("huggingface").tensors],
            {**X.config(), "n_inner": 0},
        ),
    ]


GOODS = goods()
every_good = pytest.mark.parametrize("good", GOODS, ids=lambda good: good.name)


def as_safetensors(path: Path, tensors: list[Tensor]) -> str:
    """Write one file of safetensors."""
    target = path / "model.safetensors"
    safetensors.write(target, tensors)
    return str(target)


def verify(target: str, config: dict[str, Any]) -> gpt2calc.Verification:
    """Verify through the public call."""
    return gpt2calc.verify(target, config)


def missed(path: Path, good: Good, write: Callable[[Path, list[Tensor]], str]) -> Iterator[str]:
    """Yield what was planted and not found, or found under another name."""
    for planted in faults.single(good.tensors):
        if planted.kind != "dropped" and not _is_seen(planted, good):
            continue
        try:
            found = verify(write(path, planted.tensors), good.config)
        except gpt2calc.UnreadableInputError as error:
            yield f"{planted.id}: refused, {error}"
            continue
        names = {fault.tensor for fault in found.faults}
        if found.matches or not names.intersection(planted.named):
            yield f"{planted.id}: {found.verdict}"


def _is_seen(planted: faults.Planted, good: Good) -> bool:
    """Whether a fault makes another file: an axis of a 0-wide tensor cannot be one shorter."""
    return all(size >= 0 for _, _, shape in planted.tensors for size in shape) and planted.tensors != good.tensors


@every_good
def test_a_good_checkpoint_raises_no_alarm(tmp_path: Path, good: Good) -> None:
    """Nothing is wrong, the sums are equal in every component, and the verdict says so."""
    found = verify(as_safetensors(tmp_path, good.tensors), good.config)
    assert found.faults == ()
    assert found.matches
    assert found.total == gpt2calc.count(good.config).total


@every_good
def test_every_fault_of_a_single_tensor_is_found_and_named(tmp_path: Path, good: Good) -> None:
    """Dropped, renamed, added, transposed, reshaped, one row more or less, another dtype: each tensor, each fault."""
    assert list(missed(tmp_path, good, as_safetensors)) == []


@every_good
def test_every_changed_field_of_the_config_is_found(tmp_path: Path, good: Good) -> None:
    """A config that says something else than the file holds does not match it."""
    target = as_safetensors(tmp_path, good.tensors)
    expected = gpt2calc.tensors(good.config)
    for what, config in faults.configs(good.config):
        try:
            if config["n_layer"] < 100 and gpt2calc.tensors(config) == expected:
                continue  # it changes nothing that a file of this model holds
        except gpt2calc.ConfigError:
            continue
        found = verify(target, config)
        assert (what, found.matches) == (what, False)
        assert found.faults


def test_there_are_good_checkpoints_to_plant_faults_in() -> None:
    """The tests above try thousands."""
    assert len(GOODS) > 20
    assert sum(1 for _ in chain.from_iterable(faults.single(good.tensors) for good in GOODS)) > 5000


def main() -> None:
    """Plant every fault, and print how many were found."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        for good in GOODS:
            planted = sum(_is_seen(each, good) for each in faults.single(good.tensors))
            lost = list(missed(Path(folder), good, as_safetensors))
            print(f"{good.name:32}{planted:7,} planted{planted - len(lost):7,} found", *lost[:5], sep=os.linesep)


if __name__ == "__main__":
    main()
