"""A simulated rig read without registers: the same physics, codes and frames, thousands of times faster.

For coverage over a thousand rigs, where 25 hours of each are needed. What a chip adds (noise, quantisation, the
probes' codes) is added to what the rig's bridge and Pt100s give; the frames are those of a NAU7802 at 10 SPS, with an
MPRLS that has an offset of its own within its error band where a gauge is fitted.
"""

from __future__ import annotations

import numpy as np

from calibration.vacuum_gauge import MPRLS_ERROR_PA, MPRLS_FULL, MPRLS_FULL_PA, MPRLS_ZERO
from edge.records.frame import Channel, Frames
from hw.sim.rig import Rig, pt100_ohm

CODES_PER_RATIO = 128 * 2.0 * 2.0**23
SPS = 10
REF_OHM = 430.0


class QuickRig:
    """A rig with a clock that gives frames on demand."""

    def __init__(self, rig: Rig, noise_code: float, seed: int, *, gauge: bool = False) -> None:
        self.rig = rig
        self.noise_code = noise_code
        self._rng = np.random.default_rng((seed, 21))
        self._second = 0
        self._gauge = gauge
        self._gauge_off_pa = float(np.random.default_rng((seed, 22)).uniform(-1.0, 1.0)) * MPRLS_ERROR_PA

    def frames(self, seconds: int) -> Frames:
        """Measure ``seconds`` more: one frame each, ten codes a frame, one reading of each probe."""
        ratio, oven_c, cell_c = self.rig.stretch(seconds)
        step = (np.arange(SPS) + 0.5) / SPS
        within = ratio[:-1, None] + (ratio[1:] - ratio[:-1])[:, None] * step
        codes = within.ravel() * CODES_PER_RATIO + self.noise_code * self._rng.standard_normal(seconds * SPS)
        seq = np.arange(self._second, self._second + seconds)
        self._second += seconds

        def probe(temp_c: np.ndarray) -> Channel:
            ohm = np.vectorize(pt100_ohm, otypes=[float])(temp_c)
            code = np.rint(ohm / REF_OHM * 32768.0 + 0.5 * self._rng.standard_normal(seconds))
            return Channel(code.astype("<u2"), np.zeros(seconds, "u1"), np.zeros(seconds, "u1"))

        share = (self.rig.pressure_pa + self._gauge_off_pa) / MPRLS_FULL_PA
        code = round((share * (MPRLS_FULL - MPRLS_ZERO) + MPRLS_ZERO) / 256.0) if self._gauge else 0
        fitted = np.full(seconds, 0 if self._gauge else 1, "u1")
        return Frames(
            seq=seq.astype("<i8"),
            t_ns=(seq * 1_000_000_000).astype("<i8"),
            first=np.arange(seconds + 1, dtype="<i8") * SPS,
            sample_us=np.tile((step * 1e6).astype("<i4"), seconds),
            code=np.rint(codes).astype("<i4"),
            status=np.zeros(seconds * SPS, "u1"),
            oven=probe(oven_c),
            cell=probe(cell_c),
            gauge=Channel(np.full(seconds, code, "<u2"), np.zeros(seconds, "u1"), fitted),
        )
