"""Archives: what is packed comes back, and nothing of another's archive leads out of the set or fills the memory."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.errors import RepositoryError
from gracegate.policy.sources import digest_of_files, pack, unpack, write_files
from gracegate.policy.sources.archive import bundle_files
from gracegate.policy.sources.files import LIMITS, MAX_BYTES

RULE = "rules/acme/a.rego"


def archive(*members: tarfile.TarInfo, contents: Iterable[bytes] = ()) -> bytes:
    packed = io.BytesIO()
    given_contents = iter(contents)
    with gzip.GzipFile(fileobj=packed, mode="wb") as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for one in members:
            content = next(given_contents, b"")
            one.size = len(content)
            tar.addfile(one, io.BytesIO(content))
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    one = tarfile.TarInfo(name)
    one.type, one.linkname = kind, target
    return one


def test_nothing() -> None:
    assert unpack(pack({}), "x") == unpack(archive(), "x") == {}


def test_the_files_of_a_set_come_back_and_nothing_else() -> None:
    files = {
        RULE: b"package x",
        "data/a/b.txt": b"1",
        "README.md": b"no",
        ".git/a.rego": b"no",
        "node_modules/a.yaml": b"",
    }
    wanted = {RULE: b"package x", "data/a/b.txt": b"1"}
    assert unpack(pack(files), "x") == wanted
    # As OPA writes its bundles, and as tar writes the folder `.`.
    assert unpack(archive(member(f"/{RULE}"), contents=[b"package x"]), "x") == {RULE: b"package x"}
    assert unpack(archive(member("./", tarfile.DIRTYPE), member(f"./{RULE}")), "x") == {RULE: b""}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"hello", "this is no .tar.gz archive", id="a text"),
        pytest.param(gzip.compress(b"hello" * 1000), "this is no .tar.gz archive", id="no tar"),
        pytest.param(pack({RULE: b"x" * 9000})[:-20], "this is no .tar.gz archive", id="cut off"),
        pytest.param(archive(member("../a.rego")), "the archive has the path `../a.rego`", id="above"),
        pytest.param(archive(member("a/../../b.rego")), "the archive has the path", id="above, hidden"),
        pytest.param(archive(member("a\\..\\b.rego")), "the archive has the path", id="a backslash"),
        pytest.param(archive(member("a\nb.rego")), "the archive has the path `a\\nb.rego`", id="a line break"),
        pytest.param(archive(member("a/" * 60 + "b.rego")), "the archive has the path", id="too deep"),
        pytest.param(
            archive(member("a.rego", tarfile.SYMTYPE, "/etc/passwd")), "neither a file nor a folder", id="link"
        ),
        pytest.param(archive(member("a.rego", tarfile.LNKTYPE, RULE)), "neither a file nor a folder", id="hard link"),
        pytest.param(archive(member("a.rego", tarfile.CHRTYPE)), "neither a file nor a folder", id="device"),
        pytest.param(archive(member("a.rego"), member("a.rego")), "the archive has `a.rego` twice", id="twice"),
        pytest.param(archive(member("a.rego"), member("a.rego/b.rego")), "as a file and as a folder", id="both"),
        pytest.param(archive(*(member(f"{n}.txt") for n in range(LIMITS.files + 1))), "at most 5,000 files", id="many"),
        pytest.param(archive(member("a.rego"), contents=[bytes(MAX_BYTES + 1)]), "20 MB together", id="large"),
        pytest.param(archive(member("a.bin"), contents=[bytes(60_000_000)]), "more than 50 MB", id="large beside"),
    ],
)
def test_what_is_refused(data: bytes, reason: str | None) -> None:
    with pytest.raises(RepositoryError) as error:
        unpack(data, "https://x.example/b.tar.gz")
    assert str(error.value).startswith("https://x.example/b.tar.gz: ")
    assert reason is None or reason in str(error.value)


def test_headers_that_claim_gigabytes_are_not_read() -> None:
    """A PAX header is read as a whole by tarfile, whatever it claims."""
    huge = tarfile.TarInfo("a")
    huge.type, huge.size = tarfile.XHDTYPE, 10_000_000_000
    with pytest.raises(RepositoryError):
        unpack(gzip.compress(huge.tobuf() + bytes(60_000_000)), "x")


PARTS = st.text("ab.\\/\x00é\n", max_size=6)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.GNUTYPE_SPARSE])


@given(
    st.lists(st.tuples(st.lists(PARTS, max_size=4).map("/".join), KINDS, st.sampled_from([".rego", ""])), max_size=5),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=4),
)
def test_whatever_an_archive_has_its_files_stay_below_the_folder(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, bytes, str]], changes: list[tuple[int, int]]
) -> None:
    plain = bytearray()
    for name, kind, suffix in names:
        with suppress(ValueError):
            plain += member(name + suffix, kind, "/etc/passwd").tobuf()
    plain += bytes(1024)
    for at, value in changes:
        if at < len(plain):
            plain[at] = value
    try:
        files = unpack(gzip.compress(bytes(plain)), "x")
    except RepositoryError:
        return
    top = tmp_path_factory.mktemp("unpacked")
    write_files(top / "set", files)
    assert [path.name for path in top.iterdir()] == ["set"]
    found = {path.relative_to(top / "set").as_posix() for path in (top / "set").rglob("*") if path.is_file()}
    assert found == set(files)
    assert not any(path.is_symlink() for path in top.rglob("*"))


@given(st.dictionaries(st.sampled_from([RULE, "lib/a.rego", "data/x/data.json", "a.yaml"]), st.binary(max_size=50)))
def test_pack_and_unpack(files: dict[str, bytes]) -> None:
    assert unpack(pack(files), "x") == files
    assert pack(files) == pack(dict(reversed(files.items())))


def test_digests_differ_where_files_do() -> None:
    sets: list[dict[str, bytes]] = [{}, {"a": b""}, {"a": b"b"}, {"ab": b""}, {"a": b"", "b": b""}]
    assert len({digest_of_files(one) for one in sets}) == len(sets)


@pytest.mark.parametrize(
    ("packed", "files"),
    [
        pytest.param({"data.json": b"{}"}, {}, id="no data"),
        pytest.param(
            {"data.json": b'{"data": {"teams": {"a": 1}}}'},
            {"data/data.json": b'{"teams": {"a": 1}}'},
            id="by opa build of a set",
        ),
        pytest.param({"data.json": b'{"teams": 1}'}, {"data/data.json": b'{"teams": 1}'}, id="of other layouts"),
        pytest.param({"data.yaml": b"teams: 1"}, {"data/data.yaml": b"teams: 1"}, id="YAML"),
        pytest.param({RULE: b"x", "data/data.json": b"{}"}, {RULE: b"x", "data/data.json": b"{}"}, id="a folder"),
        pytest.param({RULE: b"x"}, {RULE: b"x"}, id="rules alone"),
        pytest.param({"a.yaml": b"x"}, {"a.yaml": b"x"}, id="a file alone"),
        pytest.param(
            {f"acme/{RULE}": b"x", "acme/gracegate-policies.yaml": b"", "data.json": b'{"a": 1}'},
            {RULE: b"x", "gracegate-policies.yaml": b"", "data/data.json": b'{"a": 1}'},
            id="below the folder that was built",
        ),
        pytest.param({f"a/{RULE}": b"", "b/x.rego": b""}, {f"a/{RULE}": b"", "b/x.rego": b""}, id="two folders"),
    ],
)
def test_the_data_of_a_bundle(packed: dict[str, bytes], files: dict[str, bytes]) -> None:
    assert bundle_files(pack(packed), "x") == files


@pytest.mark.parametrize("files", [{"data.json": b"{"}, {"data.json": b'{"a": 1}', "data/data.json": b"{}"}])
def test_data_that_cannot_be_used(files: dict[str, bytes]) -> None:
    with pytest.raises(RepositoryError):
        bundle_files(pack(files), "x")


def test_files_are_written_for_this_user_alone(tmp_path: Path) -> None:
    write_files(tmp_path / "set", {RULE: b"x"})
    assert (tmp_path / "set" / RULE).read_bytes() == b"x"
    assert (tmp_path / "set").stat().st_mode & 0o777 == 0o700
