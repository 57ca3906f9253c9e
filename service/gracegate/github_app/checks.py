"""Check runs of our App: find, start and conclude them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from github.CheckRun import CheckRun as GitHubRun
from github.GithubObject import NotSet
from github.Repository import Repository

from gracegate.errors import Refused
from gracegate.github_app.answers import expect
from gracegate.github_app.client import RepositoryClient
from gracegate.github_app.truncation import clip, clip_line
from gracegate.model import GITHUB_ANNOTATION_BYTES, GITHUB_SUMMARY_BYTES, GITHUB_TITLE_BYTES

_BATCH = 50
_CUT_NOTE = "_The list is longer than GitHub shows here; `gracegate check` prints all of it._"
_REPLACED = {
    "title": "Replaced by a newer check",
    "summary": "This commit has a newer check. GitHub counts only the newest one.",
}
_LIMITS = {
    "title": GITHUB_TITLE_BYTES,
    "message": GITHUB_ANNOTATION_BYTES,
    "raw_details": GITHUB_ANNOTATION_BYTES,
}


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of our App; `annotations` is their number."""

    id: int
    name: str
    head_sha: str
    external_id: str
    status: str
    conclusion: str | None
    annotations: int
    title: str = ""
    summary: str = ""


class Output(Protocol):
    """What a check run shows; `annotations` and `actions`, its buttons, have the keys of GitHub's API."""

    @property
    def conclusion(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def annotations(self) -> Sequence[Mapping[str, object]]: ...
    @property
    def actions(self) -> Sequence[Mapping[str, str]]: ...


def find(repo: RepositoryClient, sha: str, name: str, external_id: str) -> CheckRun | None:
    """The newest check run of this name and `external_id` on a commit."""
    app_id = repo.app_id()
    runs = repo.read(lambda repository: _runs(repository, sha, name, app_id))
    return next((run for run in runs if run.external_id == external_id), None)


def start(
    repo: RepositoryClient, head_sha: str, external_id: str, name: str, details_url: str | None = None
) -> CheckRun:
    """Start a run, or return the one with this `external_id` if it is in progress and the newest of the commit.

    Of a name, GitHub counts only the newest run of a commit; what is in progress below that is cancelled. A concluded
    run is not used again, because GitHub would add new annotations to its old ones.
    """

    app_id = repo.app_id()

    def find_in_progress(repository: Repository) -> CheckRun | None:
        newest = next(iter(_runs(repository, head_sha, name, app_id)), None)
        return newest if newest and newest.external_id == external_id and newest.status != "completed" else None

    def create(repository: Repository) -> CheckRun:
        url = details_url or NotSet
        run = _run(repository.create_check_run(name, head_sha, url, external_id, status="in_progress"))
        asked = (name, head_sha, external_id, "in_progress")
        expect((run.name, run.head_sha, run.external_id, run.status) == asked, "the check run that was started")
        return run

    runs = repo.read(lambda repository: _runs(repository, head_sha, name, app_id))
    own = [run for run in runs if run.external_id == external_id and run.status != "completed"]
    started = own[0] if own and own[0] is runs[0] else repo.create(create, find_in_progress, "check")
    for replaced in (run for run in own if run.id != started.id):
        repo.update(partial(_edit, run=replaced, body={"conclusion": "cancelled", "output": _REPLACED}), "check")
    return started


def conclude(repo: RepositoryClient, run: CheckRun, output: Output, details_url: str | None = None) -> int:
    """Conclude a run with its output; returns how many annotations are in the batches that GitHub refused.

    Every request has the conclusion, so that a refused annotation cannot keep the check pending. A run that has some
    annotations already gets the others: their order is the same each time.
    """
    annotations = [_clip_values(annotation) for annotation in output.annotations]
    optional: dict[str, Any] = {"details_url": details_url} if details_url else {}
    optional |= {"actions": [dict(action) for action in output.actions]} if output.actions else {}
    text = _text(output)
    body: dict[str, Any] = {"conclusion": output.conclusion, "output": text, **optional}
    now, refused = run, 0
    for start in range(run.annotations, len(annotations), _BATCH):
        batch = annotations[start : start + _BATCH]
        try:
            now = _add(repo, now, {**body, "output": {**text, "annotations": batch}})
        except Refused:
            refused += len(batch)
    if now is run or not _is_concluded(now, output.conclusion):
        repo.update(lambda repository: _edit(repository, run, body), "check")
    return refused


def set_summary(repo: RepositoryClient, run: CheckRun, summary: str) -> None:
    """Replace the summary of a run; all else of it stays."""
    output = {"title": run.title, "summary": clip(summary, GITHUB_SUMMARY_BYTES, _CUT_NOTE)}
    repo.update(lambda repository: repository.get_check_run(run.id).edit(output=output), "check")


def update_text(repo: RepositoryClient, run: CheckRun, output: Output) -> None:
    """Replace the title and the summary of a run; its conclusion and its annotations stay."""
    repo.update(lambda repository: repository.get_check_run(run.id).edit(output=_text(output)), "check")


def _add(repo: RepositoryClient, run: CheckRun, body: Mapping[str, Any]) -> CheckRun:
    """Add a batch of annotations once; returns the run with them."""

    def add(repository: Repository) -> CheckRun:
        edited = _edit(repository, run, body)
        return replace(edited, annotations=run.annotations + len(body["output"]["annotations"]))

    def find_added(repository: Repository) -> CheckRun | None:
        found = _run(repository.get_check_run(run.id))
        return found if found.annotations > run.annotations else None

    return repo.create(add, find_added, "check")


def _text(output: Output) -> dict[str, Any]:
    return {
        "title": clip_line(output.title, GITHUB_TITLE_BYTES),
        "summary": clip(output.summary, GITHUB_SUMMARY_BYTES, _CUT_NOTE),
    }


def _edit(repository: Repository, run: CheckRun, body: Mapping[str, Any]) -> CheckRun:
    """Conclude a run; the answer must say that it is."""
    edited = repository.get_check_run(run.id)
    edited.edit(**body)
    now = _run(edited)
    expect(now.id == run.id and _is_concluded(now, body["conclusion"]), f"the conclusion {body['conclusion']}")
    return now


def _is_concluded(run: CheckRun, conclusion: str) -> bool:
    return (run.status, run.conclusion) == ("completed", conclusion)


def _runs(repository: Repository, sha: str, name: str, app_id: int) -> list[CheckRun]:
    """The App's check runs of this name on a commit, newest first."""
    all_apps = repository.get_commit(sha).get_check_runs(check_name=name, filter="all")
    runs = [_run(run) for run in all_apps if run.app.id == app_id]
    return sorted(runs, key=lambda run: run.id, reverse=True)


def _run(run: GitHubRun) -> CheckRun:
    return CheckRun(
        id=run.id,
        name=run.name,
        head_sha=run.head_sha,
        external_id=run.external_id or "",
        status=run.status,
        conclusion=run.conclusion,
        annotations=run.output.annotations_count or 0,
        title=run.output.title or "",
        summary=run.output.summary or "",
    )


def _clip_values(annotation: Mapping[str, object]) -> dict[str, object]:
    return {
        key: clip_line(value, _LIMITS[key]) if key in _LIMITS and isinstance(value, str) else value
        for key, value in annotation.items()
    }
