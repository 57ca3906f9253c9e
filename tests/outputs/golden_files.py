"""The golden files: what users see. Write them with `python -m tests.outputs.golden_files`, then read the diff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gracegate.model import Finding
from gracegate.outputs import check_run, comment_text, github, gitlab, html, json, junit, policy_check, sarif, text
from tests.outputs import sample_policy_reviews as policies
from tests.outputs import sample_reports as samples

FOLDER = Path(__file__).with_name("golden")


def linked(finding: Finding) -> Finding:
    return replace(finding, rule_url=f"https://gracegate.example/rules/{finding.rule}")


LINKED_FAIL = replace(samples.FAIL, findings=tuple(map(linked, samples.FAIL.findings)))


CONTEXT = html.ReportContext(
    repository="shop/shop",
    subject="shop/shop #7",
    subject_url="https://github.com/shop/shop/pull/7",
    commit="0123456789abcdef0123456789abcdef01234567",
    files_url="https://github.com/shop/shop/blob/0123456789abcdef0123456789abcdef01234567",
    checked_at="2026-11-24 10:00 UTC",
    stylesheet="/style.css",
    navigation=html.Navigation((("/rules", "Rules"), ("/docs", "Documentation")), ("/account", "ada")),
)


def _check(output: check_run.CheckOutput) -> str:
    notes = "\n".join(
        f"{a['annotation_level']} {a['path']}:{a['start_line']}-{a['end_line']} [{a['title']}] {a['message']}"
        for a in output.annotations
    )
    return f"{output.conclusion}: {output.title}\n\n{output.summary}\n\n=== annotations\n{notes}\n"


def _comment() -> str:
    return comment_text.comment_body(
        (linked(samples.NO_PROBE), linked(samples.NO_DRAIN)), samples.REVIEWS_FIX, marker=samples.MARKER
    )


RENDERED: dict[str, Callable[[], str]] = {
    "comment-suggestion.md": _comment,
    "comment-rollout.md": lambda: comment_text.comment_body(
        (linked(samples.NO_PROBE), linked(samples.NO_DRAIN)),
        samples.REVIEWS_FIX,
        marker=samples.MARKER,
        rollouts=(samples.REVIEWS_ROLLOUT,),
    ),
    "comment-patch.md": lambda: comment_text.comment_body((linked(samples.EXHAUSTED),), None, marker=samples.MARKER),
    "comment-advice.md": lambda: comment_text.comment_body((samples.UNSERVED,), None, marker=samples.MARKER),
    "comment-steps.md": lambda: comment_text.comment_body((samples.DROPPED,), None, marker=samples.MARKER),
    "comment-hostile.md": lambda: comment_text.comment_body((samples.HOSTILE_FINDING,), None, marker=samples.MARKER),
    "comment-partly-resolved.md": lambda: comment_text.updated_body(
        _comment(), (linked(samples.NO_DRAIN),), 1, commit="0123456789abcdef", is_fixed=True, marker=samples.MARKER
    ),
    "comment-resolved.md": lambda: comment_text.resolved_body(
        _comment(), commit="0123456789abcdef", is_fixed=True, marker=samples.FIXED_MARKER
    ),
    "comment-gone.md": lambda: comment_text.resolved_body(
        _comment(), commit="0123456789abcdef", is_fixed=False, marker=samples.FIXED_MARKER
    ),
    "review.md": lambda: comment_text.review_body(
        samples.COMMENTED, 3, commit="1a2b3c4d5e", uncommented=2, details_url="https://github.com/shop/shop/runs/7"
    ),
    "check-commented.md": lambda: _check(check_run.render(LINKED_FAIL, comments=samples.COMMENTS)),
    "check-refused.md": lambda: _check(check_run.render(LINKED_FAIL, comments=samples.REFUSED_COMMENTS)),
    "check-fail.md": lambda: _check(check_run.render(LINKED_FAIL)),
    "check-incomplete.md": lambda: _check(check_run.render(samples.INCOMPLETE)),
    "check-remarks.md": lambda: _check(check_run.render(samples.REMARKS)),
    "check-clean.md": lambda: _check(check_run.render(samples.CLEAN)),
    "check-nothing.md": lambda: _check(check_run.render(samples.NOTHING)),
    "check-steps.md": lambda: _check(check_run.render(samples.SPLIT)),
    "check-hostile.md": lambda: _check(check_run.render(samples.HOSTILE)),
    "policies-broken.md": lambda: _check(policy_check.render([policies.BROKEN], is_listed=True)),
    "policies-silent-rule.md": lambda: _check(policy_check.render([policies.SILENT], is_listed=True)),
    "policies-over-budget.md": lambda: _check(policy_check.render([policies.OVER_BUDGET], is_listed=True)),
    "policies-failing.md": lambda: _check(policy_check.render([policies.FAILING], is_listed=False)),
    "policies-corrected.md": lambda: _check(
        policy_check.render([policies.CORRECTED], is_listed=True, impacts="follows")
    ),
    "report.json": lambda: json.render(samples.FAIL),
    "report-steps.json": lambda: json.render(samples.SPLIT),
    "report-steps.sarif": lambda: sarif.render(samples.SPLIT),
    "report-steps.txt": lambda: text.render(samples.SPLIT),
    "report.sarif": lambda: sarif.render(LINKED_FAIL),
    "report.github.txt": lambda: github.render(samples.FAIL),
    "report.gitlab.json": lambda: gitlab.render(samples.FAIL),
    "report.junit.xml": lambda: junit.render(samples.FAIL),
    "report-present.md": lambda: check_run.render_page(samples.PRESENT),
    "report.html": lambda: html.render_report(replace(LINKED_FAIL, seconds=4.21), CONTEXT),
    "report.txt": lambda: text.render(samples.FAIL),
    "report-present.txt": lambda: text.render(samples.PRESENT),
    "report-colour.txt": lambda: text.render(samples.PRESENT, text.TextStyle(has_colour=True)),
    "report-many.txt": lambda: text.render(samples.MANY),
    "report-verbose.txt": lambda: text.render(
        samples.MANY, text.TextStyle(is_verbose=True, shown_path=lambda path: f"../{path}")
    ),
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        if path.name not in RENDERED:
            path.unlink()
    for name, render in RENDERED.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
