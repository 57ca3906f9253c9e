"""`gracegate policy impact`: what a change of rules would find in repositories, and what it would have blocked."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import click

from gracegate import git, settings
from gracegate.check import ChangeImpact, CheckRequest, Impact, Outcome, compare_findings, compare_outcomes
from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE
from gracegate.cli.policies import ChosenPolicies, choose_policies
from gracegate.cli.terminal import Progress, progress, write_output
from gracegate.errors import GracegateError
from gracegate.manifests import ReadCache, may_be_read, render_nothing
from gracegate.model import CONFIG_FILE, Finding, Tree
from gracegate.outputs import location, plural, text
from gracegate.policy import PolicySet, kinds_of
from gracegate.policy.engines import open_own_policies
from gracegate.policy.sets import write_files
from gracegate.repo_config import parse_repo_config

EXIT_CODES = """\b
Exit codes:
  0  the impact is shown, whatever it is
  1  more changes would have been blocked than --fail-if-blocks allows
  2  wrong usage, or no policy set
  3  a repository could not be read, or the rules cannot be used
"""
_SHOWN = 20
"""Examples of each kind that are printed."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A clone of a repository, and the revision to look at."""

    name: str
    path: Path
    revision: str


@dataclass(slots=True)
class Found:
    """What was found in all repositories; `unread` are those that could not be read, with the reason."""

    repositories: list[tuple[str, Impact]] = field(default_factory=list)
    changes: list[tuple[str, str, ChangeImpact]] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)


@click.command("impact", epilog=EXIT_CODES)
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", metavar="REV", help="Compare with the rules of this revision.  [default: with no rules at all]")
@click.option(
    "--repos",
    "listed",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a clone on each line, as PATH or PATH@REV; paths count from the file.",
)
@click.option("--changes", "most", default=0, metavar="N", help="Look at the last N changes of each repository too.")
@click.option("--fail-if-blocks", "allowed", type=int, metavar="N", help="Fail if more changes than N get blocked.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(
    folder: Path, base: str | None, listed: Path, most: int, allowed: int | None, form: Literal["text", "json"]
) -> int:
    """Show what a change of rules would find, and what it would have blocked.

    FOLDER is a policy set. Its rules, and with --base those of a revision, check the manifests of all repositories
    by the configuration of each. Kustomizations and charts are not rendered. A change is a commit of the branch itself.
    """
    repositories = list(_repositories(listed))
    with ExitStack() as stack:
        shown = stack.enter_context(progress("Reading the rules"))
        after = _chosen(folder, stack)
        before = _chosen_at(folder, base, stack) if base else ChosenPolicies()
        if problems := [*after.problems(), *before.problems()]:
            click.echo(text.problems(problems), err=True, nl=False)
            return INCOMPLETE
        found = _look(repositories, most, (before, after), shown)
    write_output(_as_json(found) if form == "json" else _as_text(found, most))
    blocked = sum(one.after == "is blocked" and one.before != "is blocked" for _, _, one in found.changes)
    if found.unread:
        return INCOMPLETE
    return FINDINGS if allowed is not None and blocked > allowed else CLEAN


_Rules = tuple[ChosenPolicies, ChosenPolicies]
"""The sets before and after the change."""


def _chosen(folder: Path, stack: ExitStack) -> ChosenPolicies:
    return choose_policies([str(folder)], None, folder, stack, ignores_config=True)


def _chosen_at(folder: Path, revision: str, stack: ExitStack) -> ChosenPolicies:
    """The rules that a folder had at a revision; none where it was not there."""
    top = git.find_top_level(folder)
    inside = folder.resolve().relative_to(top.resolve()).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    tree = git.read_commit_tree(top, git.resolve_commit(top, revision), lambda path: path.startswith(prefix))
    if not any(path.endswith(".rego") for path in tree.files):
        return ChosenPolicies()
    former = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gracegate-policies-")), folder.resolve().name)
    write_files(former, {path.removeprefix(prefix): file.data for path, file in tree.files.items()})
    return _chosen(former, stack)


def _repositories(listed: Path) -> Iterator[Repository]:
    for line in listed.read_text(encoding="utf-8").splitlines():
        if entry := line.partition("#")[0].strip():
            path, _, revision = entry.partition("@")
            yield Repository(path, listed.parent / path, revision or "HEAD")


def _look(repositories: Sequence[Repository], most: int, rules: _Rules, shown: Progress) -> Found:
    found = Found()
    with shown.step("Checking repositories", len(repositories)):
        for one in repositories:
            try:
                _look_into(one, most, rules, found)
            except (GracegateError, OSError) as error:
                found.unread.append((one.name, str(error)))
            shown.done += 1
    return found


def _look_into(one: Repository, most: int, rules: _Rules, found: Found) -> None:
    """The engines are opened for each repository, so that none spends the time of the others."""
    cache = ReadCache()
    head = git.resolve_commit(one.path, one.revision)
    tree = git.read_commit_tree(one.path, head, may_be_read)
    with _opened(rules[0]) as before, _opened(rules[1]) as after:
        impact = compare_findings(_request(tree, rules, cache), before, after, render_nothing)
        found.repositories.append((one.name, impact))
        for base, changed in git.latest_changes(one.path, head, most) if most else ():
            diff = tuple(git.read_changes(one.path, base, changed, may_be_read))
            if diff:
                trees = [git.read_commit_tree(one.path, commit, may_be_read) for commit in (base, changed)]
                request = replace(_request(trees[1], rules, cache, trees[0]), base=trees[0], diff=diff)
                found.changes.append((one.name, changed, compare_outcomes(request, before, after, render_nothing)))


def _opened(chosen: ChosenPolicies) -> AbstractContextManager[tuple[PolicySet, ...]]:
    return open_own_policies(chosen.own, cache_dir=settings.cache_dir())


def _request(tree: Tree, rules: _Rules, cache: ReadCache, base: Tree | None = None) -> CheckRequest:
    """A request with the configuration of the base, or of the tree itself without one."""
    known = {**rules[0].rules, **rules[1].rules}
    file = (base or tree).files.get(CONFIG_FILE)
    return CheckRequest(
        head=tree,
        config=parse_repo_config("" if file is None else file.data.decode("utf-8", "replace"), known),
        policies=(),
        today=dt.datetime.now().astimezone().date(),
        limits=replace(settings.limits(), own_kinds=kinds_of(one.catalog for side in rules for one in side.own)),
        cache=cache,
    )


def _as_text(found: Found, most: int) -> str:
    return "".join(f"{line}\n" for line in (*_rule_lines(found), *_change_lines(found, most), *_total_lines(found)))


def _rule_lines(found: Found) -> Iterator[str]:
    by_rule: dict[str, Counter[str]] = {}
    where: dict[str, set[str]] = {}
    for name, impact in found.repositories:
        for word, one in _differences(impact):
            by_rule.setdefault(one.rule, Counter())[word] += 1
            where.setdefault(one.rule, set()).add(name)
    width = max(map(len, where), default=0)
    for rule in sorted(where):
        counts = ", ".join(f"{number} {word}" for word, number in by_rule[rule].items())
        yield f"{rule:{width}}  {counts}, in {len(where[rule])} of {plural(len(found.repositories), 'clone')}"
    if not where:
        yield "No finding appears or disappears."
    listed = [(name, word, one) for name, impact in found.repositories for word, one in _differences(impact)]
    for name, word, one in listed[:_SHOWN]:
        yield f"  {word}: {name} {location(one.file, one.line)}: {one.message} [{one.rule}]"
    if len(listed) > _SHOWN:
        yield f"  and {len(listed) - _SHOWN} more"


def _differences(impact: Impact) -> Iterator[tuple[str, Finding]]:
    """The findings that differ, each with what is said of it."""
    yield from ((f"new {one.severity}", one) for one in impact.appear)
    yield from ((f"now {one.severity}", one) for one in impact.relevelled)
    yield from (("gone", one) for one in impact.disappear)


def _change_lines(found: Found, most: int) -> Iterator[str]:
    if not most:
        return
    now, then = (Counter(one.before for _, _, one in found.changes), Counter(one.after for _, _, one in found.changes))
    counts = (f"{then[outcome]} {words} (now: {now[outcome]})" for outcome, words in _OUTCOMES.items())
    yield f"Of the last {plural(len(found.changes), 'change')} of manifests: {', '.join(counts)}."
    different = [(name, commit, one) for name, commit, one in found.changes if one.before != one.after]
    for name, commit, one in different[:_SHOWN]:
        places = [f"{location(f.file, f.line)} {f.rule}" for f in (*one.appear, *one.disappear)]
        yield f"  {name} {commit[:7]} {one.after}, not {one.before}: {', '.join(places[:3])}"
    if len(different) > _SHOWN:
        yield f"  and {len(different) - _SHOWN} more"


_OUTCOMES: Mapping[Outcome, str] = {"is commented": "would have got a comment", "is blocked": "would have been blocked"}


def _total_lines(found: Found) -> Iterator[str]:
    documents = sum(impact.documents for _, impact in found.repositories)
    yield f"{plural(len(found.repositories), 'clone')}, {plural(documents, 'object')}."
    yield from (f"{name} could not be read: {' '.join(why.split())}" for name, why in found.unread)
    for name, impact in found.repositories:
        if impact.problems:
            yield f"{name}: {plural(len(impact.problems), 'problem')}, such as {impact.problems[0].message}"


def _as_json(found: Found) -> str:
    def listed(findings: Iterable[tuple[str, Sequence[Finding]]]) -> list[dict[str, Any]]:
        return [
            {"repository": name, **{key: asdict(one)[key] for key in ("rule", "file", "line", "severity", "message")}}
            for name, many in findings
            for one in many
        ]

    report = {
        "schema": 1,
        "appear": listed((name, impact.appear) for name, impact in found.repositories),
        "disappear": listed((name, impact.disappear) for name, impact in found.repositories),
        "relevelled": listed((name, impact.relevelled) for name, impact in found.repositories),
        "changes": [
            {"repository": name, "commit": commit, "before": one.before, "after": one.after}
            for name, commit, one in found.changes
        ],
        "unread": [{"repository": name, "reason": why} for name, why in found.unread],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
