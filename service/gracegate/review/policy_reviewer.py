"""The second check of a pull request: what is wrong with the policy sets that it changes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from gracegate.errors import ConfigError, EngineError, EngineKilled, Gone, Refused
from gracegate.git import TreeFetcher, hunks_of_patch
from gracegate.github_app import AppClient, GitObjects, PullRequest, RepositoryClient, checks, pull_requests
from gracegate.model import (
    Engine,
    FileDiff,
    Finding,
    ObjectRef,
    PolicyFinding,
    PolicyImpact,
    PolicyReview,
    Report,
    Totals,
    Tree,
    Verdict,
)
from gracegate.outputs import CheckOutput, policy_check
from gracegate.review import metrics, sandbox
from gracegate.review.audit_log import write_recorder
from gracegate.review.comment_plan import expected_comments
from gracegate.review.comment_poster import CommentPoster
from gracegate.review.policy_folders import (
    PolicySetFolder,
    find_policy_folders,
    is_of_policies,
    may_be_of_policies,
    may_name_policies,
)
from gracegate.review.sandboxed_policies import POLICIES, PoliciesJob
from gracegate.settings import Settings, find_opa, find_regal
from gracegate.store import Outcome, PolicyImpactRun, Run, Store, runs

log = structlog.get_logger(__name__)

ATTEMPTS = 3
"""How many attempts of a run may end in a child that was killed."""


@dataclass(frozen=True, slots=True)
class ChangedSets:
    """The files that a pull request changes, the folders of the policy sets that have some of them, and the trees."""

    diff: tuple[FileDiff, ...]
    changed: tuple[PolicySetFolder, ...] = ()
    base: Tree = field(default_factory=lambda: Tree({}))
    head: Tree = field(default_factory=lambda: Tree({}))


@dataclass(frozen=True, slots=True)
class PolicyReviewer:
    """Reviews the policy sets that a pull request changes, in a check of its own. Implements jobs.Reviewer.

    The pull request's own check may be in work at the same time, so this one has comments of its own.
    """

    settings: Settings
    client: AppClient
    fetcher: TreeFetcher
    store: Store
    poster: CommentPoster

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        with self._repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            if pull.state == "closed" or pull.head_sha != run.head_sha:
                self._cancel(repo, run, "The pull request is closed or has a newer head.")
                return Outcome("cancelled", run.head_sha)
            check_current()
            check = self._start(repo, run)
            sets = self._read_sets(run, repo, pull)
            diff, reviews = sets.diff, [self._review_set(run, one, sets.base, sets.head) for one in sets.changed]
            check_current()
            has_impact = bool(self.settings.impact_repositories and reviews) and all(one.is_tested for one in reviews)
            output, report = self._output(run, reviews, diff, "follows" if has_impact else None, is_locked=pull.locked)
            if refused := checks.conclude(repo, check, output):
                log.warning("annotations_refused", count=refused)
            with self.store.transaction() as tx:
                runs.record_conclusion(tx, run, output.conclusion)
            check_current()
            if not pull.locked:
                self._post_comments(run, repo, pull, report, diff)
        verdict: Verdict = "fail" if output.conclusion == "failure" else "pass"
        following = PolicyImpactRun(run.number, run.head_sha) if has_impact else None
        return Outcome("done", run.head_sha, verdict, output.conclusion, next=following)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        with self._repository(run) as repo:
            problem = PolicyReview("policies", "", problem=f"the review failed: {reason}")
            output = policy_check.render([problem], is_listed=self._is_listed(run))
            checks.conclude(repo, self._start(repo, run), output)

    def cancel_check(self, run: Run, reason: str) -> None:
        with self._repository(run) as repo:
            self._cancel(repo, run, reason)

    def _repository(self, run: Run) -> RepositoryClient:
        record = write_recorder(self.store, self.settings.app_id, run)
        return self.client.repository(run.installation_id, run.repository_id, run.repository, record)

    def _start(self, repo: RepositoryClient, run: Run) -> checks.CheckRun:
        return checks.start(repo, run.head_sha, self._external_id(run), self.settings.policies_check_name)

    def _cancel(self, repo: RepositoryClient, run: Run, reason: str) -> None:
        check = checks.find(repo, run.head_sha, self.settings.policies_check_name, self._external_id(run))
        if check is not None and check.status != "completed":
            checks.conclude(repo, check, CheckOutput("cancelled", "Review cancelled", reason, ()))

    def _external_id(self, run: Run) -> str:
        """What names our check of a head's policies; web/events.py reads the number from it."""
        return f"policies:{run.number}:{run.head_sha}"

    def _is_listed(self, run: Run) -> bool:
        return self.settings.lists_policies_of(run.repository)

    def _read_sets(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> ChangedSets:
        diff = pull_requests.list_files(repo, pull, hunks_of_patch).files
        merge_base, tip = pull_requests.read_base(repo, pull)
        folders = find_policy_folders(self._fetch(run, repo, {tip: may_name_policies})[tip])
        changed = [one for one in folders if any(is_of_policies(file, [one]) for file in diff)]
        if not changed:
            return ChangedSets(diff)

        def is_wanted(path: str) -> bool:
            return may_be_of_policies(path) or any(one.has(path) for one in changed)

        trees = self._fetch(run, repo, dict.fromkeys((merge_base, pull.head_sha), is_wanted))
        return ChangedSets(diff, tuple(changed), trees[merge_base], trees[pull.head_sha])

    def _fetch(self, run: Run, repo: RepositoryClient, commits: Mapping[str, Callable[[str], bool]]) -> dict[str, Tree]:
        token = self.client.git_token(run.installation_id, run.repository_id)
        url = f"{self.settings.git_url}/{run.repository}.git"
        refs = [f"refs/pull/{run.number}/head"]
        retried = run.attempt > 1
        return self.fetcher.fetch_trees(url, token, commits, refs, api=GitObjects(repo), api_after_failure=retried)

    def _review_set(self, run: Run, folder: PolicySetFolder, base: Tree, head: Tree) -> PolicyReview:
        """Raises EngineKilled where another attempt may do better."""
        name = (folder.folder or run.repository).rpartition("/")[2]
        files = folder.files(head)
        if not any(path.endswith(".rego") for path in files):
            return PolicyReview(name, folder.folder)
        try:
            job = PoliciesJob(
                name=name,
                folder=folder.folder,
                head=files,
                base=folder.files(base),
                opa=find_opa(),
                regal=find_regal(),
                # Of heads: they take no place of the sets that reviews use.
                cache_dir=self.settings.data_dir / "policies-of-heads",
            )
            seconds, memory = self.settings.check_seconds, self.settings.check_memory_mb
            return sandbox.run_in_child(job, seconds, memory, POLICIES, PolicyReview)
        except (EngineError, ConfigError) as error:
            if isinstance(error, EngineKilled) and run.attempt < ATTEMPTS:
                raise
            return PolicyReview(name, folder.folder, problem=str(error))

    def _output(
        self,
        run: Run,
        reviews: Sequence[PolicyReview],
        diff: Sequence[FileDiff],
        impacts: Sequence[PolicyImpact] | Literal["follows"] | None,
        *,
        is_locked: bool,
    ) -> tuple[CheckOutput, Report]:
        findings = _by_id(one for review in reviews for one in review.findings)
        report = _report(reviews, findings)
        commented = frozenset() if is_locked else expected_comments(report, diff)
        output = policy_check.render(
            reviews,
            is_listed=self._is_listed(run),
            commented=frozenset(findings[one] for one in commented),
            impacts=impacts,
        )
        return output, report

    def _post_comments(
        self, run: Run, repo: RepositoryClient, pull: PullRequest, report: Report, diff: Sequence[FileDiff]
    ) -> None:
        try:
            metrics.COMMENTS.inc(self.poster.post_comments(repo, pull, report, diff).count)
        except (Refused, Gone) as error:
            if run.attempt < ATTEMPTS:
                raise
            log.warning("comments_not_read", error=str(error))


def policy_poster(keys: tuple[bytes, ...]) -> CommentPoster:
    """What posts comments on policy sets, beside those on manifests of the same pull request."""
    return CommentPoster(keys, "/policies", policy_check.review_body)


def _by_id(findings: Iterable[PolicyFinding]) -> dict[str, PolicyFinding]:
    """The findings by ids that stay the same when lines shift: those with one text in a file are counted."""
    counts: Counter[tuple[str, ...]] = Counter()
    by_id = {}
    for one in sorted(findings, key=lambda one: (one.file, one.line)):
        alike = (one.kind, one.file, one.message)
        by_id[_digest(*alike, str(counts[alike]))] = one
        counts[alike] += 1
    return by_id


def _target(finding: PolicyFinding) -> str:
    """What is evaluated together: the tests only where the gate finds nothing."""
    return _digest("gate" if finding.kind == "mistake" else "tests")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _report(reviews: Sequence[PolicyReview], findings: Mapping[str, PolicyFinding]) -> Report:
    """The findings as the conversation knows them."""
    stages = {stage: _digest(stage) for stage in ("gate", "tests")}
    unknown = [stages["tests"]] if any(not review.is_tested for review in reviews) else []
    unknown += [stages["gate"]] if any(review.problem for review in reviews) else []
    return Report(
        verdict="pass",
        has_remarks=False,
        gate="enforce",
        engine=Engine("none", "", ""),
        findings=tuple(_finding(key, one) for key, one in findings.items() if one.file),
        suggestions=(),
        fixed_findings=(),
        problems=(),
        totals=Totals(0, 0, 0),
        has_base=True,
        live_targets=tuple(stages.values()),
        unevaluated_targets=tuple(unknown),
    )


def _finding(key: str, finding: PolicyFinding) -> Finding:
    line = max(1, finding.line)
    return Finding(
        id=key,
        rule=policy_check.rule_name(finding),
        severity=finding.severity,
        status="introduced",
        file=finding.file,
        line=line,
        end_line=line,
        object=ObjectRef("PolicySet", "", ""),
        container=None,
        message=finding.message,
        comment_anchor=f"{finding.file}:{line}",
        target=_target(finding),
        values=finding.values,
        is_waivable=False,
    )
