"""All payloads that the community has collected for Octokit, of all events: they are old and they vary a lot."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.jobs.harness import Service
from tests.web.payloads import headers
from tests.web.test_webhooks import URL

FILE = Path(__file__).parent / "octokit" / "webhooks_examples.json.xz"
EXAMPLES: dict[str, list[dict[str, Any]]] = json.loads(lzma.decompress(FILE.read_bytes()))


def answers(client: FlaskClient, event: str, last_byte: bytes = b"") -> Counter[tuple[int, str]]:
    """How often each answer was given to the event's payloads, the last byte of each replaced after it was signed."""
    counts: Counter[tuple[int, str]] = Counter()
    for number, payload in enumerate(EXAMPLES[event]):
        body = json.dumps(payload).encode()
        sent = body[: len(body) - len(last_byte)] + last_byte
        answer = client.post(URL, data=sent, headers=headers(event, body, f"{event}-{number}"))
        assert answer.json is not None
        counts[answer.status_code, answer.json["outcome"]] += 1
    return counts


def test_each_signed_payload_is_accepted(client: FlaskClient) -> None:
    assert {event: answers(client, event) for event in EXAMPLES} == {
        **{event: {(202, "ignored"): len(payloads)} for event, payloads in EXAMPLES.items()},
        "ping": {(200, "pong"): 4},
        "installation": {(202, "recorded"): 7},
        "installation_repositories": {(202, "recorded"): 3},
        "github_app_authorization": {(202, "recorded"): 2},
        "merge_group": {(202, "queued"): 2},
        "repository": {(202, "ignored"): 11, (202, "recorded"): 2},
        "pull_request": {(202, "ignored"): 20, (202, "queued"): 9},
        "check_suite": {(202, "ignored"): 7, (202, "queued"): 2},
    }


def test_each_payload_with_another_byte_is_refused(client: FlaskClient, service: Service) -> None:
    assert {event: answers(client, event, last_byte=b"]") for event in EXAMPLES} == {
        event: {(403, "refused"): len(payloads)} for event, payloads in EXAMPLES.items()
    }
    assert service.states() == {}
