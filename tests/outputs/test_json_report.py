"""The JSON report against its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import gracegate.outputs.json as json_output
from gracegate.model import Operation, Report
from tests.outputs import sample_reports as samples

SCHEMA = json.loads(Path(json_output.__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(samples.NOTHING, id="nothing"),
        pytest.param(samples.CLEAN, id="clean"),
        pytest.param(samples.REMARKS, id="remarks"),
        pytest.param(samples.INCOMPLETE, id="incomplete"),
        pytest.param(samples.FAIL, id="fail"),
        pytest.param(samples.PRESENT, id="no base"),
        pytest.param(samples.SPLIT, id="steps"),
        pytest.param(samples.HOSTILE, id="hostile"),
    ],
)
def test_reports_are_valid(report: Report) -> None:
    VALIDATOR.validate(json.loads(json_output.render(report)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("verdict",), "ok", id="unknown verdict"),
        pytest.param(("findings", 0, "line"), 0, id="a line from 0"),
        pytest.param(("findings", 0, "fix", "patch", 0, "op"), "move", id="unknown operation"),
        pytest.param(("findings", 0, "surprise"), 1, id="unknown key"),
        pytest.param(("suggestions", 0, "text"), None, id="no text"),
    ],
)
def test_the_schema_rejects(path: tuple[str | int, ...], value: object) -> None:
    report = json.loads(json_output.render(samples.FAIL))
    target = report
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert not VALIDATOR.is_valid(report)


def test_a_removal_has_no_value_and_null_is_one() -> None:
    operations = (Operation("remove", ("spec", "x", 0)), Operation("add", ("spec", "y"), None))
    fix = replace(samples.EXHAUSTED.fix, patch=operations)  # type: ignore[type-var]
    report = replace(samples.FAIL, findings=(replace(samples.EXHAUSTED, fix=fix),))
    rendered = json.loads(json_output.render(report))
    VALIDATOR.validate(rendered)
    assert rendered["findings"][0]["fix"]["patch"] == [
        {"op": "remove", "path": ["spec", "x", 0]},
        {"op": "add", "path": ["spec", "y"], "value": None},
    ]
