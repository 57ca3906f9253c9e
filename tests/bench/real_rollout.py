"""`make rollout`: rolling updates of real servers on this machine, against what the simulation says of them.

Each pod is a process that listens on loopback. A controller and a kubelet of this folder's own replace the pods, ten
times faster than in a cluster; a client sends real requests, and counts those that are refused, reset or answered by an
error. Without options the two faults that gracegate began with, and their cures, are shown in half a minute;
`--all` runs every scenario of tests/rollout/scenarios.py with three seeds, and prints a table. It ends with 1 where
reality contradicts the simulation. A run in which this machine was too busy is repeated, and then not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice

from gracegate.outputs.rollout_phrasing import rounded, seconds
from gracegate.rollout import Simulation, simulate
from tests.bench.real_cluster import Cluster, Pod
from tests.bench.real_load import Callers, Losses
from tests.bench.real_servers import PORT, ServerFork
from tests.bench.table import log_progress, print_table
from tests.rollout.scenarios import SCENARIOS, Scenario

SCALE = 0.1
"""Seconds here for one of a cluster. At 0.02 the client itself is too slow for its requests."""
SEEDS = 3
ATTEMPTS = 3
BEGINNING = SCENARIOS[:4]
"""The two faults that gracegate began with, each with its cure."""

_MEAN_DEVIATION, _RUN_DEVIATION = 0.15, 0.20
_COUNTED_LOSS = 60
"""Of fewer lost requests chance decides too much."""
_MAX_LAG, _MAX_LATENESS = 0.015, 0.025
"""Seconds. What is later to one of a hundred timers of the callers, or once to one of the cluster or as a server that
stops, measures this machine."""
_LONGEST_SECONDS = 60.0
_COLUMNS = 60
_LEVELS = " ▁▂▃▄▅▆▇█"
_NETWORKS = cycle(range(30, 250))
"""The second numbers of addresses: no two runs one after the other have an address in common, so that what is left of a
connection disturbs no later one."""


@dataclass(frozen=True)
class RealRun:
    """What callers lost, and the largest difference of a moment of a pod, in seconds of the cluster."""

    losses: Losses
    lateness: float
    moment_difference: float
    has_ended: bool

    @property
    def is_disturbed(self) -> bool:
        """Whether this machine was too busy for the run to be a measurement."""
        return self.losses.lag > _MAX_LAG or self.lateness > _MAX_LATENESS

    @property
    def lost(self) -> int:
        return len(self.losses.lost)


@dataclass(frozen=True)
class Comparison:
    """A scenario: the simulation, and the undisturbed ones of its real runs."""

    scenario: Scenario
    simulation: Simulation
    runs: tuple[RealRun, ...]

    @property
    def model(self) -> float:
        return self.simulation.requests

    @property
    def mean_deviation(self) -> float:
        return sum(run.lost for run in self.runs) / len(self.runs) / self.model - 1

    @property
    def worst_deviation(self) -> float:
        return max((run.lost / self.model - 1 for run in self.runs), key=abs)

    def mistakes(self) -> Iterator[str]:
        """What contradicts the simulation."""
        if not all(run.has_ended for run in self.runs):
            yield "a rollout did not end"
        if not self.runs:
            return
        if self.scenario.is_cured:
            kept = self.scenario.assumed.kept_alive > 0
            # A server that closes a connection and a client that uses it may do so in the same moment.
            allowed = self.scenario.facts.replicas if kept else 0
            if any(run.lost > allowed for run in self.runs):
                yield f"the cure lost more than {allowed}"
        elif self.model >= _COUNTED_LOSS:
            if abs(self.mean_deviation) > _MEAN_DEVIATION:
                yield f"the mean is {self.mean_deviation:+.0%} off"
            if abs(self.worst_deviation) > _RUN_DEVIATION:
                yield f"a run is {self.worst_deviation:+.0%} off"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="every scenario, and a table")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs of each scenario with --all (default: 3)")
    parser.add_argument("--quick", action="store_true", help="one fault and its cure, to see that it works")
    options = parser.parse_args()
    fork = ServerFork()
    try:
        if options.all:
            comparisons = compare(SCENARIOS, options.seeds, fork)
        else:
            comparisons = show(BEGINNING[:2] if options.quick else BEGINNING, fork)
    finally:
        fork.close()
    mistakes = [(one.scenario.name, mistake) for one in comparisons for mistake in one.mistakes()]
    # One run of each says whether it works, and three say how well.
    shown = mistakes if options.all else [one for one in mistakes if "off" not in one[1]]
    for name, mistake in shown:
        log_progress(f"{name}: {mistake}")
    return 1 if shown else 0


def show(scenarios: Sequence[Scenario], fork: ServerFork) -> list[Comparison]:
    """Each scenario once, drawn for a person."""
    print(f"Rolling updates of real servers on this machine, {1 / SCALE:.0f} times faster than in a cluster.")
    print("The bars are the share of requests that callers lose, from the start of a rollout to its end.")
    comparisons = []
    for number, scenario in enumerate(scenarios):
        simulation = simulate(scenario.facts, scenario.assumed)
        print(f"\n{number + 1}. {scenario.name}", flush=True)
        print(f"   model  {_bar(_model_shares(simulation))}  {_lost(simulation.requests, simulation)}", flush=True)
        run = measured_run(scenario, simulation, 0, fork)
        if run is None:
            print("   real   not measured: this machine is too busy")
        else:
            kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in run.losses.counts().items())
            print(f"   real   {_bar(_real_shares(run, simulation))}  {_lost(run.lost, simulation)}", flush=True)
            print(f"          {run.losses.sent:,} requests sent{f': {kinds}' if kinds else ', all answered'}")
        comparisons.append(Comparison(scenario, simulation, () if run is None else (run,)))
    return comparisons


def compare(scenarios: Sequence[Scenario], seeds: int, fork: ServerFork) -> list[Comparison]:
    """Each scenario with each seed, and the table of all."""
    began = time.monotonic()
    comparisons = []
    for number, scenario in enumerate(scenarios):
        simulation = simulate(scenario.facts, scenario.assumed)
        found = (measured_run(scenario, simulation, seed, fork) for seed in range(seeds))
        comparisons.append(Comparison(scenario, simulation, tuple(run for run in found if run is not None)))
        log_progress(f"{number + 1} of {len(scenarios)}: {scenario.name}")
    print_table([_row(one, seeds) for one in comparisons])
    print(f"\n{seeds * len(scenarios)} runs in {time.monotonic() - began:.0f} s, at {1 / SCALE:.0f} times real time")
    return comparisons


def measured_run(scenario: Scenario, simulation: Simulation, seed: int, fork: ServerFork) -> RealRun | None:
    """An undisturbed run of the scenario; None if each of them was disturbed."""
    for _ in range(ATTEMPTS):
        with _claimed_network() as network:
            run = asyncio.run(_run(scenario, simulation, network, seed, fork))
        if not run.is_disturbed:
            return run
        lag, lateness = (f"{one * 1000:.0f} ms" for one in (run.losses.lag, run.lateness))
        log_progress(f"{scenario.name}: disturbed, callers were {lag} and pods {lateness} late")
    return None


@contextmanager
def _claimed_network() -> Iterator[int]:
    """A network that no other program of this kind uses."""
    for network in islice(_NETWORKS, 220):
        with socket.socket() as claim:
            try:
                claim.bind((f"127.{network}.255.254", PORT))
            except OSError:
                continue
            yield network
            return
    raise RuntimeError("all networks are in use")


async def _run(scenario: Scenario, simulation: Simulation, network: int, seed: int, fork: ServerFork) -> RealRun:
    assumed = scenario.assumed
    cluster = Cluster(scenario.facts, assumed, SCALE, network, fork, seed)
    try:
        await cluster.run_old_pods()
        callers = Callers(cluster)
        await cluster.pause(1)
        cluster.begin_update()
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await cluster.has_ended.wait()
            has_ended = True
        except TimeoutError:
            has_ended = False
        # Losses end when the new pods serve and every node knows it.
        serves_at = max(pod.serves_at for pod in cluster.new)
        await asyncio.sleep(max(0.0, serves_at - time.monotonic()))
        await cluster.pause(max(assumed.addition, *assumed.removals) + 0.5)
        losses = await callers.stop()
    finally:
        await cluster.end()
    difference = _moment_difference([*cluster.old, *cluster.new], simulation)
    return RealRun(losses, cluster.lateness, difference, has_ended)


def _moment_difference(pods: Sequence[Pod], simulation: Simulation) -> float:
    """The largest one between the real pods and the simulated ones."""
    simulated = {pod.name: pod for pod in simulation.timeline.pods}
    differences = (
        abs(moment - getattr(simulated[pod.name], name)) for pod in pods for name, moment in pod.moments.items()
    )
    return max(differences, default=0.0)


def _row(one: Comparison, seeds: int) -> dict[str, object]:
    real = [str(run.lost) for run in one.runs] + ["not measured"] * (seeds - len(one.runs))
    has_deviation = bool(one.runs) and not one.scenario.is_cured
    return {
        "scenario": one.scenario.name,
        "model": f"{one.model:.1f}",
        "as outage": seconds(one.simulation.seconds),
        "real": " ".join(real),
        "mean": f"{one.mean_deviation:+.1%}" if has_deviation else "",
        "worst": f"{one.worst_deviation:+.1%}" if has_deviation else "",
        "moments": f"{max(run.moment_difference for run in one.runs):.2f} s" if one.runs else "",
        "verdict": "; ".join(one.mistakes()) or ("agrees" if one.runs else "not measured"),
    }


def _lost(number: float, simulation: Simulation) -> str:
    outage = seconds(number / simulation.assumed.rate)
    return f"{rounded(number)} requests lost, like {outage} of outage" if round(number) else "no request lost"


def _model_shares(simulation: Simulation) -> list[float]:
    width = simulation.timeline.end / _COLUMNS
    shares = [0.0] * _COLUMNS
    for start, end, share in simulation.lost_shares():
        for column in range(_COLUMNS):
            covered = min(end, (column + 1) * width) - max(start, column * width)
            shares[column] += share * max(0.0, covered) / width
    return shares


def _real_shares(run: RealRun, simulation: Simulation) -> list[float]:
    width = simulation.timeline.end / _COLUMNS
    shares = [0.0] * _COLUMNS
    for moment, _ in run.losses.lost:
        shares[min(_COLUMNS - 1, int(moment / width))] += 1 / (simulation.assumed.rate * width)
    return shares


def _bar(shares: Sequence[float]) -> str:
    return "".join(_LEVELS[min(8, max(share > 0, round(share * 8)))] for share in shares)


if __name__ == "__main__":
    sys.exit(main())
