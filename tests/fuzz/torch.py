"""The rows of PyTorch's files: zips, legacy files, and pickles alone; and changes that know opcodes and zips.

The oracle is `torch.load(weights_only=True)`. It is asked about what the reader accepts, and where it loads that, the
names, shapes and dtypes must be the same. Where it refuses, that is no finding: it reads the values, whose checksums a
change breaks, and knows fewer opcodes. What the reader refuses is not given to it, since a small file can make it take
gigabytes.
"""

from __future__ import annotations

import io
import pickletools
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

from gpt2calc.checkpoints import state_dicts, torch_files
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.checkpoints.layout import DTYPES
from gpt2calc.checkpoints.opcodes import KNOWN
from gpt2calc.errors import UnreadableInputError
from tests.fuzz.mutations import ANY, EDGES
from tests.fuzz.rows import Reader
from tests.makers import torch_files as make
from tests.makers.torch_pickles import CLASSES, integer

if TYPE_CHECKING:
    import random

    from gpt2calc.listing import TensorListing
    from tests.fuzz.rows import Facts

PARTS = (
    *KNOWN,
    *(bytes((opcode,)) for opcode in (0x97, 0x98, 0x82, 0xFF)),
    b"cos\ngetcwd\n",
    b"ctorch._utils\n_rebuild_tensor_v3\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n",
    b"ccollections\nOrderedDict\n)R",
    b"ctorch\nHalfStorage\n",
    b"ctorch\nint64\n",
    b"X\x05\0\0\0model",
    b"X\x0a\0\0\0state_dict",
    b"}X\x01\0\0\0ah\x00s",
    *map(integer, (-1, 0, 1, 2, 3, 6, 255, 2**16, 2**31, 2**63 - 1, 2**63, 2**64)),
)
"""What can be put between two opcodes."""

SIGNATURE = b"PK"


def zipped() -> Reader:
    """Return the row of a zip."""
    mutations = (change_the_pickle,) * 10 + (change_a_record,) * 6
    return Reader(make.seeds, torch_files.read, mutations, by_torch)


def legacy() -> Reader:
    """Return the row of a legacy file."""
    return Reader(make.legacy_seeds, torch_files.read, (change_opcodes,) * 10, by_torch)


def pickled() -> Reader:
    """Return the row of a pickle, which is put into a zip with all the storages that the seeds name."""
    sizes = {"0": 24, "1": 8, "2": 24, "3": 4, "few": 3, "scalar": 8, "none": 0}
    sizes |= {dtype: 6 * width for dtype, (_, width) in CLASSES.items()}
    storages = [(f"data/{key}", size) for key, size in sizes.items()]

    def framed(content: bytes) -> bytes:
        return make.around(content, *storages)

    def read(file: MemoryFile) -> TensorListing:
        zipped = MemoryFile(file.name, framed(file.content))
        found = torch_files.read(zipped)
        # The fuzzer holds places against the file that it made, and this is another.
        return found._replace(tensors=tuple(tensor._replace(offset=None, nbytes=0) for tensor in found.tensors))

    return Reader(make.pickle_seeds, read, (change_opcodes,) * 20, lambda content: by_torch(framed(content)))


def by_torch(content: bytes) -> Facts | None:
    """Return what torch finds in a file that the reader accepts, and what the reader finds where torch refuses it."""
    import torch

    try:
        ours = torch_files.read(MemoryFile("fuzzed", content)).tensors
    except UnreadableInputError:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            loaded = torch.load(io.BytesIO(content), weights_only=True)
    except Exception:  # noqa: BLE001 - torch raises many kinds, and each is a refusal
        return frozenset((tensor.name, tensor.shape, tensor.dtype) for tensor in ours)
    found: Any = state_dicts.find(loaded, lambda value: isinstance(value, torch.Tensor)).tensors
    return frozenset(
        (name, tuple(tensor.shape), DTYPES[str(tensor.dtype).removeprefix("torch.")][0]) for name, tensor in found
    )


def change_opcodes(content: bytes, chance: random.Random) -> bytes:
    """Take opcodes out of the first pickles of a file, write them twice, exchange them, or put others between them."""
    places = _boundaries(content)
    if len(places) < 3:
        return content + chance.choice(PARTS)
    first, second = sorted(chance.sample(range(len(places) - 1), 2))
    start, end = places[first], places[min(first + chance.choice((1, 1, 2, 5)), len(places) - 1)]
    other, last = places[second], places[second + 1]
    match chance.randrange(5):
        case 0:
            return content[:start] + content[end:]
        case 1:
            return content[:other] + content[start:end] + content[other:]
        case 2:
            return content[:start] + content[other:last] + content[start:other] + content[last:]
        case 3:
            return content[:start] + chance.choice(PARTS) + content[start:]
        case _:
            return content[:start] + chance.choice(PARTS) + content[end:]


def _boundaries(content: bytes) -> list[int]:
    """Return where opcodes begin, up to the first that Python cannot read, over five pickles at most."""
    found: list[int] = []
    stream = io.BytesIO(content)
    try:
        with warnings.catch_warnings(action="ignore"):  # pickletools decodes what only old protocols have
            for _ in range(5):
                found += (at for _, _, at in pickletools.genops(stream) if at is not None)
    except (ValueError, OverflowError):  # what pickletools raises where it stops
        pass
    return found


def change_the_pickle(content: bytes, chance: random.Random) -> bytes:
    """Change the pickle of a zip, and write the zip anew, with the sizes and checksums that it then has."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            records = [(name.partition("/")[2], file.read(name)) for name in file.namelist()]
    except Exception:  # noqa: BLE001 - an earlier change broke the zip, in whatever way
        return chance.choice(ANY)(content, chance)
    change = change_opcodes if chance.random() < 0.7 else chance.choice(ANY)
    changed = [(name, change(data, chance) if name == "data.pkl" and data else data) for name, data in records]
    return make.archive(changed).content()


def change_a_record(content: bytes, chance: random.Random) -> bytes:
    """Write an edge number, or a number from elsewhere in the file, into a header or the directory of a zip."""
    places = [at for at in range(len(content)) if content.startswith(SIGNATURE, at)]
    if not places:
        return chance.choice(ANY)(content, chance)
    width = chance.choice((2, 4, 4, 8))
    at = chance.choice(places) + chance.randrange(4, 46)
    other = chance.choice(places) + chance.randrange(4, 46)
    number = chance.choice((chance.choice(EDGES), chance.randrange(len(content)))) % 2 ** (8 * width)
    part = number.to_bytes(width, "little") if chance.random() < 0.7 else content[other : other + width]
    return content[:at] + part + content[at + len(part) :]
