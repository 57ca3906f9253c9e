"""Reviews and review comments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request

from tests.fakegithub import anchors, shapes_pulls
from tests.fakegithub.anchors import Placed, Unplaceable
from tests.fakegithub.errors import ApiError, invalid, locked, not_found, not_permitted, unprocessable
from tests.fakegithub.shapes import Json
from tests.fakegithub.state import PullRequest, Repository, Review, ReviewComment
from tests.fakegithub.web import Answer, add_reaction, base_url, body, events, login, needs, page, pull_of, world

api = Blueprint("reviews", __name__)
STATES = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", None: "PENDING"}
BODY_CHARACTERS = 65_536


def _commit(pull: PullRequest, sent: Mapping[str, Any]) -> str:
    """The commit a review or comment is about; it must belong to the pull request."""
    sha = pull.base.git.resolve(sent.get("commit_id") or pull.head_sha)
    if sha is None or (sha != pull.head_sha and sha not in pull.base.git.commits(pull.merge_base, pull.head_sha)):
        text = "end_commit_oid is not part of the pull request"
        raise invalid("PullRequestReviewComment", "pull_request_review_thread.end_commit_oid", "custom", text)
    return sha


def _limited(text: str) -> str:
    if len(text) > BODY_CHARACTERS:
        raise ApiError(
            422, "Validation Failed", [{"message": f"body is too long (maximum is {BODY_CHARACTERS} characters)"}]
        )
    return text


@api.post("/repos/<owner>/<repo>/pulls/<int:number>/reviews")
@needs("pull_requests", "write")
def create_review(repository: Repository, number: int) -> Answer:
    """All or nothing: one comment that cannot be placed, and nothing is stored."""
    pull, sent = pull_of(repository, number), body()
    if pull.locked:
        raise unprocessable("lock prevents review")
    event, text = sent.get("event"), _limited(sent.get("body") or "")
    if event in {"COMMENT", "REQUEST_CHANGES"} and not text.strip():
        raise unprocessable("Pull request review body can't be blank")
    sha = _commit(pull, sent)
    comments = sent.get("comments") or []
    placed = [_placed(pull, one) for one in comments]
    review = _add_review(pull, text, STATES[event], sha)
    for one, where in zip(comments, placed, strict=True):
        _add_comment(pull, _limited(one["body"]), where, sha, review.id)
    return jsonify(shapes_pulls.review(base_url(), pull, review))


def _placed(pull: PullRequest, sent: Mapping[str, Any]) -> Placed:
    if "subject_type" in sent:
        raise ApiError(422, 'Invalid request.\n\n"subject_type" is not a permitted key.')
    if not sent["body"].strip():
        raise unprocessable("Pull request review comment body can't be blank")
    try:
        return anchors.place(pull, sent)
    except Unplaceable as why:
        raise unprocessable(why.sentence()) from None


def _add_review(pull: PullRequest, text: str, state: str, sha: str) -> Review:
    review = Review(world().new_id(), login(), text, state, sha, world().clock.iso())
    pull.reviews.append(review)
    return review


def _add_comment(
    pull: PullRequest, text: str, where: Placed, sha: str, review_id: int, reply_to: int | None = None
) -> ReviewComment:
    now, (anchor, hunk, position) = world().clock.iso(), (where.anchor, where.diff_hunk, where.position)
    comment = ReviewComment(
        world().new_id(), login(), text, anchor, sha, hunk, position, review_id, now, now, in_reply_to=reply_to
    )
    pull.comments.append(comment)
    events().review_comment(pull, comment)
    return comment


def _review(pull: PullRequest, number: int) -> Review:
    found = next((one for one in pull.reviews if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/reviews")
@needs("pull_requests")
def list_reviews(repository: Repository, number: int) -> Answer:
    pull = pull_of(repository, number)
    return page(pull.reviews, lambda one: shapes_pulls.review(base_url(), pull, one))


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/reviews/<int:review_id>")
@needs("pull_requests")
def get_review(repository: Repository, number: int, review_id: int) -> Answer:
    pull = pull_of(repository, number)
    return jsonify(shapes_pulls.review(base_url(), pull, _review(pull, review_id)))


@api.put("/repos/<owner>/<repo>/pulls/<int:number>/reviews/<int:review_id>")
@needs("pull_requests", "write")
def update_review(repository: Repository, number: int, review_id: int) -> Answer:
    pull = pull_of(repository, number)
    review = _review(pull, review_id)
    review.body = _limited(body()["body"])
    return jsonify(shapes_pulls.review(base_url(), pull, review))


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/reviews/<int:review_id>/comments")
@needs("pull_requests")
def comments_of_review(repository: Repository, number: int, review_id: int) -> Answer:
    pull = pull_of(repository, number)
    found = [one for one in pull.comments if one.review_id == _review(pull, review_id).id]
    return page(found, lambda one: shapes_pulls.legacy_comment(base_url(), pull, one))


# Single comments


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/comments")
@needs("pull_requests")
def list_comments(repository: Repository, number: int) -> Answer:
    pull = pull_of(repository, number)
    key = (lambda one: (one.updated_at, one.id)) if request.args.get("sort") == "updated" else (lambda one: one.id)
    listed = [one for one in pull.comments if one.updated_at >= request.args.get("since", "")]
    found = sorted(listed, key=key, reverse=request.args.get("direction") == "desc")
    return page(found, lambda one: shapes_pulls.review_comment(base_url(), pull, one))


@api.post("/repos/<owner>/<repo>/pulls/<int:number>/comments")
@needs("pull_requests", "write")
def create_comment(repository: Repository, number: int) -> Answer:
    pull, sent = pull_of(repository, number), body()
    if pull.locked:
        raise locked()
    if "in_reply_to" in sent:
        return _reply(pull, sent["in_reply_to"], sent["body"])
    sha = _commit(pull, sent)
    try:
        where = anchors.place(pull, sent)
    except Unplaceable as why:
        raise ApiError(422, "Validation Failed", [_detail(*reason) for reason in why.reasons]) from None
    review = _add_review(pull, "", "COMMENTED", sha)
    comment = _add_comment(pull, _limited(sent["body"]), where, sha, review.id)
    return jsonify(shapes_pulls.review_comment(base_url(), pull, comment)), 201


def _detail(field: str, text: str) -> Json:
    name = f"pull_request_review_thread.{field}"
    if field == "diff_hunk":
        return {"resource": "PullRequestReviewComment", "code": "missing_field", "field": name}
    message = name + text.removeprefix(field.replace("_", " "))
    return {"resource": "PullRequestReviewComment", "code": "custom", "field": name, "message": message}


@api.post("/repos/<owner>/<repo>/pulls/<int:number>/comments/<int:comment_id>/replies")
@needs("pull_requests", "write")
def reply(repository: Repository, number: int, comment_id: int) -> Answer:
    pull = pull_of(repository, number)
    if pull.locked:
        raise locked()
    return _reply(pull, comment_id, body()["body"])


def _reply(pull: PullRequest, to: int, text: str) -> Answer:
    first = next((one for one in pull.comments if one.id == to and one.in_reply_to is None), None)
    if first is None:
        raise not_found()
    review = _add_review(pull, "", "COMMENTED", pull.head_sha)
    where = Placed(first.anchor, first.diff_hunk, first.position)
    comment = _add_comment(pull, _limited(text), where, first.commit_id, review.id, first.id)
    return jsonify(shapes_pulls.review_comment(base_url(), pull, comment)), 201


def _comment(repository: Repository, number: int) -> tuple[PullRequest, ReviewComment]:
    for pull in repository.pulls.values():
        for one in pull.comments:
            if one.id == number:
                return pull, one
    raise not_found()


@api.get("/repos/<owner>/<repo>/pulls/comments/<int:comment_id>")
@needs("pull_requests")
def get_comment(repository: Repository, comment_id: int) -> Answer:
    return jsonify(shapes_pulls.review_comment(base_url(), *_comment(repository, comment_id)))


@api.patch("/repos/<owner>/<repo>/pulls/comments/<int:comment_id>")
@needs("pull_requests", "write")
def edit_comment(repository: Repository, comment_id: int) -> Answer:
    """An App may edit its own comments alone."""
    pull, comment = _comment(repository, comment_id)
    if comment.author != login():
        raise not_permitted()
    comment.body, comment.updated_at = _limited(body()["body"]), world().clock.iso()
    return jsonify(shapes_pulls.review_comment(base_url(), pull, comment))


@api.delete("/repos/<owner>/<repo>/pulls/comments/<int:comment_id>")
@needs("pull_requests", "write")
def delete_comment(repository: Repository, comment_id: int) -> Answer:
    pull, comment = _comment(repository, comment_id)
    pull.comments.remove(comment)
    return "", 204


@api.post("/repos/<owner>/<repo>/pulls/comments/<int:comment_id>/reactions")
@needs("pull_requests", "write")
def react(repository: Repository, comment_id: int) -> Answer:
    pull, comment = _comment(repository, comment_id)
    if pull.locked:
        raise not_permitted()
    return add_reaction(comment.reactions)


@api.get("/repos/<owner>/<repo>/pulls/comments/<int:comment_id>/reactions")
@needs("pull_requests")
def list_reactions(repository: Repository, comment_id: int) -> Answer:
    return page(_comment(repository, comment_id)[1].reactions, lambda one: shapes_pulls.reaction(base_url(), one))
