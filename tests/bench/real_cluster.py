"""The Deployment controller, the kubelet and the endpoint lists of a real rollout, written apart from the simulation.

All times of facts and assumptions are seconds of a cluster; a second of it lasts `scale` seconds here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from gracegate.model import ProbeTimes, RolloutFacts
from gracegate.rollout import Assumptions
from tests.bench.real_servers import PORT, Server, ServerFork

_PROBE_SECONDS = 0.2
"""Of this machine. A probe answers within some milliseconds, however fast the cluster's time runs."""
_LEAST_UNTIL_SIGKILL = 2


@dataclass(eq=False)
class Pod:
    """A process. `moments` are what happened to it, in seconds of the cluster from the start of the update."""

    name: str
    address: str
    moments: dict[str, float]
    seen_at: float = 0
    serves_at: float = 0
    stops_at: float = 0
    pid: int = 0
    is_ready: bool = False
    is_available: bool = False
    is_deleted: bool = False
    is_gone: bool = False


class Cluster:
    """Three things that do not wait for each other: what the controller wants, what the kubelets do, and what the
    nodes know of it. Addresses are those of 127.`network`.0.0/16.

    `lateness` is what a timer or a server was late at most, in seconds of this machine.
    """

    def __init__(
        self, facts: RolloutFacts, assumed: Assumptions, scale: float, network: int, fork: ServerFork, seed: int
    ) -> None:
        self.facts, self.assumed, self.scale = facts, assumed, scale
        self.old: list[Pod] = []
        self.new: list[Pod] = []
        self.has_ended = asyncio.Event()
        self.lateness = 0.0
        self._network, self._fork = network, fork
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._numbers = itertools.count(1)
        # For each node, by address: whether the pod is ready, and whether it is terminating.
        self._endpoints: list[dict[str, tuple[bool, bool]]] = [{} for _ in assumed.removals]
        self._tasks: set[asyncio.Task[None]] = set()
        self._start: float | None = None

    @property
    def now(self) -> float:
        """Seconds of the cluster since the update began."""
        return 0.0 if self._start is None else (time.monotonic() - self._start) / self.scale

    async def pause(self, seconds: float) -> None:
        """Wait for so many seconds of the cluster."""
        due = time.monotonic() + max(0.0, seconds) * self.scale
        await asyncio.sleep(max(0.0, seconds) * self.scale)
        self._expect_at(due)

    def _expect_at(self, due: float) -> None:
        """Note that what happens now was due then."""
        self.lateness = max(self.lateness, time.monotonic() - due)

    async def run_old_pods(self) -> None:
        """All of them, ready and known to every node."""
        for number in range(1, self.facts.replicas + 1):
            pod = self._pod(f"old {number}", self.old)
            self._start_server(pod, 0, 0)
        for pod in self.old:
            while not await self._probe(pod, connects=False):
                await asyncio.sleep(0.005)
            pod.is_ready = pod.is_available = True
            for endpoints in self._endpoints:
                endpoints[pod.address] = (True, False)

    def begin_update(self) -> None:
        """A new version was applied."""
        self._start = time.monotonic()
        self._sync()

    def choose(self, node: int) -> str | None:
        """The address of the pod that a new connection goes to, at random as kube-proxy does it."""
        endpoints = self._endpoints[node]
        listed = [address for address, (is_ready, _) in endpoints.items() if is_ready]
        if not listed and self.assumed.falls_back:
            listed = [address for address, (_, is_terminating) in endpoints.items() if is_terminating]
        return self._random.choice(listed) if listed else None

    async def end(self) -> None:
        """No process of it is left, whatever happened."""
        for task in [*self._tasks]:
            task.cancel()
        for pod in (*self.old, *self.new):
            if pod.pid and not pod.is_gone:
                os.kill(pod.pid, signal.SIGKILL)
        while any(pod.pid and not pod.is_gone for pod in (*self.old, *self.new)):
            await asyncio.sleep(0.005)

    # The controller.

    def _sync(self) -> None:
        """Whatever has changed, until nothing more has to."""
        while self._start is not None and (self._replace_all() if self.facts.recreates else self._roll()):
            pass
        available = sum(pod.is_available for pod in self.new)
        if self._start is not None and all(pod.is_gone for pod in self.old) and available >= self.facts.replicas:
            self.has_ended.set()

    def _replace_all(self) -> bool:
        running = [pod for pod in self.old if not pod.is_deleted]
        for pod in running:
            self._delete(pod)
        if running or self.new or not all(pod.is_gone for pod in self.old):
            return bool(running)
        for _ in range(self.facts.replicas):
            self._create()
        return True

    def _roll(self) -> bool:
        facts = self.facts
        old = [pod for pod in self.old if not pod.is_deleted]
        all_pods = [*old, *self.new]
        added = min(facts.replicas + facts.surge - len(all_pods), facts.replicas - len(self.new))
        for _ in range(added):
            self._create()
        if added > 0:
            return True
        least = facts.replicas - facts.unavailable
        unavailable = sum(not pod.is_available for pod in self.new)
        if not old or len(all_pods) - least - unavailable <= 0:
            return False
        removed = sum(pod.is_available for pod in all_pods) - least
        for pod in old[::-1][: max(0, removed)]:
            self._delete(pod)
        return removed > 0

    def _create(self) -> None:
        pod = self._pod(f"new {len(self.new) + 1}", self.new)
        pod.moments["created"] = self.now
        self._do(self._run_pod(pod))

    def _delete(self, pod: Pod) -> None:
        pod.is_deleted = True
        pod.moments["deleted"] = self.now
        self._publish(pod, lambda removal: removal)
        self._do(self._terminate(pod))

    # The kubelet.

    async def _run_pod(self, pod: Pod) -> None:
        await self.pause(self.assumed.create)
        self._start_server(pod, self.assumed.start, self.assumed.warm_up)
        running_at = time.monotonic()
        for probe in (self.facts.startup, self.facts.readiness):
            if probe is not None:
                await self._probe_until_success(pod, probe, running_at)
        pod.is_ready = True
        pod.moments["ready"] = self.now
        self._publish(pod, lambda _: self.assumed.addition)
        await self.pause(self.facts.min_ready)
        pod.is_available = True
        self._sync()

    async def _probe_until_success(self, pod: Pod, probe: ProbeTimes, running_at: float) -> None:
        """At once, and then at each period since the kubelet saw the pod: not since its container runs."""
        successes = 0
        while True:
            if (time.monotonic() - running_at) / self.scale >= probe.initial_delay - 0.001:
                successes = successes + 1 if await self._probe(pod, connects=probe.connects) else 0
                if successes >= probe.success_threshold:
                    return
            since = (time.monotonic() - pod.seen_at) / self.scale + self.assumed.probe_phase
            await self.pause((since // probe.period + 1) * probe.period - since)

    async def _probe(self, pod: Pod, *, connects: bool) -> bool:
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                reader, writer = await asyncio.open_connection(pod.address, PORT)
                with contextlib.closing(writer):
                    if connects:
                        return True
                    writer.write(b"GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n")
                    return b" 200 " in await reader.readline()
        except OSError:
            return False

    async def _terminate(self, pod: Pod) -> None:
        hook = min(self.facts.prestop, self.facts.grace)
        await self.pause(self.assumed.kubelet + hook)
        pod.moments["terminated"] = self.now
        self._send(pod, signal.SIGTERM)
        if self.assumed.on_sigterm != "ignore":
            # Not later: it has requests for as long, at most.
            pod.stops_at = time.monotonic() + self.assumed.request * self.scale
        await self.pause(max(self.facts.grace - hook, _LEAST_UNTIL_SIGKILL))
        self._send(pod, signal.SIGKILL)

    def _start_server(self, pod: Pod, start: float, warm_up: float) -> None:
        scale, assumed = self.scale, self.assumed
        times = (start * scale, warm_up * scale, assumed.request * scale)
        pod.pid = self._fork.start(Server(pod.address, *times, assumed.on_sigterm))
        pod.serves_at = time.monotonic() + (start + warm_up) * scale
        ended = os.pidfd_open(pod.pid)
        loop = asyncio.get_running_loop()

        def forget() -> None:
            loop.remove_reader(ended)
            os.close(ended)
            pod.is_gone, pod.is_ready, pod.is_available = True, False, False
            if pod.stops_at:
                self._expect_at(pod.stops_at)
            self._publish(pod, lambda removal: removal)
            self._sync()

        loop.add_reader(ended, forget)

    def _send(self, pod: Pod, number: signal.Signals) -> None:
        if not pod.is_gone:
            os.kill(pod.pid, number)

    # What the nodes know.

    def _publish(self, pod: Pod, delay: Callable[[float], float]) -> None:
        """Tell every node of the pod as it is now; `delay` is that of a node with such a removal."""
        state = None if pod.is_gone else (pod.is_ready and not pod.is_deleted, pod.is_deleted)
        loop = asyncio.get_running_loop()
        for endpoints, removal in zip(self._endpoints, self.assumed.removals, strict=True):
            loop.call_later(delay(removal) * self.scale, _learn, endpoints, pod.address, state)

    def _pod(self, name: str, pods: list[Pod]) -> Pod:
        pod = Pod(name, f"127.{self._network}.0.{next(self._numbers)}", {}, seen_at=time.monotonic())
        pods.append(pod)
        return pod

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _learn(endpoints: dict[str, tuple[bool, bool]], address: str, state: tuple[bool, bool] | None) -> None:
    if state is None:
        endpoints.pop(address, None)
    else:
        endpoints[address] = state
