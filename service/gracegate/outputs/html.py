"""A report as a page: all findings with their lines and verified fixes, and what each rollout loses.

Whatever comes from manifests is escaped by the templates; there is no script, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import quote

from gracegate.model import (
    IGNORE_ANNOTATION,
    IGNORE_REASON_ANNOTATION,
    REASON_TO_WRITE,
    Finding,
    ObjectRef,
    Report,
    Rollout,
)
from gracegate.outputs import charts, check_run, phrasing, rollout_svg
from gracegate.outputs.markdown import printable
from gracegate.outputs.rollout_phrasing import outage
from gracegate.rollout import estimate_rollout

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

MAX_FINDINGS = 500
MAX_PICTURES = 20
"""Each takes up to 0.4 s of computing time and 20 kB of a page."""
OWN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of a page that is one file."""

_QUOTED = re.compile(r'("[^"]*"|(?<!`)`[^`]+`(?!`))')
_VERDICTS: Mapping[check_run.Conclusion, str] = {
    "failure": "The check fails",
    "neutral": "The check passes with remarks",
    "success": "The check passes",
    "cancelled": "The check was cancelled",
}
_LINE_KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True, slots=True)
class Navigation:
    """The links at the top of a page, as (address, words); `account` leads to who looks at it, or to the sign-in."""

    links: tuple[tuple[str, str], ...] = ()
    account: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What a page says of its check beside the report. `subject` is what was checked, and `commit` of what state.

    `files_url` is the folder in which the files can be seen, and `checked_at` is written out. `left_out` findings are
    not in the report. Without a `stylesheet` the page is one file, with its own.
    """

    repository: str = ""
    subject: str = ""
    subject_url: str = ""
    commit: str = ""
    files_url: str = ""
    checked_at: str = ""
    left_out: int = 0
    stylesheet: str = ""
    navigation: Navigation | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """What a rollout of an object loses: in words as it is, and as an SVG before and after all fixes."""

    object: ObjectRef
    words: str
    svg: str

    @property
    def url(self) -> str:
        """The picture itself, as the source of an image: its styles touch nothing of the page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with its findings, the worst first."""

    name: str
    findings: Sequence[Finding]
    pictures: Sequence[Picture]


def render(report: Report) -> str:
    """The page as one file."""
    return render_report(report, ReportContext(), draw_rollouts(report.rollouts))


def draw_rollouts(rollouts: Iterable[Rollout]) -> tuple[Picture, ...]:
    """The pictures of those of the first MAX_PICTURES rollouts that lose something, as far as that is known."""
    estimates = map(estimate_rollout, [*rollouts][:MAX_PICTURES])
    return tuple(
        Picture(found.rollout.object, outage(found.before), rollout_svg.render([found]))
        for found in estimates
        if found.before is not None and not found.before.is_zero
    )


def render_report(report: Report, context: ReportContext, pictures: Iterable[Picture] = ()) -> str:
    """The page of a report; it shows at most MAX_FINDINGS, the worst ones."""
    by_object: dict[ObjectRef, list[Picture]] = {}
    for picture in pictures:
        by_object.setdefault(picture.object, []).append(picture)
    findings = phrasing.sort_findings(f for f in report.findings if f.waiver is None and not f.is_note)
    introduced = [f for f in findings if f.counts]
    former = [f for f in findings if not f.counts]
    headline, opening = check_run.headline(report)
    conclusion = check_run.conclusion(report)
    preview = report.config_preview
    outcomes = {"fail": "fail", "incomplete": "be incomplete", "pass": "pass", None: "be unknown"}
    by_id = {f.id: f for f in report.findings}
    return render_template(
        "report.html",
        title=headline,
        stylesheet=context.stylesheet,
        navigation=context.navigation,
        page=context,
        report=report,
        headline=headline,
        opening=opening,
        conclusion=conclusion,
        verdict_words=_VERDICTS[conclusion],
        introduced=group_by_workload(introduced[:MAX_FINDINGS], by_object),
        former=group_by_workload(former[: max(0, MAX_FINDINGS - len(introduced))], by_object),
        former_tally=phrasing.tally(former, " and "),
        left_out=context.left_out + max(0, len(findings) - MAX_FINDINGS),
        most=MAX_FINDINGS,
        notes=[f for f in report.findings if f.counts and f.is_note],
        not_evaluated=[p for p in report.problems if p.blocks],
        not_covered=[p for p in report.problems if p.is_uncovered],
        remarks_on_files=[p for p in report.problems if check_run.is_note_of_problem(p)],
        waived=phrasing.sort_findings(f for f in report.findings if f.waiver is not None),
        silenced=[by_id[one] for one in (preview.silenced if preview else ()) if one in by_id],
        preview_outcome=outcomes[preview.verdict if preview else None],
        excerpts={(one.file, one.line): one for one in report.excerpts},
        has_frames=True,
        file_url=lambda file, line: _file_url(context.files_url, file, line),
    )


def group_by_workload(findings: Iterable[Finding], pictures: Mapping[ObjectRef, Sequence[Picture]]) -> list[Workload]:
    """The object with the worst finding first."""
    by_object: dict[ObjectRef, list[Finding]] = {}
    for finding in findings:
        by_object.setdefault(finding.object, []).append(finding)
    return [
        Workload(phrasing.object_name(ref), found, pictures.get(ref, ()) if any(f.counts for f in found) else ())
        for ref, found in by_object.items()
    ]


def _file_url(folder: str, file: str, line: int) -> str:
    return f"{folder}/{quote(file)}{f'#L{line}' if line else ''}" if folder else ""


def render_template(name: str, **values: Any) -> str:
    """A template of this room, with the texts that all of them use."""
    from markupsafe import Markup  # noqa: PLC0415

    values.setdefault("navigation", None)
    own = {"style": "", "policy": ""} if values["stylesheet"] else {"style": Markup(stylesheet()), "policy": OWN_POLICY}  # noqa: S704 - ours
    return _environment().get_template(name).render(**own, **values) + "\n"


@cache
def stylesheet() -> str:
    """The only stylesheet of all pages."""
    return (files("gracegate.outputs") / "templates" / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    # Only this format needs it, and a command has to start quickly.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415
    from markupsafe import Markup  # noqa: PLC0415

    loader = PackageLoader("gracegate.outputs")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_visible)
    environment.globals.update(
        bar=lambda value, most: Markup(charts.bar(value, most)),  # noqa: S704 - of numbers
        strip=lambda outcomes: Markup(charts.strip(outcomes)),  # noqa: S704 - as above
        weeks_chart=lambda weeks: Markup(charts.weeks(weeks)),  # noqa: S704 - as above
        outcome_words=charts.OUTCOMES,
        tally=charts.tally,
        time=_time,
        duration=_duration,
        diff_lines=_diff_lines,
        has_advice=phrasing.has_advice,
        ignore_annotation=IGNORE_ANNOTATION,
        ignore_reason_annotation=IGNORE_REASON_ANNOTATION,
        json=lambda value: json.dumps(value, ensure_ascii=False, default=str),
        location=lambda file, line: phrasing.location(printable(file), line),
        next_step=phrasing.next_step,
        object_name=phrasing.object_name,
        plural=phrasing.plural,
        printable=printable,
        prose=_prose,
        reason=phrasing.reason,
        reason_to_write=REASON_TO_WRITE,
        remarks=phrasing.remarks,
        sentence=phrasing.sentence,
        step_action=phrasing.step_action,
        step_actions=phrasing.step_actions,
        why_no_steps=phrasing.why_no_steps,
    )
    return environment


def _time(seconds: float) -> Markup:
    """A time in seconds since the epoch, as people read it: a narrow column breaks it between day and hour."""
    from markupsafe import Markup  # noqa: PLC0415

    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return Markup('<span class="time">{:%Y-%m-%d}</span> <span class="time">{:%H:%M} UTC</span>').format(at, at)


def _duration(seconds: float) -> str:
    """A number of seconds in the unit that fits."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return phrasing.plural(int(seconds // length), unit)
    return phrasing.plural(int(seconds), "second")


def _prose(message: str) -> Markup:
    """A message whose quoted names are code, everything else is text."""
    from markupsafe import Markup  # noqa: PLC0415

    parts = (
        Markup("<code>{}</code>").format(printable(part[1:-1]) or '""') if number % 2 else Markup.escape(_visible(part))
        for number, part in enumerate(_QUOTED.split(message))
    )
    return Markup().join(parts)


def _visible(value: object) -> object:
    """Text whose control and format characters can be seen: some would show other characters in another order."""
    if not isinstance(value, str) or value.isprintable() or hasattr(value, "__html__"):
        return value
    return "".join(c if c.isprintable() or c in "\n\t" or category(c) == "Zs" else "\ufffd" for c in value)


def _diff_lines(diff: str) -> Iterator[tuple[str, str]]:
    """Each line and what it is; the names of the files are neither added nor removed."""
    for line in diff.split("\n"):
        yield ("place" if line.startswith(("+++ ", "--- ")) else _LINE_KINDS.get(line[:1], "")), line
