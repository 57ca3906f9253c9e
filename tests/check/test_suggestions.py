"""Why a finding has no suggestion: each code, and an example that gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from gracegate.check.matches import Match, match_violations
from gracegate.check.suggestions import FixContext, verify_fixes
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
    """The reasons for fixes of the documents `on`; `after` gives the matches of the fixed files."""
    collection = collect_documents(tree(files))
    violations = [
        Violation(f"rule-{n}", document, (), "wrong", "error", fix=fix)
        for n, (document, fix) in enumerate(zip(on, fixes, strict=False))
    ]
    found = match_violations(collection.documents, violations)
    path = collection.documents[0].path
    context = FixContext(collection, collection.documents, None if hunks is None else {path: hunks})
    outcomes = verify_fixes(found, found, context, lambda texts, changes: after(found))
    return [outcomes[match.id].reason for match in found]


def other(found: Sequence[Match]) -> Sequence[Match]:
    return match_violations([found[0].document], [Violation("another-rule", 0, (), "worse", "error")])


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
    "variable": reasons({"a.yaml": POD.replace("a: 1", "a: $A")}, [safe(Operation("replace", ("spec", "a"), 2))]),
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
def test_a_fix_without_a_suggestion_has_a_reason(code: NoSuggestion) -> None:
    assert CASES[code] == [code]


def test_contradicting_fixes_are_not_suggested() -> None:
    fixes = [safe(Operation("replace", ("spec", "a"), value)) for value in ("x", "y")]
    assert reasons({"a.yaml": POD}, fixes) == ["conflicts", "conflicts"]


def test_a_verified_fix_is_suggested_beside_one_that_is_not() -> None:
    good = safe(Operation("add", ("spec", "z"), 1), Operation("replace", ("spec", "a"), 2))
    assert reasons({"a.yaml": POD}, [good, None]) == [None, "no_fix"]


def test_edits_of_one_fix_are_moved_into_one_hunk() -> None:
    both = safe(Operation("add", ("spec", "z"), 1), Operation("replace", ("spec", "b"), 3))
    assert reasons({"a.yaml": POD}, [both], (Hunk(6, 6), Hunk(7, 7))) == [None]
    assert reasons({"a.yaml": POD}, [both], (Hunk(5, 6),)) == ["outside_diff"]


def test_a_fix_outside_all_hunks_does_not_stop_one_inside() -> None:
    """The first spans the lines of the second and is outside the diff; the second is suggested."""
    text = "---\n".join([POD, POD.replace("web", "api"), POD.replace("web", "db")])
    wide = safe(Operation("replace", ("spec", "b"), 3), Operation("replace", ("spec", "b"), 3, document=2))
    small = safe(Operation("replace", ("spec", "b"), 3, document=1))
    assert reasons({"a.yaml": text}, [wide, small], (Hunk(14, 16),), on=(0, 1)) == ["outside_diff", None]
    assert reasons({"a.yaml": text}, [wide, small], (Hunk(1, 24),), on=(0, 1)) == [None, None]


def test_pre_existing_and_untried_fixes_have_a_reason() -> None:
    head = WITHOUT_BOTH | {"web.yaml": WITHOUT_BOTH["web.yaml"].replace(":1", ":2")}
    old = report_of(WITHOUT_BOTH, head)
    assert {f.no_suggestion for f in old.findings} == {"pre_existing"}
    many = report_of(GOOD, WITHOUT_BOTH, max_verified_fixes=1)
    assert {f.no_suggestion for f in many.findings} == {"not_tried"}
