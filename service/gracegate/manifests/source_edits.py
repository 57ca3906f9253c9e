"""Operations on source files -> the edit of their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gracegate.manifests.helm import is_values_file
from gracegate.manifests.source_operations import SourceOperation
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.template_edits import edit_template
from gracegate.model import Hunk
from gracegate.yaml import split_documents
from gracegate.yaml_edit import EditRefused, LineEdit, apply_edits, edit_document


class EditedSource(NamedTuple):
    """The file after the edit, and the lines that changed, in order and disjoint."""

    text: str
    edits: tuple[LineEdit, ...]


def edit_source(
    places: SourcePlaces, path: str, operations: Sequence[SourceOperation], preferred: Sequence[Hunk] = ()
) -> EditedSource:
    """Applies operations on one file in order and makes additions inside `preferred` lines where possible.

    Raises EditRefused unless every document of the file then has exactly the value that the operations make of its old
    value; of a template, unless the place is written out in its lines.
    """
    if any(operation.line for operation in operations):
        in_template = edit_template(places.text(path), operations)
        return EditedSource(apply_edits(places.text(path), in_template), tuple(in_template))
    documents = places.documents(path)
    # Charts render texts of their values, and comments say how.
    is_values = is_values_file(path.rpartition("/")[2])
    edits: list[LineEdit] = []
    for number in sorted({operation.number for operation in operations}):
        document = documents[number] if number < len(documents) else None
        if document is None:
            raise EditRefused("no_such_path")
        of_document = [operation.operation for operation in operations if operation.number == number]
        edited = edit_document(document, of_document, preferred, places.limits, may_hold_templates=is_values)
        if len([*split_documents(edited.text)]) != 1:
            raise EditRefused("would_change_more")
        edits.extend(edited.edits)
    return EditedSource(apply_edits(places.text(path), edits), tuple(edits))
