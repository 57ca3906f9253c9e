"""Who is calling: the App by its JWT, an installation or a person by their token, or an anonymous caller."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import jwt
from flask import g, request
from jwt.types import Options

from tests.fakegithub.errors import ApiError, not_found, not_permitted
from tests.fakegithub.state import Installation, Repository, Token, UserToken
from tests.fakegithub.world import World

LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
LIFETIME = 3600
MINUTES_10 = 600
SIGNATURE_ALONE: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}


@dataclass(frozen=True)
class Caller:
    """`token` is None for the App itself, for a person, and for an anonymous caller."""

    app: bool = False
    token: Token | None = None
    user: UserToken | None = None


def bad_credentials() -> ApiError:
    return ApiError(401, "Bad credentials", headers={"WWW-Authenticate": 'Basic realm="GitHub"'})


def identify(world: World, header: str | None) -> Caller:
    """The caller that an Authorization header authenticates. Raises a 401 where it is not valid."""
    if not header:
        return Caller()
    scheme, _, value = header.partition(" ")
    value = _password(value) if scheme.lower() == "basic" else value.strip()
    if value.startswith("ghs_"):
        return Caller(token=_live_token(world, value))
    if value.startswith("ghu_"):
        return Caller(user=_live_user_token(world, value))
    if request.path.startswith("/applications/"):
        return Caller()
    if scheme.lower() == "bearer" and value.count(".") == 2:
        check_jwt(world, value)
        return Caller(app=True)
    raise bad_credentials()


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        raise bad_credentials() from None


def _live_token(world: World, value: str) -> Token:
    token = world.tokens.get(value)
    if token is None or token.expires <= world.clock.now():
        raise bad_credentials()
    return token


def _live_user_token(world: World, value: str) -> UserToken:
    token = world.user_tokens.get(value)
    if token is None or (token.expires is not None and token.expires <= world.clock.now()):
        raise bad_credentials()
    return token


def login_of() -> str:
    """The person who calls. Raises what GitHub answers to others."""
    caller: Caller = g.caller
    if caller.user is None:
        raise not_permitted() if caller.token else ApiError(401, "Requires authentication")
    return caller.user.login


def level_of(world: World, repository: Repository, login: str) -> int:
    """How much a person may do in a repository."""
    return LEVELS[world.permission(repository, login)]


def check_jwt(world: World, value: str) -> None:
    """Holds a JWT against GitHub's rules. Its times are read by the real clock: the client cannot know the fake's."""
    try:
        claims = jwt.decode(value, world.app.public_key, algorithms=["RS256"], options=SIGNATURE_ALONE)
    except jwt.InvalidTokenError:
        raise ApiError(401, "A JSON web token could not be decoded") from None
    if str(claims.get("iss")) not in {str(world.app.id), world.app.client_id}:
        raise ApiError(404, "Integration not found")
    now = time.time()
    exp, iat = claims.get("exp"), claims.get("iat")
    if not isinstance(exp, int) or exp <= now:
        future = "must be a numeric value representing the future time at which the assertion expires"
        raise ApiError(401, f"'Expiration time' claim ('exp') {future}")
    if exp > now + MINUTES_10:
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(iat, int) or iat > now + 1:
        issued = "must be an Integer representing the time that the assertion was issued"
        raise ApiError(401, f"'Issued at' claim ('iat') {issued}")


def mint(
    world: World, installation: Installation, repositories: Collection[Repository], permissions: Mapping[str, str]
) -> Token:
    """A token in the format of 2026: some 500 characters with dots, dashes and underscores."""
    claims = {"iss": "github", "installation": installation.id, "jti": secrets.token_hex(140)}
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    value = f"ghs_{world.app.id}_eyJhbGciOiJFUzI1NiJ9.{middle}.{secrets.token_urlsafe(64)}"
    ids = frozenset(one.id for one in repositories)
    token = Token(value, installation.id, ids, dict(permissions), world.clock.now() + LIFETIME)
    world.tokens[value] = token
    return token


def allow(world: World, caller: Caller, repository: Repository, permission: str, level: str) -> None:
    """Lets the caller pass, or raises what GitHub answers: 404 for what it may not see, 403 for what it may not do."""
    public_read = not repository.private and level == "read"
    if caller.app:
        raise ApiError(401, "A JSON web token could not be decoded" if level == "write" else "Bad credentials")
    if caller.user is not None:
        _allow_user(world, caller.user.login, repository, level)
        return
    if caller.token is None:
        if not public_read:
            raise not_found() if repository.private else ApiError(401, "Requires authentication")
        return
    if repository.id not in caller.token.repository_ids:
        if repository.private:
            raise not_found()
        if not public_read:
            raise not_permitted()
        return
    granted = max(_level(caller.token, name) for name in permission.split("|"))
    if granted < LEVELS[level] and not (public_read and permission != "checks"):
        raise not_permitted()


def _allow_user(world: World, login: str, repository: Repository, level: str) -> None:
    """A person's token may do what both the person and the App may."""
    if not repository.private and level == "read":
        return
    granted = level_of(world, repository, login) if world.installation_of(repository) else 0
    if not granted:
        raise not_found() if repository.private else not_permitted()
    if granted < LEVELS[level]:
        raise not_permitted()


def _level(token: Token, permission: str) -> int:
    """What the token may; every token may read metadata."""
    level = token.permissions.get(permission, "none")
    return max(LEVELS[level], 1 if permission == "metadata" else 0)
