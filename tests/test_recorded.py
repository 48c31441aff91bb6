"""The record of the probe's laws on many configs is of what is counted today, and nothing in it differs."""

from __future__ import annotations

import json
from collections import Counter

from gpt2calc.architectures import FILES, reading
from tests import probe, recorded

FIRST, *LINES = recorded.read()
TYPES = {line["model_type"]: line for line in LINES if "model_type" in line}
DEFAULTS = {line["default"]: line for line in LINES if "default" in line}


def test_it_is_of_every_model_type_and_of_the_version_that_is_counted() -> None:
    """A model type that is added is recorded: `python -m tests.recorded MODEL_TYPE`."""
    assert TYPES.keys() == FILES.keys()
    assert FIRST["transformers"].startswith(reading.VERSION)
    assert {line["configs"] for line in TYPES.values()} == {recorded.CONFIGS}
    for model_type, line in TYPES.items():
        kept = json.loads(probe.kept(probe.TRANSFORMERS_TYPE.get(model_type, model_type)))
        assert line["fields"] == len(kept["shapes"]) + len(kept["no_shapes"]), model_type


def test_nothing_differs() -> None:
    """Neither of the random configs nor of the values of a field; and no default config is counted wrong."""
    assert [line for line in TYPES.values() if line["configs_differing"] or line["variations_differing"]] == []
    verdicts = Counter(line["verdict"] for line in DEFAULTS.values())
    assert verdicts[recorded.WRONG] == 0
    assert verdicts[recorded.EXACT] >= 94
