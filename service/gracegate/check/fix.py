"""All safe fixes of a tree: verified ones are applied and the result is checked again, until nothing is left to fix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gracegate.check.check import problems_in_scope, verify_head_fixes
from gracegate.check.reevaluation import Reevaluation
from gracegate.check.suggestions import edits_by_path
from gracegate.check.trees import CheckRequest, compare_trees
from gracegate.model import NoSuggestion, Problem, Render, SourceFile, Tree
from gracegate.yaml_edit import apply_edits

MAX_ROUNDS = 5
"""Of fixes with overlapping lines one is applied per round; more rounds than this would be a loop."""


@dataclass(frozen=True, slots=True)
class FixedFiles:
    """`files` maps changed paths to their old and new text; `refused` maps ids of unfixed findings to the reason.

    `problems` is what could not be read or evaluated before anything was fixed.
    """

    files: Mapping[str, tuple[str, str]]
    applied: int
    refused: Mapping[str, NoSuggestion]
    problems: tuple[Problem, ...]


def fix_all(request: CheckRequest, render: Render) -> FixedFiles:
    """Applies every safe fix that can be verified, except those of waived findings; no other line is changed."""
    files: dict[str, tuple[str, str]] = {}
    applied, tree = 0, request.head
    problems: tuple[Problem, ...] | None = None
    for _ in range(MAX_ROUNDS):
        trees = compare_trees(replace(request, head=tree), render)
        problems = problems_in_scope(trees) if problems is None else problems
        unwaived = [match for match in trees.head.matches if trees.waiver(match) is None]
        outcomes = verify_head_fixes(trees, unwaived, Reevaluation(trees, render))
        edits = edits_by_path(outcomes)
        if not edits:
            break
        applied += sum(bool(outcome.edits) for outcome in outcomes.values())
        for path, file_edits in edits.items():
            text = trees.head.tree.files.places.text(path)
            files[path] = (files.get(path, (text, ""))[0], apply_edits(text, sorted(file_edits)))
        tree = _replace_texts(tree, {path: new for path, (_, new) in files.items()})
    refused = {match_id: o.reason for match_id, o in outcomes.items() if o.reason and not o.edits}
    return FixedFiles(dict(sorted(files.items())), applied, refused, problems or ())


def _replace_texts(tree: Tree, texts: Mapping[str, str]) -> Tree:
    files = {path: SourceFile(path, text.encode("utf-8", "surrogatepass")) for path, text in texts.items()}
    return replace(tree, files={**tree.files, **files})
