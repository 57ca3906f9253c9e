"""The files of a step: the head's, with documents of the base in them, edits, and copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gracegate.check.fix_groups import FixContext, merged_operations
from gracegate.manifests import Collection, SourceOperation, edit_source, is_candidate, joined_fixes
from gracegate.model import Document, EditedCopy, IntendedStep, Operation, Origin
from gracegate.policy import BaseDocument
from gracegate.yaml import split_documents
from gracegate.yaml_edit import EditRefused


def step_texts(
    intended: Sequence[IntendedStep],
    before: Sequence[BaseDocument],
    base: Collection,
    head: FixContext,
    changed: Iterable[str],
) -> Mapping[str, str]:
    """The texts, by path, of the files that are not the head's in a step that all `intended` ones describe together.

    These index into `before`, and into the head's documents. `changed` are the paths that differ between base and head.
    Raises EditRefused where a text cannot be written.
    """
    files = _Files(base, head.files, _operations(intended, head))
    kept = [before[number] for number in sorted({number for step in intended for number in step.restored})]
    for former in kept:
        files.restore(former.document, _now(former, head))
    for number, patch in _merged_patches(copy for step in intended for copy in step.instead).items():
        files.put_instead(before[number].document, _now(before[number], head), patch)
    if files.has_former_objects:
        files.restore_unread(changed)
    copies = [copy for step in intended for copy in step.copies]
    for number, copy in enumerate(copies):
        if copy in copies[:number]:
            continue
        if copy.is_former:
            files.add_former(before[copy.document].document, copy.patch)
        else:
            files.add_copy(head.documents[copy.document], copy.patch)
    return dict(files.changed())


def _now(former: BaseDocument, head: FixContext) -> Document | None:
    return None if former.head_index is None else head.documents[former.head_index]


def _merged_patches(copies: Iterable[EditedCopy]) -> Mapping[int, Sequence[Operation]]:
    patches: dict[int, list[Operation]] = {}
    for copy in copies:
        of_document = patches.setdefault(copy.document, [])
        of_document += [operation for operation in copy.patch if operation not in of_document]
    return patches


def _operations(intended: Iterable[IntendedStep], head: FixContext) -> Sequence[SourceOperation]:
    steps = [(head.documents[o.document], replace(o, document=0)) for step in intended for o in step.patch]
    if not steps:
        return ()
    ways = joined_fixes([head.ways(document, operation) for document, operation in steps])
    operations = merged_operations(ways[0].operations) if ways else None
    if operations is None:
        raise EditRefused("conflicts" if ways else "unmapped")
    return operations


class _Files:
    """The head's files while a step is made of them, each as a list of what stands in the place of each document.

    `has_former_objects` is True when they hold objects that the head does not have.
    """

    def __init__(self, base: Collection, head: Collection, operations: Sequence[SourceOperation]) -> None:
        self.has_former_objects = False
        self._base = base
        self._head = head
        self._restored: set[tuple[str, int]] = set()
        self._replaced: dict[tuple[str, int], str] = {}
        self._edited = {(operation.path, operation.number) for operation in operations}
        self._blocks: dict[str, list[list[str]]] = {}
        by_path: dict[str, list[SourceOperation]] = defaultdict(list)
        for operation in operations:
            by_path[operation.path].append(operation)
        for path, of_file in by_path.items():
            self._blocks[path] = _blocks(edit_source(head.places, path, of_file).text)

    def restore(self, former: Document, document: Document | None) -> None:
        """Puts a document of the base where it was, in the place of what it is now if that is the same object."""
        text = _source_text(self._base, former)
        if document is not None and _object(document) == _object(former):
            self._replace(document, text)
            return
        self.has_former_objects = True
        if (former.path, former.number) in self._restored:
            return
        self._restored.add((former.path, former.number))
        if document is not None and document.path == former.path:
            self._blocks_of(document.path)[document.number].append(text)
        else:
            self._blocks_of(former.path).append([text])

    def put_instead(self, former: Document, document: Document | None, patch: Sequence[Operation]) -> None:
        """Puts an edited document of the base in the place of what it is now, or where it was."""
        text = _edited_text(self._base, former, patch)
        if document is None:
            self._blocks_of(former.path).append([text])
        else:
            self._replace(document, text)

    def _replace(self, document: Document, text: str) -> None:
        _check_layout(self._head, document)
        place = document.path, document.number
        # Several roots may have made objects of it, which all ask for the same.
        if place in self._edited or self._replaced.setdefault(place, text) != text:
            raise EditRefused("conflicts")
        self._blocks_of(document.path)[document.number][0] = text

    def restore_unread(self, paths: Iterable[str]) -> None:
        """Puts back the objects of kinds that no rule reads and that the head lacks: others may need them."""
        paths = sorted(paths)
        still_there = {key for key, _ in _unread_objects(self._head, paths)}
        for key, (path, text) in _unread_objects(self._base, paths):
            if key not in still_there:
                self._blocks_of(path).append([text])

    def add_copy(self, document: Document, patch: Sequence[Operation]) -> None:
        """Puts an edited copy of a document of the head after it."""
        block, text = self._blocks_of(document.path)[document.number], _edited_text(self._head, document, patch)
        if text not in block:
            block.append(text)

    def add_former(self, document: Document, patch: Sequence[Operation]) -> None:
        """Puts an edited copy of a document of the base to the end of its file."""
        blocks, block = self._blocks_of(document.path), [_edited_text(self._base, document, patch)]
        if block not in blocks:
            blocks.append(block)

    def changed(self) -> Iterator[tuple[str, str]]:
        """The files that differ from the head's."""
        for path, blocks in self._blocks.items():
            text = "".join(_joined([part for block in blocks for part in block]))
            if text != self._head.places.text(path) or path not in self._head.components.files:
                yield path, text

    def _blocks_of(self, path: str) -> list[list[str]]:
        if path not in self._blocks:
            self._blocks[path] = _blocks(self._head.places.text(path))
        return self._blocks[path]


def _blocks(text: str) -> list[list[str]]:
    """The text of each document, with what is between it and the next one; the last one ends the file."""
    starts = [span.start for span in split_documents(text)]
    ends = [*starts[1:], len(text)]
    return [[text[start:end]] for start, end in zip([0, *starts[1:]], ends, strict=True)] if starts else []


def _edited_text(files: Collection, document: Document, patch: Sequence[Operation]) -> str:
    _check_layout(files, document)
    # What its root adds to a name is not in the source.
    if document.ref.name != document.source_ref.name:
        raise EditRefused("unmapped")
    operations = [SourceOperation(document.path, document.number, operation) for operation in patch]
    return _blocks(edit_source(files.places, document.path, operations).text)[document.number][0]


def _unread_objects(files: Collection, paths: Iterable[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, str]]]:
    """The objects of kinds that no rule reads: what names them, their paths and their texts."""
    read = {(document.path, document.number) for document in files.documents}
    for path in filter(is_candidate, paths):
        for number, block in enumerate(_blocks(files.places.text(path))):
            value = None if (path, number) in read else files.places.value_at(Origin(path, number, ()))
            if isinstance(value, Mapping) and isinstance(value.get("metadata"), Mapping) and "kind" in value:
                names = (value["kind"], value["metadata"].get("namespace", ""), value["metadata"].get("name", ""))
                yield tuple(map(str, names)), (path, block[0])


def _source_text(files: Collection, document: Document) -> str:
    _check_layout(files, document)
    return _blocks(files.places.text(document.path))[document.number][0]


def _check_layout(files: Collection, document: Document) -> None:
    """Only whole YAML documents are moved."""
    if document.pointer or document.path.endswith(".json"):
        raise EditRefused("unsupported_layout")
    rendered = document.rendered
    is_traced = rendered is None or (rendered.source is not None and rendered.root.renderer == "kustomize")
    # Another repository may have it.
    if not is_traced or document.path not in files.components.files:
        raise EditRefused("unmapped")


def _joined(parts: Sequence[str]) -> Iterator[str]:
    """The parts, each on lines of its own and behind a marker, but the first one, which may lack it."""
    for number, part in enumerate(parts):
        newline = "\r\n" if "\r\n" in part else "\n"
        needs_marker = number > 0 and not any(line.startswith("---") for line in part.split("\n"))
        needs_end = number < len(parts) - 1 and not part.endswith("\n")
        yield f"{f'---{newline}' if needs_marker else ''}{part}{newline if needs_end else ''}"


def _object(document: Document) -> tuple[str, ...]:
    ref = document.ref
    return ref.group, ref.kind, document.namespace, ref.name
