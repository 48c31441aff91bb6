"""The version of gpt2calc, in one place that every floor may read."""

__version__ = "0.3.1"
