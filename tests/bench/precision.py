"""How right the rules are: python -m tests.bench.precision [--sample N] [--only RULE] REPO[@COMMIT]...

Checks the tree of a commit of each REPO, a git directory `owner+name` or `owner/name`, by default its newest one, with
all roots rendered. Prints how often each rule speaks, by level, and how often people have read it (`readings.csv` in
policies/). With `--sample`, findings of each rule that nobody has read, chosen at random over the repositories, with
their lines: read them and add them to `readings.csv`, whose row each begins with.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gracegate.check import CheckRequest, check
from gracegate.git import read_commit_tree
from gracegate.manifests import may_be_read
from gracegate.model import Finding, Tree
from gracegate.policy import PolicySet, builtin_policies, load_builtin
from gracegate.policy.build.readings import Reading, read_readings, summary
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.rendering import WasmRenderer, find_renderer
from gracegate.repo_config import parse_repo_config
from tests.bench.table import log_progress, print_table
from tests.conftest import ROOT

AROUND = 6
"""Lines that are shown before and after a finding's."""


@dataclass(frozen=True)
class Commit:
    """A commit of a public repository, and its files."""

    repository: str
    commit: str
    tree: Tree

    def place(self, finding: Finding) -> tuple[str, str, str, str, int]:
        return finding.rule, self.repository, self.commit, finding.file, finding.line

    def lines(self, finding: Finding) -> Iterator[str]:
        file = self.tree.files.get(finding.file)
        text = [] if file is None else file.data.decode(errors="replace").splitlines()
        for number in range(max(1, finding.line - AROUND), min(len(text), finding.line + AROUND) + 1):
            yield f"{'>' if number == finding.line else ' '} {number:5} {text[number - 1]}"


def read_commit(given: str) -> Commit:
    path, _, commit = given.partition("@")
    folder = Path(path).resolve()
    rev_parse = ["git", "-C", str(folder), "rev-parse", commit or "HEAD"]
    commit = subprocess.run(rev_parse, capture_output=True, text=True, check=True).stdout.strip()
    name = next((part for part in reversed(folder.parts) if "+" in part), "/".join(folder.parts[-2:]))
    return Commit(name.replace("+", "/"), commit, read_commit_tree(folder, commit, may_be_read))


def findings_of(commit: Commit, engine: WasmEngine, renderer: WasmRenderer) -> list[Finding]:
    catalog = load_builtin()
    config = parse_repo_config("", catalog.rules)
    today = dt.datetime.now(dt.UTC).date()
    request = CheckRequest(
        commit.tree, config, (PolicySet(catalog, engine.engine, engine.evaluate),), today, max_verified_fixes=0
    )
    return list(check(request, renderer.render).findings)


def row_text(place: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([*place, "?"])
    return text.getvalue()


def sample(
    found: Sequence[tuple[Commit, Finding]], read: set[tuple[object, ...]], size: int
) -> Iterator[tuple[Commit, Finding]]:
    """At most one of a rule in a file, and the repositories in turn."""
    chosen = random.Random(0).sample(found, len(found))  # noqa: S311 - nobody may guess it
    seen: set[tuple[str, str]] = set()
    turns: Counter[str] = Counter()
    ranked = []
    for commit, finding in chosen:
        file = (commit.repository, finding.file)
        if commit.place(finding) in read or file in seen:
            continue
        seen.add(file)
        ranked.append((turns[commit.repository], len(ranked), commit, finding))
        turns[commit.repository] += 1
    yield from ((commit, finding) for _, _, commit, finding in sorted(ranked, key=lambda one: one[:2])[:size])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.precision", description=__doc__)
    parser.add_argument("repositories", nargs="+", metavar="REPO")
    parser.add_argument("--sample", type=int, default=0, help="findings of each rule to show")
    parser.add_argument("--only", action="append", help="only this rule; may be given several times")
    given = parser.parse_args()
    engine, renderer = WasmEngine(), WasmRenderer(find_renderer(), ROOT / ".tools" / "cache" / "gracegate")
    by_rule: defaultdict[str, list[tuple[Commit, Finding]]] = defaultdict(list)
    for repository in given.repositories:
        commit = read_commit(repository)
        findings = findings_of(commit, engine, renderer)
        log_progress(f"{commit.repository}@{commit.commit[:7]}: {len(findings)} findings")
        for finding in findings:
            by_rule[finding.rule].append((commit, finding))
    rules = [rule for rule in load_builtin().rules if not given.only or rule in given.only]
    readings = read_readings(builtin_policies(), load_builtin().rules)
    print_table([table_row(rule, by_rule[rule], readings) for rule in rules])
    read = {(one.rule, one.repository, one.commit, one.path, one.line) for many in readings.values() for one in many}
    for rule in rules:
        for commit, finding in sample(by_rule[rule], set(read), given.sample):
            print(f"\n{row_text(commit.place(finding))}\n{finding.severity}: {finding.message}")
            print("\n".join(commit.lines(finding)))


def table_row(
    rule: str, found: Sequence[tuple[Commit, Finding]], readings: Mapping[str, Sequence[Reading]]
) -> dict[str, object]:
    levels = Counter(finding.severity for _, finding in found)
    return {
        "rule": rule,
        "error": levels["error"],
        "warning": levels["warning"],
        "info": levels["info"],
        "repositories": len({commit.repository for commit, _ in found}),
        "read": summary(readings[rule]) if rule in readings else "",
    }


if __name__ == "__main__":
    main()
