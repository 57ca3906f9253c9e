"""The containers of deploy/kubernetes, as processes that share nothing but a database."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.demo.layers import layer
from tests.demo.stage import BIN, ROOT, Peer, Service, service_environment
from tests.e2e.conftest import AT_ONCE
from tests.e2e.scene import Scene
from tests.fakegithub.server import FakeGitHub
from tests.postgresql import create_database
from tests.processes import WAIT_SECONDS, Running, free_port

REPOSITORY = "shop/own"


class Pod(Service):
    """The container of a Deployment in deploy/kubernetes, with a loopback address of its own."""

    def __init__(self, folder: Path, manifest: str, environment: dict[str, str]) -> None:
        self.container = _container(manifest)
        bind = f"127.0.0.1:{free_port()}"
        address = f"0.0.0.0:{self.container['ports'][0]['containerPort']}"
        program, *arguments = (argument.replace(address, bind) for argument in self.container["args"])
        own = {one["name"]: one["value"].replace(address, bind) for one in self.container["env"]}
        log = folder / f"{manifest}-{bind}.log"
        # The test's settings win: they name its own files.
        running = Running([str(BIN / program), *arguments], {**own, **environment}, log)
        Peer.__init__(self, f"http://{bind}", running, self.container["readinessProbe"]["httpGet"]["path"])

    def terminate(self) -> int:
        """What the kubelet does after the preStop hook; the exit code."""
        self.running.process.send_signal(signal.SIGTERM)
        return self.running.process.wait(WAIT_SECONDS)

    def probe_statuses(self) -> dict[str, int]:
        probes = {name: self.container[name]["httpGet"]["path"] for name in self.container if name.endswith("Probe")}
        return {
            name: self.session.get(self.url + path, timeout=WAIT_SECONDS).status_code for name, path in probes.items()
        }


def _container(manifest: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / f"{manifest}.yaml").read_text())
    (deployment,) = (document for document in documents if document["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def open_pull_request(scene: Scene, index: int) -> int:
    # A file of its own: equal changes of one base would be one commit.
    return scene.open_pull_request({**layer("change"), "index": str(index)}, branch=f"change-{index}")


def test_pods_start_at_once_and_end_without_loss(tmp_path: Path, postgresql_server: str) -> None:
    (tmp_path / "github").mkdir()
    with FakeGitHub(tmp_path / "github") as fake, ExitStack() as pods:
        app = {"id": fake.app.id, "private_key": fake.app.private_key, "webhook_secret": fake.app.webhook_secret}
        settings = service_environment(tmp_path, app, fake.url)
        # An empty database: all four find that the tables have to be made.
        environment = {**settings, **AT_ONCE, "GRACEGATE_DATABASE": create_database(postgresql_server)}
        started = [Pod(tmp_path, manifest, environment) for manifest in ("web", "web", "worker", "worker")]
        for pod in started:
            pods.enter_context(pod)
        web, other_web, worker, other_worker = started
        assert [set(pod.probe_statuses().values()) for pod in started] == [{200}] * 4

        fake.webhook_url = web.webhook_url
        scene = Scene(fake, other_web).in_repository(REPOSITORY, layer("base"))
        fake.fault("GET", f"{REPOSITORY}.*/files$", delay=3.0, times=4)
        numbers = [open_pull_request(scene, index) for index in range(4)]
        scene.wait_for_request("POST /check-runs", 2)
        fake.settle()
        fake.webhook_url = other_web.webhook_url
        assert (web.terminate(), worker.terminate()) == (0, 0)

        numbers.append(open_pull_request(scene, 4))
        scene.wait_until_reviewed()
        assert [scene.conclusions(number) for number in numbers] == [["failure"]] * 5
        metrics = requests.get(f"{other_worker.url}/metrics", timeout=WAIT_SECONDS).text
        assert 'gracegate_reviews_total{outcome="fail"}' in metrics
        assert other_worker.terminate() == 0
