"""The same answer from OPA's server and from the rules in Wasm, whatever the manifests hold."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gracegate.check.former_documents import former_documents
from gracegate.model import AppliedNamespace, Document, ObjectRef
from gracegate.policy import Answer, Batch, Cluster, ask, ask_rollouts, builtin_policies, load_builtin
from gracegate.policy.engines.opa_server import ChildEngine, start_child
from gracegate.policy.engines.opa_wasm import WasmEngine
from tests.processes import WAIT_SECONDS


@pytest.fixture(scope="session")
def both(opa: Path) -> Iterator[tuple[WasmEngine, ChildEngine]]:
    """The built-in rules on both engines."""
    with start_child(opa, load_builtin(), seconds=WAIT_SECONDS) as server:
        yield WasmEngine(), server


def documents_of(objects: Iterable[Any], folder: str) -> list[Document]:
    """The objects as documents of one file in `folder`; what is no object cannot become a document."""
    return [
        replace(
            Document(f"{folder}/all.yaml", number, (), manifest, ObjectRef("", "", ""), False, folder),
            applied_namespace=AppliedNamespace(namespace_of(manifest), replaces=True),
        )
        for number, manifest in enumerate(objects)
        if isinstance(manifest, dict)
    ]


def namespace_of(manifest: Mapping[str, Any]) -> str:
    metadata = manifest.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return namespace if isinstance(namespace, str) else ""


def batch_of(documents: Sequence[Document], base: Sequence[Document] | None = None) -> Batch:
    """All rules, about all documents, which were others at base."""
    rules = load_builtin().rules
    before, added = ((), frozenset[int]()) if base is None else former_documents(base, documents, {}, {}).of(documents)
    subjects = frozenset(range(len(documents)))
    return Batch(tuple(documents), subjects, (), rules, rules, {}, Cluster(), {}, before, added)


def agreed(
    both: tuple[WasmEngine, ChildEngine], documents: Sequence[Document], base: Sequence[Document] | None = None
) -> Answer:
    """What both engines answer; each rule must have been evaluated."""
    digest = load_builtin().digest
    wasm, server = (ask(engine.evaluate, batch_of(documents, base), digest) for engine in both)
    assert wasm == server
    assert wasm.failed == {}
    rollouts = [ask_rollouts(engine.evaluate, batch_of(documents, base), digest) for engine in both]
    assert rollouts[0] == rollouts[1]
    return wasm


def loaded(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


# Together one of each kind and field that the rules read, so that each can be given a wrong type in turn.
EVERYTHING = {path.stem: loaded(path.read_text()) for path in sorted(Path(__file__).with_name("everything").iterdir())}
EXAMPLES = {identity: loaded(rule.example) for identity, rule in load_builtin().rules.items()}
BEFORE = {identity: loaded(rule.before) for identity, rule in load_builtin().rules.items() if rule.before is not None}
WRONG = (None, "", "x", -1, 10**30, True, [None], {"x": None})
ODD = (*WRONG, 0, 1, 1.5, 1e9, False, "30s", "100%", "http", [], {}, {"": [{}]})


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of everything inside `value`."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, member in inner:
        yield (*path, key)
        yield from paths(member, (*path, key))


# What a file repeats of another one is only there to be joined with.
FIELDS = [
    (file, path)
    for file, objects in EVERYTHING.items()
    for path in paths(objects)
    if file in ("web", "db", "probes") or path[0] == 0 or (file == "batch" and path[0] == 1)
]


def replaced(value: Any, path: tuple[str | int, ...], by: Any) -> Any:
    """A copy of `value` with `by` at `path`, if that path still exists."""
    copy = deepcopy(value)
    place = copy
    for key in path[:-1]:
        try:
            place = place[key]
        except (KeyError, IndexError, TypeError):
            return copy
    if isinstance(place, dict) or (isinstance(place, list) and path[-1] in range(len(place))):
        place[path[-1]] = by
    return copy


def test_nothing(both: tuple[WasmEngine, ChildEngine]) -> None:
    assert agreed(both, []).violations == ()


@pytest.mark.parametrize("identity", EXAMPLES)
def test_each_rule_finds_its_example(both: tuple[WasmEngine, ChildEngine], identity: str) -> None:
    base = documents_of(BEFORE[identity], "apps") if identity in BEFORE else None
    found = agreed(both, documents_of(EXAMPLES[identity], "apps"), base)
    assert identity in {violation.rule for violation in found.violations}


@pytest.mark.parametrize("file", EVERYTHING)
def test_every_kind(both: tuple[WasmEngine, ChildEngine], file: str) -> None:
    agreed(both, documents_of(EVERYTHING[file], "apps"))


@pytest.mark.parametrize(("file", "path"), FIELDS, ids=["/".join(map(str, (file, *path))) for file, path in FIELDS])
def test_each_field_with_each_wrong_type(
    both: tuple[WasmEngine, ChildEngine], file: str, path: tuple[str | int, ...]
) -> None:
    # One component for each value: objects of the same namespace in another component only make a Service possible.
    variants = [documents_of(replaced(EVERYTHING[file], path, wrong), f"apps/{n}") for n, wrong in enumerate(WRONG)]
    agreed(both, [document for variant in variants for document in variant])


CHANGED = [(identity, path) for identity in BEFORE for path in paths(EXAMPLES[identity])]


@pytest.mark.parametrize(
    ("identity", "path"), CHANGED, ids=["/".join(map(str, (identity, *path))) for identity, path in CHANGED]
)
def test_each_field_of_a_change_with_each_wrong_type(
    both: tuple[WasmEngine, ChildEngine], identity: str, path: tuple[str | int, ...]
) -> None:
    before, after = BEFORE[identity], EXAMPLES[identity]
    changes = [
        change
        for wrong in WRONG
        for change in ((before, replaced(after, path, wrong)), (replaced(before, path, wrong), after))
    ]
    base, head = (
        [one for n, sides in enumerate(changes) for one in documents_of(sides[side], f"apps/{n}")] for side in (0, 1)
    )
    agreed(both, head, base)


deep = st.recursive(
    st.sampled_from(ODD),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "port", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.sampled_from(list(EVERYTHING)), st.data())
def test_several_fields_of_wrong_types(both: tuple[WasmEngine, ChildEngine], file: str, data: st.DataObject) -> None:
    objects = EVERYTHING[file]
    for path in data.draw(st.lists(st.sampled_from(list(paths(objects))), min_size=2, max_size=6)):
        objects = replaced(objects, path, data.draw(deep))
    agreed(both, documents_of(objects, "apps"))


def tripled(value: Any) -> Any:
    """With each item of a list three times: the same names, and other numbers."""
    if isinstance(value, dict):
        return {key: tripled(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shifted(item, by) for item in map(tripled, value) for by in range(3)]
    return value


def shifted(value: Any, by: int) -> Any:
    if isinstance(value, dict):
        return {key: shifted(member, by) for key, member in value.items()}
    if isinstance(value, list):
        return [shifted(item, by) for item in value]
    return value + by if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("identity", [*EVERYTHING, *EXAMPLES])
def test_names_that_stand_three_times_with_other_values(both: tuple[WasmEngine, ChildEngine], identity: str) -> None:
    objects = (EVERYTHING | EXAMPLES)[identity]
    base = BEFORE.get(identity, objects)
    head, before = (
        documents_of([shifted(tripled(one), by) for one in side for by in range(3)], "apps") for side in (objects, base)
    )
    agreed(both, head, before)


ADDED_TO_NO_VIOLATION = """\
[[id, at] | some group, id; rule := data.gracegate.rules[group][id]
added := {found.at | some key in ["fix", "related"]; some found in rule[key]} | {at | some at in rule.possible}
some at in (added - {violation.at | some violation in rule.violation})]"""


def test_all_that_is_added_is_of_a_violation_and_every_violation_is_at_a_field(
    opa: Path, tmp_path: Path, both: tuple[WasmEngine, ChildEngine]
) -> None:
    inputs: list[Any] = []
    samples = EVERYTHING | EXAMPLES
    documents, base = (
        [one for n, name in enumerate(samples) for one in documents_of(side.get(name, samples[name]), f"apps/{n}")]
        for side in (samples, BEFORE)
    )
    digest = load_builtin().digest
    wasm = both[0]
    answer = ask(lambda asked: inputs.append(asked) or wasm.evaluate(asked), batch_of(documents, base), digest)
    (tmp_path / "input.json").write_text(json.dumps(inputs[0]))
    rules = [argument for folder in ("lib", "rules") for argument in ("--data", builtin_policies() / folder)]
    command = [opa, "eval", *rules, "--ignore", "*_test.rego", "--input", tmp_path / "input.json", "--format", "raw"]
    evaluated = subprocess.run([*command, ADDED_TO_NO_VIOLATION], capture_output=True, check=True, text=True)
    assert json.loads(evaluated.stdout) == []
    nowhere = [
        violation
        for violation in answer.violations
        if violation.pointer and violation.pointer not in set(paths(documents[violation.document].object))
    ]
    assert nowhere == []
