"""Files to Kubernetes objects and back: splitting, recognising, unpacking, and the lines of a pointer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gracegate.manifests import kinds, objects
from gracegate.manifests.objects import ParsedDocument, ParseProblem, SourceRef, looks_like_object
from gracegate.model import Document, Limits, Place, Pointer, Problem, SourceFile
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

_LFS = b"version https://git-lfs.github.com/spec/"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Manifest:
    """One file as far as rules read it. `text` keeps a byte order mark; `others` counts objects of other kinds.

    `may_hide_service` says that a Service may stand in what could not be read.
    """

    source: SourceFile
    root: str
    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    text: str = field(default="", repr=False)
    chunks: tuple[DocumentSpan, ...] = field(default=(), repr=False)
    others: int = 0
    may_hide_service: bool = False
    limits: Limits = field(default=Limits(), repr=False)
    readings: tuple[ParsedDocument, ...] = field(default=(), repr=False, compare=False)
    _parsed: dict[int, YamlDocument] = field(default_factory=dict, repr=False, compare=False)

    def parsed(self, number: int) -> YamlDocument:
        """The YAML document of that number, which must hold an object of a kind we read."""
        if number not in self._parsed:
            chunk = self.chunks[number]
            text = self.text[chunk.start : chunk.end]
            root = self.readings[number].root
            if root is None:
                raise ValueError(f"document {number} of {self.source.path} holds no object of a kind we read")
            self._parsed[number] = YamlDocument(text, root, LineIndex(text), chunk.first_line)
        return self._parsed[number]


def read_manifest(source: SourceFile, root: str, limits: Limits | None = None) -> Manifest:
    """Bad content makes problems, never an exception; lines in problems count in the file."""
    bounds = limits or Limits()
    if source.data.startswith(_LFS):
        return _lfs_pointer(source, root)
    if source.data.startswith(_UTF_16):
        return _unread(source, root, 1, "encoding", "The file is not UTF-8.", "utf-16")
    if not kinds.IN_BYTES.search(source.data):
        return Manifest(source, root, others=kinds.count_at_top(source.data))
    if len(source.data) > bounds.bytes:
        return _unread(source, root, 1, "too_large", f"The file is larger than {bounds.bytes:,} bytes.")
    try:
        text = source.data.decode()
    except UnicodeDecodeError as error:
        line = source.data.count(b"\n", 0, error.start) + 1
        return _unread(source, root, line, "encoding", "The file is not UTF-8.")
    return _read_text(source, root, text, bounds)


def _lfs_pointer(source: SourceFile, root: str) -> Manifest:
    is_yaml = source.path.endswith((".yaml", ".yml"))
    message = "The file is a Git LFS pointer; its content is stored elsewhere."
    problem = Problem(source.path, 1, "not_followed", message, is_manifest=is_yaml)
    return Manifest(source, root, problems=(problem,), may_hide_service=is_yaml)


def _unread(source: SourceFile, root: str, line: int, code: str, message: str, encoding: str = "utf-8") -> Manifest:
    text = source.data.decode(encoding, errors="replace")
    problem = Problem(source.path, line, code, message, is_manifest=looks_like_object(text))
    return Manifest(source, root, problems=(problem,), may_hide_service=kinds.SERVICE.search(text) is not None)


def _read_text(source: SourceFile, root: str, text: str, limits: Limits) -> Manifest:
    most = limits.documents
    # Each document may have a marker at both of its ends; counting them first costs nothing.
    too_many = text.count("\n---") + text.count("\n...") > 2 * most
    chunks = () if too_many else tuple(split_documents(text))
    if too_many or len(chunks) > most:
        return _unread(source, root, 1, "too_many_documents", f"The file has more than {most:,} documents.")
    readings = tuple(
        objects.read(text[chunk.start : chunk.end], SourceRef(source.path, root, number), limits)
        for number, chunk in enumerate(chunks)
    )
    return _manifest(Manifest(source, root, text=text, chunks=chunks, limits=limits), readings)


def _manifest(bare: Manifest, readings: tuple[ParsedDocument, ...]) -> Manifest:
    """The file with what its chunks hold."""
    documents = tuple(document for reading in readings for document in reading.documents)
    problems = [
        _problem(bare.source.path, chunk.first_line - 1, doubt)
        for chunk, reading in zip(bare.chunks, readings, strict=True)
        for doubt in reading.doubts
    ]
    return replace(
        bare,
        documents=documents,
        problems=tuple(_first_template_only(problems)),
        readings=readings,
        others=sum(not reading.documents for reading in readings),
        may_hide_service=any(reading.may_hide_service for reading in readings),
    )


def with_chunks(manifest: Manifest, texts: Mapping[int, str]) -> Manifest | None:
    """The file with other texts for some of its YAML documents; None if they would not stay that many documents."""
    if any([*split_documents(text)] != [DocumentSpan(0, len(text), 1)] for text in texts.values()):
        return None
    path, root, limits = manifest.source.path, manifest.root, manifest.limits
    readings = tuple(
        objects.read(texts[number], SourceRef(path, root, number), limits) if number in texts else reading
        for number, reading in enumerate(manifest.readings)
    )
    text, chunks = _rebuilt(manifest, texts)
    source = SourceFile(path, text.encode())
    return _manifest(Manifest(source, root, text=text, chunks=chunks, limits=limits), readings)


def _rebuilt(manifest: Manifest, texts: Mapping[int, str]) -> tuple[str, tuple[DocumentSpan, ...]]:
    parts: list[str] = []
    chunks: list[DocumentSpan] = []
    old_end = new_end = lines = 0
    for number, chunk in enumerate(manifest.chunks):
        outside = manifest.text[old_end : chunk.start]
        part = texts.get(number, manifest.text[chunk.start : chunk.end])
        start = new_end + len(outside)
        old_end, new_end = chunk.end, start + len(part)
        parts += (outside, part)
        chunks.append(DocumentSpan(start, new_end, chunk.first_line + lines))
        if number in texts:
            lines += part.count("\n") - manifest.text.count("\n", chunk.start, chunk.end)
    return "".join((*parts, manifest.text[old_end:])), tuple(chunks)


def _problem(path: str, lines_before: int, doubt: ParseProblem) -> Problem:
    return Problem(path, lines_before + doubt.line, doubt.code, doubt.message, doubt.manifest)


def _first_template_only(problems: list[Problem]) -> Iterator[Problem]:
    """A chart's file is one template, whichever of its documents fail."""
    templates = [p for p in problems if p.code == "template"]
    counts = any(p.is_manifest for p in templates)
    for problem in problems:
        if problem.code != "template":
            yield problem
        elif problem is templates[0]:
            yield Problem(problem.file, problem.line, problem.code, problem.message, counts)


def locate(manifest: Manifest, document: Document, pointer: Pointer) -> Place:
    """The lines of the nearest existing ancestor; shown is a container's `name`, an object's `metadata.name`."""
    parsed = manifest.parsed(document.number)
    steps = lookup_path(parsed.root, document.pointer + pointer)
    at_object = len(steps) <= len(document.pointer) + 1
    shown = _object_offset(steps[-1].node) if at_object else _offset(steps[-1])
    before = parsed.first_line - 1
    return Place(before + parsed.lines.line(shown), before + parsed.lines.line(steps[-1].node.end))


def _object_offset(node: Node) -> int:
    for pointer in (("metadata", "name"), ("metadata",), ("kind",)):
        steps = lookup_path(node, pointer)
        if len(steps) > len(pointer) and steps[-1].key is not None:
            return steps[-1].key.start
    return node.start


def _offset(step: PathStep) -> int:
    if step.key is not None:
        return step.key.start
    node = resolve_alias(step.node)
    if isinstance(node, MappingNode):
        named = lookup_path(node, ("name",))[-1]
        if named.key is not None and isinstance(resolve_alias(named.node), ScalarNode):
            return named.key.start
    return step.node.start
