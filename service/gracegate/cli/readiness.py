"""The checks of /readyz: whether a review could be done now. Each returns what is missing or degraded, or None."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import requests
import structlog

from gracegate.cli import machine
from gracegate.cli.diagnosis import (
    Diagnosis,
    diagnose_error,
    diagnose_key,
    diagnose_policies,
    diagnose_registration,
    diagnose_renderer,
    diagnose_server,
)
from gracegate.errors import GitHubError, Gone, RulesError
from gracegate.github_app import AppClient, Pace, TokenBroker, app
from gracegate.policy import load_builtin
from gracegate.policy.sets import PolicySets
from gracegate.rendering import find_renderer
from gracegate.review import StoredRecords, build_policy_sets
from gracegate.settings import Settings
from gracegate.store import Store
from gracegate.web import Degraded, ReadinessCheck

log = structlog.get_logger(__name__)

CHECKED_EVERY = 60.0
"""Seconds. How old a result may be that is not made for each probe."""
FIRST_SECONDS = 0.8
"""How long a probe waits for an answer that is not there yet; the kubelet by default waits one second for ours."""
GITHUB_TIMEOUT = 5


def readiness_checks(settings: Settings, store: Store) -> Mapping[str, ReadinessCheck]:
    """A check of rules, renderer and machine, of what GitHub says of the App, and of OPA where one is configured."""
    checks: dict[str, ReadinessCheck] = {
        "rules": check_rules,
        "renderer": check_renderer,
        "machine": BackgroundCheck(partial(check_machine, settings), CHECKED_EVERY, FIRST_SECONDS),
        "github": BackgroundCheck(GitHubCheck(settings), CHECKED_EVERY, FIRST_SECONDS),
    }
    if settings.policies:
        broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
        client = AppClient(broker, Pace(max_wait=0.0, backoff=()), timeout=GITHUB_TIMEOUT)
        sets = build_policy_sets(settings, client, StoredRecords(store))
        checks["policies"] = BackgroundCheck(partial(check_policies, sets), CHECKED_EVERY, FIRST_SECONDS)
    if settings.opa_url:
        checks["opa"] = partial(check_opa_server, settings.opa_url)
    elif settings.opa:
        checks["opa"] = partial(check_opa_binary, settings.opa)
    return checks


def check_rules() -> str | None:
    try:
        catalog = load_builtin()
    except (RulesError, OSError) as error:
        return f"the built-in rules cannot be read: {error}"
    return None if catalog.rules else "there are no rules"


def check_policies(sets: PolicySets) -> Degraded | None:
    """Whether the newest version of each policy set is in use. Reviews are done without it too, and say so."""
    return _problems(map(diagnose_policies, sets.current()))


def check_renderer() -> Degraded | None:
    """Whether there is a renderer. Without it there are reviews too, of everything that is not to be rendered."""
    found = diagnose_renderer(is_built=find_renderer() is not None, is_compiled=True)
    return None if found.level == "ok" else Degraded(f"{found.message}: {found.remedy}")


def check_opa_server(url: str) -> str | None:
    try:
        response = requests.get(f"{url}/health", timeout=2)
    except requests.RequestException as error:
        return f"OPA at OPA_URL does not answer ({type(error).__name__}): start it, or unset OPA_URL"
    return None if response.ok else f"OPA at OPA_URL answers {response.status_code} to /health"


def check_opa_binary(path: Path) -> str | None:
    return None if os.access(path, os.X_OK) else f"GRACEGATE_OPA is {path}, which is not an executable file"


def check_machine(settings: Settings) -> Degraded | None:
    """Whether git and the disk are fit for fetching: webhooks can be stored without."""
    return _problems([machine.check_git(), *machine.check_data_dir(settings)])


def _problems(found: Iterable[Diagnosis]) -> Degraded | None:
    problems = [f"{one.message}: {one.remedy}" for one in found if one.level == "problem"]
    return Degraded("; ".join(problems)) if problems else None


class GitHubCheck:
    """Whether GitHub knows the App by its id and key, and gives it what it needs.

    A process that starts with a key that GitHub does not accept is not ready, so that it does not replace one with a
    better key. Whatever comes later is only degraded: a process that is not ready would lose webhooks too.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = diagnose_key(settings.private_key)
        self._url = settings.github_url
        broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
        self._client = AppClient(broker, Pace(max_wait=0.0, backoff=()), timeout=GITHUB_TIMEOUT)
        self._was_accepted = False

    def __call__(self) -> str | Degraded | None:
        if self._key.level == "problem":
            return f"{self._key.message}: {self._key.remedy}"
        try:
            server = app.read_server(self._url, GITHUB_TIMEOUT)
            registration = app.read_registration(self._client)
        except GitHubError as error:
            found = diagnose_error("the App", error)
            reason = f"{found.message}: {found.remedy}"
            is_refused = isinstance(error, Gone) and error.status in {401, 404}
            return reason if is_refused and not self._was_accepted else Degraded(reason)
        self._was_accepted = True
        return _problems([*diagnose_server(server, self._url), *diagnose_registration(registration)])


class BackgroundCheck:
    """A check that may take long: it is made in a thread, and its last result is the answer meanwhile.

    It is made again when it is asked for and the result is older than `seconds`. Where there is no result, or one that
    is older than twice that, the caller waits up to `wait` seconds.
    """

    def __init__(self, check: ReadinessCheck, seconds: float, wait: float) -> None:
        self._check = check
        self._seconds = seconds
        self._wait = wait
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self._result: str | Degraded | None = Degraded("the first answer is not there yet")
        self._made_at = float("-inf")

    def __call__(self) -> str | Degraded | None:
        with self._lock:
            age = time.monotonic() - self._made_at
            if age > self._seconds and self._running is None:
                self._running = threading.Thread(target=self._make, name="readiness", daemon=True)
                self._running.start()
            running = self._running
        if running is not None and age > 2 * self._seconds:
            running.join(self._wait)
        return self._result

    def _make(self) -> None:
        try:
            result = self._check()
        except Exception as error:  # noqa: BLE001 - the next result would never come
            result = Degraded(f"the check failed: {type(error).__name__}")
        if result is not None and result != self._result:
            log.warning("not_ready", reason=result.reason if isinstance(result, Degraded) else result)
        with self._lock:
            self._result, self._made_at, self._running = result, time.monotonic(), None
