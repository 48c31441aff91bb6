"""The command `python -m tests.released`: the four released sizes of GPT-2 on the hub, verified and counted.

Of each repository no more is fetched than its config, its list of files and the header of its weights. HF_ENDPOINT and
the other variables of huggingface_hub hold. It ends with 0 where all is as it should be, 1 where something is not, and
4 where the hub does not answer.
"""

from __future__ import annotations

import sys

import gpt2calc

TOTALS = {
    "openai-community/gpt2": 124_439_808,
    "openai-community/gpt2-medium": 354_823_168,
    "openai-community/gpt2-large": 774_030_080,
    "openai-community/gpt2-xl": 1_557_611_200,
}
"""The released sizes, by repository; the numbers are those of transformers' own models, see `test_released_sizes`."""


def main() -> int:
    """Check each, print a line for each, and return the exit code: the first that is not 0."""
    codes = [check(name, total) for name, total in TOTALS.items()]
    return next(filter(None, codes), 0)


def check(name: str, total: int) -> int:
    """Hold a repository's weights against its config.json, and the count of that against what is known."""
    try:
        counted = gpt2calc.count(name, hub=True).total
        verified = gpt2calc.verify(name, hub=True, evidence="header")
    except gpt2calc.Gpt2calcError as error:
        print(f"{name}: {error}")
        return error.exit_code
    if counted != total:
        print(f"{name}: expected {total:,} parameters, counted {counted:,}")
        return 1
    print(f"{name}: {counted:,} parameters; {verified.verdict}")
    return 0 if verified.matches else 1


if __name__ == "__main__":
    sys.exit(main())
