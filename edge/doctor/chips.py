"""The doctor's look at the chips: found, plausible, as quiet as they should be, and free of mains hum.

A bridge is read for ten seconds. This module must never change a setting of the instrument, and never call a
check passed that it could not make: hum that folds onto zero frequency is not called absent.

Sources: HX711 data sheet table 2 (50 and 90 nV at 10 and 80 SPS, gain 128); the NAU7802's 30 nV at 10 SPS is
from memory and not checked. IEC 60751 through :mod:`calibration.iec60751`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.barometer import plausible_pa
from calibration.errors import CalibrationError
from calibration.gauge_curve import pascals
from calibration.iec60751 import temperature_c
from calibration.rtdcheck import FULL_SCALE_CODE
from edge.instrument.config import BarometerConfig, BridgeConfig, Config, ProbeConfig, VacuumConfig
from hw.clock import NS_PER_S, Clock
from hw.errors import HwError
from hw.protocols import CODE_MAX, Bridge, Conversion, Status

from .finding import Finding

READ_S = 10.0
LABORATORY_C = (-40.0, 250.0)
"""What a thermometer in a laboratory's oven or on its load cell may show."""
LIKELY_C = (0.0, 150.0)
"""What a thermometer of another kind would have to show, to be the likely explanation."""
OTHER_BOARD_OHM = 300.0
"""Between a Pt100 and a Pt1000."""
APART_K = 5.0
"""Two thermometers of a cold instrument that are further apart than this are not both right."""
HUM_SIGMAS = 6.0
"""A line this many times as high as the noise lets lines be is one: 1 in 10^7 by chance."""
WANDER_HZ = 0.3
"""How far the mains may be from its nominal frequency."""
_NOISE_V = {("hx711", 10): 50e-9, ("hx711", 80): 90e-9}
_NAU7802_NOISE_V = 30e-9
_TROUBLE = (HwError, OSError, ImportError)


def chips(config: Config, clock: Clock) -> Iterator[Finding]:
    """Look for every chip that the settings name, one finding after another."""
    yield from _bridge_findings(config, clock)
    shown: dict[str, float] = {}
    for name, settings in (("oven probe", config.oven_probe), ("cell probe", config.cell_probe)):
        if settings is not None:
            yield _thermometer_finding(name, settings, clock, shown)
    if len(shown) == 2:
        (_, oven_c), (_, cell_c) = shown.items()
        if abs(oven_c - cell_c) > APART_K:
            do = "if the oven is cold, one of them has the wrong ref_ohm, nominal_ohm or wires"
            yield Finding("probes together", "warn", f"{abs(oven_c - cell_c):.1f} K apart", do)
    yield from _gauge_findings(config.vacuum, clock)
    if config.barometer is not None:
        yield barometer_finding(config.barometer, clock)


def _bridge_findings(config: Config, clock: Clock) -> Iterator[Finding]:
    from edge.instrument.drivers import make_bridge

    bridge = make_bridge(config.bridge, clock)
    try:
        bridge.open()
        samples = _ten_seconds(bridge, clock)
    except _TROUBLE as e:
        yield Finding(bridge.name, "fail", str(e), "check supply and wires (docs/wiring.md)")
        return
    finally:
        bridge.close()
    good = [s for s in samples if s.status is Status.OK]
    others = Counter(s.status.name.lower() for s in samples if s.status is not Status.OK)
    rest = ", ".join(f"{n} {name}" for name, n in others.most_common())
    if not good:
        yield Finding(bridge.name, "fail", f"{len(samples)} conversions, none good: {rest}", _for(others))
        return
    share = max(abs(s.code) for s in good) / CODE_MAX * 100.0
    found = f"{len(good)} of {len(samples)} conversions good, at most {share:.1f} % of full scale"
    # The first conversions settle, always.
    bad = sum(others.values()) - others["settling"]
    if bad:
        yield Finding(bridge.name, "warn", f"{found}; {rest}", _for(others))
    else:
        yield Finding(bridge.name, "ok", found)
    yield from _quality(bridge.name, good, config)


def _ten_seconds(bridge: Bridge, clock: Clock) -> list[Conversion]:
    end_ns = clock.now_ns() + round(READ_S * NS_PER_S)
    samples: list[Conversion] = []
    # Counted too, so that a driver that takes no time cannot keep us.
    while clock.now_ns() < end_ns and len(samples) < 1.5 * READ_S * bridge.rate_sps:
        samples.append(bridge.read(clock.now_ns() + NS_PER_S // 2))
    return samples


def _for(others: Counter[str]) -> str:
    """Get what to do about the most frequent status that is not ok."""
    return {
        "not_ready": "check supply, SCK and DOUT; on SPI also the pull-up (docs/wiring.md)",
        "late": "the machine is busy: stop other programs, or clock the HX711 by SPI (docs/wiring.md)",
        "desync": "check the wires' length and ground; keep the cell still and read again",
        "saturated": "check the load cell's four wires: the input is beyond the converter's range",
        "stuck": "check the load cell's four wires: the input does not move at all",
        "bus_error": "check SDA, SCL and their length, or the SPI port",
    }.get(others.most_common(1)[0][0], "check the load cell's four wires")


@dataclass(frozen=True, slots=True)
class Hum:
    """A line in a reading: its amplitude and what noise alone would give, in codes; where it shows, in Hz."""

    amplitude: float
    floor: float
    at_hz: float


def noise_codes(codes: npt.NDArray[np.float64]) -> float:
    """Get the noise in codes rms from successive differences, which drift does not enter."""
    return float(np.sqrt(np.mean(np.diff(codes) ** 2) / 2.0))


def hum_at(hz: float, t_s: npt.NDArray[np.float64], codes: npt.NDArray[np.float64]) -> Hum | None:
    """Look for a line at ``hz`` ± 0.3, folded by the sampling. None where it folds to where drift hides it."""
    steps = np.diff(t_s)
    # Times are known to a hundredth of a period, the first few worse: count each step by itself, and take the
    # rate from pairs that are half the reading apart.
    index = np.concatenate(([0.0], np.cumsum(np.round(steps / np.median(steps)))))
    half = len(index) // 2
    rate_hz = float(np.median((index[half:] - index[:-half]) / (t_s[half:] - t_s[:-half])))
    folded_hz = abs(hz - round(hz / rate_hz) * rate_hz)
    if folded_hz < WANDER_HZ + 5.0 * rate_hz / index[-1]:
        return None
    level = codes - np.polyval(np.polyfit(index, codes, 2), index)
    best = Hum(0.0, math.inf, folded_hz)
    for at_hz in np.arange(hz - WANDER_HZ, hz + WANDER_HZ, 0.25 * rate_hz / index[-1]):
        turns = 2.0 * math.pi * (at_hz / rate_hz * index % 1.0)
        basis = np.column_stack((np.cos(turns), np.sin(turns)))
        fit, *_ = np.linalg.lstsq(basis, level, rcond=None)
        amplitude = float(np.hypot(*fit))
        if amplitude > best.amplitude:
            rest = float(np.std(level - basis @ fit))
            best = Hum(amplitude, rest * math.sqrt(2.0 / len(codes)), folded_hz)
    return best


def expected_noise_codes(config: BridgeConfig) -> float:
    """Get the noise in codes rms that the converter alone should have, at most, with no load cell moving."""
    if config.chip == "nau7802":
        volts, excitation_v = _NAU7802_NOISE_V * math.sqrt(config.rate_sps / 10.0), config.ldo_v
    else:
        # On a board with one supply pin the bridge has 3.3 V.
        volts, excitation_v = _NOISE_V["hx711", config.rate_sps], 3.3
    return max(1.0, volts / excitation_v * config.gain * (2 << 23))


def _quality(name: str, good: list[Conversion], config: Config) -> Iterator[Finding]:
    codes = np.array([s.code for s in good], np.float64)
    t_s = np.array([s.t_ns for s in good], np.float64) / NS_PER_S
    if len(good) < 30 or t_s[-1] - t_s[0] < READ_S / 2:
        do = "see what the bridge's own line says, then run this again"
        yield Finding(f"{name} noise", "absent", f"{len(good)} good conversions are too few to judge it", do)
        return
    noise, expected = noise_codes(codes), expected_noise_codes(config.bridge)
    found = f"{noise:.1f} codes rms, the converter's own is about {expected:.1f}"
    if noise < 0.1 * expected:
        do = "are the converter's inputs shorted? check the load cell's signal wires"
        yield Finding(f"{name} noise", "warn", f"{found}: too quiet", do)
    elif noise > 3.0 * expected:
        do = "stop pump and fans, close the door, twist and shield the cell's wires, then run this again"
        yield Finding(f"{name} noise", "warn", found, do)
    else:
        yield Finding(f"{name} noise", "ok", found)
    probe = config.oven_probe or config.cell_probe
    for mains_hz in (50, 60) if probe is None else (probe.mains_hz,):
        yield _mains(name, t_s, codes, mains_hz)


def _mains(name: str, t_s: npt.NDArray[np.float64], codes: npt.NDArray[np.float64], mains_hz: int) -> Finding:
    check = f"{name} mains hum"
    seen = [(hz, hum) for hz in (mains_hz, 2 * mains_hz) if (hum := hum_at(hz, t_s, codes)) is not None]
    loud = [(hz, hum) for hz, hum in seen if hum.amplitude > HUM_SIGMAS * hum.floor]
    if loud:
        hz, hum = max(loud, key=lambda pair: pair[1].amplitude)
        found = f"{hz} Hz (at {hum.at_hz:.1f} Hz): {hum.amplitude:.0f} codes"
        return Finding(
            check, "warn", found, "twist and shield the cell's wires, ground once, away from the oven's mains"
        )
    if not seen:
        do = "nothing: at such a rate the converter's filter has its notch there"
        return Finding(check, "absent", f"{mains_hz} Hz folds onto zero at this rate and cannot be seen", do)
    best = max(HUM_SIGMAS * hum.floor for _, hum in seen)
    return Finding(check, "ok", f"no line above {best:.0f} codes at {' and '.join(f'{hz} Hz' for hz, _ in seen)}")


def _thermometer_finding(name: str, settings: ProbeConfig, clock: Clock, shown: dict[str, float]) -> Finding:
    from edge.instrument.drivers import make_thermometer

    probe = make_thermometer(settings, clock)
    try:
        probe.open()
        reading = probe.read()
        until_ns = clock.now_ns() + 5 * NS_PER_S
        while reading.status is Status.SETTLING and clock.now_ns() < until_ns:
            clock.sleep_s(0.1)
            reading = probe.read()
    except _TROUBLE as e:
        return Finding(name, "fail", str(e), "check supply, wires and chip-select (docs/wiring.md)")
    finally:
        probe.close()
    if reading.status is not Status.OK:
        found = f"{reading.status.name.lower()}, fault register 0x{reading.fault:02X}"
        do = "check the thermometer's wires and the wires setting"
        if reading.code >= FULL_SCALE_CODE - 1 and settings.nominal_ohm < OTHER_BOARD_OHM:
            do = f"{do}; or a Pt1000 is on a board for a Pt100 ({settings.ref_ohm:g} Ω): it needs one of 4300 or 4000 Ω"
        return Finding(name, "fail", found, do)
    ohm = reading.code / FULL_SCALE_CODE * settings.ref_ohm
    do = "check the thermometer's kind, and ref_ohm, nominal_ohm and wires against what is fitted"
    try:
        temp_c = temperature_c(ohm, settings.nominal_ohm)
    except (CalibrationError, ValueError):
        found = f"{ohm:.2f} Ω: no Pt{settings.nominal_ohm:g} has that (IEC 60751)"
        return Finding(name, "fail", found, _likely(ohm, settings) or do)
    found = f"{ohm:.2f} Ω, {temp_c:.1f} °C"
    if not LABORATORY_C[0] <= temp_c <= LABORATORY_C[1]:
        return Finding(name, "fail", f"{found}: not in a laboratory", _likely(ohm, settings) or do)
    shown[name] = temp_c
    do = f"if that is wrong, look at the board's reference resistor: it must say {settings.ref_ohm:g} Ω"
    return Finding(name, "ok", found, do)


def _likely(ohm: float, settings: ProbeConfig) -> str:
    """Get what is likely fitted, where a resistance is none of the thermometer that the settings name."""
    is_pt100 = settings.nominal_ohm < OTHER_BOARD_OHM
    other_ohm, other_board = (1000.0, "4300 or 4000") if is_pt100 else (100.0, "430 or 400")
    for nominal_ohm, ref_ohm, what in (
        (other_ohm, settings.ref_ohm, f"a Pt{other_ohm:g} on a board for a Pt{settings.nominal_ohm:g}"),
        # The settings name the other board than the one that is fitted: the resistance is off by their ratio.
        (settings.nominal_ohm, settings.ref_ohm * (10.0 if is_pt100 else 0.1), f"a board of {other_board} Ω"),
    ):
        try:
            temp_c = temperature_c(ohm * ref_ohm / settings.ref_ohm, nominal_ohm)
        except (CalibrationError, ValueError):
            continue
        if LIKELY_C[0] <= temp_c <= LIKELY_C[1]:
            return f"likely {what} (it would be at {temp_c:.0f} °C): look at both, and set ref_ohm and nominal_ohm"
    if ohm < 0.8 * settings.nominal_ohm:
        return "likely half shorted, or another make of sensor: measure it with an ohmmeter, leads off the board"
    return ""


def _gauge_findings(settings: VacuumConfig, clock: Clock) -> Iterator[Finding]:
    from edge.instrument.drivers import make_gauge

    gauge, fitted = make_gauge(settings, clock), settings.fitted()
    if gauge is None or fitted is None:
        return
    try:
        gauge.open()
        reading = gauge.read()
    except _TROUBLE as e:
        yield Finding("gauge", "fail", str(e), "check supply, SDA and SCL (docs/wiring.md)")
        return
    finally:
        gauge.close()
    if reading.status is not Status.OK:
        found = f"{reading.status.name.lower()}, status bits 0x{reading.fault:02X}"
        yield Finding("gauge", "fail", found, "check its supply and the pressure; see docs/wiring.md")
        return
    pa = float(pascals([reading.code], fitted)[0])
    if math.isfinite(pa):
        do = "compare with the air's pressure while the chamber is open: about 100000 Pa"
        yield Finding("gauge", "ok", f"{pa:.3g} Pa", do)
    else:
        do = "check the gauge's output wire and supply, then curve, divider and channel"
        yield Finding("gauge", "fail", f"code {reading.code}: outside the gauge's curve", do)


def barometer_finding(settings: BarometerConfig, clock: Clock) -> Finding:
    """Look for the barometer, and read it once."""
    from edge.instrument.drivers import make_barometer

    barometer = make_barometer(settings, clock)
    assert barometer is not None  # the settings name one
    try:
        barometer.open()
        clock.sleep_s(1.0)
        codes = barometer.read()
    except _TROUBLE as e:
        return Finding("barometer", "fail", str(e), "check supply, SDA, SCL and address (docs/wiring.md)")
    finally:
        barometer.close()
    if codes.status is not Status.OK:
        return Finding("barometer", "fail", codes.status.name.lower(), "check its supply and wires (docs/wiring.md)")
    pa = plausible_pa(codes.pressure_code, codes.temp_code, barometer.trimming)
    if math.isnan(pa):
        do = "it is broken, or of another kind: change it, or leave [barometer] out"
        return Finding("barometer", "fail", "it shows a pressure that no place has", do)
    do = "compare with the weather service's pressure at your height, not with that at the sea's"
    return Finding("barometer", "ok", f"{pa / 100.0:.1f} hPa", do)
