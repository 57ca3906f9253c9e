"""Files that save work: those who may trust them find them, and without them nothing but time is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gracegate.file_cache import FileCache

LARGE = 1000


def test_what_was_written_is_read_by_others(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    cache = FileCache(folder, LARGE)
    assert cache.read("a") is None
    cache.write("a", b"one")
    cache.write("a", b"two")
    assert FileCache(folder, LARGE).read("a") == b"two"
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = FileCache(folder, LARGE)
    cache.write("a", b"one")
    folder.chmod(0o777)
    assert cache.read("a") is None
    cache.write("b", b"two")
    folder.chmod(0o700)
    assert (cache.read("a"), cache.read("b")) == (b"one", None)


def test_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = FileCache(tmp_path / "file" / "cache", LARGE)
    cache.write("a", b"one")
    assert cache.read("a") is None


@pytest.mark.parametrize(
    ("max_bytes", "left"), [(10, ["a", "b", "c"]), (9, ["a", "b", "c"]), (8, ["a", "c"]), (5, ["a"]), (0, [])]
)
def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, max_bytes: int, left: list[str]) -> None:
    cache = FileCache(tmp_path, LARGE)
    for number, name in enumerate("abc"):
        cache.write(name, b"xyz")
        os.utime(tmp_path / name, (number, number))
    cache.read("a")
    FileCache(tmp_path, max_bytes).write("new", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == [*left, "new"]
