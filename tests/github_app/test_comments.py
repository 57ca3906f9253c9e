"""Review comments: on the right lines, posted once, and not lost with one that GitHub refuses."""

from __future__ import annotations

import pytest

from gracegate.github_app import RepositoryClient, comments
from gracegate.github_app.comments import PostResult
from gracegate.model import Comment, PostedComment
from tests.github_app.conftest import SHOP, Setting

MARK = "<!-- gracegate:v1 {} -->"


def on(line: int | None, *, start: int | None = None, path: str = "web.yaml", text: str = "") -> Comment:
    return Comment(path, line, start, f"A finding\n\n{MARK.format(text or f'{path}:{start}:{line}')}")


def posted(setting: Setting) -> list[tuple[str, int | None, int | None, str]]:
    found = []
    for one in setting.fake.pull(SHOP, setting.number).comments:
        anchor = one.anchor
        found.append((anchor.path, anchor.start_line, anchor.line, one.body))
    return found


def reviews(setting: Setting) -> list[str]:
    return [one.body for one in setting.fake.pull(SHOP, setting.number).reviews if one.body]


def expected(*found: Comment) -> list[tuple[str, int | None, int | None, str]]:
    return [(one.path, one.start_line, one.line, one.body) for one in found]


def post(setting: Setting, repo: RepositoryClient, *found: Comment, body: str = "Two things") -> PostResult:
    return comments.post_review(repo, setting.number, setting.head, body, found)


def test_an_empty_review_is_not_posted(setting: Setting, repo: RepositoryClient) -> None:
    assert post(setting, repo, body="") == PostResult()
    assert setting.requests("POST", "/pulls/") == []


def test_a_review_with_its_comments(setting: Setting, repo: RepositoryClient) -> None:
    sent = (on(10), on(30, start=28), on(2, path="new.yaml"))
    result = post(setting, repo, *sent)
    assert (posted(setting), reviews(setting)) == (expected(*sent), ["Two things"])
    assert result == PostResult(setting.fake.pull(SHOP, setting.number).reviews[0].id)
    assert setting.requests("POST", "/pulls/") == [(f"/pulls/{setting.number}/reviews", 200)]
    assert setting.fake.pull(SHOP, setting.number).reviews[0].state == "COMMENTED"


def test_a_range_of_one_line_is_sent_as_a_line(setting: Setting, repo: RepositoryClient) -> None:
    result = post(setting, repo, on(10, start=10))
    assert (posted(setting)[0][1:3], result.refused) == ((None, 10), ())


def test_a_comment_on_a_whole_file(setting: Setting, repo: RepositoryClient) -> None:
    absent = on(None, path="absent.yaml")
    assert post(setting, repo, on(10), on(None), absent) == PostResult(review_ids(setting)[0], refused=(absent,))
    assert [line for _, _, line, _ in posted(setting)] == [10, None]


def review_ids(setting: Setting) -> list[int]:
    return [one.id for one in setting.fake.pull(SHOP, setting.number).reviews]


def test_a_comment_on_a_wrong_line_moves_to_its_file(setting: Setting, repo: RepositoryClient) -> None:
    right, outside, other, absent = on(10), on(20), on(30), on(1, path="absent.yaml")
    result = post(setting, repo, right, outside, other, absent)
    assert (result.moved, result.refused) == ((outside,), (absent,))
    assert sorted(posted(setting), key=str) == sorted(
        [*expected(right, other), (outside.path, None, None, outside.body)], key=str
    )
    assert reviews(setting) == ["Two things"]


FAULTS = [
    pytest.param({"status": 502, "when": "before"}, id="502 before the effect"),
    pytest.param({"status": 502, "when": "after"}, id="502 after the effect"),
    pytest.param({"status": 429}, id="429 without Retry-After"),
    pytest.param({"status": 422, "body": '{"message": "x", "errors": [{"code": "abuse"}]}'}, id="422 for abuse"),
    pytest.param({"status": 401}, id="an expired token"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_one_review_is_posted(fault: dict[str, object], setting: Setting, repo: RepositoryClient) -> None:
    setting.fake.fault("POST", "/reviews$", **fault)
    sent = (on(10), on(30))
    result = post(setting, repo, *sent)
    assert (posted(setting), reviews(setting), result.refused) == (expected(*sent), ["Two things"], ())
    assert result.review == review_ids(setting)[0]


def test_a_review_whose_answer_does_not_come(setting: Setting) -> None:
    setting.fake.fault("POST", "/reviews$", drop=True, when="after")
    with setting.repository_with_short_timeout() as client:
        result = post(setting, client, on(10))
    assert (posted(setting), reviews(setting)) == (expected(on(10)), ["Two things"])
    assert result == PostResult(review_ids(setting)[0])


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_one_single_comment_is_posted(
    fault: dict[str, object], setting: Setting, repo: RepositoryClient
) -> None:
    setting.fake.fault("POST", "/comments$", **fault)
    assert post(setting, repo, on(10), on(20)).moved == (on(20),)
    assert [line for _, _, line, _ in posted(setting)] == [10, None]


def test_a_refused_review_that_was_kept_in_part_is_not_posted_again(setting: Setting, repo: RepositoryClient) -> None:
    """GitHub has been seen to keep the text of a review, or some of its comments, and to answer 422."""
    post(setting, repo)
    post(setting, repo, on(30), body="")
    setting.fake.fault("POST", "/reviews$", status=422, body='{"message": "Unprocessable Entity"}')
    result = post(setting, repo, on(10), on(30))
    assert (posted(setting), reviews(setting)) == (expected(on(30), on(10)), ["Two things"])
    assert result == PostResult(review_ids(setting)[0])


def test_a_second_review_with_the_same_text_is_posted(setting: Setting, repo: RepositoryClient) -> None:
    post(setting, repo, on(10))
    setting.fake.fault("POST", "/reviews$", status=502)
    post(setting, repo, on(30))
    assert (posted(setting), reviews(setting)) == (expected(on(10), on(30)), ["Two things"] * 2)


def test_comments_of_the_app(setting: Setting, repo: RepositoryClient) -> None:
    post(setting, repo, on(10), on(None), on(30))
    pull = setting.fake.pull(SHOP, setting.number)
    pull.comments[0].author = "mallory"
    found = comments.find_app_comments(repo, setting.number, lambda body: "gracegate:v1" in body)
    assert found == [
        PostedComment(pull.comments[1].id, "web.yaml", 30, on(30).body),
        PostedComment(pull.comments[2].id, "web.yaml", None, on(None).body),
    ]
    assert comments.find_app_comments(repo, setting.number, lambda body: False) == []
    repo.app_slug = lambda: "another"
    assert comments.find_app_comments(repo, setting.number) == []


def test_more_comments_than_a_page(setting: Setting, repo: RepositoryClient) -> None:
    post(setting, repo, *[on(10, text=str(number)) for number in range(101)])
    assert len(comments.find_app_comments(repo, setting.number)) == 101


def test_an_outdated_comment_has_no_line(setting: Setting, repo: RepositoryClient) -> None:
    post(setting, repo, on(10))
    setting.fake.push(SHOP, "change", {"web.yaml": "other\n"})
    assert [one.line for one in comments.find_app_comments(repo, setting.number)] == [None]


def test_a_comment_is_edited(setting: Setting, repo: RepositoryClient) -> None:
    post(setting, repo, on(10))
    [one] = comments.find_app_comments(repo, setting.number)
    setting.fake.fault("PATCH", "/pulls/comments/", status=502, when="after")
    assert comments.edit(repo, one.id, "fixed") is True
    assert [text for *_, text in posted(setting)] == ["fixed"]
    assert len(setting.requests("GET", f"/comments/{one.id}")) == 0
    setting.fake.pull(SHOP, setting.number).comments.clear()
    assert comments.edit(repo, one.id, "fixed again") is False


def test_a_comment_that_is_too_long_keeps_its_marker(setting: Setting, repo: RepositoryClient) -> None:
    marker = MARK.format("f1")
    post(setting, repo, Comment("web.yaml", 10, None, "- ünlücke\n" * 9000 + marker), body="- b\n" * 20_000)
    [(*_, body)] = posted(setting)
    assert len(body.encode()) <= 60_000
    assert body.endswith(f"{comments._CUT_NOTE}\n{marker}")
    assert len(reviews(setting)[0].encode()) <= 60_000
