"""Patterns of paths: compared with git itself, and with patterns that make other matchers hang."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gracegate.repo_config.globs import path_matcher

NAMES = st.text(alphabet="ab-.]!#é", min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
BRACKETS = ("[]a]", "[!]]", "[a-]", "[-a]", "[\\]]", "[[:alpha:]]", "[![:punct:]]", "[[:x:]]", "[[:a]", "[a")
SEGMENTS = st.one_of(
    st.just("**"),
    st.lists(
        st.sampled_from(
            [*"ab.é-]*?\\", "\\a", "\\#", "\\!", "[ab]", "[!a]", "[!é]", "[^b]", "[a-b]", "[b-a]", *BRACKETS]
        ),
        max_size=5,
    ).map("".join),
)
PATTERNS = st.builds(
    lambda back, top, segments, end: f"{back}{top}{'/'.join(segments)}{end}",
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
).filter(lambda pattern: pattern.strip("!/") and "\\/" not in pattern and not _is_glued(pattern))


def _is_glued(pattern: str) -> bool:
    """Whether `**` ends a name that has no other wildcard before it, as in `a**/b`.

    The documentation calls it a regular star; git 2.x reads it as `**/` where all before it is plain text.
    """
    plain = pattern.lstrip("!").partition("*")[0]
    return "**" in pattern and not plain.endswith("/") and plain != ""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def _ignored_by_git(repository: Path, patterns: Sequence[str], paths: Sequence[str]) -> set[str]:
    (repository / ".git/info/exclude").write_text("".join(f"{pattern}\n" for pattern in patterns))
    command = ["git", "-C", str(repository), "check-ignore", "--no-index", "--stdin", "-z"]
    output = subprocess.run(command, input="\0".join(paths), capture_output=True, text=True, check=False).stdout
    return set(filter(None, output.split("\0")))


@given(patterns=st.lists(PATTERNS, min_size=1, max_size=4), paths=st.lists(PATHS, min_size=1, max_size=12))
@example(patterns=["[ab].yaml"], paths=["a.yaml", "x/b.yaml", "[ab].yaml", "c.yaml"])
@example(patterns=["[!a].yaml"], paths=["a.yaml", "x/b.yaml", "!.yaml", "c.yaml"])
@example(patterns=["apps/[a-c]*.yaml"], paths=["apps/a.yaml", "apps/cat.yaml", "apps/d.yaml", "x/apps/a.yaml"])
@example(patterns=["\\#x"], paths=["#x", "a/#x", "x", "\\#x"])
@example(patterns=["#x"], paths=["#x"])
@example(patterns=["a", "!a/b"], paths=["a/b", "a"])
@example(patterns=["a/**/b/**/c"], paths=["a/b/c", "a/x/b/y/z/c", "a/b/b/c/c", "a/c", "a/b/c/d"])
@example(patterns=["**/a/*/b"], paths=["a/a/a/b", "x/a/y/b", "a/b", "x/a/y/z/b"])
@example(patterns=["a/[b/]c"], paths=["a/bc", "a//c", "a/c"])
def test_patterns_match_as_git_ignores(repository: Path, patterns: list[str], paths: list[str]) -> None:
    # git refuses an absolute path and one with `//`.
    paths = [path for path in dict.fromkeys(paths) if "//" not in path]
    matches = path_matcher(tuple(patterns))
    assert {path for path in paths if matches(path)} == _ignored_by_git(repository, patterns, paths)


@pytest.mark.parametrize(
    ("patterns", "path"),
    [
        pytest.param(["**/a*a*a*a*a*a*b"], "x/" + "a" * 200, id="stars in a name"),
        pytest.param(["*a*a*a*a*a*a*a*a*c"], "a" * 200, id="stars in a name at any depth"),
        pytest.param(["a*" * 200 + "b"], "a" * 250, id="200 stars"),
        pytest.param(["/" + "**/a/" * 20 + "b"], "a/" * 1000 + "c", id="directories at any depth"),
        pytest.param(["**/*a*/" * 20 + "b"], "aaaa/" * 800 + "c", id="both"),
        pytest.param(["[a-z]*" * 50 + "0"], "a" * 250, id="stars between brackets"),
        pytest.param([f"**/{i}*a*a*a*a*b" for i in range(1000)], "x/" + "a" * 250, id="1,000 patterns"),
    ],
)
def test_hostile_patterns_do_not_match_and_end(patterns: list[str], path: str) -> None:
    # The limit is the test run's: with backtracking each of these takes longer than the age of the universe.
    assert path_matcher(tuple(patterns))(path) is False
