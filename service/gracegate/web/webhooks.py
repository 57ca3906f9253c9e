"""`POST /webhooks/github`: verified, parsed, stored, answered. No review is done before the answer.

The answers: 202 with what became of the delivery, 401 for a missing signature and 403 for a wrong one, 413 over
GitHub's 25 MB, 415 for another content type than JSON, 400 for headers or a body that are not what GitHub sends, 503
while the database is away or other bodies take all memory for bodies (GitHub keeps the delivery, and it can be sent
again). What the headers decide is answered before the body is read.
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

from gracegate.settings import Settings
from gracegate.store import DatabaseUnavailable, Store
from gracegate.web.bodies import MAX_BODY_BYTES, BodiesFull, Body, BodyMemory
from gracegate.web.events import HANDLERS, HandlerContext, HandlerResult, handle
from gracegate.web.metrics import DELIVERIES

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 10
_EVENT = re.compile(r"[a-z0-9_]{1,100}")
_DELIVERY_ID = re.compile(r"[\w-]{1,100}", re.ASCII)
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


class InvalidRequest(Exception):
    """The request is not one that GitHub sends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.result = HandlerResult("refused", reason, status)


_WRONG_SIGNATURE = (403, "the signature does not match")
_TOO_LARGE = (413, "GitHub sends at most 25 MB")
_INCOMPLETE = (400, "the body did not arrive whole and in time")


def blueprint(settings: Settings, store: Store) -> Blueprint:
    page = Blueprint("webhooks", __name__)
    memory = BodyMemory()

    @page.post("/webhooks/github")
    def receive() -> ResponseReturnValue:
        event = ""
        try:
            event, delivery_id = _check_headers()
            with memory.body() as body:
                payload = _verified_payload(body, settings.webhook_secrets)
                result = handle(HandlerContext(settings, store, delivery_id, event), payload)
        except BodiesFull:
            result = HandlerResult("unavailable", "other requests take all memory: deliver this again later", 503)
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
        answer = jsonify(outcome=result.outcome, **({"reason": result.reason} if result.reason else {}))
        if result.status == 503:
            answer.headers["Retry-After"] = str(_RETRY_SECONDS)
        return answer, result.status

    return page


def has_valid_signature(body: bytes | bytearray, signature: str, secrets: Iterable[str]) -> bool:
    """Whether `signature`, the header X-Hub-Signature-256, was made of the raw body with one of the secrets.

    Several secrets are accepted, so that one can be replaced.
    """
    expected = [f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}" for secret in secrets]
    return any(hmac.compare_digest(mac.encode(), signature.encode()) for mac in expected)


def _check_headers() -> tuple[str, str]:
    """The event and the delivery's id. Raises InvalidRequest where GitHub sends no such headers."""
    signature = request.headers.get("X-Hub-Signature-256", "")
    event = request.headers.get("X-GitHub-Event", "")
    delivery_id = request.headers.get("X-GitHub-Delivery", "")
    if not signature:
        raise InvalidRequest(401, "the header X-Hub-Signature-256 is missing: set the webhook's secret")
    if not _SIGNATURE.fullmatch(signature):
        raise InvalidRequest(*_WRONG_SIGNATURE)
    if request.mimetype != "application/json":
        raise InvalidRequest(415, "set the content type of the webhook to application/json")
    if not _EVENT.fullmatch(event) or not _DELIVERY_ID.fullmatch(delivery_id):
        raise InvalidRequest(400, "the headers X-GitHub-Event and X-GitHub-Delivery are needed")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise InvalidRequest(*_TOO_LARGE)
    return event, delivery_id


def _verified_payload(body: Body, secrets: tuple[str, ...]) -> dict[str, Any]:
    """The payload of the request. Nothing of the body is parsed before its signature was verified."""
    _read(body)
    if not has_valid_signature(body.data, request.headers["X-Hub-Signature-256"], secrets):
        raise InvalidRequest(*_WRONG_SIGNATURE)
    try:
        payload = from_json(body.data)
    except ValueError as error:
        raise InvalidRequest(400, f"the body is not JSON: {error}"[:200]) from error
    if not isinstance(payload, dict):
        raise InvalidRequest(400, "the body is not a JSON object")
    return payload


def _read(body: Body) -> None:
    try:
        while chunk := request.stream.read(min(1 << 16, MAX_BODY_BYTES + 1 - len(body.data))):
            body.append(chunk)
            if len(body.data) > MAX_BODY_BYTES:
                raise InvalidRequest(*_TOO_LARGE)
    except OSError as error:
        raise InvalidRequest(*_INCOMPLETE) from error
    if len(body.data) < (request.content_length or 0):
        raise InvalidRequest(*_INCOMPLETE)


def _first_mistake(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"the payload is not as GitHub describes it: {'.'.join(map(str, first['loc']))}: {first['msg']}"
