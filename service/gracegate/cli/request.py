"""What the user asked for -> the request of a check: trees, configuration and rules."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from gracegate import git, settings
from gracegate.check import CheckRequest
from gracegate.errors import ConfigError
from gracegate.manifests import directory, is_candidate
from gracegate.model import Engine, FileDiff, SourceFile, Tree
from gracegate.policy import Catalog, Evaluate
from gracegate.policy.engines import OpaAddress, open_engine
from gracegate.repo_config import CONFIG_FILE, RepoConfig, parse_repo_config

STDIN = "stdin.yaml"
"""How the report calls standard input: a name that may be a manifest's."""

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("paths", nargs=-1),
    click.option(
        "--context", multiple=True, metavar="DIR", help="Look there too for Services and other joined objects."
    ),
    click.option("--rule", "rules", multiple=True, metavar="ID", help="Evaluate this rule only; can be repeated."),
    click.option("--config", metavar="FILE", help=f"Use this instead of the repository's {CONFIG_FILE}."),
    click.option(
        "--opa", metavar="URL|PATH", help="Evaluate on this OPA instead of the built-in engine. [env: OPA_URL]"
    ),
)


def shared_options(command: F) -> F:
    """What `check` and `fix` have in common."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at. `base` and `head` are revisions; without `head` the work tree is what is judged."""

    paths: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    config: str | None = None
    base: str | None = None
    head: str | None = None


def prepare(asked: Asked, catalog: Catalog, engine: Engine) -> CheckRequest:
    """The request; a path, a revision, a rule or a configuration that is wrong raises an InputError."""
    if asked.base is None:
        return _of_files(asked, catalog, engine)
    return _of_revisions(asked, asked.base, catalog, engine)


def engine(named: str | None, catalog: Catalog) -> AbstractContextManager[tuple[Engine, Evaluate]]:
    """The engine at the URL or of the binary `named`, else of OPA_URL or GRACEGATE_OPA, else the built-in one."""
    chosen = named or settings.opa_url() or settings.opa_binary()
    opa = OpaAddress(str(chosen)) if "://" in str(chosen) else Path(chosen) if chosen else None
    return open_engine(opa, catalog, cache_dir=settings.cache_dir())


def _of_files(asked: Asked, catalog: Catalog, engine: Engine) -> CheckRequest:
    paths = asked.paths or (".",)
    reads_stdin = "-" in paths
    if reads_stdin and len(paths) > 1:
        raise click.UsageError("`-` is standard input and stands alone")
    top = top_of((".",) if reads_stdin else paths)
    names = [] if reads_stdin else [os.path.relpath(path, top) for path in paths]
    tree = git.read_paths(top, _with_neighbours(top, (*names, *_below(top, asked.context))), is_candidate)
    judged = frozenset(path for path in tree.files if _is_below(path, names))
    if reads_stdin:
        tree = Tree({**tree.files, STDIN: SourceFile(STDIN, sys.stdin.buffer.read())}, tree.problems)
        judged = frozenset({STDIN})
    return CheckRequest(
        head=tree,
        config=_config(asked, _read(top / CONFIG_FILE), catalog),
        catalog=catalog,
        engine=engine,
        today=_today(),
        subjects=judged | {problem.file for problem in tree.problems if _is_below(problem.file, names)},
        only=_only(asked, catalog),
        limits=settings.limits(),
    )


def _of_revisions(asked: Asked, base: str, catalog: Catalog, engine: Engine) -> CheckRequest:
    top = git.find_top_level(top_of(asked.paths or (".",)))
    head = None if asked.head is None else git.resolve_commit(top, asked.head)
    start = git.find_merge_base(top, git.resolve_commit(top, base), head or git.resolve_commit(top, "HEAD"))
    before = git.read_commit_tree(top, start, is_candidate)
    after = git.read_work_tree(top, is_candidate) if head is None else git.read_commit_tree(top, head, is_candidate)
    names = [os.path.relpath(os.path.realpath(path), top) for path in asked.paths or (".",)]
    changes = git.read_changes(top, start, head, is_candidate)
    return CheckRequest(
        head=after,
        base=before,
        diff=tuple(change for change in changes if _concerns(change, names)),
        config=_config(asked, _text(before, CONFIG_FILE), catalog),
        head_config=_text(after, CONFIG_FILE) if _text(after, CONFIG_FILE) != _text(before, CONFIG_FILE) else None,
        catalog=catalog,
        engine=engine,
        today=_today(),
        only=_only(asked, catalog),
        limits=settings.limits(),
    )


def top_of(paths: Iterable[str]) -> Path:
    """The directory from which paths are counted: the nearest one above all of `paths` with a configuration or a
    repository, else the working directory where it holds them all, else what they have in common."""
    full = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - resolve() would follow symbolic links
    common = Path(os.path.commonpath(full))
    common = common if common.is_dir() else common.parent
    for folder in (common, *common.parents):
        if (folder / CONFIG_FILE).is_file() or (folder / ".git").exists():
            return folder
    return Path.cwd() if common.is_relative_to(Path.cwd()) else common


def _below(top: Path, folders: Iterable[str]) -> list[str]:
    outside = next((f for f in folders if not Path(os.path.abspath(f)).is_relative_to(top)), None)  # noqa: PTH100
    if outside is not None:
        raise click.UsageError(f"--context {outside} is outside of {top}, where the manifests are")
    return [os.path.relpath(folder, top) for folder in folders]


def _with_neighbours(top: Path, names: Iterable[str]) -> list[str]:
    """The names, and the candidates that lie beside each file among them: they may hold its Service."""
    found = list(names)
    folders = {directory(Path(name).as_posix()) for name in found if (top / name).is_file()}
    for folder in sorted(folders):
        beside = (f"{folder}/{name}" if folder else name for name in sorted(os.listdir(top / folder)))  # noqa: PTH208
        found += [path for path in beside if is_candidate(path) and (top / path).is_file()]
    return found


def _is_below(path: str, names: Iterable[str]) -> bool:
    return any(name in {".", path} or path.startswith(f"{name}/") for name in names)


def _concerns(change: FileDiff, names: Iterable[str]) -> bool:
    return any(_is_below(path, names) for path in (change.path, change.previous_path) if path is not None)


def _config(asked: Asked, text: str | None, catalog: Catalog) -> RepoConfig:
    if asked.config is not None:
        given = _read(Path(asked.config))
        if given is None:
            raise ConfigError("there is no such file", file=asked.config)
        return parse_repo_config(given, catalog.rules, asked.config)
    return RepoConfig() if text is None else parse_repo_config(text, catalog.rules)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"it cannot be read: {error}", file=str(path)) from error


def _text(tree: Tree, path: str) -> str | None:
    return tree.files[path].data.decode("utf-8", "replace") if path in tree.files else None


def _only(asked: Asked, catalog: Catalog) -> frozenset[str] | None:
    return frozenset(rule_id(name, catalog) for name in asked.rules) if asked.rules else None


def rule_id(name: str, catalog: Catalog) -> str:
    """The id that a rule's id or former id means; a name of no rule is a usage error with the nearest one."""
    known = {alias: rule.id for rule in catalog.rules.values() for alias in (*rule.aliases, rule.id)}
    if name not in known:
        nearest = get_close_matches(name, known, n=1)
        hint = f"did you mean `{nearest[0]}`?" if nearest else "`gracegate rules` lists them."
        raise click.UsageError(f"There is no rule `{name}`; {hint}")
    return known[name]


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()
