"""What roots of a tree render to, as Documents that know what they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gracegate.manifests.components import Components
from gracegate.manifests.fetched import is_fetched
from gracegate.manifests.objects import object_ref
from gracegate.manifests.provenance import RenderedObject, mark_sources, read_objects, read_origins
from gracegate.manifests.render_cache import RenderCache, render_key
from gracegate.manifests.template_provenance import (
    is_same_without_marks,
    lines_in,
    mark_templates,
    read_template_lines,
    read_template_objects,
)
from gracegate.model import (
    AppliedNamespace,
    Document,
    Limits,
    Pointer,
    Render,
    RenderBatch,
    Rendered,
    Rendering,
    RenderProblem,
    RenderRequest,
    Root,
    SourceLine,
)
from gracegate.yaml import YamlError

SourceKey = tuple[str, int, Pointer]
"""Path, number of the YAML document and pointer of an object of a file."""

Sources = Mapping[SourceKey, Document]
"""The documents of files as they are."""


@dataclass(frozen=True, slots=True)
class RenderedRoot:
    """What a root renders to, or why it does not.

    `text` is all of it, `documents` are the objects of the kinds that rules read. Until it is traced, nothing says what
    they were made of, and which `template_lines` are in it.
    """

    root: Root
    text: str = ""
    documents: tuple[Document, ...] = ()
    problem: RenderProblem | None = None
    is_traced: bool = False
    template_lines: frozenset[SourceLine] = frozenset()

    @property
    def is_unavailable(self) -> bool:
        """Whether it was not rendered because nothing is."""
        return self.problem is not None and self.problem.code == "unavailable"


@dataclass(frozen=True, slots=True)
class RenderContext:
    """With what roots are rendered: `minor` is the version of the cluster, `limits` bound what is read back.

    What is rendered of the same as before comes from the `cache`.
    """

    render: Render
    minor: int
    limits: Limits
    cache: RenderCache = field(default_factory=RenderCache)


def render_roots(components: Components, roots: Iterable[Root], context: RenderContext) -> dict[Root, RenderedRoot]:
    """Renders roots that a tree has."""
    (rendered,) = render_trees([(components, roots)], context)
    return rendered


def render_trees(
    trees: Sequence[tuple[Components, Iterable[Root]]], context: RenderContext
) -> list[dict[Root, RenderedRoot]]:
    """Renders roots that trees have: those of one tree, then those of the next one."""
    wanted = [(components, sorted(roots)) for components, roots in trees]
    requests = [(components, [*map(components.render_request, roots)]) for components, roots in wanted]
    renderings = iter(_render(requests, context))
    return [
        {root: _read_root(components, root, next(renderings), context) for root in roots}
        for components, roots in wanted
    ]


def trace_roots(
    components: Components, rendered: Sequence[RenderedRoot], sources: Sources, context: RenderContext
) -> dict[Root, RenderedRoot]:
    """Renders roots that render once more, with marks, to tell what their objects were made of."""
    marks = _Marks(components, [found.root for found in rendered], context)
    requests = [components.render_request(found.root, marks.texts_of(found.root)) for found in rendered]
    renderings = {
        found.root: [marked] for found, marked in zip(rendered, _render([(components, requests)], context), strict=True)
    }
    # Only few charts compute with the text of their helpers.
    changed = [found.root for found in rendered if marks.are_harmful(found, renderings[found.root][0])]
    again = [components.render_request(root, marks.templates[root].without_helpers.texts) for root in changed]
    for root, rendering in zip(changed, _render([(components, again)], context), strict=True):
        renderings[root].append(rendering)
    tracer = _Tracer(components, sources, marks, context)
    return {found.root: tracer.trace(found, [one.text for one in renderings[found.root]]) for found in rendered}


def _render(trees: Sequence[tuple[Components, Sequence[RenderRequest]]], context: RenderContext) -> list[Rendering]:
    """A rendering for each request, tree by tree; what is the same in several trees is rendered once."""
    keys: list[bytes] = []
    known: dict[bytes, Rendering | None] = {}
    batches: list[RenderBatch] = []
    for components, requests in trees:
        files: dict[str, bytes] = {}
        new: list[RenderRequest] = []
        for request in requests:
            of_root = _files(components, request.root)
            key = render_key(request, of_root, context.minor)
            keys.append(key)
            if key not in known:
                known[key] = context.cache.find(key, request)
                if known[key] is None:
                    new.append(request)
                    files |= of_root
        if new:
            batches.append(RenderBatch(files, new))
    missing = [key for key, rendering in known.items() if rendering is None]
    rendered = dict(zip(missing, context.render(batches, context.minor) if batches else (), strict=True))
    for key, rendering in rendered.items():
        context.cache.keep(key, rendering)
    return [known[key] or rendered[key] for key in keys]


def _files(components: Components, root: Root) -> dict[str, bytes]:
    """What a root is rendered from."""
    paths = sorted(components.files_of(root))
    return {path: components.files[path].data for path in paths if path in components.files}


def _read_root(components: Components, root: Root, rendering: Rendering, context: RenderContext) -> RenderedRoot:
    if rendering.problem is not None:
        return RenderedRoot(root, problem=rendering.problem)
    try:
        found = [*read_objects(rendering.text, context.limits, context.cache.values)]
    except YamlError as error:
        problem = RenderProblem("refused", f"what it renders to cannot be read: {error.message}")
        return RenderedRoot(root, problem=problem)
    own = components.file_of(root)
    namespace = components.namespace_of(root)
    documents = (_document(value, Rendered(root, number), own, namespace) for number, value in found)
    return RenderedRoot(root, rendering.text, tuple(documents))


def _document(found: Mapping[str, Any], rendered: Rendered, path: str, namespace: AppliedNamespace) -> Document:
    ref, holder = object_ref(found), rendered.root.id
    return Document(path, 0, (), found, ref, False, holder, holder, applied_namespace=namespace, rendered=rendered)


def render_nothing(batches: Sequence[RenderBatch], _minor: int) -> list[Rendering]:
    """For those who want nothing rendered: what would be is named, and not evaluated."""
    problem = RenderProblem("unavailable", "nothing is rendered")
    return [Rendering(request, problem=problem) for batch in batches for request in batch.requests]


class _Marks:
    """The marks in the sources of roots."""

    def __init__(self, components: Components, roots: Iterable[Root], context: RenderContext) -> None:
        self._object_files = {root: components.object_files(root) for root in roots if root.renderer == "kustomize"}
        paths = set().union(*self._object_files.values())
        self.sources = mark_sources(components.files, paths, context.limits, context.cache.marks)
        self.templates = {
            root: mark_templates(components.files, components.templates(root))
            for root in roots
            if root.renderer == "helm"
        }

    def are_harmful(self, plain: RenderedRoot, marked: Rendering) -> bool:
        """Whether a chart renders to something else with marks."""
        return plain.root in self.templates and not is_same_without_marks(plain.text, marked.text)

    def texts_of(self, root: Root) -> Mapping[str, str]:
        """The marked texts of the files that a root reads, by path."""
        if root in self.templates:
            return self.templates[root].texts
        paths = sorted(self._object_files[root] & self.sources.texts.keys())
        return {path: self.sources.texts[path] for path in paths}


@dataclass(frozen=True, slots=True)
class _Tracer:
    """Tells what the objects of roots of one tree were made of."""

    components: Components
    sources: Sources
    marks: _Marks
    context: RenderContext
    _naming_lines: dict[tuple[Root, str], SourceLine | None] = field(default_factory=dict)

    def trace(self, root: RenderedRoot, marked: Sequence[str]) -> RenderedRoot:
        known = {found.rendered.number: found.rendered for found in self._objects(root, marked)}
        documents = (
            self._traced(document, known.get(document.rendered.number, document.rendered))
            for document in root.documents
            if document.rendered is not None
        )
        templates = self.marks.templates.get(root.root)
        lines = frozenset[SourceLine]() if templates is None else lines_in(marked[0], templates)
        return replace(root, documents=tuple(documents), is_traced=True, template_lines=lines)

    def _objects(self, root: RenderedRoot, marked: Sequence[str]) -> Iterator[RenderedObject]:
        if root.root.renderer == "kustomize":
            limits, values = self.context.limits, self.context.cache.values
            found = read_origins(root.text, marked[0], self.marks.sources, root.root, limits, values)
            return (replace(one, rendered=self._with_naming_lines(one.rendered)) for one in found)
        templates = self.marks.templates[root.root]
        passes = zip(*(read_template_lines(root.text, text, templates) for text in marked), strict=True)
        lines = [next(filter(None, certain), None) for certain in passes]
        return read_template_objects(root.text, lines, root.root, self.context.limits)

    def _with_naming_lines(self, rendered: Rendered) -> Rendered:
        """With the line that names it for what was made of files of other repositories alone.

        An object that another repository has is made there first, whatever changes it here.
        """
        lines: dict[Pointer, SourceLine] = {}
        for pointer, made_of in rendered.origins.items():
            paths = [origin.path for origin in made_of if is_fetched(origin.path)]
            if paths and (not pointer or len(paths) == len(made_of)):
                line = next(filter(None, (self._naming_line(rendered.root, path) for path in paths)), None)
                if line is not None:
                    lines[pointer] = line
        return replace(rendered, lines=lines) if lines else rendered

    def _naming_line(self, root: Root, path: str) -> SourceLine | None:
        key = (root, path)
        if key not in self._naming_lines:
            self._naming_lines[key] = self.components.line_that_names(root, path)
        return self._naming_lines[key]

    def _traced(self, document: Document, rendered: Rendered) -> Document:
        path, number, pointer = self._birthplace(rendered)
        source = self.sources.get((path, number, pointer))
        if source is not None:
            rendered = replace(rendered, source=source.ref)
        return replace(document, path=path, number=number, pointer=pointer, rendered=rendered)

    def _birthplace(self, rendered: Rendered) -> SourceKey:
        """What a rendered object was at first; the root's own file where that is not certain."""
        lines = [rendered.lines[pointer] for pointer in sorted(rendered.lines, key=len)]
        if lines and (() in rendered.lines or not rendered.origins):
            first = lines[0]
            line = self._naming_line(rendered.root, first.path) if is_fetched(first.path) else first
            return (line or first).path, (line or first).line, ()
        # Patches change what a resource has made.
        contributors = self.components.contributors(rendered.root)
        for born in contributors.ordered(rendered.origins.get((), ())):
            return born.path, born.number, born.pointer
        return self.components.file_of(rendered.root), 0, ()
