"""`make demo`: a pull request is opened and reviewed on this machine, then a second push mends one fault.

Ends with the address of the pull request's page and stays until Ctrl-C; `--once` checks what came out and ends.
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
from tests.demo.stage import Refusal, Stage
from tests.processes import WaitFailed, exit_on, wait_for

SHOP = "shop/manifests"
TITLE = "Release 1.15: reviews, faster cart rollouts, a longer goodbye"
COMMENTS = 5
"""How many places the pull request spoils; the second push mends one of them."""


class Story:
    """Tells what happens, each line with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def say(self, text: str, *details: str) -> None:
        print(f"{time.monotonic() - self._start:6.2f} s  {text}", flush=True)
        for line in details:
            print(f"            {line}", flush=True)


class Watch:
    """Looks at one pull request again and again and tells what is new."""

    def __init__(self, stage: Stage, number: int, story: Story) -> None:
        self._stage = stage
        self._number = number
        self._story = story
        self._checks: dict[int, str] = {}
        self._bodies: dict[int, str] = {}
        self._delivered = 0

    def until_over(self) -> Any:
        """Tells everything until the review is over; the pull request as it is then."""
        self._stage.fake.do("settle")
        return wait_for("the review to end", self._look)

    def _look(self) -> Any:
        """Tells what is new; the pull request if the review is over."""
        # Asked first, so that what the review did last is told too.
        over = self._stage.service.idle()
        pull = self._stage.fake.pull(SHOP, self._number)
        self._deliveries()
        self._told_checks(pull)
        self._told_comments(pull)
        return pull if over else None

    def _deliveries(self) -> None:
        ended = [one for one in self._stage.fake.see("deliveries") if one["event"] == "pull_request"]
        for one in ended[self._delivered :]:
            answer = f"{one['status_code']} after {one['duration'] * 1000:.0f} ms"
            self._story.say(f"webhook pull_request.{one['action']} was sent and answered: {answer}")
        self._delivered = len(ended)

    def _told_checks(self, pull: Any) -> None:
        for check in pull["checks"]:
            state = check["conclusion"] or check["status"]
            if self._checks.get(check["id"]) != state:
                title = f": {check['title']}" if check["title"] else ""
                self._story.say(f"check `{check['name']}` is {state.replace('_', ' ')}{title}")
            self._checks[check["id"]] = state

    def _told_comments(self, pull: Any) -> None:
        known = dict(self._bodies)
        self._bodies = {one["id"]: one["body"] for one in pull["comments"]}
        new = [one for one in pull["comments"] if one["id"] not in known]
        edited = [one for one in pull["comments"] if known.get(one["id"], one["body"]) != one["body"]]
        if new:
            self._story.say(f"comments posted: {len(new)}", *_lines(new))
        if edited:
            self._story.say(f"earlier comments edited: {len(edited)}", *_lines(edited))


def _lines(comments: list[Any]) -> list[str]:
    """Place and text of each finding."""
    shown = []
    for one in comments:
        place = f"{one['path']}:{one['line'] or one['original_line'] or 'file'}"
        shown += [f"{place}  {_unmarked(title)}" for title in one["body"].split("\n\n")[0].splitlines()]
    return shown


def _unmarked(markdown: str) -> str:
    return re.sub(r"\[(.*?)\]\(.*?\)", r"\1", markdown).replace("~~", "").replace("`", "")


def play(stage: Stage, story: Story) -> Any:
    """Both pushes. The pull request as it is at the end."""
    fake = stage.fake
    fake.do("create_repository", full_name=SHOP)
    fake.do("push", full_name=SHOP, branch="main", files=layer("base"), message="The shop")
    fake.do("require_checks", full_name=SHOP, branch="main", names=["gracegate"])
    fake.do("push", full_name=SHOP, branch="release", files=layer("change"), message="Release 1.15")
    number = fake.do("open_pull_request", full_name=SHOP, head="release", title=TITLE)
    story.say(f"ada opens pull request #{number}: {TITLE}")
    watch = Watch(stage, number, story)
    watch.until_over()
    _try_to_merge(stage, number, story)
    fake.do("push", full_name=SHOP, branch="release", files=layer("second"), message="Probe the renamed port")
    story.say("ada pushes again: the checkout's probe is mended, the cart's lines move")
    return watch.until_over()


def _try_to_merge(stage: Stage, number: int, story: Story) -> None:
    try:
        stage.fake.do("merge_pull_request", full_name=SHOP, number=number)
    except Refusal as refusal:
        story.say(f"ada tries to merge, and GitHub answers: {refusal}")
    else:
        story.say("ada merged")


def wrong(stage: Stage, pull: Any) -> list[str]:
    """What did not come out as the demo promises."""
    struck = [one for one in pull["comments"] if one["body"].startswith("✅")]
    outcome = {
        "conclusion": ([check["conclusion"] for check in pull["checks"]], ["failure"]),
        "comments": (len(pull["comments"]), COMMENTS),
        "struck": ([one["path"] for one in struck], ["apps/checkout.yaml"]),
        "reviews": (len(pull["reviews"]), 1),
        "state": (pull["state"], "open"),
        "refused requests": (stage.fake.refused(), []),
    }
    return [f"{name} is {is_} and should be {due}" for name, (is_, due) in outcome.items() if is_ != due]


def run(folder: Path, *, once: bool) -> int:
    story = Story()
    with Stage(folder) as stage:
        story.say(f"a GitHub stands at {stage.fake.url}, gracegate at {stage.service.url}")
        try:
            pull = play(stage, story)
            faults = wrong(stage, pull)
        except WaitFailed as error:
            faults = [str(error)]
        if faults:
            print(stage.logs(), *(f"not as promised: {fault}" for fault in faults), sep="\n", file=sys.stderr)
            return 1
        story.say(f"look at it: {pull['url']}")
        if not once:
            print("Ctrl-C ends the demo", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end by itself; the exit code says whether it went well")
    once = parser.parse_args().once
    exit_on(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="gracegate-demo-") as folder:
        try:
            return run(Path(folder), once=once)
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
