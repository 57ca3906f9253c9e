"""The files of deploy/ against the code that they start."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import requests
import yaml

from gracegate.web.events import HANDLERS
from tests.jobs.harness import Service
from tests.processes import WAIT_SECONDS, is_healthy, wait_for

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
# GitHub sends these to every App, they cannot be subscribed to.
ALWAYS_SENT = {"ping", "installation", "installation_repositories"}


def test_the_app_subscribes_to_the_handled_events() -> None:
    manifest = json.loads((DEPLOY / "app-manifest.json").read_text())
    assert set(manifest["default_events"]) == HANDLERS.keys() - ALWAYS_SENT


def test_compose_sets_only_variables_that_are_read() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    variables = compose["services"]["gracegate"]["environment"]
    variables |= dict.fromkeys(re.findall(r"GRACEGATE_\w+", (DEPLOY / "Dockerfile").read_text()))
    source = (ROOT / "service" / "gracegate" / "settings.py").read_text()
    assert [name for name in variables if f'"{name.removeprefix("GRACEGATE_")}"' not in source] == []


def test_gunicorn_starts_with_the_file_of_deploy(service: Service, free_port: int) -> None:
    env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{free_port}"}
    command = [sys.executable, "-m", "gunicorn", "-c", DEPLOY / "gunicorn.conf.py"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE) as process:
        wait_for("the server to answer", lambda: is_healthy(f"http://127.0.0.1:{free_port}"))
        process.terminate()
        log = process.communicate(timeout=WAIT_SECONDS)[1].decode()
    assert process.returncode == 0
    assert {json.loads(line)["logger"] for line in log.splitlines()} == {"gunicorn.error"}


def test_serve_runs_and_stops_web_and_workers(service: Service, free_port: int) -> None:
    env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{free_port}"}
    with subprocess.Popen([sys.executable, "-m", "gracegate", "serve"], env=env, stderr=subprocess.PIPE) as process:
        wait_for("the server to answer", lambda: is_healthy(f"http://127.0.0.1:{free_port}"))
        wait_for("web and worker to start", lambda: len(_children(process.pid)) == 2)
        children = _children(process.pid)
        assert (
            'gracegate_runs{state="waiting"} 0.0'
            in requests.get(f"http://127.0.0.1:{free_port}/metrics", timeout=WAIT_SECONDS).text
        )
        process.send_signal(signal.SIGINT)
        log = process.communicate(timeout=WAIT_SECONDS)[1].decode()
    assert process.returncode == 0
    assert [line for line in log.splitlines() if line.startswith("gracegate: ")] == [
        f"gracegate: webhooks  http://127.0.0.1:{free_port}/webhooks/github",
        f"gracegate: database  sqlite:///{service.folder}/gracegate.db",
        "gracegate: engine    built-in (Wasm)",
        "gracegate: github    https://api.github.com",
    ]
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_a_killed_supervisor_stops_its_processes(service: Service, free_port: int) -> None:
    env = {**service.env, "GRACEGATE_BIND": f"127.0.0.1:{free_port}"}
    with subprocess.Popen([sys.executable, "-m", "gracegate", "serve"], env=env, stderr=subprocess.DEVNULL) as process:
        wait_for("the server to answer", lambda: is_healthy(f"http://127.0.0.1:{free_port}"))
        children = _children(process.pid)
        process.kill()
    wait_for("its processes to end", lambda: not [child for child in children if Path(f"/proc/{child}").exists()])


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
