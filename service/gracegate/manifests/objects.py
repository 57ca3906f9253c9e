"""One YAML document to the Kubernetes objects in it, or to the reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from gracegate.manifests import kinds
from gracegate.manifests.fragments import is_fragment
from gracegate.manifests.kinds import KINDS, LISTS
from gracegate.model import Document, Limits, ObjectRef, Pointer
from gracegate.yaml import TEMPLATE_OPENING, LineIndex, Node, YamlError, duplicate_keys, json_value, parse_yaml


class ParseProblem(NamedTuple):
    """A problem of a YAML document; `line` counts within it."""

    line: int
    code: str
    message: str
    manifest: bool


class ParsedDocument(NamedTuple):
    """What one YAML document of a file holds; `root` is kept where there are documents to find places in."""

    documents: tuple[Document, ...] = ()
    doubts: tuple[ParseProblem, ...] = ()
    may_hide_service: bool = False
    root: Node | None = None


NOTHING = ParsedDocument()


class SourceRef(NamedTuple):
    """Where a YAML document comes from: its file, the file's component, its number in the file."""

    path: str
    root: str
    number: int


def read(text: str, origin: SourceRef, limits: Limits) -> ParsedDocument:
    """The objects of the kinds that rules read; what is wrong with the text makes doubts, never an exception."""
    if not kinds.IN_TEXT.search(text):
        return NOTHING
    try:
        tree = parse_yaml(text, limits)
        found = _found(json_value(text, tree), limits)
    except YamlError as error:
        return ParsedDocument((), (_doubt(text, error),), kinds.SERVICE.search(text) is not None)
    if tree is None or not found:
        return NOTHING
    documents = tuple(_document(origin, pointer, item) for pointer, item in found)
    return ParsedDocument(documents, tuple(_repeated(text, tree)), root=tree)


def _found(value: Any, limits: Limits) -> list[tuple[Pointer, dict[str, Any]]]:
    found = [*islice(_objects(value, ()), limits.documents + 1)]
    if len(found) > limits.documents:
        raise YamlError("too_many_documents", f"more than {limits.documents:,} objects in one list", 1)
    return found


def _repeated(text: str, root: Node) -> Iterator[ParseProblem]:
    duplicates = duplicate_keys(root)
    if not duplicates:
        return
    lines = LineIndex(text)
    for each in duplicates:
        yield ParseProblem(
            lines.line(each.offset), "duplicate_key", f"The key `{each.key}` stands twice; the last counts.", True
        )


def _objects(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """The objects of the kinds that rules read, lists and OpenShift templates unpacked."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return
    if kind in KINDS:
        yield pointer, value
    elif kind in LISTS:
        items = value.get(LISTS[kind])
        inherited = {} if kind in {"List", "Template"} else _of_item(value, kind)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from _objects({**inherited, **item}, (*pointer, LISTS[kind], index))


def _of_item(value: dict[str, Any], kind: str) -> dict[str, Any]:
    """What the items of a DeploymentList leave out: they are Deployments of its API version."""
    return {"apiVersion": value.get("apiVersion"), "kind": kind.removesuffix("List")}


def _document(origin: SourceRef, pointer: Pointer, found: dict[str, Any]) -> Document:
    metadata = found.get("metadata")
    names = metadata if isinstance(metadata, dict) else {}
    group, slash, _ = _text(found.get("apiVersion")).rpartition("/")
    kind = found["kind"]
    ref = ObjectRef(kind, _text(names.get("namespace")), _text(names.get("name")), group if slash else "")
    return Document(origin.path, origin.number, pointer, found, ref, is_fragment(kind, found), origin.root)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _doubt(text: str, error: YamlError) -> ParseProblem:
    template = TEMPLATE_OPENING.search(text) if error.code == "syntax" else None
    if template is not None:
        line = text.count("\n", 0, template.start()) + 1
        message = f"The file is a template (`{template.group()}`): only what it renders to could be judged."
        return ParseProblem(line, "template", message, looks_like_object(text))
    message = f"This cannot be read as YAML: {error.message}."
    return ParseProblem(error.line or 1, error.code, message, looks_like_object(text))


def looks_like_object(text: str) -> bool:
    return "apiVersion" in text and kinds.IN_TEXT.search(text) is not None
