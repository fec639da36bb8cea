"""The reports of simulated runs, in both languages, to be looked at: made, validated, and drawn as pictures.

``make reports``. Each scenario is run once; HTML and PDF of it go into ``build/reports``, with a picture of each page
where pdftoppm is there, and each HTML through the Nu validator where ``VNU_JAR`` names it. A PDF has its marks, its
verdict as text, and no page that is nearly empty, on A4 and on Letter; a Chinese report leaves none of our sentences in
English. A curve of thirty hours is timed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from pdf_checks import on_letter, untranslated, wrong_in_pdf
from report_numbers import missing_numbers, report_of, shown
from short_demo import run
from sqlite_utils import Database

from edge.database.curve import curve_columns
from edge.database.schema import table_sql
from edge.records.curve import CurveTerms, PhaseSpan, PressureKnown, RecordedCurve, WeighedCurve
from edge.records.phase import Phase
from edge.report.curve import report_curve
from edge.report.html import report_html
from edge.report.language import Language, Words
from edge.report.pdf import report_pdf
from edge.standards.standard import load_standard

SCENARIOS = ("solid", "hybrid", "liquid", "borderline", "drift")
HOURS_S = 108_000
PICTURE_DPI = "100"


def thirty_hours() -> tuple[int, int, float]:
    """Get the points and bytes of a 30-hour run's drawing, and the processor time in s to read and draw it."""
    with closing(Database(sqlite3.connect(":memory:"), execute_plugins=False)) as db:
        db.execute(table_sql("seconds"))
        rows = [(i, float(i), (i % 600) * 1e-3, 120.0 + (i % 7) * 0.1) for i in range(HOURS_S)]
        sql = "insert into seconds (run_id, second, elapsed_s, loss_pct, temp_c) values (1, ?, ?, ?, ?)"
        db.conn.executemany(sql, rows)
        words, terms = Words(Language.ENGLISH), CurveTerms(0.5, 120.0, 2.0, 21_600.0, PressureKnown.DECLARED, 0.02)
        began_s = time.thread_time()
        columns = curve_columns(db, 1)
        recorded = RecordedCurve(columns, (PhaseSpan(Phase.HOLD, 0.0, float(HOURS_S)),))
        svg = report_curve(WeighedCurve(recorded, terms, 0.4), words)
        return 2 * len(columns), len(svg.encode()), time.thread_time() - began_s


def made(database: Path, folder: Path, *, pdf: bool = True) -> list[str]:
    """Make the reports of a database's newest run. Returns what is wrong with them, a line each."""
    wrong = []
    for language in Language:
        html = report_html(report_of(database), language)
        file = folder / f"{database.stem}-{language}.html"
        file.write_text(html, encoding="utf-8")
        found = [*missing_numbers(database, shown(html)), *invalid(file), *untranslated(html)]
        if pdf:
            on_a4 = report_pdf(html)
            drawn(file, on_a4)
            found += wrong_in_pdf(on_a4, html)
            found += (f"on Letter: {line}" for line in wrong_in_pdf(report_pdf(on_letter(html)), html))
        wrong += [f"{file.name}: {line}" for line in found]
    return wrong


def invalid(file: Path) -> list[str]:
    """Get what the Nu validator says against a file; nothing where it is not there."""
    jar = os.environ.get("VNU_JAR", "")
    if not jar:
        return []
    done = subprocess.run(
        ["java", "-jar", jar, "--errors-only", str(file)], capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()


def drawn(file: Path, pdf: bytes) -> None:
    """Write a PDF, and a picture of each of its pages where there is what draws them."""
    out = file.with_suffix(".pdf")
    out.write_bytes(pdf)
    if shutil.which("pdftoppm"):
        subprocess.run(["pdftoppm", "-r", PICTURE_DPI, "-png", str(out), str(out.with_suffix(""))], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="kept for make: it writes no page")
    parser.add_argument("--out", type=Path, default=Path("build/reports"))
    out = parser.parse_args().out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    points, size, used_s = thirty_hours()
    print(f"30 hours: {points} points, {size / 1000:.1f} kB, {used_s * 1000:.0f} ms")
    wrong = []
    for scenario in SCENARIOS:
        database = out / f"{scenario}.db"
        run(database, scenario, "nau7802", 2, load_standard("gbt-48093-1-2026"))
        wrong += made(database, out)
        print(f"{scenario}: done", flush=True)
    print("\n".join(wrong) or f"nothing is wrong; look at {out}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
