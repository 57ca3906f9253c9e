"""The playground as a page: a form with a rule and manifests, and their review beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gracegate.model import Report
from gracegate.outputs import check_run, phrasing
from gracegate.outputs.html import Navigation, Picture, group_by_workload, render_template


@dataclass(frozen=True, slots=True)
class PlaygroundForm:
    """What the form holds. `only` is the id of a rule, `own_rule` of the page, or "" for all rules."""

    rego: str = ""
    manifests: str = ""
    before: str = ""
    only: str = ""


@dataclass(frozen=True, slots=True)
class PlaygroundPage:
    """The form, and what came of it: why nothing was reviewed, or the report. `mistakes` in the rule have a line, 0 for
    none. `rules` are the ids to choose from by group; where it does not take rules, only built-in ones are evaluated.
    """

    form: PlaygroundForm
    rules: Mapping[str, Sequence[str]]
    own_rule: str
    takes_rules: bool
    refused: str = ""
    report: Report | None = None
    pictures: Sequence[Picture] = ()
    mistakes: Sequence[tuple[int, str]] = ()
    prints: Sequence[str] = ()
    rule_seconds: float | None = None


def render_playground(page: PlaygroundPage, *, stylesheet: str, navigation: Navigation) -> str:
    """The page; links to lines lead to `#manifests:12`, which its script shows in the form."""
    report = page.report
    headline, opening = ("", "") if report is None else check_run.headline(report)
    conclusion = check_run.conclusion(report) if report else ""
    if report and not report.totals.documents and not report.problems:
        headline, opening, conclusion = "Nothing to review", "There is no object in it that a rule reads.", "neutral"
    shown = phrasing.sort_findings(f for f in report.findings if f.waiver is None and not f.is_note) if report else ()
    former = [f for f in shown if not f.counts]
    pictures = {picture.object: [picture] for picture in page.pictures}
    problems = report.problems if report else ()
    return render_template(
        "playground.html",
        title="Playground",
        stylesheet=stylesheet,
        navigation=navigation,
        page=page,
        form=page.form,
        rules=[(group.replace("_", " "), ids) for group, ids in page.rules.items()],
        report=report,
        headline=headline,
        opening=opening,
        conclusion=conclusion,
        introduced=group_by_workload([f for f in shown if f.counts], pictures),
        former=group_by_workload(former, {}),
        former_tally=phrasing.tally(former, " and "),
        notes=[f for f in report.findings if f.counts and f.is_note] if report else (),
        waived=[f for f in report.findings if f.waiver is not None] if report else (),
        not_evaluated=[p for p in problems if p.blocks],
        not_covered=[p for p in problems if p.is_uncovered],
        excerpts={(one.file, one.line): one for one in report.excerpts} if report else {},
        has_frames=False,  # the lines stand beside it
        file_url=lambda file, line: f"#{file.partition('.')[0]}:{line}",
    )


@cache
def playground_script() -> str:
    """The only script of all pages."""
    return (files("gracegate.outputs") / "templates" / "playground.js").read_text(encoding="utf-8")
