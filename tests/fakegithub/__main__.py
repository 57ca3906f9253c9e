"""The fake as a process: `python -m fakegithub --port 3000 --folder DIR`, steered by its control API `/_fake`."""

from __future__ import annotations

import argparse
import logging
import signal
import tempfile
import threading
from pathlib import Path

from tests.fakegithub.server import FakeGitHub


def main() -> None:
    parser = argparse.ArgumentParser(prog="fakegithub", description="A GitHub for tests and demos.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port; it is printed")
    parser.add_argument("--folder", type=Path, help="where its repositories go; default: a temporary directory")
    parser.add_argument("--webhook-url", help="where the App receives its webhooks")
    options = parser.parse_args()
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="fakegithub-") as scratch:
        serve(FakeGitHub(options.folder or Path(scratch), host=options.host, port=options.port), options.webhook_url)


def serve(fake: FakeGitHub, webhook_url: str | None) -> None:
    """Runs until SIGINT or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    fake.webhook_url = webhook_url
    with fake:
        print(fake.url, flush=True)
        ended.wait()
        for text in fake.violations:
            print(f"OpenAPI violation: {text}", flush=True)
        fake.violations.clear()


if __name__ == "__main__":
    main()
