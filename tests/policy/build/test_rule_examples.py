"""The baseline is clean; the example of each rule is found by that rule alone, and its own fix makes it clean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from gracegate.check.compare import object_renames
from gracegate.check.former_documents import former_documents
from gracegate.model import Document, ObjectRef, Operation, Rule, Violation
from gracegate.policy import Batch, Cluster, ask, builtin_policies, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.policy.sets import BASELINE_FILE
from tests.scene_rules import SCENE_RULES

CATALOG = load_builtin()
RULES = sorted(CATALOG.rules.values(), key=lambda rule: rule.id)
each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES])


@pytest.fixture(scope="module")
def engine() -> WasmEngine:
    return WasmEngine()


def documents(example: str) -> tuple[Document, ...]:
    """The objects of an example, as one file."""
    return tuple(
        Document("apps/web.yaml", number, (), found, reference(found), is_fragment=False, component="apps")
        for number, found in enumerate(yaml.safe_load_all(example))
    )


def reference(found: Mapping[str, Any]) -> ObjectRef:
    return ObjectRef(found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"])


def violations(
    engine: WasmEngine, docs: tuple[Document, ...], base: tuple[Document, ...] | None = None, about: Rule | None = None
) -> tuple[Violation, ...]:
    """What all rules find; in what is `about` one of them, only that one and those that scenes are about."""
    before, added = ((), frozenset[int]())
    if base is not None:
        before, added = former_documents(base, docs, object_renames(base, docs, {}), {}).of(docs)
    names = SCENE_RULES | {rule.id for rule in RULES if about is None or rule.id == about.id}
    rules = {id_: rule for id_, rule in CATALOG.rules.items() if id_ in names}
    batch = Batch(docs, frozenset(range(len(docs))), (), rules, CATALOG.rules, {}, Cluster(), {}, before, added)
    answer = ask(engine.evaluate, batch, CATALOG.digest)
    assert answer.failed == {}
    return answer.violations


def before(rule: Rule) -> tuple[Document, ...] | None:
    """What the example was before the change that the rule finds, None for a rule that reads one tree."""
    return None if rule.before is None else documents(rule.before)


def applied(docs: tuple[Document, ...], operations: Iterable[Operation]) -> tuple[Document, ...]:
    objects = [deepcopy(document.object) for document in docs]
    for operation in operations:
        place: Any = objects[operation.document]
        for segment in operation.path[:-1]:
            place = place.setdefault(segment, {}) if isinstance(place, dict) else place[segment]
        there = range(len(place)) if isinstance(place, list) else place
        assert (operation.op == "add") == (operation.path[-1] not in there)
        if operation.op == "remove":
            del place[operation.path[-1]]
        else:
            place[operation.path[-1]] = operation.value
    return tuple(
        Document(old.path, old.number, old.pointer, new, old.ref, old.is_fragment, old.component)
        for old, new in zip(docs, objects, strict=True)
    )


def test_all_rules_are_silent_on_the_baseline(engine: WasmEngine) -> None:
    baseline = documents(Path(builtin_policies(), BASELINE_FILE).read_text())
    assert [document.ref.kind for document in baseline] == ["Deployment", "Service", "PodDisruptionBudget"]
    assert violations(engine, baseline) == ()


@each_rule
def test_the_example_is_found_by_its_rule_alone(engine: WasmEngine, rule: Rule) -> None:
    found = violations(engine, documents(rule.example), before(rule), rule)
    assert [(violation.rule, violation.level) for violation in found] == [(rule.id, rule.severity)]


@each_rule
def test_each_side_of_a_change_is_clean_by_itself(engine: WasmEngine, rule: Rule) -> None:
    if rule.before is not None:
        sides = (documents(rule.before), documents(rule.example))
        assert [violations(engine, side, about=rule) for side in sides] == [(), ()]


@each_rule
def test_the_fix_of_the_example_leaves_nothing(engine: WasmEngine, rule: Rule) -> None:
    docs = documents(rule.example)
    fixes = [violation.fix for violation in violations(engine, docs, before(rule), rule)]
    assert [fix.fix_class for fix in fixes if fix] == [rule.fix]
    patch = [operation for fix in fixes if fix for operation in fix.patch]
    assert bool(patch) == (rule.fix != "text")
    assert not patch or violations(engine, applied(docs, patch), before(rule), rule) == ()


@each_rule
def test_the_words(engine: WasmEngine, rule: Rule) -> None:
    [violation] = violations(engine, documents(rule.example), before(rule), rule)
    assert violation.message.endswith(".")
    assert "`" not in violation.message  # whoever shows it puts names into code spans
    assert not rule.title.endswith(".")
    assert rule.description.endswith(".")
    assert len(rule.title) <= 70


@each_rule
def test_the_links(rule: Rule) -> None:
    assert rule.links
    assert [link for link in rule.links if urlsplit(link).scheme != "https" or not urlsplit(link).hostname] == []


@each_rule
def test_a_rule_has_its_test_beside_it(rule: Rule) -> None:
    name = rule.id.replace("-", "_")
    assert Path(builtin_policies(), "rules", rule.group, f"{name}_test.rego").is_file()


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in CATALOG.modules])
def test_what_reads_the_input_is_checked_against_its_schema(name: str) -> None:
    """Without the annotation `opa check --schema` does not see a misspelt field."""
    text = CATALOG.modules[name]
    code = [line for line in text.splitlines() if not line.startswith("#")]
    reads = any("input." in line for line in code)
    assert not reads or "# schemas:\n# - input: schema.input\n" in text


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in CATALOG.modules])
def test_every_file_says_what_it_is_for(name: str) -> None:
    assert CATALOG.modules[name].startswith("# METADATA\n# title: ")
