"""A simulated test at 80 samples a second by the shipped standard, six hours of hold, sealed by its rig.

Making it takes two minutes of a processor; a shorter hold is the small form.
"""

from __future__ import annotations

from pathlib import Path

from sealed_run import SealedRun, make
from short_demo import Demo

from edge.database.journal import Journal
from edge.records.result import as_json
from edge.records.sample import Sample
from edge.simulate.demo import DemoOrder, run_demo
from edge.simulate.instrument import build
from edge.standards.standard import load_standard, loads_standard

RATE_SPS = 80
STANDARD = "gbt-48093-1-2026"


def six_hours(folder: Path, hold_s: float = 21_600.0, measured: Path | None = None) -> SealedRun:
    """Measure it in ``folder``, seal it, and pack it; ``measured`` is a database in which it was before."""
    path, rig = folder / "measured.db", folder / "rig"
    rig.mkdir()
    if measured is not None:
        return make(Demo(measured, {}), rig)
    standard = loads_standard(load_standard(STANDARD).text.replace("value = 21600.0", f"value = {hold_s:.1f}"))
    with Journal(path) as journal:
        result = run_demo(build("solid", "nau7802", 3, RATE_SPS), DemoOrder(standard, Sample("S-1"), 3), journal)
    return make(Demo(path, as_json(result)), rig)
