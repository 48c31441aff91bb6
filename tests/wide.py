"""Which cases `make test` asks of a rule that holds of many: few, and all with GPT2CALC_WIDE=1, as in the gate.

Only what repeats a rule over model types, pictures, widths, formats and signals is asked less often, and no rule of
nothing: of one model type of each file of architectures, so that every kind of layer comes, of one of two windows, and
of some of the other cases, the odd ones among them. Whoever chooses cases, by `-k` or by the name of one, is asked all
that they chose.
"""

from __future__ import annotations

import os
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import FILES, GPT2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IS_WIDE = bool(os.environ.get("GPT2CALC_WIDE"))


def one_of_each_file() -> tuple[str, ...]:
    """Return of each file of architectures one model type: that after which the file is called, or the first."""
    named = {file: file if file in FILES else name for name, file in reversed(FILES.items())}
    return tuple(sorted({*named.values()} - {GPT2}))


FEW_TYPES = one_of_each_file()
"""The model types of which a rule is asked that holds of every one."""

MOST_FEW = len(FEW_TYPES) + 20
"""A test of more model types than that is of every one."""


class Narrowed(NamedTuple):
    """Tests that are asked of few.

    Args:
        tests: a pattern of them, under tests/.
        asked: values of a parameter that are, by its name; or how many places it is from one case to the next, from
            the first on, with the last as well, and with every value of a parameter that several cases have.
    """

    tests: str
    asked: tuple[str, tuple[object, ...]] | int


WIDE, NARROW = (1280, "light"), (390, "dark")
"""Windows in which the page is looked at."""

NARROWED = (
    Narrowed("architectures/test_active.py::test_an_expert_more_costs_two_flops_a_weight", 5),
    Narrowed("architectures/test_served.py::test_what_was_measured_is_measured_again", ("name", ("Qwen3-0.6B",))),
    Narrowed("architectures/test_families.py::test_a_released_model_is_found_by_its_tensors_alone", 3),
    Narrowed("page/test_access.py::test_axe_finds_no_serious_fault", ("either", (WIDE,))),
    Narrowed("page/test_access.py::test_axe_finds_no_serious_fault_in_another_architecture", ("either", (NARROW,))),
    Narrowed("page/test_access.py::test_the_theme_follows_the_system_and_the_button", ("either", (NARROW,))),
    Narrowed("page/test_access.py::test_nothing_is_cut_off_at_the_side", ("either", (NARROW,))),
    Narrowed("page/test_files.py::test_files_of_other_families_get_pythons_verdict", ("model_type", ("mamba",))),
    Narrowed("page/test_files.py::test_every_fault_of_a_single_tensor_is_found_and_named", ("name", ("untied",))),
    Narrowed("page/test_access.py::test_everything_can_be_reached_and_used_by_keys", ("either", (WIDE,))),
    Narrowed("page/test_access.py::test_a_config_is_pasted_and_its_total_read_by_keys_alone", ("either", (NARROW,))),
    Narrowed("page/test_access.py::test_a_faulty_file_is_dropped_and_its_verdict_seen", ("either", (NARROW,))),
    Narrowed("page/test_controls.py::test_a_number_that_is_typed_is_counted", 3),
    Narrowed("page/test_controls.py::test_a_slider_moves_its_number", 3),
    Narrowed("page/test_families.py::test_what_is_copied_says_the_same_elsewhere", 3),
    Narrowed("page/test_state.py::test_the_address_brings_the_state_back", 4),
    Narrowed("page/test_state.py::test_what_is_copied_says_the_same_elsewhere", 4),
    Narrowed("test_plot_pictures.py::test_a_picture_is_the_same_from_run_to_run", 3),
    Narrowed("test_plot_pictures.py::test_a_theme_moves_no_text", 3),
    Narrowed("test_plot_pictures.py::test_the_bounds_of_the_width_hold", 3),
    Narrowed("test_plot_pictures.py::test_the_least_height_is_enough_and_less_is_refused", 3),
    Narrowed("test_plot_pictures.py::*", ("name", ("one", "long names", "everything", "300 digits"))),
    Narrowed("test_plot_gallery.py::test_a_picture_of_the_gallery_is_what_its_command_draws", 3),
    Narrowed("test_plot_terminal.py::test_a_chart_fits_its_terminal", 3),
    Narrowed("test_docs.py::test_no_page_drifts", 3),
    Narrowed("test_docs.py::test_every_line_for_the_console_prints_what_is_shown", 2),
    Narrowed("test_schemas.py::test_what_a_command_prints_fits_its_schema", 3),
    Narrowed("test_schemas.py::test_every_number_but_a_share_is_an_integer", 3),
    Narrowed("test_screens.py::test_no_line_is_wider_than_the_terminal_and_no_number_is_torn", 3),
    Narrowed("test_raw.py::test_no_command_prints_a_name_raw", 3),
    Narrowed("test_cli.py::test_an_output_without_unicode_gets_the_whole_answer", 3),
    Narrowed("test_cli.py::test_every_command_answers_in_every_format", 3),
    Narrowed("test_imports.py::test_a_preset_is_counted_without_pydantic_and_everything_heavy", 3),
    Narrowed("test_hub_checkpoints.py::test_the_commands_end_with_their_codes", 3),
    Narrowed("test_verify.py::test_wrappers_before_all_names_are_seen_through", 4),
    Narrowed("test_verify.py::test_what_is_inferred_from_a_good_file_matches_it", 3),
    Narrowed("test_faults.py::test_a_good_checkpoint_raises_no_alarm", 4),
    Narrowed("test_faults.py::test_every_fault_of_a_single_tensor_is_found_and_named", 3),
    Narrowed("test_faults.py::test_every_changed_field_of_the_config_is_found", 3),
    Narrowed("test_faults.py::test_a_component_may_have_a_dtype_of_its_own", 3),
    Narrowed("test_torch_files.py::test_what_torch_saved_is_listed_as_torch_loads_it", 3),
    Narrowed("test_torch_files.py::test_the_values_lie_where_the_listing_says", 3),
    Narrowed("test_evidence.py::test_the_three_kinds_of_evidence_agree_on_what_transformers_saved", 3),
    Narrowed("test_hostile_numbers.py::test_as_many_blocks_as_fit_are_judged_in_time", ("form", ("safetensors",))),
    Narrowed("test_sweep_files.py::test_a_sweep_that_is_ended_leaves_no_file", 2),
    Narrowed("test_sweep_files.py::test_a_sweep_of_several_processes_that_is_ended_leaves_no_file_and_no_process", 2),
    Narrowed("test_blindness.py::test_a_fault_is_told_as_it_was_recorded", 3),
    Narrowed("test_blindness.py::test_the_good_file_matches_and_transformers_loads_it_in_silence", 3),
    Narrowed("test_explanation.py::test_a_published_figure_is_explained_where_*", 3),
    Narrowed("test_explanation.py::test_a_usual_count_of_a_known_model_comes_first_with_six_digits", 3),
    Narrowed("test_released_sizes.py::test_a_preset_has_the_tensors_that_transformers_builds", 3),
    Narrowed("test_released_sizes.py::test_what_a_head_adds_to_gpt2", 3),
    Narrowed("test_arrays.py::test_every_convention_on_a_mesh_is_what_it_is_one_by_one", 3),
    Narrowed("costs/test_explained.py::test_the_chance_is_that_of_figures_printed_alike", ("figure", (9,))),
    Narrowed("costs/test_measured.py::test_what_was_measured_comes_out", 3),
)
"""The tests that are asked of few, beside those of every model type; of two that fit, the first is meant."""


def asked(cases: Sequence[dict[str, Any]], rule: Narrowed | None) -> list[bool]:
    """Return of each case of a test whether it is asked by default.

    Args:
        cases: the parameters of each.
        rule: what stands of the test in the table.
    """
    types = [name if isinstance(name := each.get("model_type"), str) else "" for each in cases]
    if len({*types}) > MOST_FEW:
        return [name in (*FEW_TYPES, GPT2) for name in types]
    if rule is None:
        return [True] * len(cases)
    if isinstance(rule.asked, int):
        return _by_turns(cases, rule.asked)
    name, values = rule.asked
    found = [each.get(name) in values for each in cases]
    return found if any(found) else [True] * len(cases)  # a test whose parameter is something else


def _by_turns(cases: Sequence[dict[str, Any]], step: int) -> list[bool]:
    """Return whether each case is asked, so that of several parameters every value that comes twice or more is."""
    repeated = [name for name in cases[0] if 2 * len({id(each[name]) for each in cases}) <= len(cases)]
    values = [{(name, id(each[name])) for name in repeated} for each in cases]
    found = [nth % step == 0 or nth == len(cases) - 1 for nth in range(len(cases))]
    seen = set().union(*(each for each, is_asked in zip(values, found, strict=True) if is_asked))
    for nth, each in enumerate(values):
        if not each <= seen:
            found[nth] = True
            seen |= each
    return found


def left_out(items: Iterable[Any]) -> list[Any]:
    """Return those of the tests found that are not asked by default."""
    tests: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition("[")[0].removeprefix("tests/")].append(item)
    gone = []
    for name, cases in tests.items():
        rule = next((each for each in NARROWED if fnmatchcase(name, each.tests)), None)
        given = [case.callspec.params if hasattr(case, "callspec") else {} for case in cases]
        gone += [case for case, is_asked in zip(cases, asked(given, rule), strict=True) if not is_asked]
    return gone
