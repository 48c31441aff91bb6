"""The command `python -m tests.oracle`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.oracle import differences
from tests.oracle.frozen import FROZEN, default_cache, installed
from tests.oracle.questions import CONFIGS, questions
from tests.oracle.running import Outcome, Side, run

EXPLAINED = Path(__file__).with_name("explained.toml")
QUICK = 0.1
"""Which part of the other questions a quick run asks."""


def main(words: list[str] | None = None) -> int:
    """Ask both sides, and print what differs; 1 where something does that is not explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--configs", type=int, default=CONFIGS, help="random configs to ask of (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="500 random configs, and a tenth of all other questions")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: %(default)s)")
    parser.add_argument("--old", metavar="COMMIT", default=FROZEN, help="instead of the frozen commit")
    parser.add_argument("--new", metavar="COMMIT", help="instead of the tree as it is")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="keep built packages here (%(default)s)")
    parser.add_argument("--list", metavar="FILE", help="write every difference to a file, as JSON lines")
    parser.add_argument("--record", action="store_true", help="write into explained.toml how many each explains")
    given = parser.parse_args(words)
    started = time.monotonic()
    many, part = (min(given.configs, 500), QUICK) if given.quick else (given.configs, 1.0)
    is_whole = (many, part, given.seed, given.old, given.new) == (CONFIGS, 1.0, 0, FROZEN, None)
    if given.record and not is_whole:
        parser.error("--record is of a whole run: of the frozen commit and the tree, with all questions")
    old = Side(f"old {given.old[:12]}", str(installed(given.old, given.cache)))
    new = Side(f"new {given.new[:12]}", str(installed(given.new, given.cache))) if given.new else tree()
    explanations = differences.read(EXPLAINED)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        outcome = run(old, new, questions(home, many=many, part=part, seed=given.seed), home, explanations)
    print(f"{old.name} beside {new.name}, in {time.monotonic() - started:.0f} s")
    print(*outcome.lines(), sep="\n")
    if given.list:
        write(Path(given.list), outcome)
    if given.record:
        differences.record(EXPLAINED, outcome.explained)
    surprises = list(miscounted(outcome)) if is_whole and not given.record else []
    print(*surprises, sep="\n", end="\n" * bool(surprises))
    return int(bool(outcome.faults or surprises))


def tree() -> Side:
    """Return the side that `import gpt2calc` gives here."""
    found = importlib.util.find_spec("gpt2calc")
    assert found
    assert found.origin
    return Side("the tree", str(Path(found.origin).parents[1]))


def miscounted(outcome: Outcome) -> list[str]:
    """Return what is to be looked at where an explanation explains more or less than it did when that was recorded."""
    return [
        f"{EXPLAINED.name} records {each.recorded:,} of {each.kind} at {each.path}, and {count:,} differ so: "
        + ("look at them, and run with --record" if count else "take the explanation out")
        for each, count in zip(outcome.explanations, outcome.explained, strict=True)
        if count != each.recorded or not count
    ]


def write(path: Path, outcome: Outcome) -> None:
    """Write every difference, and whether it is explained, a line each."""
    with open(path, "w", encoding="utf-8") as file:
        for difference, place in outcome.found:
            json.dump({**difference._asdict(), "explained": place is not None}, file, ensure_ascii=False)
            file.write("\n")


if __name__ == "__main__":
    sys.exit(main())
