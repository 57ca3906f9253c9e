"""METADATA is read strictly: what is misspelt or missing is named with file and line."""

from __future__ import annotations

import datetime as dt
from copy import deepcopy
from typing import Any

import pytest

from gracegate.errors import RulesError
from gracegate.model import Parameter, Rule
from gracegate.policy.sets import metadata

FILE = "rules/termination/drain_short.rego"
TEXT = """\
# METADATA
# title: Short drain
# description: Requests are lost.
# related_resources:
# - ref: https://example.org/drain
# custom:
#   severity: warning
#   fix: assumes
#   aliases: [drain-too-short]
#   effective_on: 2027-01-31
#   exceptions:
#   - Clients that retry.
#   parameters:
#     seconds:
#       default: 5
#       description: The least.
#   example: |
#     kind: Pod
package gracegate.rules.termination["drain-short"]
"""
ANNOTATIONS: dict[str, Any] = {
    "scope": "package",
    "title": "Short drain",
    "description": "Requests are lost.\n",
    "related_resources": [{"ref": "https://example.org/drain"}],
    "custom": {
        "severity": "warning",
        "fix": "assumes",
        "aliases": ["drain-too-short"],
        "effective_on": "2027-01-31T00:00:00Z",
        "exceptions": ["Clients that retry."],
        "parameters": {"seconds": {"default": 5, "description": "The least.", "cluster": "least"}},
        "example": "kind: Pod\n",
    },
}
PACKAGE = ("data", "gracegate", "rules", "termination", "drain-short")


def entry(annotations: dict[str, Any], file: str = FILE, package: tuple[str, ...] = PACKAGE) -> dict[str, Any]:
    return {
        "annotations": annotations,
        "location": {"file": file, "row": len(TEXT.splitlines())},
        "path": [{"type": "string", "value": part} for part in package],
    }


def changed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """ANNOTATIONS with another value at `path`, or without it where the value is Ellipsis."""
    annotations = deepcopy(ANNOTATIONS)
    place: Any = annotations
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return annotations


def test_a_rule() -> None:
    assert metadata.read_rules([entry(ANNOTATIONS)], {FILE: TEXT, "lib/x.rego": "package x\n"}) == [
        Rule(
            id="drain-short",
            group="termination",
            title="Short drain",
            description="Requests are lost.",
            severity="warning",
            fix="assumes",
            parameters=(Parameter("seconds", 5, "The least.", "least"),),
            example="kind: Pod\n",
            links=("https://example.org/drain",),
            aliases=("drain-too-short",),
            exceptions=("Clients that retry.",),
            effective_on=dt.date(2027, 1, 31),
        )
    ]


@pytest.mark.parametrize(
    ("annotations", "message", "line"),
    [
        pytest.param(
            changed(("titel",), "x"), "unknown key `titel` in METADATA, did you mean `title`?", 1, id="misspelt"
        ),
        pytest.param(
            changed(("custom", "severety"), "error"),
            "unknown key `severety` in custom, did you mean `severity`?",
            1,
            id="misspelt in custom",
        ),
        pytest.param(changed(("custom", "xyzzy"), 1), "unknown key `xyzzy` in custom", 1, id="nothing like it"),
        pytest.param(changed(("title",), ...), "METADATA lacks `title`", 1, id="missing"),
        pytest.param(changed(("related_resources",), ...), "METADATA lacks `related_resources`", 1, id="no links"),
        pytest.param(
            changed(("custom", "severity"), "fatal"), "severity is one of error, warning, info", 7, id="level"
        ),
        pytest.param(changed(("custom", "fix"), True), "`fix` has to be a text", 8, id="type"),
        pytest.param(
            changed(("custom", "parameters", "seconds", "default"), ...), "METADATA lacks `default`", 1, id="no default"
        ),
        pytest.param(
            changed(("custom", "parameters", "seconds", "defualt"), 1),
            "unknown key `defualt` in a parameter, did you mean `default`?",
            1,
            id="misspelt in a parameter",
        ),
        pytest.param(changed(("custom", "parameters"), ["seconds"]), "`parameters` has to be a map", 13, id="a list"),
        pytest.param(
            changed(("custom", "parameters", "seconds"), 5), "`seconds` has to be a map", 14, id="a bare parameter"
        ),
        pytest.param(
            changed(("custom", "effective_on"), "soon"), "`effective_on` is not a day, write it as", 10, id="no day"
        ),
        pytest.param(changed(("custom", "exceptions"), "x"), "`exceptions` has to be a list", 11, id="one exception"),
        pytest.param(changed(("custom", "aliases"), "old"), "`aliases` has to be a list", 9, id="a bare alias"),
    ],
)
def test_what_is_wrong(annotations: dict[str, Any], message: str, line: int) -> None:
    with pytest.raises(RulesError) as caught:
        metadata.read_rules([entry(annotations)], {FILE: TEXT})
    assert (caught.value.message.startswith(message), caught.value.file, caught.value.line) == (True, FILE, line)


STEPS = TEXT.replace(
    "#   example: |\n#     kind: Pod\n",
    """\
#   example:
#   - {op: replace, path: [spec, replicas], value: 3}
#   - op: add
#     path: [spec, args]
#     value:
#     - sleep
#   - {op: remove, path: [], document: 1}
""",
)
REPLACE = {"op": "replace", "path": ["spec", "replicas"], "value": 3}
ADD = {"op": "add", "path": ["spec", "args"], "value": ["sleep"]}
REMOVE = {"op": "remove", "path": [], "document": 1}
BASELINE = "kind: Pod\nspec:\n  replicas: 2 # of them\n---\nkind: Service\n"


def read_example(*steps: Any, baseline: str = BASELINE) -> str:
    """The example of a rule whose METADATA holds these steps."""
    found = entry(changed(("custom", "example"), list(steps)))
    found["location"]["row"] = len(STEPS.splitlines())
    [rule] = metadata.read_rules([found], {FILE: STEPS}, baseline)
    return rule.example


def test_an_example_is_the_baseline_with_steps() -> None:
    document = {"op": "add", "path": [], "document": 2, "value": "kind: Ingress\n"}
    assert read_example(REPLACE, ADD, REMOVE, document) == (
        "kind: Pod\nspec:\n  replicas: 3 # of them\n  args:\n  - sleep\n---\nkind: Ingress\n"
    )


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param({**REPLACE, "path": ["spec", "replica"]}, "it does not apply: ", id="no such path"),
        pytest.param({**REPLACE, "document": 7}, "there is no document 7", id="no such document"),
        pytest.param({"op": "move", "path": ["spec"]}, "`op` is one of add, replace, remove", id="another operation"),
        pytest.param({"op": "add", "path": ["spec"]}, "a step `add` has op, path, value", id="no value"),
        pytest.param({**REMOVE, "value": 1}, "a step `remove` has op, path and", id="a value too many"),
        pytest.param({**REPLACE, "pth": 1}, "a step `replace` has op, path, value", id="misspelt"),
        pytest.param({**REPLACE, "path": "spec"}, "a step `replace` has op, path, value", id="a text for a path"),
        pytest.param({**ADD, "path": []}, "a new document needs a number of its own", id="a number in use"),
        pytest.param("replicas", "`op` is one of add, replace, remove", id="a text"),
    ],
)
def test_a_step_that_does_not_apply_is_named_with_its_line(step: Any, message: str) -> None:
    for number, line in enumerate((18, 19, 23)):
        steps = [*[REPLACE, ADD][:number], step]
        with pytest.raises(RulesError) as caught:
            read_example(*steps)
        assert caught.value.message.startswith(f"step {number + 1} of `example`: {message}")
        assert (caught.value.file, caught.value.line) == (FILE, line)


def test_steps_need_a_baseline() -> None:
    with pytest.raises(RulesError, match="the document is empty"):
        read_example(REPLACE, baseline="")


def test_the_line_of_a_misspelt_key() -> None:
    text = TEXT.replace("fix:", "fixx:")
    with pytest.raises(RulesError) as caught:
        metadata.read_rules([entry(changed(("custom", "fixx"), "safe"))], {FILE: text})
    assert caught.value.line == 8


@pytest.mark.parametrize(
    ("file", "package"),
    [
        pytest.param("rules/drain_short.rego", PACKAGE, id="no group"),
        pytest.param("rules/termination/drain-short.rego", PACKAGE, id="a dash in the file"),
        pytest.param("rules/termination/drain_long.rego", PACKAGE, id="another file"),
        pytest.param("rules/rollout/drain_short.rego", PACKAGE, id="another group"),
        pytest.param(FILE, ("data", "gracegate", "rules", "termination", "drain_short"), id="underscore in the id"),
    ],
)
def test_one_name_everywhere(file: str, package: tuple[str, ...]) -> None:
    with pytest.raises(RulesError) as caught:
        metadata.read_rules([entry(ANNOTATIONS, file, package)], {file: TEXT})
    assert (caught.value.file, caught.value.line) == (file, len(TEXT.splitlines()))


def test_a_rule_without_metadata() -> None:
    with pytest.raises(RulesError, match="no METADATA"):
        metadata.read_rules([], {FILE: TEXT})


def test_a_name_belongs_to_one_rule() -> None:
    other = "rules/termination/drain_too_short.rego"
    entries = [entry(ANNOTATIONS), entry(changed(("custom", "aliases"), []), other, (*PACKAGE[:-1], "drain-too-short"))]
    with pytest.raises(RulesError, match="more than one rule is called drain-too-short"):
        metadata.read_rules(entries, {FILE: TEXT, other: TEXT})
