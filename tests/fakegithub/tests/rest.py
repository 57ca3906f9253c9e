"""A bare client of the fake: requests as they are, so that tests see what GitHub would answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import jwt
import requests

from tests.fakegithub.server import FakeGitHub
from tests.processes import WAIT_SECONDS

REPOSITORY = "shop/web"
NUMBERS = [f"line {number}" for number in range(1, 31)]


def text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def changed(*edits: tuple[int, str]) -> str:
    """The numbered lines with some of them, from 1, replaced."""
    lines = list(NUMBERS)
    for number, line in edits:
        lines[number - 1] = line
    return text(lines)


def app_jwt(fake: FakeGitHub, *, key: str | None = None, **claims: Any) -> str:
    now = int(time.time())
    payload = {"iat": now - 60, "exp": now + 300, "iss": str(fake.app.id), **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key or fake.app.private_key, algorithm="RS256")


class Rest:
    """Calls the API with one Authorization header; `token` mints one for the repository's installation."""

    def __init__(self, fake: FakeGitHub, authorization: str | None) -> None:
        self.fake = fake
        self.session = requests.Session()
        self.session.trust_env = False
        if authorization:
            self.session.headers["Authorization"] = authorization

    def close(self) -> None:
        self.session.close()

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        return self.session.request(method, f"{self.fake.url}{path}", json=body, headers=headers, timeout=WAIT_SECONDS)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.send("POST", path, {} if body is None else body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.send("PATCH", path, body)

    def put(self, path: str, body: Any) -> requests.Response:
        return self.send("PUT", path, body)

    def repo(self, path: str = "") -> str:
        return f"/repos/{REPOSITORY}{path}"

    def pages(self, path: str) -> Iterator[Any]:
        """All items of a list, by its Link headers."""
        url: str | None = f"{self.fake.url}{path}"
        while url:
            answer = self.session.get(url, timeout=WAIT_SECONDS)
            answer.raise_for_status()
            yield from answer.json()
            url = answer.links.get("next", {}).get("url")


def mint(fake: FakeGitHub, body: Any = None, account: str = "shop") -> requests.Response:
    installation = next(one for one in fake.world.installations.values() if one.account == account)
    app = Rest(fake, f"Bearer {app_jwt(fake)}")
    try:
        return app.post(f"/app/installations/{installation.id}/access_tokens", body)
    finally:
        app.close()
