"""`make load`: how fast webhooks are answered, whether any is lost, and how many reviews a CPU does.

First 2,000 deliveries at 50 and at 100 a second, on both databases, while the workers review. The service and an empty
Flask view under the same gunicorn get them in turns, a hundred at a time, so that the same noise is around both. None
may be lost, `/readyz` has to answer, the queue has to drain, and the service's p99 may be three times the empty view's.
Then 200 pull requests are reviewed with 1, 2 and 4 workers on both databases. The CPU seconds are those of all
processes of the service, with their children, and not of PostgreSQL or the fake GitHub.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import http.client
import json
import math
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa

from gracegate.settings import JobSettings
from tests.bench.table import log_progress, print_table
from tests.demo.stage import ROOT, Peer, Stage, service_environment
from tests.postgresql import create_database, start_server
from tests.processes import Running, exit_on, free_port, wait_for
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_DRAIN

REPOSITORY = "shop/manifests"
JOBS = JobSettings()
SETTINGS = {
    "GRACEGATE_WRITE_GAP": "0",
    "GRACEGATE_NOTIFY_GAP": "0",
    # The stage has shorter times than the service has by default.
    "GRACEGATE_POLL_SECONDS": str(JOBS.poll),
    "GRACEGATE_HEARTBEAT_SECONDS": str(JOBS.heartbeat),
    "GRACEGATE_DEAD_SECONDS": str(JOBS.dead_after),
}
DATABASES = ("SQLite", "PostgreSQL")
RATIO = 3.0
"""How many times slower than the empty view the service may be, at the 99th percentile."""
BLOCK = 100
"""Deliveries that the service, and then the empty view, gets in one go."""
PATIENCE = 3600.0
"""Seconds in which a queue has to drain."""
PADDING = "x" * 20_000
"""What makes a payload as long as GitHub's: here the description of the pull request."""


class EmptyView(Peer):
    """See tests.bench.empty_view."""

    def __init__(self, folder: Path, app: Mapping[str, Any], github: str) -> None:
        folder.mkdir()
        bind = f"127.0.0.1:{free_port()}"
        own = {"GRACEGATE_BIND": bind, "GRACEGATE_PUBLIC_URL": f"http://{bind}", "PYTHONPATH": str(ROOT)}
        environment = {**service_environment(folder, app, github), **own}
        running = Running([sys.executable, "-m", "tests.bench.empty_view"], environment, folder / "empty.log")
        super().__init__(f"http://{bind}", running, "/healthz")


@dataclass(frozen=True)
class Shop:
    """A repository with open pull requests on a fake GitHub, whose service reviews it."""

    stage: Stage
    database: str
    secret: str
    installation: int
    repository_id: int
    heads: Mapping[int, str]

    def delivery(self, number: int, action: str) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of a delivery about a pull request."""
        payload = {
            "action": action,
            "number": number,
            "pull_request": {"number": number, "head": {"sha": self.heads[number]}, "body": PADDING},
            "repository": {"id": self.repository_id, "full_name": REPOSITORY},
            "installation": {"id": self.installation},
        }
        body = json.dumps(payload).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return body, {
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}",
        }

    def stored(self, ids: Sequence[str]) -> int:
        """How many of these deliveries are in the database."""
        url = sa.make_url(self.database)
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg") if "postgresql" in url.drivername else url)
        with engine.connect() as connection:
            found = set(connection.scalars(sa.text("SELECT id FROM delivery")))
        engine.dispose()
        return len(found & set(ids))

    def unreviewed(self) -> list[int]:
        """The pull requests whose newest check is not concluded."""
        (repository,) = self.stage.fake.read("state")["repositories"]
        return [
            pull["number"]
            for pull in repository["pulls"]
            if not pull["checks"] or pull["checks"][0]["conclusion"] in {None, "cancelled"}
        ]


@contextmanager
def start_shop(folder: Path, database: str, pull_requests: int, workers: int) -> Iterator[Shop]:
    """A service that has reviewed the first pull request, so that its caches are warm, and has not heard of others."""
    folder.mkdir()
    settings = {**SETTINGS, "GRACEGATE_WORKERS": str(workers)}
    url = f"sqlite:///{folder / 'service' / 'data' / 'gracegate.db'}"
    with ExitStack() as started:
        if database == "PostgreSQL":
            url = create_database(started.enter_context(start_server()).url)
        stage = started.enter_context(Stage(folder, **settings, GRACEGATE_DATABASE=url))
        call = stage.fake.call
        call("create_repository", full_name=REPOSITORY)
        call("push", full_name=REPOSITORY, branch="main", files={"service.yaml": SERVICE})
        heads = {}
        for number in range(1, pull_requests + 1):
            manifest = WITHOUT_DRAIN if number % 2 else DEPLOYMENT
            files = {f"apps/{number}/web.yaml": manifest}
            heads[number] = call("push", full_name=REPOSITORY, branch=f"change-{number}", files=files)
            call("open_pull_request", full_name=REPOSITORY, head=f"change-{number}")
            if number == 1:
                stage.wait_until_reviewed()
                stage.fake.send_webhooks_to(None)
        opened = next(one for one in stage.fake.read("deliveries") if one["event"] == "pull_request")
        secret = stage.fake.read("app")["webhook_secret"]
        yield Shop(stage, url, secret, opened["installation_id"], opened["repository_id"], heads)


# Deliveries


@dataclass
class Answers:
    """What came back: seconds by delivery, and how many answers there were of each status (0: none)."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def percentile(self, number: int) -> float:
        """In milliseconds."""
        return statistics.quantiles(self.seconds, n=100)[number - 1] * 1000


def send(url: str, body: bytes, headers: Mapping[str, str], answers: Answers) -> None:
    """On a connection of its own, as GitHub does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    started, status = time.perf_counter(), 0
    try:
        connection.request("POST", parts.path, body, dict(headers))
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except OSError:
        pass
    finally:
        connection.close()
    with answers.lock:
        answers.seconds.append(time.perf_counter() - started)
        answers.statuses[status] += 1


def send_at(rate: float, url: str, deliveries: Sequence[tuple[bytes, dict[str, str]]], answers: Answers) -> None:
    """Sends so many a second, whether or not the ones before have been answered."""
    with ThreadPoolExecutor(50) as threads:
        begin = time.perf_counter()
        for count, (body, headers) in enumerate(deliveries):
            time.sleep(max(0.0, begin + count / rate - time.perf_counter()))
            threads.submit(send, url, body, headers, answers)


@contextmanager
def readiness(url: str) -> Iterator[Answers]:
    """Asks /readyz twice a second as long as the context."""
    answers, ended = Answers(), threading.Event()

    def ask() -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not ended.wait(0.5):
                started, status = time.perf_counter(), 0
                try:
                    status = session.get(f"{url}/readyz", timeout=10).status_code
                except requests.RequestException:
                    session.close()
                answers.seconds.append(time.perf_counter() - started)
                answers.statuses[status] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


def measure_answers(folder: Path, database: str, rate: int, given: argparse.Namespace) -> dict[str, object]:
    log_progress(f"{database}: {given.deliveries} deliveries at {rate}/s")
    with start_shop(folder, database, given.pull_requests, workers=1) as shop:
        stage = shop.stage
        with EmptyView(folder / "empty", stage.fake.read("app"), stage.fake.url) as empty:
            numbers = (1 + count % given.pull_requests for count in range(given.deliveries))
            deliveries = [shop.delivery(number, "synchronize") for number in numbers]
            ours, theirs = Answers(), Answers()
            with readiness(stage.service.url) as ready:
                for start in range(0, len(deliveries), BLOCK):
                    block = deliveries[start : start + BLOCK]
                    send_at(rate, stage.service.webhook_url, block, ours)
                    send_at(rate, f"{empty.url}/webhooks/github", block, theirs)
        sent = time.monotonic()
        log_progress("  all are sent; waiting for the queue to drain")
        wait_for("the queue to drain", stage.service.is_idle, PATIENCE)
        stored = shop.stored([headers["X-GitHub-Delivery"] for _, headers in deliveries])
        return {
            "database": database,
            "per second": rate,
            "deliveries": len(deliveries),
            "answered 202": ours.statuses[202],
            "lost": len(deliveries) - stored,
            "p50 ms": ours.percentile(50),
            "p99 ms": ours.percentile(99),
            "empty p50": theirs.percentile(50),
            "empty p99": theirs.percentile(99),
            "p99 ratio": ours.percentile(99) / theirs.percentile(99),
            "ready": f"{ready.statuses[200]}/{ready.statuses.total()}",
            "slowest readyz ms": max(ready.seconds) * 1000,
            "drained after s": time.monotonic() - sent,
            "unreviewed": len(shop.unreviewed()),
        }


def is_right(row: Mapping[str, Any]) -> bool:
    ready, asked = row["ready"].split("/")
    is_answered = row["answered 202"] == row["deliveries"] and ready == asked
    return is_answered and row["lost"] == row["unreviewed"] == 0


# Reviews


def cpu_seconds(pid: int) -> float:
    """What a process, all below it, and those of them that have ended, have used so far."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        own = int(path.parent.name)
        parents[own] = int(fields[1])
        # utime, stime, and those of the children that were waited for.
        used[own] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return sum(seconds for own, seconds in used.items() if _is_below(own, pid, parents))


def _is_below(pid: int, top: int, parents: Mapping[int, int]) -> bool:
    while pid not in {top, 0}:
        pid = parents.get(pid, 0)
    return pid == top


def measure_reviews(folder: Path, database: str, workers: int, given: argparse.Namespace) -> dict[str, object]:
    log_progress(f"{database}: {given.reviews} reviews by {workers} workers")
    with start_shop(folder, database, given.reviews + 1, workers) as shop:
        stage, answers = shop.stage, Answers()
        supervisor = stage.service.running.process.pid
        deliveries = [shop.delivery(number, "opened") for number in shop.heads if number > 1]
        used, began = cpu_seconds(supervisor), time.monotonic()
        send_at(100, stage.service.webhook_url, deliveries, answers)
        wait_for("the reviews", stage.service.is_idle, PATIENCE)
        seconds, cpu = time.monotonic() - began, cpu_seconds(supervisor) - used
        log_progress(f"  {seconds:.0f} s, {given.reviews / cpu:.2f} reviews per CPU second")
        return {
            "database": database,
            "workers": workers,
            "reviews": given.reviews,
            "unreviewed": len(shop.unreviewed()),
            "seconds": seconds,
            "CPU seconds": cpu,
            "reviews per minute": 60 * given.reviews / seconds,
            "reviews per CPU second": given.reviews / cpu,
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--pull-requests", type=int, default=20, help="what the deliveries are about")
    parser.add_argument("--reviews", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="a small load on SQLite, to see that all of it works")
    parser.add_argument("--only", choices=("deliveries", "reviews"))
    given = parser.parse_args()
    databases, per_second, workers, ratio = DATABASES, (50, 100), (1, 2, 4), RATIO
    if given.quick:
        # Too few for a percentile.
        databases, per_second, workers, ratio = DATABASES[:1], (50,), (1,), math.inf
        given.deliveries, given.pull_requests, given.reviews = 50, 3, 2
    exit_on(signal.SIGTERM)
    answers, reviews = [], []
    with tempfile.TemporaryDirectory(prefix="gracegate-load-") as scratch:
        if given.only != "reviews":
            rates = [(database, rate) for database in databases for rate in per_second]
            answers = [measure_answers(Path(scratch) / f"{at[0]}-{at[1]}", *at, given) for at in rates]
        if given.only != "deliveries":
            sizes = [(database, count) for database in databases for count in workers]
            reviews = [measure_reviews(Path(scratch) / f"{at[0]}-{at[1]}-workers", *at, given) for at in sizes]
    for rows in filter(None, (answers, reviews)):
        print_table(rows)
        print()
    are_right = all(is_right(row) and row["p99 ratio"] <= ratio for row in answers)
    return 0 if are_right and not any(row["unreviewed"] for row in reviews) else 1


if __name__ == "__main__":
    sys.exit(main())
