"""Policy sets from folders, repositories, servers and registries: the newest version, and why there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gracegate.errors import RepositoryError
from gracegate.git import ReadLimits, TreeFetcher
from gracegate.model import PolicySource, parse_policy_source
from gracegate.policy.sources import PolicyFetcher, PolicyFiles, pack
from tests.git.conftest import Repository, Server
from tests.policy.sources.bundle_server import BundleServer, sha256

RULE = "rules/acme/a.rego"
FILES = {RULE: b"package a"}
BUNDLE = pack(FILES)


def fetcher(folder: Path, git_url: str = "http://127.0.0.1:1") -> PolicyFetcher:
    return PolicyFetcher(TreeFetcher(folder / "git", limits=ReadLimits(1_000_000, 2_000_000)), git_url, lambda _: None)


def fetch(folder: Path, text: str, known: str = "", git_url: str = "http://127.0.0.1:1") -> PolicyFiles | None:
    return fetcher(folder, git_url).fetch(parse_policy_source(text), known)


def refusal(folder: Path, text: str, git_url: str = "http://127.0.0.1:1") -> str:
    with pytest.raises(RepositoryError) as error:
        fetch(folder, text, git_url=git_url)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("policies", PolicySource("policies", "folder")),
        ("../acme/policies", PolicySource("../acme/policies", "folder")),
        ("acme/policies@main", PolicySource("acme/policies@main", "repository", "acme/policies", "", "main")),
        (
            "acme/policies//teams/a/@feature/x",
            PolicySource("acme/policies//teams/a/@feature/x", "repository", "acme/policies", "teams/a", "feature/x"),
        ),
        ("acme/policies//../x@main", PolicySource("acme/policies//../x@main", "folder")),
        ("acme/..@main", PolicySource("acme/..@main", "folder")),
        ("acme/policies@a..b", PolicySource("acme/policies@a..b", "folder")),
        ("acme/policies@--upload-pack=x", PolicySource("acme/policies@--upload-pack=x", "folder")),
        ("/etc/acme.tar.gz", PolicySource("/etc/acme.tar.gz", "file")),
        ("https://x.example/acme.tar.gz", PolicySource("https://x.example/acme.tar.gz", "url")),
        ("oci://ghcr.io/acme/policies:v1", PolicySource("oci://ghcr.io/acme/policies:v1", "oci")),
    ],
)
def test_what_a_text_names(text: str, source: PolicySource) -> None:
    assert parse_policy_source(text) == source


@pytest.mark.parametrize(
    "text",
    [
        "http://x.example/a.tar.gz",
        "https://user:password@x.example/a.tar.gz",
        "https://x.example/a.tar.gz?token=1",
        "oci://ghcr.io/acme/policies",
        "oci://ghcr.io/acme/policies@sha256:12",
        "ftp://x.example/a.tar.gz",
    ],
)
def test_addresses_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError, match="is no address of a policy set"):
        parse_policy_source(text)


@pytest.mark.parametrize(
    ("patterns", "text", "is_allowed"),
    [
        ((), "acme/policies@main", False),
        (("acme/*",), "acme/policies@main", True),
        (("Acme/Policies",), "acme/policies@main", True),
        (("acme/policies",), "acme/policies2@main", False),
        (("acme/*",), "acme2/policies@main", False),
        (("*",), "acme/policies@main", False),
        (("acme/*",), "policies", False),
        (("acme/*",), "https://x.example/acme/a.tar.gz", False),
    ],
)
def test_what_is_allowed(patterns: tuple[str, ...], text: str, is_allowed: bool) -> None:
    assert parse_policy_source(text).is_allowed(patterns) is is_allowed


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path, str(tmp_path / "no")) == f"{tmp_path / 'no'}: there is no such folder of policies"
    folder = tmp_path / "acme"
    folder.mkdir()
    assert fetch(tmp_path, str(folder)) == PolicyFiles("acme", "", {})
    (folder / "data").mkdir()
    for name in ("a.rego", "README.md", "data/x", ".hidden.rego"):
        (folder / name).write_text(name)
    (folder / "link.rego").symlink_to("/etc/passwd")
    assert fetch(tmp_path, str(folder)) == PolicyFiles("acme", "", {"a.rego": b"a.rego", "data/x": b"data/x"})


def test_a_repository(new_repository: Callable[[str], Repository], server: Server, tmp_path: Path) -> None:
    origin = new_repository("acme/policies")
    first = origin.commit({RULE: "package a", "README.md": "no", "teams/a/rules/x/b.rego": "package b"})
    origin.git("tag", "--annotate", "--message", "first", "v1")
    second = origin.commit({RULE: "package c"})

    def of(text: str, known: str = "") -> PolicyFiles | None:
        return fetch(tmp_path, text, known, server.url)

    both = {RULE: b"package c", "teams/a/rules/x/b.rego": b"package b"}
    assert of("acme/policies@main") == PolicyFiles("policies", second, both)
    assert of("acme/policies@main", second) is None
    assert of("acme/policies@refs/heads/main") == PolicyFiles("policies", second, both)
    assert of("acme/policies@v1") == PolicyFiles("policies", first, {**both, RULE: b"package a"})
    assert of(f"acme/policies@{first}") == of("acme/policies@v1")
    assert of("acme/policies//teams/a@main") == PolicyFiles("a", second, {"rules/x/b.rego": b"package b"})
    # A commit that is known by its id needs no server.
    server.answer = 500
    assert of(f"acme/policies@{second}") == PolicyFiles("policies", second, both)
    assert refusal(tmp_path, "acme/policies@main", server.url).startswith("acme/policies@main: git cannot fetch it: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("acme/policies@no", "the repository has no branch or tag `no`"),
        ("acme/policies//no@main", "there are no policies in no"),
        ("acme/nothing@main", "there is no such repository, or it cannot be read from here"),
        ("acme/policies//linked@main", "linked/a.rego: The file was not read: it is a symbolic link"),
        ("acme/policies//large@main", "large/a.rego: The file is too large to be read"),
    ],
)
def test_what_a_repository_does_not_give(
    new_repository: Callable[[str], Repository], server: Server, tmp_path: Path, text: str, reason: str
) -> None:
    origin = new_repository("acme/policies")
    (origin.folder / "linked").mkdir()
    (origin.folder / "linked/a.rego").symlink_to("../large/a.rego")
    origin.commit({"large/a.rego": "x" * 1_000_001})
    assert refusal(tmp_path, text, server.url) == f"{text}: {reason}"


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "Acme.tar.gz"
    assert refusal(tmp_path, str(path)) == f"{path}: cannot be read: No such file or directory"
    path.write_bytes(BUNDLE)
    assert fetch(tmp_path, str(path)) == PolicyFiles("acme", sha256(BUNDLE), FILES)
    assert fetch(tmp_path, str(path), sha256(BUNDLE)) is None


def test_a_server(bundles: BundleServer, tmp_path: Path) -> None:
    bundles.files["/acme.tar.gz"] = BUNDLE
    bundles.redirects |= {"/new.tgz": f"{bundles.url}/acme.tar.gz", "/unsafe.tgz": "http://other.invalid/x.tgz"}
    sets, source = fetcher(tmp_path), parse_policy_source(f"{bundles.url}/acme.tar.gz")
    assert sets.fetch(source) == PolicyFiles("acme", sha256(BUNDLE), FILES)
    assert sets.fetch(source, sha256(BUNDLE)) is None
    # Another process does not know the ETag.
    assert fetch(tmp_path, source.text, sha256(BUNDLE)) is None
    assert [status for _, status in bundles.requests] == [200, 304, 200]
    bundles.files["/acme.tar.gz"] = pack({"a.rego": b""})
    assert sets.fetch(source, sha256(BUNDLE)) == PolicyFiles("acme", sha256(pack({"a.rego": b""})), {"a.rego": b""})
    assert fetch(tmp_path, f"{bundles.url}/new.tgz") == PolicyFiles(
        "new", sha256(pack({"a.rego": b""})), {"a.rego": b""}
    )
    assert refusal(tmp_path, f"{bundles.url}/no.tgz") == f"{bundles.url}/no.tgz: the server answers 404"
    assert "redirects to an address without TLS" in refusal(tmp_path, f"{bundles.url}/unsafe.tgz")
    bundles.files["/large.tgz"] = bytes(20_000_001)
    assert refusal(tmp_path, f"{bundles.url}/large.tgz") == f"{bundles.url}/large.tgz: the server sends more than 20 MB"
    assert "the server does not answer" in refusal(tmp_path, "http://127.0.0.1:1/a.tgz")


@pytest.mark.parametrize("needs_token", [False, True])
def test_a_registry(bundles: BundleServer, tmp_path: Path, needs_token: bool) -> None:
    bundles.needs_token = needs_token
    digest = bundles.push("acme/policies", "v1", BUNDLE)
    wanted = PolicyFiles("policies", digest, FILES)
    by_tag = f"oci://{bundles.address}/acme/policies:v1"
    assert fetch(tmp_path, by_tag) == wanted
    assert fetch(tmp_path, by_tag, digest) is None
    assert fetch(tmp_path, f"oci://{bundles.address}/acme/policies@{digest}") == wanted
    other = bundles.push("acme/policies", "v1", pack({"a.rego": b""}))
    assert fetch(tmp_path, by_tag, digest) == PolicyFiles("policies", other, {"a.rego": b""})


def test_what_a_registry_does_not_give(bundles: BundleServer, tmp_path: Path) -> None:
    by_tag = f"oci://{bundles.address}/acme/policies:v1"
    assert refusal(tmp_path, by_tag).endswith("/v2/acme/policies/manifests/v1: the server answers 404")
    bundles.push("acme/policies", "v1", BUNDLE, "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego")
    assert "the image has 0 layers of type application/vnd.oci.image.layer.v1.tar+gzip" in refusal(tmp_path, by_tag)
    digest = bundles.push("acme/policies", "v1", BUNDLE)
    bundles.files[f"/v2/acme/policies/blobs/{sha256(BUNDLE)}"] = pack({})
    assert f"the registry gives another layer than {sha256(BUNDLE)}" in refusal(tmp_path, by_tag)
    bundles.files[f"/v2/acme/policies/manifests/{digest}"] = b"{}"
    pinned = f"oci://{bundles.address}/acme/policies@{digest}"
    assert refusal(tmp_path, pinned) == f"{pinned}: the registry gives {sha256(b'{}')}"
