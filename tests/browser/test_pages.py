"""The pages in Chromium: axe-core finds no fault, and nothing is wider than the screen of a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.outputs import render_report
from gracegate.outputs.html import ReportContext, draw_rollouts
from gracegate.review.report_pages import write_page
from gracegate.settings import Settings, settings_without_app
from gracegate.store import KnownRepository, StoredReport, reports, repositories
from gracegate.web import create_app, create_app_without_github
from gracegate.web.setup import SetupPages, create_setup_app
from tests.browser.browser import Browser
from tests.browser.serving import served
from tests.jobs.harness import make_service
from tests.outputs import sample_reports as samples
from tests.web.test_setup import MANIFEST

SHA = "7" * 40
REPORT = replace(samples.FAIL, rollouts=(samples.REVIEWS_ROLLOUT,))
ADDRESSES = (
    "/",
    f"/reports/42/1/{SHA}",
    "/rules",
    "/rules/prestop-drain-missing",
    "/docs/rollouts",
    "/nothing",
)
FILES = {"steps": samples.SPLIT, "incomplete": samples.INCOMPLETE, "hostile": samples.HOSTILE}
SCREENS = {"wide and light": (1280, False), "narrow and dark": (360, True)}
each_screen = pytest.mark.parametrize("screen", SCREENS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = make_service(tmp_path_factory.mktemp("service"))
    with service.store.transaction() as tx:
        repositories.record(tx, 7, 42, KnownRepository("shop/web", is_public=True))
        reports.save(tx, StoredReport(42, 1, SHA, "shop/web", write_page(REPORT)))
    settings = Settings.from_environment({**service.env, "GRACEGATE_PLAYGROUND": "on"})
    with served(create_app(settings, service.store, {})) as address:
        yield address
    service.stop()


@each_screen
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_of_the_service(browser: Browser, site: str, address: str, screen: str) -> None:
    look_at(browser, f"{site}{address}", screen)


@each_screen
@pytest.mark.parametrize("report", FILES)
def test_a_report_as_a_file(browser: Browser, tmp_path: Path, report: str, screen: str) -> None:
    shown = FILES[report]
    file = tmp_path / "report.html"
    file.write_text(render_report(shown, ReportContext(), draw_rollouts(shown.rollouts)))
    look_at(browser, file.as_uri(), screen)


def test_the_page_of_a_service_without_an_app(browser: Browser) -> None:
    settings = settings_without_app({})
    assert settings is not None
    with served(create_app_without_github(settings)) as address:
        for screen in SCREENS:
            look_at(browser, address, screen)


def test_the_pages_that_register_the_app(browser: Browser) -> None:
    pages = SetupPages("https://github.com/settings/apps/new", lambda _: MANIFEST, lambda _: ["Install it."])
    with served(create_setup_app(pages, lambda: None)) as address:
        for screen in SCREENS:
            look_at(browser, address, screen)
        state = browser.run("new URL(document.querySelector('form').action).searchParams.get('state')")
        browser.open(f"{address}/registered?state={state}&code=c0de")
        assert "Install it." in browser.run("document.body.textContent")
        assert browser.faults() == []


def look_at(browser: Browser, url: str, screen: str) -> None:
    """Opens a page and all that is folded on it; nothing may be wrong with it."""
    width, is_dark = SCREENS[screen]
    browser.look_as(width, is_dark=is_dark)
    browser.open(url)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    check_page(browser)


def check_page(browser: Browser) -> None:
    """Nothing is wrong with the page as it is, and nothing is wider than the screen."""
    page = "document.documentElement"
    assert browser.faults() == []
    assert not browser.run(f"{page}.scrollWidth > {page}.clientWidth")
