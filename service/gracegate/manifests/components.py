"""What can be rendered in a tree, by kustomize and by Helm: the roots, who reads what, and what a root lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import filterfalse
from types import MappingProxyType

from gracegate.manifests.applications import (
    Application,
    GitOpsObject,
    MissingValues,
    Sources,
    add_to_kustomization,
)
from gracegate.manifests.contents import read_values
from gracegate.manifests.contributors import ContributorReader, Contributors
from gracegate.manifests.discovery import CHART_FILE, COMPONENT_FILES
from gracegate.manifests.fetched import (
    artifacts_of,
    fetched_files,
    follow_references,
    is_complete,
    is_fetched,
    is_here,
    names_fetched,
    with_fetched_paths,
)
from gracegate.manifests.gitops import (
    GitOps,
    ObjectCache,
    find_objects,
    read_argo_cd,
    read_flux,
    rendered_objects,
    with_namespaces,
)
from gracegate.manifests.helm import VALUES_FILE, Charts, is_values_file, read_charts
from gracegate.manifests.kinds import read_kinds
from gracegate.manifests.kustomize import ChartReference, Kustomization, kustomization_of, kustomization_text, line_of
from gracegate.manifests.kustomize_changes import is_plain
from gracegate.manifests.kustomize_roots import Cache, Kustomizations, Placement, read_kustomizations
from gracegate.manifests.remote import ArtifactReference, RemoteReference
from gracegate.manifests.rendered_values import RenderedValues
from gracegate.manifests.source_places import SourcePlaces
from gracegate.manifests.stand_ins import stand_ins
from gracegate.manifests.values_places import Chart, read_chart
from gracegate.model import (
    AS_DECLARED,
    AppliedNamespace,
    Limits,
    PinnedSource,
    RenderRequest,
    Repository,
    Root,
    SourceFile,
    SourceLine,
    Tree,
)

MissingPart = RemoteReference | ChartReference | ArtifactReference | MissingValues
"""What a root reads and its tree does not have."""

_KUSTOMIZATION = "kustomization.yaml"


@dataclass(frozen=True, slots=True)
class ComponentCache:
    """What has been read: base and head share what is the same."""

    kustomizations: Cache = field(default_factory=dict)
    objects: ObjectCache = field(default_factory=dict)


@dataclass(frozen=True)
class Components:
    """The kustomizations and the charts of a tree, and what GitOps controllers apply of them and how.

    `objects` are those of the controllers, some from the `renderings` of roots. `written` are the kustomizations
    without what controllers make of them.
    """

    files: Mapping[str, SourceFile]
    kustomizations: Kustomizations
    charts: Charts
    gitops: GitOps
    written: Kustomizations
    objects: tuple[GitOpsObject, ...]
    repository: Repository
    limits: Limits
    renderings: Mapping[Root, str] = field(default_factory=dict)

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """All that is rendered by itself.

        A chart that kustomizations inflate is rendered by them, and one that controllers install with their values.
        """
        kustomizations = (Root("kustomize", directory) for directory in self.kustomizations.roots)
        installed = {one.directory for one in self.gitops.applications if one.root.renderer == "helm"}
        charts = (
            Root("helm", directory)
            for directory in self.charts.roots
            if not (directory in installed or is_fetched(directory))
            and not self.kustomizations.roots_of(_in(directory, CHART_FILE))
        )
        return (*kustomizations, *charts, *sorted(self._applications))

    def has(self, root: Root) -> bool:
        """Whether a root is one of the tree."""
        return root in self._known_roots

    def roots_of(self, path: str) -> frozenset[Root]:
        """The roots that read a file."""
        found = {Root("kustomize", root) for root in self.kustomizations.roots_of(path)}
        if not found:
            charts = (Root("helm", directory) for directory in self.charts.roots_of(path))
            found = {root for root in charts if self.has(root) and path not in self._values_of_others(root)}
        return frozenset(found | self._readers.get(path, set()))

    def is_configuration(self, path: str) -> bool:
        """Whether a file says what is rendered and how, and not only what of."""
        name = path.rpartition("/")[2]
        if name in COMPONENT_FILES or is_values_file(name) or any(one.path == path for one in self.objects):
            return True
        return any(path in one.files for one in self.gitops.applications)

    def files_of(self, root: Root) -> frozenset[str]:
        """The files that a root is rendered from; of what a kustomization names some may be missing."""
        application = self._applications.get(root)
        files = frozenset() if application is None else application.files
        if root.renderer == "helm":
            return files | (self.charts.files_of(self._directory(root)) - self._values_of_others(root))
        return files | self.kustomizations.closure(self._kustomization(root)).files

    def _values_of_others(self, root: Root) -> frozenset[str]:
        """The files of values in a chart that this root is not rendered with."""
        others = self._values_of_environments(root)
        if not others or self.charts.reads_any_file(self._directory(root)):
            return frozenset()
        application = self._applications.get(root)
        return others if application is None else others - application.files

    def _values_of_environments(self, root: Root) -> frozenset[str]:
        """The files of values beside those that a chart always has."""
        files = self.charts.values_files(self._directory(root)) if root.renderer == "helm" else ()
        return frozenset(path for path in files if path.rpartition("/")[2] != VALUES_FILE)

    def folders_of(self, root: Root) -> frozenset[str]:
        """The directories of charts that a root is rendered from whatever is in them, each with a slash at its end."""
        if root.renderer == "helm":
            return frozenset(self.charts.folders_of(self._directory(root)))
        read = self.kustomizations.read_by(self._kustomization(root))
        return frozenset(f"{chart.directory}/" for one in read for chart in one.charts)

    def object_files(self, root: Root) -> frozenset[str]:
        """Those of its files that a root takes objects and patches from."""
        if root.renderer == "helm":
            return self.charts.files_of(self._directory(root))
        return self.kustomizations.object_files(self._kustomization(root))

    def contributors(self, root: Root) -> Contributors:
        """What kustomize makes a root of, in order; nothing for a chart."""
        if root.renderer == "helm":
            return Contributors(())
        return self._contributor_reader.of_root(self._kustomization(root))

    def chart(self, root: Root, places: SourcePlaces) -> Chart:
        """The chart of a root, and where its values are set; `places` are those of the tree."""
        return read_chart(self._directory(root), self.templates(root), self._applications.get(root), places)

    def templates(self, root: Root) -> Iterator[str]:
        """The templates of a chart, and of those that it needs."""
        return filter(self.charts.is_template, self.charts.files_of(self._directory(root)))

    def file_of(self, root: Root) -> str:
        """The file of the tree that makes a directory a root."""
        if (application := self._applications.get(root)) is not None and application.artifact is not None:
            return application.path
        if root.renderer == "helm":
            return _in(root.directory, CHART_FILE)
        path = self._kustomization(root).path
        if path in self.files:
            return path
        return next((one.path for one in self.gitops.applications if one.root == root), path)

    def is_plain(self, root: Root) -> bool:
        """Whether a root makes nothing but what its files have, so that they are evaluated as they are."""
        if root not in self._plain:
            self._plain[root] = self._makes_nothing_new(root)
        return self._plain[root]

    def _makes_nothing_new(self, root: Root) -> bool:
        if root.renderer == "helm" or not is_plain(self.kustomizations, self._kustomization(root)):
            return False
        application = self._applications.get(root)
        if application is None:
            return True
        # What was fetched is no file of the tree.
        return application.artifact is None and (application.substitution is None or not self._has_variables(root))

    def may_hold_objects(self, root: Root) -> bool:
        """Whether a root may make an object of a kind that rules read: no transformer makes one of another kind.

        A file that the tree does not have may hold one, but for a kustomization that a controller makes.
        """
        if root.renderer == "helm":
            return True
        read = self.kustomizations.read_by(self._kustomization(root))
        paths, here = self.object_files(root), self.files.keys()
        if any(one.charts for one in read) or paths - here - {one.path for one in read}:
            return True
        return any(read_kinds(self.limits.own_kinds).may_hold_objects(self.files[path].data) for path in paths & here)

    def render_request(self, root: Root, replaced: Mapping[str, str] = MappingProxyType({})) -> RenderRequest:
        """How a root is rendered, with the texts `replaced` in the place of those that files of the tree have."""
        application = self._applications.get(root)
        folder = "" if application is None or application.artifact is None else application.folder
        if root.renderer == "kustomize":
            return RenderRequest(
                root,
                replaced={**self.stand_ins(root), **replaced, **self._changed_kustomizations(root, replaced)},
                substitution=None if application is None else application.substitution,
                folder=folder,
            )
        if application is None:
            return RenderRequest(root, replaced=replaced)
        # Flux takes files of values in the place of the chart's own.
        own = {_in(root.directory, VALUES_FILE): "{}"} if application.replaces_values else {}
        return RenderRequest(
            root,
            values=application.values,
            release=application.release,
            namespace=application.release_namespace,
            replaced={**replaced, **own},
            post_renderers=application.post_renderers,
            folder=folder,
        )

    def stand_ins(self, root: Root) -> Mapping[str, str]:
        """What a root is rendered with in the place of files that git does not have and of what programs make."""
        if root.renderer == "helm":
            return {}
        read = self.kustomizations.read_by(self._kustomization(root))
        return {path: text for one in read for path, text in stand_ins(one, self.files, self.limits)}

    def applied_by(self, path: str) -> tuple[frozenset[Root], frozenset[str]]:
        """What the GitOps objects in a file have applied, and why other parts of them say nothing of the tree."""
        roots = frozenset(one.root for one in self.gitops.applications if path in (one.path, one.source_path))
        return roots, frozenset(one.reason for one in self.gitops.unfollowed if path in (one.path, one.source_path))

    def ways_of_applying(self, path: str, root: Root) -> list[Application]:
        """How the GitOps objects in a file have a root applied, whatever they are called."""
        found = (one for one in self.gitops.applications if one.root == root and path in (one.path, one.source_path))
        return [replace(one, path="", name="", files=frozenset(), source_path="") for one in found]

    def namespace_of(self, root: Root) -> AppliedNamespace:
        """The namespace that whatever applies a root gives its rendered objects; as declared if that is not certain."""
        if (application := self._applications.get(root)) is not None:
            return application.namespace
        return self.kustomizations.applied.get(root.directory) or AS_DECLARED

    def revisions_of(self, root: Root) -> frozenset[str]:
        """The tags and branches that controllers apply a root from, "" for the branch that changes go to."""
        return frozenset(application.revision for application in self.gitops.applications if application.root == root)

    def missing_parts(self, root: Root) -> frozenset[MissingPart]:
        """What a root reads and the tree does not have."""
        application = self._applications.get(root)
        values = frozenset() if application is None else application.missing
        artifact = None if application is None else application.artifact
        if artifact is not None and not is_here(artifact.pinned, self.kustomizations.fetched):
            return values | {artifact}
        if root.renderer == "helm":
            return values | self.charts.missing(self._directory(root))
        closure = self.kustomizations.closure(self._kustomization(root))
        return values | closure.remotes | closure.charts

    def why_not_fetched(self, source: PinnedSource) -> str:
        """Why there is nothing of a source that was to be fetched; "" where it was not."""
        tree = self.kustomizations.fetched.get(source)
        return "" if tree is None or is_complete(tree) else next(p.message for p in tree.problems if not p.file)

    def line_that_names(self, root: Root, path: str) -> SourceLine | None:
        """The line of the tree by which a root reads a file that was fetched: in a kustomization, or where a GitOps
        object has the digest."""
        application = self._applications.get(root)
        if application is not None and application.artifact is not None and path.startswith(f"{application.folder}/"):
            return self._line_of_digest(application, application.artifact.revision)
        for kustomization in self.kustomizations.read_by(self._kustomization(root)):
            if kustomization.path in self.files and not is_fetched(kustomization.path):
                for reference in kustomization.references:
                    if reference.remote is not None and self._leads_to(reference.path, path):
                        line = line_of(self.files[kustomization.path], reference.pointer, self.limits)
                        return SourceLine(kustomization.path, line)
        return None

    def _line_of_digest(self, application: Application, digest: str) -> SourceLine:
        for path in filter(None, (application.source_path, application.path)):
            lines = self.files[path].data.splitlines() if path in self.files else []
            found = (number for number, line in enumerate(lines, 1) if digest.encode() in line)
            if (number := next(found, None)) is not None:
                return SourceLine(path, number)
        return SourceLine(application.path, 1)

    def _directory(self, root: Root) -> str:
        """Where the files of a root stand."""
        application = self._applications.get(root)
        return root.directory if application is None else application.directory

    def _leads_to(self, place: str | None, path: str) -> bool:
        """Whether a file is read where a reference names that file, or a directory with a kustomization."""
        if place is None or place not in self.kustomizations.by_directory:
            return place == path
        return path in self.kustomizations.object_files(place)

    def object_makers(self, paths: Collection[str] | None) -> frozenset[Root]:
        """The roots whose renderings say which GitOps objects there are that may matter to a change of files, None for
        all; see `with_renderings`.

        These are those that the files reach themselves, those with objects that have something applied in its own way
        which the files reach, and charts of objects.
        """
        reached = self._known_roots if paths is None else {root for path in paths for root in self.roots_of(path)}
        if all(map(self.is_plain, reached)):
            return frozenset()
        own_way = {one.path for root, one in self._applications.items() if root in reached}
        # What else a chart is installed with has nothing applied that these files reach.
        charts = {root.directory for root in reached if root.renderer == "helm"}
        makers = {root for path in self.charts.object_templates for root in self.roots_of(path)}
        makers = {root for root in makers if root in reached or root.directory not in charts}
        makers = {root for root in makers if root.applied_by or not self._is_without_environment(root)}
        for path in {found.path for found in self.objects}:
            readers = {root for root in self._roots_with(path) if not self.is_plain(root)}
            makers |= readers if path in own_way or paths is None else readers & reached
        return frozenset(makers)

    def _is_without_environment(self, root: Root) -> bool:
        """Whether a root is a chart with its own values alone, of which several environments have files of values: the
        objects that it makes for none of them name what nobody has."""
        return len(self._values_of_environments(root)) > 1

    def with_renderings(self, texts: Mapping[Root, str], values: RenderedValues) -> Components:
        """The components as the GitOps objects say that are in what some roots render to, read by `values`.

        Those in the files of these roots count no longer, but where a file is read by another root as well.
        """
        rendered = texts.keys()
        objects = [one for one in self.objects if not (roots := self._roots_with(one.path)) or roots - rendered]
        for root, text in texts.items():
            known = {(one.kind, one.name): one.path for one in self.objects if root in self._roots_with(one.path)}
            for found in rendered_objects(self._file_of_objects(root), text, values, self.limits):
                path = known.get((found.kind, found.name), found.path)
                objects.append(found._replace(path=path, namespace=self.namespace_of(root).of(found.namespace)))
        components = _assemble(self.written, self.charts, objects, self.repository, self.limits)
        return replace(components, renderings=texts)

    def _roots_with(self, path: str) -> set[Root]:
        """The kustomizations that have the objects of a file."""
        own_way = {root for root in self._readers.get(path, ()) if path in self.object_files(root)}
        return own_way | {Root("kustomize", directory) for directory in self.kustomizations.roots_of(path)}

    def applied_otherwise(self, other: Components) -> frozenset[Root]:
        """The roots that something applies here in another way than in another tree, or only here."""
        return frozenset(root for root, one in self._applications.items() if other._applications.get(root) != one)

    def of_edited(
        self, tree: Tree, paths: Collection[str], cache: ComponentCache, values: RenderedValues
    ) -> Components:
        """The components of a tree in which the files `paths` are other ones than in this."""
        edited = read_components(tree, self.limits, cache, self.repository)
        kept = {root: text for root, text in self.renderings.items() if self.files_of(root).isdisjoint(paths)}
        return edited.with_renderings(kept, values) if kept else edited

    def _file_of_objects(self, root: Root) -> str:
        """The file that says which objects a root makes, as well as one file can say it."""
        if root.renderer == "kustomize":
            return self.file_of(root)
        templates = self.files_of(root).intersection(self.charts.object_templates)
        return min((path for path in templates if not is_fetched(path)), default=self.file_of(root))

    @cached_property
    def _known_roots(self) -> frozenset[Root]:
        return frozenset(self.roots)

    @cached_property
    def _plain(self) -> dict[Root, bool]:
        """What `is_plain` has found: it is asked for each file of a root."""
        return {}

    @cached_property
    def _contributor_reader(self) -> ContributorReader:
        return ContributorReader(self.kustomizations)

    @cached_property
    def _applications(self) -> Mapping[Root, Application]:
        """What is applied in a way of its own."""
        applied = {one.root: one for one in self.gitops.applications if one.root.applied_by}
        installed = {
            root.directory
            for root, one in applied.items()
            if root.renderer == "helm" and not _is_of_unknown_environment(one)
        }
        return applied | {
            one.root: one for one in _by_convention(self.charts, self.files) if one.root.directory not in installed
        }

    @cached_property
    def _readers(self) -> Mapping[str, set[Root]]:
        """By path of a file, the roots that are applied in a way of their own and read it."""
        readers: defaultdict[str, set[Root]] = defaultdict(set)
        for root in self._applications:
            for path in self.files_of(root):
                readers[path].add(root)
        return readers

    def _kustomization(self, root: Root) -> Kustomization:
        application = self._applications.get(root)
        return (
            self.kustomizations.by_directory[root.directory]
            if application is None
            else _made(application, self.written)
        )

    def _changed_kustomizations(self, root: Root, replaced: Mapping[str, str]) -> Mapping[str, str]:
        """The texts, by path, of the kustomizations of a root that are rendered in another form than they are written:
        what a controller makes of a directory, and those that name what was fetched of other repositories."""
        own = self._kustomization(root)
        application = self._applications.get(root)
        added = {} if application is None else application.kustomization
        texts = {}
        for kustomization in self.kustomizations.read_by(own):
            path, content = kustomization.path, kustomization.content
            is_made = kustomization is own and (bool(added) or path not in self.files)
            if not is_made and not names_fetched(kustomization):
                continue
            if path in replaced:
                values = read_values(replaced[path], self.limits) or [{}]
                content = add_to_kustomization(values[0], added) if kustomization is own else values[0]
            texts[path] = kustomization_text(with_fetched_paths(kustomization, content))
        return texts

    def _has_variables(self, root: Root) -> bool:
        return any(b"${" in self.files[path].data for path in self.files_of(root) if path in self.files)


def read_components(
    tree: Tree, limits: Limits, cache: ComponentCache | None = None, repository: Repository | None = None
) -> Components:
    """The components of a tree; see `read_kustomizations` for the cache."""
    cache = cache or ComponentCache()
    kustomizations = read_kustomizations(tree, limits, cache.kustomizations)
    artifacts = {file.path: file for file in fetched_files(artifacts_of(tree.fetched))}
    charts = read_charts({**tree.files, **artifacts} if artifacts else tree.files, limits)
    objects = [
        found
        for found in find_objects(tree.files, limits, cache.objects)
        if not charts.is_template(found.path) and not kustomizations.is_patch(found.path)
    ]
    return _assemble(kustomizations, charts, objects, repository or Repository(), limits)


def _assemble(
    written: Kustomizations, charts: Charts, objects: Iterable[GitOpsObject], repository: Repository, limits: Limits
) -> Components:
    objects = tuple(objects)
    if not objects:
        return Components(written.files, written, charts, GitOps(), written, objects, repository, limits)
    files = charts.files
    if written.fetched:
        files = {path: file for path, file in files.items() if not is_fetched(path)}
    sources = Sources(files, repository, limits, written.fetched)
    gitops = read_argo_cd(objects, sources).add(read_flux(objects, "Kustomization", sources))
    kustomizations = _applied(written, gitops)
    placements = kustomizations.placements()
    objects = tuple(with_namespaces(objects, lambda path: _namespace(placements, path)))
    gitops = gitops.add(read_flux(objects, "HelmRelease", sources))
    return Components(written.files, kustomizations, charts, gitops, written, objects, repository, limits)


def _namespace(placements: Mapping[str, Placement], path: str) -> AppliedNamespace:
    return (placements[path].namespace if path in placements else None) or AS_DECLARED


def _applied(written: Kustomizations, gitops: GitOps) -> Kustomizations:
    """The kustomizations with what GitOps controllers make of them."""
    applications = [one for one in gitops.applications if one.root.renderer == "kustomize"]
    as_they_are = [one for one in applications if not one.root.applied_by]
    generated = {
        one.root.directory: _made(one, written)
        for one in as_they_are
        if one.listed is not None and one.root.directory not in written.by_directory
    }
    by_directory = {**written.by_directory, **generated}
    given: dict[str, AppliedNamespace | None] = {}
    for one in as_they_are:
        folder = one.root.directory
        given[folder] = one.namespace if given.get(folder, one.namespace) == one.namespace else None
    for folder in written.roots:
        namespaces = {pattern.namespace for pattern in gitops.patterns if pattern.matches(folder)}
        if folder not in given and len(namespaces) == 1:
            given[folder] = namespaces.pop()
    otherwise = tuple((_made(one, written), one.namespace) for one in applications if one.root.applied_by)
    return replace(
        written, by_directory=by_directory, generated=frozenset(generated), applied=given, applied_otherwise=otherwise
    )


def _made(application: Application, written: Kustomizations) -> Kustomization:
    """The kustomization that a GitOps controller makes for an application."""
    folder = application.directory
    known = written.by_directory.get(folder)
    if known is None:
        resources = [path.removeprefix(f"{folder}/") for path in application.listed or ()]
        known = kustomization_of(_in(folder, _KUSTOMIZATION), {"resources": resources})
    if not application.kustomization:
        return known
    made = kustomization_of(known.path, add_to_kustomization(known.content, application.kustomization))
    return follow_references(made, written.fetched)


def _is_of_unknown_environment(application: Application) -> bool:
    """Whether all that is missing of a chart's values are files of values: which one of those that are there is taken,
    something decides that nobody knows here."""
    names = [part.name.rpartition("/")[2] for part in application.missing]
    return bool(names) and all(map(is_values_file, names))


def _by_convention(charts: Charts, files: Mapping[str, SourceFile]) -> Iterator[Application]:
    """The charts with files of values beside their own, such as values-prod.yaml, which no object of the tree names."""
    for folder in filterfalse(is_fetched, charts.roots):
        for path in charts.values_files(folder):
            name = path.rpartition("/")[2]
            if name != VALUES_FILE:
                values = (files[path].data.decode(errors="replace"),)
                yield Application(Root("helm", folder, name), path, name, values=values, files=frozenset({path}))


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}".removeprefix("/")
