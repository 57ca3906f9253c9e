"""The house plan, as a test: which room may import which, and which library lives where. Read this first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "service" / "gracegate"

NOUNS = {"model", "errors"}
# A room is a folder or a module at the top of the package. A room may always import itself.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "settings": NOUNS,
    "manifests": NOUNS,
    "repo_config": NOUNS | {"manifests.yaml_tree", "manifests.nodes"},
    "policy": NOUNS,
    "outputs": NOUNS,
    "git": NOUNS,
    "github_app": NOUNS,
    "store": NOUNS,
    "check": NOUNS | {"repo_config", "manifests", "policy.query", "policy.catalog"},
    "jobs": NOUNS
    | {"settings", "repo_config", "manifests", "policy", "outputs", "git", "github_app", "store", "check"},
    "web": NOUNS | {"jobs.queue", "store", "settings", "outputs"},
    "cli": {"*"},
    "__main__": {"cli"},
}
LIVES_IN: dict[str, set[str]] = {
    "ruamel": {"manifests"},
    "github": {"github_app"},
    "opa_client": {"policy"},
    "wasmtime": {"policy"},
    "flask": {"web"},
    "dbos": {"jobs.queue"},
    "sqlalchemy": {"store", "jobs.queue"},
    "click": {"cli"},
    "rich": {"cli"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            yield name, ast.parse(path.read_text())


def imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


@pytest.mark.parametrize(("name", "tree"), [pytest.param(n, t, id=n) for n, t in modules()])
def test_imports_go_one_way(name: str, tree: ast.Module) -> None:
    room = name.split(".", maxsplit=1)[0]
    allowed = MAY_IMPORT[room] | {room}
    wrong = [
        target
        for imported in imports(tree, name)
        if imported.startswith("gracegate.")
        and (target := imported.removeprefix("gracegate.")) != "__version__"
        and "*" not in allowed
        and not inside(target, allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize(("name", "tree"), [pytest.param(n, t, id=n) for n, t in modules()])
def test_each_library_lives_in_its_room(name: str, tree: ast.Module) -> None:
    wrong = [
        imported
        for imported in imports(tree, name)
        for library, rooms in LIVES_IN.items()
        if inside(imported, {library}) and not inside(name, rooms)
    ]
    assert wrong == []


def test_the_environment_is_read_in_settings_alone() -> None:
    readers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert readers <= {"settings"}
