"""The words for simulated rollouts: what is lost, how sure that is, and what was assumed. Numbers have two digits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gracegate.model import NoSimulation, RolloutFacts, SetTime, ShutdownLedger
from gracegate.rollout import Estimate, PhaseKind, RolloutEstimate, Simulation

NO_NUMBER: Mapping[NoSimulation, str] = {
    "app_drains": "by its annotation the app drains by itself, and the manifests do not say for how long.",
    "early_stop": "its preStop hook stops the server itself, and the manifests do not say how fast.",
    "headless": "only a headless Service leads to it, and each client has its own time until it asks the DNS again.",
    "idle": "it has no replicas.",
    "never_ready": "its new pods never become ready, so that its rollouts do not end.",
    "other_kind": "only Deployments that Kubernetes itself updates are simulated.",
    "readiness_of_sidecar": "its pods are ready when another container is, which says nothing of the app.",
    "several_containers": "several of its containers may get the requests.",
    "unknown_hook": "the manifests do not say how long its preStop hook takes.",
    "unknown_number": "a number that decides it is a variable, or is wrong.",
    "unknown_service": "the Service or the Ingress that leads to it may be in a file that was not read.",
    "unserved": "no Service sends requests to it.",
}
"""Why there is no number for a workload, as the end of a sentence."""

NOT_MEASURED = "Simulated from these manifests, not measured in a cluster."
PHASES: Mapping[PhaseKind, str] = {
    "starting": "starting",
    "serving": "serving",
    "terminating": "terminating, still serves",
    "refused": "refused",
    "error": "errors",
    "reset": "cut off",
}

_VISIBLE = 0.05
_ALL = 0.995
_STEPS = tuple(
    digit * multiple for multiple in (1, 10, 100, 1000, 10**4, 10**5, 10**6, 10**7, 10**8) for digit in (1, 2, 5)
)


def seconds(number: float) -> str:
    """`1.6 s`, `14 s`."""
    return f"{number:.1f} s" if round(number, 1) < 10 else f"{number:,.0f} s"


def rounded(number: float) -> str:
    """`83`, `760`, `1,200`: no more than two digits are known."""
    if number < 100:
        return str(round(number))
    digits = len(str(int(number))) - 2
    return f"{round(number, -digits):,.0f}"


def verdict(estimate: Estimate) -> str:
    """What one rollout loses, in a few words."""
    every = "" if estimate.is_zero or estimate.typical.seconds < _VISIBLE else " in every rollout"
    return f"{outage(estimate)}{every}"


def outage(estimate: Estimate) -> str:
    """How long a complete outage would be that loses as much as one rollout."""
    if estimate.is_zero:
        return "no request lost in the model"
    if estimate.typical.seconds < _VISIBLE:
        return f"usually nothing, at most like {seconds(estimate.most)} of outage"
    return f"like {seconds(estimate.typical.seconds)} of outage"


def details(estimate: Estimate) -> list[str]:
    """The numbers beside the verdict: requests at the assumed rate, and how far the loss moves; none without loss."""
    simulation = estimate.typical
    lines = []
    if simulation.requests >= 1:
        rate = simulation.assumed.rate
        sent = rounded(rate * simulation.timeline.end)
        lines.append(f"about {rounded(simulation.requests)} of {sent} requests at {rate:g}/s")
    if estimate.is_range and simulation.seconds >= _VISIBLE:
        lines.append(f"{seconds(estimate.least)} to {seconds(estimate.most)}, depending on cluster and app")
    return lines


def panels(estimate: RolloutEstimate) -> list[tuple[str, Estimate | str]]:
    """(title, estimate or why there is none): as it is and, where suggestions change it, with them."""
    rollout = estimate.rollout
    shown = [("As it is", rollout.before, estimate.before), ("With all safe fixes", rollout.after, estimate.after)]
    reasons = [(title, NO_NUMBER[facts] if isinstance(facts, str) else found) for title, facts, found in shown]
    return [(title, found) for title, found in reasons if found is not None]


def lost_label(simulation: Simulation) -> str:
    """The largest share that is lost at a time, for callers; empty where nothing is."""
    worst = max((share for _, _, share in simulation.lost_shares()), default=0.0)
    return "" if worst == 0 else "all fail" if worst > _ALL else f"up to {worst:.0%} fail"


def axis_step(end: float, most: int) -> int:
    """Seconds between the marks of an axis, so that there are at most so many."""
    return next(step for step in _STEPS if step * most >= end)


def assumptions(estimate: RolloutEstimate) -> list[str]:
    """What the numbers of a rollout rest on, in sentences."""
    shown = estimate.before or estimate.after
    if shown is None:
        return []
    assumed, facts = shown.typical.assumed, _facts(estimate)
    start = "assumed" if facts.start is None else "as its probes wait"
    sentences = [
        NOT_MEASURED,
        f"{assumed.rate:g} requests/s of {assumed.request:g} s, each on a new connection.",
        f"The app listens {assumed.start:g} s after its container has started ({start}).",
        f"A ready pod gets requests after {assumed.addition:g} s.",
        f"A deleted pod gets new ones for {assumed.removal:g} s more, at most for {facts.drain} s.",
        "On SIGTERM the app finishes its requests; at most, it exits at once.",
    ]
    simulated = sum(pod.is_new for pod in shown.typical.timeline.pods)
    if simulated < shown.replicas:
        sentences.append(f"{simulated} of {shown.replicas:,} replicas are simulated.")
    return sentences


def _facts(estimate: RolloutEstimate) -> RolloutFacts:
    """Those that something is known from; the assumptions are the same before and after."""
    return next(facts for facts in (estimate.rollout.before, estimate.rollout.after) if isinstance(facts, RolloutFacts))


def shutdown_faults(ledger: ShutdownLedger) -> list[str]:
    """Why the times of a shutdown do not add up, in sentences; none where they do."""
    drain = sum(step.seconds for step in ledger.steps if step.name == "preStop")
    needed = sum(step.seconds for step in ledger.steps)
    early, missing = ledger.traffic.seconds - drain, needed - ledger.grace.seconds
    faults = [f"Requests still come for up to {early} s after SIGTERM."] if early > 0 else []
    faults += [f"SIGKILL comes {missing} s before everything is done."] if missing > 0 else []
    return faults


def shutdown_rows(ledger: ShutdownLedger) -> Iterable[tuple[str, float, float, SetTime]]:
    """(what, from, to, where it is set) for each time of a shutdown, in seconds from the deletion of the pod."""
    yield f"Service {ledger.service.name} sends", 0, ledger.traffic.seconds, ledger.traffic
    start = 0
    for step in ledger.steps:
        yield step.name, start, start + step.seconds, step
        start += step.seconds
    yield ledger.grace.name, 0, ledger.grace.seconds, ledger.grace
