"""The rules in Wasm: answers, bounds, and the cache of compiled modules that must not load files of other users."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from gracegate import module_cache
from gracegate.errors import EngineError, EngineTimeout, RuleFailed, RulesError, RulesMismatch
from gracegate.model import Document, ObjectRef, Rule
from gracegate.policy import Batch, Cluster, ask, catalog, load_catalog
from gracegate.policy.engines import open_policy_set
from gracegate.policy.engines.opa_wasm import WasmEngine, encode_json

Ask = Callable[..., dict[str, Any]]
NO_RULES: dict[str, Any] = {"documents": [], "unread": [], "rules": [], "params": {}, "cluster": {}}


def test_no_rules_are_no_violations(small: Path, opa_input: Ask) -> None:
    engine = WasmEngine(load_catalog(small))
    assert engine.evaluate(opa_input("a", rules=())) == {"digest": engine.engine.digest, "rules": [], "violations": []}


def test_an_answer(small: Path, opa_input: Ask) -> None:
    engine = WasmEngine(load_catalog(small))
    at = {"document": 0, "path": ["metadata", "name"]}
    found = {"rule": "named-badly", "at": at, "message": "é\U0010ffff is no name for Pod"}
    expected = {"digest": engine.engine.digest, "rules": ["named-badly"], "violations": [found]}
    assert engine.evaluate(opa_input("é\U0010ffff")) == expected


def test_the_engine_names_its_rules(small: Path) -> None:
    engine = WasmEngine(load_catalog(small)).engine
    assert (engine.name, engine.digest) == ("opa-wasm", catalog.load_catalog(small).digest)


def test_the_built_in_rules_are_the_default() -> None:
    engine = WasmEngine()
    assert engine.engine.digest == catalog.load_builtin().digest
    assert engine.evaluate(NO_RULES)["violations"] == []


def test_one_evaluation_leaves_nothing_to_the_next(small: Path, opa_input: Ask) -> None:
    engine = WasmEngine(load_catalog(small))
    first = engine.evaluate(opa_input("a"))
    assert engine.evaluate(opa_input()) == {**first, "violations": []}
    with pytest.raises(RuleFailed):
        engine.evaluate(opa_input("a", "b", rules=("of-two-minds",)))
    assert engine.evaluate(opa_input("a")) == first


@pytest.mark.parametrize(
    ("rules", "message", "failed"),
    [
        (("named-badly", "of-two-minds"), "rules/demo/of_two_minds.rego:", ("of-two-minds",)),
        (("odd-patch",), "json.patch: .* does not add a member of a member", ()),
    ],
)
def test_a_rule_that_errs(
    small: Path, opa_input: Ask, rules: tuple[str, ...], message: str, failed: tuple[str]
) -> None:
    with pytest.raises(RuleFailed, match=message) as caught:
        WasmEngine(load_catalog(small)).evaluate(opa_input("a", "b", rules=rules))
    assert caught.value.rules == failed


def test_an_undefined_report_is_no_answer(small: Path) -> None:
    with pytest.raises(RulesMismatch, match="undefined"):
        WasmEngine(load_catalog(small)).evaluate({})


def test_too_long(small: Path, opa_input: Ask) -> None:
    engine = WasmEngine(load_catalog(small), seconds=2)
    with pytest.raises(EngineTimeout, match="longer"):
        engine.evaluate(opa_input("a", rules=("endless",)))
    assert engine.evaluate(opa_input("a"))["rules"] == ["named-badly"]


@pytest.mark.parametrize("server", [False, True], ids=["Wasm", "OPA server"])
def test_the_slow_rule_among_others_is_found_within_the_time_of_a_check(small: Path, opa: Path, server: bool) -> None:
    rules = {one: Rule(one, "demo", "", "", "error", "none", (), "", ()) for one in ("endless", "named-badly")}
    pod = Document("web.yaml", 0, (), {"kind": "Pod", "metadata": {"name": "a"}}, ObjectRef("Pod", "", "a"), False, "")
    batch = Batch((pod,), frozenset({0}), (), rules, rules, {}, Cluster())
    with open_policy_set(opa if server else None, load_catalog(small), seconds=6) as policies:
        answer = ask(policies.evaluate, batch, policies.engine.digest)
    assert [violation.message for violation in answer.violations] == ["a is no name for Pod"]
    assert list(answer.failed) == ["endless"]


def test_too_much_memory(small: Path, opa_input: Ask) -> None:
    with pytest.raises(EngineTimeout, match="memory"):
        WasmEngine(load_catalog(small), memory_bytes=8 << 20).evaluate(opa_input(*("x" * 1000 for _ in range(9000))))


def test_a_nesting_without_end_is_an_error(small: Path, opa_input: Ask) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(EngineError):
        WasmEngine(load_catalog(small)).evaluate({**opa_input(), "documents": deep})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, b"{}"),
        ({"a": ["é", 1.5, None]}, '{"a":["é",1.5,null]}'.encode()),
        ({"a": "\ud800x\U0001f600"}, '{"a":"\ufffdx\U0001f600"}'.encode()),
    ],
)
def test_input_as_json(value: dict[str, Any], text: bytes) -> None:
    assert encode_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_say(value: object) -> None:
    with pytest.raises(EngineError, match="cannot be written as JSON"):
        encode_json({"a": value})


def test_a_process_that_ends_during_the_warm_up_is_not_aborted(small: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gracegate.policy import load_catalog\n"
        "from gracegate.policy.engines import open_policy_set\n"
        "with open_policy_set(None, load_catalog(Path(sys.argv[1]))):\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program, small], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_share_an_engine(small: Path, opa_input: Ask) -> None:
    engine = WasmEngine(load_catalog(small))
    engine.warm_up()
    answers: dict[int, Any] = {}

    def evaluate(number: int) -> None:
        answers[number] = engine.evaluate(opa_input(str(number)))["violations"][0]["message"]

    threads = [threading.Thread(target=evaluate, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number} is no name for Pod" for number in range(8)}


def test_a_folder_without_rules(tmp_path: Path) -> None:
    with pytest.raises(RulesError):
        WasmEngine(load_catalog(tmp_path))


def test_a_module_that_is_none_is_an_error(small: Path, opa_input: Ask, tmp_path: Path) -> None:
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled" / "policy.wasm").write_bytes(b"no wasm")
    digest = catalog.digest_of({})
    (tmp_path / "compiled" / "catalog.json").write_bytes(catalog.write_catalog([], digest, []))
    engine = WasmEngine(load_catalog(tmp_path))
    engine.warm_up()
    with pytest.raises(EngineError):
        engine.evaluate(opa_input())
    with pytest.raises(EngineError):
        engine.evaluate(NO_RULES)


def kept(cache: Path) -> Path:
    [file] = cache.iterdir()
    return file


@pytest.fixture
def cache(small: Path, tmp_path: Path) -> Path:
    """A cache that was filled."""
    folder = tmp_path / "cache"
    WasmEngine(load_catalog(small), folder).evaluate(NO_RULES)
    return folder


def test_compiled_code_is_kept_for_its_user_alone(cache: Path) -> None:
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(kept(cache).stat().st_mode) == 0o600


def is_usable(file: Path) -> bool:
    config = wasmtime.Config()
    config.epoch_interruption = True
    with closing(wasmtime.Engine(config)) as engine:
        return module_cache.read_module(engine, file) is not None


def spoil_nothing(file: Path) -> None:
    pass


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def of_something_else(file: Path) -> None:
    file.write_bytes(b"code" + zlib.crc32(b"code").to_bytes(4))


def writable_by_others(file: Path) -> None:
    file.chmod(0o622)


def a_link(file: Path) -> None:
    file.rename(file.with_suffix(".other"))
    file.symlink_to(file.with_suffix(".other"))


def somebody_elses(file: Path) -> None:
    os.chown(file, 65534, -1)


def a_folder_that_others_write(file: Path) -> None:
    file.parent.chmod(0o777)


@pytest.mark.parametrize(
    ("spoil", "used", "replaced"),
    [
        (spoil_nothing, True, False),
        (cut_short, False, True),
        (empty, False, True),
        (of_something_else, False, True),
        (writable_by_others, False, True),
        (a_link, False, True),
        pytest.param(somebody_elses, False, True, marks=pytest.mark.skipif(os.geteuid() != 0, reason="needs root")),
        (a_folder_that_others_write, False, False),
    ],
)
def test_only_what_is_whole_and_ours_is_run(
    small: Path, cache: Path, spoil: Callable[[Path], None], used: bool, replaced: bool
) -> None:
    file = kept(cache)
    spoil(file)
    before = file.lstat().st_ino
    assert is_usable(file) == used
    WasmEngine(load_catalog(small), cache).evaluate(NO_RULES)
    assert (file.lstat().st_ino != before) == replaced
    if replaced:
        assert is_usable(file)


def test_a_disk_that_runs_no_programs(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(engine: wasmtime.Engine, path: str) -> wasmtime.Module:
        raise wasmtime.WasmtimeError("mmap failed to make text executable")

    monkeypatch.setattr(wasmtime.Module, "deserialize_file", refuse)
    assert is_usable(kept(cache))


def test_a_cache_that_cannot_be_written_only_costs_time(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert WasmEngine(load_catalog(small), tmp_path / "file" / "cache").evaluate(NO_RULES)["rules"] == []
