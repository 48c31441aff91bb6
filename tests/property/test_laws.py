"""Laws that need no oracle: what must hold between gpt2calc's own numbers, for every model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import documents, formulas, notations
from gpt2calc.dims import LETTERS, from_fields, to_fields
from tests.property.strategies import SETTINGS, in_any_spelling, large_sizes, switched_configs

if TYPE_CHECKING:
    from gpt2calc.dims import Dims


def dims() -> st.SearchStrategy[Dims]:
    """Draw the dims of a small model of any structure."""
    return switched_configs().map(lambda fields: gpt2calc.Config(**fields).dims)


class TestTying:
    """Law: untied - tied = V·d for a model with an lm_head, 0 for one without."""

    @SETTINGS
    @given(switched_configs())
    def test_untying_adds_one_matrix_and_never_takes_away(self, fields: dict[str, Any]) -> None:
        """The matrix is as large as wte, and only models with an lm_head can have a second one."""
        tied = gpt2calc.count(**{**fields, "tie_word_embeddings": True})
        untied = gpt2calc.count(**{**fields, "tie_word_embeddings": False})
        has_lm_head = fields.get("head", "lm") in ("lm", "double_heads", "GPT2LMHeadModel", "GPT2DoubleHeadsModel")
        assert untied.total - tied.total == has_lm_head * tied.dims.vocab_size * tied.dims.n_embd
        assert tied.conventions["tied"] == untied.conventions["tied"] == tied.total
        assert tied.conventions["untied"] == untied.conventions["untied"] == untied.total


class TestSums:
    """Law: total = weights + biases = matrices + vectors = Σ components = Σ groups = Σ numel of the listed tensors."""

    @SETTINGS
    @given(switched_configs())
    def test_the_total_is_the_sum_of_any_division(self, fields: dict[str, Any]) -> None:
        """Whichever way the parameters are divided, every one of them is in exactly one part."""
        count = gpt2calc.count(**fields)
        ways = {
            "weights and biases": count.weights + count.biases,
            "matrices and vectors": count.conventions["matrices"] + count.conventions["vectors"],
            "components": sum(component.total for component in count.components),
            "groups": sum(group.total for group in count.groups.values()),
            "tensors": sum(tensor.numel for tensor in gpt2calc.tensors(**fields)),
        }
        assert ways == dict.fromkeys(ways, count.total)

    @SETTINGS
    @given(switched_configs())
    def test_every_component_is_the_sum_of_its_listed_tensors(self, fields: dict[str, Any]) -> None:
        """Weights and biases of the closed forms are those of the tensors, listed one by one."""
        listed = gpt2calc.tensors(**fields)
        for component in gpt2calc.count(**fields).components:
            own = [tensor for tensor in listed if tensor.component == component.name]
            assert component.weights == sum(tensor.numel for tensor in own if tensor.role == "weight")
            assert component.biases == sum(tensor.numel for tensor in own if tensor.role == "bias")

    @SETTINGS
    @given(switched_configs())
    def test_no_two_tensors_have_one_name(self, fields: dict[str, Any]) -> None:
        """A listing could be the keys of a state_dict."""
        names = [tensor.name for tensor in gpt2calc.tensors(**fields)]
        assert len(names) == len(set(names))


class TestGrowth:
    """Law: the total grows with L, d, T and V always, with m where there are blocks, with k where a head has labels."""

    @pytest.mark.parametrize("size", LETTERS)
    @SETTINGS
    @given(model=dims(), more=st.integers(1, 10**6))
    def test_the_total_grows_with(self, size: str, model: Dims, more: int) -> None:
        """A size that counts always counts, and one that cannot count changes nothing."""
        before, after = formulas.total(model), formulas.total(model._replace(**{size: getattr(model, size) + more}))
        projected = model.multiple_choice_head and model.summary_use_proj and model.summary_proj_to_labels
        labelled = bool(model.score or model.classifier or projected)
        grows = {"n_inner": model.n_layer > 0, "num_labels": labelled}.get(size, True)
        assert before < after if grows else before == after


class TestBlocks:
    """Law: total(L blocks) = total(no blocks) + L·per_block."""

    @SETTINGS
    @given(dims(), st.integers(1, 10**6))
    def test_doubling_the_blocks_adds_the_parameters_of_as_many_blocks(self, model: Dims, n_layer: int) -> None:
        """Every block is like the others, however many there are, and none has a share in what stands outside."""
        once = gpt2calc.ParameterCount(model._replace(n_layer=n_layer))
        twice = gpt2calc.ParameterCount(model._replace(n_layer=2 * n_layer))
        assert once.per_block is not None
        assert twice.total - once.total == n_layer * once.per_block
        assert once.per_block == twice.per_block == gpt2calc.ParameterCount(model).per_block


class TestFields:
    """Law: from_fields(to_fields(x)) = x, and a config that is written and read again has the same dims."""

    @SETTINGS
    @given(dims())
    def test_the_fields_of_dims_give_the_dims_back(self, model: Dims) -> None:
        """Fields hold all that dims hold, and the border lets them pass."""
        assert from_fields(to_fields(model)) == model
        assert gpt2calc.Config(**to_fields(model)).dims == model

    @SETTINGS
    @given(switched_configs())
    def test_a_written_config_is_read_as_the_same_model(self, fields: dict[str, Any]) -> None:
        """Through JSON, and through the rules by which transformers' files are read, nothing is lost."""
        config = gpt2calc.Config(**fields)
        read, _ = documents.read(notations.in_json(json.dumps(config.to_dict())))
        assert gpt2calc.Config(**read) == config

    @SETTINGS
    @given(switched_configs())
    def test_the_config_within_a_written_count_is_the_same_model(self, fields: dict[str, Any]) -> None:
        """What `gpt2calc count --json` prints as config can be counted again."""
        count = gpt2calc.count(**fields)
        assert gpt2calc.count(json.loads(json.dumps(count.to_dict()))["config"]) == count


class TestSpellings:
    """Law: a field means the same in every spelling and in every order."""

    @SETTINGS
    @given(switched_configs().flatmap(lambda fields: st.tuples(st.just(fields), in_any_spelling(fields))))
    def test_a_model_is_the_same_in_other_words(self, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Every project's words, in any order, as fields or as a mapping, come to one model."""
        fields, other_words = pair
        config = gpt2calc.Config(**fields)
        assert gpt2calc.Config(**other_words) == config
        assert gpt2calc.count(**other_words) == gpt2calc.count(other_words) == gpt2calc.count(config)

    @SETTINGS
    @given(switched_configs(), switched_configs())
    def test_given_fields_win_over_those_of_the_model(self, own: dict[str, Any], given_fields: dict[str, Any]) -> None:
        """Fields put over a model's own are as if the model had been described with them."""
        expected = gpt2calc.Config(**{**own, **given_fields})
        assert gpt2calc.count(own, **given_fields) == gpt2calc.count(expected)
        assert gpt2calc.Config(**own).replace(**given_fields) == expected


class TestDefaults:
    """Law: n_inner is 4·n_embd and qkv_bias is bias unless given; a padded vocabulary is the next multiple."""

    @SETTINGS
    @given(switched_configs())
    def test_what_is_left_out_follows_the_field_it_depends_on(self, fields: dict[str, Any]) -> None:
        """None is as good as leaving a field out."""
        dims = gpt2calc.Config(**fields).dims
        if fields.get("n_inner") is None:
            assert dims.n_inner == 4 * fields["n_embd"]
        if fields.get("qkv_bias") is None:
            assert dims.qkv_bias == dims.bias == fields.get("bias", True)

    @SETTINGS
    @given(st.integers(1, 10**60), st.integers(1, 10**30))
    def test_a_padded_vocabulary_is_the_smallest_multiple_that_holds_it(self, vocab_size: int, multiple: int) -> None:
        """Rounding up is exact where a float would not be."""
        padded = gpt2calc.Config(vocab_size=vocab_size, pad_vocab_size_multiple=multiple).dims.vocab_size
        assert padded % multiple == 0
        assert padded - multiple < vocab_size <= padded


class TestCompiled:
    """Law: the compiled total, the table's total and every component's shown formula are the same numbers."""

    @SETTINGS
    @given(dims())
    def test_compiled_and_shown_formulas_give_the_numbers_of_the_table(self, model: Dims) -> None:
        """What is fast and what is printed are drawn from the table, and say what it says."""
        count = gpt2calc.ParameterCount(model)
        assert count.total == formulas.total(model)
        for component in count.components:
            assert component.formula.simplified.compiled(LETTERS.values())(*model.sizes) == component.total
            assert component.each * component.times == component.total


class TestExactness:
    """Law: total = L·(12·d² + 13·d) + d·(V + T + 2) for a tied GPT-2, exactly, however large the sizes."""

    @SETTINGS
    @given(large_sizes())
    def test_no_digit_is_lost_at_any_size(self, sizes: dict[str, Any]) -> None:
        """Against the closed form that everybody knows, written out here in Python's integers."""
        L, d, T, V = sizes["n_layer"], sizes["n_embd"], sizes["n_positions"], sizes["vocab_size"]
        count = gpt2calc.count(**sizes)
        expected = L * (12 * d * d + 13 * d) + d * (V + T + 2)
        assert count.total == formulas.total(count.dims) == count.weights + count.biases == expected
        assert count.conventions["untied"] == expected + V * d
        assert count.conventions["kaplan"] == 12 * L * d * d
        assert count.conventions["narayanan"] == expected - 2 * d
        assert count.conventions["cookbook"] == expected - 5 * L * d
        assert count.conventions["stored_with_masks"] == expected + L * T * T
        assert count.conventions["int4_bytes"] == (expected + 1) // 2
        assert json.loads(json.dumps(count.to_dict()))["total"] == expected

    @SETTINGS
    @given(large_sizes())
    def test_one_more_of_a_size_is_seen_in_the_last_digit(self, sizes: dict[str, Any]) -> None:
        """One more token is d more parameters, even beside 10¹⁵⁰ others."""
        one_token_more = {**sizes, "vocab_size": sizes["vocab_size"] + 1}
        assert gpt2calc.count(**one_token_more).total - gpt2calc.count(**sizes).total == sizes["n_embd"]
