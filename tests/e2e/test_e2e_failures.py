"""Failures during a review: its check must not stay pending, and must not be green without an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, on_both_databases

FILES = "GET /pulls/[0-9]+/files"
FILES_PATH = r"/pulls/\d+/files$"


def delay_next_review(scene: Scene, seconds: float) -> None:
    """Delays the next review after it has started its check and before it evaluates anything."""
    scene.fake.fault("GET", f"{scene.repository}{FILES_PATH}", delay=seconds)


def wait_until_check_started(scene: Scene) -> None:
    """Waits until a review has started its check."""
    scene.wait_for_request("POST /check-runs")


def review_result(scene: Scene, number: int) -> tuple[Any, ...]:
    """Conclusions, and how many reviews and comments there are: each once, however often the review was tried."""
    return scene.conclusions(number), len(scene.pull(number).reviews), len(scene.comments(number))


REVIEWED = (["failure"], 1, 5)


@on_both_databases
def test_a_pull_request_closed_during_its_review_is_cancelled_and_not_commented(scene: Scene) -> None:
    delay_next_review(scene, 4)
    number = scene.open_pull_request(layer("change"))
    wait_until_check_started(scene)
    scene.fake.close_pull_request(scene.repository, number)
    scene.wait_until_reviewed()
    assert review_result(scene, number) == (["cancelled"], 0, 0)


@on_both_databases
def test_a_force_push_during_the_review_is_what_gets_reviewed(scene: Scene) -> None:
    delay_next_review(scene, 4)
    number = scene.open_pull_request({"apps/reviews.yaml": layer("change")["apps/reviews.yaml"]})
    wait_until_check_started(scene)
    first = scene.pull(number).head_sha
    second = scene.push(layer("change"), onto="main")
    scene.wait_until_reviewed()
    assert scene.conclusions(number, first) == ["cancelled"]
    assert review_result(scene, number) == REVIEWED
    assert {comment.commit_id for comment in scene.comments(number)} == {second}


FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "502 reading the pull request": ("GET", r"/pulls/\d+$", {"status": 502, "times": 2}),
    "502 listing the files": ("GET", FILES_PATH, {"status": 502, "times": 2}),
    "502 fetching with git": ("POST", r"/git-upload-pack$", {"status": 502, "times": 1}),
    "502 starting the check": ("POST", "/check-runs$", {"status": 502}),
    "502 after the check was started": ("POST", "/check-runs$", {"status": 502, "when": "after"}),
    "502 after the check was concluded": ("PATCH", r"/check-runs/\d+$", {"status": 502, "when": "after"}),
    "502 before the review": ("POST", r"/pulls/\d+/reviews$", {"status": 502}),
    "502 after the review was posted": ("POST", r"/pulls/\d+/reviews$", {"status": 502, "when": "after"}),
    "a connection cut after the review": ("POST", r"/pulls/\d+/reviews$", {"drop": True, "when": "after"}),
    "429 reading": ("GET", FILES_PATH, {"status": 429, "headers": {"Retry-After": "1"}}),
    "429 concluding": ("PATCH", r"/check-runs/\d+$", {"status": 429, "headers": {"Retry-After": "1"}}),
    "429 posting the review": ("POST", r"/pulls/\d+/reviews$", {"status": 429, "headers": {"Retry-After": "1"}}),
}


@pytest.mark.parametrize(("method", "path", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_failed_request_to_github_is_retried_and_done_once(
    scene: Scene, method: str, path: str, fault: dict[str, Any]
) -> None:
    pending = scene.fake.fault(method, f"{scene.repository}.*{path}", **fault)
    number = scene.open_and_review(layer("change"))
    assert pending.times == 0, "the fault did not happen"
    assert review_result(scene, number) == REVIEWED


@on_both_databases
def test_a_worker_killed_during_the_review_is_replaced(own_scene: Scene) -> None:
    delay_next_review(own_scene, 5)
    number = own_scene.open_pull_request(layer("change"))
    wait_until_check_started(own_scene)
    own_scene.kill(r"\S+ -m gracegate worker")
    own_scene.wait_until_reviewed()
    assert review_result(own_scene, number) == REVIEWED


def test_an_opa_killed_during_the_review_is_started_again(opa_scene: Scene, own_opa: Path) -> None:
    first = opa_scene.open_and_review(layer("change"))
    delay_next_review(opa_scene, 4)
    second = opa_scene.open_pull_request(layer("change"), "again")
    opa_scene.wait_for_request("POST /check-runs", 2)
    opa_scene.kill(r"\S+/opa run")
    opa_scene.wait_until_reviewed()
    assert (review_result(opa_scene, first), review_result(opa_scene, second)) == (REVIEWED, REVIEWED)
    # A clean change, so that it is the missing evaluation which keeps it from being green.
    own_opa.unlink()
    opa_scene.kill(r"\S+/opa run")
    third = opa_scene.open_pull_request(
        {"README.md": "# shop\n", "apps/mailer.yaml": layer("change")["apps/mailer.yaml"]}, "clean"
    )
    opa_scene.wait_until_reviewed()
    (check,) = opa_scene.checks(third)
    assert (check.conclusion, "not all evaluated" in str(check.title)) == ("failure", True)
