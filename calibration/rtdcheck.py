"""What a resistor, a short, ice or a calibration sheet say of a resistance thermometer and its converter.

The converter's code is a ratio to its board's reference resistor; with two wires the leads are in it. This module must
never spread one reading over two unknowns: what no check tells is taken as stated, and named as such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from calibration.calibration_record import RtdCheck, SelfHeating
from calibration.certificate import Rtd
from calibration.errors import BadFit
from calibration.iec60751 import TOLERANCE_C, resistance_ohm, temperature_c

F8 = npt.NDArray[np.float64]

FULL_SCALE_CODE = 32768.0
"""What the converter gives of a resistance as large as its reference."""
HOLD_C = 120.0
WARMED_MOST_K = 10.0
"""No current of a converter warms a thermometer that is fixed to something by more."""
REF_OFF_REL, R0_OFF_REL, LEAD_MAX_OHM = 0.02, 0.01, 10.0
"""How far what is measured may be from what is printed on a part: boards of 400 and 430 Ω are 7 % apart."""
# Half-widths of what nobody measured.
REF_TOLERANCE_REL = 0.001  # the board's reference resistor: 0.1 % parts
CONVERTER_C = 0.5  # MAX31865 data sheet Rev 3: total accuracy over all operating conditions
PLACE_C = 0.5  # the sample is not where the thermometer is
HEATS_K_PER_MW = 0.4  # by its current a thin-film element in still air (data sheets: 0.2 to 0.4); one-sided
BIAS_V = 2.0  # MAX31865 data sheet Rev 3, over reference resistor and thermometer
LEADS_OHM = 1.0  # some metres of thin wire, where they are in the reading


@dataclass(frozen=True, slots=True)
class OwnCurve:
    """A sensor's own Callendar-Van Dusen coefficients (Ω, 1/K, 1/K²), and their standard uncertainty in °C."""

    r0_ohm: float
    a_per_k: float
    b_per_k2: float
    u_c: float


def fit_rtd(
    nominal: Rtd, checks: Sequence[RtdCheck], own: OwnCurve | None, heating: SelfHeating | None = None
) -> tuple[Rtd, tuple[str, ...]]:
    """Get the thermometer as its checks say, with ``u_temp_c`` at 120 °C, and one line for each thing assumed.

    ``nominal`` is what the settings say; of several checks of a kind the last counts;
    ``heating`` is what was measured of the current's warming it (None: assumed). Raises ``BadFit`` for a
    reading that contradicts the settings, with what to correct.
    """
    last = {c.kind: c for c in checks}
    resistor, short, ice = last.get("resistor"), last.get("short"), last.get("ice")
    ref, lead, r0 = nominal.ref_ohm, 0.0, nominal.r0_ohm if own is None else own.r0_ohm
    two = nominal.wires == 2
    if short is not None and not two:
        raise BadFit(f"a short says what two wires have of leads; with {nominal.wires} leave it out")
    if resistor is not None and short is not None:
        if not resistor.code > short.code:
            raise BadFit("the resistor reads no more than the short: put it at the end of the leads, and check again")
        ref = (resistor.ohm - short.ohm) * FULL_SCALE_CODE / (resistor.code - short.code)
    elif resistor is not None and not two:
        ref = resistor.ohm * FULL_SCALE_CODE / resistor.code
    if abs(ref / nominal.ref_ohm - 1.0) > REF_OFF_REL and resistor is not None:
        raise BadFit(
            f"{resistor.ohm:g} Ω reads {resistor.code / FULL_SCALE_CODE * nominal.ref_ohm:.2f} Ω, as if the reference "
            f"were {ref:.1f} Ω: look at the board and correct ref_ohm in the config, or the resistor's value"
        )
    known = short or (resistor if two else None)
    if known is not None:
        lead = known.code / FULL_SCALE_CODE * ref - known.ohm
    elif two and ice is not None:
        lead = ice.code / FULL_SCALE_CODE * ref - r0
    if not -0.1 <= lead <= LEAD_MAX_OHM:
        raise BadFit(
            f"the leads would have {lead:.2f} Ω: give the resistance that is at their end, wait until ice is at 0 °C, "
            "and check ref_ohm and wires in the config"
        )
    lead = max(0.0, lead)
    if ice is not None and own is None and not (two and known is None):
        r0 = ice.code / FULL_SCALE_CODE * ref - lead
        if abs(r0 / nominal.r0_ohm - 1.0) > R0_OFF_REL:
            raise BadFit(
                f"the thermometer reads {r0:.2f} Ω in ice, not {nominal.r0_ohm:g} Ω: wait until it is at 0 °C, and "
                "check nominal_ohm, ref_ohm and wires in the config"
            )
    rtd = msgspec.structs.replace(nominal, ref_ohm=ref, lead_ohm=lead, r0_ohm=r0)
    if own is not None:
        rtd = msgspec.structs.replace(rtd, a_per_k=own.a_per_k, b_per_k2=own.b_per_k2)
    parts, assumed = _parts(nominal, resistor, known, ice, own)
    more, said = _heating_parts(rtd, heating)
    parts, assumed = [*parts, *more], (*assumed, *said)
    return msgspec.structs.replace(rtd, u_temp_c=math.hypot(*parts)), assumed


def power_mw(ohm: float, ref_ohm: float) -> float:
    """Get the power in mW in a thermometer of ``ohm`` Ω while the converter's current flows."""
    return (BIAS_V / (ref_ohm + ohm)) ** 2 * ohm * 1e3


def warmed_k(of: SelfHeating, rtd: Rtd) -> tuple[float, float]:
    """Get by how many kelvins the current warms a thermometer at 120 °C, with its standard uncertainty.

    What is left of it while the current flows for a share ``duty`` of the time is in the difference; the warming goes
    as the power (self-heating, IEC 60751:2008, 6.5.3). Raises ``BadFit`` for a cooler thermometer, or a warmer one
    than any.
    """
    ohm = of.always_code / FULL_SCALE_CODE * rtd.ref_ohm - rtd.lead_ohm
    if not 0.5 * rtd.r0_ohm < ohm < 2.0 * rtd.r0_ohm:
        raise BadFit(f"the thermometer reads {ohm:.1f} Ω: put it back in its place, and check ref_ohm in the config")
    ohm_per_code = rtd.ref_ohm / FULL_SCALE_CODE
    hot_ohm, per_k = float(resistance_ohm(HOLD_C, rtd.r0_ohm)), _ohm_per_k(rtd.r0_ohm, temperature_c(ohm, rtd.r0_ohm))
    scale = ohm_per_code / per_k / (1.0 - of.duty) * power_mw(hot_ohm, rtd.ref_ohm) / power_mw(ohm, rtd.ref_ohm)
    warmed = (of.always_code - of.rarely_code) * scale
    u = math.hypot(of.u_always_code, of.u_rarely_code) * scale
    if not -3.0 * u <= warmed <= WARMED_MOST_K:
        raise BadFit(
            f"the current would warm the thermometer by {warmed:.2f} ± {u:.2f} K: wait until it rests, and read again"
        )
    return max(0.0, warmed), u


def read_as(temp_c: F8, nominal: Rtd, rtd: Rtd) -> F8:
    """Get temperatures (°C, any shape, NaN where not known) as ``rtd`` gives them, from what ``nominal`` made of codes.

    Raises ``OutOfDomain`` for temperatures that IEC 60751 does not have.
    """
    known = np.isfinite(temp_c)
    out = np.array(temp_c, np.float64)
    ohm = np.asarray(resistance_ohm(out[known], nominal.r0_ohm)) + nominal.lead_ohm
    ohm = ohm * (rtd.ref_ohm / nominal.ref_ohm) - rtd.lead_ohm
    if rtd.a_per_k is None or rtd.b_per_k2 is None:
        out[known] = temperature_c(ohm, rtd.r0_ohm)
    else:  # Callendar-Van Dusen, above 0 °C; a load cell is never far below
        a, b = rtd.a_per_k, rtd.b_per_k2
        out[known] = (-a + np.sqrt(a * a - 4.0 * b * (1.0 - ohm / rtd.r0_ohm))) / (2.0 * b)
    return out


def _ohm_per_k(r0_ohm: float, at_c: float = HOLD_C) -> float:
    return float(resistance_ohm(at_c + 0.5, r0_ohm)) - float(resistance_ohm(at_c - 0.5, r0_ohm))


def _heating_parts(rtd: Rtd, heating: SelfHeating | None) -> tuple[list[float], tuple[str, ...]]:
    """Get the standard uncertainties in °C at 120 °C by the current's warming, which is not corrected for."""
    if heating is not None:  # a bias that is known and left in counts whole (GUM F.2.4.5)
        return list(warmed_k(heating, rtd)), ()
    half_k = HEATS_K_PER_MW * power_mw(float(resistance_ohm(HOLD_C, rtd.r0_ohm)), rtd.ref_ohm)
    line = f"self-heating: the converter's current warms the thermometer by 0 to {half_k:.2g} K, not measured"
    return [half_k / math.sqrt(3.0)], (line,)


def _parts(
    nominal: Rtd, resistor: RtdCheck | None, known: RtdCheck | None, ice: RtdCheck | None, own: OwnCurve | None
) -> tuple[list[float], tuple[str, ...]]:
    """Get the standard uncertainties in °C at 120 °C, and what was assumed for them."""
    hot_ohm = float(resistance_ohm(HOLD_C, nominal.r0_ohm))
    per_c = _ohm_per_k(nominal.r0_ohm)
    root3, two = math.sqrt(3.0), nominal.wires == 2
    parts = [PLACE_C / root3]
    assumed = [f"oven: the sample is within ±{PLACE_C:g} °C of the thermometer"]
    fixed_c, slope = TOLERANCE_C[nominal.tolerance_class]
    if own is not None:
        parts.append(own.u_c)
    elif ice is not None:
        parts += [ice.u_ohm, slope * HOLD_C / root3]
        assumed.append(f"thermometer: class {nominal.tolerance_class} of IEC 60751 above 0 °C, ice point measured")
    else:
        parts.append((fixed_c + slope * HOLD_C) / root3)
        assumed.append(f"thermometer: class {nominal.tolerance_class} of IEC 60751, not checked")
    if resistor is not None and (not two or (known is not None and known.kind == "short")):
        # the reference, and so the reading at 120 °C, is as good as the resistor
        u_rel = math.hypot(resistor.u_ohm / resistor.ohm, resistor.u_code / resistor.code)
        parts.append(u_rel * hot_ohm / per_c)
    elif resistor is not None:
        # two wires: resistor and leads together were read right; what is off elsewhere grows with the distance to it
        far_ohm = abs(hot_ohm - resistor.ohm)
        parts += [resistor.u_ohm / per_c, REF_TOLERANCE_REL * far_ohm / per_c / root3]
        assumed.append(f"converter: reference resistor within ±{REF_TOLERANCE_REL * 100:g} %")
    else:
        parts += [CONVERTER_C / root3, REF_TOLERANCE_REL * hot_ohm / per_c / root3]
        assumed.append(
            f"converter: within ±{CONVERTER_C:g} °C, reference resistor within ±{REF_TOLERANCE_REL * 100:g} %"
        )
    if two and known is None and ice is None:
        parts.append(LEADS_OHM / per_c / root3)
        assumed.append(f"leads: two wires, not measured: 0 to {LEADS_OHM:g} Ω")
    return parts, tuple(assumed)
