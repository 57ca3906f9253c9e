"""Trees and diffs made from texts, as git and GitHub would give them, and the reports about them."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import replace

from gracegate.check import CheckRequest, check
from gracegate.manifests import render_nothing
from gracegate.model import FileDiff, Hunk, PinnedSource, Render, Report, SourceFile, Tree
from gracegate.policy import PolicySet, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.repo_config import parse_repo_config

CONTEXT = 3
TODAY = dt.date(2026, 11, 24)
ENGINE = WasmEngine()
CATALOG = load_builtin()
BUILTIN = PolicySet(CATALOG, ENGINE.engine, ENGINE.evaluate)


def report_of(
    base,
    head,
    *,
    config: str = "",
    evaluate=ENGINE.evaluate,
    head_config: str | None = None,
    max_verified_fixes: int | None = None,
) -> Report:
    request = request_of(base, head, config, head_config, max_verified_fixes)
    return check(replace(request, policies=(replace(BUILTIN, evaluate=evaluate),)), render_nothing)


def request_of(
    base, head, config: str = "", head_config: str | None = None, max_verified_fixes: int | None = None
) -> CheckRequest:
    return CheckRequest(
        head=tree(head),
        config=parse_repo_config(config, CATALOG.rules),
        policies=(BUILTIN,),
        today=TODAY,
        base=None if base is None else tree(base),
        diff=None if base is None else diff(base, head),
        head_config=head_config,
        max_verified_fixes=max_verified_fixes,
    )


def said_over(
    fetched: Mapping[PinnedSource, Tree], base, head, render: Render
) -> tuple[list[tuple[str, str, str | None]], list[str]]:
    """What a check says where this was fetched for both trees: rule, place and the file of the suggestion, or why there
    is none, of each new finding; and the messages of problems."""
    request = request_of(base, head)
    before, after = (replace(one, fetched=fetched) for one in (request.base, request.head))
    report = check(replace(request, base=before, head=after), render)
    new = [f for f in report.findings if f.status != "pre-existing" and f.rule != "pdb-missing"]
    changed = {suggestion.id: suggestion.file for suggestion in report.suggestions}
    said = [(f.rule, f"{f.file}:{f.line}", changed.get(f.suggestion or "", f.no_suggestion)) for f in new]
    return said, [problem.message for problem in report.problems]


def tree(files: Mapping[str, str]) -> Tree:
    return Tree({path: SourceFile(path, text.encode(), _blob(text)) for path, text in files.items()})


def diff(base: Mapping[str, str], head: Mapping[str, str]) -> tuple[FileDiff, ...]:
    changes = []
    for path in sorted(base.keys() | head.keys()):
        if path not in head:
            changes.append(FileDiff(path, "removed", None, ()))
        elif base.get(path) != head[path]:
            hunks = tuple(_hunks(base.get(path, ""), head[path]))
            changes.append(FileDiff(path, "modified" if path in base else "added", None, hunks))
    return tuple(changes)


def _hunks(old: str, new: str):
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[-1][4] > group[0][3]:
            yield Hunk(group[0][3] + 1, group[-1][4])


def _blob(text: str) -> str:
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
