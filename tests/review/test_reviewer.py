"""A review from the pull request to its comments, over HTTP and git, with the check in its child process."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from gracegate.errors import EngineKilled, EngineUnavailable, Gone, RateLimited, Refused, Superseded
from gracegate.github_app import checks
from gracegate.manifests import may_be_read
from gracegate.model import NOT_COVERED, RenderSources, Repository
from gracegate.outputs import CheckOutput
from gracegate.policy import load_builtin
from gracegate.policy.engines import PolicyEngines, rules_bundle
from gracegate.render_sources import SourceFetcher
from gracegate.review import comment_poster, sandbox
from gracegate.store import Delivery, Outcome, PullHead, RecordedWaiver, deliveries, repositories, reviews, runs
from gracegate.store.tables import REPORT, VERDICT
from tests.fakegithub.gitdir import Link, Submodule
from tests.fakegithub.people import Files
from tests.policy.engines.test_opa_server import running_opa
from tests.processes import WAIT_SECONDS
from tests.review.conftest import SHOP, Stage, do_during_review, is_current
from tests.runs import claim
from tests.shop import DEPLOYMENT, DRAIN, SERVICE, WITHOUT_BOTH, WITHOUT_DRAIN


def test_rules_link_to_their_pages_where_those_are_served(stage: Stage) -> None:
    settings = replace(stage.reviewer.settings, rules_url="https://docs.example.com/rules")
    reviewer = replace(stage.reviewer, settings=settings)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    reviewer.review(stage.run(number), is_current)
    page = "[`prestop-drain-missing`](https://docs.example.com/rules/prestop-drain-missing.md)"
    (run,) = stage.fake.world.check_runs.values()
    assert page in stage.comments(number)[0][2]
    assert page in (run.summary or "")


def test_a_pull_request_without_manifests_gets_a_check_and_no_comment(stage: Stage) -> None:
    number = stage.open_pull_request({"README.md": "hello"})
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.verdict, stage.checks(), stage.comments(number)) == ("pass", [("completed", "success")], [])


def test_a_review_without_git_is_the_same(stage: Stage) -> None:
    stage.fake.push(SHOP, "main", {"apps/other.yaml": DEPLOYMENT, ".gracegate.yaml": "profile: strict\n"})
    seen = []
    for is_refused in (False, True):
        if is_refused:
            stage.fake.fault(path=r"\.git/", status=404, times=100)
        files = {"web.yaml": WITHOUT_DRAIN, "vendor/lib": Submodule("1" * 40), "current": Link("apps")}
        stage.fake.push(SHOP, f"change-{is_refused}", files, onto="main")
        number = stage.fake.open_pull_request(SHOP, f"change-{is_refused}")
        stage.reviewer.review(stage.run(number, head_sha=stage.fake.pull(SHOP, number).head_sha), is_current)
        seen.append((summary(stage), stage.comments(number)))
    assert seen[0] == seen[1]
    assert [(one.status, one.path.partition("/git/")[2]) for one in stage.fake.log if "/git/blobs/" in one.path] != []


def test_a_repository_that_is_gone_for_git_and_the_api_is_gone(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.fault(path=r"\.git/|/git/", status=404, times=100)
    with pytest.raises(Gone):
        stage.reviewer.review(stage.run(number), is_current)


LIB = {"vendor/lib": Submodule("1" * 40)}
APPS = {"apps/web.yaml": DEPLOYMENT, "docs/index.html": "x\n", "current": Link("apps")}
# What the base branch has and what changes; the conclusion, and what the check names.
BESIDE_MANIFESTS = {
    "a picture": ({"logo.png": b"\x89\0"}, {"logo.png": b"\x89\0\1"}, "success", None),
    "a submodule": (LIB, {"vendor/lib": Submodule("2" * 40)}, "neutral", "vendor/lib"),
    "a removed submodule": (LIB, {"vendor/lib": None}, "neutral", "vendor/lib"),
    "an excluded submodule": (
        LIB | {".gracegate.yaml": "exclude: [vendor]\n"}, {"vendor/lib": Submodule("2" * 40)}, "success", None,
    ),
    "a link to other files": (APPS, {"latest": Link("docs")}, "success", None),
    "a link to manifests": (APPS, {"latest": Link("apps")}, "neutral", "latest"),
    "a link away from manifests": (APPS, {"current": Link("docs")}, "neutral", "current"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("base", "head", "conclusion", "named"), BESIDE_MANIFESTS.values(), ids=BESIDE_MANIFESTS.keys()
)
def test_what_may_lead_to_manifests_is_named_and_neutral(
    stage: Stage, base: Files, head: Files, conclusion: str, named: str | None
) -> None:
    stage.fake.push(SHOP, "main", base)
    stage.fake.push(SHOP, "change", head, onto="main")
    stage.reviewer.review(stage.run(stage.fake.open_pull_request(SHOP, "change")), is_current)
    assert stage.checks() == [("completed", conclusion)]
    assert (f"`{named}`: " in summary(stage)) is (named is not None)


def test_a_finding_is_commented_once_and_blocks_until_it_is_fixed(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    first = stage.reviewer.review(stage.run(number), is_current)
    (comment,) = stage.comments(number)
    assert (first.verdict, len(stage.comments(number)), stage.checks()) == ("fail", 1, [("completed", "failure")])
    assert (comment[:2], annotations(stage)) == (("web.yaml", 19), [])
    assert "### Explained in comments" in summary(stage)

    stage.reviewer.review(stage.run(number), is_current)
    assert stage.comments(number) == [comment]

    stage.fake.push(SHOP, "change", {"web.yaml": DEPLOYMENT})
    second = stage.reviewer.review(stage.run(number), is_current)
    ((path, _, title),) = stage.comments(number)
    assert (second.verdict, path) == ("pass", "web.yaml")
    assert (title.startswith("✅ ~~"), title.endswith(f"Fixed in {stage.head()[:7]}.")) == (True, True)
    assert stage.checks()[-1] == ("completed", "success")


def test_a_rollout_is_told_once_and_again_when_its_comment_is_edited(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_BOTH})
    told = []
    for web in (WITHOUT_BOTH, WITHOUT_DRAIN, DEPLOYMENT):
        stage.fake.push(SHOP, "change", {"web.yaml": web})
        stage.reviewer.review(stage.run(number), is_current)
        (comment,) = stage.fake.pull(SHOP, number).comments
        told.append((comment.body[0], re.findall(r"loses: (.*?)</summary>", comment.body)))
    # What a resolved comment said is collapsed.
    assert told == [
        ("❌", ["like 10 s of outage"]),
        ("❌", ["like 1.6 s of outage"]),
        ("✅", ["like 1.6 s of outage"]),
    ]


def test_the_store_keeps_what_a_review_evaluated_and_found(stage: Stage) -> None:
    base = stage.fake.push(SHOP, "main", {"notes.md": "x"})
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    tip = stage.fake.push(SHOP, "main", {"notes.md": "y"})
    stage.reviewer.review(stage.run(number), is_current)
    with stage.reviewer.store.reading() as tx:
        (review,) = reviews.newest_reviews(tx, stage.repository_id, 10)
    commits = review.merge_base_sha, review.base_tip_sha, review.head_sha
    assert (review.number, commits) == (number, (base, tip, stage.head()))
    assert (review.verdict, review.conclusion) == ("fail", "failure")
    assert review.policies == {"gracegate": load_builtin().digest}
    assert [(one.rule, one.level, one.blocks) for one in review.findings] == [("prestop-drain-missing", "error", True)]


def test_what_is_waived_and_not_covered_is_recorded(stage: Stage) -> None:
    waived = (
        "  name: web\n  annotations: {gracegate.dev/ignore: prestop-drain-missing, gracegate.dev/ignore-reason: Fine}\n"
    )
    base = "resources: [https://example.com/a//b?ref=main]\n"
    files = {"web.yaml": WITHOUT_DRAIN.replace("  name: web\n", waived, 1), "apps/kustomization.yaml": base}
    number = stage.open_pull_request(files)
    stage.reviewer.review(stage.run(number), is_current)
    with stage.reviewer.store.reading() as tx:
        (review,) = reviews.newest_reviews(tx, stage.repository_id, 10)
        (repository,) = repositories.reviewed(tx, [stage.repository_id], None, 10)
    waiver = RecordedWaiver("prestop-drain-missing", "Deployment web, container web", "Fine", None)
    assert (review.waivers, repository.full_name) == ((waiver,), SHOP)
    assert set(review.not_covered) <= NOT_COVERED
    assert sum(review.not_covered.values()) == 1


def reports_of(stage: Stage) -> list[tuple[int, str, str]]:
    with stage.reviewer.store.reading() as tx:
        return [(row.number, row.head_sha, row.repository) for row in tx.execute(REPORT.select())]


@pytest.mark.parametrize("secret", ["", "secret"])
def test_a_check_of_a_private_repository_links_to_its_report_where_people_sign_in(stage: Stage, secret: str) -> None:
    settings = replace(stage.reviewer.settings, public_url="https://gate.example.com", client_secret=secret)
    reviewer = replace(stage.reviewer, settings=settings)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    (repository,) = stage.fake.world.repositories.values()
    seen = []
    for private in (False, True):
        repository.private = private
        reviewer.review(stage.run(number), is_current)
        (*_, check) = stage.fake.world.check_runs.values()
        seen.append((check.details_url, reports_of(stage)))
    address = f"https://gate.example.com/reports/{repository.id}/{number}/{stage.head()}"
    shown = (address, [(number, stage.head(), SHOP)])
    assert seen == [shown, shown if secret else (None, [])]
    with stage.reviewer.store.reading() as tx:
        assert not repositories.is_public(tx, repository.id)
    (review,) = stage.fake.pull(SHOP, number).reviews
    assert f"[All findings]({address})" in review.body


def test_a_comment_on_a_workload_that_is_gone_does_not_say_fixed(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "change", {"web.yaml": WITHOUT_DRAIN.replace("replicas: 2", "replicas: 0")})
    stage.reviewer.review(stage.run(number), is_current)
    ((_, _, title),) = stage.comments(number)
    assert (title[:1], title.endswith(f"No longer there in {stage.head()[:7]}.")) == ("✅", True)


def test_a_finding_that_gets_no_comment_after_all_is_annotated(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when earlier comments leave no room for it."""
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    plan = comment_poster.plan_comments
    monkeypatch.setattr(
        comment_poster,
        "plan_comments",
        lambda *given: replace(plan(*given), new_comments=(), commented=frozenset()),
    )
    stage.reviewer.review(stage.run(number), is_current)
    assert (stage.comments(number), annotations(stage)) == ([], [("web.yaml", 14)])
    assert ("### Explained in comments" in summary(stage), REFUSED in summary(stage)) == (False, False)


def test_a_closed_pull_request_gets_no_check(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.close_pull_request(SHOP, number)
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.state, stage.checks(), stage.comments(number)) == ("cancelled", [], [])


def test_a_pull_request_that_is_closed_during_its_review_is_cancelled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    do_during_review(stage, monkeypatch, lambda: stage.fake.close_pull_request(SHOP, number))
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.state, stage.checks(), stage.comments(number)) == ("cancelled", [("completed", "cancelled")], [])


def test_a_pull_request_whose_fork_was_deleted_is_reviewed(stage: Stage) -> None:
    fork = stage.fake.fork(SHOP, "grace").full_name
    stage.fake.push(fork, "change", {"web.yaml": WITHOUT_DRAIN})
    number = stage.fake.open_pull_request(SHOP, "change", fork=fork)
    stage.fake.delete_fork(fork)
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.verdict, len(stage.comments(number))) == ("fail", 1)


def test_a_force_push_during_the_review_supersedes_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    do_during_review(stage, monkeypatch, lambda: stage.fake.push(SHOP, "change", {"web.yaml": DEPLOYMENT}, onto="main"))
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.state, stage.checks(), stage.comments(number)) == ("superseded", [("completed", "cancelled")], [])


def test_a_superseded_review_writes_nothing(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})

    def is_superseded() -> None:
        raise Superseded("a newer head is waiting")

    with pytest.raises(Superseded):
        stage.reviewer.review(stage.run(number), is_superseded)
    assert [w for w in stage.writes() if "access_tokens" not in w] == []


def test_an_engine_that_does_not_answer_is_waited_for_and_then_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})

    def raise_unavailable(self: PolicyEngines) -> None:
        raise EngineUnavailable("no OPA answers at http://127.0.0.1:1")

    monkeypatch.setattr(PolicyEngines, "opa", raise_unavailable)
    last = stage.reviewer.settings.jobs.attempts - 1
    for failures in range(last):
        with pytest.raises(EngineUnavailable):
            stage.reviewer.review(stage.run(number, failures=failures), is_current)
    assert stage.checks() == [("in_progress", None)]

    outcome = stage.reviewer.review(stage.run(number, failures=last), is_current)
    assert (outcome.verdict, stage.checks()) == ("incomplete", [("completed", "failure")])


class DyingOpa(BaseHTTPRequestHandler):
    """A real OPA that does not survive a manifest; the next question finds it restarted."""

    opa: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if json.loads(body)["input"].get("documents"):
            return
        answer = requests.post(f"{self.opa}{self.path}", data=body, timeout=WAIT_SECONDS)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def dying_opa(opa: Path, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "rules.tar.gz").write_bytes(rules_bundle(load_builtin()))
    with (
        running_opa(opa, tmp_path, "--bundle", "rules.tar.gz") as url,
        ThreadingHTTPServer(("127.0.0.1", 0), DyingOpa) as server,
    ):
        DyingOpa.opa = url
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_manifests_that_end_opa_are_no_failure_of_the_service(stage: Stage, dying_opa: str) -> None:
    settings = replace(stage.reviewer.settings, on_incomplete="neutral")
    reviewer = replace(stage.reviewer, settings=settings, engines=PolicyEngines(dying_opa, None, WAIT_SECONDS))
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    for failures in (0, 1):
        with pytest.raises(EngineUnavailable):
            reviewer.review(stage.run(number, failures=failures), is_current)
    outcome = reviewer.review(stage.run(number, failures=2), is_current)
    assert (outcome.verdict, stage.checks()[-1]) == ("incomplete", ("completed", "failure"))
    assert "It answers without these manifests." in summary(stage)


def test_a_check_that_is_killed_is_made_again_and_then_blamed_on_the_manifests(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(stage.reviewer.settings, on_incomplete="neutral")
    reviewer = replace(stage.reviewer, settings=settings)
    number = stage.open_pull_request({"web.yaml": DEPLOYMENT})

    def raise_killed(*_: object) -> None:
        raise EngineKilled("the check was ended by SIGKILL")

    monkeypatch.setattr(sandbox, "run_check", raise_killed)
    # Deaths of the worker say nothing of the check.
    for failures in (0, 1):
        with pytest.raises(EngineKilled):
            reviewer.review(stage.run(number, failures=failures, crashes=4), is_current)
    outcome = reviewer.review(stage.run(number, failures=2), is_current)
    assert (outcome.verdict, stage.checks()) == ("incomplete", [("completed", "failure")])
    assert "ended by SIGKILL" in summary(stage)


def test_a_check_that_takes_too_long_is_a_failure_whatever_the_operator_chose(stage: Stage) -> None:
    settings = replace(stage.reviewer.settings, on_incomplete="neutral", check_seconds=0.01)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    outcome = replace(stage.reviewer, settings=settings).review(stage.run(number), is_current)
    assert (outcome.verdict, stage.checks()) == ("incomplete", [("completed", "failure")])


def test_a_review_that_failed_for_good_concludes_its_check(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.reviewer.conclude_as_incomplete(stage.run(number), "GitHub did not answer")
    assert stage.checks() == [("completed", "failure")]


LOCKED = "because the conversation of this pull request is locked."
REFUSED = "GitHub refused comments on this pull request"


def annotations(stage: Stage) -> list[tuple[str, int]]:
    """Path and line of each annotation of the newest check."""
    run = list(stage.fake.world.check_runs.values())[-1]
    return [(one["path"], one["start_line"]) for one in run.annotations]


def summary(stage: Stage) -> str:
    return list(stage.fake.world.check_runs.values())[-1].summary or ""


@pytest.mark.parametrize(
    ("files", "conclusion", "is_noted"),
    [({"README.md": "hello"}, "success", False), ({"web.yaml": WITHOUT_DRAIN}, "failure", True)],
)
def test_a_locked_conversation_is_said_in_the_check(
    stage: Stage, files: dict[str, str], conclusion: str, is_noted: bool
) -> None:
    number = stage.open_pull_request(files)
    stage.fake.lock_pull_request(SHOP, number)
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.state, stage.checks(), stage.comments(number)) == ("done", [("completed", conclusion)], [])
    assert (LOCKED in summary(stage), len(annotations(stage))) == (is_noted, is_noted)
    assert [w for w in stage.writes() if "/pulls/" in w] == []


@pytest.mark.parametrize(
    ("path", "status"), [("/reviews$", 403), ("/reviews$", 404), ("/pulls/1/(reviews|comments)$", 422)]
)
def test_a_refusal_to_comment_leaves_the_verdict(stage: Stage, path: str, status: int) -> None:
    """As for a conversation that is locked during the review, or an archived repository."""
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.fault("POST", path, status=status, body='{"message": "no"}', times=99)
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.state, outcome.conclusion, stage.checks()) == ("done", "failure", [("completed", "failure")])
    assert (REFUSED in summary(stage), stage.comments(number)) == (True, [])
    assert annotations(stage) == [("web.yaml", 14)]


@pytest.mark.parametrize("status", [403, 404, 422])
@pytest.mark.parametrize("path", ["^/app$", "/pulls/1/comments$"])
def test_a_refusal_to_show_the_comments_is_believed_at_the_third_attempt(stage: Stage, path: str, status: int) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.fault("GET", path, status=status, body='{"message": "no"}', times=-1)
    for failures in (0, 1):
        with pytest.raises((Gone, Refused)):
            stage.reviewer.review(stage.run(number, failures=failures), is_current)
    outcome = stage.reviewer.review(stage.run(number, failures=2), is_current)
    assert (outcome.state, outcome.conclusion, stage.comments(number)) == ("done", "failure", [])
    assert REFUSED in summary(stage)


@pytest.mark.parametrize("status", [403, 404, 422])
def test_an_edit_that_is_refused_costs_only_itself(stage: Stage, status: int) -> None:
    names = ("a", "b")
    faulty = {f"{name}.yaml": WITHOUT_DRAIN.replace("name: web", f"name: {name}") for name in names}
    number = stage.open_pull_request(faulty)
    stage.reviewer.review(stage.run(number), is_current)
    stage.fake.push(SHOP, "change", {path: text + DRAIN for path, text in faulty.items()})
    refused = stage.fake.fault("PATCH", "/pulls/comments/", status=status, body='{"message": "no"}')
    outcome = stage.reviewer.review(stage.run(number), is_current)
    assert (outcome.conclusion, refused.times) == ("success", 0)
    assert sorted(text[0] for _, _, text in stage.comments(number)) == ["✅", "❌"]
    # Where the comment is gone there is nothing to say.
    assert (REFUSED in summary(stage)) == (status != 404)


def test_further_attempts_post_the_comments_and_leave_the_check(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.fake.fault("GET", "/pulls/1/comments$", status=429, headers={"Retry-After": "900"}, times=2)
    store = stage.reviewer.store
    delivery = Delivery("d", "pull_request", "opened", stage.installation, stage.repository_id, SHOP)
    with store.transaction() as tx:
        deliveries.accept(tx, delivery, [PullHead(number, stage.head())])

    def review(fence: int) -> Outcome:
        run = claim(store, f"d/{number}", fence)
        assert run is not None
        return stage.reviewer.review(run, is_current)

    for fence in (1, 2):
        with pytest.raises(RateLimited):
            review(fence)
        with store.transaction() as tx:
            assert [(row.number, row.verdict) for row in tx.execute(VERDICT.select())] == [(number, "fail")]
            runs.requeue(tx, f"d/{number}", fence)
    assert (review(3).conclusion, stage.checks()) == ("failure", [("completed", "failure")])
    assert len(stage.comments(number)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["failure"]),
        (["success"], ["success"]),
        (["neutral"], ["neutral"]),
        (["cancelled"], ["cancelled", "failure"]),
        (["success", None], ["success", "failure"]),
    ],
)
def test_giving_up_replaces_no_verdict(stage: Stage, before: list[str | None], after: list[str | None]) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    with stage.reviewer.client.repository(stage.installation, stage.repository_id, SHOP) as repo:
        for conclusion in before:
            check = checks.start(repo, stage.head(), f"pr:{number}:{stage.head()}", "gracegate")
            if conclusion is not None:
                checks.conclude(repo, check, CheckOutput(conclusion, "", "", ()))  # type: ignore[arg-type]
    stage.reviewer.conclude_as_incomplete(stage.run(number), "GitHub did not answer")
    assert [conclusion for _, conclusion in stage.checks()] == after


GENERATOR = "configMapGenerator: [{name: settings, files: [app.conf]}]\n"
OVERLAY = {
    "base/kustomization.yaml": f"resources: [web.yaml]\n{GENERATOR}",
    "base/web.yaml": f"{DEPLOYMENT}---\n{SERVICE}",
    "base/app.conf": "workers 4\n",
    "prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
}


@pytest.mark.parametrize("is_refused", [False, True], ids=["git", "API"])
def test_what_a_root_reads_is_fetched_when_it_is_known(stage: Stage, renderer: Path, is_refused: bool) -> None:
    if is_refused:
        stage.fake.fault(path=r"\.git/", status=404, times=100)
    stage.fake.push(SHOP, "main", OVERLAY)
    number = stage.open_pull_request({"base/web.yaml": f"{WITHOUT_DRAIN}---\n{SERVICE}"})
    reviewer = replace(stage.reviewer, renderer=renderer)
    outcome = reviewer.review(stage.run(number), is_current)
    assert (outcome.verdict, stage.checks()) == ("fail", [("completed", "failure")])
    assert [path for path, _, _ in stage.comments(number)] == ["base/web.yaml"]


OF_PLATFORM = {
    "base/kustomization.yaml": f"resources: [web.yaml]\n{GENERATOR}",
    "base/web.yaml": OVERLAY["base/web.yaml"],
    "base/app.conf": "workers 4\n",
}


def overlay_of(url: str, sha: str) -> dict[str, str]:
    return {"prod/kustomization.yaml": f"resources:\n- {url}//base?ref={sha}\nnamePrefix: prod-\n"}


@pytest.mark.parametrize(
    ("private", "pattern", "verdict", "findings"),
    [
        (False, "{}/shop/*", "fail", ["prod/kustomization.yaml"]),
        # The service has fetched it with a token before, for a review of its own.
        (True, "{}/shop/*", "pass", []),
        (False, "{}/shop/web", "pass", []),
    ],
    ids=["allowed", "private", "not allowed"],
)
def test_a_commit_of_another_repository_is_fetched_where_that_is_allowed(
    stage: Stage, renderer: Path, *, private: bool, pattern: str, verdict: str, findings: list[str]
) -> None:
    platform = stage.fake.create_repository("shop/platform", private=private)
    old = stage.fake.push("shop/platform", "main", OF_PLATFORM)
    new = stage.fake.push("shop/platform", "main", {"base/web.yaml": f"{WITHOUT_DRAIN}---\n{SERVICE}"})
    url = f"{stage.fake.git_url}/shop/platform.git"
    if private:
        token = stage.reviewer.client.git_token(stage.installation, platform.id)
        stage.reviewer.fetcher.fetch_trees(url, token, dict.fromkeys((old, new), may_be_read))
    stage.fake.push(SHOP, "main", overlay_of(url, old))
    number = stage.open_pull_request(overlay_of(url, new))
    allowed = RenderSources((pattern.format(stage.fake.git_url),))
    sources = SourceFetcher(stage.reviewer.settings.data_dir / "sources", allowed, may_be_read, 10**7, {})
    reviewer = replace(stage.reviewer, renderer=renderer, sources=sources)
    outcome = reviewer.review(stage.run(number), is_current)
    conclusion = "failure" if findings else "neutral"
    assert (outcome.verdict, stage.checks()) == (verdict, [("completed", conclusion)])
    assert [path for path, _, _ in stage.comments(number)] == findings


def test_an_application_of_this_repository_is_known_by_its_address_and_branch(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    run_check = sandbox.run_check
    monkeypatch.setattr(sandbox, "run_check", lambda job, *more: seen.append(job.repository) or run_check(job, *more))
    stage.reviewer.review(stage.run(stage.open_pull_request({"web.yaml": DEPLOYMENT})), is_current)
    assert seen == [Repository((f"{stage.fake.git_url}/{SHOP}.git",), "main")]
