"""The dashboard and the pages of operators: what they count and show, and that they read no more than they need."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape

import pytest
from flask.testing import FlaskClient

from gracegate.model import NOT_COVERED
from gracegate.outputs import charts
from gracegate.store import RecordedFinding, RecordedReview, RecordedWaiver, ReviewedRepository
from gracegate.web import dashboard
from gracegate.web.dashboard import Row, not_covered, outcome_of, rule_counts, waivers_in_force
from tests.fakegithub.server import FakeGitHub
from tests.jobs.harness import Service, make_service
from tests.web.shop_of_reviews import fill
from tests.web.sign_in import csrf_token, make_client, sign_in

TODAY = dt.date(2026, 12, 1)
REPOSITORY = ReviewedRepository(42, "shop/web", is_public=True, reviewed_at=1.0)


def review(number: int, *rules: str, blocks: bool = False, **more: object) -> RecordedReview:
    findings = tuple(RecordedFinding(rule, rule, "error", blocks) for rule in rules)
    values = {"verdict": "fail" if blocks else "pass", "conclusion": "success", **more}
    return RecordedReview(42, number, "head", "base", "tip", policies={}, findings=findings, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdict", "conclusion", "outcome"),
    [
        ("pass", "success", "pass"),
        ("pass", "neutral", "remarks"),
        ("fail", "failure", "fail"),
        ("fail", "neutral", "fail"),
        ("incomplete", "failure", "incomplete"),
        ("incomplete", "neutral", "incomplete"),
    ],
)
def test_how_a_review_ended(verdict: str, conclusion: str, outcome: str) -> None:
    assert outcome_of(review(1, verdict=verdict, conclusion=conclusion)) == outcome


def test_only_the_newest_head_of_a_pull_request_counts() -> None:
    rows = [Row(REPOSITORY, [review(1, "b"), review(2, "b", "a", blocks=True), review(1, "a", "c", blocks=True)])]
    assert [(one.rule, one.pulls, one.blocked) for one in rule_counts(rows)] == [("b", 2, 1), ("a", 1, 1)]
    assert rule_counts([Row(REPOSITORY, [])]) == []


def test_waivers_come_by_their_ends_and_each_once() -> None:
    untils = (None, "2026-12-02", "2026-11-30", "2026-12-01", "2027-01-01", "soon")
    waivers = tuple(RecordedWaiver("rule", "object", "reason", until) for until in untils)
    found = waivers_in_force([Row(REPOSITORY, [review(1, waivers=waivers), review(2, waivers=waivers)])], TODAY)
    assert [(one.end, one.is_over) for one in found] == [
        ("2026-11-30, over", True),
        ("2026-12-01, today", False),
        ("2026-12-02, tomorrow", False),
        ("2027-01-01, in 31 days", False),
        ("no end", False),
        ("soon", False),
    ]


def test_there_are_words_for_each_reason() -> None:
    assert dashboard.NOT_COVERED_WORDS.keys() == NOT_COVERED


def test_what_is_not_covered_is_counted_by_its_reason() -> None:
    row = Row(REPOSITORY, [review(1, not_covered={"template": 1}), review(2, not_covered={"template": 1, "new": 1})])
    assert not_covered([row]) == [("templates that nobody renders", 2), ("new", 1)]


@pytest.mark.parametrize("outcomes", [[], ["pass"], ["fail", "incomplete", "remarks", "pass", "pass"]])
def test_charts_say_their_numbers(outcomes: list[charts.Outcome]) -> None:
    words = {0: "no review", 1: "1 review: 1 passed"}.get(
        len(outcomes), "5 reviews: 1 failed, 1 incomplete, 1 passed with remarks, 2 passed"
    )
    strip = ET.fromstring(charts.strip(outcomes))  # noqa: S314 - ours
    assert (strip.get("aria-label"), len(strip)) == (words, len(outcomes))
    weeks = ET.fromstring(charts.weeks([("2026-11-30", {one: outcomes.count(one) for one in set(outcomes)})]))  # noqa: S314 - ours
    assert len(weeks.findall("rect")) == len(set(outcomes))
    assert ET.fromstring(charts.bar(1, 0)).tag == "svg"  # noqa: S314 - ours


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path_factory.mktemp("github")) as made:
        for name in ("shop/open", "shop/more", "shop/secret"):
            made.create_repository(name, private=name == "shop/secret")
        made.webhook_url = "http://127.0.0.1:9/"
        made.ping()
        made.settle()
        yield made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, fake: FakeGitHub) -> Iterator[Service]:
    service = make_service(tmp_path_factory.mktemp("service"))
    names = {one.id: (one.full_name, not one.private) for one in fake.world.repositories.values()}
    fill(service.store, names)
    yield service
    service.stop()


@pytest.fixture(scope="module")
def operator(service: Service, fake: FakeGitHub) -> FlaskClient:
    client = make_client(service, fake, GRACEGATE_OPERATORS="ada")
    sign_in(client)
    return client


def test_a_page_of_the_dashboard_leads_to_the_next(operator: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "REPOSITORIES", 2)
    first = operator.get("/dashboard").text
    assert "the newest 20 reviews of each. Of these 40 reviews" in first
    (older,) = re.findall(r'href="(/dashboard\?before=[^"]*)"', first)
    second = operator.get(unescape(older)).text
    names = [re.findall(r">(shop/[a-z]+)</a>", text.partition("Waiting")[0]) for text in (first, second)]
    assert names == [["shop/secret", "shop/more"], ["shop/open"]]
    assert "No repository that you may see has been reviewed before that" in operator.get("/dashboard?before=1").text


def test_a_repository_shows_its_pull_requests_rules_and_waivers(fake: FakeGitHub, operator: FlaskClient) -> None:
    page = operator.get(f"/dashboard/{fake.repository('shop/open').id}").text
    shown = ["40 reviews: 5 failed", "shop/open #902", "waiting, attempt 3", 'href="/rules/prestop-drain-missing"']
    shown += ["Deployment shop/&lt;b&gt;cart&lt;/b&gt;", ", over</td>", ", in 9 days</td>", "bases and charts that are"]
    assert [words for words in shown if words not in page] == []
    assert page.count("/pull/") == dashboard.MOST_PULLS


def test_where_github_does_not_list_repositories_public_ones_are_shown(service: Service, fake: FakeGitHub) -> None:
    client = make_client(service, fake)
    sign_in(client)
    fake.fault("GET", "/user/installations", status=502, times=1)
    page = client.get("/dashboard").text
    assert ("GitHub does not say" in page, "shop/open" in page, "shop/secret" in page) == (True, True, False)
    assert "shop/secret" in client.get("/dashboard").text


def test_an_operator_sees_runs_health_and_rules(operator: FlaskClient) -> None:
    runs = operator.get("/operator/runs").text
    sections = re.split("<h2", runs)[1:]
    assert [re.findall("#(9[0-9]+)", one) for one in sections] == [["901"], ["902"], ["903"]]
    overview = operator.get("/operator").text
    shown = ["database</strong>", "waiting: 2", "dead</a>: 1", "No worker is running.", "built-in rules"]
    assert [words for words in shown if words not in overview] == []


def test_the_audit_log_is_read_page_by_page(operator: FlaskClient) -> None:
    first = operator.get("/operator/audit?repository=SHOP/open").text
    (older,) = re.findall(r'href="(/operator/audit\?[^"]*)"', first)
    second = operator.get(unescape(older)).text
    assert [text.count("conclude the check") for text in (first, second)] == [100, 20]
    assert operator.get("/operator/audit?number=7").text.count("conclude the check") == 1
    for query in ("number=x", f"before={10**30}", "number=-1"):
        assert operator.get(f"/operator/audit?{query}").status_code == 200


def test_a_delivery_is_asked_for_again_and_the_log_says_who_did(fake: FakeGitHub, operator: FlaskClient) -> None:
    (delivery,) = fake.deliveries
    page = operator.get("/operator/deliveries").text
    assert ("failed to connect to host" in page, "did not arrive" in page) == (True, True)
    token = {"csrf_token": csrf_token(operator)}
    assert operator.post(f"/operator/deliveries/{delivery.id}/redeliver").status_code == 403
    assert len(fake.deliveries) == 1
    assert operator.post(f"/operator/deliveries/{delivery.id}/redeliver", data=token).status_code == 303
    fake.settle()
    assert [one.guid for one in fake.deliveries] == [delivery.guid] * 2
    assert "ask for a webhook delivery again (operator: ada)" in operator.get("/operator/audit").text
    assert operator.post("/operator/deliveries/1/redeliver", data=token).status_code == 404
    fake.fault("GET", "/app/hook/deliveries", status=502, times=1)
    assert "GitHub does not say what it has delivered" in operator.get("/operator/deliveries").text
