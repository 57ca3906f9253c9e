"""State -> GitHub's JSON: check runs, check suites, annotations, commit statuses."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.fakegithub.shapes import Json, app, minimal_repository, node_id, simple_commit, user
from tests.fakegithub.state import CheckRun, CheckSuite, PullRequest, Repository, Status
from tests.fakegithub.world import World

ANNOTATION_KEYS = (
    "path",
    "start_line",
    "end_line",
    "start_column",
    "end_column",
    "annotation_level",
    "message",
    "title",
    "raw_details",
)


def pull_stub(base: str, pull: PullRequest) -> Json:
    """The short form of a pull request in check runs and suites."""

    def end(repository: Repository, ref: str, sha: str) -> Json:
        url = f"{base}/repos/{repository.full_name}"
        return {"ref": ref, "sha": sha, "repo": {"id": repository.id, "url": url, "name": repository.name}}

    return {
        "url": f"{base}/repos/{pull.base.full_name}/pulls/{pull.number}",
        "id": pull.id,
        "number": pull.number,
        "head": end(pull.head, pull.head_ref, pull.head_sha),
        "base": end(pull.base, pull.base_ref, pull.base_sha),
    }


def check_run(base: str, world: World, one: CheckRun) -> Json:
    url = f"{base}/repos/{one.repository.full_name}/check-runs/{one.id}"
    html = f"{base}/{one.repository.full_name}/runs/{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("CR", one.id),
        "head_sha": one.head_sha,
        "external_id": one.external_id,
        "url": url,
        "html_url": html,
        "details_url": one.details_url or "https://gracegate.example",
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": one.started_at,
        "completed_at": one.completed_at,
        "name": one.name,
        "output": {
            "title": one.title,
            "summary": one.summary,
            "text": one.text,
            "annotations_count": len(one.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": one.suite_id},
        "app": app(base, world.app),
        "pull_requests": [pull_stub(base, pull) for pull in world.pulls_at(one.repository, one.head_sha)],
    }


def annotation(base: str, run: CheckRun, one: dict[str, Any]) -> Json:
    href = f"{base}/{run.repository.full_name}/blob/{run.head_sha}/{quote(one['path'])}"
    return {"blob_href": href, **{key: one.get(key) for key in ANNOTATION_KEYS}}


def check_suite(base: str, world: World, one: CheckSuite) -> Json:
    runs = world.runs(one.repository, one.head_sha, latest=True)
    done = bool(runs) and all(run.status == "completed" for run in runs)
    pulls = world.pulls_at(one.repository, one.head_sha)
    url = f"{base}/repos/{one.repository.full_name}/check-suites/{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("CS", one.id),
        "head_branch": pulls[0].head_ref if pulls else None,
        "head_sha": one.head_sha,
        "status": "completed" if done else "in_progress" if runs else "queued",
        "conclusion": runs[0].conclusion if done else None,
        "url": url,
        "before": None,
        "after": one.head_sha,
        "pull_requests": [pull_stub(base, pull) for pull in pulls],
        "app": app(base, world.app),
        "repository": minimal_repository(base, one.repository),
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "head_commit": simple_commit(one.repository.git.commit_info(one.head_sha)),
        "latest_check_runs_count": len(runs),
        "check_runs_url": f"{url}/check-runs",
        "rerequestable": True,
        "runs_rerequestable": True,
    }


def status(base: str, one: Status) -> Json:
    creator = user(base, one.creator)
    return {
        "url": f"{base}/repos/{one.repository.full_name}/statuses/{one.sha}",
        "avatar_url": creator["avatar_url"],
        "id": one.id,
        "node_id": node_id("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": one.created_at,
        "updated_at": one.created_at,
        "creator": creator,
    }
