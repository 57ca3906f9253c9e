"""Cut texts: never over the limit, never half a character, nothing left open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gracegate.github_app.truncation import clip, clip_line

NOTE = "_cut_"
ITEMS = "".join(f"- item {number:04}\n" for number in range(200))


def test_what_fits_stays_as_it_is() -> None:
    assert clip("short\n", 6, NOTE) == "short\n"
    assert clip_line("short", 5) == "short"


def test_whole_items_are_kept() -> None:
    kept = "".join(f"- item {number:04}\n" for number in range(7))
    assert clip(ITEMS, 200 + len(NOTE) + 95, NOTE) == f"{kept}\n{NOTE}"


def test_one_line_that_is_too_long_goes() -> None:
    assert clip("x" * 400, 300, NOTE) == NOTE


def test_what_the_cut_leaves_open_is_closed() -> None:
    text = "<details>\n\n````yaml\n```\n" + ITEMS
    kept = "<details>\n\n````yaml\n```\n- item 0000\n- item 0001\n- item 0002"
    assert clip(text, 200 + len(NOTE) + 65, NOTE) == f"{kept}\n````\n\n</details>\n\n{NOTE}"


def test_a_fence_that_was_closed_stays_closed() -> None:
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
