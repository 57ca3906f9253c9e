"""Text that another program renders to a manifest: Helm and Jinja by their opening braces, ytt by its comments."""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter

from gracegate.yaml.nodes import Node, ScalarNode, descendants
from gracegate.yaml.variables import YTT

TEMPLATE_OPENING = re.compile(r"\{\{|\{%")
_OPENING = re.compile(rf"{TEMPLATE_OPENING.pattern}|(?:^|(?<=\s)){YTT}", re.MULTILINE)


def is_template(text: str, root: Node) -> bool:
    """True if an opening is outside quoted and block scalars: inside them it may be meant for another program."""
    openings = [match.start() for match in _OPENING.finditer(text)]
    if not openings:
        return False
    quoted = sorted((n.start, n.end) for n in descendants(root) if isinstance(n, ScalarNode) and n.style)
    return not all(_is_within(opening, quoted) for opening in openings)


def _is_within(offset: int, spans: list[tuple[int, int]]) -> bool:
    """`spans` are sorted and disjoint."""
    index = bisect_right(spans, offset, key=itemgetter(0)) - 1
    return index >= 0 and offset < spans[index][1]
