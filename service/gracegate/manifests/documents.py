"""Files to Kubernetes objects and back: splitting, recognising, unpacking, and the lines of a pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    documents: list[Document] = []
    problems: list[Problem] = []
    hidden = False
    for number, chunk in enumerate(chunks):
        part = text[chunk.start : chunk.end]
        if not _KIND_IN_TEXT.search(part):
            continue
        try:
            found, doubts = _read_chunk(part, limits)
        except YamlError as error:
            found, doubts = (), (_doubt(part, error),)
            hidden = hidden or _SERVICE.search(part) is not None
        documents.extend(_document(source.path, root, number, pointer, item) for pointer, item in found)
        problems.extend(_problem(source.path, text.count("\n", 0, chunk.start), doubt) for doubt in doubts)
    return Manifest(
        source=source,
        root=root,
        documents=tuple(documents),
        problems=tuple(_first_template_only(problems)),
        text=text,
        chunks=chunks,
        others=len(chunks) - len({document.number for document in documents}),
        may_hide_service=hidden,
        limits=limits,
    )


def with_chunks(manifest: Manifest, texts: Mapping[int, str]) -> Manifest | None:
    """The file with other texts for some of its YAML documents, read again; None if they would not stay as many."""
    parts = [texts.get(n, manifest.text[c.start : c.end]) for n, c in enumerate(manifest.chunks)]
    if any([*_split(parts[n])] != [Chunk(0, len(parts[n]))] for n in texts):
        return None
    last = manifest.chunks[-1].end if manifest.chunks else 0
    # what stands outside all documents: before the first, behind a `...`, at the end
    text = _joined(manifest, parts) + manifest.text[last:]
    source = SourceFile(manifest.source.path, text.encode())
    return _read_text(source, manifest.root, text, manifest.limits)


def _joined(manifest: Manifest, parts: list[str]) -> str:
    ends = [0, *(chunk.end for chunk in manifest.chunks)]
    gaps = [manifest.text[end : chunk.start] for end, chunk in zip(ends, manifest.chunks, strict=False)]
    return "".join(gap + part for gap, part in zip(gaps, parts, strict=True))


class _Doubt(NamedTuple):
    """A problem of a document; `line` counts within it."""

    line: int
    code: str
    message: str
    manifest: bool


_Found = tuple[tuple[Pointer, dict[str, Any]], ...]


def _read_chunk(text: str, limits: Limits) -> tuple[_Found, tuple[_Doubt, ...]]:
    root = yaml_tree.parse(text, limits)
    if root is None:
        return (), ()
    found = tuple(_objects(yaml_tree.value(text, root), ()))
    repeated = yaml_tree.duplicates(root) if found else []
    lines = LineIndex(text)
    doubts = (
        _Doubt(lines.line(each.offset), "duplicate_key", f"The key `{each.key}` stands twice; the last counts.", True)
        for each in repeated
    )
    return found, tuple(doubts)


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


def _doubt(text: str, error: YamlError) -> _Doubt:
    template = _TEMPLATE.search(text) if error.code == "syntax" else None
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        message = f"The file is a template (`{template.group()}`): only what it renders to could be judged."
        return _Doubt(line, "template", message, _looks_like_object(text))
    message = f"This cannot be read as YAML: {error.message}."
    return _Doubt(error.line or 1, error.code, message, _looks_like_object(text))


def _looks_like_object(text: str) -> bool:
    return "apiVersion" in text and _KIND_IN_TEXT.search(text) is not None


def _problem(path: str, lines_before: int, doubt: _Doubt) -> Problem:
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
