"""A place in a document that is to be edited, and what the text around it looks like."""

from __future__ import annotations

from dataclasses import dataclass

from gracegate.yaml import LineIndex, MappingNode, Node, PathStep, SequenceNode, target
from gracegate.yaml_edit import layout
from gracegate.yaml_edit.formatting import Block, Flow
from gracegate.yaml_edit.splices import Splice


@dataclass(frozen=True, slots=True)
class EditPlan:
    """One way to make an edit; `anchor` is the offset of the line it stands behind, or of the one that it rewrites."""

    splices: tuple[Splice, ...]
    anchor: int
    rewrites: bool = False


@dataclass(frozen=True, slots=True)
class EditTarget:
    """`steps` lead from the document's root to the node that is meant."""

    text: str
    lines: LineIndex
    steps: tuple[PathStep, ...]

    @property
    def node(self) -> Node:
        return target(self.steps[-1].node)

    @property
    def key(self) -> Node | None:
        return self.steps[-1].key

    @property
    def parent(self) -> EditTarget | None:
        return None if len(self.steps) == 1 else EditTarget(self.text, self.lines, self.steps[:-1])

    @property
    def in_flow(self) -> bool:
        """True if the node stands inside brackets, or in a JSON document."""
        return any(isinstance(n, MappingNode | SequenceNode) and n.flow for n in self._nodes[1:])

    @property
    def block_style(self) -> Block:
        return layout.block_style(self._nodes, self.lines)

    @property
    def flow_style(self) -> Flow:
        return layout.flow_style(self._nodes, self.text)

    @property
    def _nodes(self) -> list[Node]:
        """The node and its ancestors, the nearest first."""
        return [target(step.node) for step in reversed(self.steps)]

    def newline(self, offset: int) -> str:
        return self.lines.newline(offset)

    def indent(self, offset: int) -> str | None:
        """The white space before `offset` on its line; None where something else stands there."""
        return layout.indent_of(self.text, self.lines, offset)

    def below(self, offset: int, block: list[str]) -> Splice:
        """Puts whole lines behind the line that holds `offset`."""
        end = self.lines.end(offset)
        return Splice(end, end, "".join(self.newline(offset) + line for line in block))

    def above(self, offset: int, block: list[str]) -> Splice:
        """Puts lines before what stands at `offset`, which moves to a line of its own at the same column."""
        newline = self.newline(offset)
        joined = newline.join([*block, " " * self.lines.column(offset)])
        return Splice(offset, offset, joined.lstrip(" ") if block else "")
