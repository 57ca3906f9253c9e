"""Check runs, check suites and commit statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request

from tests.fakegithub import merge_queue, shapes, shapes_checks
from tests.fakegithub.errors import ApiError, not_found
from tests.fakegithub.state import CheckRun, CheckSuite, Repository, Status
from tests.fakegithub.web import Answer, base_url, body, commit_of, events, login, needs, page, world

api = Blueprint("checks", __name__)
PLAIN = ("name", "external_id", "details_url", "started_at", "completed_at", "actions")


def _shape(run: CheckRun) -> shapes.Json:
    return shapes_checks.check_run(base_url(), world(), run)


def _run(repository: Repository, number: int) -> CheckRun:
    found = world().check_runs.get(number)
    if found is None or found.repository is not repository:
        raise not_found()
    return found


@api.post("/repos/<owner>/<repo>/check-runs")
@needs("checks", "write")
def create(repository: Repository) -> Answer:
    sent = body()
    sha = repository.git.resolve(sent["head_sha"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {sent['head_sha']}")
    suite = world().suite(repository, sha)
    run = CheckRun(world().new_id(), repository, suite.id, sent["name"], sha)
    _apply(run, sent)
    world().check_runs[run.id] = run
    events().check_run(run, "created")
    return jsonify(_shape(run)), 201


@api.patch("/repos/<owner>/<repo>/check-runs/<int:check_run_id>")
@needs("checks", "write")
def update(repository: Repository, check_run_id: int) -> Answer:
    run = _run(repository, check_run_id)
    was = run.status
    _apply(run, body())
    if (was, run.status) == ("in_progress", "completed"):
        events().check_run(run, "completed")
        merge_queue.advance(world(), events(), repository)
    return jsonify(_shape(run))


def _apply(run: CheckRun, sent: Mapping[str, Any]) -> None:
    """Takes over what was sent. A conclusion completes the run; annotations are added to those that are there."""
    _check(run, sent)
    for key in PLAIN:
        if key in sent:
            setattr(run, key, sent[key])
    now = world().clock.iso()
    run.started_at = run.started_at or now
    run.conclusion = sent.get("conclusion", run.conclusion)
    run.status = "completed" if sent.get("conclusion") else sent.get("status", run.status)
    if run.status == "completed":
        run.completed_at = sent.get("completed_at") or run.completed_at or now
    else:
        run.conclusion = run.completed_at = None
    output = sent.get("output", {})
    for key in ("title", "summary", "text"):
        if key in output:
            setattr(run, key, output[key])
    run.annotations.extend(dict(one) for one in output.get("annotations", ()))


def _check(run: CheckRun, sent: Mapping[str, Any]) -> None:
    """What GitHub refuses and its OpenAPI description does not say."""
    completes = sent.get("status") == "completed" or "completed_at" in sent
    if completes and "conclusion" not in sent and run.conclusion is None:
        raise ApiError(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.')
    if sent.get("conclusion") == "stale":
        raise ApiError(422, 'Invalid request.\n\n"stale" is not a valid conclusion.')
    for one in sent.get("output", {}).get("annotations", ()):
        columns = "start_column" in one or "end_column" in one
        if one["end_line"] < one["start_line"] or (columns and one["start_line"] != one["end_line"]):
            raise ApiError(
                422, "Validation Failed", [{"resource": "CheckRun", "code": "invalid", "field": "annotations"}]
            )


@api.get("/repos/<owner>/<repo>/check-runs/<int:check_run_id>")
@needs("checks")
def get_run(repository: Repository, check_run_id: int) -> Answer:
    return jsonify(_shape(_run(repository, check_run_id)))


@api.get("/repos/<owner>/<repo>/check-runs/<int:check_run_id>/annotations")
@needs("checks")
def list_annotations(repository: Repository, check_run_id: int) -> Answer:
    run = _run(repository, check_run_id)
    return page(run.annotations, lambda one: shapes_checks.annotation(base_url(), run, one))


@api.post("/repos/<owner>/<repo>/check-runs/<int:check_run_id>/rerequest")
@needs("checks", "write")
def rerequest_run(repository: Repository, check_run_id: int) -> Answer:
    events().check_run(_run(repository, check_run_id), "rerequested")
    return jsonify({}), 201


def _selected(runs: list[CheckRun]) -> list[CheckRun]:
    """Those that the query asks for by name, status and app."""
    wanted = request.args
    if wanted.get("app_id", world().app.id, type=int) != world().app.id:
        return []
    return [
        run
        for run in runs
        if wanted.get("check_name") in {None, run.name} and wanted.get("status") in {None, run.status}
    ]


def _latest() -> bool:
    return request.args.get("filter", "latest") == "latest"


@api.get("/repos/<owner>/<repo>/commits/<path:ref>/check-runs")
@needs("checks")
def runs_of_commit(repository: Repository, ref: str) -> Answer:
    found = world().runs(repository, commit_of(repository, ref), latest=_latest())
    return page(_selected(found), _shape, "check_runs")


@api.get("/repos/<owner>/<repo>/commits/<path:ref>/check-suites")
@needs("checks")
def suites_of_commit(repository: Repository, ref: str) -> Answer:
    sha = commit_of(repository, ref)
    found = [one for one in world().check_suites.values() if (one.repository, one.head_sha) == (repository, sha)]
    return page(found, lambda one: shapes_checks.check_suite(base_url(), world(), one), "check_suites")


def _suite(repository: Repository, number: int) -> CheckSuite:
    found = world().check_suites.get(number)
    if found is None or found.repository is not repository:
        raise not_found()
    return found


@api.get("/repos/<owner>/<repo>/check-suites/<int:suite_id>")
@needs("checks")
def get_suite(repository: Repository, suite_id: int) -> Answer:
    return jsonify(shapes_checks.check_suite(base_url(), world(), _suite(repository, suite_id)))


@api.get("/repos/<owner>/<repo>/check-suites/<int:suite_id>/check-runs")
@needs("checks")
def runs_of_suite(repository: Repository, suite_id: int) -> Answer:
    suite = _suite(repository, suite_id)
    return page(_selected(world().runs(repository, suite.head_sha, latest=_latest())), _shape, "check_runs")


@api.post("/repos/<owner>/<repo>/check-suites/<int:suite_id>/rerequest")
@needs("checks", "write")
def rerequest_suite(repository: Repository, suite_id: int) -> Answer:
    events().check_suite(_suite(repository, suite_id), "rerequested")
    return jsonify({}), 201


# Commit statuses


@api.post("/repos/<owner>/<repo>/statuses/<sha>")
@needs("statuses", "write")
def create_status(repository: Repository, sha: str) -> Answer:
    sent, found = body(), commit_of(repository, sha)
    details = (sent.get("context") or "default", sent.get("description"), sent.get("target_url"))
    one = Status(world().new_id(), repository, found, sent["state"], *details, login(), world().clock.iso())
    world().statuses.append(one)
    return jsonify(shapes_checks.status(base_url(), one)), 201


def _statuses(repository: Repository, ref: str) -> list[Status]:
    sha = commit_of(repository, ref)
    return [one for one in reversed(world().statuses) if (one.repository, one.sha) == (repository, sha)]


@api.get("/repos/<owner>/<repo>/commits/<path:ref>/statuses")
@needs("statuses")
def list_statuses(repository: Repository, ref: str) -> Answer:
    return page(_statuses(repository, ref), lambda one: shapes_checks.status(base_url(), one))


@api.get("/repos/<owner>/<repo>/commits/<path:ref>/status")
@needs("statuses")
def combined_status(repository: Repository, ref: str) -> Answer:
    newest: dict[str, Status] = {}
    for one in _statuses(repository, ref):
        newest.setdefault(one.context, one)
    states = {one.state for one in newest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    sha, url = commit_of(repository, ref), f"{base_url()}/repos/{repository.full_name}"
    return jsonify(
        {
            "state": state,
            "statuses": [shapes_checks.status(base_url(), one) for one in newest.values()],
            "sha": sha,
            "total_count": len(newest),
            "repository": shapes.minimal_repository(base_url(), repository),
            "commit_url": f"{url}/commits/{sha}",
            "url": f"{url}/commits/{sha}/status",
        }
    )
