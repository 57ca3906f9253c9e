"""What gracegate needs of a GitHub App: the one table behind its registration, its diagnosis and the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from gracegate.github_app.answers import json_of, send
from gracegate.github_app.errors import error_from_answer, translate_errors

NEEDED_PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "checks": "write",
    "merge_queues": "read",
    "issues": "read",
}
"""The least access by permission, as the API names them. For GitHub `issue_comment` is an event of issues."""
RULESET_PERMISSIONS: Mapping[str, str] = {"statuses": "write"}
"""What gracegate never uses, but GitHub asks for: rulesets offer only such Apps as the source of a required check."""
FIX_PERMISSIONS: Mapping[str, str] = {"contents": "write"}
"""What the button that applies suggestions needs, and resolving threads."""
OPTIONAL_PERMISSIONS: Mapping[str, str] = {**RULESET_PERMISSIONS, **FIX_PERMISSIONS}
"""Without these everything else works."""
NEEDED_EVENTS = (
    "pull_request",
    "push",
    "merge_group",
    "repository",
    "check_run",
    "check_suite",
    "issue_comment",
    "pull_request_review_comment",
)
_DESCRIPTION = "Reviews pull requests that change Kubernetes manifests, so that no rolling update drops a request."
WEBHOOK_PATH = "/webhooks/github"
CALLBACK_PATH = "/sign-in/callback"


def app_manifest(
    name: str, service_url: str, *, redirect_url: str | None = None, more_permissions: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The manifest from which GitHub registers the App; `service_url` is where the service is reached.

    Needed by GitHub's flow is `redirect_url`, to which the browser is sent with the code of the new App.
    """
    manifest: dict[str, Any] = {
        "name": name,
        "url": service_url,
        "description": _DESCRIPTION,
        "public": False,
        "callback_urls": [f"{service_url}{CALLBACK_PATH}"],
        "hook_attributes": {"url": f"{service_url}{WEBHOOK_PATH}", "active": True},
        "default_permissions": {**NEEDED_PERMISSIONS, **(more_permissions or {})},
        "default_events": list(NEEDED_EVENTS),
    }
    return manifest if redirect_url is None else {**manifest, "redirect_url": redirect_url}


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """A new App. GitHub tells its private key and its secrets this once."""

    id: int
    page_url: str
    client_id: str
    client_secret: str = field(repr=False)
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


def exchange_code(api_url: str, code: str, timeout: float = 30.0) -> RegisteredApp:
    """The App that GitHub registered from a manifest. Raises Gone if the code was used or is older than an hour."""
    with requests.Session() as session, translate_errors():
        url = f"{api_url}/app-manifests/{quote(code, safe='')}/conversions"
        answer = send(session, "POST", url, headers={}, data=None, timeout=timeout)
    if answer.status_code != 201:
        raise error_from_answer(answer.status_code, answer.headers, json_of(answer))
    body = answer.json()
    urls_and_ids = (body["id"], body["html_url"], body["client_id"])
    return RegisteredApp(*urls_and_ids, body["client_secret"], body["pem"], body["webhook_secret"])
