"""gpt2calc: how many parameters a language model has, exactly, and where they sit.

>>> import gpt2calc
>>> gpt2calc.count("gpt2").total
124439808
>>> gpt2calc.count(n_layer=24, n_embd=1024).total
354823168
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gpt2calc.adapters import AdapterCount
    from gpt2calc.api.backwards import design, explain
    from gpt2calc.api.checking import card, check_claims, infer, verify, write_example
    from gpt2calc.api.costing import cost, measure
    from gpt2calc.api.counting import adapter, compare, count, formula, models, parts, sweep, tensors, write_page
    from gpt2calc.api.serving import fits, serving
    from gpt2calc.claims.report import ClaimReport
    from gpt2calc.comparison import Comparison
    from gpt2calc.config import Config
    from gpt2calc.conventions import CONVENTIONS
    from gpt2calc.costs.fitting import Fit
    from gpt2calc.costs.measurement import Measurement
    from gpt2calc.costs.report import Cost
    from gpt2calc.costs.serving import Serving
    from gpt2calc.counts import ParameterCount
    from gpt2calc.derivation import Derivation
    from gpt2calc.designs.report import Designs
    from gpt2calc.errors import (
        ConfigError,
        Gpt2calcError,
        Int64OverflowError,
        NetworkError,
        UnknownNameError,
        UnreadableInputError,
    )
    from gpt2calc.explanation.report import Explanation
    from gpt2calc.keywords import Fields
    from gpt2calc.partitions import Parts
    from gpt2calc.sweeps.report import Sweep
    from gpt2calc.verification.report import Verification
    from gpt2calc.version import __version__

__all__ = [
    "CONVENTIONS",
    "AdapterCount",
    "ClaimReport",
    "Comparison",
    "Config",
    "ConfigError",
    "Cost",
    "Derivation",
    "Designs",
    "Explanation",
    "Fields",
    "Fit",
    "Gpt2calcError",
    "Int64OverflowError",
    "Measurement",
    "NetworkError",
    "ParameterCount",
    "Parts",
    "Serving",
    "Sweep",
    "UnknownNameError",
    "UnreadableInputError",
    "Verification",
    "__version__",
    "adapter",
    "card",
    "check_claims",
    "compare",
    "cost",
    "count",
    "design",
    "explain",
    "fits",
    "formula",
    "infer",
    "measure",
    "models",
    "parts",
    "serving",
    "sweep",
    "tensors",
    "verify",
    "write_example",
    "write_page",
]

_HOMES = {
    "api.backwards": ("design", "explain"),
    "api.checking": ("card", "check_claims", "infer", "verify", "write_example"),
    "api.costing": ("cost", "measure"),
    "adapters": ("AdapterCount",),
    "api.counting": ("adapter", "compare", "count", "formula", "models", "parts", "sweep", "tensors", "write_page"),
    "api.serving": ("fits", "serving"),
    "claims.report": ("ClaimReport",),
    "comparison": ("Comparison",),
    "config": ("Config",),
    "conventions": ("CONVENTIONS",),
    "costs.fitting": ("Fit",),
    "costs.measurement": ("Measurement",),
    "costs.report": ("Cost",),
    "costs.serving": ("Serving",),
    "counts": ("ParameterCount",),
    "derivation": ("Derivation",),
    "designs.report": ("Designs",),
    "errors": (
        "ConfigError",
        "Gpt2calcError",
        "Int64OverflowError",
        "NetworkError",
        "UnknownNameError",
        "UnreadableInputError",
    ),
    "explanation.report": ("Explanation",),
    "keywords": ("Fields",),
    "partitions": ("Parts",),
    "sweeps.report": ("Sweep",),
    "verification.report": ("Verification",),
    "version": ("__version__",),
}


_ROOMS = ("arrays", "plots", "symbolic")
"""Modules of their own that the pages name, loaded when they are asked for."""


def __getattr__(name: str) -> object:
    """Import a public name at its first use, so that `import gpt2calc` costs next to nothing."""
    for module, homed in _HOMES.items():
        if name in homed:
            from importlib import import_module

            found: object = getattr(import_module(f"gpt2calc.{module}"), name)
            globals()[name] = found
            return found
    if name in _ROOMS:
        from importlib import import_module

        return import_module(f"gpt2calc.{name}")
    raise AttributeError(f"module 'gpt2calc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
