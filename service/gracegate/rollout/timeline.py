"""The rolling update as events: what the Deployment controller and the kubelets do, and when. No request is part of it.

The arithmetic is that of rolling.go and recreate.go in
https://github.com/kubernetes/kubernetes/tree/master/pkg/controller/deployment, and of the folders `prober` and
`kuberuntime` (killContainer) in https://github.com/kubernetes/kubernetes/tree/master/pkg/kubelet.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gracegate.model import ProbeTimes, RolloutFacts
from gracegate.rollout.assumptions import Assumptions

NEVER = math.inf

_LEAST_UNTIL_SIGKILL = 2
"""Seconds that a container has after SIGTERM even where its preStop hook has used up the grace period."""
_TIE = 0.01
"""A probe that is tried in the very moment in which the app begins to answer fails."""


@dataclass(frozen=True, slots=True)
class PodTimes:
    """The moments of a pod, in seconds from the start of the update: NEVER, or -NEVER for what was long before.

    Endpoint lists are told of it when it is `routable`, which `ready` pods are, and no longer when it is `withdrawn`.
    After it is `deleted` it gets SIGTERM (`terminated`), and SIGKILL (`killed`) if it still runs. From `stopped` on it
    accepts no connection, requests that are not answered at `cut` are lost, and at `gone` nothing is left of it.
    """

    name: str
    is_new: bool
    created: float = -NEVER
    listens: float = -NEVER
    serves: float = -NEVER
    routable: float = -NEVER
    ready: float = -NEVER
    available: float = -NEVER
    deleted: float = NEVER
    withdrawn: float = NEVER
    terminated: float = NEVER
    killed: float = NEVER
    stopped: float = NEVER
    cut: float = NEVER
    gone: float = NEVER


@dataclass(frozen=True, slots=True)
class Timeline:
    """The pods, old ones first, from 0 to `end`, when the last thing has changed that a client can notice."""

    pods: tuple[PodTimes, ...]
    end: float


def rollout_timeline(facts: RolloutFacts, assumed: Assumptions) -> Timeline:
    """What happens to each pod after a new version was applied at 0."""
    update = _Update(facts, assumed)
    update.run()
    pods = (*update.old, *update.new)
    last = max([pod.gone for pod in update.old] + [max(pod.available, pod.serves) for pod in update.new])
    return Timeline(pods, last + max(assumed.addition, *assumed.removals))


@dataclass
class _Update:
    """The Deployment controller: it compares what is there with what should be there whenever a pod has changed."""

    facts: RolloutFacts
    assumed: Assumptions
    old: list[PodTimes] = field(default_factory=list)
    new: list[PodTimes] = field(default_factory=list)
    _moments: list[float] = field(default_factory=lambda: [0.0])

    def run(self) -> None:
        self.old = [PodTimes(f"old {number}", is_new=False) for number in range(1, self.facts.replicas + 1)]
        sync = self._recreate if self.facts.recreates else self._roll
        while self._moments:
            now = heapq.heappop(self._moments)
            while sync(now):
                pass

    def _recreate(self, now: float) -> bool:
        """Whether this has changed anything. New pods come when nothing is left of the old ones."""
        left = [pod for pod in self.old if pod.deleted == NEVER]
        self._delete(left, now)
        is_free = not self.new and all(pod.gone <= now for pod in self.old)
        self._create(self.facts.replicas if is_free else 0, now)
        return bool(left) or is_free

    def _roll(self, now: float) -> bool:
        """Whether this has changed anything. A sync that adds pods stops none; terminating pods do not count."""
        facts = self.facts
        old = [pod for pod in self.old if pod.deleted == NEVER]
        pods = len(old) + len(self.new)
        added = min(facts.replicas + facts.surge - pods, facts.replicas - len(self.new))
        if added > 0:
            self._create(added, now)
            return True
        least = facts.replicas - facts.unavailable
        unavailable = sum(pod.available > now for pod in self.new)
        removed = min(len(old), pods - unavailable - least)
        if removed > 0:
            self._delete(old[-removed:], now)
        return removed > 0

    def _create(self, number: int, now: float) -> None:
        for _ in range(number):
            pod = _created(f"new {len(self.new) + 1}", now, self.facts, self.assumed)
            self.new.append(pod)
            heapq.heappush(self._moments, pod.available)

    def _delete(self, pods: Iterable[PodTimes], now: float) -> None:
        for pod in pods:
            deleted = _deleted(pod, now, self.facts, self.assumed)
            self.old[self.old.index(pod)] = deleted
            heapq.heappush(self._moments, deleted.gone)


def _created(name: str, now: float, facts: RolloutFacts, assumed: Assumptions) -> PodTimes:
    running = now + assumed.create
    listens = running + assumed.start
    serves = listens + assumed.warm_up
    ready = running
    for probe in (facts.startup, facts.readiness):
        if probe is not None:
            clock = now - assumed.probe_phase % probe.period
            ready = _first_success(probe, clock, running, ready, listens if probe.connects else serves)
    routable = running if facts.publishes_unready else ready
    # A gate is set when the load balancer has begun to send.
    ready += assumed.addition if facts.gated else 0
    return PodTimes(
        name,
        is_new=True,
        created=now,
        listens=listens,
        serves=serves,
        routable=routable,
        ready=ready,
        available=ready + facts.min_ready,
    )


def _first_success(probe: ProbeTimes, clock: float, running: float, first: float, works: float) -> float:
    """When a probe has succeeded often enough. It is tried at `first`, and at each period of the kubelet's `clock`."""
    delayed, works = running + probe.initial_delay, works + _TIE
    later = math.floor((first - clock) / probe.period) + 1
    if first >= delayed and first > works:
        if probe.success_threshold == 1:
            return first
        return clock + (later + probe.success_threshold - 2) * probe.period
    due = math.ceil((delayed - clock) / probe.period)
    answered = math.floor((works - clock) / probe.period) + 1
    return clock + (max(later, due, answered) + probe.success_threshold - 1) * probe.period


def _deleted(pod: PodTimes, now: float, facts: RolloutFacts, assumed: Assumptions) -> PodTimes:
    noticed = now + assumed.kubelet
    terminated = noticed + min(facts.prestop, facts.grace)
    killed = max(noticed + facts.grace, terminated + _LEAST_UNTIL_SIGKILL)
    stopped = killed if assumed.on_sigterm == "ignore" else terminated
    cut = terminated if assumed.on_sigterm == "exit" else killed
    gone = min(killed, terminated + assumed.request) if assumed.on_sigterm == "drain" else cut
    return replace(
        pod,
        deleted=now,
        withdrawn=gone if facts.publishes_unready else now,
        terminated=terminated,
        killed=killed,
        stopped=stopped,
        cut=cut,
        gone=gone,
    )


def endpoint_steps(
    timeline: Timeline, assumed: Assumptions, removal: float
) -> list[tuple[float, float, Sequence[PodTimes]]]:
    """The pods that a node sends new connections to, as (from, to, pods): ready ones, or else terminating ones."""
    pods, addition = timeline.pods, assumed.addition
    moments = {t for p in pods for t in (p.routable + addition, p.withdrawn + removal, p.gone + removal)}
    cuts = [0.0, *sorted(t for t in moments if 0 < t < timeline.end), timeline.end]
    steps: list[tuple[float, float, Sequence[PodTimes]]] = []
    for start, end in pairwise(cuts):
        middle = (start + end) / 2
        listed = [p for p in pods if p.routable + addition <= middle < p.withdrawn + removal]
        if not listed and assumed.falls_back:
            listed = [p for p in pods if p.withdrawn + removal <= middle < p.gone + removal]
        steps.append((start, end, listed))
    return steps
