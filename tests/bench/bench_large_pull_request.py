"""One review of a pull request that adds many YAML files: python tests/bench/bench_large_pull_request.py

Fetches, compares and checks it as a worker does, from a repository on this disk. Prints the seconds of each step, what
the review ends as, and the peak memory of the worker's process and of the check's child.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gracegate.errors import EngineError
from gracegate.git import TreeFetcher
from gracegate.manifests import is_candidate
from gracegate.review import sandbox
from gracegate.review.sandboxed_check import CheckJob
from gracegate.settings import Settings
from tests.shop import WITHOUT_DRAIN

VALUES = "image:\n  repository: registry.example.com/shop/web-{n}\n  tag: v{n}\nreplicas: 3\nenv: [a, b, c]\n"


def text(number: int, manifests: int) -> str:
    """The file of this number; the first `manifests` are Deployments."""
    if number < manifests:
        return WITHOUT_DRAIN.replace("name: web", f"name: web-{number}")
    return VALUES.format(n=number)


def make_repository(folder: Path, files: int, manifests: int) -> tuple[str, str]:
    """A bare repository; the SHAs of an empty commit and of one that adds all files."""
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet", "--bare", "."], check=True)
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run([*git, "config", name, "true"], check=True)
    who = "a <a@example.com> 0 +0000"
    stream = [
        f"commit refs/heads/main\ncommitter {who}\ndata 0\n",
        f"commit refs/heads/change\ncommitter {who}\ndata 0\n",
    ]
    stream.append("from refs/heads/main\n")
    for number in range(files):
        content = text(number, manifests)
        stream.append(f"M 644 inline apps/{number // 200}/{number}.yaml\ndata {len(content)}\n{content}\n")
    subprocess.run([*git, "fast-import", "--quiet"], input="".join(stream).encode(), check=True)
    heads = ("refs/heads/main", "refs/heads/change")
    shas = [subprocess.check_output([*git, "rev-parse", head], text=True).strip() for head in heads]
    return shas[0], shas[1]


@contextmanager
def timed(step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{step:12} {time.monotonic() - started:7.1f} s   peak so far {peak:5} MB", flush=True)


def review(repository: Path, cache: Path, base: str, head: str) -> None:
    settings = Settings("1", "", (), (), cache, "")
    url = repository.as_uri()
    fetcher = TreeFetcher(cache / "git")
    with timed("fetch"):
        trees = fetcher.fetch_trees(url, None, {base: is_candidate, head: is_candidate})
    with timed("diff"):
        diff = fetcher.read_diff(url, base, head, is_candidate)
    job = CheckJob(
        trees[base], trees[base], trees[head], tuple(diff), dt.date(2026, 1, 1), None, cache / "wasm",
        settings.check_seconds, settings.limits,
    )  # fmt: skip
    with timed("check"):
        try:
            report = sandbox.run_check(job, settings.check_seconds, settings.check_memory_mb)
            print(
                report.verdict,
                report.totals,
                f"{len(report.findings):,} findings",
                [p.message for p in report.problems][:3],
            )
        except EngineError as error:
            print(f"{type(error).__name__}: {error}")
    print(f"largest child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--manifests", type=int, default=0, help="how many of them are Deployments")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "origin.git").mkdir()
        base, head = make_repository(folder / "origin.git", options.files, options.manifests)
        review(folder / "origin.git", folder / "cache", base, head)


if __name__ == "__main__":
    main()
