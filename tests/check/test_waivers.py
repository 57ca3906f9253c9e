"""Who may accept a finding: the base's configuration, and annotations of the object while the base allows them."""

from __future__ import annotations

import pytest

from tests.check.reports import report_of
from tests.shop import DEPLOYMENT, PRESTOP, SERVICE, WITHOUT_DRAIN

BASE = {"web.yaml": DEPLOYMENT, "service.yaml": SERVICE}
FORBIDDEN = "the base branch's .gracegate.yaml forbids waivers by annotation"


def annotated(**more: str) -> dict[str, str]:
    """The head's files without the drain; the Deployment waives the finding, with `more` annotations."""
    annotations = {"ignore": PRESTOP, "ignore-reason": "drains itself", **more}
    lines = "".join(f'    gracegate.dev/{name}: "{value}"\n' for name, value in annotations.items())
    text = WITHOUT_DRAIN.replace("  name: web\nspec", f"  name: web\n  annotations:\n{lines}spec")
    return BASE | {"web.yaml": text}


@pytest.mark.parametrize(
    ("config", "until", "waived_until", "problem"),
    [
        pytest.param("", None, [None], None, id="for ever"),
        pytest.param("", "2026-11-24", ["2026-11-24"], None, id="today is the last day"),
        pytest.param("", "2026-11-23", [], "it ended on 2026-11-23", id="ended yesterday"),
        pytest.param("", "soon", [], "gracegate.dev/ignore-until is not a date, write it as 2026-12-31", id="no date"),
        pytest.param("annotation_waivers: true\n", None, [None], None, id="allowed"),
        pytest.param("annotation_waivers: false\n", None, [], FORBIDDEN, id="forbidden"),
        pytest.param("annotation_waivers: false\n", "2026-11-24", [], FORBIDDEN, id="forbidden, with a day"),
    ],
)
def test_an_annotation_waives_while_the_base_allows_it_and_its_day_has_not_passed(
    config: str, until: str | None, waived_until: list[str | None], problem: str | None
) -> None:
    head = annotated() if until is None else annotated(**{"ignore-until": until})
    report = report_of(BASE, head, config=config)
    assert [f.waiver.until for f in report.findings if f.waiver] == waived_until
    assert [p.message for p in report.problems] == (
        [] if problem is None else [f"The annotation gracegate.dev/ignore is ignored: {problem}."]
    )
    assert report.verdict == ("fail" if problem else "pass")


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ("prestop-drain-misssing", "prestop-drain-misssing, which is no rule, did you mean prestop-drain-missing?"),
        ("everything", "everything, which is no rule; `gracegate rules` lists them."),
        ("*, `x`", "something else, which is no rule; `gracegate rules` lists them."),
    ],
)
def test_an_annotation_that_names_no_rule_is_reported(rules: str, what: str) -> None:
    report = report_of(BASE, annotated(ignore=rules))
    assert {problem.message for problem in report.problems} == {f"The annotation gracegate.dev/ignore names {what}"}
    assert (report.verdict, [f.waiver for f in report.findings]) == ("fail", [None])


@pytest.mark.parametrize(
    ("condition", "is_waived"),
    [
        ("path: web.yaml", True),
        ("path: other.yaml", False),
        ("kind: Deployment", True),
        ("kind: StatefulSet", False),
        ("namespace: shop", True),
        ("namespace: 'sh*'", True),
        ("namespace: bank", False),
        ("name: web", True),
        ("name: api", False),
        ("container: web", True),
        ("container: sidecar", False),
        ("kind: Deployment\n  namespace: shop\n  container: web", True),
        ("kind: Deployment\n  namespace: bank\n  container: web", False),
    ],
)
def test_a_waiver_covers_what_all_its_conditions_match(condition: str, is_waived: bool) -> None:
    base, head = (
        {
            "web.yaml": deployment.replace("  name: web\nspec", "  name: web\n  namespace: shop\nspec"),
            "service.yaml": SERVICE.replace("{name: web}", "{name: web, namespace: shop}"),
        }
        for deployment in (DEPLOYMENT, WITHOUT_DRAIN)
    )
    config = f"waivers:\n- rules: [{PRESTOP}]\n  {condition}\n  reason: the app drains itself\n"
    report = report_of(base, head, config=config)
    assert [f.waiver is not None for f in report.findings] == [is_waived]
    assert report.verdict == ("pass" if is_waived else "fail")
