"""The JSON: every document that a command prints is what docs/schema/ says, and the schemas refuse what is not."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

import gpt2calc
from gpt2calc import cli, conventions, dims, general_conventions, model
from gpt2calc.sweeps import columns
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schema"
SCHEMAS: dict[str, Any] = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
CHECKPOINT = str(Path(__file__).resolve().parent / "data" / "checkpoints" / "tensorflow" / "model.ckpt.index")
UNUSUAL = [
    "--add-cross-attention",
    "--head",
    "double_heads",
    "--no-summary-proj-to-labels",
    "--no-bias",
    "--n-layer",
    "0",
]
ENORMOUS = ["--n-embd", str(10**30), "--n-layer", str(10**300)]

CASES = [
    *(["count", name] for name in ("gpt2", "gpt2-xl", "raschka-gpt2-small", "vit-gpt2-decoder", "tiny-gpt2")),
    ["count", *UNUSUAL],
    ["count", *ENORMOUS],
    ["count", "--head", "question_answering", "--untied", "--n-inner", "0"],
    ["count", "gpt2", "--per-block"],
    ["count", "DeepSeek-V3", "--stored"],
    ["tensors", "gpt2", "--stored"],
    ["tensors", "Qwen3-0.6B", "--stored"],
    ["count", "gpt2", "--conventions"],
    ["count", "Cerebras-GPT-111M", "--n-embd", "1024"],
    ["count", "gpt2", "--lora-r", "8", "--dora", "--modules-to-save", "ln_f", "--lora-bias", "all"],
    ["count", "gpt2", "--prompt-tokens", "20"],
    ["count", "gpt2", "--blocks", "4"],
    ["count", "gpt2-medium", "--tp", "2", "--pp", "2"],
    ["compare", "small", "medium", "large", "xl"],
    ["compare", "gpt2"],
    ["compare", "gpt2", "gpt2-xl", "--cost", "--train", "--optimizer", "adamw", "--seq", "8"],
    ["compare", "Llama-3.1-8B", "Jamba-v0.1", "gpt2"],
    ["compare", "Llama-3.1-8B", "Jamba-v0.1", "gpt2", "--cost", "--train", "--seq", "8"],
    ["plot", "flops", "Mixtral-8x7B", "--seq", "8"],
    ["compare", "mingpt-sorter", "vit-gpt2-decoder", "--untied"],
    ["cost", "gpt2"],
    ["cost", *UNUSUAL, "--source", "3", "--train", "--n-head", "12"],
    ["cost", "gpt2-xl", "--train", "--optimizer", "adamw", "--checkpoint", "torch", "--tokens", "300B"],
    ["cost", "gpt2", "--prompt", "5", "--new", "3", "--cache", "static", "--max-cache-len", "9", "--dtype", "bf16"],
    ["cost", "gpt2", "--throughput", "150000.5", "--machine", "a100-40gb", "--devices", "8"],
    ["cost", "gpt2-xl", "--seq", "1", "--past", "1023", "--machine", "h100-sxm", "--dtype", "bf16"],
    ["cost", "--n-embd", str(10**30), "--convention", "six_n"],
    ["cost", "gpt-oss-20b", "--seq", "300", "--batch", "2", "--kv-dtype", "fp8"],
    ["cost", "Jamba-v0.1"],
    ["fits", "DeepSeek-V3", "--memory", "2TB", "--context", "4096", "--dtype", "bf16"],
    ["measure", "tiny-gpt2", "--seq", "4", "--optimizer", "sgd", "--prompt", "2"],
    ["formula"],
    ["formula", "total"],
    ["formula", "--model", "gpt2-xl"],
    ["formula", "attn.c_attn", "--model", "gpt2"],
    ["formula", "cross_attention"],
    ["formula", "lm_head", "--model", "gpt2"],
    ["formula", "qa_outputs", *ENORMOUS],
    ["tensors", "gpt2"],
    ["tensors", *UNUSUAL],
    ["tensors", "gpt2-untied", "--head", "GPT2ForTokenClassification", "--num-labels", "0"],
    ["claims"],
    ["explain", "117M"],
    ["explain", "117M", "345M", "762M", "1542M"],
    ["explain", "3.14e23", "gpt3-175B", "--tokens", "300B"],
    ["explain", "652 MB", "621.94M", "gpt2", "xl", "--untied"],
    ["explain", "124,441,344", "--n-layer", "12"],
    ["sweep", "--n-layer", "12,24", "--columns", "all"],
    [
        "sweep",
        "gpt2",
        "--head",
        "lm,double_heads,question_answering",
        "--tied",
        "true,false",
        "--n-head",
        "12,7",
        "--n-inner",
        "0",
    ],
    ["sweep", "--where", "total < 0", "--top", "3"],
    ["sweep", "Qwen3-0.6B", "--num-hidden-layers", "1,2"],
    ["design", "--params", "350M"],
    ["design", "--family", "llama", "--params", "8B", "--nearest"],
    ["design", "gpt2-untied", "--params", "1e15", "--no-bias", "--inner-ratio", "4,8/3", "--inner-multiple", "256"],
    ["design", "--fits", "24GB", "--dtype", "bf16", "--pad", "64, 128"],
    ["design", "--params", "85M", "--convention", "kaplan", "--pareto", "--n-head", "1:64", "--embd-multiple", "128"],
    ["design", "--params", "1", "--n-embd", "64:4096", "--n-inner", "0:16384:1024"],
    ["plot", "shares", "small", "xl"],
    ["plot", "layernorm", *ENORMOUS],
    ["plot", "growth", "gpt2", "--n-layer", "0:96:8"],
    ["plot", "treemap", *UNUSUAL],
    ["plot", "architecture", "DeepSeek-V3"],
    ["plot", "block", *UNUSUAL],
    ["plot", "iso", "gpt2"],
    ["plot", "values", CHECKPOINT],
    ["plot", "flops", "gpt2", "--train", "--checkpoint", "reentrant"],
    ["plot", "memory", "gpt2", "--optimizer", "adamw"],
    ["models"],
    ["verify", CHECKPOINT],
    ["verify", CHECKPOINT, "--tying", "--values"],
    ["verify", "tiny-gpt2"],
]

COUNTED = {"adapter", "parts"}
"""Documents that `count` prints where more is asked than what a model holds."""

MEASURED = {"attn_pdrop", "resid_pdrop", "embd_pdrop", "tokens_per_second", "percent", "seconds", "compute", "memory"}
MEASURED |= {"aspect", "by_accident", "chance", "share", "mean", "std", "min", "max", "correlation", "within"}
MEASURED |= {"x", "y", "width", "height", "room", "per_point"}  # where a picture has something
MEASURED |= {name for name, column in columns.COLUMNS.items() if column.kind == columns.SHARE}
"""What is no count: a share, a quotient of sizes, what is measured of values, and what is expected of chance."""


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the document that a command prints."""
    assert cli.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def check(document: Any) -> None:
    """Validate a document by the schema that it names; raise where it does not fit."""
    project, name, version = document["schema"].split("/")
    assert project == "gpt2calc"
    Draft202012Validator(SCHEMAS[f"{name}-{version}"], registry=REGISTRY).validate(document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_schema(name: str) -> None:
    """A file is valid JSON Schema of draft 2020-12, and is called after the document that it describes."""
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(f"/docs/schema/{name}.json")
    assert schema["properties"]["schema"]["const"] == schema["title"] == f"gpt2calc/{name.replace('-', '/')}"


def test_every_command_has_a_schema_and_cases() -> None:
    """No command is left out, and no schema is without documents that are tried on it."""
    commands = set(cli.COMMANDS) - {"infer", "page", "card", "example"}  # a config.json, HTML, Markdown, and files
    assert sorted(name.partition("-")[0] for name in SCHEMAS) == sorted(commands | COUNTED | {"stored"})
    assert {case[0] for case in CASES} == commands


@of_each("name", SCHEMAS)
def test_no_object_takes_a_key_that_is_not_described(name: str) -> None:
    """Every object of a schema closes its keys, and every value says what it means."""
    for part in objects(SCHEMAS[name]):
        others = part["additionalProperties"]
        assert others is False or ("type" in others and "description" in others)
        assert set(part["required"]) <= set(part["properties"])
        assert all("description" in value or "$ref" in value for value in part["properties"].values())


def objects(schema: Any) -> Iterator[Any]:
    """Yield every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_what_a_command_prints_fits_its_schema(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The document names its schema, and is valid by it."""
    document = printed(words, capsys)
    name = document["schema"].split("/")[1]
    asked = "stored" if "--stored" in words else words[0]
    assert name == asked or (asked == "count" and name in COUNTED)
    check(document)


def test_the_results_in_python_fit_the_schemas() -> None:
    """`to_dict()` gives what the command line prints."""
    check(gpt2calc.count("gpt2").to_dict())
    check(gpt2calc.compare("gpt2", {"n_layer": 3}).to_dict())
    check(gpt2calc.formula("mlp", "gpt2").to_dict())


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_every_number_but_a_share_is_an_integer(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """JSON Schema calls 1.0 an integer; here a count is written without a decimal point or an exponent."""
    assert {key for key, _ in floats(printed(words, capsys))} <= MEASURED


def floats(document: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Yield every float of a document with the key it stands under."""
    if isinstance(document, float):
        yield key, document
    elif isinstance(document, (dict, list)):
        for name, value in document.items() if isinstance(document, dict) else ((key, each) for each in document):
            yield from floats(value, name)


def test_counts_beyond_a_float_are_printed_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """A total of hundreds of digits comes back from the JSON as the same integer."""
    document = printed(["count", *ENORMOUS], capsys)
    assert document["total"] == gpt2calc.count(n_embd=10**30, n_layer=10**300).total
    assert document["total"] > 10**360


def test_the_schema_names_what_the_tables_name() -> None:
    """Conventions, groups and heads are the same in the schema and in the code, in the same order."""
    properties = SCHEMAS["count-2"]["properties"]
    ours, others = properties["conventions"]["oneOf"]
    assert tuple(ours["properties"]) == conventions.NAMES
    assert tuple(others["properties"]) == tuple(row.name for row in general_conventions.OF_MODELS)
    for key in ("groups", "components"):
        item = properties[key]["items"]["properties"]["name" if key == "groups" else "group"]
        assert tuple(item["enum"]) == model.GROUPS
    config, _ = properties["config"]["oneOf"]
    assert tuple(config["properties"]["head"]["enum"]) == tuple(dims.TASK_HEADS)
    assert tuple(config["properties"]) == tuple(dims.to_fields(gpt2calc.count("gpt2").dims))


BROKEN: dict[str, Callable[[Any], Any]] = {
    "a missing total": lambda document: document.pop("total"),
    "a total with a fraction": lambda document: document.update(total=124439808.5),
    "a total in words": lambda document: document.update(total="124,439,808"),
    "a total that is null": lambda document: document.update(total=None),
    "a negative total": lambda document: document.update(total=-1),
    "another schema": lambda document: document.update(schema="gpt2calc/count/1"),
    "a key that nobody described": lambda document: document.update(non_embedding=85056000),
    "a convention that is gone": lambda document: document["conventions"].pop("kaplan"),
    "a component without a name": lambda document: document["components"][0].pop("name"),
    "a component of an unknown group": lambda document: document["components"][0].update(group="attentions"),
    "a share above 1": lambda document: document["groups"][1].update(share=45.54),
    "a flag that is a number": lambda document: document["config"].update(bias=1),
    "notes that are one text": lambda document: document.update(notes="none"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_the_schema_refuses_a_broken_count(broken: str) -> None:
    """One thing wrong in a good document is enough, also where it stands within a comparison."""
    good = gpt2calc.count("gpt2").to_dict()
    bad = deepcopy(good)
    BROKEN[broken](bad)
    validator = Draft202012Validator(SCHEMAS["count-2"], registry=REGISTRY)
    validator.validate(good)
    with pytest.raises(ValidationError):
        validator.validate(bad)
    with pytest.raises(ValidationError):
        check({"schema": "gpt2calc/compare/2", "models": [good, bad]})


@pytest.mark.parametrize("command", ["formula", "tensors", "models"])
def test_the_other_schemas_refuse_a_missing_and_an_unknown_key(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each schema asks for its keys and takes no other."""
    good = printed([command], capsys)
    check(good)
    with pytest.raises(ValidationError):
        check({**good, "extra": 1})
    for key in set(SCHEMAS[f"{command}-1"]["required"]) - {"schema"}:
        with pytest.raises(ValidationError):
            check({name: value for name, value in good.items() if name != key})
