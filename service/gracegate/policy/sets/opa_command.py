"""The `opa` command on Rego that others wrote: without environment, without network, with a limit of time."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gracegate.errors import ConfigError, RulesError
from gracegate.policy.sources import write_files

T = TypeVar("T")

ENTRYPOINT = "gracegate/main/report"
_SECONDS = 120.0
_V0 = "this is Rego v0, and rules are Rego v1: `opa fmt --rego-v1 --write` rewrites it"


class OpaCommand:
    """The OPA at `binary`, for the Rego files below `folder`, whose paths messages are relative to."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary = shutil.which(binary) or str(binary)
        self._folder = folder

    def parse(self, file: str) -> dict[str, Any]:
        """The syntax tree of a file, as OPA writes it with locations. Raises RulesError with all mistakes.

        Nothing is compiled, so that OPA fetches no schema that METADATA names.
        """
        tree, older = self._parse(file)
        if older is not None:
            raise RulesError(_V0, file=file, line=older.line)
        return tree

    def parse_any(self, file: str) -> tuple[dict[str, Any], bool]:
        """The syntax tree of a file in Rego v1 or v0, as `parse`, and whether it is v0. Raises RulesError."""
        tree, older = self._parse(file)
        return tree, older is not None

    def _parse(self, file: str) -> tuple[dict[str, Any], RulesError | None]:
        """The syntax tree, and where it is Rego v0, what is wrong with it as v1."""
        options = ["--format", "json", "--json-include", "locations,-comments", file]
        done = self._run("parse", *options)
        if done.returncode == 0:
            return json.loads(done.stdout), None
        older = self._run("parse", "--v0-compatible", *options)
        if older.returncode == 0:
            return json.loads(older.stdout), _mistakes(done)[0]
        raise RulesError.of(_mistakes(done))

    def check(self, capabilities: Path) -> None:
        """Compiles all files strictly. Raises RulesError with all mistakes."""
        done = self._run("check", "--strict", "--format", "json", "--capabilities", str(capabilities), ".")
        if done.returncode != 0:
            raise RulesError.of(_mistakes(done))

    def check_bundle(self, capabilities: Path) -> None:
        """Compiles the files as a bundle, each in the Rego that its manifest says. Raises RulesError."""
        done = self._run("check", "--format", "json", "--capabilities", str(capabilities), "--bundle", ".")
        if done.returncode != 0:
            raise RulesError.of(_mistakes(done))

    def build_wasm(self, capabilities: Path, bundle: Path) -> bytes:
        """The Wasm of the entrypoint of all files but tests; `bundle` is a path for what OPA writes."""
        options = ["-t", "wasm", "-e", ENTRYPOINT, "--capabilities", str(capabilities), "--ignore", "*_test.rego"]
        done = self._run("build", *options, "-b", ".", "-o", str(bundle))
        if done.returncode != 0:
            raise RulesError(f"OPA rejects the rules: {_words(done)}")
        with tarfile.open(bundle) as archive:
            members = [archive.extractfile(member) for member in archive if member.name == "/policy.wasm"]
            return b"".join(member.read() for member in members if member)

    def run_tests(self, capabilities: Path) -> list[dict[str, Any]]:
        """A result for each test, with the trace of one that fails. Raises RulesError where they do not compile."""
        done = self._run("test", "--format", "json", "--var-values", "--capabilities", str(capabilities), ".")
        try:
            found = json.loads(done.stdout or "[]")
        except ValueError:
            found = None
        if not isinstance(found, list) or done.returncode not in {0, 2}:
            raise RulesError.of(_mistakes(done))
        return found

    def uncovered_lines(self, capabilities: Path) -> dict[str, tuple[int, ...]]:
        """The lines by file that no test evaluates; the tests must not fail."""
        done = self._run("test", "--coverage", "--format", "json", "--capabilities", str(capabilities), ".")
        files = json.loads(done.stdout)["files"] if done.returncode == 0 else {}
        return {file: tuple(sorted({*_rows(coverage.get("not_covered", ()))})) for file, coverage in files.items()}

    def printed(self, opa_input: Mapping[str, Any]) -> list[str]:
        """What the rules print() for an input, line by line. Raises RulesError where they cannot be evaluated."""
        (self._folder.parent / "input.json").write_text(json.dumps(opa_input), encoding="utf-8")
        query = f"data.{ENTRYPOINT.replace('/', '.')}"
        done = self._run("eval", "--format", "discard", "--input", "../input.json", "--data", ".", query)
        if done.returncode != 0:
            raise RulesError(f"OPA cannot evaluate the rules: {_words(done)}")
        return done.stderr.splitlines()

    def profile(self, opa_input: Mapping[str, Any], data: Mapping[str, Any]) -> list[tuple[str, float]]:
        """The lines that an evaluation takes its time for, as `file:line`, with the seconds of each. Raises RulesError
        where the rules cannot be evaluated."""
        (self._folder.parent / "input.json").write_text(json.dumps(opa_input), encoding="utf-8")
        release = {**data, "gracegate_release": {"digest": ""}}
        (self._folder.parent / "data.json").write_text(json.dumps(release), encoding="utf-8")
        options = ["--profile", "--profile-limit", "50", "--format", "json", "--input", "../input.json"]
        query = f"data.{ENTRYPOINT.replace('/', '.')}"
        done = self._run("eval", *options, "--data", ".", "--data", "../data.json", query)
        if done.returncode != 0:
            raise RulesError(f"OPA cannot evaluate the rules: {_words(done)}")
        seconds: dict[str, float] = {}
        for one in json.loads(done.stdout).get("profile", ()):
            place = f"{one['location']['file'].removeprefix('./')}:{one['location']['row']}"
            seconds[place] = seconds.get(place, 0.0) + one["total_time_ns"] / 1e9
        return [*seconds.items()]

    def inspect(self) -> list[dict[str, Any]]:
        """The annotations of all files, each with its path and location."""
        done = self._run("inspect", "-a", "-f", "json", ".")
        if done.returncode != 0:
            raise RulesError(f"OPA rejects the rules: {_words(done)}")
        annotations: list[dict[str, Any]] = json.loads(done.stdout)["annotations"]
        return annotations

    def capabilities(self) -> dict[str, Any]:
        """All that this OPA can do."""
        found: dict[str, Any] = json.loads(self._run("capabilities", "--current").stdout)
        return found

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self._binary, command, *arguments],
                cwd=self._folder,
                env={},
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except OSError as error:
            raise ConfigError(f"{self._binary} cannot be started: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise RulesError(f"OPA takes longer than {_SECONDS:.0f} s to compile the rules") from error


def _rows(ranges: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    return (row for one in ranges for row in range(one["start"]["row"], one["end"]["row"] + 1))


def _mistakes(done: subprocess.CompletedProcess[str]) -> Sequence[RulesError]:
    """OPA's errors, the first of each line: others follow from it."""
    try:
        found = json.loads(done.stdout or done.stderr)["errors"]
    except (ValueError, LookupError):
        return [RulesError(f"OPA rejects the rules: {_words(done)}")]
    places: dict[tuple[object, object], RulesError] = {}
    for one in found:
        place = one.get("location") or {}
        file, line = place.get("file"), place.get("row")
        mistake = RulesError(str(one.get("message")), file=str(file).removeprefix("./") if file else None, line=line)
        places.setdefault((file, line), mistake)
    return [*places.values()]


def _words(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr or done.stdout).strip()[:2000]


@contextmanager
def written_modules(modules: Mapping[str, str]) -> Iterator[Path]:
    """A folder with nothing but these files, so that nothing else gets into what OPA makes of them."""
    with tempfile.TemporaryDirectory(prefix="gracegate-policies-") as name:  # mode 0700
        folder = Path(name, "policies")
        write_files(folder, {path: text.encode() for path, text in modules.items()})
        yield folder


def parse_all(parse: Callable[[str], T], files: Iterable[str]) -> tuple[dict[str, T], list[RulesError]]:
    """What `parse` makes of each of the files, and all mistakes in those that it cannot parse."""
    parsed: dict[str, T] = {}
    mistakes: list[RulesError] = []
    for file in files:
        try:
            parsed[file] = parse(file)
        except RulesError as error:
            mistakes += error.mistakes
    return parsed, mistakes
