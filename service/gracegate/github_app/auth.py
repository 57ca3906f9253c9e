"""Installation tokens: each for one repository and some permissions, kept until shortly before it expires."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from github import Auth

from gracegate.github_app.answers import json_of, send
from gracegate.github_app.errors import error_from_answer
from gracegate.github_app.pace import Pace, Pacer
from gracegate.github_app.retry import Retrier

# Seconds that a token is still valid when it is handed out.
_MIN_VALIDITY = 300.0

Key = tuple[int, int | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    expires_at: float


@dataclass(slots=True)
class _CachedToken:
    """The token of one key. One thread requests it while the others wait for its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: _Token | None = None


class TokenBroker:
    """Gives installation tokens of one App; `issuer` is its id or its client id, as the operator wrote it.

    It does not use PyGithub, which cannot limit a token to a repository and logs tokens at DEBUG.
    """

    def __init__(
        self,
        issuer: str,
        private_key: str,
        api_url: str = "https://api.github.com",
        *,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        timeout: float = 15.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.api_url = api_url.rstrip("/")
        self.app_auth = Auth.AppAuth(issuer, private_key)
        self._retrier = Retrier(pace, Pacer(pace))
        self._timeout = timeout
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[Key, _CachedToken] = {}

    def __repr__(self) -> str:
        return f"TokenBroker(issuer={self.issuer!r}, api_url={self.api_url!r})"

    def token(self, installation_id: int, repository_id: int | None, permissions: Mapping[str, str]) -> str:
        """A token that is valid for five more minutes; for all repositories if `repository_id` is None.

        Raises Gone if the App is uninstalled, suspended or lacks a permission.
        """
        key = (installation_id, repository_id, tuple(sorted(permissions.items())))
        with self._lock:
            cached = self._tokens.setdefault(key, _CachedToken())
        with cached.lock:
            if cached.token is None or cached.token.expires_at - self._now() < _MIN_VALIDITY:
                cached.token = self._retrier.read(lambda: self._request_token(*key))
            return cached.token.value

    def invalidate(self, token: str) -> None:
        """Drop a token that GitHub refused. Nothing happens if it was replaced already."""
        with self._lock:
            tokens = list(self._tokens.values())
        for cached in tokens:
            with cached.lock:
                if cached.token is not None and cached.token.value == token:
                    cached.token = None

    def _request_token(
        self, installation_id: int, repository_id: int | None, permissions: tuple[tuple[str, str], ...]
    ) -> _Token:
        scope = {} if repository_id is None else {"repository_ids": [repository_id]}
        with requests.Session() as session:
            answer = send(
                session,
                "POST",
                f"{self.api_url}/app/installations/{installation_id}/access_tokens",
                headers={"Authorization": f"Bearer {self.app_auth.token}", "Content-Type": "application/json"},
                data=json.dumps({**scope, "permissions": dict(permissions)}),
                timeout=self._timeout,
            )
        if answer.status_code != 201:
            raise error_from_answer(answer.status_code, answer.headers, json_of(answer))
        body = answer.json()
        return _Token(body["token"], datetime.fromisoformat(body["expires_at"]).timestamp())
