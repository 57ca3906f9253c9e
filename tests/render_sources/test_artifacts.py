"""Artifacts of a registry: what comes of charts and of manifests, and what is refused of those that lie."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gracegate.model import PinnedSource, RenderSources, Tree
from gracegate.policy.sources import pack
from gracegate.render_sources import SourceFetcher
from gracegate.render_sources.artifacts import CHART_LAYER
from tests.policy.sources.bundle_server import LAYER, BundleServer, sha256
from tests.policy.sources.test_archive import archive, member

CHART = pack({"web/Chart.yaml": b"name: web\n", "web/templates/web.yaml": b"a: b\n", "web/charts/a/Chart.yaml": b""})
FILES = {"Chart.yaml": "name: web\n", "templates/web.yaml": "a: b\n", "charts/a/Chart.yaml": ""}
MANIFESTS = pack({"deploy/web.yaml": b"a: b\n"})
FLUX_LAYER = "application/vnd.cncf.flux.content.v1.tar+gzip"


def fetcher(folder: Path, registry: BundleServer, total_bytes: int = 1_000_000) -> SourceFetcher:
    sources = RenderSources((f"oci://{registry.address}/charts/*",))
    return SourceFetcher(folder / "sources", sources, lambda _: False, total_bytes, {})


def read(tree: Tree) -> dict[str, str] | str:
    """The texts of the files, or why there are none."""
    if tree.problems:
        return tree.problems[0].message
    return {path: file.data.decode() for path, file in tree.files.items()}


@pytest.mark.parametrize(
    ("pattern", "url", "is_allowed"),
    [
        ("oci://ghcr.io/o/*", "oci://ghcr.io/o/charts/web", True),
        ("oci://ghcr.io/o/web", "oci://ghcr.io/o/web", True),
        ("oci://127.0.0.1:5000/*", "oci://127.0.0.1:5000/web", True),
        ("ghcr.io/o/*", "oci://ghcr.io/o/web", False),
        ("oci://ghcr.io/o/*", "https://ghcr.io/o/web.git", False),
        ("oci://ghcr.io/o/*", "oci://ghcr.io/other/web", False),
        ("oci://ghcr.io/o/*", "oci://ghcr.io:80/o/web", False),
        ("oci://ghcr.io/o/*", "oci://ghcr.io/o/../p/web", False),
    ],
)
def test_what_is_allowed(pattern: str, url: str, is_allowed: bool) -> None:
    assert RenderSources((pattern,)).allow(PinnedSource(url, sha256(b""))) is is_allowed


@pytest.mark.parametrize("needs_token", [False, True])
@pytest.mark.parametrize(
    ("data", "media_type", "files"),
    [
        pytest.param(CHART, CHART_LAYER, FILES, id="chart"),
        pytest.param(MANIFESTS, FLUX_LAYER, {"deploy/web.yaml": "a: b\n"}, id="manifests of flux"),
        pytest.param(MANIFESTS, LAYER, {"deploy/web.yaml": "a: b\n"}, id="manifests of oras"),
    ],
)
def test_an_artifact_comes_as_a_tree_and_is_kept(
    bundles: BundleServer, tmp_path: Path, data: bytes, media_type: str, files: dict[str, str], needs_token: bool
) -> None:
    bundles.needs_token = needs_token
    source = PinnedSource(f"oci://{bundles.address}/charts/web", bundles.push("charts/web", "1", data, media_type))
    assert read(fetcher(tmp_path, bundles).fetch({source: ()})[source]) == files
    bundles.files.clear()
    bundles.requests.clear()
    assert read(fetcher(tmp_path, bundles).fetch({source: ()})[source]) == files
    assert bundles.requests == []


def test_nobody_is_asked_for_what_is_not_allowed(bundles: BundleServer, tmp_path: Path) -> None:
    source = PinnedSource(f"oci://{bundles.address}/web", bundles.push("web", "1", CHART, CHART_LAYER))
    assert read(fetcher(tmp_path, bundles).fetch({source: ()})[source]) == "not fetched: it is not allowed"
    assert bundles.requests == []


def chart(data: bytes, media_type: str = CHART_LAYER, layers: int = 1) -> Callable[[BundleServer], str]:
    return lambda registry: registry.push("charts/web", "1", data, media_type, layers)


def other_manifest(registry: BundleServer) -> str:
    digest = registry.push("charts/web", "1", CHART, CHART_LAYER)
    other = registry.push("charts/web", "2", MANIFESTS)
    registry.files[f"/v2/charts/web/manifests/{digest}"] = registry.files[f"/v2/charts/web/manifests/{other}"]
    return digest


def other_layer(registry: BundleServer) -> str:
    digest = registry.push("charts/web", "1", CHART, CHART_LAYER)
    registry.files[f"/v2/charts/web/blobs/{sha256(CHART)}"] = MANIFESTS
    return digest


def redirect(place: str) -> Callable[[BundleServer], str]:
    def push(registry: BundleServer) -> str:
        digest = registry.push("charts/web", "1", CHART, CHART_LAYER)
        registry.redirects[f"/v2/charts/web/blobs/{sha256(CHART)}"] = place
        return digest

    return push


def loop(registry: BundleServer) -> str:
    return redirect(f"/v2/charts/web/blobs/{sha256(CHART)}")(registry)


LINK = archive(member("web/Chart.yaml"), member("web/values.yaml", tarfile.SYMTYPE, "/etc/passwd"))
HOSTILE = {
    "nothing of that digest": (lambda _: sha256(b""), "the server answers 404"),
    "another manifest": (other_manifest, "the registry gives sha256:"),
    "another layer": (other_layer, "the registry gives another layer than sha256:"),
    "no layer that is an archive": (chart(CHART, "text/plain"), "the image has 0 layers of type "),
    "two layers": (chart(CHART, layers=2), "the image has 2 layers of type "),
    "no archive": (chart(b"hello"), "this is no .tar.gz archive"),
    "a bomb": (chart(gzip.compress(bytes(100_000_000))), "the archive has more than 50 MB"),
    "a bomb in a file": (
        chart(archive(member("web/a"), contents=[bytes(60_000_000)])),
        "an artifact has at most 5,000 files of 20 MB together",
    ),
    "many files": (
        chart(archive(*(member(f"web/{number}") for number in range(5_001)))),
        "an artifact has at most 5,000 files",
    ),
    "too much to send": (chart(bytes(20_000_001)), "the server sends more than 20 MB"),
    "a link": (chart(LINK), "the archive has `web/values.yaml`, which is neither a file nor a folder"),
    "a path that leads out": (chart(archive(member("web/../../a"))), "the archive has the path `web/../../a`"),
    "a file beside the folder": (chart(pack({"web/Chart.yaml": b"", "a": b""})), "a chart is one folder"),
    "a redirect without TLS": (redirect("http://192.0.2.1/a"), "the server redirects to an address without TLS"),
    "redirects without end": (loop, "the server redirects more than 5 times"),
}


@pytest.mark.parametrize(("push", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_refused(
    bundles: BundleServer, tmp_path: Path, push: Callable[[BundleServer], str], reason: str
) -> None:
    source = PinnedSource(f"oci://{bundles.address}/charts/web", push(bundles))
    good = PinnedSource(f"oci://{bundles.address}/charts/good", bundles.push("charts/good", "1", CHART, CHART_LAYER))
    found = fetcher(tmp_path, bundles).fetch({source: (), good: ()})
    assert found[source].files == {}
    assert str(read(found[source])).startswith(f"not fetched: {reason}")
    assert read(found[good]) == FILES


def test_all_together_have_a_limit(bundles: BundleServer, tmp_path: Path) -> None:
    sources = [
        PinnedSource(f"oci://{bundles.address}/charts/{name}", bundles.push(f"charts/{name}", "1", CHART, CHART_LAYER))
        for name in ("a", "b")
    ]
    found = fetcher(tmp_path, bundles, total_bytes=20).fetch(dict.fromkeys(sources, ()))
    assert [read(found[source]) for source in sources] == [
        FILES,
        "not fetched: what is fetched at once would have too much",
    ]
