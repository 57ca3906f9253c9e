"""The pages in Chromium: axe-core finds no fault, and nothing is wider than the screen of a phone.

A page forbids scripts, so what is looked at is a copy of it with the stylesheet and axe-core inside.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from gracegate.outputs import render_report, stylesheet
from gracegate.outputs.html import ReportContext, draw_rollouts
from gracegate.review.report_pages import write_page
from gracegate.settings import Settings
from gracegate.store import KnownRepository, StoredReport, reports, repositories
from gracegate.web import create_app
from tests.jobs.harness import make_service
from tests.outputs import sample_reports as samples
from tests.processes import WAIT_SECONDS

AXE = Path(__file__).resolve().parents[2] / ".tools" / "axe.min.js"
SHA = "7" * 40
REPORT = replace(samples.FAIL, rollouts=(samples.REVIEWS_ROLLOUT,))
ADDRESSES = ("/", f"/reports/42/1/{SHA}", "/rules", "/rules/prestop-drain-missing", "/docs/rollouts", "/nothing")
FILES = {"steps": samples.SPLIT, "incomplete": samples.INCOMPLETE, "hostile": samples.HOSTILE}
SCREENS = {"wide and light": (1280, False), "narrow and dark": (360, True)}
PROGRAM = """
axe.run().then((found) => {
  const shown = document.createElement("textarea");
  shown.id = "found";
  const faults = found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html)]);
  const page = document.documentElement;
  shown.textContent = JSON.stringify({faults, screen: innerWidth, isTooWide: page.scrollWidth > page.clientWidth});
  parent.document.body.append(shown);
});
"""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; these tests are skipped by name without it, or without axe-core."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium: install your system's package")
    if not AXE.is_file():
        pytest.skip("needs axe-core: install npm and run `make tools`")
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    service = make_service(tmp_path_factory.mktemp("service"))
    with service.store.transaction() as tx:
        repositories.record(tx, 7, 42, KnownRepository("shop/web", is_public=True))
        reports.save(tx, StoredReport(42, 1, SHA, "shop/web", write_page(REPORT)))
    yield create_app(Settings.from_environment(service.env), service.store, {}).test_client()
    service.stop()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_of_the_service(chromium: str, client: FlaskClient, tmp_path: Path, address: str, screen: str) -> None:
    look_at(chromium, client.get(address).text, tmp_path, screen)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("report", FILES)
def test_a_report_as_a_file(chromium: str, tmp_path: Path, report: str, screen: str) -> None:
    shown = FILES[report]
    page = render_report(shown, ReportContext(stylesheet="/style.css"), draw_rollouts(shown.rollouts))
    look_at(chromium, page, tmp_path, screen)


def look_at(chromium: str, page: str, folder: Path, screen: str) -> None:
    """Opens a copy of a page with everything unfolded; nothing may be wrong with it."""
    width, is_dark = SCREENS[screen]
    copy = folder / "page.html"
    scripts = f"<script>{AXE.read_text()}</script><script>{PROGRAM}</script></body>"
    page = page.replace('<link rel="stylesheet" href="/style.css">', f"<style>{stylesheet()}</style>")
    page = page.replace("<details>", "<details open>").replace("</body>", scripts)
    # A window of the browser cannot be as narrow as a phone, a frame can.
    copy.write_text(
        f'<body><iframe style="border: 0" width="{width}" height="900" srcdoc="{html.escape(page)}"></iframe>'
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,900", "--dump-dom"]
    options += ["--virtual-time-budget=30000", f"--user-data-dir={folder / 'profile'}"]
    options += ["--blink-settings=preferredColorScheme=0"] if is_dark else []
    done = subprocess.run(
        [chromium, *options, copy.as_uri()], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    found = re.search('<textarea id="found">(.*?)</textarea>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-2000:]
    assert json.loads(html.unescape(found[1])) == {"faults": [], "screen": width, "isTooWide": False}
