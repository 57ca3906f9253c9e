"""Cuts texts to the length that GitHub accepts."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def clip(text: str, limit: int, note: str) -> str:
    """At most `limit` bytes of UTF-8: whole lines, the end of blocks that the cut leaves open, then `note`."""
    if len(text.encode()) <= limit:
        return text
    available = limit - len(note.encode()) - 200
    kept = text.encode()[: max(0, available)].decode(errors="ignore")
    kept = kept[: kept.rfind("\n")] if "\n" in kept else ""
    return f"{kept}{_block_ends(kept)}\n\n{note}".lstrip("\n")


def clip_line(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, without half characters."""
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - 3].decode(errors="ignore") + "…"


def _block_ends(kept: str) -> str:
    fence = _open_fence(kept)
    details = max(0, kept.count("<details") - kept.count("</details>"))
    return (f"\n{fence}" if fence else "") + "\n\n</details>" * min(details, 5)


def _open_fence(kept: str) -> str:
    """The code fence that is open at the end; a fence of the same kind and at least its length ends it."""
    fence = ""
    for match in _FENCE.finditer(kept):
        mark = match[1]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    return fence
