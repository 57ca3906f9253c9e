"""`POST /webhooks/github`: verified, parsed, stored, answered. No review is done before the answer.

The answers: 202 with what became of the delivery, 401 for a missing signature and 403 for a wrong one, 413 over
GitHub's 25 MB, 415 for another content type than JSON, 400 for a body that is not what GitHub sends, 503 while the
database is away (GitHub keeps the delivery, and it can be sent again).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Any

import structlog
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from pydantic_core import from_json

from gracegate.jobs import Queue
from gracegate.settings import Settings
from gracegate.store import DatabaseUnavailable, Store
from gracegate.web.events import HANDLERS, HandlerContext, HandlerResult
from gracegate.web.metrics import DELIVERIES

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 25 * 1024 * 1024
_DELIVERY_ID = re.compile(r"[\w-]{1,100}")
_UNKNOWN_EVENT = HandlerResult("ignored", "gracegate does not listen to this event")


class InvalidRequest(Exception):
    """The request is not one that GitHub sends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.result = HandlerResult("refused", reason, status)


def blueprint(settings: Settings, store: Store, queue: Queue) -> Blueprint:
    page = Blueprint("webhooks", __name__)

    @page.post("/webhooks/github")
    def receive() -> ResponseReturnValue:
        event = ""
        try:
            payload = _verified_payload(settings.webhook_secrets)
            event = request.headers.get("X-GitHub-Event", "")
            context = HandlerContext(settings, store, queue, _delivery_id(event), event)
            handler = HANDLERS.get(event)
            result = handler(context, payload) if handler else _UNKNOWN_EVENT
        except InvalidRequest as error:
            result = error.result
        except ValidationError as error:
            result = HandlerResult("refused", _first_mistake(error), 400)
        except DatabaseUnavailable:
            log.exception("delivery_not_stored")
            result = HandlerResult("unavailable", "the database does not answer: deliver this again later", 503)
        DELIVERIES.labels(event=event if event in HANDLERS else "other", outcome=result.outcome).inc()
        log.info(
            "delivery",
            delivery=request.headers.get("X-GitHub-Delivery"),
            event_name=event,
            answer=result.outcome,
            reason=result.reason,
        )
        return jsonify(outcome=result.outcome, **({"reason": result.reason} if result.reason else {})), result.status

    return page


def has_valid_signature(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether `signature`, the header X-Hub-Signature-256, was made of the raw body with one of the secrets.

    Several secrets are accepted, so that one can be replaced.
    """
    expected = [f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}" for secret in secrets]
    return any(hmac.compare_digest(mac.encode(), signature.encode()) for mac in expected)


def _verified_payload(secrets: tuple[str, ...]) -> dict[str, Any]:
    """The payload of the request. Nothing of the body is parsed before its signature was verified."""
    if request.mimetype != "application/json":
        raise InvalidRequest(415, "set the content type of the webhook to application/json")
    body = _read_body()
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not signature:
        raise InvalidRequest(401, "the header X-Hub-Signature-256 is missing: set the webhook's secret")
    if not has_valid_signature(body, signature, secrets):
        raise InvalidRequest(403, "the signature does not match")
    try:
        payload = from_json(body)
    except ValueError as error:
        raise InvalidRequest(400, f"the body is not JSON: {error}"[:200]) from error
    if not isinstance(payload, dict):
        raise InvalidRequest(400, "the body is not a JSON object")
    return payload


def _read_body() -> bytes:
    body = bytearray()
    while chunk := request.stream.read(min(1 << 16, MAX_BODY_BYTES + 1 - len(body))):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            _discard_rest_of_body()
            raise InvalidRequest(413, "GitHub sends at most 25 MB")
    return bytes(body)


def _discard_rest_of_body() -> None:
    # A client that is still sending would see a broken connection and not the answer.
    for _ in range(2 * MAX_BODY_BYTES >> 16):
        if not request.stream.read(1 << 16):
            return


def _delivery_id(event: str) -> str:
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    if not event or not _DELIVERY_ID.fullmatch(delivery_id):
        raise InvalidRequest(400, "the headers X-GitHub-Event and X-GitHub-Delivery are needed")
    return delivery_id


def _first_mistake(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"the payload is not as GitHub describes it: {'.'.join(map(str, first['loc']))}: {first['msg']}"
