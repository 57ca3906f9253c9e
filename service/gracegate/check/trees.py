"""The trees of a check, read and evaluated: the head, and what changed since the base where there is one."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from gracegate.check import compare, profiles, subjects, waivers
from gracegate.check.baseline import Baseline, KnownFinding, compare_with_baseline
from gracegate.check.former_documents import FormerDocuments, UnknownHolders, former_documents
from gracegate.check.matches import Match, live_targets, match_violations
from gracegate.check.rendered import (
    RenderedTree,
    changed_templates,
    judge_rendered,
    render_collections,
    roots_of_templates,
    roots_to_render,
    trace,
    trace_all,
    with_rendered_objects,
)
from gracegate.errors import EngineError, EngineUnavailable
from gracegate.manifests import (
    Collection,
    ReadCache,
    RenderContext,
    RenderedRoot,
    collect_documents,
    locate,
    locate_rendered,
)
from gracegate.model import (
    BUILTIN_POLICIES,
    Document,
    DocumentKey,
    FileDiff,
    Limits,
    Place,
    Pointer,
    Problem,
    Render,
    Repository,
    Root,
    Rule,
    SourceLine,
    Tree,
    Violation,
    Waiver,
)
from gracegate.policy import (
    BaseDocument,
    Batch,
    Cluster,
    FoundRollout,
    PolicySet,
    ask,
    ask_rollouts,
    failed_rule_problems,
    rules_of,
)
from gracegate.repo_config import DEFAULT_CONFIG, RepoConfig


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """All that a check needs. Without `base` every finding in the files `subjects` (None: in all) counts as present.

    `policies` are the policy sets in use, the built-in one first; the ids of their rules differ.
    `head_config` is the text of the head's .gracegate.yaml where it differs from the base's, for the preview. `only`
    are the ids of the rules to evaluate, None for all that the configuration enables. Fixes are verified for at most
    `max_verified_fixes` findings, None for no limit: to verify one costs as much as to find it. `limits` bound one
    file. `rules_urls` are the folders of the rules' pages by policy set, where they are served. The `cache` may have
    what was read of the trees before. `unavailable_rules` are the ids that rules of refused policy sets would have: a
    configuration may name them. `repository` is the one that the trees are of, for what GitOps objects say of it.
    The `config_defaults` count where a configuration says nothing. What the `baseline` accepts is pre-existing, where
    there is no base.
    `with_rollouts` asks for the rollouts of the report.
    """

    head: Tree
    config: RepoConfig
    policies: tuple[PolicySet, ...]
    today: dt.date
    base: Tree | None = None
    diff: tuple[FileDiff, ...] | None = None
    subjects: frozenset[str] | None = None
    head_config: str | None = None
    max_verified_fixes: int | None = None
    only: frozenset[str] | None = None
    limits: Limits | None = None
    rules_urls: Mapping[str, str] = field(default_factory=dict)
    repository: Repository = field(default_factory=Repository)
    with_rollouts: bool = False
    cache: ReadCache = field(default_factory=ReadCache)
    unavailable_rules: frozenset[str] = frozenset()
    baseline: Baseline | None = None
    config_defaults: RepoConfig = DEFAULT_CONFIG

    def policies_of(self, rule: str) -> PolicySet:
        """The policy set that a rule is of."""
        return next(policies for policies in self.policies if rule in policies.catalog.rules)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of all policy sets by id."""
        return rules_of(policies.catalog for policies in self.policies)


@dataclass(frozen=True, slots=True)
class SubjectDocuments:
    """The indexes of the documents of a tree that may be reported, and what the tree's documents were at base.

    Without `former`, as for the base itself, the rules on what a change does find nothing.
    """

    indexes: frozenset[int]
    former: FormerDocuments | None = None

    def changes(self, documents: Sequence[Document]) -> tuple[tuple[BaseDocument, ...], frozenset[int]]:
        """What was modified and removed, and the indexes of those of the tree's documents that were added."""
        return ((), frozenset()) if self.former is None else self.former.of(documents)


@dataclass(frozen=True, slots=True)
class EvaluatedTree:
    """One tree, read and evaluated; `problems` are those of the evaluation alone, `failed` the rules that failed.

    `shadow_matches` are of rules in mode `shadow`. Nothing depends on them.
    """

    tree: RenderedTree
    matches: tuple[Match, ...]
    problems: tuple[Problem, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    shadow_matches: tuple[Match, ...] = ()

    @property
    def all_matches(self) -> tuple[Match, ...]:
        """The matches of rules in all modes."""
        return (*self.matches, *self.shadow_matches)

    @property
    def collection(self) -> Collection:
        """The tree's manifests and documents."""
        return self.tree.collection


@dataclass(frozen=True, slots=True)
class ComparedTrees:
    """The evaluated head, and what changed since the base where there is one; `changed_templates` has lines by path.

    `not_found` is what the baseline accepts and the head does not have.
    """

    request: CheckRequest
    head: EvaluatedTree
    base: EvaluatedTree | None = None
    scope: subjects.Scope | None = None
    comparison: compare.Comparison | None = None
    changed_documents: frozenset[DocumentKey] = frozenset()
    live_targets: frozenset[str] = frozenset()
    evaluated_targets: frozenset[str] = frozenset()
    regressions: frozenset[str] = frozenset()
    improvements: frozenset[str] = frozenset()
    changed_templates: Mapping[str, frozenset[SourceLine]] = field(default_factory=dict)
    former: FormerDocuments | None = None
    not_found: tuple[KnownFinding, ...] = ()

    def locate(self, document: Document, pointer: Pointer) -> tuple[str, Place]:
        """The file and the lines of a pointer into a document of the head."""
        collection = self.head.collection
        if document.rendered is not None:
            found = locate_rendered(document, pointer, collection.components, collection.places)
            if found is not None:
                return found
            if document.rendered.source is None:
                return collection.components.file_of(document.rendered.root), Place(1, 1)
            # Of what is outside its spec nobody tells the origin, but the object is there.
            pointer = pointer if pointer[:1] == ("metadata",) else ()
        return document.path, locate(collection.manifests[document.path], document, pointer)

    def subject_indexes(self, documents: Sequence[Document]) -> frozenset[int]:
        """Indexes of the documents that may be reported; `documents` are the head's, or an edited version of them."""
        if self.scope is None:
            indexes = _requested_subjects(self.request, documents)
        else:
            indexes = self.scope.subject_indexes(documents, self.scope.head_paths)
        return _without_excluded(self.request, documents, indexes)

    def waiver(self, match: Match) -> Waiver | None:
        """The waiver that covers a match of the head."""
        return waivers.find_waiver(match, self.request.config, self.locate, self.request.today)

    def is_in_scope(self, path: str) -> bool:
        """Whether a file's problems matter: it is one of the changed or the requested files, and not excluded."""
        paths = self.request.subjects if self.scope is None else self.scope.head_paths
        return (paths is None or path in paths) and not self.request.config.excludes(path)


def compare_trees(request: CheckRequest, render: Render) -> ComparedTrees:
    """Reads, renders and evaluates the head, and the base where there is one; an engine error becomes a problem."""
    cache = request.cache
    head_files = collect_documents(request.head, cache, request.limits, request.repository)
    context = render_context(request, render)
    if request.base is None or request.diff is None:
        (head_files,) = with_rendered_objects([head_files], request.subjects, request.config, context)
        roots = roots_to_render([head_files.components], request.subjects, request.config)
        (found,) = render_collections([head_files], roots, context)
        head_tree = judge_rendered(head_files, found, found)
        indexes = _requested_subjects(request, head_tree.collection.documents)
        evaluated = evaluate_tree(request, head_tree, SubjectDocuments(indexes), context)
        return _compare_with_baseline(ComparedTrees(request, evaluated))
    base_files = collect_documents(request.base, cache, request.limits, request.repository)
    scope = subjects.scope_of(request.diff, base_files.documents, head_files.documents)
    base_tree, head_tree = _render_both(request, base_files, head_files, scope, context)
    templates = changed_templates(base_files, head_files, scope.head_paths)
    head_tree = trace_all(head_tree, roots_of_templates(head_tree, templates), context)
    moved = compare.moved_paths(request.diff)
    renamed = _roots_with_other_names(base_tree, head_tree)
    base_tree, head_tree = (trace_all(tree, renamed, context) for tree in (base_tree, head_tree))
    renames = compare.object_renames(base_tree.collection.documents, head_tree.collection.documents, moved)
    former = former_documents(
        base_tree.collection.documents,
        head_tree.collection.documents,
        renames,
        moved,
        _unknown_holders(base_tree, head_tree),
    )
    head_subjects = scope.subject_indexes(head_tree.collection.documents, scope.head_paths)
    evaluated_head = evaluate_tree(request, head_tree, SubjectDocuments(head_subjects, former), context)
    # What a new root is made of may have had the same faults before.
    made_of = {m.document.path for m in evaluated_head.all_matches if _is_in_new_root(m.document, base_tree)}
    base_subjects = scope.subject_indexes(base_tree.collection.documents, scope.base_paths | made_of)
    evaluated_base = evaluate_tree(request, base_tree, SubjectDocuments(base_subjects), None, evaluated_head.failed)
    evaluated_head = _without_rules_that_failed_at_base(evaluated_head, evaluated_base)
    base, head = base_tree.collection, evaluated_head.collection
    changed = subjects.changed_documents(base.documents, head.documents, scope.head_paths, moved)
    changed_documents = [d for d in head.documents if d.key in changed]
    containers = compare.container_renames(base.documents, changed_documents, renames, moved)
    copies = compare.copied_documents(base.documents, changed_documents, moved)
    removed = compare.removed_objects(base.documents, head.documents, renames, moved)
    holders = _holders(base_tree, evaluated_head)
    changes = compare.Changes(renames, containers, moved, copies, removed, holders)
    evaluated_base = _with_origins(request, evaluated_base, evaluated_head.all_matches, changes, context)
    return ComparedTrees(
        request,
        evaluated_head,
        evaluated_base,
        scope,
        compare.compare(evaluated_base.all_matches, evaluated_head.all_matches, changes),
        changed,
        live_targets(head.documents, renames, containers),
        live_targets([head.documents[i] for i in sorted(head_subjects)], renames, containers),
        compare.regressions(evaluated_base.matches, evaluated_head.matches, base.documents, renames),
        compare.improvements(evaluated_base.matches, evaluated_head.matches, renames, profiles.LESSER_THAN),
        templates,
        former,
    )


def _compare_with_baseline(trees: ComparedTrees) -> ComparedTrees:
    if trees.request.baseline is None:
        return trees
    matches = trees.head.all_matches
    comparison, not_found = compare_with_baseline(trees.request.baseline, matches)
    return replace(
        trees,
        comparison=comparison,
        not_found=not_found,
        changed_documents=frozenset(match.document.key for match in matches),
        # Whether the objects were there without the faults is not known.
        regressions=frozenset(match.id for match in matches),
    )


def _render_both(
    request: CheckRequest, base: Collection, head: Collection, scope: subjects.Scope, context: RenderContext
) -> tuple[RenderedTree, RenderedTree]:
    """Base and head, rendered alike: a root that does not render at head is not seen rendered at base either."""
    paths = scope.base_paths | scope.head_paths
    base, head = with_rendered_objects([base, head], paths, request.config, context)
    roots = roots_to_render([base.components, head.components], paths, request.config)
    of_base, of_head = render_collections([base, head], roots, context)
    head_tree = judge_rendered(head, of_head, of_head)
    judged = (root for root in of_base if root in head_tree.judged or not head.components.has(root))
    return judge_rendered(base, of_base, judged), head_tree


def _roots_with_other_names(base: RenderedTree, head: RenderedTree) -> frozenset[Root]:
    """The roots in which only what objects were made of tells which of them have other names now."""
    return frozenset(root for root in base.judged & head.judged if _is_ambiguous(base.roots[root], head.roots[root]))


def _is_ambiguous(base: RenderedRoot, head: RenderedRoot) -> bool:
    before, after = ({(d.ref.group, d.ref.kind, d.ref.name) for d in one.documents} for one in (base, head))
    gone, new = (Counter((group, kind) for group, kind, _ in names) for names in (before - after, after - before))
    return any(gone[kind] > 1 or new[kind] > 1 for kind in gone.keys() & new.keys())


def _is_in_new_root(document: Document, base: RenderedTree) -> bool:
    return document.rendered is not None and not base.files.components.has(document.rendered.root)


def _unknown_holders(base: RenderedTree, head: RenderedTree) -> UnknownHolders:
    unrendered = {root.id for root in head.judged - base.judged if base.files.components.has(root)}
    return UnknownHolders(_unseen_files(base) | unrendered, _unseen_files(head))


def _unseen_files(tree: RenderedTree) -> frozenset[str]:
    """The files that could not be read, and those of which only rendered objects are seen."""
    files = {document.path for document in tree.files.documents}
    seen = {document.path for document in tree.collection.documents if document.rendered is None}
    return frozenset(problem.file for problem in tree.files.problems).union(files - seen)


def _holders(base: RenderedTree, head: EvaluatedTree) -> compare.Holders:
    components = base.files.components
    of_base, of_head = (frozenset(d.holder for d in tree.documents) for tree in (base.collection, head.collection))
    unknown = frozenset(root.id for root in head.tree.judged - base.judged if components.has(root))
    new = frozenset(root.id for root in head.tree.judged if not components.has(root))
    made_of = {match.document.path for match in head.matches if match.document.holder in new}
    rooted = frozenset(path for path in made_of if components.roots_of(path))
    return compare.Holders(of_base, of_head, unknown, new, rooted)


def _with_origins(
    request: CheckRequest,
    base: EvaluatedTree,
    head: Sequence[Match],
    changes: compare.Changes,
    context: RenderContext,
) -> EvaluatedTree:
    """The base with what the objects of its matches were made of, where that counts in the comparison with the head: to
    tell it, a root is rendered once more."""
    # Exclusions are by the paths of what objects were made of.
    has_exclusions = bool(request.config.exclude)
    counting = base.all_matches if has_exclusions else compare.to_trace_at_base(base.all_matches, head, changes)
    roots = {match.document.rendered.root for match in counting if match.document.rendered is not None}
    tree = trace_all(base.tree, roots, context)
    if tree is base.tree:
        return base
    return _with_matches(replace(base, tree=tree), [match.violation for match in base.all_matches], request)


def _without_rules_that_failed_at_base(head: EvaluatedTree, base: EvaluatedTree) -> EvaluatedTree:
    """The head without the findings of which nobody knows whether the base has them too."""
    if base.failed.keys() <= head.failed.keys():
        return head
    matches, shadow_matches = (
        tuple(match for match in found if match.violation.rule not in base.failed)
        for found in (head.matches, head.shadow_matches)
    )
    problems = tuple(dict.fromkeys((*head.problems, *base.problems)))
    failed = {**head.failed, **base.failed}
    return replace(head, matches=matches, problems=problems, failed=failed, shadow_matches=shadow_matches)


def _requested_subjects(request: CheckRequest, documents: Sequence[Document]) -> frozenset[int]:
    paths = request.subjects
    return frozenset(i for i, d in enumerate(documents) if paths is None or d.rendered is not None or d.path in paths)


def _without_excluded(request: CheckRequest, documents: Sequence[Document], indexes: frozenset[int]) -> frozenset[int]:
    return frozenset(i for i in indexes if not request.config.excludes(documents[i].path))


def evaluate_tree(
    request: CheckRequest,
    tree: RenderedTree,
    reported: SubjectDocuments,
    context: RenderContext | None,
    failed: Mapping[str, str] = MappingProxyType({}),
) -> EvaluatedTree:
    """The tree's findings, without those of rules that have `failed` before. Without a `context`, what the objects of
    findings were made of is not asked."""
    collection = tree.collection
    subject_indexes = _without_excluded(request, collection.documents, reported.indexes)
    rules = profiles.enabled_rules(request.rules, request.config, request.only)
    before, added = reported.changes(collection.documents)
    batch = replace(
        _batch(request, collection, subject_indexes), rules=rules, failed=failed, before=before, added=added
    )
    shadow = frozenset(id_ for id_, rule in rules.items() if profiles.is_always_shadow(rule, request.repository))
    found = [_evaluate(policies, batch, shadow) for policies in request.policies] if subject_indexes else []
    paths = [document.path for document in collection.documents]
    violations = [_as_of_today(v, rules[v.rule], request, paths[v.document]) for one in found for v in one.violations]
    if context is not None:
        tree = trace(tree, _to_trace(collection.documents, violations), context)
    evaluated = EvaluatedTree(
        tree,
        (),
        tuple(problem for one in found for problem in one.problems),
        {rule: reason for one in found for rule, reason in one.failed.items()},
    )
    return _with_matches(evaluated, violations, request)


def _with_matches(evaluated: EvaluatedTree, violations: Iterable[Violation], request: CheckRequest) -> EvaluatedTree:
    documents = evaluated.collection.documents
    matches = match_violations(
        documents, (v for v in violations if not request.config.excludes(documents[v.document].path))
    )
    return replace(
        evaluated,
        matches=tuple(match for match in matches if not match.violation.is_shadow),
        shadow_matches=tuple(match for match in matches if match.violation.is_shadow),
    )


def _as_of_today(violation: Violation, rule: Rule, request: CheckRequest, path: str) -> Violation:
    """The violation in a file with the level that it has now, in the order of profiles.py."""
    dated = profiles.apply_effective_date(violation, rule, request.config, request.today)
    return profiles.apply_mode(dated, profiles.mode_of(rule, request.repository, path))


def find_rollout_facts(
    request: CheckRequest, collection: Collection, subjects: frozenset[int]
) -> tuple[FoundRollout, ...]:
    """What the built-in policies know of the rollouts of these documents. Raises EngineError."""
    policies = request.policies[0]
    return ask_rollouts(policies.evaluate, _batch(request, collection, subjects), policies.engine.digest)


def _batch(request: CheckRequest, collection: Collection, subjects: frozenset[int]) -> Batch:
    """All that is known of the documents, without a rule and without the base."""
    return Batch(
        documents=collection.documents,
        subjects=subjects,
        unread=tuple((f.path, f.directory, f.component) for f in collection.unread_files),
        rules={},
        catalog=request.rules,
        params={rule: setting.params for rule, setting in request.config.rules.items()},
        cluster=_cluster(request.config),
    )


class _Found(NamedTuple):
    """What one policy set finds, and why those of its rules failed that did."""

    violations: Sequence[Violation] = ()
    problems: Sequence[Problem] = ()
    failed: Mapping[str, str] = MappingProxyType({})


def _evaluate(policies: PolicySet, batch: Batch, shadow: frozenset[str]) -> _Found:
    """Asks one policy set for those of the batch's rules that are its own; an engine error becomes a problem.

    That one of the rules in `shadow` fails is no problem of this check.
    """
    own = policies.catalog.rules
    batch = replace(batch, rules={id_: rule for id_, rule in batch.rules.items() if id_ in own})
    if batch.rules.keys() <= batch.failed.keys():
        return _Found()
    try:
        answer = ask(policies.evaluate, batch, policies.engine.digest)
    except EngineError as error:
        code = "engine_unavailable" if isinstance(error, EngineUnavailable) else "engine"
        of_set = "" if policies.name == BUILTIN_POLICIES else f" of the policy set {policies.name}"
        problem = Problem("", 0, code, f"The rules{of_set} were not evaluated: {error}")
        problems = () if batch.rules.keys() <= shadow else (problem,)
        return _Found(problems=problems, failed=dict.fromkeys(batch.rules, str(error)))
    failed = {rule: reason for rule, reason in answer.failed.items() if rule not in shadow}
    return _Found(answer.violations, failed_rule_problems(failed), answer.failed)


def _to_trace(documents: Sequence[Document], violations: Iterable[Violation]) -> Iterator[int]:
    """The documents of which lines are shown: those of violations, and those with annotations for us."""
    for violation in violations:
        yield violation.document
        yield from (place.document for place in violation.related)
    for index, document in enumerate(documents):
        if document.rendered is not None and any(waivers.ignore_annotations(document)):
            yield index


def render_context(request: CheckRequest, render: Render) -> RenderContext:
    """With what the roots of a check are rendered."""
    minor = _cluster(request.config).min_minor
    return RenderContext(render, minor, request.limits or Limits(), request.cache.renderings)


def _cluster(config: RepoConfig) -> Cluster:
    default = Cluster()
    return Cluster(
        min_minor=default.min_minor if config.min_minor is None else config.min_minor,
        min_minor_is_assumed=config.min_minor is None,
        drain_seconds={**default.drain_seconds, **config.drain_seconds},
        app_drain_seconds=default.app_drain_seconds if config.app_drain_seconds is None else config.app_drain_seconds,
    )
