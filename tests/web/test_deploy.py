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

from gracegate.github_app.app_manifest import NEEDED_EVENTS, app_manifest
from gracegate.rendering import find_renderer
from gracegate.web.events import HANDLERS
from tests.jobs.harness import Service
from tests.processes import WAIT_SECONDS, is_healthy, wait_for

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
# GitHub sends these to every App, they cannot be subscribed to.
ALWAYS_SENT = {"ping", "installation", "installation_repositories", "github_app_authorization"}


def test_the_app_subscribes_to_the_handled_events() -> None:
    assert set(NEEDED_EVENTS) == HANDLERS.keys() - ALWAYS_SENT


def test_the_example_of_a_manifest_is_what_the_set_up_sends() -> None:
    manifest = json.loads((DEPLOY / "app-manifest.json").read_text())
    assert manifest == app_manifest("gracegate", "https://gracegate.example.com")


def test_only_variables_that_are_read_are_set() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    texts = [path.read_text() for path in (DEPLOY / "Dockerfile", *MANIFESTS)]
    variables = {*compose["services"]["gracegate"]["environment"], *re.findall(r"GRACEGATE_\w+", "".join(texts))}
    source = (ROOT / "service" / "gracegate" / "settings.py").read_text()
    assert [name for name in variables if f'"{name.removeprefix("GRACEGATE_")}"' not in source] == []


def test_images_are_pinned_by_digest() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    images = re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    images += [service["image"] for service in compose["services"].values() if "image" in service]
    assert [image for image in images if not re.fullmatch(r"[\w.:-]+@sha256:[0-9a-f]{64}", image)] == []


def test_the_image_is_built_of_what_dockerignore_lets_through() -> None:
    (copied,) = re.findall(r"^COPY ((?:[\w.]+ )+)\./$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    folders = re.findall(r"^COPY ([.\w]+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text()
    assert {*copied.split(), *folders} == set(re.findall(r"^!(\S+)$", ignored, re.MULTILINE))


def test_kustomize_applies_every_manifest() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert {*kustomization["resources"], "kustomization.yaml"} == {path.name for path in MANIFESTS}


def test_our_own_manifests_pass_the_strict_profile(tmp_path: Path) -> None:
    config = tmp_path / "strict.yaml"
    config.write_text('profile: strict\nmin_kubernetes_version: "1.30"\n')
    command = [
        sys.executable,
        "-m",
        "gracegate",
        "check",
        "--config",
        config,
        "--format",
        "json",
        DEPLOY / "kubernetes",
    ]
    report = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=WAIT_SECONDS).stdout)
    problems = [(problem["file"], problem["code"]) for problem in report["problems"]]
    found = (report["verdict"], report["findings"], report["checked"]["workloads"])
    # Where there is no renderer, the kustomization is named.
    unrendered = [] if find_renderer() else [("deploy/kubernetes/kustomization.yaml", "not_rendered")]
    assert (found, problems) == (("pass", [], 2), unrendered)


def test_compose_passes_on_what_the_set_up_writes() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    written = set(re.findall(r"GRACEGATE_[A-Z_]+", (ROOT / "service" / "gracegate" / "cli" / "setup.py").read_text()))
    assert written <= compose["services"]["gracegate"]["environment"].keys()


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
