"""Which cases `make test` asks of a rule that holds of many: few, and all with GPT2CALC_WIDE=1, as in the gate.

Only what repeats a rule over model types, pictures, widths and formats is asked less often, and no rule of nothing: of
one model type of each file of architectures, so that every kind of layer comes, and of some of the other cases, the odd
ones among them. Whoever chooses cases, by `-k` or by the name of one, is asked all that they chose.
"""

from __future__ import annotations

import os
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import FILES, GPT2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
            the first on, with the last as well.
    """

    tests: str
    asked: tuple[str, tuple[str, ...]] | int


NARROWED = (
    Narrowed("test_plot_pictures.py::*", ("name", ("one", "long names", "everything", "300 digits"))),
    Narrowed("architectures/test_active.py::test_an_expert_more_costs_two_flops_a_weight", 5),
)
"""The tests that are asked of few, beside those of every model type; of two that fit, the first is meant."""


def asked(cases: Sequence[dict[str, Any]], rule: Narrowed | None) -> Iterator[bool]:
    """Say of each case of a test whether it is asked by default.

    Args:
        cases: the parameters of each.
        rule: what stands of the test in the table.
    """
    is_of_types = len({each.get("model_type") for each in cases}) > MOST_FEW
    for nth, each in enumerate(cases):
        if is_of_types:
            yield each["model_type"] in (*FEW_TYPES, GPT2)
        elif rule is None:
            yield True
        elif isinstance(rule.asked, int):
            yield nth % rule.asked == 0 or nth == len(cases) - 1
        else:
            name, values = rule.asked
            yield name not in each or each[name] in values


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
