"""All safe fixes of a tree: proved ones are applied, what they make is examined again, until nothing is left to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gracegate.check import suggestions
from gracegate.check.check import problems_of, prove
from gracegate.check.examine import CheckRequest, examine
from gracegate.model import Problem, SourceFile, Tree
from gracegate.policy import Evaluate
from gracegate.yaml_edit import LineEdit, apply_edits

MAX_ROUNDS = 5
"""Fixes whose lines overlap wait for each other; more rounds than this would be a loop."""


@dataclass(frozen=True, slots=True)
class FixedFiles:
    """`files` maps changed paths to their old and new text, `refused` the ids of findings left over to the reason.

    `problems` is what could not be read or evaluated before anything was fixed.
    """

    files: Mapping[str, tuple[str, str]]
    applied: int
    refused: Mapping[str, str]
    problems: tuple[Problem, ...]


def fix_all(request: CheckRequest, evaluate: Evaluate) -> FixedFiles:
    """Applies every safe fix that holds; waived findings are left alone, and so is every line that no fix touches."""
    files: dict[str, tuple[str, str]] = {}
    applied, tree = 0, request.head
    problems: tuple[Problem, ...] | None = None
    for _ in range(MAX_ROUNDS):
        seen = examine(replace(request, head=tree), evaluate)
        problems = problems_of(seen) if problems is None else problems
        unwaived = frozenset(s.id for s in seen.head.sightings if seen.waiver(s) is None)
        proofs = prove(seen, unwaived, evaluate)
        edits = _edits(proofs)
        if not edits:
            break
        applied += sum(bool(proof.edits) for proof in proofs.values())
        for path, wanted in edits.items():
            text = seen.head.collection.manifests[path].text
            files[path] = (files.get(path, (text, ""))[0], apply_edits(text, sorted(wanted)))
        tree = _with(tree, {path: new for path, (_, new) in files.items()})
    refused = {identifier: proof.reason for identifier, proof in proofs.items() if proof.reason and not proof.edits}
    return FixedFiles(dict(sorted(files.items())), applied, refused, problems or ())


def _edits(proofs: Mapping[str, suggestions.Proof]) -> dict[str, set[LineEdit]]:
    # Findings of one group share their edits, so the same edit comes once per finding.
    edits: dict[str, set[LineEdit]] = defaultdict(set)
    for proof in proofs.values():
        edits[proof.path].update(proof.edits)
    return {path: wanted for path, wanted in edits.items() if wanted}


def _with(tree: Tree, texts: Mapping[str, str]) -> Tree:
    files = {path: SourceFile(path, text.encode("utf-8", "surrogatepass")) for path, text in texts.items()}
    return Tree({**tree.files, **files}, tree.problems)
