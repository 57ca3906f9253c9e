"""Check runs: one per review, always concluded, with each annotation once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from gracegate.errors import RateLimited
from gracegate.github_app import RepositoryClient, checks
from gracegate.github_app.checks import CheckRun
from tests.github_app.conftest import SHOP, Scenario

NAME = "gracegate"


@dataclass(frozen=True)
class Output:
    conclusion: str = "failure"
    title: str = "2 errors"
    summary: str = "All of it"
    annotations: tuple[dict[str, object], ...] = ()
    actions: tuple[dict[str, str], ...] = ()


def annotations(count: int) -> tuple[dict[str, object], ...]:
    return tuple(
        {
            "path": "web.yaml",
            "start_line": number,
            "end_line": number,
            "annotation_level": "warning",
            "message": f"finding {number}",
            "title": "a rule",
        }
        for number in range(1, count + 1)
    )


def messages(scenario: Scenario, run: CheckRun) -> list[str]:
    return [str(one["message"]) for one in scenario.fake.world.check_runs[run.id].annotations]


def state(scenario: Scenario, run: CheckRun) -> tuple[str, str | None, int]:
    found = scenario.fake.world.check_runs[run.id]
    return found.status, found.conclusion, len(found.annotations)


def test_a_run_from_its_start_to_its_end(scenario: Scenario, repo: RepositoryClient) -> None:
    assert checks.find(repo, scenario.head, NAME, "pr:1") is None
    run = checks.start(repo, scenario.head, "pr:1", NAME, "https://gracegate.example.com/1")
    expected = CheckRun(run.id, NAME, scenario.head, "pr:1", "in_progress", None, 0)
    assert run == expected
    assert checks.find(repo, scenario.head, NAME, "pr:1") == expected
    assert checks.find(repo, scenario.head, NAME, "pr:2") is None
    assert checks.find(repo, scenario.head, "another", "pr:1") is None
    buttons = ({"label": "Re-check", "description": "Review again", "identifier": "recheck"},)
    assert checks.conclude(repo, run, Output(annotations=annotations(2), actions=buttons)) == 0
    shown = {"title": "2 errors", "summary": "All of it"}
    concluded = replace(expected, status="completed", conclusion="failure", annotations=2, **shown)
    assert checks.find(repo, scenario.head, NAME, "pr:1") == concluded
    checks.set_summary(repo, concluded, "Noted")
    assert checks.find(repo, scenario.head, NAME, "pr:1") == replace(concluded, summary="Noted")
    assert scenario.fake.world.check_runs[run.id].actions == [*buttons]
    assert messages(scenario, run) == ["finding 1", "finding 2"]
    assert len(scenario.requests("PATCH")) == 2
    assert scenario.fake.world.check_runs[run.id].details_url == "https://gracegate.example.com/1"


def test_a_run_is_started_once(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    assert checks.start(repo, scenario.head, "pr:1", NAME) == run
    checks.conclude(repo, run, Output())
    assert checks.start(repo, scenario.head, "pr:1", NAME).id != run.id


def test_a_run_that_was_started_is_the_newest_of_its_commit(scenario: Scenario, repo: RepositoryClient) -> None:
    first = checks.start(repo, scenario.head, "pr:1", NAME)
    other = checks.start(repo, scenario.head, "pr:2", NAME)
    again = checks.start(repo, scenario.head, "pr:1", NAME)
    assert first.id < other.id < again.id
    assert [state(scenario, run)[:2] for run in (first, other, again)] == [
        ("completed", "cancelled"),
        ("in_progress", None),
        ("in_progress", None),
    ]
    assert checks.start(repo, scenario.head, "pr:1", NAME) == again


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_whose_start_was_answered_with_502(when: str, scenario: Scenario, repo: RepositoryClient) -> None:
    scenario.fake.fault("POST", "/check-runs", status=502, when=when)
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    assert [one.id for one in scenario.fake.world.check_runs.values()] == [run.id]


def test_runs_of_other_apps_are_ignored(scenario: Scenario, repo: RepositoryClient) -> None:
    checks.start(repo, scenario.head, "pr:1", NAME)
    repo.app_id = lambda: 1
    assert checks.find(repo, scenario.head, NAME, "pr:1") is None


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_annotations_go_in_batches_of_fifty(count: int, scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    assert checks.conclude(repo, run, Output(annotations=annotations(count))) == 0
    assert messages(scenario, run) == [f"finding {number}" for number in range(1, count + 1)]
    assert len(scenario.requests("PATCH")) == max(1, -(-count // 50))
    assert state(scenario, run) == ("completed", "failure", count)


FAULTS = [
    pytest.param({"status": 502, "when": "before"}, id="502 before the effect"),
    pytest.param({"status": 502, "when": "after"}, id="502 after the effect"),
    pytest.param({"status": 429}, id="429 without Retry-After"),
    pytest.param({"status": 403, "headers": {"Retry-After": "9"}}, id="a secondary rate limit"),
    pytest.param({"status": 401}, id="an expired token"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("skip", "count"), [(0, 0), (0, 120), (1, 120), (2, 120)])
def test_the_conclusion_survives(
    fault: dict[str, object], skip: int, count: int, scenario: Scenario, repo: RepositoryClient
) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    scenario.fake.fault("PATCH", "/check-runs", skip=skip, **fault)
    assert checks.conclude(repo, run, Output(annotations=annotations(count))) == 0
    assert state(scenario, run) == ("completed", "failure", count)
    assert messages(scenario, run) == [f"finding {number}" for number in range(1, count + 1)]


def test_an_answer_that_does_not_come(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    scenario.fake.fault("PATCH", "/check-runs", drop=True, when="after", skip=1)
    with scenario.repository_with_short_timeout() as client:
        assert checks.conclude(client, run, Output(annotations=annotations(120))) == 0
    assert messages(scenario, run) == [f"finding {number}" for number in range(1, 121)]


def test_a_run_in_progress_gets_the_annotations_that_it_lacks(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    fake_run = scenario.fake.world.check_runs[run.id]
    fake_run.annotations.extend(dict(one) for one in annotations(50))
    again = checks.start(repo, scenario.head, "pr:1", NAME)
    assert again == replace(run, annotations=50)
    assert checks.conclude(repo, again, Output(annotations=annotations(60))) == 0
    assert messages(scenario, run) == [f"finding {number}" for number in range(1, 61)]
    fake_run.conclusion, fake_run.status = None, "in_progress"
    assert checks.conclude(repo, checks.start(repo, scenario.head, "pr:1", NAME), Output()) == 0
    assert state(scenario, run) == ("completed", "failure", 60)


WRONG = {**annotations(1)[0], "start_line": 9, "end_line": 3}
GOOD = annotations(120)


@pytest.mark.parametrize(
    ("sent", "posted", "refused"),
    [
        pytest.param((*GOOD, WRONG), GOOD[:100], 21, id="the last batch"),
        pytest.param((WRONG, *GOOD), GOOD[49:], 50, id="the first batch"),
        pytest.param((*GOOD[:60], WRONG, *GOOD[60:]), (*GOOD[:50], *GOOD[99:]), 50, id="a batch between"),
        pytest.param((WRONG,), (), 1, id="the only batch"),
    ],
)
def test_a_refused_batch_of_annotations_costs_only_itself(
    sent: tuple[dict[str, object], ...],
    posted: tuple[dict[str, object], ...],
    refused: int,
    scenario: Scenario,
    repo: RepositoryClient,
) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    assert checks.conclude(repo, run, Output(annotations=sent)) == refused
    assert state(scenario, run) == ("completed", "failure", len(posted))
    assert messages(scenario, run) == [one["message"] for one in posted]


def test_a_new_text_leaves_the_conclusion_and_the_annotations(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    checks.conclude(repo, run, Output(annotations=annotations(2)))
    checks.update_text(repo, run, Output(conclusion="success", title="Other", summary="Another"))
    found = scenario.fake.world.check_runs[run.id]
    assert (state(scenario, run), found.title, found.summary) == (("completed", "failure", 2), "Other", "Another")


def test_a_long_rate_limit_is_raised(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    scenario.fake.fault("PATCH", "/check-runs", status=429, headers={"Retry-After": "900"})
    with pytest.raises(RateLimited) as limited:
        checks.conclude(repo, run, Output())
    assert limited.value.seconds == 900


def test_long_texts_are_cut(scenario: Scenario, repo: RepositoryClient) -> None:
    run = checks.start(repo, scenario.head, "pr:1", NAME)
    summary = "".join(f"- ünlücke {number}\n" for number in range(20_000))
    long = {**annotations(1)[0], "message": "ü" * 70_000}
    assert checks.conclude(repo, run, Output(title="€" * 300, summary=summary, annotations=(long,))) == 0
    found = scenario.fake.world.check_runs[run.id]
    assert len((found.summary or "").encode()) <= 65_535
    assert (found.summary or "").endswith("prints all of it._")
    assert len((found.title or "").encode()) <= 255
    assert len(messages(scenario, run)[0].encode()) <= 64_000
    assert scenario.fake.repository(SHOP).full_name == SHOP
