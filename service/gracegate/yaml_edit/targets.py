"""The node that an operation edits, with the text around it, and the plans to edit it."""

from __future__ import annotations

from dataclasses import dataclass

from gracegate.yaml import LineIndex, MappingNode, Node, PathStep, SequenceNode, resolve_alias
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.formatting import BlockStyle, FlowStyle
from gracegate.yaml_edit.splices import Splice


@dataclass(frozen=True, slots=True)
class EditPlan:
    """One way to make an edit. `offset` is on the line that it rewrites, or below which it inserts lines."""

    splices: tuple[Splice, ...]
    offset: int
    rewrites_line: bool = False


@dataclass(frozen=True, slots=True)
class EditTarget:
    """`steps` lead from the document's root to the node to edit."""

    text: str
    lines: LineIndex
    steps: tuple[PathStep, ...]

    @property
    def node(self) -> Node:
        return resolve_alias(self.steps[-1].node)

    @property
    def key(self) -> Node | None:
        return self.steps[-1].key

    @property
    def parent(self) -> EditTarget | None:
        return None if len(self.steps) == 1 else EditTarget(self.text, self.lines, self.steps[:-1])

    @property
    def is_in_flow(self) -> bool:
        """True if the node is inside brackets or braces, as everything in a JSON document is."""
        ancestors = self._nodes_upwards[1:]
        return any(isinstance(node, MappingNode | SequenceNode) and node.is_flow for node in ancestors)

    @property
    def block_style(self) -> BlockStyle:
        return layout.block_style(self._nodes_upwards, self.lines)

    @property
    def flow_style(self) -> FlowStyle:
        return layout.flow_style(self._nodes_upwards, self.text)

    @property
    def _nodes_upwards(self) -> list[Node]:
        """The node and its ancestors, the nearest first."""
        return [resolve_alias(step.node) for step in reversed(self.steps)]

    def indent(self, offset: int) -> str | None:
        """The white space before `offset` on its line; None if anything else is before it."""
        before = self.text[self.lines.start(offset) : offset].removeprefix("\ufeff")
        return None if before.strip(" \t") else before

    def own_line_indent(self, offset: int) -> str | None:
        """The indentation of an entry of this flow collection that starts at `offset`.

        None if the entry does not start a line, or starts on the line of the opening bracket.
        """
        if self.lines.line(self.node.start) == self.lines.line(offset):
            return None
        return self.indent(offset)

    def indent_step(self, indent: str) -> str:
        """What the `indent` of this flow collection's entries adds to that of the line where the collection starts."""
        line = self.text[self.lines.start(self.node.start) : self.node.start]
        outer = line[: len(line) - len(line.lstrip(" \t"))]
        return indent.removeprefix(outer) or "  "

    def insert_below(self, offset: int, new_lines: list[str]) -> Splice:
        """Inserts lines below the line with `offset`."""
        end = self.lines.end(offset)
        newline = self.lines.newline(offset)
        return Splice(end, end, "".join(newline + line for line in new_lines))

    def insert_above(self, offset: int, new_lines: list[str]) -> Splice:
        """Inserts lines before the text at `offset`, which moves to a line of its own at the same column."""
        newline = self.lines.newline(offset)
        joined = newline.join([*new_lines, " " * self.lines.column(offset)])
        return Splice(offset, offset, joined.lstrip(" "))
