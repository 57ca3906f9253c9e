"""What is sent to the webhook's URL, by GitHub and by others."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import Any

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, on_both_databases
from tests.fakegithub.state import Delivery
from tests.processes import WAIT_SECONDS


def opened_delivery(scene: Scene, number: int) -> Delivery:
    """The delivery that summary of the pull request."""
    found = [one for one in scene.fake.deliveries if one.event == "pull_request" and one.action == "opened"]
    return next(
        one
        for one in found
        if one.payload["repository"]["full_name"] == scene.repository and one.payload["number"] == number
    )


def signed_headers(scene: Scene, body: bytes, event: str = "pull_request") -> dict[str, str]:
    secret = scene.fake.app.webhook_secret.encode()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
    }


def post(scene: Scene, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    answer = scene.service.session.post(scene.service.webhook_url, data=body, headers=headers, timeout=WAIT_SECONDS)
    return answer.status_code, answer.json()["outcome"]


def test_a_forged_signature_starts_nothing(scene: Scene) -> None:
    number = scene.open_and_review(layer("change"))
    before = len(scene.fake.log)
    body = opened_delivery(scene, number).body
    forged = {**signed_headers(scene, body), "X-Hub-Signature-256": "sha256=" + "0" * 64}
    assert post(scene, body, forged) == (403, "refused")
    assert post(scene, body + b" ", {**signed_headers(scene, body)}) == (403, "refused")
    scene.wait_until_reviewed()
    assert len(scene.fake.log) == before


@on_both_databases
def test_a_repeated_delivery_does_nothing(scene: Scene) -> None:
    number = scene.open_and_review(layer("change"))
    before = len(scene.fake.log)
    scene.fake.redeliver(opened_delivery(scene, number).id)
    scene.wait_until_reviewed()
    assert (scene.fake.deliveries[-1].status_code, len(scene.fake.log)) == (202, before)
    assert (scene.conclusions(number), len(scene.pull(number).reviews)) == (["failure"], 1)


REFUSED = {
    "26 MB": (b'{"a": "' + b"x" * (26 * 1024 * 1024) + b'"}', "pull_request", (413, "refused")),
    "malformed JSON": (b'{"action": "opened",', "pull_request", (400, "refused")),
    "JSON that is no object": (b"[1, 2]", "pull_request", (400, "refused")),
    "a payload that lacks what it is about": (
        json.dumps({"action": "opened"}).encode(),
        "pull_request",
        (400, "refused"),
    ),
    "an event without a handler": (b"{}", "gollum", (202, "ignored")),
}


@pytest.mark.parametrize(("body", "event", "answer"), REFUSED.values(), ids=REFUSED)
def test_a_genuine_delivery_that_is_not_usable_is_answered_and_dropped(
    shared_scene: Scene, body: bytes, event: str, answer: tuple[int, str]
) -> None:
    before = len(shared_scene.fake.log)
    assert post(shared_scene, body, signed_headers(shared_scene, body, event)) == answer
    shared_scene.wait_until_reviewed()
    assert len(shared_scene.fake.log) == before
    assert shared_scene.service.session.get(f"{shared_scene.service.url}/healthz", timeout=WAIT_SECONDS).ok
