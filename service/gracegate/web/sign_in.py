"""Sign-in with GitHub: there and back, signing out, and the page that says who one is."""

from __future__ import annotations

import hmac
import secrets

import structlog
from flask import Blueprint, redirect, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from gracegate.errors import GitHubError, Gone
from gracegate.github_app import app_manifest
from gracegate.settings import Settings
from gracegate.web.responses import HOME, message, page
from gracegate.web.viewers import Viewer, Viewers, current_viewer, is_own_path

log = structlog.get_logger(__name__)

_FLOW_SECONDS = 600
"""How long a person may take on GitHub's page; its code ends then too."""
_AGAIN = (("/sign-in", "Sign in again"), ("/", "Start"))


def blueprint(settings: Settings, viewers: Viewers) -> Blueprint:
    pages = Blueprint("sign_in", __name__)
    # What one browser has to bring back: a person could else be made to sign in as somebody else.
    flow = URLSafeTimedSerializer(settings.client_secret, salt="gracegate sign-in")
    flow_cookie = f"{'__Host-' if viewers.is_secure else ''}gracegate-sign-in"

    @pages.get("/sign-in")
    def leave_for_github() -> Response:
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        after = request.args.get("next", "/account")
        begun = flow.dumps([state, verifier, after if is_own_path(after) else "/account"])
        answer = redirect(viewers.client.authorization_url(state, verifier))
        viewers.set_cookie(answer, flow_cookie, begun, _FLOW_SECONDS)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.get(app_manifest.CALLBACK_PATH)
    def come_back() -> Response:
        try:
            state, verifier, after = flow.loads(request.cookies.get(flow_cookie, ""), max_age=_FLOW_SECONDS)
        except BadSignature:
            return message(400, "You are not signed in", "This took too long, or began elsewhere.", links=_AGAIN)
        if not hmac.compare_digest(request.args.get("state", "").encode(), state.encode()):
            return message(400, "You are not signed in", "This is not the sign-in that you began last.", links=_AGAIN)
        if "code" not in request.args:
            answer: Response = message(200, "You are not signed in", "GitHub was not allowed to say who you are.",
                                       links=_AGAIN)  # fmt: skip
        else:
            answer = _sign_in(viewers, request.args["code"], verifier, after)
        viewers.delete_cookie(answer, flow_cookie)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.post("/sign-out")
    def sign_out() -> Response:
        if viewer := current_viewer():
            _end(viewers, viewer)
        answer = redirect("/")
        viewers.delete_cookie(answer, viewers.cookie)
        return answer

    @pages.get("/account")
    def show_account() -> Response:
        viewer = current_viewer()
        if viewer is None:
            return message(
                200,
                "You are not signed in",
                "Sign in with GitHub to see the pages of the private repositories that you can read there.",
                links=[("/sign-in", "Sign in with GitHub"), *HOME],
            )
        return page(200, "account.html", title="Your account", viewer=viewer)

    return pages


def _sign_in(viewers: Viewers, code: str, verifier: str, after: str) -> Response:
    try:
        with viewers.turn():
            token = viewers.client.exchange(code, verifier)
            user = viewers.client.user(token.value)
    except Gone as error:
        log.warning("sign_in_refused", error=str(error))
        return message(400, "You are not signed in", "GitHub did not accept this sign-in.", links=_AGAIN)
    except GitHubError as error:
        log.warning("sign_in_failed", error=str(error))
        return message(503, "You are not signed in", "GitHub does not answer at the moment.", links=_AGAIN)
    if earlier := current_viewer():
        _end(viewers, earlier)
    cookie, _ = viewers.begin(user, token)
    log.info("signed_in", login=user.login, user=user.id)
    answer = redirect(after)
    viewers.set_cookie(answer, viewers.cookie, cookie, token.seconds)
    return answer


def _end(viewers: Viewers, viewer: Viewer) -> None:
    """End a session, and its token at GitHub; that ends by itself where GitHub does not answer."""
    viewers.end(viewer)
    try:
        with viewers.turn():
            viewers.client.revoke(viewer.token)
    except GitHubError as error:
        log.warning("token_not_revoked", error=str(error))
