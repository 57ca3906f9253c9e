"""The real server and a real worker: over HTTP, with kills."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import requests

from tests.processes import WAIT_SECONDS
from tests.web.payloads import headers, post, pull_request, sha

if TYPE_CHECKING:
    from tests.web.conftest import Server


def test_a_delivery_over_http_survives_the_death_of_its_worker(server: Server) -> None:
    service = server.service
    service.env["STUB_SECONDS"] = "4"
    assert post(server.url, "pull_request", pull_request("opened"), "a") == (202, {"outcome": "queued"})
    first = service.start_worker()
    service.wait(lambda: ("start", sha(1)) in service.audit())
    first.kill()
    service.start_worker()
    service.wait(lambda: service.states() == {"a": "done"})
    assert Counter(service.audit()) == {("start", sha(1)): 2, ("write", sha(1)): 1, ("end", sha(1)): 1}
    assert post(server.url, "pull_request", pull_request("opened"), "a") == (202, {"outcome": "duplicate"})


def test_26_megabytes_are_refused_and_the_server_goes_on(server: Server) -> None:
    body = json.dumps(pull_request("opened", junk="x" * (26 << 20))).encode()
    answer = requests.post(
        f"{server.url}/webhooks/github", body, headers=headers("pull_request", body), timeout=WAIT_SECONDS
    )
    assert (answer.status_code, answer.json()) == (413, {"outcome": "refused", "reason": "GitHub sends at most 25 MB"})
    body = json.dumps(pull_request("opened", junk="x" * (24 << 20))).encode()
    answer = requests.post(
        f"{server.url}/webhooks/github", body, headers=headers("pull_request", body), timeout=WAIT_SECONDS
    )
    assert (answer.status_code, answer.json()) == (202, {"outcome": "queued"})


def test_the_log_is_json_and_holds_no_secret(server: Server) -> None:
    post(server.url, "pull_request", pull_request("opened", 2), "b")
    lines = (server.service.folder / "web.log").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert "delivery" in events
    assert "newest" not in "".join(lines)
