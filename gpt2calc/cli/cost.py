"""`gpt2calc cost`: FLOPs, KV cache and training memory of one model, to the last FLOP and byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.cli.options import Offered, add_common, emit, model_of, named, number, real
from gpt2calc.errors import ConfigError
from gpt2calc.model import Model

if TYPE_CHECKING:
    import argparse

    from gpt2calc.sources import Source

EXAMPLES = """examples:
  gpt2calc cost gpt2
  gpt2calc cost gpt2 --batch 8 --train --optimizer adamw --attention sdpa
  gpt2calc cost gpt2-xl --seq 1 --past 1023 --logits last
  gpt2calc cost gpt2 --prompt 100 --new 28 --batch 4 --dtype bf16
  gpt2calc cost gpt3-175b --convention six_n --tokens 300B
  gpt2calc cost gpt2 --throughput 150000 --machine a100-40gb
  gpt2calc cost gpt2-xl --seq 1 --past 1023 --logits last --dtype bf16 --machine h100-sxm
  gpt2calc cost gpt-oss-20b --batch 4 --seq 32768 --kv-dtype fp8
  gpt2calc cost Qwen3-0.6B --batch 1 --seq 4096 --train
  gpt2calc cost - --json < config.json"""

WORDS = {
    "logits": ("all", "last"),
    "optimizer": (
        *("adamw", "adamw_fused", "adamw_amsgrad", "sgd", "sgd_momentum", "adagrad", "rmsprop", "adafactor", "muon"),
    ),
    "dtype": ("fp32", "bf16", "fp16", "autocast"),
    "attention": ("eager", "sdpa"),
    "checkpoint": ("none", "torch", "reentrant"),
    "cache": ("dynamic", "static"),
}
"""What options that are words offer, the default first where there is one; `costs` judges what is typed."""

KV_DTYPES = (
    *("fp32", "bf16", "fp16", "fp8", "fp8_e4m3", "fp8_e5m2", "int8", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"),
    *("int4", "int2"),
)
"""The types of `costs.cache_types`, which is not loaded for --help; the tests compare them."""

ASKED = (
    *("batch", "seq", "past", "logits", "source", "train", "optimizer", "dtype", "attention", "dropout", "checkpoint"),
    *("cache", "prompt", "new", "max_cache_len"),
)
SERVED = (
    "batch",
    "seq",
    "past",
    "prompt",
    "new",
    "dtype",
    "kv_dtype",
    "logits",
    "train",
    "tokens",
    "convention",
    "machine",
)
"""What is asked of other architectures."""
SHARED = ("tensor_parallel", "pipeline_parallel", "zero_stage")
USED = ("kv_dtype", "tokens", "convention", "throughput", "devices", "peak", "machine")


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "What a model costs, exactly: FLOPs by component, weights, KV cache and states; of a GPT-2 also what training "
        "holds in memory."
    )
    parser.usage = "gpt2calc cost [MODEL] [options]"
    add_model(parser)
    add_asked(parser)
    group = parser.add_argument_group("how the cache is stored")
    group.add_argument(
        "--kv-dtype",
        metavar="NAME",
        choices=Offered(KV_DTYPES),
        help=f"of the cache: {', '.join(KV_DTYPES)}; as the model computes",
    )
    group = parser.add_argument_group("counting")
    group.add_argument("--tokens", metavar="N", type=number(), help="of how many tokens of training, such as 300B")
    group.add_argument("--convention", metavar="NAME", choices=Offered(_ways), help="one way of counting alone")
    group.add_argument("--conventions", action="store_true", help="show every way of counting with its source")
    group.add_argument("--throughput", metavar="N", type=real, help="tokens a second of all devices, for MFU and HFU")
    group.add_argument("--devices", metavar="N", type=number(), help="on how many devices; 1")
    group.add_argument("--peak", metavar="FLOPS", type=real, help="FLOP/s of one device, such as 312e12")
    group.add_argument(
        "--machine",
        metavar="NAME",
        choices=Offered(named("costs.machines", "BY_NAME")),
        help="one with a known peak; without --throughput, for the floor under the time",
    )
    group = parser.add_argument_group("several devices, which are refused")
    for name in SHARED:
        group.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="N",
            type=number(0),
            help="refused, since no law of a model on several devices is known here",
        )
    add_common(
        parser,
        "the FLOPs alone: of all --tokens, by the --convention, of a step with --train, or of a forward pass; of other "
        "architectures, where none of these is given, the bytes that are kept",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="named as for gpt2calc count; - for standard input; gpt2's sizes when left out",
    )


def add_asked(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what passes through the model, and how."""
    group = parser.add_argument_group("what passes")
    group.add_argument("--batch", metavar="B", type=number(), help="sequences; 1")
    group.add_argument("--seq", metavar="S", type=number(), help="tokens of each that pass at once; n_positions")
    group.add_argument("--past", metavar="P", type=number(0), help="tokens of each that are in the cache already; 0")
    group.add_argument("--source", metavar="E", type=number(), help="tokens of an encoder, for cross-attention")
    _add_word(group, "logits", "which tokens lm_head reads")
    _add_word(group, "dtype", "what the model computes in; autocast is float32 weights computing in bfloat16")
    group = parser.add_argument_group("training")
    group.add_argument("--train", action="store_const", const=True, help="its FLOPs and memory")
    _add_word(group, "optimizer", "whose state is kept; none unless given")
    _add_word(group, "attention", "transformers' attn_implementation")
    group.add_argument("--dropout", metavar="P", type=real, help="of all three dropouts; as the config has them")
    _add_word(group, "checkpoint", "torch.utils.checkpoint around every block")
    group.add_argument(
        "--activation-function",
        metavar="NAME",
        default=None,
        help="of the MLP, as a config.json says it: gelu_new, gelu, gelu_pytorch_tanh or relu",
    )
    group = parser.add_argument_group("the KV cache")
    _add_word(group, "cache", "transformers' DynamicCache, which grows, or StaticCache, which is made long enough")
    group.add_argument("--prompt", metavar="N", type=number(), help="tokens of each prompt")
    group.add_argument("--new", metavar="N", type=number(), help="tokens that are generated; 1")
    group.add_argument("--max-cache-len", metavar="N", type=number(), help="tokens that a static cache has room for")


def _add_word(group: argparse._ArgumentGroup, name: str, said: str) -> None:
    words = ", ".join(WORDS[name])
    group.add_argument(f"--{name}", metavar="NAME", choices=Offered(WORDS[name]), help=f"{said}: {words}")


def _ways() -> list[str]:
    from gpt2calc.costs import general_ways, holding, ways

    return list(dict.fromkeys([*ways.BY_NAME, *general_ways.BY_NAME, *holding.BY_NAME]))


def fields_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that were given, the activation among them, which no count reads."""
    said = arguments.activation_function
    return {**arguments.fields, **({} if said is None else {"activation_function": said})}


def run(arguments: argparse.Namespace) -> int:
    """Compute, and print."""
    from gpt2calc.api.costing import cost
    from gpt2calc.sources import resolve

    asked = {name: getattr(arguments, name) for name in (*ASKED, *SHARED, *USED)}
    model = model_of(arguments.model)
    source = resolve(model, arguments.fields, hub=arguments.hub, revision=arguments.revision)
    if isinstance(source.counted, Model):
        return _served(arguments, source, asked)
    result = cost(model, hub=arguments.hub, revision=arguments.revision, **asked, **fields_of(arguments))
    quiet = list(result.conventions.values()) if arguments.conventions else result.answer
    human = tables = [result.ways_table(sources=True)] if arguments.conventions else result.tables()
    if arguments.format == "csv" and not arguments.conventions:
        tables = [result.flat_table()]
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=quiet, notes=result.notes)


def refuse_other(source: Source, asked: dict[str, Any]) -> None:
    """Refuse what is asked of GPT-2 alone, of a model of another architecture."""
    assert isinstance(source.counted, Model)  # noqa: S101  # who calls has looked
    for name, value in asked.items():
        if name not in SERVED and value is not None:
            problem = f"{source.name} is a {source.counted.architecture.model_type}: {name} is covered for GPT-2 alone"
            raise ConfigError(problem, field=name, got=value)


def _served(arguments: argparse.Namespace, source: Source, asked: dict[str, Any]) -> int:
    """Compute and print what a model of another architecture does, and what serving it holds."""
    from gpt2calc.api.serving import serving

    refuse_other(source, asked)
    words = {name: asked[name] for name in SERVED}
    result = serving(source, **words)
    tables = [result.flat_table()] if arguments.format == "csv" else result.tables()
    human = result.tables()
    if arguments.conventions:
        human = result.all_ways()
        tables = human if arguments.format != "csv" else tables
    quiet: list[int] = []
    if arguments.quiet:  # which refuses what is no number, as the tables do not
        every = (*result.flops_conventions.values(), *result.conventions.values())
        quiet = [size for size in every if size is not None] if arguments.conventions else result.answer
    notes = (*result.notes, *result.flops_notes)
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=quiet, notes=notes)
