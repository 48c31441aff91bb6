"""`gpt2calc fits`: whether a model, its cache and its states fit into a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.cost import KV_DTYPES, add_model
from gpt2calc.cli.options import Offered, add_common, emit, model_of, named, number

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc fits Llama-3.1-8B --memory 24GB --context 32768
  gpt2calc fits gpt-oss-20b --hardware h100-sxm --context 131072 --batch 8
  gpt2calc fits Llama-2-70B --hardware h100-sxm --devices 2 --context 4096 --reserve 4GB
  gpt2calc fits config.json --memory 16GiB --context 1024 --kv-dtype fp8 --json"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Say whether weights, KV cache and states fit into a memory, to the byte. What an engine takes for itself is "
        "not counted: --reserve keeps room for it. Exit code 1 where it does not fit, or only within the reserve."
    )
    parser.usage = "gpt2calc fits [MODEL] (--memory BYTES | --hardware NAME) [options]"
    add_model(parser)
    group = parser.add_argument_group("the memory")
    group.add_argument("--memory", metavar="BYTES", help="such as 24GB, of 10⁹ bytes, or 24GiB, of 2³⁰")
    group.add_argument(
        "--hardware",
        metavar="NAME",
        choices=Offered(named("costs.machines", "WITH_MEMORY")),
        help="one whose memory is known",
    )
    group.add_argument("--devices", metavar="N", type=number(), help="how many, over which all is spread evenly; 1")
    group.add_argument("--reserve", metavar="BYTES", help="for what is not counted, of each device; none")
    group = parser.add_argument_group("what it holds")
    group.add_argument("--context", metavar="N", type=number(), help="tokens of a sequence; as many as the model can")
    group.add_argument("--batch", metavar="B", type=number(), help="sequences; 1")
    group.add_argument(
        "--dtype", metavar="NAME", choices=Offered(("fp32", "bf16", "fp16")), help="of weights: fp32, bf16, fp16"
    )
    group.add_argument(
        "--kv-dtype", metavar="NAME", choices=Offered(KV_DTYPES), help=f"of the cache: {', '.join(KV_DTYPES)}"
    )
    group.add_argument(
        "--convention",
        metavar="NAME",
        choices=Offered(named("costs.holding", "BY_NAME")),
        help="how the cache is counted",
    )
    add_common(parser, "the answer alone: fits, within the reserve, or does not fit")


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, and return 0 where it fits and 1 where it does not."""
    from gpt2calc.api.serving import fits

    result = fits(
        model_of(arguments.model),
        memory=arguments.memory,
        hardware=arguments.hardware,
        devices=arguments.devices,
        reserve=arguments.reserve,
        seq=arguments.context,
        batch=arguments.batch,
        dtype=arguments.dtype,
        kv_dtype=arguments.kv_dtype,
        convention=arguments.convention,
        hub=arguments.hub,
        revision=arguments.revision,
        **arguments.fields,
    )
    tables = result.tables()
    emit(arguments, result=result.to_dict, human=tables, tables=tables, quiet=[result.answer], notes=result.notes)
    return 0 if result else 1
