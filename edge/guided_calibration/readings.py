"""A rig's raw frames as codes a second, and what of them is good and at rest.

Raw frames are folded with neutral parameters, so that codes stay codes. This module must never call a code steady that
moves, nor good that is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration import certificate as cal
from calibration.allan import mean_over_stable_window
from calibration.integrated import Integrated
from calibration.loadcell import SpanPoint
from edge.errors import ReadingsNotGood, StillMoving
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.records.frame import Frames
from edge.records.gate import GATE_SIGMAS
from hw.protocols import Status

STEADY_S = 60.0
CREEPS_IN_A_MINUTE = 1e-4
"""Relative to the load: what a good cell may move by in half a minute soon after it was loaded (a C3 cell creeps by two
to five times that in half an hour)."""
LEAST_MOVE_CODE = 8.0
"""Nothing is said of less: a millionth of a 24-bit converter's range."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Seconds of a rig's raw codes, folded with neutral parameters. Arrays of one length; NaN: not known.

    ``air_pa`` is the room's pressure (None: there is no barometer).
    """

    t_s: layout.F8
    code: layout.F8
    sd_code: layout.F8
    cell_c: layout.F8
    oven_c: layout.F8
    air_pa: layout.F8 | None = None

    def part(self, keep: layout.F8 | np.ndarray) -> Readings:
        """Get the readings that ``keep`` names or marks."""
        air_pa = None if self.air_pa is None else self.air_pa[keep]
        return Readings(
            self.t_s[keep], self.code[keep], self.sd_code[keep], self.cell_c[keep], self.oven_c[keep], air_pa
        )


def readings(
    frames: Frames, rtd: cal.Rtd, *, cell_rtd: cal.Rtd | None = None, has_cell: bool = True, gate_code: float = 0.0
) -> Readings:
    """Fold raw frames so that codes stay codes: mean and standard deviation a second, and both temperatures.

    ``rtd`` is the oven's thermometer, ``cell_rtd`` the cell's where that is another; ``has_cell``: there is one.
    """
    cell = cell_rtd or rtd
    own = {
        f"{where}_{name}": value
        for where, of in (("oven", rtd), ("cell", cell))
        for name, value in (
            ("ref_ohm", of.ref_ohm),
            ("r0_ohm", of.r0_ohm),
            ("lead_ohm", of.lead_ohm),
            ("a", of.a_per_k),
            ("b", of.b_per_k2),
        )
        if value is not None
    }
    params = layout.new_params(rtd_is_code=1, cell_source=0 if has_cell else 2, gate_code=gate_code, **own)
    state, rows = kernel.advance(layout.new_state(), params, block_from_frames(frames, int(frames.t_ns[0])))
    _, last = kernel.flush(state, params)
    table = np.concatenate([rows, last])
    good = table[table["n_ok"] > 0]
    return Readings(
        good["t_s"].copy(),
        good["zero_code"].copy(),
        good["sd_g"].copy(),
        good["cell_temp_c"].copy(),
        good["temp_c"].copy(),
    )


def noise_code(of: Readings) -> float:
    """Get the standard deviation of single samples, as half of the seconds have it or less (0: not known)."""
    known = of.sd_code[np.isfinite(of.sd_code)]
    return float(np.median(known)) if len(known) else 0.0


def gated(frames: Frames, rtd: cal.Rtd, *, cell_rtd: cal.Rtd | None = None, has_cell: bool = True) -> Readings:
    """Fold raw frames as :func:`readings` does, without the glitches that the frames' own noise tells."""
    first = readings(frames, rtd, cell_rtd=cell_rtd, has_cell=has_cell)
    gate = GATE_SIGMAS * noise_code(first)
    return readings(frames, rtd, cell_rtd=cell_rtd, has_cell=has_cell, gate_code=gate) if gate > 0.0 else first


LEAST_GOOD = 0.8


_ADVICE = {
    Status.NOT_READY: "check its power and wires",
    Status.LATE: "the machine is too busy: stop other programs, or clock the HX711 from an SPI port (hx711_spi)",
    Status.DESYNC: "keep its wires short and away from the pump's",
    Status.SATURATED: "take the load off, see that A+ and A- are connected the right way round, or use a lower gain",
    Status.SETTLING: "it was just set up: try again",
    Status.STUCK: "check the load cell's four wires",
    Status.BUS_ERROR: "check SDA, SCL and their ground",
    Status.FAULT: "halfpercent doctor says what the chip reports",
    Status.STALE: "check the thermometer on the load cell, without which a code is worth nothing",
}


def check_good(frames: Frames, of: Readings) -> None:
    """See that nearly all samples are good. Raises ``ReadingsNotGood``: how many are not, what they are, what to do."""
    found = np.bincount(frames.status, minlength=len(Status))
    n, n_ok = len(frames.status), int(found[Status.OK])
    if not n:
        raise ReadingsNotGood("the bridge gave no sample: check its power and wires (halfpercent doctor)")
    if n_ok >= LEAST_GOOD * n and len(of.code) >= LEAST_GOOD * len(frames):
        return
    bad = [(int(c), Status(i)) for i, c in enumerate(found) if i != Status.OK and c]
    if not bad or n_ok >= LEAST_GOOD * n:
        raise ReadingsNotGood(f"{len(of.code)} of {len(frames)} seconds are good: {_ADVICE[Status.STALE]}")
    named = ", ".join(f"{c} {status.name.lower().replace('_', ' ')}" for c, status in sorted(bad, reverse=True))
    raise ReadingsNotGood(f"{n_ok} of {n} samples are good ({named}): {_ADVICE[max(bad)[1]]}, then try again")


def steady_code(of: Readings, before: Sequence[float] = ()) -> Integrated:
    """Take the code of what lies still on the cell: the last minute's mean, as long as its Allan deviation justifies.

    ``before`` are the codes of all that was weighed before it, the empty holder first: the largest load among them says
    how far a good cell may creep in that minute. What the two halves of the minute are apart is in its uncertainty.
    Raises, with what to do, ``ReadingsNotGood`` for too few good seconds, ``StillMoving`` where they move by more than
    noise (of samples, or of seconds about a line through them), resolution and such creep.
    """
    codes = [float(c) for c, t in zip(of.code, of.t_s, strict=True) if of.t_s[-1] - t < STEADY_S]
    if len(codes) < LEAST_GOOD * STEADY_S:
        raise ReadingsNotGood(f"{len(codes)} good seconds of {STEADY_S:.0f}: check the wires, then weigh again")
    half = len(codes) // 2
    early, late = math.fsum(codes[:half]) / half, math.fsum(codes[half:]) / (len(codes) - half)
    apart, empty = abs(early - late), before[0] if before else late
    load_code = max(abs(code - empty) for code in (late, *before))
    about_line = np.polynomial.Polynomial.fit(np.arange(len(codes)), codes, 1)(np.arange(len(codes))) - codes
    noise = max(noise_code(of), float(np.std(about_line)))
    if apart > max(3.0 * noise, LEAST_MOVE_CODE, CREEPS_IN_A_MINUTE * load_code):
        raise StillMoving(f"the code still moves by {apart:.0f}: wait until the cell is at rest, then weigh again")
    value = mean_over_stable_window(codes, "last")
    return replace(value, u=max(value.u, apart / 2.0))


def span_point(
    of: Readings, mass_g: float, u_mass_g: float, *, rising: bool = True, before: Sequence[float] = ()
) -> SpanPoint:
    """Get the point that a check weight of ``mass_g`` gives (see :func:`steady_code`)."""
    value = steady_code(of, before)
    return SpanPoint(mass_g, u_mass_g, value.mean, max(value.u, 1e-6), rising)
