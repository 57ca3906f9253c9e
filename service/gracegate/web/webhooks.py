"""`POST /webhooks/github`: proved, parsed, written down, answered. No work is done before the answer.

The answers: 202 with what became of it, 401 and 403 for a missing and a wrong signature, 413 over GitHub's 25 MB, 415
for what is not JSON by its type, 400 for what is none by its content, 503 while the database is away (GitHub keeps the
delivery, and it can be sent again).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from pydantic_core import from_json

from gracegate.jobs import Queue
from gracegate.settings import Settings
from gracegate.store import DatabaseUnavailable, Delivery, PullHead, Store, deliveries
from gracegate.web.events import (
    CheckRunEvent,
    CheckSuiteEvent,
    InstallationEvent,
    OfCheck,
    PullRequestEvent,
    Repository,
)
from gracegate.web.metrics import DELIVERIES
from gracegate.web.signature import is_genuine

log = structlog.get_logger(__name__)

LARGEST = 25 * 1024 * 1024
_DELIVERY_ID = re.compile(r"[\w-]{1,100}")
_REVIEWED = frozenset({"opened", "reopened", "synchronize", "ready_for_review"})
# What the review writes into its check runs: GitHub names no pull request for a check on a fork's commit.
_EXTERNAL_ID = re.compile(r"pr:([1-9][0-9]{0,9}):")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a delivery; `reason` where it was ignored or refused."""

    outcome: str
    reason: str = ""
    status: int = 202


class Refusal(Exception):
    """The request is not one that GitHub sends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = Answer("refused", reason, status)


class Webhooks:
    """A handler per event; each gives what became of the delivery."""

    def __init__(self, settings: Settings, store: Store, queue: Queue) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self.handlers: Mapping[str, Callable[[str, Any], Answer]] = {
            "ping": self.ping,
            "pull_request": self.pull_request,
            "check_run": self.check_run,
            "check_suite": self.check_suite,
            **{name: partial(self.installation, name) for name in ("installation", "installation_repositories")},
        }

    def ping(self, _delivery_id: str, _payload: Any) -> Answer:
        return Answer("pong", status=200)

    def pull_request(self, delivery_id: str, payload: Any) -> Answer:
        event = PullRequestEvent.model_validate(payload)
        delivery = self._delivery(delivery_id, "pull_request", event)
        pull = PullHead(event.pull_request.number, event.pull_request.head.sha)
        if not self._allows(event.repository):
            return Answer("ignored", "this service does not review repositories of that owner")
        if event.action == "closed":
            with self._store.transaction() as tx:
                return Answer(deliveries.close(tx, delivery, pull).outcome)
        if event.action in _REVIEWED or (event.action == "edited" and "base" in event.changes):
            return Answer(self._queue.accept(delivery, [pull]).outcome)
        return Answer("ignored", f"pull_request.{event.action} changes nothing that is reviewed"[:200])

    def check_run(self, delivery_id: str, payload: Any) -> Answer:
        event = CheckRunEvent.model_validate(payload)
        run = event.check_run
        if event.action != "rerequested" or run.name != self._settings.check_name:
            return Answer("ignored", "only a re-run of our own check starts a review")
        named = _EXTERNAL_ID.match(run.external_id or "")
        numbers = (int(named[1]),) if named else _numbers(event.repository, run.pull_requests)
        return self._again(self._delivery(delivery_id, "check_run", event), numbers, run.head_sha)

    def check_suite(self, delivery_id: str, payload: Any) -> Answer:
        event = CheckSuiteEvent.model_validate(payload)
        if event.action != "rerequested":
            return Answer("ignored", "reviews start from pull_request events")
        suite = event.check_suite
        numbers = _numbers(event.repository, suite.pull_requests)
        return self._again(self._delivery(delivery_id, "check_suite", event), numbers, suite.head_sha)

    def installation(self, name: str, delivery_id: str, payload: Any) -> Answer:
        event = InstallationEvent.model_validate(payload)
        delivery = Delivery(delivery_id, name, event.action, event.installation.id)
        with self._store.transaction() as tx:
            return Answer("recorded" if deliveries.record(tx, delivery, "recorded") else "duplicate")

    def _again(self, delivery: Delivery, numbers: tuple[int, ...], sha: str) -> Answer:
        """Review again; where GitHub names no pull request, those that have this head."""
        if not self._allows(Repository(id=delivery.repository_id, full_name=delivery.repository)):
            return Answer("ignored", "this service does not review repositories of that owner")
        if not numbers:
            with self._store.transaction() as tx:
                numbers = deliveries.numbers_with_head(tx, delivery.repository_id, sha)
        if not numbers:
            return Answer("ignored", "no open pull request is known to have this head")
        return Answer(self._queue.accept(delivery, [PullHead(number, sha) for number in numbers]).outcome)

    def _allows(self, repository: Repository) -> bool:
        owners = self._settings.allowed_owners
        return not owners or repository.full_name.partition("/")[0].lower() in owners

    def _delivery(
        self, delivery_id: str, name: str, event: PullRequestEvent | CheckRunEvent | CheckSuiteEvent
    ) -> Delivery:
        repository = event.repository
        return Delivery(delivery_id, name, event.action, event.installation.id, repository.id, repository.full_name)


def blueprint(webhooks: Webhooks, secrets: tuple[str, ...]) -> Blueprint:
    page = Blueprint("webhooks", __name__)

    @page.post("/webhooks/github")
    def receive() -> ResponseReturnValue:
        event, known = "", False
        try:
            payload = _proved(secrets)
            event = request.headers.get("X-GitHub-Event", "")
            known = event in webhooks.handlers
            answer = _handle(webhooks, event, payload)
        except Refusal as refusal:
            answer = refusal.answer
        except ValidationError as error:
            answer = Answer("refused", _first(error), 400)
        except DatabaseUnavailable:
            log.exception("delivery_not_taken")
            answer = Answer("unavailable", "the database does not answer: deliver this again later", 503)
        DELIVERIES.labels(event=event if known else "other", outcome=answer.outcome).inc()
        log.info(
            "delivery",
            delivery=request.headers.get("X-GitHub-Delivery"),
            event_name=event,
            answer=answer.outcome,
            reason=answer.reason,
        )
        return jsonify(outcome=answer.outcome, **({"reason": answer.reason} if answer.reason else {})), answer.status

    return page


def _handle(webhooks: Webhooks, event: str, payload: Any) -> Answer:
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    if not event or not _DELIVERY_ID.fullmatch(delivery_id):
        raise Refusal(400, "the headers X-GitHub-Event and X-GitHub-Delivery are needed")
    handler = webhooks.handlers.get(event)
    if handler is None:
        return Answer("ignored", "gracegate does not listen to this event")
    return handler(delivery_id, payload)


def _proved(secrets: tuple[str, ...]) -> dict[str, Any]:
    """The payload, once its sender is known."""
    if request.mimetype != "application/json":
        raise Refusal(415, "set the content type of the webhook to application/json")
    body = _body()
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not signature:
        raise Refusal(401, "the header X-Hub-Signature-256 is missing: set the webhook's secret")
    if not is_genuine(body, signature, secrets):
        raise Refusal(403, "the signature is of another secret or of another body")
    try:
        payload = from_json(body)
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}"[:200]) from error
    if not isinstance(payload, dict):
        raise Refusal(400, "the body is not a JSON object")
    return payload


def _body() -> bytes:
    body = bytearray()
    while chunk := request.stream.read(min(1 << 16, LARGEST + 1 - len(body))):
        body += chunk
        if len(body) > LARGEST:
            _drain()
            raise Refusal(413, "GitHub sends at most 25 MB")
    return bytes(body)


def _drain() -> None:
    # A client that is still sending would see a broken connection and not the answer.
    for _ in range(2 * LARGEST >> 16):
        if not request.stream.read(1 << 16):
            return


def _numbers(repository: Repository, pulls: tuple[OfCheck, ...]) -> tuple[int, ...]:
    return tuple(pull.number for pull in pulls if pull.base.repo.id == repository.id)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"the payload is not as GitHub describes it: {'.'.join(map(str, first['loc']))}: {first['msg']}"
