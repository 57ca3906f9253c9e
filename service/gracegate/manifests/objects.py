"""One YAML document -> the Kubernetes objects in it, or the problem that prevents reading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from gracegate.manifests import contents, kinds
from gracegate.manifests.fragments import is_fragment
from gracegate.manifests.kinds import ReadKinds, read_kinds
from gracegate.manifests.listings import UNLISTED, Listing, add_labels
from gracegate.model import Document, Limits, ObjectRef, Pointer
from gracegate.yaml import TEMPLATE_OPENING, LineIndex, Node, YamlError, duplicate_keys, json_value, parse_yaml


class ParseProblem(NamedTuple):
    """A problem of a YAML document; `line` counts from 1 within the document."""

    line: int
    code: str
    message: str
    is_manifest: bool


class ParsedDocument(NamedTuple):
    """The content of one YAML document of a file; `root` is its YAML root if it has objects that rules read."""

    documents: tuple[Document, ...] = ()
    problems: tuple[ParseProblem, ...] = ()
    may_contain_service: bool = False
    root: Node | None = None


class SourceRef(NamedTuple):
    """The source of a YAML document: its file, the file's component and its number in the file."""

    path: str
    component: str
    number: int
    listing: Listing = UNLISTED


def parse_document(text: str, source: SourceRef, limits: Limits) -> ParsedDocument:
    """The objects of the kinds that rules read. Invalid text results in problems, never in an exception."""
    read = read_kinds(limits.own_kinds)
    if not read.in_text.search(text) or read.is_of_other_kind(text):
        return ParsedDocument()
    try:
        root = parse_yaml(text, limits)
        objects = _limited_objects(json_value(text, root), limits)
    except YamlError as error:
        may_contain_service = kinds.SERVICE_IN_TEXT.search(text) is not None
        return ParsedDocument((), (_parse_problem(text, error, limits),), may_contain_service)
    if root is None or not objects:
        return ParsedDocument()
    documents = tuple(_document(source, pointer, found) for pointer, found in objects)
    return ParsedDocument(documents, tuple(_duplicate_key_problems(text, root)), root=root)


def _limited_objects(value: Any, limits: Limits) -> list[tuple[Pointer, dict[str, Any]]]:
    objects = [*islice(_objects(value, (), read_kinds(limits.own_kinds)), limits.documents + 1)]
    if len(objects) > limits.documents:
        raise YamlError("too_many_documents", f"more than {limits.documents:,} objects in one list", 1)
    return objects


def _objects(value: Any, pointer: Pointer, read: ReadKinds) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The objects of the kinds that rules read, also from lists and OpenShift templates."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return
    if read.has(value):
        yield pointer, value
    elif kind in read.lists:
        items = value.get(read.lists[kind])
        defaults = {}
        if kind not in {"List", "Template"}:  # the items of a DeploymentList are Deployments of its API version
            defaults = {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from _objects({**defaults, **item}, (*pointer, read.lists[kind], index), read)


def _document(source: SourceRef, pointer: Pointer, found: dict[str, Any]) -> Document:
    ref = object_ref(found)
    found = add_labels(found, ref.group, source.listing.labels)
    listing = source.listing
    # What a kustomization lists as a resource is an object, whatever it lacks.
    is_patch = listing.is_patch or (listing.root is None and is_fragment(ref.kind, ref.group, found))
    return Document(
        source.path, source.number, pointer, found, ref, is_patch, source.component, listing.root, listing.namespace
    )


def object_ref(found: Mapping[str, Any]) -> ObjectRef:
    """Which object this is, which has a kind; what else it lacks is ""."""
    names = contents.mapping(found.get("metadata"))
    group, _, _ = contents.text(found.get("apiVersion")).rpartition("/")
    return ObjectRef(found["kind"], contents.text(names.get("namespace")), contents.text(names.get("name")), group)


def _duplicate_key_problems(text: str, root: Node) -> Iterator[ParseProblem]:
    duplicates = duplicate_keys(root)
    if not duplicates:
        return
    lines = LineIndex(text)
    for duplicate in duplicates:
        message = f"Key `{duplicate.key}` appears twice."
        yield ParseProblem(lines.line(duplicate.offset), "duplicate_key", message, True)


def _parse_problem(text: str, error: YamlError, limits: Limits) -> ParseProblem:
    template = TEMPLATE_OPENING.search(text) if error.code == "syntax" else None
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        message = f"The file is a template (`{template.group()}`); only its rendered output can be checked."
        return ParseProblem(line, "template", message, looks_like_object(text, limits))
    message = f"This cannot be read as YAML: {error.message}."
    return ParseProblem(error.line or 1, error.code, message, looks_like_object(text, limits))


def looks_like_object(text: str, limits: Limits) -> bool:
    """True if text that cannot be read seems to be a manifest of a kind that rules read."""
    return "apiVersion" in text and read_kinds(limits.own_kinds).in_text.search(text) is not None
