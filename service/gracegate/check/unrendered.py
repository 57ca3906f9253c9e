"""Problems for what only rendering would show: named, so that a check that says nothing of it does not look clean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gracegate.check.trees import ComparedTrees
from gracegate.manifests import Unrendered, unrendered_changes, unrendered_files
from gracegate.model import Limits, Problem

_SHOWN_FILES = 3


def unrendered_problems(trees: ComparedTrees) -> Iterator[Problem]:
    """One for each file or object that the change touches; of a tree without a base, one for each kind of them."""
    request, scope = trees.request, trees.scope
    limits = request.limits or Limits()
    if request.base is not None and scope is not None:
        paths = {p for p in scope.base_paths | scope.head_paths if not request.config.excludes(p)}
        for found in unrendered_changes(request.base.files, request.head.files, paths, limits):
            yield _problem(found.path, f"What {_subject(found)} is not evaluated, because it is not rendered.")
        return
    by_kind: dict[str, list[str]] = defaultdict(list)
    files = {path: source for path, source in request.head.files.items() if trees.is_in_scope(path)}
    for found in unrendered_files(files, limits):
        by_kind[found.kind].append(found.path)
    for kind, found_paths in by_kind.items():
        shown = ", ".join(f"`{path}`" for path in found_paths[:_SHOWN_FILES])
        more = f" and {len(found_paths) - _SHOWN_FILES} more" if len(found_paths) > _SHOWN_FILES else ""
        yield _problem(
            found_paths[0], f"Not evaluated, because nothing of this kind ({kind}) is rendered: {shown}{more}."
        )


def _subject(found: Unrendered) -> str:
    what = found.what
    if "`" not in what:
        what = f"these {what}" if what.endswith("s") else f"this {what}"
    if not found.keys:
        return f"{what} {'make' if what.endswith('s') else 'makes'}"
    keys = " and ".join(f"`{key}`" for key in found.keys)
    return f"{keys} of {what} {'changes' if len(found.keys) == 1 else 'change'}"


def _problem(path: str, message: str) -> Problem:
    return Problem(path, 1, "not_rendered", message)
