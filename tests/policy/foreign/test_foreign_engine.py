"""What policies of others say of objects, as a report by the contract of gracegate's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gracegate.errors import RuleFailed
from gracegate.policy.foreign.engine import ForeignEngine
from gracegate.policy.foreign.messages import Question, Said

POD = {"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
BARE = {"kind": "Pod", "metadata": {"name": "bare"}, "spec": {"containers": []}}


class Policies:
    """Policies as Python functions, and how many objects they were asked about."""

    def __init__(self, **rules: Any) -> None:
        self._rules = rules
        self.asked = 0

    def ask(self, questions: Sequence[Question], _seconds: float | None) -> Sequence[Said]:
        self.asked += len(questions)
        return [
            Said(number, rule, result)
            for number, question in enumerate(questions)
            for rule in question.rules
            for result in self._rules[rule](question.object)
        ]


def unpinned(manifest: Any) -> list[Any]:
    containers = manifest["spec"].get("containers", [])
    return [f"{one['name']}: {one['image']}" for one in containers if ":" not in one.get("image", ":")]


def document(manifest: Any, *, subject: bool = True, fragment: bool = False) -> Mapping[str, Any]:
    return {"object": manifest, "path": "web.yaml", "subject": subject, "fragment": fragment}


def violations(policies: Policies, documents: Sequence[Mapping[str, Any]], *rules: str) -> list[Any]:
    report = ForeignEngine(policies.ask, "digest").evaluate({"documents": documents, "rules": rules})
    assert (report["digest"], report["rules"]) == ("digest", list(rules))
    return [(v["rule"], v["at"]["document"], v["at"]["path"], v["message"]) for v in report["violations"]]


IMAGE = ["spec", "containers", 0, "image"]
NO_NAME = {"msg": "no name", "path": ["metadata", "name"]}
LOCATED = {"msg": "no tag", "_loc": {"file": "web.yaml", "path": IMAGE}}


@pytest.mark.parametrize(
    ("documents", "rule", "expected"),
    [
        ([], unpinned, []),
        ([document(BARE)], unpinned, []),
        ([document(POD, subject=False)], unpinned, []),
        ([document(POD, fragment=True)], unpinned, []),
        ([document(BARE), document(POD)], unpinned, [("deny", 1, IMAGE, "web: web")]),
        ([document(POD)], lambda _: ["twice", "said"], [("deny", 0, [], "said twice")]),
        ([document(POD)], lambda _: ["two\n  lines"], [("deny", 0, [], "two lines")]),
        ([document(POD)], lambda _: [" "], [("deny", 0, [], "The policy gives no text.")]),
        ([document(POD)], lambda _: ["x" * 2000], [("deny", 0, [], "x" * 1000)]),
        ([document(POD)], lambda _: [1, ["list"], None], []),
        ([document(POD)], lambda _: [NO_NAME], [("deny", 0, ["metadata", "name"], "no name")]),
        ([document(POD)], lambda _: [{**NO_NAME, "path": ["nowhere"]}], [("deny", 0, [], "no name")]),
        ([document(POD)], lambda _: [{**NO_NAME, "path": "/spec/containers/0/image"}], [("deny", 0, IMAGE, "no name")]),
        ([document(POD)], lambda _: [{**NO_NAME, "path": "/nowhere"}], [("deny", 0, [], "no name")]),
        ([document(POD)], lambda _: [{**NO_NAME, "path": "Pod web"}], [("deny", 0, [], "no name")]),
        ([document(POD)], lambda _: [LOCATED], [("deny", 0, IMAGE, "no tag")]),
        ([document(POD)], lambda _: [{**LOCATED, "_loc": {"line": 3}}], [("deny", 0, [], "no tag")]),
        ([document(POD)], lambda _: [{**LOCATED, "_loc": "line 3"}], [("deny", 0, [], "no tag")]),
    ],
)
def test_violations(documents: Sequence[Mapping[str, Any]], rule: Any, expected: list[Any]) -> None:
    assert violations(Policies(deny=rule), documents, "deny") == expected


def test_an_object_without_a_text_fails_its_rule() -> None:
    with pytest.raises(RuleFailed) as failed:
        violations(Policies(deny=lambda _: [{"message": "no msg"}]), [document(POD)], "deny")
    assert failed.value.rules == ("deny",)


def test_an_object_is_asked_about_once() -> None:
    policies = Policies(deny=unpinned, warn=lambda _: [])
    engine = ForeignEngine(policies.ask, "digest")
    for _ in range(3):
        engine.evaluate({"documents": [document(POD), document(POD)], "rules": ["deny"]})
    with_variants = policies.asked
    engine.evaluate({"documents": [document(POD)], "rules": ["deny", "warn"]})
    assert (with_variants, policies.asked - with_variants) == (5, 1)
