"""Which lines of a tree a rendered object was made of: marks go into the sources, and come out of what they render to.

A mark is one more key in a mapping of a manifest or of a patch. kustomize knows nothing of it and takes it along, and
because each document has a key of its own, a mapping that several documents have made carries the marks of them all.
Nothing is taken on trust: where an object without its marks is not the object that the unmarked sources render to,
nothing is said about its origins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.manifests.kinds import KINDS, LISTS, is_of_other_kind
from gracegate.model import Limits, Origin, Pointer, SourceFile
from gracegate.yaml import (
    MappingNode,
    Node,
    SequenceNode,
    YamlError,
    json_value,
    key_name,
    parse_yaml,
    split_documents,
)

_PREFIX = "gracegate-mark-"
# One more key in these would be one more label, limit or argument of something that kustomize or a controller reads.
_UNMARKED = frozenset(
    {
        *("annotations", "args", "data", "labels", "limits", "matchLabels", "metadata", "nodeSelector", "options"),
        *("parameters", "requests", "selector", "status", "stringData", "volumeAttributes"),
    }
)


@dataclass(frozen=True, slots=True)
class MarkedSources:
    """The texts of files with marks in them, by path; `origins` are those of the marks, by number."""

    texts: Mapping[str, str]
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """A rendered object, and by the pointer of a mapping in it the mappings of source files that it was made of.

    `number` is that of its YAML document in the rendering, from 0. `origins` is empty where they are not certain. A
    mapping that several files have made has several, in no order.
    """

    number: int
    object: Mapping[str, Any]
    origins: Mapping[Pointer, tuple[Origin, ...]]


def mark_sources(files: Mapping[str, SourceFile], paths: Iterable[str], limits: Limits) -> MarkedSources:
    """Marks the manifests and JSON patches among `paths`; what cannot be marked is left out.

    `paths` are those that kustomize reads objects and patches from. A file that becomes data must not be among them: a
    mark would change it, and the name of what it is in.
    """
    texts: dict[str, str] = {}
    origins: list[Origin] = []
    for path in sorted(paths):
        source = files.get(path)
        if source is not None and len(source.data) <= limits.bytes:
            marked = _MarkedFile(path, len(texts), origins, limits)
            if text := marked.mark(source.data):
                texts[path] = text
    return MarkedSources(texts, tuple(origins))


def read_origins(plain: str, marked: str, sources: MarkedSources, limits: Limits) -> Iterator[RenderedObject]:
    """The objects of kinds that rules read in `plain`, with the origins that `marked`, rendered of the marked sources,
    tells. Raises YamlError where `plain` cannot be read."""
    texts = [plain[span.start : span.end] for span in split_documents(plain)]
    marked_texts = [marked[span.start : span.end] for span in split_documents(marked)]
    if len(texts) != len(marked_texts):
        marked_texts = texts
    for number, (text, marked_text) in enumerate(zip(texts, marked_texts, strict=True)):
        if not is_of_other_kind(text):
            value = json_value(text, parse_yaml(text, limits))
            if isinstance(value, dict):
                origins = _origins_of(value, _marked_value(marked_text, limits), sources.origins)
                yield RenderedObject(number, value, origins)


def _origins_of(value: Any, marked: Any, origins: Sequence[Origin]) -> dict[Pointer, tuple[Origin, ...]]:
    found: dict[Pointer, tuple[Origin, ...]] = {}
    stripped = _strip(marked, (), found, origins)
    return found if stripped == value else {}


def _marked_value(text: str, limits: Limits) -> Any:
    try:
        return json_value(text, parse_yaml(text, limits))
    except YamlError:  # a text with marks may be too long
        return None


def _strip(value: Any, at: Pointer, found: dict[Pointer, tuple[Origin, ...]], origins: Sequence[Origin]) -> Any:
    """The value without marks; what they say is added to `found`."""
    if isinstance(value, list):
        return [_strip(item, (*at, index), found, origins) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    stripped: dict[str, Any] = {}
    marks: list[Origin] = []
    for key, item in value.items():
        # Whatever else begins like a mark stays, and makes the difference that it is.
        if key.startswith(_PREFIX) and isinstance(item, str) and item.isdecimal() and int(item) < len(origins):
            marks.append(origins[int(item)])
        else:
            stripped[key] = _strip(item, (*at, key), found, origins)
    if marks:
        found[at] = tuple(marks)
    return stripped


class _MarkedFile:
    """Marks one file; the origins of its marks are added to `origins`."""

    def __init__(self, path: str, number: int, origins: list[Origin], limits: Limits) -> None:
        self._path = path
        self._number = number
        self._origins = origins
        self._limits = limits

    def mark(self, data: bytes) -> str | None:
        """The text with marks; None where there is nothing to mark."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return None
        if _PREFIX in text:
            return None
        parts: list[str] = []
        end = 0
        for number, span in enumerate(split_documents(text)):
            document = text[span.start : span.end]
            marked = document if is_of_other_kind(document) else self._mark_document(document, number)
            parts += [text[end : span.start], marked]
            end = span.end
        result = "".join((*parts, text[end:]))
        return None if result == text else result

    def _mark_document(self, text: str, number: int) -> str:
        """The document with its marks, or as it is where a mark would change more."""
        before = len(self._origins)
        try:
            root = parse_yaml(text, self._limits)
            if root is None:
                return text
            marked = self._insert(text, number, mapping_places(root))
            value = json_value(text, root)
            stripped = _strip(json_value(marked, parse_yaml(marked, self._limits)), (), {}, self._origins)
        except YamlError:
            stripped = value = None
        if stripped is None or stripped != value:
            del self._origins[before:]
            return text
        return marked

    def _insert(self, text: str, number: int, places: Iterable[tuple[MappingNode, Pointer]]) -> str:
        parts: list[str] = []
        end = 0
        for mapping, pointer in sorted(places, key=lambda place: place[0].body):
            mark = f'"{_PREFIX}{self._number}-{number}": "{len(self._origins)}"'
            column = mapping.body - (text.rfind("\n", 0, mapping.body) + 1)
            self._origins.append(Origin(self._path, number, pointer))
            parts += [text[end : mapping.body], mark, ", " if mapping.is_flow else "\n" + " " * column]
            end = mapping.body
        return "".join((*parts, text[end:]))


def mapping_places(root: Node) -> Iterator[tuple[MappingNode, Pointer]]:
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
    if kind in LISTS:
        listed = fields.get(LISTS[kind])
        for index, item in enumerate(listed.items if isinstance(listed, SequenceNode) else ()):
            yield from _mappings(_fields(item).get("spec"), (LISTS[kind], index, "spec"))
    elif kind in KINDS:
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
        yield node, pointer
        for name, value in _fields(node).items():
            if name not in _UNMARKED and name != "<<":
                yield from _mappings(value, (*pointer, name))
