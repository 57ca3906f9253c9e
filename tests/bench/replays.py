"""Public pull requests through the real service: python tests/bench/replays.py [--local] FILE

FILE holds one JSON list a line: the path of a git repository, a number to call it by, the merge base and the head.
Each is replayed against the fake GitHub (see demo.replay): what GitHub refused, and whether each suggestion, applied
to the head's file, gives YAML again. `--local` leaves that out. Then the same change is checked in this process: how
many commented findings are on a line of the diff, and for how many of the safe fixes of touched objects, new and
old, a hunk holds all lines of the edit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SUGGESTION = re.compile(r"^(`{3,})suggestion\n(.*?)\n?^\1$", re.DOTALL | re.MULTILINE)


def replayed(repository: str, base: str, head: str) -> Counter[str]:
    command = [sys.executable, "-m", "tests.demo.replay", repository, base, head]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return Counter(failed=1)
    result = json.loads(done.stdout)
    figures = Counter({f"status {r['status']}": 1 for r in result["requests"] if r["status"] >= 400})
    figures["comments"] = len(result["comments"])
    figures["on files"] = sum(comment["line"] is None for comment in result["comments"])
    figures.update(applied(repository, head, result["comments"]))
    return figures


def applied(repository: str, head: str, comments: list[dict[str, Any]]) -> Counter[str]:
    """All suggestions of a file at once, the last first, as a batch on GitHub would take them."""
    figures: Counter[str] = Counter()
    by_path: dict[str, list[tuple[int, int, str]]] = {}
    for comment in comments:
        for match in SUGGESTION.finditer(comment["body"]):
            start = comment["start_line"] or comment["line"]
            by_path.setdefault(comment["path"], []).append((start, comment["line"], match.group(2)))
    for path, suggestions in by_path.items():
        show = ["git", "-C", repository, "show", f"{head}:{path}"]
        lines = subprocess.run(show, capture_output=True, check=True).stdout.decode().split("\n")
        above = len(lines) + 1
        for start, end, text in sorted(suggestions, reverse=True):
            figures["suggestions"] += 1
            figures["overlaps"] += end >= above
            above = start
            lines[start - 1 : end] = text.split("\n")
            try:
                list(yaml.compose_all("\n".join(lines), Loader=yaml.CSafeLoader))
            except yaml.YAMLError:
                figures["BROKEN"] += 1
    return figures


def checked(repository: str, base: str, head: str) -> Counter[str]:
    from gracegate import git  # noqa: PLC0415 - replays alone need none of it
    from gracegate.check import CheckRequest, check  # noqa: PLC0415
    from gracegate.manifests import is_candidate, render_nothing  # noqa: PLC0415
    from gracegate.policy import PolicySet, load_builtin  # noqa: PLC0415
    from gracegate.policy.engines.opa_wasm import WasmEngine  # noqa: PLC0415
    from gracegate.repo_config import RepoConfig  # noqa: PLC0415
    from gracegate.review import comment_plan  # noqa: PLC0415

    top = Path(repository)
    before, after = (git.read_commit_tree(top, sha, is_candidate) for sha in (base, head))
    diff = tuple(git.read_changes(top, base, head, is_candidate))
    engine = WasmEngine()
    today = dt.datetime.now(dt.UTC).date()
    policies = PolicySet(load_builtin(), engine.engine, engine.evaluate)
    request = CheckRequest(after, RepoConfig(), (policies,), today, base=before, diff=diff)
    report = check(request, render_nothing)
    findings = [f for f in report.findings if comment_plan.is_commented(f, touched=False)]
    hunks = {d.path: d.hunks for d in diff if d.change != "removed"}
    comments = comment_plan._new_comments([f for f in findings if f.file in hunks], report.suggestions, hunks)
    figures: Counter[str] = Counter(findings=len(findings))
    figures["on a line"] = sum(len(comment.findings) for comment in comments if comment.line is not None)
    # A fix of something that was there before is not posted: its reason says whether it could have been.
    reasons = Counter(f.no_suggestion for f in report.findings if f.fix is not None and f.fix.diff is not None)
    figures["fixes in a hunk"] = reasons[None] + reasons["pre_existing"]
    figures["fixes elsewhere"] = reasons["outside_diff"]
    return figures


def pull_requests(path: Path) -> Iterator[tuple[str, int, str, str]]:
    for line in path.read_text().splitlines():
        if line.startswith("["):
            repository, number, base, head, *_ = json.loads(line)
            yield repository, number, base, head


def share(figures: Counter[str], part: str, rest: str) -> str:
    total = figures[part] + figures[rest]
    return f"{figures[part]}/{total} = {figures[part] / total:.1%}" if total else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--local", action="store_true", help="check in this process alone")
    given = parser.parse_args()
    total: Counter[str] = Counter()
    for repository, number, base, head in pull_requests(given.file):
        figures = Counter() if given.local else replayed(repository, base, head)
        figures.update(checked(repository, base, head))
        total.update(figures)
        total["pull requests"] += 1
        shown = ", ".join(f"{name} {count}" for name, count in figures.items() if count)
        print(f"{'/'.join(Path(repository).parts[-2:])} #{number}: {shown}", flush=True)
    total["on no line"] = total["findings"] - total["on a line"]
    print(dict(total))
    print("findings on a line of the diff:", share(total, "on a line", "on no line"))
    print("fixes of touched objects within one hunk:", share(total, "fixes in a hunk", "fixes elsewhere"))


if __name__ == "__main__":
    main()
