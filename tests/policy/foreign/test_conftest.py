"""Which rules conftest would ask of Rego files, and what they say on a real OPA, in Rego v0 and v1 together."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gracegate.errors import RulesError
from gracegate.policy.foreign.conftest import RegoFile, conftest_rules, namespaces_of
from gracegate.policy.foreign.questions import ForeignPolicies, ForeignRule
from tests.policy.foreign.evaluation import found_in

Parse = Callable[[Mapping[str, str]], tuple[list[RegoFile], frozenset[str]]]

V0 = """package main

deny[msg] { input.kind == "Pod"; msg = sprintf("%v is a Pod", [input.metadata.name]) }
"""
V1 = """package main

import rego.v1

# METADATA
# title: Image is not pinned
# description: |
#  A tag can
#  be moved.
# related_resources:
# - ref: https://example.com/images
# custom:
#  matchers:
#   kinds:
#   - apiGroups: ["", "apps"]
#     kinds: [Pod, Deployment]
warn_image_tag contains {"msg": msg} if {
	some container in input.spec.containers
	endswith(container.image, ":latest")
	msg := concat(" ", [container.name, "is not pinned"])
}

exception contains ["image_tag"] if input.metadata.annotations.experiment
"""
OTHER = 'package other\n\nviolation[msg] { msg = "other" }\n'


@pytest.fixture(scope="module")
def parse(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Parse:
    def parsed(texts: Mapping[str, str]) -> tuple[list[RegoFile], frozenset[str]]:
        files, old = [], set()
        for number, (path, text) in enumerate(texts.items()):
            file = tmp_path_factory.mktemp("rego") / f"{number}.rego"
            file.write_text(text)
            command = [str(opa), "parse", "--format", "json", "--json-include", "locations,-comments"]
            done = subprocess.run([*command, str(file)], capture_output=True, check=False)
            if done.returncode != 0:
                old.add(path)
                done = subprocess.run([*command, "--v0-compatible", str(file)], capture_output=True, check=True)
            files.append(RegoFile(path, json.loads(done.stdout)))
        return files, frozenset(old)

    return parsed


def names(rules: Sequence[ForeignRule]) -> list[tuple[str, str]]:
    return [(one.rule.id, one.rule.severity) for one in rules]


@pytest.mark.parametrize(
    ("texts", "namespaces", "expected"),
    [
        ({}, ("*",), []),
        ({"a_test.rego": V0}, ("*",), []),
        ({"a.rego": "package main\n\nhelper := 1\n\ndeny2 := 1\n\ndenying := 1\n"}, ("main",), []),
        ({"a.rego": OTHER}, ("main",), []),
        ({"a.rego": OTHER}, ("other",), [("conftest.other.violation", "error")]),
        ({"a.rego": V0, "b.rego": V0}, ("main",), [("conftest.main.deny", "error")]),
        (
            {"a.rego": V0, "b.rego": V1, "c.rego": OTHER.replace("other\n", "a.b_c\n")},
            ("*",),
            [
                ("conftest.a.b-c.violation", "error"),
                ("conftest.main.deny", "error"),
                ("conftest.main.warn-image-tag", "warning"),
            ],
        ),
    ],
)
def test_rules(parse: Parse, texts: Mapping[str, str], namespaces: Sequence[str], expected: Any) -> None:
    assert names(conftest_rules(parse(texts)[0], namespaces)) == expected


def test_metadata(parse: Parse) -> None:
    rules = {one.rule.id: one for one in conftest_rules(parse({"a.rego": V0, "b.rego": V1})[0], ("main",))}
    image, deny = rules["conftest.main.warn-image-tag"], rules["conftest.main.deny"]
    assert (image.rule.title, image.rule.description) == ("Image is not pinned", "A tag can be moved.")
    assert (image.rule.links, image.exemption) == (("https://example.com/images",), "image_tag")
    assert image.rule.kinds == ("Pod", "Deployment", "apps/Pod", "apps/Deployment")
    assert (deny.rule.title, deny.rule.description, deny.exemption) == ("main.deny", "", "")


def test_namespaces(parse: Parse) -> None:
    assert namespaces_of(parse({"a.rego": V0, "b.rego": OTHER, "c.rego": "package lib\n\nx := 1\n"})[0]) == [
        "main",
        "other",
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {"a.rego": "package main\n\ndeny if input.kind\n"},
            "a.rego:3: `deny` is true or nothing, so that it has no message: write `deny contains msg if`",
        ),
        (
            {"a.rego": "package main\n\ndeny_a contains 1\n\ndeny_A contains 2\n"},
            "main.deny_a and main.deny_A would both be called `conftest.main.deny-a`: give one of them another name",
        ),
    ],
)
def test_mistakes(parse: Parse, texts: Mapping[str, str], expected: str) -> None:
    with pytest.raises(RulesError) as mistake:
        conftest_rules(parse(texts)[0], ("*",))
    assert str(mistake.value) == expected


def pod(**annotations: str) -> dict[str, Any]:
    containers = [{"name": "log", "image": "log:1"}, {"name": "web", "image": "web:latest"}]
    return {"kind": "Pod", "metadata": {"name": "one", "annotations": annotations}, "spec": {"containers": containers}}


DENY = ("conftest.main.deny", [], "one is a Pod")


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"kind": "Service"}, []),
        (pod(), [DENY, ("conftest.main.warn-image-tag", ["spec", "containers", 1, "image"], "web is not pinned")]),
        (pod(experiment="yes"), [DENY]),
    ],
)
def test_what_they_say(parse: Parse, opa: Path, manifest: Any, expected: Any) -> None:
    texts = {"a.rego": V0, "b.rego": V1}
    files, old = parse(texts)
    rules = conftest_rules(files, ("main",))
    assert found_in(manifest, ForeignPolicies(texts, old, rules), opa) == expected
