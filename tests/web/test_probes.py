"""The small server of a worker; tests/e2e/test_e2e_kubernetes.py asks the one of a real worker."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from gracegate.errors import ConfigError
from gracegate.store import Store
from gracegate.web import serve_probes
from tests.processes import WAIT_SECONDS


@pytest.mark.parametrize(
    "bind", ["127.0.0.1:http", "127.0.0.1:70000", pytest.param("192.0.2.1:8001", id="not of this host")]
)
def test_an_address_where_no_server_can_listen_is_a_wrong_setting(tmp_path: Path, bind: str) -> None:
    with pytest.raises(ConfigError, match=f"--bind is '{bind}', where no server can listen: "):
        serve_probes(bind, Store(f"sqlite:///{tmp_path}/gracegate.db"), {})


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_worker_that_lacks_something_lives_and_is_not_ready(tmp_path: Path, free_port: int, host: str) -> None:
    bind = f"{host}:{free_port}"
    serve_probes(bind, Store(f"sqlite:///{tmp_path}/gracegate.db"), {"rules": lambda: "there are no rules"})
    paths = ("/healthz", "/readyz", "/metrics", "/webhooks/github")
    answers = [requests.get(f"http://{bind}{path}", timeout=WAIT_SECONDS) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 503, 200, 404]
    assert answers[1].json()["missing"].keys() == {"database", "rules"}
