"""Places in source files of any content: manifests, patches, also those written out in a kustomization, and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gracegate.manifests.contents import has_value, value_at
from gracegate.manifests.documents import object_offset, step_offset
from gracegate.model import Limits, Origin, Place, Pointer, SourceFile, SourceLine
from gracegate.yaml import (
    LineIndex,
    MappingNode,
    YamlDocument,
    YamlError,
    embedded_document,
    json_value,
    lookup_path,
    parse_yaml,
    split_documents,
)

_UNREADABLE = Place(1, 1)


class SourcePlaces:
    """Finds places in the files of a tree; each file is read once."""

    def __init__(self, files: Mapping[str, SourceFile], limits: Limits) -> None:
        self._files = files
        self.limits = limits
        self._lines: dict[str, Sequence[str]] = {}
        self._documents: dict[str, Sequence[YamlDocument | None]] = {}
        self._values: dict[tuple[str, int], Any] = {}

    def text(self, path: str) -> str:
        """The text of a file; empty where the tree does not have it, or where it is too large."""
        source = self._files.get(path)
        is_readable = source is not None and len(source.data) <= self.limits.bytes
        return source.data.decode(errors="replace") if source is not None and is_readable else ""

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a file, without line breaks but for those of Windows."""
        if path not in self._lines:
            self._lines[path] = self.text(path).split("\n")
        return self._lines[path]

    def documents(self, path: str) -> Sequence[YamlDocument | None]:
        """The YAML documents of a file, with None for one that cannot be read or is empty."""
        if path not in self._documents:
            self._documents[path] = read_documents(self.text(path), self.limits)
        return self._documents[path]

    def value_at(self, origin: Origin, pointer: Pointer = ()) -> Any:
        """The value at a pointer that counts from an origin; None for nothing."""
        return value_at(*self._innermost(origin, pointer))

    def has(self, origin: Origin, pointer: Pointer = ()) -> bool:
        """Whether there is a value at a pointer that counts from an origin, be it null."""
        return has_value(*self._innermost(origin, pointer))

    def embedded_value(self, text: str) -> Any:
        """The value of YAML that is written out in a scalar; None if it cannot be read."""
        try:
            return json_value(text, parse_yaml(text, self.limits))
        except YamlError:
            return None

    def place(self, origin: Origin, pointer: Pointer = ()) -> Place:
        """The place of what is at a pointer that counts from an origin, or of its nearest ancestor that exists."""
        if (found := self._document(origin)) is None:
            return _UNREADABLE
        document, path = self._embedded(found, origin.pointer + pointer)
        steps = lookup_path(document.root, path)
        offset = object_offset(steps[-1].node) if len(steps) == 1 else step_offset(steps[-1])
        lines, lines_before = document.lines, document.first_line - 1
        # The lines of a block scalar are indented, those of the document in it are not.
        column = lines.column(offset) + 1 if document is found else 0
        return Place(lines_before + lines.line(offset), lines_before + lines.line(steps[-1].node.end), column)

    def first_line(self, origin: Origin) -> SourceLine:
        """The first line of what is inside a mapping, without the key that it stands under."""
        if (found := self._document(origin)) is None:
            return SourceLine(origin.path, _UNREADABLE.line)
        document, path = self._embedded(found, origin.pointer)
        node = lookup_path(document.root, path)[-1].node
        offset = node.body if isinstance(node, MappingNode) else node.start
        return SourceLine(origin.path, document.first_line - 1 + document.lines.line(offset))

    def _innermost(self, origin: Origin, pointer: Pointer) -> tuple[Any, Pointer]:
        """The value of the YAML that is written out in a scalar on the way to a place, and the way on from its root."""
        key, path = (origin.path, origin.number), origin.pointer + pointer
        if key not in self._values:
            document = self._document(origin)
            self._values[key] = None if document is None else self._value(document)
        value = self._values[key]
        for length in range(len(path)):
            if isinstance(scalar := value_at(value, path[:length]), str):
                return self.embedded_value(scalar), path[length:]
        return value, path

    @staticmethod
    def _value(document: YamlDocument) -> Any:
        try:
            return json_value(document.text, document.root)
        except YamlError:  # what parses may have no value, as a template with `{{ .key }}`
            return None

    def _embedded(self, document: YamlDocument, path: Pointer) -> tuple[YamlDocument, Pointer]:
        """The document that is written out in a scalar on the way, and the way on from its root."""
        try:
            embedded = embedded_document(document.text, document.root, path, self.limits)
        except YamlError:
            embedded = None
        if embedded is None:
            return document, path
        first_line = document.first_line - 1 + embedded.document.first_line
        return embedded.document._replace(first_line=first_line), embedded.pointer

    def _document(self, origin: Origin) -> YamlDocument | None:
        documents = self.documents(origin.path)
        return documents[origin.number] if origin.number < len(documents) else None


def read_documents(text: str, limits: Limits) -> Sequence[YamlDocument | None]:
    """The YAML documents of a text, with None for one that cannot be read or is empty."""
    documents: list[YamlDocument | None] = []
    for span in split_documents(text):
        part = text[span.start : span.end]
        try:
            root = parse_yaml(part, limits)
        except YamlError:
            root = None
        documents.append(None if root is None else YamlDocument(part, root, LineIndex(part), span.first_line))
    return documents
