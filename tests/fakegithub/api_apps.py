"""The App itself: who it is, its installations, their tokens, its webhook deliveries."""

from __future__ import annotations

from flask import Blueprint, jsonify, request

from tests.fakegithub import auth, shapes
from tests.fakegithub.errors import ApiError, not_found, not_permitted
from tests.fakegithub.shapes import Json
from tests.fakegithub.state import Delivery, Installation, Repository
from tests.fakegithub.web import Answer, app_only, base_url, body, caller, events, needs, page, world

api = Blueprint("apps", __name__)
DELIVERIES_KEPT = 3 * 86400
"""Seconds."""


@api.get("/app")
@app_only
def the_app() -> Answer:
    return jsonify(shapes.app(base_url(), world().app) | {"installations_count": len(world().installations)})


@api.get("/app/installations")
@app_only
def installations() -> Answer:
    return page(list(world().installations.values()), lambda one: shapes.installation(base_url(), world(), one))


def _installation(number: int) -> Installation:
    found = world().installations.get(number)
    if found is None:
        raise not_found()
    return found


@api.get("/app/installations/<int:installation_id>")
@app_only
def installation(installation_id: int) -> Answer:
    return jsonify(shapes.installation(base_url(), world(), _installation(installation_id)))


@api.get("/repos/<owner>/<repo>/installation")
@app_only
def repository_installation(owner: str, repo: str) -> Answer:
    repository = world().repository(f"{owner}/{repo}")
    found = repository and world().installation_of(repository)
    if not found:
        raise not_found()
    return jsonify(shapes.installation(base_url(), world(), found))


@api.post("/app/installations/<int:installation_id>/access_tokens")
@app_only
def access_token(installation_id: int) -> Answer:
    one = _installation(installation_id)
    if one.suspended_at:
        raise ApiError(403, "This installation has been suspended")
    wanted = _wanted_repositories(one)
    permissions = _wanted_permissions(one)
    token = auth.mint(world(), one, wanted or world().repositories_of(one), permissions)
    answer: Json = {
        "token": token.value,
        "expires_at": world().clock.iso(token.expires),
        "permissions": dict(token.permissions),
        "repository_selection": "selected" if wanted or one.repository_ids is not None else "all",
    }
    if wanted:
        answer["repositories"] = [shapes.repository(base_url(), repository) for repository in wanted]
    return jsonify(answer), 201


def _wanted_repositories(one: Installation) -> list[Repository]:
    """The repositories the request names, none if it names none."""
    ids, names = body().get("repository_ids", []), body().get("repositories", [])
    found = [r for r in world().repositories_of(one) if r.id in ids or r.name in names]
    if len(found) < len(set(ids)) + len(set(names)):
        reason = "There is at least one repository that does not exist or is not accessible to the parent installation."
        raise ApiError(422, reason)
    return found


def _wanted_permissions(one: Installation) -> dict[str, str]:
    """The permissions the request names; all that were granted if it names none, or `{}`."""
    wanted = dict(body().get("permissions") or one.permissions)
    for name, level in wanted.items():
        if auth.LEVELS[level] > auth.LEVELS[one.permissions.get(name, "none")]:
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return {**wanted, "metadata": "read"}


@api.get("/installation/repositories")
def accessible_repositories() -> Answer:
    token = caller().token
    if token is None:
        raise not_permitted() if caller().app else ApiError(401, "Requires authentication")
    with world().lock:
        visible = [one for one in world().repositories.values() if one.id in token.repository_ids]
        return page(visible, lambda one: shapes.repository(base_url(), one), "repositories")


@api.get("/repos/<owner>/<repo>/collaborators/<username>/permission")
@needs("metadata")
def permission_level(repository: Repository, username: str) -> Answer:
    level = world().permission(repository, username)
    user = shapes.user(base_url(), username) | {"role_name": level}
    return jsonify({"permission": level, "role_name": level, "user": user})


# The App's webhook and its deliveries


@api.get("/app/hook/config")
@app_only
def webhook_config() -> Answer:
    one = world().app
    config = {"content_type": one.webhook_content_type, "insecure_ssl": one.webhook_insecure_ssl}
    secret = {"secret": "********"} if one.webhook_secret else {}
    return jsonify(config | secret | ({"url": events().url} if events().url else {}))


def _delivery_item(one: Delivery) -> Json:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": one.delivered_at,
        "redelivery": one.redelivery,
        "duration": round(one.duration, 2),
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


def _remembered() -> list[Delivery]:
    """The deliveries of the last three days, oldest first."""
    oldest = world().clock.iso(world().clock.now() - DELIVERIES_KEPT)
    return [one for one in world().deliveries if one.delivered_at >= oldest]


def _delivery(number: int) -> Delivery:
    found = next((one for one in _remembered() if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@api.get("/app/hook/deliveries")
@app_only
def deliveries() -> Answer:
    """Newest first. The cursor is the id of the last delivery of the page before."""
    cursor = request.args.get("cursor", type=int)
    size = min(request.args.get("per_page", 30, type=int), 100)
    older = [one for one in reversed(_remembered()) if cursor is None or one.id < cursor]
    response = jsonify([_delivery_item(one) for one in older[:size]])
    if len(older) > size:
        link = f"{base_url()}/app/hook/deliveries?per_page={size}&cursor={older[size - 1].id}"
        response.headers["Link"] = f'<{link}>; rel="next"'
    return response


@api.get("/app/hook/deliveries/<int:delivery_id>")
@app_only
def delivery(delivery_id: int) -> Answer:
    one = _delivery(delivery_id)
    sent = {"headers": one.headers, "payload": one.payload}
    return jsonify(
        _delivery_item(one) | {"url": "", "request": sent, "response": {"headers": {}, "payload": one.response}}
    )


@api.post("/app/hook/deliveries/<int:delivery_id>/attempts")
@app_only
def redeliver(delivery_id: int) -> Answer:
    events().redeliver(_delivery(delivery_id))
    return jsonify({}), 202
