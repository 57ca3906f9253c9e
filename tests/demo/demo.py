"""`make demo`: a pull request is opened and reviewed on this machine, then a second push fixes one mistake. A second
pull request changes an overlay and a chart; it waits for the renderer, which is built beside the first one.

Ends with the addresses of the pull requests, their reports, the dashboard and the playground, and stays until Ctrl-C;
`--once` checks what came out and ends.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.demo.layers import layer
from tests.demo.renderer_build import BuildFailed, RendererBuild
from tests.demo.stage import RequestRejected, Stage
from tests.processes import WaitFailed, exit_on, wait_for

SHOP = "shop/manifests"
PLATFORM = "shop/platform"
RENDERED_TITLE = "Storefront: warm caches first; search 2.9"
RENDERED_COMMENTS = ["charts/search/values.yaml", "storefront/prod/storefront.yaml"]
"""The files of the second pull request that get a comment: where the fault was written, not what it renders to."""
TITLE = "Release 1.15: reviews, faster cart rollouts, a longer goodbye"
_AT_ONCE = 3.0
"""Seconds. A renderer that is built and compiled is found within them."""
COMMENTS = 5
"""How many places of the pull request get a comment; the second push fixes one of them."""


class Timeline:
    """Prints what happens, each line with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def write(self, text: str, *details: str) -> None:
        print(f"{time.monotonic() - self._start:6.2f} s  {text}", flush=True)
        for line in details:
            print(f"            {line}", flush=True)


class Watch:
    """Polls one pull request and prints what is new."""

    def __init__(self, stage: Stage, repository: str, number: int, timeline: Timeline, delivered: int = 0) -> None:
        """`delivered` is how many deliveries have been printed."""
        self._stage = stage
        self._repository = repository
        self._number = number
        self._timeline = timeline
        self._checks: dict[int, str] = {}
        self._bodies: dict[int, str] = {}
        self._delivered = delivered

    def wait_until_reviewed(self) -> Any:
        """Prints what is new until the review has ended; returns the pull request."""
        self._stage.fake.call("settle")
        return wait_for("the review to end", self._poll)

    def _poll(self) -> Any:
        """Prints what is new; returns the pull request if the review has ended."""
        # Read first, so that the last writes of the review are printed too.
        has_ended = self._stage.service.is_idle()
        pull = self._stage.fake.pull(self._repository, self._number)
        self._print_deliveries()
        self._print_checks(pull)
        self._print_comments(pull)
        return pull if has_ended else None

    def _print_deliveries(self) -> None:
        ended = _deliveries(self._stage)
        for one in ended[self._delivered :]:
            answer = f"{one['status_code']} after {one['duration'] * 1000:.0f} ms"
            self._timeline.write(f"webhook pull_request.{one['action']} was sent and answered: {answer}")
        self._delivered = len(ended)

    def _print_checks(self, pull: Any) -> None:
        for check in pull["checks"]:
            state = check["conclusion"] or check["status"]
            if self._checks.get(check["id"]) != state:
                title = f": {check['title']}" if check["title"] else ""
                self._timeline.write(f"check `{check['name']}` is {state.replace('_', ' ')}{title}")
            self._checks[check["id"]] = state

    def _print_comments(self, pull: Any) -> None:
        known = dict(self._bodies)
        self._bodies = {one["id"]: one["body"] for one in pull["comments"]}
        new = [one for one in pull["comments"] if one["id"] not in known]
        edited = [one for one in pull["comments"] if known.get(one["id"], one["body"]) != one["body"]]
        if new:
            self._timeline.write(f"comments posted: {len(new)}", *_lines(new))
        if edited:
            self._timeline.write(f"earlier comments edited: {len(edited)}", *_lines(edited))


def _deliveries(stage: Stage) -> list[Any]:
    """Those of pull requests."""
    return [one for one in stage.fake.read("deliveries") if one["event"] == "pull_request"]


def _lines(comments: list[Any]) -> list[str]:
    """Place and text of each finding."""
    shown = []
    for one in comments:
        place = f"{one['path']}:{one['line'] or one['original_line'] or 'file'}"
        shown += [f"{place}  {_plain_text(title)}" for title in one["body"].split("\n\n")[0].splitlines()]
    return shown


def _plain_text(markdown: str) -> str:
    return re.sub(r"\[([^][]*)\]\(.*?\)", r"\1", markdown).replace("~~", "").replace("`", "")


def play(stage: Stage, timeline: Timeline) -> Any:
    """Both pushes. The pull request as it is at the end."""
    fake = stage.fake
    fake.call("create_repository", full_name=SHOP, private=False)
    fake.call("push", full_name=SHOP, branch="main", files=layer("base"), message="The shop")
    fake.call("require_checks", full_name=SHOP, branch="main", names=["gracegate"])
    fake.call("push", full_name=SHOP, branch="release", files=layer("change"), message="Release 1.15")
    number = fake.call("open_pull_request", full_name=SHOP, head="release", title=TITLE)
    timeline.write(f"ada opens pull request #{number}: {TITLE}")
    watch = Watch(stage, SHOP, number, timeline)
    watch.wait_until_reviewed()
    _try_to_merge(stage, number, timeline)
    fake.call("push", full_name=SHOP, branch="release", files=layer("second"), message="Probe the port by its number")
    timeline.write("ada pushes again: the checkout's probe is fixed, the cart's lines move")
    return watch.wait_until_reviewed()


def play_rendered(stage: Stage, timeline: Timeline) -> Any:
    """The pull request of an overlay and a chart, as it is at the end."""
    fake = stage.fake
    fake.call("create_repository", full_name=PLATFORM, private=False)
    fake.call("push", full_name=PLATFORM, branch="main", files=layer("base", of="platform"), message="The platform")
    files = layer("change", of="platform")
    fake.call("push", full_name=PLATFORM, branch="warm", files=files, message="Warm caches")
    delivered = len(_deliveries(stage))
    number = fake.call("open_pull_request", full_name=PLATFORM, head="warm", title=RENDERED_TITLE)
    timeline.write(f"ada opens pull request #{number} of {PLATFORM}: {RENDERED_TITLE}")
    return Watch(stage, PLATFORM, number, timeline, delivered).wait_until_reviewed()


def _try_to_merge(stage: Stage, number: int, timeline: Timeline) -> None:
    try:
        stage.fake.call("merge_pull_request", full_name=SHOP, number=number)
    except RequestRejected as rejection:
        timeline.write(f"ada tries to merge, and GitHub answers: {rejection}")
    else:
        timeline.write("ada merged")


def find_mistakes(stage: Stage, pull: Any) -> list[str]:
    """What is not as the demo promises."""
    resolved = [one for one in pull["comments"] if one["body"].startswith("✅")]
    outcome = {
        "conclusion": ([check["conclusion"] for check in pull["checks"]], ["failure"]),
        "comments": (len(pull["comments"]), COMMENTS),
        "resolved": ([one["path"] for one in resolved], ["apps/checkout.yaml"]),
        "reviews": (len(pull["reviews"]), 1),
        "state": (pull["state"], "open"),
        "refused requests": (stage.fake.failed_requests(), []),
    }
    return [f"{name} is {is_} and should be {due}" for name, (is_, due) in outcome.items() if is_ != due]


def find_rendered_mistakes(pull: Any) -> list[str]:
    """What is not as the demo promises of the pull request whose manifests are rendered."""
    outcome = {
        "conclusion of the second pull request": ([check["conclusion"] for check in pull["checks"]], ["failure"]),
        "comments of the second pull request": (sorted(one["path"] for one in pull["comments"]), RENDERED_COMMENTS),
        "files with a suggestion": (
            sorted(one["path"] for one in pull["comments"] if "```suggestion" in one["body"]),
            RENDERED_COMMENTS,
        ),
    }
    return [f"{name} is {is_} and should be {due}" for name, (is_, due) in outcome.items() if is_ != due]


def run(folder: Path, *, once: bool) -> int:
    timeline = Timeline()
    with RendererBuild(folder / "renderer.log") as build:
        is_built = build.is_done(_AT_ONCE)
        with Stage(folder, GRACEGATE_PLAYGROUND="on") as stage:
            timeline.write(f"the fake GitHub is at {stage.fake.url}, gracegate is at {stage.service.url}")
            if not is_built:
                timeline.write("beside it, the renderer of kustomize and Helm is built, for the second pull request")
            try:
                urls, mistakes = _play_both(stage, timeline, None if is_built else build)
            except WaitFailed as error:
                urls, mistakes = [], [str(error)]
            if mistakes:
                print(stage.logs(), *(f"not as promised: {mistake}" for mistake in mistakes), sep="\n", file=sys.stderr)
                return 1
            urls += [f"{stage.service.url}/{page}" for page in ("dashboard", "playground")]
            timeline.write("open the pull requests, their reports, the dashboard and the playground:", *urls)
            if not once:
                print("Ctrl-C ends the demo", flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
    return 0


def _play_both(stage: Stage, timeline: Timeline, build: RendererBuild | None) -> tuple[list[str], list[str]]:
    """The addresses of the pull requests, and what is not as promised. `build` is what has not ended yet."""
    pull = play(stage, timeline)
    urls, mistakes = _addresses(pull), find_mistakes(stage, pull)
    if build is not None:
        try:
            build.wait(timeline.write)
        except BuildFailed as failure:
            timeline.write(f"the renderer cannot be built here, so there is no second pull request: {failure}")
            return urls, mistakes
        timeline.write("gracegate starts again, with the renderer")
        stage.restart_service()
    rendered = play_rendered(stage, timeline)
    return [*urls, *_addresses(rendered)], [*mistakes, *find_rendered_mistakes(rendered)]


def _addresses(pull: Any) -> list[str]:
    """Of the pull request, and of the report of its newest check."""
    return [pull["url"], *(check["details_url"] for check in pull["checks"][-1:])]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself; the exit code is 0 if all went well")
    once = parser.parse_args().once
    exit_on(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="gracegate-demo-") as folder:
        try:
            return run(Path(folder), once=once)
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
