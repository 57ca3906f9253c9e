"""`gracegate policy impact`: what a change of rules would find in repositories, and what it would have blocked."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import click

from gracegate import git, settings
from gracegate.check import (
    EVALUATION_FAILURES,
    ChangeImpact,
    CheckRequest,
    FoundByRules,
    Impact,
    Outcome,
    compare_findings,
    find,
    together,
)
from gracegate.cli.impact_cache import ImpactCache
from gracegate.cli.main import CLEAN, FINDINGS, INCOMPLETE
from gracegate.cli.policies import ChosenPolicies, choose_policies, format_option, write_json
from gracegate.cli.terminal import Progress, progress, write_output
from gracegate.errors import GracegateError
from gracegate.manifests import may_be_read, render_nothing
from gracegate.model import CONFIG_FILE, Finding, Limits, Problem
from gracegate.outputs import enumeration, location, plural, text
from gracegate.policy import PolicySet, kinds_of, load_builtin
from gracegate.policy.engines import open_own_policies, open_policy_set
from gracegate.policy.sources import write_files
from gracegate.repo_config import parse_repo_config

EXIT_CODES = """\b
Exit codes:
  0  the impact is shown, whatever it is
  1  more changes would have been blocked than --fail-if-blocks allows
  2  wrong usage, or no policy set
  3  a repository could not be read, or rules cannot be used or failed
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

    @property
    def failures(self) -> list[tuple[str, Problem]]:
        """The rules that failed, by repository: what they would have found there is not known."""
        return [
            (name, p) for name, impact in self.repositories for p in impact.problems if p.code in EVALUATION_FAILURES
        ]


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
@click.option("--builtin", "with_builtin", is_flag=True, help="Evaluate the built-in rules beside those of the set.")
@click.option("--fail-if-blocks", "allowed", type=int, metavar="N", help="Fail if more changes than N get blocked.")
@format_option
def command(  # noqa: PLR0913, PLR0917
    folder: Path,
    base: str | None,
    listed: Path,
    most: int,
    with_builtin: bool,
    allowed: int | None,
    form: Literal["text", "json"],
) -> int:
    """Show what a change of rules would find, and what it would have blocked.

    FOLDER is a policy set. Its rules, and with --base those of a revision, check the manifests of all repositories
    by the configuration of each. Kustomizations and charts are not rendered. A change is a commit of the branch itself.
    What is read is kept in the user's cache: the next run reads only what has changed.
    """
    repositories = list(_repositories(listed))
    with ExitStack() as stack:
        shown = stack.enter_context(progress("Reading the rules"))
        after = _chosen(folder, stack)
        before = _chosen_at(folder, base, stack) if base else ChosenPolicies()
        if problems := [*after.problems(), *before.problems()]:
            click.echo(text.problems(problems), err=True, nl=False)
            return INCOMPLETE
        cache_dir = settings.cache_dir()
        cache = ImpactCache(None if cache_dir is None else cache_dir / "impact")
        rules = _Rules(before, after, has_builtin_before=with_builtin and base is not None, has_builtin=with_builtin)
        found = _look(repositories, most, rules, cache, shown)
    if form == "json":
        write_json(_values(found))
    else:
        write_output(_as_text(found, most))
    blocked = sum(_is_newly_blocked(one) for _, _, one in found.changes)
    if found.unread or found.failures:
        return INCOMPLETE
    return FINDINGS if allowed is not None and blocked > allowed else CLEAN


def _is_newly_blocked(change: ChangeImpact) -> bool:
    return change.after.outcome == "is blocked" and change.before.outcome != "is blocked"


@dataclass(frozen=True, slots=True)
class _Rules:
    """The sets before and after the change, and on which sides the built-in rules are evaluated too."""

    before: ChosenPolicies
    after: ChosenPolicies
    has_builtin_before: bool = False
    has_builtin: bool = False

    @property
    def limits(self) -> Limits:
        own = (one.catalog for side in (self.before, self.after) for one in side.own)
        return replace(settings.limits(), own_kinds=kinds_of(own))


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


def _look(repositories: Sequence[Repository], most: int, rules: _Rules, cache: ImpactCache, shown: Progress) -> Found:
    found = Found()
    with shown.step("Checking repositories", len(repositories)):
        for one in repositories:
            try:
                _Look(one, rules, cache).into(found, most)
            except (GracegateError, OSError) as error:
                found.unread.append((one.name, str(error)))
            shown.done += 1
    return found


class _Look:
    """What the rules find in one repository. Its engines are its own, so that none spends the time of the others."""

    def __init__(self, repository: Repository, rules: _Rules, cache: ImpactCache) -> None:
        self._repository = repository
        self._rules = rules
        self._cache = cache
        self._limits = rules.limits
        self._read = cache.reading(repository.path, self._limits)

    def into(self, found: Found, most: int) -> None:
        name, path = self._repository.name, self._repository.path
        head = git.resolve_commit(path, self._repository.revision)
        impact = compare_findings(*self._sides(head, None))
        changes = []
        for base, changed in git.latest_changes(path, head, most) if most else ():
            if git.read_changes(path, base, changed, may_be_read):
                before, after = self._sides(changed, base)
                changes.append((name, changed, ChangeImpact(before, after)))
        found.repositories.append((name, impact))
        found.changes += changes
        self._read.save()

    def _sides(self, head: str, base: str | None) -> tuple[FoundByRules, FoundByRules]:
        """What the rules find before and after their change."""
        rules = self._rules
        before = self._find(head, base, rules.before, is_builtin=False)
        after = self._find(head, base, rules.after, is_builtin=False)
        if not rules.has_builtin:
            return before, after
        builtin = self._find(head, base, ChosenPolicies(), is_builtin=True)
        return (together(before, builtin) if rules.has_builtin_before else before), together(after, builtin)

    def _find(self, head: str, base: str | None, chosen: ChosenPolicies, *, is_builtin: bool) -> FoundByRules:
        """What sets find in a commit, or in what it changed since `base`."""
        if not chosen.own and not is_builtin:
            return FoundByRules()
        digests = [one.catalog.digest for one in chosen.own] or [load_builtin().digest]
        known = sorted({**self._rules.before.rules, **self._rules.after.rules})
        day = dt.datetime.now().astimezone().date()
        key = (str(self._repository.path.resolve()), head, str(base), *digests, repr(self._limits), str(day), *known)

        def find_now() -> FoundByRules:
            opened = open_policy_set(None, load_builtin()) if is_builtin else open_own_policies(chosen.own)
            with opened as sets:
                policies = (sets,) if isinstance(sets, PolicySet) else sets
                return find(self._request(head, base, day), policies, render_nothing)

        return self._cache.found(key, find_now)

    def _request(self, head: str, base: str | None, day: dt.date) -> CheckRequest:
        """A request with the configuration of the base, or of the tree itself without one."""
        path = self._repository.path
        tree = git.read_commit_tree(path, head, may_be_read)
        former = None if base is None else git.read_commit_tree(path, base, may_be_read)
        file = (former or tree).files.get(CONFIG_FILE)
        known = {**self._rules.before.rules, **self._rules.after.rules}
        return CheckRequest(
            head=tree,
            base=former,
            diff=None if base is None else tuple(git.read_changes(path, base, head, may_be_read)),
            config=parse_repo_config("" if file is None else file.data.decode("utf-8", "replace"), known),
            policies=(),
            today=day,
            limits=self._limits,
            cache=self._read.cache,
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
    now, then = (Counter(side.outcome for side in sides) for sides in _sides_of(found))
    counts = (f"{then[outcome]} {words} (now: {now[outcome]})" for outcome, words in _OUTCOMES.items())
    yield f"Of the last {plural(len(found.changes), 'change')} of manifests: {', '.join(counts)}."
    different = [item for item in found.changes if item[2].before.outcome != item[2].after.outcome]
    for name, commit, one in different[:_SHOWN]:
        places = [f"{location(f.file, f.line)} {f.rule}" for f in (*one.appear, *one.disappear)]
        yield f"  {name} {commit[:7]} {one.after.outcome}, not {one.before.outcome}: {', '.join(places[:3])}"
    if len(different) > _SHOWN:
        yield f"  and {len(different) - _SHOWN} more"


def _sides_of(found: Found) -> tuple[list[FoundByRules], list[FoundByRules]]:
    return [one.before for _, _, one in found.changes], [one.after for _, _, one in found.changes]


_OUTCOMES: Mapping[Outcome, str] = {"is commented": "would have got a comment", "is blocked": "would have been blocked"}


def _total_lines(found: Found) -> Iterator[str]:
    documents = sum(impact.documents for _, impact in found.repositories)
    yield f"{plural(len(found.repositories), 'clone')}, {plural(documents, 'object')}."
    yield from (f"{name} could not be read: {' '.join(why.split())}" for name, why in found.unread)
    by_message: dict[str, list[str]] = {}
    for name, problem in found.failures:
        by_message.setdefault(problem.message, []).append(name)
    for message, names in by_message.items():
        yield f"Not evaluated in {enumeration(names)}: {message}"
    for name, impact in found.repositories:
        if unread := [problem for problem in impact.problems if problem.code not in EVALUATION_FAILURES]:
            files = plural(len({problem.file for problem in unread}), "file")
            yield f"{name}: {files} could not be read, such as {location(unread[0].file, unread[0].line)}"


def _values(found: Found) -> dict[str, Any]:
    def listed(findings: Iterable[tuple[str, Sequence[Finding]]]) -> list[dict[str, Any]]:
        return [
            {"repository": name, **{key: asdict(one)[key] for key in ("rule", "file", "line", "severity", "message")}}
            for name, many in findings
            for one in many
        ]

    return {
        "appear": listed((name, impact.appear) for name, impact in found.repositories),
        "disappear": listed((name, impact.disappear) for name, impact in found.repositories),
        "relevelled": listed((name, impact.relevelled) for name, impact in found.repositories),
        "changes": [
            {"repository": name, "commit": commit, "before": one.before.outcome, "after": one.after.outcome}
            for name, commit, one in found.changes
        ],
        "unread": [{"repository": name, "reason": why} for name, why in found.unread],
        "failed": [{"repository": name, "reason": problem.message} for name, problem in found.failures],
    }
