"""Published figures of costs: each comes out of its convention, to the digit that is printed."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import figures
from gpt2calc.costs import ways
from gpt2calc.costs.run import Run
from tests.costs import papers

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).resolve().parent.parent / "data" / "cost_figures.jsonl"
CASES: dict[str, Any] = {case["id"]: case for case in map(json.loads, DATA.read_text(encoding="utf-8").splitlines())}


def utilization(case: dict[str, Any], convention: str) -> Fraction:
    """Return a utilization in percent, as `cost` gives it for a throughput."""
    config, given = dict(case["config"]), case["settings"]
    rate = given.get("tokens_per_second") or Fraction(given["batch"] * given["seq"]) / Fraction(str(given["seconds"]))
    cost = gpt2calc.cost(
        config,
        seq=given["seq"],
        convention=convention,
        throughput=float(rate),
        devices=given["gpus"],
        peak=given["peak"],
    )
    share = cost.utilization(cost.conventions[convention])
    return 100 * Fraction(share.part, share.whole)


def rule_of_thumb(case: dict[str, Any]) -> Fraction:
    """Return 6·N·D with N as it is printed, in the figure's unit."""
    config, given = case["config"], case["settings"]
    printed = str(given.get("parameters_printed") or config["parameters"])
    millions = re.fullmatch(r"([\d,]+)M", printed)
    parameters = int(millions[1].replace(",", "")) * 10**6 if millions else int(printed)
    flops = Fraction(papers.six_nd(parameters, given["tokens"]))
    return flops / int(given.get("pf_day") or (10**21 if case["unit"] == "ZFLOPs" else 1))


def palm(case: dict[str, Any]) -> Fraction:
    """Return PaLM's utilization, in percent."""
    config, given = case["config"], case["settings"]
    sizes = config["parameters"], config["n_layer"], config["n_head"] * config["head_dim"], given["seq"]
    token = papers.palm_hfu(*sizes) if case["id"].endswith("hfu") else papers.palm_mfu(*sizes)
    return 100 * token * Fraction(given["tokens_per_second"], given["chips"] * given["peak"])


def mtnlg(case: dict[str, Any]) -> Fraction:
    """Return MT-NLG's utilization by PaLM's formula, in percent."""
    config, given = case["config"], case["settings"]
    token = papers.palm_mfu(config["parameters"], config["n_layer"], config["n_embd"], given["seq"])
    rate = Fraction(given["batch"] * given["seq"]) / Fraction(str(given["seconds"]))
    return 100 * token * rate / int(given["gpus"] * given["peak"])


def megatron(case: dict[str, Any]) -> Fraction:
    """Return TFLOP/s of one device by Narayanan's formula."""
    config, given = case["config"], case["settings"]
    step = ways.narayanan(gpt2calc.cost(config, seq=1).dims, 0, Run(given["batch"], given["seq"], 0, given["seq"]))
    return Fraction(step, given["gpus"] * given["seconds"] * 10**12)


def flexgen(case: dict[str, Any]) -> Fraction:
    """Return FlexGen's cache in TiB."""
    config, given = case["config"], case["settings"]
    tokens = given["prompt"] + given["new"]
    return Fraction(papers.flexgen_cache(config["n_layer"], config["n_embd"], given["batch"], tokens), 2**40)


def conventions(case: dict[str, Any]) -> Fraction:
    """Return a training step by nanoGPT's two ways."""
    cost = gpt2calc.cost(case["config"], seq=case["settings"]["seq"])
    return Fraction(cost.conventions["nanogpt" if case["id"] == "nanogpt-palm" else "exact"])


PAPERS: dict[str, Callable[[Any], Fraction]] = {
    r"gpt3|table21": rule_of_thumb,
    r"zero": lambda case: (
        papers.zero(case["config"]["parameters"], case["settings"]["zero_stage"], case["settings"]["devices"]) / 10**9
    ),
    r"chinchilla": lambda case: papers.chinchilla_ratio(case["config"], case["settings"]["seq"]),
    r"palm": palm,
    r"mtnlg": mtnlg,
    r"korthikanti-530B": lambda case: (
        100 * papers.scores_share(case["config"]["n_head"], case["config"]["n_embd"], case["settings"]["seq"])
    ),
    r"korthikanti-.*hfu": lambda case: utilization(case, "korthikanti_hfu"),
    r"korthikanti": lambda case: utilization(case, "exact"),
    r"mpt": lambda case: utilization(case, "palm"),
    r"narayanan": lambda case: papers.narayanan_days(
        case["config"]["parameters"], *(case["settings"][name] for name in ("tokens", "gpus", "flops_per_second"))
    ),
    r"megatron": megatron,
    r"flexgen": flexgen,
    r"vllm": lambda case: Fraction(gpt2calc.cost(case["config"], dtype="fp16", seq=1).kv_bytes_per_token, 2**10),
    r"llmc-activations": lambda case: Fraction(
        papers.llmc_activations(case["config"], case["settings"]["batch"], case["settings"]["seq"]), 2**20
    ),
    r"llmc-parameter": lambda case: Fraction(gpt2calc.cost(case["config"], dtype="bf16").weights),
    r"llmc-moment": lambda case: Fraction(gpt2calc.cost(case["config"]).weights, 2**20),
    r"nanogpt-a100": lambda case: Fraction(100 * 12 * gpt2calc.count(case["config"]).total, case["settings"]["memory"]),
    r"nanogpt": conventions,
}
"""What gives the exact number behind a figure, by the beginning of its name; the first that fits is meant."""


def of_paper(case: dict[str, Any]) -> Fraction:
    """Return the exact number behind a figure, by the function of its convention."""
    return next(law for beginning, law in PAPERS.items() if re.match(beginning, case["id"]))(case)


CUT_OFF = {"llmc-activations", "llmc-moment"}
"""Figures whose program cuts off; all others are rounded."""

ROUNDED_INPUT = {"mtnlg-mfu": Fraction(1, 10)}
"""Figures that are off by more than their last digit, since what they are computed from was rounded in print."""


def test_every_figure_is_there() -> None:
    """36, each with its source."""
    assert len(CASES) == 36
    assert all(case["source"] for case in CASES.values())


@pytest.mark.parametrize("name", CASES)
def test_a_published_figure_comes_out_to_its_last_digit(name: str) -> None:
    """Rounded as it is printed, or cut off where a program cuts off."""
    case = CASES[name]
    exact = of_paper(case)
    found = re.match(r"([\d.]+)(?:E\+?(\d+))?", case["figure"])
    assert found
    decimals = len(found[1].partition(".")[2])
    scaled = exact / 10 ** int(found[2] or 0) * 10**decimals
    printed = int(found[1].replace(".", ""))
    if name in CUT_OFF:
        assert floor(scaled) == printed
    elif name in ROUNDED_INPUT:
        assert abs(scaled - printed) / 10**decimals <= ROUNDED_INPUT[name]
    else:
        assert floor(scaled + Fraction(1, 2)) == printed
    assert abs(float(exact) - case["value"] / unit(case)) <= abs(float(exact)) * 1e-5


def unit(case: dict[str, Any]) -> int:
    """Return what the value of the data is in, where the figure is in something larger."""
    large = {"flexgen-kv": 2**40, "vllm-opt13b-token": 2**10, "llmc-activations": 2**20, "llmc-moment": 2**20}
    if case["unit"] in {"GB", "ZFLOPs"}:
        return 10**9 if case["unit"] == "GB" else 10**21
    return large.get(case["id"], 1)


def test_a_unit_that_is_binary_says_so() -> None:
    """FlexGen's TB and vLLM's KB are binary: in decimal units the digits would be others."""
    assert floor(10 * CASES["flexgen-kv"]["value"] / 10**12) == 13
    assert figures.UNITS["TiB"][0] == 2**40
