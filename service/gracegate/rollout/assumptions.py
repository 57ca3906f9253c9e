"""What a simulation assumes beside the manifests; every one of these is shown with its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OnSigterm = Literal["drain", "exit", "ignore"]
"""What the app does on SIGTERM: `drain` closes its port and finishes the requests that it has, `exit` ends at once,
`ignore` serves on until SIGKILL, as a program without a handler does that is process 1 of its container."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Times in seconds. By default the app is one of no special kind in a cluster with kube-proxy.

    A container runs `create` after its pod is created, listens `start` later, and answers 503 for `warm_up` more. A
    ready pod gets requests after `addition`; a deleted one gets the last new connection after `removal`, on three nodes
    alike where `removal_spread` is 0, else that much earlier and later on two of them. `falls_back` is that of
    model.Exposure. The kubelet notices a deletion after `kubelet`, and the ticker of its probes is ahead of the pod by
    `probe_phase`. There are `rate` requests a second to all pods together, each of `request` seconds, and each on a
    connection of its own or, where `kept_alive` is not 0, on one of so many that are opened again when they are closed.
    """

    create: float = 2
    start: float = 10
    warm_up: float = 0
    on_sigterm: OnSigterm = "drain"
    addition: float = 1
    removal: float = 2
    removal_spread: float = 0
    falls_back: bool = True
    kubelet: float = 0.1
    probe_phase: float = 0
    rate: float = 50
    request: float = 0.1
    kept_alive: int = 0

    @property
    def removals(self) -> tuple[float, ...]:
        """The removal of each node."""
        spread = self.removal_spread
        return (max(0.0, self.removal - spread), self.removal, self.removal + spread) if spread else (self.removal,)
