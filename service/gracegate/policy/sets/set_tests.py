"""The tests of a policy set: those in Rego, and manifests whose comments say what a rule finds in them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gracegate.check import CheckRequest, check
from gracegate.errors import RulesError
from gracegate.manifests import render_nothing
from gracegate.model import Limits, SourceFile, Tree
from gracegate.policy import Cluster, PolicySet, builtin_policies, without_modes
from gracegate.policy.sets.folder import PolicyFolder, cases
from gracegate.policy.sets.gate import CAPABILITIES_FILE, test_mistakes, testing_modules, world_of
from gracegate.policy.sets.opa_command import OpaCommand, written_modules
from gracegate.policy.sets.test_values import failing_values
from gracegate.repo_config import RepoConfig

_COMMENT = re.compile(r"\s*#\s*finding:\s*(?P<rule>\S+)\s+(?P<level>\S+)\s*")


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that fails; `line` counts from 1. `values` says what the names in the failing line stand for."""

    file: str
    line: int
    message: str
    values: str = ""


@dataclass(frozen=True, slots=True)
class PolicyTestResult:
    """How many tests and cases there are, those that fail, and per file the lines that no test in Rego evaluates.

    Lines are known only where no test in Rego fails. `by_file` counts the tests of each file, and each case as one.
    """

    tests: int
    cases: int
    failures: tuple[Failure, ...]
    uncovered: Mapping[str, tuple[int, ...]]
    by_file: Mapping[str, int] = field(default_factory=dict)


def run_tests(policies: PolicyFolder, policy_set: PolicySet, opa: Path) -> PolicyTestResult:
    """All tests of a set, whose rules are the ones of `policy_set`. Raises RulesError where tests cannot be run."""
    tests, failures, uncovered = _run_rego(policies, opa)
    found = cases(policies)
    for name, path in found:
        failures += _run_case(path, name, policy_set)
    by_file = {**tests, **{name: 1 for name, _ in found}}
    return PolicyTestResult(tests.total(), len(found), tuple(failures), uncovered, by_file)


def _run_rego(policies: PolicyFolder, opa: Path) -> tuple[Counter[str], list[Failure], dict[str, tuple[int, ...]]]:
    """How many tests each file has, those that fail, and the lines by file that none evaluates."""
    capabilities = builtin_policies().resolve() / CAPABILITIES_FILE
    files = {**world_of(policies), **testing_modules(), **policies.tests, "data.json": json.dumps(policies.data)}
    with written_modules(files) as written:
        command = OpaCommand(opa, written)
        if mistakes := test_mistakes(policies, command):
            raise RulesError.of(mistakes)
        command.check(capabilities)
        results = command.run_tests(capabilities)
        failures = [_rego_failure(one, policies.tests) for one in results if "fail" in one or "error" in one]
        uncovered = {} if failures else command.uncovered_lines(capabilities)
    tests = Counter(str(one["location"]["file"]) for one in results)
    return tests, failures, {file: lines for file, lines in uncovered.items() if file in policies.modules}


def _rego_failure(result: Mapping[str, object], tests: Mapping[str, str]) -> Failure:
    """The test with the expression that was not true, or the error."""
    location: Mapping[str, object] = result["location"]  # type: ignore[assignment]
    file, line = str(location["file"]), int(str(location["row"]))
    name = str(result["name"])
    if isinstance(error := result.get("error"), Mapping):
        return Failure(file, line, f"{name}: {error.get('message')}")
    trace = result.get("trace")
    failed = [
        one
        for one in (trace if isinstance(trace, list) else ())
        if one.get("Op") == "Fail" and one["Location"]["file"] == file
    ]
    if not failed:
        return Failure(file, line, f"{name} is not true")
    row = failed[-1]["Location"]["row"]
    expression = tests[file].splitlines()[row - 1].strip()
    return Failure(file, row, f"{name}: `{expression}` is not true", failing_values(failed[-1], expression))


def _run_case(path: Path, name: str, policy_set: PolicySet) -> Iterator[Failure]:
    """What the rule of the folder, and each that the comments name, finds otherwise than these say."""
    text = path.read_text(encoding="utf-8", errors="replace")
    expected = dict(_expectations(text))
    rules = {path.parent.name, *(rule for _, rule in expected)}
    for rule in sorted(rules - policy_set.catalog.rules.keys()):
        yield Failure(name, 1, f"there is no rule `{rule}` in this set")
    report = check(
        CheckRequest(
            head=Tree({name: SourceFile(name, text.encode())}),
            config=RepoConfig(min_minor=Cluster().min_minor),
            policies=(replace(policy_set, catalog=without_modes(policy_set.catalog)),),
            today=dt.date.max,
            only=frozenset(rules),
            max_verified_fixes=0,
            limits=Limits(own_kinds=policy_set.catalog.kinds),
        ),
        render_nothing,
    )
    yield from (Failure(name, p.line, p.message) for p in report.problems if p.blocks)
    found = {(finding.line, finding.rule): finding.severity for finding in report.findings}
    for line, rule in sorted(expected.keys() | found.keys()):
        wanted, level = expected.get((line, rule)), found.get((line, rule))
        if wanted != level:
            said = f"expected `{rule} {wanted}`" if wanted else "expected nothing"
            yield Failure(name, line, f"{said}, found {f'`{rule} {level}`' if level else 'nothing'}")


def _expectations(text: str) -> Iterator[tuple[tuple[int, str], str]]:
    """The rules and levels of comments, each with the next line that is no comment."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if match := _COMMENT.fullmatch(line):
            following = (n for n in range(number, len(lines)) if not lines[n].lstrip().startswith("#"))
            yield (next(following, number - 1) + 1, match["rule"]), match["level"]
