"""The lines that a report shows of the head: as they are, around the place, and nothing without end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.check import check
from gracegate.check.excerpts import find_excerpts
from gracegate.manifests import render_nothing
from gracegate.model import Excerpt, RelatedPlace, SourceFile, Tree
from tests.check.reports import request_of
from tests.outputs.sample_reports import NO_DRAIN
from tests.shop import SERVICE, WITHOUT_DRAIN


@pytest.mark.parametrize(
    ("name", "text", "line", "expected"),
    [
        ("no such line", "a\n", 9, None),
        ("no line known", "a\n", 0, None),
        ("one line", "a", 1, (1, ("a",))),
        ("its surroundings", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", 5, (2, (*"23456789", "10", "11"))),
        ("nothing at its end", "1\n2\n\n  \n", 1, (1, ("1", "2"))),
        ("line breaks of Windows", "\ufeff1\r\n2\r\n", 2, (1, ("1", "2"))),
        ("only line feeds end lines", "1\u20281\x0c\n2", 2, (1, ("1\u20281\x0c", "2"))),
        ("no UTF-8", "\udcff", 1, (1, ("\ufffd",))),
        ("a long line", "x" * 1000, 1, (1, ("x" * 239 + "…",))),
    ],
)
def test_excerpts(name: str, text: str, line: int, expected: tuple[int, tuple[str, ...]] | None) -> None:
    head = Tree({"a.yaml": SourceFile("a.yaml", text.encode("utf-8", "surrogateescape"))})
    found = find_excerpts([replace(NO_DRAIN, file="a.yaml", line=line, related=())], head)
    assert found == (() if expected is None else (Excerpt("a.yaml", line, *expected),))


def test_a_related_place_is_its_line_alone() -> None:
    head = Tree({"a.yaml": SourceFile("a.yaml", b"1\n2\n3\n4\n")})
    related = (RelatedPlace(NO_DRAIN.object, "a.yaml", 2), RelatedPlace(NO_DRAIN.object, "elsewhere.yaml", 2))
    found = find_excerpts([replace(NO_DRAIN, file="a.yaml", line=4, related=related)], head)
    assert found == (Excerpt("a.yaml", 2, 2, ("2",)), Excerpt("a.yaml", 4, 1, ("1", "2", "3", "4")))


def test_a_check_has_excerpts_of_its_findings() -> None:
    request = request_of({"service.yaml": SERVICE}, {"service.yaml": SERVICE, "web.yaml": WITHOUT_DRAIN})
    shown = check(request, render_nothing).excerpts
    assert [(one.file, one.line, one.lines[one.line - one.start].strip()) for one in shown] == [
        ("service.yaml", 3, "metadata: {name: web}"),
        ("web.yaml", 14, "- name: web"),
    ]
