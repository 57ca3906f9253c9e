"""What is wrong with a policy set as a change leaves it: everything that the gate, its tests and Regal say."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from gracegate.errors import ConfigError, EngineError, InputError, RulesError
from gracegate.model import PolicyFinding, PolicyMistake, ReviewedRule
from gracegate.policy import Catalog
from gracegate.policy.engines import open_policy_set
from gracegate.policy.sets.bench import USUAL_BUDGET, RuleCost, cost_words, costs_of
from gracegate.policy.sets.folder import RULE_FILE, PolicyFolder
from gracegate.policy.sets.regal import lint
from gracegate.policy.sets.set_tests import PolicyTestResult, run_tests
from gracegate.policy.sets.store import load_parts

_TEST_SECONDS = 30.0
"""For all cases of a set."""


class SetReview:
    """A policy set `after` a change, and `before` it, None where that cannot be read. What is built of it is kept in
    `cache_dir`; `regal` is the program, None for no linting."""

    def __init__(
        self, after: PolicyFolder, before: PolicyFolder | None, opa: Path, cache_dir: Path, regal: Path | None = None
    ) -> None:
        self._after = after
        self._before = before
        self._opa = opa
        self._cache_dir = cache_dir
        self._regal = regal
        self.digest = ""
        self.result: PolicyTestResult | None = None
        self._costs: Mapping[str, RuleCost] = {}

    def review(self) -> list[PolicyFinding]:
        """All findings; the tests run only where the gate finds no mistake, as they would fail for it again."""
        catalogs, mistakes = load_parts(self._after, lambda: self._opa, self._cache_dir)
        if mistakes:
            return [finding for error in mistakes for finding in _mistakes(error)]
        findings: list[PolicyFinding] = []
        catalog = catalogs.get(self._after.name)
        if catalog is not None:
            self.digest = catalog.digest
            findings += self._test(catalog)
            findings += self._measure(catalog)
        findings += self._lint()
        return findings

    def rules(self) -> Iterator[ReviewedRule]:
        """The rules that the change touches."""
        before, after = self._texts()
        for file in self._changed_files():
            yield self._rule(file, is_new=file not in before, is_gone=file not in after)

    def _texts(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return {} if self._before is None else _rule_texts(self._before), _rule_texts(self._after)

    def _changed_files(self) -> list[str]:
        """The files of rules that the change touches, sorted."""
        before, after = self._texts()
        return [file for file in sorted(before.keys() | after.keys()) if before.get(file) != after.get(file)]

    def _rule(self, file: str, *, is_new: bool, is_gone: bool) -> ReviewedRule:
        rule = _rule_id(file)
        change: Literal["new", "changed", "removed"] = "removed" if is_gone else "new" if is_new else "changed"
        result = self.result
        if result is None or is_gone:
            return ReviewedRule(rule, change)
        of_cases = sum(name.startswith(f"cases/{rule}/") for name in result.by_file)
        tests = result.by_file.get(f"{file.removesuffix('.rego')}_test.rego", 0)
        untested = set(result.uncovered.get(file, ())) & self._changed_lines(file)
        cost = self._costs.get(rule)
        return ReviewedRule(rule, change, tests, of_cases, len(untested), None if cost is None else cost.ms)

    def _test(self, catalog: Catalog) -> Iterator[PolicyFinding]:
        opa = self._opa if catalog.needs_opa else None
        try:
            with open_policy_set(opa, catalog, seconds=_TEST_SECONDS) as policy_set:
                self.result = run_tests(self._after, policy_set, self._opa)
        except (RulesError, ConfigError) as error:
            yield from _mistakes(error)
            return
        except EngineError as error:
            yield PolicyFinding("mistake", "", 0, f"its tests cannot be run: {error}")
            return
        for one in self.result.failures:
            kind: PolicyMistake = "test" if one.file.endswith(".rego") else "case"
            yield PolicyFinding(kind, one.file, one.line, one.message, one.values)
        for file, lines in sorted(self.result.uncovered.items()):
            for first, last in line_ranges(self._changed_lines(file).intersection(lines)):
                which = "this line" if first == last else f"these {last - first + 1} lines"
                yield PolicyFinding("untested", file, first, f"No test evaluates {which}.")

    def _measure(self, catalog: Catalog) -> Iterator[PolicyFinding]:
        """The changed rules that take longer than rules usually may. The gate refuses those over the set's budget."""
        files = {_rule_id(file): file for file in self._changed_files()}
        files = {rule: file for rule, file in files.items() if rule in catalog.rules}
        with suppress(EngineError):  # a rule that fails on an example is a mistake already
            costs = costs_of(self._after, catalog, files, self._opa)
            self._costs = {one.rule: one for one in costs.rules} if costs is not None else {}
        for rule, cost in self._costs.items():
            if cost.is_over:
                place, _, line = cost.slowest.rpartition(":")
                share = f", {cost.share:.0%} of it here" if place else ""
                text = f"{rule} takes {cost_words(cost.ms)} for 1,000 documents{share}"
                usual = f"rules usually take less than {USUAL_BUDGET:,.0f} ms, and `budget` can limit them"
                yield PolicyFinding("slow", place or files[rule], int(line or 1), f"{text}: {usual}.")

    def _lint(self) -> Iterator[PolicyFinding]:
        if self._regal is None:
            return
        for one in lint(self._regal, self._after.modules):
            if one.line in self._changed_lines(one.file or ""):
                yield PolicyFinding("lint", one.file or "", one.line or 0, one.message)

    def _changed_lines(self, file: str) -> set[int]:
        """The lines, from 1, that the change writes."""
        before = "" if self._before is None else self._before.modules.get(file, "")
        old, new = before.splitlines(), self._after.modules.get(file, "").splitlines()
        blocks = difflib.SequenceMatcher(None, old, new).get_matching_blocks()
        kept = {line for block in blocks for line in range(block.b + 1, block.b + block.size + 1)}
        return set(range(1, len(new) + 1)) - kept


def _rule_id(file: str) -> str:
    match = RULE_FILE.fullmatch(file)
    return "" if match is None else match[1].replace("_", "-")


def _rule_texts(policies: PolicyFolder) -> Mapping[str, str]:
    return {file: text for file, text in policies.modules.items() if RULE_FILE.fullmatch(file)}


def _mistakes(error: InputError) -> Iterator[PolicyFinding]:
    for one in error.mistakes if isinstance(error, RulesError) else (error,):
        yield PolicyFinding("mistake", one.file or "", one.line or 0, one.message)


def line_ranges(lines: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers of lines that follow each other, as the first and the last one."""
    first = last = 0
    for line in sorted(lines):
        if first and line == last + 1:
            last = line
            continue
        if first:
            yield first, last
        first = last = line
    if first:
        yield first, last
