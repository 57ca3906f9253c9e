"""Manifests whose fixes are tried in every way: what the rules show as examples, and what the tests have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from gracegate.check import CheckRequest
from gracegate.model import FileDiff, SourceFile, Tree
from gracegate.policy import PolicySet, load_builtin
from gracegate.policy.engines.opa_wasm import WasmEngine
from gracegate.repo_config import RepoConfig, parse_repo_config
from tests.demo.layers import layer

Files = Mapping[str, str]

TESTS = Path(__file__).resolve().parents[1]
CATALOG = load_builtin()
WASM = WasmEngine()
BUILTIN = PolicySet(CATALOG, WASM.engine, WASM.evaluate)
TODAY = dt.date(2026, 11, 24)


@cache
def corpora() -> dict[str, Files]:
    """Trees of files by name."""
    return dict(_corpora())


def examples() -> dict[str, Files]:
    return {name: files for name, files in corpora().items() if name in CATALOG.rules}


def _corpora() -> Iterator[tuple[str, Files]]:
    for rule in CATALOG.rules.values():
        yield rule.id, {"apps/web.yaml": rule.example}
    for layers in (("base",), ("base", "change"), ("base", "change", "second")):
        yield f"the shop: {layers[-1]}", layer(*layers)
    for path in sorted((TESTS / "policy" / "engines" / "everything").iterdir()):
        yield f"everything: {path.stem}", {path.name: path.read_text()}
    for name, folder in (("all that is forgotten", "corpus"), ("ports that nothing confirms", "unproven")):
        yield name, {path.name: path.read_text() for path in sorted((Path(__file__).parent / folder).iterdir())}


def tree(files: Files) -> Tree:
    return Tree({path: SourceFile(path, text.encode()) for path, text in files.items()})


def before(name: str) -> Files | None:
    """What the example of a rule on what a change does was before the change, None for any other corpus."""
    rule = CATALOG.rules.get(name)
    return None if rule is None or rule.before is None else dict.fromkeys(corpora()[name], rule.before)


def request(files: Files, config: str = "", base: Files | None = None) -> CheckRequest:
    """A check of all files; what the shop's own configuration waives is fixed like the rest."""
    return CheckRequest(
        head=tree(files),
        base=None if base is None else tree(base),
        diff=None if base is None else tuple(FileDiff(path, "modified") for path in base),
        config=parse_repo_config(config, CATALOG.rules) if config else RepoConfig(),
        policies=(BUILTIN,),
        today=TODAY,
    )
