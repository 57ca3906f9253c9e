"""The tables that the acceptance runs print, and their progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence


def log_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Prints rows under their keys; all rows have the same keys. Numbers are aligned to the right."""
    if not rows:
        print("no rows", flush=True)
        return
    names = list(rows[0])
    cells = [[_text(row[name]) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    right = [all(isinstance(row[name], int | float) for row in rows) for name in names]
    for line in (names, ["-" * width for width in widths], *cells):
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        )
        print("  ".join(padded).rstrip(), flush=True)


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
