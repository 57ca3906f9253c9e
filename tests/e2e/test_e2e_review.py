"""A review from end to end: comments in the right places, suggestions that hold, nothing repeated."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

from tests.demo.layers import layer
from tests.demo.stage import BIN
from tests.e2e.scene import Scene, on_both_databases
from tests.fakegithub.state import ReviewComment
from tests.processes import WAIT_SECONDS

LOST = re.compile("<summary>What each rollout loses: (.*?)</summary>")
LINK = re.compile(r"\]\((http.*?)\)")
SUGGESTION = re.compile(r"^(`{3,})suggestion\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def suggestion_lines(comment: ReviewComment) -> list[str] | None:
    """The lines of the comment's suggestion block, if it has one."""
    found = SUGGESTION.search(comment.body)
    return found[2].splitlines() if found else None


def apply_suggestions(files: dict[str, str], comments: list[ReviewComment]) -> dict[str, str]:
    """What GitHub makes of the files when all suggestions are committed."""
    fixed = {path: text.splitlines() for path, text in files.items()}
    for comment in sorted(comments, key=lambda one: -(one.anchor.line or 0)):
        lines = suggestion_lines(comment)
        if lines is not None:
            last = comment.anchor.line or 0
            fixed[comment.anchor.path][(comment.anchor.start_line or last) - 1 : last] = lines
    return {path: "".join(f"{line}\n" for line in lines) for path, lines in fixed.items()}


@on_both_databases
def test_each_mistake_gets_a_comment_on_its_file(scene: Scene) -> None:
    number = scene.open_and_review(layer("change"))
    assert scene.conclusions(number) == ["failure"]
    assert sorted(comment.anchor.path for comment in scene.comments(number)) == [
        "apps/cart.yaml",
        "apps/catalog.yaml",
        "apps/checkout.yaml",
        "apps/reviews.yaml",
        "apps/web.yaml",
    ]
    assert len(scene.pull(number).reviews) == 1


def test_comments_tell_what_a_rollout_loses_where_their_fixes_help(scene: Scene) -> None:
    number = scene.open_and_review(layer("change"))
    told = {comment.anchor.path: LOST.findall(comment.body) for comment in scene.comments(number)}
    assert told == {
        "apps/cart.yaml": ["like 5.9 s of outage"],
        "apps/catalog.yaml": ["like 1.6 s of outage"],
        "apps/checkout.yaml": [],
        "apps/reviews.yaml": ["like 10 s of outage"],
        "apps/web.yaml": [],
    }
    assert not any(LOST.search(str(check.summary)) for check in scene.checks(number))


def test_every_link_of_a_review_answers(scene: Scene) -> None:
    public = replace(scene, repository=f"{scene.repository}-public")
    scene.fake.create_repository(public.repository, private=False)
    public.push(layer("base"), "main")
    number = public.open_and_review(layer("change"))
    (check,), (review,) = public.checks(number), public.pull(number).reviews
    texts = [str(check.summary), review.body, *(comment.body for comment in public.comments(number))]
    links = {str(check.details_url), *LINK.findall("\n".join(texts))}
    session = scene.service.session
    assert {session.get(link, timeout=WAIT_SECONDS).status_code for link in links} == {200}
    # The report with its rules, and one rule for each finding.
    assert len(links) > 5
    page = session.get(str(check.details_url), timeout=WAIT_SECONDS).text
    assert page.count('<article class="finding"') >= len(public.comments(number))


def test_its_suggestions_applied_verbatim_leave_no_findings(scene: Scene, tmp_path: Path) -> None:
    number = scene.open_and_review(layer("change"))
    assert all(suggestion_lines(comment) for comment in scene.comments(number))
    for path, text in apply_suggestions(layer("base", "change"), scene.comments(number)).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [str(BIN / "gracegate"), "check", "--format", "json", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    left = [(one["file"], one["rule"]) for one in json.loads(done.stdout)["findings"] if not one["waiver"]]
    # It was there before the pull request, whose review therefore only lists it.
    assert set(left) <= {("data/session-store.yaml", "prestop-drain-missing")}


@on_both_databases
def test_the_second_push_resolves_what_it_fixes_and_repeats_nothing(scene: Scene) -> None:
    number = scene.open_and_review(layer("change"))
    before = {comment.id: comment.body for comment in scene.comments(number)}
    scene.push(layer("second"))
    scene.wait_until_reviewed()
    after = {comment.id: comment for comment in scene.comments(number)}
    edited = [one for key, one in after.items() if before.get(key) != one.body]
    assert after.keys() == before.keys()
    assert [(one.anchor.path, one.body[0]) for one in edited] == [("apps/checkout.yaml", "✅")]
    assert (scene.conclusions(number), len(scene.pull(number).reviews)) == (["failure"], 1)


def test_a_push_that_fixes_everything_is_green_and_can_be_merged(scene: Scene) -> None:
    scene.fake.require_checks(scene.repository, "main", ["gracegate"])
    number = scene.open_and_review(layer("change"))
    scene.push(apply_suggestions(layer("base", "change"), scene.comments(number)))
    scene.wait_until_reviewed()
    assert [comment.body[0] for comment in scene.comments(number)] == ["✅"] * 5
    assert scene.conclusions(number) == ["success"]
    assert scene.fake.merge_pull_request(scene.repository, number)


def test_a_pull_request_without_manifests_gets_a_check_and_no_comment(scene: Scene) -> None:
    number = scene.open_and_review({"README.md": "# shop\n"})
    assert (scene.conclusions(number), scene.comments(number), scene.pull(number).reviews) == (["success"], [], [])


def test_a_clean_change_gets_a_check_and_no_comment(scene: Scene) -> None:
    mailer = layer("base")["apps/mailer.yaml"].replace("mailer:1.2.0", "mailer:1.3.0")
    number = scene.open_and_review({"apps/mailer.yaml": mailer})
    assert (scene.conclusions(number), scene.comments(number), scene.pull(number).reviews) == (["success"], [], [])


def test_a_manifest_that_cannot_be_read_is_never_green(scene: Scene) -> None:
    number = scene.open_and_review({"apps/mailer.yaml": layer("base")["apps/mailer.yaml"] + "  broken: [\n"})
    assert (scene.conclusions(number), scene.comments(number)) == (["failure"], [])
    assert "apps/mailer.yaml" in str(scene.checks(number)[0].summary)


def test_a_pull_request_from_a_fork_is_reviewed_like_any_other(scene: Scene) -> None:
    fork = scene.fake.fork(scene.repository, "grace").full_name
    scene.fake.push(fork, "change", layer("change"))
    number = scene.fake.open_pull_request(scene.repository, "change", fork=fork)
    scene.wait_until_reviewed()
    assert (scene.conclusions(number), len(scene.comments(number))) == (["failure"], 5)
