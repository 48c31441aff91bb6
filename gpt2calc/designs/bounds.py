"""`Bounds`: what a shape may be, a field for each constraint, and the widths, depths and inner widths that are left.

Each constraint can be taken away, which is how `contradictions` finds those that clash. It must not know how a shape
is counted.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import ranges
from gpt2calc.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gpt2calc.designs.spans import Fractional, Span

MOST_WIDTHS = 200_000
"""No search tries more widths, which is about a second."""


MOST_ATTENTION_HEADS = 1000
"""Where no size of a head is given, and more numbers of heads than this are, one of them is taken to divide a width."""


class Bounds(NamedTuple):
    """The constraints on a shape; None is no constraint.

    Args:
        n_layer, n_embd, n_head, n_inner: the sizes that are allowed.
        embd_multiple: n_embd is a multiple of this.
        head_size: n_embd is a multiple of one of these; n_head comes of the smallest that divides it and that n_head
            allows.
        aspect: n_embd / n_layer lies between the least and the most of these.
        inner_ratio: n_inner is one of these times n_embd, rounded up to a multiple of `inner_multiple`; of a range,
            every multiple within.
        inner_multiple: n_inner is a multiple of this.
    """

    n_layer: Span | None = None
    n_embd: Span | None = None
    embd_multiple: int | None = None
    head_size: tuple[int, ...] | None = None
    n_head: Span | None = None
    aspect: Fractional | None = None
    n_inner: Span | None = None
    inner_ratio: Fractional | None = None
    inner_multiple: int | None = None

    def text(self, name: str) -> str:
        """Return a constraint as a person gives it."""
        value = getattr(self, name)
        if isinstance(value, int):
            return str(value)
        return ranges.written(value) if name == "head_size" else str(value.text)

    def layers(self, n_embd: int) -> Sequence[int]:
        """Return the depths that go with a width.

        Law: n_embd / most ≤ n_layer ≤ n_embd / least of the aspect.
        """
        if self.aspect is None:
            return self.n_layer.values if self.n_layer else range(1, 2)
        least, most = self.aspect.least, self.aspect.most
        low = -(-n_embd * most.denominator // most.numerator)
        high = n_embd * least.denominator // least.numerator
        return self.n_layer.between(low, high) if self.n_layer else range(max(low, 1), high + 1)

    def inners(self, n_embd: int) -> Sequence[int]:
        """Return the inner widths that go with a width, in ascending order."""
        multiple = self.inner_multiple or 1
        if self.inner_ratio is None:
            return self._multiples(0, None, multiple)
        if self.inner_ratio.is_range:
            least, most = self.inner_ratio.least, self.inner_ratio.most
            low = -(-n_embd * least.numerator // least.denominator)
            return self._multiples(low, n_embd * most.numerator // most.denominator, multiple)
        rounded = [
            -(-n_embd * ratio.numerator // (ratio.denominator * multiple)) * multiple
            for ratio in self.inner_ratio.values
        ]
        allowed = self.n_inner
        if len(rounded) == 1 and allowed is None:
            return rounded
        return sorted({size for size in rounded if allowed is None or allowed.has(size)})

    def _multiples(self, low: int, high: int | None, multiple: int) -> Sequence[int]:
        """Return the multiples from `low` to `high` that n_inner allows."""
        if self.n_inner is None:
            return range(-(-low // multiple) * multiple, (low + multiple if high is None else high) + 1, multiple)
        found = self.n_inner.between(low, self.n_inner.values[-1] if high is None else high)
        if isinstance(found, range):
            return _multiples_in(found, multiple)
        return [size for size in found if size % multiple == 0]

    def head(self, n_embd: int) -> int | None:
        """Return the size of a head for a width, the first that is allowed, or None where none is."""
        if self.head_size is None:
            allowed = self.n_head.between(1, n_embd) if self.n_head else (n_embd,)
            if len(allowed) > MOST_ATTENTION_HEADS:
                return 1
            return next((n_embd // heads for heads in allowed if n_embd % heads == 0), None)
        fitting = (size for size in self.head_size if n_embd % size == 0)
        return next((size for size in fitting if self.n_head is None or self.n_head.has(n_embd // size)), None)

    def limits(self) -> tuple[int, int | None]:
        """Return the least and the largest width that sizes alone leave; None where nothing bounds it."""
        lows, highs = [1], []
        if self.n_embd:
            lows.append(self.n_embd.values[0])
            highs.append(self.n_embd.values[-1])
        if self.n_layer and self.aspect:
            least, most = self.aspect.least, self.aspect.most
            lows.append(-(-self.n_layer.values[0] * least.numerator // least.denominator))
            highs.append(self.n_layer.values[-1] * most.numerator // most.denominator)
        if self.n_head and self.head_size:
            highs.append(max(self.head_size) * self.n_head.values[-1])
        if self.n_inner and self.inner_ratio:
            highs += self._widest(self.n_inner, self.inner_ratio)
        return max(lows), min(highs, default=None)

    @staticmethod
    def _widest(n_inner: Span, ratio: Fractional) -> tuple[int, ...]:
        """Return the largest width whose n_inner is not too large, nothing where any is."""
        ratios = [ratio.least] if ratio.is_range else [each for each in ratio.values if each or n_inner.has(0)]
        if not ratios:  # in a list, 0 gives an n_inner of 0 and no other
            return (0,)
        return (n_inner.values[-1] * ratios[0].denominator // ratios[0].numerator,) if ratios[0] else ()

    def steps(self) -> tuple[int, ...]:
        """Return the numbers of which a width has to be a multiple of one."""
        multiple = self.embd_multiple or 1
        found = sorted({lcm(multiple, size) for size in self.head_size or (1,)})
        return tuple(step for step in found if not any(step % other == 0 for other in found if other < step))

    def sides(self, n_embd: int) -> tuple[Sequence[int], Sequence[int]] | None:
        """Return the depths and the inner widths that go with a width, a multiple of one of `steps`, or None."""
        if (self.n_embd is not None and not self.n_embd.has(n_embd)) or self.head(n_embd) is None:
            return None
        layers, inners = self.layers(n_embd), self.inners(n_embd)
        return (layers, inners) if layers and inners else None

    def candidates(self) -> Iterator[int]:
        """Yield the widths that are within the limits and multiples of what they have to be, some of them twice."""
        low, high = self.limits()
        for step in self.steps():
            yield from range(-(-low // step) * step, (low if high is None else high) + 1, step)

    def widths(self) -> dict[int, tuple[Sequence[int], Sequence[int]]]:
        """Return every width that some shape has, in ascending order, with its depths and inner widths.

        Raises:
            ConfigError: there are too many to be tried.
        """
        low, high = self.limits()
        if high is None:
            raise ConfigError("nothing bounds n_embd: give n_embd, or n_layer and aspect")
        number = sum(max(0, high // step - (low - 1) // step) for step in self.steps())
        if number > MOST_WIDTHS:
            advice = f"at most {MOST_WIDTHS:,} are tried: narrow n_embd or n_layer, or raise embd_multiple"
            raise ConfigError(f"n_embd can be one of {number:,} widths, and {advice}", field="n_embd")
        found = ((n_embd, self.sides(n_embd)) for n_embd in sorted(set(self.candidates())))
        return {n_embd: sides for n_embd, sides in found if sides}


def _multiples_in(sizes: range, multiple: int) -> range:
    """Return the sizes of a range that are multiples of a number, a range again.

    >>> _multiples_in(range(10, 100, 6), 4)
    range(16, 100, 12)
    """
    common = gcd(sizes.step, multiple)
    if sizes.start % common or not sizes:
        return range(0)
    period = multiple // common
    first = -sizes.start // common * pow(sizes.step // common, -1, period) % period
    return range(sizes.start + first * sizes.step, sizes.stop, sizes.step * period)
