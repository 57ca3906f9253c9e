"""`gracegate policy bench`: what each rule of a policy set costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from gracegate import settings
from gracegate.cli.main import CLEAN, FINDINGS
from gracegate.cli.policies import built_policies, format_option, set_folder, write_json
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import InputError
from gracegate.git import read_paths
from gracegate.manifests import may_be_read
from gracegate.outputs import plural
from gracegate.policy.sets import USUAL_BUDGET, PolicyCosts, cost_words, input_of, measure, own_manifests

EXIT_CODES = """\b
Exit codes:
  0  all rules are within the budget
  1  some are not, or the set is refused
  2  wrong usage
  3  the rules could not be evaluated
"""


@click.command("bench", epilog=EXIT_CODES)
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--on",
    "manifests",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Manifests to evaluate.  [default: 1,000 documents of the set's examples and cases]",
)
@format_option
def command(folder: Path | None, manifests: Path | None, form: Literal["text", "json"]) -> int:
    """Show what each rule of a policy set costs, and which line of one is slow.

    FOLDER is by default the one above the working directory that has a gracegate-policies.yaml, else the working
    directory. Costs are counted in instructions, 2 million of which are a millisecond, so that they are the same on
    every machine. `budget: {rule_ms_per_1000_documents: 500}` in gracegate-policies.yaml sets the limit of a rule; a
    set that names one is refused where a rule takes more.
    """
    with ExitStack() as stack:
        stack.enter_context(progress("Measuring"))
        policies, catalogs = built_policies(set_folder(folder), stack, ignores_budget=True)
        catalog = catalogs.get(policies.name)
        if catalog is None or catalog.needs_opa:
            missing = ", ".join(catalog.missing_builtins) if catalog else "policies for other tools"
            raise InputError(f"only OPA evaluates this set ({missing}), and instructions are counted in Wasm")
        tree = own_manifests(policies, catalog) if manifests is None else read_paths(manifests, ["."], may_be_read)
        opa_input = input_of(catalog, tree)
        if opa_input is None:
            raise InputError("there is no manifest that a rule reads")
        budget = policies.described.budget or USUAL_BUDGET
        costs = measure(catalog, opa_input, budget, settings.find_opa())
    if form == "json":
        write_json({"policy_set": policies.name, **asdict(costs)})
    else:
        write_output("".join(f"{line}\n" for line in _lines(costs)))
    return FINDINGS if any(rule.is_over for rule in costs.rules) else CLEAN


def _lines(costs: PolicyCosts) -> Iterator[str]:
    width = max(len("rule"), *(len(one.rule) for one in costs.rules))
    yield f"{'rule':{width}}  ms / 1,000 documents  findings  budget"
    for one in sorted(costs.rules, key=lambda one: (one.ms is not None, -(one.ms or 0))):
        place = f": {one.slowest} takes {one.share:.0%}" if one.slowest else ""
        over = f"  over{place}" if one.is_over else ""
        yield f"{one.rule:{width}}  {cost_words(one.ms):>20}  {one.violations:8,}  {costs.budget:6,.0f}{over}"
    yield (
        f"Together {cost_words(costs.together)}; {cost_words(costs.reading)} of each question are to read "
        f"{plural(costs.documents, 'document')}, and in no rule's cost."
    )
