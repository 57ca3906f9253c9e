"""The playground in Chromium, as a person uses it: it reviews what is written while that is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gracegate.review import Playground
from gracegate.review import playground as review_room
from gracegate.web.local_playground import create_local_app
from tests.browser.browser import Browser
from tests.browser.serving import served
from tests.browser.test_pages import SCREENS, check_page

IS_REVIEWED = "!!document.querySelector('#review:not([aria-busy]) .verdict')"
MARKED = """
[...document.querySelectorAll(".numbers [class]")].map(
  (one) => [one.closest(".editor").querySelector("textarea").id, one.className, one.textContent])
"""
FINDINGS = "[...document.querySelectorAll('#review .finding h4')].map((one) => one.textContent.split('\\n')[0])"
# As a key press does it.
TYPE = """
((id, old, replacement) => {
  document.querySelector("#review .verdict").remove();
  const text = document.getElementById(id);
  text.value = text.value.replace(old, replacement);
  text.dispatchEvent(new Event("input", {bubbles: true}));
})
"""
SELECTED = "((text) => text.value.slice(text.selectionStart, text.selectionEnd))(document.activeElement)"
BUILT_IN = ["Error: Container stops before traffic does", "Warning: Node drain can evict all pods at once"]
OWN = "Warning: A pod that fails at once counts as available"


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory, opa: Path) -> Iterator[str]:
    reviews = Playground(opa, tmp_path_factory.mktemp("cache"))
    with pytest.MonkeyPatch.context() as patch, served(create_local_app(reviews, None)) as address:
        # However busy the machine is.
        patch.setattr(review_room, "_SECONDS", 600.0)
        yield address


def test_what_is_written_is_reviewed(browser: Browser, playground: str) -> None:
    browser.look_as(1280, is_dark=False)
    browser.open(f"{playground}/")
    browser.wait_until(IS_REVIEWED)
    assert browser.run(FINDINGS) == [*BUILT_IN, OWN]
    assert browser.run(MARKED) == [
        ["manifests", "warning", "4"],
        ["manifests", "warning", "5"],
        ["manifests", "error", "16"],
    ]
    assert "without minReadySeconds: shop" in browser.run("document.getElementById('review').textContent")
    for width, is_dark in SCREENS.values():
        browser.look_as(width, is_dark=is_dark)
        check_page(browser)

    browser.run("document.querySelector('#review a[href=\"#manifests:16\"]').click()")
    chosen = (
        "document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert browser.run(chosen) == "      - name: shop"

    browser.run(f"{TYPE}('manifests', 'replicas: 3', 'replicas: 3\\n  minReadySeconds: 10')")
    browser.wait_until(IS_REVIEWED)
    assert browser.run(FINDINGS) == BUILT_IN

    browser.run(f"{TYPE}('rego', 'text.format', 'text.fromat')")
    browser.wait_until(IS_REVIEWED)
    assert browser.run(FINDINGS) == BUILT_IN
    assert ["rego", "error", "29"] in browser.run(MARKED)

    # All of it is in the address, also for somebody else.
    address = browser.run("location.href")
    browser.open("about:blank")
    browser.open(address)
    browser.wait_until(IS_REVIEWED)
    assert ["rego", "error", "29"] in browser.run(MARKED)
    texts = browser.run("[...document.querySelectorAll('textarea')].map((one) => one.value)")
    assert ["text.fromat" in texts[0], "minReadySeconds: 10" in texts[1], texts[2]] == [True, True, ""]


def test_the_example_of_a_rule_is_tried_from_its_page(browser: Browser, playground: str) -> None:
    browser.look_as(1280, is_dark=False)
    browser.open(f"{playground}/rules/probe-removed")
    link = browser.run("document.querySelector('#try-it + p a').href")
    browser.open(link)
    browser.wait_until(IS_REVIEWED)
    assert browser.run(FINDINGS) == ["Warning: Container is restarted while it still starts"]
    check_page(browser)
