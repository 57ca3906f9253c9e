"""Installation tokens: their scope, their cache, and that they are not shown."""

from __future__ import annotations

import logging
import threading

import pytest

from gracegate.errors import GitHubUnavailable, Gone, RateLimited
from gracegate.github_app import Pace, TokenBroker, pull_requests
from gracegate.github_app.client import READ_PERMISSIONS, REVIEW_PERMISSIONS
from tests.github_app.conftest import Scenario

TOKENS = "access_tokens"


def test_a_token_is_for_one_repository_and_some_permissions(scenario: Scenario) -> None:
    value = scenario.broker.token(scenario.installation, scenario.repository_id, READ_PERMISSIONS)
    token = scenario.fake.world.tokens[value]
    assert dict(token.permissions) == {"contents": "read", "metadata": "read"}
    assert token.repository_ids == {scenario.repository_id}


def test_eight_threads_request_one_token(scenario: Scenario) -> None:
    scenario.fake.fault("POST", TOKENS, delay=0.1)
    found: list[str] = []

    def ask() -> None:
        found.append(scenario.broker.token(scenario.installation, scenario.repository_id, REVIEW_PERMISSIONS))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), len(scenario.requests("POST", TOKENS))) == (8, 1, 1)


def test_a_token_is_cached_until_five_minutes_before_it_expires(scenario: Scenario) -> None:
    times = [scenario.fake.clock.now()]
    broker = TokenBroker(
        str(scenario.fake.app.id), scenario.fake.app.private_key, scenario.fake.url, now=lambda: times[0]
    )
    first = broker.token(scenario.installation, scenario.repository_id, REVIEW_PERMISSIONS)
    times[0] += 3290
    assert broker.token(scenario.installation, scenario.repository_id, REVIEW_PERMISSIONS) == first
    times[0] += 20
    assert broker.token(scenario.installation, scenario.repository_id, REVIEW_PERMISSIONS) != first


def test_a_token_that_is_refused_is_replaced_once(scenario: Scenario) -> None:
    with scenario.repository() as repo:
        pull_requests.read(repo, scenario.number)
        scenario.fake.world.tokens.clear()
        assert pull_requests.read(repo, scenario.number).number == scenario.number
        assert len(scenario.requests("POST", TOKENS)) == 2
        scenario.fake.fault("GET", "/pulls/", status=401, times=5)
        with pytest.raises(Gone):
            pull_requests.read(repo, scenario.number)
        assert len(scenario.requests("POST", TOKENS)) == 3


def test_invalidating_an_old_token_keeps_the_new_one(scenario: Scenario) -> None:
    first = scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    scenario.broker.invalidate(first)
    second = scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    scenario.broker.invalidate(first)
    assert scenario.broker.token(scenario.installation, None, READ_PERMISSIONS) == second


def test_an_installation_that_does_not_exist(scenario: Scenario) -> None:
    with pytest.raises(Gone):
        scenario.broker.token(1, scenario.repository_id, READ_PERMISSIONS)


def test_a_request_for_a_token_is_repeated(scenario: Scenario) -> None:
    scenario.fake.fault("POST", TOKENS, status=502, times=2)
    scenario.fake.fault("POST", TOKENS, status=429, headers={"Retry-After": "3"})
    assert scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    assert scenario.waited == [0.5, 1.0, 3.0]
    scenario.broker.invalidate(scenario.broker.token(scenario.installation, None, READ_PERMISSIONS))
    scenario.fake.fault("POST", TOKENS, status=503, times=9)
    with pytest.raises(GitHubUnavailable):
        scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    scenario.fake._injector.faults.clear()
    scenario.fake.fault("POST", TOKENS, status=429, headers={"Retry-After": "1000"})
    with pytest.raises(RateLimited) as limited:
        scenario.broker.token(scenario.installation, None, READ_PERMISSIONS)
    assert limited.value.seconds == 1000


def test_a_server_that_does_not_answer() -> None:
    pace = Pace(backoff=(), sleep=lambda _: None)
    key = _key()
    with pytest.raises(GitHubUnavailable, match="no answer from GitHub: ConnectionError"):
        TokenBroker("1", key, "http://127.0.0.1:9", pace=pace).token(1, None, READ_PERMISSIONS)


def test_no_secret_is_ever_logged_or_shown(scenario: Scenario, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), scenario.repository() as repo:
        scenario.fake.fault("GET", "/pulls/", status=401)
        pull_requests.read(repo, scenario.number)
        scenario.broker.token(scenario.installation, scenario.repository_id, READ_PERMISSIONS)
    shown = caplog.text + repr(scenario.broker) + repr(vars(scenario.broker))
    assert caplog.text
    assert [token for token in scenario.fake.world.tokens if token in shown] == []
    assert "PRIVATE KEY" not in shown
    assert "eyJ" not in shown


def _key() -> str:
    from tests.fakegithub.state import new_key  # noqa: PLC0415 - one test needs a key of its own

    return new_key()[0]
