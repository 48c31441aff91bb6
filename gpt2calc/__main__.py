"""The process behind the command `gpt2calc` and `python -m gpt2calc`."""

from __future__ import annotations

import gc

from gpt2calc import signals


def run() -> int:
    """Run one command as a process of its own, and return its exit code.

    The process ends before there is garbage to collect: looking for it while pydantic loads, and once more at the end,
    takes a sixth of the time of a count with options.
    """
    signals.obey()
    gc.disable()
    from gpt2calc.cli import main  # after it is known how to end

    code = main()
    gc.freeze()
    return code


if __name__ == "__main__":
    raise SystemExit(run())
