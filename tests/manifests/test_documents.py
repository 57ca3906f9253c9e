"""Files -> documents and problems, and pointers -> lines."""

from __future__ import annotations

import pytest

from gracegate.manifests import locate, read_manifest
from gracegate.model import LFS_POINTER_MESSAGE, Document, Limits, ObjectRef, Place, Pointer, Problem, SourceFile

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: web:1\n"


def documents(text: str) -> tuple[Document, ...]:
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "apps")
    assert manifest.problems == ()
    return manifest.documents


def refs(text: str) -> list[tuple[int, Pointer, str]]:
    return [
        (d.number, d.pointer, f"{d.ref.group}/{d.ref.kind}/{d.ref.namespace}/{d.ref.name}") for d in documents(text)
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("on: push\njobs: {a: b: c}\n", id="invalid YAML that is not a manifest"),
        pytest.param("apiVersion: v1\nkind: ConfigMap\n", id="a kind that no rule reads"),
        pytest.param("---\n# nothing\n---\n...\n", id="empty documents"),
        pytest.param("kind: Role\nrules: {{ x }}\n", id="a template of a kind that no rule reads"),
        pytest.param("deployment:\n  kind: Deployment\n", id="a kind that is not at the top level"),
        pytest.param("- op: add\n  path: /spec\n  value: {kind: Pod}\n", id="JSON 6902"),
        pytest.param("kind: [Pod]\n", id="a kind that is not a string"),
        pytest.param("kind: List\nitems: Pod\n", id="a list without items"),
        pytest.param("apiVersion: kustomize.config.k8s.io/v1\nkind: Kustomization\n", id="a kustomization"),
        pytest.param("{% if x %}\napiVersion: kustomize.config.k8s.io/v1\nkind: Kustomization\n", id="its template"),
        pytest.param("apiVersion: core.oam.dev/v1\nkind: Application\nspec: {}\n", id="an Application of another tool"),
        pytest.param('{"apiVersion": "core.oam.dev/v1", "kind": "Application"}', id="one in JSON"),
        pytest.param("? apiVersion\n: core.oam.dev/v1\n? kind\n: Application\n", id="one with unusual keys"),
    ],
)
def test_text_without_objects_that_rules_read_has_no_documents(text: str) -> None:
    assert documents(text) == ()


def test_a_document() -> None:
    assert documents("# comment\n" + POD) == (
        Document(
            path="a.yaml",
            number=0,
            pointer=(),
            object={
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "web"},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
            ref=ObjectRef("Pod", "", "web"),
            is_fragment=False,
            component="apps",
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kind: Pod\n---\nkind: Role\n--- # c\nkind: Job\n", [0, 2], id="numbers count all documents"),
        pytest.param("# c\n\n---\nkind: Pod\n", [0], id="comments before the first marker are not a document"),
        pytest.param("---\n---\nkind: Pod\n", [1], id="an empty document counts"),
        pytest.param("kind: Pod\n...\n# c\n---\nkind: Job\n...\n", [0, 1], id="end markers"),
        pytest.param("kind: Pod\n...\nkind: Job\n", [0, 1], id="a document after an end marker"),
        pytest.param("%YAML 1.2\n---\nkind: Pod\n...\n%YAML 1.2\n---\nkind: Job\n", [0, 1], id="directives"),
        pytest.param("--- |\n kind: Pod\n--- {kind: Pod}\n---\tx\n", [1], id="content on the marker's line"),
        pytest.param("kind: Pod\nspec:\ntext: |\n ---\n  ---\nx: '\n --- '\n", [0], id="indented dashes"),
        pytest.param("kind: Pod\nspec:\n---x: 1\n--: 2\n", [0], id="keys that start with dashes"),
        pytest.param("kind: Pod\r\n---\r\nkind: Job\r\n---\r\n", [0, 1], id="Windows"),
        pytest.param("kind:\n  Pod\n---\nkind:\r\n  Job\n", [0, 1], id="a kind on the next line"),
        pytest.param("\ufeff---\nkind: Pod\n", [0], id="byte order mark"),
    ],
)
def test_documents_are_split_at_markers(text: str, expected: list[int]) -> None:
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "")
    assert [d.number for d in manifest.documents] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "kind: List\nitems:\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: ns}}\n- 5\n"
            "- {kind: List, items: [{kind: Pod}]}\n- {kind: Role}\n",
            [(0, ("items", 0), "apps/Deployment/ns/a"), (0, ("items", 2, "items", 0), "/Pod//")],
            id="a list inside a list",
        ),
        pytest.param(
            "apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a}}]\n",
            [(0, ("items", 0), "apps/Deployment//a")],
            id="a list of one kind",
        ),
        pytest.param(
            "kind: Template\nobjects: [{kind: DeploymentConfig, apiVersion: apps.openshift.io/v1, "
            "metadata: {name: '${NAME}'}}]\n",
            [(0, ("objects", 0), "apps.openshift.io/DeploymentConfig//${NAME}")],
            id="an OpenShift template",
        ),
        pytest.param(
            'x: 1\n"kind" : !!str "Service"\nmetadata: {name: 5}\n',
            [(0, (), "/Service//")],
            id="unusual spacing and tags",
        ),
        pytest.param("spec: &k Pod\nkind: *k\n", [(0, (), "/Pod//")], id="a kind by alias"),
        pytest.param('{\n\t"kind":\t"Pod"\n}\n', [(0, (), "/Pod//")], id="JSON"),
        pytest.param("kind: Deployment\nreplicaCount: 2\n", [], id="a kind among the values of a chart"),
        pytest.param(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n",
            [(0, (), "kustomize.toolkit.fluxcd.io/Kustomization//a")],
            id="a Kustomization of Flux",
        ),
    ],
)
def test_objects_are_found(text: str, expected: list[tuple[int, Pointer, str]]) -> None:
    assert refs(text) == expected


def workload(kind: str, spec: str) -> str:
    versions = {
        "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1",
        "Pod": "v1",
        "Rollout": "argoproj.io/v1alpha1",
    }
    version = versions.get(kind, "apps/v1")
    return f"apiVersion: {version}\nkind: {kind}\nspec: {spec}\n"


CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n"
TELLS = "  x: {description: 'kind: Service, say'}\n"
SMALL = Limits(bytes=200, nodes=3, documents=3)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param(CRD + TELLS, [], id="too many nodes"),
        pytest.param(CRD.replace("\n", "\r\n") + TELLS, [], id="Windows"),
        pytest.param(
            "# a CRD\n--- # x\n" + CRD.replace("Definition", 'Definition" # x').replace("C", '"C') + TELLS,
            [],
            id="comments",
        ),
        pytest.param(CRD + TELLS * 10, [], id="too many bytes"),
        pytest.param("---\n".join([CRD + TELLS] * 3), [], id="several"),
        pytest.param("---\n".join([CRD + TELLS] * 4), ["too_large"], id="too many"),
        pytest.param('{"kind": "CustomResourceDefinition", "spec": [1, 2, "kind: Service"]}', [], id="JSON"),
        pytest.param('{"spec": {"kind": "Role", "a": 1}, "kind": "Service"}', ["too_many_nodes"], id="JSON, nested"),
        pytest.param('{"kind": "Role", "spec": {"a": 1}, "kind": "Service"}', ["too_many_nodes"], id="JSON, twice"),
        pytest.param('{"kind": "Role", "x": "kind: Service", "y": [1, 2]', ["too_many_nodes"], id="no JSON"),
        pytest.param(f"{CRD}{TELLS}kind: Service\n", ["too_many_nodes"], id="a second kind"),
        pytest.param(f'{CRD}{TELLS}"kind": Service\n', ["too_many_nodes"], id="a second kind in quotes"),
        pytest.param(f"{CRD}{TELLS}? kind\n: Service\n", ["too_many_nodes"], id="a second kind, explicit"),
        pytest.param("a: &s Service\nb: 1\nkind: *s\nc: 'kind: Service'\n", ["too_many_nodes"], id="an alias"),
        pytest.param("a: 1\nb: 2\nc:\n  kind: Service\n", ["too_many_nodes"], id="no kind of its own"),
        pytest.param("{kind: Service,\nx: 1, y: {\nkind: Role}}\n", ["too_many_nodes"], id="flow"),
    ],
)
def test_what_is_too_large_and_of_another_kind_is_passed_over(text: str, codes: list[str]) -> None:
    manifest = read_manifest(SourceFile("a.yaml", text.encode()), "", SMALL)
    assert ([p.code for p in manifest.problems], manifest.documents) == (codes, ())


def image_change(parameters: str) -> str:
    triggers = f"[{{type: ConfigChange}}, {{type: ImageChange, imageChangeParams: {parameters}}}]"
    pod = "{spec: {containers: [{name: app}]}}"
    return (
        f"apiVersion: apps.openshift.io/v1\nkind: DeploymentConfig\nspec: {{triggers: {triggers}, template: {pod}}}\n"
    )


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        pytest.param(POD, False, id="pod"),
        pytest.param(workload("Service", "{}"), False, id="not a workload"),
        pytest.param(
            workload("Deployment", "{selector: {a: b}, template: {spec: {containers: [{image: x}]}}}"),
            False,
            id="complete",
        ),
        pytest.param(
            workload("CronJob", "{jobTemplate: {spec: {template: {spec: {containers: [{image: x}]}}}}}"),
            False,
            id="cron",
        ),
        pytest.param(workload("Rollout", "{workloadRef: {name: x}}"), False, id="a rollout of a deployment"),
        pytest.param(workload("Deployment", "{replicas: 3}"), True, id="no template"),
        pytest.param(
            workload("Deployment", "{selector: {}, template: {spec: {containers: []}}}"), True, id="no containers"
        ),
        pytest.param(
            workload("Deployment", "{selector: {a: b}, template: {spec: {containers: [{name: x}]}}}"),
            True,
            id="no image",
        ),
        pytest.param(
            workload("Deployment", "{template: {spec: {containers: [{image: x}]}}}"), True, id="no selector, no labels"
        ),
        pytest.param(
            image_change("{containerNames: [app]}").replace("app]}", "x]}"), True, id="the image of another container"
        ),
        pytest.param(image_change("{containerNames: [app]}"), False, id="an image from an ImageStream"),
        pytest.param(image_change("{containerNames: app}"), True, id="container names that are no list"),
        pytest.param(image_change("null"), True, id="a trigger of nothing"),
        pytest.param(workload("Rollout", "{}"), True, id="an empty rollout"),
        pytest.param(
            workload("LeaderWorkerSet", "{leaderWorkerTemplate: {workerTemplate: {}}}"), False, id="only workers"
        ),
        pytest.param(workload("LeaderWorkerSet", "{leaderWorkerTemplate: {size: 4}}"), True, id="neither"),
        pytest.param(workload("Pod", "[]"), True, id="not an object"),
        pytest.param("kind: Service\n$patch: delete\n", True, id="a patch directive"),
        pytest.param("apiVersion: batch.volcano.sh/v1\nkind: Job\nspec: {}\n", False, id="another group"),
        pytest.param("kind: Job\nspec: {}\n", True, id="no group"),
    ],
)
def test_patches_are_fragments(text: str, *, fragment: bool) -> None:
    assert [d.is_fragment for d in documents(text)] == [fragment]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            b"kind: Role\n---\n" + POD.encode() + b"x: y: z\n",
            [
                (
                    11,
                    "syntax",
                    "This cannot be read as YAML: mapping values are not allowed in this context.",
                    True,
                )
            ],
            id="syntax",
        ),
        pytest.param(
            b"a: 1\n---\n# {{ start }}\n" + POD.encode() + b"{{ end }}\n---\nkind: Job\nx: {{ y }}\n",
            [(3, "template", "The file is a template (`{{`); only its rendered output can be checked.", True)],
            id="a template is one problem",
        ),
        pytest.param(
            b"kind: {% kind %}\n",
            [(1, "template", "The file is a template (`{%`); only its rendered output can be checked.", False)],
            id="a templated kind",
        ),
        pytest.param(
            POD.encode() + b"spec: {}\n",
            [(9, "duplicate_key", "Key `spec` appears twice.", True)],
            id="duplicate key",
        ),
        pytest.param(POD.encode() + b"x: \xe9\n", [(9, "encoding", "The file is not UTF-8.", True)], id="Latin 1"),
        pytest.param(
            POD.encode() + b"x: " + b"[" * 200,
            [(9, "too_deep", "This cannot be read as YAML: nested deeper than 100.", True)],
            id="deep",
        ),
        pytest.param(
            POD.encode() + b"x" * 5_000_000,
            [(1, "too_large", "The file is larger than 5,000,000 bytes.", True)],
            id="large",
        ),
        pytest.param(
            b"kind: Pod\n" + b"---\n" * 10_001,
            [(1, "too_many_documents", "The file has more than 10,000 documents.", False)],
            id="many documents",
        ),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            [(1, "not_followed", LFS_POINTER_MESSAGE, True)],
            id="LFS",
        ),
    ],
)
def test_invalid_files_have_problems(data: bytes, expected: list[tuple[int, str, str, bool]]) -> None:
    manifest = read_manifest(SourceFile("a.yaml", data), "")
    assert manifest.problems == tuple(Problem("a.yaml", *each) for each in expected)


def test_an_invalid_document_does_not_hide_the_others() -> None:
    manifest = read_manifest(SourceFile("a.yaml", f"{POD}---\nkind: Service\na: b: c\n---\n{POD}".encode()), "")
    assert [d.number for d in manifest.documents] == [0, 2]
    assert ([p.line for p in manifest.problems], manifest.may_contain_service) == ([11], True)


def test_objects_of_other_kinds_are_counted() -> None:
    unread = read_manifest(SourceFile("a.yaml", b"kind: Role\n---\nkind: Secret\n"), "")
    mixed = read_manifest(SourceFile("a.yaml", f"kind: Role\n---\n{POD}".encode()), "")
    assert (unread.other_objects, mixed.other_objects) == (2, 1)


OWN_KINDS = """\
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: {name: web}
---
apiVersion: v1
kind: NetworkPolicyList
items:
- metadata: {name: listed}
---
{"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaTopic", "metadata": {"name": "orders"}}
---
apiVersion: other.example/v1
kind: KafkaTopic
metadata: {name: other}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
"""


@pytest.mark.parametrize(
    ("own", "names"),
    [
        pytest.param([], ["api"], id="none"),
        pytest.param(["NetworkPolicy"], ["web", "listed", "api"], id="a kind, also in a list"),
        pytest.param(["KafkaTopic"], ["orders", "other", "api"], id="a kind of any group"),
        pytest.param(["kafka.strimzi.io/KafkaTopic"], ["orders", "api"], id="a kind of one group"),
        pytest.param(["apps/NetworkPolicy"], ["api"], id="a kind of another group"),
        pytest.param(["example.com/Deployment"], ["api"], id="a group does not narrow what built-in rules read"),
    ],
)
def test_policy_sets_widen_what_is_read(own: list[str], names: list[str]) -> None:
    manifest = read_manifest(SourceFile("a.yaml", OWN_KINDS.encode()), "", Limits(own_kinds=frozenset(own)))
    assert [document.ref.name for document in manifest.documents] == names


@pytest.mark.parametrize(
    ("own", "lines"), [pytest.param([], [], id="not read"), pytest.param(["NetworkPolicy"], [3], id="read")]
)
def test_a_broken_document_of_an_own_kind_is_a_problem(own: list[str], lines: list[int]) -> None:
    broken = b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: a: b\n"
    manifest = read_manifest(SourceFile("a.yaml", broken), "", Limits(own_kinds=frozenset(own)))
    assert [problem.line for problem in manifest.problems if problem.blocks] == lines


def test_limits_can_be_lowered() -> None:
    manifest = read_manifest(SourceFile("a.yaml", POD.encode()), "", Limits(nodes=5))
    assert [(p.line, p.code) for p in manifest.problems] == [(3, "too_many_nodes")]


PLACES = """\
# comment
---
kind: Role
---
apiVersion: apps/v1
kind: Deployment
metadata:
  labels: {a: b}
  name: web
spec:
  template:
    spec:
      containers:
      - image: web
        # a comment
        name: web
        ports:
        - containerPort: 80
          name: http
        - 81

        args: &args
        - a
      - {image: b, args: *args}
      # end
---
apiVersion: v1
kind: List
items:
- kind: Service
- kind: Service
  <<: {spec: {ports: [1]}}
"""

POD_SPEC: Pointer = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("number", "pointer", "place"),
    [
        pytest.param(0, (), Place(9, 24, 3), id="an object is at its name"),
        pytest.param(0, ("status", "x"), Place(9, 24, 3), id="nothing at the top"),
        pytest.param(0, ("metadata", "name"), Place(9, 9, 3), id="a scalar"),
        pytest.param(0, ("metadata", "labels", "a"), Place(8, 8, 12), id="inside brackets"),
        pytest.param(0, ("spec", "replicas"), Place(10, 24, 1), id="a missing key is at the nearest ancestor"),
        pytest.param(0, (*POD_SPEC, "containers"), Place(13, 24, 7), id="a list"),
        pytest.param(0, (*POD_SPEC, "containers", 0), Place(16, 23, 9), id="a container is at its name"),
        pytest.param(
            0, (*POD_SPEC, "containers", 0, "livenessProbe", "x"), Place(16, 23, 9), id="missing in a container"
        ),
        pytest.param(0, (*POD_SPEC, "containers", 0, "ports", 0), Place(19, 19, 11), id="a named port"),
        pytest.param(0, (*POD_SPEC, "containers", 0, "ports", 1, "x"), Place(20, 20, 11), id="an item without a name"),
        pytest.param(0, (*POD_SPEC, "containers", 1), Place(24, 24, 9), id="a container in brackets"),
        pytest.param(0, (*POD_SPEC, "containers", 1, "args"), Place(24, 24, 20), id="an alias is at its own line"),
        pytest.param(
            0,
            (*POD_SPEC, "containers", 1, "args", 0),
            Place(23, 23, 11),
            id="an item of an alias is at the anchor's lines",
        ),
        pytest.param(1, ("spec",), Place(30, 30, 3), id="an item of a list"),
        pytest.param(2, ("spec", "ports", 0), Place(32, 32, 23), id="through a merge"),
    ],
)
def test_a_pointer_has_the_place_of_its_nearest_existing_ancestor(number: int, pointer: Pointer, place: Place) -> None:
    manifest = read_manifest(SourceFile("a.yaml", PLACES.encode()), "")
    assert locate(manifest, manifest.documents[number], pointer) == place


def test_only_newlines_end_lines() -> None:
    manifest = read_manifest(SourceFile("a.yaml", "# \u2028#\u0085\r\nkind: Pod\r\nspec: 1".encode()), "")
    assert locate(manifest, manifest.documents[0], ("spec",)) == Place(3, 3, 1)
