"""Proof that a fix does what it is for: what roots render to with it is what they rendered to, but for the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gracegate.manifests.contents import has_value, value_at
from gracegate.manifests.source_operations import Change
from gracegate.model import Limits, NoSuggestion, Operation, Origin, Pointer, Rendered, SourceLine
from gracegate.yaml import YamlError, duplicate_keys, json_value, parse_yaml, split_documents
from gracegate.yaml_edit import EditRefused, apply_operation, canonical_json


def intended_operations(rendered: Rendered, changes: Iterable[Change]) -> Iterator[Operation]:
    """What changes do to a rendered object: at each of its mappings that was made of the same place."""
    for change in changes:
        for mapping in _made_of(rendered, change.made_of):
            yield replace(change.operation, path=mapping + change.operation.path)


def _made_of(rendered: Rendered, place: Origin | SourceLine) -> Iterator[Pointer]:
    if isinstance(place, Origin):
        yield from (pointer for pointer, origins in rendered.origins.items() if place in origins)
        return
    # The line of a list's item is that of its first key as well.
    mappings = (
        pointer[:-1] for pointer, line in rendered.lines.items() if line == place and isinstance(pointer[-1], str)
    )
    yield from dict.fromkeys(mappings)


def why_not_proved(
    before: str, after: str, intended: Mapping[int, Iterable[Operation]], limits: Limits
) -> NoSuggestion | None:
    """Why a root's rendering with a fix is not what it was but for the change; None if it is.

    `intended` has operations by the number of the YAML document; one of them may be without effect where something else
    decides, as a patch of another overlay. Whether any had the effect is for the caller to see.
    """
    old, new = _texts(before), _texts(after)
    if len(old) != len(new):
        return "would_change_more"
    for number, (old_text, new_text) in enumerate(zip(old, new, strict=True)):
        if old_text != new_text and not _is_as_intended(old_text, new_text, intended.get(number, ()), limits):
            return "would_change_more"
    return None


def _texts(rendering: str) -> list[str]:
    return [rendering[span.start : span.end] for span in split_documents(rendering)]


def _is_as_intended(before: str, after: str, intended: Iterable[Operation], limits: Limits) -> bool:
    try:
        old, new = parse_yaml(before, limits), parse_yaml(after, limits)
        expected, value = json_value(before, old), json_value(after, new)
        # A key that is there twice has one value here, and none for those who are strict.
        if old is None or new is None or len(duplicate_keys(new)) > len(duplicate_keys(old)):
            return False
        for operation in intended:
            if _has_effect(expected, value, operation.path):
                expected = apply_operation(expected, operation)
    except (EditRefused, YamlError):
        return False
    return canonical_json(expected) == canonical_json(value)


def _has_effect(before: Any, after: Any, path: Pointer) -> bool:
    """Whether anything at a pointer is another one; of a list to which an item is added, anything in it."""
    if not all(isinstance(segment, str) for segment in path[-1:]) or path[-1:] == ("-",):
        path = path[:-1]
    old, new = ((has_value(value, path), value_at(value, path)) for value in (before, after))
    return old != new
