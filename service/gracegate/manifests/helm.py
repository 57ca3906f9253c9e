"""Charts as they are written, without rendering: what belongs to one, and which charts it needs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gracegate.manifests.chart_versions import satisfies
from gracegate.manifests.contents import items, mapping, read_values, text
from gracegate.manifests.discovery import CHART_FILE, directory
from gracegate.manifests.graph import reach
from gracegate.manifests.kustomize import ChartReference, join
from gracegate.model import Limits, SourceFile

_VALUES = re.compile(r"values([._-].*)?\.ya?ml", re.IGNORECASE)
# Of Helm 2, whose charts Helm still reads.
_REQUIREMENTS = "requirements.yaml"
_LOCAL = "file://"
VALUES_FILE = "values.yaml"
# What is no file of values: `.Files.Get "a.txt"`, `.Files.Glob "config/*"`, `.Files.Get (printf "tags/%s" .name)`.
_CERTAIN_FILES = re.compile(
    rb"\.Files\.(?:\w+[ \t]*\(?[ \t]*(?:printf[ \t]+)?[\"`][\w.-]+/|Get[ \t]+[\"`](?!(?i:values))[\w.-]+[\"`])"
)
_OBJECT_IN_TEMPLATE = re.compile(
    rb"^[ \t]*kind[ \t]*:[ \t]*['\"]?(?:Application|ApplicationSet|HelmRelease|Kustomization)\b", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart; `dependencies` have a directory where the tree has them."""

    directory: str
    is_library: bool
    dependencies: tuple[ChartReference, ...]


@dataclass(frozen=True)
class Charts:
    """The charts of a tree by directory."""

    files: Mapping[str, SourceFile]
    by_directory: Mapping[str, Chart]

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The directories of the charts that are installed by themselves: no libraries, no parts of other charts."""
        return tuple(sorted(d for d, c in self.by_directory.items() if not c.is_library and self._parent(d) is None))

    def roots_of(self, path: str) -> frozenset[str]:
        """The charts that are rendered with a file: the one that it belongs to, and those that depend on that."""
        chart = self.chart_of(path)
        readers = reach([] if chart is None else [chart], self._readers)
        return frozenset(readers).intersection(self.roots)

    def chart_of(self, path: str) -> str | None:
        """The directory of the chart that reads a file, None for a file that none reads, as a README."""
        folder = directory(path)
        while folder not in self.by_directory:
            if not folder:
                return None
            folder = directory(folder)
        return folder if is_read_by_chart(path.removeprefix(f"{folder}/")) else None

    def is_template(self, path: str) -> bool:
        """Whether a chart has a file among its templates."""
        chart = self.chart_of(path)
        return chart is not None and path.removeprefix(f"{chart}/").startswith("templates/")

    def values_files(self, folder: str) -> Sequence[str]:
        """The files of values in the directory of a chart."""
        return self._values_files.get(folder, ())

    def reads_any_file(self, folder: str) -> bool:
        """Whether templates of a root, or of a chart that it needs, may read any of its files as a text."""
        folders = tuple(self.folders_of(folder))
        return any(f"{reader}/".startswith(folders) for reader in self._readers_of_files)

    @cached_property
    def _readers_of_files(self) -> frozenset[str]:
        found = (chart for path in self.files if (chart := self._chart_of_template(path)) is not None)
        return frozenset(found)

    def _chart_of_template(self, path: str) -> str | None:
        """The directory of the chart of a template that reads a file which may be in that directory itself."""
        data = self.files[path].data
        if b".Files" not in data or not self.is_template(path):
            return None
        is_certain = data.count(b".Files") == len(_CERTAIN_FILES.findall(data))
        return None if is_certain else self.chart_of(path)

    @cached_property
    def _values_files(self) -> Mapping[str, Sequence[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in sorted(self.files):
            if directory(path) in self.by_directory and is_values_file(path.rpartition("/")[2]):
                found[directory(path)].append(path)
        return found

    @cached_property
    def object_templates(self) -> tuple[str, ...]:
        """The templates that make objects of GitOps controllers."""
        return tuple(
            p for p, file in self.files.items() if self.is_template(p) and _OBJECT_IN_TEMPLATE.search(file.data)
        )

    def files_of(self, root: str) -> frozenset[str]:
        """The files of a chart and of the charts of the tree that it needs, all that are below their directories."""
        folders = tuple(self.folders_of(root))
        return frozenset(path for path in self.files if path.startswith(folders))

    def folders_of(self, root: str) -> Iterator[str]:
        """The directories of a chart and of the charts of the tree that it needs, each with a slash at its end."""
        return (f"{folder}/" if folder else "" for folder in reach([root], self._present))

    def missing(self, root: str) -> frozenset[ChartReference]:
        """The charts that a root needs and the tree does not have."""
        needed = (d for folder in reach([root], self._present) for d in self._dependencies(folder))
        # Without a repository, the chart can only be an archive among the chart's `charts`.
        return frozenset(d for d in needed if d.repository and d.directory not in self.by_directory)

    def _present(self, folder: str) -> Iterator[str]:
        """The charts of the tree that the chart of a directory needs."""
        return (d.directory for d in self._dependencies(folder) if d.directory in self.by_directory)

    def _dependencies(self, folder: str) -> tuple[ChartReference, ...]:
        """Those of the chart of a directory; none where that was to be fetched and was not."""
        return self.by_directory[folder].dependencies if folder in self.by_directory else ()

    def _readers(self, folder: str) -> Iterator[str]:
        """The charts that have the chart of a directory as a dependency or among their `charts`."""
        yield from self._dependents.get(folder, ())
        if (parent := self._parent(folder)) is not None:
            yield parent

    @cached_property
    def _dependents(self) -> Mapping[str, set[str]]:
        dependents: defaultdict[str, set[str]] = defaultdict(set)
        for folder, chart in self.by_directory.items():
            for dependency in chart.dependencies:
                dependents[dependency.directory].add(folder)
        return dependents

    def _parent(self, folder: str) -> str | None:
        """The chart that has the chart of a directory among its `charts`."""
        above, charts, name = f"/{folder}".rpartition("/charts/")
        parent = above.removeprefix("/")
        return parent if charts and "/" not in name and parent in self.by_directory else None


def is_read_by_chart(path: str) -> bool:
    """Whether Helm reads a file for its meaning; `path` counts from the chart."""
    first, slash, _ = path.partition("/")
    if slash:
        return first in {"charts", "crds", "templates"}
    return path in {CHART_FILE, ".helmignore", _REQUIREMENTS} or is_values_file(path)


def is_values_file(name: str) -> bool:
    """Whether a file is one of values, by the name that such files have by convention."""
    return _VALUES.fullmatch(name) is not None


def read_charts(files: Mapping[str, SourceFile], limits: Limits) -> Charts:
    """The charts of a tree; one whose Chart.yaml cannot be read has no dependencies."""
    folders = [directory(path) for path in files if path.rpartition("/")[2] == CHART_FILE]
    contents = {folder: _content(files, join(folder, CHART_FILE), limits) for folder in folders}
    return Charts(files, {folder: _read_chart(files, folder, contents, limits) for folder in folders})


def _read_chart(
    files: Mapping[str, SourceFile], folder: str, contents: Mapping[str, Mapping[str, Any]], limits: Limits
) -> Chart:
    requirements = _content(files, join(folder, _REQUIREMENTS), limits)
    named = [*items(contents[folder].get("dependencies")), *items(requirements.get("dependencies"))]
    dependencies = (_dependency(folder, mapping(item), contents) for item in named)
    return Chart(folder, contents[folder].get("type") == "library", tuple(dependencies))


def _content(files: Mapping[str, SourceFile], path: str | None, limits: Limits) -> dict[str, Any]:
    source = files.get(path or "")
    values = None if source is None else read_values(source.data, limits)
    return mapping(values[0]) if values else {}


def _dependency(folder: str, item: Mapping[str, Any], contents: Mapping[str, Mapping[str, Any]]) -> ChartReference:
    name, version, repository = (text(item.get(key)) for key in ("name", "version", "repository"))
    own = join(folder, f"charts/{name}") or ""
    if own in contents:
        return ChartReference(name, version, repository, own)
    if repository.startswith(_LOCAL):
        return ChartReference(name, version, repository, join(folder, repository.removeprefix(_LOCAL)) or "")
    # A repository of charts that need each other publishes them from where they stand side by side.
    beside = join(folder, f"../{name}") or ""
    is_beside = satisfies(text(contents.get(beside, {}).get("version")), version)
    return ChartReference(name, version, repository, beside if is_beside else own)
