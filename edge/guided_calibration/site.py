"""A look at the site: how the load cell scatters with the pump off, with it on, and with somebody walking by.

A number is of one-second means. This module must never call a site quiet of which it has no good samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import ReadingsNotGood
from edge.records.formatting import significant
from edge.records.frame import Frames
from hw.protocols import Status

from .bench import Bench

LEAST_S = 10
DISTURBED = 2.0
"""A site is disturbed where it scatters by more than so many times as much as at rest, or as the certificate says."""
STEPS = (
    ("pump off", "Close the door, switch the pump off, and leave the rig alone"),
    ("pump on", "Switch the pump on, and leave the rig alone"),
    ("walking by", "Have somebody walk by as they would in a night, and close a door of the room"),
)
HELP = {
    "pump off": "keep draughts, cables and vibration off the cell",
    "pump on": "set the pump on rubber, on another table, with a soft hose held on its way",
    "walking by": "a stone table, another place, or a room that nobody enters",
}


class SiteStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one step showed: the scatter of one-second means, and the largest of them off the median, in codes.

    In grams too where a certificate says how many codes are one; ``times`` is the scatter against the first step's.
    """

    name: str
    seconds: int
    sd_code: float
    largest_code: float
    sd_g: float | None
    largest_g: float | None
    times: float | None
    quiet: bool


class SiteCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A site, step by step; ``said`` is what to do about what is not quiet."""

    steps: tuple[SiteStep, ...]
    quiet: bool
    said: tuple[str, ...]


def check_site(
    bench: Bench,
    seconds: int,
    *,
    codes_per_g: float | None = None,
    noise_code: float | None = None,
    say: Callable[[str], object] = print,
) -> SiteCheck:
    """Have each step done and read it for ``seconds``.

    ``noise_code`` is a certificate's, of single samples (None: there is none). Raises ``ReadingsNotGood`` where there
    are too few good samples.
    """
    steps: list[SiteStep] = []
    for name, what in STEPS:
        bench.ask(f"{what}; then press Enter: ")
        means, per_s = _second_means(bench.record(seconds))
        if len(means) < min(LEAST_S, seconds // 2):
            raise ReadingsNotGood(f"{name}: {len(means)} good seconds of {seconds}: run halfpercent doctor")
        sd = float(np.std(np.diff(means))) / math.sqrt(2.0)
        largest = float(np.max(np.abs(means - np.median(means))))
        rest = steps[0].sd_code if steps else None if noise_code is None else noise_code / math.sqrt(per_s)
        quiet = rest is None or sd <= DISTURBED * rest
        in_g = None if codes_per_g is None else 1.0 / abs(codes_per_g)
        steps.append(
            SiteStep(
                name=name,
                seconds=len(means),
                sd_code=sd,
                largest_code=largest,
                sd_g=None if in_g is None else sd * in_g,
                largest_g=None if in_g is None else largest * in_g,
                times=sd / steps[0].sd_code if steps and steps[0].sd_code > 0.0 else None,
                quiet=quiet,
            )
        )
        say(site_line(steps[-1]))
    said = tuple(f"{s.name}: {HELP[s.name]}" for s in steps if not s.quiet)
    return SiteCheck(steps=tuple(steps), quiet=not said, said=said)


def site_line(step: SiteStep) -> str:
    """Get a step in one line."""
    in_g = "" if step.sd_g is None else f" ({significant(step.sd_g * 1e3, 2)} mg)"
    times = "" if step.times is None else f", {step.times:.1f} times that of pump off"
    quiet = "quiet" if step.quiet else "NOT quiet"
    return f"{step.name}: one-second means scatter by {step.sd_code:.3g} codes{in_g}{times}: {quiet}"


def _second_means(frames: Frames) -> tuple[npt.NDArray[np.float64], float]:
    """Get the mean code of each second that has a good sample, and how many good samples a second has."""
    seconds = np.repeat(np.arange(len(frames)), np.diff(frames.first).astype(np.int64))
    good = frames.status == Status.OK
    counts = np.bincount(seconds[good], minlength=len(frames))
    sums = np.bincount(seconds[good], weights=frames.code[good].astype(np.float64), minlength=len(frames))
    has = counts > 0
    return sums[has] / counts[has], float(np.median(counts[has])) if has.any() else 0.0
