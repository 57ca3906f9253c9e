"""Both sides of a change read, evaluated and compared: what the later stages of a check stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check import compare, matches, profiles, subjects, waivers
from gracegate.check.matches import Match
from gracegate.errors import EngineError, EngineUnavailable
from gracegate.manifests import Collection, Manifest, collect_documents, locate, read_manifest
from gracegate.model import (
    Document,
    DocumentKey,
    Engine,
    FileDiff,
    Limits,
    Place,
    Pointer,
    Problem,
    Rule,
    SourceFile,
    Tree,
    Waiver,
)
from gracegate.policy import Answer, Batch, Catalog, Cluster, Evaluate, ask
from gracegate.repo_config import RepoConfig


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """All that a check needs. Without `base` every finding of `subjects` (None: of all files) counts as present.

    `head_config` is the text of the head's .gracegate.yaml where it differs from the base's, for the dry run;
    `only` are the ids of the rules to evaluate, None for all that configuration leaves on. `most_proofs` is up to how
    many findings fixes are proved, None for always: a proof costs as much as the finding. `limits` bound one file.
    `rules_url` is the folder of the rules' pages, None where nobody serves them.
    """

    head: Tree
    config: RepoConfig
    catalog: Catalog
    engine: Engine
    today: dt.date
    base: Tree | None = None
    diff: tuple[FileDiff, ...] | None = None
    subjects: frozenset[str] | None = None
    head_config: str | None = None
    most_proofs: int | None = None
    only: frozenset[str] | None = None
    limits: Limits | None = None
    rules_url: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One tree, read and evaluated."""

    collection: Collection
    sightings: tuple[Match, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """The head's side, and what changed since the base where there is one.

    `touched` are the documents of changed files whose object differs from the base's.
    """

    request: CheckRequest
    head: Side
    scope: subjects.Scope | None = None
    comparison: compare.Comparison | None = None
    touched: frozenset[DocumentKey] = frozenset()

    def locate(self, document: Document, pointer: Pointer) -> Place:
        """Where a pointer of a head document stands in its file."""
        return locate(self.head.collection.manifests[document.path], document, pointer)

    def judged(self, documents: Sequence[Document]) -> frozenset[int]:
        """Indexes of the head's documents that are evaluated; `documents` may be an edited version of them."""
        config = self.request.config
        wanted = _given(self.request, documents) if self.scope is None else self.scope.subjects(documents, base=False)
        return frozenset(i for i in wanted if not config.excluded(documents[i].path))

    def waiver(self, sighting: Match) -> Waiver | None:
        """The waiver that covers a sighting of the head."""
        return waivers.waiver_of(sighting, self.request.config, self.locate, self.request.today)

    def counts(self, path: str) -> bool:
        """Whether a file's problems matter: it is among the changed or the given ones, and not excluded."""
        counted = self.request.subjects if self.scope is None else self.scope.head_paths
        return (counted is None or path in counted) and not self.request.config.excluded(path)


def examine(request: CheckRequest, evaluate: Evaluate) -> Examined:
    """Reads and evaluates head, and base where there is one; an engine that fails leaves a problem, not an error."""
    cache: MutableMapping[tuple[str, str, str], Manifest] = {}
    head = collect_documents(request.head, cache, request.limits)
    if request.base is None or request.diff is None:
        return Examined(request, _evaluated(request, head, _given(request, head.documents), evaluate))
    base = collect_documents(request.base, cache, request.limits)
    scope = subjects.scope(request.diff, base.documents, head.documents)
    moved = compare.moved_paths(request.diff)
    head_side = _evaluated(request, head, scope.subjects(head.documents, base=False), evaluate)
    base_side = _evaluated(request, base, scope.subjects(base.documents, base=True), evaluate)
    renamed = compare.renames(base.documents, head.documents, moved)
    comparison = compare.compare(base_side.sightings, head_side.sightings, renamed, moved)
    touched = subjects.touched_objects(base.documents, head.documents, scope.head_paths, moved)
    return Examined(request, head_side, scope, comparison, touched)


def evaluated_again(seen: Examined, texts: Mapping[str, str], evaluate: Evaluate) -> Side:
    """The head's side as it would be with other texts for some of its files."""
    manifests = dict(seen.head.collection.manifests)
    for path, text in texts.items():
        source = SourceFile(path, text.encode("utf-8", "surrogatepass"))
        manifests[path] = read_manifest(source, manifests[path].component, seen.request.limits)
    documents = tuple(d for manifest in manifests.values() for d in manifest.documents)
    edited = replace(seen.head.collection, manifests=manifests, documents=documents)
    return _evaluated(seen.request, edited, seen.judged(documents), evaluate)


def _given(request: CheckRequest, documents: Sequence[Document]) -> frozenset[int]:
    wanted = request.subjects
    return frozenset(i for i, d in enumerate(documents) if wanted is None or d.path in wanted)


def _evaluated(request: CheckRequest, collection: Collection, judged: frozenset[int], evaluate: Evaluate) -> Side:
    included = frozenset(i for i in judged if not request.config.excluded(collection.documents[i].path))
    if not included:
        return Side(collection, (), ())
    try:
        answer = _ask(request, collection, included, evaluate)
    except EngineError as error:
        code = "engine_unavailable" if isinstance(error, EngineUnavailable) else "engine"
        return Side(collection, (), (Problem("", 0, code, f"The rules were not evaluated: {error}"),))
    rules = chosen_rules(request)
    counted = [profiles.in_force(v, rules[v.rule], request.config, request.today) for v in answer.violations]
    return Side(collection, matches.sightings(collection.documents, counted), answer.problems)


def _ask(request: CheckRequest, collection: Collection, judged: frozenset[int], evaluate: Evaluate) -> Answer:
    rules = chosen_rules(request)
    batch = Batch(
        documents=collection.documents,
        subjects=judged,
        unread=tuple((f.path, f.directory, f.component) for f in collection.unread_files),
        rules=rules,
        params={rule: setting.params for rule, setting in request.config.rules.items()},
        cluster=_cluster(request.config),
    )
    return ask(evaluate, batch, request.engine.digest)


def chosen_rules(request: CheckRequest) -> Mapping[str, Rule]:
    """The rules that profile and configuration leave on, with the severities they are given."""
    return profiles.chosen(request.catalog.rules, request.config, request.only)


def _cluster(config: RepoConfig) -> Cluster:
    default = Cluster()
    return Cluster(
        min_minor=default.min_minor if config.min_minor is None else config.min_minor,
        drain_seconds={**default.drain_seconds, **config.drain_seconds},
        app_drain_seconds=default.app_drain_seconds if config.app_drain_seconds is None else config.app_drain_seconds,
    )
