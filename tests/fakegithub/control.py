"""The control API `/_fake/…` of the fake as a process: what a test does by methods, over HTTP with JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from flask import Blueprint, jsonify, request

from tests.fakegithub.anchors import Unplaceable
from tests.fakegithub.errors import ApiError
from tests.fakegithub.state import CheckRun, Delivery, PullRequest, Repository, ReviewComment
from tests.fakegithub.web import fake, world

Json = dict[str, Any]

CALLS = frozenset(
    [
        "answer_comment",
        "clear_faults",
        "close_pull_request",
        "comment",
        "create_repository",
        "dequeue_pull_request",
        "delete_fork",
        "edit_pull_request",
        "edit_review_comment",
        "enqueue_pull_request",
        "fault",
        "fork",
        "grant",
        "install",
        "lock_pull_request",
        "merge_pull_request",
        "move_branch",
        "move_repository",
        "open_pull_request",
        "permit",
        "ping",
        "push",
        "ready_for_review",
        "redeliver",
        "reopen_pull_request",
        "reopen_thread",
        "replay",
        "request_action",
        "require_checks",
        "rerequest_check_run",
        "rerequest_check_suite",
        "resolve_thread",
        "review_comment",
        "set_permission",
        "settle",
        "uninstall",
        "unlock_pull_request",
    ]
)
"""`POST /_fake/<call>` with the method's arguments as a JSON object answers `{"result": ...}`."""


control = Blueprint("control", __name__, url_prefix="/_fake")


@control.get("/app")
def app() -> Any:
    """What the service needs to be the App."""
    keys = ("id", "slug", "private_key", "webhook_secret", "client_id", "client_secret")
    return jsonify({key: getattr(fake().app, key) for key in keys})


@control.put("/webhook")
def webhook() -> Any:
    fake().webhook_url = request.get_json()["url"]
    return jsonify({})


@control.post("/clock")
def clock() -> Any:
    fake().clock.advance(request.get_json()["seconds"])
    return jsonify({"now": fake().clock.iso()})


@control.get("/log")
def log() -> Any:
    return jsonify([dataclasses.asdict(one) for one in fake().log])


@control.get("/violations")
def violations() -> Any:
    return jsonify(fake().violations)


@control.get("/deliveries")
def deliveries() -> Any:
    return jsonify([_delivery(one) for one in fake().deliveries])


@control.get("/state")
def state() -> Any:
    with world().lock:
        return jsonify({"repositories": [_repository(one) for one in world().repositories.values()]})


@control.post("/<name>")
def call(name: str) -> Any:
    if name not in CALLS:
        raise ApiError(404, f"no such call: {name}")
    try:
        result = getattr(fake(), name)(**(request.get_json(silent=True) or {}))
    except (TypeError, LookupError, StopIteration, Unplaceable) as error:
        raise ApiError(422, f"{type(error).__name__}: {error}") from None
    return jsonify({"result": _plain(result)})


def _plain(result: Any) -> Any:
    return result if isinstance(result, str | int | None) else getattr(result, "id", None)


def _delivery(one: Delivery) -> Json:
    left_out = {"payload", "body", "headers", "response"}
    fields = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    return {key: value for key, value in fields.items() if key not in left_out}


def _repository(one: Repository) -> Json:
    return {"full_name": one.full_name, "pulls": [_pull(pull) for pull in one.pulls.values()]}


def _pull(pull: PullRequest) -> Json:
    """A pull request with everything that was posted to it."""
    return {
        "number": pull.number,
        "title": pull.title,
        "state": pull.state,
        "head_sha": pull.head_sha,
        "base_sha": pull.base_sha,
        "url": f"{fake().url}/{pull.base.full_name}/pull/{pull.number}",
        "checks": [_check(run) for run in world().runs(pull.base, pull.head_sha)],
        "reviews": [dataclasses.asdict(one) for one in pull.reviews],
        "comments": [_comment(pull, one) for one in pull.comments],
        "issue_comments": [dataclasses.asdict(one) for one in pull.issue_comments],
    }


def _check(run: CheckRun) -> Json:
    keys = (
        "id",
        "name",
        "status",
        "conclusion",
        "title",
        "summary",
        "text",
        "annotations",
        "external_id",
        "head_sha",
        "details_url",
    )
    return {key: getattr(run, key) for key in (*keys, "started_at", "completed_at")}


def _comment(pull: PullRequest, one: ReviewComment) -> Json:
    """`line` and `start_line` are today's (null where outdated), the `original_` ones those of the posting."""
    anchor, line = one.anchor, one.line_now(pull, one.anchor.line)
    return {
        "id": one.id,
        "author": one.author,
        "path": anchor.path,
        "side": anchor.side,
        "start_line": one.line_now(pull, anchor.start_line) if line else None,
        "line": line,
        "original_start_line": anchor.start_line,
        "original_line": anchor.line,
        "subject_type": anchor.subject_type,
        "body": one.body,
        "review_id": one.review_id,
        "in_reply_to": one.in_reply_to,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }
