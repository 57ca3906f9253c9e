"""Every API server that a fix may be applied to accepts what it makes."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from gracegate.check import fix_all
from gracegate.manifests import read_manifest, render_nothing
from gracegate.model import SourceFile
from gracegate.policy import Cluster
from tests.apiserver.server import errors
from tests.closure.corpora import CATALOG, Files, before, corpora, examples, request

MINORS = (28, 30, 34, 37)

each_version = pytest.mark.parametrize("minor", [pytest.param(minor, id=f"1.{minor}") for minor in MINORS])
each_corpus = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in corpora()])


@cache
def fixed(name: str, minor: int) -> dict[str, str]:
    """A corpus after all safe fixes for clusters from 1.`minor` on."""
    files = corpora()[name]
    done = fix_all(request(files, f"min_kubernetes_version: '1.{minor}'", before(name)), render_nothing).files
    return {**files, **{path: new for path, (_, new) in done.items()}}


def api_errors(files: Files, minor: int) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        (path, document.ref.kind, document.ref.name, error)
        for path, text in files.items()
        for document in read_manifest(SourceFile(path, text.encode()), "").documents
        if not document.is_fragment
        for error in errors(document.object, minor)
    )


@each_version
@each_corpus
def test_a_fix_brings_no_refusal_from_its_oldest_version_on(name: str, minor: int) -> None:
    for later in (m for m in MINORS if m >= minor):
        assert api_errors(fixed(name, minor), later) - api_errors(corpora()[name], later) == Counter()


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in examples() if CATALOG.rules[name].fix == "safe"]
)
def test_an_example_is_taken_once_it_is_fixed(name: str) -> None:
    """Examples are written for the oldest version that gracegate takes for granted."""
    oldest = Cluster().min_minor
    changed = fixed(name, oldest) != corpora()[name]
    for minor in (m for m in MINORS if m >= oldest):
        assert not changed or api_errors(fixed(name, oldest), minor) == Counter()
