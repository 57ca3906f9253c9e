"""Text that another program turns into a manifest, recognised by its marks."""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter

from gracegate.yaml.lookup import descendants
from gracegate.yaml.nodes import Node, ScalarNode

TEMPLATE_OPENING = re.compile(r"\{\{|\{%")


def is_template(text: str, root: Node) -> bool:
    """True if a mark stands in a comment, a plain scalar or between: what is quoted may be meant for somebody else."""
    marks = [match.start() for match in TEMPLATE_OPENING.finditer(text)]
    if not marks:
        return False
    quoted = sorted((n.start, n.end) for n in descendants(root) if isinstance(n, ScalarNode) and n.style)
    return not all(_is_within(mark, quoted) for mark in marks)


def _is_within(offset: int, spans: list[tuple[int, int]]) -> bool:
    """`spans` are sorted and disjoint."""
    index = bisect_right(spans, offset, key=itemgetter(0)) - 1
    return index >= 0 and offset < spans[index][1]
