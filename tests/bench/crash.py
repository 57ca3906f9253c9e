"""`make crash`: processes die at random while pull requests change, and nothing may be lost.

In each configuration (SQLite and PostgreSQL, with 1 and 3 workers) six pull requests get 200 events: pushes, closes,
reopens, re-runs and repeated deliveries. Meanwhile web, worker, child and OPA are killed 60 times, and PostgreSQL is
restarted. Then nothing is done by hand: within some minutes the newest check of each open head has to be concluded with
the right verdict, no run may be left and no check pending, each finding has to have one comment. Prints a table and
ends with 1 if one of its counts of mistakes is not 0. What happens, and when, follows from --seed; what is hit does
not.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.bench.table import log_progress, print_table
from tests.e2e.scene import Scene, start_scene
from tests.fakegithub.state import PullRequest
from tests.postgresql import Server, create_database, start_server
from tests.processes import WaitFailed, exit_on, wait_for
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_DRAIN

REPOSITORY = "shop/manifests"
PULL_REQUESTS = 6
SETTINGS = {
    "GRACEGATE_WRITE_GAP": "0",
    "GRACEGATE_NOTIFY_GAP": "0",
    "GRACEGATE_RECONCILE_SECONDS": "15",
}
HEADS: Mapping[str, tuple[str, str, str]] = {
    "clean": (DEPLOYMENT.replace("replicas: 2", "replicas: 3"), "success", ""),
    "faulty": (WITHOUT_DRAIN, "failure", "1 error"),
    "unreadable": (DEPLOYMENT + "  broken: [\n", "failure", "1 file could not be read"),
    "unchanged": (DEPLOYMENT, "success", ""),
}
"""What a push makes of web.yaml, the conclusion that it has to get, and words of the check's title."""

PROCESSES = {
    "web": r"\S+ -m gracegate serve --web-only",
    "worker": r"\S+ -m gracegate worker",
    "child": r"\S+ -m gracegate\.review\.sandbox",
    "opa": r"\S+/opa run",
}
"""The command lines of what is killed."""

_MARKER = re.compile(r"<!-- gracegate:v1 state=open f=([0-9a-f,]+) ")


@dataclass(frozen=True)
class Configuration:
    database: str
    workers: int

    def __str__(self) -> str:
        return f"{self.database}, {self.workers} worker{'s' if self.workers > 1 else ''}"


CONFIGURATIONS = tuple(Configuration(database, workers) for database in ("SQLite", "PostgreSQL") for workers in (1, 3))


@dataclass
class Chaos:
    """What happens to the pull requests and to the processes of one service. `heads` is what each branch holds."""

    scene: Scene
    random: random.Random
    server: Server | None
    numbers: list[int] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    pushes: int = 0

    def open_pull_requests(self) -> None:
        for _ in range(PULL_REQUESTS):
            number = len(self.numbers) + 1
            self._push(number)
            opened = self.scene.fake.open_pull_request(REPOSITORY, _branch(number))
            assert opened == number
            self.numbers.append(number)

    # Events

    def push(self) -> None:
        self._push(self.random.choice(self.numbers))

    def _push(self, number: int) -> None:
        self.pushes += 1
        kind = self.random.choice(list(HEADS))
        files = {"web.yaml": HEADS[kind][0], "README.md": f"# Push {self.pushes}\n"}
        # By force now and then: on main, so that the commits before it are gone.
        onto = "main" if self.random.random() < 0.3 else None
        self.scene.push(files, _branch(number), onto=onto)
        self.heads[number] = kind

    def close(self) -> None:
        self._turn("open", self.scene.fake.close_pull_request)

    def reopen(self) -> None:
        self._turn("closed", self.scene.fake.reopen_pull_request)

    def _turn(self, state: str, turn: Callable[[str, int], None]) -> None:
        found = [number for number in self.numbers if self.scene.pull(number).state == state]
        if found:
            turn(REPOSITORY, self.random.choice(found))
        else:
            self.push()

    def redeliver(self) -> None:
        """A delivery that arrived comes again. Those that failed are for the service to find."""
        arrived = [one.id for one in list(self.scene.fake.deliveries) if one.status == "OK"]
        if arrived:
            self.scene.fake.redeliver(self.random.choice(arrived))

    def run_again(self) -> None:
        checks = self.scene.checks(self.random.choice(self.numbers))
        if checks:
            self.scene.fake.rerequest_check_run(checks[0].id)

    # Crashes

    def kill(self) -> None:
        """Kills a process of a random kind, or of another if there is none of that within some seconds."""
        kind = self.random.choice(list(PROCESSES))
        with suppress(WaitFailed):
            wait_for(kind, lambda: self._kill(kind), 5.0)
            return
        wait_for("a process", lambda: self._kill("worker") or self._kill("web"))

    def _kill(self, kind: str) -> bool:
        pids = self.scene.pids(PROCESSES[kind])
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(pids), signal.SIGKILL)
            self.kills[kind] += 1
            return True
        return False

    def restart_database(self) -> None:
        assert self.server is not None
        self.server.restart()
        self.kills["database"] += 1


def _branch(number: int) -> str:
    return f"change-{number}"


def play(chaos: Chaos, events: int, kills: int, pause: float) -> None:
    """All that happens, in a random order, `pause` seconds from one to the next in the mean."""
    acts = chaos.random.choices(
        [chaos.push, chaos.close, chaos.reopen, chaos.redeliver, chaos.run_again], [40, 10, 15, 20, 15], k=events
    )
    acts += [chaos.kill] * kills
    if chaos.server is not None:
        acts += [chaos.restart_database] * max(1, kills // 15)
    chaos.random.shuffle(acts)
    for count, act in enumerate(acts, 1):
        act()
        if count % 25 == 0:
            log_progress(f"  {count} of {len(acts)}: killed {dict(chaos.kills)}")
        time.sleep(chaos.random.uniform(0, 2 * pause))


@dataclass(frozen=True)
class Mistakes:
    """What is wrong once the service has come to rest."""

    wrong_verdicts: list[str]
    pending_checks: list[str]
    duplicate_comments: list[str]
    missing_comments: list[str]

    def __bool__(self) -> bool:
        return any(vars(self).values())


def find_mistakes(chaos: Chaos) -> Mistakes:
    world = chaos.scene.fake.world
    with world.lock:
        pulls = [chaos.scene.pull(number) for number in chaos.numbers]
        opened = [pull for pull in pulls if pull.state == "open"]
        pending = [run for run in world.check_runs.values() if run.status != "completed"]
        return Mistakes(
            [text for pull in opened if (text := _wrong_verdict(chaos, pull))],
            [f"check {run.id} of {run.external_id} is {run.status}" for run in pending],
            [text for pull in pulls for text in _duplicates(pull)],
            [text for pull in opened if (text := _wrong_comments(chaos, pull))],
        )


def _wrong_verdict(chaos: Chaos, pull: PullRequest) -> str:
    kind = chaos.heads[pull.number]
    newest = next(iter(chaos.scene.checks(pull.number)), None)
    _, conclusion, words = HEADS[kind]
    if newest is not None and newest.conclusion == conclusion and words in (newest.title or ""):
        return ""
    found = f"{newest.conclusion}, {newest.title!r}" if newest else "no check"
    return f"#{pull.number}, {kind}, {pull.head_sha[:7]}: {found}"


def _open_findings(pull: PullRequest) -> list[str]:
    """The findings of the comments that are not marked as fixed."""
    markers = (_MARKER.search(comment.body) for comment in pull.comments)
    return [finding for marker in markers if marker for finding in marker[1].split(",")]


def _duplicates(pull: PullRequest) -> list[str]:
    counts = Counter(_open_findings(pull))
    return [f"#{pull.number}: {count} comments on finding {name}" for name, count in counts.items() if count > 1]


def _wrong_comments(chaos: Chaos, pull: PullRequest) -> str:
    """Whether the fault of the head has no comment, or a fault that is gone has an open one."""
    kind, found = chaos.heads[pull.number], len(set(_open_findings(pull)))
    # What cannot be read says nothing of the faults before it.
    if kind == "unreadable" or found == (1 if kind == "faulty" else 0):
        return ""
    return f"#{pull.number}, {kind}: {found} findings have an open comment"


def is_at_rest(chaos: Chaos) -> bool:
    try:
        return chaos.scene.service.is_idle() and not find_mistakes(chaos)
    except requests.RequestException:
        return False


def runs_left(chaos: Chaos) -> int:
    shown = chaos.scene.service.session.get(f"{chaos.scene.service.url}/metrics", timeout=60).text
    return sum(int(float(count)) for count in re.findall(r"^gracegate_runs\{.*\} (\S+)$", shown, re.MULTILINE))


@contextmanager
def start_chaos(configuration: Configuration, folder: Path, seed: int) -> Iterator[Chaos]:
    settings = {**SETTINGS, "GRACEGATE_WORKERS": str(configuration.workers)}
    opa = shutil.which("opa")
    if opa:
        settings["GRACEGATE_OPA"] = opa
    with ExitStack() as started:
        server = None
        if configuration.database == "PostgreSQL":
            server = started.enter_context(start_server())
            settings["GRACEGATE_DATABASE"] = create_database(server.url)
        scene = started.enter_context(start_scene(folder, **settings))
        files = {"service.yaml": SERVICE, "web.yaml": DEPLOYMENT}
        yield Chaos(scene.in_repository(REPOSITORY, files), random.Random(seed), server)  # noqa: S311 - a game of chance


def run(configuration: Configuration, folder: Path, given: argparse.Namespace) -> Mapping[str, object]:
    """One row of the table."""
    log_progress(f"{configuration}:")
    with start_chaos(configuration, folder, given.seed) as chaos:
        began = time.monotonic()
        chaos.open_pull_requests()
        play(chaos, given.events, given.kills, given.pause)
        played = time.monotonic()
        log_progress("  all has happened; waiting for rest")
        with suppress(WaitFailed):
            wait_for("rest", lambda: is_at_rest(chaos), given.patience)
        mistakes, left = find_mistakes(chaos), runs_left(chaos)
        for kind, texts in vars(mistakes).items():
            for text in texts:
                log_progress(f"  {kind.replace('_', ' ')}: {text}")
        failed = sum(one.status != "OK" for one in chaos.scene.fake.deliveries)
        return {
            "configuration": str(configuration),
            "events": given.events,
            **{f"{kind} kills": chaos.kills[kind] for kind in PROCESSES},
            "restarts": chaos.kills["database"],
            "failed deliveries": failed,
            "seconds": round(played - began),
            "until rest": round(time.monotonic() - played),
            **{kind.replace("_", " "): len(texts) for kind, texts in vars(mistakes).items()},
            "runs left": left,
        }


COUNTS_OF_MISTAKES = ("wrong verdicts", "pending checks", "duplicate comments", "missing comments", "runs left")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two events or kills in the mean")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=600.0, help="seconds until the service has to be at rest")
    parser.add_argument("--only", type=int, choices=range(1, 5), action="append", help="the configuration's number")
    parser.add_argument("--quick", action="store_true", help="a few events on SQLite, to see that all of it works")
    parser.add_argument("--folder", type=Path, help="where logs and databases stay; default: nowhere")
    given = parser.parse_args()
    if given.quick:
        given.events, given.kills, given.pause, given.only = 12, 4, 0.2, [1]
    exit_on(signal.SIGTERM)
    rows = []
    with tempfile.TemporaryDirectory(prefix="gracegate-crash-") as scratch:
        for number in given.only or (1, 2, 3, 4):
            folder = (given.folder or Path(scratch)) / str(number)
            folder.mkdir(parents=True)
            rows.append(run(CONFIGURATIONS[number - 1], folder, given))
    print_table(rows)
    return 1 if any(row[name] for row in rows for name in COUNTS_OF_MISTAKES) else 0


if __name__ == "__main__":
    sys.exit(main())
