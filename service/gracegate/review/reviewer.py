"""One review of one pull request: fetch, check, publish. It writes only while it is the newest review of it."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from gracegate.errors import (
    ConfigError,
    EngineError,
    EngineKilled,
    EngineUnavailable,
    GitHubError,
    Gone,
    InputsMissing,
    Refused,
    Superseded,
)
from gracegate.git import TreeFetcher, hunks_of_patch
from gracegate.github_app import (
    PUSH_PERMISSIONS,
    REVIEW_PERMISSIONS,
    AppClient,
    GitObjects,
    PullRequest,
    RepositoryClient,
    checks,
    pull_requests,
)
from gracegate.manifests import may_be_read
from gracegate.model import (
    CONFIG_FILE,
    Engine,
    FileDiff,
    PinnedSource,
    Problem,
    RenderSources,
    Report,
    Repository,
    RuleChange,
    Totals,
    Tree,
)
from gracegate.outputs import CheckOutput, Commenting, CommentState, FixButton, check_run, object_name
from gracegate.policy.engines import PolicyEngines
from gracegate.policy.sets import OperatorPolicies, PolicySets
from gracegate.render_sources import SourceFetcher
from gracegate.repo_config import parse_policy_folders
from gracegate.review import metrics, sandbox
from gracegate.review.audit_log import write_recorder
from gracegate.review.comment_plan import expected_comments, is_commented
from gracegate.review.comment_poster import CommentPoster, PostedComments
from gracegate.review.named_policies import NamedPolicies, NamedPolicyReader, NamingRepository
from gracegate.review.owner_defaults import OwnerDefaults
from gracegate.review.owner_defaults_reader import OwnerDefaultsReader
from gracegate.review.policy_folders import (
    PolicySetFolder,
    find_policy_folders,
    is_of_policies,
    may_be_of_policies,
    may_name_policies,
    without_policies,
)
from gracegate.review.report_pages import write_page
from gracegate.review.sandboxed_check import CheckJob
from gracegate.review.sandboxed_rules import NAMED_RULES, NamedRules, NamedRulesJob
from gracegate.review.siblings import share_conclusion, waiting_output
from gracegate.settings import Settings, installed_opa
from gracegate.store import (
    ChangedPolicies,
    KnownRepository,
    Outcome,
    PullHead,
    RecordedFinding,
    RecordedReview,
    RecordedWaiver,
    Run,
    Sibling,
    Store,
    StoredReport,
    policy_rules,
    reports,
    repositories,
    reviews,
    runs,
    verdicts,
)

log = structlog.get_logger(__name__)

ENGINE_ATTEMPTS = 3
"""How many attempts of a run may end in a check that was killed, or in an OPA that stopped when it got the manifests,
before the check is concluded as incomplete. An OPA that is not there is waited for in all attempts of a run."""
_FETCH_ROUNDS = 4
"""One for what this repository has beside manifests, and three for bases of other ones that name bases themselves."""
_MAX_WAIVERS = 200
"""How many waived findings are recorded of a review."""
_NEW_FOR = dt.timedelta(days=28)
"""How long a change of rules is news to a repository that has not met it."""
READ_ATTEMPTS = 3
"""How many attempts of a run try to read the earlier comments, before its own are given up."""


@dataclass(frozen=True, slots=True)
class FetchedPullRequest:
    """What is checked: the trees of merge base and head with what changed between them, and the configuration at the
    tip of the base `branch`. `commits` are theirs, as in `_fetch_trees`; none where nothing had to be fetched.
    `named_policies` are the policy sets that the configuration names, None before they were read.

    The files of the `policy_folders` have a check of their own.
    """

    base: Tree
    base_tip: Tree
    head: Tree
    diff: tuple[FileDiff, ...]
    commits: tuple[str, str, str] | None = None
    head_ref: str = ""
    branch: str = ""
    policy_folders: tuple[PolicySetFolder, ...] = ()
    named_policies: Mapping[str, NamedPolicies] | None = None

    @property
    def changes_policies(self) -> bool:
        return any(is_of_policies(file, self.policy_folders) for file in self.diff)


@dataclass(frozen=True, slots=True)
class PullRequestReviewer:
    """Reviews pull requests for one worker process; threads may share it. Implements jobs.Reviewer.

    The `renderer` has been compiled for its children; None leaves kustomizations and charts unrendered. `sources` has
    what they may need of other repositories, None where nothing of these is fetched.
    """

    settings: Settings
    client: AppClient
    fetcher: TreeFetcher
    engines: PolicyEngines
    policies: PolicySets
    named_policies: NamedPolicyReader
    owner_defaults: OwnerDefaultsReader
    store: Store
    poster: CommentPoster
    renderer: Path | None = None
    sources: SourceFetcher | None = None

    def review(self, run: Run, check_current: Callable[[], None]) -> Outcome:
        """Concludes the check before it posts comments, because the check may block a merge.

        A check that an earlier attempt of this run concluded stands: only its comments are posted.
        """
        with self.open_repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            if run.starts and run.head_sha != pull.head_sha:
                self._cancel(
                    repo, run.head_sha, external_id(run.number, run.head_sha), "The pull request has a newer head."
                )
            if pull.state == "closed":
                return self._stop(repo, pull, "The pull request is closed.")
            if self._must_wait(run, pull):
                return Outcome("waiting", pull.head_sha)
            check_current()
            check = self._concluded_check(run, repo, pull) or self._start_check(run, repo, pull)

            fetched = self.fetch(run, repo, pull)
            report = self._with_rule_changes(run, self.check(run, repo, fetched))

            latest = pull_requests.read(repo, run.number)
            if latest.state == "closed" or latest.head_sha != pull.head_sha:
                reason = "The pull request was closed or got a newer head during the review."
                return self._stop(repo, replace(pull, state=latest.state), reason)
            check_current()
            planned = frozenset() if latest.locked else expected_comments(report, fetched.diff)
            conclusion = check.conclusion or self._conclude(run, repo, latest, report, planned, fetched.commits)
            if conclusion is None:
                return Outcome("waiting", pull.head_sha)
            check_current()
            if not latest.locked:
                posted = self._post_comments(run, repo, latest, report, fetched.diff)
                missing = planned if posted is None else planned - posted.commented
                is_refused = posted is None or not posted.is_complete
                if missing or is_refused:
                    comments = CommentState("refused" if is_refused else "possible", planned, missing)
                    # Where GitHub does not take this either, the log has it.
                    with contextlib.suppress(Refused, Gone):
                        self._say_what_is_not_commented(run, repo, latest, report, comments)
        metrics.count_suggestions(report)
        metrics.count_shadows(report)
        following = ChangedPolicies(run.number, pull.head_sha) if self._concerns_policies(run, fetched) else None
        return Outcome("done", pull.head_sha, report.verdict, conclusion, next=following)

    def _concerns_policies(self, run: Run, fetched: FetchedPullRequest) -> bool:
        """Whether policy sets are changed, or were at an earlier head, where they may have comments."""
        with self.store.reading() as tx:
            return fetched.changes_policies or runs.policies_were_reviewed(tx, run)

    def conclude_as_incomplete(self, run: Run, reason: str) -> None:
        """Concludes the check of a run that has no attempt left, unless the check of this head is concluded."""
        with self.open_repository(run) as repo:
            pull = pull_requests.read(repo, run.number)
            check = self._find_check(repo, pull.number, pull.head_sha)
            if check is not None and check.status == "completed" and check.conclusion != "cancelled":
                return
            self._start_check(run, repo, pull)
            self._conclude(run, repo, pull, unevaluated_report(f"The review failed: {reason}"))

    def cancel_check(self, run: Run, reason: str) -> None:
        """Concludes as cancelled the check that a run started and that is not needed any more."""
        with self.store.reading() as tx:
            head_sha = runs.recorded_head(tx, run)
        with self.open_repository(run) as repo:
            self._cancel(repo, head_sha, external_id(run.number, head_sha), reason)

    def open_repository(self, run: Run, permissions: Mapping[str, str] = REVIEW_PERMISSIONS) -> RepositoryClient:
        record = write_recorder(self.store, self.settings.app_id, run)
        ids = (run.installation_id, run.repository_id, run.repository)
        return self.client.repository(*ids, record, permissions)

    def _start_check(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> checks.CheckRun:
        with self.store.transaction() as tx:
            verdicts.begin(tx, run, pull.head_sha)
        return self._newest_check(repo, pull)

    def _newest_check(self, repo: RepositoryClient, pull: PullRequest) -> checks.CheckRun:
        """The check in progress of this pull request, which is the newest of its commit."""
        return checks.start(repo, pull.head_sha, external_id(pull.number, pull.head_sha), self.settings.check_name)

    def _find_check(self, repo: RepositoryClient, number: int, sha: str) -> checks.CheckRun | None:
        """The newest check of this pull request on a commit."""
        return checks.find(repo, sha, self.settings.check_name, external_id(number, sha))

    def _concluded_check(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> checks.CheckRun | None:
        """The check of this head if an earlier attempt of this run has concluded it."""
        if run.conclusion is None or run.head_sha != pull.head_sha:
            return None
        check = self._find_check(repo, pull.number, pull.head_sha)
        return check if check is not None and check.status == "completed" else None

    def _must_wait(self, run: Run, pull: PullRequest) -> bool:
        """Whether an earlier attempt has recorded the verdict, and a pull request with the same head has none yet."""
        with self.store.reading() as tx:
            return verdicts.must_wait(tx, run, pull.head_sha)

    def _conclude(
        self,
        run: Run,
        repo: RepositoryClient,
        pull: PullRequest,
        report: Report,
        planned: frozenset[str] = frozenset(),
        commits: tuple[str, str, str] | None = None,
    ) -> str | None:
        """The conclusion of the check; None if it stays in progress until other pull requests are evaluated.

        `planned` are the findings that comments will explain, and `commits` those of the FetchedPullRequest.
        """
        has_comments = any(is_commented(f, touched=report.comment_scope == "touched") for f in report.findings)
        commenting: Commenting = "locked" if pull.locked and has_comments else "possible"
        own = self._render(run, repo, pull, report, CommentState(commenting, planned))
        review = _recorded_review(run, pull, report, own.conclusion, commits)
        siblings = self._record_verdict(run, repo, pull, review)
        head = PullHead(pull.number, pull.head_sha)
        details_url = self._store_report(run, head, report, is_public=pull.is_public)
        output = share_conclusion(own, siblings)
        # Another pull request may have started a check of this commit meanwhile, or cancelled one.
        check = self._newest_check(repo, pull)
        if output is None:
            log.info("waiting_for_siblings", siblings=[one.number for one in siblings if not one.conclusion])
            checks.update_text(repo, check, waiting_output(own, siblings))
            return None
        if refused := checks.conclude(repo, check, output, details_url):
            log.warning("annotations_refused", count=refused)
        with self.store.transaction() as tx:
            runs.record_conclusion(tx, run, output.conclusion)
        return output.conclusion

    def _render(
        self, run: Run, repo: RepositoryClient, pull: PullRequest, report: Report, comments: CommentState
    ) -> CheckOutput:
        fixes: FixButton = "none"
        if report.suggestions and self._may_push(run):
            fixes = "button" if pull.is_of(repo.full_name) else "fork"
        return check_run.render(report, self.settings.on_incomplete, comments, fixes)

    def _resolver(self, run: Run) -> RepositoryClient | None:
        """A client that may resolve threads, where the installation has granted that."""
        return self.open_repository(run, PUSH_PERMISSIONS) if self._may_push(run) else None

    def _may_push(self, run: Run) -> bool:
        """What GitHub does not tell need not hold up a review."""
        try:
            return self.client.may_push(run.installation_id)
        except GitHubError as error:
            log.warning("permissions_not_read", error=str(error))
            return False

    def _page_url(self, run: Run, head: PullHead, *, is_public: bool) -> str | None:
        """The address of a report's page; None where it has none: where nobody can sign in, anybody could open it."""
        if self.settings.public_url is None or not (is_public or self.settings.has_sign_in):
            return None
        return f"{self.settings.public_url}/reports/{run.repository_id}/{head.number}/{head.head_sha}"

    def _store_report(self, run: Run, head: PullHead, report: Report, *, is_public: bool) -> str | None:
        """Stores the report for its page, and returns the address of that; or deletes what was stored while the
        repository was public."""
        url = self._page_url(run, head, is_public=is_public)
        content = None if url is None else write_page(report)
        known = KnownRepository(run.repository, is_public)
        with self.store.transaction() as tx:
            repositories.record_review(tx, run.installation_id, run.repository_id, known)
            if content is None:
                reports.delete_all(tx, run.repository_id)
            else:
                reports.save(tx, StoredReport(run.repository_id, head.number, head.head_sha, run.repository, content))
        return url

    def _record_verdict(
        self, run: Run, repo: RepositoryClient, pull: PullRequest, review: RecordedReview
    ) -> tuple[Sibling, ...]:
        """Record the verdict; returns the other open pull requests with this head, which GitHub confirmed."""
        with self.store.transaction() as tx:
            siblings = verdicts.record(tx, run, pull.head_sha, review.verdict, review.conclusion)
            if siblings is None:
                raise Superseded("another worker took over")
            reviews.record(tx, review)
        # One without a conclusion has a run, which asks GitHub itself.
        for sibling in filter(lambda one: one.conclusion, siblings):
            now = pull_requests.read(repo, sibling.number)
            closed = now.state == "closed"
            if closed or now.head_sha != pull.head_sha:
                with self.store.transaction() as tx:
                    verdicts.record_departure(tx, run, sibling.number, pull.head_sha, now.head_sha, closed=closed)
        with self.store.reading() as tx:
            return verdicts.siblings(tx, run, pull.head_sha)

    def _with_rule_changes(self, run: Run, report: Report) -> Report:
        """The report with the rules that nobody of this repository has met as they are now."""
        found = {finding.rule for finding in report.findings if finding.counts}
        changes = []
        with self.store.transaction() as tx:
            for one in report.policies:
                if one.state != "active":
                    continue
                policy_rules.record(tx, one.name, one.source, one.digest, one.levels)
                for rule, change in policy_rules.changed_rules(tx, one.name, one.source, one.digest).items():
                    since = dt.datetime.fromtimestamp(change.since, dt.UTC)
                    is_recent = dt.datetime.now(dt.UTC) - since < _NEW_FOR
                    if rule in found and is_recent and not reviews.has_found(tx, run, rule, change.since):
                        changes.append(RuleChange(rule, since.date().isoformat(), change.is_new))
        return replace(report, rule_changes=tuple(sorted(changes)))

    def _post_comments(
        self, run: Run, repo: RepositoryClient, pull: PullRequest, report: Report, diff: tuple[FileDiff, ...]
    ) -> PostedComments | None:
        """What was posted, None if GitHub does not show the earlier comments. What it refuses to take it refuses for
        ever, so no attempt follows; what it refuses to show it may show the next time."""
        try:
            head = PullHead(pull.number, pull.head_sha)
            details_url = self._page_url(run, head, is_public=pull.is_public)
            posted = self.poster.post_comments(repo, pull, report, diff, details_url, lambda: self._resolver(run))
        except (Refused, Gone) as error:
            if run.attempt < READ_ATTEMPTS:
                raise
            log.warning("comments_not_read", error=str(error))
            return None
        metrics.COMMENTS.inc(posted.count)
        return posted

    def _say_what_is_not_commented(
        self, run: Run, repo: RepositoryClient, pull: PullRequest, report: Report, comments: CommentState
    ) -> None:
        """Says it in the check, which counted on a comment."""
        check = self._find_check(repo, pull.number, pull.head_sha)
        own = self._render(run, repo, pull, report, comments)
        with self.store.reading() as tx:
            siblings = verdicts.siblings(tx, run, pull.head_sha)
        output = share_conclusion(own, siblings)
        if check is not None and output is not None:
            checks.conclude(repo, check, output)
        elif check is not None:
            checks.update_text(repo, check, own)

    def _stop(self, repo: RepositoryClient, pull: PullRequest, reason: str) -> Outcome:
        self._cancel(repo, pull.head_sha, external_id(pull.number, pull.head_sha), reason)
        return Outcome("superseded" if pull.state == "open" else "cancelled", pull.head_sha)

    def _cancel(self, repo: RepositoryClient, sha: str, external_id: str, reason: str) -> None:
        check = checks.find(repo, sha, self.settings.check_name, external_id)
        if check is not None and check.status != "completed":
            checks.conclude(repo, check, CheckOutput("cancelled", "Review cancelled", reason, ()))

    def fetch(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> FetchedPullRequest:
        """The trees, and the whole diff: GitHub lists at most 3,000 files, git lists all."""
        listed = pull_requests.list_files(repo, pull, hunks_of_patch)
        files = listed.files
        may_matter = listed.is_truncated or listed.may_have_links
        names = [path for d in files for path in (d.path, d.previous_path) if path]
        if not may_matter and not any(may_be_read(path) or may_be_of_policies(path) for path in names):
            return FetchedPullRequest(Tree({}), Tree({}), Tree({}), files)
        merge_base, tip = pull_requests.read_base(repo, pull)
        commits, head_ref = (merge_base, tip, pull.head_sha), f"refs/pull/{pull.number}/head"
        trees = self._fetch_trees(run, repo, commits, head_ref)
        if listed.is_truncated:
            paths = {d.path for d in files}
            changed = self._read_diff(run, merge_base, pull.head_sha, trees)
            # GitHub shows no hunks of a file that it does not list, so it takes no comment on a line there.
            files += tuple(d for d in changed if d.path not in paths)
        base, base_tip, head = (trees[commit] for commit in commits)
        folders = find_policy_folders(base_tip)
        return FetchedPullRequest(base, base_tip, head, files, commits, head_ref, pull.base_ref, folders)

    def _fetch_trees(
        self,
        run: Run,
        repo: RepositoryClient,
        commits: tuple[str, str, str],
        head_ref: str,
        *,
        also: frozenset[str] = frozenset(),
    ) -> dict[str, Tree]:
        """The trees of a base, of the tip of its branch and of a head, by commit; with the files `also` of base and
        head, whatever their names say."""
        base, tip, head = commits
        token = self.client.git_token(run.installation_id, run.repository_id)

        def is_wanted(path: str) -> bool:
            return may_be_read(path) or path in also

        # Where two of the three are one commit, its later and wider filter counts.
        filters = {tip: may_name_policies, base: is_wanted, head: is_wanted}
        api = GitObjects(repo)
        # Where git only fails, it may work again at the next attempt, and costs less.
        trees = self.fetcher.fetch_trees(
            self._git_url(run), token, filters, [head_ref], api=api, api_after_failure=run.attempt > 1
        )
        metrics.FETCHES.labels(way="api" if api.requests else "git").inc()
        return trees

    def _read_diff(self, run: Run, base: str, head: str, trees: Mapping[str, Tree]) -> Sequence[FileDiff]:
        """All changes between two commits whose trees were fetched; none where the limits left nothing of the head."""
        if any(problem.file == "" for problem in trees[head].problems):
            return ()
        return self.fetcher.read_diff(self._git_url(run), base, head, may_be_read)

    def _git_url(self, run: Run) -> str:
        return f"{self.settings.git_url}/{run.repository}.git"

    def check(self, run: Run, repo: RepositoryClient, fetched: FetchedPullRequest) -> Report:
        """The report. What a root reads is known when its kustomization or chart has been read: files whose names do
        not tell, commits of other repositories and charts of registries are fetched then. In the last round nothing is
        asked for."""
        # The same version in all rounds, whatever is activated meanwhile.
        policies = self.policies.current()
        # Where nothing was fetched, nothing is evaluated.
        has_trees = fetched.commits is not None
        defaults = self.owner_defaults.read(run.installation_id, run.repository) if has_trees else OwnerDefaults()
        for _ in range(_FETCH_ROUNDS):
            try:
                return self._check_trees(run, fetched, policies, defaults)
            except InputsMissing as missing:
                fetched = self._fetch_missing(run, repo, fetched, missing)
        return self._check_trees(run, fetched, policies, defaults, may_ask=False)

    def _fetch_missing(
        self, run: Run, repo: RepositoryClient, fetched: FetchedPullRequest, missing: InputsMissing
    ) -> FetchedPullRequest:
        """The same trees with what the child has named, which is not to be trusted."""
        if fetched.commits is None:
            raise missing
        base, head = fetched.base, fetched.head
        if missing.paths:
            also = frozenset(missing.paths)
            trees = self._fetch_trees(run, repo, fetched.commits, fetched.head_ref, also=also)
            base, _, head = (
                replace(trees[commit], others=frozenset(), fetched=base.fetched) for commit in fetched.commits
            )
        if missing.sources and self.sources is not None:
            wanted = {PinnedSource(*source): paths for source, paths in missing.sources.items()}
            of_others = {**base.fetched, **self.sources.fetch(wanted)}
            base, head = replace(base, fetched=of_others), replace(head, fetched=of_others)
        named = fetched.named_policies
        if missing.policies:
            named = self.named_policies.read(missing.policies, self._naming_repository(run, fetched))
        return replace(fetched, base=base, head=head, named_policies=named)

    def read_named_rules(self, run: Run, repo: RepositoryClient, pull: PullRequest) -> NamedRules:
        """The rules of the policy sets that the configuration of the base branch names, as far as they are allowed."""
        _, tip = pull_requests.read_base(repo, pull)
        token = self.client.git_token(run.installation_id, run.repository_id)
        url = self._git_url(run)
        tree = self.fetcher.fetch_trees(url, token, {tip: may_name_policies}, api=GitObjects(repo))[tip]
        config = tree.files.get(CONFIG_FILE)
        try:
            texts = parse_policy_folders("" if config is None else config.data.decode("utf-8", "replace"))
        except ConfigError:
            return NamedRules()
        named = self.named_policies.read(texts, NamingRepository(run.repository, tip, self.settings.policies_allowed))
        if not named:
            return NamedRules()
        job = NamedRulesJob(named, installed_opa(), self.settings.data_dir / "wasm", self.policies.current())
        limits = self.settings.check_seconds, self.settings.check_memory_mb
        return sandbox.run_in_child(job, *limits, NAMED_RULES, NamedRules)

    def _naming_repository(self, run: Run, fetched: FetchedPullRequest) -> NamingRepository:
        commit = "" if fetched.commits is None else fetched.commits[1]
        return NamingRepository(run.repository, commit, self.settings.policies_allowed)

    def _check_trees(
        self,
        run: Run,
        fetched: FetchedPullRequest,
        policies: tuple[OperatorPolicies, ...],
        defaults: OwnerDefaults,
        *,
        may_ask: bool = True,
    ) -> Report:
        """The report, made in a child process. EngineUnavailable and EngineKilled ask for another attempt, see
        ENGINE_ATTEMPTS; a check that is killed each time is blamed on what it checks. Only where it `may_ask` it raises
        InputsMissing."""
        base, head = fetched.base, fetched.head
        if not may_ask:
            base, head = replace(base, others=frozenset()), replace(head, others=frozenset())
        try:
            folders = fetched.policy_folders
            job = CheckJob(
                base=without_policies(base, folders),
                base_tip=replace(fetched.base_tip, others=frozenset()),
                head=without_policies(head, folders),
                diff=tuple(file for file in fetched.diff if not is_of_policies(file, folders)),
                today=dt.datetime.now(dt.UTC).date(),
                opa=self.engines.opa(),
                cache_dir=self.settings.data_dir / "wasm",
                seconds=self.settings.check_seconds,
                limits=self.settings.limits,
                rules_url=self.settings.rules_url,
                own_rules_url=self.settings.own_rules_url,
                repository=Repository((self._git_url(run),), fetched.branch),
                renderer=self.renderer,
                renderings=self.fetcher.made(self._git_url(run)),
                may_retry=run.attempt < ENGINE_ATTEMPTS,
                sources=self.sources.sources if may_ask and self.sources is not None else RenderSources(),
                policies=policies,
                naming=self._naming_repository(run, fetched),
                named_policies=fetched.named_policies if may_ask else fetched.named_policies or {},
                opa_program=installed_opa(),
                owner_defaults=defaults,
            )
            report = sandbox.run_check(job, self.settings.check_seconds, self.settings.check_memory_mb)
            for problem in report.problems:
                if problem.code == "engine_unavailable" and run.attempt < ENGINE_ATTEMPTS:
                    raise EngineUnavailable(problem.message)
            report = replace(report, problems=tuple(map(_blame_manifests, report.problems)))
        except EngineError as error:
            attempts = {EngineUnavailable: self.settings.jobs.attempts, EngineKilled: ENGINE_ATTEMPTS}
            if run.attempt < attempts.get(type(error), 0):
                raise
            code = "engine_unavailable" if isinstance(error, EngineUnavailable) else "engine"
            return unevaluated_report(f"The manifests were not evaluated: {error}", code)
        return report


def _recorded_review(
    run: Run, pull: PullRequest, report: Report, conclusion: str, commits: tuple[str, str, str] | None
) -> RecordedReview:
    """What the store keeps of a report, for the commits of a FetchedPullRequest."""
    merge_base, base_tip, _ = commits or ("", "", "")
    return RecordedReview(
        repository_id=run.repository_id,
        number=pull.number,
        head_sha=pull.head_sha,
        merge_base_sha=merge_base,
        base_tip_sha=base_tip,
        verdict=report.verdict,
        conclusion=conclusion,
        policies={one.name: one.digest for one in report.policies if one.state == "active"},
        findings=tuple(RecordedFinding(f.id, f.rule, f.severity, f.blocks) for f in report.findings if f.counts),
        waivers=tuple(
            RecordedWaiver(f.rule, object_name(f.object, f.container), f.waiver.reason, f.waiver.until)
            for f in [f for f in report.findings if f.waiver is not None][:_MAX_WAIVERS]
            if f.waiver is not None
        ),
        not_covered=Counter(problem.code for problem in report.problems if problem.is_uncovered),
    )


def external_id(number: int, head_sha: str) -> str:
    """What names our check of a pull request's head; web/events.py reads the number from it."""
    return f"pr:{number}:{head_sha}"


def _blame_manifests(problem: Problem) -> Problem:
    """Each child first asks OPA a question without manifests, so OPA ran before it got these, in the earlier attempts
    too: they are what ends it or makes it refuse to answer, and no failure of the service."""
    if problem.code != "engine_unavailable":
        return problem
    return replace(problem, code="engine", message=f"{problem.message} It answers without these manifests.")


def unevaluated_report(message: str, code: str = "engine") -> Report:
    """The report of a review that evaluated nothing."""
    return Report(
        verdict="incomplete",
        has_remarks=False,
        gate="enforce",
        engine=Engine("none", "", ""),
        findings=(),
        suggestions=(),
        fixed_findings=(),
        problems=(Problem("", 0, code, message),),
        totals=Totals(0, 0, 0),
        has_base=True,
    )
