"""Addresses of other repositories, in all their spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.manifests.remote import is_remote, read_reference, repository_name
from gracegate.model import PinnedSource

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "text",
    [
        "../base",
        "base",
        "./a/../b",
        "gitlab.com/o/r",
        "github.com",
        "web.yaml",
        "",
        "http:/x",
        "mygithub.com/o/r",
    ],
)
def test_paths(text: str) -> None:
    assert not is_remote(text)


@pytest.mark.parametrize(
    ("address", "repository", "revision", "is_pinned"),
    [
        (f"https://github.com/o/r//config/base?ref={COMMIT}", "github.com/o/r", COMMIT, True),
        (f"github.com/o/r/config/base?ref={COMMIT}&timeout=90s", "github.com/o/r", COMMIT, True),
        (f"https://raw.githubusercontent.com/o/r/{COMMIT}/a.yaml", "github.com/o/r", COMMIT, True),
        (f"https://gitlab.example/o/r/-/raw/{COMMIT}/a.yaml", "gitlab.example/o/r", COMMIT, True),
        (f"https://github.com/o/r/{COMMIT}/base", "github.com/o/r", "", False),
        (f"https://github.com/o/r?ref={COMMIT[:7]}", "github.com/o/r", COMMIT[:7], False),
        ("https://github.com/o/r?version=v1.2.0", "github.com/o/r", "v1.2.0", False),
        ("https://github.com/o/r/releases/download/v1/a.yaml", "github.com/o/r", "", False),
        ("HTTPS://www.GitHub.com/o/r", "github.com/o/r", "", False),
        ("git@github.com:o/r.git//base?ref=main", "github.com/o/r", "main", False),
        ("gh:o/r", "github.com/o/r", "", False),
        ("git::https://gitlab.example/g/o/r.git/base?ref=main", "gitlab.example/g/o/r", "main", False),
        ("ssh://git@host.example:2222/o/r.git//base", "host.example/o/r", "", False),
        ("https://user:secret@host.example/o/r", "host.example/o/r", "", False),
    ],
)
def test_addresses(address: str, repository: str, revision: str, is_pinned: bool) -> None:
    reference = read_reference(address)
    assert is_remote(address)
    assert (reference.repository, reference.revision, reference.is_pinned) == (repository, revision, is_pinned)


@pytest.mark.parametrize(
    ("address", "url", "path"),
    [
        ("github.com/o/r//base", None, "base"),
        (f"github.com/o/r?ref={COMMIT}", "https://github.com/o/r.git", ""),
        (f"github.com/o/r//config/base/?ref={COMMIT}", "https://github.com/o/r.git", "config/base"),
        (f"https://www.github.com/o/r/config/base?ref={COMMIT}", "https://github.com/o/r.git", "config/base"),
        (f"https://raw.githubusercontent.com/o/r/{COMMIT}/a/b.yaml", "https://github.com/o/r.git", "a/b.yaml"),
        (f"https://github.com/o/r/raw/{COMMIT}/a.yaml", "https://github.com/o/r.git", "a.yaml"),
        (f"https://gitlab.example/g/o/r/-/raw/{COMMIT}/a.yaml", "https://gitlab.example/g/o/r.git", "a.yaml"),
        (f"git::https://gitlab.example/g/o/r.git//base?ref={COMMIT}", "https://gitlab.example/g/o/r.git", "base"),
        (f"http://127.0.0.1:8080/o/r.git//base?ref={COMMIT}", "http://127.0.0.1:8080/o/r.git", "base"),
        (f"https://user:secret@host.example:444/o/r.git?ref={COMMIT}", "https://host.example:444/o/r.git", ""),
        (f"git@github.com:o/r.git//base?ref={COMMIT}", "https://github.com/o/r.git", "base"),
        (f"ssh://git@host.example:2222/o/r.git?ref={COMMIT}", "https://host.example/o/r.git", ""),
    ],
)
def test_where_a_commit_is_fetched_from(address: str, url: str | None, path: str) -> None:
    reference = read_reference(address)
    assert (reference.pinned, reference.path) == (None if url is None else PinnedSource(url, COMMIT), path)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r",
        "https://github.com/o/r.git",
        "https://github.com/o/r/",
        "ssh://git@github.com/o/r.git",
        "git@github.com:o/r",
        "gh:o/r",
        "https://token@github.com/o/r.git",
    ],
)
def test_one_repository_has_one_name(url: str) -> None:
    assert repository_name(url) == "github.com/o/r"


@given(st.text(st.sampled_from("git@hub.com/:?ref=&%0aA-_~#"), max_size=60))
def test_any_text_has_parts(text: str) -> None:
    reference = read_reference(text)
    assert reference.address == text
    assert reference.is_pinned == (len(reference.revision) == 40 and set(reference.revision) <= set("0123456789abcdef"))
