"""Naming dialects: what the names in a checkpoint mean, a row a project in one table."""

from __future__ import annotations

from gpt2calc.dialects.table import DIALECTS

__all__ = ("DIALECTS",)
