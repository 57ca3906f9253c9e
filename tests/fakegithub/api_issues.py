"""Comments in the conversation of a pull request."""

from __future__ import annotations

from flask import Blueprint, jsonify, request

from tests.fakegithub import shapes_pulls
from tests.fakegithub.errors import locked, not_found, not_permitted
from tests.fakegithub.shapes import Json
from tests.fakegithub.state import IssueComment, PullRequest, Repository
from tests.fakegithub.web import Answer, add_reaction, base_url, body, events, login, needs, page, pull_of, world

api = Blueprint("issues", __name__)
PERMISSION = "issues|pull_requests"


def _shape(pull: PullRequest, one: IssueComment) -> Json:
    return shapes_pulls.issue_comment(base_url(), world(), pull, one)


@api.get("/repos/<owner>/<repo>/issues/<int:number>/comments")
@needs(PERMISSION)
def list_comments(repository: Repository, number: int) -> Answer:
    pull, since = pull_of(repository, number), request.args.get("since", "")
    found = [one for one in pull.issue_comments if one.updated_at >= since]
    return page(found, lambda one: _shape(pull, one))


@api.post("/repos/<owner>/<repo>/issues/<int:number>/comments")
@needs(PERMISSION, "write")
def create(repository: Repository, number: int) -> Answer:
    pull, now = pull_of(repository, number), world().clock.iso()
    if pull.locked:
        raise locked()
    comment = IssueComment(world().new_id(), login(), body()["body"], now, now)
    pull.issue_comments.append(comment)
    events().issue_comment(pull, comment)
    return jsonify(_shape(pull, comment)), 201


def _comment(repository: Repository, number: int) -> tuple[PullRequest, IssueComment]:
    for pull in repository.pulls.values():
        for one in pull.issue_comments:
            if one.id == number:
                return pull, one
    raise not_found()


@api.get("/repos/<owner>/<repo>/issues/comments/<int:comment_id>")
@needs(PERMISSION)
def get_comment(repository: Repository, comment_id: int) -> Answer:
    return jsonify(_shape(*_comment(repository, comment_id)))


@api.patch("/repos/<owner>/<repo>/issues/comments/<int:comment_id>")
@needs(PERMISSION, "write")
def edit(repository: Repository, comment_id: int) -> Answer:
    pull, comment = _comment(repository, comment_id)
    if comment.author != login():
        raise not_permitted()
    comment.body, comment.updated_at = body()["body"], world().clock.iso()
    return jsonify(_shape(pull, comment))


@api.delete("/repos/<owner>/<repo>/issues/comments/<int:comment_id>")
@needs(PERMISSION, "write")
def delete(repository: Repository, comment_id: int) -> Answer:
    pull, comment = _comment(repository, comment_id)
    pull.issue_comments.remove(comment)
    return "", 204


@api.post("/repos/<owner>/<repo>/issues/comments/<int:comment_id>/reactions")
@needs(PERMISSION, "write")
def react(repository: Repository, comment_id: int) -> Answer:
    pull, comment = _comment(repository, comment_id)
    if pull.locked:
        raise not_permitted()
    return add_reaction(comment.reactions)


@api.get("/repos/<owner>/<repo>/issues/comments/<int:comment_id>/reactions")
@needs(PERMISSION)
def list_reactions(repository: Repository, comment_id: int) -> Answer:
    return page(_comment(repository, comment_id)[1].reactions, lambda one: shapes_pulls.reaction(base_url(), one))
