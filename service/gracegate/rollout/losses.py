"""Which requests are lost on a timeline: an exact integral, so the same facts always give the same number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from gracegate.model import RolloutFacts
from gracegate.rollout.assumptions import Assumptions
from gracegate.rollout.timeline import PodTimes, Timeline, endpoint_steps, rollout_timeline

LossKind = Literal["refused", "error", "reset", "no_endpoint"]
"""`refused` (or timed out) by a pod that does not listen, an `error` of one that is not warm yet, `reset` with the
process that was to answer, or `no_endpoint` to send it to."""

_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, slots=True)
class Loss:
    """From `start` to `end`, seconds from the start of the update, this share of all requests is lost at this pod.

    The pod is "" where there is none to send to.
    """

    kind: LossKind
    pod: str
    start: float
    end: float
    share: float

    @property
    def seconds(self) -> float:
        """How long a complete outage would be that loses as much."""
        return self.share * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Simulation:
    """One rolling update under one set of assumptions."""

    timeline: Timeline
    losses: tuple[Loss, ...]
    assumed: Assumptions

    @property
    def seconds(self) -> float:
        """The loss in seconds of a complete outage: it does not depend on how many requests there are."""
        return sum(loss.seconds for loss in self.losses)

    @property
    def requests(self) -> float:
        """How many requests are lost at the assumed rate."""
        return self.seconds * self.assumed.rate

    def lost_shares(self) -> list[tuple[float, float, float]]:
        """(from, to, share of all requests that is lost then), in order and only where it is not 0."""
        cuts = sorted({moment for loss in self.losses for moment in (loss.start, loss.end)})
        shares: list[tuple[float, float, float]] = []
        for start, end in pairwise(cuts):
            share = min(1.0, sum(loss.share for loss in self.losses if loss.start <= (start + end) / 2 < loss.end))
            if share <= _NEGLIGIBLE:
                continue
            if shares and shares[-1][1] == start and abs(shares[-1][2] - share) < _NEGLIGIBLE:
                shares.append((shares.pop()[0], end, share))
            else:
                shares.append((start, end, share))
        return shares


def simulate(facts: RolloutFacts, assumed: Assumptions) -> Simulation:
    """What one rolling update loses."""
    timeline = rollout_timeline(facts, assumed)
    losses_of = _losses_of_kept_connections if assumed.kept_alive else _losses_of_new_connections
    nodes = len(assumed.removals)
    return Simulation(
        timeline, tuple(loss for node in range(nodes) for loss in losses_of(timeline, assumed, node)), assumed
    )


def _losses_of_new_connections(timeline: Timeline, assumed: Assumptions, node: int) -> Iterator[Loss]:
    share_of_node = 1 / len(assumed.removals)
    for start, end, pods in endpoint_steps(timeline, assumed, assumed.removals[node]):
        if not pods:
            yield Loss("no_endpoint", "", start, end, share_of_node)
        for pod in pods:
            moments = (pod.listens, pod.serves, pod.stopped, pod.cut - assumed.request)
            cuts = [start, *sorted({t for t in moments if start < t < end}), end]
            for earlier, later in pairwise(cuts):
                kind = _loss_at(pod, (earlier + later) / 2, assumed)
                if kind is not None:
                    yield Loss(kind, pod.name, earlier, later, share_of_node / len(pods))


def _loss_at(pod: PodTimes, now: float, assumed: Assumptions) -> LossKind | None:
    """What becomes of a request on a new connection; None if it is answered."""
    if now < pod.listens or now >= pod.stopped:
        return "refused"
    if now < pod.serves:
        return "error"
    return "reset" if now + assumed.request > pod.cut else None


def _losses_of_kept_connections(timeline: Timeline, assumed: Assumptions, node: int) -> Iterator[Loss]:
    """Each connection is used at even intervals. Where it leads is a distribution over the pods: an endpoint list does
    not move an open connection, only one that is closed is opened again at its next request."""
    steps = endpoint_steps(timeline, assumed, assumed.removals[node])
    for number in range(node, assumed.kept_alive, len(assumed.removals)):
        yield from _losses_of_connection(number, timeline, steps, assumed)


def _losses_of_connection(
    number: int, timeline: Timeline, steps: Sequence[tuple[float, float, Sequence[PodTimes]]], assumed: Assumptions
) -> Iterator[Loss]:
    old = [pod for pod in timeline.pods if not pod.is_new]
    chances = {pod: 1 / len(old) for pod in old}
    remaining = iter(steps)
    _, until, listed = next(remaining)
    now = number / assumed.rate
    while now < timeline.end:
        while until <= now:
            _, until, listed = next(remaining)
        chances = {pod: chance for pod, chance in chances.items() if now < pod.stopped}
        closed = 1 - sum(chances.values())
        if not listed and closed > _NEGLIGIBLE:
            yield _at(now, "no_endpoint", "", closed, assumed)
        for pod in listed if closed > _NEGLIGIBLE else ():
            if pod.listens <= now < pod.stopped:
                chances[pod] = chances.get(pod, 0) + closed / len(listed)
            else:
                yield _at(now, "refused", pod.name, closed / len(listed), assumed)
        for pod, chance in [*chances.items()]:
            kind = _loss_at(pod, now, assumed)
            if kind is not None:
                yield _at(now, kind, pod.name, chance, assumed)
            if kind == "reset":
                del chances[pod]
        now += assumed.kept_alive / assumed.rate


def _at(now: float, kind: LossKind, pod: str, chance: float, assumed: Assumptions) -> Loss:
    return Loss(kind, pod, now, now + 1 / assumed.rate, chance)
