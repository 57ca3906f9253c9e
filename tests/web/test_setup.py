"""The local pages that register the App: who may open them, and what is believed of who comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from gracegate.errors import ConfigError, GitHubUnavailable
from gracegate.web.setup import SetupPages, create_setup_app, serve_setup

MANIFEST = {
    "name": 'a "name" <b>',
    "default_permissions": {"pull_requests": "write"},
    "hook_attributes": {"url": "https://gate.example.com/webhooks/github"},
}


class Form(HTMLParser):
    """The form of a page, as a browser would send it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert given["method"] == "post"
            self.action = given["action"]
        if tag == "input":
            self.fields[given["name"]] = given["value"]

    @property
    def state(self) -> str:
        return parse_qs(urlsplit(self.action).query)["state"][0]


class Setup:
    """The pages in this process; `codes` are those that came back."""

    def __init__(self, register: Callable[[str], list[str]] | None = None) -> None:
        self.codes: list[str] = []
        self.registered = 0
        pages = SetupPages("https://github.com/settings/apps/new", self.manifest, register or self.register)
        self.client: FlaskClient = create_setup_app(pages, self.on_registered).test_client()

    def manifest(self, redirect_url: str) -> dict[str, object]:
        return {**MANIFEST, "redirect_url": redirect_url}

    def register(self, code: str) -> list[str]:
        self.codes.append(code)
        return ["1. <Install> it"]

    def on_registered(self) -> None:
        self.registered += 1

    def form(self, host: str = "127.0.0.1:8001") -> Form:
        return Form(self.client.get("/", headers={"Host": host}).text)

    def come_back(self, **query: str) -> tuple[int, str]:
        with self.client.get("/registered", query_string=query, headers={"Host": "127.0.0.1:8001"}) as answer:
            return answer.status_code, answer.text


def test_the_form_is_what_github_takes() -> None:
    form = Setup().form()
    assert form.action.startswith("https://github.com/settings/apps/new?state=")
    assert json.loads(form.fields["manifest"]) == {**MANIFEST, "redirect_url": "http://127.0.0.1:8001/registered"}
    assert len(form.state) >= 43


def test_a_forwarded_port_is_where_github_sends_the_browser_back() -> None:
    assert json.loads(Setup().form("localhost:9").fields["manifest"])["redirect_url"] == "http://localhost:9/registered"


def test_the_page_is_one_that_a_screen_reader_can_read() -> None:
    page = Setup().client.get("/", headers={"Host": "127.0.0.1"}).text
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert re.findall(r"<(title|h1|main|button)\b", page) == ["title", "main", "h1", "button"]
    assert "<li>pull requests: write</li>" in page
    assert "<script" not in page


def test_its_headers_keep_the_code_to_itself() -> None:
    headers = Setup().client.get("/registered", headers={"Host": "127.0.0.1"}).headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_the_code_is_taken_once_from_who_has_the_state() -> None:
    setup = Setup()
    state = setup.form().state
    status, page = setup.come_back(code="c1", state=state)
    assert (status, setup.codes, setup.registered) == (200, ["c1"], 1)
    assert "1. &lt;Install&gt; it" in page
    assert setup.come_back(code="c2", state=state)[0] == 400
    assert setup.codes == ["c1"]


@pytest.mark.parametrize("query", [{}, {"code": "c"}, {"code": "c", "state": ""}, {"code": "c", "state": "é" * 43}])
def test_who_has_not_the_state_is_sent_away(query: dict[str, str]) -> None:
    setup = Setup()
    setup.form()
    assert (setup.come_back(**query)[0], setup.codes, setup.registered) == (400, [], 0)


@pytest.mark.parametrize("host", ["gate.example.com", "attacker.example:8001", "127.0.0.1.example"])
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    answer = Setup().client.get("/", headers={"Host": host})
    assert (answer.status_code, "state=" in answer.text) == (400, False)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:5"])
def test_names_of_loopback(host: str) -> None:
    assert Setup().client.get("/", headers={"Host": host}).status_code == 200


def test_what_goes_wrong_is_shown_and_can_be_tried_again() -> None:
    def fail(_code: str) -> list[str]:
        raise GitHubUnavailable("GitHub answered <502>")

    setup = Setup(fail)
    first = setup.form().state
    status, page = setup.come_back(code="c", state=first)
    assert (status, "GitHub answered &lt;502&gt;" in page, setup.registered) == (502, True, 0)
    assert setup.form().state != first


def test_a_port_that_is_taken(free_port: int) -> None:
    pages = SetupPages("https://github.com/settings/apps/new", lambda _: MANIFEST, lambda _: [])

    def start_another(port: int) -> None:
        with pytest.raises(ConfigError, match=f"--port is {port}, where no server can listen"):
            serve_setup(pages, port, lambda _: None)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_setup(pages, free_port, start_another)
