"""From findings and problems to a verdict: fail outranks incomplete, and what was not evaluated is never green."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import NamedTuple

from gracegate.model import NOT_COVERED, Document, Finding, Problem, Severity, Verdict

# Kinds whose Pods this project judges; the closed list of the domain (apps, core, Argo, OpenShift, Kruise).
WORKLOAD_KINDS = frozenset(
    {
        "CloneSet",
        "DaemonSet",
        "Deployment",
        "DeploymentConfig",
        "ReplicaSet",
        "ReplicationController",
        "Rollout",
        "StatefulSet",
    }
)


class Judgement(NamedTuple):
    """The verdict, and whether a pass is to be shown as neutral."""

    verdict: Verdict
    remarks: bool


def judge(findings: Iterable[Finding], problems: Iterable[Problem], blocking: Set[Severity]) -> Judgement:
    """Only what the change introduced or worsened counts, or what is present where there is no base."""
    counting = [f for f in findings if f.waiver is None and f.status != "pre-existing"]
    matter = [p for p in problems if p.manifest]
    remarks = any(f.severity == "warning" for f in counting) or any(p.code in NOT_COVERED for p in matter)
    if any(f.severity in blocking for f in counting):
        return Judgement("fail", remarks)
    if any(p.code not in NOT_COVERED for p in matter):
        return Judgement("incomplete", remarks)
    return Judgement("pass", remarks)


def is_workload(document: Document) -> bool:
    """Whether a document is a workload that rolling updates replace."""
    return document.ref.kind in WORKLOAD_KINDS and not document.fragment
