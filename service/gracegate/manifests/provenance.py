"""Which lines of a tree a rendered object was made of: marks go into the sources, and come out of what they render to.

A mark is one more key in a mapping of a manifest or of a patch. kustomize knows nothing of it and takes it along, and
because each document has a key of its own, a mapping that several documents have made carries the marks of them all.
Nothing is taken on trust: where an object without its marks is not the object that the unmarked sources render to,
nothing is said about its origins.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.manifests.discovery import KUSTOMIZATIONS
from gracegate.manifests.kinds import ReadKinds, read_kinds
from gracegate.manifests.kustomize import PATCHES
from gracegate.manifests.rendered_values import RenderedValues
from gracegate.model import Limits, Origin, Pointer, Rendered, Root, SourceFile
from gracegate.yaml import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlError,
    json_value,
    key_name,
    parse_yaml,
    split_documents,
)

_PREFIX = "gracegate-mark-"
_MARK = re.compile(rf"{_PREFIX}([0-9a-f]{{16}})-[0-9]+", re.ASCII)
# One more key in these would be one more label, limit or argument of something that kustomize or a controller reads.
_UNMARKED = frozenset(
    {
        *("annotations", "args", "data", "labels", "limits", "matchLabels", "metadata", "nodeSelector", "options"),
        *("parameters", "requests", "selector", "status", "stringData", "volumeAttributes"),
    }
)


@dataclass(frozen=True, slots=True)
class MarkedSources:
    """The texts of files with marks in them, by path; `origins` are those of the marks of a file, by its id."""

    texts: Mapping[str, str]
    origins: Mapping[str, tuple[Origin, ...]]


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """A file's text with marks, None where there is nothing to mark, and the origins of these by number."""

    text: str | None
    origins: tuple[Origin, ...] = ()


MarkCache = dict[tuple[str, bytes], MarkedFile]
"""Marked files by path and content."""


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """A rendered object and what it was made of."""

    object: Mapping[str, Any]
    rendered: Rendered


def mark_sources(
    files: Mapping[str, SourceFile], paths: Iterable[str], limits: Limits, cache: MarkCache | None = None
) -> MarkedSources:
    """Marks the manifests, the JSON patches and the patches in kustomizations among `paths`; what cannot be marked is
    left out.

    `paths` are those of kustomizations, and those that they read objects and patches from. A file that becomes data
    must not be among them: a mark would change it, and the name of what it is in. A file has the same marks whatever
    else is marked.
    """
    cache = {} if cache is None else cache
    texts: dict[str, str] = {}
    origins: dict[str, tuple[Origin, ...]] = {}
    for path in sorted(paths):
        source = files.get(path)
        if source is None or len(source.data) > limits.bytes:
            continue
        if (key := (path, source.data)) not in cache:
            cache[key] = _mark_file(source, limits)
        marked = cache[key]
        if marked.text is not None:
            texts[path], origins[_file_id(path)] = marked.text, marked.origins
    return MarkedSources(texts, origins)


def _file_id(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_objects(
    text: str, limits: Limits, values: RenderedValues | None = None
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects of kinds that rules read in what a root renders to, each with the number of its YAML document, from
    0. Raises YamlError where it cannot be read."""
    values, read = values or RenderedValues(), read_kinds(limits.own_kinds)
    for number, span in enumerate(split_documents(text)):
        document = text[span.start : span.end]
        if not read.is_of_other_kind(document):
            value = values.of(document, limits)
            if isinstance(value, dict) and isinstance(value.get("kind"), str) and read.has(value):
                yield number, value


def read_origins(
    plain: str,
    marked: str,
    sources: MarkedSources,
    root: Root,
    limits: Limits,
    values: RenderedValues | None = None,
) -> Iterator[RenderedObject]:
    """The objects of kinds that rules read in `plain`, with the origins that `marked`, rendered of the marked sources,
    tells. Raises YamlError where `plain` cannot be read."""
    values, read = values or RenderedValues(), read_kinds(limits.own_kinds)
    texts = [plain[span.start : span.end] for span in split_documents(plain)]
    marked_texts = [marked[span.start : span.end] for span in split_documents(marked)]
    if len(texts) != len(marked_texts):
        marked_texts = texts
    for number, (text, marked_text) in enumerate(zip(texts, marked_texts, strict=True)):
        if not read.is_of_other_kind(text):
            value = values.of(text, limits)
            if isinstance(value, dict):
                origins = _origins_of(value, _marked_value(marked_text, limits, values), sources.origins)
                yield RenderedObject(value, Rendered(root, number, origins=origins))


def _origins_of(value: Any, marked: Any, origins: Mapping[str, Sequence[Origin]]) -> dict[Pointer, tuple[Origin, ...]]:
    found: dict[Pointer, tuple[Origin, ...]] = {}
    stripped = _strip(marked, (), found, origins)
    if stripped != value:
        return {}
    # An object has no mark of its own, because its kind may be in a list. Its spec is in it at the same place.
    specs = found.get(("spec",), ())
    objects = tuple(Origin(o.path, o.number, o.pointer[:-1]) for o in specs if o.pointer[-1] == "spec")
    return {(): objects, **found} if objects else found


def _marked_value(text: str, limits: Limits, values: RenderedValues) -> Any:
    try:
        return values.of(text, limits)
    except YamlError:  # a text with marks may be too long
        return None


def _strip(
    value: Any, at: Pointer, found: dict[Pointer, tuple[Origin, ...]], origins: Mapping[str, Sequence[Origin]]
) -> Any:
    """The value without marks; what they say is added to `found`."""
    if isinstance(value, list):
        return [_strip(item, (*at, index), found, origins) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    stripped: dict[str, Any] = {}
    marks: list[Origin] = []
    for key, item in value.items():
        # Whatever else begins like a mark stays, and makes the difference that it is.
        if key.startswith(_PREFIX) and (origin := _origin(key, item, origins)) is not None:
            marks.append(origin)
        else:
            stripped[key] = _strip(item, (*at, key), found, origins)
    if marks:
        found[at] = tuple(marks)
    return stripped


def _origin(key: str, number: Any, origins: Mapping[str, Sequence[Origin]]) -> Origin | None:
    """What a mark stands for; None for what is none."""
    mark = _MARK.fullmatch(key)
    of_file = () if mark is None else origins.get(mark[1], ())
    is_number = isinstance(number, str) and number.isdecimal() and int(number) < len(of_file)
    return of_file[int(number)] if is_number else None


def _mark_file(source: SourceFile, limits: Limits) -> MarkedFile:
    marks = _Marks(_file_id(source.path), limits)
    text = marks.mark_file(source)
    return MarkedFile(text, tuple(marks.origins))


class _Marks:
    """Marks the text of a file; `origins` has what each mark stands for, by its number."""

    def __init__(self, file_id: str, limits: Limits) -> None:
        self.origins: list[Origin] = []
        self._file_id = file_id
        self._limits = limits
        self._read = read_kinds(limits.own_kinds)
        self._sources = 0

    def mark_file(self, source: SourceFile) -> str | None:
        """The text with marks; None where there is nothing to mark."""
        try:
            text = source.data.decode()
        except UnicodeDecodeError:
            return None
        if _PREFIX in text:
            return None
        mark = self._mark_patches if source.path.rpartition("/")[2] in KUSTOMIZATIONS else self._mark_document
        parts: list[str] = []
        end = 0
        for number, span in enumerate(split_documents(text)):
            parts += [text[end : span.start], mark(text[span.start : span.end], Origin(source.path, number, ()))]
            end = span.end
        result = "".join((*parts, text[end:]))
        return None if result == text else result

    def _mark_patches(self, text: str, origin: Origin) -> str:
        """A kustomization with marks in the patches that are written out in it, or as it is where a mark would change
        more."""
        before = len(self.origins)
        try:
            root = parse_yaml(text, self._limits)
            marked = None if root is None else self._insert_in_patches(text, root, origin)
            marked_root = None if marked is None else parse_yaml(marked, self._limits)
            if root and marked and marked_root:
                others = _without_patches(text, root)
                if _without_patches(marked, marked_root) == others:
                    return marked
        except YamlError:
            pass
        del self.origins[before:]
        return text

    def _insert_in_patches(self, text: str, root: Node, origin: Origin) -> str:
        parts: list[str] = []
        end = 0
        for patch, pointer in sorted(_inline_patches(root), key=lambda place: place[0].start):
            marked = self._mark_patch(patch.text, Origin(origin.path, origin.number, pointer))
            if marked != patch.text:
                parts += [text[end : patch.start], json.dumps(marked)]
                end = patch.end
        return "".join((*parts, text[end:]))

    def _mark_patch(self, text: str, origin: Origin) -> str:
        # A pointer into one of several documents would not say into which.
        return self._mark_document(text, origin) if len([*split_documents(text)]) == 1 else text

    def _mark_document(self, text: str, origin: Origin) -> str:
        """The document with its marks, or as it is where a mark would change more."""
        if self._read.is_of_other_kind(text):
            return text
        before = len(self.origins)
        try:
            root = parse_yaml(text, self._limits)
            if root is None:
                return text
            marked = self._insert(text, origin, mapping_places(root, self._read))
            value = json_value(text, root)
            stripped = _strip(
                json_value(marked, parse_yaml(marked, self._limits)), (), {}, {self._file_id: self.origins}
            )
        except YamlError:
            stripped = value = None
        if stripped is None or stripped != value:
            del self.origins[before:]
            return text
        return marked

    def _insert(self, text: str, origin: Origin, places: Iterable[tuple[MappingNode, Pointer]]) -> str:
        parts: list[str] = []
        end = 0
        self._sources += 1
        for mapping, pointer in sorted(places, key=lambda place: place[0].body):
            mark = f'"{_PREFIX}{self._file_id}-{self._sources}": "{len(self.origins)}"'
            column = mapping.body - (text.rfind("\n", 0, mapping.body) + 1)
            self.origins.append(Origin(origin.path, origin.number, origin.pointer + pointer))
            parts += [text[end : mapping.body], mark, ", " if mapping.is_flow else "\n" + " " * column]
            end = mapping.body
        return "".join((*parts, text[end:]))


def _inline_patches(root: Node) -> Iterator[tuple[ScalarNode, Pointer]]:
    """The patches that are written out in a kustomization; a path among them has nothing that could be marked."""
    for key, listed in _fields(root).items():
        if key in PATCHES and isinstance(listed, SequenceNode):
            for index, item in enumerate(listed.items):
                if isinstance(item, ScalarNode):
                    yield item, (key, index)
                elif isinstance(patch := _fields(item).get("patch"), ScalarNode):
                    yield patch, (key, index, "patch")


def _without_patches(text: str, root: Node) -> Any:
    """A kustomization without the patches that are written out in it."""
    value = json_value(text, root)
    for _, pointer in _inline_patches(root):
        holder = value
        for segment in pointer[:-1]:
            holder = holder[segment]
        holder[pointer[-1]] = ""
    return value


def mapping_places(root: Node, read: ReadKinds) -> Iterator[tuple[MappingNode, Pointer]]:
    """The mappings of a manifest or a JSON patch whose origins can be told, each once."""
    if isinstance(root, SequenceNode):
        for index, step in enumerate(root.items):
            fields = _fields(step)
            operation, path = (getattr(fields.get(name), "text", "") for name in ("op", "path"))
            if operation in {"add", "replace"} and _UNMARKED.isdisjoint(path.split("/")):
                yield from _mappings(fields.get("value"), (index, "value"))
        return
    fields = _fields(root)
    kind = getattr(fields.get("kind"), "text", "")
    if kind in read.lists:
        listed = fields.get(read.lists[kind])
        for index, item in enumerate(listed.items if isinstance(listed, SequenceNode) else ()):
            yield from _mappings(_fields(item).get("spec"), (read.lists[kind], index, "spec"))
    elif kind in read.names:
        yield from _mappings(fields.get("spec"), ("spec",))


def _fields(node: Node) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        return {}
    return {name: value for key, value in node.pairs if (name := key_name(key)) is not None}


def _mappings(node: Node | None, pointer: Pointer) -> Iterator[tuple[MappingNode, Pointer]]:
    # An alias is not followed: its target has a mark, which the alias stands for as well.
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield from _mappings(item, (*pointer, index))
    elif isinstance(node, MappingNode) and node.pairs:
        fields = _fields(node)
        if getattr(fields.get("$patch"), "text", "") != "delete":  # nothing of it is in what is rendered
            yield node, pointer
        for name, value in fields.items():
            if name not in _UNMARKED and name != "<<":
                yield from _mappings(value, (*pointer, name))
