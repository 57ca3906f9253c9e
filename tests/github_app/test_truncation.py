"""Cut texts: within the limit, without half characters, with all blocks closed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gracegate.github_app.truncation import clip, clip_line

NOTE = "_cut_"
ITEMS = "".join(f"- item {number:04}\n" for number in range(200))


def test_a_short_text_is_not_cut() -> None:
    assert clip("short\n", 6, NOTE) == "short\n"
    assert clip_line("short", 5) == "short"


def test_whole_lines_are_kept() -> None:
    kept = "".join(f"- item {number:04}\n" for number in range(7))
    assert clip(ITEMS, 200 + len(NOTE) + 95, NOTE) == f"{kept}\n{NOTE}"


def test_a_line_that_is_too_long_is_dropped() -> None:
    assert clip("x" * 400, 300, NOTE) == NOTE


def test_blocks_that_the_cut_leaves_open_are_closed() -> None:
    text = "<details>\n\n````yaml\n```\n" + ITEMS
    kept = "<details>\n\n````yaml\n```\n- item 0000\n- item 0001\n- item 0002"
    assert clip(text, 200 + len(NOTE) + 65, NOTE) == f"{kept}\n````\n\n</details>\n\n{NOTE}"


def test_a_closed_fence_is_not_closed_again() -> None:
    text = "```yaml\na\n```\n" + ITEMS
    assert clip(text, 200 + len(NOTE) + 30, NOTE) == f"```yaml\na\n```\n- item 0000\n\n{NOTE}"


TEXTS = st.text(st.sampled_from("a€😀\n`<~ "), max_size=800) | st.text(max_size=800)


@given(TEXTS, st.integers(250, 900))
def test_never_over_the_limit(text: str, limit: int) -> None:
    cut = clip(text, limit, NOTE)
    assert len(cut.encode()) <= limit
    assert cut == text or cut.endswith(NOTE)


@given(st.text(), st.integers(3, 40))
def test_a_line_is_never_over_the_limit(text: str, limit: int) -> None:
    cut = clip_line(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or text.startswith(cut[:-1])
