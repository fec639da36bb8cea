"""The page in a real browser: screenshots on phone and desktop, light and dark, and what axe-core finds.

Run by ``make test-page`` with playwright and axe-core from a scratch folder; it needs a page that is served.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

SIZES = {"phone": (390, 844), "narrow": (360, 740), "desktop": (1440, 1000), "beamer": (1920, 1080)}
SCHEMES = ("light", "dark")


def axe_findings(page: Any, axe: str) -> list[dict[str, Any]]:
    """Get what axe-core finds, evaluated into the page, so that its policy stays on."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("() => axe.run().then(r => r.violations)")
    return found


def look(browser: Any, url: str, paths: list[str], out: Path, axe: str) -> tuple[list[str], list[str]]:
    """Take the pictures. Get axe's findings, and every address that was asked for beyond the page's own."""
    findings, foreign = [], []
    for path in paths:
        name = path.strip("/").replace("/", "-") or "now"
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                asked: list[str] = []
                errors: list[str] = []
                page.on("request", lambda r, asked=asked: asked.append(r.url))
                page.on("console", lambda m, errors=errors: errors.append(m.text) if m.type == "error" else None)
                page.goto(url + path, wait_until="load")
                page.wait_for_timeout(1500)
                page.screenshot(path=out / f"{name}-{size}-{scheme}.png", full_page=True)
                foreign += [u for u in asked if not u.startswith(url)]
                wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
                if wide > 0:
                    findings.append(f"{path} {size} {scheme}: {wide} px wider than the window")
                findings += [f"{path} {size} {scheme}: console: {e}" for e in errors]
                findings += [
                    f"{path} {size} {scheme}: axe {v['impact']}: {v['id']}: {v['nodes'][0]['html'][:160]}"
                    for v in axe_findings(page, axe)
                ]
                context.close()
    return findings, foreign


def moves(browser: Any, url: str) -> list[str]:
    """Say where the page of a running test does not move, or asks for more than the page's own."""
    page = browser.new_page()
    page.goto(url + "/", wait_until="load")
    before = page.text_content("h1"), page.inner_html("#s-plot")
    page.wait_for_timeout(12_000)
    after = page.text_content("h1"), page.inner_html("#s-plot")
    page.close()
    return [f"{what} did not move" for what, a, b in zip(("h1", "the curve"), before, after, strict=True) if a == b]


def goes_grey(browser: Any, url: str, stop: int, out: Path) -> list[str]:
    """Stop the page's process, see that it is grey within 4 s, let it go on, and see all come back."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url + "/", wait_until="load")
    page.wait_for_timeout(2500)
    began = time.monotonic()
    os.kill(stop, signal.SIGSTOP)
    try:
        page.wait_for_function("() => document.documentElement.dataset.link === 'lost'", timeout=8000)
        grey_s = time.monotonic() - began
        page.wait_for_timeout(1500)
        page.screenshot(path=out / "stale.png", full_page=True)
        pressable = page.locator("main button:enabled").count()
    finally:
        os.kill(stop, signal.SIGCONT)
    page.wait_for_function("() => !document.documentElement.dataset.link", timeout=10_000)
    page.wait_for_timeout(1500)
    found = [] if grey_s <= 4.0 else [f"grey only after {grey_s:.1f} s"]
    found += [f"{pressable} buttons could be pressed while it was lost"] if pressable else []
    found += ["what was struck is still struck"] if page.locator("main s").count() else []
    found += [] if page.locator(".lost").count() == 1 else ["that it was lost is not said"]
    page.close()
    return found


def main() -> None:
    """Look at the pages that are named."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("paths", nargs="*", default=["/"])
    parser.add_argument("--axe", type=Path, required=True)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stop", type=int, help="the page's process: stopped for a while, to see it go grey")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=args.chromium, args=["--no-sandbox"])
        findings = moves(browser, args.url.rstrip("/"))  # first: pictures take longer than the rest of the test
        found, foreign = look(browser, args.url.rstrip("/"), args.paths, args.out, args.axe.read_text(encoding="utf-8"))
        findings += found
        if args.stop is not None:
            findings += goes_grey(browser, args.url.rstrip("/"), args.stop, args.out)
        browser.close()
    print(json.dumps({"findings": findings, "foreign": foreign}, indent=1))
    sys.exit(bool(findings or foreign))


if __name__ == "__main__":
    main()
