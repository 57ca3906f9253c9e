"""Sign-in, dashboard and the pages of operators in Chromium, against a fake GitHub, as people use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gracegate.web import create_app
from tests.browser.browser import Browser
from tests.browser.serving import served
from tests.browser.test_pages import SCREENS, check_page
from tests.fakegithub.server import FakeGitHub
from tests.jobs.harness import Service, make_service
from tests.web.shop_of_reviews import fill
from tests.web.sign_in import settings_of, store_report

TITLE = "document.querySelector('h1').textContent"
LINKS = "[...document.querySelectorAll('a')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path_factory.mktemp("github")) as made:
        for name in ("shop/open", "platform/charts-of-everybody", "shop/secret"):
            made.create_repository(name, private=name == "shop/secret")
        made.world.people["ada"] = "write"
        made.webhook_url = "http://127.0.0.1:9/"
        made.ping()
        made.settle()
        yield made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, fake: FakeGitHub) -> Iterator[Service]:
    service = make_service(tmp_path_factory.mktemp("service"))
    fill(service.store, {one.id: (one.full_name, not one.private) for one in fake.world.repositories.values()})
    yield service
    service.stop()


def click(browser: Browser, what: str, words: str) -> None:
    """Clicks on the link or button with these words, and waits for the page that it leads to."""
    find = f"[...document.querySelectorAll('{what}')].find((one) => one.textContent.trim() === '{words}')"
    browser.run(f"window.isOld = true; {find}.click()")
    browser.wait_until("window.isOld === undefined && document.readyState === 'complete'")


def test_from_a_private_report_to_the_sign_in_and_out_again(
    browser: Browser, service: Service, fake: FakeGitHub, free_port: int
) -> None:
    address = f"http://127.0.0.1:{free_port}"
    settings = settings_of(service, fake, GRACEGATE_PUBLIC_URL=address, GRACEGATE_OPERATORS="ada")
    report = store_report(service, fake.repository("shop/secret").id)
    with served(create_app(settings, service.store, {}), free_port):
        browser.look_as(1280, is_dark=False)
        browser.open(f"{address}{report}")
        assert browser.run(TITLE) == "No such report"
        click(browser, "a", "Sign in with GitHub")
        assert browser.run("location.origin") == fake.url
        click(browser, "button", "Authorize as ada")
        assert (browser.run("location.pathname"), browser.run("document.cookie")) == (report, "")
        assert {"ada", "Operator", "Dashboard"} <= {*browser.run(LINKS)}

        for page in (
            "/dashboard",
            f"/dashboard/{fake.repository('shop/open').id}",
            "/operator",
            "/operator/runs",
            "/operator/deliveries",
            "/operator/audit",
            "/account",
        ):
            for width, is_dark in SCREENS.values():
                browser.look_as(width, is_dark=is_dark)
                browser.open(f"{address}{page}")
                check_page(browser)

        browser.open(f"{address}/operator/deliveries")
        click(browser, "button", "Redeliver")
        assert browser.run("location.pathname") == "/operator/deliveries"
        fake.settle()
        assert len(fake.deliveries) == 2

        browser.open(f"{address}/account")
        click(browser, "button", "Sign out")
        assert browser.run("location.pathname") == "/"
        browser.open(f"{address}{report}")
        assert browser.run(TITLE) == "No such report"
