"""Line breaks of a file."""

from __future__ import annotations

import pytest

from gracegate.yaml import has_final_newline, newline_style


@pytest.mark.parametrize(
    ("text", "style", "final"),
    [("", "\n", True), ("a\nb", "\n", False), ("a\r\nb\r\n", "\r\n", True), ("a\r\nb\n", "mixed", True)],
)
def test_newline_style_and_final_newline(text: str, style: str, *, final: bool) -> None:
    assert (newline_style(text), has_final_newline(text)) == (style, final)
