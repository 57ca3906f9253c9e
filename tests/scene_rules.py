"""The built-in rules that scenes of the tests are about.

A scene is a manifest or a change with all that is found in it. So that one more rule breaks none of them, rules that
are not named here are not evaluated there: a new rule has its own test, its example and its page. Whoever writes scenes
about it names it here, and looks at what it finds in the others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.policy import load_builtin

SCENES = frozenset({"browser", "cases", "check", "cli", "outputs", "review", "web"})
"""The folders of tests that have scenes, and policy/sets."""

SCENE_RULES = frozenset(
    {
        # change
        "backend-switched",
        "drain-lowered",
        "gitops-owner-renamed",
        "grace-lowered",
        "immutable-field-changed",
        "ingress-replaced",
        "load-balancer-replaced",
        "namespace-moved",
        "probe-removed",
        "service-drops-old-pods",
        "workload-renamed",
        # disruption
        "pdb-blocks-drain",
        "pdb-missing",
        "pdb-overlap",
        # liveness
        "exec-probe-costly",
        "liveness-as-aggressive-as-readiness",
        "liveness-checks-dependency",
        "liveness-hair-trigger",
        "liveness-kills-slow-start",
        "liveness-restart-delayed-by-prestop",
        "probe-command-fails",
        "probe-host-external",
        "probe-invalid",
        "probe-timeout-exceeds-period",
        "startup-budget-exceeds-progress-deadline",
        "startup-budget-too-short",
        # reachability
        "ingress-backend-missing",
        "local-traffic-gap",
        "service-selector-mismatch",
        "service-selects-batch-pods",
        "service-target-port-undefined",
        # readiness
        "lb-readiness-gate-missing",
        "probe-port-undefined",
        "readiness-gate-nobody-sets",
        "readiness-ignored-by-service",
        "readiness-probe-missing",
        "readiness-slow-to-detect",
        # rollout
        "gitops-recreates",
        "hpa-min-replicas-one",
        "hpa-replicas-conflict",
        "rollout-can-deadlock",
        "rollout-drops-all-replicas",
        "rollout-drops-stable-early",
        "rollout-leaves-old-pods",
        "single-replica",
        "strategy-recreate",
        # termination
        "drain-too-long",
        "entrypoint-swallows-sigterm",
        "grace-cut-by-spot",
        "grace-period-exhausted",
        "grace-period-zero",
        "hook-shorter-than-lb-drain",
        "prestop-command-malformed",
        "prestop-command-not-in-image",
        "prestop-drain-missing",
        "prestop-drain-too-short",
        "prestop-prefer-native-sleep",
        "prestop-sleep-unsupported",
        "prestop-stops-app-first",
        "shutdown-exceeds-grace",
        "sidecar-stops-before-app",
        # validity
        "field-unknown",
        "field-unsupported",
    }
)


def has_scenes(test: Path) -> bool:
    """Whether a file of tests has scenes."""
    folders = test.relative_to(Path(__file__).parent).parts
    return folders[0] in SCENES or folders[:2] == ("policy", "sets")


def keep_scene_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes all other rules out of the built-in catalogue of this process, for one test."""
    rules = load_builtin().rules
    assert isinstance(rules, dict)
    for rule in rules.keys() - SCENE_RULES:
        monkeypatch.delitem(rules, rule)
