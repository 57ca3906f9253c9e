"""Random values written in random layouts, for property tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

WORDS = (
    "web",
    "api",
    "a b",
    "/healthz",
    "x:1",
    "yes",
    "0644",
    "1:30",
    "",
    " padded ",
    "#no",
    "é😀",
    "- dash",
    "{{ x }}",
)
KEYS = ("name", "image", "ports", "env", "data", "app.kubernetes.io/name", "a b", "on", "1", "é", "readinessProbe")

scalars = st.one_of(
    st.sampled_from(WORDS),
    st.integers(-5, 70000),
    st.booleans(),
    st.none(),
    st.sampled_from((0.5, 1.25)),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=6),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
entries = st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=5)


@dataclass(frozen=True)
class Layout:
    """How one file is written. `seed` decides every choice in it; `flow_share` of ten collections are in brackets."""

    step: int
    offset: int
    gap: int
    flow_share: int
    comments: bool
    newline: str
    bom: bool
    final_newline: bool
    seed: int


layouts = st.builds(
    Layout,
    step=st.sampled_from((2, 2, 2, 4, 1, 3)),
    offset=st.sampled_from((0, 2, 2, 1)),
    gap=st.sampled_from((1, 1, 1, 3)),
    flow_share=st.sampled_from((0, 0, 3, 8)),
    comments=st.booleans(),
    newline=st.sampled_from(("\n", "\n", "\r\n")),
    bom=st.sampled_from((False, False, False, True)),
    final_newline=st.sampled_from((True, True, False)),
    seed=st.integers(0, 2**16),
)


class Writer:
    """Writes a value in block style, with flow collections, comments, blank lines and block scalars by chance."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._state = layout.seed

    def document(self, value: dict[str, Any]) -> str:
        return "\n".join(self._mapping(value, 0)) + "\n"

    def _roll(self, sides: int) -> int:
        self._state = (self._state * 1103515245 + 12345) % 2**31
        return (self._state >> 8) % sides

    def _comment_lines(self, column: int) -> list[str]:
        if not self.layout.comments or self._roll(4):
            return []
        return [("", " " * column + "# note", "# at the left", " " * (column // 2) + "# far")[self._roll(4)]]

    def _end_comment(self) -> str:
        return "  # why" if self.layout.comments and not self._roll(5) else ""

    def _mapping(self, value: dict[str, Any], column: int) -> list[str]:
        lines: list[str] = []
        for number, (key, child) in enumerate(value.items()):
            lines += self._comment_lines(column) if number else []
            lines += self._entry(key, child, column)
        return lines

    def _entry(self, key: str, child: Any, column: int) -> list[str]:
        is_word = key.isascii() and key.isalpha() and key != "on"
        head = " " * column + (key if is_word and self._roll(4) else json.dumps(key, ensure_ascii=False)) + ":"
        if child is None and self._roll(2):
            return [head + self._end_comment()]
        if self._is_block_text(child):
            return [f"{head} |-", *(" " * (column + self.layout.step) + line for line in child.split("\n"))]
        if not self._is_block(child):
            return [f"{head} {self._inline(child)}{self._end_comment()}"]
        noise = self._comment_lines(column + self.layout.step)
        if isinstance(child, dict):
            return [head + self._end_comment(), *noise, *self._mapping(child, column + self.layout.step)]
        return [
            head + self._end_comment(),
            *noise,
            *self._list(child, column + min(self.layout.offset, self.layout.step)),
        ]

    def _list(self, value: list[Any], column: int) -> list[str]:
        lines: list[str] = []
        for number, child in enumerate(value):
            lines += self._comment_lines(column) if number else []
            dash = " " * column + "-" + " " * self.layout.gap
            inner = column + 1 + self.layout.gap
            if not self._is_block(child):
                lines.append(dash + self._inline(child) + self._end_comment())
                continue
            block = self._mapping(child, inner) if isinstance(child, dict) else self._list(child, inner)
            lines += [dash + block[0].lstrip(" "), *block[1:]]
        return lines

    def _is_block_text(self, child: Any) -> bool:
        return isinstance(child, str) and child.isascii() and child.strip() == child != "" and not self._roll(4)

    def _is_block(self, child: Any) -> bool:
        return isinstance(child, dict | list) and bool(child) and self._roll(10) >= self.layout.flow_share

    def _inline(self, child: Any) -> str:
        if isinstance(child, dict):
            return (
                "{"
                + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {self._inline(v)}" for k, v in child.items())
                + "}"
            )
        if isinstance(child, list):
            return "[" + ", ".join(self._inline(item) for item in child) + "]"
        if isinstance(child, str) and child in {"web", "api", "/healthz"}:
            return (child, f"'{child}'", f'"{child}"')[self._roll(3)]
        return json.dumps(child, ensure_ascii=False)


def join_documents(layout: Layout, documents: list[str]) -> str:
    """The documents as one file, with the layout's line breaks, byte order mark and end."""
    text = "---\n".join(documents)
    if not layout.final_newline:
        text = text.removesuffix("\n")
    return ("\ufeff" if layout.bom else "") + text.replace("\n", layout.newline)
