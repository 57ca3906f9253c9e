"""Requests to /webhooks/github and their answers; first those that must not start a review."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from gracegate.store.tables import RUN
from gracegate.web.webhooks import has_valid_signature
from tests.jobs.harness import Service
from tests.runs import unfinished
from tests.web import payloads
from tests.web.payloads import (
    check_run,
    check_suite,
    comment,
    headers,
    merge_group,
    pull_request,
    push,
    review_comment,
    sha,
)

URL = "/webhooks/github"
BODY = json.dumps(pull_request("opened")).encode()
GOOD = headers("pull_request", BODY)
OF_CHECK = {"number": 1, "head": {"sha": sha(1)}, "base": {"repo": {"id": 42}}}
CONFIGURED = {"added": [], "modified": [".gracegate.yaml"], "removed": []}
OTHER_FILES = {"added": ["a.yaml"], "modified": ["apps/.gracegate.yaml"], "removed": []}
ELSEWHERE = {"number": 9, "head": {"sha": sha(1)}, "base": {"repo": {"id": 43}}}


COMMAND = "Hello\r\n/gracegate recheck"


def send(
    client: FlaskClient, event: str, payload: Any, guid: str = "a", signed_with: str = "newest"
) -> tuple[int, str]:
    body = json.dumps(payload).encode()
    answer = client.post(URL, data=body, headers=headers(event, body, guid, signed_with))
    assert answer.json is not None
    return answer.status_code, answer.json["outcome"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The payload of a new pull request with another value at the path."""
    payload: dict[str, Any] = json.loads(BODY)
    *parents, last = path.split(".")
    parent = payload
    for key in parents:
        parent = parent[key]
    parent[last] = value
    return payload


def _event(payload: dict[str, Any]) -> str:
    return "push" if "ref" in payload else "merge_group" if "merge_group" in payload else "pull_request"


NOT_OF_GITHUB = {
    "a repository's id of 65 bits": changed("repository.id", 2**63),
    "a repository's id of 4,000 digits": changed("repository.id", 10**3999),
    "a negative id": changed("repository.id", -1),
    "no repository's id": changed("repository.id", 0),
    "an id as text": changed("repository.id", "42"),
    "an installation's id of 65 bits": changed("installation.id", 2**63),
    "no installation's id": changed("installation.id", 0),
    "a number of 32 bits": changed("pull_request.number", 2**31),
    "a negative number": changed("pull_request.number", -1),
    "no number": changed("pull_request.number", 0),
    "an action with a NUL": changed("action", "opened\0"),
    "a long action": changed("action", "x" * 101),
    "a base branch with a NUL": push(CONFIGURED, ref="refs/heads/a\0b"),
    "a group without a base": merge_group("checks_requested", base_sha=None),
    "a push without its commits": {**push(), "commits": None},
    "a head that is a ref": changed("pull_request.head.sha", "refs/heads/main"),
    "a name without an owner": changed("repository.full_name", "web"),
    "a name with another part": changed("repository.full_name", "shop/web/more"),
    "a name that leads out": changed("repository.full_name", "shop/.."),
    "an owner that leads out": changed("repository.full_name", "../web"),
    "a name with a space": changed("repository.full_name", "shop/we b"),
    "a name with letters of another script": changed("repository.full_name", "shop/wéb"),
    "a name with a line's end": changed("repository.full_name", "shop/web\n"),
    "a long owner": changed("repository.full_name", "x" * 40 + "/web"),
    "a long name": changed("repository.full_name", "shop/" + "x" * 136),
}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_the_signature_of_githubs_documentation() -> None:
    mac = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert has_valid_signature(b"Hello, World!", mac, ["another", "It's a Secret to Everybody"])
    assert not has_valid_signature(b"Hello, World!", mac, ["another"])
    assert not has_valid_signature(b"Hello, World!", "sha256=ü", ["another"])
    assert not has_valid_signature(b"Hello, World!", mac, [])


@pytest.mark.parametrize(
    ("body", "sent", "status"),
    [
        pytest.param(BODY, without("X-Hub-Signature-256"), 401, id="no signature"),
        pytest.param(BODY, {**GOOD, "X-Hub-Signature-256": payloads.sign(BODY, "wrong")}, 403, id="forged signature"),
        pytest.param(BODY + b" ", GOOD, 403, id="another body"),
        pytest.param(BODY, {**GOOD, "X-Hub-Signature-256": "sha1=00"}, 403, id="sha1"),
        pytest.param(BODY, {**GOOD, "Content-Type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param(BODY, without("X-GitHub-Delivery"), 400, id="no delivery id"),
        pytest.param(BODY, {**GOOD, "X-GitHub-Delivery": "a/../b"}, 400, id="a strange delivery id"),
        pytest.param(BODY, without("X-GitHub-Event"), 400, id="no event"),
        pytest.param(BODY, {**GOOD, "X-GitHub-Event": "pull request"}, 400, id="a strange event"),
        pytest.param(b'{"action": ', headers("pull_request", b'{"action": '), 400, id="malformed JSON"),
        pytest.param(b"[]", headers("pull_request", b"[]"), 400, id="no object"),
        pytest.param(b"[" * 5000, headers("pull_request", b"[" * 5000), 400, id="nested too deep"),
        pytest.param(b"{}", headers("pull_request", b"{}"), 400, id="an empty payload"),
        *[
            pytest.param(body := json.dumps(payload).encode(), headers(_event(payload), body), 400, id=name)
            for name, payload in NOT_OF_GITHUB.items()
        ],
    ],
)
def test_a_request_that_github_does_not_send_is_refused(
    client: FlaskClient, service: Service, body: bytes, sent: dict[str, str], status: int
) -> None:
    answer = client.post(URL, data=body, headers=sent)
    assert (answer.status_code, answer.json and answer.json["outcome"]) == (status, "refused")
    assert service.states() == {}


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        pytest.param("ping", {"zen": "Keep it logically awesome."}, (200, "pong"), id="ping"),
        pytest.param("workflow_run", {}, (202, "ignored"), id="unknown event"),
        *[
            pytest.param(event, {"action": "opened", "repository": payloads.REPOSITORY}, (202, "ignored"), id=event)
            for event in ("pull_request", "check_run", "check_suite")
        ],
        pytest.param("pull_request", pull_request("labeled"), (202, "ignored"), id="labeled"),
        pytest.param("pull_request", pull_request("edited", changes={"title": {}}), (202, "ignored"), id="new title"),
        pytest.param("check_run", check_run("rerequested", name="other"), (202, "ignored"), id="another check"),
        pytest.param(
            "check_run", check_run("created", external_id="pr:1:x"), (202, "ignored"), id="our own check created"
        ),
        pytest.param("check_run", check_run("rerequested"), (202, "ignored"), id="of an unknown head"),
        pytest.param(
            "check_run", check_run("rerequested", external_id="pr:9999999999:x"), (202, "ignored"), id="a huge number"
        ),
        pytest.param("check_suite", check_suite("requested"), (202, "ignored"), id="suite requested"),
        pytest.param(
            "check_suite", check_suite("rerequested", pull_requests=(ELSEWHERE,)), (202, "ignored"), id="of another"
        ),
        pytest.param("push", push(OTHER_FILES), (202, "ignored"), id="other files pushed"),
        pytest.param("merge_group", merge_group("destroyed"), (202, "recorded"), id="an unknown group destroyed"),
        pytest.param("merge_group", merge_group("created"), (202, "ignored"), id="another action of a group"),
        pytest.param("repository", {"action": "edited", **payloads.COMMON}, (202, "ignored"), id="edited"),
        pytest.param("repository", {"action": "renamed", **payloads.COMMON}, (202, "recorded"), id="renamed"),
        pytest.param("check_run", check_run("requested_action"), (202, "ignored"), id="a button that we do not offer"),
        *[
            pytest.param("issue_comment", payload, (202, "ignored"), id=name)
            for name, payload in {
                "a comment without a command": comment("Please recheck."),
                "a command in a sentence": comment("Write /gracegate recheck"),
                "a longer name": comment("/gracegates recheck"),
                "a command of a bot": comment(COMMAND, "Bot"),
                "a command of a deleted account": comment(COMMAND) | {"comment": {"id": 1, "body": COMMAND}},
                "an edited command": comment(COMMAND, action="edited"),
                "a command on an issue": comment(COMMAND, issue={"number": 1}),
            }.items()
        ],
        pytest.param("push", push(CONFIGURED, ref="refs/tags/v1"), (202, "ignored"), id="a tag"),
        pytest.param("push", push(CONFIGURED, created=True), (202, "ignored"), id="a new branch"),
        pytest.param("push", push(after="0" * 40, deleted=True), (202, "ignored"), id="a deleted branch"),
        pytest.param(
            "installation", {"action": "created", "installation": {"id": 7}}, (202, "recorded"), id="installed"
        ),
        pytest.param(
            "installation_repositories", {"action": "added", "installation": {"id": 7}}, (202, "recorded"), id="added"
        ),
    ],
)
def test_an_event_without_a_review_starts_none(
    client: FlaskClient, service: Service, event: str, payload: Any, expected: tuple[int, str]
) -> None:
    assert send(client, event, payload) == expected
    assert service.states() == {}


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        *[
            pytest.param("pull_request", pull_request(action), id=action)
            for action in ("opened", "reopened", "synchronize", "ready_for_review", "closed")
        ],
        pytest.param("pull_request", pull_request("edited", changes={"base": {"ref": {"from": "x"}}}), id="new base"),
        pytest.param("pull_request", changed("repository.id", 2**63 - 1), id="the largest id"),
        pytest.param("pull_request", changed("repository.full_name", "a_corp/.github..x"), id="a strange name"),
        pytest.param("check_run", check_run("rerequested", external_id=f"pr:1:{sha(1)}"), id="our check again"),
        pytest.param("check_run", check_run("rerequested", pull_requests=[OF_CHECK]), id="our check, no external id"),
        pytest.param(
            "check_suite", check_suite("rerequested", pull_requests=(OF_CHECK, ELSEWHERE)), id="all checks again"
        ),
        *[
            pytest.param("push", push(OTHER_FILES, {kind: [".gracegate.yaml"]}), id=f"configuration {kind}")
            for kind in ("added", "modified", "removed")
        ],
        pytest.param("push", push(CONFIGURED, ref="refs/heads/release/1.x"), id="configuration of another branch"),
        pytest.param("push", push(OTHER_FILES, forced=True), id="a force-push, which may undo anything"),
        pytest.param("merge_group", merge_group("checks_requested"), id="a merge group"),
        pytest.param("push", push(), id="a push whose commits are not listed"),
        pytest.param("push", push(*[OTHER_FILES] * 2048), id="a push with more commits than GitHub lists"),
    ],
)
def test_an_event_that_needs_a_review_queues_one(
    client: FlaskClient, service: Service, event: str, payload: Any
) -> None:
    assert send(client, event, payload) == (202, "queued")
    assert send(client, event, payload) == (202, "duplicate")
    assert service.states() == {"a": "waiting"}
    assert unfinished(service.store) == {"a/0" if event in {"push", "merge_group"} else "a/1": 1}


@pytest.mark.parametrize(
    ("event", "payload"),
    [("issue_comment", comment(COMMAND)), ("pull_request_review_comment", review_comment(COMMAND))],
)
def test_each_command_in_a_comment_is_queued_once(
    client: FlaskClient, service: Service, event: str, payload: Any
) -> None:
    send(client, "pull_request", pull_request("opened"), "a")
    assert send(client, event, payload, "b") == (202, "queued")
    assert send(client, event, payload, "b") == (202, "duplicate")
    assert send(client, event, payload, "c") == (202, "queued")
    assert unfinished(service.store) == {"a/1": 1, "b/1/command": 1, "c/1/command": 1}


def test_the_button_of_a_check_has_it_reviewed_again(client: FlaskClient, service: Service) -> None:
    pressed = check_run("requested_action", external_id=f"pr:1:{sha(1)}")
    assert send(client, "check_run", {**pressed, "requested_action": {"identifier": "recheck"}}) == (202, "queued")
    assert send(client, "check_run", {**pressed, "requested_action": {"identifier": "x"}}, "b") == (202, "ignored")
    assert unfinished(service.store) == {"a/1": 1}


def test_the_button_for_fixes_is_queued_with_who_pressed_it(client: FlaskClient, service: Service) -> None:
    pressed = check_run("requested_action", external_id=f"pr:1:{sha(1)}")
    pressed["requested_action"] = {"identifier": "apply-fixes"}
    assert send(client, "check_run", pressed, "a") == (202, "queued")
    assert send(client, "check_run", pressed, "a") == (202, "duplicate")
    assert send(client, "check_run", {**pressed, "sender": None}, "b") == (202, "ignored")
    with service.store.reading() as tx:
        assert [(run.id, run.head_sha, run.sender) for run in tx.execute(RUN.select())] == [
            ("a/1/fixes", sha(1), "someone")
        ]


def test_an_old_secret_is_still_accepted(client: FlaskClient) -> None:
    assert send(client, "pull_request", pull_request("opened"), signed_with="oldest") == (202, "queued")


def test_a_re_run_on_a_fork_is_found_by_its_head(client: FlaskClient, service: Service) -> None:
    send(client, "pull_request", pull_request("opened", 1), "a")
    send(client, "pull_request", pull_request("opened", 2), "b")
    send(client, "pull_request", pull_request("opened", 3, sha(3)), "c")
    assert send(client, "check_suite", check_suite("rerequested"), "d") == (202, "queued")
    assert unfinished(service.store) == {"c/3": 1, "d/1": 1, "d/2": 1}


@pytest.mark.parametrize("event", ["check_run", "check_suite"])
def test_a_re_run_of_a_merge_group_is_found_by_its_head(client: FlaskClient, service: Service, event: str) -> None:
    send(client, "merge_group", merge_group("checks_requested"), "a")
    again = {
        "check_run": check_run("rerequested", external_id=f"merge-group:{sha(3)}", head=sha(3)),
        "check_suite": check_suite("rerequested", sha(3)),
    }
    assert send(client, event, again[event], "b") == (202, "queued")
    assert unfinished(service.store) == {"b/0": 1}


def test_the_end_of_a_merge_group_has_its_run_ask_again(client: FlaskClient, service: Service) -> None:
    send(client, "merge_group", merge_group("checks_requested"), "a")
    assert send(client, "merge_group", merge_group("destroyed"), "b") == (202, "recorded")
    assert send(client, "merge_group", merge_group("destroyed"), "b") == (202, "duplicate")
    assert unfinished(service.store) == {"a/0": 2}


@pytest.mark.parametrize(
    ("event", "payload", "state"),
    [
        ("installation", {"action": "suspend"}, "waiting"),
        ("installation", {"action": "deleted"}, "cancelled"),
        ("installation_repositories", {"action": "removed", "repositories_removed": [{"id": 41}]}, "waiting"),
        ("installation_repositories", {"action": "removed", "repositories_removed": [{"id": 42}]}, "cancelled"),
    ],
)
def test_reviews_of_what_was_uninstalled_do_not_wait(
    client: FlaskClient, service: Service, event: str, payload: dict[str, Any], state: str
) -> None:
    send(client, "pull_request", pull_request("opened"), "a")
    assert send(client, event, {**payload, "installation": {"id": 7}}, "b") == (202, "recorded")
    assert service.states() == {"a": state}


def test_a_renamed_repository_is_fetched_by_its_new_name(client: FlaskClient, service: Service) -> None:
    send(client, "pull_request", pull_request("opened"), "a")
    moved = {**payloads.COMMON, "repository": {**payloads.REPOSITORY, "full_name": "shop/shop"}}
    assert send(client, "repository", {"action": "renamed", **moved}, "b") == (202, "recorded")
    with service.store.transaction() as tx:
        assert [row.repository for row in tx.execute(RUN.select())] == ["shop/shop"]


def test_a_closed_delivery_takes_the_place_of_a_waiting_run(client: FlaskClient, service: Service) -> None:
    send(client, "pull_request", pull_request("opened"), "a")
    assert send(client, "pull_request", pull_request("closed"), "b") == (202, "queued")
    assert send(client, "pull_request", pull_request("opened"), "a") == (202, "duplicate")
    assert service.states() == {"a": "superseded", "b": "waiting"}


def test_only_repositories_of_allowed_owners_are_reviewed(service: Service, make_client: Any) -> None:
    client = make_client(GRACEGATE_ALLOWED_OWNERS="Someone, another")
    assert send(client, "pull_request", pull_request("opened")) == (202, "ignored")
    assert send(client, "check_run", check_run("rerequested", external_id="pr:1:x"), "b") == (202, "ignored")
    client = make_client(GRACEGATE_ALLOWED_OWNERS="Shop")
    assert send(client, "pull_request", pull_request("opened")) == (202, "queued")


def test_an_unavailable_database_is_answered_with_503(client: FlaskClient, service: Service) -> None:
    service.store.close()
    database = service.folder / "gracegate.db"
    database.rename(database.with_suffix(".away"))
    database.mkdir()
    assert send(client, "pull_request", pull_request("opened")) == (503, "unavailable")
    assert "gracegate_deliveries_total" in client.get("/metrics").text
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json and list(answer.json["missing"])) == (503, ["database"])
