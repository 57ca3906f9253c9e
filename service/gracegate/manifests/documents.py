"""Files to Kubernetes objects and back: splitting, recognising, unpacking, and the lines of a pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gracegate.manifests import nodes, yaml_tree
from gracegate.manifests.fragments import is_fragment
from gracegate.manifests.lines import LineIndex
from gracegate.manifests.nodes import Node, Scalar, target
from gracegate.manifests.trail import Step, walk
from gracegate.manifests.yaml_tree import Limits, YamlError
from gracegate.model import Document, ObjectRef, Place, Pointer, Problem, SourceFile

KINDS = frozenset(
    {
        "CloneSet",
        "CronJob",
        "DaemonSet",
        "Deployment",
        "DeploymentConfig",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "ReplicationController",
        "Rollout",
        "ScaledObject",
        "Service",
        "StatefulSet",
    }
)
"""The kinds that rules read; any other object is counted and not built."""

_LISTS = {"List": "items", "Template": "objects", **{f"{kind}List": "items" for kind in KINDS}}
_WORDS = "|".join(sorted(KINDS | _LISTS.keys()))
# A kind that is an alias, folded or templated may be any of them.
_KIND = rf"kind['\"]?[ \t]*:[ \t]*(?:[^\n]{{0,60}}?\b(?:{_WORDS})\b|[*|>]|['\"]?\{{[{{%])"
_KIND_IN_BYTES = re.compile(_KIND.encode())
_KIND_IN_TEXT = re.compile(_KIND)
_SERVICE = re.compile(r"kind['\"]?[ \t]*:[^\n]{0,60}?\bService(?:List)?\b")
_OTHER_KIND = re.compile(rb"^kind:", re.MULTILINE)
_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_PREAMBLE = re.compile(r"\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n|%[^\n]*\n)*[ \t]*(?:#[^\n]*)?\Z")
_TEMPLATE = re.compile(r"\{\{|\{%")
_LFS = b"version https://git-lfs.github.com/spec/"


class Chunk(NamedTuple):
    """Offsets of one YAML document in its file: whole lines, its `---` and what stands before that included."""

    start: int
    end: int


class Parsed(NamedTuple):
    """One YAML document with places; offsets and lines count within `text`, which starts on `first_line`."""

    text: str
    root: Node
    lines: LineIndex
    first_line: int


class Doubt(NamedTuple):
    """A problem of a YAML document; `line` counts within it."""

    line: int
    code: str
    message: str
    manifest: bool


class Reading(NamedTuple):
    """What one YAML document of a file holds."""

    documents: tuple[Document, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    may_hide_service: bool = False


_NOTHING = Reading()


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
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)
    others: int = 0
    may_hide_service: bool = False
    limits: Limits = field(default=Limits(), repr=False)
    readings: tuple[Reading, ...] = field(default=(), repr=False, compare=False)
    _parsed: dict[int, Parsed] = field(default_factory=dict, repr=False, compare=False)

    def parsed(self, number: int) -> Parsed:
        """The YAML document of that number, which must hold an object; parsed again at the first call."""
        if number not in self._parsed:
            chunk = self.chunks[number]
            text = self.text[chunk.start : chunk.end]
            root = yaml_tree.parse(text, self.limits)
            if root is None:
                raise ValueError(f"document {number} of {self.source.path} holds nothing")
            first_line = self.text.count("\n", 0, chunk.start) + 1
            self._parsed[number] = Parsed(text, root, LineIndex(text), first_line)
        return self._parsed[number]


def read(source: SourceFile, root: str, limits: Limits | None = None) -> Manifest:
    """Bad content makes problems, never an exception; lines in problems count in the file."""
    bounds = limits or Limits()
    if source.data.startswith(_LFS):
        return _lfs_pointer(source, root)
    if not _KIND_IN_BYTES.search(source.data):
        return Manifest(source, root, others=len(_OTHER_KIND.findall(source.data)))
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
    problem = Problem(source.path, 1, "not_followed", message, manifest=is_yaml)
    return Manifest(source, root, problems=(problem,), may_hide_service=is_yaml)


def _unread(source: SourceFile, root: str, line: int, code: str, message: str) -> Manifest:
    text = source.data.decode(errors="replace")
    problem = Problem(source.path, line, code, message, manifest=_looks_like_object(text))
    return Manifest(source, root, problems=(problem,), may_hide_service=_SERVICE.search(text) is not None)


def _read_text(source: SourceFile, root: str, text: str, limits: Limits) -> Manifest:
    chunks = tuple(_split(text))
    readings = []
    for number, chunk in enumerate(chunks):
        part = text[chunk.start : chunk.end]
        is_read = _KIND_IN_TEXT.search(part) is not None
        readings.append(_reading(source.path, root, number, part, limits) if is_read else _NOTHING)
    return _manifest(Manifest(source, root, text=text, chunks=chunks, limits=limits), tuple(readings))


def _manifest(bare: Manifest, readings: tuple[Reading, ...]) -> Manifest:
    """The file with what its chunks hold."""
    documents = tuple(document for reading in readings for document in reading.documents)
    problems = [
        _problem(bare.source.path, bare.text.count("\n", 0, chunk.start), doubt)
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
    if any([*_split(text)] != [Chunk(0, len(text))] for text in texts.values()):
        return None
    path, root, limits = manifest.source.path, manifest.root, manifest.limits
    readings = tuple(
        _reading(path, root, number, texts[number], limits) if number in texts else reading
        for number, reading in enumerate(manifest.readings)
    )
    text, chunks = _rebuilt(manifest, texts)
    source = SourceFile(path, text.encode())
    return _manifest(Manifest(source, root, text=text, chunks=chunks, limits=limits), readings)


def _rebuilt(manifest: Manifest, texts: Mapping[int, str]) -> tuple[str, tuple[Chunk, ...]]:
    parts: list[str] = []
    chunks: list[Chunk] = []
    old_end = new_end = 0
    for number, chunk in enumerate(manifest.chunks):
        outside = manifest.text[old_end : chunk.start]
        part = texts.get(number, manifest.text[chunk.start : chunk.end])
        start = new_end + len(outside)
        old_end, new_end = chunk.end, start + len(part)
        parts += (outside, part)
        chunks.append(Chunk(start, new_end))
    return "".join((*parts, manifest.text[old_end:])), tuple(chunks)


def _reading(path: str, root: str, number: int, text: str, limits: Limits) -> Reading:
    try:
        tree = yaml_tree.parse(text, limits)
        found = [*_objects(yaml_tree.value(text, tree), ())]
    except YamlError as error:
        return Reading((), (_doubt(text, error),), _SERVICE.search(text) is not None)
    repeated = yaml_tree.duplicates(tree) if tree is not None and found else []
    lines = LineIndex(text)
    doubts = (
        Doubt(lines.line(each.offset), "duplicate_key", f"The key `{each.key}` stands twice; the last counts.", True)
        for each in repeated
    )
    documents = (_document(path, root, number, pointer, item) for pointer, item in found)
    return Reading(tuple(documents), tuple(doubts))


def _objects(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The objects of the kinds that rules read, lists and OpenShift templates unpacked."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return
    if kind in KINDS:
        yield pointer, value
    elif kind in _LISTS:
        items = value.get(_LISTS[kind])
        inherited = {} if kind in {"List", "Template"} else _of_item(value, kind)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from _objects({**inherited, **item}, (*pointer, _LISTS[kind], index))


def _of_item(value: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the items of a DeploymentList leave out: they are Deployments of its API version."""
    return {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}


def _document(path: str, root: str, number: int, pointer: Pointer, found: dict[str, Any]) -> Document:
    metadata = found.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    group, slash, _ = _text(found.get("apiVersion")).rpartition("/")
    kind = found["kind"]
    ref = ObjectRef(kind, _text(names.get("namespace")), _text(names.get("name")), group if slash else "")
    return Document(path, number, pointer, found, ref, is_fragment(kind, found), root)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _doubt(text: str, error: YamlError) -> Doubt:
    template = _TEMPLATE.search(text) if error.code == "syntax" else None
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        message = f"The file is a template (`{template.group()}`): only what it renders to could be judged."
        return Doubt(line, "template", message, _looks_like_object(text))
    message = f"This cannot be read as YAML: {error.message}."
    return Doubt(error.line or 1, error.code, message, _looks_like_object(text))


def _looks_like_object(text: str) -> bool:
    return "apiVersion" in text and _KIND_IN_TEXT.search(text) is not None


def _problem(path: str, lines_before: int, doubt: Doubt) -> Problem:
    return Problem(path, lines_before + doubt.line, doubt.code, doubt.message, doubt.manifest)


def _first_template_only(problems: list[Problem]) -> Iterator[Problem]:
    """A chart's file is one template, whichever of its documents fail."""
    templates = [p for p in problems if p.code == "template"]
    counts = any(p.manifest for p in templates)
    for problem in problems:
        if problem.code != "template":
            yield problem
        elif problem is templates[0]:
            yield Problem(problem.file, problem.line, problem.code, problem.message, counts)


def _split(text: str) -> Iterator[Chunk]:
    """YAML documents: a `---` or `...` at column 0 always ends one, even inside a scalar."""
    start = 0
    for marker in _MARKER.finditer(text):
        if marker.group() == "...":
            end = text.find("\n", marker.start()) + 1 or len(text)
            if not _PREAMBLE.match(text[start : marker.start()]):
                yield Chunk(start, end)
            start = end
        elif not _PREAMBLE.match(text[start : marker.start()]):
            yield Chunk(start, marker.start())
            start = marker.start()
    if not _PREAMBLE.match(text[start:]):
        yield Chunk(start, len(text))


def locate(manifest: Manifest, document: Document, pointer: Pointer) -> Place:
    """The lines of the nearest existing ancestor; shown is a container's `name`, an object's `metadata.name`."""
    parsed = manifest.parsed(document.number)
    steps = walk(parsed.root, document.pointer + pointer)
    at_object = len(steps) <= len(document.pointer) + 1
    shown = _object_offset(steps[-1].node) if at_object else _offset(steps[-1])
    before = parsed.first_line - 1
    return Place(before + parsed.lines.line(shown), before + parsed.lines.line(steps[-1].node.end))


def _object_offset(node: Node) -> int:
    for pointer in (("metadata", "name"), ("metadata",), ("kind",)):
        steps = walk(node, pointer)
        if len(steps) > len(pointer) and steps[-1].key is not None:
            return steps[-1].key.start
    return node.start


def _offset(step: Step) -> int:
    if step.key is not None:
        return step.key.start
    node = target(step.node)
    if isinstance(node, nodes.Mapping):
        named = walk(node, ("name",))[-1]
        if named.key is not None and isinstance(target(named.node), Scalar):
            return named.key.start
    return step.node.start
