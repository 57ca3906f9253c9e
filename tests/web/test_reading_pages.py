"""The pages for people: each address answers with a page that says where to go, and holds only what anybody may see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from gracegate.policy import load_builtin
from gracegate.review.report_pages import write_page
from gracegate.store import KnownRepository, StoredReport, reports, repositories
from gracegate.web import documents
from gracegate.web.documents import Document
from tests.jobs.harness import Service
from tests.outputs import sample_reports as samples
from tests.web import payloads
from tests.web.test_webhooks import send

SHA = payloads.sha(7)
ADDRESS = f"/reports/42/1/{SHA}"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)


def store_report(service: Service, content: bytes = b"") -> None:
    report = replace(samples.FAIL, rollouts=(samples.REVIEWS_ROLLOUT,), seconds=2.0)
    stored = StoredReport(42, 1, SHA, "shop/web", content or write_page(report))
    with service.store.transaction() as tx:
        repositories.record(tx, 7, 42, KnownRepository("shop/web", is_public=True))
        reports.save(tx, stored)


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/", 200, "gracegate reviews pull requests that change Kubernetes manifests"),
        (ADDRESS, 200, "3 errors, 1 warning in 3 workloads"),
        (f"/reports/42/1/{payloads.sha(8)}", 404, "No such report"),
        (f"/reports/42/2/{SHA}", 404, "No such report"),
        (f"/reports/{10**30}/1/{SHA}", 404, "No such report"),
        (f"/reports/42/{10**30}/{SHA}", 404, "No such report"),
        ("/reports/42/1/main", 404, "No such report"),
        ("/reports/42", 404, "No such page"),
        ("/rules", 200, "Rules"),
        ("/rules/prestop-drain-missing", 200, "prestop-drain-missing"),
        ("/rules/prestop-drain-missing.md", 200, "prestop-drain-missing"),
        ("/rules/prestop", 404, "No such rule"),
        ("/rules/prestop.svg", 404, "No such picture"),
        ("/rules/pdb-missing.svg", 404, "No such picture"),
        ("/rules/..%2F..%2FREADME", 404, "No such page"),
        ("/docs", 200, "Documentation"),
        ("/docs/policy-authors", 200, "Rules of your own"),
        ("/docs/rollouts", 200, "What a rollout loses"),
        ("/docs/start.md", 200, "Start here"),
        ("/docs/other", 404, "No such page"),
        ("/wp-login.php", 404, "No such page"),
    ],
)
def test_an_address(service: Service, client: FlaskClient, address: str, status: int, title: str) -> None:
    store_report(service)
    answer = client.get(address)
    assert (answer.status_code, re.findall("<h1.*?>(.*?)</h1>", answer.text)) == (status, [title])
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "<script" not in answer.text
    for link in re.findall('href="(/[^"]*)"', answer.text):
        assert client.get(link).status_code == 200, link


def test_a_report_has_its_pull_request_its_lines_and_its_pictures(service: Service, client: FlaskClient) -> None:
    store_report(service)
    page = client.get(ADDRESS).text
    assert f'<a href="https://github.com/shop/web/pull/1">shop/web #1</a> at <code>{SHA[:12]}</code>.' in page
    assert f'href="https://github.com/shop/web/blob/{SHA}/apps/reviews.yaml#L19"' in page
    assert " UTC in 2.0 s." in page
    assert page.count("data:image/svg+xml;base64,") == 1


def test_the_report_of_a_merge_group_leads_to_its_commit(service: Service, client: FlaskClient) -> None:
    with service.store.transaction() as tx:
        repositories.record(tx, 7, 42, KnownRepository("shop/web", is_public=True))
        reports.save(tx, StoredReport(42, 0, SHA, "shop/web", write_page(samples.CLEAN)))
    page = client.get(f"/reports/42/0/{SHA}").text
    assert f'<a href="https://github.com/shop/web/commit/{SHA}">shop/web, merge queue</a>' in page


def test_every_rule_has_a_page(client: FlaskClient) -> None:
    for rule in load_builtin().rules.values():
        assert client.get(f"/rules/{rule.id}").status_code == 200
        for alias in rule.aliases:
            answer = client.get(f"/rules/{alias}")
            assert (answer.status_code, answer.headers["Location"]) == (301, f"/rules/{rule.id}")


def test_a_rule_shows_its_fix_and_its_rollout(client: FlaskClient) -> None:
    page = client.get("/rules/prestop-drain-missing").text
    assert '<span class="added">+        lifecycle:\n</span>' in page
    assert "A rollout of the example: like 1.6 s of outage. After the fix: no request lost in the model." in page
    sources = re.findall('<img class="rollout" src="(.*?)"', page)
    assert sources == ["prestop-drain-missing.svg"]
    picture = client.get(f"/rules/{sources[0]}")
    assert (picture.status_code, picture.content_type) == (200, "image/svg+xml")
    assert picture.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("action", ["privatized", "deleted"])
def test_a_repository_that_is_not_public_any_more_has_no_pages(
    service: Service, client: FlaskClient, action: str
) -> None:
    store_report(service)
    assert send(client, "repository", {"action": action, **payloads.COMMON}, "a") == (202, "recorded")
    assert client.get(ADDRESS).status_code == 404


def test_the_stylesheet_is_the_only_thing_that_a_page_loads(client: FlaskClient) -> None:
    answer = client.get("/style.css")
    assert (answer.status_code, answer.content_type) == (200, "text/css; charset=utf-8")
    assert "url(" not in answer.text
    assert re.findall('<link [^>]*href="(.*?)"', client.get("/").text) == ["/style.css"]


def test_a_page_takes_nothing(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client()
    assert {client.post(address).status_code for address in ("/", "/rules", "/docs", ADDRESS)} == {405}


def test_a_fault_of_ours_is_a_page_too(
    make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Document:
        raise LookupError("a fault")

    monkeypatch.setattr(documents, "rule_index", fail)
    answer = make_client().get("/rules")
    assert answer.status_code == 500
    assert ("<h1>That went wrong</h1>" in answer.text, "a fault" in answer.text) == (True, False)
