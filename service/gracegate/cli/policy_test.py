"""`gracegate policy test`: the tests and cases of a policy set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from gracegate import settings
from gracegate.cli.main import CLEAN, FINDINGS
from gracegate.cli.policies import built_policies, set_folder
from gracegate.cli.terminal import write_output
from gracegate.errors import InputError
from gracegate.outputs import plural
from gracegate.policy.engines import open_policy_set
from gracegate.policy.sets import PolicyTestResult, run_tests

EXIT_CODES = """\b
Exit codes:
  0  all tests and cases pass
  1  some fail, or the set is refused
  2  wrong usage
  3  something could not be evaluated
"""


@click.command("test", epilog=EXIT_CODES)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(folder: Path | None, form: str) -> int:
    """Run the tests in Rego and the cases of a policy set.

    FOLDER is by default the one above the working directory that has a gracegate-policies.yaml, else the working
    directory. A case is a manifest, cases/<rule>/<case>.yaml: a comment `# finding: <rule> <level>` stands above each
    line that a rule finds something on, and what no comment says must not be found.
    """
    with ExitStack() as stack:
        policies, catalogs = built_policies(set_folder(folder), stack)
        catalog = catalogs.get(policies.name)
        if catalog is None:
            raise InputError("the set has no rules of its own; the tool that its policies are for tests them")
        opa = settings.find_opa() if catalog.needs_opa else None
        policy_set = stack.enter_context(open_policy_set(opa, catalog, cache_dir=settings.cache_dir()))
        result = run_tests(policies, policy_set, settings.find_opa())
    if form == "json":
        write_output(json.dumps(asdict(result), indent=2) + "\n")
    else:
        write_output("".join(f"{line}\n" for line in _lines(result, len(catalog.rules))))
    return FINDINGS if result.failures else CLEAN


def _lines(result: PolicyTestResult, rules: int) -> Iterator[str]:
    for one in result.failures:
        yield f"FAIL {one.file}:{one.line}: {one.message}"
    for file, lines in sorted(result.uncovered.items()):
        if lines:
            yield f"{file}: no test evaluates {plural(len(lines), 'line')}: {', '.join(map(str, lines))}"
    counts = f"{plural(rules, 'rule')}, {plural(result.tests, 'test')}, {plural(result.cases, 'case')}"
    yield f"{counts}: {f'{len(result.failures)} failed' if result.failures else 'all pass'}."
