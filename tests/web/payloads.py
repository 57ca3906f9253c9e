"""Payloads as GitHub sends them, cut to what matters, and a client that signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import requests

from tests.processes import WAIT_SECONDS

REPOSITORY = {"id": 42, "name": "web", "full_name": "shop/web", "owner": {"login": "shop"}}
COMMON = {"repository": REPOSITORY, "installation": {"id": 7}, "sender": {"login": "someone"}}


def sha(number: int) -> str:
    return f"{number:040x}"


def pull_request(action: str, number: int = 1, head: str = sha(1), **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "number": number,
        "pull_request": {"number": number, "head": {"sha": head}},
        **COMMON,
        **more,
    }


def comment(body: str, kind: str = "User", action: str = "created", **more: Any) -> dict[str, Any]:
    """A comment in the conversation of pull request 1."""
    written = {"id": 77, "body": body, "user": {"login": "someone", "type": kind}}
    return {"action": action, "issue": {"number": 1, "pull_request": {}}, "comment": written, **COMMON, **more}


def review_comment(body: str) -> dict[str, Any]:
    """A comment on a line of pull request 1."""
    payload = comment(body)
    del payload["issue"]
    return {**payload, "pull_request": {"number": 1}}


def check_run(
    action: str, name: str = "gracegate", external_id: str = "", head: str = sha(1), **more: Any
) -> dict[str, Any]:
    run = {"id": 5, "name": name, "external_id": external_id, "head_sha": head, "pull_requests": [], **more}
    return {"action": action, "check_run": run, **COMMON}


def check_suite(action: str, head: str = sha(1), pull_requests: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "action": action,
        "check_suite": {"id": 6, "head_sha": head, "pull_requests": list(pull_requests)},
        **COMMON,
    }


def push(*commits: dict[str, list[str]], ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    flags = {"created": False, "deleted": False, "forced": False}
    return {"ref": ref, "before": sha(1), "after": sha(2), "commits": list(commits), **flags, **COMMON, **more}


def merge_group(action: str, head: str = sha(3), **more: Any) -> dict[str, Any]:
    ref = f"refs/heads/gh-readonly-queue/main/pr-1-{sha(1)}"
    group = {"head_sha": head, "head_ref": ref, "base_sha": sha(1), "base_ref": "refs/heads/main", **more}
    return {"action": action, "merge_group": group, **COMMON}


def sign(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(
    event: str, body: bytes, guid: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958", signed_with: str = "newest"
) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": sign(body, signed_with),
    }


def post(url: str, event: str, payload: Any, guid: str) -> tuple[int, dict[str, Any]]:
    body = json.dumps(payload).encode()
    answer = requests.post(f"{url}/webhooks/github", body, headers=headers(event, body, guid), timeout=WAIT_SECONDS)
    return answer.status_code, answer.json()
