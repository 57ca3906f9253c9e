"""Tokens of installations: minted for one repository and some permissions, kept until they are about to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import requests
from github import Auth

from gracegate.github_app.errors import failure
from gracegate.github_app.retry import Calls, Pace, Pacer

API_VERSION = "2022-11-28"
_MARGIN = 300.0

Key = tuple[int, int | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Minted:
    value: str = field(repr=False)
    ends: float


@dataclass(slots=True)
class _Slot:
    """The token of one key; its lock lets one thread mint while the others wait for the same token."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    minted: _Minted | None = None


class TokenBroker:
    """Hands out installation tokens of one App.

    The request goes around PyGithub: that can scope no token to a repository, and at DEBUG it writes tokens to the log.
    """

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str = "https://api.github.com",
        *,
        pace: Pace = Pace(write=0.0),  # noqa: B008 - frozen
        timeout: float = 15.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.app_id = app_id
        self.api_url = api_url.rstrip("/")
        self.app_auth = Auth.AppAuth(app_id, private_key)
        self._calls = Calls(pace, Pacer(pace))
        self._timeout = timeout
        self._now = now
        self._lock = threading.Lock()
        self._slots: dict[Key, _Slot] = {}

    def __repr__(self) -> str:
        return f"TokenBroker(app_id={self.app_id}, api_url={self.api_url!r})"

    def token(self, installation_id: int, repository_id: int | None, permissions: Mapping[str, str]) -> str:
        """A token that holds for five more minutes; for all repositories of the installation if none is given.

        Raises Gone where the App is uninstalled, suspended or lacks a permission.
        """
        key = (installation_id, repository_id, tuple(sorted(permissions.items())))
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if slot.minted is None or slot.minted.ends - self._now() < _MARGIN:
                slot.minted = self._calls.read(lambda: self._mint(*key))
            return slot.minted.value

    def invalidate(self, token: str) -> None:
        """Forgets a token that GitHub did not take; one that was minted meanwhile stays."""
        with self._lock:
            slots = list(self._slots.values())
        for slot in slots:
            with slot.lock:
                if slot.minted is not None and slot.minted.value == token:
                    slot.minted = None

    def _mint(
        self, installation_id: int, repository_id: int | None, permissions: tuple[tuple[str, str], ...]
    ) -> _Minted:
        scope = {} if repository_id is None else {"repository_ids": [repository_id]}
        answer = requests.post(
            f"{self.api_url}/app/installations/{installation_id}/access_tokens",
            json={**scope, "permissions": dict(permissions)},
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.app_auth.token}",
                "X-GitHub-Api-Version": API_VERSION,
            },
            timeout=self._timeout,
            allow_redirects=False,
        )
        if answer.status_code != 201:
            raise failure(answer.status_code, answer.headers, _json(answer))
        body = answer.json()
        return _Minted(body["token"], datetime.fromisoformat(body["expires_at"]).timestamp())


def _json(answer: requests.Response) -> object:
    try:
        body: object = answer.json()
    except requests.JSONDecodeError:
        return None
    return body
