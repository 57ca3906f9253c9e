"""What an operator asks of a service that runs: its audit log, and whether it is set up right."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.demo.layers import layer
from tests.demo.stage import BIN
from tests.e2e.scene import Scene, on_both_databases
from tests.processes import WAIT_SECONDS


def ask(scene: Scene, *arguments: str) -> Any:
    """What a command with the settings of the service answers in JSON."""
    command = [str(BIN / "gracegate"), *arguments, "--format", "json"]
    done = subprocess.run(
        command, env=scene.service.environment, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    return json.loads(done.stdout)


@on_both_databases
def test_every_write_to_github_is_in_the_audit_log(scene: Scene) -> None:
    scene.fake.fault("POST", f"/repos/{scene.repository}/check-runs$", status=502)
    number = scene.open_and_review(layer("change"))
    scene.push({"apps/web.yaml": layer("base")["apps/web.yaml"]})
    scene.wait_until_reviewed()
    writes = ask(scene, "audit", "--repository", scene.repository)["writes"]
    made = [
        (one.method, one.address, one.status)
        for one in scene.fake.log
        if one.path.startswith(f"/repos/{scene.repository}/") and one.method != "GET"
    ]
    recorded = [(write["method"], write["path"], write["status"]) for write in reversed(writes)]
    # What is posted to GraphQL may be a query: here a thread is looked for, and its comment minimised.
    assert ("POST", "/graphql", 200) in recorded
    by_rest = [write for write in recorded if write[1] != "/graphql"]
    assert by_rest == [(method, path, status) for method, path, status in made if ".git/" not in path]
    assert {write["number"] for write in writes} == {number}
    assert len({write["run_id"] for write in writes}) == 2


def test_the_doctor_runs_beside_the_service(scene: Scene) -> None:
    scene.open_and_review(layer("base"))
    checks = {one["name"]: one["level"] for one in ask(scene, "doctor")["checks"]}
    assert {
        name: checks[name] for name in ("settings", "key", "database", "webhook", "deliveries", "engine", "git")
    } == (dict.fromkeys(("settings", "key", "database", "webhook", "deliveries", "engine", "git"), "ok"))
