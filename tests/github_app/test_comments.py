"""Review comments: on the right lines, posted once, and not lost with one that GitHub refuses."""

from __future__ import annotations

import pytest

from gracegate.errors import Gone
from gracegate.github_app import RepositoryClient, comments
from gracegate.github_app.comments import PostResult
from gracegate.model import Comment, PostedComment
from tests.github_app.conftest import SHOP, Scenario

MARK = "<!-- gracegate:v1 {} -->"


def comment_on(line: int | None, *, start: int | None = None, path: str = "web.yaml", text: str = "") -> Comment:
    return Comment(path, line, start, f"A finding\n\n{MARK.format(text or f'{path}:{start}:{line}')}")


def posted_comments(scenario: Scenario) -> list[tuple[str, int | None, int | None, str]]:
    found = []
    for one in scenario.fake.pull(SHOP, scenario.number).comments:
        anchor = one.anchor
        found.append((anchor.path, anchor.start_line, anchor.line, one.body))
    return found


def reviews(scenario: Scenario) -> list[str]:
    return [one.body for one in scenario.fake.pull(SHOP, scenario.number).reviews if one.body]


def expected(*found: Comment) -> list[tuple[str, int | None, int | None, str]]:
    return [(one.path, one.start_line, one.line, one.body) for one in found]


def post(scenario: Scenario, repo: RepositoryClient, *found: Comment, body: str = "Two things") -> PostResult:
    return comments.post_review(repo, scenario.number, scenario.head, body, found)


def test_an_empty_review_is_not_posted(scenario: Scenario, repo: RepositoryClient) -> None:
    assert post(scenario, repo, body="") == PostResult()
    assert scenario.requests("POST", "/pulls/") == []


def test_a_review_with_its_comments(scenario: Scenario, repo: RepositoryClient) -> None:
    sent = (comment_on(10), comment_on(30, start=28), comment_on(2, path="new.yaml"))
    result = post(scenario, repo, *sent)
    assert (posted_comments(scenario), reviews(scenario)) == (expected(*sent), ["Two things"])
    assert result == PostResult(scenario.fake.pull(SHOP, scenario.number).reviews[0].id)
    assert scenario.requests("POST", "/pulls/") == [(f"/pulls/{scenario.number}/reviews", 200)]
    assert scenario.fake.pull(SHOP, scenario.number).reviews[0].state == "COMMENTED"


def test_a_range_of_one_line_is_sent_as_a_line(scenario: Scenario, repo: RepositoryClient) -> None:
    result = post(scenario, repo, comment_on(10, start=10))
    assert (posted_comments(scenario)[0][1:3], result.refused) == ((None, 10), ())


def test_a_comment_on_a_whole_file(scenario: Scenario, repo: RepositoryClient) -> None:
    absent = comment_on(None, path="absent.yaml")
    assert post(scenario, repo, comment_on(10), comment_on(None), absent) == PostResult(
        review_ids(scenario)[0], refused=(absent,)
    )
    assert [line for _, _, line, _ in posted_comments(scenario)] == [10, None]


def review_ids(scenario: Scenario) -> list[int]:
    return [one.id for one in scenario.fake.pull(SHOP, scenario.number).reviews]


def test_a_comment_on_a_wrong_line_moves_to_its_file(scenario: Scenario, repo: RepositoryClient) -> None:
    right, outside, other, absent = comment_on(10), comment_on(20), comment_on(30), comment_on(1, path="absent.yaml")
    result = post(scenario, repo, right, outside, other, absent)
    assert (result.moved, result.refused) == ((outside,), (absent,))
    assert sorted(posted_comments(scenario), key=str) == sorted(
        [*expected(right, other), (outside.path, None, None, outside.body)], key=str
    )
    assert reviews(scenario) == ["Two things"]


FAULTS = [
    pytest.param({"status": 502, "when": "before"}, id="502 before the effect"),
    pytest.param({"status": 502, "when": "after"}, id="502 after the effect"),
    pytest.param({"status": 429}, id="429 without Retry-After"),
    pytest.param({"status": 422, "body": '{"message": "x", "errors": [{"code": "abuse"}]}'}, id="422 for abuse"),
    pytest.param({"status": 401}, id="an expired token"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_one_review_is_posted(fault: dict[str, object], scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.fault("POST", "/reviews$", **fault)
    sent = (comment_on(10), comment_on(30))
    result = post(scenario, repo, *sent)
    assert (posted_comments(scenario), reviews(scenario), result.refused) == (expected(*sent), ["Two things"], ())
    assert result.review == review_ids(scenario)[0]


def test_a_review_whose_answer_does_not_come(scenario: Scenario) -> None:
    scenario.fake.fault("POST", "/reviews$", drop=True, when="after")
    with scenario.repository_with_short_timeout() as client:
        result = post(scenario, client, comment_on(10))
    assert (posted_comments(scenario), reviews(scenario)) == (expected(comment_on(10)), ["Two things"])
    assert result == PostResult(review_ids(scenario)[0])


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_one_single_comment_is_posted(
    fault: dict[str, object], scenario: Scenario, repo: RepositoryClient
) -> None:
    scenario.fake.fault("POST", "/comments$", **fault)
    assert post(scenario, repo, comment_on(10), comment_on(20)).moved == (comment_on(20),)
    assert [line for _, _, line, _ in posted_comments(scenario)] == [10, None]


def test_a_refused_review_that_was_kept_in_part_is_not_posted_again(scenario: Scenario, repo: RepositoryClient) -> None:
    """GitHub may keep the text of a review, or some of its comments, and answer 422."""
    post(scenario, repo)
    post(scenario, repo, comment_on(30), body="")
    scenario.fake.fault("POST", "/reviews$", status=422, body='{"message": "Unprocessable Entity"}')
    result = post(scenario, repo, comment_on(10), comment_on(30))
    assert (posted_comments(scenario), reviews(scenario)) == (expected(comment_on(30), comment_on(10)), ["Two things"])
    assert result == PostResult(review_ids(scenario)[0])


def test_comments_are_posted_without_a_review_that_github_refuses_for_ever(
    scenario: Scenario, repo: RepositoryClient
) -> None:
    scenario.fake.fault("POST", "/reviews$", status=422, body='{"message": "Unprocessable Entity"}', times=9)
    result = post(scenario, repo, comment_on(10), comment_on(30))
    assert (posted_comments(scenario), result) == (expected(comment_on(10), comment_on(30)), PostResult())


def test_a_locked_conversation_is_asked_once(scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.lock_pull_request(SHOP, scenario.number)
    with pytest.raises(Gone, match="locked"):
        post(scenario, repo, comment_on(10), comment_on(30))
    assert [status for _, status in scenario.requests("POST", "/comments")] == [403]


def test_a_second_review_with_the_same_text_is_posted(scenario: Scenario, repo: RepositoryClient) -> None:
    post(scenario, repo, comment_on(10))
    scenario.fake.fault("POST", "/reviews$", status=502)
    post(scenario, repo, comment_on(30))
    assert (posted_comments(scenario), reviews(scenario)) == (
        expected(comment_on(10), comment_on(30)),
        ["Two things"] * 2,
    )


def test_comments_of_the_app(scenario: Scenario, repo: RepositoryClient) -> None:
    post(scenario, repo, comment_on(10), comment_on(None), comment_on(30))
    pull = scenario.fake.pull(SHOP, scenario.number)
    pull.comments[0].author = "mallory"
    found = comments.find_app_comments(repo, scenario.number, lambda body: "gracegate:v1" in body)
    assert found == [
        PostedComment(pull.comments[1].id, "web.yaml", 30, comment_on(30).body),
        PostedComment(pull.comments[2].id, "web.yaml", None, comment_on(None).body),
    ]
    assert comments.find_app_comments(repo, scenario.number, lambda body: False) == []
    repo.app_slug = lambda: "another"
    assert comments.find_app_comments(repo, scenario.number) == []


def test_more_comments_than_a_page(scenario: Scenario, repo: RepositoryClient) -> None:
    post(scenario, repo, *[comment_on(10, text=str(number)) for number in range(101)])
    assert len(comments.find_app_comments(repo, scenario.number)) == 101


def test_an_outdated_comment_has_no_line(scenario: Scenario, repo: RepositoryClient) -> None:
    post(scenario, repo, comment_on(10))
    scenario.fake.push(SHOP, "change", {"web.yaml": "other\n"})
    assert [one.line for one in comments.find_app_comments(repo, scenario.number)] == [None]


def test_a_comment_is_edited(scenario: Scenario, repo: RepositoryClient) -> None:
    post(scenario, repo, comment_on(10))
    [one] = comments.find_app_comments(repo, scenario.number)
    scenario.fake.fault("PATCH", "/pulls/comments/", status=502, when="after")
    assert comments.edit(repo, one.id, "fixed") is True
    assert [text for *_, text in posted_comments(scenario)] == ["fixed"]
    assert len(scenario.requests("GET", f"/comments/{one.id}")) == 0
    scenario.fake.pull(SHOP, scenario.number).comments.clear()
    assert comments.edit(repo, one.id, "fixed again") is False


def test_a_comment_that_is_too_long_keeps_its_marker(scenario: Scenario, repo: RepositoryClient) -> None:
    marker = MARK.format("f1")
    post(scenario, repo, Comment("web.yaml", 10, None, "- ünlücke\n" * 9000 + marker), body="- b\n" * 20_000)
    [(*_, body)] = posted_comments(scenario)
    assert len(body.encode()) <= 60_000
    assert body.endswith(f"{comments._CUT_NOTE}\n{marker}")
    assert len(reviews(scenario)[0].encode()) <= 60_000
