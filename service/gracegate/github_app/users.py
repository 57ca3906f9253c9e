"""People who sign in with the App: GitHub's web flow, and what a person may read, asked with the person's own token.

Such a token reads what both the person and the App may read. The flow has a state and PKCE (S256), which GitHub checks.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app.answers import json_of, send
from gracegate.github_app.errors import error_from_answer, translate_errors

Access = Literal["none", "read", "write"]
"""What a person may do in a repository."""

_TOKEN_SECONDS = 8 * 3600
"""How long a token is used; GitHub's own end then, unless the App's settings say that they never do."""
_TIMEOUT = 8.0
_PAGE = 100
_MAX_PAGES = 20
"""How many requests a list of repositories takes at most, of all installations together."""


@dataclass(frozen=True, slots=True)
class UserToken:
    """A token of a person; `seconds` is for how long it is to be used."""

    value: str = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class User:
    """A person; the id stays when the login changes."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class UserClient:
    """The App as people sign in with it. `web_url` is GitHub's, without `/api/v3`; `callback_url` is one that the App
    is registered with."""

    client_id: str
    client_secret: str = field(repr=False)
    web_url: str
    api_url: str
    callback_url: str

    def authorization_url(self, state: str, verifier: str) -> str:
        """Where GitHub asks the person, and sends the browser back with a code."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                f"{self.web_url}/login/oauth/authorize", state=state, code_verifier=verifier
            )
        return str(url)

    def exchange(self, code: str, verifier: str) -> UserToken:
        """The token that a code stands for. Raises Gone where GitHub does not accept the code."""
        with self._session() as session, translate_errors():
            try:
                url = f"{self.web_url}/login/oauth/access_token"
                # The client secret goes to no other server.
                options = {"timeout": _TIMEOUT, "allow_redirects": False}
                token = session.fetch_token(url, code=code, code_verifier=verifier, **options)
                value, seconds = token.get("access_token"), float(token.get("expires_in", _TOKEN_SECONDS))
            except OAuthError as error:
                raise Gone(f"GitHub did not accept the code: {error.error}", status=401) from error
            except (AttributeError, TypeError, ValueError) as error:
                raise GitHubUnavailable("GitHub answered with JSON of another shape", status=200) from error
        if not isinstance(value, str):
            raise GitHubUnavailable("GitHub's answer has no token", status=200)
        return UserToken(value, min(seconds, _TOKEN_SECONDS))

    def revoke(self, token: str) -> None:
        """End a token. It may have ended before. Raises GitHubError."""
        url = f"{self.api_url}/applications/{self.client_id}/token"
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        body = json.dumps({"access_token": token})
        with requests.Session() as session, translate_errors():
            answer = send(session, "DELETE", url, headers=headers, data=body, timeout=_TIMEOUT)
        if answer.status_code not in {204, 404, 422}:
            raise error_from_answer(answer.status_code, answer.headers, json_of(answer))

    def user(self, token: str) -> User:
        """The person whose token it is. Raises GitHubError."""
        found = self._get(token, "/user")
        return User(int(found["id"]), str(found["login"]))

    def access(self, token: str, repository_id: int) -> Access:
        """What the person may do in a repository.

        Raises Gone where the token has ended (401), and GitHubError where GitHub does not say.
        """
        try:
            found = self._get(token, f"/repositories/{repository_id}")
        except Gone as error:
            if error.status == 401:
                raise
            return "none"
        return _access(found)

    def repositories(self, token: str) -> dict[int, Access]:
        """The repositories with the App that the person was given access to; not the public ones, which all may read.

        Of more than 2,000 some are left out. Raises as `access` does.
        """
        found: dict[int, Access] = {}
        pages = 0
        for installation in self._pages(token, "/user/installations", "installations"):
            path = f"/user/installations/{installation['id']}/repositories"
            for number, one in enumerate(self._pages(token, path, "repositories")):
                found[int(one["id"])] = _access(one)
                pages += number % _PAGE == 0
                if pages > _MAX_PAGES:
                    return found
        return found

    def _session(self) -> OAuth2Session:
        method = {"code_challenge_method": "S256", "token_endpoint_auth_method": "client_secret_post"}
        return OAuth2Session(self.client_id, self.client_secret, redirect_uri=self.callback_url, **method)

    def _pages(self, token: str, path: str, key: str) -> Iterator[Any]:
        for number in range(1, _MAX_PAGES + 1):
            items = self._get(token, f"{path}?per_page={_PAGE}&page={number}")[key]
            yield from items
            if len(items) < _PAGE:
                return

    def _get(self, token: str, path: str) -> Any:
        with requests.Session() as session, translate_errors():
            headers = {"Authorization": f"Bearer {token}"}
            answer = send(session, "GET", f"{self.api_url}{path}", headers=headers, data=None, timeout=_TIMEOUT)
        if answer.status_code != 200:
            raise error_from_answer(answer.status_code, answer.headers, json_of(answer))
        return answer.json()


def _access(repository: Any) -> Access:
    rights = repository.get("permissions") or {}
    if rights.get("push"):
        return "write"
    # Where GitHub shows a repository and no rights, everybody may read it.
    return "read" if rights.get("pull", True) else "none"
