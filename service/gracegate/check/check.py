"""The pipeline of one check, in reading order: compare the trees, verify the fixes, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from gracegate.check import profiles, unrendered, verdict, waivers
from gracegate.check.baseline import KnownFinding, known_findings, stale_baseline_problem
from gracegate.check.excerpts import find_excerpts
from gracegate.check.findings import FoundMatches, findings_of, fixed_findings, shadow_findings
from gracegate.check.fix_groups import FixContext
from gracegate.check.matches import Match, group_matches
from gracegate.check.reevaluation import Reevaluation, Refuted
from gracegate.check.render_notes import render_notes
from gracegate.check.rollouts import find_rollouts
from gracegate.check.steps import StepPlan, plan_steps
from gracegate.check.subjects import is_workload
from gracegate.check.suggestions import FixOutcome, verify_fixes
from gracegate.check.trees import CheckRequest, ComparedTrees, compare_trees
from gracegate.check.unlisted import unlisted_problems
from gracegate.errors import ConfigError, EngineError
from gracegate.manifests import Change, is_candidate
from gracegate.model import (
    CONFIG_FILE,
    ConfigPreview,
    Document,
    Finding,
    NoSuggestion,
    PolicyState,
    Problem,
    Render,
    Report,
    Repository,
    Rollout,
    Suggestion,
    Totals,
)
from gracegate.policy import PolicySet
from gracegate.repo_config import RepoConfig, parse_repo_config

_MAX_OLD_RENDERED = 10
"""Pre-existing findings in rendered objects of which fixes are verified: all roots that read a source are rendered for
each, and the check need not be late for what the change did not do."""


def check(
    request: CheckRequest,
    render: Render,
    preview_limit: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Report:
    """The report of one change or one tree. Bad input raises nothing: the report names what failed.

    `preview_limit` may end the preview of the head's configuration by an exception, which costs only the preview.
    """
    trees = compare_trees(request, render)
    # Last, when everything else is done: it takes what the head's author wrote.
    return _add_preview(_planned(trees, render).report, trees, preview_limit)


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """The report of a change, and for each of its steps the texts, by path, of the files that are not the head's."""

    report: Report
    texts: tuple[Mapping[str, str], ...]


def plan_change(request: CheckRequest, render: Render) -> PlannedChange:
    """What `check` reports of a change, with the files of its steps."""
    return _planned(compare_trees(request, render), render)


@dataclass(frozen=True, slots=True)
class TakenBaseline:
    """What a baseline of a tree would accept, and what of the tree was not evaluated.

    Of one of the `count` findings a baseline has each root that it is in.
    """

    findings: tuple[KnownFinding, ...]
    count: int
    problems: tuple[Problem, ...]


def take_baseline(request: CheckRequest, render: Render) -> TakenBaseline:
    """The findings of a tree that are not waived, to be accepted from now on."""
    trees = compare_trees(request, render)
    unwaived = [match for match in trees.head.matches if trees.waiver(match) is None]
    return TakenBaseline(known_findings(unwaived), len(group_matches(unwaived)), problems_in_scope(trees))


def _planned(trees: ComparedTrees, render: Render) -> PlannedChange:
    request, found = trees.request, findings_of(trees)
    plan = StepPlan() if _are_too_many(found, request) else plan_steps(trees, found, render)
    findings, suggestions, rollouts = _suggest_fixes(found, trees, Reevaluation(trees, render))
    findings = tuple(
        replace(
            finding,
            steps=plan.actions.get(finding.id, ()),
            no_steps=plan.reasons.get(finding.id),
            blocks=verdict.blocks(finding, request.config.profile),
        )
        for finding in findings
    )
    problems = problems_in_scope(trees)
    report = Report(
        verdict=verdict.verdict_of(findings, problems, request.config.profile),
        has_remarks=verdict.has_remarks(findings, problems),
        gate=request.config.gate,
        engine=request.policies[0].engine,
        findings=findings,
        suggestions=suggestions,
        fixed_findings=fixed_findings(trees),
        problems=problems,
        totals=_totals(trees),
        has_base=request.diff is not None or request.baseline is not None,
        comment_scope=request.config.comments,
        live_targets=tuple(sorted(trees.live_targets)),
        rollouts=rollouts,
        excerpts=find_excerpts(findings, request.head),
        steps=plan.steps,
        policies=tuple(_policy_state(one, request.repository) for one in request.policies),
        shadow_findings=shadow_findings(trees),
        shadow_failures={
            rule: reason
            for rule, reason in trees.head.failed.items()
            if profiles.is_always_shadow(request.rules[rule], request.repository)
        },
    )
    return PlannedChange(report, plan.texts)


def _policy_state(policies: PolicySet, repository: Repository) -> PolicyState:
    told = (rule for rule in policies.catalog.rules.values() if not profiles.is_always_shadow(rule, repository))
    levels = {rule.id: profiles.level_words(rule) for rule in told}
    digest, commit = policies.engine.digest, policies.commit
    return PolicyState(policies.name, policies.source, digest, commit=commit, levels=levels)


def _are_too_many(found: Iterable[FoundMatches], request: CheckRequest) -> bool:
    limit = request.max_verified_fixes
    return limit is not None and sum(f.finding.waiver is None for f in found) > limit


def _suggest_fixes(
    found: tuple[FoundMatches, ...], trees: ComparedTrees, reevaluation: Reevaluation
) -> tuple[tuple[Finding, ...], tuple[Suggestion, ...], tuple[Rollout, ...]]:
    """The findings with their verified fixes, and the rollouts that these change.

    A pre-existing finding gets its patch, and never a suggestion."""
    unwaived = [f for f in found if f.finding.waiver is None]
    if _are_too_many(found, trees.request):
        not_tried = (f.finding if f.finding.waiver else replace(f.finding, no_suggestion="not_tried") for f in found)
        return tuple(not_tried), (), ()
    new, old = ([f for f in unwaived if f.finding.counts is counts] for counts in (True, False))
    rendered = [f for f in old if f.lead.document.rendered is not None]
    too_many = {f.finding.id for f in rendered[_MAX_OLD_RENDERED:]}
    outcomes = verify_head_fixes(trees, [m for f in new for m in f.matches], reevaluation)
    rollouts = _rollouts(new, outcomes, trees, reevaluation)
    old_matches = [m for f in old if f.finding.id not in too_many for m in f.matches]
    for match_id, outcome in verify_head_fixes(trees, old_matches, reevaluation).items():
        outcomes[match_id] = replace(outcome, suggestion=None, reason=outcome.reason or "pre_existing")
    suggestions = {o.suggestion.id: o.suggestion for o in outcomes.values() if o.suggestion is not None}
    found = tuple(
        replace(f, finding=replace(f.finding, no_suggestion="not_tried")) if f.finding.id in too_many else f
        for f in found
    )
    return (
        tuple(_add_outcome(f.finding, outcomes[f.lead.id]) if f.lead.id in outcomes else f.finding for f in found),
        tuple(sorted(suggestions.values(), key=lambda s: (s.file, s.start_line))),
        rollouts,
    )


def _rollouts(
    found: Iterable[FoundMatches],
    outcomes: Mapping[str, FixOutcome],
    trees: ComparedTrees,
    reevaluation: Reevaluation,
) -> tuple[Rollout, ...]:
    """Of the workloads with verified fixes; none without an answer, as no verdict depends on them."""
    wanted = {f.lead.document.key: None for f in found if outcomes[f.lead.id].diff is not None}
    if not trees.request.with_rollouts or not wanted:
        return ()
    try:
        return find_rollouts(trees, wanted, outcomes, reevaluation)
    except EngineError:
        return ()


def _add_outcome(finding: Finding, outcome: FixOutcome) -> Finding:
    fix = None if finding.fix is None else replace(finding.fix, diff=outcome.diff)
    suggestion = None if outcome.suggestion is None else outcome.suggestion.id
    return replace(finding, fix=fix, suggestion=suggestion, no_suggestion=outcome.reason)


def verify_head_fixes(
    trees: ComparedTrees, matches: Sequence[Match], reevaluation: Reevaluation
) -> dict[str, FixOutcome]:
    """The outcomes of the fixes of matches of the head, by id, see `verify_fixes`."""
    head = trees.head
    if not matches:
        return {}

    def reevaluate(texts: Mapping[str, str], changes: Sequence[Change]) -> Sequence[Match] | NoSuggestion:
        edited = reevaluation.of(texts, changes)
        if isinstance(edited, Refuted):
            return edited.reason
        # Only an evaluation in which every rule answered verifies a fix; any other one is taken as "nothing is fixed".
        return edited.matches if edited.problems == head.problems else head.matches

    hunks = None if trees.request.diff is None else {d.path: d.hunks for d in trees.request.diff}
    context = FixContext(head.tree.files, head.collection.documents, hunks)
    return verify_fixes(matches, head.matches, context, reevaluate)


def problems_in_scope(trees: ComparedTrees) -> tuple[Problem, ...]:
    """What was not read or not evaluated in the files in scope; unread manifests elsewhere are one problem together."""
    request, collection = trees.request, trees.head.collection
    documents = [d for d in _subjects(trees) if d.rendered is not None or trees.is_in_scope(d.path)]
    problems = [p for p in collection.problems if not p.file or trees.is_in_scope(p.file)]
    problems += _removed_problems(trees)
    problems += [_fragment_problem(d, trees.locate(d, ())[1].line) for d in documents if d.is_fragment]
    # Patches and templates that a kustomization or a chart reads are named with what that makes of them.
    components = trees.head.collection.components
    problems = [
        problem
        for problem in problems
        if not (problem.code == "fragment" and components.kustomizations.is_patch(problem.file))
        and not (problem.code == "template" and components.charts.is_template(problem.file))
    ]
    problems += unrendered.unrendered_problems(trees)
    problems += render_notes(trees)
    problems += _rego_problems(trees)
    problems += unlisted_problems(trees)
    problems += _stale_baseline(trees)
    problems += waivers.annotation_problems(
        documents,
        request.config,
        request.unavailable_rules.union(request.rules),
        trees.locate,
        request.today,
    )
    problems += trees.head.problems
    unread = {p.file for p in collection.problems if p.is_manifest and is_candidate(p.file)}
    unread = {path for path in unread if not components.charts.is_template(path)}
    elsewhere = sum(not trees.is_in_scope(path) for path in unread)
    if elsewhere:
        files = "1 other manifest" if elsewhere == 1 else f"{elsewhere} other manifests"
        problems.append(Problem("", 0, "elsewhere", f"{files} could not be read.", is_manifest=False))
    # An annotation is in each root that its object is rendered in.
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.code)))


def _stale_baseline(trees: ComparedTrees) -> Iterator[Problem]:
    """A note where the baseline accepts what is gone; what was not looked at or not evaluated may still be there."""
    request, head = trees.request, trees.head
    if request.baseline is None:
        return
    rules = profiles.enabled_rules(request.rules, request.config, request.only).keys() - head.failed.keys()
    unread = {problem.file for problem in (*head.collection.problems, *head.problems)}
    gone = [
        known
        for known in trees.not_found
        if known.identity.rule in rules
        and request.baseline.covers(known.file)
        and not unread & {"", known.file}
        and not request.config.excludes(known.file)
    ]
    if gone:
        yield stale_baseline_problem(request.baseline, gone)


def _rego_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """The policies that the change touches, as one problem: the rules of others are not evaluated by this check."""
    request = trees.request
    changed = sorted(
        diff.path
        for diff in request.diff or ()
        if diff.path.endswith(".rego") and not request.config.excludes(diff.path)
    )
    if changed:
        files = "1 Rego file" if len(changed) == 1 else f"{len(changed)} Rego files"
        message = f"{files} changed, not evaluated: this check tests no policies but those of the sets that it uses."
        yield Problem(changed[0], 1, "rego", message)


def _removed_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """What the change removes or redirects and nobody has read: a submodule, a link, a file of Git LFS."""
    request, scope = trees.request, trees.scope
    if request.base is None or scope is None:
        return
    still_named = {p.file for p in trees.head.collection.problems if p.is_uncovered}
    for problem in request.base.problems:
        is_gone = problem.file not in request.head.files and problem.file not in still_named
        is_in_scope = problem.file in scope.base_paths and not request.config.excludes(problem.file)
        if problem.is_uncovered and is_gone and is_in_scope:
            yield replace(problem, message=f"Before this change: {problem.message}")


def _fragment_problem(document: Document, line: int) -> Problem:
    message = f"This is a patch of a {document.ref.kind}; the patched object is not evaluated."
    return Problem(document.path, line, "fragment", message)


def _subjects(trees: ComparedTrees) -> list[Document]:
    documents = trees.head.collection.documents
    return [documents[i] for i in sorted(trees.subject_indexes(documents))]


def _totals(trees: ComparedTrees) -> Totals:
    documents = _subjects(trees)
    files = sum(trees.is_in_scope(path) for path in trees.request.head.files)
    return Totals(files, len(documents), sum(is_workload(d) for d in documents))


def _add_preview(report: Report, trees: ComparedTrees, limit: Callable[[], AbstractContextManager[object]]) -> Report:
    """The report with what the head's own configuration would change; incomplete if that is not a valid one."""
    request = trees.request
    if request.head_config is None:
        return report
    try:
        with limit():
            config = parse_repo_config(
                request.head_config,
                request.rules,
                unavailable=request.unavailable_rules,
                defaults=request.config_defaults,
            )
            return replace(report, config_preview=_config_preview(trees, config))
    except ConfigError as error:
        return verdict.add_problem(report, proposed_config_problem(error))
    except TimeoutError:
        preview = ConfigPreview(None, (), "it takes too long to evaluate")
    except Exception as error:  # noqa: BLE001 - whatever the head's author wrote must not cost the report
        preview = ConfigPreview(None, (), f"it cannot be evaluated ({type(error).__name__})")
    return replace(report, config_preview=preview)


def proposed_config_problem(error: ConfigError) -> Problem:
    """With this head merged, no review could pass any more."""
    message = f"{CONFIG_FILE} would be invalid: {error.message}"
    return Problem(CONFIG_FILE, error.line or 0, "proposed_config", message)


def _config_preview(trees: ComparedTrees, config: RepoConfig) -> ConfigPreview:
    """What waivers, exclusions and rules of the head's own configuration would make of the same findings."""
    request = trees.request
    preview = replace(trees, request=replace(request, config=config))
    findings = [found.finding for found in findings_of(preview)]
    enabled = profiles.enabled_rules(request.rules, config, request.only)
    silenced = tuple(f.id for f in findings if f.waiver or config.excludes(f.file) or f.rule not in enabled)
    remaining = [f for f in findings if f.id not in silenced]
    return ConfigPreview(verdict.verdict_of(remaining, problems_in_scope(preview), config.profile), silenced)
