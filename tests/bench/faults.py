"""`make faults`: every request of one review fails once, in every way that GitHub's requests fail.

Each request of an undisturbed review (the one of a new pull request, and what the review of its next push does
besides) gets each fault of FAULTS in a repository of its own. The state on GitHub must end as if nothing had happened:
the same check, the same comments, nothing twice, nothing pending. Prints a table, request by fault: `=` for the same
state, the number of the exemption that argues the difference, or `FAIL`; then it ends with 1. What differed is told on
standard error.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.table import log_progress, print_table
from tests.demo.layers import layer
from tests.e2e.scene import Scene, start_scene
from tests.fakegithub.faults import PAGE, Fault
from tests.processes import exit_on, wait_for

SETTINGS = {
    "GRACEGATE_WRITE_GAP": "0",
    "GRACEGATE_NOTIFY_GAP": "0",
    "GRACEGATE_WORKER_CONCURRENCY": "8",
}
"""Most of the time is spent in waiting, so that more reviews than cores can run."""

_SOON = {"Retry-After": "1"}
_NOT_PERMITTED = '{"message": "Resource not accessible by integration"}'
_TOO_FAST = '{"message": "You have exceeded a secondary rate limit"}'
_TIMEOUT = {"delay": 17.0, "drop": True}
"""The service waits 15 seconds for an answer."""

FAULTS: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": '{"message": "Bad credentials"}'},
    "403": {"status": 403, "body": _NOT_PERMITTED},
    "403 retry": {"status": 403, "headers": _SOON, "body": _TOO_FAST},
    "404": {"status": 404, "body": '{"message": "Not Found"}'},
    "422": {"status": 422, "body": '{"message": "Validation Failed"}'},
    "429": {"status": 429, "body": _TOO_FAST},
    "429 retry": {"status": 429, "headers": _SOON, "body": _TOO_FAST},
    "500": {"status": 500},
    "502 after": {"status": 502, "when": "after"},
    "302": {**PAGE, "status": 302, "headers": {**PAGE["headers"], "Location": "/login"}},
    "200 HTML": dict(PAGE),
    "time-out": _TIMEOUT,
    "time-out after": {**_TIMEOUT, "when": "after"},
    "late": {"status": 502, "when": "late", "late": 2.0},
}
"""How a request fails, as tests.fakegithub.faults.Fault says it. `after`: it has taken effect; `late`: it will, two
seconds after its answer."""


@dataclass(frozen=True)
class Exemption:
    """The parts of the end state that some faults of a request change, and why that is right."""

    request: str
    faults: frozenset[str]
    parts: frozenset[str]
    why: str


QUICK_FAULT = "502 after"
"""What happens to the writes of checks for --quick: the answer is lost, and what it answered has happened."""


EXEMPTIONS = (
    Exemption(
        "POST /repos/REPOSITORY/pulls/NUMBER/reviews",
        frozenset({"403", "404"}),
        frozenset({"annotations", "text", "comments", "reviews"}),
        "So GitHub answers, for ever, an App that may not comment (a locked conversation, an archived repository):"
        " the verdict stands, and the check says that comments are missing and annotates what they would have said.",
    ),
    Exemption(
        "PATCH /repos/REPOSITORY/pulls/comments/NUMBER",
        frozenset({"403", "422"}),
        frozenset({"text", "comments"}),
        "The same for an edit: the other comments are edited, and the check says that some were refused.",
    ),
    Exemption(
        "PATCH /repos/REPOSITORY/pulls/comments/NUMBER",
        frozenset({"404"}),
        frozenset({"comments"}),
        "Somebody has deleted the comment: there is nothing to edit.",
    ),
)
"""The verdict is no part that may change, and neither is how many checks there are."""


@dataclass(frozen=True)
class Request:
    """A request of a review: the `skip`-th (from 0) of its method and path, in the review after `pushes` pushes."""

    method: str
    template: str
    skip: int
    pushes: int

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}" + (f" ({self.skip + 1})" if self.skip else "")

    def pattern(self, repository: str, installation: int) -> str:
        """What finds it among the paths of all repositories."""
        exact = re.escape(self.template).replace("SHA", "[0-9a-f]{40}").replace("NUMBER", r"\d+")
        return f"^{exact.replace('REPOSITORY', re.escape(repository)).replace('INSTALLATION', str(installation))}$"


class Case:
    """One pull request in a repository and an installation of its own, so that no fault reaches another's."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene = scene.in_repository(f"{name}/manifests", layer("base"))
        repository = self.scene.fake.repository(self.scene.repository)
        installation = self.scene.fake.world.installation_of(repository)
        assert installation is not None
        self.installation = installation.id
        self.number = 0
        self._first = len(self.scene.fake.log)

    def fail(self, request: Request, fault: str) -> Fault:
        """Makes the request fail; the `times` of the result are 0 once it has."""
        pattern = request.pattern(self.scene.repository, self.installation)
        return self.scene.fake.fault(request.method, pattern, skip=request.skip, **FAULTS[fault])

    def open(self) -> None:
        self.number = self.scene.open_pull_request(layer("change"))

    def push(self) -> None:
        self.scene.push(layer("second"))

    def requests(self) -> list[tuple[str, str]]:
        """The requests of its reviews so far: method and template."""
        templates = ((one.method, self._template(one.path)) for one in self.scene.fake.log[self._first :])
        return [(method, template) for method, template in templates if template]

    def _template(self, path: str) -> str:
        text = re.sub(r"[0-9a-f]{40}", "SHA", path)
        text = re.sub(rf"/{re.escape(self.scene.repository)}\b", "/REPOSITORY", text)
        text = re.sub(rf"/installations/{self.installation}/", "/installations/INSTALLATION/", text)
        if "REPOSITORY" not in text and "INSTALLATION" not in text:
            return ""
        return re.sub(r"/\d+(?=/|$)", "/NUMBER", text)

    def state(self) -> dict[str, object]:
        """What is on GitHub in the end, without what differs from repository to repository."""
        pull, world = self.scene.pull(self.number), self.scene.fake.world
        every = [run for run in world.check_runs.values() if run.repository is pull.base]
        newest = next(iter(world.runs(pull.base, pull.head_sha)), None)
        return {
            "conclusion": newest and newest.conclusion,
            "pending checks": sum(run.status != "completed" for run in every),
            "checks": len(world.runs(pull.base, pull.head_sha)),
            "text": newest and (newest.title, self._plain(newest.summary)),
            "annotations": newest and len(newest.annotations),
            "comments": sorted((one.anchor.path, one.anchor.line or 0, self._plain(one.body)) for one in pull.comments),
            "reviews": [self._plain(one.body) for one in pull.reviews if one.body],
        }

    def _plain(self, text: str | None) -> str:
        without_marker = re.sub(r"<!--.*?-->", "", text or "")
        plain = re.sub(r"\b[0-9a-f]{7,40}\b", "SHA", without_marker)
        return plain.replace(self.scene.repository, "REPOSITORY").strip()


@dataclass(frozen=True)
class Undisturbed:
    """The requests of a review that nothing disturbs, and the states after it and after that of the next push."""

    requests: Sequence[Request]
    states: Sequence[Mapping[str, object]]


ONCE = Request("GET", "/app", 0, 0)
"""What a worker asks in its first review alone."""


def record(scene: Scene) -> Undisturbed:
    # What the service asks at its start, and once a worker has done a review, is no part of the next one.
    first = Case(scene, "first")
    first.open()
    wait_for("the sweep", lambda: any(one.path == "/app/installations" for one in scene.fake.log))
    first.scene.wait_until_reviewed()
    case = Case(scene, "undisturbed")
    case.open()
    case.scene.wait_until_reviewed()
    opened, states = case.requests(), [case.state()]
    case.push()
    case.scene.wait_until_reviewed()
    states.append(case.state())
    pushed = [request for request in case.requests()[len(opened) :] if request not in opened]
    seen: Counter[tuple[str, str]] = Counter()
    requests = [ONCE]
    for pushes, found in enumerate((opened, pushed)):
        for method, template in found:
            requests.append(Request(method, template, seen[method, template], pushes))
            seen[method, template] += 1
    return Undisturbed(requests, states)


def sweep(scene: Scene, undisturbed: Undisturbed, faults: Sequence[str]) -> dict[tuple[Request, str], frozenset[str]]:
    """The parts of the state that each fault of each request has changed."""
    changed = {}
    for fault in faults:
        log_progress(f"{fault}: {len(undisturbed.requests)} requests")
        for request, case, pending in _disturb(scene, undisturbed.requests, fault):
            state, expected = case.state(), undisturbed.states[request.pushes]
            parts = {part for part in expected if expected[part] != state[part]}
            for part in sorted(parts):
                log_progress(f"{request.name}: {part} is {_clip(state[part])}, undisturbed {_clip(expected[part])}")
            changed[request, fault] = frozenset(parts | ({"no fault happened"} if pending.times else set()))
    return changed


def _disturb(scene: Scene, requests: Sequence[Request], fault: str) -> list[tuple[Request, Case, Fault]]:
    """Reviews with one fault each, all at the same time but for the one that needs a new worker."""
    disturbed = []
    if ONCE in requests:
        scene.kill(r"\S+ -m gracegate worker")
        disturbed = _disturb_together(scene, [ONCE], fault)
    return disturbed + _disturb_together(scene, [request for request in requests if request != ONCE], fault)


def _disturb_together(scene: Scene, requests: Sequence[Request], fault: str) -> list[tuple[Request, Case, Fault]]:
    number = len(scene.fake.world.repositories)
    cases = [(request, Case(scene, f"case-{number + index}")) for index, request in enumerate(requests)]
    disturbed = []
    for request, case in cases:
        if request.pushes == 0:
            disturbed.append((request, case, case.fail(request, fault)))
        case.open()
    scene.wait_until_reviewed()
    for request, case in cases:
        if request.pushes == 1:
            disturbed.append((request, case, case.fail(request, fault)))
            case.push()
    scene.wait_until_reviewed()
    return disturbed


def _clip(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}…"


def report(
    requests: Sequence[Request], faults: Sequence[str], changed: Mapping[tuple[Request, str], frozenset[str]]
) -> bool:
    """Prints the table; whether every state is as undisturbed, or an exemption says how it differs."""
    numbers = {
        (exemption.request, fault): (number, exemption.parts)
        for number, exemption in enumerate(EXEMPTIONS, 1)
        for fault in exemption.faults
    }
    rows, is_right = [], True
    for request in requests:
        row: dict[str, object] = {"request": request.name}
        for fault in faults:
            number, exempt = numbers.get((request.name, fault), ("=", frozenset()))
            row[fault] = str(number) if changed[request, fault] == exempt else "FAIL"
            is_right = is_right and row[fault] != "FAIL"
        rows.append(row)
    print_table(rows)
    print("\n= ends as undisturbed. Where it may not:")
    for number, exemption in enumerate(EXEMPTIONS, 1):
        print(f"{number}  {', '.join(sorted(exemption.parts))}: {exemption.why}")
    return is_right


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this fault; may be given several times")
    parser.add_argument("--quick", action="store_true", help="one fault of few requests, to see that all of it works")
    given = parser.parse_args()
    faults = given.fault or ([QUICK_FAULT] if given.quick else list(FAULTS))
    exit_on(signal.SIGTERM)
    with (
        tempfile.TemporaryDirectory(prefix="gracegate-faults-") as scratch,
        start_scene(Path(scratch), **SETTINGS) as scene,
    ):
        undisturbed = record(scene)
        if given.quick:
            writes = [one for one in undisturbed.requests if one.method != "GET" and "/check-runs" in one.template]
            undisturbed = replace(undisturbed, requests=writes)
        changed = sweep(scene, undisturbed, faults)
    return 0 if report(undisturbed.requests, faults, changed) else 1


if __name__ == "__main__":
    sys.exit(main())
