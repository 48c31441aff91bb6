"""The row of torch.distributed.checkpoint's `.metadata`: a pickle whose opcodes are changed, beside its files."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from gpt2calc.checkpoints import distributed as reader
from gpt2calc.checkpoints.files import MemoryFile
from tests.fuzz.rows import Reader
from tests.fuzz.torch import change_opcodes

if TYPE_CHECKING:
    from gpt2calc.listing import TensorListing

BESIDE = {"__0_0.distcp": 40, "__1_0.distcp": 40}


def distributed() -> Reader:
    """Return the row of a `.metadata`."""
    from tests.test_distributed import metadata  # torch's own classes

    def read(file: MemoryFile) -> TensorListing:
        found = reader.read(MemoryFile(".metadata", file.content), BESIDE)
        # Values lie in other files, and are not listed by their places.
        return found._replace(tensors=tuple(tensor._replace(file=None, nbytes=0) for tensor in found.tensors))

    return Reader(lambda: [pickle.dumps(metadata(), protocol=4)], read, (change_opcodes,) * 20)
