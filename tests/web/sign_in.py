"""A service where people sign in with a fake GitHub, and their browsers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gracegate.review.report_pages import write_page
from gracegate.settings import Settings
from gracegate.store import KnownRepository, StoredReport, reports, repositories
from gracegate.web import create_app
from tests.fakegithub.server import FakeGitHub
from tests.jobs.harness import Service
from tests.outputs import sample_reports as samples
from tests.processes import WAIT_SECONDS
from tests.web import payloads

SHA = payloads.sha(7)
PUBLIC_URL = "http://127.0.0.1:8123"


def settings_of(service: Service, fake: FakeGitHub, **more: str) -> Settings:
    """The settings of a service of the fake's App, with `more` of them by variable."""
    env = {
        "GRACEGATE_APP_ID": str(fake.app.id),
        "GRACEGATE_PRIVATE_KEY": fake.app.private_key,
        "GRACEGATE_CLIENT_ID": fake.app.client_id,
        "GRACEGATE_CLIENT_SECRET": fake.app.client_secret,
        "GRACEGATE_PUBLIC_URL": PUBLIC_URL,
        "GRACEGATE_GITHUB_URL": fake.url,
        "GRACEGATE_GIT_URL": fake.url,
        **more,
    }
    return Settings.from_environment({**service.env, **env})


def make_client(service: Service, fake: FakeGitHub, **more: str) -> FlaskClient:
    """A browser of its own."""
    return create_app(settings_of(service, fake, **more), service.store, {}).test_client()


def begin(client: FlaskClient, after: str = "") -> str:
    """Where the service sends the browser."""
    answer = client.get("/sign-in", query_string={"next": after} if after else None)
    assert answer.status_code == 302
    return answer.headers["Location"]


def agree(url: str, login: str = "ada", **form: str) -> str:
    """Where GitHub sends the browser back, when the person agrees: its path and query."""
    answer = requests.post(url, form or {"login": login}, allow_redirects=False, timeout=WAIT_SECONDS)
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}" == PUBLIC_URL
    return f"{back.path}?{back.query}"


def sign_in(client: FlaskClient, login: str = "ada", after: str = "") -> TestResponse:
    return client.get(agree(begin(client, after), login))


def csrf_token(client: FlaskClient) -> str:
    found = re.search('name="csrf_token" value="(.*?)"', client.get("/account").text)
    return found[1] if found else ""


def store_report(service: Service, repository_id: int, *, is_public: bool = False, name: str = "shop/secret") -> str:
    """The address of a report that was stored."""
    with service.store.transaction() as tx:
        repositories.record_review(tx, 7, repository_id, KnownRepository(name, is_public))
        reports.save(tx, StoredReport(repository_id, 1, SHA, name, write_page(samples.CLEAN)))
    return f"/reports/{repository_id}/1/{SHA}"
