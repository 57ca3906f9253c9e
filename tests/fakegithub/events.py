"""Webhooks: what is sent when, and the record of each delivery."""

from __future__ import annotations

import hashlib
import hmac
import http
import json
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import requests

from tests.fakegithub import shapes
from tests.fakegithub.shapes import Json
from tests.fakegithub.shapes_checks import check_run, check_suite
from tests.fakegithub.shapes_pulls import issue, issue_comment, pull_full, pull_simple, review_comment
from tests.fakegithub.state import (
    CheckRun,
    CheckSuite,
    Delivery,
    Installation,
    IssueComment,
    MergeGroup,
    PullRequest,
    Repository,
    ReviewComment,
)
from tests.fakegithub.world import World

DEADLINE = 10.0
HOOK_ID = 7770001
NO_COMMIT = "0" * 40
PUSHED_COMMITS = 2048


class Events:
    """Sends the App's webhooks from threads of its own, in no promised order, each once: GitHub does not retry."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url: str | None = None
        """Where the App receives its webhooks; nothing is sent while it is None."""
        self.person = "ada"
        """Who is named as the sender."""
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="webhook")
        self._pending: set[Future[None]] = set()

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def settle(self, seconds: float = 30.0) -> None:
        """Waits until all that was to be sent was answered or has failed."""
        wait(list(self._pending), timeout=seconds)

    # Events

    def pull_request(self, pull: PullRequest, action: str, **more: Any) -> None:
        if self.url is None:
            return
        body = {"action": action, "number": pull.number, **more}
        body["pull_request"] = pull_full(self.world.base_url, self.world, pull)
        self._emit("pull_request", pull.base, body)
        if action in {"opened", "reopened", "synchronize"} and pull.head is pull.base:
            self.check_suite(self.world.suite(pull.base, pull.head_sha), "requested")

    def issue_comment(self, pull: PullRequest, comment: IssueComment) -> None:
        """A new comment in the conversation of a pull request, which is an issue here."""
        base = self.world.base_url
        body = {"issue": issue(base, pull), "comment": issue_comment(base, self.world, pull, comment)}
        self._emit("issue_comment", pull.base, {"action": "created", **body}, sender=comment.author)

    def review_comment(self, pull: PullRequest, comment: ReviewComment) -> None:
        """A new comment on a line or a file, or an answer to one."""
        base = self.world.base_url
        body = {"comment": review_comment(base, pull, comment), "pull_request": pull_simple(base, pull)}
        self._emit("pull_request_review_comment", pull.base, {"action": "created", **body}, sender=comment.author)

    def push(self, repository: Repository, branch: str, before: str | None, after: str | None) -> None:
        if self.url is None:
            return
        git, commits = repository.git, []
        if after:
            # GitHub lists the newest ones, and of a new branch those that no other branch has.
            pushed = git.commits(before, after)[-PUSHED_COMMITS:] if before else [after]
            infos = git.commit_infos(pushed)
            commits = [shapes.pushed_commit(self.world.base_url, repository, info) for info in infos]
        head = shapes.pushed_commit(self.world.base_url, repository, git.commit_info(after)) if after else None
        ends: Json = {"before": before or NO_COMMIT, "after": after or NO_COMMIT, "base_ref": None}
        flags = {"created": before is None, "deleted": after is None, "forced": _forced(repository, before, after)}
        compare = f"{self.world.base_url}/{repository.full_name}/compare/{ends['before'][:12]}...{ends['after'][:12]}"
        pusher = {"name": self.person, "email": f"{self.person}@example.com"}
        body = {"ref": f"refs/heads/{branch}", **ends, **flags, "compare": compare, "pusher": pusher}
        self._emit("push", repository, {**body, "commits": commits, "head_commit": head})

    def merge_group(self, group: MergeGroup, action: str, reason: str | None = None) -> None:
        """`checks_requested`; `destroyed` with `merged`, `invalidated` or `dequeued` as the reason."""
        repository = group.pull.base
        shown: Json = {"head_sha": group.head_sha, "head_ref": group.head_ref, "base_sha": group.base_sha}
        shown["base_ref"] = f"refs/heads/{group.base_ref}"
        shown["head_commit"] = shapes.simple_commit(repository.git.commit_info(group.head_sha))
        body = {"action": action, "merge_group": shown}
        self._emit("merge_group", repository, body if reason is None else {**body, "reason": reason})

    def repository(self, repository: Repository, action: str, changes: Json) -> None:
        self._emit("repository", repository, {"action": action, "changes": changes})

    def check_run(self, run: CheckRun, action: str, identifier: str | None = None, sender: str | None = None) -> None:
        shown = check_run(self.world.base_url, self.world, run)
        suite = check_suite(self.world.base_url, self.world, self.world.check_suites[run.suite_id])
        del suite["repository"]
        body: Json = {"action": action, "check_run": {**shown, "check_suite": suite}}
        if identifier is not None:
            body["requested_action"] = {"identifier": identifier}
        self._emit("check_run", run.repository, body, sender=sender)

    def check_suite(self, suite: CheckSuite, action: str) -> None:
        shown = check_suite(self.world.base_url, self.world, suite)
        del shown["repository"]
        self._emit("check_suite", suite.repository, {"action": action, "check_suite": shown})

    def installation(self, one: Installation, action: str) -> None:
        """`created`, `deleted`, `suspend`, `unsuspend` or `new_permissions_accepted`."""
        visible = self.world.repositories_of(one)
        self._emit("installation", None, {"action": action, "repositories": [_short(r) for r in visible]}, one)

    def installation_repositories(self, one: Installation, added: list[Repository], removed: list[Repository]) -> None:
        body = {
            "action": "added" if added else "removed",
            "repository_selection": "all" if one.repository_ids is None else "selected",
            "repositories_added": [_short(r) for r in added],
            "repositories_removed": [_short(r) for r in removed],
            "requester": None,
        }
        self._emit("installation_repositories", None, body, one)

    def ping(self) -> None:
        hook = {
            "type": "App",
            "id": HOOK_ID,
            "name": "web",
            "active": True,
            "events": ["pull_request"],
            "config": {"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": self.url},
            "app_id": self.world.app.id,
            "created_at": self.world.app.created_at,
            "updated_at": self.world.app.created_at,
        }
        self._emit("ping", None, {"zen": "Keep it logically awesome.", "hook_id": HOOK_ID, "hook": hook})

    # Deliveries

    def _emit(
        self,
        event: str,
        repository: Repository | None,
        body: Json,
        installation: Installation | None = None,
        sender: str | None = None,
    ) -> None:
        base = self.world.base_url
        one = self.world.installation_of(repository) if repository is not None else installation
        if self.url is None or (one is None and event != "ping"):
            return
        payload = dict(body)
        if repository is not None:
            payload["repository"] = shapes.repository(base, repository)
        payload["sender"] = shapes.user(base, sender or self.person)
        if one is not None and repository is not None:
            payload["installation"] = {"id": one.id, "node_id": shapes.node_id("MDIz", one.id)}
        elif one is not None:
            payload["installation"] = shapes.installation(base, self.world, one)
        self._deliver(self._delivery(event, payload, one, repository))

    def _delivery(
        self, event: str, payload: Json, installation: Installation | None, repository: Repository | None
    ) -> Delivery:
        body, guid = json.dumps(payload).encode(), str(uuid.uuid4())
        return Delivery(
            id=self.world.new_id(),
            guid=guid,
            event=event,
            action=payload.get("action"),
            payload=payload,
            body=body,
            headers=headers(event, guid, body, self.world),
            delivered_at=self.world.clock.iso(),
            redelivery=False,
            installation_id=installation.id if installation else None,
            repository_id=repository.id if repository else None,
        )

    def redeliver(self, one: Delivery) -> None:
        """The same event again, with the same guid."""
        again = Delivery(
            self.world.new_id(),
            one.guid,
            one.event,
            one.action,
            one.payload,
            one.body,
            dict(one.headers),
            self.world.clock.iso(),
            True,
            one.installation_id,
            one.repository_id,
        )
        self._deliver(again)

    def _deliver(self, one: Delivery) -> None:
        if self.url is None:
            return
        self.world.deliveries.append(one)
        future = self._threads.submit(_send, one, self.url)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)


def headers(event: str, guid: str, body: bytes, world: World) -> dict[str, str]:
    secret = world.app.webhook_secret.encode()
    sha1, sha256 = (hmac.new(secret, body, kind).hexdigest() for kind in (hashlib.sha1, hashlib.sha256))
    return {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(HOOK_ID),
        "X-GitHub-Hook-Installation-Target-ID": str(world.app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": f"sha1={sha1}",
        "X-Hub-Signature-256": f"sha256={sha256}",
    }


def _send(one: Delivery, url: str) -> None:
    started = time.monotonic()
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, data=one.body, headers=one.headers, timeout=DEADLINE, allow_redirects=False)
            one.status_code, one.response = answer.status_code, answer.text[:10_000]
            one.status = "OK" if answer.ok else http.HTTPStatus(answer.status_code).phrase
    except requests.Timeout:
        one.status = "timed out"
    except requests.RequestException:
        one.status = "failed to connect to host"
    one.duration = time.monotonic() - started


def _forced(repository: Repository, before: str | None, after: str | None) -> bool:
    return bool(before and after) and repository.git.merge_base(str(before), str(after)) != before


def _short(one: Repository) -> Json:
    short = {"id": one.id, "node_id": shapes.node_id("R", one.id), "name": one.name}
    return {**short, "full_name": one.full_name, "private": one.private}
