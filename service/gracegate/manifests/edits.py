"""Operations on Kubernetes objects -> the edit of their file's lines, and the edited file, read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gracegate.manifests.documents import Manifest, replace_documents
from gracegate.model import Document, Hunk, Operation
from gracegate.yaml_edit import EditRefused, LineEdit, edit_document


@dataclass(frozen=True, slots=True)
class EditedManifest:
    """The file after the edit, read again, and the lines that changed, in order and disjoint."""

    manifest: Manifest
    edits: tuple[LineEdit, ...]


def edit_manifest(
    manifest: Manifest, operations: Sequence[tuple[Document, Operation]], preferred: Sequence[Hunk] = ()
) -> EditedManifest:
    """Applies the operations in order and makes additions inside `preferred` lines where possible.

    Paths are relative to each document's object. Raises EditRefused unless every document of the file then has exactly
    the value that the operations make of its old value.
    """
    texts: dict[int, str] = {}
    edits: list[LineEdit] = []
    for number in sorted({document.number for document, _ in operations}):
        of_document = [replace(o, path=d.pointer + o.path) for d, o in operations if d.number == number]
        edited = edit_document(manifest.yaml_document(number), of_document, preferred, manifest.limits)
        texts[number] = edited.text
        edits.extend(edited.edits)
    edited_manifest = replace_documents(manifest, texts)
    if edited_manifest is None:
        raise EditRefused("would_change_more")
    return EditedManifest(edited_manifest, tuple(edits))
