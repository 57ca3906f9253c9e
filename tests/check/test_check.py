"""Whole checks with the built-in rules, compiled to Wasm: two trees in, a report out."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from gracegate.check import CheckRequest, check, fix_all
from gracegate.errors import EngineTimeout, EngineUnavailable
from gracegate.manifests import directory, render_nothing
from gracegate.model import ConfigPreview, FileDiff, Limits, Problem, Tree
from gracegate.repo_config import RepoConfig
from gracegate.review.sandboxed_check import CheckJob, sandboxed_check
from tests import shop
from tests.check.reports import BUILTIN, ENGINE, TODAY, diff, report_of, request_of, tree
from tests.processes import WAIT_SECONDS
from tests.shop import DEPLOYMENT, PRESTOP, READINESS, SERVICE

GOOD = {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE}
WITHOUT_DRAIN = GOOD | {"web.yaml": shop.WITHOUT_DRAIN}
WITHOUT_BOTH = GOOD | {"web.yaml": shop.WITHOUT_BOTH}


def summaries(report):
    return [(f.rule, f.status, f.severity, f.suggestion is not None) for f in report.findings]


def apply_suggestions(report, head):
    """The head's files with every suggestion applied once, from the bottom up, as an author would."""
    files = dict(head)
    for s in sorted(report.suggestions, key=lambda s: -s.start_line):
        lines = files[s.file].split("\n")
        lines[s.start_line - 1 : s.end_line] = s.text.split("\n")
        files[s.file] = "\n".join(lines)
    return files


CASES = {
    "nothing changed": (GOOD, GOOD, [], "pass", False),
    "no manifests": ({}, {"README.md": "hello"}, [], "pass", False),
    "a clean change": (GOOD, GOOD | {"web.yaml": DEPLOYMENT.replace(":1", ":2")}, [], "pass", False),
    "a drain removed": (GOOD, WITHOUT_DRAIN, [(PRESTOP, "introduced", "error", True)], "fail", False),
    "both missing in a new workload, one suggestion": (
        {"service.yaml": SERVICE},
        WITHOUT_BOTH,
        [(PRESTOP, "introduced", "error", True), (READINESS, "introduced", "error", True)],
        "fail",
        False,
    ),
    "pre-existing, in a changed object": (
        WITHOUT_DRAIN,
        WITHOUT_DRAIN | {"web.yaml": WITHOUT_DRAIN["web.yaml"].replace(":1", ":2")},
        [(PRESTOP, "pre-existing", "error", False)],
        "pass",
        False,
    ),
    "pre-existing, in an unchanged object": (
        WITHOUT_DRAIN,
        WITHOUT_DRAIN | {"notes.yaml": "hello: world\n"},
        [],
        "pass",
        False,
    ),
    "a new Service makes an unchanged workload lose requests": (
        {"web.yaml": WITHOUT_DRAIN["web.yaml"]},
        WITHOUT_DRAIN,
        [(PRESTOP, "introduced", "error", False)],
        "fail",
        False,
    ),
    "a workload that nothing selects": ({}, {"web.yaml": WITHOUT_BOTH["web.yaml"]}, [], "pass", False),
    "the last finding is fixed": (WITHOUT_DRAIN, GOOD, [], "pass", False),
    "a changed manifest that cannot be read": (
        GOOD,
        GOOD | {"web.yaml": DEPLOYMENT.replace("spec:\n  replicas", "spec: [\n  replicas")},
        [],
        "incomplete",
        False,
    ),
    "an unchanged manifest that cannot be read": (
        GOOD | {"bad.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: [\n"},
        GOOD | {"bad.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: [\n", "a.yaml": "a: 1\n"},
        [],
        "pass",
        False,
    ),
    "a template is named as not covered": (
        {},
        {"t.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .name }} }\n"},
        [],
        "pass",
        True,
    ),
    "a change of a kustomization is named as not covered": (
        {"kustomization.yaml": "resources: [web.yaml]\n"} | GOOD,
        {"kustomization.yaml": "resources: [web.yaml]\nreplicas: [{name: web, count: 1}]\n"} | GOOD,
        [],
        "pass",
        True,
    ),
    "a new tag in a kustomization": (
        {"kustomization.yaml": "images: [{name: web, newTag: '1'}]\n"} | GOOD,
        {"kustomization.yaml": "images: [{name: web, newTag: '2'}]\n"} | GOOD,
        [],
        "pass",
        False,
    ),
    "a kind of the same name in another group is no patch": (
        {},
        {"job.yaml": "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: a}\nspec: {tasks: []}\n"},
        [],
        "pass",
        False,
    ),
    "labels that only a kustomization has": (
        {},
        {
            "kustomization.yaml": "resources: [web.yaml]\ncommonLabels: {app: web}\n",
            "web.yaml": (WITHOUT_DRAIN["web.yaml"] + "---\n" + SERVICE)
            .replace("  selector:\n    matchLabels: {app: web}\n", "")
            .replace("    metadata:\n      labels: {app: web}\n", "")
            .replace("  selector: {app: web}\n", ""),
        },
        [(PRESTOP, "introduced", "error", True)],
        "fail",
        True,
    ),
    "a patch is named as not covered": (
        {},
        {"p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"},
        [],
        "pass",
        True,
    ),
}


@pytest.mark.parametrize(("base", "head", "findings", "verdict", "remarks"), CASES.values(), ids=CASES.keys())
def test_reports(base, head, findings, verdict, remarks) -> None:
    report = report_of(base, head)
    assert (summaries(report), report.verdict, report.has_remarks) == (findings, verdict, remarks)


@pytest.mark.parametrize("head", [WITHOUT_DRAIN, WITHOUT_BOTH], ids=["one finding", "two findings of one container"])
def test_the_files_with_all_suggestions_have_no_findings(head) -> None:
    report = report_of({"service.yaml": SERVICE}, head)
    again = report_of(None, apply_suggestions(report, head))
    assert (len(report.suggestions), summaries(again), again.verdict) == (1, [], "pass")


def test_a_fixed_finding_is_reported() -> None:
    assert [(f.rule, f.object.name, f.container) for f in report_of(WITHOUT_DRAIN, GOOD).fixed_findings] == [
        (PRESTOP, "web", "web")
    ]


FAR_GRACE = "\n".join(
    [
        shop.WITHOUT_DRAIN.rstrip(),
        "          env:",
        *(f"            - {{name: N{number}, value: x}}" for number in range(20)),
        "      terminationGracePeriodSeconds: 5",
        "",
    ]
)


def test_a_suggestion_repeats_few_lines() -> None:
    """A drain may stand anywhere in its container, the grace period that it needs has one place."""
    (suggestion,) = report_of({"service.yaml": SERVICE}, GOOD | {"web.yaml": FAR_GRACE}).suggestions
    assert suggestion.text.split("\n") == [
        "          lifecycle:",
        "            preStop:",
        "              sleep:",
        "                seconds: 10",
        "      terminationGracePeriodSeconds: 30",
    ]


# "Fixed" means that the same container is there without the fault.
GONE = {
    "the workload": {"web.yaml": ""},
    "the container": {
        "web.yaml": WITHOUT_DRAIN["web.yaml"].replace("name: web\n          image", "name: app\n          image")
    },
    "all its pods": {"web.yaml": WITHOUT_DRAIN["web.yaml"].replace("replicas: 2", "replicas: 0")},
    "all of it but a patch": {
        "web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n"
    },
}


@pytest.mark.parametrize("changed", GONE.values(), ids=GONE.keys())
def test_what_is_gone_is_not_fixed(changed) -> None:
    report = report_of(WITHOUT_DRAIN, WITHOUT_DRAIN | changed)
    assert [f.rule for f in report.fixed_findings if f.rule == PRESTOP] == []


def test_a_copy_that_this_change_does_not_reach_is_not_fixed() -> None:
    copy = {f"far/{path}": text for path, text in WITHOUT_DRAIN.items()}
    assert report_of(WITHOUT_DRAIN | copy, copy).fixed_findings == ()


def test_a_renamed_workload_can_be_fixed() -> None:
    renamed = {"web.yaml": DEPLOYMENT.replace("\n  name: web", "\n  name: shop")}
    assert [f.rule for f in report_of(WITHOUT_DRAIN, GOOD | renamed).fixed_findings] == [PRESTOP]


ONE_POD = GOOD | {"web.yaml": DEPLOYMENT.replace("replicas: 2", "replicas: 1")}
UNSERVED = {"web.yaml": ONE_POD["web.yaml"]}
SINGLE_REPLICA = {
    "a new workload has one pod": ({}, ONE_POD, "", [("introduced", "info", True)]),
    "another file of it gets one": (UNSERVED, ONE_POD, "", [("introduced", "info", True)]),
    "a workload loses all others": (GOOD, ONE_POD, "", [("introduced", "warning", False)]),
    "one pod stays one": (
        ONE_POD, ONE_POD | {"web.yaml": ONE_POD["web.yaml"].replace(":1\n", ":2\n")}, "",
        [("pre-existing", "warning", False)],
    ),
    "the default is written down": (
        GOOD | {"web.yaml": DEPLOYMENT.replace("  replicas: 2\n", "")}, ONE_POD, "", [("worsened", "info", True)],
    ),
    "somebody chose the severity": (
        {}, ONE_POD, "rules: {single-replica: warning}", [("introduced", "warning", False)],
    ),
    "warnings block": ({}, ONE_POD, "profile: strict", [("introduced", "warning", False)]),
    "there is no base": (None, ONE_POD, "", [("present", "warning", False)]),
}  # fmt: skip


@pytest.mark.parametrize(("base", "head", "config", "found"), SINGLE_REPLICA.values(), ids=SINGLE_REPLICA.keys())
def test_a_workload_that_is_made_with_one_pod_is_only_noted(base, head, config, found) -> None:
    report = report_of(base, head, config=config)
    assert [(f.status, f.severity, f.is_note) for f in report.findings if f.rule == "single-replica"] == found


WITHOUT_BUDGET = {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE.partition("---")[0]}
BUDGET = {
    "a new workload has two pods": ({}, WITHOUT_BUDGET, [("introduced", "warning", False)]),
    "one pod becomes two": (
        WITHOUT_BUDGET | {"web.yaml": ONE_POD["web.yaml"]}, WITHOUT_BUDGET, [("introduced", "info", True)],
    ),
    "the budget is removed": (GOOD, WITHOUT_BUDGET, [("introduced", "warning", False)]),
}  # fmt: skip


@pytest.mark.parametrize(("base", "head", "found"), BUDGET.values(), ids=BUDGET.keys())
def test_what_is_better_than_it_was_is_only_noted(base, head, found) -> None:
    findings = report_of(base, head).findings
    assert [(f.status, f.severity, f.is_note) for f in findings if f.rule == "pdb-missing"] == found


def test_an_unreadable_file_fixes_nothing() -> None:
    broken = WITHOUT_DRAIN | {"web.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: [\n"}
    assert report_of(WITHOUT_DRAIN, broken).fixed_findings == ()


def test_what_is_not_rendered_is_named() -> None:
    chart = {"c/Chart.yaml": "name: web\n", "c/values.yaml": "replicaCount: 2\ncpu: 1\n"}
    changed = report_of(chart, chart | {"c/values.yaml": "replicaCount: 1\ncpu: 2\n"})
    assert changed.problems == (
        Problem(
            "c/values.yaml",
            1,
            "not_rendered",
            "What `cpu` and `replicaCount` of these chart values change is not evaluated, because it is not rendered.",
        ),
    )
    several = {f"{name}/Chart.yaml": "name: web\n" for name in "abcd"}
    assert report_of(None, several).problems == (
        Problem(
            "a/Chart.yaml",
            1,
            "not_rendered",
            "Not evaluated, because nothing of this kind (chart) is rendered: `a/Chart.yaml`, `b/Chart.yaml`, "
            "`c/Chart.yaml` and 1 more.",
        ),
    )


PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OVERLAYS = GOOD | {
    "base/kustomization.yaml": "resources: [../web.yaml]\npatches: [{path: patch.yaml}]\n",
    "base/patch.yaml": PATCH,
    "dev/kustomization.yaml": "resources:\n- ../base\n",
    "eu/kustomization.yaml": f"resources:\n- ../base\n- https://github.com/o/r//eu?ref={COMMIT}\n",
    "prod/kustomization.yaml": "resources:\n- ../base\nreplicas: [{name: web, count: 3}]\n",
    "us/kustomization.yaml": "resources:\n- ../base\n- git@host.example:o/r.git?ref=main\n"
    "helmCharts: [{name: cache, version: 1.2.3, repo: 'https://charts.example'}]\n",
}
OTHERS = {f"{name}/kustomization.yaml": "resources:\n- ../base\n" for name in ("c1", "c2", "c3")}
LACKING = (
    "they need what is not in this repository: `github.com/o/r` (commit `0123456`, not in `GRACEGATE_RENDER_SOURCES` "
    "or `--fetch`), `host.example/o/r` (`main`, not pinned to a commit) and chart `cache 1.2.3` of `https://charts.example`"
)
OF_A_KIND = "Not evaluated, because nothing of this kind (kustomization) is rendered"
OF_PATCH = "base", f"What this patch changes in `eu` and `us` is not evaluated, because {LACKING}."
FEWER = {"base/patch.yaml": PATCH.replace("3", "1")}
NOT_EVALUATED = "is not evaluated, because they are not rendered."
# By what changes in OVERLAYS (None: all of it is checked, without a base), the message of each problem by its file.
NOT_RENDERED = {
    "the tag of a root": (
        {"dev/kustomization.yaml": "resources:\n- ../base\nimages: [{name: web, newTag: '2'}]\n"},
        [],
    ),
    "a root": (
        {"prod/kustomization.yaml": "resources:\n- ../base\nreplicas: [{name: web, count: 1}]\n"},
        [("prod", "What `replicas` of this kustomization changes is not evaluated, because it is not rendered.")],
    ),
    "a patch that four roots read, and one of them": (
        FEWER | {"prod/kustomization.yaml": "resources:\n- ../base\n"},
        [("base", f"What this patch and 1 other file change in `dev` and `prod` {NOT_EVALUATED}"), OF_PATCH],
    ),
    "many roots": (
        OTHERS | FEWER,
        [
            ("base", f"What this patch and 3 other files change in `c1`, `c2`, `c3` and 2 more {NOT_EVALUATED}"),
            OF_PATCH,
        ],
    ),
    "no change": (
        None,
        [
            ("dev", f"{OF_A_KIND}: `dev/kustomization.yaml` and `prod/kustomization.yaml`."),
            ("eu", f"Not evaluated, because {LACKING}: `eu/kustomization.yaml` and `us/kustomization.yaml`."),
        ],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), NOT_RENDERED.values(), ids=NOT_RENDERED.keys())
def test_roots_that_are_not_rendered(changes, problems) -> None:
    report = report_of(None, OVERLAYS) if changes is None else report_of(OVERLAYS, OVERLAYS | changes)
    assert [(directory(p.file), p.message) for p in report.problems] == problems
    assert (report.verdict, report.has_remarks) == ("pass", bool(problems))


def test_a_chart_is_named_once() -> None:
    chart = {
        "c/Chart.yaml": "name: web\ndependencies: [{name: cache, version: 1.2.3, repository: 'https://charts.example'}]\n",
        "c/templates/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: {{ .Values.spec }}\n",
        "c/values.yaml": "spec: {}\n",
    }
    needs = "because it needs what is not in this repository: chart `cache 1.2.3` of `https://charts.example`"
    changed = chart | {path: text + "a: 1\n" for path, text in chart.items() if path != "c/Chart.yaml"}
    assert [p.message for p in report_of(chart, changed).problems] == [
        f"What this template and 1 other file change in chart `c` is not evaluated, {needs}."
    ]
    assert [p.message for p in report_of(None, chart).problems] == [f"Not evaluated, {needs}: `c/Chart.yaml`."]


def test_a_change_that_breaks_a_kustomization_blocks() -> None:
    files = OVERLAYS | {"base/kustomization.yaml": "resources:\n- ../web.yaml\n- pdb.yaml\n"}
    report = report_of(OVERLAYS, files)
    broken = "This kustomization cannot be built: `pdb.yaml` in its `resources` does not exist."
    assert Problem("base/kustomization.yaml", 3, "build", broken) in report.problems
    assert report.verdict == "incomplete"


PROD = {
    "prod/kustomization.yaml": "resources: [../web, ../net]\n",
    "web/kustomization.yaml": "resources: [web.yaml]\n",
    "web/web.yaml": shop.WITHOUT_DRAIN,
    "net/kustomization.yaml": "resources: [service.yaml]\n",
    "net/service.yaml": SERVICE,
}
SHOP_AND_BANK = {"web/kustomization.yaml": "namespace: shop\n", "net/kustomization.yaml": "namespace: bank\n"}
# Files of PROD that are other ones, or get more lines, and the levels of what is found.
ROOTS = {
    "one root": ({}, [], ["error"]),
    "one root and namespace": ({"prod/kustomization.yaml": "namespace: shop\n"}, [], ["error"]),
    "two namespaces": (SHOP_AND_BANK, [], []),
    "no root": ({}, ["prod/kustomization.yaml"], ["warning"]),
    "several roots": ({"dev/kustomization.yaml": "resources: [../web, ../net]\n"}, [], ["warning"]),
}


@pytest.mark.parametrize(("changed", "removed", "levels"), ROOTS.values(), ids=ROOTS.keys())
def test_what_meets_in_the_output_of_a_root(changed, removed, levels) -> None:
    files = PROD | {path: PROD.get(path, "") + text for path, text in changed.items()}
    report = report_of(None, {path: text for path, text in files.items() if path not in removed})
    assert [f.severity for f in report.findings if f.rule == PRESTOP] == levels


def test_a_change_reaches_what_it_meets_in_the_output_of_a_root() -> None:
    base = PROD | {"net/service.yaml": SERVICE.replace("app: web", "app: other")}
    assert [(f.rule, f.file, f.status) for f in report_of(base, PROD).findings] == [
        (PRESTOP, "web/web.yaml", "introduced")
    ]


SUBMODULE = Problem("vendor/lib", 0, "not_followed", "The submodule was not read: its files are in another repository.")
LFS = Problem("big.yaml", 0, "not_followed", "The file was not read.")
TOO_MUCH = Problem("", 0, "too_much", "No file was read.")
BEFORE = {problem: replace(problem, message=f"Before this change: {problem.message}") for problem in (SUBMODULE, LFS)}
# The problems of base and head, the changed files, the configuration; the problems of the report, its verdict and
# whether it has remarks.
UNREAD = {
    "a submodule that does not change": ([SUBMODULE], [SUBMODULE], ["web.yaml"], "", [], ("pass", False)),
    "a submodule that changes": ([SUBMODULE], [SUBMODULE], ["vendor/lib"], "", [SUBMODULE], ("pass", True)),
    "a new submodule": ([], [SUBMODULE], ["vendor/lib"], "", [SUBMODULE], ("pass", True)),
    "a removed submodule": ([SUBMODULE], [], ["vendor/lib"], "", [BEFORE[SUBMODULE]], ("pass", True)),
    "an excluded one": ([SUBMODULE], [SUBMODULE], ["vendor/lib"], "exclude: [vendor]", [], ("pass", False)),
    "an excluded one, removed": ([SUBMODULE], [], ["vendor/lib"], "exclude: [vendor]", [], ("pass", False)),
    "a removed file of Git LFS": ([LFS], [], ["big.yaml"], "", [BEFORE[LFS]], ("pass", True)),
    "a link that becomes a file": ([replace(LFS, file="web.yaml")], [], ["web.yaml"], "", [], ("pass", False)),
    "nothing was read": ([TOO_MUCH], [TOO_MUCH], ["web.yaml"], "exclude: ['*']", [TOO_MUCH], ("incomplete", False)),
}


@pytest.mark.parametrize(
    ("base", "head", "changed", "config", "problems", "outcome"), UNREAD.values(), ids=UNREAD.keys()
)
def test_what_was_not_read(base, head, changed, config, problems, outcome) -> None:
    request = replace(
        request_of(GOOD, GOOD, config=config),
        base=replace(tree(GOOD), problems=tuple(base)),
        head=replace(tree(GOOD), problems=tuple(head)),
        diff=tuple(FileDiff(path, "modified", None, ()) for path in changed),
    )
    report = check(request, render_nothing)
    assert (list(report.problems), (report.verdict, report.has_remarks)) == (problems, outcome)


WAIVER = f"waivers:\n- rules: [{PRESTOP}]\n  path: web.yaml\n  reason: the app drains itself\n"
WAIVED_OR_DISABLED = {
    "a waiver of the configuration": (WAIVER, WITHOUT_DRAIN, ["config"]),
    "a waiver that ended": (WAIVER + "  until: 2026-11-23\n", WITHOUT_DRAIN, [None]),
    "a waiver on its last day": (WAIVER + "  until: 2026-11-24\n", WITHOUT_DRAIN, ["config"]),
    "an annotation with a reason": (
        "",
        WITHOUT_DRAIN
        | {
            "web.yaml": WITHOUT_DRAIN["web.yaml"].replace(
                "  name: web\nspec",
                "  name: web\n  annotations:\n"
                f"    gracegate.dev/ignore: {PRESTOP}\n    gracegate.dev/ignore-reason: drains itself\nspec",
            )
        },
        ["annotation"],
    ),
    "an excluded path": ("exclude: ['*.yaml']\n", WITHOUT_DRAIN, []),
    "a rule that is off": (f"rules:\n  {PRESTOP}: {{severity: off}}\n", WITHOUT_DRAIN, []),
}


@pytest.mark.parametrize(("config", "head", "sources"), WAIVED_OR_DISABLED.values(), ids=WAIVED_OR_DISABLED.keys())
def test_findings_that_are_waived_or_disabled(config, head, sources) -> None:
    report = report_of(GOOD, head, config=config)
    assert [f.waiver and f.waiver.source for f in report.findings] == sources
    assert report.verdict == ("fail" if None in sources else "pass")


def test_an_annotation_without_a_reason_is_ignored_and_reported() -> None:
    text = WITHOUT_DRAIN["web.yaml"].replace(
        "  name: web\nspec", f"  name: web\n  annotations:\n    gracegate.dev/ignore: {PRESTOP}\nspec"
    )
    report = report_of(GOOD, WITHOUT_DRAIN | {"web.yaml": text})
    assert [(p.file, p.line, p.code) for p in report.problems] == [("web.yaml", 6, "waiver")]
    assert report.verdict == "fail"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TimeoutError(), "it takes too long to evaluate"),
        (MemoryError(), "it cannot be evaluated (MemoryError)"),
        (RecursionError(), "it cannot be evaluated (RecursionError)"),
    ],
)
def test_a_preview_that_fails_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    report = report_of(GOOD, WITHOUT_DRAIN)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(sys.modules["gracegate.check.check"], "parse_repo_config", fail)
    previewed = report_of(GOOD, WITHOUT_DRAIN, head_config=WAIVER)
    assert previewed == replace(report, config_preview=ConfigPreview(None, (), message))


def test_the_heads_configuration_is_previewed_and_not_applied() -> None:
    report = report_of(GOOD, WITHOUT_DRAIN, head_config=WAIVER)
    assert report.verdict == "fail"
    assert report.config_preview is not None
    assert (report.config_preview.verdict, len(report.config_preview.silenced)) == ("pass", 1)


@pytest.mark.parametrize(
    ("error", "code"),
    [(EngineUnavailable("nobody answers"), "engine_unavailable"), (EngineTimeout("too slow"), "engine")],
    ids=["unavailable", "timeout"],
)
def test_an_engine_that_fails_is_never_green(error, code) -> None:
    def fails(opa_input):
        raise error

    report = report_of(GOOD, WITHOUT_DRAIN, evaluate=fails)
    message = f"The rules were not evaluated: {error}"
    assert (report.verdict, report.problems) == ("incomplete", (Problem("", 0, code, message),))


SINGLE = "single-replica"


@pytest.mark.parametrize(
    ("slow", "is_slow_at_base", "rules", "problems", "verdict"),
    [
        (SINGLE, None, [PRESTOP], [f"{SINGLE}: too slow"], "fail"),
        (PRESTOP, None, [], [f"{PRESTOP}: too slow"], "incomplete"),
        (PRESTOP, False, [], [f"{PRESTOP}: too slow"], "incomplete"),
        # Nobody knows whether the base has the finding too.
        (PRESTOP, True, [], [f"{PRESTOP}: too slow"], "incomplete"),
        (SINGLE, True, [PRESTOP], [f"{SINGLE}: too slow"], "fail"),
    ],
)
def test_a_slow_rule_costs_only_its_own_findings(slow, is_slow_at_base, rules, problems, verdict) -> None:
    questions = []

    def evaluate(opa_input):
        is_base = opa_input["documents"] == base_documents
        if slow in opa_input["rules"] and is_slow_at_base in {None, is_base}:
            questions.append(opa_input["rules"])
            raise EngineTimeout("too slow")
        return ENGINE.evaluate(opa_input)

    seen = []
    report_of(None, GOOD, evaluate=lambda opa_input: seen.append(opa_input) or ENGINE.evaluate(opa_input))
    base_documents = seen[0]["documents"]
    report = report_of(GOOD, WITHOUT_DRAIN, evaluate=evaluate)
    assert [(f.rule, f.suggestion is not None) for f in report.findings] == [(rule, True) for rule in rules]
    assert [(p.code, p.message) for p in report.problems] == [("rule_failed", message) for message in problems]
    assert (report.verdict, report.fixed_findings) == (verdict, ())
    # Once it is found, nobody waits for it again.
    assert questions.count([slow]) == 1
    assert questions[-1] == [slow]


def test_all_safe_fixes_of_a_tree_are_applied_and_a_second_run_changes_nothing() -> None:
    def fixed(head: Tree):
        config = RepoConfig()
        request = CheckRequest(head=head, config=config, policies=(BUILTIN,), today=TODAY)
        return fix_all(request, render_nothing)

    once = fixed(tree(WITHOUT_BOTH))
    new = WITHOUT_BOTH | {path: text for path, (_, text) in once.files.items()}
    assert (list(once.files), once.applied, summaries(report_of(None, new))) == (["web.yaml"], 2, [])
    assert fixed(tree(new)).files == {}


def test_limits_apply_to_base_and_head_and_to_pull_requests_and_folders() -> None:
    base, head = tree(GOOD), tree(WITHOUT_DRAIN)
    job = CheckJob(base, base, head, diff(GOOD, WITHOUT_DRAIN), TODAY, None, None, WAIT_SECONDS, Limits(nodes=15))
    problem = ("web.yaml", 8, "too_many_nodes")
    assert [(p.file, p.line, p.code) for p in sandboxed_check(job).problems if p.file] == [problem]
    request = CheckRequest(head, RepoConfig(), (BUILTIN,), TODAY, limits=Limits(nodes=15))
    found = check(request, render_nothing).problems
    assert problem in [(p.file, p.line, p.code) for p in found]


def test_a_crlf_file_keeps_its_line_endings_and_gets_no_suggestion() -> None:
    head = {path: text.replace("\n", "\r\n") for path, text in WITHOUT_DRAIN.items()}
    report = report_of({}, head)
    assert [(f.no_suggestion, f.suggestion) for f in report.findings] == [("crlf", None)]
    diff_text = report.findings[0].fix.diff
    assert all(line.endswith("\r") for line in diff_text.split("\n") if line.startswith("+ "))


@pytest.mark.parametrize(
    ("rules_urls", "expected"),
    [
        ({}, None),
        ({"gracegate": "https://gate.example.com/rules"}, f"https://gate.example.com/rules/{PRESTOP}.md"),
        ({"acme": "https://gate.example.com/rules"}, None),
    ],
)
def test_rules_link_to_their_pages(rules_urls: dict[str, str], expected: str | None) -> None:
    request = replace(request_of(GOOD, WITHOUT_DRAIN), rules_urls=rules_urls)
    assert [finding.rule_url for finding in check(request, render_nothing).findings] == [expected]
