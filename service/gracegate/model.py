"""The immutable records that all rooms share. Lines count from 1, ranges include both ends, indexes count from 0."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

Pointer = tuple[str | int, ...]
"""A path inside one Kubernetes object: keys of mappings and indexes of lists, from the object's root."""

DocumentKey = tuple[Hashable, ...]
"""Path, number of the YAML document in its file, pointer to the object in it; root and name of a rendered object."""

Severity = Literal["error", "warning", "info"]
Confidence = Literal["certain", "possible"]
"""`possible` is what rests on something that the manifests do not show, as a Service that may be elsewhere."""
Status = Literal["introduced", "worsened", "pre-existing", "present"]
Verdict = Literal["fail", "incomplete", "pass"]
FixClass = Literal["safe", "assumes", "text"]
ChangeKind = Literal["added", "modified", "renamed", "removed"]
Gate = Literal["enforce", "advise"]
CommentScope = Literal["introduced", "touched"]
NoSuggestion = Literal[
    "no_fix",
    "advice_only",
    "assumes",
    "pre_existing",
    "not_tried",
    "other_file",
    "no_such_path",
    "shared_anchor",
    "merge_key",
    "templated",
    "variable",
    "unsupported_layout",
    "would_change_more",
    "not_fixed",
    "new_finding",
    "conflicts",
    "overlaps",
    "outside_diff",
    "crlf",
    "no_final_newline",
    "too_long",
    "generated",
    "unmapped",
    "not_proved",
]
"""Why a finding has no suggestion. `outputs/phrasing.py` has a sentence for each, metrics count them."""
NoSteps = Literal["order_is_no_help", "no_steps_known", "not_written", "not_safe", "not_tried"]
"""Why a finding on what a change does has no steps. `outputs/phrasing.py` has a sentence for each."""
Renderer = Literal["kustomize", "helm"]
RenderProblemCode = Literal["refused", "limit", "interrupted", "crashed", "unavailable"]
"""A `limit` is passed by the root itself; an `interrupted` one might have rendered on a machine that is less busy."""
Mode = Literal["shadow", "warn", "block"]
"""What becomes of the findings of a rule: counted and said nowhere, warnings at most, or what their levels say."""
Profile = Literal["baseline", "recommended", "strict"]

BUILTIN_POLICIES = "gracegate"
"""The name of the built-in policy set."""

CONFIG_FILE = ".gracegate.yaml"
"""A repository's configuration, at its top."""

SEVERITY_ORDER: Mapping[str, int] = {"info": 0, "warning": 1, "error": 2}

# What GitHub takes, in bytes of UTF-8. It counts characters, which are never more; where its documentation and its
# behaviour differ the smaller number stands here.
GITHUB_COMMENT_BYTES = 60_000
GITHUB_SUMMARY_BYTES = 65_000
GITHUB_ANNOTATION_BYTES = 60_000
GITHUB_TITLE_BYTES = 255


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of untrusted text: at most `bytes` and `documents` of one file, the others of one YAML document.

    `documents` also bounds the objects of one list, `nodes` counts what an alias stands for at each of its uses, and
    `depth` counts through aliases. `own_kinds` are read beside those that the built-in rules know: `Kind` of any API
    group, or `group/Kind`.
    """

    bytes: int = 5_000_000
    documents: int = 10_000
    depth: int = 100
    nodes: int = 200_000
    aliases: int = 1_000
    own_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a tree: `path` is relative to the tree, with forward slashes; `blob` is git's id of the content."""

    path: str
    data: bytes
    blob: str = ""

    @property
    def is_lfs_pointer(self) -> bool:
        """True if Git LFS stores the content elsewhere and `data` only says where."""
        return self.data.startswith(b"version https://git-lfs.github.com/spec/") and len(self.data) < 1024


LFS_POINTER_MESSAGE = "The file was not read: it is a Git LFS pointer, and its content is stored elsewhere."


ARTIFACT_SCHEME = "oci://"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
"""The media type of a chart in a registry."""
_PLAIN_URL = re.compile(r"(?:https?|oci)://[a-z0-9.-]+(?::[0-9]+)?(?:/(?!\.{1,2}(?:/|$))[\w.~-]+)+", re.ASCII)
# Only a loopback address needs no TLS.
_POLICY_URL = re.compile(
    r"(?:https://[a-zA-Z0-9.-]+(?::[0-9]+)?|http://(?:localhost|127\.0\.0\.1)(?::[0-9]+)?)/[\w./~%+-]+"
    r"|oci://[a-zA-Z0-9.-]+(?::[0-9]+)?/[a-z0-9._/-]+(?::[\w.-]{1,128}|@sha256:[0-9a-f]{64})",
    re.ASCII,
)
_NAME = r"(?!\.{1,2}(?:[/@]|$))[\w.-]+"
_POLICY_REPOSITORY = re.compile(
    rf"(?P<repository>[a-zA-Z0-9][a-zA-Z0-9-]*/{_NAME})(?://(?P<folder>{_NAME}(?:/{_NAME})*/?))?"
    r"@(?P<ref>(?!.*\.\.)[\w][\w./+-]*)",
    re.ASCII,
)


class PinnedSource(NamedTuple):
    """Something in another place that can never be something else: a commit of a repository, by the `url` that git
    fetches it from and its full id, or an artifact of a registry, `oci://host/name` and its digest `sha256:...`."""

    url: str
    revision: str

    @property
    def is_artifact(self) -> bool:
        """Whether a registry has it, and not git."""
        return self.url.startswith(ARTIFACT_SCHEME)


@dataclass(frozen=True, slots=True)
class Tree:
    """The candidate files of one commit or directory by path, and the problems of those that could not be read.

    `others` are the paths of the files that were not read because their names say nothing, as far as they are known.
    `fetched` is what its manifests name of other repositories and of registries; what could not be fetched has a
    problem of no file.
    """

    files: Mapping[str, SourceFile]
    problems: tuple[Problem, ...] = ()
    others: frozenset[str] = frozenset()
    fetched: Mapping[PinnedSource, Tree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderSources:
    """The repositories and registries of which pinned sources may be fetched to render what needs them.

    A pattern is a URL without `.git`, of https where it has no scheme, and of `oci` for registries; `/*` at its end
    stands for all that is below.
    """

    patterns: tuple[str, ...] = ()

    def allow(self, source: PinnedSource) -> bool:
        """Whether a source may be fetched; none by a URL that a server could take for another one."""
        url = source.url if source.is_artifact else source.url.removesuffix(".git")
        return _PLAIN_URL.fullmatch(url) is not None and any(
            url == pattern or (pattern.endswith("/*") and url.startswith(pattern[:-1]))
            for pattern in (one if "://" in one else f"https://{one}" for one in self.patterns)
        )


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where a policy set comes from, as somebody has written it in `text`: a folder, a file with a bundle of OPA, a
    `url` of one, a registry (`oci`), or a `folder` of a `repository` at a `ref`."""

    text: str
    kind: Literal["folder", "file", "url", "oci", "repository"]
    repository: str = ""
    folder: str = ""
    ref: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.kind in {"folder", "file"}

    def is_allowed(self, patterns: Iterable[str]) -> bool:
        """Whether it is in one of the repositories that the patterns name, `owner/name` or `owner/*`."""
        names = {self.repository.lower(), f"{self.repository.lower().partition('/')[0]}/*"}
        return self.kind == "repository" and any(pattern.lower() in names for pattern in patterns)


def parse_policy_source(text: str) -> PolicySource:
    """What a text names. Raises ValueError, with what to write, for a URL that cannot be used."""
    if "://" in text:
        if not _POLICY_URL.fullmatch(text):
            raise ValueError(
                f"{text!r} is no address of a policy set: write https://example.com/bundle.tar.gz without user name and"
                " query, or oci://registry.example.com/name:tag (reports show it)"
            )
        return PolicySource(text, "oci" if text.startswith("oci:") else "url")
    if found := _POLICY_REPOSITORY.fullmatch(text):
        return PolicySource(text, "repository", found["repository"], (found["folder"] or "").strip("/"), found["ref"])
    return PolicySource(text, "file" if text.endswith((".tar.gz", ".tgz")) else "folder")


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of a policy set: the digest of its files, and for `commit` and `name` see PolicyFiles."""

    digest: str
    commit: str
    name: str


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """What is recorded of a source of policies, for all processes and machines of the service.

    `newest` is the version that was seen last, and `active` the one in use, which was activated after `previous`. One
    that was rolled back is not activated again. `refusal` says as JSON what is wrong with the version that was refused
    last, and `error` why the source could not be read the last time; both are "" for nothing.
    """

    source: str
    name: str = ""
    newest: PolicyVersion | None = None
    active: PolicyVersion | None = None
    previous: PolicyVersion | None = None
    rolled_back: PolicyVersion | None = None
    refusal: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a git tree: `mode` is git's in octal, `size` that of a blob in bytes, 0 for any other."""

    mode: str
    sha: str
    path: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Hunk:
    """The lines of the head's file that one hunk of the diff shows, context included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed file; `hunks` is None where they are not known (GitHub shows no patch of the file)."""

    path: str
    change: ChangeKind
    previous_path: str | None = None
    hunks: tuple[Hunk, ...] | None = None


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Which Kubernetes object. `group` is the API group without version, empty for the core group."""

    kind: str
    namespace: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadKind:
    """A kind of object that runs Pods; `template` leads from the object to its Pod template.

    `api_groups` are written without their version. `rolls` says that an update of the object replaces its Pods, and
    `selects` that the API server demands a selector of its Pods.
    """

    api_groups: tuple[str, ...]
    template: Pointer = ("spec", "template")
    rolls: bool = True
    selects: bool = False

    @property
    def pod_spec(self) -> Pointer:
        """The path of the Pod's spec in the object."""
        return (*self.template, "spec")


CONTAINER_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})
"""The fields of a Pod's spec that hold containers."""

WORKLOAD_KINDS: Mapping[str, WorkloadKind] = {
    "CloneSet": WorkloadKind(("apps.kruise.io",), selects=True),
    "CronJob": WorkloadKind(("batch",), template=("spec", "jobTemplate", "spec", "template"), rolls=False),
    "DaemonSet": WorkloadKind(("apps", "apps.kruise.io", "extensions"), selects=True),
    "Deployment": WorkloadKind(("apps", "extensions"), selects=True),
    "DeploymentConfig": WorkloadKind(("", "apps.openshift.io")),
    "Job": WorkloadKind(("batch",), rolls=False),
    # Requests go to the leaders of its groups.
    "LeaderWorkerSet": WorkloadKind(
        ("leaderworkerset.x-k8s.io",), template=("spec", "leaderWorkerTemplate", "leaderTemplate")
    ),
    "Pod": WorkloadKind(("",), template=(), rolls=False),
    "ReplicaSet": WorkloadKind(("apps", "extensions"), selects=True),
    "ReplicationController": WorkloadKind(("",)),
    "Rollout": WorkloadKind(("argoproj.io",)),
    "StatefulSet": WorkloadKind(("apps", "apps.kruise.io"), selects=True),
}
"""The only table of workload kinds; the Rego libraries and the schema of their input are generated from it."""


class Exposure(NamedTuple):
    """A way in which requests reach a Pod, and how fast it follows what happens to the Pod, in seconds.

    `drain` is for how long it may still send new requests to a Pod that is going away; these are the defaults of
    `drain_seconds` in .gracegate.yaml. It often stops after `usual_removal`, and not before `least_removal`. `addition`
    is how long after a Pod is ready it begins to send. `falls_back` says that it sends to terminating Pods where no
    other one is ready, as kube-proxy does.
    """

    drain: int
    least_removal: int
    usual_removal: int
    addition: int
    falls_back: bool = False


EXPOSURES: Mapping[str, Exposure] = {
    # https://github.com/kubernetes/kubernetes/issues/92836 (1 s), https://github.com/kubernetes/kubernetes/pull/131780
    "cluster": Exposure(10, 1, 2, 1, falls_back=True),
    # Each client has its own time, for which it keeps the answer of the DNS server: at most 30 s by CoreDNS's default.
    "headless": Exposure(35, 0, 30, 1),
    "ingress": Exposure(15, 1, 3, 1),
    # Istio without sidecars, where 15 s help: https://github.com/istio/istio/issues/58514
    "ambient": Exposure(15, 1, 3, 1),
    "node": Exposure(15, 1, 3, 1, falls_back=True),
    # https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366
    "alb_ip": Exposure(30, 5, 10, 10),
    # https://github.com/kubernetes/ingress-gce/issues/583
    "neg": Exposure(40, 10, 30, 10),
    # https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1834
    "nlb_ip": Exposure(180, 120, 180, 180),
    # Load balancers that send to Pods, of Tencent TKE, Alibaba ACK and Huawei CCE: their documentation shows hooks that
    # sleep 10 s, and warns that the controller may lag.
    "clb_direct": Exposure(20, 3, 10, 5),
    "ack_eni": Exposure(20, 3, 10, 5),
    "elb_dedicated": Exposure(20, 3, 10, 5),
}

DRAIN_SECONDS: Mapping[str, int] = {name: exposure.drain for name, exposure in EXPOSURES.items()}


@dataclass(frozen=True, slots=True)
class AppliedNamespace:
    """The namespace that whatever applies a file gives its objects: to all of them, or only to those that name none."""

    name: str
    replaces: bool

    def of(self, declared: str) -> str:
        """The namespace of an object that declares this one, "" for none."""
        return self.name if self.replaces or not declared else declared


AS_DECLARED = AppliedNamespace("", replaces=False)
"""Each object is in the namespace that it declares."""


class Root(NamedTuple):
    """What is rendered by itself: the kustomization or chart in `directory`, "" for the top of the tree, an address
    such as oci://ghcr.io/shop/web for what a registry has.

    `applied_by` names the object that has it applied in its own way, as an Argo CD Application; "" where none does.
    """

    renderer: Renderer
    directory: str
    applied_by: str = ""

    @property
    def id(self) -> str:
        """Its name for the rules, which is no path."""
        return " ".join(self)

    @property
    def name(self) -> str:
        """Its name for people."""
        folder = self.directory or "."
        name = f"chart {folder}" if self.renderer == "helm" else folder
        return f"{name} ({self.applied_by})" if self.applied_by else name


class SourceLine(NamedTuple):
    """A line of a file of the tree, counted from 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Origin:
    """A mapping of a source file of which a rendered one was made: `number` and `pointer` as in a Document."""

    path: str
    number: int
    pointer: Pointer

    def below(self, pointer: Pointer) -> Origin:
        """The place at a pointer that counts from here."""
        return Origin(self.path, self.number, self.pointer + pointer)


@dataclass(frozen=True)
class Rendered:
    """How an object was rendered, and `source`, the object that it was at first, as it is named there.

    `number` is that of its YAML document among those that the root renders to, from 0.
    `origins` has for the pointer of a mapping what kustomize made it of, in no order: several files may have made it
    together. `lines` has for a pointer the line of the template that Helm made it of, or the line that names what
    kustomize took from another repository. What is not certain is left out.
    """

    root: Root
    number: int
    source: ObjectRef | None = None
    origins: Mapping[Pointer, tuple[Origin, ...]] = field(default_factory=dict, repr=False)
    lines: Mapping[Pointer, SourceLine] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One Kubernetes object of a file.

    `number` is the YAML document's number in its file, `pointer` leads from that document to the object (`()`, or
    `("items", 3)` in a List). A fragment is a patch of an object. `component` is a directory: the nearest
    ancestor with a kustomization or a chart, else the file's own directory. `root` is the directory of the only
    kustomization in whose output the object is; None if it is in none or in several. What is `rendered` has the path,
    number and pointer of what it was made of.
    """

    path: str
    number: int
    pointer: Pointer
    object: Mapping[str, Any]
    ref: ObjectRef
    is_fragment: bool
    component: str
    root: str | None = None
    applied_namespace: AppliedNamespace = AS_DECLARED
    rendered: Rendered | None = None

    @property
    def key(self) -> DocumentKey:
        """Identifies this document in its tree: a rendered one by its object, any other whatever its object's name."""
        if self.rendered is not None:
            return (self.rendered.root, self.ref)
        return (self.path, self.number, self.pointer)

    @property
    def namespace(self) -> str:
        """The namespace that the object is in, "" if nothing here says it."""
        return self.applied_namespace.of(self.ref.namespace)

    @property
    def source_ref(self) -> ObjectRef:
        """The object as its source names it."""
        return self.ref if self.rendered is None or self.rendered.source is None else self.rendered.source

    @property
    def holder(self) -> str:
        """What the object is seen together with: the path of its file, or the root that it was rendered in."""
        return self.path if self.rendered is None else self.rendered.root.id


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that a tree is of: all `urls` that name it, none where they are not known, and the branch that
    the tree is of or is to be merged into, "" where that is not known.
    """

    urls: tuple[str, ...] = ()
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Substitution:
    """The variables that Flux puts into rendered objects in the place of `${name}`.

    Where they are not complete, nobody knows the value of any other one, and it stays as it is written; else it is "".
    """

    variables: Mapping[str, str]
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """How a root is to be rendered.

    `values`, YAML texts of which later ones win, and the release are a chart's, as are `post_renderers`: texts of
    kustomizations of which each changes what the one before it made. The files in `replaced` have another text for
    this request alone, also where the tree does not have them. The root's files stand in `folder`, or where that is ""
    in its own directory.
    """

    root: Root
    values: tuple[str, ...] = ()
    release: str = "release-name"
    namespace: str = "default"
    replaced: Mapping[str, str] = field(default_factory=dict)
    post_renderers: tuple[str, ...] = ()
    substitution: Substitution | None = None
    folder: str = ""


@dataclass(frozen=True, slots=True)
class RenderProblem:
    """Why there is no rendering; the message of a `refused` one is in kustomize's or Helm's own words."""

    code: RenderProblemCode
    message: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is rendered at a request: YAML documents, or the problem that there is instead of them."""

    request: RenderRequest
    text: str = ""
    problem: RenderProblem | None = None


@dataclass(frozen=True, slots=True)
class RenderBatch:
    """Roots of one tree to render; `files` by path are all that they read."""

    files: Mapping[str, bytes]
    requests: Sequence[RenderRequest]


Render = Callable[[Sequence[RenderBatch], int], list[Rendering]]
"""Renders roots of trees for a cluster of that minor version; a rendering for each request, batch by batch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file: `line` is the one to show, `end_line` the last one that belongs to the same value.

    `column` is the character of `line`, from 1, at which that begins; 0 where only the line is known.
    """

    line: int
    end_line: int
    column: int = 0


NOT_COVERED = frozenset(
    {
        "template",
        "fragment",
        "not_followed",
        "not_listed",
        "not_rendered",
        "owner_defaults",
        "policies_not_used",
        "rego",
    }
)
"""Codes of problems with what gracegate does not read by design, or what a pull request's author cannot help: they make
the check neutral and never block."""

SERVICE_FAILURES = frozenset({"engine_unavailable", "policies_refused"})
"""Codes of problems that nothing in a pull request can cause. Any other one may be its author's doing."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read or evaluated. `line` is 0 where only the file is known, `file` is "" for none.

    `is_manifest` says whether the file is a Kubernetes manifest by name and content, so that not reading it matters.
    """

    file: str
    line: int
    code: str
    message: str
    is_manifest: bool = True

    @property
    def is_uncovered(self) -> bool:
        """Whether this is a manifest that gracegate does not read by design."""
        return self.is_manifest and self.code in NOT_COVERED

    @property
    def blocks(self) -> bool:
        """Whether this problem makes the review incomplete."""
        return self.is_manifest and self.code not in NOT_COVERED

    @property
    def is_service_failure(self) -> bool:
        """Whether this is a failure of the service, which a pull request's content cannot bring about."""
        return self.code in SERVICE_FAILURES


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a rule that configuration may replace.

    `cluster` is the key of `input.cluster` that holds it too: a library reads it there, never a rule's parameters.
    """

    name: str
    default: Any
    description: str
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class ModeException:
    """Where a rule has another mode: by patterns as in .gitignore, of repositories as `owner/name` and of paths; "" for
    all."""

    mode: Mode
    repository: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """The METADATA of a rule file; `example` is a manifest that violates the rule.

    For a rule on what a change does, `before` is what the example was before the change that it finds. Before the day
    `effective_on` the rule's errors are warnings. `exceptions` say when it is right to waive the rule. `kinds` are the
    other kinds that it reads, see Limits. The last of `mode_exceptions` that applies is in the place of `mode`. `owner`
    is whom to ask about it.
    """

    id: str
    group: str
    title: str
    description: str
    severity: Severity
    fix: FixClass | Literal["none"]
    parameters: tuple[Parameter, ...]
    example: str
    links: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    effective_on: dt.date | None = None
    before: str | None = None
    kinds: tuple[str, ...] = ()
    mode: Mode = "block"
    mode_exceptions: tuple[ModeException, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a fix: RFC 6902 with array paths; `add` creates missing parents. `document` is a batch index.

    `reason` says why a step belongs to the fix that changes more than what the violation is about.
    """

    op: Literal["add", "replace", "remove"]
    path: Pointer
    value: Any = None
    document: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """How to fix a violation. `patch` is empty where there is only `advice`; `diff` is the verified edit."""

    fix_class: FixClass
    patch: tuple[Operation, ...] = ()
    advice: str | None = None
    assumption: str | None = None
    diff: str | None = None


class EditedCopy(NamedTuple):
    """Another object, made by operations of a document of the batch, or of one of the base if it `is_former`."""

    document: int
    patch: tuple[Operation, ...]
    is_former: bool = False


@dataclass(frozen=True, slots=True)
class IntendedStep:
    """A state on the way to the head, by what a rule wants it to differ in from the head.

    `patch` edits the head's documents, `copies` are beside them, and `restored` are indexes of the batch's documents
    of the base that are still there, in the place of what they are now where that is the same object. Those of
    `instead` are in that place also where it is another object, and edited. `by_hand` has to be done before, and no
    manifest shows it.
    """

    title: str
    patch: tuple[Operation, ...] = ()
    restored: tuple[int, ...] = ()
    instead: tuple[EditedCopy, ...] = ()
    copies: tuple[EditedCopy, ...] = ()
    by_hand: str | None = None


class RelatedPointer(NamedTuple):
    """A place in a document of the batch, by the document's index. For `note` see RelatedPlace."""

    document: int
    pointer: Pointer
    note: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule reports at one place. `level` is at most the rule's severity; a bigger `measure` is worse.

    `blocks_from` is the day on which the violation becomes an error, for one that is a warning until then. What is only
    possible is no error. One that `is_shadow` is counted and said nowhere.
    `steps` lead from the base to the head, the last one being the head itself: none where no order of changes helps,
    None where the rule knows of none.
    """

    rule: str
    document: int
    pointer: Pointer
    message: str
    level: Severity
    measure: float | None = None
    fix: Fix | None = None
    blocks_from: str | None = None
    related: tuple[RelatedPointer, ...] = ()
    confidence: Confidence = "certain"
    steps: tuple[IntendedStep, ...] | None = None
    is_shadow: bool = False


@dataclass(frozen=True, slots=True)
class RelatedPlace:
    """A place that a finding is about too, such as the Service that sends to a container.

    `note` says what is there, with its number where the finding is a sum; it is empty where the object says enough.
    """

    object: ObjectRef
    file: str
    line: int
    note: str = ""


IGNORE_ANNOTATION = "gracegate.dev/ignore"
"""The annotation that waives rules in an object: their ids, with commas between them."""

IGNORE_REASON_ANNOTATION = "gracegate.dev/ignore-reason"

REASON_TO_WRITE = "why this is fine here"
"""What stands for the reason of a waiver until somebody has written one."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding is accepted; `file` and `line` are the place of the waiver itself."""

    source: Literal["config", "annotation"]
    reason: str
    file: str
    line: int
    until: str | None = None


@dataclass(frozen=True, slots=True)
class StepAction:
    """What one of the report's steps, by its number from 1, does about a finding.

    `by_hand` has to be done before that step, and no manifest shows it.
    """

    number: int
    title: str
    by_hand: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation with its lines, compared with the base.

    `id` stays the same when lines shift and after a rebase. `column` is that of a Place. `title`, `description` and
    `rule_url` are the rule's.
    Findings with the same `comment_anchor` (one container, or one object outside its containers) share a comment.
    `target` names the same wherever its file is. Notes, which are infos, are told together, in one line for each rule.
    `roots` names those in whose rendered objects the fault is, unless that is only the one that the file lies in.
    `steps` say how a finding on what the change does is avoided, `no_steps` why it is in none of the report's steps.
    `policy_set` is the name of the one that the rule is of. `blocks` says whether it makes the verdict `fail`.
    `owner` is the rule's. `values` is verbatim text that belongs to the message. What is not about a manifest is not
    waivable.
    """

    id: str
    rule: str
    severity: Severity
    status: Status
    file: str
    line: int
    end_line: int
    object: ObjectRef
    container: str | None
    message: str
    comment_anchor: str
    fix: Fix | None = None
    suggestion: str | None = None
    no_suggestion: NoSuggestion | None = None
    waiver: Waiver | None = None
    blocks_from: str | None = None
    title: str = ""
    description: str = ""
    rule_url: str | None = None
    target: str = ""
    is_note: bool = False
    related: tuple[RelatedPlace, ...] = ()
    confidence: Confidence = "certain"
    roots: tuple[str, ...] = ()
    steps: tuple[StepAction, ...] = ()
    no_steps: NoSteps | None = None
    policy_set: str = BUILTIN_POLICIES
    blocks: bool = False
    owner: str = ""
    values: str = ""
    is_waivable: bool = True
    column: int = 0

    @property
    def counts(self) -> bool:
        """Whether the verdict depends on it: it is not waived, and the base does not have it."""
        return self.waiver is None and self.status != "pre-existing"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Replaces lines `start_line` to `end_line` of the head's file by `text`, which has no newline at its end."""

    id: str
    file: str
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One of the changes to make in order, each when the rollout of the one before it has ended, in the place of one.

    The rules have found nothing in it that the whole change is not blamed for too. `files` differ from the step before;
    `diff` shows how, without the files to which the first step does what the whole change does.
    """

    files: tuple[str, ...]
    diff: str


@dataclass(frozen=True, slots=True)
class FixedFinding:
    """A finding of the base that the head no longer has, although what was at fault is still there."""

    id: str
    rule: str
    file: str
    object: ObjectRef
    container: str | None


NoSimulation = Literal[
    "app_drains",
    "early_stop",
    "headless",
    "idle",
    "never_ready",
    "other_kind",
    "readiness_of_sidecar",
    "several_containers",
    "unknown_hook",
    "unknown_number",
    "unknown_service",
    "unserved",
]
"""Why a rolling update is not simulated. `outputs/rollout_phrasing.py` has a sentence for each."""


@dataclass(frozen=True, slots=True)
class ProbeTimes:
    """When a readinessProbe or a startupProbe is tried, in seconds.

    It succeeds once the app answers, or as soon as the app listens where it only `connects`.
    """

    initial_delay: int = 0
    period: int = 10
    success_threshold: int = 1
    connects: bool = False


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What the manifests say of a rolling update, as far as it decides which requests are lost; times in seconds.

    `container` is the one that gets the requests. `surge` and `unavailable` are pods; both are 0 only where the update
    stops all pods first (`recreates`). `start` is the longest initial delay of the container's probes, the only word on
    how long the app takes to listen; None if there is none. `exposure` is a key of EXPOSURES, and `drain` its seconds
    here. `publishes_unready` says that the Service also sends to pods that are not ready, and `gated` that a pod counts
    as ready only when the load balancer sends to it.
    """

    container: str
    replicas: int
    surge: int
    unavailable: int
    recreates: bool
    min_ready: int
    readiness: ProbeTimes | None
    startup: ProbeTimes | None
    start: int | None
    prestop: int
    grace: int
    exposure: str
    drain: int
    publishes_unready: bool
    gated: bool


@dataclass(frozen=True, slots=True)
class SetTime:
    """A number of seconds, and the line that sets it or, where it is assumed, the line of what it is assumed for."""

    name: str
    seconds: int
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ShutdownLedger:
    """What takes part when a pod that a Service sends to is stopped: all times begin with its deletion.

    The Service sends for the seconds of `traffic`; the `steps` follow each other and have to fit into `grace`.
    """

    service: ObjectRef
    traffic: SetTime
    steps: tuple[SetTime, ...]
    grace: SetTime


@dataclass(frozen=True, slots=True)
class Rollout:
    """The rolling update of a workload as its manifests have it and, where the verified fixes change it, `after` all of
    these. `line` is that of the workload in `file`; there is a ledger for each of its Services.
    """

    object: ObjectRef
    file: str
    line: int
    before: RolloutFacts | NoSimulation
    after: RolloutFacts | NoSimulation | None = None
    shutdowns: tuple[ShutdownLedger, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """A rule, the finding of its example, the example after the fix, and the example in `steps`.

    `after` is None if the fix has no patch, or if it is `not_fixed`, for that reason. `rollouts` are those of the
    example's workloads, as they are and after the fix.
    """

    rule: Rule
    finding: Finding
    after: str | None
    steps: tuple[Step, ...] = ()
    not_fixed: NoSuggestion | None = None
    rollouts: tuple[Rollout, ...] = ()

    @property
    def shown_example(self) -> str:
        """The example; for a rule on what a change does, the change."""
        before = self.rule.before
        return self.rule.example if before is None else _difference(before, self.rule.example)

    @property
    def shown_fix(self) -> str | None:
        """How the fix changes the example, as a diff."""
        return None if self.after is None else _difference(self.rule.example, self.after)

    @property
    def shown_steps(self) -> list[str]:
        """How the example changes in each of its steps."""
        return ["\n".join(step.diff.split("\n")[2:]) for step in self.steps]

    @property
    def finding_without_patch(self) -> Finding:
        """The finding with the advice and the assumption of its fix, but without the patch, which is shown apart."""
        fix = self.finding.fix
        without_patch = None if fix is None else replace(fix, patch=(), diff=None)
        return replace(self.finding, fix=without_patch, suggestion=None, no_suggestion=None)


def _difference(before: str, after: str) -> str:
    """A unified diff, without the names of files, which there are none of."""
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    return "\n".join([*diff][2:])


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file of the head around `line`, the first of them being `start`; long ones are cut."""

    file: str
    line: int
    start: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that evaluated the rules, and the digest of those rules."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy set of a check. `source` is the folder or repository that it came from, "" for the built-in one.

    `digest` identifies its rules, and `commit` the version of a repository or the digest of a bundle that they were
    read from; `levels` say of the rules that are not in mode `shadow` what they make of a finding, in words that differ
    where that does. A `refused` one has mistakes, was not evaluated and has no digest. `newer_mistake` says why a newer
    version of an active one is not used.
    """

    name: str
    source: str
    digest: str
    state: Literal["active", "refused"] = "active"
    newer_mistake: str = ""
    commit: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)


class RuleChange(NamedTuple):
    """A rule of which findings are told that had not been before `since`, a day as in ISO 8601.

    Where it is not new, it was less or more than it is now.
    """

    rule: str
    since: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """How much of the head was evaluated."""

    files: int
    documents: int
    workloads: int


@dataclass(frozen=True, slots=True)
class ConfigPreview:
    """What the head's own .gracegate.yaml would change: shown, never applied. `error` says why it is not valid.

    `silenced` has the ids of the findings that it would waive, exclude or switch off.
    """

    verdict: Verdict | None
    silenced: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one check. A passing check with remarks is shown as neutral.

    `has_base` is False where a tree was checked by itself; `comment_scope` says which findings get a comment.
    `live_targets` are the targets of findings that the head still has: a finding of another one is gone, not fixed.
    Of the `unevaluated_targets` nobody knows whether they still have their findings.
    `rollouts` are those of the workloads with verified fixes, where they were asked for, and `excerpts` show the places
    of findings.
    `steps` are the changes to make in the place of this one, none where it is safe as it is or where none are known.
    `seconds` is how long the check took, where that is known.
    `policies` are the policy sets that were to be evaluated, the built-in one first.
    `shadow_findings` are those of rules in mode `shadow`, and `shadow_failures` say why each such rule failed that did:
    both are counted and said nowhere. `rule_changes` are those that this is the first report of its repository to show.
    """

    verdict: Verdict
    has_remarks: bool
    gate: Gate
    engine: Engine
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]
    fixed_findings: tuple[FixedFinding, ...]
    problems: tuple[Problem, ...]
    totals: Totals
    has_base: bool
    config_preview: ConfigPreview | None = None
    comment_scope: CommentScope = "introduced"
    live_targets: tuple[str, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    seconds: float | None = field(default=None, compare=False)
    steps: tuple[Step, ...] = ()
    policies: tuple[PolicyState, ...] = ()
    shadow_findings: tuple[Finding, ...] = ()
    shadow_failures: Mapping[str, str] = field(default_factory=dict)
    rule_changes: tuple[RuleChange, ...] = ()
    unevaluated_targets: tuple[str, ...] = ()


PolicyMistake = Literal["mistake", "test", "case", "untested", "slow", "lint", "impact"]
"""What is wrong in a policy set: it is refused, a test or a case fails, no test evaluates a changed line, a changed
rule takes too long, Regal found something, or it would block many pull requests at once."""


@dataclass(frozen=True, slots=True)
class PolicyFinding:
    """Something wrong in a policy set, at a line of a file in its repository; `file` is "" and `line` 0 if not known.

    `values` is verbatim text: what a failing test has compared.
    """

    kind: PolicyMistake
    file: str
    line: int
    message: str
    values: str = ""

    @property
    def severity(self) -> Severity:
        return "error" if self.kind in {"mistake", "test", "case"} else "warning"


@dataclass(frozen=True, slots=True)
class ReviewedRule:
    """A rule that a change adds, changes or removes; `tests` and `cases` are its own, `untested` counts changed lines,
    and `ms` is what it takes alone for 1,000 documents, in milliseconds.

    None of these is known where the set was refused, nor `ms` where only OPA evaluates it or it is more than can be
    measured.
    """

    id: str
    change: Literal["new", "changed", "removed"]
    tests: int | None = None
    cases: int | None = None
    untested: int | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class RuleImpact:
    """How many findings of a rule there are in one or more repositories with the rules `now` and `then`, after a change
    of them; how many `appear` and `disappear`; and how many pull requests it blocks with each."""

    rule: str
    now: int = 0
    then: int = 0
    appear: int = 0
    disappear: int = 0
    blocks_now: int = 0
    blocks_then: int = 0


@dataclass(frozen=True, slots=True)
class ImpactExample:
    """A finding that a change of rules brings or takes away. In what pull request `number` changes, 0 for the default
    branch; `is_new` is False for one that disappears."""

    rule: str
    file: str
    line: int
    message: str
    is_new: bool
    number: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryImpact:
    """What a change of rules changes in a repository and would have changed in its last pull requests.

    `examples` are some of the findings that differ. Where `problem` says why nothing is known, all numbers are 0.
    `failures` name rules that failed: what they would have found is not counted.
    """

    name: str
    rules: tuple[RuleImpact, ...] = ()
    examples: tuple[ImpactExample, ...] = ()
    documents: int = 0
    pulls: int = 0
    blocked_now: int = 0
    blocked_then: int = 0
    commented_now: int = 0
    commented_then: int = 0
    failures: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PolicyImpact:
    """What a change of rules would do in the repositories that the operator lists. The `hidden` ones may not be named
    where this is shown: their numbers count, and nothing else of them is told. A rule that blocks more than before
    should only warn until `warn_until`."""

    shown: tuple[RepositoryImpact, ...] = ()
    hidden: tuple[RepositoryImpact, ...] = ()
    warn_until: dt.date | None = None

    @property
    def repositories(self) -> tuple[RepositoryImpact, ...]:
        return (*self.shown, *self.hidden)


@dataclass(frozen=True, slots=True)
class PolicyReview:
    """A policy set as a change leaves it, in the `folder` of its repository, "" for the top.

    `rules` are those that the change touches. Where `is_tested` is False, the set was refused before its tests.
    `problem` says why it was not evaluated at all.
    """

    name: str
    folder: str
    findings: tuple[PolicyFinding, ...] = ()
    rules: tuple[ReviewedRule, ...] = ()
    tests: int = 0
    cases: int = 0
    is_tested: bool = False
    digest: str = ""
    problem: str = ""


class CheckActions(NamedTuple):
    """What GitHub tells of the buttons of a check when one is pressed."""

    recheck: str
    apply_fixes: str


CHECK_ACTIONS = CheckActions("recheck", "apply-fixes")


@dataclass(frozen=True, slots=True)
class Comment:
    """A review comment to post; `line` is None for a comment on the whole file. `findings` are finding ids."""

    path: str
    line: int | None
    start_line: int | None
    body: str
    findings: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A review comment of this App on GitHub; `line` is None for an outdated one or one on the whole file."""

    id: int
    path: str
    line: int | None
    body: str


class WriteDebts(NamedTuple):
    """What an installation has written lately, as the seconds until each bucket of github_app/pace.py is full again."""

    minute: float = 0.0
    hour: float = 0.0
    notifications: float = 0.0
