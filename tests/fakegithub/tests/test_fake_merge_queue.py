"""The merge queue: groups are built on each other, merged when their checks pass, built anew without one that fails."""

from __future__ import annotations

import pytest

from tests.fakegithub.errors import ApiError
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest
from tests.fakegithub.tests.test_fake_webhooks import Receiver, receiver

__all__ = ["receiver"]


@pytest.fixture
def queue(fake: FakeGitHub, receiver: Receiver, rest: Rest) -> Queue:
    """Two pull requests into main, which requires a check; it has passed on both heads."""
    made = Queue(fake, rest)
    for number in (1, 2):
        sha = fake.push(REPOSITORY, f"topic-{number}", {f"{number}.yaml": "a: 1\n"}, onto="main")
        fake.open_pull_request(REPOSITORY, f"topic-{number}")
        made.conclude(sha, "success")
    fake.require_checks(REPOSITORY, "main", ["gracegate"])
    fake.webhook_url = receiver.url
    return made


class Queue:
    def __init__(self, fake: FakeGitHub, rest: Rest) -> None:
        self.fake = fake
        self.rest = rest

    def conclude(self, sha: str, conclusion: str) -> None:
        sent = {"name": "gracegate", "head_sha": sha, "status": "in_progress"}
        run = self.rest.post(self.rest.repo("/check-runs"), sent).json()["id"]
        self.rest.patch(self.rest.repo(f"/check-runs/{run}"), {"conclusion": conclusion})

    def groups(self) -> list[tuple[int, str, str]]:
        return [
            (group.pull.number, group.base_sha, group.head_sha)
            for group in self.fake.repository(REPOSITORY).merge_queue
        ]


def sent(receiver: Receiver) -> list[tuple[str, str, str | None]]:
    """Action, head and reason, in no promised order."""
    bodies = receiver.bodies("merge_group")
    return sorted((body["action"], body["merge_group"]["head_sha"], body.get("reason")) for body in bodies)


def test_a_pull_request_whose_own_checks_have_not_passed_is_refused(fake: FakeGitHub, queue: Queue) -> None:
    fake.push(REPOSITORY, "topic-1", {"1.yaml": "a: 2\n"})
    with pytest.raises(ApiError):
        fake.enqueue_pull_request(REPOSITORY, 1)


def test_groups_are_merged_in_their_order(fake: FakeGitHub, queue: Queue, receiver: Receiver) -> None:
    main = fake.repository(REPOSITORY).branch("main") or ""
    first, second = (fake.enqueue_pull_request(REPOSITORY, number) for number in (1, 2))
    assert queue.groups() == [(1, main, first), (2, first, second)]
    queue.conclude(second, "success")
    assert fake.repository(REPOSITORY).branch("main") == main
    queue.conclude(first, "success")
    assert (fake.repository(REPOSITORY).branch("main"), queue.groups()) == (second, [])
    assert [fake.pull(REPOSITORY, number).merge_commit_sha for number in (1, 2)] == [first, second]
    assert fake.repository(REPOSITORY).git.refs("refs/heads/gh-readonly-queue/") == {}
    fake.settle()
    requested = sorted(("checks_requested", sha, None) for sha in (first, second))
    assert sent(receiver) == requested + sorted(("destroyed", sha, "merged") for sha in (first, second))


def test_a_group_that_fails_is_taken_out_and_the_next_is_built_anew(
    fake: FakeGitHub, queue: Queue, receiver: Receiver
) -> None:
    main = fake.repository(REPOSITORY).branch("main") or ""
    first, second = (fake.enqueue_pull_request(REPOSITORY, number) for number in (1, 2))
    queue.conclude(first, "failure")
    ((number, base, anew),) = queue.groups()
    assert (number, base, anew == second, fake.pull(REPOSITORY, 1).state) == (2, main, False, "open")
    fake.settle()
    destroyed = [one for one in sent(receiver) if one[0] == "destroyed"]
    assert destroyed == sorted([("destroyed", first, "dequeued"), ("destroyed", second, "invalidated")])


def test_the_payload_of_a_group(fake: FakeGitHub, queue: Queue, receiver: Receiver) -> None:
    main = fake.repository(REPOSITORY).branch("main")
    head = fake.enqueue_pull_request(REPOSITORY, 1)
    fake.dequeue_pull_request(REPOSITORY, 1)
    fake.settle()
    shown = receiver.bodies("merge_group")[0]["merge_group"]
    assert (shown.pop("head_commit")["id"], shown) == (
        head,
        {
            "head_sha": head,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-1-{main}",
            "base_sha": main,
            "base_ref": "refs/heads/main",
        },
    )
