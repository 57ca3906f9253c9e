"""Whether GitHub lets merge, where several things decide about it: other pull requests, the base branch, the queue."""

from __future__ import annotations

import pytest

from tests.demo.layers import layer
from tests.e2e.scene import Scene, on_both_databases
from tests.fakegithub.errors import ApiError


def may_merge(scene: Scene, number: int) -> bool:
    return not scene.fake.world.blocking(scene.pull(number))


@on_both_databases
def test_two_pull_requests_with_one_head_do_not_open_the_gate_for_each_other(scene: Scene) -> None:
    """The release branch lets pass what main does not."""
    scene.push({".gracegate.yaml": "gate: advise\n"}, "release")
    for branch in ("main", "release"):
        scene.fake.require_checks(scene.repository, branch, ["gracegate"])
    scene.push(layer("change"), "change", onto="main")
    passing = scene.fake.open_pull_request(scene.repository, "change", "release")
    failing = scene.fake.open_pull_request(scene.repository, "change")
    scene.wait_until_reviewed()
    assert [may_merge(scene, number) for number in (passing, failing)] == [False, False]
    with pytest.raises(ApiError):
        scene.fake.merge_pull_request(scene.repository, failing)
    scene.fake.close_pull_request(scene.repository, failing)
    scene.wait_until_reviewed()
    assert (scene.conclusions(passing)[0], may_merge(scene, passing)) == ("neutral", True)


@on_both_databases
def test_a_configuration_that_is_pushed_counts_for_open_pull_requests(scene: Scene) -> None:
    scene.fake.require_checks(scene.repository, "main", ["gracegate"])
    number = scene.open_and_review(layer("change"))
    assert not may_merge(scene, number)
    configuration = layer("base")[".gracegate.yaml"].replace("gate: enforce", "gate: advise")
    scene.push({".gracegate.yaml": configuration}, "main")
    scene.wait_until_reviewed()
    assert (scene.conclusions(number), may_merge(scene, number)) == (["neutral", "failure"], True)
    assert len(scene.pull(number).reviews) == 1


@on_both_databases
def test_a_merge_queue_merges_what_passes(scene: Scene) -> None:
    scene.fake.require_checks(scene.repository, "main", ["gracegate"])
    number = scene.open_and_review({"README.md": "# The shop\n"})
    scene.fake.enqueue_pull_request(scene.repository, number)
    scene.wait_until_reviewed()
    pull = scene.pull(number)
    assert (pull.state, pull.merged_by) == ("closed", "github-merge-queue[bot]")
    assert scene.fake.repository(scene.repository).branch("main") == pull.merge_commit_sha
