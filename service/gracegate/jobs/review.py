"""One review of one pull request: fetch, check, publish. Each write asks first whether this review still counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from gracegate.errors import EngineError, EngineUnavailable
from gracegate.git import Cache, hunks_of_patch
from gracegate.github_app import checks, pull_requests
from gracegate.github_app.auth import TokenBroker
from gracegate.github_app.calls import Pace
from gracegate.github_app.client import Client, RepositoryClient
from gracegate.github_app.pull_requests import PullRequest
from gracegate.jobs import child
from gracegate.jobs.engine import EngineHouse
from gracegate.jobs.judging import Order
from gracegate.jobs.speaking import Speaker
from gracegate.jobs.work import Outcome, StillMine, Work
from gracegate.manifests.discovery import is_candidate
from gracegate.model import Checked, Engine, FileDiff, Problem, Report, Tree
from gracegate.outputs import check_run
from gracegate.outputs.review import rule_link
from gracegate.settings import Settings, child_environment
from gracegate.store import runs
from gracegate.store.database import Store

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
    cache: Cache
    engine: EngineHouse
    store: Store
    speaker: Speaker

    def __call__(self, work: Work, still_mine: StillMine) -> Outcome:
        """See jobs.work.Reviewer. The check is concluded before anything else is said: it may block a merge."""
        with self._repository(work) as repo:
            pull = pull_requests.read(repo, work.number)
            if pull.state == "closed":
                return self._ended(repo, pull, "The pull request is closed.")
            still_mine()
            run = checks.start(repo, pull.head_sha, _external_id(pull), self.settings.check_name)
            diff, report = self._judged(work, repo, pull)
            now = pull_requests.read(repo, work.number)
            if now.state == "closed" or now.head_sha != pull.head_sha:
                return self._ended(repo, replace(pull, state=now.state), "It was closed or got another head meanwhile.")
            still_mine()
            output = self._shared(work, pull, self._rendered(report))
            if missed := checks.conclude(repo, run, output):
                log.warning("annotations_refused", count=missed)
            still_mine()
            said = self.speaker.speak(repo, pull, report, diff)
        return _outcome(pull, report, output.conclusion, said)

    def give_up(self, work: Work, reason: str) -> None:
        """See jobs.work.Reviewer."""
        problem = Problem("", 0, "engine", f"The review failed: {reason}")
        with self._repository(work) as repo:
            pull = pull_requests.read(repo, work.number)
            run = checks.start(repo, pull.head_sha, _external_id(pull), self.settings.check_name)
            checks.conclude(repo, run, self._rendered(_nothing(problem)))

    def withdraw(self, work: Work, reason: str) -> None:
        """See jobs.work.Reviewer."""
        with self._repository(work) as repo:
            self._cancel(repo, work.head_sha_hint, reason)

    def _rendered(self, report: Report) -> check_run.CheckOutput:
        return check_run.render(report, self.settings.on_incomplete, rule_link(self.settings.rules_url))

    def _repository(self, work: Work) -> RepositoryClient:
        return self.client.repository(work.installation_id, work.repository_id, work.repository)

    def _ended(self, repo: RepositoryClient, pull: PullRequest, reason: str) -> Outcome:
        self._cancel(repo, pull.head_sha, reason)
        return Outcome(pull.head_sha, superseded=pull.state == "open", cancelled=pull.state == "closed")

    def _cancel(self, repo: RepositoryClient, sha: str, reason: str) -> None:
        run = checks.find(repo, sha, self.settings.check_name)
        if run is not None and run.status != "completed":
            checks.conclude(repo, run, Ended("Not needed any more", reason))

    def _judged(self, work: Work, repo: RepositoryClient, pull: PullRequest) -> tuple[tuple[FileDiff, ...], Report]:
        base, head, diff = self._fetched(work, repo, pull)
        try:
            report = self._checked(base, head, diff)
        except EngineError as error:
            if isinstance(error, EngineUnavailable) and work.attempt < ENGINE_TRIES:
                raise
            report = _nothing(Problem("", 0, "engine", f"The manifests were not evaluated: {error}"))
        return diff, report

    def _fetched(
        self, work: Work, repo: RepositoryClient, pull: PullRequest
    ) -> tuple[Tree, Tree, tuple[FileDiff, ...]]:
        """The trees of merge base and head, and the whole diff: GitHub lists 3,000 files, git all of them."""
        listed, truncated = pull_requests.files(repo, pull, hunks_of_patch)
        if not truncated and not any(is_candidate(p) for d in listed for p in (d.path, d.previous_path) if p):
            return Tree({}), Tree({}), tuple(listed)
        merge_base = pull_requests.merge_base(repo, pull)
        url = f"{self.settings.git_url}/{work.repository}.git"
        token = self.client.git_token(work.installation_id, work.repository_id)
        refs = [f"refs/pull/{pull.number}/head"]
        base, head = self.cache.trees(url, token, [merge_base, pull.head_sha], is_candidate, refs)
        if truncated:
            known = {d.path for d in listed}
            more = self.cache.changed(url, merge_base, pull.head_sha, is_candidate)
            # GitHub shows no hunks of what it does not list, so nothing can be said on a line there.
            listed += [replace(d, hunks=None) for d in more if d.path not in known]
        return base, head, tuple(listed)

    def _checked(self, base: Tree, head: Tree, diff: tuple[FileDiff, ...]) -> Report:
        seconds = self.settings.check_seconds
        order = Order(
            base=base,
            head=head,
            diff=diff,
            today=dt.datetime.now(dt.UTC).date(),
            opa=self.engine.opa(),
            cache_dir=self.settings.data_dir / "wasm",
            seconds=seconds,
            limits=self.settings.limits,
        )
        report = child.run_check(order, seconds, self.settings.check_memory_mb)
        gone = next((p for p in report.problems if p.code == "engine_unavailable"), None)
        if gone is not None:
            raise EngineUnavailable(gone.message)
        return report

    def _shared(self, work: Work, pull: PullRequest, output: check_run.CheckOutput) -> check_run.CheckOutput:
        """A check belongs to a commit: where another open pull request has the same head, the worse verdict stands."""
        with self.store.transaction() as tx:
            verdicts = runs.verdicts(tx, work.repository_id, pull.head_sha)
        others = {number: self._conclusion(verdict) for number, verdict in verdicts.items() if number != pull.number}
        worst = max(others, key=lambda number: _WORSE[others[number]], default=None)
        if worst is None or _WORSE[others[worst]] <= _WORSE[output.conclusion]:
            return output
        note = f"Pull request #{worst} has the same head commit, and its verdict is `{verdicts[worst]}`."
        return replace(output, conclusion=others[worst], summary=f"{note}\n\n{output.summary}")

    def _conclusion(self, verdict: str) -> check_run.Conclusion:
        return "success" if verdict == "pass" else "failure" if verdict == "fail" else self.settings.on_incomplete


def reviewer(settings: Settings) -> PullRequestReviewer:
    """What a worker process is given to do."""
    broker = TokenBroker(int(settings.app_id), settings.private_key, settings.github_url)
    return PullRequestReviewer(
        settings=settings,
        client=Client(broker, Pace(write=settings.write_gap, notify=settings.notify_gap)),
        cache=Cache(settings.data_dir / "git", environment=child_environment()),
        engine=EngineHouse(settings.opa_url, settings.opa, settings.check_seconds),
        store=Store(settings.database),
        speaker=Speaker(tuple(key.encode() for key in settings.marker_keys), rule_link(settings.rules_url)),
    )


def _external_id(pull: PullRequest) -> str:
    return f"pr:{pull.number}:{pull.head_sha}"


def _nothing(problem: Problem) -> Report:
    """The report of a review that evaluated nothing."""
    return Report(
        verdict="incomplete",
        remarks=False,
        gate="enforce",
        engine=Engine("none", "", ""),
        findings=(),
        suggestions=(),
        fixed=(),
        problems=(problem,),
        checked=Checked(0, 0, 0),
        compared=True,
    )


def _outcome(pull: PullRequest, report: Report, conclusion: str, comments: int) -> Outcome:
    refusals: Counter[str] = Counter(
        f.no_suggestion for f in report.findings if f.no_suggestion and f.status != "pre-existing"
    )
    return Outcome(
        pull.head_sha,
        report.verdict,
        conclusion,
        comments=comments,
        suggestions=len(report.suggestions),
        refusals=dict(refusals),
    )
