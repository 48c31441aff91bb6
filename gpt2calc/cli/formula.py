"""`gpt2calc formula`: closed forms, and where they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.options import Offered, add_fields, add_model_type, add_output, emit, model_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

EXAMPLES = """examples:
  gpt2calc formula
  gpt2calc formula total
  gpt2calc formula attn.c_attn --model gpt2
  gpt2calc formula mlp --n-inner 2048
  gpt2calc formula total --format latex

letters: L n_layer, d n_embd, T n_positions, V vocab_size, m n_inner, k num_labels"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Show closed forms, derived from the shapes of the tensors, simplified, with numbers put in."
    parser.usage = "gpt2calc formula [COMPONENT] [--model MODEL] [options]"
    parser.add_argument(
        "component",
        metavar="COMPONENT",
        nargs="?",
        choices=Offered(_names),
        help="a component such as attn.c_attn, a group such as mlp, or total; every component when left out",
    )
    parser.add_argument("--model", metavar="MODEL", help="put the numbers of this model in")
    add_model_type(parser)
    add_fields(parser)
    add_output(parser, "the simplified formula alone")


def _names() -> Iterable[str]:
    from gpt2calc.derivation import names
    from gpt2calc.sources import GPT2

    return names(GPT2.dims)


def run(arguments: argparse.Namespace) -> int:
    """Derive, and print."""
    from gpt2calc.api.counting import formula

    result = formula(arguments.component, model_of(arguments.model), **arguments.fields)
    human = result.tables()
    tables = [result.table()] if arguments.format == "csv" else human
    quiet = [form.text() for form in result.alternatives]
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=quiet, notes=result.notes)
