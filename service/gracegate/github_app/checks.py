"""Check runs: started once, concluded whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from github.CheckRun import CheckRun as GitHubRun
from github.GithubObject import NotSet
from github.Repository import Repository

from gracegate.errors import Refused
from gracegate.github_app.client import RepositoryClient
from gracegate.github_app.truncation import clip, clip_line
from gracegate.model import GITHUB_ANNOTATION_BYTES, GITHUB_SUMMARY_BYTES, GITHUB_TITLE_BYTES

_BATCH = 50
_CUT = "_The list is longer than GitHub shows here; `gracegate check` prints all of it._"
_LIMITS = {
    "title": GITHUB_TITLE_BYTES,
    "message": GITHUB_ANNOTATION_BYTES,
    "raw_details": GITHUB_ANNOTATION_BYTES,
}


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of ours; `annotations` is how many it has."""

    id: int
    name: str
    head_sha: str
    external_id: str
    status: str
    conclusion: str | None
    annotations: int


class Output(Protocol):
    """What a check says; `annotations` have GitHub's keys."""

    @property
    def conclusion(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def annotations(self) -> Sequence[Mapping[str, object]]: ...


def find(repo: RepositoryClient, sha: str, name: str) -> CheckRun | None:
    """Our newest check run of this name on a commit."""
    return repo.read(lambda repository: next(iter(_runs(repository, sha, name, repo.app_id)), None))


def start(
    repo: RepositoryClient, head_sha: str, external_id: str, name: str, details_url: str | None = None
) -> CheckRun:
    """A run in progress. One with this `external_id` that was never concluded is taken up again.

    A concluded one stays as it is: GitHub adds annotations to those that are there, so a new look gets a new run.
    """

    def unfinished(repository: Repository) -> CheckRun | None:
        runs = _runs(repository, head_sha, name, repo.app_id)
        return next((run for run in runs if run.external_id == external_id and run.status != "completed"), None)

    def create(repository: Repository) -> CheckRun:
        address = details_url or NotSet
        return _run(repository.create_check_run(name, head_sha, address, external_id, status="in_progress"))

    return repo.read(unfinished) or repo.create(create, unfinished)


def conclude(repo: RepositoryClient, run: CheckRun, output: Output, details_url: str | None = None) -> int:
    """Ends a run with its output; how many annotations GitHub refused.

    Every request carries the conclusion, so the check is never pending for want of an annotation. A run that was
    taken up again goes on after the annotations it has: they come in the same order each time.
    """
    annotations = [_cut(annotation) for annotation in output.annotations]
    more = {"details_url": details_url} if details_url else {}
    text = {
        "title": clip_line(output.title, GITHUB_TITLE_BYTES),
        "summary": clip(output.summary, GITHUB_SUMMARY_BYTES, _CUT),
    }
    body: dict[str, Any] = {"conclusion": output.conclusion, "output": text, **more}
    done = run.annotations
    batch = annotations[done : done + _BATCH]
    while batch:
        try:
            done = _add(repo, run, {**body, "output": {**text, "annotations": batch}}, done)
        except Refused:
            break
        batch = annotations[done : done + _BATCH]
    if batch or done == run.annotations:
        repo.update(lambda repository: repository.get_check_run(run.id).edit(**body))
    return max(0, len(annotations) - done)


def _add(repo: RepositoryClient, run: CheckRun, body: Mapping[str, Any], before: int) -> int:
    """Adds a batch of annotations once; how many the run has then."""

    def add(repository: Repository) -> int:
        repository.get_check_run(run.id).edit(**body)
        return before + len(body["output"]["annotations"])

    def added(repository: Repository) -> int | None:
        count = _run(repository.get_check_run(run.id)).annotations
        return count if count > before else None

    return repo.create(add, added)


def _runs(repository: Repository, sha: str, name: str, app_id: int) -> list[CheckRun]:
    found = repository.get_commit(sha).get_check_runs(check_name=name, filter="all")
    ours = [_run(run) for run in found if run.app.id == app_id]
    return sorted(ours, key=lambda run: run.id, reverse=True)


def _run(found: GitHubRun) -> CheckRun:
    return CheckRun(
        id=found.id,
        name=found.name,
        head_sha=found.head_sha,
        external_id=found.external_id or "",
        status=found.status,
        conclusion=found.conclusion,
        annotations=found.output.annotations_count or 0,
    )


def _cut(annotation: Mapping[str, object]) -> dict[str, object]:
    return {
        key: clip_line(value, _LIMITS[key]) if key in _LIMITS and isinstance(value, str) else value
        for key, value in annotation.items()
    }
