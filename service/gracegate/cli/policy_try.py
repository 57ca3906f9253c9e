"""`gracegate policy try`: what own rules find and print in manifests, and how long they take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import click

from gracegate import settings
from gracegate.check import check
from gracegate.cli.check import exit_code
from gracegate.cli.main import EXIT_CODES
from gracegate.cli.policies import format_option, set_folder, write_json
from gracegate.cli.rendering import build_renderer
from gracegate.cli.report_outputs import ReportOutput, write_report
from gracegate.cli.request import CheckOptions, build_request, open_policy_engines, paths_argument, shared_options
from gracegate.cli.terminal import progress, write_output
from gracegate.outputs import report_values, text
from gracegate.policy import Recording
from gracegate.policy.engines import OwnPolicies
from gracegate.policy.sets import OpaCommand, written_modules


@click.command("try", epilog=EXIT_CODES)
@paths_argument
@shared_options
@format_option
def command(opa: str | None, form: Literal["text", "json"], **options: Any) -> int:
    """Show what the rules of a policy set find in manifests, what they print(), and how long they take.

    Without --policies the set is the one above the working directory that has a gracegate-policies.yaml, else the
    working directory. PATHS and the other options are as in `gracegate check`.
    """
    given = CheckOptions(**options)
    given = replace(given, policies=given.policies or (str(set_folder(None)),))
    with progress("Checking") as shown, open_policy_engines(opa, given, shown.clock) as policies:
        own = {one.name: one for one in policies.chosen.own}
        given = replace(given, rules=given.rules or tuple(id_ for one in own.values() for id_ in one.catalog.rules))
        request = build_request(given, policies)
        questions = {one.name: Recording(one.evaluate) for one in request.policies}
        asked = tuple(replace(one, evaluate=questions[one.name].evaluate) for one in request.policies)
        report = policies.complete(check(replace(request, policies=asked), build_renderer(given, shown)))
    tried = [_tried(policy_set, questions[name]) for name, policy_set in own.items()]
    if form == "json":
        write_json({"report": report_values(report), "sets": [asdict(one) for one in tried]})
    else:
        write_report(report, (ReportOutput("text"),))
        write_output(text.shadows(report))
        write_output("".join(f"{line}\n" for one in tried for line in _lines(one)))
    return exit_code(report, None)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What the rules of a set printed, and how long they took; `ms` is None where none was asked."""

    name: str
    ms: float | None
    printed: tuple[str, ...] = ()


def _tried(policies: OwnPolicies, recording: Recording) -> _Tried:
    if not recording.questions:
        return _Tried(policies.name, None)
    opa_input, seconds = recording.questions[0]
    printed: list[str] = []
    # Wasm prints nothing.
    if policies.catalog.foreign is None:
        release = {**policies.catalog.data, "gracegate_release": {"digest": policies.catalog.digest}}
        files = {**policies.catalog.modules, "data.json": json.dumps(release)}
        with written_modules(files) as written:
            printed = OpaCommand(settings.find_opa(), written).printed(opa_input)
    return _Tried(policies.name, round(seconds * 1000, 1), tuple(printed))


def _lines(tried: _Tried) -> Iterator[str]:
    if tried.ms is None:
        yield f"{tried.name}: none of its rules was asked"
        return
    yield from (f"print: {line}" for line in tried.printed)
    yield f"{tried.name}: {tried.ms:.1f} ms"
