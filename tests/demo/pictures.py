"""`make pictures`: the pictures of the README, of the demo's pull request in Chromium.

    python -m tests.demo.pictures [FOLDER]

They are written into `.github`, or into FOLDER. A font with emoji, as Debian's fonts-noto-color-emoji, shows the marks
of comments as GitHub does.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.demo.demo import Timeline, play
from tests.demo.stage import ROOT, Stage
from tests.processes import WAIT_SECONDS, exit_on

SCALE = 0.85
"""The README shows them smaller still."""
MOST_BYTES = 400_000
"""Of all pictures together: who opens the README waits for them."""


class PictureFailed(Exception):
    """There is no picture of a page."""


def take(chromium: str, url: str, file: Path, width: int, height: int, profile: Path) -> None:
    """A picture of the top of a page, when its script has done what it does."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
    options += [
        f"--window-size={width},{height}",
        f"--force-device-scale-factor={SCALE}",
        "--virtual-time-budget=60000",
        f"--screenshot={file}",
    ]
    done = subprocess.run([chromium, *options, url], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    if done.returncode or not file.is_file():
        raise PictureFailed(f"Chromium took no picture of {url}: {done.stderr[-500:]}")


def main(arguments: list[str]) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("make pictures needs Chromium: install your system's package\n")
        return 2
    target = Path(arguments[0]) if arguments else ROOT / ".github"
    exit_on(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="gracegate-pictures-") as name:
        folder = Path(name)
        with Stage(folder / "stage", GRACEGATE_PLAYGROUND="on") as stage:
            pull = play(stage, Timeline())
            report = pull["checks"][-1]["details_url"]
            pages = {
                "review": (f"{pull['url']}?view=files", 1060, 920),
                "report": (report, 1060, 1740),
                "playground": (f"{stage.service.url}/playground", 1300, 760),
            }
            for picture, (url, width, height) in pages.items():
                take(chromium, url, target / f"{picture}.png", width, height, folder / "profile")
    sizes = {picture: (target / f"{picture}.png").stat().st_size for picture in pages}
    sys.stdout.writelines(f"{target / picture}.png: {size:,} bytes\n" for picture, size in sizes.items())
    if sum(sizes.values()) > MOST_BYTES:
        sys.stderr.write(f"together they are larger than {MOST_BYTES:,} bytes\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
