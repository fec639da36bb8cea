"""What a check weight says of the span: whether it is the calibration's, and whether it changed between M1 and M2.

Put on after M2 alone it says that the span changed since the calibration, and nobody knows when; put on before M1 too
it is compared with itself, and a change from before divides out of the loss. This module must never call a change
harmless that no weighing before M1 has seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from calibration.calibration_record import Weight
from calibration.certificate import Certificate
from calibration.weights import load_g
from edge.records.weighing import Weighing

from .zero_drift import wander

WEIGHT_TOLERANCE = 1e-4
"""A check weight is taken to be what it says to 0.01 % (OIML R 111-1 class M1: 0.005 % from 100 g on)."""
AIR_ON_STEEL = 1.2e-3 / 7.95 * 0.1 / math.sqrt(3.0)  # relative: air that is ±10 % from that of the calibration
AIR_IN_A_NIGHT = 0.2  # of that: air that is ±2 % from what it was before M1
CREEP_ALIKE = 0.1
"""Of the creep of weight and sample: as much may be in one of two weighings of the weight and not in the other, which
hangs as long in both, but once after the tare and once after the sample (assumed)."""


@dataclass(frozen=True, slots=True)
class SpanCheck:
    """A check weight after the test, in g: stated, indicated less the second zero, and the u of their difference.

    ``load_g`` is what a cell feels of it, which is what a guided calibration's grams are; ``zero_moved_g`` what the
    zero moved by since the tare, with the u of its two readings. ``before_g`` is what it showed before M1 (None: it was
    not put on), and ``u_since_g`` the u of what it shows more after M2.
    """

    stated_g: float
    indicated_g: float
    u_g: float
    zero_moved_g: float
    u_zero_g: float
    load_g: float
    before_g: float | None = None
    u_since_g: float = math.nan

    @property
    def gain(self) -> float:
        """Get by how much (relative) more is indicated than the cell feels."""
        return (self.indicated_g - self.load_g) / self.load_g

    @property
    def changed(self) -> float:
        """Get by how much (relative) the span is another than the calibration's: 0 within U (k = 2)."""
        return self.gain if abs(self.indicated_g - self.load_g) > 2.0 * self.u_g else 0.0

    @property
    def since(self) -> tuple[float, float]:
        """Get by how much (relative) the span changed since the newest comparison, and the u of it.

        That is the one before M1, or else the calibration.
        """
        if self.before_g is None:
            return self.gain, self.u_g / self.load_g
        return (self.indicated_g - self.before_g) / self.load_g, self.u_since_g / self.load_g

    @property
    def between(self) -> float:
        """Get by how much (relative) the span may have changed between M1 and M2: 0 within U (k = 2)."""
        if self.before_g is None:
            return self.changed
        change, u = self.since
        return change if abs(change) > 2.0 * u else 0.0


def check_span(
    certificate: Certificate,
    tare: Weighing,
    zero: Weighing,
    check: Weighing,
    stated_g: float,
    weight: Weight | None = None,
    *,
    before: Weighing | None = None,
    sample_g: float = 0.0,
) -> SpanCheck:
    """Compare what a check weight of ``stated_g`` shows with what it should. ``weight`` is what its record says of it.

    It is weighed as in the calibration, so buoyancy cancels but for a change of the air. A guided calibration's grams
    are of load: of 100 g of steel a cell feels 99.985 g. What is known of a certificate that was written by hand is not
    so fine. With ``before``, the same weight before M1, the weight itself, the certificate's span and its linearity
    cancel; what the zero does between each weighing and its own zero does not, nor what a sample of ``sample_g`` left
    behind of its creep.
    """
    t, s, m = certificate.temperature, certificate.span, stated_g
    record, load = certificate.record, stated_g
    u_weight_g, air_rel = m * WEIGHT_TOLERANCE / math.sqrt(3.0), AIR_ON_STEEL
    if weight is not None:
        u_weight_g, air_rel = weight.u_mass_g, 0.1 * 1.2 / weight.density_kg_m3 / math.sqrt(3.0)
    if record is not None:
        load = load_g(weight or Weight(mass_g=stated_g, u_mass_g=0.0, stated="a check weight"), record.air)
    moved_g = (zero.value.mean - tare.value.mean) / s.counts_per_g
    away_k = check.cell_temp_c - t.t_ref_c if math.isfinite(check.cell_temp_c) else 0.0
    u_zero_g = math.hypot(zero.value.u, tare.value.u) / abs(s.counts_per_g)
    u_g = math.hypot(
        check.value.u,
        u_zero_g,
        m * s.u_counts_per_g / abs(s.counts_per_g),
        m * t.u_span_per_k * away_k,
        m * m * certificate.linearity.u_linearity_per_g,
        m * certificate.stability.creep_pct_fs / 100.0 / math.sqrt(3.0),
        u_weight_g,
        m * air_rel,
    )
    shown_g = check.value.mean - moved_g
    if before is None:
        return SpanCheck(stated_g, shown_g, u_g, moved_g, u_zero_g, load)
    warmer_k = check.cell_temp_c - before.cell_temp_c
    from_zero_k = (check.cell_temp_c - zero.cell_temp_c) - (before.cell_temp_c - tare.cell_temp_c)
    u_since_g = math.hypot(
        check.value.u,
        before.value.u,
        u_zero_g,
        *(wander(certificate, abs(w.middle_s - of.middle_s) / 3600.0).u_g for w, of in ((before, tare), (check, zero))),
        m * t.u_span_per_k * warmer_k if math.isfinite(warmer_k) else 0.0,
        t.u_zero_counts_per_k * from_zero_k / s.counts_per_g if math.isfinite(from_zero_k) else 0.0,
        math.sqrt(2.0) * t.zero_counts_per_k * t.u_cell_temp_c / s.counts_per_g,
        CREEP_ALIKE * (m + sample_g) * certificate.stability.creep_pct_fs / 100.0 / math.sqrt(3.0),
        AIR_IN_A_NIGHT * m * air_rel,
    )
    return SpanCheck(stated_g, shown_g, u_g, moved_g, u_zero_g, load, before.value.mean, u_since_g)
