"""Takes the pictures of README.md in a real browser: a report's first page, and the page of a running test.

``make docs-pictures`` takes them where a Chromium is and what draws them has changed since; a picture carries the hash
of that, and tests/test_docs_screens.py says whether it is current. Both are of the simulated rig, and say so. The page
is taken without its script, for a browser waits until its live stream ends. This tool must never touch a picture up.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from PIL import Image, PngImagePlugin

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
REPORT, PAGE, PAGE_DARK = (FOLDER / name for name in ("report.png", "page.png", "page-dark.png"))
LOOKS = {
    REPORT: (
        "edge/report/report.css",
        "edge/report/first_page.py",
        "edge/report/scale_drawing.py",
        "edge/report/ink.py",
    ),
    PAGE: (
        *(f"edge/web/templates/{name}.html" for name in ("_shapes", "base", "now", "sections")),
        "edge/web/static/*",
        "edge/report/curve*.py",
        "edge/report/ink.py",
    ),
}
LOOKS[PAGE_DARK] = LOOKS[PAGE]
"""What each is drawn by."""
LOOK = "look"
"""The key under which a picture carries their hash."""
COLOURS = 96
HELD_S = 4.2 * 3600.0
"""So much of the hold is over when the page is taken."""
SPEED = "600"
WITHIN_S = 240.0


def look_of(picture: Path) -> str:
    """Get the SHA-256 of all that a picture is drawn by."""
    found = hashlib.sha256()
    for pattern in LOOKS[picture]:
        for path in sorted(ROOT.glob(pattern)):
            found.update(f"{path.relative_to(ROOT).as_posix()}\0".encode() + path.read_bytes())
    return found.hexdigest()


def look_in(picture: Path) -> str:
    """Get the hash that a picture carries; nothing where there is no picture."""
    if not picture.exists():
        return ""
    with Image.open(picture) as image:
        return str(image.info.get(LOOK, ""))


def main() -> None:
    """Take those that are not current."""
    stale = [picture for picture in LOOKS if look_in(picture) != look_of(picture)]
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if stale and browser is None:
        sys.exit("no Chromium here: the pictures of README.md are left as they are: sudo apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if REPORT in stale:
            _edge("demo", "--scenario", "borderline", "--seed", "2", "--zero-after", "--out", str(folder))
            html = folder / "report.html"
            _edge("report", "last", "--db", str(folder), "--format", "html", "-o", str(html))
            _taken(str(browser), html.as_uri(), REPORT, (860, 1110))
        if PAGE in stale:
            with _page_of_a_running_test(folder / "rig") as url:
                _without_script(url, folder)
            page, style = folder / "page.html", folder / "static" / "page.css"
            _taken(str(browser), page.as_uri(), PAGE, (1180, 1000))
            _as_if_dark(style)
            _taken(str(browser), page.as_uri(), PAGE_DARK, (1180, 1000))
    for picture in LOOKS:
        print(f"{picture.relative_to(ROOT)}: {'taken' if picture in stale else 'current'}")


def _edge(*words: str) -> str:
    argv = (sys.executable, "-m", "edge", *words)
    return subprocess.run(
        argv, cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout


def _taken(browser: str, url: str, picture: Path, size: tuple[int, int]) -> None:
    with tempfile.TemporaryDirectory() as home:
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={home}/profile")
        how = (f"--window-size={size[0]},{size[1]}", "--virtual-time-budget=3000", f"--screenshot={home}/taken.png")
        command = [browser, *flags, *how, url]
        subprocess.run(command, env=os.environ | {"HOME": home}, check=True, capture_output=True, timeout=120.0)
        with Image.open(f"{home}/taken.png") as taken:
            few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    carried = PngImagePlugin.PngInfo()
    carried.add_text(LOOK, look_of(picture))
    few.save(picture, optimize=True, pnginfo=carried)


def _without_script(url: str, folder: Path) -> None:
    """Write the page into a folder as it is served to a browser that runs no script, with its style beside it."""
    for name in ("static/page.css", ""):
        with urllib.request.urlopen(url + name, timeout=30.0) as served:
            text = served.read().decode()
        file = folder / (name or "page.html")
        file.parent.mkdir(exist_ok=True)
        file.write_text(re.sub(r"<script[^>]*></script>", "", text).replace('"/static/', '"static/'), encoding="utf-8")


def _as_if_dark(style: Path) -> None:
    """Have a page's style taken as it is for who likes it dark: no flag of a headless browser says so for a file."""
    style.write_text(
        style.read_text(encoding="utf-8").replace("prefers-color-scheme: dark", "min-width: 0"), encoding="utf-8"
    )


@contextmanager
def _page_of_a_running_test(folder: Path) -> Iterator[str]:
    """Serve the page of a test that is in its hold, on the simulated rig."""
    folder.mkdir()
    sock = str(folder / "s")
    station = ("station", "--simulate", "--scenario", "borderline", "--seed", "2", "--speed", SPEED)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    page = ("web", "--db", str(folder / "db" / "halfpercent.db"), "--socket", sock, "--port", port)
    token = ("--token-file", str(folder / "token"), "--make-token")
    with _process(*station, "--folder", str(folder / "db"), "--socket", sock), _process(*page, *token):
        _until(lambda: Path(sock).exists())
        said = ("--sample", "QT-2611-07", "--operator", "Ada", "--claim", "solid-state")
        for words in (("start", *said), ("tare",), ("load",)):
            _until(partial(_said, *words, "--socket", sock))
        _until(lambda: _hold_s(sock) > HELD_S)
        time.sleep(6.0)  # the page reads the database every five
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def _process(*words: str) -> Iterator[None]:
    argv = (sys.executable, "-m", "edge", *words)
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.terminate()


def _until(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > end_s:
            sys.exit("the simulated test does not come to where its picture is to be taken")
        time.sleep(0.5)


def _said(*words: str) -> bool:
    argv = (sys.executable, "-m", "edge", *words)
    return subprocess.run(argv, cwd=ROOT, capture_output=True, check=False).returncode == 0


def _hold_s(sock: str) -> float:
    status = json.loads(_edge("status", "--json", "--socket", sock))
    return float((status.get("run") or {}).get("hold_s") or 0.0)


if __name__ == "__main__":
    main()
