"""JSON patch operations on a YAML document, made as the smallest edit of its lines and verified."""

from __future__ import annotations

from gracegate.yaml_edit.editor import EditedDocument, apply_edits, edit_document
from gracegate.yaml_edit.formatting import entry_lines, scalar_text
from gracegate.yaml_edit.patches import EditRefused, apply_operation, canonical_json, minimal_operations
from gracegate.yaml_edit.splices import LineEdit

__all__ = [
    "EditRefused",
    "EditedDocument",
    "LineEdit",
    "apply_edits",
    "apply_operation",
    "canonical_json",
    "edit_document",
    "entry_lines",
    "minimal_operations",
    "scalar_text",
]
