"""Which file of a folder, or of a repository, is the checkpoint, and which config lies beside it.

Names decide here, and what is in the files in `formats`. `choose` serves the hub as well.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints import formats
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import UnreadableInputError, printable, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpt2calc.listing import TensorListing

CONFIGS = ("config.json", "hparams.json")
"""transformers' name for a config, and OpenAI's."""

INDEX = re.compile(r"(?P<stem>.+?)(?:\.safetensors|\.bin)?\.index(?P<variant>\.[^./]+)?\.json", re.DOTALL)
"""The index of a sharded checkpoint, `model.safetensors.index.json`, or of a variant of it, `….index.fp16.json`."""

DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
"""The end of the name of a data file of TensorFlow, in the place of which its index has `.index`."""

VALUES = re.compile(r"\.data-\d{5}-of-\d{5}$|\.distcp$")
"""The ends of the names of files with nothing but values, which another file says the names and shapes of."""

RANKS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"model\.safetensors",
        r"model\.safetensors\.index\.json",
        r"pytorch_model\.bin",
        r"pytorch_model\.bin\.index\.json",
        r".+\.safetensors\.index(?:\.[^./]+)?\.json",
        r".+\.bin\.index(?:\.[^./]+)?\.json",
        r"(?!.*-\d{5}-of-\d{5}).+\.safetensors",
        r"ckpt\.pt",
        r"(?!optimizer|scheduler|rng_state|scaler|training_args|.*mp_rank_|.*-\d{5}-of-\d{5}).+\.(?:bin|ckpt|pt|pth)",
        r"(?!mmproj)(?:.+-00001-of-\d{5}|(?!.+-\d{5}-of-\d{5}).+)\.gguf",
        r".+\.index",
    )
)
"""The files that hold a checkpoint: the first four in the order of transformers, the others by how they are used."""

ENDINGS = (".safetensors", ".json", ".bin", ".ckpt", ".pt", ".pth", ".gguf", ".index")
"""How the names of these files end. No other name is held against the patterns, of which a folder can have many."""

SPLIT = re.compile(r"(?P<stem>.+)-(?P<which>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
"""The name of one of the files that gguf-split makes of one."""

RANKED: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(
            r"(?P<step>(?:.+/)?)(?:bf16_|fp16_)?zero_pp_rank_(?P<rank>\d+)_mp_rank_00_model_states\.pt", re.DOTALL
        ),
        "whose parameters ZeRO has split over {ranks}",
        "python zero_to_fp32.py, which lies beside them or a folder above, merges them",
    ),
    (
        re.compile(r"(?P<step>(?:.+/)?)mp_rank_(?P<rank>\d\d)_model_states\.pt", re.DOTALL),
        "which DeepSpeed has split over {ranks} of model parallelism",
        "DeepSpeed's ds_to_universal.py merges them",
    ),
    (
        re.compile(r"(?P<step>(?:.+/)?)mp_rank_(?P<rank>\d\d(?:_\d{3})*)/model_(?:optim_)?rng\.pt", re.DOTALL),
        "which Megatron-LM has split over {ranks} of model parallelism",
        "its tools/checkpoint/convert.py merges them",
    ),
    (
        re.compile(
            r"(?P<step>(?:.+/)?)(?:bf16_|fp16_)?zero_pp_rank_(?P<rank>\d+)_mp_rank_\d\d_optim_states\.pt", re.DOTALL
        ),
        "the states of an optimizer that ZeRO has split over {ranks}",
        "with the model's own file beside them, python zero_to_fp32.py merges them",
    ),
    (re.compile(rf"(?P<step>(?:.+/)?)(?P<rank>{re.escape(formats.METADATA)})", re.DOTALL), "", ""),
)
"""The files of training frameworks that have a folder for each step and a file for each rank: their paths, what a
checkpoint of several ranks is, and what merges them."""

LATEST = ("latest", "latest_checkpointed_iteration.txt")
"""The files that say which step is the last: DeepSpeed's, with the name of its folder, and Megatron-LM's number."""

PART = re.compile(r".+-\d{5}-of-\d{5}\.(?:safetensors|bin|pt)|.+\.data-\d{5}-of-\d{5}", re.DOTALL)
"""The files that hold a part of a checkpoint, and of which none is read without the index that names them."""

MOST_PARTS = 2_000
"""How many files gguf-split may have made of one."""

MOST_LATEST_BYTES = 100
"""How many bytes are read of a file that names the last step."""

MOST_NAMED_FILES = 4
"""How many names a message gives."""

MOST_SEARCHED_ENTRIES = 1000
"""How many entries of sub-folders are looked through for weights, to say where they lie."""

ELSEWHERE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r".+\.distcp", re.DOTALL),
        "its .metadata is not there, which says what the files hold",
    ),
    (
        re.compile(r".+\.(?:incomplete|part|partial|crdownload|download|aria2|tmp)", re.DOTALL),
        "a download of {name} was broken off: fetch it again",
    ),
    (re.compile(r".+\.(?:pkl|pickle|tar|state_dict|weights|model)", re.DOTALL), "if {name} holds the weights, name it"),
)
"""What a folder has in the place of a checkpoint, and what helps."""


class Chosen(NamedTuple):
    """The file of a folder that is read, and the others that hold a checkpoint as well."""

    name: str
    others: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a reader should know of the others; empty where there is none."""
        if not self.others and "/" in self.name:
            return f"{shortened(self.name)} was read"
        return f"{shortened(self.name)} was read, and not {_listed(self.others)}" if self.others else ""


def choose(
    where: str, names: Iterable[str], inside: Callable[[], Iterable[str]] = tuple, latest: Callable[[], str] = str
) -> Chosen:
    """Return which of the files in a folder is read.

    Law: the first rank that a file has; two of one rank are not chosen between. Of its sub-folders those of training
    frameworks are looked into, and what else lies there is not chosen, and said where there is nothing else.

    Args:
        where: the folder, or the repository, as errors name it.
        names: the names of its files and folders.
        inside: gives the paths of what lies in its sub-folders; asked only where no file is a checkpoint.
        latest: gives the sub-folder of the last step; empty where nothing says it.

    Raises:
        UnreadableInputError: none is a checkpoint, or several are.

    Source: transformers, modeling_utils.py, `_get_resolved_checkpoint_files`.

    >>> choose("gpt2", ("config.json", "pytorch_model.bin", "model.safetensors"))
    Chosen(name='model.safetensors', others=('pytorch_model.bin',))
    """
    there = sorted(names)
    names = [name for name in there if not name.startswith(".")]
    likely = [name for name in names if name.endswith(ENDINGS)]
    ranked = [[name for name in likely if rank.fullmatch(name)] for rank in RANKS]
    best = next((found for found in ranked if found), [])
    if len(best) > 1:
        raise UnreadableInputError(where, f"expected one checkpoint, got {_listed(best)}: name the one that is meant")
    if not best and (found := _ranked(where, there, str) or _ranked(where, list(inside()), latest)):
        return found
    if not best:
        got, advice = _instead(there, inside)
        raise UnreadableInputError(where, f"expected {formats.SUPPORTED}, got {got}: no weights were read; {advice}")
    ranked.append([name for name in names if formats.unsupported(name)])
    others = dict.fromkeys(name for found in ranked for name in found if name != best[0])
    return Chosen(best[0], tuple(name for name in others if not _is_shard(name, best[0])))


def open_listing(path: str) -> TensorListing:
    """Return what a checkpoint on disk holds.

    Args:
        path: a folder, a file, the index of a sharded checkpoint, or TensorFlow's prefix such as `model.ckpt`.

    Raises:
        UnreadableInputError: it cannot be read, or is no checkpoint.
    """
    if os.path.isdir(path):
        chosen = choose(path, _names(path), lambda: _inside(path), lambda: _latest(path))
        listing = _open(os.path.join(path, chosen.name))
        return listing._replace(name=printable(path), notes=(*listing.notes, *filter(None, (chosen.note,))))
    listing = _open(path)
    return listing._replace(name=printable(listing.name))


def companion_config(path: str) -> str | None:
    """Return the config beside a file or in a folder; None where there is none."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    paths = (os.path.join(folder, name) for name in CONFIGS)
    # A link that leads nowhere is one too, so that it is said and not passed over; a folder of that name is none.
    return next((candidate for candidate in paths if os.path.lexists(candidate) and not os.path.isdir(candidate)), None)


def is_index(path: str) -> bool:
    """Return whether a path is that of the index of a sharded checkpoint.

    >>> is_index("gpt2/model.safetensors.index.fp16.json"), is_index("gpt2/config.json")
    (True, False)
    """
    return INDEX.fullmatch(path) is not None


def is_prefix(path: str) -> bool:
    """Return whether a path, which is none of a file, is the prefix of a TensorFlow checkpoint."""
    return not os.path.lexists(path) and os.path.isfile(path + ".index")


def _open(path: str) -> TensorListing:
    if is_index(path):
        from gpt2calc.checkpoints import shards  # most checkpoints are one file

        return shards.read(path, formats.read)
    if (names := parts(path)) is not None:
        from gpt2calc.checkpoints import gguf  # as above

        with ExitStack() as opened:
            return gguf.read_parts([opened.enter_context(LocalFile(name)) for name in names])
    path = path + ".index" if is_prefix(path) else DATA.sub(".index", path)
    with LocalFile(path) as file:
        return formats.read(file, _sizes(path) if path.endswith((".index", formats.METADATA)) else None)


def parts(path: str) -> list[str] | None:
    """Return the names of all files of which a path is one that gguf-split made; None where it is no such one.

    >>> parts("gpt2-00002-of-00002.gguf"), parts("gpt2.gguf")
    (['gpt2-00001-of-00002.gguf', 'gpt2-00002-of-00002.gguf'], None)
    """
    found = SPLIT.fullmatch(path)
    if found is None or not 1 < int(found["count"]) <= MOST_PARTS:
        return None
    return [f"{found['stem']}-{which:05}-of-{found['count']}.gguf" for which in range(1, int(found["count"]) + 1)]


def _ranked(where: str, paths: list[str], latest: Callable[[], str]) -> Chosen | None:
    """Return the file of a training framework's checkpoint among paths; None where there is none.

    Raises:
        UnreadableInputError: there are several steps and nothing says which is the last, or that one is not there, or
            there are several ranks.
    """
    for look, split, advice in RANKED:
        steps: dict[str, list[str]] = {}
        for path in paths:
            if found := look.fullmatch(path):
                steps.setdefault(found["step"], []).append(path)
        if not split:  # a name that other tools have too
            full = {path.rpartition("/")[0] + "/" for path in paths if path.endswith(".distcp")}
            steps = {step: files for step, files in steps.items() if (step or "/") in full}
        if not steps:
            continue
        last = latest() if any(steps) else ""
        own = {step: files for step, files in steps.items() if step.partition("/")[0] == last}
        if last and not own:
            got = _listed([files[0] for files in steps.values()])
            problem = f"expected the last step, which a file there calls {shown(last)}, got {got}"
            raise UnreadableInputError(where, f"{problem}: name the one that is meant")
        steps = own or steps
        if len(steps) > 1:
            named = _listed([files[0] for files in steps.values()])
            raise UnreadableInputError(where, f"expected one checkpoint, got {named}: name the one that is meant")
        (files,) = steps.values()
        if len(files) > 1 or "zero_pp_rank" in files[0]:
            what = split.format(ranks=f"{len(files):,} ranks" if len(files) > 1 else "1 rank")
            raise UnreadableInputError(where, f"expected a whole model, got {_listed(sorted(files))}, {what}: {advice}")
        return Chosen(files[0], ())
    return None


def _latest(folder: str) -> str:
    """Return the name of the sub-folder that a file says is the last step's; empty where none does."""
    for name in LATEST:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with LocalFile(path) as file:
                said = file.read(0, min(file.size, MOST_LATEST_BYTES)).decode("utf-8", "replace").strip()
            return f"iter_{int(said):07}" if said.isascii() and said.isdecimal() else said
    return ""


def _sizes(path: str) -> dict[str, int]:
    """Return the sizes of the files beside what says what they hold, by their names."""
    folder = os.path.dirname(path) or os.curdir
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat().st_size for entry in entries if VALUES.search(entry.name) and entry.is_file()
            }
    except OSError as error:
        raise UnreadableInputError(folder, f"cannot be read: {error.strerror}") from None


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise UnreadableInputError(folder, f"cannot be read: {error.strerror}") from None


def _inside(folder: str) -> list[str]:
    """Return the paths of files in the sub-folders of a folder, two levels down and not too many."""
    found: list[str] = []
    for here, inner, names in islice(os.walk(folder), MOST_SEARCHED_ENTRIES):
        path = os.path.relpath(here, folder).replace(os.sep, "/")
        if path.count("/"):
            inner.clear()
        if path != os.curdir:
            found += [f"{path}/{name}" for name in names[:MOST_SEARCHED_ENTRIES]]
    return sorted(found)


def _is_shard(name: str, index: str) -> bool:
    """Return whether a name is one that the shards of an index have; of a file that is no index, nothing is."""
    found = INDEX.fullmatch(index)
    return found is not None and name.startswith(f"{found['stem']}{found['variant'] or ''}-")


def _instead(there: list[str], inside: Callable[[], Iterable[str]]) -> tuple[str, str]:
    """Return what a folder has in the place of a checkpoint, and what helps."""
    names = [name for name in there if not name.startswith(".")]
    parts = [name for name in names if PART.fullmatch(name)]
    if parts:
        return f"{_listed(parts)} without the index", "fetch the index too, which says what each part holds"
    unsupported = [name for name in names if formats.unsupported(name)]
    if unsupported:
        return f"{_listed(unsupported)}, which is not supported", "save the model as safetensors"
    got = _listed(names) or "no files"
    for look, advice in ELSEWHERE:
        found = next((name for name in there if look.fullmatch(name)), None)
        if found:
            return got, advice.format(name=shortened(found))
    looks = (*RANKS, *(look for look, _ in ELSEWHERE), PART)
    deeper = [path for path in inside() if any(look.fullmatch(path.rpartition("/")[2]) for look in looks)]
    if deeper:
        return got, f"there is {_listed(deeper)} in its sub-folders: verify that one"
    config = next((name for name in CONFIGS if name in names), None)
    ending = f"; naming {config} itself judges the config alone" if config else ""
    return got, f"they are looked for in files like model.safetensors, *.bin, *.pt, *.ckpt, *.gguf, *.index{ending}"


def _listed(names: Iterable[str]) -> str:
    """Return a few names, and how many more there are."""
    names = tuple(names)
    more = f" and {len(names) - MOST_NAMED_FILES:,} more" if len(names) > MOST_NAMED_FILES else ""
    return ", ".join(map(shortened, names[:MOST_NAMED_FILES])) + more
