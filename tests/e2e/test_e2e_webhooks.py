"""What is sent to the webhook's address, by GitHub and by others."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import Any

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene
from tests.fakegithub.state import Delivery
from tests.processes import WAIT_SECONDS


def opened(scene: Scene, number: int) -> Delivery:
    """The delivery that told of the pull request."""
    found = [one for one in scene.fake.deliveries if one.event == "pull_request" and one.action == "opened"]
    return next(
        one
        for one in found
        if one.payload["repository"]["full_name"] == scene.repository and one.payload["number"] == number
    )


def signed(scene: Scene, body: bytes, event: str = "pull_request") -> dict[str, str]:
    secret = scene.fake.app.webhook_secret.encode()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
    }


def posted(scene: Scene, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
    answer = scene.service.session.post(scene.service.webhook_url, data=body, headers=headers, timeout=WAIT_SECONDS)
    return answer.status_code, answer.json()["outcome"]


def test_a_forged_signature_starts_nothing(scene: Scene) -> None:
    number = scene.reviewed(layer("change"))
    before = len(scene.fake.log)
    body = opened(scene, number).body
    forged = {**signed(scene, body), "X-Hub-Signature-256": "sha256=" + "0" * 64}
    assert posted(scene, body, forged) == (403, "refused")
    assert posted(scene, body + b" ", {**signed(scene, body)}) == (403, "refused")
    scene.over()
    assert len(scene.fake.log) == before


def test_a_delivery_that_comes_again_does_nothing_again(scene: Scene) -> None:
    number = scene.reviewed(layer("change"))
    before = len(scene.fake.log)
    scene.fake.redeliver(opened(scene, number).id)
    scene.over()
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
    "an event that nobody listens to": (b"{}", "gollum", (202, "ignored")),
}


@pytest.mark.parametrize(("body", "event", "answer"), REFUSED.values(), ids=REFUSED)
def test_what_is_genuine_and_no_use_is_answered_and_dropped(
    standing: Scene, body: bytes, event: str, answer: tuple[int, str]
) -> None:
    before = len(standing.fake.log)
    assert posted(standing, body, signed(standing, body, event)) == answer
    standing.over()
    assert len(standing.fake.log) == before
    assert standing.service.session.get(f"{standing.service.url}/healthz", timeout=WAIT_SECONDS).ok
