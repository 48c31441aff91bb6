"""A test of the tests: an error planted in any column of any row of either derivation is found by a judge."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from gpt2calc.architectures import of, reading
from gpt2calc.model import BIAS, BUFFER, OUTPUT_HEAD, WEIGHT, Component, Merge, Model, Tensor
from tests.architectures.drawing import MANY, THOROUGH, configs
from tests.architectures.judges import at_a_point, wrong_by_column, wrong_by_identity, wrong_by_module
from tests.architectures.modules import BY_TURNS, EVERY, MODEL_TYPES, facts, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Planted = tuple[str, int, str, Callable[[Any], Any]]

POINTS = 2
FEW = 3

COMPONENTS: dict[str, tuple[Callable[[Component], Any], ...]] = {
    "name": (lambda row: f"{row.name}_x",),
    "group": (lambda row: "other", lambda row: "mlp" if row.group != "mlp" else "experts"),
    "weights": (lambda row: row.weights + 1, lambda row: 2 * row.weights + 1),
    "biases": (lambda row: row.biases + 1,),
    "layers": (lambda row: f"{row.layers} other".strip(), lambda row: "" if row.layers else "decoder"),
    "times": (lambda row: row.times + 1, lambda row: 0),
    "part": (lambda row: "" if row.part else OUTPUT_HEAD,),
    "source": (lambda row: "transformers, modeling_llama.py: LlamaRotaryEmbedding", lambda row: ""),
}
TENSORS: dict[str, tuple[Callable[[Tensor], Any], ...]] = {
    "template": (lambda row: f"{row.template}_x", lambda row: row.template.rpartition(".")[0]),
    "component": (lambda row: f"{row.component}_x", lambda row: "norm" if row.component != "norm" else "lm_head"),
    "shape": (
        lambda row: (row.shape[0] + 1, *row.shape[1:]),
        lambda row: (*row.shape[:-1], row.shape[-1] + 1),
        lambda row: (*row.shape, 1),
        lambda row: row.shape[::-1] if row.shape != row.shape[::-1] else (1, *row.shape),
    ),
    "layers": (lambda row: f"{row.layers} other".strip(), lambda row: "" if row.layers else "decoder"),
    "times": (lambda row: row.times + 1,),
    "when": (lambda row: 1 - row.when,),
    "role": (lambda row: BIAS if row.role == WEIGHT else WEIGHT, lambda row: BUFFER if row.role != BUFFER else BIAS),
}
"""Errors in each column of a row: what stands there instead. Of `used` the judge is `test_active`; of `plain`, `dtype`
and `packed`, which say how files hold a tensor, `test_stored`."""


def planted(model: Model, derivation: str, index: int, column: str, error: Callable[[Any], Any]) -> Model:
    """Return a model with an error in one column of one row of one derivation."""
    made = getattr(model.architecture, derivation)

    def wrong(model: Model) -> list[Any]:
        rows = made(model)
        rows[index] = rows[index]._replace(**{column: error(rows[index])})
        return list(rows)

    changed: Any = {derivation: wrong}
    return Model(model.architecture._replace(**changed), model.sizes, model._count)


def errors(model: Model) -> Iterator[Planted]:
    """Yield every error that can be planted in the rows that a model has."""
    present = set(model.tensors())
    for index, row in enumerate(model.components()):
        if row.times and model.count(row.layers):
            yield from (("components", index, name, error) for name in COMPONENTS for error in COMPONENTS[name])
    for index, tensor in enumerate(model.architecture.tensors(model)):
        if tensor in present:
            columns = (name for name in tensor._fields if name != "shape" or tensor.shape)
            yield from (("tensors", index, name, error) for name in columns for error in TENSORS.get(name, ()))


def chosen(model_type: str, models: list[Model]) -> list[list[Planted]]:
    """Return which errors are planted in each of some models: every one once, or of every kind of error a few."""
    first: dict[Planted, int] = {}
    for n, model in enumerate(models):
        for error in errors(model):
            first.setdefault(error, n)
    kinds: dict[Any, list[Planted]] = defaultdict(list)
    for error in first:
        kinds[error[3]].append(error)
    draw = random.Random(model_type)
    some = [draw.sample(each, min(FEW, len(each))) for each in kinds.values()] if not THOROUGH else kinds.values()
    found: list[list[Planted]] = [[] for _ in models]
    for error in (error for each in some for error in each):
        found[first[error]].append(error)
    return found


@pytest.mark.parametrize("model_type", MODEL_TYPES if THOROUGH else BY_TURNS, scope="session")
def test_every_planted_error_is_found(model_type: str, tmp_path: Path) -> None:
    """Each in the first of a few small models that has its row; none is found where none is planted.

    By default three errors of each kind in each column of each derivation, in other rows for every model type, of which
    one of each file is tried: the judges are the same for all.
    """
    points = [at_a_point(model_type, n) for n in range(POINTS)]
    assert not any(map(wrong_by_identity, points))
    folder = map(str, count())
    documents = list(configs(model_type, 12 if THOROUGH else 6))
    models = [reading.read(drawn).model for drawn in documents]
    planned = chosen(model_type, models)
    for drawn, model, planted_here in zip(documents, models, planned, strict=True):
        module = facts(drawn)
        assert wrong_by_module(model, module) == wrong_by_column(model, module) == []
        in_file: dict[str, tuple[int, ...]] = {}
        for error in planted_here:
            wrong = planted(model, *error)
            if any(wrong_by_identity(planted(point, *error)) for point in points):
                continue
            if wrong_by_column(wrong, module) or wrong_by_module(wrong, module):
                continue
            in_file = in_file or written(drawn, tmp_path / next(folder))
            assert in_file != {row.name: row.shape for row in wrong.listing()}, (error, drawn)
    assert {column for each in planned for _, _, column, _ in each} == {*COMPONENTS, *TENSORS}


@EVERY
def test_every_error_in_what_a_module_keeps_in_one_is_found(model_type: str) -> None:
    """Another name, a stored tensor too few, another axis, and no merge at all."""
    drawn = [(reading.read(document).model, document) for document in configs(model_type, MANY)]
    for merge in of(model_type).merges:
        having = [each for each in drawn if any(row.template in merge.stored for row in each[0].tensors())][:3]
        models = [(model, facts(document)) for model, document in having]
        wrong = [merge._replace(live=f"{merge.live}_x"), merge._replace(stored=merge.stored[1:]), None]
        wrong += [merge._replace(axis=1)] if len(merge.stored) > 1 else []
        for each in wrong:
            assert any(wrong_by_module(with_merge(model, merge, each), module) for model, module in models), each


def with_merge(model: Model, merge: Merge, other: Merge | None) -> Model:
    """Return a model that has another merge, or none, in place of one."""
    merges = tuple(other if own == merge else own for own in model.architecture.merges)
    return Model(model.architecture._replace(merges=tuple(filter(None, merges))), model.sizes)
