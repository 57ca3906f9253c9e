"""What a person sees of a simulated rollout, in each format."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gracegate.cli.main import CLEAN, INCOMPLETE, run
from tests.policy.sets.policy_sets import write
from tests.shop import SERVICE, WITHOUT_DRAIN


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("OPA_URL", "GRACEGATE_OPA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(write(tmp_path, {"web.yaml": WITHOUT_DRAIN, "service.yaml": SERVICE}))
    return tmp_path


def simulated(capfd: pytest.CaptureFixture[str], form: str) -> str:
    assert run(["simulate", "--format", form]) == CLEAN
    return capfd.readouterr().out


def test_text(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    output = simulated(capfd, "text")
    assert "As it is: like 1.6 s of outage in every rollout" in output
    assert "With all safe fixes: no request lost in the model" in output
    assert "Simulated from these manifests, not measured in a cluster." in output
    assert "\x1b" not in output


def test_svg_is_xml_without_scripts(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = ET.fromstring(simulated(capfd, "svg"))  # noqa: S314 - it is our own
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in names
    said = " ".join("".join(element.itertext()) for element in root.iter() if element.tag.endswith("text"))
    assert "like 1.6 s of outage in every rollout" in said


def test_json(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (rollout,) = json.loads(simulated(capfd, "json"))["rollouts"]
    assert (rollout["object"]["name"], rollout["file"]) == ("web", "web.yaml")
    assert rollout["before"]["outage_seconds"]["usual"] > 0
    assert rollout["after"]["outage_seconds"] == {"usual": 0, "least": 0, "most": 0}
    assert [step["name"] for step in rollout["shutdowns"][0]["steps"]][-1:] == ["shutdown of the app"]


def test_mermaid(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    charts = simulated(capfd, "mermaid").split("```mermaid\n")
    assert len(charts) == 3
    assert all("\ngantt\n" in chart for chart in charts[1:])


def test_what_is_not_simulated_says_why(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "service.yaml").unlink()
    assert "no number, because no Service sends requests to it." in simulated(capfd, "text")


def test_no_workload_and_a_broken_file(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(shop, {"web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {\n"})
    assert run(["simulate"]) == INCOMPLETE
    assert "There is no workload here." in capfd.readouterr().err
