"""The proof of a fix: nothing else may change, whatever it is."""

from __future__ import annotations

import pytest

from gracegate.manifests.proof import intended_operations, why_not_proved
from gracegate.manifests.source_operations import Change
from gracegate.model import Limits, Operation, Origin, Rendered, Root, SourceLine

TWO = "kind: A\nspec: {a: 1, list: [1]}\n---\nkind: Other\ndata: {a: 1}\n"
ADDED = Operation("add", ("spec", "b"), {"c": 2})
SET = Operation("replace", ("spec", "a"), 2)


@pytest.mark.parametrize(
    ("after", "intended", "reason"),
    [
        (TWO, {}, None),
        (TWO, {0: [ADDED]}, None),
        (TWO.replace("a: 1,", "a: 1, b: {c: 2},"), {0: [ADDED]}, None),
        (TWO.replace("a: 1,", "b: {c: 2}, a: 2,"), {0: [SET, ADDED]}, None),
        (TWO.replace("{a: 1, list: [1]}", "\n  list: [1]\n  a: 2"), {0: [SET]}, None),
        (TWO.replace("a: 1, ", ""), {0: [Operation("remove", ("spec", "a"))]}, None),
        (TWO.replace("[1]", "[1, 2]"), {0: [Operation("add", ("spec", "list", "-"), 2)]}, None),
        (TWO.replace("[1]", "[0, 1]"), {0: [Operation("add", ("spec", "list", 0), 0)]}, None),
        (TWO, {0: [Operation("add", ("spec", "list", "-"), 2)]}, None),
        (TWO.replace("a: 1,", "a: 1, b: {c: 3},"), {0: [ADDED]}, "would_change_more"),
        (TWO.replace("a: 1,", "a: 1, b: {c: 2, d: 2},"), {0: [ADDED]}, "would_change_more"),
        (TWO.replace("a: 1,", "a: 1, b: {c: 2},"), {1: [ADDED]}, "would_change_more"),
        (TWO.replace("a: 1,", "a: true,"), {0: [ADDED]}, "would_change_more"),
        (TWO.replace("data: {a: 1}", "data: {a: 2}"), {0: [SET]}, "would_change_more"),
        (TWO.replace("a: 1,", "b: {c: 2}, b: {c: 2}, a: 1,"), {0: [ADDED]}, "would_change_more"),
        (TWO.replace("a: 1,", "a: [,"), {0: [SET]}, "would_change_more"),
        (TWO.replace("kind: A", "kind: B"), {0: [SET]}, "would_change_more"),
        (TWO + "---\nkind: A\n", {}, "would_change_more"),
        ("", {}, "would_change_more"),
        (TWO.replace("a: 1,", "a: 3,"), {0: [Operation("replace", ("spec", "none", "x"), 1)]}, "would_change_more"),
    ],
)
def test_what_is_proved(after: str, intended: dict[int, list[Operation]], reason: str | None) -> None:
    assert why_not_proved(TWO, after, intended, Limits()) == reason


def test_keys_that_were_there_twice_before_forbid_nothing() -> None:
    before = "kind: A\nspec: {a: 1, a: 1}\n"
    after = before.replace("{", "{b: {c: 2}, ")
    assert why_not_proved(before, after, {0: [ADDED]}, Limits()) is None
    assert why_not_proved(before, after.replace("{b", "{b: {c: 2}, b"), {0: [ADDED]}, Limits()) == "would_change_more"


def test_what_a_change_does_to_all_that_was_made_of_a_place() -> None:
    origins = [Origin("a.yaml", 0, ("spec", "x")), Origin("a.yaml", 1, ("spec", "x"))]
    lines = [SourceLine("t.yaml", number) for number in (3, 4)]
    rendered = Rendered(
        Root("kustomize", ""),
        0,
        origins={("a",): (origins[1], origins[0]), ("b", 0): (origins[0],), ("c",): (origins[1],)},
        lines={("d", 0): lines[0], ("d", 0, "name"): lines[0], ("e", "name"): lines[0], ("e", "x"): lines[1]},
    )
    changes = [Change(origins[0], Operation("add", ("k",), 1)), Change(lines[0], Operation("remove", ("k", "l")))]
    assert [*intended_operations(rendered, changes)] == [
        Operation("add", ("a", "k"), 1),
        Operation("add", ("b", 0, "k"), 1),
        Operation("remove", ("d", 0, "k", "l")),
        Operation("remove", ("e", "k", "l")),
    ]
