"""The configuration of a repository: what each key sets, and the line of what is misspelt."""

from __future__ import annotations

import datetime as dt

import pytest

from gracegate.errors import ConfigError
from gracegate.model import Parameter, Rule
from gracegate.repo_config import ConfigWaiver, RepoConfig, RuleConfig, parse_repo_config

DRAIN = Rule(
    id="prestop-drain-missing",
    group="termination",
    title="",
    description="",
    severity="error",
    fix="safe",
    parameters=(Parameter("seconds", 10, ""), Parameter("images", ["a"], "")),
    example="",
    links=(),
    aliases=("drain-missing",),
)
PROBE = Rule("probe-port-undefined", "readiness", "", "", "error", "safe", (), "", ())
RULES = {rule.id: rule for rule in (DRAIN, PROBE)}

FULL = """\
# accepted findings
gate: advise
profile: strict
comments: touched
exclude:
  - "config/generated/**"
  - /vendor/
rules:
  prestop-drain-missing:
    severity: warning
    params: {seconds: 20}
    effective_on: 2027-01-31
  probe-port-undefined: off
annotation_waivers: no
min_kubernetes_version: 1.30
drain_seconds: {alb_ip: 45}
app_drain_seconds: 20
waivers:
  - rules: [drain-missing, probe-port-undefined]
    path: "labs/**"
    kind: Deployment
    namespace: lab-*
    name: web
    container: app
    reason: "Experiments answer a few testers."
    until: 2026-12-31
  - rules: [probe-port-undefined]
    reason: Because.
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("# nothing yet\n", id="a comment"),
        pytest.param("---\n", id="an empty document"),
        pytest.param("{}", id="no keys"),
        pytest.param("gate: enforce\ncomments: introduced\nexclude: []\nrules: {}\nwaivers: []\n", id="all defaults"),
    ],
)
def test_defaults(text: str) -> None:
    assert parse_repo_config(text, RULES) == RepoConfig()


def test_every_key() -> None:
    assert parse_repo_config(FULL, RULES) == RepoConfig(
        gate="advise",
        profile="strict",
        comments="touched",
        exclude=("config/generated/**", "/vendor/"),
        rules={
            "prestop-drain-missing": RuleConfig("warning", {"seconds": 20}, dt.date(2027, 1, 31)),
            "probe-port-undefined": RuleConfig("off"),
        },
        waivers=(
            ConfigWaiver(
                rules=("prestop-drain-missing", "probe-port-undefined"),
                reason="Experiments answer a few testers.",
                line=19,
                path="labs/**",
                kind="Deployment",
                namespace="lab-*",
                name="web",
                container="app",
                until=dt.date(2026, 12, 31),
            ),
            ConfigWaiver(("probe-port-undefined",), "Because.", 27),
        ),
        annotation_waivers=False,
        min_minor=30,
        drain_seconds={"alb_ip": 45},
        app_drain_seconds=20,
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("gate: enforce\ngatee: x", 2, "unknown key `gatee`, did you mean `gate`?", id="unknown key"),
        pytest.param("gate: enforced", 1, "`gate` cannot be `enforced`, did you mean `enforce`?", id="wrong choice"),
        pytest.param(
            "profile: strickt", 1, "`profile` cannot be `strickt`, did you mean `strict`?", id="unknown profile"
        ),
        pytest.param(
            "rules:\n  drain-missing: {effective_on: soon}",
            2,
            "`effective_on` is not a date, write it as `2026-12-31`",
            id="effective_on is not a date",
        ),
        pytest.param("gate:", 1, "`gate` needs a value", id="no value"),
        pytest.param("- gate", 1, "the file must be a mapping of keys to values", id="a list"),
        pytest.param("gate: advise\ngate: enforce", 2, "key `gate` appears twice", id="twice"),
        pytest.param("a: [", 1, "this is not valid YAML: ", id="syntax"),
        pytest.param("exclude: labs", 1, "`exclude` must be a list, written as `[...]` or with dashes", id="no list"),
        pytest.param("exclude: [/]", 1, "`/` is not a path pattern", id="empty glob"),
        pytest.param(
            "rules:\n  prestop-drain-mising: off",
            2,
            "unknown rule `prestop-drain-mising`, did you mean `prestop-drain-missing`?",
            id="unknown rule",
        ),
        pytest.param(
            "rules:\n  drain-missing: off\n  prestop-drain-missing: info",
            3,
            "rule `prestop-drain-missing` is configured twice, once under a former id",
            id="by both names",
        ),
        pytest.param(
            "rules: {probe-port-undefined: warn}",
            1,
            "`probe-port-undefined` cannot be `warn`, did you mean `warning`?",
            id="unknown severity",
        ),
        pytest.param(
            "rules:\n  prestop-drain-missing:\n    params: {second: 1}",
            3,
            "unknown key `second`, did you mean `seconds`?",
            id="unknown parameter",
        ),
        pytest.param(
            "rules: {prestop-drain-missing: {params: {seconds: ten}}}",
            1,
            "`seconds` is a string, but must be a number such as `10`",
            id="a parameter of another type",
        ),
        pytest.param(
            "rules: {prestop-drain-missing: {params: {seconds: true}}}",
            1,
            "`seconds` is true or false, but must be a number such as `10`",
            id="true is not a number",
        ),
        pytest.param(
            "rules: {probe-port-undefined: {params: {x: 1}}}", 1, "unknown key `x`; there are none", id="no parameters"
        ),
        pytest.param(
            "waivers:\n  - rules: [probe-port-undefined]",
            2,
            "this waiver has no `reason`",
            id="no reason",
        ),
        pytest.param(
            "waivers:\n  - reason: x",
            2,
            "this waiver has no `rules`",
            id="no rules",
        ),
        pytest.param("waivers: [{rules: [], reason: x}]", 1, "this waiver lists no rules", id="no rule"),
        pytest.param(
            "waivers: [{rules: [probe-port-undefined], reason: ' '}]",
            1,
            "`reason` needs a value",
            id="an empty reason",
        ),
        pytest.param(
            "waivers:\n  - rules: [probe-port-undefined]\n    reason: x\n    until: next year",
            4,
            "`until` is not a date, write it as `2026-12-31`",
            id="until is not a date",
        ),
        pytest.param(
            "min_kubernetes_version: 2",
            1,
            "`min_kubernetes_version` is not a Kubernetes version, write it as `1.30`",
            id="version",
        ),
        pytest.param("drain_seconds: {alb: 3}", 1, "unknown key `alb`, did you mean `alb_ip`?", id="unknown exposure"),
        pytest.param(
            "app_drain_seconds: -1",
            1,
            "`app_drain_seconds` must be a number of seconds such as `10`",
            id="negative",
        ),
        pytest.param("annotation_waivers: 1", 1, "`annotation_waivers` must be `true` or `false`", id="no flag"),
        pytest.param("exclude: [" + "[" * 200, 1, "this is not valid YAML: nested deeper than 100", id="too deep"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_repo_config(text, RULES)
    assert (caught.value.file, caught.value.line) == (".gracegate.yaml", line)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("patterns", "excluded", "kept"),
    [
        pytest.param([], [], ["a.yaml"], id="no pattern"),
        pytest.param(
            ["labs/**"], ["labs/a.yaml", "labs/x/a.yaml"], ["labs", "x/labs/a.yaml", "labs.yaml"], id="everything below"
        ),
        pytest.param(["**/test/**"], ["test/a", "x/y/test/a"], ["test", "tests/a"], id="at any depth"),
        pytest.param(["a/**/b.yaml"], ["a/b.yaml", "a/x/y/b.yaml"], ["ab.yaml", "a/xb.yaml"], id="between"),
        pytest.param(["*.tpl.yaml"], ["a.tpl.yaml", "x/a.tpl.yaml"], ["a.yaml", "atplyaml"], id="a name anywhere"),
        pytest.param(["vendor"], ["vendor", "vendor/a", "x/vendor/a"], ["vendors/a"], id="a name, everything below"),
        pytest.param(["/vendor/"], ["vendor/a"], ["vendor", "x/vendor/a"], id="a directory at the top"),
        pytest.param(["apps/*.yaml"], ["apps/a.yaml"], ["apps/x/a.yaml", "x/apps/a.yaml"], id="one level"),
        pytest.param(["a?c.yaml"], ["abc.yaml"], ["ac.yaml", "a/c.yaml"], id="one character"),
        pytest.param(["a[12].yaml"], ["a1.yaml"], ["a[12].yaml", "a3.yaml"], id="one of some characters"),
        pytest.param(["vendor", "!vendor/a"], ["vendor/a"], [], id="nothing below an excluded directory"),
        pytest.param(["labs/**", "!labs/keep.yaml"], ["labs/a.yaml"], ["labs/keep.yaml"], id="taken back in"),
        pytest.param(["!a.yaml", "a.yaml"], ["a.yaml"], ["b.yaml"], id="the last one decides"),
    ],
)
def test_exclude_patterns(patterns: list[str], excluded: list[str], kept: list[str]) -> None:
    config = RepoConfig(exclude=tuple(patterns))
    assert [path for path in (*excluded, *kept) if config.excludes(path)] == excluded


def test_all_mistakes_are_told_at_once() -> None:
    text = """\
gate: enforced
waiver: []
exclude: [/, a, "!"]
rules:
  drain-mising: off
  probe-port-undefined: {severity: warn, param: {}}
  prestop-drain-missing: of
waivers:
- rules: [probe-port-undefined]
- {reason: why, rules: [probe-port], unti: 2026-01-01}
"""
    with pytest.raises(ConfigError) as caught:
        parse_repo_config(text, RULES)
    assert caught.value.line == 2
    first, *others = caught.value.message.split("; line ")
    assert first == "unknown key `waiver`, did you mean `waivers`?"
    assert [mistake.partition(":")[0] for mistake in others] == ["1", "3", "3", "5", "6", "6", "7", "9", "10"]


def test_mistakes_without_end_are_counted() -> None:
    with pytest.raises(ConfigError, match=r"; line 1: `/` is not a path pattern; 90 more mistakes$"):
        parse_repo_config(f"exclude: [{', '.join(['/'] * 100)}]\n", RULES)
