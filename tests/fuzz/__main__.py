"""The command `python -m tests.fuzz`."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz import READERS
from tests.fuzz.running import Finding, run


def main(words: list[str] | None = None) -> int:
    """Run the fuzzer and print what it came to; 1 where an input is found, which is written to a file as hex."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Feed a reader files that are nearly good."
    )
    parser.add_argument("reader", choices=sorted(READERS))
    parser.add_argument("--count", type=int, default=100_000, help="how many files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random generator (default: %(default)s)")
    given = parser.parse_args(words)
    reader = READERS[given.reader]()
    try:
        tally = run(reader, given.count, given.seed)
    except Finding as finding:
        path = f"fuzz-{given.reader}-{given.seed}.hex"
        with open(path, "w", encoding="ascii") as file:
            file.write(finding.content.hex() + "\n")
        print(f"{given.reader}: an input of {len(finding.content):,} bytes {finding.problem}; it is in {path}")
        return 1
    held = f"{tally.stricter:,} of them accepted by the oracle, on purpose" if reader.oracle else "no oracle"
    print(
        f"{given.reader}: {tally.inputs:,} inputs, {tally.accepted:,} accepted, {tally.refused:,} refused ({held}), "
        f"the slowest {1000 * tally.slowest:.1f} ms, the largest of a sample {tally.peak / 2**10:,.0f} KiB, "
        f"the process {tally.highest / 2**20:.0f} MiB, {tally.inputs / max(tally.seconds, 1e-9):,.0f} inputs a second"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
