"""What the child process does with a pull request's files. It sees no secret of GitHub's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from gracegate.check.check import check
from gracegate.check.examine import CheckRequest
from gracegate.errors import ConfigError
from gracegate.manifests.limits import Limits
from gracegate.model import FileDiff, Problem, Report, Tree, Verdict
from gracegate.policy.catalog import load_builtin
from gracegate.policy.opa_server import ServerEngine
from gracegate.policy.opa_wasm import WasmEngine
from gracegate.repo_config import FILE, RepoConfig, parse


@dataclass(frozen=True, slots=True)
class Opa:
    """Where the rules are evaluated, if not in Wasm."""

    url: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One review's input: the trees of merge base and head, and what changed between them.

    `seconds` bounds one evaluation, `limits` one file (fields of manifests.limits.Limits); `cache_dir` is where
    compiled rules are kept between children.
    """

    base: Tree
    head: Tree
    diff: tuple[FileDiff, ...]
    today: dt.date
    opa: Opa | None
    cache_dir: Path | None
    seconds: float
    limits: Mapping[str, int] = field(default_factory=dict)


def judge(order: Order) -> Report:
    """The report of a pull request. A base configuration that is wrong makes it incomplete, and is named."""
    config, broken = _config(order.base)
    catalog = load_builtin()
    with ExitStack() as stack:
        engine = _engine(order, stack)
        request = CheckRequest(
            head=order.head,
            config=config,
            catalog=catalog,
            engine=engine.engine,
            today=order.today,
            base=order.base,
            diff=order.diff,
            head_config=_proposed(order),
            limits=Limits(**order.limits),
        )
        report = check(request, engine.evaluate)
    return report if broken is None else _with(report, broken)


def _engine(order: Order, stack: ExitStack) -> WasmEngine | ServerEngine:
    if order.opa is None:
        return WasmEngine(cache_dir=order.cache_dir, seconds=order.seconds)
    server = ServerEngine(order.opa.url, load_builtin(), token=order.opa.token, seconds=order.seconds)
    return stack.enter_context(closing(server))


def _config(base: Tree) -> tuple[RepoConfig, Problem | None]:
    source = base.files.get(FILE)
    try:
        text = "" if source is None else source.data.decode()
        return parse(text, load_builtin().rules), None
    except UnicodeDecodeError:
        return RepoConfig(), Problem(FILE, 0, "config", "The base branch's configuration is not UTF-8 text.")
    except ConfigError as error:
        message = f"The base branch's configuration is wrong: {error.message}"
        return RepoConfig(), Problem(FILE, error.line or 0, "config", message)


def _proposed(order: Order) -> str | None:
    """The head's configuration where it differs: shown as a dry run, never applied."""
    base, head = (tree.files.get(FILE) for tree in (order.base, order.head))
    if (base and base.data) == (head and head.data):
        return None
    return "" if head is None else head.data.decode(errors="replace")


def _with(report: Report, problem: Problem) -> Report:
    verdict: Verdict = "fail" if report.verdict == "fail" else "incomplete"
    return replace(report, verdict=verdict, problems=(problem, *report.problems))
