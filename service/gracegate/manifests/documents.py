"""Files -> Kubernetes objects and back: reading a file, replacing its YAML documents, and the lines of a pointer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from gracegate.manifests import kinds
from gracegate.manifests.listings import UNLISTED, Listing
from gracegate.manifests.objects import ParsedDocument, SourceRef, looks_like_object, parse_document
from gracegate.model import LFS_POINTER_MESSAGE, Document, Limits, Place, Pointer, Problem, SourceFile
from gracegate.yaml import (
    DocumentSpan,
    LineIndex,
    MappingNode,
    Node,
    PathStep,
    ScalarNode,
    YamlDocument,
    lookup_path,
    resolve_alias,
    split_documents,
)

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Manifest:
    """One file, with the objects that rules read. `text` keeps a byte order mark.

    `spans` and `parsed_documents` have an item for each YAML document. `other_objects` is how many of them have no
    object that rules read. `may_contain_service` is true if text that could not be read may contain a Service. The
    objects are what kustomizations make of them: `listing`.
    """

    source: SourceFile
    component: str
    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    text: str = field(default="", repr=False)
    spans: tuple[DocumentSpan, ...] = field(default=(), repr=False)
    other_objects: int = 0
    may_contain_service: bool = False
    listing: Listing = UNLISTED
    parsed_documents: tuple[ParsedDocument, ...] = field(default=(), repr=False, compare=False)
    _yaml_documents: dict[int, YamlDocument] = field(default_factory=dict, repr=False, compare=False)

    def yaml_document(self, number: int) -> YamlDocument:
        """The YAML document of that number, from 0. Raises ValueError if it has no object that rules read."""
        if number not in self._yaml_documents:
            span = self.spans[number]
            text = self.text[span.start : span.end]
            root = self.parsed_documents[number].root
            if root is None:
                raise ValueError(f"document {number} of {self.source.path} has no object of a kind that rules read")
            self._yaml_documents[number] = YamlDocument(text, root, LineIndex(text), span.first_line)
        return self._yaml_documents[number]


def read_manifest(
    source: SourceFile, component: str, limits: Limits | None = None, listing: Listing = UNLISTED
) -> Manifest:
    """Reads a file; invalid content results in problems, never in an exception. Lines of problems count in the file."""
    limits = limits or Limits()
    if source.is_lfs_pointer:
        is_yaml = source.path.endswith((".yaml", ".yml"))
        problem = Problem(source.path, 1, "not_followed", LFS_POINTER_MESSAGE, is_manifest=is_yaml)
        return Manifest(source, component, problems=(problem,), may_contain_service=is_yaml)
    if _wide_encoding(source.data):
        return _unreadable(source, component, limits, 1, "encoding", "The file is not UTF-8.")
    if not kinds.read_kinds(limits.own_kinds).in_bytes.search(source.data):
        return Manifest(source, component, other_objects=kinds.count_top_level_kinds(source.data))
    try:
        text = source.data.decode()
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        return _unreadable(source, component, limits, line, "encoding", "The file is not UTF-8.")
    if len(source.data) > limits.bytes:
        return _read_too_large(source, component, text, limits)
    return _read_text(source, component, text, limits, listing)


def _read_too_large(source: SourceFile, component: str, text: str, limits: Limits) -> Manifest:
    """A problem, unless no rule reads any of the file's objects."""
    spans = [*islice(split_documents(text), limits.documents + 1)]
    read = kinds.read_kinds(limits.own_kinds)
    if len(spans) <= limits.documents and all(read.is_of_other_kind(text[s.start : s.end]) for s in spans):
        return Manifest(source, component, other_objects=len(spans))
    return _unreadable(source, component, limits, 1, "too_large", f"The file is larger than {limits.bytes:,} bytes.")


def _wide_encoding(data: bytes) -> str | None:
    """The encoding of a file in UTF-16, None for others. Without a mark, the NUL beside its first letter shows it."""
    if data.startswith(_UTF_16_MARKS):
        return "utf-16"
    return {b"\0": "utf-16-le"}.get(data[1:2]) or {b"\0": "utf-16-be"}.get(data[:1])


def _unreadable(source: SourceFile, component: str, limits: Limits, line: int, code: str, message: str) -> Manifest:
    text = source.data.decode(_wide_encoding(source.data) or "utf-8", errors="replace")
    problem = Problem(source.path, line, code, message, is_manifest=looks_like_object(text, limits))
    may_contain_service = kinds.SERVICE_IN_TEXT.search(text) is not None
    return Manifest(source, component, problems=(problem,), may_contain_service=may_contain_service)


def _read_text(source: SourceFile, component: str, text: str, limits: Limits, listing: Listing) -> Manifest:
    # A document may have a marker at each of its ends, and counting markers is much faster than splitting.
    has_too_many_markers = text.count("\n---") + text.count("\n...") > 2 * limits.documents
    spans = () if has_too_many_markers else tuple(split_documents(text))
    if has_too_many_markers or len(spans) > limits.documents:
        message = f"The file has more than {limits.documents:,} documents."
        return _unreadable(source, component, limits, 1, "too_many_documents", message)
    parsed = tuple(
        parse_document(text[span.start : span.end], SourceRef(source.path, component, number, listing), limits)
        for number, span in enumerate(spans)
    )
    return _add_content(Manifest(source, component, text=text, spans=spans, listing=listing), parsed)


def _add_content(manifest: Manifest, parsed: tuple[ParsedDocument, ...]) -> Manifest:
    """The manifest with the objects and problems of its parsed documents."""
    problems = [
        Problem(
            manifest.source.path, span.first_line - 1 + problem.line, problem.code, problem.message, problem.is_manifest
        )
        for span, document in zip(manifest.spans, parsed, strict=True)
        for problem in document.problems
    ]
    return replace(
        manifest,
        documents=tuple(found for document in parsed for found in document.documents),
        problems=tuple(_merge_template_problems(problems)),
        parsed_documents=parsed,
        other_objects=sum(not document.documents for document in parsed),
        may_contain_service=any(document.may_contain_service for document in parsed),
    )


def _merge_template_problems(problems: list[Problem]) -> Iterator[Problem]:
    """Keeps only the first template problem: a file is one template, however many of its documents fail to parse."""
    templates = [problem for problem in problems if problem.code == "template"]
    is_manifest = any(problem.is_manifest for problem in templates)
    for problem in problems:
        if problem.code != "template":
            yield problem
        elif problem is templates[0]:
            yield replace(problem, is_manifest=is_manifest)


def locate(manifest: Manifest, document: Document, pointer: Pointer) -> Place:
    """The place of a pointer in a file, or of its nearest ancestor that exists.

    `line` is that of `metadata.name` for the object itself, and that of `name` for an item of a list.
    """
    yaml_document = manifest.yaml_document(document.number)
    steps = lookup_path(yaml_document.root, document.pointer + pointer)
    is_object = len(steps) <= len(document.pointer) + 1
    start = object_offset(steps[-1].node) if is_object else step_offset(steps[-1])
    lines, lines_before = yaml_document.lines, yaml_document.first_line - 1
    end_line = lines_before + lines.line(steps[-1].node.end)
    return Place(lines_before + lines.line(start), end_line, lines.column(start) + 1)


def object_offset(node: Node) -> int:
    for pointer in (("metadata", "name"), ("metadata",), ("kind",)):
        steps = lookup_path(node, pointer)
        if len(steps) > len(pointer) and steps[-1].key is not None:
            return steps[-1].key.start
    return node.start


def step_offset(step: PathStep) -> int:
    if step.key is not None:
        return step.key.start
    item = resolve_alias(step.node)
    if isinstance(item, MappingNode):
        name = lookup_path(item, ("name",))[-1]
        if name.key is not None and isinstance(resolve_alias(name.node), ScalarNode):
            return name.key.start
    return step.node.start
