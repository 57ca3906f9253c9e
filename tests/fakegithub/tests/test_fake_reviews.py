"""Reviews and comments: which lines they may point to, in GitHub's words, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest, changed

PULL = f"/repos/{REPOSITORY}/pulls/1"
THREAD = "Pull request review thread"
OUTSIDE = f"{THREAD} line must be part of the diff and {THREAD} diff hunk can't be blank"
OUTSIDE_TWICE = (
    f"{THREAD} line must be part of the diff, {THREAD} start line must be part of the same hunk as the line.,"
    f" and {THREAD} diff hunk can't be blank"
)


@pytest.fixture(autouse=True)
def head(fake: FakeGitHub) -> str:
    """Two hunks: around lines 5 and 20 (line 20 is deleted, two lines take its place)."""
    sha = fake.push(
        REPOSITORY, "topic", {"web.yaml": changed((5, "five"), (20, "twenty\ntwenty b")), "new.yaml": "a: 1\n"}
    )
    fake.open_pull_request(REPOSITORY, "topic")
    return sha


def review(rest: Rest, *comments: dict[str, Any], **more: Any) -> Any:
    full = [{"path": "web.yaml", "body": "b", **one} for one in comments]
    return rest.post(f"{PULL}/reviews", {"event": "COMMENT", "body": "Look", "comments": full, **more})


ACCEPTED: list[dict[str, Any]] = [
    {"line": 5},
    {"line": 2},
    {"line": 8, "side": "RIGHT"},
    {"line": 5, "side": "LEFT"},
    {"start_line": 2, "line": 8},
    {"start_line": 20, "start_side": "LEFT", "line": 21, "side": "RIGHT"},
    {"start_line": 20, "start_side": "LEFT", "line": 20, "side": "RIGHT"},
    {"position": 1},
]


@pytest.mark.parametrize("comment", ACCEPTED, ids=str)
def test_lines_of_a_hunk_are_accepted(rest: Rest, comment: dict[str, Any]) -> None:
    assert review(rest, comment).status_code == 200
    body = rest.get(f"{PULL}/comments").json()[0]
    assert {key: body[key] for key in comment} == comment


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"line": 1}, OUTSIDE),
    ({"line": 12}, OUTSIDE),
    ({"line": 99}, OUTSIDE),
    ({"line": 4, "side": "LEFT"}, OUTSIDE),
    ({"line": 5, "side": "right"}, f"{THREAD} side is invalid"),
    ({"start_line": 5, "line": 5}, f"{THREAD} start line must precede the end line."),
    ({"start_line": 6, "line": 5}, f"{THREAD} start line must precede the end line."),
    ({"start_line": 5, "line": 20}, f"{THREAD} start line must be part of the same hunk as the line."),
    ({"start_line": 1, "line": 5}, f"{THREAD} start line must be part of the same hunk as the line."),
    ({"start_line": 11, "line": 12}, OUTSIDE_TWICE),
    ({"line": 1, "path": "none.yaml"}, f"{THREAD} path is invalid and {THREAD} diff hunk can't be blank"),
    ({"position": 0}, f"{THREAD} position is invalid and {THREAD} diff hunk can't be blank"),
    ({}, f"{THREAD} line can't be blank and {THREAD} diff hunk can't be blank"),
]


@pytest.mark.parametrize(("comment", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_others_are_refused_in_githubs_words(rest: Rest, comment: dict[str, Any], message: str) -> None:
    answer = review(rest, comment)
    assert (answer.status_code, answer.json()["message"], answer.json()["errors"]) == (
        422,
        "Unprocessable Entity",
        [message],
    )


def test_a_review_is_posted_completely_or_not_at_all(rest: Rest) -> None:
    assert review(rest, {"line": 5}, {"line": 12}, {"line": 20}).status_code == 422
    assert (rest.get(f"{PULL}/reviews").json(), rest.get(f"{PULL}/comments").json()) == ([], [])


@pytest.mark.parametrize("body", ["", " \n", None])
def test_a_commenting_review_needs_a_body(rest: Rest, body: str | None) -> None:
    sent = {"event": "COMMENT"} if body is None else {"event": "COMMENT", "body": body}
    assert rest.post(f"{PULL}/reviews", sent).status_code == 422


def test_files_cannot_be_commented_in_a_review(fake: FakeGitHub, rest: Rest) -> None:
    assert review(rest, {"subject_type": "file"}).status_code == 422


def test_a_body_has_a_limit(rest: Rest) -> None:
    assert review(rest, body="x" * 65_537).status_code == 422


def test_a_review_is_by_the_bot(rest: Rest, head: str) -> None:
    body = review(rest, {"line": 5}).json()
    user = {key: body["user"][key] for key in ("login", "type")}
    assert (user, body["state"], body["commit_id"]) == ({"login": "gracegate[bot]", "type": "Bot"}, "COMMENTED", head)
    comments = rest.get(f"{PULL}/reviews/{body['id']}/comments").json()
    assert [(one["path"], "line" in one) for one in comments] == [("web.yaml", False)]
    edited = rest.put(f"{PULL}/reviews/{body['id']}", {"body": "Better"}).json()
    assert (edited["body"], rest.get(f"{PULL}/reviews/{body['id']}").json()["body"]) == ("Better", "Better")


# Single comments


def comment(rest: Rest, sha: str, **more: Any) -> Any:
    sent = {"body": "b", "commit_id": sha, "path": "web.yaml", **more}
    return rest.post(f"{PULL}/comments", sent)


def test_a_single_comment_keeps_what_it_points_to(rest: Rest, head: str) -> None:
    body = comment(rest, head, line=20, start_line=19, side="RIGHT").json()
    keys = ("line", "start_line", "original_line", "side", "start_side", "subject_type", "commit_id", "diff_hunk")
    assert {key: body[key] for key in keys} == {
        "line": 20,
        "start_line": 19,
        "original_line": 20,
        "side": "RIGHT",
        "start_side": "RIGHT",
        "subject_type": "line",
        "commit_id": head,
        "diff_hunk": "@@ -17,7 +17,8 @@ line 16\n line 17\n line 18\n line 19\n-line 20\n+twenty",
    }
    assert rest.get(f"/repos/{REPOSITORY}/pulls/comments/{body['id']}").json() == body


def test_a_single_comment_outside_is_refused_by_field(rest: Rest, head: str) -> None:
    answer = comment(rest, head, line=12)
    assert (answer.status_code, answer.json()["message"]) == (422, "Validation Failed")
    assert answer.json()["errors"] == [
        {
            "resource": "PullRequestReviewComment",
            "code": "custom",
            "field": "pull_request_review_thread.line",
            "message": "pull_request_review_thread.line must be part of the diff",
        },
        {
            "resource": "PullRequestReviewComment",
            "code": "missing_field",
            "field": "pull_request_review_thread.diff_hunk",
        },
    ]


def test_a_commit_of_elsewhere_is_refused(fake: FakeGitHub, rest: Rest) -> None:
    other = fake.push(REPOSITORY, "other", {"x": "1\n"})
    answer = comment(rest, other, line=5)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (
        422,
        "pull_request_review_thread.end_commit_oid",
    )


def test_a_comment_on_a_file(rest: Rest, head: str) -> None:
    body = comment(rest, head, path="new.yaml", subject_type="file").json()
    assert (body["subject_type"], body["line"], body["path"]) == ("file", None, "new.yaml")
    assert comment(rest, head, path="none.yaml", subject_type="file").status_code == 422


PUSHES: list[tuple[str, dict[str, str | bytes | None], int | None, int | None]] = [
    ("nothing", {"other.yaml": "a: 1\n"}, 5, 5),
    ("its line", {"web.yaml": changed((5, "FIVE"), (20, "twenty\ntwenty b"))}, 5, None),
    ("lines above", {"web.yaml": "zero\n" + changed((5, "five"), (20, "twenty\ntwenty b"))}, 5, 6),
    ("it is as on the base now", {"web.yaml": changed((20, "twenty\ntwenty b"))}, 5, None),
    ("the file is gone", {"web.yaml": None}, 5, None),
]


@pytest.mark.parametrize(("files", "line", "now"), [pytest.param(*rest, id=name) for name, *rest in PUSHES])
def test_a_comment_follows_its_line_until_a_push_changes_it(
    fake: FakeGitHub, rest: Rest, head: str, files: dict[str, str | bytes | None], line: int, now: int | None
) -> None:
    assert comment(rest, head, line=line, side="RIGHT").status_code == 201
    after = fake.push(REPOSITORY, "topic", files)
    body = rest.get(f"{PULL}/comments").json()[0]
    shown = (body["line"], body["position"] is None, body["original_line"], body["commit_id"])
    assert shown == (now, now is None, line, head if now is None else after)


def test_comments_are_edited_by_their_author(fake: FakeGitHub, rest: Rest, head: str) -> None:
    own = comment(rest, head, line=5).json()["id"]
    other = fake.review_comment(REPOSITORY, 1, "Hm", path="web.yaml", line=5)
    fake.clock.advance(5)
    answers = [rest.patch(f"/repos/{REPOSITORY}/pulls/comments/{one}", {"body": "new"}) for one in (own, other)]
    assert [one.status_code for one in answers] == [200, 403]
    body = rest.get(f"{PULL}/comments").json()
    assert [(one["body"], one["user"]["login"], one["updated_at"] > one["created_at"]) for one in body] == [
        ("new", "gracegate[bot]", True),
        ("Hm", "grace", False),
    ]


def test_answers_belong_to_the_first_comment(rest: Rest, head: str) -> None:
    first = comment(rest, head, line=5).json()["id"]
    answer = rest.post(f"{PULL}/comments/{first}/replies", {"body": "Right"}).json()
    other = comment(rest, head, in_reply_to=first).json()
    assert [(one["in_reply_to_id"], one["line"]) for one in (answer, other)] == [(first, 5), (first, 5)]
    assert rest.post(f"{PULL}/comments/{answer['id']}/replies", {"body": "No"}).status_code == 404


def test_comments_come_in_pages_and_can_be_deleted(rest: Rest, head: str) -> None:
    ids = [comment(rest, head, line=5).json()["id"] for _ in range(3)]
    assert [one["id"] for one in rest.pages(f"{PULL}/comments?per_page=2")] == ids
    assert rest.send("DELETE", f"/repos/{REPOSITORY}/pulls/comments/{ids[0]}").status_code == 204
    assert [one["id"] for one in rest.get(f"{PULL}/comments?direction=desc").json()] == [ids[2], ids[1]]


def test_the_conversation(fake: FakeGitHub, rest: Rest) -> None:
    path = f"/repos/{REPOSITORY}/issues"
    own = rest.post(f"{path}/1/comments", {"body": "Hello"}).json()
    other = fake.comment(REPOSITORY, 1, "Hi", author="linus")
    apps = [one["performed_via_github_app"] for one in rest.get(f"{path}/1/comments").json()]
    assert (own["user"]["login"], apps[0]["slug"], apps[1]) == ("gracegate[bot]", "gracegate", None)
    answers = [rest.patch(f"{path}/comments/{one}", {"body": "x"}).status_code for one in (own["id"], other)]
    assert (answers, rest.send("DELETE", f"{path}/comments/{own['id']}").status_code) == ([200, 403], 204)


def test_a_locked_conversation_takes_no_comment_of_an_app(fake: FakeGitHub, rest: Rest, head: str) -> None:
    first = comment(rest, head, line=5).json()["id"]
    fake.lock_pull_request(REPOSITORY, 1)
    sent = [
        review(rest, {"line": 5}),
        comment(rest, head, line=5),
        rest.post(f"{PULL}/comments/{first}/replies", {"body": "Right"}),
        rest.post(f"/repos/{REPOSITORY}/issues/1/comments", {"body": "Hello"}),
    ]
    refused = (403, "Unable to create comment because issue is locked.", None)
    answers = [(one.status_code, one.json()["message"], one.json().get("errors")) for one in sent]
    assert answers == [(422, "Unprocessable Entity", ["lock prevents review"]), refused, refused, refused]
    assert rest.get(PULL).json()["locked"] is True
    fake.unlock_pull_request(REPOSITORY, 1)
    assert (rest.get(PULL).json()["locked"], review(rest, {"line": 5}).status_code) == (False, 200)
