"""The options of a command -> the request of a check: trees, configuration and rules."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gracegate import git, settings
from gracegate.check import Baseline, CheckRequest, parse_baseline
from gracegate.cli.completion import complete_rule
from gracegate.cli.inputs import fetch_sources, read_changed, read_files
from gracegate.cli.policies import ActivePolicies, ChosenPolicies, choose_policies, open_policies
from gracegate.errors import ConfigError, InputError
from gracegate.manifests import ReadCache, RenderCache, directory, is_candidate, may_be_read
from gracegate.model import CONFIG_FILE, FileDiff, Limits, RenderSources, Repository, SourceFile, Tree
from gracegate.policy import kinds_of
from gracegate.policy.engines import OpaAddress
from gracegate.rendering_files import RenderingFiles
from gracegate.repo_config import DEFAULT_CONFIG, POLICIES_FILE, RepoConfig, parse_owner_defaults, parse_repo_config

if TYPE_CHECKING:
    from gracegate.render_sources import SourceFetcher

STDIN = "stdin.yaml"
"""The file name of standard input in the report; it has to be a name that a manifest may have."""

F = TypeVar("F", bound=Callable[..., Any])

paths_argument = click.argument("paths", nargs=-1)
"""The files and directories to look at."""

fetch_option = click.option(
    "--fetch",
    multiple=True,
    metavar="HOST/PATH",
    help="Fetch pinned commits of these repositories, or digests of these registries, which manifests name; can be "
    "repeated. `/*` at the end stands for all below: github.com/kubernetes-sigs/*, oci://ghcr.io/stefanprodan/charts/*",
)
"""The other repositories and registries that manifests may take bases and charts from."""

_POLICY_OPTIONS = (
    click.option(
        "--policies",
        multiple=True,
        metavar="DIR",
        help="Evaluate the rules in this folder too; can be repeated.",
    ),
    click.option(
        "--no-policies",
        is_flag=True,
        help=f"Use none of the folders that `policies` of {CONFIG_FILE} names. These are read from the working tree, "
        "also with --base: say this where somebody else may have changed them, as in the checks of a fork.",
    ),
)
_OPTIONS = (
    click.option(
        "--context", multiple=True, metavar="DIR", help="Look there too for Services and other joined objects."
    ),
    click.option(
        "--rule",
        "rules",
        multiple=True,
        metavar="ID",
        shell_complete=complete_rule,
        help="Evaluate this rule only; can be repeated.",
    ),
    *_POLICY_OPTIONS,
    click.option("--config", metavar="FILE", help=f"Use this instead of the repository's {CONFIG_FILE}."),
    click.option(
        "--defaults",
        metavar="FILE",
        help=f"What counts where {CONFIG_FILE} says nothing, as OWNER/.github/{CONFIG_FILE} does in the App.",
    ),
    click.option("--no-render", is_flag=True, help="Only name kustomizations and charts, and render none."),
    click.option(
        "--root",
        "roots",
        multiple=True,
        metavar="DIR",
        help="Render only the kustomization or chart in this directory; can be repeated.",
    ),
    fetch_option,
    click.option(
        "--opa", metavar="URL|PATH", help="Evaluate on this OPA instead of the built-in engine. [env: OPA_URL]"
    ),
)


def shared_options(command: F) -> F:
    """Adds the options that `check`, `fix` and `steps` have in common."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def policy_options(command: F) -> F:
    """Adds the options that say which policy sets are used."""
    for option in reversed(_POLICY_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to check. `base` and `head` are revisions; without `head` the work tree is checked. `roots` are the only
    directories whose kustomizations and charts are rendered, where any are given. `fetch` are the other repositories of
    which pinned commits are fetched, see RenderSources. `policies` are folders of policy sets beside those that the
    configuration names, which `no_policies` leaves out. `baseline` is a file of accepted findings,
    `defaults` one of what counts where the configuration says nothing."""

    paths: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    config: str | None = None
    base: str | None = None
    head: str | None = None
    no_render: bool = False
    roots: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    no_policies: bool = False
    baseline: str | None = None
    defaults: str | None = None


def path_shower(options: CheckOptions) -> Callable[[str], str]:
    """What paths of a report are from the working directory; the report has them from the top of what is checked."""
    if options.paths == ("-",):
        return str
    top = top_directory(options.paths or (".",))
    top = top if options.base is None else git.find_top_level(top)
    return lambda path: os.path.relpath(top / path)


def build_request(options: CheckOptions, policies: ActivePolicies) -> CheckRequest:
    """Reads files and revisions. Raises InputError for a wrong path, revision, rule or configuration."""
    if options.base is None:
        return _request_of_files(options, policies)
    return _request_of_revisions(options, options.base, policies)


@contextmanager
def open_policy_engines(
    opa_option: str | None, options: CheckOptions, clock: Callable[[], float] = time.monotonic
) -> Iterator[ActivePolicies]:
    """The policy sets of the options and of the configuration. The built-in rules are on the OPA of the option (a URL
    or a program), else of OPA_URL or GRACEGATE_OPA, else on the built-in engine. The limit is counted by `clock`, in
    seconds."""
    location = opa_option or settings.opa_url() or settings.opa_binary()
    opa = OpaAddress(str(location)) if "://" in str(location) else Path(location) if location else None
    if isinstance(opa, Path) and shutil.which(opa) is None:
        raise InputError(f"{'--opa' if opa_option else 'GRACEGATE_OPA'} {opa}: there is no such program")
    with chosen_policies(options) as chosen, open_policies(opa, chosen, clock) as policies:
        yield policies


@contextmanager
def chosen_policies(options: CheckOptions) -> Iterator[ChosenPolicies]:
    """The policy sets of the options and of the configuration, built and not evaluated."""
    top = top_directory((".",) if "-" in options.paths else options.paths or (".",))
    config = top / CONFIG_FILE if options.config is None else Path(options.config)
    with ExitStack() as stack:
        yield choose_policies(options.policies, config, top, stack, ignores_config=options.no_policies)


def _request_of_files(options: CheckOptions, policies: ActivePolicies) -> CheckRequest:
    paths = options.paths or (".",)
    reads_stdin = "-" in paths
    if reads_stdin and len(paths) > 1:
        raise click.UsageError("`-` is standard input and cannot be given with other paths")
    top = top_directory((".",) if reads_stdin else paths)
    names = [] if reads_stdin else [os.path.relpath(path, top) for path in paths]
    files = _with_files_beside(top, (*names, *_context_paths(top, options.context)))
    defaults = _defaults(options, policies)
    limits, cache = _limits(policies), _read_cache(options)
    tree = read_files(top, files, limits, cache)
    tree = _without_policies(tree, top, names, policies.chosen.folders.union(_policy_folders(tree, top)))
    (tree,) = fetch_sources([tree], None, source_fetcher(() if options.no_render else options.fetch), limits, cache)
    subjects = frozenset(path for path in tree.files if _is_below(path, names))
    if reads_stdin:
        tree = replace(tree, files={**tree.files, STDIN: SourceFile(STDIN, sys.stdin.buffer.read())})
        subjects = frozenset({STDIN})
    return CheckRequest(
        head=tree,
        config=_config(options, read_text(top / CONFIG_FILE), policies, defaults, os.path.relpath(top / CONFIG_FILE)),
        policies=policies.sets,
        config_defaults=defaults,
        unavailable_rules=policies.chosen.unavailable_rules,
        today=dt.datetime.now().astimezone().date(),
        repository=Repository(git.find_remotes(top)),
        subjects=subjects | {problem.file for problem in tree.problems if _is_below(problem.file, names)},
        only=_rule_ids(options, policies.chosen),
        limits=limits,
        cache=cache,
        baseline=None if options.baseline is None else _read_baseline(options.baseline, top, names),
    )


def _read_baseline(file: str, top: Path, names: Sequence[str]) -> Baseline:
    """The baseline in a file; of what is not below the `names` it cannot be told whether it is gone."""
    text = read_text(Path(file))
    if text is None:
        raise ConfigError("there is no such file; `gracegate baseline` writes one", file=file)
    baseline = parse_baseline(text, file)
    return replace(baseline, file=os.path.relpath(file, top), checked_paths=tuple(names))


def _request_of_revisions(options: CheckOptions, base: str, policies: ActivePolicies) -> CheckRequest:
    top = git.find_top_level(top_directory(options.paths or (".",)))
    head = None if options.head is None else git.resolve_commit(top, options.head)
    merge_base = git.find_merge_base(top, git.resolve_commit(top, base), head or git.resolve_commit(top, "HEAD"))
    names = [os.path.relpath(os.path.realpath(path), top) for path in options.paths or (".",)]
    changes = git.read_changes(top, merge_base, head, lambda path: may_be_read(path) or path.endswith(".rego"))
    used = _inside(top, policies.chosen.folders)
    diff = tuple(one for one in changes if _touches(one, names) and not _is_rego_below(one, used))
    changed = {path for one in diff for path in (one.path, one.previous_path) if path is not None}
    defaults = _defaults(options, policies)
    limits, cache = _limits(policies), _read_cache(options)
    trees = [
        read_changed(partial(_read_revision, top, revision), changed, limits, cache) for revision in (merge_base, head)
    ]
    # Only folders that are used as policies: any other one may be what somebody else proposes.
    trees = [_without_policies(tree, top, names, policies.chosen.folders) for tree in trees]
    before, after = fetch_sources(
        trees, changed, source_fetcher(() if options.no_render else options.fetch), limits, cache
    )
    return CheckRequest(
        head=after,
        base=before,
        repository=Repository(git.find_remotes(top)),
        diff=diff,
        config=_config(options, _text_in(before, CONFIG_FILE), policies, defaults),
        head_config=_text_in(after, CONFIG_FILE)
        if _text_in(after, CONFIG_FILE) != _text_in(before, CONFIG_FILE)
        else None,
        policies=policies.sets,
        config_defaults=defaults,
        unavailable_rules=policies.chosen.unavailable_rules,
        today=dt.datetime.now().astimezone().date(),
        only=_rule_ids(options, policies.chosen),
        limits=limits,
        cache=cache,
    )


def _read_cache(options: CheckOptions) -> ReadCache:
    """With what was rendered before, unless some roots are not to be rendered."""
    folder = settings.cache_dir()
    if folder is None or options.no_render or options.roots:
        return ReadCache()

    def find_renderer() -> Path | None:
        from gracegate import rendering  # noqa: PLC0415 - slow to import, and most checks render nothing

        return rendering.find_renderer()

    return ReadCache(renderings=RenderCache(RenderingFiles(folder / "renderings", find_renderer)))


def _limits(policies: ActivePolicies) -> Limits:
    """What is read: also the kinds that the rules of policy sets declare."""
    return replace(settings.limits(), own_kinds=kinds_of(one.catalog for one in policies.sets))


def _policy_folders(tree: Tree, top: Path) -> set[Path]:
    """The folders of a tree that are policy sets."""
    files = (path for path in tree.files if path.rpartition("/")[2] == POLICIES_FILE)
    return {Path(os.path.realpath(top / path)).parent for path in files}


def _without_policies(tree: Tree, top: Path, names: Sequence[str], folders: Iterable[Path]) -> Tree:
    """The tree without the folders of policy sets, whose manifests are cases of rules, unless one of the `names` is
    inside of them."""
    inside = sorted(_inside(top, folders))
    left_out = [one for one in inside if not any(name != one and _is_below(name, [one]) for name in names)]
    kept = {path: file for path, file in tree.files.items() if not _is_below(path, left_out)}
    for folder in left_out:
        if any(_is_below(path, [folder]) for path in tree.files):
            click.echo(f"gracegate: {folder} is a folder of policies, its manifests are not checked", err=True)
    return replace(tree, files=kept, problems=tuple(p for p in tree.problems if not _is_below(p.file, left_out)))


def source_fetcher(patterns: tuple[str, ...]) -> SourceFetcher | None:
    """What fetches the sources that `--fetch` allows into the cache; None for no patterns."""
    sources = RenderSources(patterns)
    if problem := next(settings.render_source_problems(sources), None):
        raise click.UsageError(f"--fetch {problem}")
    folder = settings.cache_dir()
    if not patterns:
        return None
    if folder is None:
        raise click.UsageError("--fetch needs a folder for its cache: set HOME or XDG_CACHE_HOME")
    from gracegate.render_sources import SourceFetcher  # noqa: PLC0415 - most checks fetch nothing

    environment = settings.child_environment()
    return SourceFetcher(folder / "sources", sources, may_be_read, git.ReadLimits().total_bytes, environment)


def _read_revision(top: Path, revision: str | None, is_wanted: Callable[[str], bool]) -> Tree:
    """The tree of a commit, or the work tree."""
    return git.read_work_tree(top, is_wanted) if revision is None else git.read_commit_tree(top, revision, is_wanted)


def top_directory(paths: Iterable[str]) -> Path:
    """The directory that paths in the report are relative to: the nearest one above all of `paths` that has a
    configuration or is a repository, else the working directory if it contains them all, else their common parent."""
    absolute = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - resolve() would follow symbolic links
    common = Path(os.path.commonpath(absolute))
    common = common if common.is_dir() else common.parent
    for folder in (common, *common.parents):
        if (folder / CONFIG_FILE).is_file() or (folder / ".git").exists():
            return folder
    return Path.cwd() if common.is_relative_to(Path.cwd()) else common


def _context_paths(top: Path, folders: Iterable[str]) -> list[str]:
    outside = next((f for f in folders if not Path(os.path.abspath(f)).is_relative_to(top)), None)  # noqa: PTH100
    if outside is not None:
        raise click.UsageError(f"--context {outside} has to be below {top}, like the manifests")
    return [os.path.relpath(folder, top) for folder in folders]


def _with_files_beside(top: Path, names: Iterable[str]) -> list[str]:
    """The names, and for each file among them the candidates of its directory: they may contain its Service."""
    paths = list(names)
    folders = {directory(Path(name).as_posix()) for name in paths if (top / name).is_file()}
    for folder in sorted(folders):
        beside = (f"{folder}/{name}" if folder else name for name in sorted(os.listdir(top / folder)))  # noqa: PTH208
        paths += [path for path in beside if is_candidate(path) and (top / path).is_file()]
    return paths


def _inside(top: Path, folders: Iterable[Path]) -> set[str]:
    """The paths from `top` of the folders that are below it."""
    real_top = Path(os.path.realpath(top))
    return {folder.relative_to(real_top).as_posix() for folder in folders if folder.is_relative_to(real_top)}


def _is_below(path: str, names: Iterable[str]) -> bool:
    return any(name in {".", path} or path.startswith(f"{name}/") for name in names)


def _touches(change: FileDiff, names: Iterable[str]) -> bool:
    return any(_is_below(path, names) for path in (change.path, change.previous_path) if path is not None)


def _is_rego_below(change: FileDiff, folders: Iterable[str]) -> bool:
    """Whether the change is of rules that are loaded from one of the folders, where their own gate judges them."""
    return change.path.endswith(".rego") and _is_below(change.path, folders)


def _config(
    options: CheckOptions,
    text: str | None,
    policies: ActivePolicies,
    defaults: RepoConfig,
    file: str = CONFIG_FILE,
) -> RepoConfig:
    """The configuration of the options, else the one in `text`, of that `file`."""
    rules, unavailable = policies.chosen.rules, policies.chosen.unavailable_rules
    if options.config is not None:
        given = read_text(Path(options.config))
        if given is None:
            raise ConfigError("there is no such file", file=options.config)
        return parse_repo_config(given, rules, options.config, unavailable, defaults)
    return defaults if text is None else parse_repo_config(text, rules, file, unavailable, defaults)


def _defaults(options: CheckOptions, policies: ActivePolicies) -> RepoConfig:
    """What counts where the configuration says nothing."""
    if options.defaults is None:
        return DEFAULT_CONFIG
    text = read_text(Path(options.defaults))
    if text is None:
        raise ConfigError("there is no such file", file=options.defaults)
    return parse_owner_defaults(text, policies.chosen.rules, options.defaults, policies.chosen.unavailable_rules)


def read_text(path: Path) -> str | None:
    """The text of a file, None where there is none. Raises ConfigError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from error


def _text_in(tree: Tree, path: str) -> str | None:
    return tree.files[path].data.decode("utf-8", "replace") if path in tree.files else None


def _rule_ids(options: CheckOptions, chosen: ChosenPolicies) -> frozenset[str] | None:
    """The rules to evaluate; those of refused sets are not, and what is wrong with their sets is reported anyway."""
    names = (name for name in options.rules if name not in chosen.unavailable_rules or name in chosen.rules)
    return frozenset(rule_id(name, chosen) for name in names) if options.rules else None


def rule_id(name: str, chosen: ChosenPolicies) -> str:
    """The id of the rule that has this id or had it once. An unknown one is a usage error that names the nearest."""
    ids = {alias: rule.id for rule in chosen.rules.values() for alias in (*rule.aliases, rule.id)}
    if name not in ids:
        if refused := next((one.folder.name for one in chosen.refused if name in one.folder.rule_ids), None):
            raise click.UsageError(f"The rule `{name}` is in the policy set {refused}, which is refused")
        nearest = get_close_matches(name, ids, n=1)
        hint = f"did you mean `{nearest[0]}`?" if nearest else "`gracegate rules` lists them."
        raise click.UsageError(f"There is no rule `{name}`; {hint}")
    return ids[name]
