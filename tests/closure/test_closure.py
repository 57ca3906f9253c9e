"""Safe fixes are safe in any order: none brings an error or a warning, and once they are made there is nothing left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gracegate.check import fix_all
from gracegate.check.check import prove
from gracegate.check.examine import Examined, evaluated_again, examine
from gracegate.check.matches import Match
from gracegate.model import SEVERITY_ORDER
from gracegate.yaml_edit import apply_edits
from gracegate.yaml_edit.editor import LineEdit
from tests.closure.corpora import WASM, Files, corpora, request

PERMUTED = settings(max_examples=12)
REVIEWED = settings(max_examples=3)
Fix = tuple[str, tuple[LineEdit, ...]]
Levels = Mapping[object, int]

each_corpus = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])


@cache
def examined(name: str) -> Examined:
    return examine(request(corpora()[name]), WASM.evaluate)


def fixes(seen: Examined) -> list[Fix]:
    """The changes that hold, each once: findings of one place share theirs."""
    proofs = prove(seen, frozenset(s.id for s in seen.head.sightings), WASM.evaluate)
    return list(dict.fromkeys((proof.path, proof.edits) for proof in proofs.values() if proof.edits))


@cache
def fixes_of(name: str) -> tuple[Fix, ...]:
    return tuple(fixes(examined(name)))


def applied(files: Files, chosen: Iterable[Fix]) -> dict[str, str]:
    """The texts of the files that these fixes change."""
    edits: dict[str, list[LineEdit]] = {}
    for path, wanted in chosen:
        edits.setdefault(path, []).extend(wanted)
    return {path: apply_edits(files[path], sorted(wanted)) for path, wanted in edits.items()}


def levels(sightings: Iterable[Match]) -> Levels:
    return {
        (s.identity, s.document.path, s.document.number, s.document.pointer): SEVERITY_ORDER[s.violation.level]
        for s in sightings
    }


def came(before: Levels, after: Levels) -> list[object]:
    """Errors and warnings that were not there, or were less."""
    return [key for key, level in after.items() if level > before.get(key, 0)]


@cache
def brought(name: str, chosen: frozenset[Fix]) -> list[object]:
    """What comes of some of the fixes."""
    seen = examined(name)
    side = evaluated_again(seen, applied(corpora()[name], chosen), WASM.evaluate)
    assert side.problems == seen.head.problems
    return came(levels(seen.head.sightings), levels(side.sightings))


@each_corpus
@PERMUTED
@given(data=st.data())
def test_fixes_of_one_review_in_any_order_bring_nothing(name: str, data: st.DataObject) -> None:
    order = data.draw(st.permutations(fixes_of(name)))
    for number in range(len(order) + 1):
        assert brought(name, frozenset(order[:number])) == []


@each_corpus
@REVIEWED
@given(data=st.data())
def test_fixes_with_a_review_after_each_come_to_an_end(name: str, data: st.DataObject) -> None:
    files = dict(corpora()[name])
    start = levels(examined(name).head.sightings)
    for _ in range(2 * len(start) + 1):
        seen = examine(request(files), WASM.evaluate)
        assert came(start, levels(seen.head.sightings)) == []
        left = fixes(seen)
        if not left:
            return
        files |= applied(files, [data.draw(st.sampled_from(left))])
    pytest.fail("there is always another fix")


@each_corpus
def test_a_second_run_changes_nothing(name: str) -> None:
    files = corpora()[name]
    fixed = {path: new for path, (_, new) in fix_all(request(files), WASM.evaluate).files.items()}
    after = {**files, **fixed}
    again = fix_all(request(after), WASM.evaluate)
    assert (again.files, again.applied) == ({}, 0)
    found = examine(request(after), WASM.evaluate).head.sightings
    assert came(levels(examined(name).head.sightings), levels(found)) == []
    assert bool(fixed) == bool(fixes_of(name))


def test_there_is_something_to_fix() -> None:
    assert sum(len(fixes_of(name)) for name in corpora()) > len(corpora())
