"""A change that is not safe in one go -> ordered steps that are: base, the states that rules ask for, head.

Each step is compared with the one before it by the rules that compare head and base. No step leaves this module in
which they find more than in the whole change, or what the steps are there to avoid; only what has to be done by hand is
taken as done.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gracegate.check.diffs import text_diff
from gracegate.check.findings import FoundMatches, findings_of
from gracegate.check.fix_groups import FixContext
from gracegate.check.rendered import trace, trace_all
from gracegate.check.step_texts import step_texts
from gracegate.check.trees import ComparedTrees, compare_trees, render_context
from gracegate.model import (
    SEVERITY_ORDER,
    Document,
    FileDiff,
    Finding,
    IntendedStep,
    NoSteps,
    Render,
    SourceFile,
    Step,
    StepAction,
    Tree,
)
from gracegate.policy import BaseDocument
from gracegate.yaml_edit import EditRefused

_CHANGE = "change"
"""The group of the rules on what a change does."""
_MAX_COMPARISONS = 20
"""A comparison costs what the whole change costs to check. What needs more of them is not tried."""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The steps of a change, and `texts`: for each of them the files, by path, that are not the head's.

    `actions` say by id of a finding what they do about it, `reasons` why a finding on what the change does is in none.
    """

    steps: tuple[Step, ...] = ()
    texts: tuple[Mapping[str, str], ...] = ()
    actions: Mapping[str, tuple[StepAction, ...]] = field(default_factory=dict)
    reasons: Mapping[str, NoSteps] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _State:
    """The tree after a step, the texts in it that are not the head's, and what the step does for which finding."""

    tree: Tree
    texts: Mapping[str, str]
    actions: tuple[tuple[Finding, IntendedStep], ...] = ()


def plan_steps(trees: ComparedTrees, found: Sequence[FoundMatches], render: Render) -> StepPlan:
    """Steps for the findings on what the change does, as many of them as have steps that are safe together."""
    rules = trees.request.rules
    wanted = [f for f in found if f.finding.counts and rules[f.finding.rule].group == _CHANGE]
    reasons: dict[str, NoSteps] = {
        f.finding.id: "no_steps_known" if f.lead.violation.steps is None else "order_is_no_help"
        for f in wanted
        if not f.lead.violation.steps
    }
    candidates = [f for f in wanted if f.lead.violation.steps]
    if not candidates:
        return StepPlan(reasons=reasons)
    planner = _Planner(trees, found, render)
    handled: list[FoundMatches] = []
    states = planner.states(candidates)
    if not isinstance(states, str):
        handled = candidates
    elif len(candidates) > 1:
        for one in candidates:
            if not isinstance(together := planner.states([*handled, one]), str):
                handled, states = [*handled, one], together
            else:
                reasons[one.finding.id] = together
    if isinstance(states, str):
        return StepPlan(reasons={**{f.finding.id: states for f in candidates}, **reasons})
    steps = tuple(_step(before, after, trees) for before, after in pairwise(states))
    return StepPlan(steps, tuple(state.texts for state in states[1:]), _actions(states), reasons)


class _Planner:
    """Makes the states of a change and compares each with the one before it."""

    def __init__(self, trees: ComparedTrees, found: Iterable[FoundMatches], render: Render) -> None:
        self._trees = trees
        self._render = render
        # What was there before is no news of a new object that takes the place of an old one.
        self._blame = _blame(f.finding for f in found)
        self._before, documents = _with_sources(trees, render)
        self._context = FixContext(trees.head.tree.files, documents, None)
        self._comparisons_left = _MAX_COMPARISONS

    def states(self, handled: Sequence[FoundMatches]) -> list[_State] | NoSteps:
        """The base, and what it becomes in the steps of these findings together, or why there are none."""
        base = self._trees.request.base
        if base is None:
            return "not_tried"
        states = [_State(base, {})]
        try:
            for number in range(max(len(one.lead.violation.steps or ()) for one in handled)):
                state = self._state(handled, number)
                by_hand = any(step.by_hand for _, step in state.actions)
                if by_hand or next(_differences(states[-1].tree, state.tree, self._paths([states[-1], state])), None):
                    states.append(state)
        except EditRefused:
            return "not_written"
        if len(states) - 1 > self._comparisons_left:
            return "not_tried"
        avoided = {_key(one.finding) for one in handled}
        is_safe = all(self._is_safe(before, after, avoided) for before, after in pairwise(states))
        return states if is_safe else "not_safe"

    def _state(self, handled: Sequence[FoundMatches], number: int) -> _State:
        """What the tree is after a step, from 0. A finding with fewer steps than others is at the head before them."""
        steps = [(one.finding, step) for one in handled for step in (one.lead.violation.steps or ())[number:][:1]]
        intended = [
            step for one in handled for match in one.matches for step in (match.violation.steps or ())[number:][:1]
        ]
        trees = self._trees
        base = trees.head if trees.base is None else trees.base
        changed = {path for one in trees.request.diff or () for path in (one.path, one.previous_path) if path}
        texts = step_texts(intended, self._before, base.tree.files, self._context, changed)
        sources = {path: SourceFile(path, text.encode("utf-8", "surrogatepass")) for path, text in texts.items()}
        head = trees.request.head
        return _State(replace(head, files={**head.files, **sources}), texts, tuple(steps))

    def _is_safe(self, before: _State, after: _State, avoided: Collection[Hashable]) -> bool:
        """Whether the rules find nothing new in a step but what they find in the head and is not `avoided`."""
        self._comparisons_left -= 1
        trees = self._trees
        changes = tuple(_differences(before.tree, after.tree, self._paths([before, after])))
        request = replace(
            trees.request, base=before.tree, head=after.tree, diff=changes, head_config=None, with_rollouts=False
        )
        compared = compare_trees(request, self._render)
        by_hand = {_key(finding) for finding, step in after.actions if step.by_hand}
        allowed = {key: level for key, level in self._blame.items() if key not in avoided or key in by_hand}
        rules = request.rules
        found = [f.finding for f in findings_of(compared) if f.finding.counts]
        blame = _blame(f for f in found if f.severity != "info" or rules[f.rule].group == _CHANGE)
        return (
            compared.head.problems == trees.head.problems
            and _unread(compared) <= _unread(trees)
            and all(level <= allowed.get(key, -1) for key, level in blame.items())
        )

    def _paths(self, states: Iterable[_State]) -> list[FileDiff]:
        """The changes of all files that may differ between states: those of the whole change, and new ones."""
        known = list(self._trees.request.diff or ())
        paths = {path for one in known for path in (one.path, one.previous_path)}
        return [*known, *(FileDiff(path, "modified") for state in states for path in state.texts if path not in paths)]


def _with_sources(trees: ComparedTrees, render: Render) -> tuple[Sequence[BaseDocument], Sequence[Document]]:
    """What was modified and removed, and the documents of the head, all with what they were made of if rendered."""
    documents = trees.head.collection.documents
    if trees.former is None or trees.base is None:
        return (), documents
    before, _ = trees.former.of(documents)
    context = render_context(trees.request, render)
    roots = {one.document.rendered.root for one in before if one.document.rendered is not None}
    traced = {document.key: document for document in trace_all(trees.base.tree, roots, context).collection.documents}
    indexes = [one.head_index for one in before if one.head_index is not None]
    head = trace(trees.head.tree, indexes, context)
    found = [replace(one, document=traced.get(one.document.key, one.document)) for one in before]
    return found, head.collection.documents


def _differences(before: Tree, after: Tree, known: Iterable[FileDiff]) -> Iterator[FileDiff]:
    """Which of the `known` changes, and of what they are made of, there are between two trees."""
    for one in known:
        sides = [
            (path, before.files.get(path), after.files.get(path)) for path in (one.previous_path, one.path) if path
        ]
        gone = [path for path, old, new in sides if new is None]
        added = [path for path, old, new in sides if old is None]
        if one.change == "renamed" and gone == [one.previous_path] and added == [one.path]:
            yield replace(one, hunks=None)
            continue
        for path, old, new in sides:
            if (old and old.data) != (new and new.data):
                yield FileDiff(path, "added" if old is None else "removed" if new is None else "modified")


def _unread(trees: ComparedTrees) -> set[Hashable]:
    """What was not read, and what does not render, on one of the sides."""
    sides = [side for side in (trees.base, trees.head) if side is not None]
    files = {(problem.file, problem.code) for side in sides for problem in side.tree.files.problems}
    return files | {root for side in sides for root, rendered in side.tree.roots.items() if rendered.problem}


def _key(finding: Finding) -> Hashable:
    return finding.rule, finding.object, finding.container


def _blame(findings: Iterable[Finding]) -> Mapping[Hashable, int]:
    """The worst severity by what is found."""
    blame: dict[Hashable, int] = {}
    for finding in findings:
        blame[_key(finding)] = max(blame.get(_key(finding), 0), SEVERITY_ORDER[finding.severity])
    return blame


def _actions(states: Iterable[_State]) -> Mapping[str, tuple[StepAction, ...]]:
    actions: dict[str, tuple[StepAction, ...]] = {}
    for number, state in enumerate(states):
        for finding, step in state.actions:
            actions[finding.id] = (*actions.get(finding.id, ()), StepAction(number, step.title, step.by_hand))
    return actions


def _step(before: _State, after: _State, trees: ComparedTrees) -> Step:
    """A step as the report shows it."""
    is_first = before.tree is trees.request.base
    # The first step has all that the change does to other files.
    paths = sorted(after.texts.keys() if is_first else before.texts.keys() | after.texts.keys())
    diffs = {path: text_diff(path, _text(before, path), _text(after, path)) for path in paths}
    changed = {path: diff for path, diff in diffs.items() if diff}
    files = (diff.path for diff in trees.request.diff or ()) if is_first else changed
    return Step(tuple(files), "\n".join(changed.values()))


def _text(state: _State, path: str) -> str | None:
    source = state.tree.files.get(path)
    return None if source is None else source.data.decode("utf-8", "surrogateescape")
