"""Webhooks: when they are sent, what they carry, how they are recorded and sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.fakegithub import events
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest, changed


@dataclass
class Receiver:
    """Takes webhooks; answers with `status` after `delay`."""

    url: str = ""
    status: int = 202
    held: threading.Event | None = None
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def events(self) -> list[tuple[str, str | None]]:
        return [(headers["x-github-event"], json.loads(body).get("action")) for headers, body in self.got]

    def bodies(self, event: str) -> list[Any]:
        return [json.loads(body) for headers, body in self.got if headers["x-github-event"] == event]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if made.held:
                made.held.wait()
            self.send_response(made.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/webhooks"
    yield made
    if made.held:
        made.held.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def listening(fake: FakeGitHub, receiver: Receiver) -> Receiver:
    """Hears everything from after the first push of `topic` and its pull request on."""
    fake.push(REPOSITORY, "topic", {"web.yaml": changed((15, "new"))})
    fake.open_pull_request(REPOSITORY, "topic")
    fake.webhook_url = receiver.url
    return receiver


def test_nothing_is_sent_without_an_address(fake: FakeGitHub, receiver: Receiver) -> None:
    fake.push(REPOSITORY, "topic", {"a": "1\n"})
    fake.settle()
    assert (receiver.got, fake.deliveries) == ([], [])


ACTS: list[tuple[str, Callable[[FakeGitHub], Any], list[tuple[str, str | None]]]] = [
    (
        "a push to its branch",
        lambda fake: fake.push(REPOSITORY, "topic", {"b": "1\n"}),
        [("check_suite", "requested"), ("pull_request", "synchronize"), ("push", None)],
    ),
    ("a push elsewhere", lambda fake: fake.push(REPOSITORY, "other", {"b": "1\n"}), [("push", None)]),
    ("closed", lambda fake: fake.close_pull_request(REPOSITORY, 1), [("pull_request", "closed")]),
    ("deleted", lambda fake: fake.move_branch(REPOSITORY, "topic", None), [("pull_request", "closed"), ("push", None)]),
    ("merged", lambda fake: fake.merge_pull_request(REPOSITORY, 1), [("pull_request", "closed"), ("push", None)]),
    ("ready", lambda fake: fake.ready_for_review(REPOSITORY, 1), [("pull_request", "ready_for_review")]),
    ("title", lambda fake: fake.edit_pull_request(REPOSITORY, 1, title="New"), [("pull_request", "edited")]),
    ("installed", lambda fake: fake.install("grace"), [("installation", "created")]),
    ("uninstalled", lambda fake: fake.uninstall("shop"), [("installation", "deleted")]),
    ("ping", lambda fake: fake.ping(), [("ping", None)]),
    (
        "all checks again",
        lambda fake: fake.rerequest_check_suite(REPOSITORY, fake.pull(REPOSITORY, 1).head_sha),
        [("check_suite", "rerequested")],
    ),
]


@pytest.mark.parametrize(("act", "sent"), [pytest.param(*rest, id=name) for name, *rest in ACTS])
def test_each_change_sends_its_event(
    fake: FakeGitHub, listening: Receiver, act: Callable[[FakeGitHub], Any], sent: list[tuple[str, str | None]]
) -> None:
    act(fake)
    fake.settle()
    assert sorted(listening.events(), key=str) == sent


def test_opening_and_reopening(fake: FakeGitHub, receiver: Receiver) -> None:
    fake.push(REPOSITORY, "topic", {"a": "1\n"})
    fake.webhook_url = receiver.url
    number = fake.open_pull_request(REPOSITORY, "topic", draft=True)
    fake.close_pull_request(REPOSITORY, number)
    fake.reopen_pull_request(REPOSITORY, number)
    fake.settle()
    assert sorted(action for event, action in receiver.events() if event == "pull_request" and action) == [
        "closed",
        "opened",
        "reopened",
    ]


def test_a_pull_requests_payload(fake: FakeGitHub, listening: Receiver) -> None:
    before = fake.pull(REPOSITORY, 1).head_sha
    after = fake.push(REPOSITORY, "topic", {"b": "1\n"})
    fake.settle()
    body = listening.bodies("pull_request")[0]
    assert (body["before"], body["after"], body["number"], body["pull_request"]["head"]["sha"]) == (
        before,
        after,
        1,
        after,
    )
    installation = next(iter(fake.world.installations))
    assert (body["installation"]["id"], body["repository"]["full_name"]) == (installation, REPOSITORY)
    assert body["sender"]["type"] == "User"


def test_a_push_lists_its_commits_and_what_they_touch(fake: FakeGitHub, listening: Receiver) -> None:
    before = fake.repository(REPOSITORY).branch("topic") or ""
    first = fake.push(REPOSITORY, "other", {"a": "1\n", "b": "1\n"}, onto="topic")
    second = fake.push(REPOSITORY, "other", {"a": "2\n", "b": None})
    fake.move_branch(REPOSITORY, "topic", second)
    fake.move_branch(REPOSITORY, "topic", before)
    fake.settle()
    created, _, moved, rewound = sorted(
        listening.bodies("push"), key=lambda body: (body["ref"] == "refs/heads/topic", body["forced"])
    )
    assert [commit["id"] for commit in moved["commits"]] == [first, second]
    touched = [(commit["added"], commit["modified"], commit["removed"]) for commit in moved["commits"]]
    assert touched == [(["a", "b"], [], []), ([], ["a"], ["b"])]
    assert (created["created"], [commit["id"] for commit in created["commits"]]) == (True, [first])
    assert (rewound["forced"], rewound["commits"], rewound["head_commit"]["id"]) == (True, [], before)


def test_retargeting_names_the_earlier_base(fake: FakeGitHub, listening: Receiver) -> None:
    base = fake.repository(REPOSITORY).branch("main")
    fake.move_branch(REPOSITORY, "release", base)
    fake.edit_pull_request(REPOSITORY, 1, base="release")
    fake.settle()
    changes = [body["changes"] for body in listening.bodies("pull_request")]
    assert changes == [{"base": {"ref": {"from": "main"}, "sha": {"from": base}}}]


def test_the_buttons_of_a_check_run(fake: FakeGitHub, listening: Receiver, rest: Rest) -> None:
    sent = {"name": "gracegate", "head_sha": fake.pull(REPOSITORY, 1).head_sha, "external_id": "x"}
    run = rest.post(rest.repo("/check-runs"), sent).json()["id"]
    fake.rerequest_check_run(run)
    fake.world.check_runs[run].actions = [{"label": "Fix", "description": "Fix it", "identifier": "fix"}]
    fake.request_action(run, "fix")
    fake.settle()
    bodies = {body["action"]: body for body in listening.bodies("check_run")}
    assert sorted(bodies) == ["created", "requested_action", "rerequested"]
    assert bodies["requested_action"]["requested_action"] == {"identifier": "fix"}
    assert (bodies["rerequested"]["check_run"]["external_id"], bodies["rerequested"]["check_run"]["id"]) == ("x", run)


def test_the_headers(fake: FakeGitHub, listening: Receiver) -> None:
    fake.ping()
    fake.settle()
    headers, body = listening.got[0]
    secret = fake.app.webhook_secret.encode()
    assert headers["x-hub-signature-256"] == "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature"] == "sha1=" + hmac.new(secret, body, hashlib.sha1).hexdigest()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-github-delivery"])
    assert headers["user-agent"].startswith("GitHub-Hookshot/")
    named = ("content-type", "x-github-hook-installation-target-id", "x-github-hook-installation-target-type")
    assert [headers[name] for name in named] == ["application/json", str(fake.app.id), "integration"]
    assert headers["x-github-hook-id"].isdigit()


def test_githubs_own_test_vector() -> None:
    world = type("World", (), {"app": type("App", (), {"id": 1, "webhook_secret": "It's a Secret to Everybody"})})
    made = events.headers("ping", "guid", b"Hello, World!", world)  # type: ignore[arg-type]
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert made["X-Hub-Signature-256"] == f"sha256={expected}"


def test_deliveries_are_recorded_and_sent_again_with_their_guid(
    fake: FakeGitHub, listening: Receiver, app: Rest
) -> None:
    listening.status = 503
    fake.ping()
    fake.settle()
    listening.status = 202
    first = app.get("/app/hook/deliveries").json()[0]
    assert (first["status"], first["status_code"], first["event"]) == ("Service Unavailable", 503, "ping")
    assert app.post(f"/app/hook/deliveries/{first['id']}/attempts").status_code == 202
    fake.settle()
    again = app.get("/app/hook/deliveries").json()[0]
    assert (again["guid"], again["redelivery"], again["status"]) == (first["guid"], True, "OK")
    assert len({headers["x-github-delivery"] for headers, _ in listening.got}) == 1
    delivery = app.get(f"/app/hook/deliveries/{first['id']}").json()
    assert delivery["request"]["payload"]["zen"]


def test_deliveries_come_in_pages(fake: FakeGitHub, listening: Receiver, app: Rest) -> None:
    for _ in range(3):
        fake.ping()
    fake.settle()
    assert len(list(app.pages("/app/hook/deliveries?per_page=2"))) == 3
    assert app.get("/app/hook/deliveries/1").status_code == 404


def test_who_does_not_answer_in_time_has_failed(
    fake: FakeGitHub, listening: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "DEADLINE", 0.2)
    listening.held = threading.Event()
    fake.ping()
    fake.settle()
    assert [(one.status, one.status_code) for one in fake.deliveries] == [("timed out", 0)]


def test_who_is_not_there_has_failed(fake: FakeGitHub) -> None:
    fake.webhook_url = "http://127.0.0.1:1/webhooks"
    fake.ping()
    fake.settle()
    assert [one.status for one in fake.deliveries] == ["failed to connect to host"]


def test_a_push_to_a_fork_sends_no_event_but_its_pull_request_does(fake: FakeGitHub, receiver: Receiver) -> None:
    fake.fork(REPOSITORY, "grace")
    fake.push("grace/web", "topic", {"a": "1\n"})
    fake.webhook_url = receiver.url
    fake.open_pull_request(REPOSITORY, "topic", fork="grace/web")
    fake.push("grace/web", "topic", {"a": "2\n"})
    fake.settle()
    assert sorted(receiver.events(), key=str) == [("pull_request", "opened"), ("pull_request", "synchronize")]
