"""The lines of places in source files of any content: manifests, patches, kustomizations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gracegate.manifests.documents import object_offset, step_offset
from gracegate.model import Limits, Origin, Place, Pointer, SourceFile, SourceLine
from gracegate.yaml import LineIndex, MappingNode, Node, YamlError, lookup_path, parse_yaml, split_documents


class SourcePlaces:
    """Finds places in the files of a tree; each file is read once."""

    def __init__(self, files: Mapping[str, SourceFile], limits: Limits) -> None:
        self._files = files
        self._limits = limits
        self._documents: dict[str, Sequence[tuple[Node | None, LineIndex, int]]] = {}

    def has(self, origin: Origin, pointer: Pointer) -> bool:
        """Whether there is a value at a pointer that counts from an origin."""
        node = self._document(origin)[0]
        path = (*origin.pointer, *pointer)
        return node is not None and len(lookup_path(node, path)) == len(path) + 1

    def place(self, origin: Origin, pointer: Pointer = ()) -> Place:
        """The lines of what is at a pointer that counts from an origin, or of its nearest ancestor that exists."""
        node, lines, first_line = self._document(origin)
        if node is None:
            return Place(first_line, first_line)
        steps = lookup_path(node, (*origin.pointer, *pointer))
        offset = object_offset(steps[-1].node) if len(steps) == 1 else step_offset(steps[-1])
        return Place(first_line - 1 + lines.line(offset), first_line - 1 + lines.line(steps[-1].node.end))

    def first_line(self, origin: Origin) -> SourceLine:
        """The first line of what is inside a mapping, without the key that it stands under."""
        node, lines, first_line = self._document(origin)
        if node is None:
            return SourceLine(origin.path, first_line)
        found = lookup_path(node, origin.pointer)[-1].node
        offset = found.body if isinstance(found, MappingNode) else found.start
        return SourceLine(origin.path, first_line - 1 + lines.line(offset))

    def _document(self, origin: Origin) -> tuple[Node | None, LineIndex, int]:
        if origin.path not in self._documents:
            self._documents[origin.path] = [*self._read(self._files[origin.path].data.decode())]
        return self._documents[origin.path][origin.number]

    def _read(self, text: str) -> Iterator[tuple[Node | None, LineIndex, int]]:
        for span in split_documents(text):
            document = text[span.start : span.end]
            try:
                root = parse_yaml(document, self._limits)
            except YamlError:  # it has no marks, hence no origins
                root = None
            yield root, LineIndex(document), span.first_line
