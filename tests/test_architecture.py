"""The house plan, as a test: which room may import which, through which door, and which library lives where.

A room is a folder or a module at the top of the package; its `__init__` is its door, and what the door's `__all__`
names is all that other rooms may use. Read this first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "service" / "gracegate"

NOUNS = {"model", "errors"}
# A room may always import itself. A folder in a room may be a room of its own, with a door of its own.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "errors": set(),
    "processes": set(),
    "file_cache": set(),
    "archives": NOUNS,
    "downloads": NOUNS | {"archives"},
    "module_cache": {"file_cache"},
    "rendering_files": NOUNS | {"file_cache"},
    "settings": NOUNS,
    "yaml": NOUNS,
    "yaml_edit": NOUNS | {"yaml"},
    "manifests": NOUNS | {"yaml", "yaml_edit"},
    "repo_config": NOUNS | {"yaml"},
    "policy": NOUNS,
    "policy.foreign": NOUNS,
    "policy.sources": NOUNS | {"git", "archives", "downloads"},
    "policy.engines": NOUNS | {"policy", "policy.foreign", "module_cache"},
    "rendering": NOUNS | {"module_cache", "processes"},
    "policy.sets": NOUNS
    | {"yaml", "yaml_edit", "repo_config", "manifests", "policy", "policy.engines", "policy.foreign", "check"}
    | {"policy.sources", "file_cache", "outputs"},
    "policy.build": NOUNS
    | {"rendering", "yaml", "yaml_edit", "policy", "policy.engines", "policy.sets", "check", "outputs"},
    "rollout": NOUNS,
    "outputs": NOUNS | {"rollout"},
    "git": NOUNS,
    "render_sources": NOUNS | {"git", "archives", "downloads", "file_cache"},
    "github_app": NOUNS,
    "store": NOUNS,
    "check": NOUNS | {"repo_config", "yaml", "yaml_edit", "manifests", "policy"},
    "review": NOUNS
    | {
        "settings",
        "yaml",
        "yaml_edit",
        "repo_config",
        "manifests",
        "policy",
        "policy.engines",
        "policy.sets",
        "policy.sources",
        "outputs",
        "git",
        "github_app",
    }
    | {"store", "check", "processes", "rendering", "rendering_files", "render_sources"},
    "jobs": NOUNS | {"settings", "store"},
    "web": NOUNS | {"review", "github_app", "store", "settings", "outputs", "policy", "policy.engines"},
    "cli": {"*"},
    "reference": {"policy", "repo_config", "yaml"},
    "__main__": {"cli"},
}
# Folders of tests that belong to no room: they test several together, or help the others.
NOT_OF_ONE_ROOM = {"apiserver", "bench", "browser", "cases", "closure", "demo", "e2e", "fakegithub"}
LIVES_IN: dict[str, set[str]] = {
    "ruamel": {"yaml"},
    "github": {"github_app"},
    "authlib": {"github_app"},
    "opa_client": {"policy.engines"},
    "wasmtime": {"policy.engines", "rendering", "module_cache"},
    "flask": {"web"},
    "sqlalchemy": {"store"},
    "alembic": {"store.migrations"},
    "click": {"cli"},
    "tqdm": {"cli"},
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            yield name, ast.parse(path.read_text())


MODULES = dict(modules())
each_module = pytest.mark.parametrize(("name", "tree"), [pytest.param(n, t, id=n) for n, t in MODULES.items()])


def imports(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """Each import as (module, name in it); no name for a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def of_ours(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Imports from the package, as (module below it, name); `from gracegate import git` is ("git", "")."""
    for module, name in imports(tree):
        if module == "gracegate" and name != "__version__":
            yield name or "", ""
        elif module.startswith("gracegate."):
            yield module.removeprefix("gracegate."), name or ""


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if inside(module, room)), key=len)


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def door(room: str) -> set[str]:
    """What a room's `__all__` names; a module that is a room by itself is open."""
    names = [
        ast.literal_eval(node.value)
        for node in MODULES[room].body
        if isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] == ["__all__"]
    ]
    return set(names[0]) if names else set()


@each_module
def test_imports_go_one_way(name: str, tree: ast.Module) -> None:
    allowed = MAY_IMPORT[room_of(name)] | {room_of(name)}
    wrong = [module for module, _ in of_ours(tree) if "*" not in allowed and room_of(module) not in allowed]
    assert wrong == []


@each_module
def test_nobody_imports_past_a_door(name: str, tree: ast.Module) -> None:
    wrong = [
        f"{module}.{imported}"
        for module, imported in of_ours(tree)
        if (room := room_of(module)) != room_of(name)
        and (SOURCE / room.replace(".", "/")).is_dir()
        and (module != room or (imported and imported not in door(room)))
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted(room for room in MAY_IMPORT if (SOURCE / room.replace(".", "/")).is_dir()))
def test_a_door_says_what_its_room_is_for(room: str) -> None:
    assert ast.get_docstring(MODULES[room])


def test_tests_mirror_the_package() -> None:
    folders = {path.parent.name for path in Path(__file__).parent.glob("*/*.py")} - NOT_OF_ONE_ROOM
    rooms = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    # policy has tests in its inner rooms alone.
    assert folders | {"policy"} == rooms


@each_module
def test_each_library_lives_in_its_room(name: str, tree: ast.Module) -> None:
    wrong = [
        module
        for module, _ in imports(tree)
        for library, rooms in LIVES_IN.items()
        if inside(module, library) and not any(inside(name, room) for room in rooms)
    ]
    assert wrong == []


def test_the_environment_is_read_in_settings_alone() -> None:
    readers = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert readers <= {"settings"}
