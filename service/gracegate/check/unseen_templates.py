"""Changed lines of templates that are in nothing that their chart renders to: nobody has evaluated what they make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gracegate.check.rendered import roots_of_templates
from gracegate.check.trees import ComparedTrees
from gracegate.model import Problem, SourceLine

_SHOWN = 3


def unseen_templates(trees: ComparedTrees) -> Iterator[Problem]:
    """One problem for each chart of whose changed lines some are in none of its renderings, with all values that are
    known; where none of its roots renders, that is said elsewhere."""
    tree = trees.head.tree
    unseen: dict[str, list[SourceLine]] = defaultdict(list)
    for path, lines in sorted(trees.changed_templates.items()):
        roots = roots_of_templates(tree, [path])
        if roots and not trees.request.config.excludes(path):
            seen = frozenset[SourceLine]().union(*(tree.roots[root].template_lines for root in roots))
            unseen[tree.files.components.charts.chart_of(path) or ""] += sorted(lines - seen)
    for of_chart in filter(None, unseen.values()):
        path = of_chart[0].path
        numbers = [line.line for line in of_chart if line.path == path]
        others = len({line.path for line in of_chart}) - 1
        more = "" if not others else " and 1 other file" if others == 1 else f" and {others} other files"
        message = (
            f"What {_lines(numbers)} of this template{more} would make is not evaluated, because no values in this "
            "repository turn it on."
        )
        yield Problem(path, numbers[0], "not_rendered", message)


def _lines(numbers: list[int]) -> str:
    """Line numbers as they are read aloud, the first few of many."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if len(numbers) > _SHOWN:
        return f"lines {', '.join(map(str, numbers[:_SHOWN]))} and {len(numbers) - _SHOWN} more"
    return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
