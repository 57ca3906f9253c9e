"""A conversation with the App: a command, its answer, the button that applies the fixes, and the threads after it."""

from __future__ import annotations

from tests.demo.layers import layer
from tests.e2e.scene import Scene

RULE = "prestop-drain-missing"


def test_from_a_question_to_the_commit_that_answers_everything(shared_scene: Scene) -> None:
    fake = shared_scene.fake
    scene = shared_scene.in_repository("bakery/manifests", layer("base"))
    fake.grant("bakery", "contents", "write")
    number = scene.open_and_review(layer("change"))
    head = scene.pull(number).head_sha
    (check,) = scene.checks(number)
    assert (check.conclusion, [one["label"] for one in check.actions]) == ("failure", ["Re-check", "Apply fixes"])

    fake.comment(scene.repository, number, f"Why?\n\n/gracegate explain {RULE}")
    scene.wait_until_reviewed()
    question, answer = scene.pull(number).issue_comments
    assert [one.content for one in question.reactions] == ["eyes"]
    assert (answer.author, answer.body.startswith(f"**[`{RULE}`](")) == (fake.app.login, True)

    fake.request_action(check.id, "apply-fixes", by="ada")
    scene.wait_until_reviewed()
    # The commit has webhooks of its own.
    scene.wait_until_reviewed()
    made = scene.pull(number).head_sha
    git = fake.repository(scene.repository).git
    assert (git.commit_info(made).parents, git.commit_info(made).author[0]) == ((head,), fake.app.login)
    assert str(scene.checks(number, head)[0].summary).startswith("> **Apply fixes:** 5 suggestions were committed as")
    assert scene.conclusions(number) == ["success"]
    comments = scene.comments(number)
    assert [(one.body[0], one.resolved_by) for one in comments] == [("✅", fake.app.login)] * 5

    fake.comment(scene.repository, number, "/gracegate recheck")
    scene.wait_until_reviewed()
    assert scene.conclusions(number) == ["success", "success"]
    # Nobody but people is answered.
    assert len(scene.pull(number).issue_comments) == 3
