"""What is to be known about rendered roots although it is no fault: what stands in for what, and what runs them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gracegate.check.trees import ComparedTrees
from gracegate.model import Problem, Root

_SHOWN = 3


def render_notes(trees: ComparedTrees) -> Iterator[Problem]:
    """One note for all stand-ins, and one for each tag or branch that is applied in place of this change."""
    components, rendered = trees.head.tree.files.components, sorted(trees.head.tree.judged)
    stand_ins = {root: components.stand_ins(root) for root in rendered}
    if any(stand_ins.values()):
        paths = _shown(sorted(set().union(*stand_ins.values())))
        message = f"Rendered with nothing in place of {paths}: no rule reads what is in a Secret or a ConfigMap."
        first = next(root for root in rendered if stand_ins[root])
        yield Problem(components.file_of(first), 0, "stand_in", message, is_manifest=False)
    by_revision: dict[str, list[Root]] = defaultdict(list)
    for root in rendered:
        revisions = components.revisions_of(root)
        if revisions and "" not in revisions:
            by_revision[min(revisions)].append(root)
    for revision, roots in by_revision.items():
        names = _shown([root.name for root in roots])
        message = f"Revision `{revision}` of {names} is applied: this change reaches it when that revision has it."
        yield Problem(components.file_of(roots[0]), 0, "other_revision", message, is_manifest=False)


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:_SHOWN]) + more
