"""`gracegate policy test`: the tests and cases of a policy set."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

import click

from gracegate import settings
from gracegate.cli.main import CLEAN, FINDINGS
from gracegate.cli.policies import built_policies, format_option, set_folder, write_json
from gracegate.cli.terminal import write_output
from gracegate.errors import GracegateError, InputError
from gracegate.outputs import plural
from gracegate.policy.engines import open_policy_set
from gracegate.policy.sets import PolicyTestResult, line_ranges, run_tests

_LOOK_EVERY = 0.5
"""Seconds between two looks at the files of a set that is watched."""
EXIT_CODES = """\b
Exit codes:
  0  all tests and cases pass
  1  some fail, or the set is refused
  2  wrong usage
  3  something could not be evaluated
"""


@click.command("test", epilog=EXIT_CODES)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@format_option
@click.option("--watch", is_flag=True, help="Run them again after each change of a file, until Ctrl-C.")
def command(folder: Path | None, form: str, *, watch: bool) -> int:
    """Run the tests in Rego and the cases of a policy set.

    FOLDER is by default the one above the working directory that has a gracegate-policies.yaml, else the working
    directory. A case is a manifest, cases/<rule>/<case>.yaml: a comment `# finding: <rule> <level>` stands above each
    line that a rule finds something on, and what no comment says must not be found.
    """
    top = set_folder(folder)
    if not watch:
        return _run(top, form)
    while True:
        seen = _files(top)
        try:
            _run(top, form)
        except (GracegateError, click.exceptions.Exit) as error:
            # The mistakes of a set are said when it is refused.
            click.echo("" if isinstance(error, click.exceptions.Exit) else str(error), err=True)
        while _files(top) == seen:
            time.sleep(_LOOK_EVERY)


def _files(top: Path) -> dict[Path, tuple[int, int]]:
    """When each file of a set was written, and its size."""
    found = {}
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            with suppress(OSError):  # it is gone already
                state = Path(folder, name).stat()
                found[Path(folder, name)] = state.st_mtime_ns, state.st_size
    return found


def _run(top: Path, form: str) -> int:
    with ExitStack() as stack:
        policies, catalogs = built_policies(top, stack)
        catalog = catalogs.get(policies.name)
        if catalog is None:
            raise InputError("the set has no rules of its own; the tool that its policies are for tests them")
        opa = settings.find_opa() if catalog.needs_opa else None
        policy_set = stack.enter_context(open_policy_set(opa, catalog, cache_dir=settings.cache_dir()))
        result = run_tests(policies, policy_set, settings.find_opa())
    if form == "json":
        write_json({"policy_set": policies.name, **asdict(result)})
    else:
        write_output("".join(f"{line}\n" for line in _lines(result, len(catalog.rules))))
    return FINDINGS if result.failures else CLEAN


def _lines(result: PolicyTestResult, rules: int) -> Iterator[str]:
    for one in result.failures:
        yield f"FAIL {one.file}:{one.line}: {one.message}"
    for file, lines in sorted(result.uncovered.items()):
        if lines:
            ranges = (str(first) if first == last else f"{first}-{last}" for first, last in line_ranges(lines))
            yield f"{file}: no test evaluates {plural(len(lines), 'line')}: {', '.join(ranges)}"
    counts = f"{plural(rules, 'rule')}, {plural(result.tests, 'test')}, {plural(result.cases, 'case')}"
    yield f"{counts}: {f'{len(result.failures)} failed' if result.failures else 'all pass'}."
