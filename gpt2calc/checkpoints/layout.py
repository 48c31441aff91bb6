"""How PyTorch lays a tensor out: its dtypes with the size of an element, and strides.

It must not know where a tensor comes from: files and live models share it.
"""

from __future__ import annotations

from math import prod

DTYPES: dict[str, tuple[str, int]] = {
    "float64": ("F64", 8),
    "float32": ("F32", 4),
    "float16": ("F16", 2),
    "bfloat16": ("BF16", 2),
    "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
    "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
    "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
    "float8_e8m0fnu": ("F8_E8M0", 1),
    "float4_e2m1fn_x2": ("FLOAT4_E2M1FN_X2", 1),
    "int64": ("I64", 8),
    "int32": ("I32", 4),
    "int16": ("I16", 2),
    "int8": ("I8", 1),
    "uint64": ("U64", 8),
    "uint32": ("U32", 4),
    "uint16": ("U16", 2),
    "uint8": ("U8", 1),
    "bool": ("BOOL", 1),
    "complex128": ("C128", 16),
    "complex64": ("C64", 8),
    "complex32": ("C32", 4),
    "qint32": ("QINT32", 4),
    "qint8": ("QINT8", 1),
    "quint8": ("QUINT8", 1),
}
"""PyTorch's dtypes, each with the name that safetensors gives it, or would, and the bytes that an element takes."""


def row_major(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Return whether elements lie in row-major order without gaps, as `torch.Tensor.is_contiguous()` says.

    >>> row_major((3, 2), (2, 1)), row_major((3, 2), (1, 3)), row_major((1, 2), (9, 1)), row_major((0, 2), (9, 9))
    (True, False, True, True)
    """
    if 0 in shape:
        return True
    expected = 1
    for size, step in zip(reversed(shape), reversed(stride), strict=True):
        if size != 1 and step != expected:
            return False
        expected *= size
    return True


def span(shape: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Return how many elements of its storage a tensor reaches over, from its first to its last.

    Law: 1 + sum of (size - 1) · stride; 0 where a size is 0.

    >>> span((3, 2), (2, 1)), span((3, 2), (1, 10)), span((3, 2), (0, 1)), span((), ())
    (6, 13, 2, 1)
    """
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))


def stored(shape: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """Return how many elements of its storage a tensor uses: an expanded one fewer than it has.

    It is exact unless the strides make elements overlap in another way than by expanding, which only `as_strided` and
    `unfold` do; then it is the least of two upper bounds.

    >>> stored((3, 2), (2, 1)), stored((3, 2), (1, 10)), stored((3, 2), (0, 1)), stored((3, 3), (1, 1))
    (6, 6, 2, 5)
    """
    apart = prod(size for size, step in zip(shape, stride, strict=True) if step or not size)
    return min(apart, span(shape, stride))
