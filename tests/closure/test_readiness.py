"""With a safe fix the pod becomes ready, by the facts at hand: a probe that it changes or adds asks what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from gracegate.manifests import read_manifest
from gracegate.model import SourceFile
from tests.closure.corpora import Files, corpora
from tests.closure.test_closure import applied, fixes_of

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
Place = tuple[str, int, str]
Port = int | str


def containers(files: Files) -> dict[Place, Mapping[str, Any]]:
    """By file, number of the document, and name."""
    return {
        (path, document.number, str(container.get("name"))): container
        for path, text in files.items()
        for document in read_manifest(SourceFile(path, text.encode()), "").documents
        for container in _containers(document.object)
    }


def _containers(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in {"containers", "initContainers"} and isinstance(item, list):
                yield from (one for one in item if isinstance(one, Mapping))
            yield from _containers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _containers(item)


def service_ports(files: Files) -> set[Port]:
    """The numbers that Services which choose a backend themselves send to."""
    specs = [
        document.object.get("spec")
        for path, text in files.items()
        for document in read_manifest(SourceFile(path, text.encode()), "").documents
        if document.ref.kind == "Service"
    ]
    return {
        port.get("targetPort", port.get("port"))
        for spec in specs
        if isinstance(spec, Mapping) and spec.get("clusterIP") != "None"
        for port in _mappings(spec.get("ports"))
    }


def declared_ports(container: Mapping[str, Any]) -> set[Port]:
    """Names and numbers of what the container declares for TCP."""
    ports = [p for p in _mappings(container.get("ports")) if p.get("protocol") in {None, "TCP"}]
    return {p[key] for p in ports for key in ("name", "containerPort") if key in p}


def handler(container: Mapping[str, Any], probe: str) -> Mapping[str, Any]:
    """What the probe asks, without its numbers."""
    settings = container.get(probe)
    return (
        {key: settings[key] for key in ("exec", "grpc", "httpGet", "tcpSocket") if key in settings}
        if isinstance(settings, Mapping)
        else {}
    )


def port_of(asked: Mapping[str, Any]) -> Port | None:
    return next((one.get("port") for one in asked.values() if isinstance(one, Mapping)), None)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def unproven(before: Mapping[str, Any], after: Mapping[str, Any], sent: set[Port]) -> Iterator[tuple[str, object]]:
    """The probes of a container that a fix made ask what nothing shows to be there."""
    for probe in PROBES:
        asked = handler(after, probe)
        if not asked or asked == handler(before, probe):
            continue
        port = port_of(asked)
        # What readiness asks already decides whether the pod becomes ready, with the fix as without it.
        known = declared_ports(after) | {port_of(handler(before, "readinessProbe"))}
        if not _mappings(before.get("ports")):
            # Nobody has to declare a port. One that the kubelet or a Service uses today is the only fact there is.
            known |= {port_of(handler(before, other)) for other in PROBES} | sent
        if port is not None and port not in known:
            yield probe, asked
        if any(isinstance(one, Mapping) and one.get("host") for one in asked.values()):
            yield probe, asked


def problems(name: str, chosen: Sequence[Any]) -> list[tuple[Place, tuple[str, object]]]:
    files = corpora()[name]
    before, after = containers(files), containers({**files, **applied(files, chosen)})
    sent = service_ports(files)
    return [(place, found) for place, one in after.items() for found in unproven(before[place], one, sent)]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])
def test_the_probes_of_a_fix_ask_what_is_there(name: str) -> None:
    for chosen in ([], *([fix] for fix in fixes_of(name)), fixes_of(name)):
        assert problems(name, chosen) == []


def test_fixes_add_probes() -> None:
    """Else there would be nothing to test."""
    added = [
        place
        for name in corpora()
        for place, one in containers({**corpora()[name], **applied(corpora()[name], fixes_of(name))}).items()
        if any(handler(one, probe) != handler(containers(corpora()[name])[place], probe) for probe in PROBES)
    ]
    assert len(added) > 5


PORT, CLOSED = {"ports": [{"containerPort": 8080, "name": "http"}]}, {"tcpSocket": {"port": 80}}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        pytest.param(PORT, {**PORT, "readinessProbe": CLOSED}, ["readinessProbe"], id="a port that is not declared"),
        pytest.param(PORT, {**PORT, "readinessProbe": {"grpc": {"port": 8080}}}, [], id="a declared number"),
        pytest.param(PORT, {**PORT, "readinessProbe": {"httpGet": {"port": "http"}}}, [], id="a declared name"),
        pytest.param({}, {"readinessProbe": CLOSED}, [], id="nothing is declared, a Service sends there"),
        pytest.param(
            {"ports": [{"containerPort": 80, "protocol": "UDP"}]},
            {"ports": [{"containerPort": 80, "protocol": "UDP"}], "startupProbe": CLOSED},
            ["startupProbe"],
            id="a port for UDP",
        ),
        pytest.param(
            {**PORT, "livenessProbe": CLOSED},
            {**PORT, "livenessProbe": CLOSED, "startupProbe": CLOSED},
            ["startupProbe"],
            id="only the livenessProbe asks it",
        ),
        pytest.param(
            {**PORT, "readinessProbe": CLOSED},
            {**PORT, "readinessProbe": CLOSED, "startupProbe": CLOSED},
            [],
            id="readiness asks it already",
        ),
        pytest.param(
            PORT,
            {**PORT, "readinessProbe": {"httpGet": {"port": 8080, "host": "a.example.com"}}},
            ["readinessProbe"],
            id="another host",
        ),
    ],
)
def test_unproven(before: Mapping[str, Any], after: Mapping[str, Any], found: list[str]) -> None:
    assert [probe for probe, _ in unproven(before, after, {80})] == found
