"""How an App is registered from a manifest: the page that takes it, and the exchange of the code for the App."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, jsonify, redirect, request
from werkzeug import Response

from tests.fakegithub import shapes
from tests.fakegithub.errors import not_found
from tests.fakegithub.shapes import Json
from tests.fakegithub.state import App, new_key
from tests.fakegithub.web import Answer, base_url, events, world

api = Blueprint("registration", __name__)
site = Blueprint("registration_pages", __name__)

LIFETIME = 3600.0
"""Seconds for which a code is valid."""
MAX_NAME = 34
PERMISSION_OF_EVENT = {
    "check_run": "checks",
    "check_suite": "checks",
    "issue_comment": "issues",
    "merge_group": "merge_queues",
    "pull_request": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "push": "contents",
    "repository": "metadata",
}


@site.post("/settings/apps/new")
@site.post("/organizations/<organization>/settings/apps/new")
def register(organization: str = "ada") -> Response:
    """Takes a manifest, and sends the browser back with a code. GitHub lets the person change the name before that."""
    manifest = json.loads(request.form["manifest"])
    if problems := manifest_problems(manifest):
        return Response("\n".join(problems), 400)
    code = secrets.token_hex(20)
    with world().lock:
        world().manifests[code] = (world().clock.now(), {**manifest, "owner": organization})
    state = {"state": request.args["state"]} if "state" in request.args else {}
    return redirect(f"{manifest['redirect_url']}?{urlencode({'code': code, **state})}")


def manifest_problems(manifest: Mapping[str, Any]) -> list[str]:
    """What GitHub refuses about a manifest."""
    permissions, hook = manifest.get("default_permissions", {}), manifest.get("hook_attributes", {})
    problems = [
        f"{name} is not a URL"
        for name, url in (
            ("url", manifest.get("url")),
            ("redirect_url", manifest.get("redirect_url")),
            ("hook_attributes.url", hook.get("url")),
        )
        if urlsplit(url or "").scheme not in {"http", "https"}
    ]
    if len(manifest.get("name", "")) > MAX_NAME:
        problems.append("Name is too long (maximum is 34 characters)")
    unsupported = [one for one in manifest.get("default_events", []) if PERMISSION_OF_EVENT.get(one) not in permissions]
    if unsupported:
        problems.append(f"Default events unsupported: {', '.join(unsupported)}")
    return problems


@api.post("/app-manifests/<code>/conversions")
def convert(code: str) -> Answer:
    """The new App takes the place of the fake's own, which is installed nowhere then. A code is valid once."""
    with world().lock:
        posted_at, manifest = world().manifests.pop(code, (0.0, {}))
        if posted_at < world().clock.now() - LIFETIME:
            raise not_found()
        private, public = new_key()
        name = manifest.get("name") or "unnamed"
        app = world().app = App(
            world().new_id(),
            re.sub(r"[^a-z0-9]+", "-", name.lower()),
            name,
            private,
            public,
            secrets.token_hex(20),
            {"metadata": "read", **manifest.get("default_permissions", {})},
            list(manifest.get("default_events", [])),
            world().clock.iso(),
            owner=manifest["owner"],
            client_secret=secrets.token_hex(20),
            callback_urls=tuple(manifest.get("callback_urls", ())),
        )
        world().installations.clear()
        events().url = manifest["hook_attributes"]["url"]
        made: Json = {
            **shapes.app(base_url(), app),
            "client_secret": app.client_secret,
            "webhook_secret": app.webhook_secret,
            "pem": app.private_key,
        }
    return jsonify(made), 201
