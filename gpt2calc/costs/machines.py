"""What machines can do at most, by public tables: dense bfloat16 FLOP/s and bytes a second, each with its source.

The makers' own sheets were not read, and public tables differ in the third digit, 989, 989.4 and 989.5e12 for one
machine: a utilization that is printed with two decimals needs the peak that it was divided by. Sheets print the peak
"with sparsity" first, which is twice the dense one: matrices of which two in four elements are 0. No product that is
counted here is one of such matrices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.errors import Named
from gpt2calc.table import Real, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

NANOCHAT = "karpathy/nanochat, common.py"
TORCHTITAN = "pytorch/torchtitan, tools/utils.py"
SPECS = "winston-zhang-orz/gpu-specs, specs.md"
SHEETS = "astroC86/gpu-datasheet, README.md, from NVIDIA's data sheets"
"""Whose tables have the peaks with sparsity."""

MEMORY = "huggingface/huggingface.js, packages/tasks/src/hardware-nvidia.ts"
"""Whose table says how much memory there is, in GB, taken for 10⁹ bytes, the smaller of the two meanings."""


class Machine(NamedTuple):
    """One machine.

    Args:
        name: how it is asked for.
        flops: dense bfloat16 FLOP/s.
        bandwidth: bytes a second of its memory; 0 where no table was read.
        source: whose tables say so.
        memory: bytes of its memory; 0 where no table was read.
        sparse: bfloat16 FLOP/s with sparsity; 0 where no table was read.
        sparse_source: whose table says that.
    """

    name: str
    flops: int
    bandwidth: int
    source: str
    memory: int = 0
    sparse: int = 0
    sparse_source: str = ""


class Roofs(NamedTuple):
    """What a machine can do at most, for a floor under a time.

    Args:
        flops: FLOP/s.
        bandwidth: bytes a second of its memory; 0 where it is not known.
        source: whose figures these are.
    """

    flops: int
    bandwidth: int
    source: str

    def to_dict(self, floors: Mapping[str, Fraction]) -> dict[str, Any]:
        """Return the floors under a time, and which roof binds, as JSON takes it."""
        binds = max(floors, key=floors.__getitem__)
        seconds = {name: float(each) for name, each in floors.items()}
        return {"seconds": seconds[binds], "binds": binds, "roofs": seconds, **self._asdict()}

    def table(self, floors: Mapping[str, Fraction], read: str) -> Table:
        """Lay the floors under a time out: which roof binds, and whose figures the roofs are.

        Args:
            floors: seconds under each roof.
            read: what is read of the memory.
        """
        binds = max(floors, key=floors.__getitem__)
        roofs = {"compute": f"{self.flops:,} FLOP/s", "memory": f"{self.bandwidth:,} bytes a second, {read} read once"}
        rows = tuple(
            (name, Real(float(seconds)), "binds" if name == binds else "", roofs[name])
            for name, seconds in floors.items()
        )
        title = f"at least {float(floors[binds]):.3g} s, whatever the program; {self.source}"
        return Table(title, ("roof", "seconds", "", "of"), rows)


_BOTH = f"{NANOCHAT}; {TORCHTITAN}"
GB = 10**9
MACHINES = (
    Machine("a100-40gb", 312 * 10**12, 16 * 10**11, _BOTH, 40 * GB, 624 * 10**12, SPECS),
    Machine("a100-80gb", 312 * 10**12, 2 * 10**12, _BOTH, 80 * GB, 624 * 10**12, SPECS),
    Machine("h100-sxm", 989 * 10**12, 335 * 10**10, _BOTH, 80 * GB, 1979 * 10**12, SHEETS),
    Machine("h100-pcie", 756 * 10**12, 2 * 10**12, _BOTH, 80 * GB, 1513 * 10**12, SPECS),
    Machine("h100-nvl", 835 * 10**12, 0, _BOTH),
    Machine("h200", 989 * 10**12, 48 * 10**11, _BOTH, 141 * GB, 1979 * 10**12, SHEETS),
    Machine("b200", 225 * 10**13, 8 * 10**12, _BOTH, 192 * GB),
    Machine("l40s", 362 * 10**12, 0, _BOTH, 48 * GB, 733 * 10**12, SPECS),
    Machine("4090", 1652 * 10**11, 101 * 10**10, NANOCHAT, 24 * GB),
    Machine("3090", 71 * 10**12, 936 * 10**9, NANOCHAT, 24 * GB),
    Machine("mi300x", 13074 * 10**11, 0, _BOTH),
)
"""The machines that are known by name."""

WITH_MEMORY = Named("hardware", {machine.name: machine for machine in MACHINES if machine.memory})
"""Those of which a table says how much memory they have."""


def told_apart(peak: int) -> str:
    """Return a sentence where a peak that is given is the one with sparsity of a machine, and no machine's dense one.

    >>> told_apart(1979 * 10**12)
    '1979 TFLOP/s is what h100-sxm reaches with sparsity: products that are counted here are dense, at half of it'
    """
    if any(machine.flops == peak for machine in MACHINES):
        return ""
    name = next((machine.name for machine in MACHINES if machine.sparse == peak), "")
    said = f"{peak // 10**12} TFLOP/s is what {name} reaches with sparsity"
    return f"{said}: products that are counted here are dense, at half of it" if name else ""


BY_NAME = Named("machine", {machine.name: machine for machine in MACHINES})


def roofs(name: str) -> Roofs:
    """Return what a machine can do at most.

    Raises:
        UnknownNameError: no machine has this name.

    >>> roofs("h200").bandwidth
    4800000000000
    """
    known = BY_NAME[name]
    return Roofs(known.flops, known.bandwidth, f"one {known.name}, {known.source}")
