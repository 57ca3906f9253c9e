"""One Chromium for all tests of pages, driven by its own protocol over a pipe.

https://chromedevtools.github.io/devtools-protocol/: JSON messages, each ended by a NUL.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.processes import WAIT_SECONDS

AXE = Path(__file__).resolve().parents[2] / ".tools" / "axe.min.js"


class BrowserMissing(Exception):
    """There is no browser here, or no axe-core; says what to install."""


class ScriptFailed(Exception):
    """A script in a page has raised an error."""


class Browser:
    """A page of a headless Chromium; `with` ends it."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            raise BrowserMissing("needs Chromium: install your system's package")
        if not AXE.is_file():
            raise BrowserMissing("needs axe-core: install npm and run `make tools`")
        to_browser, self._commands = os.pipe()
        self._messages, from_browser = os.pipe()
        # Chromium reads from 3 and writes to 4.
        redirect = 'commands=$1 messages=$2; shift 2; exec "$@" 3<&"$commands" 4>&"$messages"'
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, "bash", str(to_browser), str(from_browser), program, *options, "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._received = b""
        self._events: list[Any] = []
        self._session: str | None = None

    def __enter__(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        os.close(self._commands)
        self._process.kill()
        self._process.wait()
        os.close(self._messages)

    def look_as(self, width: int, *, is_dark: bool, height: int = 900) -> None:
        """From now on pages are seen on a screen of this width, and in this mode."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Goes to an address, and waits until all of the page is there."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._read())

    def run(self, script: str) -> Any:
        """The value of an expression in the page, or of its promise. Raises ScriptFailed."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise ScriptFailed(done["exceptionDetails"])
        return done["result"].get("value")

    def wait_until(self, condition: str) -> None:
        """Waits until an expression in the page is true."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise ScriptFailed(f"never true: {condition}")
            time.sleep(0.1)

    def faults(self) -> list[Any]:
        """What axe-core finds wrong with the page as it is now: each rule, how bad that is, and where."""
        self.run(AXE.read_text())
        found = self.run("axe.run().then((found) => found.violations)")
        return [(one["id"], one["impact"], [node["html"] for node in one["nodes"]]) for one in found]

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a command."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._read()).get("id") != number:
            self._events.append(message)
        if "error" in message:
            raise ScriptFailed(f"{method}: {message['error']}")
        return message["result"]

    def _read(self) -> Any:
        """The next answer, or event."""
        while b"\0" not in self._received:
            part = os.read(self._messages, 1 << 16)
            if not part:
                raise ScriptFailed("Chromium has ended")
            self._received += part
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)
