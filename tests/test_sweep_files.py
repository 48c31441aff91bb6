"""Files of a sweep: configs read from them, columns written to them, complete or not at all, whatever happens."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv, feather, ipc, parquet

import gpt2calc
from gpt2calc.errors import ConfigError, Int64OverflowError, UnreadableInputError
from gpt2calc.sweeps import readers, writers
from gpt2calc.sweeps.columns import COLUMNS, COUNT
from tests.conftest import environment
from tests.property.strategies import switched_configs, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run

TABLE = {"n_layer": [12, 24, 48], "d_model": [768, 1024, 1600]}
TOTALS = [124439808, 354823168, 1557611200]

# ---------------------------------------------------------------- reading


def _csv(path: Path) -> None:
    csv.write_csv(pa.table(TABLE), path)


def _jsonl(path: Path) -> None:
    rows = [dict(zip(TABLE, row, strict=True)) for row in zip(*TABLE.values(), strict=True)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def _stream(path: Path) -> None:
    table = pa.table(TABLE)
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


MADE: dict[str, Callable[[Path], Any]] = {
    "a.csv": _csv,
    "pandas.csv": lambda path: pd.DataFrame(TABLE).to_csv(path, index=False),
    "a.jsonl": _jsonl,
    "a.ndjson": _jsonl,
    "polars.parquet": lambda path: pl.DataFrame(TABLE).write_parquet(path),
    "narrow.parquet": lambda path: parquet.write_table(
        pa.table({k: pa.array(v, pa.int16()) for k, v in TABLE.items()}), path
    ),
    "a.arrow": lambda path: feather.write_feather(pa.table(TABLE), path, compression="uncompressed"),
    "packed.feather": lambda path: feather.write_feather(pa.table(TABLE), path),
    "stream.arrow": _stream,
    "BIG.PARQUET": lambda path: pl.DataFrame(TABLE).write_parquet(path),
}


@pytest.mark.parametrize("name", MADE)
def test_every_format_is_read(name: str, tmp_path: Path) -> None:
    """By how its name ends, whoever wrote it."""
    MADE[name](tmp_path / name)
    swept = gpt2calc.sweep(file=tmp_path / name)
    assert (swept["total"].tolist(), swept["n_layer"].tolist()) == (TOTALS, TABLE["n_layer"])
    assert list(swept)[:3] == ["n_layer", "n_embd", "total"]


@tried(20)
@given(configs=st.lists(switched_configs(), min_size=1, max_size=12))
def test_every_row_is_what_counting_its_config_gives(configs: list[dict[str, Any]], tmp_path_factory: Any) -> None:
    """Any fields in any row, some left out: each column is that of the one config."""
    path = tmp_path_factory.mktemp("rows") / "configs.jsonl"
    path.write_text("".join(f"{json.dumps(config)}\n" for config in configs), encoding="utf-8")
    names = [name for name, column in COLUMNS.items() if column.kind == COUNT]
    swept = gpt2calc.sweep(file=path, columns=names)
    counts = [gpt2calc.count(**config).dims for config in configs]
    for name in names:
        measure = COLUMNS[name].measure
        assert measure
        assert swept[name].tolist() == [measure(x) for x in counts], name


def test_what_a_row_leaves_out_is_the_base_models(tmp_path: Path) -> None:
    """Or a field's that is given beside the file; blanks are left out."""
    path = tmp_path / "configs.csv"
    path.write_text(
        "n_layer,n_embd,tied,head,n_inner\n12,,,,\n,768,false,,\n24, 1024 ,TRUE,GPT2Model,100\n", encoding="utf-8"
    )
    swept = gpt2calc.sweep("gpt2-medium", file=path, columns="n_layer,n_embd,tied,head,n_inner,total")
    assert swept["n_layer"].tolist() == [12, 24, 24]
    assert swept["n_embd"].tolist() == [1024, 768, 1024]
    assert swept["tie_word_embeddings"].tolist() == [True, False, True]
    assert swept["head"].tolist() == ["lm", "lm", "none"]
    assert swept["n_inner"].tolist() == [4096, 3072, 100]
    given = gpt2calc.sweep(file=path, vocab=10, columns="vocab_size")
    assert given["vocab_size"].tolist() == [10, 10, 10]


def test_a_condition_and_an_order_are_for_files_as_well(tmp_path: Path) -> None:
    """The rows that hold, in order; equal keys stay as they are in the file."""
    path = tmp_path / "configs.csv"
    path.write_text(
        "n_layer,n_embd,n_head\n" + "".join(f"{i % 5},64,{i % 2 * 8}\n" for i in range(50)).replace(",0\n", ",\n")
    )
    swept = gpt2calc.sweep(file=path, where="n_layer > 2 and n_head == 8", sort="n_layer:desc", top=7, columns="all")
    assert swept["n_layer"].tolist() == [4] * 5 + [3] * 2
    assert swept["n_head"].tolist() == [8] * 7


WRONG = {
    "n_layer\n12\nx\n": "row 2: n_layer must be a whole number that fits in int64, got 'x'",
    "n_layer\n12\n1.5\n": "row 2: n_layer must be a whole number that fits in int64, got '1.5'",
    "n_layer\n99999999999999999999\n": "row 1: n_layer must be a whole number that fits in int64, got 9999",
    "n_layer\n12\n-1\n": "row 2: n_layer must be a whole number, 0 or more, got -1",
    "n_embd,n_head\n768,12\n768,7\n": "row 2: n_head 7 must divide n_embd 768",
    "head\nlm\nbert\n": "row 2: head must be one of none, lm",
    "bias\ntrue\nperhaps\n": "row 2: bias must be true or false, got 'perhaps'",
    "pad_vocab,n_layer\n8,1\n0,1\n": "row 2: pad_vocab_size_multiple must be a whole number, 1 or more, got 0",
    "n_layer,layers\n1,2\n": "columns 'n_layer' and 'layers' both mean n_layer",
    "n_layer,n_layer\n1,2\n": "there are two columns 'n_layer'",
    "n_layer,hidden_layers\n1,2\n": "column 'hidden_layers' is no field of a config: did you mean num_hidden_layers?",
    "name\nx\n": "no column is a field of a config, such as n_layer",
    "": "expected a header with the names of fields, and the file is empty",
    "n_layer,n_embd\n1,2\n1\n": "Expected 2 columns, got 1: 1",  # pyarrow's words; it does not always know the row
}


@pytest.mark.parametrize("text", WRONG, ids=[repr(text)[:30] for text in WRONG])
def test_a_wrong_row_is_told_by_its_number(text: str, tmp_path: Path) -> None:
    """In one sentence, as `Config` says it of one model."""
    path = tmp_path / "configs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.sweep(file=path)
    assert WRONG[text] in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"n_layer\n1\n", "expected a file of configs, which ends in one of .csv, .jsonl"),
        ("a.parquet", b"PAR1", "a.parquet: cannot be read: "),
        ("a.arrow", b"nonsense", "a.arrow: cannot be read: "),
        ("a.csv", b"n_layer\n\xff\n", "a.csv: cannot be read: "),
        ("a.jsonl", b'{"n_layer": 1}\n{"n_layer": \n', "row 2: not JSON: Expecting value at line 1, column 12"),
        ("a.jsonl", b'{"n_layer": 1}\n[1]\n', "row 2: expected a JSON object"),
        (
            "a.jsonl",
            b'{"n_layer": 1}\n{"n_layer": 1.5}\n',
            "row 2: n_layer must be a whole number that fits in int64, got 1.5",
        ),
        ("a.jsonl", b'{"n_layer": true}\n', "row 1: n_layer must be a whole number that fits in int64, got true"),
        ("a.jsonl", b'{"n_layer": {"a": 1}}\n', "row 1: n_layer must be a whole number"),
    ],
)
def test_a_wrong_file_is_told_in_a_sentence(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    """And one that is not there."""
    path = tmp_path / name
    with pytest.raises(UnreadableInputError, match=r"cannot be read: |expected a file"):
        gpt2calc.sweep(file=path)
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.sweep(file=path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    """Floats are sizes where they are whole, as of a column that lacks some; unsigned numbers are, where they fit."""
    path = tmp_path / "a.parquet"
    pl.DataFrame({"n_layer": [12.0, None, 24.5]}).write_parquet(path)
    with pytest.raises(
        UnreadableInputError, match=r"row 3: n_layer must be a whole number that fits in int64, got 24\.5"
    ):
        gpt2calc.sweep(file=path)
    pl.DataFrame({"n_layer": [12.0, None, 24.0]}).write_parquet(path)
    assert gpt2calc.sweep(file=path, columns="n_layer")["n_layer"].tolist() == [12, 12, 24]
    (tmp_path / "a.csv").write_text('n_layer\n"1,024"\n2k\n')
    assert gpt2calc.sweep(file=tmp_path / "a.csv", columns="n_layer")["n_layer"].tolist() == [1024, 2000]
    (tmp_path / "a.csv").write_text("n_layer\n0x10\n")
    with pytest.raises(UnreadableInputError, match="got '0x10'"):
        gpt2calc.sweep(file=tmp_path / "a.csv")
    pl.DataFrame({"n_layer": pl.Series([12, 2**63], dtype=pl.UInt64)}).write_parquet(path)
    with pytest.raises(
        UnreadableInputError, match="row 2: n_layer must be a whole number that fits in int64, got 9223"
    ):
        gpt2calc.sweep(file=path)
    pl.DataFrame(
        {"n_layer": pl.Series([12], dtype=pl.UInt64), "head": pl.Series(["lm"], dtype=pl.Categorical)}
    ).write_parquet(path)
    assert gpt2calc.sweep(file=path)["total"].tolist() == [124439808]


def test_a_row_whose_count_does_not_fit_is_told_by_its_number(tmp_path: Path) -> None:
    """Two rows that are large in different sizes pass; one that is large in both does not."""
    path = tmp_path / "a.csv"
    path.write_text("n_layer,n_embd\n1000000000000,1\n1,1000000\n", encoding="utf-8")
    assert gpt2calc.sweep(file=path)["total"][0] == gpt2calc.count(n_layer=10**12, n_embd=1).total
    path.write_text("n_layer,n_embd\n1,1\n1000000000000,1000000\n", encoding="utf-8")
    with pytest.raises(
        Int64OverflowError, match=r"^row 2: total is 12,000,013,000,000,051,283,000,000 and does not fit in int64$"
    ):
        gpt2calc.sweep(file=path)


def test_several_values_and_a_file_do_not_go_together(tmp_path: Path) -> None:
    """A file has its rows, and a grid has its own."""
    path = tmp_path / "a.csv"
    _csv(path)
    with pytest.raises(
        ConfigError, match="vocab has one value beside a file: several values are a grid, without a file"
    ):
        gpt2calc.sweep(file=path, vocab=[1, 2])


def test_batches_are_numbered_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong row far down is told by its place in the file, and a long file is counted to its end."""
    monkeypatch.setattr(readers, "BATCH", 10)
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"n_layer": {i}}}\n' for i in range(95)), encoding="utf-8")
    assert gpt2calc.sweep(file=path, columns="n_layer")["n_layer"].tolist() == list(range(95))
    assert gpt2calc.sweep(file=path, sort="n_layer:desc", top=3)["n_layer"].tolist() == [94, 93, 92]
    path.write_text(path.read_text() + '{"n_layer": -7}\n', encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="row 96: n_layer must be a whole number, 0 or more, got -7"):
        gpt2calc.sweep(file=path)


# ---------------------------------------------------------------- writing

READ: dict[str, Callable[[Path], pa.Table]] = {
    "a.csv": csv.read_csv,
    "a.parquet": parquet.read_table,
    "a.arrow": feather.read_table,
    "a.feather": feather.read_table,
    "a.jsonl": lambda path: pa.Table.from_pylist([json.loads(line) for line in path.read_text().splitlines()]),
}
GRID = ("--n-layer", "0:40", "--n-embd", "40:800:40", "--tied", "true,false", "--head", "lm,none")


@pytest.mark.parametrize("name", READ)
def test_what_is_written_is_what_is_computed(name: str, tmp_path: Path, run: Run) -> None:
    """Every column of every row, to the last digit; and read as configs it gives the same counts again."""
    path = tmp_path / name
    ran = run("sweep", *GRID, "-o", str(path), "--where", "n_layer % 3 == 1")
    assert (ran.code, ran.stdout) == (0, "")
    assert ran.stderr.startswith("note: wrote 1,120 rows of ")
    head = ["lm", "none"]
    swept = gpt2calc.sweep(
        n_layer=range(41),
        n_embd=range(40, 801, 40),
        tied=[True, False],
        head=head,
        where="n_layer % 3 == 1",
        columns="all",
    )
    assert {n: swept[n].tolist() for n in swept} == READ[name](path).to_pydict()
    again = gpt2calc.sweep(file=path, columns="all")
    assert all(again[n].tolist() == swept[n].tolist() for n in swept)
    assert os.listdir(tmp_path) == [name]


def test_a_file_that_is_there_is_replaced_as_a_whole(tmp_path: Path, run: Run) -> None:
    """And an error leaves it as it was."""
    path = tmp_path / "a.csv"
    path.write_text("before", encoding="utf-8")
    assert run("sweep", "-o", str(path), "--where", "totl > 1").code == 2
    assert path.read_text() == "before"
    assert run("sweep", "-o", str(path), "--columns", "total").code == 0
    assert path.read_text() == "total\n124439808\n"


@pytest.mark.parametrize("place", ["nowhere/a.csv", "folder.csv"])
def test_a_file_that_cannot_be_written_is_told(place: str, tmp_path: Path, run: Run) -> None:
    """No folder, or a folder of that name: exit code 3, and nothing is left behind."""
    (tmp_path / "folder.csv").mkdir()
    ran = run("sweep", "-o", str(tmp_path / place), "--columns", "total")
    assert (ran.code, ran.stdout) == (3, "")
    assert "cannot be written (" in ran.stderr
    assert os.listdir(tmp_path) == ["folder.csv"]


# ---------------------------------------------------------------- interruptions

LONG = (
    "sweep",
    "--n-layer",
    "1:1000",
    "--n-embd",
    "64:64000:64",
    "--vocab",
    "1:1000",
    "--where",
    "vocab_size % 50 == 1",
)
"""A sweep that would take minutes, and writes its first rows at once, being few."""


def started(folder: Path, name: str, *more: str) -> subprocess.Popen[bytes]:
    """Start a long sweep, as a program of its own that hears signals, and wait until it writes."""
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gpt2calc.__main__ import run; raise SystemExit(run())"
    )
    asked = more if "--file" in more else (*LONG, *more)
    words = [sys.executable, "-c", heard, *asked, "-o", str(folder / name)]
    child = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not any(entry.stat().st_size for entry in folder.iterdir() if entry.name.endswith(".part")):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return child


@pytest.mark.parametrize(
    ("name", "sent", "code", "word"),
    [
        *((name, signal.SIGINT, 130, "interrupted") for name in ("a.csv", "a.parquet")),
        ("a.arrow", signal.SIGTERM, 143, "terminated"),
    ],
)
def test_a_sweep_that_is_ended_leaves_no_file(
    name: str, sent: signal.Signals, code: int, word: str, tmp_path: Path
) -> None:
    """It says so, and by which signal its exit code says."""
    child = started(tmp_path, name)
    child.send_signal(sent)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (code, b"")
    assert err.decode() == f"gpt2calc sweep: {word}: {tmp_path / name} was not written\n"
    assert os.listdir(tmp_path) == []


def large(folder: Path) -> tuple[str, ...]:
    """Write a file of so many configs that tasks and results fill the pipes to and from the workers."""
    path = folder / "configs.csv"
    rows = "".join(f"{place % 90 + 1},{64 + place}\n" for place in range(400))
    path.write_text("n_layer,n_embd\n" + rows * 1000, encoding="ascii")
    # Not every column: what is copied through pipes costs most, and three megabytes fill one.
    return ("sweep", "--file", str(path), "--columns", "n_layer,n_embd,total,attention,mlp,layer_norm")


@pytest.mark.parametrize(
    ("sent", "heard_by", "kind"),
    [
        pytest.param(signal.SIGINT, "all", "a grid", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, "all", "a file", id="SIGTERM for the group, with tasks as large as pipes"),
        pytest.param(signal.SIGTERM, "one", "a grid", id="SIGTERM for the process"),
    ],
)
def test_a_sweep_of_several_processes_that_is_ended_leaves_no_file_and_no_process(
    sent: signal.Signals, heard_by: str, kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A terminal, `timeout`, systemd and slurm tell the whole group; workers leave the word to who waits for them."""
    path = tmp_path / "a.parquet"
    path.write_bytes(b"before")
    more = large(tmp_path_factory.mktemp("given")) if kind == "a file" else ()
    child = started(tmp_path, "a.parquet", *more, "--jobs", "2")
    os.killpg(child.pid, sent) if heard_by == "all" else child.send_signal(sent)
    out, err = child.communicate(timeout=60)
    code, word = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}[sent]
    assert (child.returncode, out) == (code, b"")
    assert err.decode() == f"gpt2calc sweep: {word}: {path} is as it was before\n"
    assert (os.listdir(tmp_path), path.read_bytes()) == (["a.parquet"], b"before")
    assert is_gone(child.pid)


def test_a_worker_that_is_killed_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    """Exit code 3, since 1 means that something does not match; no file and no process is left."""
    child = started(tmp_path, "a.csv", "--jobs", "2")
    os.kill(workers_of(child.pid)[0], signal.SIGKILL)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, os.listdir(tmp_path)) == (3, b"", [])
    assert re.fullmatch(
        r"gpt2calc sweep: the executor failed at rows [\d,]+ to [\d,]+, so there is no .*\n", err.decode()
    )
    assert is_gone(child.pid)


def test_workers_do_not_outlive_the_process_that_waits_for_them(tmp_path: Path) -> None:
    """Who is killed can say nothing to them; they see it."""
    child = started(tmp_path, "a.csv", "--jobs", "2")
    workers_of(child.pid)
    child.kill()
    child.communicate(timeout=60)
    assert is_gone(child.pid)


def workers_of(group: int) -> list[int]:
    """Wait for the two processes of a group that work on tasks, and return them."""
    for _ in range(200):
        listed = subprocess.run(
            ["ps", "-e", "-ww", "-o", "pid=,pgid=,args="], check=True, capture_output=True, text=True
        )
        rows = (line.split(None, 2) for line in listed.stdout.splitlines())
        found = [int(pid) for pid, its, line in rows if int(its) == group and "spawn_main" in line]
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise AssertionError(listed.stdout)


def is_gone(group: int) -> bool:
    """Wait for all processes of a group to end, and return whether they did."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond a hundred kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl", "a.arrow"])
def test_a_full_disk_leaves_no_file(name: str, tmp_path: Path, run: Run) -> None:
    """The system's own words, exit code 3, and nothing is left behind."""
    path = tmp_path / name
    ran = run(*LONG, "-o", str(path))
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr == f"gpt2calc sweep: {path}: cannot be written (File too large): {path} was not written\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_standard_output_that_is_full_is_told() -> None:
    """As for every command, in each format."""
    one_by_one = """if True:
        import os, sys
        from gpt2calc.cli import main

        for form in ("csv", "jsonl", "parquet", "arrow"):
            os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
            assert main(["sweep", "--n-layer", "1:2000", "--format", form]) == 3
            print(form, file=sys.stderr)
            sys.stdout.flush()  # what is left goes where the command has led it
    """
    ran = subprocess.run(
        [sys.executable, "-c", one_by_one], check=False, capture_output=True, env=environment(), timeout=60
    )
    said = "gpt2calc: the output cannot be written: No space left on device\n"
    assert (ran.returncode, ran.stderr.decode()) == (0, f"{said}csv\n{said}jsonl\n{said}parquet\n{said}arrow\n")


def test_columns_without_rows_make_a_file_with_a_header(tmp_path: Path, run: Run) -> None:
    """No row holds, and every format still says which columns there would be."""
    for name in ("a.csv", "a.parquet", "a.arrow"):
        assert run("sweep", "-o", str(tmp_path / name), "--where", "total < 0", "--columns", "n_layer,total").code == 0
        table = READ[name](tmp_path / name)
        assert (table.column_names, table.num_rows) == (["n_layer", "total"], 0)


def test_writing_copies_no_numbers() -> None:
    """An array becomes Arrow's where it lies."""
    values = np.arange(10)
    batch = writers.to_batch({"total": values})
    assert batch.column(0).buffers()[1].address == values.__array_interface__["data"][0]
