"""`opa check` finds what no input can hold, because the schema is made of the rules and of the model."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from gracegate.model import Document, ObjectRef, Parameter, Rule
from gracegate.policy import BaseDocument, Batch, Cluster, ask, builtin_policies, load_builtin
from gracegate.policy.build import input_schema

MODULE = """\
# METADATA
# schemas:
# - input: schema.input
package gracegate.sample

found := {expression}
"""
KNOWN = [
    'input.params["grace-period-exhausted"].least_seconds',
    'input.params["prestop-drain-too-short"].least_seconds.headless',
    "input.cluster.drain_seconds.alb_ip",
    "input.documents[0].object.spec.template.spec.containers[0].readinessProbe.httpGet.port",
    "input.documents[0].object.spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds",
    "input.documents[0].object.spec.containers[0].image",
    "input.before[0].object.spec.selector.app",
    "input.before[0].document",
    "input.added[0]",
]
MISSPELT = [
    'input.params["grace-period-exhausted"].least_second',
    'input.params["grace-period-exausted"].least_seconds',
    'input.params["prestop-drain-missing"].least_seconds',
    "input.cluster.drain_seconds.alb",
    "input.documents[0].object.spec.template.spec.container[0].image",
    "input.documents[0].object.spec.jobTemplate.template",
    "input.before[0].subject",
    "input.before[0].object.spec.selectors",
]


def check(opa: Path, folder: Path, expression: str) -> subprocess.CompletedProcess[str]:
    """Runs `opa check` on a module that reads `expression`."""
    module = folder / "sample.rego"
    module.write_text(MODULE.format(expression=expression))
    command = [opa, "check", "--strict", "--schema", builtin_policies() / "schema", module]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("expression", KNOWN)
def test_what_an_input_holds_passes(opa: Path, tmp_path: Path, expression: str) -> None:
    checked = check(opa, tmp_path, expression)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("expression", MISSPELT)
def test_a_misspelt_name_fails(opa: Path, tmp_path: Path, expression: str) -> None:
    checked = check(opa, tmp_path, expression)
    assert checked.returncode == 1
    assert "undefined ref" in checked.stderr


def test_the_input_of_a_review_fits_the_schema() -> None:
    catalog, questions = load_builtin(), []
    pod = Document("a/pod.yaml", 0, (), {"kind": "Pod"}, ObjectRef("Pod", "", ""), False, "a")
    batch = Batch(
        documents=(pod,),
        subjects=frozenset({0}),
        unread=(("a/x.yaml", "a", "a"),),
        rules=catalog.rules,
        catalog=catalog.rules,
        params={},
        cluster=Cluster(),
        before=(BaseDocument(pod, 0), BaseDocument(pod)),
        added=frozenset({0}),
    )
    ask(lambda opa_input: questions.append(opa_input) or clean(catalog.digest, opa_input), batch, catalog.digest)
    schema = json.loads(input_schema.build(catalog.rules.values()))
    jsonschema.validate(questions[0], {**schema, "additionalProperties": False})


def clean(digest: str, opa_input: object) -> dict[str, object]:
    """The report of rules that find nothing."""
    assert isinstance(opa_input, dict)
    return {"digest": digest, "rules": opa_input["rules"], "violations": []}


def test_parameters_have_the_types_that_configuration_allows() -> None:
    defaults = {"share": 0.5, "seconds": 5, "strict": True, "mesh": "native", "names": ["a"], "by_exposure": {}}
    parameters = tuple(Parameter(name, default, "") for name, default in defaults.items())
    rule = Rule("sample", "group", "", "", "error", "none", parameters, "", ())
    schema = json.loads(input_schema.build([rule]))["properties"]["params"]["properties"]["sample"]
    assert (schema["additionalProperties"], {name: shape["type"] for name, shape in schema["properties"].items()}) == (
        False,
        {
            "share": "number",
            "seconds": "number",
            "strict": "boolean",
            "mesh": "string",
            "names": "array",
            "by_exposure": "object",
        },
    )
