"""A comment names everything that its suggestion changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from gracegate.check import check
from gracegate.manifests import read_manifest, render_nothing
from gracegate.model import FileDiff, Hunk, Report, SourceFile, Suggestion
from gracegate.outputs import comment_text
from gracegate.review.comment_plan import NewComment, plan_comments
from tests.closure.corpora import Files, before, corpora, request


@cache
def review_of(name: str) -> tuple[Report, tuple[FileDiff, ...]]:
    """The corpus as a pull request that adds all of its files, or that changes all of their lines."""
    files, base = corpora()[name], before(name)
    change = "added" if base is None else "modified"
    diff = tuple(FileDiff(path, change, None, (Hunk(1, text.count("\n")),)) for path, text in files.items())
    return check(replace(request(files, base=base or {}), diff=diff), render_nothing), diff


def comments_of(name: str) -> Iterator[tuple[NewComment, str]]:
    """The comments with a suggestion, and their text without it."""
    report, diff = review_of(name)
    for comment in plan_comments(report, diff, (), lambda _: None).new_comments:
        if comment.suggestion is not None:
            body = comment_text.comment_body(comment.findings, comment.suggestion, marker="", others=report.findings)
            yield comment, re.sub(r"(`{3,})suggestion\n.*?\1", "", body, flags=re.DOTALL)


def changed_fields(files: Files, suggestion: Suggestion) -> set[frozenset[str]]:
    """For each field that the suggestion changes the names that a comment may use: its own, and those below it."""
    lines = files[suggestion.file].split("\n")
    lines[suggestion.start_line - 1 : suggestion.end_line] = suggestion.text.removesuffix("\n").split("\n")
    before, after = (
        [dict(d.object) for d in read_manifest(SourceFile(suggestion.file, text.encode()), "").documents]
        for text in (files[suggestion.file], "\n".join(lines))
    )
    return set(_differences(before, after, ""))


def _differences(old: Any, new: Any, field: str) -> Iterator[frozenset[str]]:
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        for key in old.keys() | new.keys():
            yield from _differences(old.get(key), new.get(key), key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new, strict=True):
            yield from _differences(one, other, field)
    elif old != new:
        yield frozenset({field, *_only_keys(new)})


def _only_keys(value: Any) -> Iterator[str]:
    while isinstance(value, dict) and len(value) == 1:
        ((key, value),) = value.items()
        yield key


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])
def test_every_change_is_named(name: str) -> None:
    for comment, text in comments_of(name):
        assert comment.suggestion is not None
        for names in changed_fields(corpora()[name], comment.suggestion):
            assert any(re.search(rf"\b{re.escape(name)}\b", text) for name in names), (names, text)


def test_there_are_changes_that_no_message_names() -> None:
    named = [text for name in corpora() for _, text in comments_of(name) if "The fix sets " in text]
    assert len(named) > 5
