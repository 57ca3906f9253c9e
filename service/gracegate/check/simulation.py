"""What `gracegate simulate` shows: the rollouts of all workloads, and with all safe fixes together."""

from __future__ import annotations

from gracegate.check.check import problems_in_scope, verify_head_fixes
from gracegate.check.reevaluation import Reevaluation
from gracegate.check.rollouts import find_rollouts
from gracegate.check.subjects import is_workload
from gracegate.check.trees import CheckRequest, compare_trees
from gracegate.model import Problem, Render, Rollout


def simulated_rollouts(request: CheckRequest, render: Render) -> tuple[tuple[Rollout, ...], tuple[Problem, ...]]:
    """The rollouts of the workloads of the request, and what could not be read or evaluated. Raises EngineError."""
    trees = compare_trees(request, render)
    reevaluation = Reevaluation(trees, render)
    unwaived = [match for match in trees.head.matches if trees.waiver(match) is None]
    outcomes = verify_head_fixes(trees, unwaived, reevaluation)
    documents = trees.head.collection.documents
    subjects = (documents[index] for index in sorted(trees.subject_indexes(documents)))
    wanted = [document.key for document in subjects if is_workload(document)]
    return find_rollouts(trees, wanted, outcomes, reevaluation), problems_in_scope(trees)
