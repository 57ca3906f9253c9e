"""Who looks at a page, and what they may see.

A person who has signed in has a session. Its key is random and in a signed cookie of their browser alone; the database
has the key's hash, and the person's token for GitHub encrypted with the key: neither is of use without the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import structlog
from cryptography.fernet import Fernet
from flask import Flask, current_app, g, request
from itsdangerous import BadSignature, Signer
from werkzeug.wrappers import Response

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app import Access, User, UserClient, UserToken, app_manifest
from gracegate.settings import Settings
from gracegate.store import DatabaseUnavailable, Store, StoredSession, repositories, sessions

log = structlog.get_logger(__name__)
Value = TypeVar("Value")

GRANTED_SECONDS = 300.0
"""How long an answer of GitHub counts that shows a repository; a person who has lost access sees it for so long."""
DENIED_SECONDS = 60.0
"""How long an answer counts that shows none; it is shorter, for a person who was just given access."""
_MOST_ANSWERS = 10_000
_MOST_LISTS = 200
"""Each may have 2,000 repositories."""
_MAX_REQUESTS = 8
"""How many threads may wait for GitHub at once; the others are for webhooks, whatever GitHub and visitors do."""
_MAX_WAIT = 2.0
_LONGEST_PATH = 1000
"""It has to fit into a cookie."""
_EXTENSION = "gracegate_viewers"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who has signed in; `token` is theirs for GitHub. `csrf_token` goes into every form."""

    session: str
    user_id: int
    login: str
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    is_operator: bool = False


class Viewers:
    """The sessions of this service, and what GitHub has said of those whose they are."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        public_url = settings.public_url or ""
        # http is possible on this machine alone, see settings.
        self.is_secure = not public_url.startswith("http:")
        self.client = UserClient(
            settings.client_id,
            settings.client_secret,
            settings.git_url,
            settings.github_url,
            f"{public_url}{app_manifest.CALLBACK_PATH}",
        )
        # Who knows the client secret can sign in as the App anyway; with a new one all sessions end.
        self._signer = Signer(settings.client_secret, salt="gracegate session", digest_method=hashlib.sha256)
        self._access: _Cache[Access] = _Cache(_MOST_ANSWERS)
        self._listed: _Cache[Mapping[int, Access]] = _Cache(_MOST_LISTS)
        self._requests = threading.BoundedSemaphore(_MAX_REQUESTS)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; with the prefix a browser takes it from this host over TLS alone."""
        return f"{'__Host-' if self.is_secure else ''}gracegate-session"

    def begin(self, user: User, token: UserToken) -> tuple[str, StoredSession]:
        """A new session: the value of its cookie, and what is stored."""
        key = secrets.token_urlsafe(32)
        box = Fernet(_derived(key, "token"))
        session = StoredSession(_hash(key), user.id, user.login, box.encrypt(token.value.encode()))
        with self._store.transaction() as tx:
            sessions.add(tx, session, token.seconds)
        return self._signer.sign(key).decode(), session

    def find(self, cookie: str) -> Viewer | None:
        """Whose session a cookie is of; None for one that has ended, or was not made here."""
        try:
            key = self._signer.unsign(cookie).decode()
        except (BadSignature, UnicodeDecodeError):
            return None
        with self._store.reading() as tx:
            found = sessions.find(tx, _hash(key))
        if found is None:
            return None
        return Viewer(
            found.key_hash,
            found.user_id,
            found.login,
            Fernet(_derived(key, "token")).decrypt(found.token).decode(),
            _derived(key, "forms").decode(),
            is_operator=not self._settings.operators.isdisjoint({found.login.lower(), f"id:{found.user_id}"}),
        )

    def end(self, viewer: Viewer) -> None:
        with self._store.transaction() as tx:
            sessions.end(tx, viewer.session)

    def access(self, viewer: Viewer, repository_id: int) -> Access:
        """What a person may do in a repository, as GitHub says it now or has said minutes ago.

        Raises GitHubError where it does not say.
        """
        nothing: Access = "none"
        ask = self._asking(viewer, lambda: self.client.access(viewer.token, repository_id), nothing)
        return self._access.get((viewer.session, repository_id), ask, lambda found: found != "none")

    def listed(self, viewer: Viewer) -> Mapping[int, Access]:
        """The repositories that a person was given access to, as far as the App is there. Raises as `access`."""
        nothing: Mapping[int, Access] = {}
        ask = self._asking(viewer, lambda: self.client.repositories(viewer.token), nothing)
        return self._listed.get((viewer.session, 0), ask, bool)

    def _asking(self, viewer: Viewer, ask: Callable[[], Value], nothing: Value) -> Callable[[], Value]:
        def wait_and_ask() -> Value:
            try:
                with self.turn():
                    return ask()
            except Gone as error:
                if error.status != 401:
                    raise
                # The person has revoked the token, or GitHub has.
                self.end(viewer)
                return nothing

        return wait_and_ask

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn of a thread to ask GitHub. Raises GitHubUnavailable where too many have one for too long."""
        if not self._requests.acquire(timeout=_MAX_WAIT):
            raise GitHubUnavailable("too many pages wait for GitHub")
        try:
            yield
        finally:
            self._requests.release()

    def set_cookie(self, answer: Response, name: str, value: str, seconds: float, path: str = "/") -> None:
        """A cookie that scripts and other sites cannot read, and that no other site's form sends.

        Lax and not Strict: people come from links in comments on GitHub, and from GitHub's own page.
        """
        answer.set_cookie(
            name, value, max_age=int(seconds), path=path, secure=self.is_secure, httponly=True, samesite="Lax"
        )

    def delete_cookie(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, path="/", secure=self.is_secure, httponly=True, samesite="Lax")


class _Cache(Generic[Value]):
    """Answers of GitHub by session and repository, for minutes, and no more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, int], tuple[float, Value]] = OrderedDict()

    def get(self, key: tuple[str, int], ask: Callable[[], Value], is_granted: Callable[[Value], bool]) -> Value:
        with self._lock:
            until, value = self._found.get(key, (0.0, None))
            if value is not None and time.monotonic() < until:
                return value
        value = ask()
        with self._lock:
            seconds = GRANTED_SECONDS if is_granted(value) else DENIED_SECONDS
            self._found[key] = (time.monotonic() + seconds, value)
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return value


def install(app: Flask, settings: Settings, store: Store) -> Viewers | None:
    """Let an application know its viewers; None where nobody can sign in."""
    viewers = Viewers(settings, store) if settings.has_sign_in else None
    app.extensions[_EXTENSION] = viewers
    return viewers


def has_sign_in() -> bool:
    return current_app.extensions.get(_EXTENSION) is not None


def current_viewer() -> Viewer | None:
    """Who looks at the page of this request; None for anybody."""
    if "viewer" not in g:
        g.viewer = _find_viewer()
    found: Viewer | None = g.viewer
    return found


def _find_viewer() -> Viewer | None:
    viewers: Viewers | None = current_app.extensions.get(_EXTENSION)
    cookie = viewers and request.cookies.get(viewers.cookie)
    if viewers is None or not cookie:
        return None
    try:
        return viewers.find(cookie)
    except DatabaseUnavailable:
        # Pages that need no database are still shown.
        log.warning("session_not_read")
        return None


def may_read(store: Store, repository_id: int) -> bool:
    """Whether the viewer may see the pages of a repository. Raises GitHubError where GitHub does not say."""
    viewers: Viewers | None = current_app.extensions.get(_EXTENSION)
    with store.reading() as tx:
        if repositories.is_public(tx, repository_id):
            return True
    viewer = current_viewer()
    return viewers is not None and viewer is not None and viewers.access(viewer, repository_id) != "none"


def listed_repositories() -> Mapping[int, Access]:
    """The repositories that the viewer was given access to; none for who has not signed in. Raises GitHubError."""
    viewers: Viewers | None = current_app.extensions[_EXTENSION]
    viewer = current_viewer()
    return {} if viewers is None or viewer is None else viewers.listed(viewer)


def has_csrf_token() -> bool:
    """Whether the form of this request was on a page that its sender saw in this session."""
    viewer = current_viewer()
    given = request.form.get("csrf_token", "")
    return viewer is not None and hmac.compare_digest(given.encode(), viewer.csrf_token.encode())


def is_own_path(path: str) -> bool:
    """Whether a path leads to this service, wherever a browser may take it: not `//host`, and not `/\\host`."""
    parts = urlsplit(path)
    is_plain = path.isascii() and path.isprintable() and "\\" not in path and len(path) <= _LONGEST_PATH
    return is_plain and path.startswith("/") and not path.startswith("//") and not (parts.scheme or parts.netloc)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _derived(key: str, purpose: str) -> bytes:
    """A key for one purpose."""
    return base64.urlsafe_b64encode(hmac.new(key.encode(), purpose.encode(), "sha256").digest())
