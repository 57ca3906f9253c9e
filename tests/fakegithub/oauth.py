"""How a person lets the App act for them: the page that asks, the exchange of the code, what the token may read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, jsonify, redirect, render_template, request
from werkzeug import Response

from tests.fakegithub import shapes
from tests.fakegithub.auth import level_of, login_of
from tests.fakegithub.errors import ApiError, not_found
from tests.fakegithub.shapes import Json
from tests.fakegithub.state import Authorization, UserToken
from tests.fakegithub.web import Answer, base_url, body, page, world

api = Blueprint("users", __name__)
site = Blueprint("oauth_pages", __name__)

CODE_SECONDS = 600.0
TOKEN_SECONDS = 28800
"""Eight hours, for an App whose user tokens expire; such is the default."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@site.get("/login/oauth/authorize")
def ask() -> Response | str:
    """The page that asks a person. GitHub asks once, and knows who is signed in; here any person may be chosen."""
    asked = request.args
    if asked.get("client_id") != world().app.client_id:
        raise not_found()
    if not _is_registered(asked.get("redirect_uri", "")):
        return Response("The redirect_uri is not associated with this application.", 400)
    people = sorted({*world().people, *(login for levels in world().collaborators.values() for login in levels)})
    return render_template("authorize.html", app=world().app.name, people=people or ["ada"])


@site.post("/login/oauth/authorize")
def authorize() -> Response:
    """The person agrees: the browser goes back with a code."""
    asked = request.args
    if asked.get("client_id") != world().app.client_id or not _is_registered(asked.get("redirect_uri", "")):
        raise not_found()
    state = {"state": asked["state"]} if "state" in asked else {}
    if "refuse" in request.form:
        answer = {"error": "access_denied", "error_description": "The user has denied your application access."}
        return redirect(f"{asked['redirect_uri']}?{urlencode({**answer, **state})}")
    code = secrets.token_hex(10)
    with world().lock:
        world().authorizations[code] = Authorization(
            request.form["login"], asked["redirect_uri"], asked.get("code_challenge", ""), world().clock.now()
        )
    return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, **state})}")


def _is_registered(url: str) -> bool:
    """Whether the App has this callback URL; on loopback any port is as good as another."""
    parts = urlsplit(url)
    return any(
        url == one or (parts.hostname in _LOOPBACK and parts.hostname == own.hostname and parts.path == own.path)
        for one in world().app.callback_urls
        for own in [urlsplit(one)]
    )


@site.post("/login/oauth/access_token")
def exchange() -> Answer:
    """Errors are answered with 200, as GitHub does it. A code is valid once."""
    given = request.form or body()
    app = world().app
    if not _is_secret(given.get("client_id", ""), given.get("client_secret", "")):
        return _oauth_error("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
    with world().lock:
        found = world().authorizations.pop(given.get("code", ""), None)
        if found is None or found.created_at < world().clock.now() - CODE_SECONDS or not _is_verified(found, given):
            return _oauth_error("bad_verification_code", "The code passed is incorrect or expired.")
        if given.get("redirect_uri", found.redirect_uri) != found.redirect_uri:
            text = "The redirect_uri MUST match the registered callback URL for this application."
            return _oauth_error("redirect_uri_mismatch", text)
        expires = world().clock.now() + TOKEN_SECONDS if app.user_tokens_expire else None
        token = UserToken(f"ghu_{secrets.token_urlsafe(27)}", found.login, expires)
        world().user_tokens[token.value] = token
    made: Json = {"access_token": token.value, "token_type": "bearer", "scope": ""}
    if expires is not None:
        made |= {"expires_in": TOKEN_SECONDS, "refresh_token": f"ghr_{secrets.token_urlsafe(57)}"}
        made |= {"refresh_token_expires_in": 15897600}
    if "json" in request.headers.get("Accept", ""):
        return jsonify(made)
    return Response(urlencode(made), content_type="application/x-www-form-urlencoded; charset=utf-8")


def _is_secret(client_id: str, secret: str) -> bool:
    app = world().app
    return client_id == app.client_id and hmac.compare_digest(secret.encode(), app.client_secret.encode())


def _is_verified(found: Authorization, given: Mapping[str, str]) -> bool:
    if not found.challenge:
        return True
    digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=") == found.challenge


def _oauth_error(error: str, description: str) -> Answer:
    return jsonify(error=error, error_description=description, error_uri="https://docs.github.com/apps")


@api.delete("/applications/<client_id>/token")
def delete_token(client_id: str) -> Answer:
    """Signed with the App's client id and secret as a password."""
    given = request.authorization
    if given is None or not _is_secret(client_id, given.password or "") or given.username != client_id:
        raise not_found()
    with world().lock:
        if world().user_tokens.pop(body().get("access_token", ""), None) is None:
            raise ApiError(422, "Validation Failed")
    return "", 204


@api.get("/user")
def user() -> Answer:
    login = login_of()
    return jsonify(
        {
            **shapes.user(base_url(), login),
            **dict.fromkeys(("name", "company", "email", "location", "hireable", "bio"), None),
            **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
            "blog": "",
            "created_at": world().app.created_at,
            "updated_at": world().app.created_at,
        }
    )


@api.get("/user/installations")
def installations() -> Answer:
    """Those that have a repository to which the person has access."""
    login = login_of()
    with world().lock:
        found = [
            one
            for one in world().installations.values()
            if any(level_of(world(), each, login) for each in world().repositories_of(one))
        ]
        return page(found, lambda one: shapes.installation(base_url(), world(), one), "installations")


@api.get("/user/installations/<int:installation_id>/repositories")
def repositories(installation_id: int) -> Answer:
    login = login_of()
    with world().lock:
        one = world().installations.get(installation_id)
        found = [each for each in world().repositories_of(one) if level_of(world(), each, login)] if one else []
        if not found:
            raise not_found()
        return page(found, lambda each: shapes.repository(base_url(), each), "repositories")
