"""A sweep before anything is computed: what is asked is checked, and whether the packages that it needs are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, install

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.runs import Run


def prepare(model: Model | LeftOut, fields: Mapping[str, Any], **request: Any) -> Run:
    """Check what is asked, as `gpt2calc.sweep` describes it, and return the run, of which nothing has been computed.

    Raises:
        ConfigError: numpy or pyarrow is missing; and all that `gpt2calc.sweep` raises.

    >>> from gpt2calc.sources import LEFT_OUT
    >>> prepare(LEFT_OUT, {"n_layer": [12, 24]}).length
    2
    """
    try:
        from gpt2calc.sweeps import sweeper  # loads numpy, and for a file pyarrow

        return sweeper.ready(model, fields, **request)
    except ImportError as error:
        raise missing(error) from None


def missing(error: ImportError) -> ConfigError:
    """Return the sentence that says which package is missing, and how to get it; any other error is raised again."""
    package = (error.name or "").partition(".")[0]
    if package not in ("numpy", "pyarrow"):
        raise error
    return ConfigError(f"this sweep needs {package}: {install('sweep')}")
