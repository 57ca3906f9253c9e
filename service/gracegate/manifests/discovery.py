"""Which files of a tree may be manifests, by name, and which component each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache

_SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
CHART_FILE = "Chart.yaml"
COMPONENT_FILES = KUSTOMIZATIONS | {CHART_FILE}
# Files of other tools are never manifests, and can be larger than all manifests together.
_OTHER_TOOLS_FILES = frozenset({"package-lock.json", "package.json", "tsconfig.json", "composer.json", "angular.json"})
# Beside those of manifests; many other files in directories of this name are pages of web applications.
_TEMPLATE_SUFFIXES = (".gotmpl", ".tmpl", ".txt")
_DOCUMENTATION_SUFFIXES = (".gif", ".gotmpl", ".jpeg", ".jpg", ".lock", ".md", ".png", ".svg")
_DOCUMENTATION_NAMES = frozenset({"CHANGELOG", "CODEOWNERS", "LICENSE", "NOTICE", "OWNERS", "README"})
_IGNORED_DIRECTORIES = frozenset({"node_modules", ".git"})


def is_candidate(path: str) -> bool:
    """True if a file with that name may contain manifests, or configure a component."""
    *directories, name = path.split("/")
    if name in _OTHER_TOOLS_FILES or not _IGNORED_DIRECTORIES.isdisjoint(directories):
        return False
    return name in KUSTOMIZATIONS or name.lower().endswith(_SUFFIXES) or _is_helper(name, directories)


def _is_helper(name: str, directories: Collection[str]) -> bool:
    """Whether a file is one of a chart's templates that others include."""
    return name.endswith(".tpl") and "templates" in directories


def may_be_read(path: str) -> bool:
    """True for a candidate, and for the other files of charts that have a meaning for Helm.

    Files of any name are read by some roots, as data: a change of nothing but data changes no object that rules judge.
    """
    *directories, name = path.split("/")
    is_template = "templates" in directories and ("." not in name or name.endswith(_TEMPLATE_SUFFIXES))
    is_of_chart = name == ".helmignore" or is_template
    return is_candidate(path) or (is_of_chart and _IGNORED_DIRECTORIES.isdisjoint(directories))


def is_documentation(path: str) -> bool:
    """Whether a file is for readers by its name, so that no chart makes objects of it."""
    name = path.rpartition("/")[2]
    return name.lower().endswith(_DOCUMENTATION_SUFFIXES) or name.partition(".")[0] in _DOCUMENTATION_NAMES


def component_finder(paths: Iterable[str]) -> Callable[[str], str]:
    """A function from a file's path to its component, "" for the top directory.

    The component is the nearest ancestor directory with a kustomization or a chart, else the file's own directory.
    `paths` are all files that make a component known.
    """
    components = frozenset(directory(path) for path in paths if path.rpartition("/")[2] in COMPONENT_FILES)

    @cache
    def nearest_component(folder: str) -> str | None:
        if folder in components:
            return folder
        return nearest_component(directory(folder)) if folder else None

    def find_component(path: str) -> str:
        component = nearest_component(directory(path))
        return directory(path) if component is None else component

    return find_component


def directory(path: str) -> str:
    """The directory of a path with forward slashes, "" for the top directory."""
    return path.rpartition("/")[0]
