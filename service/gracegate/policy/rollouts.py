"""One rollout of OPA's report -> its facts; strict, as is what reads violations. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, get_args

from gracegate.model import EXPOSURES, NoSimulation, Pointer, ProbeTimes, RolloutFacts
from gracegate.policy.violations import Malformed, check_members, is_index, read_pointer

_FLAGS = frozenset({"recreates", "publishes_unready", "gated"})
_PROBES = frozenset({"readiness", "startup"})
_NAMES = frozenset({"container", "exposure"})


class SetNumber(NamedTuple):
    """A number of seconds, and where the document sets it: the container where it is assumed."""

    name: str
    seconds: int
    pointer: Pointer


class Sender(NamedTuple):
    """The document of a Service, and for how many seconds it sends to a pod that is going away."""

    document: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How a container stops: the Services that send to it, its `steps` one after the other, and the grace period."""

    senders: tuple[Sender, ...]
    steps: tuple[SetNumber, ...]
    grace: SetNumber


@dataclass(frozen=True, slots=True)
class FoundRollout:
    """What the policies' libraries know of the rollout of a document of the batch; without facts no `shutdown`."""

    document: int
    facts: RolloutFacts | NoSimulation
    shutdown: Shutdown | None = None


def read_rollout(raw: Any, subjects: Set[int], documents: int) -> FoundRollout:
    """The rollout `raw` of one of the `subjects` of a batch of that many `documents`. Raises Malformed."""
    check_members(raw, required={"document"}, optional={"facts", "shutdown", "unknown"})
    if not is_index(raw["document"], documents) or raw["document"] not in subjects:
        raise Malformed(f"the document {raw['document']!r} is not a subject")
    if "unknown" in raw:
        check_members(raw, required={"document", "unknown"})
        if raw["unknown"] not in get_args(NoSimulation):
            raise Malformed(f"{raw['unknown']!r} is no reason")
        return FoundRollout(raw["document"], raw["unknown"])
    check_members(raw, required={"document", "facts", "shutdown"})
    return FoundRollout(raw["document"], _facts(raw["facts"]), _shutdown(raw["shutdown"], documents))


def _facts(raw: Any) -> RolloutFacts:
    names = {field.name for field in fields(RolloutFacts)}
    check_members(raw, required=names)
    _check_flags(raw, _FLAGS)
    numbers = names - _FLAGS - _PROBES - _NAMES - {"start"}
    _check_numbers(raw, numbers if raw["start"] is None else {*numbers, "start"})
    if not isinstance(raw["container"], str) or raw["exposure"] not in [*EXPOSURES]:
        raise Malformed(f"{raw['container']!r} or {raw['exposure']!r} is no name")
    return RolloutFacts(**{**raw, **{name: _probe(raw[name]) for name in _PROBES}})


def _probe(raw: Any) -> ProbeTimes | None:
    if raw is None:
        return None
    check_members(raw, required={field.name for field in fields(ProbeTimes)})
    _check_flags(raw, {"connects"})
    _check_numbers(raw, raw.keys() - {"connects"})
    return ProbeTimes(**raw)


def _shutdown(raw: Any, documents: int) -> Shutdown:
    check_members(raw, required={"services", "steps", "grace"})
    if not isinstance(raw["services"], list) or not isinstance(raw["steps"], list):
        raise Malformed("the services and the steps of a shutdown are not lists")
    for sender in raw["services"]:
        check_members(sender, required={"document", "seconds"})
        _check_numbers(sender, {"seconds"})
        if not is_index(sender["document"], documents):
            raise Malformed(f"the document {sender['document']!r} of a Service is not in the batch")
    senders = tuple(Sender(sender["document"], sender["seconds"]) for sender in raw["services"])
    return Shutdown(senders, tuple(map(_set_number, raw["steps"])), _set_number(raw["grace"]))


def _set_number(raw: Any) -> SetNumber:
    check_members(raw, required={"name", "seconds", "path"})
    _check_numbers(raw, {"seconds"})
    return SetNumber(str(raw["name"]), raw["seconds"], read_pointer(raw["path"]))


def _check_flags(raw: Mapping[str, Any], names: Collection[str]) -> None:
    if not all(isinstance(raw[name], bool) for name in names):
        raise Malformed(f"one of {sorted(names)} is not a boolean")


def _check_numbers(raw: Mapping[str, Any], names: Collection[str]) -> None:
    if wrong := sorted(name for name in names if not is_index(raw[name])):
        raise Malformed(f"{wrong} are not whole numbers from 0")
