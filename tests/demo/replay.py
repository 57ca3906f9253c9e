"""`make replay REPO=<git dir> BASE=<sha> HEAD=<sha>`: a change of any local repository is reviewed from end to end.

The repository is loaded into the fake GitHub, a pull request from BASE (a merge base) to HEAD is opened, the service
reviews it. Prints one JSON object on standard output: the check, the reviews, the comments, all requests and the
seconds from the webhook to its answer and to the check's conclusion. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.demo.stage import Stage
from tests.processes import WaitFailed, exit_on, wait_for

COMMENT = ("path", "side", "start_line", "line", "subject_type", "body")
REVIEW_SECONDS = 600.0
"""Seconds that a review may take."""
EVENT = {"COMMENTED": "COMMENT", "APPROVED": "APPROVE", "CHANGES_REQUESTED": "REQUEST_CHANGES"}
"""The event that a review was posted with, by its state afterwards."""


def log_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def replay(stage: Stage, repository: Path, base: str, head: str) -> dict[str, Any]:
    """Opens the pull request, waits for the end of its review, and returns what GitHub got."""
    fake, name = stage.fake, f"replay/{repository.resolve().name.removesuffix('.git') or 'repository'}"
    fake.send_webhooks_to(None)
    fake.call("create_repository", full_name=name, from_git=str(repository.resolve()))
    fake.call("move_branch", full_name=name, branch="main", sha=base)
    fake.call("move_branch", full_name=name, branch="change", sha=head)
    fake.call("settle")
    fake.send_webhooks_to(stage.service.webhook_url)
    before = {what: len(fake.read(what)) for what in ("log", "deliveries")}
    log_progress(f"{name}: {base[:12]}..{head[:12]} is being reviewed")
    opened_at = time.time()
    number = fake.call("open_pull_request", full_name=name, head="change", title=f"{base[:12]}..{head[:12]}")
    concluded_at = wait_for("the check's conclusion", lambda: _conclusion_time(stage, name, number), REVIEW_SECONDS)
    stage.wait_until_reviewed(REVIEW_SECONDS)
    log, deliveries = (fake.read(what)[count:] for what, count in before.items())
    return summarise(fake.pull(name, number), log, _seconds(deliveries, concluded_at - opened_at))


def _conclusion_time(stage: Stage, name: str, number: int) -> float | None:
    """When the request that concluded the check was answered."""
    stage.service.running.check()
    patches = [
        one for one in stage.fake.read("log") if one["method"] == "PATCH" and f"/{name}/check-runs/" in one["path"]
    ]
    if not patches:
        return None
    checks = stage.fake.pull(name, number)["checks"]
    done = bool(checks) and all(check["conclusion"] for check in checks)
    return float(patches[0]["at"] + patches[0]["seconds"]) if done else None


def _seconds(deliveries: Sequence[Mapping[str, Any]], conclusion: float) -> dict[str, float]:
    ack = next(one["duration"] for one in deliveries if one["event"] == "pull_request")
    return {"webhook_ack": round(ack, 4), "webhook_to_conclusion": round(conclusion, 3)}


def summarise(
    pull: Mapping[str, Any], log: Sequence[Mapping[str, Any]], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """The JSON object. GitHub makes a review without a body for a comment that was posted alone."""
    check = pull["checks"][0]
    return {
        "check": {key: check[key] for key in ("conclusion", "title", "summary", "annotations")},
        "reviews": [
            {"event": EVENT[review["state"]], "body": review["body"]} for review in pull["reviews"] if review["body"]
        ],
        "comments": [{key: comment[key] for key in COMMENT} for comment in pull["comments"]],
        "requests": [{key: request[key] for key in ("method", "path", "status")} for request in log],
        "seconds": seconds,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("repository", type=Path, help="a git directory or work tree; bare, partial or shallow is fine")
    parser.add_argument("base", help="the merge base, a commit that the repository holds")
    parser.add_argument("head", help="the pull request's head")
    given = parser.parse_args()
    exit_on(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="gracegate-replay-") as folder, Stage(Path(folder)) as stage:
        try:
            result = replay(stage, given.repository, given.base, given.head)
        except WaitFailed as error:
            log_progress(f"{error}\n{stage.logs()}")
            return 1
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
