"""Why a finding comes without a suggestion: every code of the closed set, and what it takes to get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from gracegate.check.matches import Match, sightings
from gracegate.check.suggestions import FixContext, prove
from gracegate.manifests import collect_documents
from gracegate.model import Fix, Hunk, NoSuggestion, Operation, Violation
from tests.check.test_check import GOOD, WITHOUT_BOTH, report_of, tree

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  a: 1\n  b: 2\n"
ADD = Operation("add", ("spec", "z"), 1)
Texts = Mapping[str, str]


def safe(*operations: Operation) -> Fix:
    return Fix("safe", operations)


def reasons(
    files: Texts,
    fixes: Sequence[Fix | None],
    hunks: tuple[Hunk, ...] | None = None,
    after: Callable[[Sequence[Match]], Sequence[Match]] = lambda found: (),
    on: Sequence[int] = (0, 0),
) -> list[NoSuggestion | None]:
    """What becomes of fixes of the documents `on`; `after` is what the rules say of the fixed files."""
    collection = collect_documents(tree(files))
    violations = [
        Violation(f"rule-{n}", document, (), "wrong", "error", fix=fix)
        for n, (document, fix) in enumerate(zip(on, fixes, strict=False))
    ]
    found = sightings(collection.documents, violations)
    path = collection.documents[0].path
    ground = FixContext(collection.manifests, collection.documents, None if hunks is None else {path: hunks})
    proofs = prove(found, found, ground, lambda texts: after(found))
    return [proofs[sighting.id].reason for sighting in found]


def other(found: Sequence[Match]) -> Sequence[Match]:
    return sightings([found[0].document], [Violation("another-rule", 0, (), "worse", "error")])


CASES: dict[NoSuggestion, list[NoSuggestion | None]] = {
    "no_fix": reasons({"a.yaml": POD}, [None]),
    "advice_only": reasons({"a.yaml": POD}, [Fix("text", advice="Think.")]),
    "assumes": reasons({"a.yaml": POD}, [Fix("assumes", (ADD,), assumption="it rains")]),
    "other_file": reasons({"a.yaml": POD, "b.yaml": POD}, [safe(Operation("add", ("spec", "z"), 1, document=1))]),
    "no_such_path": reasons({"a.yaml": POD}, [safe(Operation("remove", ("spec", "z")))]),
    "shared_anchor": reasons({"a.yaml": POD.replace("a: 1", "a: &x {k: 1}").replace("b: 2", "b: *x")}, [
        safe(Operation("add", ("spec", "b", "z"), 1))
    ]),
    "merge_key": reasons({"a.yaml": f"{POD}  <<: {{c: 1}}\n"}, [safe(Operation("remove", ("spec", "c")))]),
    "templated": reasons({"a.yaml": f"# {{{{ x }}}}\n{POD}"}, [safe(ADD)]),
    "would_change_more": reasons({"a.yaml": f"{POD}  b: 3\n"}, [safe(Operation("remove", ("spec", "b")))]),
    "not_fixed": reasons({"a.yaml": POD}, [safe(ADD)], after=lambda found: found),
    "new_finding": reasons({"a.yaml": POD}, [safe(ADD)], after=other),
    "outside_diff": reasons({"a.yaml": POD}, [safe(ADD)], (Hunk(1, 2),)),
    "crlf": reasons({"a.yaml": POD.replace("\n", "\r\n")}, [safe(ADD)]),
    "no_final_newline": reasons({"a.json": '{"kind": "Pod", "spec": {}}'}, [safe(ADD)]),
    "too_long": reasons({"a.yaml": POD.replace("  b: 2", "  # no\n" * 70 + "  b: 2")}, [
        safe(Operation("replace", ("spec", "a"), 2), Operation("replace", ("spec", "b"), 1))
    ], (Hunk(1, 100),)),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_a_fix_that_is_no_suggestion_says_why(code: NoSuggestion) -> None:
    assert CASES[code] == [code]


def test_fixes_that_contradict_each_other_go_out_without() -> None:
    fixes = [safe(Operation("replace", ("spec", "a"), value)) for value in ("x", "y")]
    assert reasons({"a.yaml": POD}, fixes) == ["conflicts", "conflicts"]


def test_what_holds_is_suggested_beside_what_does_not() -> None:
    held = safe(Operation("add", ("spec", "z"), 1), Operation("replace", ("spec", "a"), 2))
    assert reasons({"a.yaml": POD}, [held, None]) == [None, "no_fix"]


def test_edits_that_belong_together_are_gathered_into_one_hunk() -> None:
    both = safe(Operation("add", ("spec", "z"), 1), Operation("replace", ("spec", "b"), 3))
    assert reasons({"a.yaml": POD}, [both], (Hunk(6, 6), Hunk(7, 7))) == [None]
    assert reasons({"a.yaml": POD}, [both], (Hunk(5, 6),)) == ["outside_diff"]


def test_a_fix_outside_of_all_hunks_takes_none_inside_along() -> None:
    """The first spans what the second changes, and cannot be posted: the second still can."""
    text = "---\n".join([POD, POD.replace("web", "api"), POD.replace("web", "db")])
    wide = safe(Operation("replace", ("spec", "b"), 3), Operation("replace", ("spec", "b"), 3, document=2))
    near = safe(Operation("replace", ("spec", "b"), 3, document=1))
    assert reasons({"a.yaml": text}, [wide, near], (Hunk(14, 16),), on=(0, 1)) == ["outside_diff", None]
    assert reasons({"a.yaml": text}, [wide, near], (Hunk(1, 24),), on=(0, 1)) == [None, None]


def test_what_was_there_before_or_was_not_tried_says_so() -> None:
    head = WITHOUT_BOTH | {"web.yaml": WITHOUT_BOTH["web.yaml"].replace(":1", ":2")}
    old = report_of(WITHOUT_BOTH, head)
    assert {f.no_suggestion for f in old.findings} == {"pre_existing"}
    many = report_of(GOOD, WITHOUT_BOTH, most_proofs=1)
    assert {f.no_suggestion for f in many.findings} == {"not_tried"}
