"""Roots of strangers: what they render to, what stops them, and that they reach neither each other nor this machine."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import wasmtime

from gracegate.model import RenderBatch, Rendering, RenderProblem, RenderRequest, Root, Substitution
from gracegate.rendering import RenderLimits, WasmRenderer, find_renderer
from tests.conftest import ROOT

MINOR = 30
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - image: web:1
        name: web
"""
PROGRAM = """apiVersion: v1
kind: Run
metadata:
  name: run
  annotations:
    config.kubernetes.io/function: "exec: {path: ./run.sh}"
"""

KUSTOMIZE = RenderRequest(Root("kustomize", "a"))
HELM = RenderRequest(Root("helm", "web"))
PLAIN = {"a/kustomization.yaml": "resources: [x.yaml]\n", "a/x.yaml": CONFIG_MAP}


def limited(**limits: int) -> WasmRenderer:
    return WasmRenderer(find_renderer(), ROOT / ".tools" / "cache" / "gracegate", RenderLimits(**limits))


def render(
    renderer: WasmRenderer, files: Mapping[str, str], requests: Sequence[RenderRequest]
) -> list[str | RenderProblem]:
    renderings = renderer.render([RenderBatch({path: text.encode() for path, text in files.items()}, requests)], MINOR)
    assert [rendering.request for rendering in renderings] == [*requests]
    return [rendering.problem or rendering.text for rendering in renderings]


def chart(template: str, **files: str) -> dict[str, str]:
    return {"web/Chart.yaml": CHART, "web/templates/a.yaml": template, **files}


def rendered(text: str) -> str:
    return f"---\n# Source: web/templates/a.yaml\n{text}\n"


@pytest.mark.parametrize(
    ("files", "root", "text"),
    [
        (chart("{{ if false }}a: b{{ end }}"), HELM, ""),
        (PLAIN, KUSTOMIZE, CONFIG_MAP),
        (
            {"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": CONFIG_MAP},
            RenderRequest(Root("kustomize", "")),
            CONFIG_MAP,
        ),
        (
            {"kustomization.yaml": "resources: [é b.yaml]\n", "é b.yaml": CONFIG_MAP},
            RenderRequest(Root("kustomize", "")),
            CONFIG_MAP,
        ),
        (
            {**PLAIN, f"{'x' * 200}/y.yaml": "", "b/c/kustomization.yaml": "resources: [../../a]\nnameSuffix: -b\n"},
            RenderRequest(Root("kustomize", "b/c")),
            CONFIG_MAP.replace("name: a", "name: a-b"),
        ),
        (
            PLAIN,
            RenderRequest(Root("kustomize", "a"), replaced={"a/x.yaml": f"{CONFIG_MAP}data: {{é: ü}}\n"}),
            "apiVersion: v1\ndata:\n  é: ü\nkind: ConfigMap\nmetadata:\n  name: a\n",
        ),
        (
            {"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": f"{CONFIG_MAP}data: {{a: '${{A}}-${{B}}'}}\n"},
            RenderRequest(Root("kustomize", ""), substitution=Substitution({"A": "1"}, is_complete=False)),
            "apiVersion: v1\ndata:\n  a: 1-${B}\nkind: ConfigMap\nmetadata:\n  name: a\n",
        ),
        (
            {},
            RenderRequest(Root("kustomize", "a"), replaced=PLAIN),
            CONFIG_MAP,
        ),
        (
            chart(CONFIG_MAP),
            RenderRequest(Root("helm", "web"), post_renderers=("namePrefix: b-", "nameSuffix: -c")),
            CONFIG_MAP.replace("name: a", "name: b-a-c"),
        ),
        (
            chart("{{ .Release.Name }}/{{ .Release.Namespace }}: {{ .Values.a }}"),
            RenderRequest(Root("helm", "web"), ("a: 1", "a: 2"), "shop", "prod"),
            rendered("shop/prod: 2"),
        ),
        (
            chart(
                '{{ .Capabilities.KubeVersion }}: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" }}'
            ),
            HELM,
            rendered("v1.30.0: true"),
        ),
    ],
)
def test_it_renders(renderer: WasmRenderer, files: dict[str, str], root: RenderRequest, text: str) -> None:
    assert render(renderer, files, [root]) == [text]


def test_no_roots(renderer: WasmRenderer) -> None:
    assert renderer.render([], MINOR) == renderer.render([RenderBatch({}, [])], MINOR) == []


SCHEMA = """{"definitions": {"v1.Deployment": {"type": "object",
"x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}]}}}"""
PATCHED = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": DEPLOYMENT,
    "patch.yaml": DEPLOYMENT.replace("image: web:1", "imagePullPolicy: Always"),
    "a/kustomization.yaml": "resources: [../base]\npatches: [path: ../patch.yaml]\n",
    "b/kustomization.yaml": "resources: [../base]\npatches: [path: ../patch.yaml]\nopenapi: {path: schema.json}\n",
    "b/schema.json": SCHEMA,
}
RANDOM = """{{ randAlphaNum 5 }} {{ randInt 0 1000000 }} {{ uuidv4 }} {{ now | unixEpoch }}
{{ genPrivateKey "ecdsa" | sha256sum }}"""


@pytest.mark.parametrize(
    ("files", "a", "b"),
    [
        pytest.param(PATCHED, KUSTOMIZE, RenderRequest(Root("kustomize", "b")), id="a schema of its own"),
        pytest.param({**chart(RANDOM), **PLAIN}, HELM, KUSTOMIZE, id="random numbers and the time"),
    ],
)
def test_what_precedes_a_root_makes_no_difference(
    renderer: WasmRenderer, files: dict[str, str], a: RenderRequest, b: RenderRequest
) -> None:
    """In one process as in one of its own."""
    [alone], [other] = render(renderer, files, [a]), render(renderer, files, [b])
    assert isinstance(alone, str)
    assert alone != other
    assert render(renderer, files, [a, b, a, b]) == [alone, other, alone, other]


LISTS = "".join(
    f"  {name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


def test_the_baseline_module_renders_the_same(renderer: WasmRenderer, tmp_path: Path) -> None:
    wasm = find_renderer()
    assert wasm is not None
    # In another folder, where it finds no other module compiled.
    (tmp_path / wasm.name).symlink_to(wasm)
    baseline = WasmRenderer(tmp_path / wasm.name, tmp_path / "cache", baseline_roots=100)
    files = {**PATCHED, "broken/kustomization.yaml": "resources: [missing.yaml]\n"}
    files |= chart("{{ range $key, $value := .Values.a }}{{ $key | title }}: {{ $value | sha256sum }}\n{{ end }}")
    roots = [RenderRequest(Root("kustomize", folder)) for folder in ("a", "b", "broken", "missing")]
    roots += [RenderRequest(Root("helm", "web"), values=(text,)) for text in ("a: {b: c, d: é}", "a: b")]
    answers = render(baseline, files, roots)
    assert [kept.name.partition("-")[0] for kept in (tmp_path / "cache").iterdir()] == ["baseline"]
    assert answers == render(renderer, files, roots)
    assert [isinstance(answer, str) for answer in answers] == [True, True, False, False, True, False]


BOMBS = {
    "memory": chart("{{ range until 1000000000 }}a: b\n{{ end }}"),
    "aliases": chart("")
    | {"web/kustomization.yaml": "resources: [x.yaml]\n", "web/x.yaml": f"{CONFIG_MAP}data:\n  a: &a [x, x]\n{LISTS}"},
    "recursion": chart('{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}'),
    "nesting": chart("")
    | {
        "web/kustomization.yaml": "resources: [x.yaml]\n",
        "web/x.yaml": f"{CONFIG_MAP}data: {'[' * 9000}{']' * 9000}\n",
    },
    "loop": chart("{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}"),
    "text": chart("{{ range until 30000 }}{{ . }}\n{{ end }}"),
}


@pytest.mark.parametrize(
    ("bomb", "kind", "message"),
    [
        ("memory", "helm", "rendering needs more than 160 MB"),
        ("aliases", "kustomize", "rendering needs more than 160 MB"),
        ("recursion", "helm", "it is nested too deeply"),
        ("nesting", "kustomize", "it is nested too deeply"),
        ("loop", "helm", "rendering takes longer than its limit"),
        ("text", "helm", "it renders to more than 0 MB"),
    ],
)
def test_a_bomb_stops_only_itself(renderer: WasmRenderer, bomb: str, kind: str, message: str) -> None:
    root_fuel = 4_000_000_000 if bomb == "loop" else 40_000_000_000
    small = limited(root_fuel=root_fuel, root_output_bytes=100_000, memory_bytes=160 << 20)
    root = RenderRequest(Root("helm" if kind == "helm" else "kustomize", "web"))
    stopped = RenderProblem("limit", message)
    roots = [KUSTOMIZE, root, KUSTOMIZE, root, KUSTOMIZE]
    assert render(small, {**BOMBS[bomb], **PLAIN}, roots) == [CONFIG_MAP, stopped, CONFIG_MAP, stopped, CONFIG_MAP]


def test_trees_and_the_roots_of_one_are_rendered_by_two_threads(renderer: WasmRenderer) -> None:
    other = CONFIG_MAP.replace("name: a", "name: b")
    trees = [PLAIN, PLAIN | {"a/x.yaml": other}, BOMBS["loop"], PLAIN]
    batches = [
        RenderBatch({path: text.encode() for path, text in files.items()}, [KUSTOMIZE] * number)
        for number, files in enumerate(trees)
    ]
    few = limited(roots=2)
    too_many = RenderProblem("limit", "at most 2 roots are rendered at once")
    missing = few.render(batches[2:3], MINOR)[0].problem
    assert missing is not None
    assert missing.code == "refused"
    expected = [other, missing, missing, CONFIG_MAP, CONFIG_MAP, too_many]
    assert [one.problem or one.text for one in few.render(batches, MINOR)] == expected
    assert [one.problem or one.text for one in few.render(batches[3:], MINOR)] == expected[3:]


def test_a_root_that_needs_more_memory_than_a_thread_has_is_rendered_alone(renderer: WasmRenderer) -> None:
    large = chart("{{ $x := until 1000000 }}a: {{ len $x }}")
    assert renderer.load() is None
    too_little = RenderProblem("limit", "rendering needs more than 64 MB")
    assert render(limited(memory_bytes=64 << 20), large, [HELM]) == [too_little]
    enough = limited(memory_bytes=128 << 20)
    assert render(enough, {**large, **PLAIN}, [HELM, KUSTOMIZE, HELM]) == [
        rendered("a: 1000000"),
        CONFIG_MAP,
        rendered("a: 1000000"),
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_many_roots_are_rendered_in_batches(renderer: WasmRenderer, threads: int) -> None:
    assert renderer.load() is None
    files = {path: text.encode() for path, text in {**PLAIN, **BOMBS["loop"]}.items()}
    small = limited(roots=2, input_bytes=1, fuel=8_000_000_000, root_fuel=4_000_000_000)
    requests = [KUSTOMIZE, KUSTOMIZE, HELM, KUSTOMIZE, KUSTOMIZE]
    answered: list[None] = []
    answers = small.render_all([RenderBatch(files, requests)], MINOR, threads, lambda: answered.append(None))
    ended = RenderProblem("limit", "rendering takes longer than its limit")
    assert [one.request for one in answers] == requests
    assert [one.problem or one.text for one in answers] == [CONFIG_MAP, CONFIG_MAP, ended, CONFIG_MAP, CONFIG_MAP]
    assert small.render_all([RenderBatch(files, [])], MINOR, threads, lambda: None) == []
    assert len(answered) == 4


def test_roots_that_find_the_limits_of_their_batch_used_up_have_their_own() -> None:
    files = {f"r{number}/kustomization.yaml": b"configMapGenerator: [{name: a}]\n" for number in range(4)}
    requests = [RenderRequest(Root("kustomize", f"r{number}")) for number in range(4)]
    too_little, fuel = 0, 1_000_000_000
    while fuel - too_little > 100_000:
        middle = (too_little + fuel) // 2
        is_enough = limited(fuel=middle).render([RenderBatch(files, requests[:1])], MINOR)[0].problem is None
        too_little, fuel = (too_little, middle) if is_enough else (middle, fuel)
    small = limited(fuel=fuel)
    assert small.render([RenderBatch(files, requests)], MINOR)[-1].problem is not None
    assert [one.problem for one in small.render_all([RenderBatch(files, requests)], MINOR, 1, lambda: None)] == [
        None
    ] * 4


def test_time_ends_a_root_and_leaves_none_to_those_after_it_in_its_thread(renderer: WasmRenderer) -> None:
    ended = RenderProblem("interrupted", "rendering took longer than there is time for on this machine")
    no_time = RenderProblem("interrupted", "the roots before it took all the time there is on this machine")
    files = {**BOMBS["loop"], **PLAIN}
    assert renderer.load() is None
    hurried = limited(root_fuel=10**15, fuel=10**15, seconds=1.0)
    assert render(hurried, files, [HELM, KUSTOMIZE, HELM]) == [ended, CONFIG_MAP, no_time]
    assert render(renderer, PLAIN, [KUSTOMIZE]) == [CONFIG_MAP]


@pytest.mark.parametrize(
    ("limits", "answers"),
    [
        ({"roots": 4}, [CONFIG_MAP] * 4),
        ({"roots": 2}, [CONFIG_MAP] * 2 + [RenderProblem("limit", "at most 2 roots are rendered at once")] * 2),
        ({"input_bytes": 10}, [RenderProblem("limit", "its files are more than 0 MB")] * 4),
        (
            {"output_bytes": 120},
            [CONFIG_MAP] * 2
            + [RenderProblem("limit", "all roots together render to more than the limit")] * 2
            + [RenderProblem("limit", "the roots before it rendered to all the text there may be")] * 2,
        ),
        (
            {"fuel": 1_000_000},
            [RenderProblem("limit", "rendering takes longer than its limit")] * 2
            + [RenderProblem("limit", "the roots before it took all the time there is")] * 2,
        ),
        ({"memory_bytes": 36 << 20}, [RenderProblem("limit", "rendering needs more than 36 MB")] * 4),
    ],
)
def test_limits_of_all_roots_together(
    renderer: WasmRenderer, limits: dict[str, int], answers: list[str | RenderProblem]
) -> None:
    assert render(limited(**limits), PLAIN, [KUSTOMIZE] * len(answers)) == answers


@pytest.mark.parametrize(
    ("kustomization", "words"),
    [
        ("resources: [y.yaml]", "open a/y.yaml: file does not exist"),
        ("resources: [../../x.yaml]", "file does not exist"),
        ("resources: [/etc/hostname]", "file does not exist"),
        ("resources: [../b]", "cycle detected"),
        ("resources: ['git@127.0.0.1:org/repo']", "no 'git' program on path"),
        ("helmCharts: [{name: web, releaseName: web}]", "must specify --enable-helm"),
        ("generators: [run.yaml]", "external plugins disabled; unable to load external plugin 'Run'"),
        ("transformers: [run.yaml]", "external plugins disabled; unable to load external plugin 'Run'"),
        ("secretGenerator: [{name: a, files: [/proc/self/environ]}]", "file does not exist"),
        ("secretGenerator: [{name: a, envs: [secret.env]}]", "open a/secret.env: file does not exist"),
    ],
)
def test_what_is_refused(renderer: WasmRenderer, tmp_path: Path, kustomization: str, words: str) -> None:
    ran = tmp_path / "ran"
    files = {
        **PLAIN,
        "a/kustomization.yaml": kustomization,
        "a/run.yaml": PROGRAM,
        "a/run.sh": f"#!/bin/sh\ntouch {ran}\n",
        "b/kustomization.yaml": "resources: [../a]\n",
    }
    [problem] = render(renderer, files, [KUSTOMIZE])
    assert isinstance(problem, RenderProblem)
    assert problem.code == "refused"
    assert words in problem.message
    assert not ran.exists()


def test_nothing_is_fetched(renderer: WasmRenderer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        files = {
            **chart(
                'a: {{ getHostByName "localhost" | quote }}',
                **{"web/values.schema.json": f'{{"$ref": "{address}/schema"}}'},
            ),
            "a/kustomization.yaml": f"resources: ['{address}/x.yaml']\n",
        }
        answers = render(renderer, files, [KUSTOMIZE, HELM])
        assert [answer.code for answer in answers if isinstance(answer, RenderProblem)] == ["refused", "refused"]
        with pytest.raises(BlockingIOError):
            server.accept()


def module(text: str, tmp_path: Path) -> WasmRenderer:
    path = tmp_path / "renderer.wasm.gz"
    path.write_bytes(gzip.compress(wasmtime.wat2wasm(f"(module {text})")))
    return WasmRenderer(path, None)


START = '(memory (export "memory") 1) (func (export "_start") {})'


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (START.format(""), "crashed", "the renderer ended without an answer"),
        (START.format("unreachable"), "crashed", "the renderer crashed: "),
        (f'(import "env" "run" (func)) {START.format("")}', "crashed", "the renderer crashed: it imports env.run"),
    ],
)
def test_a_renderer_that_is_none(tmp_path: Path, text: str, code: str, message: str) -> None:
    for answer in render(module(text, tmp_path), PLAIN, [KUSTOMIZE, HELM]):
        assert isinstance(answer, RenderProblem)
        assert (answer.code, answer.message[: len(message)]) == (code, message)


IMPORTS = " ".join(
    f'(import "wasi_snapshot_preview1" "{name}" (func{" (param i32)" * count} (result i32)))'
    for name, count in {"sched_yield": 0, "args_get": 2, "environ_get": 2, "fd_fdstat_get": 2, "random_get": 2}.items()
)


def test_threads_do_not_mix_up_the_functions_of_their_stores(tmp_path: Path) -> None:
    ended = RenderProblem("crashed", "the renderer ended without an answer")
    many = module(f"{IMPORTS} {START.format('')}", tmp_path)
    assert {
        rendering.problem for _ in range(200) for rendering in many.render([RenderBatch({}, [HELM] * 20)], MINOR)
    } == {ended}


def test_no_renderer(tmp_path: Path) -> None:
    missing = RenderProblem("unavailable", "the renderer is not built: run `make tools`")
    nowhere = WasmRenderer(None, tmp_path)
    assert nowhere.load() == missing
    assert nowhere.render([RenderBatch({}, [HELM])], MINOR) == [Rendering(HELM, problem=missing)]


@pytest.mark.parametrize(
    "content",
    # Names of their own: the bytes hold the time of packing, and pytest-xdist's workers must name a test alike.
    [
        pytest.param(b"not packed", id="not packed"),
        pytest.param(gzip.compress(b"no wasm"), id="packed, not Wasm"),
        pytest.param(gzip.compress(b"no wasm")[:-9], id="cut off"),
        pytest.param(gzip.compress(b"no wasm")[:10] + b"\xff", id="broken"),
    ],
)
def test_a_file_that_is_no_module(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "renderer.wasm.gz").write_bytes(content)
    problem = WasmRenderer(tmp_path / "renderer.wasm.gz", None).load()
    assert problem is not None
    assert (problem.code, problem.message.partition(":")[0]) == ("unavailable", "the renderer cannot be loaded")


def test_it_is_compiled_once(tmp_path: Path) -> None:
    module(START.format(""), tmp_path)
    cache = tmp_path / "cache"
    assert WasmRenderer(tmp_path / "renderer.wasm.gz", cache).load() is None
    [kept] = cache.iterdir()
    before = kept.stat()
    assert WasmRenderer(tmp_path / "renderer.wasm.gz", cache).load() is None
    assert [(path, path.stat().st_mtime_ns) for path in cache.iterdir()] == [(kept, before.st_mtime_ns)]
