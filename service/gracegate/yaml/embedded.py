"""YAML that is written out in a block scalar of another document, as a patch in a kustomization is."""

from __future__ import annotations

from typing import NamedTuple

from gracegate.model import Limits, Pointer
from gracegate.yaml.lines import LineIndex
from gracegate.yaml.lookup import lookup_path
from gracegate.yaml.nodes import Node, ScalarNode, YamlDocument
from gracegate.yaml.parser import parse_yaml


class EmbeddedDocument(NamedTuple):
    """A document in the scalar at `holder`: each of its lines is one of the outer text behind `indent`.

    `document` counts its lines in the outer text; `pointer` leads on, from its root. `keeps_blank_lines` says whether
    blank lines at its end belong to the scalar.
    """

    document: YamlDocument
    holder: Pointer
    pointer: Pointer
    indent: str
    keeps_blank_lines: bool

    def scalar(self, edited: str) -> str:
        """What the scalar holds after its document became the `edited` text."""
        if self.keeps_blank_lines:
            return edited
        return edited.rstrip("\n") + ("\n" if self.document.text.endswith("\n") else "")


def embedded_document(text: str, root: Node, pointer: Pointer, limits: Limits | None = None) -> EmbeddedDocument | None:
    """The document into which a pointer leads; None if it leads into no literal block scalar.

    Raises YamlError where what is in the scalar cannot be read.
    """
    steps = lookup_path(root, pointer)
    holder, rest = pointer[: len(steps) - 1], pointer[len(steps) - 1 :]
    scalar = steps[-1].node
    if not rest or not isinstance(scalar, ScalarNode) or scalar.style != "|":
        return None
    lines = LineIndex(text)
    header = lines.line(scalar.start)
    indent = _indent(text.split("\n")[header:], scalar.text)
    inner = None if indent is None else parse_yaml(scalar.text, limits)
    if indent is None or inner is None:
        return None
    document = YamlDocument(scalar.text, inner, LineIndex(scalar.text), header + 1)
    keeps = "+" in text[scalar.start : text.find("\n", scalar.start)].partition("#")[0]
    return EmbeddedDocument(document, holder, rest, indent, keeps)


def _indent(outer: list[str], text: str) -> str | None:
    """What stands before each line of a block's text; None where the lines are not those below its first line."""
    lines = text.removesuffix("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line), None)
    if first is None or len(outer) < len(lines):
        return None
    outer = [line.removesuffix("\r") for line in outer[: len(lines)]]
    indent = outer[first].removesuffix(lines[first])
    same = all(
        line == indent + inner or (not inner and not line.strip(" ")) for line, inner in zip(outer, lines, strict=True)
    )
    return indent if same and indent and not indent.strip(" ") else None
