from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from gracegate.settings import Settings
from gracegate.web import Degraded, create_app
from tests.jobs.harness import Service
from tests.web.payloads import pull_request
from tests.web.test_webhooks import send


def test_healthz(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readyz_names_what_is_missing(service: Service) -> None:
    settings = Settings.from_environment(service.env)
    checks = {"rules": lambda: None, "opa": lambda: "OPA does not answer"}
    answer = create_app(settings, service.store, checks).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {
            "ready": False,
            "missing": {"opa": "OPA does not answer"},
            "degraded": {},
            "checked": ["database", "opa", "rules"],
        },
    )


def test_what_is_degraded_is_told_and_webhooks_are_taken(service: Service) -> None:
    settings = Settings.from_environment(service.env)
    checks = {"github": lambda: Degraded("GitHub does not answer")}
    answer = create_app(settings, service.store, checks).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {
            "ready": True,
            "missing": {},
            "degraded": {"github": "GitHub does not answer"},
            "checked": ["database", "github"],
        },
    )


def test_readyz(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"ready": True, "missing": {}, "degraded": {}, "checked": ["database"]},
    )


def test_metrics_count_the_queue_and_the_deliveries(client: FlaskClient) -> None:
    before = _value(client, 'gracegate_deliveries_total{event="pull_request",outcome="queued"}')
    send(client, "pull_request", pull_request("opened"), "a")
    after = _value(client, 'gracegate_deliveries_total{event="pull_request",outcome="queued"}')
    assert (after - before, _value(client, 'gracegate_runs{state="waiting"}')) == (1.0, 1.0)


def _value(client: Any, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " "))
