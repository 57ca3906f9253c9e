"""An OPA server that dies, hangs, has other rules or is something else: each is a typed error or a second try."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from gracegate.errors import ConfigError, EngineError, EngineTimeout, EngineUnavailable, RuleFailed
from gracegate.policy import Catalog
from gracegate.policy.engines.bundle import owns_rules, rules_bundle
from gracegate.policy.engines.opa_process import VERSION_MODULE, OpaProcess
from gracegate.policy.engines.opa_server import ChildEngine, ServerEngine, start_child
from tests.processes import WAIT_SECONDS, wait_for

Ask = Callable[..., dict[str, Any]]
ROOTS = ["gracegate", "gracegate_release", "gracegate_engine"]


@pytest.fixture
def own(opa: Path, small_catalog: Catalog) -> Iterator[ChildEngine]:
    """The small rules on a child OPA of this test alone."""
    with start_child(opa, small_catalog, seconds=WAIT_SECONDS) as engine:
        yield engine


def pid(engine: ChildEngine) -> int:
    found = engine._process.pid
    assert found is not None
    return found


def test_no_rules_are_no_violations(server: ChildEngine, opa_input: Ask, small_catalog: Catalog) -> None:
    assert server.evaluate(opa_input("a", rules=())) == {"digest": small_catalog.digest, "rules": [], "violations": []}


def test_an_answer(server: ChildEngine, opa_input: Ask) -> None:
    at = {"document": 0, "path": ["metadata", "name"]}
    found = {"rule": "named-badly", "at": at, "message": "é is no name for Pod"}
    assert server.evaluate(opa_input("é"))["violations"] == [found]


def test_the_engine_names_its_rules(server: ChildEngine, small_catalog: Catalog) -> None:
    assert (server.engine.name, server.engine.version, server.engine.digest) == ("opa", "1.22.2", small_catalog.digest)
    server.ensure_running()


def test_another_process_may_ask_the_child(server: ChildEngine, opa_input: Ask, small_catalog: Catalog) -> None:
    url, token = server.address
    with closing(ServerEngine(url, small_catalog, token=token)) as other:
        assert other.evaluate(opa_input("a")) == server.evaluate(opa_input("a"))


def test_a_rule_that_errs(server: ChildEngine, opa_input: Ask) -> None:
    with pytest.raises(RuleFailed, match=r"of_two_minds\.rego:\d+:\d+: rule .* produced conflicting values") as caught:
        server.evaluate(opa_input("a", "b", rules=("named-badly", "of-two-minds")))
    assert caught.value.rules == ("of-two-minds",)


def test_what_json_cannot_say(server: ChildEngine, opa_input: Ask) -> None:
    with pytest.raises(EngineError, match="cannot be written as JSON"):
        server.evaluate(opa_input(float("nan")))


def test_too_long(opa: Path, small_catalog: Catalog, opa_input: Ask) -> None:
    with start_child(opa, small_catalog, seconds=3) as engine:
        with pytest.raises(EngineTimeout):
            engine.evaluate(opa_input("a", rules=("endless",)))
        assert engine.evaluate(opa_input("a"))["rules"] == ["named-badly"]


def test_killed_between_two_questions(own: ChildEngine, opa_input: Ask) -> None:
    first = own.evaluate(opa_input("a"))
    killed = pid(own)
    os.kill(killed, signal.SIGKILL)
    assert own.evaluate(opa_input("a")) == first
    assert pid(own) != killed


def test_killed_during_a_question(opa: Path, small_catalog: Catalog, opa_input: Ask) -> None:
    with start_child(opa, small_catalog, seconds=3) as engine:
        engine.ensure_running()
        killer = threading.Timer(0.5, os.kill, [pid(engine), signal.SIGKILL])
        killer.start()
        with pytest.raises(EngineTimeout):  # of the second try: the first one ended with its OPA
            engine.evaluate(opa_input("a", rules=("endless",)))
        killer.join()
        assert engine.evaluate(opa_input("a"))["rules"] == ["named-badly"]


REMEDY = (
    "let it load the bundle of this gracegate, which `gracegate policy bundle` writes and the service has at "
    "/bundles/gracegate.tar.gz"
)


@contextmanager
def running_opa(opa: Path, folder: Path, *arguments: str) -> Iterator[str]:
    """The address of an OPA that somebody else runs, in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [opa, "run", "--server", "--addr", address, "--skip-version-check", "--log-level", "error", *arguments]
    with (
        (folder / "opa.log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for("OPA to listen", lambda: is_listening(address))
            yield f"http://{address}"
        finally:
            process.terminate()


def is_listening(address: str) -> bool:
    host, port = address.split(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def put_module(url: str, text: str) -> dict[str, Any]:
    """What OPA answers to another module."""
    return requests.put(f"{url}/v1/policies/foreign", data=text.encode(), timeout=WAIT_SECONDS).json()


def test_the_rules_of_a_bundle(opa: Path, small_catalog: Catalog, opa_input: Ask, tmp_path: Path) -> None:
    (tmp_path / "rules.tar.gz").write_bytes(rules_bundle(small_catalog))
    with running_opa(opa, tmp_path, "--bundle", "rules.tar.gz") as url:
        with closing(ServerEngine(url, small_catalog)) as engine:
            assert (engine.engine.version, engine.engine.digest) == ("1.22.2", small_catalog.digest)
            first = engine.evaluate(opa_input("é"))
            assert [one["rule"] for one in first["violations"]] == ["named-badly"]
            # Nobody adds to our packages; others are no matter of ours.
            smuggled = 'package gracegate.rules.demo["named-badly"]\n\nviolation contains "smuggled"\n'
            assert "is owned by bundle" in put_module(url, smuggled)["message"]
            assert put_module(url, "package acme\n\nallowed := true\n") == {}
            assert engine.evaluate(opa_input("é")) == first
        other = replace(small_catalog, digest="of another version")
        refused = pytest.raises(
            EngineUnavailable, match=rf"OPA has the rules {small_catalog.digest[:12]}, not of another"
        )
        with closing(ServerEngine(url, other)) as engine, refused:
            _ = engine.engine


def test_two_versions_that_one_opa_gets_in_turn(
    opa: Path, small_catalog: Catalog, opa_input: Ask, tmp_path: Path
) -> None:
    """Each is answered by its own rules or not at all, and neither loads anything."""
    served = [rules_bundle(small_catalog)]
    old = replace(small_catalog, digest="d" * 64)

    def respond(handler: BaseHTTPRequestHandler) -> tuple[int, str, bytes]:
        return 200, "application/gzip", served[-1]

    with pretender(respond) as service:
        source = [
            "--set", f"services.gracegate.url={service}",
            "--set", "bundles.gracegate.service=gracegate",
            "--set", "bundles.gracegate.resource=/bundles/gracegate.tar.gz",
            "--set", "bundles.gracegate.polling.min_delay_seconds=1",
            "--set", "bundles.gracegate.polling.max_delay_seconds=1",
        ]  # fmt: skip
        with (
            running_opa(opa, tmp_path, *source) as url,
            closing(ServerEngine(url, small_catalog)) as new,
            closing(ServerEngine(url, old)) as older,
        ):
            wait_for("OPA to load the rules", lambda: answers(new))
            assert not answers(older)
            served.append(rules_bundle(old))
            wait_for("OPA to load the other rules", lambda: answers(older))
            assert not answers(new)
            with pytest.raises(EngineUnavailable, match="OPA has the rules dddddddddddd, not"):
                new.evaluate(opa_input("a"))
            assert older.engine.digest == old.digest


def answers(engine: ServerEngine) -> bool:
    with suppress(EngineUnavailable):
        engine.evaluate({"documents": [], "rules": []})
        return True
    return False


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["empty"], "OPA has no rules of gracegate", id="no rules"),
        pytest.param(["--bundle", "others"], "OPA has no rules of gracegate", id="a bundle that owns all packages"),
        pytest.param(["rules"], "the rules on OPA are in no bundle, so others can add to them", id="rules of files"),
    ],
)
def test_an_opa_without_our_bundle(
    opa: Path, small_catalog: Catalog, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    """It is said once, with what to do."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "deny.rego").write_text("package main\n\ndeny contains 1\n")
    release = json.dumps({"gracegate_release": {"digest": small_catalog.digest}})
    for path, text in {**small_catalog.modules, "v.rego": VERSION_MODULE, "data.json": release}.items():
        (tmp_path / "rules" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rules" / path).write_text(text)
    with (
        running_opa(opa, tmp_path, *arguments) as url,
        closing(ServerEngine(url, small_catalog)) as engine,
        pytest.raises(EngineUnavailable) as refused,
    ):
        _ = engine.engine
    assert str(refused.value) == f"{reason}: {REMEDY}"


@pytest.mark.parametrize(
    ("bundles", "is_ours"),
    [
        (None, False),
        ([], False),
        ({}, False),
        ({"a": None}, False),
        ({"a": {"manifest": None}}, False),
        ({"a": {"manifest": {"revision": "d1", "roots": [""]}}}, False),
        ({"a": {"manifest": {"revision": "d2", "roots": ROOTS}}}, False),
        ({"b": {}, "a": {"manifest": {"revision": "d1", "roots": ROOTS}}}, True),
    ],
)
def test_whose_rules_are_in_a_bundle(bundles: object, is_ours: bool) -> None:
    assert owns_rules(bundles, "d1") is is_ours


def test_nobody_else_may_use_the_child(own: ChildEngine, small_catalog: Catalog, opa_input: Ask) -> None:
    refused = pytest.raises(EngineUnavailable, match="401")
    with closing(ServerEngine(own._process.url, small_catalog, token="guessed")) as other, refused:
        other.evaluate(opa_input("a"))


def test_the_child_has_no_environment(own: ChildEngine) -> None:
    environment = Path(f"/proc/{pid(own)}/environ")
    if not environment.exists():
        pytest.skip("needs /proc")
    # PWD, _ and the like are the shell's own.
    names = {entry.split("=")[0] for entry in environment.read_text().split("\0")}
    assert names.isdisjoint(os.environ.keys() - {"PWD", "OLDPWD", "_", "SHLVL"})


def session_of(leader: int) -> list[str]:
    """The names of the processes in the session that `leader` began, dead ones that nobody waited for left out."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    found = []
    for process in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, fields = process.read_text().partition("(")[2].rsplit(")", 1)
            state, _, _, session, *_ = fields.split()
            if session == str(leader) and state != "Z":
                found.append(name)
    return sorted(found)


def wait_for_the_end_of(leader: int) -> None:
    """Waits until all processes of the session have ended, which the kernel may take a moment for."""
    wait_for("the processes to end", lambda: not session_of(leader))


def test_nothing_is_left_behind(opa: Path, small_catalog: Catalog) -> None:
    with start_child(opa, small_catalog) as engine:
        leader = pid(engine)
        assert session_of(leader) == ["opa", "sh"]
    wait_for_the_end_of(leader)


def test_nothing_is_left_behind_by_a_parent_that_was_killed(opa: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from gracegate.policy.engines.opa_process import OpaProcess\n"
        "with OpaProcess(Path(sys.argv[1]), {}) as process: print(process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, opa], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        leader = int(parent.stdout.readline())
        parent.kill()
    wait_for_the_end_of(leader)


@pytest.mark.parametrize("binary", ["/does/not/exist", "/bin/false"])
def test_a_binary_that_is_no_opa(binary: str) -> None:
    with pytest.raises(EngineUnavailable, match=binary), OpaProcess(Path(binary), {}):
        pass


Respond = Callable[[BaseHTTPRequestHandler], tuple[int, str, str | bytes]]


@contextmanager
def pretender(respond: Respond) -> Iterator[str]:
    """The address of an HTTP server that answers everything with `respond`."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, kind, body = respond(self)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(body.encode() if isinstance(body, str) else body)))
            self.end_headers()
            self.wfile.write(body.encode() if isinstance(body, str) else body)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


CATALOG = Catalog({}, {"main.rego": "package gracegate.main\n"}, "d1")
JSON = "application/json"


@pytest.mark.parametrize(
    ("status", "kind", "body", "error", "message"),
    [
        (200, JSON, "{}", EngineUnavailable, "OPA has no rules"),
        (200, JSON, '{"result": {"digest": "d2", "rules": [], "violations": []}}', EngineUnavailable, "d2, not d1"),
        (200, JSON, '{"result": null}', EngineUnavailable, "OPA has the rules None"),
        (200, JSON, "[]", EngineUnavailable, "OPA has no rules"),
        (200, "text/html", "<html>", EngineUnavailable, "not OPA"),
        (502, "text/html", "<html>", EngineUnavailable, "answers 502"),
        (503, JSON, '{"message": "busy"}', EngineUnavailable, "answers 503"),
        (401, JSON, '{"code": "unauthorized", "message": "no"}', EngineUnavailable, "401: no"),
        (302, "text/html", "", EngineUnavailable, "redirect"),
        (500, JSON, '{"code": "internal_error", "message": "m", "errors": [{"message": "m"}]}', RuleFailed, "None: m"),
        (500, JSON, '{"code": "internal_error", "errors": [{"code": "eval_cancel_error"}]}', EngineTimeout, "ended"),
    ],
)
def test_what_is_not_our_opa(status: int, kind: str, body: str, error: type[EngineError], message: str) -> None:
    def respond(_: BaseHTTPRequestHandler) -> tuple[int, str, str]:
        return status, kind, body

    with pretender(respond) as url, closing(ServerEngine(url, CATALOG)) as engine:
        with pytest.raises(error, match=message):
            engine.evaluate({})
        with pytest.raises(error):
            _ = engine.engine


def test_a_path_before_the_api_and_a_token() -> None:
    asked = []

    def respond(handler: BaseHTTPRequestHandler) -> tuple[int, str, str]:
        asked.append((handler.command, handler.path, handler.headers["Authorization"]))
        return 200, JSON, '{"result": {"digest": "d1"}}'

    with pretender(respond) as url, closing(ServerEngine(f"{url}/opa/", CATALOG, token="t0ken")) as engine:
        assert engine.evaluate({}) == {"digest": "d1"}
    path = "/opa/v1/data/gracegate/main/report?strict-builtin-errors=true"
    assert asked == [("POST", path, "Bearer t0ken")]


def test_proxies_of_the_environment_are_not_used(
    server: ChildEngine, opa_input: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert server.evaluate(opa_input("a"))["rules"] == ["named-badly"]


def test_a_server_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(ServerEngine(url, CATALOG, seconds=0.3)) as engine, pytest.raises(EngineTimeout):
            engine.evaluate({})


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with closing(ServerEngine(f"http://127.0.0.1:{port}", CATALOG)) as engine:
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            engine.evaluate({})
        with pytest.raises(EngineUnavailable, match="cannot be reached"):
            _ = engine.engine


@pytest.mark.parametrize(
    "url",
    [
        "",
        "opa",
        "opa:8181",
        "ftp://opa",
        "http://",
        "http://name:word@opa",
        "http://opa?x=1",
        "http://opa#x",
        "http://o:x",
    ],
)
def test_addresses_that_cannot_be_opas(url: str) -> None:
    with pytest.raises(ConfigError):
        ServerEngine(url, CATALOG)
