"""Reports to render: findings in a small shop, and names that try to break out of their place."""

from __future__ import annotations

from dataclasses import replace

from gracegate.model import (
    ConfigPreview,
    Engine,
    Excerpt,
    Finding,
    Fix,
    FixedFinding,
    ObjectRef,
    Operation,
    ProbeTimes,
    Problem,
    RelatedPlace,
    Report,
    Rollout,
    SetTime,
    Severity,
    ShutdownLedger,
    Step,
    StepAction,
    Suggestion,
    Totals,
    Waiver,
)
from gracegate.outputs import CommentState
from tests.rollout.scenarios import CURED

ENGINE = Engine("wasm", "1.22.2", "8f14e45fceea167a5a36dedd4bea2543")
MARKER = "<!-- gracegate:v1 state=open f=0a1b2c3d4e5f mac=00112233445566778899aabbccddeeff -->"
FIXED_MARKER = MARKER.replace("=open", "=fixed")

DRAIN_TEXT = """\
          image: shop/reviews:3
          readinessProbe:
            tcpSocket:
              port: 8080
          lifecycle:
            preStop:
              sleep:
                seconds: 10"""
REVIEWS_DIFF = """\
--- a/apps/reviews.yaml
+++ b/apps/reviews.yaml
@@ -20,1 +20,8 @@
           image: shop/reviews:3
+          readinessProbe:
+            tcpSocket:
+              port: 8080
+          lifecycle:
+            preStop:
+              sleep:
+                seconds: 10"""
GRACE_DIFF = """\
--- a/apps/web.yaml
+++ b/apps/web.yaml
@@ -18,3 +18,4 @@
     spec:
+      terminationGracePeriodSeconds: 75
       containers:
         - name: web"""
STORE_DIFF = """\
--- a/data/session-store.yaml
+++ b/data/session-store.yaml
@@ -21,2 +21,6 @@
           image: redis:7.4
+          lifecycle:
+            preStop:
+              sleep:
+                seconds: 10
           ports:"""


TITLES = {
    "grace-period-exhausted": "Container is killed before it can shut down",
    "prestop-drain-missing": "Container stops before traffic does",
    "readiness-probe-missing": "Container gets traffic before it can serve",
    "rollout-drops-all-replicas": "Rollout stops every pod at once",
    "service-drops-old-pods": "Service stops sending to the pods that still run",
}


def finding(  # one call per sample reads best with everything in it
    rule: str,
    file: str,
    line: int,
    message: str,
    *,
    severity: Severity = "error",
    kind: str = "Deployment",
    name: str = "web",
    container: str | None = None,
    **more: object,
) -> Finding:
    return Finding(
        id=f"{rule}@{file}"[:40],
        rule=rule,
        severity=severity,
        status=more.pop("status", "introduced"),  # type: ignore[arg-type]
        file=file,
        line=line,
        end_line=line + 3,
        object=ObjectRef(kind, "shop", name, "apps"),
        container=container,
        message=message,
        comment_anchor=f"{file}/{container}",
        title=TITLES[rule],
        **more,  # type: ignore[arg-type]
    )


REVIEWS_SERVICE = RelatedPlace(ObjectRef("Service", "shop", "reviews"), "apps/svc.yaml", 12)
REVIEWS_FIX = Suggestion("s-reviews", "apps/reviews.yaml", 20, 20, DRAIN_TEXT)
NO_PROBE = finding(
    "readiness-probe-missing",
    "apps/reviews.yaml",
    19,
    'Container "reviews" gets requests before it can answer them: it has no readinessProbe.',
    name="reviews",
    container="reviews",
    column=11,
    description="Without a readinessProbe a pod is ready as soon as its\ncontainers run. Requests come at once.",
    fix=Fix("safe", (Operation("add", ("spec", "readinessProbe"), {"tcpSocket": {"port": 8080}}),), diff=REVIEWS_DIFF),
    suggestion="s-reviews",
    related=(REVIEWS_SERVICE,),
)
NO_DRAIN = finding(
    "prestop-drain-missing",
    "apps/reviews.yaml",
    19,
    'Container "reviews" stops before traffic does: it has no preStop delay.',
    name="reviews",
    container="reviews",
    column=11,
    fix=Fix(
        "safe", (Operation("add", ("spec", "lifecycle"), {"preStop": {"sleep": {"seconds": 10}}}),), diff=REVIEWS_DIFF
    ),
    suggestion="s-reviews",
    related=(REVIEWS_SERVICE,),
)
EXHAUSTED = finding(
    "grace-period-exhausted",
    "apps/web.yaml",
    31,
    'Container "web" is killed while it still serves: its 60 s preStop delay takes all of the 30 s grace period.',
    container="web",
    status="worsened",
    fix=Fix(
        "safe",
        (Operation("add", ("spec", "template", "spec", "terminationGracePeriodSeconds"), 75),),
        diff=GRACE_DIFF,
    ),
    no_suggestion="outside_diff",
    related=(
        RelatedPlace(ObjectRef("Deployment", "shop", "web"), "apps/web.yaml", 31, "preStop: 60 s"),
        RelatedPlace(ObjectRef("Deployment", "shop", "web"), "apps/web.yaml", 26, '"SHUTDOWN|WAIT": 15 s'),
    ),
)
UNSERVED = finding(
    "rollout-drops-all-replicas",
    "apps/cart.yaml",
    9,
    "All pods go at once: maxUnavailable is 100%.",
    severity="warning",
    name="cart",
    fix=Fix(
        "text",
        advice='Choose how many pods may be away, "25%" say; it depends on how much load the others can take.',
    ),
    no_suggestion="advice_only",
    blocks_from="2027-01-31",
    related=(RelatedPlace(ObjectRef("Service", "shop", "cart"), "far/cart.yaml", 4),),
    confidence="possible",
)
DROPPED = finding(
    "service-drops-old-pods",
    "apps/service.yaml",
    7,
    'Service "web" refuses every request: its selector now asks for "release=v2", which only new pods have.',
    kind="Service",
    fix=Fix("text", advice="Change one after the other."),
    no_suggestion="advice_only",
    steps=(
        StepAction(1, 'Service "web" selects old and new pods, by "app=web" alone.'),
        StepAction(2, 'Service "web" selects only new pods.', "Wait for an hour."),
    ),
)
SELECTOR_DIFF = """\
--- a/apps/service.yaml
+++ b/apps/service.yaml
@@ -6,4 +6,5 @@
   selector:
     app: web
+    release: v2
   ports:"""
OLD = replace(
    NO_DRAIN,
    id="old",
    status="pre-existing",
    file="data/session-store.yaml",
    line=20,
    object=ObjectRef("StatefulSet", "shop", "session-store", "apps"),
    container="redis",
    message='Container "redis" stops before traffic does: it has no preStop delay.',
    fix=Fix("safe", (Operation("add", ("spec", "lifecycle"), {}),), diff=STORE_DIFF),
    suggestion=None,
    no_suggestion="pre_existing",
    related=(),
)
WAIVED = replace(
    NO_DRAIN,
    id="waived",
    file="labs/recommendations.yaml",
    object=ObjectRef("Deployment", "", "recommendations", "apps"),
    container="app",
    suggestion=None,
    waiver=Waiver("config", "Experiments answer a few testers.", ".gracegate.yaml", 8, "2026-12-31"),
)
TEMPLATE = Problem("charts/edge/deployment.yaml", 4, "template", "This is a Helm template; it is not rendered yet.")
BROKEN = Problem("apps/checkout.yaml", 12, "syntax", 'The key "image" is indented less than its mapping.')

REVIEWS_FACTS = replace(CURED, container="reviews", readiness=None, prestop=0)
REVIEWS_ROLLOUT = Rollout(
    ObjectRef("Deployment", "shop", "reviews", "apps"),
    "apps/reviews.yaml",
    1,
    REVIEWS_FACTS,
    replace(REVIEWS_FACTS, readiness=ProbeTimes(period=5, connects=True), prestop=10),
    (
        ShutdownLedger(
            ObjectRef("Service", "shop", "reviews"),
            SetTime("traffic", 10, "apps/svc.yaml", 12),
            (SetTime("shutdown of the app", 10, "apps/reviews.yaml", 19),),
            SetTime("grace period", 30, "apps/reviews.yaml", 17),
        ),
    ),
)

REVIEWS_LINES = (
    "      containers:",
    "        - name: reviews",
    "          image: shop/reviews:3",
    "          <b>&amp;",
)
EXCERPTS = (
    Excerpt("apps/reviews.yaml", 19, 18, REVIEWS_LINES),
    Excerpt("apps/svc.yaml", 12, 12, ("  name: reviews",)),
)

FAIL = Report(
    verdict="fail",
    has_remarks=True,
    gate="enforce",
    engine=ENGINE,
    findings=(NO_DRAIN, NO_PROBE, EXHAUSTED, UNSERVED, OLD, WAIVED),
    suggestions=(REVIEWS_FIX,),
    fixed_findings=(
        FixedFinding(
            "f", "probe-port-undefined", "apps/checkout.yaml", ObjectRef("Deployment", "shop", "checkout"), "app"
        ),
    ),
    problems=(TEMPLATE, Problem("", 0, "elsewhere", "2 other manifests could not be read.", is_manifest=False)),
    totals=Totals(7, 12, 6),
    has_base=True,
    config_preview=ConfigPreview("pass", ("old", "prestop-drain-missing@apps/reviews.yaml"[:40])),
    excerpts=EXCERPTS,
)
COMMENTED = (NO_DRAIN, NO_PROBE, EXHAUSTED)
COMMENTS = CommentState("possible", frozenset(f.id for f in COMMENTED))
REFUSED_COMMENTS = CommentState("refused", COMMENTS.planned, frozenset({EXHAUSTED.id}))
CLEAN = Report("pass", False, "enforce", ENGINE, (), (), (), (), Totals(3, 7, 3), has_base=True)
NOTHING = replace(CLEAN, totals=Totals(1, 0, 0))
REMARKS = replace(CLEAN, has_remarks=True, findings=(UNSERVED,), problems=(TEMPLATE,))
SPLIT = replace(
    CLEAN,
    verdict="fail",
    findings=(DROPPED, replace(UNSERVED, no_steps="not_safe")),
    steps=(Step(("apps/service.yaml", "apps/web.yaml"), ""), Step(("apps/service.yaml",), SELECTOR_DIFF)),
)
INCOMPLETE = replace(
    CLEAN,
    verdict="incomplete",
    findings=(UNSERVED,),
    problems=(BROKEN, Problem("", 0, "rule_failed", "prestop-drain-missing: eval_conflict_error")),
)
PRESENT = replace(
    FAIL,
    findings=tuple(replace(f, status="present") for f in (NO_DRAIN, NO_PROBE, EXHAUSTED, UNSERVED)),
    fixed_findings=(),
    problems=(BROKEN,),
    has_base=False,
    config_preview=None,
)

EVIL = (
    '`@org/team` --> <img src=x onerror=alert(1)> | "quoted" [a](http://evil) ![b](x) #1 *b* '
    "\x1b[31m\u202e\n```\n# head"
)
HOSTILE_FINDING = replace(
    EXHAUSTED,
    file=f"apps/{EVIL}.yaml",
    object=ObjectRef(EVIL, EVIL, EVIL),
    container=EVIL,
    message=f'Container "{EVIL}" is {EVIL}',
    description=f"{EVIL}\n{EVIL}",
    related=(
        RelatedPlace(ObjectRef(EVIL, EVIL, EVIL), EVIL, 5),
        RelatedPlace(ObjectRef(EVIL, EVIL, EVIL), EVIL, 6, EVIL),
    ),
    steps=(StepAction(1, EVIL), StepAction(2, EVIL, EVIL)),
    fix=Fix("assumes", (), advice=EVIL, assumption=EVIL, diff=f"--- a\n+++ b\n@@ -1 +1 @@\n+{EVIL}\n   ```"),
    no_suggestion=None,
)
HOSTILE = replace(
    FAIL,
    findings=(
        HOSTILE_FINDING,
        replace(HOSTILE_FINDING, id="w", waiver=Waiver("annotation", EVIL, EVIL, 3, EVIL)),
        replace(HOSTILE_FINDING, id="p", status="pre-existing"),
    ),
    fixed_findings=(FixedFinding("f", "probe-port-undefined", EVIL, ObjectRef(EVIL, EVIL, EVIL), EVIL),),
    problems=(Problem(EVIL, 3, "syntax", EVIL), Problem(EVIL, 3, "template", EVIL)),
    config_preview=ConfigPreview(None, (), EVIL),
    rollouts=(replace(REVIEWS_ROLLOUT, object=ObjectRef(EVIL, EVIL, EVIL), file=EVIL),),
    excerpts=(Excerpt(f"apps/{EVIL}.yaml", 31, 31, (EVIL,)), Excerpt(EVIL, 5, 5, (EVIL,))),
    steps=(Step((EVIL,), ""), Step((EVIL,), f"+{EVIL}\n   ```")),
)


def _numbered(number: int) -> Finding:
    diff = GRACE_DIFF.replace("web.yaml", f"web-{number}.yaml")
    return replace(EXHAUSTED, id=str(number), line=number + 1, fix=Fix("safe", EXHAUSTED.fix.patch, diff=diff))  # type: ignore[union-attr]


MANY = replace(
    PRESENT,
    findings=(
        *PRESENT.findings,
        *(replace(UNSERVED, id=str(n), line=n, column=3, status="present", steps=()) for n in range(20, 28)),
    ),
    problems=(TEMPLATE, replace(TEMPLATE, line=9), BROKEN, replace(TEMPLATE, file="charts/edge/job.yaml")),
    excerpts=(*EXCERPTS, Excerpt("apps/cart.yaml", 20, 20, ("\t\tmaxUnavailable: 100%",))),
)
BIG = replace(FAIL, findings=tuple(_numbered(n) for n in range(900)))
