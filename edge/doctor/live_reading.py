"""The load cell read live, second by second, for whoever wires it: codes or grams, degrees, noise, rate, statuses.

Codes become grams in the fold, as in a test, from a zero taken when the reading begins. This module must never begin a
test, and never keep what it read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

import msgspec
import numpy as np

from calibration.certificate import Certificate
from edge.fold import kernel, layout
from edge.fold.block import block_from_frames
from edge.instrument.acquisition import Instrument
from edge.instrument.config import Config, ProbeConfig
from edge.procedure.parameters import reading_parameters
from edge.records.formatting import known
from edge.records.frame import Frames
from hw.clock import NS_PER_S, Clock
from hw.protocols import Status

from .touch import Seen, Touches

ZERO_S = 3
"""So many good seconds at the beginning are the zero from which grams are shown."""
LAST_SETTLING_S = 5
"""After so long a second with settling samples is taken as it is."""


class LiveSecond(msgspec.Struct, frozen=True, kw_only=True):
    """One second of a live reading.

    ``mass_g`` is what came onto the cell since the reading began (null: no certificate, or the zero is not taken yet),
    ``code`` the mean code; ``noise_g`` and ``noise_code`` the standard deviation of its single samples. ``rate_sps`` is
    the measured rate; ``statuses`` counts the samples by what they are; ``seen`` is what happened to the cell.
    """

    t_s: float
    code: float | None
    noise_code: float | None
    mass_g: float | None
    noise_g: float | None
    rate_sps: float | None
    oven_c: float | None
    cell_c: float | None
    statuses: dict[str, int]
    seen: tuple[Seen, ...]


class LiveReading:
    """The chips of an open instrument, read second by second. ``certificate``: grams beside codes."""

    def __init__(self, instrument: Instrument, config: Config, certificate: Certificate | None, clock: Clock) -> None:
        self._instrument = instrument
        self._clock = clock
        self._certificate = certificate
        self._params = _parameters(config, certificate)
        self._state = layout.new_state()
        self._zeros: list[float] = []
        self._settled_s = 0
        self.touches = Touches(config.bridge, certificate)

    def seconds(self, at_most_s: float) -> Generator[LiveSecond]:
        """Read on and give each second as it ends, until ``at_most_s`` have passed."""
        begin_ns = self._clock.now_ns()
        seq = 0
        while seq < at_most_s:
            frames = self._instrument.frame(seq, begin_ns + seq * NS_PER_S)
            yield self._second(frames, begin_ns)
            late_s = (self._clock.now_ns() - begin_ns) // NS_PER_S - seq
            seq += max(1, int(late_s))

    def _second(self, frames: Frames, begin_ns: int) -> LiveSecond:
        self._state, _ = kernel.advance(self._state, self._params, block_from_frames(frames, begin_ns))
        _, rows = kernel.flush(self._state, self._params)
        row = rows[0]
        statuses = Counter(Status(s).name.lower() for s in frames.status.tolist())
        settling = Status.SETTLING in frames.status and int(frames.seq[0]) < LAST_SETTLING_S
        n_ok = 0 if settling else int(row["n_ok"])
        ok = frames.status == Status.OK
        code = float(np.mean(frames.code[ok])) if n_ok else None
        noise_code = float(np.std(frames.code[ok], ddof=1)) if n_ok > 1 else None
        in_grams = self._certificate is not None and len(self._zeros) >= ZERO_S
        if n_ok and len(self._zeros) < ZERO_S:
            self._take_zero(float(row["zero_code"]))
        return LiveSecond(
            t_s=float(row["t_s"]),
            code=code,
            noise_code=noise_code,
            mass_g=known(float(row["mass_g"])) if n_ok and in_grams else None,
            noise_g=known(float(row["sd_g"])) if n_ok and in_grams else None,
            rate_sps=_rate_sps(frames),
            oven_c=known(float(row["temp_c"])),
            cell_c=known(float(row["cell_temp_c"])),
            statuses=dict(statuses),
            seen=() if settling else tuple(self.touches.look(frames)),
        )

    def _take_zero(self, code: float) -> None:
        self._zeros.append(code)
        if len(self._zeros) == ZERO_S:
            self._params = layout.with_params(self._params, tare_code=sum(self._zeros) / ZERO_S)


def _parameters(config: Config, certificate: Certificate | None) -> layout.Record:
    """Get the fold's parameters for a reading: the certificate's, else codes as they are; no glitch is gated."""
    values = {"rtd_is_code": 1.0}
    for where, probe in (("oven", config.oven_probe), ("cell", config.cell_probe)):
        if probe is not None:
            values |= _as_set(where, probe)
    if certificate is not None:
        values |= reading_parameters(certificate)
        lacks_cell = values["cell_source"] == 0 and config.cell_probe is None
        lacks_oven = values["cell_source"] == 1 and config.oven_probe is None
        if lacks_cell or lacks_oven:
            values["cell_source"] = 2
    elif config.cell_probe is not None:
        values["cell_source"] = 0
    return layout.new_params(**values)


def _as_set(where: str, probe: ProbeConfig) -> dict[str, float]:
    return {f"{where}_ref_ohm": float(probe.ref_ohm), f"{where}_r0_ohm": float(probe.nominal_ohm)}


def _rate_sps(frames: Frames) -> float | None:
    """Get the rate at which conversions came; None where fewer than three did."""
    came_us = frames.sample_us[frames.status != Status.NOT_READY]
    if len(came_us) < 3:
        return None
    return round(1e6 / max(1.0, float(np.median(np.diff(came_us)))), 2)
