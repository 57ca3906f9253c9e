"""Safe fixes are safe in any order: none causes an error or a warning, and a second run has nothing left to fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracegate.check import fix_all
from gracegate.check.check import verify_head_fixes
from gracegate.check.matches import Match
from gracegate.check.reevaluation import Reevaluation, Refuted
from gracegate.check.trees import ComparedTrees, compare_trees
from gracegate.manifests import render_nothing
from gracegate.model import SEVERITY_ORDER
from gracegate.yaml_edit import apply_edits
from gracegate.yaml_edit.editor import LineEdit
from tests.closure.corpora import CATALOG, Files, before, corpora, request

PERMUTED = settings(max_examples=12)
REVIEWED = settings(max_examples=3)
Fix = tuple[str, tuple[LineEdit, ...]]
Levels = Mapping[object, int]

each_corpus = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])


@cache
def trees_of(name: str) -> ComparedTrees:
    return compare_trees(request(corpora()[name], base=before(name)), render_nothing)


def fixes(trees: ComparedTrees) -> list[Fix]:
    """The verified edits, each once: findings of one place share them."""
    outcomes = verify_head_fixes(trees, trees.head.matches, Reevaluation(trees, render_nothing))
    return list(dict.fromkeys((outcome.path, outcome.edits) for outcome in outcomes.values() if outcome.edits))


@cache
def fixes_of(name: str) -> tuple[Fix, ...]:
    return tuple(fixes(trees_of(name)))


def applied(files: Files, chosen: Iterable[Fix]) -> dict[str, str]:
    """The texts of the files that these fixes change."""
    edits: dict[str, list[LineEdit]] = {}
    for path, wanted in chosen:
        edits.setdefault(path, []).extend(wanted)
    return {path: apply_edits(files[path], sorted(wanted)) for path, wanted in edits.items()}


def levels(matches: Iterable[Match]) -> Levels:
    return {
        (m.identity, m.document.path, m.document.number, m.document.pointer): SEVERITY_ORDER[m.violation.level]
        for m in matches
    }


def worsened(before: Levels, after: Levels) -> list[object]:
    """Errors and warnings that are new or of a higher level."""
    return [key for key, level in after.items() if level > before.get(key, 0)]


@cache
def worsened_by(name: str, chosen: frozenset[Fix]) -> list[object]:
    """Errors and warnings that some of the fixes cause."""
    trees = trees_of(name)
    edited = Reevaluation(trees, render_nothing).of(applied(corpora()[name], chosen), ())
    assert not isinstance(edited, Refuted)
    assert edited.problems == trees.head.problems
    return worsened(levels(trees.head.matches), levels(edited.matches))


@each_corpus
@PERMUTED
@given(data=st.data())
def test_fixes_of_one_review_cause_nothing_in_any_order(name: str, data: st.DataObject) -> None:
    order = data.draw(st.permutations(fixes_of(name)))
    for number in range(len(order) + 1):
        assert worsened_by(name, frozenset(order[:number])) == []


@each_corpus
@REVIEWED
@given(data=st.data())
def test_fixes_with_a_review_after_each_come_to_an_end(name: str, data: st.DataObject) -> None:
    files = dict(corpora()[name])
    start = levels(trees_of(name).head.matches)
    for _ in range(2 * len(start) + 1):
        trees = compare_trees(request(files, base=before(name)), render_nothing)
        assert worsened(start, levels(trees.head.matches)) == []
        left = fixes(trees)
        if not left:
            return
        files |= applied(files, [data.draw(st.sampled_from(left))])
    pytest.fail("there is always another fix")


@each_corpus
def test_a_second_run_changes_nothing(name: str) -> None:
    files = corpora()[name]
    fixed = {path: new for path, (_, new) in fix_all(request(files, base=before(name)), render_nothing).files.items()}
    after = {**files, **fixed}
    again = fix_all(request(after, base=before(name)), render_nothing)
    assert (again.files, again.applied) == ({}, 0)
    found = compare_trees(request(after, base=before(name)), render_nothing).head.matches
    assert worsened(levels(trees_of(name).head.matches), levels(found)) == []
    assert bool(fixed) == bool(fixes_of(name))


def test_there_is_something_to_fix() -> None:
    safe = {rule.id for rule in CATALOG.rules.values() if rule.fix == "safe"}
    assert {rule for rule in safe if not fixes_of(rule)} == set()
