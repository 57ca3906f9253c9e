"""Installation tokens: their scope, their cache, and that they are not shown."""

from __future__ import annotations

import logging
import threading

import pytest

from gracegate.errors import GitHubUnavailable, Gone, RateLimited
from gracegate.github_app import Pace, TokenBroker, pull_requests
from gracegate.github_app.client import READ_PERMISSIONS, REVIEW_PERMISSIONS
from tests.github_app.conftest import Setting

TOKENS = "access_tokens"


def test_a_token_is_for_one_repository_and_some_permissions(setting: Setting) -> None:
    value = setting.broker.token(setting.installation, setting.repository_id, READ_PERMISSIONS)
    token = setting.fake.world.tokens[value]
    assert dict(token.permissions) == {"contents": "read", "metadata": "read"}
    assert token.repository_ids == {setting.repository_id}


def test_eight_threads_request_one_token(setting: Setting) -> None:
    setting.fake.fault("POST", TOKENS, delay=0.1)
    found: list[str] = []

    def ask() -> None:
        found.append(setting.broker.token(setting.installation, setting.repository_id, REVIEW_PERMISSIONS))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), len(setting.requests("POST", TOKENS))) == (8, 1, 1)


def test_a_token_is_cached_until_five_minutes_before_it_expires(setting: Setting) -> None:
    times = [setting.fake.clock.now()]
    broker = TokenBroker(setting.fake.app.id, setting.fake.app.private_key, setting.fake.url, now=lambda: times[0])
    first = broker.token(setting.installation, setting.repository_id, REVIEW_PERMISSIONS)
    times[0] += 3290
    assert broker.token(setting.installation, setting.repository_id, REVIEW_PERMISSIONS) == first
    times[0] += 20
    assert broker.token(setting.installation, setting.repository_id, REVIEW_PERMISSIONS) != first


def test_a_token_that_is_refused_is_replaced_once(setting: Setting) -> None:
    with setting.repository() as repo:
        pull_requests.read(repo, setting.number)
        setting.fake.world.tokens.clear()
        assert pull_requests.read(repo, setting.number).number == setting.number
        assert len(setting.requests("POST", TOKENS)) == 2
        setting.fake.fault("GET", "/pulls/", status=401, times=5)
        with pytest.raises(Gone):
            pull_requests.read(repo, setting.number)
        assert len(setting.requests("POST", TOKENS)) == 3


def test_invalidating_an_old_token_keeps_the_new_one(setting: Setting) -> None:
    first = setting.broker.token(setting.installation, None, READ_PERMISSIONS)
    setting.broker.invalidate(first)
    second = setting.broker.token(setting.installation, None, READ_PERMISSIONS)
    setting.broker.invalidate(first)
    assert setting.broker.token(setting.installation, None, READ_PERMISSIONS) == second


def test_an_installation_that_does_not_exist(setting: Setting) -> None:
    with pytest.raises(Gone):
        setting.broker.token(1, setting.repository_id, READ_PERMISSIONS)


def test_a_request_for_a_token_is_repeated(setting: Setting) -> None:
    setting.fake.fault("POST", TOKENS, status=502, times=2)
    setting.fake.fault("POST", TOKENS, status=429, headers={"Retry-After": "3"})
    assert setting.broker.token(setting.installation, None, READ_PERMISSIONS)
    assert setting.waited == [0.5, 1.0, 3.0]
    setting.broker.invalidate(setting.broker.token(setting.installation, None, READ_PERMISSIONS))
    setting.fake.fault("POST", TOKENS, status=503, times=9)
    with pytest.raises(GitHubUnavailable):
        setting.broker.token(setting.installation, None, READ_PERMISSIONS)
    setting.fake._gate.faults.clear()
    setting.fake.fault("POST", TOKENS, status=429, headers={"Retry-After": "1000"})
    with pytest.raises(RateLimited) as limited:
        setting.broker.token(setting.installation, None, READ_PERMISSIONS)
    assert limited.value.seconds == 1000


def test_a_server_that_does_not_answer() -> None:
    pace = Pace(backoff=(), sleep=lambda _: None)
    key = _key()
    with pytest.raises(GitHubUnavailable, match="no answer from GitHub: ConnectionError"):
        TokenBroker(1, key, "http://127.0.0.1:9", pace=pace).token(1, None, READ_PERMISSIONS)


def test_no_secret_is_ever_logged_or_shown(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), setting.repository() as repo:
        setting.fake.fault("GET", "/pulls/", status=401)
        pull_requests.read(repo, setting.number)
        setting.broker.token(setting.installation, setting.repository_id, READ_PERMISSIONS)
    shown = caplog.text + repr(setting.broker) + repr(vars(setting.broker))
    assert caplog.text
    assert [token for token in setting.fake.world.tokens if token in shown] == []
    assert "PRIVATE KEY" not in shown
    assert "eyJ" not in shown


def _key() -> str:
    from tests.fakegithub.state import new_key  # noqa: PLC0415 - one test needs a key of its own

    return new_key()[0]
