"""Fixes of rendered workloads in their sources: python -m tests.bench.rendered_fixes REPO...

Renders every kustomization and every chart with workloads of the newest commit of each REPO, a git directory, that
needs nothing from elsewhere. For the containers of what they render to it makes edits of four kinds in the sources: a
key that is missing, another value, a key that goes away, and fields of the workload itself. Each is rendered again with
all roots that read the edited files, proved as a suggestion would be, and compared once more by an independent parser.
Prints a row for each repository and kind; the exit code is 1 if any proved edit is wrong.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gracegate.git import read_commit_tree
from gracegate.manifests import (
    RenderContext,
    RenderedRoot,
    SourceFix,
    SourcePlaces,
    edit_source,
    intended_operations,
    read_components,
    render_roots,
    source_fixes,
    trace_roots,
    why_not_proved,
)
from gracegate.model import WORKLOAD_KINDS, Document, Limits, Operation, Pointer, Root
from gracegate.rendering import RenderLimits, WasmRenderer, find_renderer
from gracegate.yaml_edit import EditRefused
from tests.bench.bench_manifests import containers
from tests.bench.table import log_progress, print_table
from tests.conftest import ROOT

LIMITS = Limits()
MINOR = 30
BATCH = 100
TIMED = ("readinessProbe", "livenessProbe", "startupProbe", "resources", "imagePullPolicy", "ports", "env")
ROLLS = frozenset({"DaemonSet", "Deployment", "Rollout", "StatefulSet"})
WORKLOAD = re.compile(f"kind['\"]?: *['\"]?(?:{'|'.join(sorted(ROLLS))})".encode())
Texts = Mapping[str, str]


@dataclass
class Case:
    """One edit of one rendered object: `fixes` are the ways to make it, `proved` is the first that does."""

    kind: str
    document: Document
    operation: Operation
    fixes: list[tuple[SourceFix, Texts]] = field(default_factory=list)
    reason: str = "unmapped"
    proved: int | None = None
    is_wrong: bool = False


def value_at(value: Any, pointer: Pointer) -> Any:
    for segment in pointer:
        value = value.get(segment) if isinstance(value, dict) else value[segment]
    return value


def leaves(value: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    """The pointers of numbers and texts."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(child, (*pointer, key))
    elif isinstance(value, int | str) and not isinstance(value, bool):
        yield pointer


def container_cases(document: Document, container: Pointer, content: Mapping[str, Any]) -> Iterator[Case]:
    missing: tuple[tuple[str, Any], ...] = (
        ("readinessProbe", {"tcpSocket": {"port": 8099}, "periodSeconds": 7}),
        ("lifecycle", {"preStop": {"exec": {"command": ["sleep", "11"]}}}),
        ("terminationMessagePath", "/dev/other"),
    )
    key, value = next((key, value) for key, value in missing if key not in content)
    yield Case("missing key", document, Operation("add", (*container, key), value))
    held = [key for key in TIMED if content.get(key)]
    for leaf in [leaf for key in held for leaf in leaves(content[key], (key,))][:1]:
        old = value_at(content, leaf)
        new = old + 1 if isinstance(old, int) else f"1{old}"
        yield Case("other value", document, Operation("replace", (*container, *leaf), new))
    for key in held[:1]:
        yield Case("key gone", document, Operation("remove", (*container, key)))


def object_cases(document: Document) -> Iterator[Case]:
    kind = WORKLOAD_KINDS[document.ref.kind]
    fields: list[tuple[Pointer, Any]] = [((*kind.pod_spec, "terminationGracePeriodSeconds"), 77)]
    if document.ref.kind == "Deployment":
        fields.append((("spec", "strategy", "rollingUpdate", "maxUnavailable"), 0))
    if document.object["spec"].get("replicas"):
        fields.append((("spec", "replicas"), document.object["spec"]["replicas"] + 1))
    for pointer, value in fields:
        parent: Any = document.object
        for segment in pointer[:-1]:
            parent = parent.get(segment) or {}
        if parent.get(pointer[-1]) != value:
            yield Case("workload", document, Operation("replace" if pointer[-1] in parent else "add", pointer, value))


class Repository:
    """One repository: what its roots render to, as it is and with edits."""

    def __init__(self, path: Path, renderer: WasmRenderer, only: Sequence[str]) -> None:
        self.tree = read_commit_tree(path, "HEAD", lambda _: True)
        self.renderer = renderer
        self.components = read_components(self.tree, LIMITS)
        self.places = SourcePlaces(self.tree.files, LIMITS)
        self.seconds = 0.0
        self.wanted = [root for root in self._possible() if not only or root.directory.startswith(tuple(only))]
        self.wanted = [root for root in self.wanted if self._has_workloads(root)]
        self.roots = self._render()
        self.readers: dict[str, list[Root]] = defaultdict(list)
        for root in self.roots:
            for file in self.components.files_of(root):
                self.readers[file].append(root)

    def _possible(self) -> Iterator[Root]:
        components = self.components
        for folder, kustomization in sorted(components.kustomizations.by_directory.items()):
            if not kustomization.is_component:
                yield Root("kustomize", folder)
        yield from (root for root in components.roots if root.renderer == "helm")

    def _has_workloads(self, root: Root) -> bool:
        """Whether a file of a root may hold a workload."""
        files = (self.tree.files.get(path) for path in self.components.files_of(root))
        return any(WORKLOAD.search(file.data) for file in files if file is not None)

    def _render(self) -> dict[Root, RenderedRoot]:
        rendered: dict[Root, RenderedRoot] = {}
        roots = [root for root in self.wanted if not self.components.missing_parts(root)]
        for start in range(0, len(roots), BATCH):
            context = RenderContext(self._timed, MINOR, LIMITS)
            found = render_roots(self.components, roots[start : start + BATCH], context)
            rendered |= {root: one for root, one in found.items() if one.problem is None}
            # A Job may be made of the same source as a Deployment.
            rendered |= trace_roots(self.components, [one for one in found.values() if one.documents], {}, context)
            log_progress(f"  {len(rendered)} of {start + BATCH} render")
        return rendered

    def _timed(self, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return self.renderer.render(*arguments)
        finally:
            self.seconds += time.perf_counter() - started

    def cases(self, share: int) -> list[Case]:
        """The cases of every workload, and of all but the first kind only one of `share`."""
        found: list[Case] = []
        for document in (document for one in self.roots.values() for document in one.documents):
            if document.ref.kind in ROLLS:
                for pointer, content in containers(document):
                    found += container_cases(document, pointer, content)
                found += object_cases(document)
        count: Counter[str] = Counter()
        kept = []
        for case in found:
            count[case.kind] += 1
            if case.kind == "missing key" or count[case.kind] % share == 0:
                kept.append(case)
        return kept

    def edit(self, case: Case) -> None:
        """The texts of the ways to fix a case."""
        for fix in source_fixes(case.document, case.operation, self.components, self.places):
            try:
                texts = {
                    path: edit_source(self.places, path, [o for o in fix.operations if o.path == path]).text
                    for path in {operation.path for operation in fix.operations}
                }
            except EditRefused as refused:
                case.reason = refused.reason
                continue
            case.fixes.append((fix, texts))

    def render(self, edits: Iterable[Texts]) -> dict[tuple[frozenset[tuple[str, str]], Root], str | None]:
        """What the roots that read the edited files render to, None for a root that does not render."""
        answers: dict[tuple[frozenset[tuple[str, str]], Root], str | None] = {}
        jobs = [
            (texts, root)
            for texts in edits
            for root in dict.fromkeys(root for path in texts for root in self.readers[path])
        ]
        for start in range(0, len(jobs), BATCH):
            batch = jobs[start : start + BATCH]
            paths = set().union(*(self.components.files_of(root) for _, root in batch))
            files = {path: self.tree.files[path].data for path in paths if path in self.tree.files}
            requests = [self.components.render_request(root, texts) for texts, root in batch]
            for (texts, root), rendering in zip(batch, self._timed(files, requests, MINOR), strict=True):
                answers[frozenset(texts.items()), root] = None if rendering.problem else rendering.text
            log_progress(f"  {start + len(batch)} of {len(jobs)} renderings of edits")
        return answers


def prove(case: Case, number: int, repository: Repository, answers: Mapping[Any, str | None]) -> None:
    """Whether a way to fix a case does it in all roots; compared by an independent parser if so."""
    fix, texts = case.fixes[number]
    key = frozenset(texts.items())
    roots = dict.fromkeys(root for path in texts for root in repository.readers[path])
    for root in roots:
        intended = defaultdict(list)
        for document in repository.roots[root].documents:
            if document.rendered is not None:
                intended[document.rendered.number] += intended_operations(document.rendered, fix.changes)
        after = answers[key, root]
        reason = "broken" if after is None else why_not_proved(repository.roots[root].text, after, intended, LIMITS)
        if reason is not None:
            case.reason = reason
            return
    own = case.document.rendered
    assert own is not None
    if texts_of(answers[key, own.root] or "")[own.number] == texts_of(repository.roots[own.root].text)[own.number]:
        case.reason = "no effect"
        return
    case.proved = number
    case.is_wrong = any(is_wrong(fix, repository.roots[root].text, answers[key, root] or "") for root in roots)


def texts_of(rendering: str) -> list[str]:
    """The YAML documents of a rendering, split without the code under test."""
    return re.split(r"^---$", rendering, flags=re.MULTILINE)[rendering.startswith("---") :]


def is_wrong(fix: SourceFix, before: str, after: str) -> bool:
    """Whether anything has changed that is not below a key that the fix is about."""
    keys = {segment for change in fix.changes for segment in change.operation.path}
    return any(
        keys.isdisjoint(pointer)
        for old, new in zip(texts_of(before), texts_of(after), strict=True)
        if old != new
        for pointer in differences(*(yaml.load(text, Loader=yaml.CSafeLoader) for text in (old, new)))
    )


def differences(old: Any, new: Any, pointer: Pointer = ()) -> Iterator[Pointer]:
    """The pointers at which two values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from differences(old.get(key, ...), new.get(key, ...), (*pointer, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, (*pointer, index))
    elif json.dumps(old, default=str, sort_keys=True) != json.dumps(new, default=str, sort_keys=True):
        yield pointer


def measure(repository: Repository, share: int) -> list[Case]:
    cases = repository.cases(share)
    for case in cases:
        repository.edit(case)
    for number in range(max((len(case.fixes) for case in cases), default=0)):
        open_cases = [case for case in cases if case.proved is None and number < len(case.fixes)]
        edits = {frozenset(case.fixes[number][1].items()): case.fixes[number][1] for case in open_cases}
        answers = repository.render(edits.values())
        for case in open_cases:
            prove(case, number, repository, answers)
    return cases


def rows(name: str, cases: Sequence[Case]) -> Iterator[dict[str, object]]:
    for renderer in ("kustomize", "helm"):
        for kind in dict.fromkeys(case.kind for case in cases):
            of_kind = [
                case
                for case in cases
                if case.kind == kind and case.document.rendered and case.document.rendered.root.renderer == renderer
            ]
            if of_kind:
                reasons = Counter(case.reason for case in of_kind if case.proved is None)
                yield {
                    "repository": name,
                    "renderer": renderer,
                    "edit": kind,
                    "cases": len(of_kind),
                    "mapped": sum(bool(case.fixes) for case in of_kind),
                    "proved": sum(case.proved is not None for case in of_kind),
                    "at first": sum(case.proved == 0 for case in of_kind),
                    "wrong": sum(case.is_wrong for case in of_kind),
                    "not proved": ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()) or "-",
                }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPO")
    parser.add_argument("--only", nargs="*", default=(), help="directories to measure")
    parser.add_argument("--share", type=int, default=1, help="make one of so many edits, but of missing keys all")
    parser.add_argument("--show", action="store_true", help="print each case that is not proved")
    options = parser.parse_args()
    limits = RenderLimits(fuel=10**15, output_bytes=10**10)
    renderer = WasmRenderer(find_renderer(), ROOT / ".tools" / "cache" / "gracegate", limits)
    table: list[dict[str, object]] = []
    is_wrong_anywhere = False
    for path in options.repositories:
        started = time.perf_counter()
        repository = Repository(path, renderer, options.only)
        cases = measure(repository, options.share)
        table += rows(path.parent.name.rpartition("+")[2], cases)
        is_wrong_anywhere |= any(case.is_wrong for case in cases)
        log_progress(
            f"{path}: {len(repository.roots)} of {len(repository.wanted)} roots render, "
            f"{time.perf_counter() - started:.0f} s, {repository.seconds:.0f} s of these to render"
        )
        for case in cases if options.show else ():
            if case.proved is None or case.is_wrong:
                log_progress(f"{case.kind} {case.reason} {case.document.rendered} {case.operation} {case.fixes}")
    print_table(table)
    return int(is_wrong_anywhere)


if __name__ == "__main__":
    sys.exit(main())
