"""Operations on Kubernetes objects -> the edit of their file's lines, with the file read again as it is afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gracegate.manifests.documents import Manifest, with_chunks
from gracegate.model import Document, Hunk, Operation
from gracegate.yaml_edit import EditRefused, LineEdit, edit_document


@dataclass(frozen=True, slots=True)
class EditedManifest:
    """The file as it is after the edit, read again, and the lines that changed, in order and disjoint."""

    manifest: Manifest
    edits: tuple[LineEdit, ...]


def edit_manifest(
    manifest: Manifest, operations: Sequence[tuple[Document, Operation]], preferred: Sequence[Hunk] = ()
) -> EditedManifest:
    """Makes all operations one after the other, additions inside `preferred` lines where that is possible.

    Paths are relative to each document's object. Afterwards every document of the file holds what it held, changed
    by the operations and nothing else; otherwise raises EditRefused.
    """
    texts: dict[int, str] = {}
    edits: list[LineEdit] = []
    for number in sorted({document.number for document, _ in operations}):
        steps = [replace(o, path=d.pointer + o.path) for d, o in operations if d.number == number]
        edited = edit_document(manifest.parsed(number), steps, preferred, manifest.limits)
        texts[number] = edited.text
        edits.extend(edited.edits)
    after = with_chunks(manifest, texts)
    if after is None:
        raise EditRefused("would_change_more")
    return EditedManifest(after, tuple(edits))
