"""Pull requests: read, list, files, commits, merge."""

from __future__ import annotations

from flask import Blueprint, jsonify, request

from tests.fakegithub import pulls, shapes
from tests.fakegithub.errors import ApiError
from tests.fakegithub.shapes_pulls import diff_entry, pull_full, pull_simple
from tests.fakegithub.state import PullRequest, Repository
from tests.fakegithub.web import Answer, base_url, body, events, login, needs, page, pull_of, world

api = Blueprint("pulls", __name__)
LISTED_FILES = 3_000
LISTED_COMMITS = 250


@api.get("/repos/<owner>/<repo>/pulls")
@needs("pull_requests")
def list_pulls(repository: Repository) -> Answer:
    """Newest first by default; `head` is `owner:branch`."""
    state = request.args.get("state", "open")
    found = [one for one in repository.pulls.values() if state in {"all", one.state} and _matches(one)]
    key = {"updated": lambda one: (one.updated_at, one.number)}.get(
        request.args.get("sort", ""), lambda one: one.number
    )
    found.sort(key=key, reverse=request.args.get("direction", "desc") == "desc")
    return page(found, lambda one: pull_simple(base_url(), one))


def _matches(pull: PullRequest) -> bool:
    base, head = request.args.get("base"), request.args.get("head")
    return base in {None, pull.base_ref} and head in {None, f"{pull.head.owner}:{pull.head_ref}"}


@api.get("/repos/<owner>/<repo>/pulls/<int:number>")
@needs("pull_requests")
def get_pull(repository: Repository, number: int) -> Answer:
    return jsonify(pull_full(base_url(), world(), pull_of(repository, number)))


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/files")
@needs("pull_requests")
def files(repository: Repository, number: int) -> Answer:
    pull = pull_of(repository, number)
    return page(pull.changes[:LISTED_FILES], lambda change: diff_entry(base_url(), repository, pull.head_sha, change))


@api.get("/repos/<owner>/<repo>/pulls/<int:number>/commits")
@needs("pull_requests")
def commits(repository: Repository, number: int) -> Answer:
    pull, git = pull_of(repository, number), repository.git
    shas = git.commits(pull.merge_base, pull.head_sha)[:LISTED_COMMITS]
    return page(git.commit_infos(shas), lambda info: shapes.commit(base_url(), repository, info))


@api.put("/repos/<owner>/<repo>/pulls/<int:number>/merge")
@needs("contents", "write")
def merge(repository: Repository, number: int) -> Answer:
    pull = pull_of(repository, number)
    if body().get("sha", pull.head_sha) != pull.head_sha:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    sha = pulls.merge(world(), events(), pull, login())
    return jsonify({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})
