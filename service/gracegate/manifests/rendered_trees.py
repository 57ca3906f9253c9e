"""What roots of a tree render to, as Documents that know what they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gracegate.manifests.components import Components
from gracegate.manifests.kinds import KINDS
from gracegate.manifests.objects import object_ref
from gracegate.manifests.provenance import RenderedObject, mark_sources, read_origins
from gracegate.manifests.template_provenance import (
    is_same_without_marks,
    mark_templates,
    read_template_lines,
    read_template_objects,
)
from gracegate.model import (
    Document,
    Limits,
    Pointer,
    Render,
    Rendered,
    Rendering,
    RenderProblem,
    RenderRequest,
    Root,
)
from gracegate.yaml import YamlError

SourceKey = tuple[str, int, Pointer]
"""Path, number of the YAML document and pointer of an object of a file."""

Sources = Mapping[SourceKey, Document]
"""The documents of files as they are."""


@dataclass(frozen=True, slots=True)
class RenderedRoot:
    """What a root renders to, or why it does not.

    `text` is all of it, `documents` are the objects of the kinds that rules read.
    """

    root: Root
    text: str = ""
    documents: tuple[Document, ...] = ()
    problem: RenderProblem | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """With what roots are rendered: `minor` is the version of the cluster, `limits` bound what is read back."""

    render: Render
    minor: int
    limits: Limits


def render_roots(
    components: Components, roots: Iterable[Root], sources: Sources, context: RenderContext
) -> dict[Root, RenderedRoot]:
    """Renders roots that a tree has."""
    wanted = sorted(roots)
    if not wanted:
        return {}
    marks = _Marks(components, wanted, context.limits)
    requests = [request for root in wanted for request in _requests(components, root, marks)]
    paths = set().union(*(components.files_of(root) for root in wanted))
    files = {path: components.files[path].data for path in sorted(paths) if path in components.files}
    answers = iter(context.render(files, requests, context.minor))
    renderings = {root: [next(answers), next(answers)] for root in wanted}
    # Only few charts compute with the text of their helpers.
    changed = [root for root, (plain, marked) in renderings.items() if marks.are_harmful(root, plain, marked)]
    again = [components.render_request(root, marks.templates[root].without_helpers.texts) for root in changed]
    for root, rendering in zip(changed, context.render(files, again, context.minor) if again else (), strict=True):
        renderings[root].append(rendering)
    read = _Reader(components, sources, marks, context.limits)
    return {root: read.root(root, *renderings[root]) for root in wanted}


def render_nothing(_files: Mapping[str, bytes], requests: Sequence[RenderRequest], _minor: int) -> list[Rendering]:
    """For those who want nothing rendered: what would be is named, and not evaluated."""
    return [Rendering(request, problem=RenderProblem("unavailable", "nothing is rendered")) for request in requests]


def _requests(components: Components, root: Root, marks: _Marks) -> Iterator[RenderRequest]:
    """The rendering that is judged, and the one that tells what it is made of."""
    yield components.render_request(root)
    yield components.render_request(root, marks.texts_of(root))


class _Marks:
    """The marks in the sources of roots."""

    def __init__(self, components: Components, roots: Iterable[Root], limits: Limits) -> None:
        self._object_files = {root: components.object_files(root) for root in roots if root.renderer == "kustomize"}
        self.sources = mark_sources(components.files, set().union(*self._object_files.values()), limits)
        self.templates = {
            root: mark_templates(
                components.files, filter(components.charts.is_template, components.charts.files_of(root.directory))
            )
            for root in roots
            if root.renderer == "helm"
        }

    def are_harmful(self, root: Root, plain: Rendering, marked: Rendering) -> bool:
        """Whether a chart renders to something else with marks."""
        return root in self.templates and plain.problem is None and not is_same_without_marks(plain.text, marked.text)

    def texts_of(self, root: Root) -> Mapping[str, str]:
        """The marked texts of the files that a root reads, by path."""
        if root in self.templates:
            return self.templates[root].texts
        return {path: self.sources.texts[path] for path in self._object_files[root] if path in self.sources.texts}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what roots of one tree render to."""

    components: Components
    sources: Sources
    marks: _Marks
    limits: Limits

    def root(self, root: Root, plain: Rendering, *marked: Rendering) -> RenderedRoot:
        if plain.problem is not None:
            return RenderedRoot(root, problem=plain.problem)
        try:
            documents = tuple(self._documents(root, plain.text, [rendering.text for rendering in marked]))
        except YamlError as error:
            problem = RenderProblem("refused", f"what it renders to cannot be read: {error.message}")
            return RenderedRoot(root, problem=problem)
        return RenderedRoot(root, plain.text, documents)

    def _documents(self, root: Root, plain: str, marked: Sequence[str]) -> Iterator[Document]:
        for found in self._objects(root, plain, marked):
            if found.object.get("kind") in KINDS:
                yield self._document(found.object, found.rendered)

    def _objects(self, root: Root, plain: str, marked: Sequence[str]) -> Iterator[RenderedObject]:
        if root.renderer == "kustomize":
            return read_origins(plain, marked[0], self.marks.sources, root, self.limits)
        templates = self.marks.templates[root]
        passes = zip(*(read_template_lines(plain, text, templates) for text in marked), strict=True)
        lines = [next(filter(None, certain), None) for certain in passes]
        return read_template_objects(plain, lines, root, self.limits)

    def _document(self, found: Mapping[str, Any], rendered: Rendered) -> Document:
        ref = object_ref(found)
        path, number, pointer = self._birthplace(rendered)
        source = self.sources.get((path, number, pointer))
        if source is not None:
            rendered = replace(rendered, source=source.ref)
        namespace = self.components.namespace_of(rendered.root)
        document = Document(
            path, number, pointer, found, ref, False, component="", applied_namespace=namespace, rendered=rendered
        )
        return replace(document, component=document.holder, root=document.holder)

    def _birthplace(self, rendered: Rendered) -> SourceKey:
        """What a rendered object was at first; the root's own file where that is not certain."""
        lines = [rendered.lines[pointer] for pointer in sorted(rendered.lines, key=len)]
        if lines:
            return lines[0].path, lines[0].line, ()
        # Patches change what a resource has made.
        contributors = self.components.contributors(rendered.root)
        for born in contributors.ordered(rendered.origins.get((), ())):
            return born.path, born.number, born.pointer
        return self.components.file_of(rendered.root), 0, ()
