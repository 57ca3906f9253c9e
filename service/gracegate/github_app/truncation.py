"""Texts cut to what GitHub takes."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def clip(text: str, limit: int, note: str) -> str:
    """At most `limit` bytes of UTF-8: whole lines, then `note`. What the cut left open is closed before it."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(note.encode()) - 200
    kept = text.encode()[: max(0, room)].decode(errors="ignore")
    kept = kept[: kept.rfind("\n")] if "\n" in kept else ""
    return f"{kept}{_closing(kept)}\n\n{note}".lstrip("\n")


def clip_line(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - 3].decode(errors="ignore") + "…"


def _closing(kept: str) -> str:
    fence = _open_fence(kept)
    details = max(0, kept.count("<details") - kept.count("</details>"))
    return (f"\n{fence}" if fence else "") + "\n\n</details>" * min(details, 5)


def _open_fence(kept: str) -> str:
    """The fence that is open at the end of a text; a fence is closed by one at least as long of its kind."""
    fence = ""
    for found in _FENCE.finditer(kept):
        mark = found[1]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    return fence
