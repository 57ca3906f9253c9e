"""The page of a report: complete, one file or with the stylesheet of a server, and safe whatever manifests say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gracegate.model import Report
from gracegate.outputs import html
from tests.outputs import sample_reports as samples
from tests.outputs.golden_files import CONTEXT

TAGS = """
a article body br code details div footer h1 h2 h3 h4 head header html i img li link main meta nav ol p path pre
section span strong style summary svg table tbody td th thead title tr ul
"""
ATTRIBUTES = """
alt aria-hidden aria-label charset class content d href http-equiv id lang name open rel scope src tabindex viewbox
"""
VOID = {"br", "img", "link", "meta"}


class Page(HTMLParser):
    """Fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data

    def values(self, name: str) -> Iterator[str]:
        return (value for _, attributes in self.tags if (value := attributes.get(name)) is not None)


@pytest.mark.parametrize(
    "report", [samples.FAIL, samples.CLEAN, samples.NOTHING, samples.REMARKS, samples.SPLIT, samples.INCOMPLETE]
)
@pytest.mark.parametrize("context", [html.ReportContext(), CONTEXT], ids=["one file", "served"])
def test_a_page_is_complete(report: Report, context: html.ReportContext) -> None:
    page = Page(html.render_report(report, context))
    ids = [*page.values("id")]
    assert len(ids) == len(set(ids))
    local = {href.removeprefix("#") for href in page.values("href") if href.startswith("#")}
    assert local <= set(ids)
    loaded = [attributes for tag, attributes in page.tags if tag in {"link", "img"}]
    assert [one.get("href") for one in loaded] == ([context.stylesheet] if context.stylesheet else [])


def test_what_manifests_say_stays_text() -> None:
    page = Page(html.render(samples.HOSTILE))
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())
    assert {name for _, attributes in page.tags for name in attributes} <= set(ATTRIBUTES.split())
    assert all(href.startswith("#") for href in page.values("href"))
    assert all(src.startswith("data:image/svg+xml;base64,") for src in page.values("src"))
    assert "<img src=x onerror=alert(1)>" in page.text
    assert not {"\x1b", "\u202e"} & set(page.text)


def test_each_finding_has_its_link_and_its_lines() -> None:
    page = html.render_report(samples.FAIL, CONTEXT)
    assert page.count('id="f-prestop-drain-missing@apps/reviews.yaml"') == 1
    assert '<span class="marked"><i>19</i>        - name: reviews\n</span>' in page
    assert "<i>21</i>          &lt;b&gt;&amp;amp;\n" in page
    assert f'href="{CONTEXT.files_url}/apps/reviews.yaml#L19"' in page


def test_a_picture_shows_what_a_rollout_loses() -> None:
    report = replace(samples.FAIL, rollouts=(samples.REVIEWS_ROLLOUT,))
    page = html.render(report)
    assert page.count('<img class="rollout" src="data:image/svg+xml;base64,') == 1
    assert '<strong class="error">like 10 s of outage</strong>' in page
    # What has no number or loses nothing has no picture.
    for before in ("unserved", samples.REVIEWS_ROLLOUT.after):
        assert html.draw_rollouts([replace(samples.REVIEWS_ROLLOUT, before=before)]) == ()


def test_what_is_too_much_is_counted() -> None:
    page = html.render(samples.BIG)
    assert len(re.findall('<article class="finding"', page)) == html.MAX_FINDINGS
    assert "400 more findings left out" in page
