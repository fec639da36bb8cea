"""Frames made into the columns that the kernel sees.

This module must never drop or mend a sample: a status goes along with each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from calibration.gauge_curve import pascals
from calibration.vacuum_gauge import VacuumGauge
from edge.records.frame import Channel, Frames
from hw.protocols import Status

from . import layout

NS_PER_S = 1e9
_I8, _F8, _U1 = map(np.dtype, (np.int64, np.float64, np.uint8))


def block_from_frames(frames: Frames, t0_ns: int, vacuum: VacuumGauge | None = None) -> layout.Block:
    """Turn frames into the columns that the fold sees; times become seconds since ``t0_ns``.

    ``vacuum``: the gauge's codes become Pa by these settings; what they make no pressure is no good reading.
    """

    def value(of: Channel) -> layout.F8:
        return of.value.astype(_F8)

    def status(of: Channel) -> npt.NDArray[np.uint8]:
        return of.status.astype(_U1)

    oven, cell, gauge = frames.oven, frames.cell, frames.gauge
    if vacuum is not None:
        pressure_pa = pascals(gauge.value, vacuum)
        bad = (gauge.status == Status.OK) & ~np.isfinite(pressure_pa)
        gauge = Channel(pressure_pa, gauge.fault, np.where(bad, Status.FAULT, gauge.status))
    return layout.Block(
        frames.seq.astype(_I8),
        (frames.t_ns.astype(_I8) - t0_ns) / NS_PER_S,
        frames.first.astype(_I8),
        frames.code.astype(_F8),
        frames.status.astype(_U1),
        value(oven),
        status(oven),
        value(cell),
        status(cell),
        value(gauge),
        status(gauge),
    )
