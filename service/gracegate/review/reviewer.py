"""One review of one pull request: fetch, check, publish. Each write asks first whether this review still counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from gracegate.errors import EngineError, EngineUnavailable
from gracegate.git import TreeFetcher, hunks_of_patch
from gracegate.github_app import Client, Pace, PullRequest, RepositoryClient, TokenBroker, checks, pull_requests
from gracegate.manifests import is_candidate
from gracegate.model import Engine, FileDiff, Problem, Report, Totals, Tree
from gracegate.outputs import check_run, rule_link
from gracegate.policy.engines import PolicyEngines
from gracegate.review import metrics, sandbox
from gracegate.review.comment_poster import CommentPoster
from gracegate.review.sandboxed_check import CheckJob
from gracegate.settings import Settings, child_environment
from gracegate.store import Outcome, Run, Store, runs

log = structlog.get_logger(__name__)

ENGINE_TRIES = 3
"""How often a review waits for an OPA that does not answer before it is concluded as incomplete."""

_WORSE = {"success": 0, "neutral": 1, "failure": 2}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a check says that was not evaluated to its end."""

    title: str
    summary: str
    conclusion: Literal["cancelled"] = "cancelled"
    annotations: tuple[()] = ()


@dataclass(frozen=True, slots=True)
class PullRequestReviewer:
    """Reviews pull requests for one worker process; threads may share it."""

    settings: Settings
    client: Client
    fetcher: TreeFetcher
    engines: PolicyEngines
    store: Store
    poster: CommentPoster

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        """See jobs.Reviewer. The check is concluded before anything else is said: it may block a merge."""
        with self._repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            if pull.state == "closed":
                return self._ended(repo, pull, "The pull request is closed.")
            check_current()
            check = checks.start(repo, pull.head_sha, _external_id(pull), self.settings.check_name)
            diff, report = self._judged(run, repo, pull)
            now = pull_requests.read(repo, run.number)
            if now.state == "closed" or now.head_sha != pull.head_sha:
                return self._ended(repo, replace(pull, state=now.state), "It was closed or got another head meanwhile.")
            check_current()
            output = self._shared(run, pull, self._rendered(report))
            if missed := checks.conclude(repo, check, output):
                log.warning("annotations_refused", count=missed)
            check_current()
            said = self.poster.post_comments(repo, pull, report, diff)
        return _outcome(pull, report, output.conclusion, said)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """See jobs.Reviewer."""
        problem = Problem("", 0, "engine", f"The review failed: {reason}")
        with self._repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            check = checks.start(repo, pull.head_sha, _external_id(pull), self.settings.check_name)
            checks.conclude(repo, check, self._rendered(_nothing(problem)))

    def cancel_check(self, run: Run, reason: str) -> None:
        """See jobs.Reviewer."""
        with self._repository(run) as repo:
            self._cancel(repo, run.head_sha, reason)

    def _rendered(self, report: Report) -> check_run.CheckOutput:
        return check_run.render(report, self.settings.on_incomplete, rule_link(self.settings.rules_url))

    def _repository(self, run: Run) -> RepositoryClient:
        return self.client.repository(run.installation_id, run.repository_id, run.repository)

    def _ended(self, repo: RepositoryClient, pull: PullRequest, reason: str) -> Outcome:
        self._cancel(repo, pull.head_sha, reason)
        return Outcome("superseded" if pull.state == "open" else "cancelled", pull.head_sha)

    def _cancel(self, repo: RepositoryClient, sha: str, reason: str) -> None:
        check = checks.find(repo, sha, self.settings.check_name)
        if check is not None and check.status != "completed":
            checks.conclude(repo, check, Ended("Not needed any more", reason))

    def _judged(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> tuple[tuple[FileDiff, ...], Report]:
        base, head, diff = self._fetched(run, repo, pull)
        try:
            report = self._checked(base, head, diff)
        except EngineError as error:
            if isinstance(error, EngineUnavailable) and run.attempt < ENGINE_TRIES:
                raise
            report = _nothing(Problem("", 0, "engine", f"The manifests were not evaluated: {error}"))
        return diff, report

    def _fetched(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> tuple[Tree, Tree, tuple[FileDiff, ...]]:
        """The trees of merge base and head, and the whole diff: GitHub lists 3,000 files, git all of them."""
        listed, truncated = pull_requests.files(repo, pull, hunks_of_patch)
        if not truncated and not any(is_candidate(p) for d in listed for p in (d.path, d.previous_path) if p):
            return Tree({}), Tree({}), tuple(listed)
        merge_base = pull_requests.merge_base(repo, pull)
        url = f"{self.settings.git_url}/{run.repository}.git"
        token = self.client.git_token(run.installation_id, run.repository_id)
        refs = [f"refs/pull/{pull.number}/head"]
        base, head = self.fetcher.fetch_trees(url, token, [merge_base, pull.head_sha], is_candidate, refs)
        if truncated:
            known = {d.path for d in listed}
            more = self.fetcher.changed(url, merge_base, pull.head_sha, is_candidate)
            # GitHub shows no hunks of what it does not list, so nothing can be said on a line there.
            listed += [replace(d, hunks=None) for d in more if d.path not in known]
        return base, head, tuple(listed)

    def _checked(self, base: Tree, head: Tree, diff: tuple[FileDiff, ...]) -> Report:
        seconds = self.settings.check_seconds
        job = CheckJob(
            base=base,
            head=head,
            diff=diff,
            today=dt.datetime.now(dt.UTC).date(),
            opa=self.engines.opa(),
            cache_dir=self.settings.data_dir / "wasm",
            seconds=seconds,
            limits=self.settings.limits,
        )
        report = sandbox.run_check(job, seconds, self.settings.check_memory_mb)
        gone = next((p for p in report.problems if p.code == "engine_unavailable"), None)
        if gone is not None:
            raise EngineUnavailable(gone.message)
        return report

    def _shared(self, run: Run, pull: PullRequest, output: check_run.CheckOutput) -> check_run.CheckOutput:
        """A check belongs to a commit: where another open pull request has the same head, the worse verdict stands."""
        with self.store.transaction() as tx:
            verdicts = runs.verdicts(tx, run.repository_id, pull.head_sha)
        others = {number: self._conclusion(verdict) for number, verdict in verdicts.items() if number != pull.number}
        worst = max(others, key=lambda number: _WORSE[others[number]], default=None)
        if worst is None or _WORSE[others[worst]] <= _WORSE[output.conclusion]:
            return output
        note = f"Pull request #{worst} has the same head commit, and its verdict is `{verdicts[worst]}`."
        return replace(output, conclusion=others[worst], summary=f"{note}\n\n{output.summary}")

    def _conclusion(self, verdict: str) -> check_run.Conclusion:
        return "success" if verdict == "pass" else "failure" if verdict == "fail" else self.settings.on_incomplete


def build_reviewer(settings: Settings) -> PullRequestReviewer:
    """What a worker process is given to do."""
    broker = TokenBroker(int(settings.app_id), settings.private_key, settings.github_url)
    return PullRequestReviewer(
        settings=settings,
        client=Client(broker, Pace(write=settings.write_gap, notify=settings.notify_gap)),
        fetcher=TreeFetcher(settings.data_dir / "git", environment=child_environment()),
        engines=PolicyEngines(settings.opa_url, settings.opa, settings.check_seconds),
        store=Store(settings.database),
        poster=CommentPoster(
            tuple(key.encode() for key in settings.comment_signing_keys), rule_link(settings.rules_url)
        ),
    )


def _external_id(pull: PullRequest) -> str:
    return f"pr:{pull.number}:{pull.head_sha}"


def _nothing(problem: Problem) -> Report:
    """The report of a review that evaluated nothing."""
    return Report(
        verdict="incomplete",
        has_remarks=False,
        gate="enforce",
        engine=Engine("none", "", ""),
        findings=(),
        suggestions=(),
        fixed_findings=(),
        problems=(problem,),
        totals=Totals(0, 0, 0),
        has_base=True,
    )


def _outcome(pull: PullRequest, report: Report, conclusion: str, comments: int) -> Outcome:
    metrics.COMMENTS.inc(comments)
    metrics.SUGGESTIONS.inc(len(report.suggestions))
    for finding in report.findings:
        if finding.no_suggestion and finding.status != "pre-existing":
            metrics.REFUSALS.labels(reason=finding.no_suggestion).inc()
    return Outcome("done", pull.head_sha, report.verdict, conclusion)
