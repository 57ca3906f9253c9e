"""`make demo`, its pull request in Chromium, and `make replay`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from gracegate.rendering import find_renderer
from tests.browser.browser import Browser
from tests.browser.test_pages import SCREENS, check_page, look_at
from tests.demo.demo import Timeline, find_mistakes, find_rendered_mistakes, play, play_rendered
from tests.demo.layers import layer
from tests.demo.replay import replay
from tests.demo.stage import Stage
from tests.e2e.conftest import AT_ONCE
from tests.processes import WAIT_SECONDS


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage"), GRACEGATE_PLAYGROUND="on", **AT_ONCE) as stage:
        yield stage


@pytest.fixture(scope="module")
def demo_pull(stage: Stage) -> Any:
    """The pull request of the demo, as it is at the end."""
    return play(stage, Timeline())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A local repository of two commits, the shop and its change."""
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in ("base", "change"):
        for path, text in layer(name).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        git(folder, "add", "--all")
        git(folder, "-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", name)
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_demo_ends_as_it_promises(stage: Stage, demo_pull: Any) -> None:
    assert find_mistakes(stage, demo_pull) == []
    # From the check to its report, to the page of a rule, to the playground with the rule's example.
    page = follow(stage, demo_pull["checks"][-1]["details_url"])
    page = follow(stage, next(link for link in links(page) if "/rules/prestop-drain-missing" in link))
    page = follow(stage, next(link for link in links(page) if "/playground?" in link))
    assert "<option selected>prestop-drain-missing</option>" in page

    # Without a session, and as ada, who operates the service.
    assert "public repositories" in follow(stage, "/dashboard")
    assert stage.service.session.get(f"{stage.service.url}/operator", timeout=WAIT_SECONDS).status_code == 404
    answer = stage.service.session.get(f"{stage.service.url}/sign-in?next=/operator", timeout=WAIT_SECONDS)
    overview = stage.service.session.post(answer.url, {"login": "ada"}, timeout=WAIT_SECONDS).text
    assert ("<strong>github</strong>" in overview, "heard of" in overview) == (True, True)
    assert "shop/manifests #1" in follow(stage, "/operator/audit")


COUNTED = """
[".comment", ".suggestion", ".check", ".merge-box.blocked", ".entry .bubble:not(:has(.check))"].map(
  (what) => document.querySelectorAll(what).length)
"""
FINDINGS = "[...document.querySelectorAll('.comment .md > p:first-child')].map((one) => one.textContent)"
CUT = """
[...document.querySelectorAll(".check, .check > *, .comment, .comment > *, .suggestion")].filter(
  (one) => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML)
"""


def test_the_pull_request_of_the_demo_in_a_browser(browser: Browser, demo_pull: Any) -> None:
    for screen in SCREENS:
        look_at(browser, demo_pull["url"], screen)
        assert browser.run(COUNTED) == [5, 5, 1, 1, 1]
        assert browser.run(CUT) == []
    assert "5 errors in 4 workloads" in browser.run("document.querySelector('.check summary').textContent")
    findings = browser.run(FINDINGS)
    assert [one.startswith("❌ Error: ") for one in findings] == [True, True, False, True, True]
    assert findings[2].startswith("✅ ")

    # From the check to its report.
    browser.run("window.isOld = true; document.querySelector('.check > p a').click()")
    browser.wait_until("window.isOld === undefined && document.readyState === 'complete'")
    assert browser.run("location.href") == demo_pull["checks"][-1]["details_url"]
    assert browser.run("document.querySelector('h1').textContent") == "5 errors in 4 workloads"
    browser.look_as(1280, is_dark=False)
    check_page(browser)


def follow(stage: Stage, address: str) -> str:
    answer = stage.service.session.get(urljoin(stage.service.url, address), timeout=WAIT_SECONDS)
    assert answer.ok, address
    return answer.text


def links(page: str) -> list[str]:
    return re.findall('href="([^"]+)"', page)


def test_an_overlay_and_values_are_commented_where_they_were_written(stage: Stage) -> None:
    if find_renderer() is None:
        pytest.skip("needs the renderer: run `make tools`")
    assert find_rendered_mistakes(play_rendered(stage, Timeline())) == []


def test_the_replay_of_a_local_change_is_one_json_object(stage: Stage, shop: Path) -> None:
    summary = replay(stage, shop / ".git", git(shop, "rev-parse", "HEAD^"), git(shop, "rev-parse", "HEAD"))
    assert list(summary) == ["check", "reviews", "comments", "requests", "seconds"]
    assert list(summary["check"]) == ["conclusion", "title", "summary", "annotations"]
    assert (summary["check"]["conclusion"], [review["event"] for review in summary["reviews"]]) == (
        "failure",
        ["COMMENT"],
    )
    assert sorted((comment["path"], comment["subject_type"]) for comment in summary["comments"]) == [
        ("apps/cart.yaml", "line"),
        ("apps/catalog.yaml", "line"),
        ("apps/checkout.yaml", "line"),
        ("apps/reviews.yaml", "line"),
        ("apps/web.yaml", "line"),
    ]
    refused = [request["path"] for request in summary["requests"] if request["status"] >= 400]
    # The owner has no defaults.
    assert refused == ["/repos/replay/.github/contents/.gracegate.yaml"]
    assert 0 < summary["seconds"]["webhook_ack"] < summary["seconds"]["webhook_to_conclusion"]
    assert json.loads(json.dumps(summary)) == summary
