"""Changes of overlays and charts, rendered: what is found, on which line, and in which roots."""

from __future__ import annotations

from collections import Counter

import pytest

from gracegate.check import check
from gracegate.model import PinnedSource, Problem, Tree
from gracegate.rendering import WasmRenderer
from tests import shop
from tests.check.reports import request_of, said_over, tree
from tests.shop import DEPLOYMENT, PRESTOP, READINESS, SERVICE

RENAMED = "workload-renamed"
SPEC = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
CONTAINER = f"{SPEC}  template:\n    spec:\n      containers:\n      - name: web\n"
NO_PROBE = f"{CONTAINER}        readinessProbe: null\n"
DRAIN = f"{CONTAINER}        lifecycle: {{preStop: {{sleep: {{seconds: 15}}}}}}\n"
PATCHES = "patches:\n- path: patch.yaml\n"
BASE = {
    "base/kustomization.yaml": "resources:\n- web.yaml\n- service.yaml\n",
    "base/web.yaml": DEPLOYMENT,
    "base/service.yaml": SERVICE,
    "prod/kustomization.yaml": "resources:\n- ../base\nnamespace: prod\n",
    "dev/kustomization.yaml": "resources:\n- ../base\nnamespace: dev\nnameSuffix: -dev\n",
}
PROD = BASE["prod/kustomization.yaml"]
WITHOUT_DRAIN = BASE | {"base/web.yaml": shop.WITHOUT_DRAIN}
SECOND = {
    "base/kustomization.yaml": "resources:\n- web.yaml\n- shop.yaml\n- service.yaml\n",
    "base/shop.yaml": shop.WITHOUT_DRAIN.replace("name: web\n", "name: shop\n", 1),
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "chart/values.yaml": "prefix: ''\n",
    "chart/templates/service.yaml": SERVICE,
    **{
        f"chart/templates/{name}.yaml": shop.WITHOUT_DRAIN.replace(
            "name: web\n", f"name: '{{{{ .Values.prefix }}}}{name}'\n", 1
        )
        for name in ("web", "shop")
    },
}
CURED = WITHOUT_DRAIN | {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": DRAIN}
CURED_ALONE = {path: text for path, text in CURED.items() if not path.startswith("dev")}

TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example/web:1
          ports:
            - {name: http, containerPort: 8080}
          {{- with .Values.readinessProbe }}
          readinessProbe:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          lifecycle:
            preStop:
              sleep:
                seconds: 10
"""
DEBUG = "          {{- if .Values.debug }}\n          tty: true\n          {{- end }}\n"
VALUES = "replicas: 2\nreadinessProbe:\n  httpGet: {path: /ready, port: http}\n"
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "chart/values.yaml": VALUES,
    "chart/templates/web.yaml": TEMPLATE,
    "chart/templates/service.yaml": SERVICE,
}
INSTALLED = CHART | {
    "apps/web.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec:\n"
    "  source: {repoURL: 'https://github.com/o/r', path: chart, helm: {valueFiles: [values-prod.yaml]}}\n"
    "  destination: {namespace: prod}\n",
    "chart/values-prod.yaml": "replicas: 3\n",
}

INSTALLED_BY = "chart chart (Application web in apps/web.yaml)"
PROBE = [*DEPLOYMENT.partition("          readinessProbe:\n")]
PROBED = f"{PROBE[0]}          {{{{- if .Values.probe }}}}\n{PROBE[1]}{PROBE[2]}"
PROBED = PROBED.replace("          lifecycle:", "          {{- end }}\n          lifecycle:")
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  destination: {namespace: shop}
  source:
    repoURL: https://github.com/o/r
    path: charts/web
    helm:
      parameters: [{name: probe, value: "true"}]
"""
WITHOUT_PROBE = APPLICATION.replace('"true"', '"false"')
WEB_CHART = {
    "charts/web/Chart.yaml": CHART["chart/Chart.yaml"],
    "charts/web/values.yaml": "probe: false\n",
    "charts/web/templates/web.yaml": PROBED,
    "charts/web/templates/service.yaml": SERVICE,
}
BY_ARGO_CD = WEB_CHART | {"app.yaml": APPLICATION}
APP_OF_APPS = WEB_CHART | {
    "charts/all/Chart.yaml": CHART["chart/Chart.yaml"],
    "charts/all/values.yaml": "probe: true\n",
    "charts/all/templates/web.yaml": APPLICATION.replace('"true"', "{{ .Values.probe | quote }}"),
}
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: base, namespace: flux-system}
spec:
  path: ./base
  targetNamespace: shop
  sourceRef: {kind: GitRepository, name: flux-system}
"""
FLUX_PATCH = """\
  patches:
  - target: {kind: Deployment}
    patch: |
      - op: remove
        path: /spec/template/spec/containers/0/readinessProbe
"""
BY_FLUX = {path: text for path, text in BASE.items() if path.startswith("base/")} | {"flux.yaml": FLUX}

# The files at base, those that change (None: it is removed), and for each finding that is new: rule, severity, place,
# roots, and the file that a suggestion changes, else why there is none; then the problems' codes and files, and the
# verdict.
CHANGES = {
    "nothing": (BASE, {}, [], [], "pass"),
    "image tags alone": (
        BASE,
        {"prod/kustomization.yaml": f"{PROD}images: [{{name: web, newTag: '2'}}]\n"},
        [],
        [],
        "pass",
    ),
    "a patch that removes a probe": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE},
        [(READINESS, "error", "prod/patch.yaml:9", (), "prod/patch.yaml")],
        [],
        "fail",
    ),
    "a prefix for the names of old faults": (
        WITHOUT_DRAIN | SECOND,
        {"prod/kustomization.yaml": f"{PROD}namePrefix: a-\n", "chart/values.yaml": "prefix: a\n"},
        [
            *[(RENAMED, "warning", "chart/values.yaml:1", (), "advice_only")] * 2,
            *[(RENAMED, "warning", "prod/kustomization.yaml:4", ("prod",), "advice_only")] * 2,
        ],
        [],
        "pass",
    ),
    "a JSON patch in the kustomization that removes a probe": (
        BASE,
        {
            "prod/kustomization.yaml": PROD + "patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: remove\n"
            "      path: /spec/template/spec/containers/0/readinessProbe\n"
        },
        [(READINESS, "error", "prod/kustomization.yaml:7", (), "prod/kustomization.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base": (
        BASE,
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [(PRESTOP, "error", "base/web.yaml:14", ("dev", "prod"), "base/web.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base, that one overlay has": (
        CURED | {"base/web.yaml": DEPLOYMENT},
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [(PRESTOP, "error", "base/web.yaml:14", ("dev",), "base/web.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the base, that the only overlay has": (
        CURED_ALONE | {"base/web.yaml": DEPLOYMENT},
        {"base/web.yaml": shop.WITHOUT_DRAIN},
        [],
        [],
        "pass",
    ),
    "a patch that cures": (
        WITHOUT_DRAIN,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": DRAIN},
        [],
        [],
        "pass",
    ),
    "a cure taken out": (
        CURED,
        {"prod/kustomization.yaml": PROD, "prod/patch.yaml": None},
        [(PRESTOP, "error", "prod/kustomization.yaml:3", ("prod",), "outside_diff")],
        [],
        "fail",
    ),
    "a new overlay of a base with a fault": (
        WITHOUT_DRAIN,
        {"qa/kustomization.yaml": "resources:\n- ../base\nnamespace: qa\n"},
        [(PRESTOP, "warning", "qa/kustomization.yaml:1", ("qa",), "outside_diff")],
        [],
        "pass",
    ),
    "an overlay under another name": (
        WITHOUT_DRAIN,
        {"prod/kustomization.yaml": None, "live/kustomization.yaml": PROD},
        [],
        [],
        "pass",
    ),
    "a file that is read by a kustomization from now on": (
        {"base/web.yaml": shop.WITHOUT_DRAIN, "base/service.yaml": SERVICE},
        {"base/kustomization.yaml": "resources:\n- web.yaml\n- service.yaml\nnamePrefix: x-\n"},
        [],
        [],
        "pass",
    ),
    "Recreate in a patch": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": f"{SPEC}  strategy:\n    type: Recreate\n"},
        [("strategy-recreate", "warning", "prod/patch.yaml:6", (), "assumes")],
        [],
        "pass",
    ),
    "a value of an Application": (
        BY_ARGO_CD,
        {"app.yaml": WITHOUT_PROBE},
        [(READINESS, "error", "app.yaml:10", ("chart charts/web (Application web in app.yaml)",), "outside_diff")],
        [],
        "fail",
    ),
    "a value of an Application of another revision": (
        BY_ARGO_CD | {"app.yaml": APPLICATION.replace("    helm:", "    targetRevision: v1\n    helm:")},
        {"app.yaml": WITHOUT_PROBE.replace("    helm:", "    targetRevision: v1\n    helm:")},
        [(READINESS, "error", "app.yaml:11", ("chart charts/web (Application web in app.yaml)",), "outside_diff")],
        [("other_revision", "charts/web/Chart.yaml")],
        "fail",
    ),
    "a Secret of a file that is not in git": (
        BASE,
        {"prod/kustomization.yaml": f"{PROD}nameSuffix: -x\nsecretGenerator: [{{name: a, envs: [secret.env]}}]\n"},
        [(RENAMED, "warning", "prod/kustomization.yaml:4", ("prod",), "advice_only")],
        [("stand_in", "prod/kustomization.yaml")],
        "pass",
    ),
    "a default that the Application does not take": (
        BY_ARGO_CD | {"charts/web/values.yaml": "probe: true\n"},
        {"charts/web/values.yaml": "probe: false\n"},
        [],
        [],
        "pass",
    ),
    "a value of a chart of Applications": (
        APP_OF_APPS,
        {"charts/all/values.yaml": "probe: false\n"},
        [
            (
                READINESS,
                "error",
                "charts/web/templates/web.yaml:14",
                ("chart charts/web (Application web in charts/all/templates/web.yaml)",),
                "outside_diff",
            )
        ],
        [],
        "fail",
    ),
    "a patch of Flux": (
        BY_FLUX,
        {"flux.yaml": FLUX + FLUX_PATCH},
        [(READINESS, "error", "flux.yaml:8", ("base (Kustomization base in flux.yaml)",), "not_fixed")],
        [],
        "fail",
    ),
    "replicas": (
        BASE,
        {"prod/kustomization.yaml": f"{PROD}replicas:\n- name: web\n  count: 1\n"},
        [("single-replica", "warning", "prod/kustomization.yaml:6", (), "assumes")],
        [],
        "pass",
    ),
    "a patch without a target": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE.replace("name: web", "name: wob", 1)},
        [],
        [("build", "prod/kustomization.yaml")],
        "incomplete",
    ),
    "what was broken before": (
        BASE
        | {"prod/kustomization.yaml": PROD + PATCHES, "prod/patch.yaml": NO_PROBE.replace("name: web", "name: wob", 1)},
        {"prod/kustomization.yaml": f"{PROD}{PATCHES}nameSuffix: -x\n"},
        [],
        [("not_rendered", "prod/kustomization.yaml")],
        "pass",
    ),
    "a probe taken out of the values": (
        CHART,
        {"chart/values.yaml": "replicas: 2\nreadinessProbe: {}\n"},
        [(READINESS, "error", "chart/values.yaml:2", (), "chart/values.yaml")],
        [],
        "fail",
    ),
    "a drain taken out of the template": (
        CHART,
        {"chart/templates/web.yaml": TEMPLATE.partition("          lifecycle:")[0]},
        [(PRESTOP, "error", "chart/templates/web.yaml:14", (), "outside_diff")],
        [],
        "fail",
    ),
    "a line of a template that no values reach": (
        CHART,
        {"chart/templates/web.yaml": TEMPLATE + DEBUG},
        [],
        [("not_rendered", "chart/templates/web.yaml")],
        "pass",
    ),
    "a line of a template that values of an Application reach": (
        INSTALLED | {"chart/values-prod.yaml": "replicas: 3\ndebug: true\n"},
        {"chart/templates/web.yaml": TEMPLATE + DEBUG},
        [],
        [],
        "pass",
    ),
    "values that an Application installs a chart with": (
        INSTALLED,
        {"chart/values-prod.yaml": "replicas: 1\n"},
        [("single-replica", "warning", "chart/values-prod.yaml:1", (INSTALLED_BY,), "assumes")],
        [],
        "pass",
    ),
    "a value that nobody gives": (
        CHART,
        {"chart/templates/web.yaml": TEMPLATE.replace(".Values.replicas", 'required "how many?" .Values.count')},
        [],
        [("build", "chart/templates/web.yaml")],
        "incomplete",
    ),
    "a file that does not exist": (
        BASE,
        {"prod/kustomization.yaml": PROD + PATCHES},
        [],
        [("build", "prod/kustomization.yaml")],
        "incomplete",
    ),
}


@pytest.mark.parametrize(("base", "changes", "findings", "problems", "verdict"), CHANGES.values(), ids=CHANGES.keys())
def test_changes(renderer: WasmRenderer, base, changes, findings, problems, verdict) -> None:
    files = {path: text for path, text in (base | changes).items() if text is not None}
    report = check(request_of(base, files), renderer.render)
    new = [f for f in report.findings if f.status != "pre-existing" and f.rule != "pdb-missing"]
    changed = {suggestion.id: suggestion.file for suggestion in report.suggestions}
    assert [
        (f.rule, f.severity, f"{f.file}:{f.line}", f.roots, changed.get(f.suggestion or "", f.no_suggestion))
        for f in new
    ] == findings
    assert [(p.code, p.file) for p in report.problems] == problems
    assert report.verdict == verdict


OLD, NEW, GONE = (PinnedSource("https://github.com/o/web.git", number * 40) for number in "012")
OF_WEB = {
    "deploy/kustomization.yaml": "resources: [web.yaml, ../service]\n",
    "deploy/web.yaml": DEPLOYMENT,
    "service/kustomization.yaml": "resources: [service.yaml]\n",
    "service/service.yaml": SERVICE,
}
FETCHED = {
    OLD: tree(OF_WEB),
    NEW: tree(OF_WEB | {"deploy/web.yaml": shop.WITHOUT_DRAIN}),
    GONE: Tree({}, (Problem("", 0, "not_fetched", "not fetched: the server does not give it"),)),
}


def naming(commit: PinnedSource, more: str = "") -> dict[str, str]:
    return {"prod/kustomization.yaml": f"resources:\n- https://github.com/o/web//deploy?ref={commit.revision}\n{more}"}


LACKING = (
    "What `resources` of this kustomization changes is not evaluated, because it needs what is not in this repository: "
    "`github.com/o/web` (commit `{}`, {})."
)
# As above, with what GRACEGATE_RENDER_SOURCES has let be fetched; the head is all there is, and problems are messages.
OF_OTHERS = {
    "nothing": (naming(OLD), {}, [], []),
    "a namespace": (naming(OLD), naming(OLD, "namespace: prod\n"), [], []),
    "another commit": (naming(OLD), naming(NEW), [(PRESTOP, "prod/kustomization.yaml:2", "unmapped")], []),
    "a fault that was there before": (naming(NEW), naming(NEW, "namespace: prod\n"), [], []),
    "a patch that removes a probe": (
        naming(OLD),
        naming(OLD, PATCHES) | {"prod/patch.yaml": NO_PROBE},
        [(READINESS, "prod/patch.yaml:9", "prod/patch.yaml")],
        [],
    ),
    "a patch of what the other repository has wrong": (
        naming(NEW),
        naming(NEW, PATCHES) | {"prod/patch.yaml": DRAIN},
        [],
        [],
    ),
    "a commit that nobody has": (
        naming(OLD),
        naming(GONE),
        [],
        [
            LACKING.format("2222222", "not fetched: the server does not give it"),
        ],
    ),
    "a commit that was not to be fetched": (
        naming(OLD),
        naming(PinnedSource(OLD.url, "3" * 40)),
        [],
        [
            LACKING.format("3333333", "not in `GRACEGATE_RENDER_SOURCES` or `--fetch`"),
        ],
    ),
}


@pytest.mark.parametrize(("base", "head", "findings", "problems"), OF_OTHERS.values(), ids=OF_OTHERS.keys())
def test_changes_over_commits_of_other_repositories(renderer: WasmRenderer, base, head, findings, problems) -> None:
    assert said_over(FETCHED, base, head or base, renderer.render) == (findings, problems)


def test_what_is_the_same_at_base_and_head_is_rendered_once(renderer: WasmRenderer) -> None:
    rendered: list[str] = []

    def render(batches, minor):
        rendered.extend(request.root.name for batch in batches for request in batch.requests)
        return renderer.render(batches, minor)

    web = FLUX.replace("name: base", "name: web") + "  namePrefix: a-\n"
    apps = FLUX.replace("name: base", "name: apps").replace("./base", "./apps") + "  commonMetadata: {labels: {a: b}}\n"
    base = BY_FLUX | {"flux.yaml": apps, "apps/web.yaml": web}
    report = check(request_of(base, base | {"base/web.yaml": shop.WITHOUT_DRAIN}), render)
    assert [(f.rule, f.file) for f in report.findings if f.status == "introduced"] == [(PRESTOP, "base/web.yaml")]
    assert rendered.count("apps (Kustomization apps in flux.yaml)") == 1


def test_a_root_that_makes_gitops_objects_is_rendered_once_for_each_tree(renderer: WasmRenderer) -> None:
    rendered: list[str] = []

    def render(batches, minor):
        # Without those that have marks, to tell what objects are made of.
        rendered.extend(request.root.name for batch in batches for request in batch.requests if not request.replaced)
        return renderer.render(batches, minor)

    base = {"apps/kustomization.yaml": "resources: [flux.yaml, web.yaml]\nnamePrefix: a-\n", "apps/flux.yaml": FLUX}
    base |= {"apps/web.yaml": shop.DEPLOYMENT, **{p: text for p, text in BASE.items() if p.startswith("base/")}}
    report = check(request_of(base, base | {"apps/web.yaml": f"{shop.DEPLOYMENT}# as before\n"}), render)
    assert (report.findings, rendered) == ((), ["apps", "apps"])


def test_fixes_of_only_some_old_findings_are_rendered(renderer: WasmRenderer) -> None:
    names = [f"web-{number}" for number in range(12)]
    web = shop.WITHOUT_DRAIN
    base = {f"base/{name}.yaml": web.replace("name: web\n", f"name: {name}\n", 1) for name in names}
    base["base/kustomization.yaml"] = f"resources: [{', '.join(f'{name}.yaml' for name in names)}, service.yaml]\n"
    base |= {"base/service.yaml": SERVICE, "prod/kustomization.yaml": PROD}
    head = base | {"prod/kustomization.yaml": f"{PROD}namePrefix: a-\n"}
    report = check(request_of(base, head), renderer.render)
    old = [f for f in report.findings if f.rule == PRESTOP]
    has_diff = [f.fix is not None and f.fix.diff is not None for f in old]
    assert Counter(zip((f.no_suggestion for f in old), has_diff, strict=True)) == {
        ("outside_diff", True): 10,
        ("not_tried", False): 2,
    }


def test_what_is_wrong_stands_at_the_end_of_a_message(renderer: WasmRenderer) -> None:
    files = {f"web-{number}/kustomization.yaml": f"resources: [../web-{number + 1}]\n" for number in range(8)}
    files |= {"web-8/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: [a]\n", "web-8/web.yaml": SERVICE}
    (problem,) = check(request_of(None, files), renderer.render).problems
    assert problem.message.startswith("kustomize cannot render `web-0`: `accumulating resources: ")
    assert problem.message.endswith("Go struct field Kustomization.namePrefix of type string`.")


AUTOSCALED = """\
{{- if .Values.autoscaled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  maxReplicas: 5
  minReplicas: 2
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Release.Name }}}
{{- end }}
"""


def test_what_other_values_of_a_chart_make_is_another_release(renderer: WasmRenderer) -> None:
    replicas = "  {{- if not .Values.autoscaled }}\n  replicas: {{ .Values.replicas }}\n  {{- end }}\n"
    template = TEMPLATE.replace("  replicas: {{ .Values.replicas }}\n", replicas)
    files = CHART | {
        "chart/templates/web.yaml": template.replace(
            "  name: {{ .Release.Name }}\n",
            "  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n",
            1,
        ),
        "chart/templates/hpa.yaml": AUTOSCALED,
        "chart/values-prod.yaml": "autoscaled: true\n",
    }
    report = check(request_of(None, files), renderer.render)
    assert [finding.rule for finding in report.findings if "hpa" in finding.rule] == []


def test_a_tree_names_a_root_whose_only_resource_is_missing(renderer: WasmRenderer) -> None:
    files = {"prod/kustomization.yaml": "resources:\n- web.yaml\n"}
    report = check(request_of(None, files), renderer.render)
    assert [(p.code, p.file, p.message.partition(": ")[0]) for p in report.problems] == [
        ("not_rendered", "prod/kustomization.yaml", "kustomize cannot render `prod`")
    ]


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}
  values: {replicaCount: 2, image: {tag: one}}
"""
RELEASES = {
    "base/kustomization.yaml": "resources: [release.yaml]\n",
    "base/release.yaml": RELEASE,
    "prod/kustomization.yaml": f"resources: [../base]\n{PATCHES}",
    "prod/patch.yaml": RELEASE.replace("2,", "3,"),
}
MADE = "of HelmRelease `web` changes is not evaluated, because its chart is not in this repository."
MADE_OBJECTS = {
    "nothing": ({}, []),
    "a tag": ({"prod/patch.yaml": RELEASES["prod/patch.yaml"].replace("one", "two")}, []),
    "its file": ({"base/release.yaml": RELEASE.replace("2,", "1,")}, [f"base/release.yaml: What `spec.values` {MADE}"]),
    "a patch of it": (
        {"prod/patch.yaml": RELEASE.replace("2,", "1,")},
        [f"prod/patch.yaml: What `spec.values` {MADE}"],
    ),
    "a directory with one more": (
        {"dev/kustomization.yaml": "resources: [../base]\nnamespace: dev\n"},
        [f"dev/kustomization.yaml: What {MADE.removeprefix('of ').replace('changes', 'makes')}"],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), MADE_OBJECTS.values(), ids=MADE_OBJECTS.keys())
def test_what_a_root_makes_of_objects_of_a_controller_is_named(renderer: WasmRenderer, changes, problems) -> None:
    report = check(request_of(RELEASES, RELEASES | changes), renderer.render)
    assert [f"{problem.file}: {problem.message.partition(' Look ')[0]}" for problem in report.problems] == problems
