"""Charts of the dashboard as SVG inside a page: the stylesheet colours them, and each says its numbers in words too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from gracegate.outputs.phrasing import enumeration, plural

Outcome = Literal["fail", "incomplete", "remarks", "pass"]
"""How a review ended, the worst first."""
OUTCOMES: Mapping[Outcome, str] = {
    "fail": "failed",
    "incomplete": "incomplete",
    "remarks": "passed with remarks",
    "pass": "passed",
}
# So that they differ without their colours.
_HEIGHTS: Mapping[Outcome, int] = {"fail": 18, "incomplete": 14, "remarks": 9, "pass": 5}
_BAR, _STRIP_HEIGHT = 6, 18
_WEEK, _WEEKS_HEIGHT = 44, 120


def tally(outcomes: Sequence[Outcome]) -> str:
    """`12 reviews: 2 failed, 10 passed`."""
    counts = [f"{outcomes.count(one)} {words}" for one, words in OUTCOMES.items() if one in outcomes]
    return f"{plural(len(outcomes), 'review')}: {', '.join(counts)}" if outcomes else "no review"


def strip(outcomes: Sequence[Outcome]) -> str:
    """A bar for each review, the oldest first: the worse, the taller."""
    bars = "".join(
        f'<rect class="c-{one}" x="{number * _BAR}" y="{_STRIP_HEIGHT - _HEIGHTS[one]}" width="{_BAR - 1}"'
        f' height="{_HEIGHTS[one]}"/>'
        for number, one in enumerate(outcomes)
    )
    width = max(1, len(outcomes)) * _BAR
    return (
        f'<svg class="strip" role="img" aria-label="{tally(outcomes)}" width="{width}" height="{_STRIP_HEIGHT}"'
        f' viewBox="0 0 {width} {_STRIP_HEIGHT}">{bars}</svg>'
    )


def weeks(columns: Sequence[tuple[str, Mapping[Outcome, int]]]) -> str:
    """A stacked column for each week, which begins with the day that is its name."""
    most = max((sum(counts.values()) for _, counts in columns), default=0) or 1
    parts = []
    for number, (day, counts) in enumerate(columns):
        bottom = float(_WEEKS_HEIGHT)
        for one in reversed([*OUTCOMES]):
            height = counts.get(one, 0) / most * (_WEEKS_HEIGHT - 14)
            bottom -= height
            if height:
                place = f'x="{number * _WEEK + 6}" y="{bottom:.1f}" width="{_WEEK - 12}" height="{height:.1f}"'
                parts.append(f'<rect class="c-{one}" {place}/>')
        middle = number * _WEEK + _WEEK // 2
        if total := sum(counts.values()):
            parts.append(f'<text x="{middle}" y="{bottom - 3:.1f}">{total}</text>')
        parts.append(f'<text class="c-day" x="{middle}" y="{_WEEKS_HEIGHT + 14}">{day[5:]}</text>')
    words = enumeration([f"week of {day}: {_counts(counts)}" for day, counts in columns])
    width, height = max(1, len(columns)) * _WEEK, _WEEKS_HEIGHT + 20
    return (
        f'<svg class="weeks" role="img" aria-label="{words}" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}">{"".join(parts)}</svg>'
    )


def bar(value: int, most: int) -> str:
    """A bar beside a number, which says the same."""
    width = max(1.0, value / max(most, 1) * 100)
    return (
        '<svg class="bar-of" aria-hidden="true" viewBox="0 0 100 10" width="100" height="10">'
        f'<rect width="{width:.1f}" height="10"/></svg>'
    )


def _counts(counts: Mapping[Outcome, int]) -> str:
    return ", ".join(f"{counts[one]} {words}" for one, words in OUTCOMES.items() if counts.get(one)) or "no review"
